"""Experiments: many runs with one plan, begun a few at a time, that go on after a restart."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.backend import Backend
from core.errors import BadImage, BudgetSpent, KeyRejected, RunFailed, StudioError, TooManyRuns
from core.experiment import Cell, ExperimentState
from core.imaging.images import Reference
from core.job import Visitor
from core.job_state import JobState
from core.limits import Caps
from core.messages import message_of
from core.request import EditRequest
from core.spec import BackendSpec
from engine.services import Services
from storage.protocols import CallTaken
from storage.rows import CellRow, ExperimentRow
from tests.support.fakes import FakeBackend, make_reference, make_spec, settle
from tests.support.services import services_at

ANN = Visitor(owner="ann")


@asynccontextmanager
async def running(folder: Path, backends: dict[str, Backend], caps: Caps | None = None) -> AsyncIterator[Services]:
    """Yield the services on a folder, with the unfinished jobs and experiments of earlier ones recovered."""
    services = services_at(folder, backends, caps)
    await services.engine.recover()
    await services.experiments.recover()
    try:
        yield services
    finally:
        await services.close()


async def reference_of(services: Services, owner: str = "ann") -> Reference:
    """Return a stored reference of an owner's."""
    store = services.engine._store
    return await store.keep_reference(owner, make_reference(), None)  # type: ignore[attr-defined,no-any-return]


def cells_of(spec: BackendSpec, image: Reference, count: int, **raw: object) -> list[Cell]:
    """Return cells that differ by their prompt."""
    return [Cell((each,), EditRequest.build(spec, f"cell {each}", image, dict(raw))) for each in range(count)]


async def start(
    services: Services, count: int, visitor: Visitor = ANN, key: str = "fake", own: dict[str, str] | None = None
) -> ExperimentRow:
    """Begin an experiment of so many cells."""
    spec = services.engine.specs[key]
    cells = cells_of(spec, await reference_of(services, visitor.owner), count)
    return await services.experiments.start(visitor, "{}", cells, own or {})


async def until(services: Services, row: ExperimentRow, *states: str | None) -> list[CellRow]:
    """Wait until all cells are in one of these states; return them."""
    async for _ in changes(services, row.owner):
        cells = await services.experiments.cells(row)
        if all(each.state in states for each in cells):
            return cells
    raise AssertionError


async def ended(services: Services, row: ExperimentRow, state: ExperimentState) -> None:
    """Wait until an experiment is in a state."""
    async for _ in changes(services, row.owner):
        if (await found(services, row)).state == state:
            return


async def changes(services: Services, owner: str = "ann") -> AsyncIterator[None]:
    """Yield now, and after each change of an owner's jobs and experiments."""
    with services.engine.feed.watch(owner) as watch:
        while True:
            yield
            await watch.wait(0.2)  # what is written after its news came is found at the next look


async def begun(services: Services, row: ExperimentRow, count: int) -> None:
    """Wait until so many cells are jobs."""
    async for _ in changes(services, row.owner):
        if sum(each.job is not None for each in await services.experiments.cells(row)) == count:
            return


async def stopped(services: Services, row: ExperimentRow) -> ExperimentRow:
    """Wait until something in its way has paused an experiment; return it."""
    async for _ in changes(services, row.owner):
        row = await found(services, row)
        if row.why is not None:
            return row
    raise AssertionError


async def found(services: Services, row: ExperimentRow) -> ExperimentRow:
    again = await services.experiments.find(row.owner, row.id)
    assert again is not None
    return again


def states(cells: Sequence[CellRow]) -> list[str | None]:
    return [each.state for each in cells]


async def test_every_cell_is_made_once_in_its_order(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 6)
        cells = await until(services, row, JobState.DONE)
    assert backend.started == [f"cell {each}" for each in range(6)]
    assert all(each.result for each in cells)
    assert len({each.job for each in cells}) == 6
    assert [each.at for each in cells] == [(each,) for each in range(6)]


async def test_few_cells_are_jobs_at_a_time_and_single_runs_of_others_come_between(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = FakeBackend(gate=gate)
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 30)
        await begun(services, row, 3)
        await settle()
        assert sum(each.job is not None for each in await services.experiments.cells(row)) == 3
        services.engine.queue_size = 0  # cells take no place in the queue
        request = EditRequest.build(backend.spec, "bob's", make_reference(), {})
        await services.engine.submit("fake", request, visitor=Visitor(owner="bob"))
        gate.set()
        await until(services, row, JobState.DONE)
    assert "bob's" in backend.started[:3]


async def test_who_watches_learns_how_far_an_experiment_is_and_that_it_is_done(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with running(tmp_path, {"fake": FakeBackend(gate=gate)}) as services:
        row = await start(services, 5)
        await begun(services, row, 3)
        (standing,) = services.experiments.standings("ann")
        assert (standing.id, standing.state, standing.waiting) == (row.id, ExperimentState.RUNNING, 2)
        assert services.experiments.standings("bob") == []
        gate.set()
        await ended(services, row, ExperimentState.DONE)
        await settle()
        (standing,) = services.experiments.standings("ann")
        assert (standing.state, standing.waiting) == (ExperimentState.DONE, 0)


async def test_a_paused_experiment_ends_what_is_at_work_and_goes_on_when_it_is_told(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with running(tmp_path, {"fake": FakeBackend(gate=gate)}) as services:
        row = await start(services, 8)
        await begun(services, row, 3)
        await services.experiments.pause(row)
        gate.set()
        cells = await until(services, row, JobState.DONE, None)
        assert states(cells) == [JobState.DONE] * 3 + [None] * 5
        assert (await found(services, row)).state == ExperimentState.PAUSED
        await services.experiments.resume(row)
        await until(services, row, JobState.DONE)


async def test_a_cancelled_experiment_begins_nothing_more_and_cancels_what_is_at_work(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with running(tmp_path, {"fake": FakeBackend(gate=gate)}) as services:
        row = await start(services, 8)
        await begun(services, row, 3)
        await services.experiments.cancel(row)
        gate.set()
        cells = await until(services, row, JobState.CANCELLED, None)
        assert sum(each.job is None for each in cells) == 5
        row = await found(services, row)
        assert row.state == ExperimentState.CANCELLED
        await services.experiments.resume(row)
        assert (await found(services, row)).state == ExperimentState.CANCELLED


async def test_cells_that_failed_are_made_again_alone_or_together(tmp_path: Path) -> None:
    backend = FakeBackend(fail=RunFailed("run-without-result"))
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 4)
        assert [each.result for each in await until(services, row, JobState.FAILED)] == [None] * 4
        backend.fail = None
        assert await services.experiments.retry(row, ANN, 2) == 1
        cells = await until(services, row, JobState.FAILED, JobState.DONE)
        assert cells[2].state == JobState.DONE
        assert await services.experiments.retry(row, ANN) == 3
        await until(services, row, JobState.DONE)
        assert await services.experiments.retry(row, ANN) == 0


async def test_what_would_fail_every_cell_pauses_the_experiment_and_says_why(tmp_path: Path) -> None:
    backend = FakeBackend(fail=KeyRejected("run-provider-removed", charged=False))
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 9)
        row = await stopped(services, row)
        assert row.why is not None
        assert message_of(json.loads(row.why)).code == "run-provider-removed"
        assert row.waiting > 0
        backend.fail = None
        await services.experiments.resume(row)
        await until(services, row, JobState.FAILED, JobState.DONE)
        assert (await found(services, row)).why is None


@asynccontextmanager
async def held_writer(services: Services) -> AsyncIterator[None]:
    """Let nothing be written inside the block; the first cell is on its way there."""
    go = threading.Event()
    services.engine._store._threads.submit(go.wait)  # type: ignore[attr-defined]
    async for _ in changes(services):
        if list(services.engine.jobs):
            break
    try:
        yield
    finally:
        go.set()


async def test_a_cell_that_begins_while_the_app_closes_is_the_last(tmp_path: Path) -> None:
    async with running(tmp_path, {"fake": FakeBackend(gate=asyncio.Event())}) as services:
        row = await start(services, 5)
        async with held_writer(services):
            closing = asyncio.create_task(services.experiments.close())
            await asyncio.sleep(0)
        await closing
        assert [each.job is None for each in await services.experiments.cells(row)] == [False, *[True] * 4]
    async with running(tmp_path, {"fake": FakeBackend()}) as services:
        await until(services, row, JobState.DONE)


async def test_a_cell_that_begins_while_its_experiment_is_cancelled_is_cancelled_too(tmp_path: Path) -> None:
    async with running(tmp_path, {"fake": FakeBackend(gate=asyncio.Event())}) as services:
        async with meanwhile(services) as row:
            pass
        await begun(services, row, 1)
        cells = await until(services, row, JobState.CANCELLED, None)
        assert states(cells) == [JobState.CANCELLED, *[None] * 4]


async def test_a_cell_that_cannot_begin_when_its_experiment_is_cancelled_pauses_nothing(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}) as services:
        async with meanwhile(services) as row:
            backend.reason = "away"
        await settle()
        assert states(await services.experiments.cells(row)) == [None] * 5
        assert (await found(services, row)).state == ExperimentState.CANCELLED


@asynccontextmanager
async def meanwhile(services: Services) -> AsyncIterator[ExperimentRow]:
    """Cancel an experiment, and leave the block, while the reference of its first cell is looked up."""
    store = services.engine._store
    find, looked, go = store.find_reference, asyncio.Event(), asyncio.Event()  # type: ignore[attr-defined]

    async def find_later(*of: str) -> object:
        looked.set()
        await go.wait()
        return await find(*of)

    store.find_reference = find_later  # type: ignore[attr-defined]
    row = await start(services, 5)
    await looked.wait()
    await services.experiments.cancel(row)
    yield row
    go.set()


async def test_a_cell_whose_job_is_cancelled_while_it_is_written_leaves_its_place_to_the_next(tmp_path: Path) -> None:
    async with running(tmp_path, {"fake": FakeBackend()}) as services:
        row = await start(services, 5)
        async with held_writer(services):
            (job,) = services.engine.jobs
            cancelling = asyncio.create_task(services.engine.cancel(job))
            await asyncio.sleep(0)
        await cancelling
        cells = await until(services, row, JobState.CANCELLED, JobState.DONE)
        assert states(cells) == [JobState.CANCELLED, *[JobState.DONE] * 4]


async def test_a_backend_that_cannot_take_a_cell_pauses_the_experiment(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}) as services:
        backend.reason = "away"
        row = await start(services, 2)
        row = await stopped(services, row)
        assert backend.started == []
        backend.reason = None
        await services.experiments.resume(row)
        await until(services, row, JobState.DONE)


async def test_after_a_restart_exactly_the_missing_cells_are_made(tmp_path: Path) -> None:
    gate = asyncio.Event()
    first = FakeBackend(gate=gate)
    async with running(tmp_path, {"fake": first}) as services:
        row = await start(services, 7)
        await begun(services, row, 3)
        gate.set()
        async for _ in changes(services):
            if JobState.DONE in states(await services.experiments.cells(row)):
                break
    done = first.ended
    again = FakeBackend()
    async with running(tmp_path, {"fake": again}) as services:
        cells = await until(services, row, JobState.DONE)
    assert len({each.result for each in cells}) == 7
    assert {*done, *again.started} == {f"cell {each}" for each in range(7)}


async def test_a_paused_experiment_is_still_paused_after_a_restart(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with running(tmp_path, {"fake": FakeBackend(gate=gate)}) as services:
        row = await start(services, 5)
        await begun(services, row, 3)
        await services.experiments.pause(row)
        gate.set()
        await until(services, row, JobState.DONE, None)
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}) as services:
        await settle()
        assert backend.started == []
        await services.experiments.resume(await found(services, row))
        await until(services, row, JobState.DONE)


async def test_cells_that_differ_in_their_seed_alone_are_at_work_together_where_the_backend_makes_them_as_one(
    tmp_path: Path,
) -> None:
    gate = asyncio.Event()
    backend = FakeBackend(make_spec(concurrency=1, together=3), gate=gate)
    async with running(tmp_path, {"fake": backend}) as services:
        image = await reference_of(services)
        cells = [
            Cell((seed,), EditRequest.build(backend.spec, "a lake", image, {"seed": seed})) for seed in range(1, 8)
        ]
        row = await services.experiments.start(ANN, "{}", cells, {})
        await begun(services, row, 5)  # one at work, as many as may go together, and one more
        assert backend.peak == 1, "the first is not held up by those that come"
        gate.set()
        await until(services, row, JobState.DONE)
    assert backend.peak == 3
    assert len(backend.ended) == 7


async def test_a_cell_whose_backend_is_gone_after_a_restart_pauses_the_experiment(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with running(tmp_path, {"fake": FakeBackend(gate=gate)}) as services:
        row = await start(services, 5)
        await begun(services, row, 3)
        await services.experiments.pause(row)
        gate.set()
        await until(services, row, JobState.DONE, None)
    async with running(tmp_path, {"other": FakeBackend(make_spec("other"))}) as services:
        await services.experiments.resume(await found(services, row))
        assert (await stopped(services, row)).waiting == 2


async def test_a_run_with_a_key_of_ones_own_waits_for_it_after_a_restart(tmp_path: Path) -> None:
    gate = asyncio.Event()
    spec = make_spec(key_env="FAKE_KEY", price=0.5)
    async with running(tmp_path, {"fake": FakeBackend(spec, gate=gate)}) as services:
        row = await start(services, 6, own={"FAKE_KEY": "wsk-secret"})
        await settle()
        assert services.experiments.wants_keys(row.id) == set()
        assert await services.engine.spent_today() == 0.0
    assert b"wsk-secret" not in b"".join(each.read_bytes() for each in tmp_path.glob("studio.db*"))  # noqa: ASYNC240
    backend = FakeBackend(spec)
    async with running(tmp_path, {"fake": backend}) as services:
        await settle()
        assert backend.started == []
        assert services.experiments.wants_keys(row.id) == {"FAKE_KEY"}
        services.engine.unlock("bob", "FAKE_KEY", "another")
        services.engine.unlock("ann", "FAKE_KEY", "wsk-secret")
        await until(services, row, JobState.DONE)
        assert services.experiments.wants_keys(row.id) == set()
    assert len(backend.started) == 6


async def test_it_is_priced_as_a_whole_or_not_begun(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = FakeBackend(make_spec(price=0.25, key_env="FAKE_KEY"), gate=gate)
    async with running(tmp_path, {"fake": backend}, Caps(budget=2.0)) as services:
        image = await reference_of(services)
        cells = cells_of(backend.spec, image, 9)
        assert services.experiments.cost(cells) == {"fake": 2.25}
        assert await services.experiments.fits(ANN, cells, {}) == 8
        assert await services.experiments.fits(ANN, cells, {"FAKE_KEY": "own"}) == 9
        with pytest.raises(BudgetSpent):
            await services.experiments.start(ANN, "{}", cells, {})
        assert await services.experiments.latest("ann") == []
        row = await services.experiments.start(ANN, "{}", cells[:7], {})
        assert await services.engine.spent_today() == pytest.approx(1.75)
        await settle()
        assert await services.engine.spent_today() == pytest.approx(1.75), "what is at work counts once"
        request = EditRequest.build(backend.spec, "two", image, {"num_images": 2})
        with pytest.raises(BudgetSpent):
            await services.engine.submit("fake", request, visitor=ANN)
        await services.experiments.cancel(row)
        gate.set()
        await until(services, row, JobState.CANCELLED, None)
        assert await services.engine.spent_today() < 1.75, "what never begins costs nothing"


async def test_it_counts_as_one_run_of_the_minute_and_as_all_its_cells_of_the_day(tmp_path: Path) -> None:
    visitor = Visitor(owner="ann", address="192.0.2.1")
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}, Caps(per_minute=2, per_day=10)) as services:
        row = await start(services, 7, visitor)
        image = await reference_of(services)
        more = cells_of(backend.spec, image, 4)
        assert await services.experiments.fits(visitor, more, {}) == 3
        with pytest.raises(TooManyRuns) as refused:
            await services.experiments.start(visitor, "{}", more, {})
        assert refused.value.message.code == "limit-runs-day"
        await services.experiments.start(visitor, "{}", more[:3], {})
        with pytest.raises(TooManyRuns):
            await services.experiments.start(visitor, "{}", more[:1], {})
        await until(services, row, JobState.DONE)


async def test_another_row_is_made_behind_what_there_is(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 2)
        await until(services, row, JobState.DONE)
        image = await reference_of(services)
        more = [Cell((2,), EditRequest.build(backend.spec, "one more", image, {}))]
        await services.experiments.extend(ANN, row, '{"axes": 2}', more, {})
        cells = await until(services, row, JobState.DONE)
        assert [each.place for each in cells] == [0, 1, 2]
        assert (await found(services, row)).plan == '{"axes": 2}'
    assert backend.started[-1] == "one more"


async def test_the_time_is_that_of_the_slowest_backend(tmp_path: Path) -> None:
    fake, other = FakeBackend(), FakeBackend(make_spec("other", concurrency=2))
    async with running(tmp_path, {"fake": fake, "other": other}) as services:
        image = make_reference()
        cells = [*cells_of(fake.spec, image, 3), *cells_of(other.spec, image, 3)]
        assert services.experiments.seconds(cells) is None
        for key in ("fake", "other"):
            services.engine._queues[key].learn(cells[0].request, 2.0)
        assert services.experiments.seconds(cells) == pytest.approx(6.0)
        assert services.experiments.seconds([]) == 0.0


async def test_the_reference_stays_as_long_as_a_cell_waits(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    async with running(tmp_path, {"fake": backend}, Caps(cache_age=0.0)) as services:
        spec = services.engine.specs["fake"]
        image = await reference_of(services)
        row = await services.experiments.start(ANN, "{}", cells_of(spec, image, 9), {})
        await begun(services, row, 3)
        await services.engine.tidy()
        await services.experiments.cancel(row)
        await until(services, row, JobState.CANCELLED, None)
        assert image.file is not None
        for job in await services.engine.history("ann"):
            await services.engine.delete("ann", [job.id])
        await services.engine.tidy()
        assert not image.file.exists()


async def test_an_experiment_is_done_with_its_last_cell_and_leaves_the_reference_to_its_jobs(tmp_path: Path) -> None:
    async with running(tmp_path, {"fake": FakeBackend()}, Caps(cache_age=0.0)) as services:
        image = await reference_of(services)
        row = await services.experiments.start(ANN, "{}", cells_of(services.engine.specs["fake"], image, 5), {})
        await ended(services, row, ExperimentState.DONE)
        for act in (services.experiments.pause, services.experiments.resume, services.experiments.cancel):
            await act(row)
            assert (await found(services, row)).state == ExperimentState.DONE
        assert image.file is not None
        for job in await services.engine.history("ann"):
            await services.engine.delete("ann", [job.id])
        await services.engine.tidy()
        assert not image.file.exists()


async def test_cells_that_were_cancelled_before_they_began_are_made_when_somebody_asks(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 8)
        await begun(services, row, 3)
        await services.experiments.cancel(row)
        assert backend.gate is not None
        backend.gate.set()
        await until(services, row, JobState.CANCELLED, None)
        assert await services.experiments.retry(await found(services, row), ANN, 6) == 1
        await ended(services, row, ExperimentState.DONE)
    async with running(tmp_path, {"fake": backend}) as services:
        cells = await services.experiments.cells(row)
        assert [each.place for each in cells if each.state == JobState.DONE] == [6]
        assert [each.place for each in cells if each.skipped] == [3, 4, 5, 7]
        assert await services.experiments.retry(row, ANN) == 7
        await until(services, row, JobState.DONE)


async def test_what_is_made_again_counts_before_it_begins(tmp_path: Path) -> None:
    backend = FakeBackend(fail=RunFailed("run-without-result"))
    caller = Visitor(owner="ann", address="127.0.0.9")
    async with running(tmp_path, {"fake": backend}, Caps(per_minute=9, per_day=6)) as services:
        row = await start(services, 4, caller)
        await until(services, row, JobState.FAILED)
        backend.fail = None
        with pytest.raises(TooManyRuns):
            await services.experiments.retry(row, caller)
        assert states(await services.experiments.cells(row)) == [JobState.FAILED] * 4
        assert await services.experiments.retry(row, caller, 1) == 1


async def test_what_has_lost_its_reference_is_not_made_again(tmp_path: Path) -> None:
    backend = FakeBackend(fail=RunFailed("run-without-result"))
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 2)
        await ended(services, row, ExperimentState.DONE)
        for job in await services.engine.history("ann"):
            await services.engine.delete("ann", [job.id])
        assert await services.experiments.retry(row, ANN) == 0
        row = await start(services, 2)
        await until(services, row, JobState.FAILED)
        services.engine._store._store._base.execute("delete from refs")  # type: ignore[attr-defined]
        with pytest.raises(BadImage):
            await services.experiments.retry(row, ANN)


async def test_the_last_cell_goes_on_after_a_restart_too(tmp_path: Path) -> None:
    own = make_spec("fake", key_env="FAKE_KEY")
    gate = asyncio.Event()
    async with running(tmp_path, {"fake": FakeBackend(own, gate=gate)}) as services:
        row = await start(services, 1, own={"FAKE_KEY": "sk-ann"})
        await begun(services, row, 1)
    async with running(tmp_path, {"fake": FakeBackend(own)}) as services:
        assert (await found(services, row)).waiting == 1
        assert services.experiments.wants_keys(row.id) == {"FAKE_KEY"}


async def test_a_reference_that_is_lost_pauses_the_experiment_and_says_so(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    async with running(tmp_path, {"fake": backend}) as services:
        row = await start(services, 5)
        await begun(services, row, 3)
        await services.experiments.pause(row)
        services.engine._store._store._base.execute("delete from refs")  # type: ignore[attr-defined]
        assert backend.gate is not None
        backend.gate.set()
        await until(services, row, JobState.DONE, None)
        await services.experiments.resume(row)
        assert "image-not-stored" in str((await stopped(services, row)).why)


async def test_a_cancel_looks_past_a_job_that_is_gone(tmp_path: Path) -> None:
    async with running(tmp_path, {"fake": FakeBackend(gate=asyncio.Event())}) as services:
        row = await start(services, 5)
        await begun(services, row, 3)
        services.engine.jobs.remove(next(iter(services.engine.jobs)))
        await services.experiments.cancel(row)


async def test_a_deleted_experiment_leaves_its_results(tmp_path: Path) -> None:
    async with running(tmp_path, {"fake": FakeBackend()}) as services:
        row = await start(services, 2)
        await until(services, row, JobState.DONE)
        await services.experiments.delete(row)
        assert await services.experiments.find("ann", row.id) is None
        assert await services.library.count("ann") == 2
        await services.experiments.delete(row)


async def test_the_same_call_begins_one_experiment_and_nobody_elses_is_found(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}) as services:
        cells = cells_of(backend.spec, await reference_of(services), 1)
        row = await services.experiments.start(ANN, "{}", cells, {}, "mark", "body")
        with pytest.raises(CallTaken):
            await services.experiments.start(ANN, "{}", cells, {}, "mark", "body")
        again = await services.experiments.find_call("ann", "mark", 0.0)
        assert again is not None
        assert (again.id, again.body) == (row.id, "body")
        assert await services.experiments.find_call("bob", "mark", 0.0) is None
        assert await services.experiments.find("bob", row.id) is None
        assert [each.id for each in await services.experiments.latest("ann")] == [row.id]
        await until(services, row, JobState.DONE)


async def test_a_reference_that_is_gone_begins_nothing(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with running(tmp_path, {"fake": backend}) as services:
        image = await reference_of(services)
        assert image.file is not None
        cells = cells_of(backend.spec, image, 1)
        image.file.unlink()
        with pytest.raises(StudioError) as refused:
            await services.experiments.start(ANN, "{}", cells, {})
        assert refused.value.message.code == "image-not-stored"
