"""What is noted on results: stars, tags, notes, projects, and how they compare with their references; and the trash.

Every function runs inside a transaction of the caller's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence

from storage.protocols import (
    MOST_PROJECTS,
    MOST_TAGS,
    NameTaken,
    ProjectUnknown,
    ShareFull,
    TooManyProjects,
    TooManyTags,
)
from storage.rows import Figures, Marks, ProjectRow
from storage.sqlite import room
from storage.sqlite.reader import OWNER
from storage.sqlite.search_text import indexed

GIVEN = "id in (select value from json_each(?))"
"""Whether a result is one of those of which a parameter has the ids, as JSON."""
MOST_SHARPNESS = 1000.0
"""What is written of a sharpness beyond, which tells nothing: the reference has next to no detail."""


def mark(base: sqlite3.Connection, owner: str, ids: Sequence[int], marks: Marks, quota: int) -> None:
    """Change what an owner notes on their pictures of these ids; see `Store.mark`."""
    rows = base.execute(
        f"select id, job, owner from results where {GIVEN} and owner = {OWNER} and shown = 1",  # noqa: S608 - our own words
        (json.dumps(list(ids)), owner),
    ).fetchall()
    if marks.project and not _has_project(base, owner, marks.project):
        raise ProjectUnknown
    if not rows:
        return
    found, number = [row[0] for row in rows], rows[0][2]
    given = json.dumps(found)
    if marks.star is not None:
        base.execute(f"update results set star = ? where {GIVEN}", (marks.star, given))  # noqa: S608 - our own words
    if marks.project is not None:
        base.execute(f"update results set project = ? where {GIVEN}", (marks.project or None, given))  # noqa: S608 - our own words
    _tag(base, number, found, marks)
    if marks.note is not None:
        base.execute(f"update results set note = ? where {GIVEN}", (marks.note, given))  # noqa: S608 - our own words
    if marks.add_tags or marks.remove_tags or marks.note is not None:
        index(base, found)
    if marks.star is not None or marks.project is not None:
        protect(base, number, {row[1] for row in rows}, quota)


def _tag(base: sqlite3.Connection, owner: int, ids: Sequence[int], marks: Marks) -> None:
    """Add and remove tags.

    Raises:
        TooManyTags: a result would have too many.
    """
    for name in marks.remove_tags:
        base.executemany(
            "delete from result_tags where result = ? and tag = (select number from tags where owner = ? and name = ?)",
            [(each, owner, name) for each in ids],
        )
    add_tags(base, owner, ids, marks.add_tags)
    counts = "select 1 from result_tags where result in (select value from json_each(?)) group by result"
    if base.execute(f"{counts} having count(*) > ?", (json.dumps(list(ids)), MOST_TAGS)).fetchone():
        raise TooManyTags


def add_tags(base: sqlite3.Connection, owner: int, ids: Sequence[int], names: Sequence[str]) -> None:
    """Give results tags, which are new where the owner has none of their names."""
    for name in names:
        base.execute("insert into tags (owner, name) values (?, ?) on conflict do nothing", (owner, name))
        base.executemany(
            "insert into result_tags select ?, number from tags where owner = ? and name = ? on conflict do nothing",
            [(each, owner, name) for each in ids],
        )


def index(base: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Write what results are found by besides their recipes: their tags and their notes."""
    for each in ids:
        tags = base.execute("select name from result_tags join tags on number = tag where result = ?", (each,))
        (note,) = base.execute("select note from results where id = ?", (each,)).fetchone()
        words = indexed([*sorted(name for (name,) in tags), note])
        base.execute("update results set marks = ? where id = ?", (words, each))


def protect(base: sqlite3.Connection, owner: int, jobs: Collection[int], quota: int) -> None:
    """Pin what stars and projects protect now.

    Raises:
        ShareFull: it is more than before, and more than the owner's share.
    """
    query = "select protected from owners where number = ?"
    (before,) = base.execute(query, (owner,)).fetchone()
    room.settle(base, jobs)
    (protected,) = base.execute(query, (owner,)).fetchone()
    share = room.share(base, quota)
    if protected > before and protected > share:
        raise ShareFull(share, protected)


def measure(base: sqlite3.Connection, result: int, figures: Figures | None) -> None:
    """Write how a picture compares with its reference, unless that was written before; see `Store.measured`."""
    which = "where id = ? and measured = 0"
    if figures is None:
        base.execute(f"update results set measured = 1 {which}", (result,))  # noqa: S608 - our own words
        return
    sharpness = -1.0 if figures.sharpness is None else min(figures.sharpness, MOST_SHARPNESS)
    base.execute(
        f"""update results set measured = 1, structure = ?, colour_shift = ?, sharpness = ?, metrics = ? {which}""",  # noqa: S608 - our own words
        (round(figures.structure, 4), round(figures.colour_shift, 3), round(sharpness, 4), figures.metrics, result),
    )


# ---- the trash ------------------------------------------------------------------------------------------


def trash(
    base: sqlite3.Connection, owner: str, ids: Sequence[int], now: float
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Put an owner's results into the trash; see `Store.trash`."""
    which = f"{GIVEN} and owner = {OWNER} and shown is not null"
    query = f"update results set shown = null, deleted = ? where {which}"  # noqa: S608 - our own words
    found = _moved(base, query, (now, json.dumps(list(ids)), owner))
    numbers = json.dumps(sorted(set(found.values())))
    jobs = base.execute(
        "select id from jobs where hidden = 1 and number in (select value from json_each(?))", (numbers,)
    )
    return tuple(each for each in dict.fromkeys(ids) if each in found), tuple(job for (job,) in jobs)


def restore(base: sqlite3.Connection, owner: str, ids: Sequence[int], since: float) -> tuple[int, ...]:
    """Take an owner's results out of the trash; see `Store.restore`."""
    which = f"{GIVEN} and owner = {OWNER} and deleted > ?"
    query = f"update results set shown = picture is not null, deleted = null where {which}"  # noqa: S608 - our own words
    found = _moved(base, query, (json.dumps(list(ids)), owner, since))
    return tuple(each for each in dict.fromkeys(ids) if each in found)


def _moved(base: sqlite3.Connection, query: str, values: tuple[object, ...]) -> dict[int, int]:
    """Move results into the trash or out of it; return their jobs' numbers by their ids."""
    found = dict(base.execute(f"{query} returning id, job", values).fetchall())
    room.settle(base, set(found.values()))
    return found


# ---- projects ---------------------------------------------------------------------------------------------


def _has_project(base: sqlite3.Connection, owner: str, project: int) -> bool:
    query = f"select 1 from projects where number = ? and owner = {OWNER}"  # noqa: S608 - our own words
    return base.execute(query, (project, owner)).fetchone() is not None


def add_project(base: sqlite3.Connection, owner: int, name: str, now: float) -> ProjectRow:
    """Make a project of an owner's, by their number; see `Store.add_project`."""
    (count,) = base.execute("select count(*) from projects where owner = ?", (owner,)).fetchone()
    if count >= MOST_PROJECTS:
        raise TooManyProjects
    try:
        project = base.execute("insert into projects (owner, name, created) values (?, ?, ?)", (owner, name, now))
    except sqlite3.IntegrityError as error:
        raise NameTaken from error
    assert project.lastrowid is not None
    return ProjectRow(project.lastrowid, name, now)


def rename_project(base: sqlite3.Connection, owner: str, project: int, name: str) -> None:
    """Rename a project; see `Store.rename_project`."""
    if not _has_project(base, owner, project):
        raise ProjectUnknown
    try:
        base.execute("update projects set name = ? where number = ?", (name, project))
    except sqlite3.IntegrityError as error:
        raise NameTaken from error


def delete_project(base: sqlite3.Connection, owner: str, project: int) -> bool:
    """Delete a project and leave its pictures without one; see `Store.delete_project`."""
    if not _has_project(base, owner, project):
        return False
    which = f"project = ? and owner = {OWNER}"
    query = f"update results set project = null where {which} returning job"  # noqa: S608 - our own words
    jobs = {job for (job,) in base.execute(query, (project, owner)).fetchall()}
    base.execute("delete from projects where number = ?", (project,))
    room.settle(base, jobs)
    return True
