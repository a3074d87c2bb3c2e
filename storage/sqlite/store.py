"""What is kept: jobs and who may see which picture, in SQLite.

A job's row is written before its request is sent, the provider's id as soon as it is known, and the word that
it is done only when its pictures are on the disk. So whatever ends the process, the next one knows where
everything stood. The database belongs to one process at a time, and is written by one thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.image_types import SUFFIX
from core.job_state import JobState
from storage.files.image_store import ImageStore
from storage.rows import Record, ReferenceRow, ResultRow
from storage.sqlite import room
from storage.sqlite.database import Database
from storage.sqlite.queries import Queries, number_at
from storage.sqlite.reader import OWNER
from storage.sqlite.room import Freed
from storage.sqlite.search_text import spaced

SPENDING_COUNTS = 2 * 86_400.0
"""Seconds for which the cost of a deleted job counts: longer than the day that a budget is for."""


class CallTaken(Exception):
    """An owner's call of this mark is there already."""


@dataclass(frozen=True)
class Kept:
    """A picture that somebody may see: its file's name, and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Done:
    """What is written down of a job that made something.

    Attributes:
        report: JSON of what is about all of its images.
        recipe: JSON of its recipe, with the model that was really used.
        model: that model's id.
        parent: digest of the picture that its reference was.
        results: a row an image.
        prompt: what its images are found by.
    """

    report: str
    recipe: str
    model: str
    parent: str | None
    results: Sequence[ResultRow]
    prompt: str = ""


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

    def add(self, record: Record, reference: Kept) -> None:
        """Write a new job and its right to its reference: the intent, before anything is sent.

        Raises:
            CallTaken: the owner's job of the same mark is there.
        """
        row = {name: value for name, value in record.__dict__.items() if name != "results"}
        try:
            with self._writing():
                row["owner"] = self._owner(record.owner)
                row["number"] = self._free_number(record.created)
                names = ", ".join(row)
                self._base.execute(f"insert into jobs ({names}) values ({', '.join(f':{name}' for name in row)})", row)  # noqa: S608 - our own names
                self._grant(row["owner"], row["number"], reference)
        except sqlite3.IntegrityError as error:
            if record.once is None:
                raise
            raise CallTaken from error

    def _free_number(self, created: float) -> int:
        """Return the number of a new job: the microsecond at which it was taken, or the next that no other has."""
        number = max(number_at(created), 1)
        while self._exists("select 1 from jobs where number = ?", number):
            number += 1
        return number

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
        cost: float | None = None,
    ) -> None:
        """Note a job's end. Its pictures are on the disk, and become its owner's in the same moment."""
        with self._writing():
            changed = self._base.execute(
                "update jobs set state = ?, ended = ?, error = ?, cost = ? where id = ? and ended is null",
                (state, now, error, cost, job_id),
            ).rowcount
            if changed and done is not None:
                self._base.execute(
                    "update jobs set report = ?, recipe = ? where id = ?", (done.report, done.recipe, job_id)
                )
                self._add_results(job_id, done, now)

    def _add_results(self, job_id: str, done: Done, now: float) -> None:
        job, owner, created = self._base.execute(
            "select number, owner, created from jobs where id = ?", (job_id,)
        ).fetchone()
        (last,) = self._base.execute("select coalesce(max(id), 0) from results").fetchone()
        first = max(last + 1, number_at(now))
        for row in done.results:
            facts = {
                "id": first + row.place,
                "job": job,
                "place": row.place,
                "owner": owner,
                "created": created,
                "seed": row.seed,
                "model": done.model,
                "width": row.width,
                "height": row.height,
                "damaged": row.damaged,
                "missing": row.missing,
                "why": row.why,
                "parent": done.parent,
                "words": spaced(done.prompt),
            }
            if row.digest is not None and row.mime is not None and row.bytes is not None:
                facts["picture"] = self._grant(owner, job, Kept(row.digest + SUFFIX[row.mime], row.bytes))
            self._base.execute(
                f"insert into results ({', '.join(facts)}) values ({', '.join(f':{name}' for name in facts)})",  # noqa: S608 - our own names
                facts,
            )

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

    def star(self, owner: str, result_id: int, on: bool) -> bool:
        """Give an owner's result a star, or take it away; return whether there is such a result."""
        with self._writing():
            which = f"id = ? and picture is not null and owner = {OWNER}"
            query = f"update results set star = ? where {which}"  # noqa: S608 - our own words
            return self._base.execute(query, (on, result_id, owner)).rowcount == 1

    def delete_result(self, owner: str, result_id: int) -> tuple[bool, list[str]]:
        """Delete an owner's result, and its job with the last of them.

        Returns:
            Whether there was one, and the names of the files to drop.
        """
        with self._writing():
            query = f"select job from results where id = ? and picture is not null and owner = {OWNER}"  # noqa: S608 - our own words
            found = self._base.execute(query, (result_id, owner)).fetchone()
            return (True, room.remove_result(self._base, result_id, found[0])) if found else (False, [])

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
                self._grant(owner, 0, picture, now)
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
            self._grant(self._owner(owner), 0, picture, now)

    def _grant(self, owner: int, job: int, picture: Kept, since: float | None = None) -> int:
        """Let an owner see a picture, for a job or, from `since` on, for none; return the picture's number."""
        self._base.execute(
            "insert into pictures (name, bytes) values (?, ?) on conflict do nothing", (picture.name, picture.size)
        )
        (number,) = self._base.execute("select number from pictures where name = ?", (picture.name,)).fetchone()
        self._base.execute(
            "insert into grants values (?, ?, ?, ?) on conflict do update set since = excluded.since",
            (number, owner, job, since),
        )
        return int(number)

    def add_reference(self, owner: str, reference: ReferenceRow, now: float) -> None:
        """Let an owner see a reference that is no job's yet, and note what is known of it."""
        with self._writing():
            number = self._owner(owner)
            picture = self._grant(number, 0, Kept(reference.name, reference.bytes), now)
            self._base.execute(
                "insert or replace into refs values (?, ?, ?, ?, ?, ?, ?)",
                (
                    picture,
                    number,
                    reference.width,
                    reference.height,
                    reference.notices,
                    reference.address,
                    reference.parent,
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
        """Forget owners of whom nothing is left, and what jobs cost that were deleted; return how many owners."""
        with self._writing():
            room.forget_spending(self._base, now - SPENDING_COUNTS)
            return room.forget_owners(self._base)
