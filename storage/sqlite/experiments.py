"""Experiments and their cells: a plan of many jobs, of which few have begun at a time.

Every function that writes runs inside a transaction of the caller's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from core.experiment import ExperimentState
from storage.protocols import CallTaken
from storage.rows import CellRow, ExperimentRow, PlannedCell
from storage.sqlite.inserts import Kept, free_job_number, grant
from storage.sqlite.reader import OWNER, Reader
from storage.sqlite.room import release

WAITS = "job is null and not skipped"
"""Whether a cell is to begin."""
EXPERIMENT = """experiments.id as id, owners.name as owner, experiments.created as created, experiments.state as state,
    why, plan, body,
    (select count(*) from cells where experiment = experiments.number) as cells,
    (select count(*) from cells where experiment = experiments.number and job is null and not skipped) as waiting,
    (select coalesce(sum(cost), 0.0) from cells join jobs on jobs.id = cells.job
        where experiment = experiments.number) as spent"""
CELL = """cells.place as place, at, cells.backend as backend, cells.estimate as estimate, cells.recipe as recipe,
    cells.own_key as own_key, skipped, cells.job as job, jobs.state as state, jobs.error as error,
    results.id as result, coalesce(results.star, 0) as star, nullif(structure, -2) as structure,
    nullif(colour_shift, -1) as colour_shift, nullif(sharpness, -1) as sharpness"""


class ExperimentQueries(Reader):
    """What is known of experiments."""

    def experiments(self, owner: str, limit: int) -> list[ExperimentRow]:
        """Return an owner's latest experiments, newest first."""
        return self._experiments(
            f"where experiments.owner = {OWNER} order by experiments.number desc limit ?", owner, limit
        )

    def experiment(self, owner: str, experiment: str) -> ExperimentRow | None:
        """Return an owner's experiment, None where they have none of that id."""
        which = f"where experiments.id = ? and experiments.owner = {OWNER}"
        return next(iter(self._experiments(which, experiment, owner)), None)

    def experiment_of_call(self, owner: str, once: str) -> ExperimentRow | None:
        """Return an owner's experiment by the mark of its call, None where there is none."""
        which = f"where experiments.owner = {OWNER} and once = ?"
        return next(iter(self._experiments(which, owner, once)), None)

    def unfinished_experiments(self) -> list[ExperimentRow]:
        """Return the experiments of all owners that are neither done nor cancelled, oldest first."""
        return self._experiments("where state in ('running', 'paused') order by experiments.number")

    def _experiments(self, which: str, *values: object) -> list[ExperimentRow]:
        query = f"select {EXPERIMENT} from experiments join owners on owners.number = experiments.owner {which}"  # noqa: S608 - our own words
        return [ExperimentRow(**row) for row in self._rows(query, values)]

    def cells(self, experiment: str) -> list[CellRow]:
        """Return the cells of an experiment in the order in which they begin."""
        query = f"""select {CELL} from cells join experiments on experiments.number = experiment
            left join jobs on jobs.id = cells.job
            left join results on results.job = jobs.number and results.place = 0
                and shown is not null and missing is null
            where experiments.id = ? order by cells.place"""  # noqa: S608 - our own words
        return [_cell(row) for row in self._rows(query, (experiment,))]


def _cell(row: dict[str, Any]) -> CellRow:
    flags = {name: bool(row[name]) for name in ("own_key", "skipped", "star")}
    return CellRow(**row | flags | {"at": tuple(json.loads(row["at"]))})


def add(
    base: sqlite3.Connection,
    row: ExperimentRow,
    owner: int,
    cells: Sequence[PlannedCell],
    references: Sequence[Kept],
    once: str | None,
) -> None:
    """Write a new experiment with all of its cells, and its right to the references that they begin with.

    Args:
        base: in a transaction.
        row: the experiment.
        owner: the number of its owner.
        cells: in the order in which they begin.
        references: stored files.
        once: the caller's mark.

    Raises:
        CallTaken: the owner's experiment of the same mark is there.
    """
    number = free_job_number(base, row.created)
    columns = (number, row.id, owner, row.created, row.state, row.plan, once, row.body)
    try:
        base.execute(
            "insert into experiments (number, id, owner, created, state, plan, once, body)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            columns,
        )
    except sqlite3.IntegrityError as error:
        raise CallTaken from error
    _add_cells(base, number, 0, cells)
    for each in references:
        grant(base, owner, number, each)


def add_cells(
    base: sqlite3.Connection, experiment: str, plan: str, cells: Sequence[PlannedCell], references: Sequence[Kept]
) -> int:
    """Append cells to an experiment, replace its plan, and return the place of the first new one.

    Args:
        base: in a transaction.
        experiment: its id.
        plan: JSON of what it is now.
        cells: in the order in which they begin.
        references: stored files that they begin with.
    """
    number, owner, first = base.execute(
        "select number, owner, (select coalesce(max(place), -1) + 1 from cells where experiment = number)"
        " from experiments where id = ?",
        (experiment,),
    ).fetchone()
    base.execute("update experiments set plan = ?, state = 'running', why = null where number = ?", (plan, number))
    _add_cells(base, number, first, cells)
    for each in references:
        grant(base, owner, number, each)
    return int(first)


def _add_cells(base: sqlite3.Connection, experiment: int, first: int, cells: Sequence[PlannedCell]) -> None:
    rows = [
        (experiment, first + place, json.dumps(each.at), each.backend, each.estimate, each.recipe, each.own_key)
        for place, each in enumerate(cells)
    ]
    base.executemany(
        "insert into cells (experiment, place, at, backend, estimate, recipe, own_key) values (?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def set_state(base: sqlite3.Connection, experiment: str, state: str, why: str | None) -> list[str]:
    """Write the state of an experiment, and why it is paused; return the names of the files to drop.

    What is cancelled or done stays so, and has no right of its own to its references any more. None is done with a
    cell that waits.
    """
    ends = f"not exists (select 1 from cells where experiment = number and {WAITS})"  # noqa: S608 - our own words
    changed = base.execute(
        f"update experiments set state = ?1, why = ? where id = ? and state in ('running', 'paused')"  # noqa: S608 - our own words
        f" and (?1 != 'done' or {ends})",
        (state, why, experiment),
    ).rowcount
    if not changed:
        return []
    if state == ExperimentState.CANCELLED:
        which = f"{WAITS} and experiment = (select number from experiments where id = ?)"  # noqa: S608 - our own words
        base.execute(f"update cells set skipped = 1 where {which}", (experiment,))  # noqa: S608 - our own words
    return _release(base, experiment) if state in (ExperimentState.CANCELLED, ExperimentState.DONE) else []


def begin(base: sqlite3.Connection, experiment: str, place: int, job: str) -> None:
    """Note that a cell has begun, in the transaction that writes its job."""
    base.execute(
        "update cells set job = ? where place = ? and experiment = (select number from experiments where id = ?)",
        (job, place, experiment),
    )


def retry(
    base: sqlite3.Connection, experiment: str, places: Sequence[int], references: Sequence[Kept]
) -> list[CellRow]:
    """Let cells begin that are without a picture, and the experiment go on; return those.

    Args:
        base: in a transaction.
        experiment: its id.
        places: of the cells; what is at work there, or made, stays as it is.
        references: stored files that they begin with.
    """
    again = [each for each in ExperimentQueries(base).cells(experiment) if each.can_retry and each.place in set(places)]
    number, owner = base.execute("select number, owner from experiments where id = ?", (experiment,)).fetchone()
    base.execute(
        "update cells set job = null, skipped = 0 where experiment = ? and place in (select value from json_each(?))",
        (number, json.dumps([each.place for each in again])),
    )
    base.execute("update experiments set state = 'running', why = null where number = ?", (number,))
    for each in references:
        grant(base, owner, number, each)
    return again


def reserved(base: sqlite3.Connection) -> float:
    """Return the US dollars that cells which wait will cost the app's owner."""
    query = f"select coalesce(sum(estimate), 0.0) from cells where {WAITS} and not own_key"  # noqa: S608 - our own words
    return float(base.execute(query).fetchone()[0])


def delete(base: sqlite3.Connection, owner: str, experiment: str) -> tuple[bool, list[str]]:
    """Delete an owner's experiment without its results; return whether there was one, and the files to drop."""
    which = f"where id = ? and owner = {OWNER}"
    found = base.execute(f"select number from experiments {which}", (experiment, owner)).fetchone()  # noqa: S608 - our own words
    if found is None:
        return False, []
    dropped = _release(base, experiment)
    base.execute("delete from cells where experiment = ?", found)
    base.execute("delete from experiments where number = ?", found)
    return True, dropped


def _release(base: sqlite3.Connection, experiment: str) -> list[str]:
    """Give up an experiment's own right to its references: its jobs have theirs."""
    which = "job != 0 and job = (select number from experiments where id = ?)"
    return release(base, which, (experiment,))
