"""After a restart: what was paid for is fetched, what was not sent begins anew, what nobody can know is said."""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.backend import OWNERS, RunContext
from core.errors import (
    BudgetSpent,
    DiskFull,
    Interrupted,
    KeyMissing,
    KeyRejected,
    RateLimited,
    RunCancelled,
    RunFailed,
    StudioError,
    SubmitUnknown,
    TimedOut,
    TooManyRuns,
)
from core.events import Accepted, Completed, Event, Working
from core.job import Job, Visitor
from core.job_state import JobState
from core.limits import Caps
from core.messages import recorded
from core.request import EditRequest
from core.result import Missing, Reason, Result
from engine.engine import Engine
from engine.quotas import Quotas
from storage.async_store import AsyncStore
from storage.records import error_of, error_text
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, files_of, make_request, make_spec, results, settle


class Provider(FakeBackend):
    """A backend that hands its work to a provider, which keeps it.

    Attributes:
        until: how far `edit` goes before it waits for ever: "upload", "sent", "accepted", or "" to the end.
        there: set when `edit` has come that far.
        sent: paid requests.
        asked: ids that were asked for, and the key.
    """

    def __init__(self, until: str = "", **facts: Any) -> None:
        super().__init__(make_spec(key_env="FAKE_KEY", price=0.5, **facts))
        self.until = until
        self.there = asyncio.Event()
        self.sent = 0
        self.asked: list[tuple[tuple[str | None, ...], str | None]] = []
        self.refuse: Exception | None = None

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Upload, send, wait."""
        await self.stop_at("upload")
        yield Working("sent")
        await self.stop_at("sent")
        self.sent += 1
        yield Accepted(0, "remote-0")
        await self.stop_at("accepted")
        yield Completed(results(request), {"inference": 1.0}, 0.4)

    async def stop_at(self, where: str) -> None:
        if self.until == where:
            self.there.set()
            await asyncio.Event().wait()

    async def resume(
        self, request: EditRequest, remote: Sequence[str | None], context: RunContext = OWNERS
    ) -> AsyncGenerator[Event, None]:
        """Give what the provider has."""
        self.asked.append((tuple(remote), context.key))
        if self.refuse:
            raise self.refuse
        yield Working("processing")
        yield Completed(results(request), {"inference": 1.0}, 0.4)


def engine_at(folder: Path, backend: FakeBackend, **options: Any) -> Engine:
    return Engine({"fake": backend}, AsyncStore(Store(folder)), **options)


async def cut(folder: Path, backend: FakeBackend, key: str | None = None, owner: str = "ann") -> Job:
    """Run a job until its backend waits, and end the process, as far as the store can tell."""
    engine = engine_at(folder, backend)
    job = await engine.submit("fake", make_request(backend.spec, seed=5), key, Visitor(owner))
    if isinstance(backend, Provider):
        await backend.there.wait()
    else:
        while not backend.working:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
    await engine.close(0.1)
    return job


async def after(folder: Path, backend: FakeBackend, owner: str = "ann", **options: Any) -> tuple[Engine, Job]:
    """Start anew, and return the one job that is found."""
    engine = engine_at(folder, backend, **options)
    await engine.recover()
    await settle()
    (job,) = await engine.history(owner)
    return engine, job


async def test_what_the_provider_has_is_asked_for_by_its_id_and_not_sent_again(tmp_path: Path) -> None:
    before = await cut(tmp_path, Provider("accepted"))
    backend = Provider()
    engine, job = await after(tmp_path, backend)
    done = await engine.result(job)
    assert (backend.sent, backend.asked) == (0, [(("remote-0",), None)])
    assert (job.id, job.request.prompt, job.request.seeds) == (before.id, before.request.prompt, (5,))
    assert [path.read_bytes() for path in files_of(job, tmp_path / "images")] == [
        each.data for each in results(make_request(backend.spec, seed=5))
    ]
    assert done.cost == 0.4
    await engine.close()


@pytest.mark.parametrize(
    "error",
    [
        KeyMissing("recorded", what="No key.", todo=""),
        KeyRejected("recorded", what="No.", todo=""),
        TimedOut("recorded", what="Late.", todo=""),
    ],
)
async def test_trouble_on_the_way_to_the_provider_is_no_end_and_the_next_start_asks_again(
    tmp_path: Path, error: StudioError
) -> None:
    await cut(tmp_path, Provider("accepted"))
    backend = Provider()
    backend.refuse = error
    engine, job = await after(tmp_path, backend)
    assert type(job.error) is type(error)
    await engine.close()
    engine, job = await after(tmp_path, Provider())
    await engine.result(job)
    await engine.close()


async def test_a_run_for_which_nobody_came_in_a_week_is_given_up(tmp_path: Path) -> None:
    job = await cut(tmp_path, Provider("accepted"), "key")
    week = 8 * 86_400
    with sqlite3.connect(tmp_path / "studio.db") as base:
        base.execute("update jobs set created = created - ? where id = ?", (week, job.id))
    base.close()
    engine, job = await after(tmp_path, Provider())
    assert isinstance(job.error, SubmitUnknown)
    assert job.error.charged is None
    await engine.close()


async def test_a_run_that_waits_for_its_key_holds_nobody_up(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("accepted"), "key")
    engine, _ = await after(tmp_path, Provider(), queue_size=1)
    assert engine.jobs.unfinished() == {"fake": 0}
    await engine.close()


async def test_what_was_sent_and_not_answered_is_unknown_and_never_sent_again(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("sent"))
    backend = Provider()
    engine, job = await after(tmp_path, backend)
    assert isinstance(job.error, SubmitUnknown)
    assert job.error.charged is None
    assert (backend.sent, backend.asked) == (0, [])
    await engine.close()


@pytest.mark.parametrize("backend", [FakeBackend(gate=asyncio.Event()), Provider("upload")])
async def test_what_was_not_sent_begins_anew(tmp_path: Path, backend: FakeBackend) -> None:
    await cut(tmp_path, backend)
    engine, job = await after(tmp_path, FakeBackend(backend.spec))
    await engine.result(job)
    assert [path.read_bytes() for path in files_of(job, tmp_path / "images")] == [
        each.data for each in results(make_request(backend.spec, seed=5))
    ]
    await engine.close()


async def test_what_was_not_sent_ends_where_the_owner_wants_it_so(tmp_path: Path) -> None:
    await cut(tmp_path, FakeBackend(gate=asyncio.Event()))
    backend = FakeBackend()
    engine, job = await after(tmp_path, backend, rerun=False)
    assert isinstance(job.error, Interrupted)
    assert job.error.charged is False
    assert backend.started == []
    await engine.close()


async def test_a_visitors_key_is_not_kept_and_the_run_goes_on_when_it_comes_again(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("accepted"), "canary-key")
    backend = Provider()
    engine, job = await after(tmp_path, backend)
    assert job.state is JobState.NEEDS_KEY
    assert b"canary" not in on_disk(tmp_path)
    engine.unlock("bob", "FAKE_KEY", "another-key")
    engine.unlock("ann", "OTHER_KEY", "another-key")
    await settle()
    assert backend.asked == []
    engine.unlock("ann", "FAKE_KEY", "canary-key")
    await engine.result(job)
    assert backend.asked == [(("remote-0",), "canary-key")]
    await engine.close()


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("studio.db*"))


async def test_a_wrong_key_leaves_the_run_waiting_for_the_right_one(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("accepted"), "key")
    backend = Provider()
    backend.refuse = KeyRejected("recorded", what="No.", todo="")
    engine, job = await after(tmp_path, backend)
    engine.unlock("ann", "FAKE_KEY", "wrong")
    await settle()
    assert job.state is JobState.NEEDS_KEY
    assert not job.ended
    backend.refuse = None
    engine.unlock("ann", "FAKE_KEY", "right")
    await engine.result(job)
    await engine.close()


async def test_a_run_that_waits_for_its_key_can_be_given_up(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("accepted"), "key")
    engine, job = await after(tmp_path, Provider())
    await engine.cancel(job)
    assert isinstance(job.error, RunCancelled)
    await engine.close()
    engine, job = await after(tmp_path, Provider())
    assert isinstance(job.error, RunCancelled)
    await engine.close()


async def test_with_a_visitors_key_what_was_not_sent_is_not_run_on_the_owners(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("upload"), "key")
    backend = Provider()
    engine, job = await after(tmp_path, backend)
    assert isinstance(job.error, Interrupted)
    assert backend.sent == 0
    await engine.close()


async def test_a_run_whose_backend_or_reference_is_gone_ends_in_words(tmp_path: Path) -> None:
    job = await cut(tmp_path / "one", FakeBackend(gate=asyncio.Event()))
    engine = Engine({}, AsyncStore(Store(tmp_path / "one")))
    await engine.recover()
    (found,) = await engine.history("ann")
    assert "no longer offered" in str(found.error)
    await engine.close()
    job = await cut(tmp_path / "two", FakeBackend(gate=asyncio.Event()))
    assert job.request.image.file is not None
    job.request.image.file.unlink()
    engine, found = await after(tmp_path / "two", FakeBackend())
    assert isinstance(found.error, Interrupted)
    await engine.close()


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("recipe", "{"),
        ("recipe", "[]"),
        ("recipe", '{"prompt": 1}'),
        ("recipe", "null"),
        ("remote", "nonsense"),
        ("call", '{"model": "m", "unknown": 1}'),
        ("call", "[1]"),
    ],
)
async def test_a_damaged_row_ends_as_failed_and_the_others_go_on(
    tmp_path: Path, column: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_at(tmp_path, FakeBackend(gate=asyncio.Event()))
    request = make_request(engine.specs["fake"])
    bad, good = [await engine.submit("fake", request, None, Visitor("ann")) for _ in range(2)]
    await engine.close(0.1)
    damage(tmp_path, f"update jobs set {column} = ? where id = ?", text, bad.id)
    engine = engine_at(tmp_path, FakeBackend())
    await engine.recover()
    (found,) = await engine.history("ann")
    await engine.result(found)
    assert found.id == good.id
    assert bad.id in caplog.text
    assert await engine.find("ann", bad.id) is None
    await engine.close()
    (state, error) = damage(tmp_path, "select state, error from jobs where id = ?", bad.id)[0]
    assert state == "failed"
    assert "damaged" in str(error_of(json.loads(error)))


@pytest.mark.parametrize("column", ["report", "error"])
async def test_a_damaged_row_that_had_ended_is_left_out_of_lists(tmp_path: Path, column: str) -> None:
    engine = engine_at(tmp_path, FakeBackend())
    request = make_request(engine.specs["fake"])
    bad, good = [await engine.submit("fake", request, None, Visitor("ann")) for _ in range(2)]
    await engine.result(bad)
    await engine.result(good)
    await engine.close()
    damage(tmp_path, f"update jobs set {column} = '{{' where id = ?", bad.id)
    engine = engine_at(tmp_path, FakeBackend())
    await engine.recover()
    assert [job.id for job in await engine.history("ann")] == [good.id]
    assert [job.id for job in await engine.page("ann", 0.0, 9, 1)] == [good.id]
    assert await engine.find("ann", bad.id) is None
    await engine.close()


def damage(folder: Path, statement: str, *values: str) -> list[tuple[Any, ...]]:
    """Do something to the database of an app that does not run; return the rows."""
    base = sqlite3.connect(folder / "studio.db")
    try:
        with base:
            return base.execute(statement, values).fetchall()
    finally:
        base.close()


async def test_a_click_during_the_recovery_waits_until_the_rows_are_read(tmp_path: Path) -> None:
    first = await cut(tmp_path, FakeBackend(gate=asyncio.Event()))
    engine = engine_at(tmp_path, FakeBackend())
    recovery = engine.start_recovery()
    second = await engine.submit("fake", make_request(engine.specs["fake"], "second"), None, Visitor("ann"))
    assert [job.id for job in engine.jobs] == [first.id, second.id]
    await recovery
    for job in engine.jobs:
        await engine.result(job)
    await engine.close()


async def test_the_recovery_reads_no_picture(tmp_path: Path) -> None:
    await cut(tmp_path, FakeBackend(gate=asyncio.Event()))
    backend = FakeBackend(gate=(gate := asyncio.Event()))
    engine, job = await after(tmp_path, backend)
    assert job.request.image.data == b""
    gate.set()
    await engine.result(job)
    await engine.close()


async def test_history_is_its_owners_and_survives_with_results_and_errors(tmp_path: Path) -> None:
    backend = FakeBackend()
    engine = engine_at(tmp_path, backend)
    backend.outcome = lambda request: Completed(
        (*results(request)[:1], Missing(Reason.NSFW, recorded("Not safe."), 6)), {}, 0.1
    )
    await engine.result(
        await engine.submit("fake", make_request(backend.spec, num_images=2, seed=5), None, Visitor("ann"))
    )
    backend.outcome, backend.fail = None, RunFailed("recorded", what="It broke.", todo="Mend it.")
    failed = await engine.submit("fake", make_request(backend.spec, "second"), None, Visitor("ann"))
    assert failed.task
    await failed.task
    await engine.close()
    engine = engine_at(tmp_path, backend)
    await engine.recover()
    done, broken = await engine.history("ann")
    assert done.result
    assert [type(each).__name__ for each in done.result.images] == ["Made", "Missing"]
    (file,) = files_of(done, tmp_path / "images")
    assert file.exists()
    assert (done.result.cost, done.request.params["seed"]) == (0.1, 5)
    assert str(broken.error) == "It broke. Mend it."
    assert await engine.history("bob") == []
    assert await engine._store.may_see("ann", file.name)
    assert not await engine._store.may_see("bob", file.name)
    await engine.close()


@pytest.mark.parametrize(
    "error",
    [
        RunFailed("recorded", what="a", todo="b"),
        TimedOut("recorded", what="a", todo="b", remote_id="r", charged=None),
        RateLimited("recorded", what="a", todo="b", wait=5.0),
        SubmitUnknown("recorded", what="a", todo=""),
        Interrupted("recorded", what="a", todo="b"),
    ],
)
def test_an_error_is_the_same_after_it_was_written_down(error: RunFailed) -> None:
    again = error_of(json.loads(error_text(error)))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_an_error_of_a_kind_that_is_gone_is_still_one() -> None:
    text = error_text(RunFailed("recorded", what="a", todo="b")).replace("RunFailed", "OfLongAgo")
    assert type(error_of(json.loads(text))) is RunFailed


async def test_the_owners_purse_holds_however_many_click_at_once(tmp_path: Path) -> None:
    backend = Provider()
    engine = engine_at(tmp_path, backend, quotas=Quotas(Caps(budget=1.4)))
    request = make_request(backend.spec)
    told = await asyncio.gather(*(engine.submit("fake", request) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, Job) for each in told) == 2
    assert sum(isinstance(each, BudgetSpent) for each in told) == 8
    await asyncio.gather(*(engine.result(each) for each in told if isinstance(each, Job)))
    await engine.result(await engine.submit("fake", request))  # two runs cost 0.40 each, less than was feared
    with pytest.raises(BudgetSpent):
        await engine.submit("fake", request)
    await engine.submit("fake", request, "a key of one's own")
    await engine.close()


async def test_a_visitor_over_the_limit_leaves_no_job(tmp_path: Path) -> None:
    backend = FakeBackend()
    engine = engine_at(tmp_path, backend, quotas=Quotas(Caps(per_minute=1)))
    visitor = Visitor("ann", "192.0.2.1")
    await engine.submit("fake", make_request(backend.spec), None, visitor)
    with pytest.raises(TooManyRuns):
        await engine.submit("fake", make_request(backend.spec), None, visitor)
    assert len(await engine.history("ann")) == 1
    await engine.close()


async def test_a_full_disk_quota_lets_the_oldest_run_go_and_says_so(tmp_path: Path) -> None:
    backend = FakeBackend()
    engine = engine_at(tmp_path, backend, quotas=Quotas(Caps(quota=1)))
    first = await engine.submit("fake", make_request(backend.spec, seed=1), None, Visitor("ann"))
    await engine.result(first)
    assert len(list((tmp_path / "images").iterdir())) == 2, "a result that was just made stays"
    second = await engine.submit("fake", make_request(backend.spec, seed=2), None, Visitor("ann"))
    assert "the oldest run was removed" in str((await engine.result(second)).notices[-1])
    assert await engine.history("ann") == [second]
    assert len(list((tmp_path / "images").iterdir())) == 2
    await engine.close()


async def test_a_disk_that_takes_nothing_refuses_the_run(tmp_path: Path) -> None:
    backend = FakeBackend()
    engine = engine_at(tmp_path, backend)
    (tmp_path / "images").write_text("a file where the folder should be")
    with pytest.raises(RunFailed, match="was not started"):
        await engine.submit("fake", make_request(backend.spec))
    assert backend.started == []
    assert engine.jobs.unfinished() == {"fake": 0}
    await engine.close()


async def test_whoever_goes_away_while_the_run_is_written_down_leaves_none(tmp_path: Path) -> None:
    backend = FakeBackend()
    engine = engine_at(tmp_path, backend)
    click = asyncio.create_task(engine.submit("fake", make_request(backend.spec), None, Visitor("ann")))
    await asyncio.sleep(0)
    click.cancel()
    await asyncio.wait([click])
    await settle()
    assert backend.started == []
    assert all(isinstance(job.error, RunCancelled) for job in await engine.history("ann"))
    await engine.close()
    engine = engine_at(tmp_path, backend)
    await engine.recover()
    await settle()
    assert backend.started == []
    await engine.close()


async def test_a_run_waits_for_its_key_over_two_restarts(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("accepted"), "key")
    for _ in range(2):
        engine, job = await after(tmp_path, Provider())
        assert job.state is JobState.NEEDS_KEY
        await engine.close()


async def test_what_was_sent_to_a_backend_that_is_gone_may_have_run_there(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("sent"))
    engine = Engine({}, AsyncStore(Store(tmp_path)))
    await engine.recover()
    (job,) = await engine.history("ann")
    assert job.state is JobState.UNKNOWN
    assert job.error is not None
    assert job.error.charged is None
    await engine.close()


async def test_a_provider_that_cannot_be_asked_again_is_said_to_be_so(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("accepted"))
    engine, job = await after(tmp_path, FakeBackend())
    assert isinstance(job.error, RunFailed)
    assert "cannot be asked" in str(job.error)
    await engine.close()


async def test_a_run_that_is_cancelled_while_the_others_are_taken_up_is_not_taken_up(tmp_path: Path) -> None:
    engine = engine_at(tmp_path, FakeBackend(gate=asyncio.Event()))
    requests = [make_request(make_spec(), prompt) for prompt in ("first", "second")]
    jobs = [await engine.submit("fake", each, None, Visitor("ann")) for each in requests]
    await engine.close(0.1)
    backend = FakeBackend()
    engine = engine_at(tmp_path, backend, rerun=False)
    recovery = engine.start_recovery()
    second = await engine.find("ann", jobs[1].id)  # as soon as it is known, while the first one's end is written
    assert second is not None
    await engine.cancel(second)
    await recovery
    first = await engine.find("ann", jobs[0].id)
    assert first is not None
    assert [job.state for job in (first, second)] == [JobState.INTERRUPTED, JobState.CANCELLED]
    assert backend.started == []
    await engine.close()


async def test_an_app_whose_unfinished_jobs_cannot_be_read_serves_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_at(tmp_path, FakeBackend())

    async def unreadable() -> list[Job]:
        raise sqlite3.DatabaseError("malformed")

    monkeypatch.setattr(engine._store, "unfinished", unreadable)
    await engine.recover()
    assert "could not be read" in caplog.text
    await engine.result(await engine.submit("fake", make_request(make_spec()), None, Visitor("ann")))
    await engine.close()


async def test_the_disk_that_takes_nothing_after_the_provider_is_done_is_asked_again_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cut(tmp_path, Provider("accepted"))
    backend = Provider()
    engine = engine_at(tmp_path, backend)

    async def full(job: Job, event: Completed) -> Result:
        engine._runner.closing.set()  # else it would be tried again and again
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(engine._store, "done", full)
    await engine.recover()
    (job,) = await engine.history("ann")
    with pytest.raises(DiskFull):
        await engine.result(job)
    assert job.state is JobState.DETACHED
    await engine.close()
    engine, job = await after(tmp_path, backend)
    await engine.result(job)
    await engine.close()


async def test_a_cancelled_run_whose_provider_takes_too_long_stays_detached_for_the_next_start(tmp_path: Path) -> None:
    await cut(tmp_path, Provider("accepted"))
    gate = asyncio.Event()

    class Late(Provider):
        async def resume(
            self, request: EditRequest, remote: Sequence[str | None], context: RunContext = OWNERS
        ) -> AsyncGenerator[Event, None]:
            yield Working("processing")
            await gate.wait()
            raise TimedOut("recorded", what="It takes too long.", todo="")

    engine, job = await after(tmp_path, Late())
    await engine.cancel(job)
    assert job.state is JobState.DETACHED
    gate.set()
    with pytest.raises(TimedOut):
        await engine.result(job)
    assert job.state is JobState.DETACHED
    await engine.close()
    engine, job = await after(tmp_path, Provider())
    await engine.result(job)
    await engine.close()
