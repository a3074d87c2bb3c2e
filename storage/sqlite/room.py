"""Rows that hold files on the disk: how they are given up, for a quota or by age.

Every function runs inside a transaction of the caller's. Triggers keep the totals, see `migrations.running_totals`.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")

UNUSED_PART = 4
"""What nobody ran may take a fourth of the quota: uploads cannot drive out the history, nor the history uploads."""


class Freed(NamedTuple):
    """What was given up to make room: the ids of jobs, and the names and paths of files to delete."""

    jobs: list[str]
    pictures: list[str]
    files: list[str]


class Unused(NamedTuple):
    """A file that no job needs: a row of `files` by its path, or a grant to a picture by the picture's number."""

    table: str
    key: str | int
    owner: int


def make_room(base: sqlite3.Connection, quota: int, spared: str = "", coming: int = 0) -> Freed:
    """Delete rows until what is left, and `coming` bytes of an upload, fit into `quota` bytes.

    Uploaded files and references that nobody ran go down to their part of the quota, then jobs, then the rest of
    what nobody ran. Each time the owner who stores the most of a kind loses their oldest, so a
    small share never pays for a large one. Jobs stay that are unfinished or named `spared`.
    """
    freed = Freed([], [], [])
    items = largest_holder_first(_unused(base))  # read from the database only where one is needed
    stored, unused = _totals(base)
    while (stored + coming > quota or coming) and unused + coming > quota // UNUSED_PART and (row := next(items, None)):
        _release_unused(base, row[2], freed)
        stored, unused = _totals(base)
    while stored + coming > quota and (job := _oldest_of_the_largest_holder(base, spared)) is not None:
        freed.jobs.extend(base.execute("select id from jobs where number = ?", (job,)).fetchone())
        freed.pictures.extend(remove_job(base, job))
        stored, _ = _totals(base)
    while stored + coming > quota and (row := next(items, None)):
        _release_unused(base, row[2], freed)
        stored, _ = _totals(base)
    return freed


def _totals(base: sqlite3.Connection) -> tuple[int, int]:
    """Return the bytes of all files, and of those that no job needs, each as often as somebody holds it."""
    stored, unused = base.execute("select stored, unused from totals").fetchone()
    return stored, unused


def largest_holder_first(rows: Iterable[tuple[int, int, _T]]) -> Iterator[tuple[int, int, _T]]:
    """Yield rows so that always the owner who holds the most bytes of those left loses their oldest.

    Args:
        rows: owner, bytes and item, oldest first.
    """
    left = defaultdict[int, deque[tuple[int, int, _T]]](deque)
    held = defaultdict[int, int](int)
    for row in rows:
        left[row[0]].append(row)
        held[row[0]] += row[1]
    heap = [(-size, owner) for owner, size in held.items()]
    heapq.heapify(heap)
    while heap:
        negative, owner = heapq.heappop(heap)
        row = left[owner].popleft()
        if left[owner]:
            heapq.heappush(heap, (negative + row[1], owner))
        yield row


def _unused(base: sqlite3.Connection) -> Iterator[tuple[int, int, Unused]]:
    """Yield owner, bytes and row of every file that no job needs, oldest first."""
    found = base.execute(
        "select owner, bytes, 'files', path, created as since from files union all"
        " select owner, bytes, 'grants', picture, since from grants join pictures on number = picture where job = 0"
        " order by since"
    ).fetchall()
    for owner, size, table, key, _ in found:
        yield owner, size, Unused(table, key, owner)


def _release_unused(base: sqlite3.Connection, row: Unused, freed: Freed) -> None:
    """Take back an owner's right to an unused file."""
    if row.table == "grants":
        freed.pictures.extend(release(base, "job = 0 and picture = ? and owner = ?", (row.key, row.owner)))
        return
    base.execute("delete from files where path = ? and owner = ?", (row.key, row.owner))
    if base.execute("select 1 from files where path = ?", (row.key,)).fetchone() is None:
        freed.files.append(str(row.key))


def _oldest_of_the_largest_holder(base: sqlite3.Connection, spared: str) -> int | None:
    """Return the oldest job that may go, of the owner whose jobs hold the most bytes; None where none may go."""
    for (owner,) in base.execute("select number from owners where job_bytes > 0 order by job_bytes desc"):
        which = "where owner = ? and ended is not null and id != ? order by number limit 1"
        job = base.execute(f"select number from jobs {which}", (owner, spared)).fetchone()  # noqa: S608 - our own words
        if job is not None:
            return int(job[0])
    return None


def remove_job(base: sqlite3.Connection, job: int) -> list[str]:
    """Delete a job by its number, with its results; return the names of the files to drop."""
    base.execute("delete from jobs where number = ?", (job,))
    base.execute("delete from results where job = ?", (job,))
    return release(base, "job != 0 and job = ?", (job,))


def remove_result(base: sqlite3.Connection, result: int, job: int) -> list[str]:
    """Delete a result by its id, and its job with the last picture; return the names of the files to drop."""
    (picture,) = base.execute("delete from results where id = ? returning picture", (result,)).fetchall()[0]
    if base.execute("select 1 from results where job = ? and picture is not null", (job,)).fetchone() is None:
        return remove_job(base, job)
    # The job may have the same picture again, as another result, or as its reference or mask: its recipe names those.
    return release(
        base,
        "job = ? and picture = ? and not exists"
        " (select 1 from results where results.job = grants.job and results.picture = grants.picture) and not exists"
        " (select 1 from jobs join pictures on pictures.number = grants.picture where jobs.number = grants.job"
        " and instr(recipe, substr(name, 1, instr(name, '.') - 1)))",
        (job, picture),
    )


def release(base: sqlite3.Connection, which: str, values: tuple[object, ...]) -> list[str]:
    """Take rights back; return the names of the pictures that no owner has any more, in order.

    Args:
        base: in a transaction.
        which: the condition on `grants`, our own words.
        values: its parameters.
    """
    taken = base.execute(f"delete from grants where {which} returning picture, owner", values).fetchall()  # noqa: S608 - our own words
    names: list[str] = []
    for picture, owner in taken:
        base.execute(
            "delete from refs where picture = ? and owner = ? and not exists"
            " (select 1 from grants where grants.picture = refs.picture and grants.owner = refs.owner)",
            (picture, owner),
        )
        gone = base.execute(
            "delete from pictures where number = ? and not exists"
            " (select 1 from grants where picture = number) returning name",
            (picture,),
        ).fetchall()
        if gone:
            base.execute("delete from displays where picture = ?", (picture,))
            names.extend(name for (name,) in gone)
    return sorted(names)


def forget(base: sqlite3.Connection, before: float) -> list[str]:
    """Delete tickets, uploaded files and references from before then that no job uses; return the files to drop."""
    base.execute("delete from uploads where created < ?", (before,))
    base.execute("delete from files where created < ?", (before,))  # `drop_older` deletes the files
    return release(base, "job = 0 and since < ?", (before,))


def forget_spending(base: sqlite3.Connection, before: float) -> None:
    """Delete what jobs from before then cost that are deleted themselves."""
    base.execute("delete from spending where created < ?", (before,))


def forget_owners(base: sqlite3.Connection) -> int:
    """Delete the owners of whom nothing is left; return how many."""
    tables = ("jobs", "grants", "uploads", "files", "refs")
    left = " and ".join(f"number not in (select owner from {table})" for table in tables)  # noqa: S608 - our own words
    return base.execute(f"delete from owners where job_bytes = 0 and {left}").rowcount  # noqa: S608 - our own words
