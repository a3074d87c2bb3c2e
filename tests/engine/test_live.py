"""Live drafts: small, never recorded, one at a time, and out of every job's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.backend import OWNERS, Backend, RunContext
from core.errors import BackendUnavailable, DraftRefused
from core.events import Completed, Event, Loading
from core.messages import recorded
from core.request import EditRequest
from core.result import Missing, Reason
from engine.live import GOAL, SIZES, best_size
from engine.services import Services
from tests.support.fakes import FakeBackend, make_spec, picture_bytes, results, settle
from tests.support.services import services_at


@asynccontextmanager
async def at_work(folder: Path, backend: Backend) -> AsyncIterator[tuple[Services, EditRequest]]:
    """Yield the services on a backend, and a request of ann's with a stored reference."""
    services = services_at(folder, {"fake": backend})
    await services.engine.recover()
    try:
        read = await services.images.read(picture_bytes("PNG", "RGB", (640, 480)), owner="ann")
        image = await services.images.keep_reference("ann", read, None)
        yield services, EditRequest.build(backend.spec, "a lake", image, {"strength": 0.5, "num_inference_steps": 20})
    finally:
        await services.close()


async def begun(backend: FakeBackend) -> None:
    """Wait until the backend is at work."""
    for _ in range(10_000):
        if backend.started:
            return
        await asyncio.sleep(0.001)
    raise AssertionError


async def test_a_draft_is_small_has_few_steps_and_leaves_nothing_behind(tmp_path: Path) -> None:
    asked: list[EditRequest] = []

    def outcome(of: EditRequest) -> Completed:
        asked.append(of)
        return Completed(results(of), {"inference": 0.1})

    async with at_work(tmp_path, FakeBackend(outcome=outcome)) as (services, request):
        draft = await services.live.make("ann", request)
        side, steps = SIZES[0]
        assert (asked[0].image.width, asked[0].image.height) == (side, side * 3 // 4)
        assert asked[0].steps_run == steps
        again = await services.live.make("ann", request)
        assert again.data == draft.data
        assert await services.library.count("ann") == 0
        assert await services.engine.history("ann") == []


def test_a_draft_is_as_large_as_the_backend_makes_in_time() -> None:
    def work(size: tuple[int, int]) -> float:
        return size[0] * size[0] * 0.75 / 1e6 * size[1]

    assert best_size([], 0.75) == SIZES[0]
    for size in SIZES:
        assert best_size([(work(SIZES[0]), 0.99 * GOAL * work(SIZES[0]) / work(size))], 0.75) == size
    assert best_size([(work(SIZES[0]), 60.0)], 0.75) == SIZES[-1], "as small as it goes"
    fixed = [(work(SIZES[0]), 0.4 + work(SIZES[0])), (work(SIZES[-1]), 0.4 + work(SIZES[-1]))]
    assert best_size(fixed, 0.75) == (192, 3), "what every draft takes is not taken for the work's"


async def test_drafts_of_a_slow_backend_become_smaller(tmp_path: Path) -> None:
    asked: list[EditRequest] = []

    class Slow(FakeBackend):
        async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
            asked.append(request)
            yield Loading(recorded("model"), 1, 1)
            await asyncio.sleep(2 * GOAL)
            yield Completed(results(request), {})

    async with at_work(tmp_path, Slow()) as (services, request):
        await services.live.make("ann", request)
        await services.live.make("ann", request)
    first, second = (each.image.width for each in asked)
    assert SIZES[0][0] == first > second


async def test_a_newer_draft_takes_an_olders_place_within_a_step(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = FakeBackend(gate=gate, steps=5)
    async with at_work(tmp_path, backend) as (services, request):
        older = asyncio.create_task(services.live.make("ann", request))
        await begun(backend)
        newer = asyncio.create_task(services.live.make("ann", request))
        await settle()
        gate.set()
        with pytest.raises(DraftRefused, match="newer"):
            await older
        await newer


async def test_nobody_elses_draft_and_no_job_is_disturbed(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = FakeBackend(gate=gate, steps=5)
    async with at_work(tmp_path, backend) as (services, request):
        drafting = asyncio.create_task(services.live.make("ann", request))
        await begun(backend)
        with pytest.raises(DraftRefused):
            await services.live.make("bob", request)
        job = await services.engine.submit("fake", request)
        gate.set()
        with pytest.raises(DraftRefused):
            await drafting
        await services.engine.result(job)
        await services.live.make("bob", request)


async def test_none_begins_while_a_job_is_there(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with at_work(tmp_path, FakeBackend(gate=gate)) as (services, request):
        job = await services.engine.submit("fake", request)
        with pytest.raises(DraftRefused):
            await services.live.make("ann", request)
        gate.set()
        await services.engine.result(job)


async def test_a_backend_that_costs_or_is_away_makes_none(tmp_path: Path) -> None:
    paid = FakeBackend(make_spec("fake", price=0.1))
    async with at_work(tmp_path / "paid", paid) as (services, request):
        with pytest.raises(BackendUnavailable):
            await services.live.make("ann", request)
    away = FakeBackend(reason="away")
    async with at_work(tmp_path / "away", away) as (services, request):
        with pytest.raises(BackendUnavailable):
            await services.live.make("ann", request)


async def test_a_withheld_draft_is_not_shown(tmp_path: Path) -> None:
    def outcome(_: EditRequest) -> Completed:
        return Completed((Missing(Reason.NSFW, recorded("withheld"), 1),), {"inference": 0.1})

    async with at_work(tmp_path, FakeBackend(outcome=outcome)) as (services, request):
        with pytest.raises(DraftRefused, match="withheld"):
            await services.live.make("ann", request)


async def test_references_of_many_pictures_are_not_all_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.live.SMALL", 1)
    backend = FakeBackend()
    async with at_work(tmp_path, backend) as (services, request):
        await services.live.make("ann", request)
        read = await services.images.read(picture_bytes("PNG", "RGB", (300, 200)), owner="ann")
        other = await services.images.keep_reference("ann", read, None)
        await services.live.make("ann", EditRequest.build(backend.spec, "a lake", other, {}))
        assert [digest for digest, _ in services.live._small] == [other.digest]
