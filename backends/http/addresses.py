"""Which network addresses belong to the public internet."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

Resolve = Callable[[str, int], Awaitable[list[str]]]

_REFUSED = [
    ipaddress.ip_network(net)
    for net in (
        # IPv6 ranges that carry an IPv4 address inside: NAT64, 6to4, Teredo, "compatible", "translated".
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "::ffff:0:0:0/96",
        # What Python's releases disagree on, or take for public: site-local, protocol assignments with Oracle's
        # metadata, Azure's own services.
        "fec0::/10",
        "192.0.0.0/24",
        "168.63.129.16/32",
    )
]


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
        if ip.scope_id:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _REFUSED)
