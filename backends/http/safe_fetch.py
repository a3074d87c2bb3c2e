"""The only way for an address that a stranger gives, a user or a provider.

Gradio brings `safehttpx` for this; it neither caps what it reads nor holds a deadline, follows no redirect, and asks
a third party's DNS where the system's answer is private. Hence ours.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Mapping, Sequence

import httpx

from backends.http.addresses import Resolve, is_public, resolve
from backends.http.bodies import TooLong, UnknownPacking, body_of
from core.about import USER_AGENT
from core.errors import FetchFailed
from core.imaging.images import MAX_BYTES
from core.imaging.sources import is_data_uri, read_data_uri, tidy, too_long

DEADLINE = 20.0
"""Seconds for the whole fetch, redirects included."""
MAX_REDIRECTS = 10
READABLE = (200, 203, 206)
"""Statuses of an answer that holds the picture. No part was asked for, so 206 is all of it."""
PORTS = {"http": 80, "https": 443}


@functools.cache
def certificates() -> ssl.SSLContext:
    """Return what connections are checked against. Reading it takes as long as many requests, so it is read once."""
    return httpx.create_ssl_context()


async def pin(request: httpx.Request, resolve: Resolve) -> None:
    """Point a request at a checked address of its host; name and certificate stay the host's.

    Raises:
        FetchFailed: scheme, port or an address is not allowed.
    """
    url = request.url
    if url.scheme not in PORTS or not url.host or url.userinfo or url.port not in (None, PORTS.get(url.scheme)):
        raise FetchFailed("link-not-web")
    found = await resolve(url.host, PORTS[url.scheme])
    if not found or not all(is_public(each) for each in found):
        raise FetchFailed("link-private")
    request.extensions["sni_hostname"] = url.host
    request.headers["connection"] = "close"  # another host at the same address must show a certificate of its own
    request.url = url.copy_with(host=found[0])  # the Host header was set from the name before


class ImageFetcher:
    """Reads public image addresses.

    Only http and https on their own ports; every address of the host must be public, and the
    connection goes to the very address that was checked; each redirect is checked again; at most
    `max_bytes` are read.

    Args:
        transport: carries the requests; None is the network. Tests give their own.
        resolve: turns a host name and port into addresses.
        deadline: seconds for the whole fetch, redirects included.
        trusted: an origin that the owner configured; it is read wherever it lies.
        max_bytes: of a picture.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        deadline: float = DEADLINE,
        trusted: str = "",
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._transport = transport
        self._resolve = resolve
        self._deadline = deadline
        self._trusted = httpx.URL(trusted)
        self._max_bytes = max_bytes

    async def __call__(self, address: str) -> bytes:
        """Return the bytes behind an address, or inside a data URI; what they are is for `core.imaging.images` to say.

        Raises:
            FetchFailed: the address is not allowed, or could not be read.
        """
        if is_data_uri(address):
            return await asyncio.to_thread(read_data_uri, address, self._max_bytes)
        try:
            async with asyncio.timeout(self._deadline):
                return await self._fetch(tidy(address))
        except TimeoutError as error:
            raise FetchFailed("link-too-slow") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:  # the last from names in IDNA
            raise FetchFailed("link-unreadable") from error

    async def _fetch(self, address: str) -> bytes:
        headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        # trust_env off: a proxy from the environment would connect to what we did not check.
        async with httpx.AsyncClient(
            transport=self._transport, trust_env=False, timeout=self._deadline, verify=certificates()
        ) as client:
            url = httpx.URL(address)
            for _ in range(MAX_REDIRECTS + 1):
                request = client.build_request("GET", url, headers=headers)
                if not same_origin(url, self._trusted):
                    await pin(request, self._resolve)
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        return await _read(response, self._max_bytes)
                    url = url.join(response.headers["location"])
                finally:
                    await response.aclose()
        raise FetchFailed("link-redirects")


class HookCaller:
    """Tells addresses that strangers gave: only public ones, the connection pinned to what was checked, no redirects.

    Args:
        origins: those that the owner allows though they are not on the public internet.
        transport, resolve: as for `ImageFetcher`.
        deadline: seconds for one call.
    """

    def __init__(
        self,
        origins: Sequence[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        deadline: float = 10.0,
    ) -> None:
        self._origins = [httpx.URL(each) for each in origins]
        self._transport = transport
        self._resolve = resolve
        self._deadline = deadline

    async def __call__(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        """POST a body, and return the status of the answer.

        Raises:
            FetchFailed: the address is not allowed, or nobody answered in time.
        """
        try:
            async with (
                asyncio.timeout(self._deadline),
                httpx.AsyncClient(
                    transport=self._transport, trust_env=False, verify=certificates(), timeout=self._deadline
                ) as client,
            ):
                request = client.build_request(
                    "POST", address, content=body, headers={"User-Agent": USER_AGENT, **headers}
                )
                if not any(same_origin(request.url, each) for each in self._origins):
                    await pin(request, self._resolve)
                response = await client.send(request, stream=True)
                await response.aclose()
                return response.status_code
        except TimeoutError as error:
            raise FetchFailed("link-too-slow") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise FetchFailed("link-unreachable") from error


async def _read(response: httpx.Response, most: int) -> bytes:
    """Return a picture's bytes.

    Raises:
        FetchFailed: the answer is an error, a web page, or too large.
    """
    if response.status_code in (401, 403):
        raise FetchFailed("link-forbidden", status=response.status_code)
    if response.status_code not in READABLE:
        raise FetchFailed("link-status", status=response.status_code)
    try:
        data = await body_of(response, most)
    except TooLong as error:
        raise too_long(most) from error
    except UnknownPacking as error:
        raise FetchFailed("link-encoding", encoding=str(error)) from error
    if is_web_page(data, response.headers.get("content-type", "")):
        raise FetchFailed("link-web-page")
    return data


def is_web_page(data: bytes, content_type: str) -> bool:
    """Return whether an answer is HTML, by its first bytes and what its server says it is."""
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return True
    said = content_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")
    return said and bool(head) and b"\0" not in head and not head.startswith((b"<svg", b"\xff\xd8"))


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Return whether two addresses have the same scheme, host and port."""
    if not one.host:
        return False
    ends = [(each.scheme, each.host, each.port or PORTS.get(each.scheme)) for each in (one, other)]
    return ends[0] == ends[1]
