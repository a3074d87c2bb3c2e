"""Each picture that came is measured against its reference once, outside of what runs wait for."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from core.backend import Backend
from core.imaging.images import encode
from core.job import Visitor
from core.request import EditRequest
from engine import meters
from engine.meters import drift_of, measured
from engine.services import Services
from storage.rows import Figures, LibraryRow
from tests.support.fakes import FakeBackend, make_reference, make_spec, picture_bytes, settle
from tests.support.services import services_at

ANN = Visitor(owner="ann")


@asynccontextmanager
async def running(folder: Path, backend: Backend | None = None) -> AsyncIterator[Services]:
    """Yield the services on a folder, after they have gone on with what an earlier process left."""
    services = services_at(folder, {"fake": backend or FakeBackend()})
    await services.engine.recover()
    await services.meters.recover()
    try:
        yield services
    finally:
        await services.close()


async def run(services: Services, images: int = 1, parent: str | None = None) -> list[LibraryRow]:
    """Make pictures, and return their rows as they are at the job's end."""
    request = EditRequest.build(make_spec(), "a lake", make_reference(), {"num_images": images})
    request = EditRequest(request.recipe.model_copy(update={"parent": parent}), request.image)
    job = await services.engine.submit("fake", request, visitor=ANN)
    await services.engine.result(job)
    return list(await services.library.of_job("ann", job.id))


async def until_measured(services: Services, *ids: int) -> list[LibraryRow]:
    """Wait until results have figures; return them."""
    with services.engine.feed.watch("ann") as watch:
        while True:
            rows = [row for each in ids if (row := await services.library.find("ann", each)) is not None]
            if all(row.meters is not None for row in rows):
                return rows
            await watch.wait(0.2)


async def tried(services: Services) -> None:
    """Wait until nothing is left to be measured."""
    assert services.meters._working is not None
    await services.meters._working


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the files that are measured, as they are."""
    found = list[str]()

    def noting(result: Path, reference: Path) -> Figures:
        found.append(result.name)
        assert threading.current_thread().name.startswith("meters")
        return measured(result, reference)

    monkeypatch.setattr(meters, "measured", noting)
    return found


async def test_each_picture_of_a_job_is_measured_once_and_who_watches_is_woken(
    tmp_path: Path, looked_at: list[str]
) -> None:
    async with running(tmp_path) as services:
        made = await run(services, 3)
        before = await services.library.revision("ann")
        rows = await until_measured(services, *(row.id for row in made))
        for row in rows:
            assert row.meters is not None
            assert 0 < row.meters.structure < 1
            assert row.meters.colour_shift > 1
            assert row.meters.sharpness is not None
        assert await services.library.revision("ann") >= before
        await services.meters.recover()
        await settle()
    assert sorted(looked_at) == sorted(str(row.file) for row in made)


async def test_what_an_earlier_process_left_is_measured_newest_first_in_parts(
    tmp_path: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meters, "AT_ONCE", 2)
    async with running(tmp_path) as services:
        services.engine.on_end.remove(services.meters._job_ended)
        made = [(await run(services))[0] for _ in range(5)]
    assert looked_at == []
    async with running(tmp_path) as services:
        await until_measured(services, *(row.id for row in made))
    assert looked_at == [row.file for row in reversed(made)]


async def test_a_start_measures_so_many_and_leaves_the_rest_to_the_next(
    tmp_path: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meters, "LEFT", 2)
    async with running(tmp_path) as services:
        services.engine.on_end.remove(services.meters._job_ended)
        made = [(await run(services))[0] for _ in range(3)]
    async with running(tmp_path) as services:
        await until_measured(services, made[2].id, made[1].id)
        await tried(services)
        assert await services.library.unmeasured(1 << 62, 9) == [made[0].id]
    assert len(looked_at) == 2


async def test_a_new_picture_does_not_wait_for_old_ones(
    tmp_path: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as services:
        services.engine.on_end.remove(services.meters._job_ended)
        old = [(await run(services))[0] for _ in range(3)]
    gate = threading.Event()
    noting = meters.measured

    def slow(result: Path, reference: Path) -> Figures:
        gate.wait(10)
        return noting(result, reference)

    monkeypatch.setattr(meters, "measured", slow)
    async with running(tmp_path) as services:
        (new,) = await run(services)  # while the first of the old ones is at work
        gate.set()
        await until_measured(services, new.id, *(row.id for row in old))
    assert looked_at.index(str(new.file)) <= 1


async def test_a_stop_leaves_what_waits_to_the_next_process(
    tmp_path: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as services:
        services.engine.on_end.remove(services.meters._job_ended)
        made = [(await run(services))[0] for _ in range(4)]
    noting, begun = meters.measured, threading.Event()

    def telling(result: Path, reference: Path) -> Figures:
        begun.set()
        return noting(result, reference)

    monkeypatch.setattr(meters, "measured", telling)
    services = services_at(tmp_path, {"fake": FakeBackend()})
    await services.meters.recover()
    assert await asyncio.to_thread(begun.wait, 10)
    await services.close()
    assert len(looked_at) < 4
    services.meters._want()  # a job that ends while the process does
    async with running(tmp_path) as services:
        await until_measured(services, *(row.id for row in made))
    assert len(looked_at) == 4


@pytest.mark.parametrize("which", ["result", "reference"])
async def test_an_unreadable_file_leaves_a_result_without_figures(
    tmp_path: Path, which: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as services:
        services.engine.on_end.remove(services.meters._job_ended)
        (row,) = await run(services)
    name = row.file if which == "result" else make_reference().digest + ".png"
    (tmp_path / "images" / str(name)).write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with caplog.at_level(logging.WARNING):
        async with running(tmp_path) as services:
            await tried(services)
            after = await services.library.find("ann", row.id)
    assert after is not None
    assert after.meters is None
    assert f"result {row.id} cannot be measured" in caplog.text


async def test_a_picture_without_a_reference_and_one_that_is_gone_are_passed_over(
    tmp_path: Path, looked_at: list[str]
) -> None:
    async with running(tmp_path) as services:
        services.engine.on_end.remove(services.meters._job_ended)
        (bare,), (deleted,) = await run(services), await run(services)
        base = services.library._store._base  # type: ignore[attr-defined]
        base.execute("update jobs set recipe = json_remove(recipe, '$.reference') where id = ?", (bare.job,))
    async with running(tmp_path) as services:
        await services.library.delete("ann", [deleted.id])
        services.meters._new += [deleted.id]
        await services.meters.recover()
        await tried(services)
    assert set(looked_at) <= {deleted.file}


async def test_a_disk_that_takes_nothing_is_logged_and_the_next_end_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as services:

        async def full(_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(services.library, "measured", full)
            (lost,) = await run(services)
            await tried(services)
        assert "could not be measured" in caplog.text
        (row,) = await run(services)
        await until_measured(services, row.id)
        assert await services.library.unmeasured(1 << 62, 9) == [lost.id]


async def test_a_job_that_made_nothing_asks_for_nothing(tmp_path: Path, looked_at: list[str]) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    async with running(tmp_path, backend) as services:
        job = await services.engine.submit("fake", EditRequest.build(backend.spec, "a", make_reference(), {}))
        await services.engine.cancel(job)
        await settle()
    assert looked_at == []


def test_a_large_photo_is_measured_and_what_is_too_large_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, small = tmp_path / "photo.jpg", tmp_path / "small.png"
    small.write_bytes(picture_bytes("PNG", "RGB", (640, 480)))
    with Image.open(small) as picture:
        photo.write_bytes(encode(picture.resize((3840, 2880)), "jpeg"))
    assert measured(photo, small).structure > 0.9
    monkeypatch.setattr(meters, "MOST_PIXELS", 1000)
    with pytest.raises(ValueError, match="too large"):
        measured(photo, small)


async def test_the_last_of_a_chain_is_compared_with_the_first_photo(tmp_path: Path) -> None:
    async with running(tmp_path) as services:
        (first,) = await run(services)
        (second,) = await run(services, parent=first.digest)
        await until_measured(services, first.id, second.id)
        of_first = await services.library.lineage("ann", first.id)
        of_second = await services.library.lineage("ann", second.id)
    assert of_first is not None
    assert of_second is not None
    assert of_second.parents == (of_second.first,)
    assert drift_of(of_first) == ()
    # The fake backend lays half of one colour over the reference.
    assert {each.code for each in drift_of(of_second)} >= {"drift-flat", "drift-colour"}
    base = of_second.result
    assert drift_of(type(of_second)(base, of_second.parents, LibraryRow(**base.__dict__ | {"meters": None}), ())) == ()
