"""Addresses of our own that expire: whoever has one may read a picture, or send one, without being known."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from core.subpath import without_prefix

VALID = 3600
"""Seconds: longer than a provider waits before it reads a picture, far shorter than a leak would last."""
SECRET = 32
"""Bytes of the secret."""


class Links:
    """Signs paths, and checks them again.

    Args:
        secret: at least `SECRET` random bytes; another secret invalidates every link.
        now: seconds since the epoch.
        root_path: the path under which a proxy serves the app; it may stand in front of a signed path.

    Raises:
        ValueError: the secret is too short to be one.
    """

    def __init__(self, secret: bytes, now: Callable[[], float] = time.time, *, root_path: str = "") -> None:
        if len(secret) < SECRET:
            raise ValueError(f"a secret has at least {SECRET} bytes, not {len(secret)}")
        self._secret = secret
        self._now = now
        self._root_path = root_path

    def sign(self, path: str, until: int | None = None) -> str:
        """Return a path with its signature.

        Args:
            path: from the app's own address, with its slash and without a query.
            until: when it ends, in seconds since the epoch; None is an hour from now.
        """
        until = int(self._now()) + VALID if until is None else until
        return f"{path}?until={until}&signature={self._signature(path, str(until))}"

    def opened(self, address: str) -> str | None:
        """Return the path of an address that we signed and that has not ended, None of any other.

        Which host stands in front of the path does not matter: nobody else can sign one.
        """
        return self._open(address)[0]

    def seconds_left(self, address: str) -> int:
        """Return for how many seconds an address still opens its path; 0 for one that does not."""
        return self._open(address)[1]

    def _open(self, address: str) -> tuple[str | None, int]:
        try:
            split = urlsplit(address)
            query = parse_qs(split.query)
        except ValueError:
            return None, 0
        until, signature = query.get("until", [""])[0], query.get("signature", [""])[0]
        if not (until.isascii() and until.isdigit() and self._now() < int(until)):
            return None, 0
        for path in dict.fromkeys((split.path, without_prefix(split.path, self._root_path))):
            if hmac.compare_digest(signature.encode(), self._signature(path, until).encode()):
                return path, int(until) - int(self._now())
        return None, 0

    def derived(self, purpose: str) -> str:
        """Return a secret for one purpose, always the same."""
        return hmac.new(self._secret, f"derived {purpose}".encode(), hashlib.sha256).hexdigest()

    def _signature(self, path: str, until: str) -> str:
        return hmac.new(self._secret, f"link {path}\n{until}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
