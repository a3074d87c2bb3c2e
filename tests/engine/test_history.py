"""An owner's jobs: listed, found, paged, deleted; nobody else's."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from core.errors import RunCancelled
from core.job import Call, Job, Visitor
from core.limits import Caps
from engine.engine import Engine
from engine.quotas import Quotas
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, FakeProvider, files_of, make_request, make_spec, settle

ANN = Visitor("ann")


def engine_at(folder: Path, backend: FakeBackend | None = None, quotas: Quotas | None = None) -> Engine:
    return Engine({"fake": backend or FakeBackend()}, Store(folder), quotas=quotas)


async def done(engine: Engine, prompt: str = "a lake", call: Call | None = None) -> Job:
    """Return a job of Ann's that is done."""
    job = await engine.submit("fake", make_request(engine.specs["fake"], prompt), visitor=ANN, call=call)
    await engine.result(job)
    return job


async def test_pages_go_from_the_newest_to_the_oldest_and_end(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    jobs = [await done(engine, str(number)) for number in range(5)]
    pages = [[job.id for job in await engine.page("ann", 0.0, 2, number)] for number in (1, 2, 3, 4)]
    newest_first = [job.id for job in reversed(jobs)]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:], []]
    assert [job.id for job in await engine.history("ann")] == [job.id for job in jobs]
    assert await engine.page("bob", 0.0, 2, 1) == []
    await engine.close()


async def test_a_job_is_found_in_memory_and_on_the_disk_and_by_its_owner_alone(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    job = await done(engine)
    assert engine.backend("fake").ready() is None
    assert await engine.find("ann", job.id) is job
    assert await engine.find("bob", job.id) is None
    await engine.close()
    engine = engine_at(tmp_path)
    stored = await engine.find("ann", job.id)
    assert stored is not None
    assert stored.result == job.result
    assert await engine.find("bob", job.id) is None
    await engine.close()


async def test_the_same_call_is_found_while_it_is_not_older_than_asked(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    job = await done(engine, call=Call("fake-model", "http://test", once="one"))
    assert await engine.find_call("ann", "one", job.created - 1) is job
    assert await engine.find_call("bob", "one", 0.0) is None
    assert await engine.find_call("ann", "one", job.created + 1) is None
    await engine.close()


async def test_an_end_is_reported_once_and_only_when_it_is_one(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = engine_at(tmp_path, FakeBackend(gate=gate))
    call = Call("fake-model", "http://test", hook="http://test/hook")
    job = await engine.submit("fake", make_request(engine.specs["fake"]), visitor=ANN, call=call)
    await engine.reported(job)
    assert await engine.unreported() == []
    gate.set()
    await engine.result(job)
    assert [each.id for each in await engine.unreported()] == [job.id]
    await engine.reported(job)
    assert await engine.unreported() == []
    await engine.close()


async def test_deleting_removes_rows_and_files_and_leaves_what_others_have(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    job = await done(engine)
    (file,) = files_of(job, engine.images.folder)
    assert await engine.delete("bob", [job.id, "unknown"]) == 0
    assert file.exists()
    assert await engine.delete("ann", [job.id, job.id]) == 1
    assert not file.exists()
    assert await engine.find("ann", job.id) is None
    await engine.close()


async def test_a_job_from_an_earlier_process_is_deleted_too(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    job = await done(engine)
    await engine.close()
    engine = engine_at(tmp_path)
    assert await engine.delete("ann", [job.id]) == 1
    await engine.close()


async def test_deleting_stops_a_job_that_goes_on(tmp_path: Path) -> None:
    engine = engine_at(tmp_path, FakeBackend(gate=asyncio.Event()))
    job = await engine.submit("fake", make_request(engine.specs["fake"]), visitor=ANN)
    await settle()
    assert await engine.delete("ann", [job.id]) == 1
    with pytest.raises(RunCancelled):
        await engine.result(job)
    await engine.close()


async def test_what_was_spent_counts_the_owners_money_of_today(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec(price=0.5), provider=FakeProvider())
    engine = engine_at(tmp_path, backend, Quotas(Caps(budget=9.0), now=time.time))
    assert await engine.spent_today() == 0.0
    gate = backend.gate = asyncio.Event()
    job = await engine.submit("fake", make_request(backend.spec), visitor=ANN)
    assert await engine.spent_today() == 0.5, "the estimate, until the cost is known"
    gate.set()
    await engine.result(job)
    assert await engine.spent_today() == 0.0, "it was free"
    await engine.close()
