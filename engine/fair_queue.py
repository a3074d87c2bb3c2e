"""A backend's limiter: who works, who waits, and how long runs take."""

from __future__ import annotations

import statistics
from collections import deque

from core.backend import Backend
from core.events import Queued
from core.job import Job
from core.request import EditRequest
from core.spec import ParamValue
from engine.turns import Turns

REMEMBERED_RUNS = 20
"""Runs of which the expected time is the median; enough to smooth noise, few enough to follow a change."""


class FairQueue:
    """A backend's limiter: jobs at work, jobs that wait, and how long runs took."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._turns: Turns[Job] = Turns(backend.spec.concurrency, self._tell_positions)
        # By level of acceleration: each has a pace of its own.
        self._pace: dict[ParamValue | None, deque[float]] = {}

    def learn(self, request: EditRequest, seconds: float | None) -> None:
        """Remember how long a run took, by its size."""
        work = self._work(request)
        if work and seconds is not None:
            level = request.params.get("acceleration")
            self._pace.setdefault(level, deque(maxlen=REMEMBERED_RUNS)).append(seconds / work)

    def expected(self, request: EditRequest) -> float | None:
        """Return how long a run should take by the median of earlier ones of its level, None before the first."""
        pace = self._pace.get(request.params.get("acceleration"))
        return statistics.median(pace) * self._work(request) if pace else None

    def _work(self, request: EditRequest) -> float:
        """Return the size of a run: steps times images times pixels worked on."""
        width, height = self.backend.spec.working_size(request.image.width, request.image.height)
        return float(request.steps_run * len(request.seeds) * width * height)

    @property
    def free(self) -> int:
        """How many more jobs may work at once."""
        return self._turns.free

    async def enter(self, job: Job) -> None:
        """Return when it is the job's turn; leaves the queue when cancelled."""
        await self._turns.enter(job.owner, job)

    def leave(self) -> None:
        """Give the place to the next job that still wants it."""
        self._turns.leave()

    def _tell_positions(self) -> None:
        for position, job in enumerate(self._turns.waiting(), start=1):
            job.tell(Queued(position))
