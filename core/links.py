"""Addresses of our own that expire: how a provider without an upload reads a reference from us."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

VALID = 3600
"""Seconds: longer than a provider waits before it reads a picture, far shorter than a leak would last."""


class Links:
    """Signs names, and checks them again.

    Args:
        public_url: the app's own address, without a slash at its end.
        secret: at least 16 random bytes; another secret invalidates every link.
        now: seconds since the epoch.
    """

    PATH = "/references/"

    def __init__(self, public_url: str, secret: bytes, now: Callable[[], float] = time.time) -> None:
        self._public_url = public_url
        self._secret = secret
        self._now = now

    def sign(self, name: str) -> str:
        """Return the address under which a kept file can be read for an hour."""
        until = str(int(self._now()) + VALID)
        return f"{self._public_url}{self.PATH}{name}?until={until}&signature={self._signature(name, until)}"

    def valid(self, name: str, until: str, signature: str) -> bool:
        """Return whether an address is one that we signed and that has not expired."""
        fits = hmac.compare_digest(signature.encode(), self._signature(name, until).encode())
        return fits and until.isdigit() and self._now() < int(until)

    def _signature(self, name: str, until: str) -> str:
        return hmac.new(self._secret, f"{name}\n{until}".encode(), hashlib.sha256).hexdigest()
