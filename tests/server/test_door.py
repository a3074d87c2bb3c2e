"""The door: who asks, from where, how much they may send, and what browsers are told."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.job import EVERYONE, VISITOR
from server.door import COOKIE, Door, Rules


async def told(request: Request) -> Response:
    visitor = request.scope[VISITOR]
    return JSONResponse({"owner": visitor.owner, "address": visitor.address, "passing": visitor.passing})


async def size(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


def client(*, public: bool = True, hops: int = 0, session: dict[str, Any] | None = None) -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/", told), Route("/else", told), Route("/size", size, methods=["POST"])])
    door: Any = Door(app, Rules(public=public, max_body=1000, hops=hops, hosts=("studio.example",)))

    async def signed_in(scope: Any, receive: Any, send: Any) -> None:
        await door({**scope, "session": session or {}}, receive, send)

    return httpx.AsyncClient(
        transport=httpx.ASGITransport(signed_in, client=("198.51.100.9", 1)), base_url="http://127.0.0.1"
    )


async def test_a_personal_machine_belongs_to_one_and_sets_no_cookie() -> None:
    answer = await client(public=False).get("/")
    assert answer.json() == {"owner": EVERYONE, "address": "", "passing": False}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.nip.io", "0.0.0.0", "192.168.1.9", ""]
)
async def test_a_name_that_somebody_else_points_at_a_personal_machine_is_turned_away(host: str) -> None:
    answer = await client(public=False).get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "STUDIO_PUBLIC_URL" in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:7860", "127.0.0.1:7860", "127.0.0.5", "[::1]", "[::1]:7860"])
async def test_this_machines_own_names_come_in(host: str) -> None:
    assert (await client(public=False).get("/", headers={"host": host})).status_code == 200


async def test_a_browser_keeps_its_token_and_two_have_different_ones() -> None:
    one, other = client(), client()
    first = (await one.get("/")).json()
    assert first["passing"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", first["owner"])
    again = (await one.get("/else")).json()
    assert again == {**first, "passing": False}
    assert (await other.get("/")).json()["owner"] != first["owner"]


async def test_the_token_cannot_be_read_by_the_page_and_lives_in_a_spaces_frame() -> None:
    plain = (await client().get("/")).headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    framed = (await client().get("/", headers={"x-forwarded-proto": "https"})).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=None", "Secure", "Partitioned"} <= set(framed.split("; "))


async def test_only_the_page_itself_hands_out_a_token() -> None:
    answer = await client().get("/else")
    assert "set-cookie" not in answer.headers
    assert answer.json()["passing"]


@pytest.mark.parametrize("token", ["local", "a", "x" * 42, "x" * 44, "ä" * 43, EVERYONE])
async def test_a_token_that_we_never_made_is_not_taken(token: str) -> None:
    answer = await client().get("/", headers={"cookie": f"{COOKIE}={token}".encode()})
    assert answer.json()["owner"] != token
    assert answer.json()["passing"]


async def test_an_account_is_the_owner_where_somebody_is_signed_in() -> None:
    signed = client(session={"oauth_info": {"userinfo": {"sub": "5f2"}}})
    answer = await signed.get("/")
    assert answer.json()["owner"] == "account 5f2"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("hops", "told_by_proxies", "address"),
    [
        (0, "203.0.113.1", "198.51.100.9"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "6.6.6.6, 203.0.113.1", "203.0.113.1"),
        (2, "6.6.6.6, 203.0.113.1, 10.0.0.1", "203.0.113.1"),
        (2, "203.0.113.1", "198.51.100.9"),
        (1, None, "198.51.100.9"),
    ],
)
async def test_an_address_is_believed_from_trusted_proxies_only(
    hops: int, told_by_proxies: str | None, address: str
) -> None:
    headers = {"x-forwarded-for": told_by_proxies} if told_by_proxies else {}
    assert (await client(hops=hops).get("/", headers=headers)).json()["address"] == address


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9", "http://127.0.0.1.evil.example"]
)
async def test_another_sites_page_is_nobody_here_and_is_turned_away_from_a_personal_machine(origin: str) -> None:
    browser = client()
    own = (await browser.get("/")).json()["owner"]
    told = (await browser.get("/else", headers={"origin": origin})).json()
    assert told["passing"]
    assert told["owner"] != own
    assert (await client(public=False).get("/", headers={"origin": origin})).status_code == 403


async def test_the_apps_own_pages_are_known_by_its_names() -> None:
    browser = client()
    own = (await browser.get("/")).json()["owner"]
    for origin in ("http://127.0.0.1", "https://studio.example"):
        assert (await browser.get("/else", headers={"origin": origin})).json()["owner"] == own
    assert (await client(public=False).get("/", headers={"origin": "http://127.0.0.1"})).status_code == 200


async def test_a_body_over_the_limit_is_refused_by_its_length_and_while_it_comes() -> None:
    async def stream(length: int) -> AsyncIterator[bytes]:
        for _ in range(length // 100):
            yield b"x" * 100

    own = client()
    assert (await own.post("/size", content=b"x" * 1000)).json() == 1000
    assert (await own.post("/size", content=b"x" * 1001)).status_code == 413
    assert (await own.post("/size", content=stream(1000))).json() == 1000
    answer = await own.post("/size", content=stream(2000))
    assert answer.status_code == 413
    assert "At most" in answer.text


async def test_every_answer_tells_browsers_what_to_forbid() -> None:
    for answer in (await client().get("/"), await client().get("/nowhere")):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self' https://huggingface.co https://*.hf.space" in policy
        assert "default-src 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
