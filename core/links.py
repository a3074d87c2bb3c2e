"""Addresses of our own that expire: whoever has one may read a picture, or send one, without being known."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from core.subpath import without_prefix

VALID = 3600
"""Seconds: longer than a provider waits before it reads a picture, far shorter than a leak would last."""


def lasting_secret(folder: Path) -> bytes:
    """Return the secret that is kept in a folder, made where there is none: links outlive a restart."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "links.key"
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()


class Links:
    """Signs paths, and checks them again.

    Args:
        secret: at least 16 random bytes; another secret invalidates every link.
        now: seconds since the epoch.
        root_path: the path under which a proxy serves the app; it may stand in front of a signed path.
    """

    def __init__(self, secret: bytes, now: Callable[[], float] = time.time, *, root_path: str = "") -> None:
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
        try:
            split = urlsplit(address)
            told = parse_qs(split.query)
        except ValueError:
            return None
        until, signature = told.get("until", [""])[0], told.get("signature", [""])[0]
        if not (until.isascii() and until.isdigit() and self._now() < int(until)):
            return None
        for path in dict.fromkeys((split.path, without_prefix(split.path, self._root_path))):
            if hmac.compare_digest(signature.encode(), self._signature(path, until).encode()):
                return path
        return None

    def derived(self, purpose: str) -> str:
        """Return a secret for one purpose, always the same."""
        return hmac.new(self._secret, f"derived {purpose}".encode(), hashlib.sha256).hexdigest()

    def _signature(self, path: str, until: str) -> str:
        return hmac.new(self._secret, f"link {path}\n{until}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
