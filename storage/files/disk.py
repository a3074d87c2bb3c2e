"""The disk under the data folder: what its errors mean, and whether it takes anything now."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.errors import DiskFull
from core.messages import Message, message
from storage.files.image_store import ImageStore

log = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT)
SHUT = (errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM)
SQLITE_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
"""Primary result codes of SQLite for errors of the disk."""
PROBE = 65_536
"""Bytes that are written to see whether the disk takes anything."""
EVERY = 5.0
"""Seconds for which a look at the disk stands."""
PATIENCE = 5.0
"""Seconds after which a disk that does not answer counts as one that takes nothing."""


def disk_full(error: BaseException) -> DiskFull | None:
    """Return what an error of the system or of SQLite says of the disk, None where it says nothing of it."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.Error):
        if code is None or code & 0xFF not in SQLITE_DISK:
            return None
        full = code & 0xFF == sqlite3.SQLITE_FULL
    elif isinstance(error, OSError) and error.errno in (*FULL, *SHUT):
        full = error.errno in FULL
    else:
        return None
    if full:
        return DiskFull("disk-full")
    return DiskFull("disk-readonly")


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn errors of the disk into `DiskFull`.

    Raises:
        DiskFull: the disk takes nothing.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        words = disk_full(error)
        if words is None:
            raise
        log.warning("the disk takes nothing: %s", error)
        raise words from error


class DiskProbe:
    """Looks whether the data folder can be written to, at most once in `EVERY` seconds, on a thread of its own.

    Args:
        images: the store of pictures, whose folder lies beside the database.
        now: seconds that never go back.
    """

    def __init__(self, images: ImageStore, now: Callable[[], float] = time.monotonic) -> None:
        self._images = images
        self._base = images.folder.parent / "studio.db"
        self._open = _identity(self._base)
        self._now = now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="disk")
        self._lock = asyncio.Lock()
        self._looked: float | None = None
        self._fault: Message | None = None

    async def fault(self) -> Message | None:
        """Return why nothing can be stored, None where it can."""
        async with self._lock:
            if self._looked is None or self._now() - self._looked >= EVERY:
                looking = asyncio.get_running_loop().run_in_executor(self._thread, self._look)
                try:
                    async with asyncio.timeout(PATIENCE):
                        self._fault = await asyncio.shield(looking)
                except TimeoutError:
                    self._fault = message("disk-silent")
                self._looked = self._now()
        return self._fault

    def _look(self) -> Message | None:
        if _identity(self._base) != self._open:
            return message("disk-database-replaced")
        refused = self._images.refused
        try:
            with tempfile.NamedTemporaryFile(dir=self._base.parent, prefix=".probe") as file:
                file.write(os.urandom(max(PROBE, refused)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return (disk_full(error) or DiskFull("disk-readonly")).message
        self._images.refused = 0
        return None


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file a path leads to, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
