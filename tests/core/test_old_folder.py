"""A public data folder from before owners were digests: visitors keep what is theirs, and the disk opens nothing."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.schema import MIGRATIONS
from core.store import Kept, Store
from tests.support.old_data_folder import ANN, BOB, OTHERS, digest, make_old_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_old_folder(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = Store(folder)
    yield store
    store.close()


def test_the_fixture_is_such_a_folder(folder: Path) -> None:
    assert ANN.encode() in (folder / "studio.db").read_bytes()


def test_jobs_pictures_and_uploads_belong_to_the_digests_of_their_owners(store: Store) -> None:
    assert [each.id for each in store.recent(digest(ANN), 10)] == ["j0"]
    assert store.may_see(digest(ANN), "p.png")
    assert store.may_see(digest(BOB), "q.png")
    assert not store.may_see(ANN, "p.png")
    assert store.find_call(digest(ANN), "mark", 0.0) is not None
    store.upload("u", Kept("u.png", 7), 2.0)
    assert store.may_see(digest(BOB), "u.png")


@pytest.mark.parametrize("owner", OTHERS)
def test_accounts_keys_and_personal_machines_keep_their_names(store: Store, owner: str) -> None:
    assert len(store.recent(owner, 10)) == 1
    assert store.may_see(owner, "p.png")
    assert not store.exchange(digest(owner))


@pytest.mark.parametrize("token", [ANN, BOB])
def test_an_owner_from_then_is_exchanged_once(store: Store, folder: Path, token: str) -> None:
    assert not store.exchange(token)
    assert store.exchange(digest(token))
    assert not store.exchange(digest(token))
    store.close()
    again = Store(folder)
    assert not again.exchange(digest(token))
    again.close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_folder_of_each_earlier_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    (tmp_path / "data").mkdir()
    base = sqlite3.connect(tmp_path / "data" / "studio.db", isolation_level=None)
    base.create_function("sha256", 1, digest)
    for statements in MIGRATIONS[:version]:
        for statement in statements:
            base.execute(statement)
    base.execute(f"pragma user_version = {version}")
    base.execute("insert into pictures values ('p.png', 'local', '', 7, 1.0)")
    base.close()
    store = Store(tmp_path / "data")
    store.add_file("local", "ab/photo.png", 5, 1.0)
    store.displayed("p.png", 256, 3)
    assert store.may_see("local", "p.png")
    assert store.size() == 7 + 5 + 3
    store.close()


def test_no_token_is_left_in_any_file(store: Store, folder: Path) -> None:
    for path in folder.glob("studio.db*"):
        content = path.read_bytes()
        assert ANN.encode() not in content
        assert BOB.encode() not in content
    store.close()
    assert ANN.encode() not in (folder / "studio.db").read_bytes()


def test_an_owner_of_today_is_no_old_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    assert not store.exchange(digest(ANN))
    store.close()


def modes(folder: Path) -> dict[str, int]:
    paths = (folder, *folder.iterdir())
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}


def test_an_old_folder_is_closed_to_other_users(store: Store, folder: Path) -> None:
    assert modes(folder) == {"data": 0o700, "images": 0o700, "uploads": 0o700, "studio.db": 0o600} | (
        {"studio.db-wal": 0o600} if (folder / "studio.db-wal").exists() else {}
    )


def test_a_new_folder_is_closed_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "data")
        store.images.put(b"bytes", "image/png")
    finally:
        os.umask(before)
    assert {mode & 0o077 for mode in modes(tmp_path / "data").values()} == {0}
    assert {mode & 0o077 for mode in modes(tmp_path / "data" / "images").values()} == {0}
    store.close()


def test_a_folder_with_other_peoples_files_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    tmp_path.chmod(0o755)
    for _ in range(2):
        Store(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "studio.db").stat().st_mode) == 0o600
