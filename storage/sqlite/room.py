"""Rows that hold files on the disk: how they are given up, for a quota, by age or from the trash, and what may not be.

Stars and projects protect a picture and its job's reference: within a share of the quota, which `share` tells.

Every function runs inside a transaction of the caller's. Triggers keep the totals, see `migrations.running_totals`.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")

UNUSED_PART = 4
"""What nobody ran may take a fourth of the quota: uploads cannot drive out the history, nor the history uploads."""


PROTECTED = 3, 4
"""Of the quota, what stars and projects of all owners together may protect: the rest stays for what comes next."""
IS_PROTECTED = "shown = 1 and (star = 1 or project is not null)"
"""Whether a star or a project protects a result."""
NAMED_BY_JOB = """exists (select 1 from jobs join pictures on pictures.number = grants.picture
    where jobs.number = grants.job and instr(recipe, substr(name, 1, instr(name, '.') - 1)))"""
"""Whether a job has a picture as its reference or mask: its recipe names those."""


class Freed(NamedTuple):
    """What was given up: the ids of jobs, the names and paths of files to delete, and the ids of jobs that lost some.

    The last kept a picture that is protected, with their reference.
    """

    jobs: list[str]
    pictures: list[str]
    files: list[str]
    trimmed: list[str]


class Unused(NamedTuple):
    """A file that no job needs: a row of `files` by its path, or a grant to a picture by the picture's number."""

    table: str
    key: str | int
    owner: int


def make_room(base: sqlite3.Connection, quota: int, spared: str = "", coming: int = 0) -> Freed:
    """Delete rows until what is left, and `coming` bytes of an upload, fit into `quota` bytes.

    First the trash goes. Then uploaded files and references that nobody ran go down to their part of the quota, then
    jobs, then the rest of what nobody ran. Each time the owner who stores the most of a kind loses their oldest, so a
    small share never pays for a large one. Jobs stay that are unfinished or named `spared`, and pictures that a star
    or a project protects, with their jobs.
    """
    freed = Freed([], [], [], [])
    while _totals(base)[0] + coming > quota and purge(base, None, freed, most=1):
        pass
    items = largest_holder_first(_unused(base))  # read from the database only where one is needed
    stored, unused = _totals(base)
    while (stored + coming > quota or coming) and unused + coming > quota // UNUSED_PART and (row := next(items, None)):
        _release_unused(base, row[2], freed)
        stored, unused = _totals(base)
    while stored + coming > quota and (job := _oldest_of_the_largest_holder(base, spared)) is not None:
        _free(base, job, freed)
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
        which = "where owner = ? and ended is not null and kept = 0 and id != ? order by number limit 1"
        job = base.execute(f"select number from jobs {which}", (owner, spared)).fetchone()  # noqa: S608 - our own words
        if job is not None:
            return int(job[0])
    return None


def _free(base: sqlite3.Connection, job: int, freed: Freed) -> None:
    """Delete a job, or of one with a protected picture those that are not."""
    (job_id,) = base.execute("select id from jobs where number = ?", (job,)).fetchone()
    if base.execute(f"select 1 from results where job = ? and {IS_PROTECTED}", (job,)).fetchone() is None:  # noqa: S608 - our own words
        freed.jobs.append(job_id)
        freed.pictures.extend(remove_job(base, job))
        return
    freed.trimmed.append(job_id)
    others = f"select id from results where job = ? and picture is not null and ({IS_PROTECTED}) is not 1"  # noqa: S608 - our own words
    for (result,) in base.execute(others, (job,)).fetchall():
        remove_result(base, result, freed)
    settle(base, [job])


def remove_job(base: sqlite3.Connection, job: int) -> list[str]:
    """Delete a job by its number, with its results; return the names of the files to drop."""
    base.execute("delete from jobs where number = ?", (job,))
    base.execute("delete from results where job = ?", (job,))
    return release(base, "job != 0 and job = ?", (job,))


def remove_result(base: sqlite3.Connection, result: int, freed: Freed) -> None:
    """Delete a result by its id, and its job with the last picture, or with the last of all results."""
    ((job, picture),) = base.execute("delete from results where id = ? returning job, picture", (result,)).fetchall()
    which = "job = ? and picture is not null" if picture is not None else "job = ?"
    if base.execute(f"select 1 from results where {which}", (job,)).fetchone() is None:  # noqa: S608 - our own words
        freed.jobs.extend(job_id for (job_id,) in base.execute("select id from jobs where number = ?", (job,)))
        freed.pictures.extend(remove_job(base, job))
        return
    # The job may have the same picture again, as another result, or as its reference or mask.
    again = "exists (select 1 from results where results.job = grants.job and results.picture = grants.picture)"
    which = f"job = ? and picture = ? and not {again} and not {NAMED_BY_JOB}"
    freed.pictures.extend(release(base, which, (job, picture)))


def purge(base: sqlite3.Connection, before: float | None, freed: Freed, most: int = -1) -> int:
    """Delete what is in the trash for good, oldest first; return how many results.

    Args:
        base: in a transaction.
        before: what was deleted before then, in seconds since the epoch; None takes all.
        freed: what is given up is added to it.
        most: results, -1 for all.
    """
    which = "deleted is not null and deleted < coalesce(?, deleted + 1) order by deleted limit ?"
    found = base.execute(f"select id, job from results where {which}", (before, most)).fetchall()  # noqa: S608 - our own words
    for result, _ in found:
        if base.execute("select 1 from results where id = ?", (result,)).fetchone() is not None:  # else with its job
            remove_result(base, result, freed)
    settle(base, {job for _, job in found})
    return len(found)


def settle(base: sqlite3.Connection, jobs: Collection[int]) -> None:
    """Note what follows for jobs, by their numbers, from what their results are now: in the trash, or protected.

    A picture that a job has in the trash alone is hidden from its owner. With a protected picture, a job's reference
    is pinned. A job with all of its results in the trash is hidden, and the mark of its call is free again.
    """
    numbers = json.dumps(list(jobs))
    own = "from results where results.job = grants.job"
    same = f"{own} and results.picture = grants.picture"
    base.execute(
        f"""update grants set
            hidden = exists (select 1 {same}) and not exists (select 1 {same} and shown = 1) and not {NAMED_BY_JOB},
            pinned = exists (select 1 {own} and {IS_PROTECTED}) and (
                exists (select 1 {same} and {IS_PROTECTED}) or not exists (select 1 {same}) or {NAMED_BY_JOB})
            where job != 0 and job in (select value from json_each(?))""",  # noqa: S608 - our own words
        (numbers,),
    )
    of_job = "from results where job = number"
    base.execute(
        f"""update jobs set
            hidden = exists (select 1 {of_job}) and not exists (select 1 {of_job} and shown is not null),
            kept = exists (select 1 {of_job} and {IS_PROTECTED}) and not exists
                (select 1 {of_job} and picture is not null and ({IS_PROTECTED}) is not 1)
            where number in (select value from json_each(?))""",  # noqa: S608 - our own words
        (numbers,),
    )
    base.execute(
        "update jobs set once = null where hidden = 1 and number in (select value from json_each(?))", (numbers,)
    )


def has_room(base: sqlite3.Connection, quota: int, reference: int) -> bool:
    """Return whether the quota has room for a run, or something may be removed for it.

    Args:
        base: a connection.
        quota: bytes that all owners' files may have.
        reference: bytes of the run's reference where that is stored already: it cannot go, for the run needs it.
    """
    stored, unused = _totals(base)
    if stored < quota or unused > reference:
        return True
    removable = ("jobs where ended is not null and kept = 0", "results where deleted is not null")
    return any(base.execute(f"select 1 from {which} limit 1").fetchone() for which in removable)  # noqa: S608 - our own words


def free(base: sqlite3.Connection, quota: int) -> int:
    """Return how many bytes of results may come before a picture has to go that nobody has deleted.

    Args:
        base: a connection.
        quota: bytes that all owners' files may have.
    """
    stored, unused = _totals(base)
    (trash,) = base.execute(
        """select coalesce(sum(bytes), 0) from pictures
            where number in (select picture from results where deleted is not null)
            and not exists (select 1 from results where picture = number and shown = 1)"""
    ).fetchone()
    return max(0, quota - stored + int(trash) + max(0, unused - quota // UNUSED_PART))


def goes_first(base: sqlite3.Connection, owner: int) -> bool:
    """Return whether an owner, by their number, stores the most of those who have jobs that may go."""
    removable = "exists (select 1 from jobs where owner = owners.number and ended is not null and kept = 0)"
    larger = "job_bytes > (select job_bytes from owners where number = ?)"
    query = f"select 1 from owners where {larger} and {removable} limit 1"  # noqa: S608 - our own words
    return base.execute(query, (owner,)).fetchone() is None


def oldest_removable(base: sqlite3.Connection, owner: int) -> float | None:
    """Return when the oldest job of an owner was made that has a picture which may go; None where none has."""
    picture = f"select 1 from results where job = jobs.number and shown = 1 and ({IS_PROTECTED}) is not 1"  # noqa: S608 - our own words
    found = base.execute(
        f"""select created from jobs where owner = ? and ended is not null and kept = 0 and exists ({picture})
            order by number limit 1""",  # noqa: S608 - our own words
        (owner,),
    ).fetchone()
    return None if found is None else float(found[0])


def share(base: sqlite3.Connection, quota: int) -> int:
    """Return how many bytes stars and projects of one owner can protect: an equal part for each who has pictures.

    Args:
        base: a connection.
        quota: bytes that all owners' files may have.
    """
    (holders,) = base.execute("select count(*) from owners where pictures > 0").fetchone()
    part, whole = PROTECTED
    return int(quota * part // whole // max(1, holders))


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


def forget_changes(base: sqlite3.Connection, kept: int) -> None:
    """Delete the record of all changes but the latest so many."""
    base.execute("delete from changes where seq <= (select max(seq) from changes) - ?", (kept,))


def forget_owners(base: sqlite3.Connection, before: float) -> int:
    """Delete the owners of whom nothing is left but projects from before then, and tags of nothing; return how many."""
    tables = ("jobs", "grants", "uploads", "files", "refs", "experiments", "projects where created >= ?")
    left = " and ".join(f"number not in (select owner from {table})" for table in tables)  # noqa: S608 - our own words
    gone = base.execute(f"delete from owners where job_bytes = 0 and {left}", (before,)).rowcount  # noqa: S608 - our own words
    base.execute("delete from projects where owner not in (select number from owners)")
    base.execute("delete from tags where number not in (select tag from result_tags)")
    return gone
