"""The database of a data folder: one process owns it, one connection writes, others read beside it.

A lock file keeps a second process out, so SQLite itself need not lock readers out. Where the shared memory that
readers need cannot be mapped, as on some network disks, one exclusive connection does everything.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import StartError
from storage.files.private import close, make_private
from storage.sqlite.migrations import MIGRATIONS

log = logging.getLogger(__name__)

CHECKED = 64_000_000
"""Bytes of a database that a start checks whole, in a fraction of a second; of a larger one it reads what it needs."""
WAL_PAGES = 100
"""Pages of the write-ahead log after which it is copied into the database; SQLite's own default is 4 MB."""
CACHE_PAGES = 100
"""Pages that the connection that writes caches; the rows that are asked for are the latest."""
READER_PAGES = 50
"""Pages that each connection that reads caches: every write empties its cache, and the system caches the file too."""
NO_SHARED_MEMORY = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY)
"""Primary result codes of SQLite where the shared memory beside a database cannot be made or mapped."""


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a connection that can only read, and sees what was committed before each of its statements.

    Raises:
        sqlite3.Error: there is no such database, or it cannot be opened.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=2.0
    )


@cache
def empty_database() -> bytes:
    """Return a database of today's version without a row, as all the migrations make it."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as base:
        for migrate in MIGRATIONS:
            migrate(base)
        base.execute(f"pragma user_version = {len(MIGRATIONS)}")
        base.execute("vacuum")
        return base.serialize()


class StoreError(StartError):
    """The folder cannot be used; the message says why and what to do."""


def unusable(folder: Path, error: OSError | sqlite3.Error) -> StoreError:
    """Return why a data folder cannot be used, and what to do."""
    place = str(folder)
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without the extended part
    if isinstance(error, Timeout) or code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError("folder-in-use", folder=place)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return StoreError("folder-is-file", folder=place)
    if isinstance(error, OSError):
        return StoreError("folder-cannot-be-made", folder=place, reason=str(error.strerror))
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreError("folder-readonly", folder=place)
    if code == sqlite3.SQLITE_FULL:
        return StoreError("folder-full", folder=place)
    if code == sqlite3.SQLITE_IOERR:
        return StoreError("folder-disk-errors", folder=place, reason=str(error))
    return StoreError("folder-damaged", database=str(folder / "studio.db"))


class Database:
    """The file `studio.db` of a data folder, opened, locked and brought up to date.

    Args:
        folder: made where it is missing.

    Attributes:
        base: the connection that writes; for one thread at a time.
        exclusive: whether it shuts out every other connection, so that there are no readers.

    Raises:
        StoreError: the folder cannot be made or written, another process uses it, a newer version of the app wrote
            it, or the database is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "studio.db"
        self._lock = FileLock(f"{self._path}.lock", timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False)
        self.exclusive = False
        try:
            make_private(folder, self._path)
            self._acquire()
            self.base = self._open()
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            raise unusable(folder, error) from error
        try:
            self._migrate()
            self._check()
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise unusable(folder, error) from error
            raise

    def _acquire(self) -> None:
        """Take the lock: two processes with one folder would take up each other's jobs, and pay twice.

        Raises:
            Timeout: another process has it.
        """
        try:
            self._lock.acquire()
        except Timeout:  # an OSError too
            raise
        except (OSError, NotImplementedError) as error:  # how filelock says that a disk has no locks
            log.warning("the disk of %s has no file locks (%s): SQLite's own lock is used", self._path.parent, error)
            self.exclusive = True

    def _open(self) -> sqlite3.Connection:
        """Return the connection that writes; an exclusive one where others could not read beside it."""
        if not self.exclusive:
            try:
                return self._writer()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in NO_SHARED_MEMORY:
                    raise
                log.warning("%s cannot be shared by connections (%s): reads wait for writes", self._path, error)
                self.exclusive = True
        return self._writer()

    def _writer(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=2.0)
        try:
            base.execute(f"pragma locking_mode = {'exclusive' if self.exclusive else 'normal'}")
            base.execute("pragma journal_mode = wal")
            base.execute("pragma synchronous = full")
            base.execute(f"pragma wal_autocheckpoint = {WAL_PAGES}")
            base.execute(f"pragma cache_size = {CACHE_PAGES}")
            base.execute("begin immediate")  # which takes the lock, or fails where it would be missed later
            base.execute("rollback")
            for suffix in ("-wal", "-shm"):
                close(self._path.with_name(self._path.name + suffix), 0o600)
        except BaseException:
            base.close()
            raise
        return base

    def open_reader(self) -> sqlite3.Connection:
        """Open another connection, which can only read and sees what was committed before each of its statements.

        For a database that is not `exclusive`. The caller closes it before the database is closed.
        """
        base = open_read_only(self._path)
        base.execute(f"pragma cache_size = {READER_PAGES}")
        return base

    def _check(self) -> None:
        """Read what a start needs, and all of a database of usual size: damage is named now, not at some later click.

        Raises:
            sqlite3.DatabaseError: a page cannot be read, or holds nonsense.
        """
        (pages,), (size,) = (self.base.execute(f"pragma {each}").fetchone() for each in ("page_count", "page_size"))
        self.base.execute("select count(*) from jobs where ended is null").fetchone()
        if pages * size <= CHECKED:
            (answer,) = self.base.execute("pragma quick_check(1)").fetchone()
            if answer != "ok":
                raise sqlite3.DatabaseError(answer)

    def _migrate(self) -> None:
        (version,) = self.base.execute("pragma user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StoreError("folder-of-newer-version")
        if version == len(MIGRATIONS):
            return
        if self.base.execute("select count(*) from sqlite_schema").fetchone() == (0,):
            self._begin()
            return
        self.base.execute("pragma secure_delete = on")  # what a migration replaces is not left in free pages
        for number in range(version, len(MIGRATIONS)):
            with self.writing():
                MIGRATIONS[number](self.base)
                self.base.execute(f"pragma user_version = {number + 1}")
        self.base.execute("pragma secure_delete = off")
        if shutil.disk_usage(self._path.parent).free > 2 * self._path.stat().st_size:  # it is copied twice meanwhile
            self.base.execute("vacuum")
        self.base.execute("pragma wal_checkpoint(truncate)")  # nor in the log

    def _begin(self) -> None:
        """Copy the empty database into a new file, at once: step by step it would wait forty times for the disk."""
        with contextlib.closing(sqlite3.connect(":memory:")) as empty:
            empty.deserialize(empty_database())
            empty.backup(self.base)
        self.base.execute("pragma wal_checkpoint(truncate)")

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the writing connection in a transaction, which an exception rolls back."""
        self.base.execute("begin immediate")
        try:
            yield self.base
        except BaseException:
            self.base.execute("rollback")
            raise
        self.base.execute("commit")

    def close(self) -> None:
        """Close the connection that writes, and let the next process in."""
        self.base.close()
        self._lock.release()
