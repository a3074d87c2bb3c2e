"""A backend's limiter: who works, who waits, and how long runs take."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from statistics import median

from core.backend import Backend
from core.events import Queued
from core.job import Job
from core.request import EditRequest
from engine.turns import Turn, Turns

REMEMBERED_RUNS = 20
"""Runs from which the expected time is learnt; enough to smooth noise, few enough to follow a change."""


@dataclass(frozen=True)
class Pace:
    """How long runs take.

    Attributes:
        fixed: seconds that a run takes whatever its size.
        step: seconds for each step of each image, by megapixel.
    """

    fixed: float
    step: float

    @classmethod
    def of(cls, runs: Sequence[tuple[float, float]]) -> Pace:
        """Return the pace of at least one run.

        The line through the runs is Theil and Sen's, the median of the slopes between all pairs: one run that the
        machine was busy in does not bend it. Neither part is below zero.

        Args:
            runs: the size of each, in steps times images times megapixels, and its seconds.
        """
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(runs, 2) if a[0] != b[0]]
        if not slopes:  # all of one size: what of it is fixed cannot be known
            return cls(0.0, median(seconds / size for size, seconds in runs))
        step = max(0.0, median(slopes))
        fixed = median(seconds - step * size for size, seconds in runs)
        return cls(fixed, step) if fixed >= 0 else cls(0.0, median(seconds / size for size, seconds in runs))

    def seconds(self, size: float) -> float:
        """Return how long a run of a size should take."""
        return self.fixed + self.step * size


class FairQueue:
    """A backend's limiter: jobs at work, jobs that wait, and how long runs took.

    Attributes:
        backend: whose.
        storing: held while a result is stored; where as many wait for the disk as can be at work, no other begins.
        pace: how long runs take, by level of acceleration.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.storing = asyncio.Semaphore(backend.spec.concurrency)
        self._turns: Turns[Job] = Turns(backend.spec.concurrency, self._tell_positions, self._mates)
        # By level of acceleration: each has a pace of its own.
        self._runs: dict[str, deque[tuple[float, float]]] = {}
        self.pace: dict[str, Pace] = {}

    def learn(self, request: EditRequest, seconds: float, shared: int = 1) -> None:
        """Remember how long a run took, from its turn to its pictures.

        Args:
            request: what was done.
            seconds: that it took.
            shared: how many such runs were made in that time, as one.
        """
        size, level = self._size(request) * shared, _level(request)
        if size:
            runs = self._runs.setdefault(level, deque(maxlen=REMEMBERED_RUNS))
            runs.append((size, seconds))
            self.pace[level] = Pace.of(runs)

    def expected(self, request: EditRequest) -> float | None:
        """Return how long a run should take by earlier ones of its level, None before the first."""
        pace = self.pace.get(_level(request))
        return pace.seconds(self._size(request)) if pace else None

    def _size(self, request: EditRequest) -> float:
        """Return the size of a run: steps times images times the megapixels that are worked on."""
        width, height = self.backend.spec.working_size(request.image.width, request.image.height)
        return request.steps_run * len(request.seeds) * width * height / 1e6

    @property
    def free(self) -> int:
        """How many more jobs may work at once."""
        return self._turns.free

    async def enter(self, job: Job) -> Turn:
        """Return when it is the job's turn; leaves the queue when cancelled."""
        return await self._turns.enter(job.owner, job)

    def leave(self) -> None:
        """Give the place to the next job that still wants it."""
        self._turns.leave()

    def _mates(self, job: Job, behind: Sequence[Job]) -> list[Job]:
        """Return the jobs that the backend makes as one with this one."""
        most = self.backend.spec.together - 1
        alike = (each for each in behind if most and job.request.differs_in_seed(each.request))
        return list(islice(alike, most))

    def _tell_positions(self) -> None:
        for position, job in enumerate(self._turns.waiting(), start=1):
            job.tell(Queued(position))


def _level(request: EditRequest) -> str:
    return str(request.params.get("acceleration", ""))
