"""Whoever watches an owner is woken by every change of that owner's, and by nobody else's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.job import Visitor
from engine.engine import Engine
from engine.feed import Feed
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, make_request


async def test_only_the_watchers_of_an_owner_are_woken() -> None:
    feed = Feed()
    with feed.watch("ann") as hers, feed.watch("ann") as also_hers, feed.watch("bob") as his:
        feed.wake("ann")
        assert [await each.wait(0) for each in (hers, also_hers, his)] == [(True, True), (True, True), (False, True)]
        assert feed.count("ann") == 2
    assert feed.count("ann") == 0
    feed.wake("ann")


async def test_a_watcher_who_comes_late_is_woken_once_and_told_whether_to_look_into_the_store() -> None:
    feed = Feed()
    with feed.watch("ann") as watch:
        for stored in (False, True, False):
            feed.wake("ann", stored=stored)
        assert await watch.wait(60) == (True, True)
        feed.wake("ann", stored=False)
        assert await watch.wait(60) == (True, False)
        assert await watch.wait(0) == (False, True)


@pytest.mark.parametrize("turns", range(4))
async def test_a_cancel_that_comes_with_news_ends_the_wait(turns: int) -> None:
    feed = Feed()
    with feed.watch("ann") as watch:
        waiting = asyncio.create_task(watch.wait(60))
        for _ in range(3):
            await asyncio.sleep(0)
        feed.wake("ann")
        for _ in range(turns):
            await asyncio.sleep(0)
        ended = waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled() or ended


async def test_a_jobs_way_wakes_its_owner_from_the_submit_to_the_end(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    engine = Engine({"fake": backend}, AsyncStore(Store(tmp_path)))
    with engine.feed.watch("ann") as watch:
        job = await engine.submit("fake", make_request(backend.spec), visitor=Visitor("ann"))
        assert await watch.wait(0) == (True, False)
        assert backend.gate is not None
        backend.gate.set()
        await engine.result(job)
        assert await watch.wait(0) == (True, True)
        await engine.delete("ann", [job.id])
        assert await watch.wait(0) == (True, True)
    await engine.close()


async def test_an_owner_has_their_own_jobs_and_a_pace_is_known_by_backend(tmp_path: Path) -> None:
    backend = FakeBackend()
    engine = Engine({"fake": backend}, AsyncStore(Store(tmp_path)))
    hers = await engine.submit("fake", make_request(backend.spec), visitor=Visitor("ann"))
    his = await engine.submit("fake", make_request(backend.spec), visitor=Visitor("bob"))
    await engine.result(hers)
    await engine.result(his)
    assert engine.jobs.of("ann") == [hers]
    engine.jobs.discard("none of them")
    assert [*engine.pace("fake")] == [""]
    await engine.close()
