"""What is kept: jobs and who may see which picture, in SQLite.

A job's row is written before its request is sent, the provider's id as soon as it is known, and the word that
it is done only when its pictures are on the disk. So whatever ends the process, the next one knows where
everything stood. The database belongs to one process at a time, and is used by one thread.
"""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from core.image_types import SUFFIX
from core.job_state import JobState
from storage.files.image_store import ImageStore
from storage.files.private import make_private
from storage.rows import Record, ReferenceRow, ResultRow
from storage.sqlite.migrations import MIGRATIONS

_T = TypeVar("_T")

CHECKED = 64_000_000
"""Bytes of a database that a start checks whole, in a fraction of a second; of a larger one it reads what it needs."""

UNUSED_PART = 4
"""What nobody ran may take a fourth of the quota: uploads cannot drive out the history, nor the history uploads."""


class StoreError(Exception):
    """The folder cannot be used; the message says why and what to do."""


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
    """

    report: str
    recipe: str
    model: str
    parent: str | None
    results: Sequence[ResultRow]


def unusable(folder: Path, error: OSError | sqlite3.Error) -> str:
    """Return in one or two sentences why a data folder cannot be used, and what to do."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without the extended part
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"STUDIO_DATA_DIR is {folder}, and a file is in the way. Set the path of a folder."
    if isinstance(error, OSError):
        return f"The data folder {folder} cannot be made ({error.strerror}). Set STUDIO_DATA_DIR to one that can."
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"Another process uses {folder}. End it, or set STUDIO_DATA_DIR."
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"The data folder {folder} cannot be written. Change its permissions, or set STUDIO_DATA_DIR."
    if code == sqlite3.SQLITE_FULL:
        return f"The disk of the data folder {folder} is full. Make room there, or set STUDIO_DATA_DIR."
    if code == sqlite3.SQLITE_IOERR:
        return f"The disk of the data folder {folder} gives errors ({error}). Check it, or set STUDIO_DATA_DIR."
    return (
        f"The database {folder / 'studio.db'} is damaged. Restore it from a backup together with its -wal file, "
        "or move both away and start empty."
    )


class Freed(NamedTuple):
    """What was given up to make room: how many jobs, and the names and paths of files to delete."""

    jobs: int
    pictures: list[str]
    files: list[str]


def largest_holder_first(rows: Iterable[tuple[str, int, _T]]) -> Iterator[tuple[str, int, _T]]:
    """Yield rows so that always the owner who holds the most bytes of those left loses their oldest.

    Args:
        rows: owner, bytes and item, oldest first.
    """
    left = defaultdict[str, deque[tuple[str, int, _T]]](deque)
    held = defaultdict[str, int](int)
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


class Store:
    """A folder with the database `studio.db` and the pictures.

    Args:
        folder: made where it is missing.

    Raises:
        StoreError: the folder cannot be made or written, another process uses it, a newer version of the app wrote
            it, or the database is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.images = ImageStore(folder / "images")
        database = folder / "studio.db"
        try:
            make_private(folder, database)
            self._base = sqlite3.connect(database, isolation_level=None, check_same_thread=False, timeout=2.0)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(unusable(folder, error)) from error
        try:
            # Exclusive: two processes with one folder would take up each other's jobs, and pay twice.
            self._base.execute("pragma locking_mode = exclusive")
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = full")
            self._base.execute("pragma wal_autocheckpoint = 50")  # pages; else the log alone has 4 MB
            self._base.execute("pragma cache_size = 100")  # pages; the rows that are asked for are the latest
            self._migrate()
            self._check()
        except sqlite3.Error as error:
            self._base.close()
            raise StoreError(unusable(folder, error)) from error
        except StoreError:
            self._base.close()
            raise

    def _check(self) -> None:
        """Read what a start needs, and all of a database of usual size: damage is named now, not at some later click.

        Raises:
            sqlite3.DatabaseError: a page cannot be read, or holds nonsense.
        """
        (pages,), (size,) = (self._base.execute(f"pragma {each}").fetchone() for each in ("page_count", "page_size"))
        self._base.execute("select count(*) from jobs where ended is null").fetchone()
        if pages * size <= CHECKED:
            (answer,) = self._base.execute("pragma quick_check(1)").fetchone()
            if answer != "ok":
                raise sqlite3.DatabaseError(answer)

    def _migrate(self) -> None:
        (version,) = self._base.execute("pragma user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StoreError("A newer version of the app wrote this folder. Update, or set STUDIO_DATA_DIR.")
        self._base.execute("pragma secure_delete = on")  # what a migration replaces is not left in free pages
        for number in range(version, len(MIGRATIONS)):
            with self._writing():
                MIGRATIONS[number](self._base)
                self._base.execute(f"pragma user_version = {number + 1}")
        self._base.execute("pragma secure_delete = off")
        if version < len(MIGRATIONS):
            self._base.execute("pragma wal_checkpoint(truncate)")  # nor in the log

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._base.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._base.execute("rollback")
            raise
        self._base.execute("commit")

    def close(self) -> None:
        """Let go of the database."""
        self._base.close()

    # ---- a job's life ------------------------------------------------------------------------------

    def add(self, record: Record, reference: Kept) -> None:
        """Write a new job and its right to its reference: the intent, before anything is sent.

        Raises:
            CallTaken: the owner's job of the same mark is there.
        """
        row = {name: value for name, value in record.__dict__.items() if name != "results"}
        names = ", ".join(row)
        try:
            with self._writing():
                self._base.execute(f"insert into jobs ({names}) values ({', '.join(f':{name}' for name in row)})", row)  # noqa: S608 - our own names
                self._grant(record.owner, record.id, reference, record.created)
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
        (last,) = self._base.execute("select coalesce(max(id), 0) from results").fetchone()
        number = max(last + 1, int(now * 1_000_000))
        for row in done.results:
            facts = {
                **row.__dict__,
                "id": number + row.place,
                "job": job_id,
                "model": done.model,
                "parent": done.parent,
            }
            self._base.execute(
                f"""insert or ignore into results ({", ".join(facts)}, owner, created)
                select {", ".join(f":{name}" for name in facts)}, owner, created from jobs where id = :job""",  # noqa: S608 - our own names
                facts,
            )
            if row.digest is not None and row.mime is not None:
                self._base.execute(
                    "insert or ignore into pictures select ?, owner, id, ?, ? from jobs where id = ?",
                    (row.digest + SUFFIX[row.mime], row.bytes, now, job_id),
                )

    def unfinished(self) -> list[Record]:
        """Return the jobs that go on, oldest first."""
        return self._records("where ended is null order by created", ())

    def recent(self, owner: str, limit: int, skip: int = 0, since: float = 0.0) -> list[Record]:
        """Return an owner's latest jobs, newest first."""
        which = "where owner = ? and created >= ? order by created desc, id desc limit ? offset ?"
        return self._records(which, (owner, since, limit, skip))

    def find(self, owner: str, job_id: str) -> Record | None:
        """Return an owner's job, None where they have none of that id."""
        return next(iter(self._records("where id = ? and owner = ?", (job_id, owner))), None)

    def find_call(self, owner: str, once: str, since: float) -> Record | None:
        """Return an owner's job by its mark; one that is older gives its mark back."""
        with self._writing():
            self._base.execute(
                "update jobs set once = null where owner = ? and once = ? and created < ?", (owner, once, since)
            )
        return next(iter(self._records("where owner = ? and once = ?", (owner, once))), None)

    def untold(self) -> list[Record]:
        """Return the ended jobs whose end somebody is still to be told."""
        return self._records("where hook is not null and ended is not null order by ended", ())

    def told(self, job_id: str) -> None:
        """Note that nobody is to be told a job's end any more."""
        with self._writing():
            self._base.execute("update jobs set hook = null where id = ?", (job_id,))

    def _records(self, which: str, values: tuple[object, ...]) -> list[Record]:
        return [
            Record(**row | {"own_key": bool(row["own_key"])}, results=self._results(row["id"]))
            for row in self._rows(f"select * from jobs {which}", values)  # noqa: S608 - our own words
        ]

    def _results(self, job_id: str) -> tuple[ResultRow, ...]:
        columns = ", ".join(ResultRow.__dataclass_fields__)
        rows = self._rows(f"select {columns} from results where job = ? order by place", (job_id,))  # noqa: S608 - our own names
        return tuple(ResultRow(**row | {"damaged": bool(row["damaged"])}) for row in rows)

    def _rows(self, query: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        cursor = self._base.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    # ---- uploads -----------------------------------------------------------------------------------

    def ticket(self, owner: str, upload_id: str, now: float) -> None:
        """Note that an owner will upload a picture under an id."""
        with self._writing():
            self._base.execute("insert into uploads values (?, ?, null, ?)", (upload_id, owner, now))

    def awaited(self, upload_id: str) -> bool:
        """Return whether a picture may still come under an id."""
        found = self._base.execute("select 1 from uploads where id = ? and name is null", (upload_id,))
        return found.fetchone() is not None

    def upload(self, upload_id: str, picture: Kept, now: float) -> None:
        """Note which picture came under an id."""
        with self._writing():
            (owner,) = self._base.execute(
                "update uploads set name = ? where id = ? returning owner", (picture.name, upload_id)
            ).fetchone()
            self._grant(owner, "", picture, now)

    def uploaded(self, upload_id: str) -> str | None:
        """Return the file's name of an upload, None where nothing came."""
        found = self._base.execute("select name from uploads where id = ?", (upload_id,)).fetchone()
        return found[0] if found else None

    # ---- files that the page uploaded ----------------------------------------------------------------

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
                "insert into files values (?, ?, ?, ?) on conflict do update set created = excluded.created",
                (path, owner, size, now),
            )

    def owns_file(self, owner: str, path: str) -> bool:
        """Return whether an uploaded file is an owner's."""
        found = self._base.execute("select 1 from files where path = ? and owner = ?", (path, owner))
        return found.fetchone() is not None

    # ---- who may see which picture -----------------------------------------------------------------

    def grant(self, owner: str, picture: Kept, now: float) -> None:
        """Let an owner see a picture that is no job's yet: a reference."""
        with self._writing():
            self._grant(owner, "", picture, now)

    def _grant(self, owner: str, job_id: str, picture: Kept, now: float) -> None:
        self._base.execute(
            "insert into pictures values (?, ?, ?, ?, ?) on conflict do update set kept = excluded.kept",
            (picture.name, owner, job_id, picture.size, now),
        )

    def add_reference(self, owner: str, reference: ReferenceRow, now: float) -> None:
        """Let an owner see a reference that is no job's yet, and note what is known of it."""
        row = {**reference.__dict__, "owner": owner}
        with self._writing():
            self._grant(owner, "", Kept(reference.name, reference.bytes), now)
            self._base.execute(
                f"insert or replace into refs ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)})",  # noqa: S608 - our own names
                row,
            )

    def reference(self, owner: str, name: str) -> ReferenceRow | None:
        """Return what is known of a reference that an owner may still see, None where there is none."""
        columns = ", ".join(ReferenceRow.__dataclass_fields__)
        rows = self._rows(f"select {columns} from refs where name = ? and owner = ?", (name, owner))  # noqa: S608 - our own names
        return ReferenceRow(**rows[0]) if rows and self.may_see(owner, name) else None

    def may_see(self, owner: str, name: str) -> bool:
        """Return whether an owner may see a picture."""
        found = self._base.execute("select 1 from pictures where name = ? and owner = ?", (name, owner))
        return found.fetchone() is not None

    def is_result(self, owner: str, digest: str) -> bool:
        """Return whether a picture was made for an owner."""
        found = self._base.execute("select 1 from results where digest = ? and owner = ?", (digest, owner))
        return found.fetchone() is not None

    def exchange(self, owner: str) -> bool:
        """Return whether an owner is one whose cookie was never signed, and forget that it is."""
        with self._writing():
            return self._base.execute("delete from old_owners where digest = ?", (owner,)).rowcount == 1

    # ---- display sizes, and files that nobody knows --------------------------------------------------

    def displayed(self, name: str, width: int, size: int) -> None:
        """Note the bytes of a picture's copy at a display width."""
        with self._writing():
            self._base.execute("insert or replace into displays values (?, ?, ?)", (name, width, size))

    def known(self, name: str) -> bool:
        """Return whether anybody may see a picture."""
        return self._base.execute("select 1 from pictures where name = ?", (name,)).fetchone() is not None

    # ---- money and room ----------------------------------------------------------------------------

    def spent(self, since: float) -> float:
        """Return the US dollars that jobs with the app owner's keys cost since then; where not known, the estimate."""
        (dollars,) = self._base.execute(
            "select coalesce(sum(coalesce(cost, estimate)), 0.0) from jobs where not own_key and created >= ?", (since,)
        ).fetchone()
        return float(dollars)

    def size(self) -> int:
        """Return the bytes of all pictures, their display copies, and uploaded files."""
        (total,) = self._base.execute(
            """select coalesce(sum(bytes), 0) from (
                select max(bytes) as bytes from pictures group by name union all select bytes from displays
                union all select max(bytes) from files group by path
            )"""
        ).fetchone()
        return int(total)

    def make_room(self, quota: int, spared: str = "", coming: int = 0) -> Freed:
        """Delete rows until what is left, and `coming` bytes of an upload, fit into `quota` bytes.

        Uploaded files and references that nobody ran go down to their part of the quota, then jobs, then the rest of
        what nobody ran. Each time the owner who holds the most of a kind loses their oldest: nobody's small share
        pays for another's large one. Jobs stay that are unfinished or named `spared`.
        """
        freed, jobs, size, unused = Freed(0, [], []), 0, self.size() + coming, self._unused_size() + coming
        items = largest_holder_first(self._unused())  # read from the database only where one is needed
        with self._writing():
            while (size > quota or coming) and unused > quota // UNUSED_PART and (row := next(items, None)):
                size -= self._release_unused(row, freed)
                unused -= row[1]
            for _, _, job_id in largest_holder_first(self._removable_jobs(spared) if size > quota else []):
                if size > quota:
                    self._base.execute("delete from jobs where id = ?", (job_id,))
                    self._base.execute("delete from results where job = ?", (job_id,))
                    left = self._release("job = ?", (job_id,))
                    freed.pictures.extend(left)
                    size -= sum(left.values())
                    jobs += 1
            while size > quota and (row := next(items, None)):
                size -= self._release_unused(row, freed)
        return freed._replace(jobs=jobs)

    def _unused_size(self) -> int:
        (total,) = self._base.execute(
            "select coalesce(sum(bytes), 0) from"
            " (select bytes from files union all select bytes from pictures where job = '')"
        ).fetchone()
        return int(total)

    def _unused(self) -> Iterator[tuple[str, int, tuple[str, str]]]:
        """Yield owner, bytes, and table and name of every file that no job needs, oldest first."""
        found = self._base.execute(
            "select owner, bytes, 'files', path, created as since from files union all"
            " select owner, bytes, 'pictures', name, kept from pictures where job = '' order by since"
        )
        for owner, size, table, name, _ in found:
            yield owner, size, (table, name)

    def _release_unused(self, row: tuple[str, int, tuple[str, str]], freed: Freed) -> int:
        """Take back an owner's right to an unused file; return the bytes that this frees."""
        owner, size, (table, name) = row
        if table == "pictures":
            left = self._release("job = '' and name = ? and owner = ?", (name, owner))
            freed.pictures.extend(left)
            return sum(left.values())
        self._base.execute("delete from files where path = ? and owner = ?", (name, owner))
        if self._base.execute("select 1 from files where path = ?", (name,)).fetchone():
            return 0
        freed.files.append(name)
        return size

    def _removable_jobs(self, spared: str) -> list[tuple[str, int, str]]:
        return self._base.execute(
            "select jobs.owner, coalesce(sum(bytes), 0), jobs.id from jobs left join pictures on job = jobs.id"
            " where ended is not null and jobs.id != ? group by jobs.id order by created",
            (spared,),
        ).fetchall()

    def delete(self, owner: str, job_id: str) -> tuple[bool, list[str]]:
        """Forget an owner's ended job; return whether there was one, and the names of the files to drop."""
        with self._writing():
            gone = self._base.execute(
                "delete from jobs where id = ? and owner = ? and ended is not null", (job_id, owner)
            ).rowcount
            if gone:
                self._base.execute("delete from results where job = ?", (job_id,))
            return bool(gone), list(self._release("job = ?", (job_id,))) if gone else []

    def forget(self, before: float) -> list[str]:
        """Forget references kept before then that no job uses; return the names of the files to drop."""
        with self._writing():
            self._base.execute("delete from uploads where created < ?", (before,))
            self._base.execute("delete from files where created < ?", (before,))  # `drop_older` deletes the files
            freed = list(self._release("job = '' and kept < ?", (before,)))
            self._base.execute(
                "delete from refs where not exists"
                " (select 1 from pictures where pictures.name = refs.name and pictures.owner = refs.owner)"
            )
            return freed

    def _release(self, which: str, values: tuple[object, ...]) -> dict[str, int]:
        """Take rights back; return the pictures that are nobody's any more, with the bytes of all their files."""
        held = dict(self._base.execute(f"select name, bytes from pictures where {which}", values).fetchall())  # noqa: S608 - our own words
        self._base.execute(f"delete from pictures where {which}", values)  # noqa: S608 - our own words
        gone = {name: size for name, size in held.items() if not self.known(name)}
        for name in gone:
            copies = self._base.execute("delete from displays where name = ? returning bytes", (name,)).fetchall()
            gone[name] += sum(size for (size,) in copies)
        return gone
