"""The engine: first come first served, no more at once than a backend takes, an end for every job."""

from __future__ import annotations

import asyncio
import errno
import logging
import sqlite3
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.backend import OWNERS, Backend, RunContext
from core.errors import BackendUnavailable, BadImage, QueueFull, RunCancelled, RunFailed
from core.events import Completed, Event, JobEvent, Loading, Progress, Queued, Working
from core.job import Job
from core.job_state import JobState
from core.request import EditRequest
from core.result import Result
from engine import runner
from engine.active_jobs import KEPT_JOBS
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.queries import Queries
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, files_of, make_reference, make_request, make_spec, results, settle


def engine_of(tmp_path: Path, *backends: Backend, **options: Any) -> Engine:
    return Engine({backend.spec.key: backend for backend in backends}, AsyncStore(Store(tmp_path)), **options)


async def submit(engine: Engine, prompt: str = "a lake", backend: str = "fake", **raw: Any) -> Job:
    return await engine.submit(backend, make_request(engine.specs[backend], prompt, **raw))


async def until_sent(engine: Engine, job: Job) -> None:
    """Return when the job is at its provider, and the disk knows."""
    async for event in engine.watch(job):
        if isinstance(event, Working):
            return


async def test_a_run_is_told_from_its_place_in_line_to_its_result(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend(steps=2))
    job = await submit(engine, seed=5)
    events = [event async for event in engine.watch(job)]
    assert isinstance(events[0], Queued)
    assert isinstance(events[-1], Result)
    assert job.result is events[-1]
    assert {type(event) for event in events[1:-1]} <= {Loading, Progress}


async def test_the_kept_files_are_the_backends_bytes(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend())
    request = make_request(num_images=3, seed=1)
    job = await engine.submit("fake", request)
    done = await engine.result(job)
    assert done is job.result
    assert [path.read_bytes() for path in files_of(job, tmp_path / "images")] == [
        each.data for each in results(request)
    ]
    assert job.request.image.data == b"", "the reference is on the disk too"


async def test_timings_hold_the_wait_and_the_whole(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend(timings={"inference": 2.0}))
    timings = (await engine.result(await submit(engine))).timings
    assert timings["inference"] == 2.0
    assert 0 <= timings["queue"] <= timings["total"]


@pytest.mark.parametrize("concurrency", [1, 2, 5])
async def test_no_more_runs_at_once_than_the_backend_takes(tmp_path: Path, concurrency: int) -> None:
    gate = asyncio.Event()
    backend = FakeBackend(make_spec(concurrency=concurrency), gate=gate)
    engine = engine_of(tmp_path, backend)
    jobs = [await submit(engine, str(i)) for i in range(12)]
    await settle()
    gate.set()
    await asyncio.gather(*(engine.result(job) for job in jobs))
    assert backend.peak == concurrency
    assert backend.started == [str(i) for i in range(12)]


async def test_two_backends_do_not_wait_for_each_other(tmp_path: Path) -> None:
    gate = asyncio.Event()
    held, free = FakeBackend(make_spec("held"), gate=gate), FakeBackend(make_spec("free"))
    engine = engine_of(tmp_path, held, free)
    waiting = await submit(engine, backend="held")
    await engine.result(await submit(engine, backend="free"))
    assert not waiting.ended
    gate.set()
    await engine.result(waiting)


async def test_places_in_line_move_up(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = engine_of(tmp_path, FakeBackend(gate=gate))
    jobs = [await submit(engine, str(i)) for i in range(4)]
    await settle()
    assert [job.event for job in jobs[1:]] == [Queued(1), Queued(2), Queued(3)]
    await engine.cancel(jobs[1])
    assert [job.event for job in jobs[2:]] == [Queued(1), Queued(2)]
    gate.set()
    await engine.result(jobs[3])


async def test_a_full_line_refuses_and_takes_again_when_one_is_done(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = engine_of(tmp_path, FakeBackend(gate=gate), queue_size=2)
    jobs = [await submit(engine) for _ in range(3)]
    with pytest.raises(QueueFull, match=r"queue is full \(2 runs\)"):
        await submit(engine)
    gate.set()
    await engine.result(jobs[0])
    await engine.result(await submit(engine))


async def test_a_backend_that_is_not_ready_takes_nothing(tmp_path: Path) -> None:
    backend = FakeBackend(reason="Needs a key: set FAKE_KEY.")
    engine = engine_of(tmp_path, backend)
    with pytest.raises(BackendUnavailable, match="FAKE_KEY"):
        await submit(engine)
    backend.reason = None
    await engine.result(await submit(engine))


async def test_cancelling_a_waiting_run_never_starts_it(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = FakeBackend(gate=gate)
    engine = engine_of(tmp_path, backend)
    first, second, third = [await submit(engine, str(i)) for i in range(3)]
    await settle()
    await engine.cancel(second)
    gate.set()
    await engine.result(first)
    await engine.result(third)
    assert backend.started == ["0", "2"]
    with pytest.raises(RunCancelled):
        await engine.result(second)


async def test_cancelling_before_the_first_step_ends_the_job(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend())
    job = await submit(engine)
    await engine.cancel(job)  # its task has not run at all yet
    with pytest.raises(RunCancelled):
        await engine.result(job)
    await engine.result(await submit(engine))


async def test_the_place_is_free_only_when_the_backend_has_really_stopped(tmp_path: Path) -> None:
    stopping = asyncio.Event()
    backend = FakeBackend(gate=asyncio.Event(), stopping=stopping)
    engine = engine_of(tmp_path, backend)
    first, second = await submit(engine, "first"), await submit(engine, "second")
    await settle()
    await engine.cancel(first)
    await settle()
    assert backend.started == ["first"]
    stopping.set()
    await settle()
    assert backend.started == ["first", "second"]
    await engine.cancel(second)
    assert backend.peak == 1


async def test_a_cancel_is_answered_at_once_also_while_the_backend_needs_longer_to_stop(tmp_path: Path) -> None:
    stopping = asyncio.Event()
    backend = FakeBackend(gate=asyncio.Event(), stopping=stopping)
    engine = engine_of(tmp_path, backend)
    ends: list[object] = []
    engine.on_end.append(lambda ended: ends.append(ended.error))
    job = await submit(engine)
    await settle()
    for _ in range(3):
        await engine.cancel(job)
    with pytest.raises(RunCancelled):
        await engine.result(job)
    (row,) = await engine._store._read(Queries.recent, job.owner, 9)
    assert (row.state, backend.ended, ends) == ("cancelled", [], [])
    stopping.set()
    await settle()
    assert (backend.ended, [type(each) for each in ends]) == (["a lake"], [RunCancelled])


async def test_a_waiting_job_holds_no_bytes_of_its_reference(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = engine_of(tmp_path, FakeBackend(gate=gate))
    jobs = [await submit(engine) for _ in range(3)]
    assert [job.request.image.data for job in jobs] == [b""] * 3
    gate.set()
    for job in jobs:
        await engine.result(job)


async def test_a_reference_that_was_removed_before_its_run_is_refused_at_its_field(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend())
    stored = make_reference().stored_at(tmp_path / "images" / "gone.png")
    with pytest.raises(BadImage, match="no longer stored"):
        await engine.submit("fake", make_request(engine.specs["fake"], image=stored))


class Paid(FakeBackend):
    """A provider whose answer comes by its connection alone; it comes when `gate` is set."""

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Send, wait for the answer."""
        yield Working("sent")
        assert self.gate is not None
        await self.gate.wait()
        yield Completed(results(request), {"inference": 1.0}, 0.4)


async def test_closing_lets_a_paid_request_have_its_answer(tmp_path: Path) -> None:
    backend = Paid(gate=asyncio.Event())
    engine = engine_of(tmp_path, backend)
    job = await submit(engine)
    await until_sent(engine, job)
    closing = asyncio.create_task(engine.close(60))
    await settle()
    assert not closing.done()
    with pytest.raises(BackendUnavailable, match="restart"):
        await submit(engine)
    assert backend.gate is not None
    backend.gate.set()
    await closing
    assert job.result is not None


async def test_closing_does_not_wait_for_what_never_stops(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event(), stopping=asyncio.Event())
    engine = engine_of(tmp_path, backend)
    job = await submit(engine)
    await settle()
    await engine.close(0.1)
    store = Store(tmp_path)
    assert [row.id for row in store.unfinished()] == [job.id], "the next start goes on with it"
    store.close()


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "full"), sqlite3.OperationalError("disk is full")])
async def test_a_paid_result_waits_in_memory_until_the_disk_takes_it(
    tmp_path: Path, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runner.RETRY", 0.01)
    backend = Paid(gate=asyncio.Event())
    engine = engine_of(tmp_path, backend)
    job = await submit(engine)
    await until_sent(engine, job)
    put, full, refusals = engine._store.images.put, True, 0

    def refused(data: bytes, mime: str, digest: str | None = None) -> Path:
        nonlocal refusals
        if full:
            refusals += 1
            raise failure
        return put(data, mime, digest)

    monkeypatch.setattr(engine._store.images, "put", refused)
    assert backend.gate is not None
    backend.gate.set()
    async for event in engine.watch(job):
        if isinstance(event, Working) and event.status == "disk full":
            break
    await engine.cancel(job)
    assert not job.ended, "a cancel comes too late: it is paid for"
    while refusals < 3:  # noqa: ASYNC110 - it is tried again and again
        await asyncio.sleep(0.01)
    full = False
    await engine.result(job)
    (file,) = files_of(job, tmp_path / "images")
    assert file.exists()
    await engine.close()


async def test_a_free_result_that_the_disk_does_not_take_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(tmp_path, FakeBackend(gate=(gate := asyncio.Event())))
    job = await submit(engine)

    def refused(data: bytes, mime: str, digest: str | None = None) -> Path:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(engine._store.images, "put", refused)
    gate.set()
    with pytest.raises(RunFailed, match="Free some space"):
        await engine.result(job)
    await engine.close()


async def test_an_ended_job_cannot_be_cancelled_any_more(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend())
    job = await submit(engine)
    done = await engine.result(job)
    await engine.cancel(job)
    assert job.result is done
    assert job.error is None


async def test_a_cancel_while_the_result_is_written_comes_too_late(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = engine_of(tmp_path, FakeBackend(gate=gate))
    job = await submit(engine)
    await settle()
    told: list[object] = []
    engine.on_end.append(lambda ended: told.append(ended.error))
    held = threading.Event()
    engine._store._threads.submit(held.wait)
    gate.set()
    await settle()
    cancelling = asyncio.create_task(engine.cancel(job))
    await settle()
    assert cancelling.done(), "it has nothing to wait for"
    assert not job.ended
    held.set()
    await engine.result(job)
    assert job.result is not None
    assert job.error is None
    assert told == [None]
    assert [record.state for record in await engine._store._read(Queries.recent, job.owner, 9)] == ["done"]


async def test_a_failure_ends_one_job_and_not_the_next(tmp_path: Path) -> None:
    backend = FakeBackend(fail=RunFailed("recorded", what="It broke.", todo="Try again."))
    engine = engine_of(tmp_path, backend)
    with pytest.raises(RunFailed, match="It broke"):
        await engine.result(await submit(engine))
    backend.fail = None
    await engine.result(await submit(engine))


async def test_an_unforeseen_error_is_logged_and_its_words_are_kept_from_the_visitor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_of(tmp_path, FakeBackend(fail=ZeroDivisionError("/secret/path")))
    with caplog.at_level(logging.ERROR), pytest.raises(RunFailed) as caught:
        await engine.result(await submit(engine))
    assert "secret" not in str(caught.value)
    assert "/secret/path" in caplog.text


async def test_a_backend_that_ends_without_a_result_failed(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend(outcome=lambda _: None))
    with pytest.raises(RunFailed, match="without a result"):
        await engine.result(await submit(engine))


async def test_whoever_comes_late_still_sees_the_end(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend())
    job = await submit(engine)
    done = await engine.result(job)
    assert [event async for event in engine.watch(job)] == [done]
    assert engine.jobs.get(job.id) is job


async def test_a_slow_watcher_misses_steps_and_never_the_end(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend(steps=30))
    job = await submit(engine)
    task = job.task
    assert task is not None
    seen: list[JobEvent] = []
    async for event in engine.watch(job):
        seen.append(event)
        await asyncio.wait([task])  # so slow that the run is over meanwhile
    assert isinstance(seen[-1], Result)
    assert len(seen) < 30


async def test_a_watcher_that_leaves_does_not_disturb_the_run(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend())
    job = await submit(engine)
    async for _ in engine.watch(job):
        break
    await engine.result(job)


async def test_closing_cancels_everything(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    engine = engine_of(tmp_path, backend)
    jobs = [await submit(engine) for _ in range(4)]
    await settle()
    await engine.close()
    assert all(isinstance(job.error, RunCancelled) for job in jobs)
    assert backend.working == 0


class LoadingBackend(FakeBackend):
    """Loads its model for 100 seconds of a clock of its own, then works for two."""

    clock = 0.0

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Yield what every fake does, with time between."""
        async for event in super().edit(request, context):
            self.clock += {Loading: 100.0, Completed: 2.0}.get(type(event), 0.0)
            yield event


async def test_the_expected_time_is_that_from_the_end_of_loading_to_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = LoadingBackend()
    monkeypatch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: backend.clock))
    engine = engine_of(tmp_path, backend)
    request = make_request(backend.spec, num_inference_steps=10, strength=1.0, seed=1)
    assert engine.expected_seconds("fake", request) is None
    await engine.result(await engine.submit("fake", request))
    assert engine.expected_seconds("fake", request) == pytest.approx(2.0)
    more = make_request(backend.spec, num_images=3, num_inference_steps=10, strength=1.0)
    assert engine.expected_seconds("fake", more) == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("facts", "times"),
    [({}, 4), ({"working_pixels": 64 * 48}, 1), ({"working_side": 64}, 1), ({"working_side": 128}, 4)],
)
async def test_a_larger_picture_takes_longer_only_where_it_is_worked_on_larger(
    tmp_path: Path, facts: dict[str, Any], times: int
) -> None:
    spec = make_spec(**facts)
    engine = engine_of(tmp_path, FakeBackend(spec))
    await engine.result(await engine.submit("fake", make_request(spec)))
    small = engine.expected_seconds("fake", make_request(spec))
    large = engine.expected_seconds("fake", make_request(spec, image=make_reference(128, 96)))
    assert small
    assert large == pytest.approx(times * small)


async def test_jobs_that_ended_long_ago_are_forgotten(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, FakeBackend(steps=1))
    first = await submit(engine, strength=0)
    await engine.result(first)
    for _ in range(KEPT_JOBS + 1):
        await engine.result(await submit(engine, strength=0))
    assert engine.jobs.get(first.id) is None


async def test_requests_that_give_the_same_picture_share_one_file(tmp_path: Path) -> None:
    def outcome(request: EditRequest) -> Completed:
        return Completed(results(request), {})

    engine = engine_of(tmp_path, FakeBackend(outcome=outcome))
    jobs = [await submit(engine, seed=3) for _ in range(2)]
    for job in jobs:
        await engine.result(job)
    one, other = (files_of(job, tmp_path / "images") for job in jobs)
    assert one == other


async def at_a_provider(gate: asyncio.Event, fail: Exception | None = None) -> Backend:
    class Provider(FakeBackend):
        async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
            """Hand the job over, then wait for the provider."""
            self.started.append(str(context.key))
            yield Working("sent")
            await gate.wait()
            if fail:
                raise fail
            yield Completed(results(request), {"inference": 1.0}, 0.025)

    return Provider()


async def test_what_a_provider_has_goes_on_after_its_cancel_and_lands(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = engine_of(tmp_path, await at_a_provider(gate))
    job = await submit(engine)
    await until_sent(engine, job)
    await engine.cancel(job)
    assert job.state is JobState.DETACHED
    assert not job.ended
    assert isinstance(job.error, RunCancelled)
    assert job.error.charged is None
    gate.set()
    done = await engine.result(job)
    assert job.result is done
    assert job.error is None
    assert job.state is JobState.DONE


async def test_what_fails_at_a_provider_after_its_cancel_says_so(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = engine_of(tmp_path, await at_a_provider(gate, RunFailed("recorded", what="It broke there.", todo="")))
    job = await submit(engine)
    await until_sent(engine, job)
    await engine.cancel(job)
    gate.set()
    with pytest.raises(RunFailed, match="broke there"):
        await engine.result(job)


async def test_closing_stops_even_what_a_provider_has(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, await at_a_provider(asyncio.Event()))
    job = await submit(engine)
    await until_sent(engine, job)
    await engine.close(1.1)
    assert job.ended
    assert job.state is JobState.SUBMITTING, "as the next process finds it"


async def test_a_key_belongs_to_its_job_and_is_not_printed_or_kept(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = await at_a_provider(gate)
    engine = engine_of(tmp_path, backend)
    job = await engine.submit("fake", make_request(backend.spec), "canary-key")
    await settle()
    assert "canary" not in repr(job)
    gate.set()
    await engine.result(job)
    await settle()
    assert job.key is None
    assert backend.started == ["canary-key"]  # type: ignore[attr-defined]


async def test_closing_leaves_a_run_that_is_being_cancelled_to_its_tidying_up(tmp_path: Path) -> None:
    stopping = asyncio.Event()
    backend = FakeBackend(gate=asyncio.Event(), stopping=stopping)
    engine = engine_of(tmp_path, backend)
    job = await submit(engine)
    await settle()
    await engine.cancel(job)
    await settle()
    closing = asyncio.create_task(engine.close(60))
    await settle()
    assert backend.working == 1
    stopping.set()
    await closing
    assert backend.ended == ["a lake"]


async def while_a_result_is_written(folder: Path) -> tuple[Engine, Job, threading.Event]:
    """Return an engine, its job whose result is being written, and what lets the writing end."""
    gate, held = asyncio.Event(), threading.Event()
    engine = engine_of(folder, FakeBackend(gate=gate))
    job = await submit(engine)
    await settle()
    engine._store._threads.submit(held.wait)
    gate.set()
    while not job.storing:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    return engine, job, held


async def test_closing_while_a_result_is_written_waits_until_it_is(tmp_path: Path) -> None:
    engine, job, held = await while_a_result_is_written(tmp_path)
    closing = asyncio.create_task(engine.close(60))
    await settle()
    held.set()
    await closing
    assert job.state is JobState.DONE


async def test_one_run_works_while_a_result_is_written_and_no_third_begins(tmp_path: Path) -> None:
    gate, held = asyncio.Event(), threading.Event()
    backend = FakeBackend(gate=gate)
    engine = engine_of(tmp_path, backend)
    jobs = [await submit(engine, prompt=each) for each in ("one", "two", "three")]
    await settle()
    engine._store._threads.submit(held.wait)
    gate.set()
    while not jobs[1].storing:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    await settle()
    assert backend.started == ["one", "two"]
    held.set()
    for job in jobs:
        await engine.result(job)
    await engine.close()


async def test_a_result_is_kept_where_no_room_can_be_made_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_of(tmp_path, FakeBackend())

    async def broken(*_: object) -> int:
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr(engine._store, "tidy", broken)
    job = await submit(engine)
    await engine.result(job)
    assert job.state is JobState.DONE
    assert "no room could be made" in caplog.text
    await engine.close()


async def test_a_backend_may_be_done_without_a_word_before(tmp_path: Path) -> None:
    class Silent(FakeBackend):
        async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
            yield Completed(results(request), {"inference": 1.0})

    engine = engine_of(tmp_path, Silent())
    job = await submit(engine)
    await engine.result(job)
    assert job.state is JobState.DONE
    await engine.close()


async def test_deleting_a_job_whose_result_is_being_written_waits_for_it(tmp_path: Path) -> None:
    engine, job, held = await while_a_result_is_written(tmp_path)
    deleting = asyncio.create_task(engine.delete(job.owner, [job.id]))
    await settle()
    held.set()
    assert await deleting == 1
    assert list((tmp_path / "images").glob("*.png")) == []
    await engine.close()
