"""An owner's jobs: listed, found, paged, deleted; nobody else's."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from core.errors import DiskFull, RunCancelled
from core.job import Call, Job, Source, Visitor
from core.limits import Caps
from engine.engine import Engine
from engine.quotas import Quotas
from storage.async_store import AsyncStore
from storage.rows import Marks
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, FakeProvider, files_of, make_request, make_spec, settle
from tests.support.services import services_at

ANN = Visitor("ann")


def engine_at(folder: Path, backend: FakeBackend | None = None, quotas: Quotas | None = None) -> Engine:
    return Engine({"fake": backend or FakeBackend()}, AsyncStore(Store(folder)), quotas=quotas)


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
    (file,) = files_of(job, tmp_path / "images")
    assert await engine.delete("bob", [job.id, "unknown"]) == 0
    assert file.exists()
    assert await engine.delete("ann", [job.id, job.id]) == 1
    assert not file.exists()
    assert await engine.find("ann", job.id) is None
    await engine.close()


async def test_a_job_is_forgotten_in_memory_too_when_its_last_result_is_deleted(tmp_path: Path) -> None:
    services = services_at(tmp_path)
    job = await done(services.engine)
    (row,) = (await services.library.page("ann", 9)).rows
    assert (await services.library.delete("bob", [row.id]))[0] == ()
    assert services.engine.jobs.get(job.id) is job
    assert (await services.library.delete("ann", [row.id]))[0] == (row.id,)
    assert services.engine.jobs.get(job.id) is None
    assert await services.engine.find("ann", job.id) is None
    await services.close()


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
    assert await engine.spending("ann", 0.0) == {"fake": 0.5}
    gate.set()
    await engine.result(job)
    assert await engine.spent_today() == 0.0, "it was free"
    await engine.close()


@pytest.mark.parametrize("source", Source)
async def test_a_job_says_through_which_door_it_came_after_a_restart_too(tmp_path: Path, source: Source) -> None:
    services = services_at(tmp_path)
    job = await services.engine.submit("fake", make_request(), visitor=Visitor("ann"), source=source)
    await services.engine.result(job)
    await services.close()
    again = services_at(tmp_path)
    found = await again.engine.find("ann", job.id)
    assert found is not None
    assert found.source is source
    await again.close()


async def test_a_run_without_any_room_is_refused_before_it_is_counted_or_kept(tmp_path: Path) -> None:
    services = services_at(tmp_path)
    job = await done(services.engine)
    (row,) = (await services.library.page("ann", 9)).rows
    await services.library.mark("ann", [row.id], Marks(star=True), 1 << 40)
    size = (await services.library.facets("ann", 1 << 40)).bytes
    await services.close()
    services = services_at(tmp_path, caps=Caps(quota=size, per_minute=1))
    visitor = Visitor("ann", address="192.0.2.1")
    with pytest.raises(DiskFull) as refused:
        await services.engine.submit("fake", make_request(services.engine.specs["fake"]), visitor=visitor)
    assert refused.value.code == "quota-full-not-started"
    assert services.engine.jobs.of("ann") == []
    await services.library.mark("ann", [row.id], Marks(star=False), size)
    again = await services.engine.submit("fake", make_request(services.engine.specs["fake"]), visitor=visitor)
    result = await services.engine.result(again)
    assert [each.code for each in result.notices] == ["notice-oldest-removed"]
    assert await services.engine.find("ann", job.id) is None
    await services.close()


async def test_a_run_that_needs_room_leaves_what_is_protected_and_says_that_others_went(tmp_path: Path) -> None:
    services = services_at(tmp_path, caps=Caps(quota=1 << 40))
    request = make_request(services.engine.specs["fake"], num_images=2)
    await services.engine.result(await services.engine.submit("fake", request, visitor=ANN))
    kept, gone = (await services.library.page("ann", 9)).rows
    await services.library.mark("ann", [kept.id], Marks(star=True), 1 << 40)
    await services.close()
    services = services_at(tmp_path, caps=Caps(quota=1))
    second = await services.engine.submit("fake", make_request(services.engine.specs["fake"], "a sea"), visitor=ANN)
    result = await services.engine.result(second)
    assert [each.code for each in result.notices] == ["notice-oldest-removed"]
    ids = {row.id for row in (await services.library.page("ann", 9)).rows}
    assert kept.id in ids
    assert gone.id not in ids
    await services.close()
