"""Lists of results: a filter and an order become one query of ids, and a list is cut into blocks.

An index holds all that filters ask for, in the order of the ids, so the longest list is one walk over it, and a list
by date is never sorted. Words come from the full-text index, and a tag's results from its own, in the same order.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from operator import neg
from typing import NamedTuple

from storage.rows import Block, Filter, Sort
from storage.sqlite import search_text

BLOCK = 200
"""Results in a block, at most."""
DAY, MINUTE = 86_400_000_000, 60_000_000
"""Microseconds: ids count them from the epoch."""
SUMS = 2**32
"""Sums of ids are below this, which a browser holds exactly."""
TAGGED = "tag = (select number from tags where owner = ? and name = ?)"
OF_EXPERIMENT = """in (select made.id from experiments
    cross join cells on cells.experiment = experiments.number and cells.job is not null
    cross join jobs on jobs.id = cells.job cross join results as made on made.job = jobs.number
    where experiments.id = ? and experiments.owner = ?)"""
"""Looks at the cells alone, however many results there are; another owner's experiment has none."""
CURSOR = re.compile(r"(?:(?P<figure>-?\d{1,9}(?:\.\d{1,18})?(?:e-?\d{1,3})?):)?(?P<id>\d{1,18})", re.ASCII)
"""The result before the place where a part of a list begins: its id, and its figure where the list is sorted by one."""


class Sql(NamedTuple):
    """A query or a condition, and its parameters."""

    text: str
    values: tuple[object, ...] = ()


def listing(owner: int, wanted: Filter, sort: Sort, cursor: str | None) -> Sql:
    """Return the query of the ids of a list, with their figures where it is sorted by them.

    Args:
        owner: its number.
        wanted: what the list has.
        sort: its order.
        cursor: where it begins, None for its beginning.

    Raises:
        ValueError: the cursor is of no list in this order.
    """
    words = search_text.query(owner, wanted.text, failed=wanted.failed)
    of_row = _terms_of_row(wanted)
    tables, terms = list[str](), list[Sql]()
    found = "results.id"
    if words is not None:
        found = "found_by.rowid"
        tables.append("found_by")
        terms.append(Sql("found_by match ?", (words,)))
    if wanted.tag is not None and words is None:
        found = "result"
        tables.append("result_tags")
        terms.append(Sql(TAGGED, (owner, wanted.tag)))
    elif wanted.tag is not None:
        terms.append(
            Sql(f"exists (select 1 from result_tags where result = {found} and {TAGGED})", (owner, wanted.tag))  # noqa: S608 - our own words
        )
    if wanted.experiment is not None:
        terms.append(Sql(f"{found} {OF_EXPERIMENT}", (wanted.experiment, owner)))
    if wanted.since is not None:
        terms.append(Sql(f"{found} >= ?", (math.ceil(wanted.since * 1_000_000),)))
    if wanted.until is not None:
        terms.append(Sql(f"{found} < ?", (math.ceil(wanted.until * 1_000_000),)))
    if cursor is not None:
        terms.append(_behind(found, sort, cursor))
    if words is None or of_row or not sort.by_date:  # else the full-text index alone knows all
        if tables:
            of_row.append(Sql(f"results.id = {found}"))
        by = "not indexed" if wanted.experiment is not None else f"indexed by {_index(of_row, sort)}"
        tables.append(f"results {by}")
        terms.append(Sql("results.owner = ? and shown = ?", (owner, int(not wanted.failed))))
    terms += of_row
    columns, order = found, found if sort is Sort.OLDEST else f"{found} desc"
    if not sort.by_date:
        columns, order = f"{found}, results.{sort}", f"results.{sort} desc, {found} desc"
    where = " and ".join(each.text for each in terms)
    text = f"select {columns} from {' cross join '.join(tables)} where {where} order by {order}"  # noqa: S608 - our own words
    return Sql(text, tuple(value for each in terms for value in each.values))


def _terms_of_row(wanted: Filter) -> list[Sql]:
    """Return the conditions on a result's own columns."""
    terms = []
    if wanted.starred:
        terms.append(Sql("star = 1"))
    for column, exactly in (("project", wanted.project), ("backend", wanted.backend), ("model", wanted.model)):
        if exactly is not None:
            terms.append(Sql(f"results.{column} = ?", (exactly,)))
    if wanted.style is not None:  # ids are written as JSON, so a quoted one is found whole or not at all
        terms.append(Sql("instr(styles, ?)", (search_text.quoted(wanted.style),)))
    for value, bound, least in (
        ("width * height", wanted.pixels_min, True),
        ("width * height", wanted.pixels_max, False),
        ("results.cost", wanted.cost_min, True),
        ("results.cost", wanted.cost_max, False),
    ):
        if bound is not None:
            terms.append(Sql(f"{value} {'>=' if least else '<='} ?", (bound,)))
    if wanted.cost_max is not None:
        terms.append(Sql("results.cost >= 0"))
    return terms


def _index(of_row: Sequence[Sql], sort: Sort) -> str:
    """Return the index that holds all that is asked for, the smallest where several do."""
    asked = [each.text for each in of_row]
    if not sort.by_date:
        return "results_listed" if asked else f"results_by_{sort}"
    if asked == ["star = 1"]:
        return "results_starred"
    return "results_of_project" if asked == ["results.project = ?"] else "results_listed"


def _behind(found: str, sort: Sort, cursor: str) -> Sql:
    parts = CURSOR.fullmatch(cursor)
    if parts is None or (parts["figure"] is None) != sort.by_date:
        raise ValueError("not a cursor of this list")
    if not sort.by_date:
        return Sql(f"(results.{sort}, {found}) < (?, ?)", (float(parts["figure"]), int(parts["id"])))
    return Sql(f"{found} {'<' if sort is Sort.NEWEST else '>'} ?", (int(parts["id"]),))


def cursor_behind(row: Sequence[float]) -> str:
    """Return the cursor of what is behind a result in its list.

    Args:
        row: its id, and its figure where the list is sorted by one.
    """
    return f"{row[1]}:{row[0]}" if len(row) > 1 else str(row[0])


def blocks_by_day(ids: Sequence[int], sort: Sort, zone: int) -> Iterator[Block]:
    """Yield the blocks of a list by date.

    Args:
        ids: in the list's order.
        sort: that order.
        zone: minutes east of UTC, of the place whose days they are.
    """
    at, offset = 0, zone * MINUTE
    while at < len(ids):
        day = (ids[at] + offset) // DAY
        most = min(at + BLOCK, len(ids))
        if sort is Sort.OLDEST:
            end = bisect_left(ids, (day + 1) * DAY - offset, at, most)
        else:
            end = bisect_right(ids, offset - day * DAY, at, most, key=neg)
        cursor = cursor_behind([ids[at - 1]]) if at else None
        yield Block((date(1970, 1, 1) + timedelta(day)).isoformat(), end - at, cursor, sum(ids[at:end]) % SUMS)
        at = end


def blocks_by_figure(rows: Sequence[tuple[int, float]]) -> Iterator[Block]:
    """Yield the blocks of a list by cost or another figure: ids and figures in the list's order."""
    for at in range(0, len(rows), BLOCK):
        part = rows[at : at + BLOCK]
        cursor = cursor_behind(rows[at - 1]) if at else None
        yield Block(None, len(part), cursor, sum(row[0] for row in part) % SUMS)
