"""The one place that imports httpx: a provider's API with its key, and addresses that strangers give, without one.

Gradio brings `safehttpx` for the latter; it neither caps what it reads nor holds a deadline, follows
no redirect, and asks a third party's DNS where the system's answer is private. Hence ours. Retries
are ours too, and not a library's, for they share one deadline and one clock with the polling.
"""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from backends._addresses import Resolve, is_public, resolve
from backends._answer import Answer, Lost, NotSent, jitter
from core.errors import FetchFailed
from core.images import MAX_BYTES

DEADLINE = 20.0
"""Seconds for the whole fetch, redirects included."""
MAX_REDIRECTS = 3
MAX_ANSWER = 4 * MAX_BYTES * 4 // 3 + 1_000_000
"""Bytes of an API's answer: four pictures inside it, in base64."""
PORTS = {"http": 80, "https": 443}


async def pin(request: httpx.Request, resolve: Resolve) -> None:
    """Point a request at a checked address of its host; name and certificate stay the host's.

    Raises:
        FetchFailed: scheme, port or an address is not allowed.
    """
    url = request.url
    if url.scheme not in PORTS or not url.host or url.userinfo or url.port not in (None, PORTS.get(url.scheme)):
        raise FetchFailed("Only plain http and https addresses of pictures are read.", _ELSE)
    found = await resolve(url.host, PORTS[url.scheme])
    if not found or not all(is_public(each) for each in found):
        raise FetchFailed("This address is not on the public internet.", _ELSE)
    request.extensions["sni_hostname"] = url.host
    request.headers["connection"] = "close"  # another host at the same address must show a certificate of its own
    request.url = url.copy_with(host=found[0])  # the Host header was set from the name before


class ImageFetcher:
    """Reads public image addresses.

    Only http and https on their own ports; every address of the host must be public, and the
    connection goes to the very address that was checked; each redirect is checked anew; at most
    `MAX_BYTES` are read.

    Args:
        transport: carries the requests; None is the network. Tests give their own.
        resolve: turns a host name and port into addresses.
        deadline: seconds for the whole fetch, redirects included.
        trusted: an origin that the owner configured; it is read wherever it lies.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        deadline: float = DEADLINE,
        trusted: str = "",
    ) -> None:
        self._transport = transport
        self._resolve = resolve
        self._deadline = deadline
        self._trusted = httpx.URL(trusted)

    async def __call__(self, address: str) -> bytes:
        """Return the bytes behind an address; whether they are a picture is for `core.images` to say.

        Raises:
            FetchFailed: the address is not allowed, or could not be read.
        """
        try:
            async with asyncio.timeout(self._deadline):
                return await self._fetch(address)
        except TimeoutError as error:
            raise FetchFailed("The address took too long to answer.", _ELSE) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:  # the last from names in IDNA
            raise FetchFailed("The address could not be read.", _ELSE) from error

    async def _fetch(self, address: str) -> bytes:
        # trust_env off: a proxy from the environment would connect to what we did not check.
        async with httpx.AsyncClient(transport=self._transport, trust_env=False, timeout=self._deadline) as client:
            url = httpx.URL(address)
            for _ in range(MAX_REDIRECTS + 1):
                request = client.build_request("GET", url, headers={"Accept": "image/*", "Accept-Encoding": "identity"})
                if not same_origin(url, self._trusted):
                    await pin(request, self._resolve)
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        return await _read(response)
                    url = url.join(response.headers["location"])
                finally:
                    await response.aclose()
        raise FetchFailed("The address sends from one place to the next without end.", _ELSE)


async def _read(response: httpx.Response) -> bytes:
    """Return a picture's bytes.

    Raises:
        FetchFailed: the answer is an error, or too large.
    """
    if response.status_code != 200:
        raise FetchFailed(f"The address answered with status {response.status_code}.", _ELSE)
    try:
        return await body_of(response, MAX_BYTES)
    except TooLong as error:
        raise FetchFailed(f"The file has more than {MAX_BYTES // 10**6} MB.", "Use a smaller one.") from error


class TooLong(httpx.TransportError):
    """An answer has more bytes than are taken."""


async def body_of(response: httpx.Response, most: int) -> bytes:
    """Return a response's body, counted while it comes and while it unpacks: a few bytes of gzip may hold gigabytes.

    Raises:
        TooLong: it has more than `most` bytes.
        httpx.DecodingError: it is packed in another way than once by gzip, or badly.
    """
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if packing == "gzip" else None
    if unpack is None and packing != "identity":
        raise httpx.DecodingError("The answer is packed in an unknown way.")
    body = bytearray()
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        try:
            body += unpack.decompress(chunk, most + 1 - len(body)) if unpack else chunk
        except zlib.error as error:
            raise httpx.DecodingError("The answer is packed badly.") from error
        if len(body) > most:
            body.clear()  # the error's traceback would hold it as long as the error is kept
            raise TooLong("The answer has no end.")
    return bytes(body)


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Return whether two addresses have the same scheme, host and port."""
    if not one.host:
        return False
    ends = [(each.scheme, each.host, each.port or PORTS.get(each.scheme)) for each in (one, other)]
    return ends[0] == ends[1]


_ELSE = "Check it, or download the picture and add it as a file."


# ---- a provider's API ---------------------------------------------------------------------------------


class ProviderClient:
    """Talks to one provider. The key goes to its own origin only, in a header only.

    Args:
        base_url: the owner's setting, such as `https://api.wavespeed.ai`.
        transport: carries the requests; None is the network.
        resolve: turns the names of other hosts into addresses, for uploads and results.
        sleep, clock: time; the clock never goes back.
        patience: every limit of time is multiplied by it.
    """

    CONNECTS = 3
    """Times that a connection is tried for a request that must be sent once."""
    GETS = 6
    """Times that a GET is tried."""

    def __init__(
        self,
        base_url: str,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        patience: float = 1.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.sleep = sleep
        self.clock = clock
        self.patience = patience
        self._resolve = resolve
        self._transport = transport
        self._fetch = ImageFetcher(transport, resolve, deadline=60.0 * patience, trusted=self.base_url)
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    async def post(
        self, path: str, key: str | None, *, read: float = 60.0, headers: Mapping[str, str] | None = None, **body: Any
    ) -> Answer:
        """POST once; only where no connection came about is it tried again.

        Args:
            path: from the base URL, with its slash.
            key: the bearer key.
            read: seconds to wait for the answer.
            headers: further ones.
            body: `json=` or `files=`, as httpx takes them.

        Raises:
            NotSent: no connection came about.
            Lost: the request may have arrived, the answer did not.
        """
        for attempt in range(self.CONNECTS):
            if attempt:
                await self.sleep(jitter(attempt))
            try:
                return await self._send("POST", path, key, read, headers=dict(headers or {}), **body)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                failure = error
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as error:
                raise Lost(type(error).__name__) from error
        raise NotSent(type(failure).__name__) from failure

    async def get(self, path: str, key: str | None, deadline: float, **params: str) -> Answer:
        """GET, tried again on 429, 5xx and broken lines, as long as the deadline allows.

        Raises:
            NotSent: nothing but broken lines.
        """
        answer: Answer | None = None
        for attempt in range(self.GETS):
            wait = jitter(attempt) if attempt else 0.0
            if answer is not None:
                wait = answer.wait(time.time()) or wait
            if self.clock() + wait >= deadline:
                break
            if wait:
                await self.sleep(wait)
            try:
                answer = await self._send("GET", path, key, 30.0, params=params)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError):
                answer = None
                continue
            if answer.status != 429 and answer.status < 500:
                return answer
        if answer is None:
            raise NotSent("no answer")
        return answer

    async def put(self, url: str, headers: Mapping[str, str], data: bytes) -> Answer:
        """PUT a file where the provider's upload ticket points, without the key.

        Raises:
            FetchFailed: the address is neither public nor the provider's own.
            NotSent: the line broke; a PUT may be tried again.
        """
        try:
            request = self._client().build_request("PUT", url, headers=dict(headers), content=data)
            if not same_origin(request.url, httpx.URL(self.base_url)):
                await pin(request, self._resolve)
            return await self._answer(request, 120.0)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            OSError,
            ValueError,
            TypeError,
        ) as error:  # strange tickets, timeouts
            raise NotSent(type(error).__name__) from error

    async def download(self, url: str) -> bytes:
        """Read a result, without the key, from a public address or the provider's own origin; tried three times.

        Raises:
            FetchFailed: it cannot be read.
        """
        for attempt in (1, 2):
            try:
                return await self._fetch(url)
            except FetchFailed:
                await self.sleep(jitter(attempt))
        return await self._fetch(url)

    async def close(self) -> None:
        """Close this loop's connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _send(self, method: str, path: str, key: str | None, read: float, **rest: Any) -> Answer:
        headers = {"Accept-Encoding": "gzip", **rest.pop("headers", {})}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return await self._answer(
            self._client().build_request(method, self.base_url + path, headers=headers, **rest), read
        )

    async def _answer(self, request: httpx.Request, read: float) -> Answer:
        """Send a request and read its answer, counted while it comes, within `read` seconds and a minute for sending.

        Raises:
            httpx.HTTPError: the line broke, or the answer is too large.
            TimeoutError: it took longer.
        """
        limits = {"connect": 5.0, "pool": 5.0, "write": 60.0, "read": read}
        request.extensions["timeout"] = {name: seconds * self.patience for name, seconds in limits.items()}
        async with asyncio.timeout((read + 60.0) * self.patience):
            response = await self._client().send(request, stream=True)
            try:
                body = await body_of(response, MAX_ANSWER)
            finally:
                await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, _json(body))

    def _client(self) -> httpx.AsyncClient:
        """Return this loop's client; a loop's connections cannot be used on another."""
        loop = asyncio.get_running_loop()
        for other in [each for each in self._clients if each.is_closed()]:
            del self._clients[other]
        if loop not in self._clients:
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
            self._clients[loop] = httpx.AsyncClient(transport=self._transport, limits=limits, follow_redirects=False)
        return self._clients[loop]


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
