"""Cancels, keys and a disk that takes nothing, at the moments between two awaits: one end each, and no money lost."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from core.backend import OWNERS, RunContext
from core.errors import KeyRejected, RunCancelled, SubmitUnknown, TimedOut
from core.events import Accepted, Completed, Event, Working
from core.job import Call, Job, Visitor
from core.job_state import JobState
from core.limits import Caps
from core.request import EditRequest
from engine.engine import Engine
from engine.quotas import Quotas
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, FakeProvider, make_reference, make_request, make_spec, results, settle

ANN = Visitor("ann")


class Hosted(FakeBackend):
    """A provider: `sent` counts requests; it accepts and answers when its events are set."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(make_spec(key_env="FAKE_KEY", price=0.5), provider=FakeProvider())
        self.error = error
        self.sent = 0
        self.accept, self.answer = asyncio.Event(), asyncio.Event()

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        yield Working("sent")
        self.sent += 1
        await self.accept.wait()
        if isinstance(self.error, SubmitUnknown):
            yield Working("processing")  # of other images of the run
            raise self.error
        yield Accepted(0, "remote-0")
        await self.answer.wait()
        if self.error is not None:
            raise self.error
        yield Completed(results(request), {"inference": 1.0}, 0.5)

    async def resume(
        self, request: EditRequest, remote: Sequence[str | None], context: RunContext = OWNERS
    ) -> AsyncGenerator[Event, None]:
        yield Working("processing")
        yield Completed(results(request), {"inference": 1.0}, 0.5)


def engine_at(folder: Path, backend: FakeBackend, quotas: Quotas | None = None) -> Engine:
    return Engine({"fake": backend}, AsyncStore(Store(folder)), quotas=quotas)


async def submit(engine: Engine, key: str | None = None, call: Call | None = None) -> Job:
    return await engine.submit("fake", make_request(engine.specs["fake"]), key, ANN, call)


async def until(engine: Engine, job: Job, state: JobState) -> None:
    async for _ in engine.watch(job):
        if job.state is state:
            return


async def test_a_cancelled_run_whose_answer_is_lost_may_have_been_billed(tmp_path: Path) -> None:
    backend = Hosted(SubmitUnknown("submit-unknown-restart"))
    engine = engine_at(tmp_path, backend)
    job = await submit(engine)
    await until(engine, job, JobState.SUBMITTING)
    await engine.cancel(job)
    backend.accept.set()
    with pytest.raises(SubmitUnknown):
        await engine.result(job)
    assert job.state is JobState.UNKNOWN
    assert await engine.spent_today() == 0.5, "the estimate: nobody knows"
    await engine.close()


async def test_a_cancel_while_its_row_is_written_sends_nothing(tmp_path: Path) -> None:
    backend = Hosted()
    engine = engine_at(tmp_path, backend)
    job = await submit(engine)
    held = threading.Event()
    engine._store._threads.submit(held.wait)  # the thread that writes rows is busy
    await settle()
    cancelling = asyncio.create_task(engine.cancel(job))
    await settle()
    held.set()
    await cancelling
    with pytest.raises(RunCancelled):
        await engine.result(job)
    assert (backend.sent, job.state) == (0, JobState.CANCELLED)
    await engine.close()


async def test_a_run_that_is_cancelled_while_it_is_written_down_never_begins(tmp_path: Path) -> None:
    engine = engine_at(tmp_path, backend := FakeBackend())
    held = threading.Event()
    engine._store._threads.submit_files(held.wait)  # the thread that writes its reference is busy
    submitting = asyncio.create_task(submit(engine))
    await settle()
    (job,) = engine.jobs
    await engine.cancel(job)
    held.set()
    assert await submitting is job
    assert (backend.started, job.state) == ([], JobState.CANCELLED)
    assert await engine._store.unfinished() == [], "its row knows the end"
    await engine.close()


async def test_what_cannot_be_noted_before_it_is_sent_is_not_sent_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Hosted()
    engine = engine_at(tmp_path, backend)

    async def full(_: Job) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(engine._store, "submitting", full)
    job = await submit(engine)
    with pytest.raises(Exception, match=r"."):
        await engine.result(job)
    assert job.error is not None
    assert (backend.sent, job.error.charged, job.state) == (0, False, JobState.FAILED)
    await engine.close()


async def test_a_wait_that_ends_while_the_disk_takes_nothing_ends_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Hosted(TimedOut("recorded", what="It takes too long.", todo=""))
    engine = engine_at(tmp_path, backend)
    job = await submit(engine)
    await until(engine, job, JobState.SUBMITTING)
    backend.accept.set()
    await until(engine, job, JobState.RUNNING)

    async def full(_: Job) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(engine._store, "moved", full)
    backend.answer.set()
    with pytest.raises(TimedOut):
        await engine.result(job)
    assert engine.jobs.unfinished() == {"fake": 0}, "the next run need not wait for it"
    await engine.close()


async def test_a_refused_key_can_be_replaced_or_given_up_at_once(tmp_path: Path) -> None:
    for end in ("another key", "cancel"):
        backend = Hosted(KeyRejected("recorded", what="No.", todo=""))
        engine = engine_at(tmp_path / end, backend)
        job = await submit(engine, "a key")
        await until(engine, job, JobState.SUBMITTING)
        backend.accept.set()
        await until(engine, job, JobState.RUNNING)
        held = threading.Event()
        engine._store._threads.submit(held.wait)  # while its row is being written
        backend.answer.set()
        await until(engine, job, JobState.NEEDS_KEY)
        if end == "cancel":
            cancelling = asyncio.create_task(engine.cancel(job))
            await settle()
            held.set()
            await cancelling
            with pytest.raises(RunCancelled):
                await engine.result(job)
        else:
            engine.unlock("ann", "FAKE_KEY", "another")
            held.set()
            await engine.result(job)
        await engine.close()


async def test_who_is_to_hear_of_an_end_hears_of_a_cancel_without_a_run_too(tmp_path: Path) -> None:
    backend = Hosted(KeyRejected("recorded", what="No.", todo=""))
    engine = engine_at(tmp_path, backend)
    ends: list[JobState] = []
    engine.on_end.append(lambda ended: ends.append(ended.state))
    job = await submit(engine, "a key")
    backend.accept.set()
    backend.answer.set()
    await until(engine, job, JobState.NEEDS_KEY)
    await engine.cancel(job)
    assert ends == [JobState.CANCELLED]
    assert job.key is None
    await engine.close()


async def test_deleting_what_its_provider_has_ends_the_wait_and_leaves_it_and_its_report(tmp_path: Path) -> None:
    backend = Hosted()
    engine = engine_at(tmp_path, backend)
    job = await submit(engine, call=Call("fake-model", "http://test", hook="http://test/hook"))
    await until(engine, job, JobState.SUBMITTING)
    assert await engine.delete("ann", [job.id]) == 0
    assert job.state is JobState.DETACHED
    backend.accept.set()
    backend.answer.set()
    await engine.result(job)
    assert job.call is not None
    assert job.call.hook
    assert await engine.delete("ann", [job.id]) == 1
    await engine.close()


async def test_closing_gives_a_cancelled_run_that_is_paid_for_the_time_for_its_answer(tmp_path: Path) -> None:
    backend = Hosted()
    engine = engine_at(tmp_path, backend)
    job = await submit(engine)
    await until(engine, job, JobState.SUBMITTING)
    await engine.cancel(job)
    closing = asyncio.create_task(engine.close(60))
    await settle()
    assert not closing.done()
    backend.accept.set()
    backend.answer.set()
    await closing
    assert job.state is JobState.DONE


async def test_a_job_that_made_room_for_others_is_forgotten_in_memory_too(tmp_path: Path) -> None:
    engine = engine_at(tmp_path, FakeBackend(), Quotas(Caps(quota=1)))
    first = await submit(engine)
    await engine.result(first)
    second = await engine.submit("fake", make_request(make_spec(), "another", make_reference(32, 32)), visitor=ANN)
    await engine.result(second)
    assert engine.jobs.get(first.id) is None
    assert await engine.find("ann", first.id) is None
    await engine._store.make_room(10, quota=1)
    assert await engine.find("ann", second.id) is None
    await engine.close()
