"""A backend's limiter: who works, who waits, and how long runs take.

Turns go round by owner: somebody's hundred runs do not stand before another's one.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import OrderedDict, deque

from core.backend import Backend
from core.events import Queued
from core.job import Job
from core.request import EditRequest
from core.spec import ParamValue

REMEMBERED_RUNS = 20
"""Runs of which the expected time is the median; enough to smooth noise, few enough to follow a change."""


class Lane:
    """A backend's limiter: jobs at work, jobs that wait, and how long runs took."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.free = backend.spec.concurrency
        # Each owner's own line; the owner in front has the next turn, and then goes to the end.
        self._waiting: OrderedDict[str, deque[tuple[Job, asyncio.Future[None]]]] = OrderedDict()
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

    async def enter(self, job: Job) -> None:
        """Return when it is the job's turn; leaves the line when cancelled."""
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job.owner, deque()).append((job, turn))
        self._tell_positions()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the turn had come at the very moment of the cancel: pass it on
            elif (job, turn) in self._waiting.get(job.owner, ()):
                self._waiting[job.owner].remove((job, turn))
                if not self._waiting[job.owner]:
                    del self._waiting[job.owner]
                self._tell_positions()
            raise

    def leave(self) -> None:
        """Give the place to the next in line who still wants it."""
        while self._waiting:
            owner, line = next(iter(self._waiting.items()))
            _, turn = line.popleft()
            self._waiting.move_to_end(owner)
            if not line:
                del self._waiting[owner]
            if not turn.cancelled():  # else its job was cancelled a moment ago and has not left the line yet
                turn.set_result(None)
                self._tell_positions()
                return
        self.free += 1

    def _tell_positions(self) -> None:
        lines = [list(line) for line in self._waiting.values()]
        rounds = (line[turn] for turn in range(max(map(len, lines), default=0)) for line in lines if turn < len(line))
        for position, (job, _) in enumerate(rounds, start=1):
            job.tell(Queued(position))
