"""What an archive is made of, and what becomes of it in a database that has rows already."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from core.recipe import ImageRef, Recipe
from storage.archive import Archive, ArchivedImage, ArchivedJob, Manifest, written
from storage.async_store import AsyncStore
from storage.rows import Marks
from storage.sqlite.store import Store
from tests.support.ended_jobs import ended_job, picture

QUOTA = 10**9


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def missing(id: str, *, created: float = 100.0, made: float = 200.0, **recipe: object) -> ArchivedJob:
    """Return a job whose one image is missing, so that it needs no file."""
    values = {"backend": "fake", "prompt": "a lake", "params": {}, "seed": 1, "seeds": (1,), **recipe}
    return ArchivedJob(
        id=id,
        backend="fake",
        created=created,
        ended=made,
        recipe=Recipe.model_validate(values),
        report={"timings": {}, "notices": []},
        images=(ArchivedImage(place=0, seed=1, model="m", made=made, missing="nsfw"),),
    )


def test_only_what_is_in_the_project_is_archived(store: Store) -> None:
    for number in range(2):
        ended_job(store, "ann", number)
    kept = store.result_page("ann", 10).rows[0]
    project = store.add_project("ann", "Lakes", 1.0).id
    store.mark("ann", [kept.id], Marks(project=project), QUOTA)
    jobs, more = store.archived_jobs("ann", project)
    assert ([image.project for job in jobs for image in job.images], more) == (["Lakes"], None)


def test_results_are_archived_by_their_ids_and_another_owners_are_left_out(store: Store) -> None:
    for number, owner in enumerate(("ann", "ann", "bob")):
        ended_job(store, owner, number)
    ids = [row.id for owner in ("ann", "bob") for row in store.result_page(owner, 10).rows]
    jobs, _ = store.archived_jobs("ann", None, ids=[ids[0], ids[-1]])
    assert [round(image.made * 1_000_000) for job in jobs for image in job.images] == [ids[0]]


def test_jobs_and_results_of_the_same_moment_get_numbers_of_their_own(store: Store) -> None:
    assert store.take_in("ann", missing("a"), [], QUOTA, 1.0) == 1
    assert store.take_in("ann", missing("b"), [], QUOTA, 1.0) == 1
    jobs, _ = store.archived_jobs("ann", None)
    assert len({image.made for job in jobs for image in job.images}) == 2
    assert store.take_in("ann", missing("b"), [], QUOTA, 1.0) == 0


@pytest.mark.parametrize("mime", [None, "image/unheard-of"])
def test_a_reference_that_cannot_be_stored_is_left_out(store: Store, mime: str | None) -> None:
    reference = mime and ImageRef(digest="0" * 64, mime=mime, width=1, height=1, size=1)
    store.take_in("ann", missing("a", reference=reference), [], QUOTA, 1.0)
    ((job,), _) = store.archived_jobs("ann", None)
    assert job.reference is None


def test_a_picture_and_what_is_missing_beside_it_go_from_the_trash_together(store: Store) -> None:
    ended_job(store, "ann", 1, images=1)
    ((job,), _) = store.archived_jobs("ann", None)
    ids = [round(image.made * 1_000_000) for image in job.images]
    assert len(store.trash("ann", ids, 5000.0)[0]) == 2
    assert len(store.purge(6000.0).pictures) == 2
    assert store.archived_jobs("ann", None) == ([], None)


async def test_the_library_hands_jobs_out_and_takes_them_in(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    ended_job(store, "ann", 1)
    there = AsyncStore(store)
    jobs, _ = await there.library.archived("ann", None)
    files = {file.name: store.images.path(file.stored) for job in jobs for file in (job.images[0].file,) if file}
    archive = Archive(io.BytesIO(b"".join(written(Manifest(jobs=tuple(jobs)), files, {}))), QUOTA)
    assert [await there.library.take_in("bob", archive, job, QUOTA) for job in jobs] == [2]  # one file is not in it
    (row,) = (await there.library.page("bob", 10)).rows
    assert store.images.path(str(row.file)).read_bytes() == picture(11)
    await there.close()
