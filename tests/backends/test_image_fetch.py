"""Reading a picture from an address that a stranger gives: public ones only, and never without an end."""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from backends.http.addresses import is_public
from backends.http.safe_fetch import MAX_REDIRECTS, HookCaller, ImageFetcher
from core.about import USER_AGENT
from core.errors import FetchFailed
from core.imaging.images import MAX_BYTES
from tests.support.fakes import picture_bytes
from tests.support.wire import Handler, Wire

PUBLIC = "93.184.216.34"


def fetcher(handler: Handler | None = None, **names: list[str]) -> tuple[ImageFetcher, Wire]:
    """Return a fetcher whose names resolve as given, all others to a public address."""
    wire = Wire(handler or (lambda _: httpx.Response(200, content=b"picture")))
    known = {name.replace("_", "."): addresses for name, addresses in names.items()}

    async def resolve(host: str, _: int) -> list[str]:
        if host in known:
            return known[host]
        return [host] if host.replace(".", "").isdigit() or ":" in host else [PUBLIC]

    return ImageFetcher(wire, resolve), wire


async def test_a_public_address_is_read() -> None:
    fetch, wire = fetcher()
    assert await fetch("https://pictures.example/lake.png?size=big") == b"picture"
    (request,) = wire.asked
    assert (request.url.host, request.url.path, request.url.query) == (PUBLIC, "/lake.png", b"size=big")


async def test_the_connection_goes_to_the_address_that_was_checked_under_the_hosts_own_name() -> None:
    fetch, wire = fetcher(pictures_example=["203.0.114.7", "203.0.114.8"])
    await fetch("https://pictures.example/lake.png")
    assert wire.asked[0].url.host == "203.0.114.7"
    assert wire.asked[0].headers["host"] == "pictures.example"
    assert wire.asked[0].extensions["sni_hostname"] == "pictures.example"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "not an address",
        "",
    ],
)
def test_addresses_that_are_not_the_public_internets_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_pass(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("found", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1"], ["169.254.169.254"], []])
async def test_a_name_with_any_private_address_is_refused_without_a_connection(found: list[str]) -> None:
    fetch, wire = fetcher(evil_example=found)
    with pytest.raises(FetchFailed, match="points to a private network") as caught:
        await fetch("http://evil.example/x.png")
    assert caught.value.field == "image"
    assert wire.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a.example/x",
        "file:///etc/passwd",
        "data:image/png;base64,a",
        "data:image/png;base64,aa.a",
        "data:",
        "gopher://a.example",
        "//a.example/x",
        "a.example/x",
        "http://a.example:8080/x",
        "https://a.example:80/x",
        "http://user:word@a.example/x",
        "http://",
        "",
        "http://[::1",
        "\n",
    ],
)
async def test_only_plain_web_addresses_are_read(address: str) -> None:
    fetch, wire = fetcher()
    with pytest.raises(FetchFailed):
        await fetch(address)
    assert wire.asked == []


async def test_the_app_says_who_it_is() -> None:
    fetch, wire = fetcher()
    await fetch("https://pictures.example/lake.png")
    assert wire.asked[0].headers["user-agent"] == USER_AGENT
    assert re.fullmatch(r"SRPO-Studio/[\d.]+ \(\+https://\S+\)", USER_AGENT)


@pytest.mark.parametrize(
    "address",
    [" http://a.example/x.png", "http://a.example/x.png\r\n", "\thttp://a.exam\nple/x\t.png "],
)
async def test_what_stands_around_and_breaks_an_address_does_not_matter(address: str) -> None:
    fetch, wire = fetcher()
    assert await fetch(address) == b"picture"
    assert (wire.asked[0].headers["host"], wire.asked[0].url.path) == ("a.example", "/x.png")


async def test_ten_redirects_are_followed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        left = int(request.url.path[1:])
        return httpx.Response(302, headers={"Location": f"/{left - 1}"}) if left else httpx.Response(200, content=b"x")

    fetch, wire = fetcher(answer)
    assert await fetch("http://a.example/10") == b"x"
    assert len(wire.asked) == 11


@pytest.mark.parametrize("status", [200, 203, 206])
async def test_every_status_that_brings_the_picture_is_taken(status: int) -> None:
    fetch, _ = fetcher(lambda _: httpx.Response(status, content=b"picture"))
    assert await fetch("http://a.example/x.png") == b"picture"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!doctype html><title>photo</title>", "text/html"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML PUBLIC>", "application/octet-stream"),
        (b"<html lang=en>", "image/png"),
        (b"<!-- a page --><p>photo", "text/html; charset=utf-8"),
        (b"Sign in to see this photo", "TEXT/HTML"),
    ],
)
async def test_a_web_page_in_place_of_a_picture_is_called_one(body: bytes, kind: str) -> None:
    fetch, _ = fetcher(lambda _: httpx.Response(200, content=body, headers={"Content-Type": kind}))
    with pytest.raises(FetchFailed, match="leads to a web page, not a picture") as caught:
        await fetch("http://a.example/photo")
    assert "copy the link of the picture itself" in caught.value.todo


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "image/gif", ""])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
async def test_a_picture_is_taken_whatever_its_server_calls_it(kind: str, format: str) -> None:
    data = picture_bytes(format)
    fetch, _ = fetcher(lambda _: httpx.Response(200, content=data, headers={"Content-Type": kind}))
    assert await fetch("http://a.example/x") == data


async def test_a_redirect_is_followed_after_a_check_of_its_own() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["host"] == "first.example":
            return httpx.Response(302, headers={"Location": "https://second.example/there.png"})
        return httpx.Response(200, content=b"there")

    fetch, wire = fetcher(answer, second_example=["8.8.4.4"])
    assert await fetch("http://first.example/here.png") == b"there"
    assert [request.url.host for request in wire.asked] == [PUBLIC, "8.8.4.4"]


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1/x", "http://inside.example/x", "file:///etc/passwd", "http://a.example:6379/", "http://[::1]/"],
)
async def test_a_redirect_to_the_inside_is_refused(target: str) -> None:
    fetch, wire = fetcher(lambda _: httpx.Response(301, headers={"Location": target}), inside_example=["10.1.2.3"])
    with pytest.raises(FetchFailed):
        await fetch("http://a.example/x.png")
    assert len(wire.asked) == 1


async def test_redirects_without_end_are_left() -> None:
    fetch, wire = fetcher(lambda _: httpx.Response(302, headers={"Location": "/again"}))
    with pytest.raises(FetchFailed, match="too many times"):
        await fetch("http://a.example/x.png")
    assert len(wire.asked) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("status", [204, 304, 400, 401, 404, 500, 503])
async def test_an_error_answer_is_said_with_its_status(status: int) -> None:
    fetch, _ = fetcher(lambda _: httpx.Response(status))
    with pytest.raises(FetchFailed, match=f"status {status}"):
        await fetch("http://a.example/x.png")


class Endless(httpx.AsyncByteStream):
    """A body that never ends, and counts what was read of it."""

    def __init__(self, pause: float = 0.0) -> None:
        self.read = 0
        self.pause = pause
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self.pause)
            self.read += 1_000_000
            yield b"x" * 1_000_000

    async def aclose(self) -> None:
        self.closed = True


async def test_a_body_without_end_is_left_at_the_limit() -> None:
    body = Endless()
    fetch, _ = fetcher(lambda _: httpx.Response(200, stream=body))
    with pytest.raises(FetchFailed, match=f"larger than {MAX_BYTES // 10**6} MB"):
        await fetch("http://a.example/x.png")
    assert body.read <= MAX_BYTES + 2_000_000
    assert body.closed


async def test_the_owners_limit_of_bytes_holds_for_addresses_and_data_uris() -> None:
    wire = Wire(lambda _: httpx.Response(200, content=b"x" * 3_000_001))

    async def resolve(_: str, __: int) -> list[str]:
        return [PUBLIC]

    fetch = ImageFetcher(wire, resolve, max_bytes=3_000_000)
    for address in ("http://a.example/x.png", f"data:image/png;base64,{'A' * 4_000_004}"):
        with pytest.raises(FetchFailed, match="larger than 3 MB"):
            await fetch(address)
    assert len(await fetch(f"data:image/png;base64,{'A' * 4_000_000}")) == 3_000_000


async def test_a_data_uri_is_decoded_without_any_request() -> None:
    fetch, wire = fetcher()
    assert await fetch("data:image/png;base64,cGljdHVyZQ==") == b"picture"
    assert await fetch("DATA:image/png;BASE64,cGljdHVyZQ==") == b"picture"
    assert wire.asked == []


async def test_a_data_uri_has_the_same_limit() -> None:
    fetch, _ = fetcher()
    with pytest.raises(FetchFailed, match=f"larger than {MAX_BYTES // 10**6} MB"):
        await fetch("data:image/png;base64," + "A" * (MAX_BYTES * 4 // 3 + 8))


async def test_a_compressed_bomb_is_counted_unpacked() -> None:
    packed = gzip.compress(b"\0" * (MAX_BYTES + 1_000_000))
    fetch, _ = fetcher(lambda _: sent_packed(packed, "gzip"))
    with pytest.raises(FetchFailed, match=f"larger than {MAX_BYTES // 10**6} MB"):
        await fetch("http://a.example/x.png")


async def test_a_picture_that_is_packed_all_the_same_is_unpacked() -> None:
    fetch, _ = fetcher(lambda _: sent_packed(gzip.compress(b"picture"), "gzip"))
    assert await fetch("http://a.example/x.png") == b"picture"


@pytest.mark.parametrize("packing", ["utf-8", "UTF-8", "none", "binary", "", "identity", "aws-chunked", "8bit, none"])
async def test_a_content_encoding_that_is_none_means_nothing(packing: str) -> None:
    fetch, _ = fetcher(lambda _: sent_packed(b"picture", packing))
    assert await fetch("http://a.example/x.png") == b"picture"


@pytest.mark.parametrize("packing", ["gzip", "x-gzip", "GZIP", "aws-chunked,gzip", "utf-8, x-gzip"])
async def test_gzip_is_unpacked_under_each_of_its_names(packing: str) -> None:
    fetch, _ = fetcher(lambda _: sent_packed(gzip.compress(b"picture"), packing))
    assert await fetch("http://a.example/x.png") == b"picture"


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("piece", [1, 1000])
async def test_deflate_is_unpacked_with_and_without_its_header(bare: bool, piece: int) -> None:
    packer = zlib.compressobj(wbits=-15 if bare else 15)
    packed = packer.compress(b"picture" * 99) + packer.flush()
    fetch, _ = fetcher(lambda _: sent_packed(packed, "deflate", piece))
    assert await fetch("http://a.example/x.png") == b"picture" * 99


@pytest.mark.parametrize(
    ("packed", "packing", "words"),
    [
        (b"x", "br", "not supported: br"),
        (b"x", "utf-8, zstd", "not supported: zstd"),
        (gzip.compress(gzip.compress(b"x")), "gzip, gzip", "not supported: gzip, gzip"),
        (b"no gzip", "gzip", "could not be read"),
        (b"no deflate", "deflate", "could not be read"),
    ],
)
async def test_other_packings_are_refused(packed: bytes, packing: str, words: str) -> None:
    fetch, _ = fetcher(lambda _: sent_packed(packed, packing))
    with pytest.raises(FetchFailed, match=words):
        await fetch("http://a.example/x.png")


def sent_packed(packed: bytes, packing: str, piece: int = 1_000_000_000) -> httpx.Response:
    class Sent(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for place in range(0, len(packed), piece):
                yield packed[place : place + piece]

    return httpx.Response(200, stream=Sent(), headers={"Content-Encoding": packing})


async def test_an_answer_that_never_comes_has_a_deadline() -> None:
    wire = Wire(lambda _: httpx.Response(200, stream=Endless(pause=60)))

    async def resolve(_: str, __: int) -> list[str]:
        return [PUBLIC]

    with pytest.raises(FetchFailed, match="too long"):
        await ImageFetcher(wire, resolve, deadline=0.05)("http://a.example/x.png")


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("no"), httpx.ReadTimeout("no"), httpx.RemoteProtocolError("no"), OSError("no")]
)
async def test_a_broken_line_is_said_in_words(error: Exception) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    fetch, _ = fetcher(fail)
    with pytest.raises(FetchFailed, match="could not be read") as caught:
        await fetch("http://a.example/x.png")
    assert caught.value.todo


# ---- telling an address ------------------------------------------------------------------------------


def caller(handler: Handler, *origins: str, deadline: float = 600.0) -> tuple[HookCaller, Wire]:
    """Return a caller whose names all resolve to a public address."""
    wire = Wire(handler)

    async def resolve(_: str, __: int) -> list[str]:
        return [PUBLIC]

    return HookCaller(origins, wire, resolve, deadline), wire


async def test_a_webhook_goes_to_the_checked_address_under_the_hosts_name() -> None:
    call, wire = caller(lambda _: httpx.Response(204))
    assert await call("https://hooks.example/end?x=1", b"{}", {"webhook-id": "7"}) == 204
    (request,) = wire.asked
    assert (request.method, request.url.host, request.headers["host"]) == ("POST", PUBLIC, "hooks.example")
    assert request.headers["webhook-id"] == "7"


async def test_an_origin_that_the_owner_allows_is_called_as_it_is() -> None:
    call, wire = caller(lambda _: httpx.Response(200), "http://127.0.0.1:9000")
    assert await call("http://127.0.0.1:9000/end", b"{}", {}) == 200
    assert wire.asked[0].url.host == "127.0.0.1"
    with pytest.raises(FetchFailed):
        await call("http://127.0.0.1:9001/end", b"{}", {})


async def test_a_webhook_follows_no_redirect() -> None:
    call, wire = caller(lambda _: httpx.Response(302, headers={"location": "http://127.0.0.1/"}))
    assert await call("https://hooks.example/end", b"{}", {}) == 302
    assert len(wire.asked) == 1


async def test_a_webhook_that_nobody_answers_ends_in_words() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    call, _ = caller(broken)
    with pytest.raises(FetchFailed, match="could not be reached"):
        await call("https://hooks.example/end", b"{}", {})


async def test_a_webhook_that_is_never_answered_ends_in_time() -> None:
    class Silent(Wire):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            return self.handler(request)

    async def resolve(_: str, __: int) -> list[str]:
        return [PUBLIC]

    call = HookCaller((), Silent(lambda _: httpx.Response(200)), resolve, deadline=0.05)
    with pytest.raises(FetchFailed, match="took too long"):
        await call("https://hooks.example/end", b"{}", {})
