"""Everything out as archives and into another folder: owners apart, nothing lost, nothing twice."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from storage.protocols import ShareFull
from storage.rows import Marks
from storage.sqlite.database import StoreError
from storage.sqlite.store import Store
from storage.transfer import Moved, export_all, import_all
from tests.support.ended_jobs import ended_job

QUOTA = 10**9
COLUMNS = ("place", "seed", "model", "file", "width", "height", "bytes", "star", "note", "tags", "prompt", "cost")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of two owners, closed."""
    store = Store(tmp_path / "data")
    for number in range(3):
        ended_job(store, "ann", number)
    ended_job(store, "bob/he", 3)
    rows = store.result_page("ann", 100).rows
    project = store.add_project("ann", "Lakes", 50.0).id
    store.mark("ann", [rows[0].id], Marks(star=True, note="best", project=project), QUOTA)
    store.mark("ann", [rows[1].id], Marks(add_tags=("blue", "日本")), QUOTA)
    store.close()
    return tmp_path / "data"


def contents(folder: Path, owner: str) -> list[tuple[object, ...]]:
    """Return what there is of an owner's, newest first, after each file was read."""
    store = Store(folder)
    try:
        rows = store.result_page(owner, 1000).rows
        for row in rows:
            assert row.file is not None
            assert hashlib.sha256(store.images.path(row.file).read_bytes()).hexdigest() == row.digest
        projects = {each.id: each.name for each in store.projects(owner)}
        return [
            (*(getattr(row, name) for name in COLUMNS), row.created, projects.get(row.project or 0), row.recipe)
            for row in rows
        ]
    finally:
        store.close()


@pytest.mark.parametrize("limit", [2000, 2])
def test_another_folder_has_the_same_afterwards(data: Path, tmp_path: Path, limit: int) -> None:
    moved = export_all(data, tmp_path / "out", limit)
    assert (moved.owners, moved.results) == (2, 12)
    assert moved.archives == {2000: 2, 2: 7}[limit]
    assert import_all(tmp_path / "out", tmp_path / "new", QUOTA) == moved
    for owner in ("ann", "bob/he", "carl"):
        assert contents(tmp_path / "new", owner) == contents(data, owner)
    assert import_all(tmp_path / "out", tmp_path / "new", QUOTA) == replace(moved, results=0)
    assert import_all(tmp_path / "out", data, QUOTA) == replace(moved, results=0)


def test_it_is_exported_while_the_app_runs_and_taken_in_only_when_it_does_not(data: Path, tmp_path: Path) -> None:
    running = Store(data)
    assert export_all(data, tmp_path / "out") == Moved(2, 2, 12)
    with pytest.raises(StoreError, match="Another process"):
        import_all(tmp_path / "out", data, QUOTA)
    running.close()


def test_a_later_export_leaves_no_archive_of_an_earlier_one(data: Path, tmp_path: Path) -> None:
    export_all(data, tmp_path / "out", 2)
    assert export_all(data, tmp_path / "out") == Moved(2, 2, 12)
    assert len(list((tmp_path / "out").rglob("*.*"))) == 2


def test_what_a_deleted_job_has_left_is_exported(data: Path, tmp_path: Path) -> None:
    store = Store(data)
    rows = store.result_page("ann", 100).rows
    store.trash("ann", [rows[0].id], 2000.0)
    store.images.path(str(rows[1].file)).unlink()
    store.close()
    export_all(data, tmp_path / "out")
    assert import_all(tmp_path / "out", tmp_path / "new", QUOTA).results == 10  # without a deleted and a lost one
    assert len(contents(tmp_path / "new", "ann")) == 4


def test_damaged_rows_are_left_out(data: Path, tmp_path: Path) -> None:
    store = Store(data)
    store._base.execute("update jobs set recipe = '{' where id = 'ann0'")
    store.close()
    assert export_all(data, tmp_path / "out").results == 9


def test_more_stars_than_the_share_protects_are_refused(data: Path, tmp_path: Path) -> None:
    export_all(data, tmp_path / "out")
    with pytest.raises(ShareFull):
        import_all(tmp_path / "out", tmp_path / "new", 10)


def test_what_is_missing_or_of_another_version_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        export_all(tmp_path / "none", tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        import_all(tmp_path / "none", tmp_path / "new", QUOTA)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="a file is in the way"):
        export_all(data, tmp_path / "file")
    store = Store(data)
    store._base.execute("pragma user_version = 1")
    store.close()
    with pytest.raises(StoreError):
        export_all(data, tmp_path / "out")
