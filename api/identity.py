"""Who a visitor is: the network address that limits count by, and the signed cookie that their pictures hang on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets

from starlette.datastructures import Headers
from starlette.types import Scope

COOKIE = "studio_owner"
SECURE_COOKIE = "__Host-studio_owner"
"""Over https: browsers take one of this name only from this very host, so no sister domain can plant it."""
COOKIE_AGE = 400 * 86_400
"""Seconds; the longest that browsers keep one."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_SIGNED = re.compile(r"([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})")
_BRACKETED = re.compile(r"\[([^\]]*)\](:\d+)?")
_WITH_PORT = re.compile(r"([\d.]+):\d+")
NETWORK = 64
"""Bits of an IPv6 address that name a network; the rest is each subscriber's own to choose."""


def network_of(text: str) -> str | None:
    """Return what limits count an address by: an IPv4 address, or an IPv6 address's /64; None where it is neither.

    Brackets, a port and a zone are dropped; an IPv4 address written as IPv6 is the IPv4 address.
    """
    text = text.strip().strip('"')
    if found := _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text):
        text = found.group(1)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), NETWORK), strict=False))


def address_of(scope: Scope, headers: Headers, proxies: int) -> str:
    """Return the network a request comes from.

    Args:
        scope: has the address of whoever is connected.
        headers: the request's.
        proxies: how many proxies in front of the app are trusted; each adds the address that it saw at the end of
            X-Forwarded-For. With 0 no header counts.
    """
    client = scope.get("client")
    peer = str(client[0]) if client else "unknown"
    forwarded = network_of(_from_right(headers, "x-forwarded-for", proxies))
    return forwarded or network_of(peer) or peer


def is_https(scope: Scope, headers: Headers, proxies: int, https_hosts: tuple[str, ...]) -> bool:
    """Return whether the visitor's browser speaks https, to us or to a trusted proxy in front of us.

    Args:
        scope, headers, proxies: as for `address_of`; X-Forwarded-Proto may have one value for all proxies.
        https_hosts: names under which the app is reached by https alone, in small letters.
    """
    if scope["scheme"] == "https" or headers.get("host", "").lower() in https_hosts:
        return True
    given = _from_right(headers, "x-forwarded-proto", proxies) or _from_right(headers, "x-forwarded-proto", 1)
    return proxies > 0 and given.lower() == "https"


def _from_right(headers: Headers, name: str, place: int) -> str:
    """Return the n-th value from the right of a list header; empty where there are fewer, or n is 0."""
    values = [each.strip() for line in headers.getlist(name) for each in line.split(",")]
    return values[-place] if 0 < place <= len(values) else ""


class Cookies:
    """Issues and reads the visitors' cookies: a random token and its signature.

    Args:
        secret: another secret makes every cookie a stranger's.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def new_token(self) -> str:
        """Return a token that nobody has yet."""
        return secrets.token_urlsafe(32)

    def header(self, token: str, *, https: bool) -> str:
        """Return the Set-Cookie header for a token."""
        # In a Space's frame the page is a third party: only a partitioned cookie is stored there.
        kind = "; SameSite=None; Secure; Partitioned" if https else "; SameSite=Lax"
        name = SECURE_COOKIE if https else COOKIE
        return f"{name}={token}.{self._signature(token)}; Path=/; Max-Age={COOKIE_AGE}; HttpOnly{kind}"

    def token(self, headers: Headers, *, https: bool) -> str | None:
        """Return the token of a request's signed cookie, None where it has none that we signed."""
        # A browser may send several of one name, one of them planted by another host of the domain.
        for value in _cookies(headers, SECURE_COOKIE if https else COOKIE):
            found = _SIGNED.fullmatch(value)
            if found and hmac.compare_digest(found.group(2), self._signature(found.group(1))):
                return found.group(1)
        return None

    def unsigned_tokens(self, headers: Headers) -> list[str]:
        """Return the tokens of cookies in the form that they had before cookies were signed."""
        return [each for each in _cookies(headers, COOKIE) if _TOKEN.fullmatch(each)]

    def _signature(self, token: str) -> str:
        mac = hmac.new(self._secret, f"visitor {token}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def owner_of(token: str) -> str:
    """Return the owner that a cookie's token stands for. Only this digest is stored, so the disk opens nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def _cookies(headers: Headers, name: str) -> list[str]:
    """Return the values of all cookies of a name."""
    pairs = [each.partition("=") for line in headers.getlist("cookie") for each in line.split(";")]
    return [value.strip() for found, _, value in pairs if found.strip() == name]
