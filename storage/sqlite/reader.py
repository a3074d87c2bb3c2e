"""A connection that is asked questions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

OWNER = "(select number from owners where name = ?)"
"""An owner's number, by a parameter with their name."""
NEWEST = (1 << 62) - 1
"""Above every number of a job and id of a result."""


def number_at(seconds: float) -> int:
    """Return the lowest number that a job of this time, in seconds since the epoch, can have."""
    return int(seconds * 1_000_000)


class Reader:
    """Questions over one connection, for one thread at a time.

    Args:
        base: a connection to a database of the present version.
    """

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def close(self) -> None:
        """Close the connection."""
        self._base.close()

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Let several statements see the database as it is at the first of them."""
        self._base.execute("begin")
        try:
            yield
        finally:
            self._base.execute("commit")

    def _rows(self, query: str, values: Sequence[object]) -> list[dict[str, Any]]:
        cursor = self._base.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _exists(self, query: str, *values: object) -> bool:
        return self._base.execute(query, values).fetchone() is not None
