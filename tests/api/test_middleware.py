"""What every request meets first: who asks, from where, how much they may send, and what browsers must forbid."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest
from gradio.route_utils import CustomCORSMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.body_limits import ADDRESS, SMALL, VALUES, BodyRefused, HeldBodies
from api.identity import COOKIE, SECURE_COOKIE, owner_of
from api.middleware import AccessRules, account_identity, protected
from core.errors import TooManyRuns
from core.job import EVERYONE, VISITOR, Visitor
from core.limits import Caps
from engine.quotas import Quotas

SECRET = b"s" * 32


async def told(request: Request) -> Response:
    visitor = request.scope[VISITOR]
    scheme = request.url.scheme
    return JSONResponse(
        {"owner": visitor.owner, "address": visitor.address, "passing": visitor.passing, "scheme": scheme}
    )


async def size(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


async def broken(_: Request) -> Response:
    raise ZeroDivisionError


async def swallowing(request: Request) -> Response:
    """As the framework does: whatever goes wrong with a body is a 400 of its own."""
    try:
        await request.body()
    except Exception:
        return JSONResponse("could not be read", 400)
    return JSONResponse("read")


PICTURES = ("/gradio_api/upload", "/api/v3/media/uploads/{id}", "/v1/images/generations", "/v1/images/edits")
FORMS = ("/studio/v1/references", "/studio/v1/recipes/read")
PICTURES_TOO = ("/api/v3/{model:path}", "/gradio_api/mcp/", "/gradio_api/call/edit", "/gradio_api/call/v2/edit")


def client(
    *,
    public: bool = True,
    session: dict[str, Any] | None = None,
    max_body: int = 1000,
    base: str = "http://127.0.0.1",
    **rules: Any,
) -> httpx.AsyncClient:
    posts = (
        "/size",
        *PICTURES,
        *PICTURES_TOO,
        *FORMS,
        "/hook",
        "/gradio_api/queue/join",
        "/v1/else",
        "/gradio_api/call/check",
    )
    app = Starlette(
        routes=[
            *(Route(path, told) for path in ("/", "/else", "/gradio_api/file=x", "/v1/models")),
            *(Route(path, size, methods=["POST", "PUT"]) for path in posts),
            *(Route(path, broken) for path in ("/broken", "/v1/broken", "/api/v3/broken")),
            Route("/swallowing", swallowing, methods=["POST"]),
        ],
        middleware=[
            Middleware(CustomCORSMiddleware),
            Middleware(account_identity, AccessRules(public=public, max_body=1)),
        ],
    )
    known = AccessRules(public=public, max_body=max_body, **{"hosts": ("studio.example",), "secret": SECRET, **rules})
    outermost: Any = protected(app, known)

    async def signed_in(scope: Any, receive: Any, send: Any) -> None:
        await outermost({**scope, "session": session or {}}, receive, send)

    transport = httpx.ASGITransport(signed_in, client=("198.51.100.9", 1), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base)


async def stream(length: int, piece: bytes = b"x" * 100) -> AsyncIterator[bytes]:
    for _ in range(length // len(piece)):
        yield piece


async def test_a_personal_machine_belongs_to_one_and_sets_no_cookie() -> None:
    answer = await client(public=False).get("/")
    assert answer.json() == {"owner": EVERYONE, "address": "", "passing": False, "scheme": "http"}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",
        "127.0.0.1.nip.io",
        "0.0.0.0",
        "192.168.1.9",
        "",
        "localhost:1@x",
        "127.0.0.1:1#x",
    ],
)
async def test_a_name_that_somebody_else_points_at_a_personal_machine_is_turned_away(host: str) -> None:
    answer = await client(public=False).get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "STUDIO_PUBLIC_URL" in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:7860", "127.0.0.1:7860", "127.0.0.5", "[::1]", "[::1]:7860"])
async def test_this_machines_own_names_come_in(host: str) -> None:
    assert (await client(public=False).get("/", headers={"host": host})).status_code == 200


async def test_a_browser_keeps_its_owner_and_two_have_different_ones() -> None:
    one, other = client(), client()
    first = (await one.get("/")).json()
    assert first["passing"]
    again = (await one.get("/else")).json()
    assert again == {**first, "passing": False}
    assert (await other.get("/")).json()["owner"] != first["owner"]


async def test_the_owner_is_the_digest_of_the_cookies_token() -> None:
    browser = client()
    owner = (await browser.get("/")).json()["owner"]
    token, _, signature = browser.cookies[COOKIE].partition(".")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert len(signature) == 43
    assert owner == owner_of(token) == hashlib.sha256(token.encode()).hexdigest()


async def test_over_http_the_cookie_is_plain_and_over_https_bound_to_this_host_and_good_in_a_spaces_frame() -> None:
    plain = (await client().get("/")).headers["set-cookie"]
    assert plain.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(plain.split("; "))
    framed = (await client(base="https://127.0.0.1").get("/")).headers["set-cookie"]
    assert framed.startswith(f"{SECURE_COOKIE}=")
    assert {"HttpOnly", "SameSite=None", "Secure", "Partitioned", "Path=/"} <= set(framed.split("; "))
    assert "Domain" not in framed


@pytest.mark.parametrize(
    ("rules", "proto", "host", "scheme"),
    [
        ({"proxies": 0}, "https", "127.0.0.1", "http"),
        ({"proxies": 1}, "https", "127.0.0.1", "https"),
        ({"proxies": 1}, "http", "127.0.0.1", "http"),
        ({"proxies": 2}, "https", "127.0.0.1", "https"),
        ({"proxies": 1}, "https, http", "127.0.0.1", "http"),
        ({"proxies": 2}, "https, http", "127.0.0.1", "https"),
        ({"https_hosts": ("studio.example",)}, "http", "studio.example", "https"),
        ({"https_hosts": ("studio.example",)}, "http", "127.0.0.1", "http"),
    ],
)
async def test_https_is_believed_from_trusted_proxies_and_the_public_address(
    rules: dict[str, Any], proto: str, host: str, scheme: str
) -> None:
    answer = await client(**rules).get("/", headers={"x-forwarded-proto": proto, "host": host})
    assert answer.json()["scheme"] == scheme
    assert answer.headers["set-cookie"].startswith(SECURE_COOKIE if scheme == "https" else f"{COOKIE}=")


async def test_over_https_a_cookie_that_another_host_of_the_domain_can_plant_is_not_taken() -> None:
    attacker = client()
    await attacker.get("/")
    planted = f"{COOKIE}={attacker.cookies[COOKIE]}"
    assert not (await client().get("/else", headers={"cookie": planted})).json()["passing"]
    assert (await client(base="https://127.0.0.1").get("/else", headers={"cookie": planted})).json()["passing"]


async def test_a_planted_cookie_does_not_hide_the_signed_one() -> None:
    browser = client()
    own = (await browser.get("/")).json()["owner"]
    for cookies in (
        f"{COOKIE}=planted; {COOKIE}={browser.cookies[COOKIE]}",
        f"{COOKIE}={browser.cookies[COOKIE]}; {COOKIE}=x",
    ):
        assert (await client().get("/else", headers={"cookie": cookies})).json()["owner"] == own


async def test_a_cookie_outlives_the_process_but_not_its_secret() -> None:
    browser = client()
    own = (await browser.get("/")).json()["owner"]
    cookie = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    assert (await client().get("/else", headers=cookie)).json()["owner"] == own
    assert (await client(secret=b"t" * 32).get("/else", headers=cookie)).json()["passing"]


@pytest.mark.parametrize("change", [0, 42, 43, 44, 86])
async def test_a_changed_cookie_is_a_strangers(change: int) -> None:
    browser = client()
    own = (await browser.get("/")).json()["owner"]
    value = browser.cookies[COOKIE]
    # Of the last letter of 43, two bits are nothing; a letter from far away changes the others.
    changed = value[:change] + ("A" if value[change] != "A" else "_") + value[change + 1 :]
    told = (await client().get("/else", headers={"cookie": f"{COOKIE}={changed}"})).json()
    assert told["passing"]
    assert told["owner"] != own


class Old:
    """Owners from before cookies were signed, as the store has them."""

    def __init__(self, *tokens: str) -> None:
        self.owners = {owner_of(token) for token in tokens}

    async def exchange(self, owner: str) -> bool:
        """Return whether an owner was there, and forget it."""
        found = owner in self.owners
        self.owners.discard(owner)
        return found


async def test_an_old_cookie_is_exchanged_for_a_signed_one_and_keeps_its_owner() -> None:
    old = "o" * 43
    browser = client(exchange=Old(old).exchange)
    answer = await browser.get("/else", headers={"cookie": f"{COOKIE}={old}"})
    assert answer.json()["owner"] == owner_of(old)
    assert not answer.json()["passing"]
    assert browser.cookies[COOKIE].startswith(f"{old}.")
    assert (await browser.get("/else")).json()["owner"] == owner_of(old)


async def test_tabs_that_bring_an_old_cookie_together_are_all_exchanged() -> None:
    old = "o" * 43
    browser = client(exchange=Old(old).exchange)
    answers = [browser.get("/", headers={"cookie": f"{COOKIE}={old}"}) for _ in range(3)]
    assert {each.json()["owner"] for each in await asyncio.gather(*answers)} == {owner_of(old)}


async def test_an_old_cookie_is_exchanged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    old = "o" * 43
    browser = client(exchange=Old(old).exchange)
    cookie = {"cookie": f"{COOKIE}={old}"}
    await browser.get("/else", headers=cookie)
    browser.cookies.clear()
    monkeypatch.setattr("api.visitors.GRACE", -1.0)
    again = await browser.get("/", headers=cookie)
    assert again.json()["passing"]
    assert again.json()["owner"] != owner_of(old)


async def test_another_sites_page_exchanges_no_cookie() -> None:
    old = "o" * 43
    known = Old(old)
    headers = {"cookie": f"{COOKIE}={old}", "origin": "https://evil.example"}
    assert (await client(exchange=known.exchange).get("/else", headers=headers)).json()["passing"]
    assert known.owners


async def test_only_the_page_itself_hands_out_a_token() -> None:
    answer = await client().get("/else")
    assert "set-cookie" not in answer.headers
    assert answer.json()["passing"]


@pytest.mark.parametrize(
    "token", ["local", "a", "x" * 42, "x" * 43, "x" * 44, "ä" * 43, f"{'x' * 43}.{'x' * 43}", EVERYONE]
)
async def test_a_token_that_we_never_signed_is_not_taken(token: str) -> None:
    answer = await client().get("/", headers={"cookie": f"{COOKIE}={token}".encode()})
    assert answer.json()["owner"] not in (token, owner_of(token))
    assert answer.json()["passing"]


async def test_an_account_is_the_owner_where_somebody_is_signed_in() -> None:
    signed = client(session={"oauth_info": {"userinfo": {"sub": "5f2"}}})
    answer = await signed.get("/")
    assert answer.json()["owner"] == "account 5f2"
    assert not answer.json()["passing"]
    assert (await signed.get("/", headers={"origin": "https://evil.example"})).json()["owner"] != "account 5f2"


@pytest.mark.parametrize(
    ("hops", "told_by_proxies", "address"),
    [
        (0, "203.0.113.1", "198.51.100.9"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "6.6.6.6, 203.0.113.1", "203.0.113.1"),
        (2, "6.6.6.6, 203.0.113.1, 10.0.0.1", "203.0.113.1"),
        (2, "203.0.113.1", "198.51.100.9"),
        (1, None, "198.51.100.9"),
        (1, "not an address", "198.51.100.9"),
        (1, "203.0.113.1:4711", "203.0.113.1"),
        (1, "2001:db8:1:2::9", "2001:db8:1:2::/64"),
        (1, "[2001:DB8:1:2:ffff::1]:4711", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:0:0:0:1%eth0", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.1", "203.0.113.1"),
        (1, "::ffff:cb00:7101", "203.0.113.1"),
    ],
)
async def test_an_address_is_believed_from_trusted_proxies_only(
    hops: int, told_by_proxies: str | None, address: str
) -> None:
    headers = {"x-forwarded-for": told_by_proxies} if told_by_proxies else {}
    assert (await client(proxies=hops).get("/", headers=headers)).json()["address"] == address


@pytest.mark.parametrize(
    ("hops", "addresses"),
    [
        (1, [f"2001:db8:1:2::{number + 1:x}" for number in range(14)]),
        (1, ["2001:db8::1", "2001:DB8:0:0::1", "2001:db8:0:0:0:0:0:1", "[2001:db8::1]"] * 4),
        (1, [f"6.6.6.{number}, 203.0.113.7" for number in range(14)]),
        (0, [f"203.0.113.{number}" for number in range(14)]),
    ],
)
async def test_whoever_turns_through_addresses_has_the_runs_of_one(hops: int, addresses: list[str]) -> None:
    own, limits, limited = client(proxies=hops), Quotas(Caps(per_minute=10)), 0
    for each in addresses:
        visitor = (await own.get("/else", headers={"x-forwarded-for": each})).json()
        try:
            limits.count(Visitor(visitor["owner"], visitor["address"]))
        except TooManyRuns:
            limited += 1
    assert limited == len(addresses) - 10


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
    own = client()
    assert (await own.post("/size", content=b"x" * 1000)).json() == 1000
    assert (await own.post("/size", content=b"x" * 1001)).status_code == 413
    assert (await own.post("/size", content=stream(1000))).json() == 1000
    answer = await own.post("/size", content=stream(2000))
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert "the limit here is" in answer.json()["detail"]


@pytest.mark.parametrize(("public", "status"), [(True, 503), (False, 200)])
async def test_an_address_has_so_many_bytes_of_bodies_in_memory_at_a_time(
    monkeypatch: pytest.MonkeyPatch, public: bool, status: int
) -> None:
    monkeypatch.setattr("api.body_limiter.HeldBodies", partial(HeldBodies, by_address=1000))
    own, come, let = client(public=public), asyncio.Event(), asyncio.Event()

    async def held() -> AsyncIterator[bytes]:
        yield b"x" * 800
        come.set()
        await let.wait()
        yield b"x" * 100

    first = asyncio.create_task(own.post("/size", content=held()))
    await come.wait()
    assert (await own.post("/size", content=b"x" * 300)).status_code == status
    assert (await own.post("/size", content=b"x" * 200)).json() == 200
    let.set()
    assert (await first).json() == 900
    assert (await own.post("/size", content=b"x" * 1000)).json() == 1000


def test_one_address_leaves_room_for_bodies_of_others() -> None:
    held = HeldBodies(by_address=10, most=15)
    held.add("ann", 10)
    with pytest.raises(BodyRefused):
        held.add("ann", 1)
    held.add("bob", 5)
    with pytest.raises(BodyRefused):
        held.add("bob", 1)
    held.release("ann", 10)
    held.add("bob", 5)


async def test_a_body_that_the_app_could_not_read_is_answered_by_the_body_limiter() -> None:
    answer = await client().post("/swallowing", content=stream(2000))
    assert answer.status_code == 413
    assert "the limit here is" in answer.json()["detail"]


@pytest.mark.parametrize("length", ["9" * 16, "9" * 5000, "-1", "x", "²"])
async def test_a_length_that_is_no_number_of_bytes_is_refused(length: str) -> None:
    answer = await client().post("/size", content=b"", headers={"content-length": length.encode()})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/size", "/gradio_api/queue/join", "/v1/else", "/gradio_api/call/check", "/api/v3/predictions", *FORMS]
)
async def test_where_no_picture_travels_a_body_is_small(path: str) -> None:
    own = client(max_body=10_000_000)
    assert (await own.post(path, content=b"x" * SMALL)).status_code in (200, 404)
    assert (await own.post(path, content=b"x" * (SMALL + 1))).status_code == 413
    assert (await own.post(path, content=stream(2 * SMALL))).status_code in (413, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/api/v3/media/uploads/5f",
        "/v1/images/generations",
        "/v1/images/edits",
        "/api/v3/wavespeed-ai/flux-srpo/image-to-image",
        "/gradio_api/mcp/",
        "/gradio_api/call/edit",
        "/gradio_api/call/v2/edit",
    ],
)
async def test_where_pictures_travel_a_body_is_as_large_as_they_are(path: str) -> None:
    own = client(max_body=10 * SMALL)
    assert (await own.post(path, content=b"x" * 10 * SMALL)).json() == 10 * SMALL
    assert (await own.post(path, content=b"x" * (10 * SMALL + 1))).status_code == 413


async def test_a_providers_webhook_has_a_limit_of_its_own() -> None:
    own = client(max_body=1000, other_bodies={"/hook": 4000})
    assert (await own.post("/hook", content=b"x" * 4000)).json() == 4000
    assert (await own.post("/hook", content=b"x" * 4001)).status_code == 413


@pytest.mark.parametrize(
    "path", ["/api/v3/a/model", "/v1/images/generations", "/gradio_api/mcp/", "/hook", "/v1/images/edits"]
)
@pytest.mark.parametrize("values", [b"{},", b"[[[", b"1,2"])
async def test_a_json_body_of_many_values_is_refused_before_it_is_parsed(path: str, values: bytes) -> None:
    own = client(max_body=10_000_000, other_bodies={"/hook": 10_000_000})
    answer = await own.post(path, content=b"[" + values * VALUES, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "values" in answer.text
    text = b'{"prompt": "' + b"a, " * 1000 + b'", "image": "' + b"A" * 1_000_000 + b'"}'
    assert (await own.post(path, content=text)).status_code == 200


async def test_a_pictures_own_bytes_are_no_values() -> None:
    own = client(max_body=10_000_000)
    form = {"content-type": "multipart/form-data; boundary=x"}
    for path in ("/gradio_api/upload", "/v1/images/edits", "/api/v3/media/uploads/5f", *FORMS):
        assert (await own.post(path, content=b"{" * 100_000, headers=form)).status_code == 200
    assert (await own.post("/gradio_api/mcp/", content=b"{" * 100_000, headers=form)).status_code == 400


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/" + "x" * ADDRESS, 414),
        ("/?" + "x" * ADDRESS, 414),
        ("/gradio_api/queue/data?" + "x" * ADDRESS, 414),
        ("/v1/models?" + "x" * ADDRESS, 400),
        ("/api/v3/" + "x" * ADDRESS, 400),
    ],
)
async def test_an_address_that_is_too_long_is_refused(address: str, status: int) -> None:
    assert (await client().get(address)).status_code == status


@pytest.mark.parametrize(
    ("path", "key"), [("/broken", "detail"), ("/v1/broken", "message"), ("/api/v3/broken", "message")]
)
async def test_what_breaks_inside_is_said_in_the_callers_shape(path: str, key: str) -> None:
    answer = await client().get(path)
    assert answer.status_code == 500
    assert "log" in answer.json()[key]
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(
    ("status", "path", "public", "headers"),
    [
        (200, "/", True, {}),
        (404, "/nowhere", True, {}),
        (500, "/broken", True, {}),
        (414, "/" + "x" * ADDRESS, True, {}),
        (413, "/", True, {"content-length": "99999"}),
        (421, "/", False, {"host": "evil.example"}),
        (403, "/", False, {"origin": "https://evil.example"}),
    ],
)
async def test_every_answer_tells_browsers_what_to_forbid(
    status: int, path: str, public: bool, headers: dict[str, str]
) -> None:
    answer = await client(public=public).get(path, headers=headers)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://huggingface.co https://*.hf.space" in policy
    assert "default-src 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_file_of_the_app_carries_no_more_heads_than_it_needs() -> None:
    for path in ("/web/0/main.js", "/assets/index.js", "/examples/street-after.webp"):
        headers = (await client().get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "content-security-policy" not in headers


@pytest.mark.parametrize("status", [421, 403])
async def test_refusals_are_json_in_the_shape_of_their_callers(status: int) -> None:
    headers = {"host": "evil.example"} if status == 421 else {"origin": "https://evil.example"}
    for path, key in (
        ("/", "detail"),
        ("/gradio_api/queue/join", "detail"),
        ("/v1/x", "message"),
        ("/api/v3/x", "message"),
    ):
        answer = await client(public=False).get(path, headers=headers)
        assert answer.status_code == status
        assert answer.json()[key].endswith(".")


async def test_what_carries_a_cookie_and_the_page_are_stored_by_nobody_and_a_visitors_own_by_no_cache() -> None:
    own = client()
    for _ in range(2):  # with a cookie to set, and without
        assert (await own.get("/")).headers["cache-control"] == "no-store"
    for path in ("/gradio_api/file=x", "/v1/models"):
        assert (await own.get(path)).headers["cache-control"] == "private, no-store"
    assert "cache-control" not in (await own.get("/else")).headers


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
async def test_no_other_site_may_send_cookies_along(method: str) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = await client().request(method, "/else", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
