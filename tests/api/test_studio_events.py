"""The stream of what changes: what a new reader begins with, what travels, and what a reader who was away missed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.studio import events
from api.studio.backends import Backends
from api.studio.events import Events
from core.errors import RunFailed
from core.experiment import Cell
from core.job import Visitor
from core.job_state import JobState
from core.request import EditRequest
from engine.engine import Engine
from engine.experiments import Experiments
from engine.quotas import Quotas
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.api_app import api_app
from tests.support.fakes import FakeBackend, make_reference, make_request, make_spec, settle
from tests.support.loopback import serving

pytestmark = pytest.mark.integration

ANN = Visitor("ann")


class Reader:
    """Reads a stream, and keeps what a page would keep."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self.last: int | None = None
        self.sizes: list[int] = []
        self.numbered = False

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Return the kind and the data of the next event; a heartbeat is ("beat", {})."""
        part = await asyncio.wait_for(anext(self._stream), 60)
        if part.startswith(b":"):
            return "beat", {}
        *number, kind, data = part.decode().strip().split("\n")
        self.numbered = bool(number)
        if number:
            self.last = int(number[0].removeprefix("id: "))
        self.sizes.append(len(part))
        return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@asynccontextmanager
async def at_work(folder: Path, backend: FakeBackend) -> AsyncIterator[tuple[Engine, Events]]:
    store = AsyncStore(Store(folder))
    engine = Engine({"fake": backend}, store)
    try:
        quotas = Quotas()
        experiments = Experiments(engine, store.experiments, store, quotas)
        yield engine, Events(engine, store.library, experiments, Backends(engine, quotas), "b1")
    finally:
        await engine.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "INTERVAL", 0.0)


async def test_a_new_reader_begins_with_the_jobs_the_backends_and_the_number_of_pictures(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    async with at_work(tmp_path, backend) as (engine, made):
        job = await engine.submit("fake", make_request(backend.spec), visitor=ANN)
        await engine.submit("fake", make_request(backend.spec), visitor=Visitor("bob"))
        await settle()
        async with aclosing(made.stream("ann", None)) as stream:
            kind, hello = await Reader(stream).next()
        assert kind == "hello"
        assert [each["id"] for each in hello["jobs"]] == [job.id]
        assert (hello["build"], hello["total"], list(hello["backends"])) == ("b1", 0, ["fake"])


async def test_only_what_changed_travels_and_the_results_come_with_the_end(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event(), steps=20)
    async with at_work(tmp_path, backend) as (engine, made), aclosing(made.stream("ann", None)) as stream:
        reader = Reader(stream)
        await reader.next()
        job = await engine.submit("fake", make_request(backend.spec), visitor=ANN)
        merged: dict[str, Any] = {}
        results: list[dict[str, Any]] = []
        partial = []
        while merged.get("state") != JobState.DONE:
            kind, change = await reader.next()
            assert kind == "change"
            assert reader.numbered == ("results" in change), "only what is stored has a number"
            for fields in change.get("jobs", []):
                merged |= fields
                partial.append(fields)
            results += change.get("results", [])
            if merged.get("event", {}).get("kind") == "progress" and backend.gate is not None:
                backend.gate.set()
        while not results:
            results += (await reader.next())[1].get("results", [])
        assert "recipe" not in partial[1], "what stays the same is not sent again"
        assert [each["id"] for each in results] == [each["id"] for each in merged["results"]]
        assert results[0]["job"] == job.id


async def test_a_run_of_twenty_steps_sends_little_however_much_there_was_before(tmp_path: Path) -> None:
    """At most 60 KB beside pictures. Each step wakes the reader, who is as fast as can be."""

    class Stepwise(FakeBackend):
        slow = False

        async def edit(self, *given: Any) -> Any:
            async for event in super().edit(*given):
                yield event
                if self.slow:
                    await settle()

    backend = Stepwise(steps=20)
    async with at_work(tmp_path, backend) as (engine, made):
        for _ in range(30):
            await engine.result(await engine.submit("fake", make_request(backend.spec), visitor=ANN))
        backend.slow = True
        async with aclosing(made.stream("ann", None)) as stream:
            reader = Reader(stream)
            await reader.next()
            job = await engine.submit("fake", make_request(backend.spec), visitor=ANN)
            ended = False
            while not ended:
                _, change = await reader.next()
                ended = any(each["job"] == job.id for each in change.get("results", []))
            assert sum(reader.sizes) < 60_000


async def test_a_slow_reader_gets_the_latest_state_and_no_backlog(tmp_path: Path) -> None:
    backend = FakeBackend(steps=40)
    async with at_work(tmp_path, backend) as (engine, made), aclosing(made.stream("ann", None)) as stream:
        reader = Reader(stream)
        await reader.next()
        jobs = [await engine.submit("fake", make_request(backend.spec), visitor=ANN) for _ in range(3)]
        for job in jobs:
            await engine.result(job)
        _, change = await reader.next()
        assert {each["id"]: each["state"] for each in change["jobs"]} == {job.id: "done" for job in jobs}
        assert len(change["results"]) == 3


async def test_how_far_an_experiment_is_travels_with_its_cells(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with at_work(tmp_path, backend) as (engine, made), aclosing(made.stream("ann", None)) as stream:
        reader = Reader(stream)
        await reader.next()
        image = await engine._store.keep_reference("ann", make_reference(), None)  # type: ignore[attr-defined]
        cells = [Cell((each,), EditRequest.build(backend.spec, f"cell {each}", image, {})) for each in range(3)]
        row = await made._experiments.start(ANN, "{}", cells, {})
        places, state = set[int](), None
        while state != "done":
            _, change = await reader.next()
            places |= {each["cell"]["place"] for each in change.get("jobs", []) if "cell" in each}
            (standing,) = change.get("experiments", [{"id": row.id}])
            assert standing["id"] == row.id
            state = standing.get("state", state)
    assert places == {0, 1, 2}


async def test_a_reader_who_was_away_is_told_what_came_and_what_went(tmp_path: Path) -> None:
    backend = FakeBackend()
    async with at_work(tmp_path, backend) as (engine, made):
        await engine.result(await engine.submit("fake", make_request(backend.spec), visitor=ANN))
        async with aclosing(made.stream("ann", None)) as stream:
            reader = Reader(stream)
            await reader.next()
        (old,) = (await made._library.page("ann", 5)).rows
        await made._library.delete("ann", [old.id])
        job = await engine.submit("fake", make_request(backend.spec), visitor=ANN)
        await engine.result(job)
        async with aclosing(made.stream("ann", reader.last)) as stream:
            _, hello = await Reader(stream).next()
        assert [each["job"] for each in hello["results"]] == [job.id]
        assert (hello["deleted"], hello["total"]) == ([old.id], 1)
        async with aclosing(made.stream("ann", 10_000)) as stream:
            _, other = await Reader(stream).next()
        assert other["stale"], "a number of another database"


async def test_what_failed_or_was_withheld_comes_as_a_result_and_not_as_deleted(tmp_path: Path) -> None:
    backend = FakeBackend(fail=RunFailed("run-broke"))
    async with at_work(tmp_path, backend) as (engine, made), aclosing(made.stream("ann", None)) as stream:
        reader = Reader(stream)
        _, hello = await reader.next()
        job = await engine.submit("fake", make_request(backend.spec), visitor=ANN)
        change: dict[str, Any] = {}
        while "results" not in change:
            _, change = await reader.next()
        (result,) = change["results"]
        assert (result["job"], result["image"], result["missing"]["reason"]) == (job.id, None, "failed")
        assert (change["deleted"], change["total"]) == ([], 0)
        assert change["revision"] > hello["revision"] == 0


async def test_an_idle_stream_beats_and_ends_leave_nobody_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BEAT", 0.01)
    async with at_work(tmp_path, FakeBackend()) as (engine, made):
        async with aclosing(made.stream("ann", None)) as stream:
            reader = Reader(stream)
            assert [(await reader.next())[0] for _ in range(3)] == ["hello", "beat", "beat"]
            assert engine.feed.count("ann") == 1
        assert engine.feed.count("ann") == 0


async def test_a_stream_over_a_socket_tells_a_job_of_another_request_and_ends_with_its_reader(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"))
    async with (
        api_app(tmp_path, {"local": backend}) as app,
        serving(app.app) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as client,
    ):
        async with client.stream("GET", "/studio/v1/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            assert [line async for line in _first(lines, 2)][1] == "event: hello"
            await app.engine.submit("local", make_request(backend.spec))
            async for line in lines:
                if line == "event: change":
                    break
        for _ in range(500):
            if app.engine.feed.count("local") == 0:
                break
            await asyncio.sleep(0.01)
        assert app.engine.feed.count("local") == 0


async def _first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    with contextlib.suppress(StopAsyncIteration):
        for _ in range(count):
            yield await anext(lines)
