"""The database of a data folder: one process, one connection that writes, others that read beside it."""

from __future__ import annotations

import contextlib
import errno
import logging
import shutil
import sqlite3
from collections import namedtuple
from pathlib import Path

import filelock
import pytest

from storage.async_store import AsyncStore
from storage.sqlite.database import StoreError
from storage.sqlite.inserts import Kept
from storage.sqlite.migrations import MIGRATIONS
from storage.sqlite.store import Store
from tests.support.old_data_folder import ANN, digest, make_old_folder

BEFORE_RECIPES = Path(__file__).parent / "data" / "before_recipes"
PICTURE = Kept("p.png", 7)


def test_a_reader_sees_what_was_committed_while_another_is_in_the_middle_of_reading(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, two = store.open_reader(), store.open_reader()
    assert one is not None
    assert two is not None
    store.grant("ann", PICTURE, 1.0)
    with one._snapshot():
        assert one.may_see("ann", "p.png")
        store.forget(2.0)
        assert one.may_see("ann", "p.png"), "as it was when it began to read"
        assert not two.may_see("ann", "p.png")
    for each in (one, two, store):
        each.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    store = Store(tmp_path)
    reader = store.open_reader()
    assert reader is not None
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._base.execute("delete from totals")
    reader.close()
    store.close()


def without_shared_memory(folder: Path) -> None:
    """Put something where the shared memory of the database would be."""
    folder.mkdir(exist_ok=True)
    (folder / "studio.db-shm").mkdir()


def test_where_shared_memory_cannot_be_made_one_connection_does_everything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    without_shared_memory(tmp_path / "data")
    with caplog.at_level(logging.WARNING, "storage"):
        store = Store(tmp_path / "data")
    assert [each.message.endswith("reads wait for writes") for each in caplog.records] == [True]
    assert store.open_reader() is None
    store.grant("ann", PICTURE, 1.0)
    assert store.may_see("ann", "p.png")
    with pytest.raises(StoreError, match="Another process"):
        Store(tmp_path / "data")
    store.close()


async def test_an_owner_from_before_signed_cookies_is_exchanged_once_whoever_asks_how_often(tmp_path: Path) -> None:
    make_old_folder(tmp_path / "data")
    store = AsyncStore(Store(tmp_path / "data"))
    assert [await store.exchange(digest(ANN)) for _ in range(2)] == [True, False]
    await store.close()


async def test_an_exclusive_database_is_read_on_the_thread_that_writes(tmp_path: Path) -> None:
    without_shared_memory(tmp_path / "data")
    store = AsyncStore(Store(tmp_path / "data"))
    file = await store.keep("ann", b"bytes", "image/png")
    assert await store.may_see("ann", file.name)
    await store.close()


def test_where_the_disk_has_no_file_locks_sqlites_own_keeps_others_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acquire(lock: filelock.FileLock) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    store = Store(tmp_path)
    assert store.open_reader() is None
    with pytest.raises(StoreError, match="Another process"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()


def test_a_database_that_cannot_be_opened_at_all_is_refused_and_its_lock_given_back(tmp_path: Path) -> None:
    (tmp_path / "studio.db-wal").mkdir()
    for _ in range(2):
        with pytest.raises(StoreError, match="gives errors"):
            Store(tmp_path)
    (tmp_path / "studio.db-wal").rmdir()
    Store(tmp_path).close()


def test_a_database_that_another_program_has_open_for_itself_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    other = sqlite3.connect(tmp_path / "studio.db", isolation_level=None)
    other.execute("pragma locking_mode = exclusive")
    other.execute("delete from totals where stored = 5")
    with pytest.raises(StoreError, match="Another process"):
        Store(tmp_path)
    other.close()


@pytest.mark.parametrize("room", [True, False])
def test_an_update_gives_the_space_back_that_it_freed_where_the_disk_has_room_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40 if room else 0))
    shutil.copytree(BEFORE_RECIPES, tmp_path / "data")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "studio.db", isolation_level=None)) as old:
        old.executescript("create table t (x); insert into t values (zeroblob(1000000)); drop table t")
    store = Store(tmp_path / "data")
    (free,) = store._base.execute("pragma freelist_count").fetchone()
    assert (free == 0) == room
    assert store._base.execute("pragma user_version").fetchone() == (len(MIGRATIONS),)
    store.close()
