"""Turns at a backend: in order for one owner, round by owner for several."""

from __future__ import annotations

import asyncio

from core.events import Queued
from core.job import Job
from engine.fair_queue import FairQueue
from engine.turns import Turn
from tests.support.fakes import FakeBackend, make_reference, make_request, make_spec

IMAGE = make_reference()


class Line:
    """A lane with one place, which is taken; jobs come, and note when they have their turn.

    Args:
        together: runs that its backend makes as one.
    """

    def __init__(self, together: int = 1) -> None:
        self.lane = FairQueue(FakeBackend(make_spec(concurrency=1, together=together)))
        self.turn: dict[str, Turn] = {}
        self.turns: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.jobs: dict[str, Job] = {}

    async def come(self, *names: str) -> None:
        """Let jobs come; a name's first word is its owner, what comes before a dot in the second its prompt."""
        for name in names:
            owner, rest = f"{name} 1".split()[:2]
            prompt, _, seed = rest.partition(".")
            request = make_request(prompt=prompt, image=IMAGE, seed=int(seed or 1))
            job = self.jobs[name] = Job(name, "fake", request, owner=owner)
            self.tasks[name] = asyncio.create_task(self._wait(name, job))
            await asyncio.sleep(0)

    async def _wait(self, name: str, job: Job) -> None:
        self.turn[name] = await self.lane.enter(job)
        self.turns.append(name)

    async def go(self, times: int) -> list[str]:
        """Free the place some times; return who has had a turn so far."""
        for _ in range(times):
            self.lane.leave()
            await asyncio.sleep(0.001)
        return self.turns


async def test_one_owners_jobs_have_their_turns_in_order() -> None:
    line = Line()
    await line.come("ann 1", "ann 2", "ann 3")
    assert await line.go(2) == ["ann 1", "ann 2", "ann 3"]


async def test_turns_go_round_by_owner() -> None:
    line = Line()
    await line.come("first", "ann 1", "ann 2", "ann 3", "ann 4", "bob 1", "eve 1", "eve 2")
    assert await line.go(7) == ["first", "ann 1", "bob 1", "eve 1", "ann 2", "eve 2", "ann 3", "ann 4"]


async def test_who_comes_back_at_once_goes_behind_those_who_wait() -> None:
    line = Line()
    await line.come("first", "ann 1", "bob 1", "bob 2")
    await line.go(1)
    await line.come("ann 2")
    assert await line.go(3) == ["first", "ann 1", "bob 1", "ann 2", "bob 2"]


async def test_positions_are_told_as_the_turns_will_come() -> None:
    line = Line()
    await line.come("first", "ann 1", "ann 2", "bob 1")
    told = {name: job.event.position for name, job in line.jobs.items() if isinstance(job.event, Queued)}
    assert {name: told[name] for name in ("ann 1", "bob 1", "ann 2")} == {"ann 1": 1, "bob 1": 2, "ann 2": 3}


async def test_who_leaves_the_line_holds_nobody_up() -> None:
    line = Line()
    await line.come("first", "ann 1", "bob 1", "bob 2")
    line.tasks["ann 1"].cancel()
    line.tasks["bob 1"].cancel()
    await asyncio.sleep(0.001)
    assert await line.go(1) == ["first", "bob 2"]
    await line.go(1)
    assert line.lane.free == 1


async def test_a_turn_that_comes_with_the_cancel_is_passed_on() -> None:
    line = Line()
    await line.come("first", "ann 1", "bob 1")
    line.lane.leave()  # the turn is ann's
    line.tasks["ann 1"].cancel()  # who goes in the same moment
    await asyncio.sleep(0.001)
    assert line.turns == ["first", "bob 1"]


# ---- what a backend makes as one -----------------------------------------------------------------------


async def test_runs_that_differ_in_their_seed_alone_have_their_turn_together_as_many_as_the_backend_takes() -> None:
    line = Line(together=3)
    await line.come("first", "ann a.1", "ann b.1", "ann a.2", "ann a.3", "ann a.4")
    assert await line.go(1) == ["first", "ann a.1", "ann a.2", "ann a.3"]
    assert [line.turn[f"ann a.{seed}"] for seed in (1, 2, 3)] == [Turn(True, 3), Turn(False, 3), Turn(False, 3)]
    assert await line.go(2) == ["first", "ann a.1", "ann a.2", "ann a.3", "ann b.1", "ann a.4"]
    assert line.turn["ann a.4"] == Turn(True, 1)
    await line.go(1)
    assert line.lane.free == 1


async def test_nobody_waits_for_anothers_runs_that_are_made_together() -> None:
    line = Line(together=3)
    await line.come("first", "ann a.1", "ann a.2", "bob a.3", "ann a.4")
    assert await line.go(2) == ["first", "ann a.1", "bob a.3"]
    assert await line.go(1) == ["first", "ann a.1", "bob a.3", "ann a.2", "ann a.4"]


async def test_who_shares_a_place_and_goes_in_the_same_moment_frees_none() -> None:
    line = Line(together=2)
    await line.come("first", "ann a.1", "ann a.2", "ann b.1")
    line.lane.leave()
    line.tasks["ann a.2"].cancel()
    await asyncio.sleep(0.001)
    assert line.turns == ["first", "ann a.1"]
    assert await line.go(1) == ["first", "ann a.1", "ann b.1"]


async def test_who_has_left_the_line_shares_no_place() -> None:
    line = Line(together=2)
    await line.come("first", "ann a.1", "ann a.2", "ann a.3")
    line.tasks["ann a.2"].cancel()
    assert await line.go(1) == ["first", "ann a.1", "ann a.3"]
