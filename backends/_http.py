"""The one place that imports httpx: reading a picture from an address that a stranger gives.

Gradio brings `safehttpx` for this; it neither caps what it reads nor holds a deadline, follows no
redirect, and asks a third party's DNS where the system's answer is private. Hence ours.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

import httpx

from core.errors import FetchFailed
from core.images import MAX_BYTES

Resolve = Callable[[str, int], Awaitable[list[str]]]

DEADLINE = 20.0
"""Seconds for the whole fetch, redirects included."""
MAX_REDIRECTS = 3
PORTS = {"http": 80, "https": 443}

_TRANSLATED = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")]
"""IPv6 ranges that carry an IPv4 address inside (NAT64, 6to4, Teredo): a way round the check, so refused."""


async def resolve(host: str, port: int) -> list[str]:
    """Return every address of a host name.

    Raises:
        OSError: the name is unknown.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet, and to nothing else."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.scope_id or any(ip in net for net in _TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast


class ImageFetcher:
    """Reads public image addresses.

    Only http and https on their own ports; every address of the host must be public, and the
    connection goes to the very address that was checked; each redirect is checked anew; at most
    `MAX_BYTES` are read.

    Args:
        transport: carries the requests; None is the network. Tests give their own.
        resolve: turns a host name and port into addresses.
        deadline: seconds for the whole fetch, redirects included.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        deadline: float = DEADLINE,
    ) -> None:
        self._transport = transport
        self._resolve = resolve
        self._deadline = deadline

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
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise FetchFailed("The address could not be read.", _ELSE) from error

    async def _fetch(self, address: str) -> bytes:
        # trust_env off: a proxy from the environment would connect to what we did not check.
        async with httpx.AsyncClient(transport=self._transport, trust_env=False, timeout=self._deadline) as client:
            url = httpx.URL(address)
            for _ in range(MAX_REDIRECTS + 1):
                request = client.build_request("GET", url, headers={"Accept": "image/*"})
                await self._pin(request)
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        return await _read(response)
                    url = url.join(response.headers["location"])
                finally:
                    await response.aclose()
        raise FetchFailed("The address sends from one place to the next without end.", _ELSE)

    async def _pin(self, request: httpx.Request) -> None:
        """Point a request at a checked address of its host; name and certificate stay the host's.

        Raises:
            FetchFailed: scheme, port or an address is not allowed.
        """
        url = request.url
        if url.scheme not in PORTS or not url.host or url.userinfo or url.port not in (None, PORTS.get(url.scheme)):
            raise FetchFailed("Only plain http and https addresses of pictures are read.", _ELSE)
        found = await self._resolve(url.host, PORTS[url.scheme])
        if not found or not all(is_public(each) for each in found):
            raise FetchFailed("This address is not on the public internet.", _ELSE)
        request.extensions["sni_hostname"] = url.host
        request.url = url.copy_with(host=found[0])  # the Host header was set from the name before


async def _read(response: httpx.Response) -> bytes:
    """Return a response's body, counted while it comes.

    Raises:
        FetchFailed: the answer is an error, or too large.
    """
    if response.status_code != 200:
        raise FetchFailed(f"The address answered with status {response.status_code}.", _ELSE)
    body = bytearray()
    async for chunk in response.aiter_bytes(65_536):
        body += chunk
        if len(body) > MAX_BYTES:
            raise FetchFailed(f"The file has more than {MAX_BYTES // 10**6} MB.", "Use a smaller one.")
    return bytes(body)


_ELSE = "Check it, or download the picture and add it as a file."
