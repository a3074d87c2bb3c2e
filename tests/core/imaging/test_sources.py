"""Addresses and inline pictures in the spellings of programs: whatever the bytes are, they come out as they went in."""

from __future__ import annotations

import base64
import random
import textwrap
from collections.abc import Callable
from urllib.parse import quote, quote_from_bytes

import pytest

from core.imaging.sources import InlineTooLong, NotInline, base64_bytes, data_uri, is_address, is_data_uri, tidy

MOST = 1_000_000


def plain(data: bytes) -> str:
    return base64.b64encode(data).decode()


def lines(data: bytes, width: int = 76, end: str = "\n") -> str:
    return end.join(textwrap.wrap(plain(data), width))


def encoded(data: bytes) -> str:
    return "".join(f"%{ord(each):02x}" for each in plain(data))


BASE64: dict[str, Callable[[bytes], str]] = {
    "as it is": plain,
    "lines of 76": lines,
    "lines of 64 and CRLF": lambda data: lines(data, 64, "\r\n") + "\r\n",
    "lines wrapped by blanks": lambda data: lines(data, 76, " "),
    "indented lines": lambda data: "\n    " + lines(data, 60, "\n    ") + "\n",
    "without padding": lambda data: plain(data).rstrip("="),
    "too much padding": lambda data: plain(data).rstrip("=") + "==",
    "URL-safe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "URL-safe without padding": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "percent-encoded": lambda data: quote(plain(data), safe=""),
    "percent-encoded lines": lambda data: quote(lines(data, 76, "\r\n"), safe=""),
    "every letter percent-encoded": encoded,
    "blanks around": lambda data: f" \t\n{plain(data)} \r\n",
}
URIS: dict[str, Callable[[bytes], str]] = {
    **{name: lambda data, spell=spell: f"data:image/png;base64,{spell(data)}" for name, spell in BASE64.items()},  # type: ignore[misc]
    "blank after the comma": lambda data: f"data:image/png;base64, {plain(data)}",
    "blanks before the comma": lambda data: f"data:image/png ; base64 ,{plain(data)}",
    "capitals": lambda data: f"DATA:IMAGE/PNG;BASE64,{plain(data)}",
    "no kind": lambda data: f"data:;base64,{plain(data)}",
    "name and charset": lambda data: f"data:image/png;name=a%20b.png;charset=utf-8;base64,{plain(data)}",
    "a fragment": lambda data: f"data:image/png;base64,{plain(data)}#top",
    "line breaks within the head": lambda data: f"data:image/png;\n base64,{plain(data)}",
    "encoded as a whole": lambda data: quote(f"data:image/png;base64,{plain(data)}", safe=""),
    "percent data": lambda data: f"data:image/png,{quote_from_bytes(data, safe='')}",
    "percent data with plain letters": lambda data: f"data:image/png,{quote_from_bytes(data)}",
    "blanks around the whole": lambda data: f"  data:image/png;base64,{plain(data)}\n",
}


def samples() -> list[bytes]:
    seed = random.SystemRandom().randrange(2**32)
    print(f"random seed {seed}")
    dice = random.Random(seed)
    sizes = [*range(0, 6), 57, 114, *(dice.randrange(6, 5000) for _ in range(20)), 200_000]
    return [dice.randbytes(size) for size in sizes]


@pytest.mark.parametrize("name", BASE64)
def test_base64_in_any_spelling_gives_its_bytes(name: str) -> None:
    for data in samples():
        assert base64_bytes(BASE64[name](data), MOST) == data


@pytest.mark.parametrize("name", URIS)
def test_a_data_uri_in_any_spelling_gives_its_bytes(name: str) -> None:
    for data in samples():
        uri = URIS[name](data)
        assert is_data_uri(uri)
        assert data_uri(uri, MOST) == data


def test_a_plus_that_a_form_made_a_blank_is_read_as_a_plus() -> None:
    for data in samples():
        data = b"\x89PN" + data[: len(data) // 3 * 3] + b"\xfb\xef\xbeIEND"  # at least one plus, and none at an end
        assert "+" in plain(data)
        assert base64_bytes(plain(data).replace("+", " "), MOST) == data
        assert base64_bytes(lines(data).replace("+", " "), MOST) == data


@pytest.mark.parametrize("text", ["a", "photo.png", "AA=A", "A===", "AAAA=AAA", "wörter", "\ud800", "{}", "AAAA\0AAAA"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(NotInline):
        base64_bytes(text, MOST)


@pytest.mark.parametrize(
    "uri", ["data:", "data:image/png", "data:;base64,a", "data:;base64,é", "data:image/png,\ud800"]
)
def test_a_data_uri_without_data_is_refused(uri: str) -> None:
    with pytest.raises(NotInline):
        data_uri(uri, MOST)


@pytest.mark.parametrize("name", URIS)
def test_the_limit_of_bytes_holds_in_every_spelling(name: str) -> None:
    uri = URIS[name](b"\xff" * 3000)
    assert len(data_uri(uri, 3000)) == 3000
    with pytest.raises(InlineTooLong):
        data_uri(uri, 2999)


def test_a_long_text_is_refused_unread() -> None:
    with pytest.raises(InlineTooLong):
        base64_bytes("%" * 10_000, 100)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" https://a.example/x.png\n", "https://a.example/x.png"),
        ("https://a.example/\n  x.png".replace("  ", ""), "https://a.example/x.png"),
        ("https://a.exa\tmple/x y.png\r\n", "https://a.example/x y.png"),
        ("\0\x1fhttps://a.example/", "https://a.example/"),
    ],
)
def test_an_address_is_taken_as_browsers_take_it(text: str, address: str) -> None:
    assert tidy(text) == address
    assert is_address(text)


@pytest.mark.parametrize("text", ["iVBORw0KGgo", "data:image/png,a://b", "photo.png", "", "DATA%3Aimage/png,%3A//"])
def test_inline_pictures_are_no_addresses(text: str) -> None:
    assert not is_address(text)
