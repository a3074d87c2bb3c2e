"""Errors of the disk in words, and whether it takes anything now."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from core.errors import DiskFull
from storage.async_store import AsyncStore
from storage.files.disk import EVERY, DiskProbe, disk_errors, disk_full
from storage.sqlite.store import Store
from tests.support.fakes import make_reference, picture_bytes


def take_nothing(path: Path, data: bytes) -> None:
    """Write a picture's file on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_called_full_without_a_path(number: int) -> None:
    error = disk_full(OSError(number, "No space left", "/srv/data/images/x"))
    assert error is not None
    assert str(error) == "The disk is full. Free some space on the disk that holds this app's data, and try again."


@pytest.mark.parametrize("number", [errno.EROFS, errno.EIO, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_called_so(number: int) -> None:
    assert "cannot be written to" in str(disk_full(OSError(number, "x")))


def sqlite_error(tmp_path: Path, statement: str) -> sqlite3.Error:
    base = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    try:
        base.execute("pragma max_page_count = 2")
        base.execute("create table t (x)")
        base.execute(statement)
    except sqlite3.Error as error:
        return error
    finally:
        base.close()
    raise AssertionError("it went well")


def test_a_database_that_is_full_is_a_full_disk_and_a_wrong_statement_is_not(tmp_path: Path) -> None:
    full = sqlite_error(tmp_path, "insert into t values (zeroblob(100000))")
    assert "The disk is full." in str(disk_full(full))
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    assert disk_full(sqlite_error(tmp_path, "nonsense")) is None


@pytest.mark.parametrize("error", [ConnectionResetError(errno.ECONNRESET, "x"), FileNotFoundError(errno.ENOENT, "x")])
def test_other_errors_are_left_as_they_are(error: OSError) -> None:
    with pytest.raises(type(error)), disk_errors():
        raise error


async def test_uploads_and_references_say_that_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.files.image_store.write_whole", take_nothing)
    store = Store(tmp_path)
    keeper = AsyncStore(store)
    await keeper.ticket("ann", "1" * 32)
    for kept in (
        keeper.upload("1" * 32, make_reference()),
        keeper.keep("ann", picture_bytes(), "image/png"),
    ):
        with pytest.raises(DiskFull, match="The disk is full"):
            await kept
    await keeper.close()


# ---- the probe ---------------------------------------------------------------------------------------


async def test_a_disk_that_takes_files_has_no_fault_and_keeps_no_probe(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert await DiskProbe(store.images).fault() is None
    assert not [each for each in os.listdir(tmp_path) if each.startswith(".probe")]
    store.close()


async def test_a_refused_picture_is_a_fault_until_as_much_fits_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = Store(tmp_path), Clock()
    monkeypatch.setattr("storage.files.image_store.write_whole", take_nothing)
    images = store.images
    probe = DiskProbe(images, clock)
    assert await probe.fault() is None
    with pytest.raises(OSError, match="No space"):
        images.put(b"x" * 300_000, "image/png")
    room = 100_000
    urandom = os.urandom

    def limited(size: int) -> bytes:
        if size > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return urandom(size)

    monkeypatch.setattr("storage.files.disk.os.urandom", limited)
    assert await probe.fault() is None  # a look stands for a while
    clock.now += EVERY
    assert "The disk is full" in str(await probe.fault())
    room = 1_000_000
    clock.now += EVERY
    assert await probe.fault() is None
    assert images.refused == 0
    store.close()


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_database_that_was_removed_under_the_app_is_a_fault(tmp_path: Path, replaced: bool) -> None:
    store = Store(tmp_path / "data")
    probe = DiskProbe(store.images)
    shutil.rmtree(tmp_path / "data")
    if replaced:
        (tmp_path / "data").mkdir()
        (tmp_path / "other").write_bytes(b"")
        (tmp_path / "data" / "studio.db").write_bytes(b"")
    assert "database file was removed or replaced" in str(await probe.fault())
    store.close()


async def test_many_who_ask_at_once_share_one_look(tmp_path: Path) -> None:
    looks: list[int] = []

    class Counted(DiskProbe):
        def _look(self) -> str | None:
            looks.append(1)
            return super()._look()

    store = Store(tmp_path)
    probe = Counted(store.images)
    assert await asyncio.gather(*(probe.fault() for _ in range(50))) == [None] * 50
    assert len(looks) == 1
    store.close()
