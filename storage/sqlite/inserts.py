"""Rows that come in: a job's and its results', whether they were made here or came in an archive.

Every function runs inside a transaction of the caller's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.sqlite.reader import number_at
from storage.sqlite.search_text import indexed, style_ids


@dataclass(frozen=True)
class Kept:
    """A picture that somebody may see: its file's name, and its size in bytes."""

    name: str
    size: int


def insert(base: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Insert a row into a table; its columns' names are our own words."""
    names = ", ".join(row)
    base.execute(f"insert into {table} ({names}) values ({', '.join(f':{name}' for name in row)})", row)  # noqa: S608 - our own names


def free_job_number(base: sqlite3.Connection, created: float) -> int:
    """Return a number for a job or an experiment: one that neither has, for a right to a picture is one's of them.

    Args:
        base: in a transaction.
        created: when it began, in seconds since the epoch; the number is that microsecond, or the next that is free.
    """
    taken = "select 1 from jobs where number = ?1 union all select 1 from experiments where number = ?1"
    return _first_free(base, taken, created)


def free_result_id(base: sqlite3.Connection, made: float) -> int:
    """Return an id for a result: the microsecond at which it was made, or the next that no other has."""
    return _first_free(base, "select 1 from results where id = ?", made)


def _first_free(base: sqlite3.Connection, taken: str, since: float) -> int:
    number = max(number_at(since), 1)
    while base.execute(taken, (number,)).fetchone() is not None:
        number += 1
    return number


def grant(base: sqlite3.Connection, owner: int, job: int, picture: Kept, since: float | None = None) -> int:
    """Let an owner see a picture, for a job or, from `since` on, for none; return the picture's number."""
    base.execute(
        "insert into pictures (name, bytes) values (?, ?) on conflict do nothing", (picture.name, picture.size)
    )
    (number,) = base.execute("select number from pictures where name = ?", (picture.name,)).fetchone()
    base.execute(
        "insert into grants (picture, owner, job, since) values (?, ?, ?, ?)"
        " on conflict do update set since = excluded.since",
        (number, owner, job, since),
    )
    return int(number)


def searched(prompt: str, styles: Sequence[tuple[str, str]], backend: str, model: str) -> dict[str, str]:
    """Return the columns by which a result is found and filtered.

    Args:
        prompt: as a person wrote it.
        styles: the id and text of each.
        backend: the backend's key.
        model: the id of what made it.
    """
    parts = [part for style in styles for part in style]
    return {
        "backend": backend,
        "model": model,
        "styles": style_ids(id for id, _ in styles),
        "words": indexed([prompt, *parts, backend, model]),
    }


def cost_of_one(cost: float | None, images: int) -> float:
    """Return the US dollars of one of a job's images as its column has them: -1 where they are not known."""
    return -1.0 if cost is None else round(cost / max(1, images), 6)
