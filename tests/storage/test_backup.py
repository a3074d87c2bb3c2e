"""A backup: whole, also of a folder that is written to meanwhile, and one that the app can start from."""

from __future__ import annotations

import hashlib
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.job_state import JobState
from storage.backup import Backup, back_up
from storage.rows import Done, Record, ResultRow
from storage.sqlite.database import StoreError
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store

RECORD = Record(id="j0", owner="ann", backend="fake", created=100.0, recipe="{}", remote="[null]")


def make(store: Store, number: int) -> str:
    """Write a job that has ended with one picture, and return the picture's name."""
    data = b"picture %d" % number
    name = store.images.put(data, "image/png").name
    store.add(replace(RECORD, id=f"j{number}", created=100.0 + number), Kept(name, len(data)))
    row = ResultRow(place=0, seed=1, digest=name[:64], mime="image/png", width=4, height=3, bytes=len(data))
    store.end(f"j{number}", JobState.DONE, 200.0 + number, done=Done("{}", "{}", "m", None, [row]))
    return name


def whole(folder: Path) -> list[str]:
    """Return the jobs of a restored folder, each of whose pictures is there with its own content."""
    store = Store(folder)
    try:
        rows = store.result_page("ann", 10_000).rows
        for row in rows:
            assert hashlib.sha256(store.images.path(str(row.file)).read_bytes()).hexdigest() == row.digest
        return [row.job for row in reversed(rows)]
    finally:
        store.close()


def test_a_backup_of_a_running_app_starts_with_all_that_was_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    for number in range(3):
        make(store, number)
    (tmp_path / "data" / "links.key").write_bytes(b"secret")
    assert back_up(tmp_path / "data", tmp_path / "copy") == Backup(3, 3, ())
    make(store, 3)
    assert whole(tmp_path / "copy") == ["j0", "j1", "j2"]
    assert (tmp_path / "copy" / "links.key").read_bytes() == b"secret"
    for path in ("studio.db", "links.key", f"images/{next((tmp_path / 'copy' / 'images').iterdir()).name}"):
        assert stat.S_IMODE((tmp_path / "copy" / path).stat().st_mode) == 0o600, path
    store.close()


def test_a_later_backup_copies_what_is_new_and_drops_what_is_gone(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    gone = make(store, 0)
    make(store, 1)
    back_up(tmp_path / "data", tmp_path / "copy")
    assert whole(tmp_path / "copy") == ["j0", "j1"]  # opened by an app meanwhile
    found, names = store.delete("ann", "j0")
    assert found
    store.images.drop(names)
    make(store, 2)
    assert back_up(tmp_path / "data", tmp_path / "copy") == Backup(2, 1, ())
    assert whole(tmp_path / "copy") == ["j1", "j2"]
    assert not (tmp_path / "copy" / "images" / gone).exists()
    store.close()


def test_a_backup_is_whole_while_the_folder_is_written_to(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    make(store, 0)
    ended = threading.Event()

    def write() -> None:
        for number in range(1, 200):
            make(store, number)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    backups = 0
    while not ended.is_set() or not backups:
        found = back_up(tmp_path / "data", tmp_path / "copy")
        assert found.missing == ()
        backups += 1
    writer.join()
    back_up(tmp_path / "data", tmp_path / "copy")
    assert len(whole(tmp_path / "copy")) == 200
    store.close()


def test_a_picture_that_was_deleted_meanwhile_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    name = make(store, 0)
    store.images.path(name).unlink()
    assert back_up(tmp_path / "data", tmp_path / "copy") == Backup(0, 0, (name,))
    store.close()


def test_a_folder_without_a_database_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        back_up(tmp_path, tmp_path / "copy")


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "studio.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="damaged"):
        back_up(tmp_path / "data", tmp_path / "copy")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="a file is in the way"):
        back_up(tmp_path / "data", tmp_path / "file")
