"""Signed links: read for an hour, and by nobody who changed a letter of them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from core.links import VALID, Links


def parts(address: str) -> tuple[str, str, str]:
    split = urlsplit(address)
    query = parse_qs(split.query)
    return split.path.rpartition("/")[2], query["until"][0], query["signature"][0]


def test_a_link_is_valid_for_its_time_and_name_only() -> None:
    clock = [1000.0]
    links = Links("https://studio.example", b"s" * 32, lambda: clock[0])
    address = links.sign("a.png")
    assert address.startswith("https://studio.example/references/a.png?")
    name, until, signature = parts(address)
    assert links.valid(name, until, signature)
    assert not links.valid("b.png", until, signature)
    assert not links.valid(name, str(int(until) + 1), signature)
    assert not links.valid(name, until, signature[:-1] + "0" + "1")
    assert not links.valid(name, "soon", signature)
    assert not links.valid(name, until, "é")
    clock[0] += VALID + 1
    assert not links.valid(name, until, signature)


def test_another_secret_makes_another_signature() -> None:
    _, until, signature = parts(Links("https://a", b"s" * 32).sign("a.png"))
    assert not Links("https://a", b"t" * 32).valid("a.png", until, signature)
