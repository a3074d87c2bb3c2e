"""A backend's limiter: who works, who waits, and how long runs take."""

from __future__ import annotations

import asyncio
import statistics
from collections import deque

from core.backend import Backend
from core.events import Queued
from core.job import Job
from core.request import EditRequest

REMEMBERED_RUNS = 20
"""Runs of which the expected time is the median; enough to smooth noise, few enough to follow a change."""


class Lane:
    """A backend's limiter: jobs at work, jobs that wait in order, and how long runs took."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.free = backend.spec.concurrency
        self.waiting: deque[tuple[Job, asyncio.Future[None]]] = deque()
        self._pace: deque[float] = deque(maxlen=REMEMBERED_RUNS)

    def learn(self, request: EditRequest, seconds: float | None) -> None:
        """Remember how long a run took, by its size."""
        work = self._work(request)
        if work and seconds is not None:
            self._pace.append(seconds / work)

    def expected(self, request: EditRequest) -> float | None:
        """Return how long a run should take by the median of earlier ones, None before the first."""
        return statistics.median(self._pace) * self._work(request) if self._pace else None

    def _work(self, request: EditRequest) -> float:
        """Return the size of a run: steps times images times pixels worked on."""
        width, height = self.backend.spec.working_size(request.image.width, request.image.height)
        return float(request.steps_run * len(request.seeds) * width * height)

    async def enter(self, job: Job) -> None:
        """Return when it is the job's turn; leaves the line when cancelled."""
        if self.free > 0 and not self.waiting:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append((job, turn))
        self._tell_positions()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the turn had come at the very moment of the cancel: pass it on
            elif (job, turn) in self.waiting:
                self.waiting.remove((job, turn))
                self._tell_positions()
            raise

    def leave(self) -> None:
        """Give the place to the next in line who still wants it."""
        while self.waiting:
            _, turn = self.waiting.popleft()
            if not turn.cancelled():  # else its job was cancelled a moment ago and has not left the line yet
                turn.set_result(None)
                self._tell_positions()
                return
        self.free += 1

    def _tell_positions(self) -> None:
        for position, (job, _) in enumerate(self.waiting, start=1):
            job.tell(Queued(position))
