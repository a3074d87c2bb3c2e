"""Following a task at WaveSpeedAI until it has ended: by asking, sooner where a webhook calls."""

from __future__ import annotations

import asyncio
import itertools

from backends.hosted.pace import Pace, pause
from backends.http.answer import NotSent
from backends.http.client import ProviderClient
from backends.wavespeed.answers import ENDED, NAME, Task, failure, read, refusal, unsettled
from core.errors import ResultGone, TimedOut
from core.events import Event, Working

DEADLINE = 600.0
"""Seconds for a task from its submit to its end."""


class Follower:
    """Asks for tasks.

    Args:
        client: talks to the provider.
    """

    def __init__(self, client: ProviderClient) -> None:
        self._client = client
        self._called: dict[str, asyncio.Event] = {}

    def call(self, task_id: str) -> None:
        """Ask for a task at once, if it is followed."""
        if task_id in self._called:
            self._called[task_id].set()

    async def wait(
        self, task: Task, key: str, begun: float, pace: Pace, told: asyncio.Queue[Event]
    ) -> tuple[Task, float]:
        """Return the completed task, and when it ended.

        Args:
            task: as it was last seen.
            key: whose task it is.
            begun: when it was submitted, by the client's clock.
            pace: how long such tasks took before.
            told: gets a Working at each look.

        Raises:
            StudioError: the task failed, or did not end in time.
        """
        deadline, last = begun + DEADLINE * self._client.patience, begun
        called = self._called[task.id] = asyncio.Event()
        try:
            expected, soonest = pace.expected(), pace.soonest()
            for looks in itertools.count():
                now = self._client.clock()
                await self._pause(min(pause(now - begun, looks, expected, soonest), deadline - now), called)
                if self._client.clock() >= deadline:
                    break
                task = await self._look(task, key, deadline)
                told.put_nowait(Working(task.status))
                if task.status in ENDED:
                    raise failure(task, key)
                now = self._client.clock()
                if task.status == "completed":
                    # It ended between the last two looks: when its own time says, or else in the middle.
                    told_end = (last + now) / 2 if task.seconds is None else begun + task.seconds
                    return task, min(max(told_end, last), now)
                last = now
        finally:
            del self._called[task.id]
        raise TimedOut(
            "provider-task-timeout", provider=NAME, task=task.id, minutes=round(DEADLINE / 60), remote_id=task.id
        )

    async def _pause(self, seconds: float, called: asyncio.Event) -> None:
        """Sleep, or until the webhook calls."""
        sleeping = asyncio.ensure_future(self._client.sleep(max(0.0, seconds)))
        hearing = asyncio.ensure_future(called.wait())
        try:
            await asyncio.wait({sleeping, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            hearing.cancel()
        called.clear()

    async def _look(self, task: Task, key: str, deadline: float) -> Task:
        """Return the task as it is now; a line that stays broken changes nothing."""
        try:
            answer = await self._client.get(f"/api/v3/predictions/{task.id}/result", key, deadline)
        except NotSent:
            return task
        if answer.ok:
            seen = read(answer.body)
            return seen if seen is not None and seen.id == task.id else task
        if answer.status == 404:
            raise unsettled(ResultGone("provider-task-forgotten", provider=NAME, task=task.id))
        if answer.status == 429 or answer.status >= 500:
            return task
        raise unsettled(refusal(answer, key))
