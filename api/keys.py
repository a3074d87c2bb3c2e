"""Keys to this app's own API: issued, listed and revoked, also while the app runs.

A key has 256 random bits, so its plain SHA-256 is stored and nothing else of it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from storage.files.private import close

PREFIX = "srpo_"
"""What every issued key begins with, so that one is known for what it is wherever it turns up."""
FIXED = "fixed"
"""The id of the one key that comes from the environment."""


@dataclass(frozen=True)
class Key:
    """A key as it is kept.

    Attributes:
        id: its public name; what it runs belongs to this.
        name: the owner's word for it.
        created, revoked: seconds since the epoch; None where it still opens.
        per_minute, per_day: runs that it may start; None takes the setting's.
    """

    id: str
    name: str
    created: float = 0.0
    revoked: float | None = None
    per_minute: int | None = None
    per_day: int | None = None


class KeyRing:
    """The issued keys, in a file of their own beside the app's database.

    Args:
        folder: the app's data folder; made where it is missing.
        fixed: one more key, from the environment.
    """

    def __init__(self, folder: Path, fixed: str | None = None) -> None:
        path = folder / "keys.db"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        close(path, 0o600)
        # Made by the thread that builds the app, asked by the one that serves it; never by two at once.
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        self._base.execute("pragma journal_mode = wal")  # so that asking never waits for the command that writes
        self._base.execute(
            """create table if not exists keys (
                id text primary key, name text not null, created real not null, revoked real,
                per_minute integer, per_day integer, hash blob not null unique
            ) strict, without rowid"""
        )
        self._fixed = _hash(fixed) if fixed else None

    def new(self, name: str, per_minute: int | None = None, per_day: int | None = None) -> tuple[Key, str]:
        """Issue a key; return it and its letters, which are not kept."""
        letters = PREFIX + secrets.token_urlsafe(32)
        key = Key(secrets.token_hex(4), name, time.time(), None, per_minute, per_day)
        row = (key.id, key.name, key.created, key.revoked, key.per_minute, key.per_day, _hash(letters))
        self._base.execute("insert into keys values (?, ?, ?, ?, ?, ?, ?)", row)
        return key, letters

    def all(self) -> list[Key]:
        """Return every issued key, the oldest first; the fixed one is not among them."""
        return [Key(*row[:6]) for row in self._base.execute("select * from keys order by created")]

    def revoke(self, key_id: str) -> bool:
        """Revoke a key; return whether it was valid until now."""
        done = self._base.execute("update keys set revoked = ? where id = ? and revoked is null", (time.time(), key_id))
        return done.rowcount == 1

    def find(self, letters: str) -> Key | None:
        """Return the open key of these letters, None where there is none."""
        given = _hash(letters)
        if self._fixed is not None and hmac.compare_digest(given, self._fixed):
            return Key(FIXED, "STUDIO_API_KEY")
        row = self._base.execute("select * from keys where hash = ? and revoked is null", (given,)).fetchone()
        return Key(*row[:6]) if row else None

    def configured(self) -> bool:
        """Return whether any key was ever made: then nobody comes in without one."""
        if self._fixed is not None:
            return True
        return self._base.execute("select 1 from keys limit 1").fetchone() is not None

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()


def _hash(letters: str) -> bytes:
    return hashlib.sha256(letters.encode("utf-8", "surrogateescape")).digest()
