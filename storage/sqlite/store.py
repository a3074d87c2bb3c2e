"""What is kept: jobs and who may see which picture, in SQLite.

A job's row is written before its request is sent, the provider's id as soon as it is known, and the word that
it is done only when its pictures are on the disk. So whatever ends the process, the next one knows where
everything stood. The database belongs to one process at a time, and is written by one thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.image_types import SUFFIX
from core.job_state import JobState
from storage.archive import ArchivedJob
from storage.files.image_store import ImageStore
from storage.protocols import CallTaken
from storage.rows import (
    RUN,
    CellRow,
    Done,
    ExperimentRow,
    Failure,
    Figures,
    LibraryRow,
    Marks,
    Money,
    PlannedCell,
    ProjectRow,
    Record,
    ReferenceRow,
    ResultRow,
)
from storage.sqlite import archiving, experiments, noted, room
from storage.sqlite.database import Database
from storage.sqlite.inserts import Kept, cost_of_one, free_job_number, grant, insert, searched
from storage.sqlite.queries import Queries
from storage.sqlite.reader import OWNER, number_at
from storage.sqlite.room import Freed

SPENDING_COUNTS = 2 * 86_400.0
"""Seconds for which the cost of a deleted job counts: longer than the day that a budget is for."""
KNOWN_CHANGES = 20_000
"""Changes of results that are remembered, of all owners together: a page that was away longer reads its list again."""


class Store(Queries):
    """A folder with the database `studio.db` and the pictures.

    Args:
        folder: made where it is missing.

    Raises:
        StoreError: the folder cannot be made or written, another process uses it, a newer version of the app wrote
            it, or the database is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.images = ImageStore(folder / "images")
        self._database = Database(folder)
        super().__init__(self._database.base)
        self._writing = self._database.writing

    def open_reader(self) -> Queries | None:
        """Open another connection that reads, None where this one must do everything. Whoever opens it closes it."""
        return None if self._database.exclusive else Queries(self._database.open_reader())

    def close(self) -> None:
        """Let go of the database, after every reader was closed."""
        self._database.close()

    def _owner(self, name: str) -> int:
        """Return an owner's number, which is new where they have nothing here yet."""
        self._base.execute("insert into owners (name) values (?) on conflict do nothing", (name,))
        (number,) = self._base.execute("select number from owners where name = ?", (name,)).fetchone()
        return int(number)

    # ---- a job's life ------------------------------------------------------------------------------

    def add(self, record: Record, reference: Kept, cell: tuple[str, int] | None = None) -> None:
        """Write a new job and its right to its reference: the intent, before anything is sent.

        Args:
            record: the job.
            reference: the stored file.
            cell: the experiment's id and the place in it of the cell that the job makes; None of any other job.

        Raises:
            CallTaken: the owner's job of the same mark is there.
        """
        row = {name: value for name, value in record.__dict__.items() if name != "results"}
        try:
            with self._writing():
                row["owner"] = self._owner(record.owner)
                row["number"] = free_job_number(self._base, record.created)
                insert(self._base, "jobs", row)
                grant(self._base, row["owner"], row["number"], reference)
                if cell is not None:
                    experiments.begin(self._base, *cell, record.id)
        except sqlite3.IntegrityError as error:
            if record.once is None:
                raise
            raise CallTaken from error

    def move(self, job_id: str, state: JobState, error: str | None = None) -> None:
        """Write the state of a job that goes on; `submitting` before its request is sent, for then it may be taken.

        Args:
            job_id: the job's.
            state: not a terminal one.
            error: JSON of why nobody waits for it, None where somebody does.
        """
        with self._writing():
            self._base.execute(
                "update jobs set state = ?, error = ? where id = ? and ended is null", (state, error, job_id)
            )

    def accepted(self, job_id: str, place: int, remote_id: str) -> None:
        """Note the provider's id of the task for image `place`."""
        with self._writing():
            self._base.execute(
                "update jobs set remote = json_set(remote, ?, ?),"
                " state = iif(state = 'detached', state, 'running') where id = ? and ended is null",
                (f"$[{place}]", remote_id, job_id),
            )

    def end(
        self,
        job_id: str,
        state: JobState,
        now: float,
        *,
        error: str | None = None,
        done: Done | None = None,
        failure: Failure | None = None,
        cost: float | None = None,
    ) -> tuple[int, ...]:
        """Note a job's end. Its pictures are on the disk, and become its owner's in the same moment.

        Returns:
            The ids of the results; empty where it is not done, or had ended before.
        """
        with self._writing():
            changed = self._base.execute(
                "update jobs set state = ?, ended = ?, error = ?, cost = ? where id = ? and ended is null",
                (state, now, error, cost, job_id),
            ).rowcount
            if changed and done is not None:
                self._base.execute(
                    "update jobs set report = ?, recipe = ? where id = ?", (done.report, done.recipe, job_id)
                )
                share = cost_of_one(cost, len(done.results))
                rows = [{**self._row(row), "cost": share} for row in done.results]
                return self._add_results(job_id, done, rows, now)
            if changed and failure is not None:
                row = {"place": 0, "seed": failure.seed, "missing": RUN, "cost": cost_of_one(cost, 1)}
                self._add_results(job_id, failure, [row], now)
        return ()

    @staticmethod
    def _row(row: ResultRow) -> dict[str, Any]:
        """Return the columns of a result that are its image's own."""
        names = ("place", "seed", "width", "height", "damaged", "missing", "why")
        columns = {name: getattr(row, name) for name in names}
        if row.digest is not None and row.mime is not None and row.bytes is not None:
            columns["picture"] = Kept(row.digest + SUFFIX[row.mime], row.bytes)
        return columns

    def _add_results(
        self, job_id: str, found_by: Done | Failure, rows: Sequence[dict[str, Any]], now: float
    ) -> tuple[int, ...]:
        job, owner, backend = self._base.execute(
            "select number, owner, backend from jobs where id = ?", (job_id,)
        ).fetchone()
        (last,) = self._base.execute("select coalesce(max(id), 0) from results").fetchone()
        first = max(last + 1, number_at(now))
        common = {
            "job": job,
            "owner": owner,
            "parent": found_by.parent,
            **searched(found_by.prompt, found_by.styles, backend, found_by.model),
        }
        for row in rows:
            facts = {"id": first + row["place"], "shown": 0, **common, **row}
            if "picture" in row:
                facts |= {"shown": 1, "picture": grant(self._base, owner, job, row["picture"])}
            insert(self._base, "results", facts)
        return tuple(first + row["place"] for row in rows)

    def free_call(self, owner: str, once: str, before: float) -> None:
        """Let an owner use a mark again that a job from before then has."""
        with self._writing():
            self._base.execute(
                f"update jobs set once = null where created < ? and once = ? and owner = {OWNER}",  # noqa: S608 - our own words
                (before, once, owner),
            )

    def reported(self, job_id: str) -> None:
        """Note that nobody waits to hear of a job's end any more."""
        with self._writing():
            self._base.execute("update jobs set hook = null where id = ?", (job_id,))

    # ---- the library ---------------------------------------------------------------------------------

    def mark(self, owner: str, ids: Sequence[int], marks: Marks, quota: int) -> tuple[LibraryRow, ...]:
        """Change what an owner notes on pictures of theirs; return those that are there, in the order of their ids.

        Raises:
            ShareFull: stars and projects protect all that they can, and these would protect more; nothing is changed.
            ProjectUnknown: the owner has no such project.
            TooManyTags: one of them would have more than `MOST_TAGS`.
        """
        with self._writing():
            noted.mark(self._base, owner, ids, marks, quota)
            return tuple(row for row in self.find_results(owner, ids) if row.file is not None)

    def measured(self, figures: Mapping[int, Figures | None]) -> None:
        """Write once how pictures compare with their references, by their ids; None where that cannot be said."""
        with self._writing():
            for result, found in figures.items():
                noted.measure(self._base, result, found)

    def trash(self, owner: str, ids: Sequence[int], now: float) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Put an owner's results into the trash; return the ids of those, and the ids of their jobs."""
        with self._writing():
            return noted.trash(self._base, owner, ids, now)

    def restore(self, owner: str, ids: Sequence[int], since: float) -> tuple[int, ...]:
        """Take an owner's results that were deleted since then out of the trash; return their ids."""
        with self._writing():
            return noted.restore(self._base, owner, ids, since)

    def purge(self, before: float) -> Freed:
        """Delete results for good that were put into the trash before then."""
        with self._writing():
            freed = Freed([], [], [], [])
            room.purge(self._base, before, freed)
            return freed

    # ---- projects --------------------------------------------------------------------------------------

    def add_project(self, owner: str, name: str, now: float) -> ProjectRow:
        """Make a project.

        Raises:
            NameTaken: the owner has one of that name.
            TooManyProjects: they have `MOST_PROJECTS`.
        """
        with self._writing():
            return noted.add_project(self._base, self._owner(owner), name, now)

    def rename_project(self, owner: str, project: int, name: str) -> ProjectRow:
        """Rename a project.

        Raises:
            NameTaken: the owner has another of that name.
            ProjectUnknown: they have no such project.
        """
        with self._writing():
            noted.rename_project(self._base, owner, project, name)
            return next(each for each in self.projects(owner) if each.id == project)

    def delete_project(self, owner: str, project: int) -> bool:
        """Delete a project and leave its pictures without one; return whether there was one."""
        with self._writing():
            return noted.delete_project(self._base, owner, project)

    def take_in(self, owner: str, job: ArchivedJob, files: Sequence[tuple[str, int]], quota: int, now: float) -> int:
        """Write a job of an archive, its files being stored; see `storage.sqlite.archiving.take_in`."""
        with self._writing():
            return archiving.take_in(self._base, self._owner(owner), job, files, quota, now)

    # ---- experiments -------------------------------------------------------------------------------

    def add_experiment(
        self,
        row: ExperimentRow,
        cells: Sequence[PlannedCell],
        references: Sequence[Kept],
        once: str | None,
        money: Money,
    ) -> None:
        """Write a new experiment with all of its cells; see `storage.sqlite.experiments.add`."""
        with self._writing():
            experiments.add(self._base, row, self._owner(row.owner), cells, references, once)
            money.check(self.spent(money.since))

    def add_cells(
        self, experiment: str, plan: str, cells: Sequence[PlannedCell], references: Sequence[Kept], money: Money
    ) -> int:
        """Append cells to an experiment; see `storage.sqlite.experiments.add_cells`."""
        with self._writing():
            first = experiments.add_cells(self._base, experiment, plan, cells, references)
            money.check(self.spent(money.since))
            return first

    def retry_cells(
        self, experiment: str, places: Sequence[int], references: Sequence[Kept], money: Money
    ) -> list[CellRow]:
        """Let cells begin that are without a picture; see `storage.sqlite.experiments.retry`."""
        with self._writing():
            again = experiments.retry(self._base, experiment, places, references)
            money.check(self.spent(money.since))
            return again

    def set_experiment_state(self, experiment: str, state: str, why: str | None) -> list[str]:
        """Write the state of an experiment, and why it is paused; return the names of the files to drop."""
        with self._writing():
            return experiments.set_state(self._base, experiment, state, why)

    def delete_experiment(self, owner: str, experiment: str) -> tuple[bool, list[str]]:
        """Delete an owner's experiment without its results; return whether there was one, and the files to drop."""
        with self._writing():
            return experiments.delete(self._base, owner, experiment)

    # ---- uploads -----------------------------------------------------------------------------------

    def ticket(self, owner: str, upload_id: str, now: float) -> None:
        """Note that an owner will upload a picture under an id."""
        with self._writing():
            self._base.execute("insert into uploads values (?, ?, null, ?)", (upload_id, self._owner(owner), now))

    def upload(self, upload_id: str, picture: Kept, now: float) -> bool:
        """Note which picture came under an id; return whether that was still open."""
        with self._writing():
            found = self._base.execute(
                "update uploads set name = ? where id = ? and name is null returning owner", (picture.name, upload_id)
            ).fetchall()
            for (owner,) in found:
                grant(self._base, owner, 0, picture, now)
            return bool(found)

    def add_file(self, owner: str, path: str, size: int, now: float) -> None:
        """Record an uploaded file as an owner's.

        Args:
            owner: who uploaded it; the same content and name have one path for all.
            path: relative to the folder of uploads.
            size: bytes on the disk.
            now: seconds since the epoch.
        """
        with self._writing():
            self._base.execute(
                "insert into files values (:path, :owner,"
                " coalesce((select bytes from files where path = :path), :size), :now)"
                " on conflict do update set created = excluded.created",
                {"path": path, "owner": self._owner(owner), "size": size, "now": now},
            )

    # ---- who may see which picture -----------------------------------------------------------------

    def grant(self, owner: str, picture: Kept, now: float) -> None:
        """Let an owner see a picture that is no job's yet: a reference."""
        with self._writing():
            grant(self._base, self._owner(owner), 0, picture, now)

    def add_reference(self, owner: str, reference: ReferenceRow, now: float) -> None:
        """Let an owner see a reference that is no job's yet, and note what is known of it."""
        with self._writing():
            number = self._owner(owner)
            picture = grant(self._base, number, 0, Kept(reference.name, reference.bytes), now)
            self._base.execute(
                "insert or replace into refs (picture, owner, width, height, notices, address, parent, profile, dpi)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    picture,
                    number,
                    reference.width,
                    reference.height,
                    reference.notices,
                    reference.address,
                    reference.parent,
                    reference.profile,
                    reference.dpi,
                ),
            )

    def exchange(self, owner: str) -> bool:
        """Return whether an owner is one whose cookie was never signed, and forget that it is."""
        with self._writing():
            return self._base.execute("delete from old_owners where digest = ?", (owner,)).rowcount == 1

    def displayed(self, name: str, width: int, size: int) -> bool:
        """Note the bytes of a picture's copy at a display width; return whether anybody may see the picture."""
        with self._writing():
            return bool(
                self._base.execute(
                    "insert into displays select number, ?, ? from pictures where name = ?"
                    " on conflict do update set bytes = excluded.bytes",
                    (width, size, name),
                ).rowcount
            )

    def not_displayed(self, name: str, width: int) -> None:
        """Note that a picture has no copy at a display width."""
        with self._writing():
            which = "width = ? and picture = (select number from pictures where name = ?)"
            self._base.execute(f"delete from displays where {which}", (width, name))  # noqa: S608 - our own words

    # ---- room --------------------------------------------------------------------------------------

    def make_room(self, quota: int, spared: str = "", coming: int = 0) -> Freed:
        """Delete rows until what is left, and `coming` bytes of an upload, fit into `quota` bytes.

        See `storage.sqlite.room.make_room`.
        """
        with self._writing():
            return room.make_room(self._base, quota, spared, coming)

    def delete(self, owner: str, job_id: str) -> tuple[bool, list[str]]:
        """Forget an owner's ended job; return whether there was one, and the names of the files to drop."""
        with self._writing():
            found = self._base.execute(
                "select jobs.number from jobs join owners on owners.number = owner"
                " where id = ? and name = ? and ended is not null",
                (job_id, owner),
            ).fetchone()
            return (True, room.remove_job(self._base, found[0])) if found else (False, [])

    def forget(self, before: float) -> list[str]:
        """Forget references kept before then that no job uses; return the names of the files to drop."""
        with self._writing():
            return room.forget(self._base, before)

    def forget_leftovers(self, now: float) -> int:
        """Forget owners of whom nothing is left, costs of deleted jobs, old changes; return how many owners."""
        with self._writing():
            room.forget_spending(self._base, now - SPENDING_COUNTS)
            room.forget_changes(self._base, KNOWN_CHANGES)
            return room.forget_owners(self._base, now - SPENDING_COUNTS)
