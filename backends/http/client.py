"""A provider's API with its key: requests that are sent once, and questions that are asked again.

Retries are ours and not a library's, for they share one deadline and one clock with the polling.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from backends.http.addresses import Resolve, resolve
from backends.http.answer import MAX_RESULT, Answer, Lost, NotSent, jitter
from backends.http.bodies import body_of
from backends.http.safe_fetch import ImageFetcher, certificates, pin, same_origin
from core.errors import FetchFailed

MAX_ANSWER = 4 * MAX_RESULT * 4 // 3 + 1_000_000
"""Bytes of an API's answer: four pictures inside it, in base64."""


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
            self._clients[loop] = httpx.AsyncClient(
                transport=self._transport, limits=limits, follow_redirects=False, verify=certificates()
            )
        return self._clients[loop]


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
