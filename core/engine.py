"""The engine: takes requests, lets each backend work at as many as it can, tells who watches.

Everything here runs on one event loop; no locks are needed. A job's latest event is kept, not its
history: a watcher that is slow misses steps in between, never the end.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.backend import Backend
from core.errors import BackendUnavailable, QueueFull, RunCancelled, RunFailed, StudioError
from core.events import Completed, Event, Queued
from core.request import EditRequest
from core.spec import BackendSpec
from core.store import ImageStore

log = logging.getLogger(__name__)

REMEMBERED_RUNS = 20
"""Runs of which the expected time is the median; enough to smooth noise, few enough to follow a change."""
KEPT_JOBS = 50
"""Ended jobs that can still be looked up by their id."""


@dataclass(eq=False)
class Job:
    """One request on its way. `event` is the latest; `error` or `result` ends it."""

    id: str
    backend: str
    request: EditRequest
    event: Event = field(default_factory=lambda: Queued(1))
    error: StudioError | None = None
    result: Completed | None = None
    files: tuple[Path, ...] = ()
    submitted: float = field(default_factory=time.monotonic)
    started: float | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.result is not None or self.error is not None

    def tell(self, event: Event | None = None) -> None:
        """Note an event and wake every watcher."""
        if event is not None:
            self.event = event
        self._changed.set()
        self._changed = asyncio.Event()


class _Lane:
    """A backend's limiter: jobs at work, jobs that wait in order, and how long runs took."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.free = backend.spec.concurrency
        self.waiting: deque[tuple[Job, asyncio.Future[None]]] = deque()
        self.pace: deque[float] = deque(maxlen=REMEMBERED_RUNS)

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


class Engine:
    """Submits, watches and cancels jobs on a set of backends.

    Args:
        backends: by key, in the order of the screen.
        images: where results are kept.
        queue_size: jobs that may wait at each backend.
    """

    def __init__(self, backends: Mapping[str, Backend], images: ImageStore, queue_size: int = 50) -> None:
        self._lanes = {key: _Lane(backend) for key, backend in backends.items()}
        self._jobs: dict[str, Job] = {}
        self.images = images
        self.queue_size = queue_size

    @property
    def specs(self) -> dict[str, BackendSpec]:
        """Every backend's spec by key, in order."""
        return {key: lane.backend.spec for key, lane in self._lanes.items()}

    def backend(self, key: str) -> Backend:
        """Return a backend.

        Raises:
            KeyError: there is none of that key.
        """
        return self._lanes[key].backend

    def submit(self, backend: str, request: EditRequest) -> Job:
        """Take a request and return its job; the work goes on by itself from here.

        Raises:
            BackendUnavailable: the backend cannot take runs now.
            QueueFull: `queue_size` jobs wait already.
        """
        lane = self._lanes[backend]
        reason = lane.backend.ready()
        if reason is not None:
            raise BackendUnavailable(reason)
        # Counted by the jobs, not by the line: a job joins it a moment after its submit.
        ahead = sum(1 for job in self._jobs.values() if job.backend == backend and not job.ended)
        waiting = max(0, ahead - lane.backend.spec.concurrency)
        if waiting >= self.queue_size and ahead >= lane.backend.spec.concurrency:
            raise QueueFull(f"{waiting} runs wait already.", "Try again when some are done.")
        job = Job(uuid.uuid4().hex, backend, request, Queued(waiting + 1))
        self._jobs[job.id] = job
        self._forget_old()
        job._task = asyncio.get_running_loop().create_task(self._run(lane, job), name=f"job {job.id}")
        job._task.add_done_callback(lambda _: _end_unstarted(job))
        return job

    def job(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            KeyError: there is none, or it ended long ago.
        """
        return self._jobs[job_id]

    async def watch(self, job: Job) -> AsyncGenerator[Event, None]:
        """Yield the job's latest event now and after each change; the last one is Completed.

        Raises:
            StudioError: the job failed or was cancelled.
        """
        told: Event | None = None
        while True:
            if job.event is not told:
                told = job.event
                yield told  # much may happen until the watcher comes back: look at everything anew
            elif job.error is not None:
                raise job.error
            elif job.ended:
                return
            else:
                await job._changed.wait()

    async def result(self, job: Job) -> Completed:
        """Wait for the job's end and return what it made.

        Raises:
            StudioError: the job failed or was cancelled.
        """
        async for _ in self.watch(job):
            pass
        assert job.result is not None
        return job.result

    async def cancel(self, job: Job) -> None:
        """Stop a job; returns when it has really ended. An ended job is left as it is."""
        if job._task is not None and not job._task.done():
            if not job._task.cancelling():  # a second cancel would break into the backend's tidying up
                job._task.cancel()
            await asyncio.wait([job._task])

    async def close(self) -> None:
        """Cancel everything that goes on."""
        await asyncio.gather(*(self.cancel(job) for job in list(self._jobs.values())))

    def expected_seconds(self, backend: str, work: float) -> float | None:
        """Return how long a run should take by the median of earlier ones, None before the first.

        Args:
            backend: its key.
            work: steps times images times pixels, as `work_of` counts it.
        """
        pace = self._lanes[backend].pace
        return statistics.median(pace) * work if pace else None

    async def _run(self, lane: _Lane, job: Job) -> None:
        """Drive one job to its end; never raises."""
        try:
            await lane.enter(job)
            try:
                job.started = time.monotonic()
                await self._drive(lane, job)
            finally:
                lane.leave()
        except asyncio.CancelledError:
            job.error = RunCancelled("The run was cancelled.")
        except StudioError as error:
            job.error = error
        except Exception:
            # The reason may hold paths or keys: it belongs in the log, not on a stranger's screen.
            log.exception("job %s on %s broke", job.id, job.backend)
            job.error = RunFailed("The run broke for a reason inside the app.", "Try again; the log says more.")
        job.tell()

    async def _drive(self, lane: _Lane, job: Job) -> None:
        async with aclosing(lane.backend.edit(job.request)) as events:
            async for event in events:
                if isinstance(event, Completed):
                    break
                job.tell(event)
            else:
                raise RunFailed("The backend ended without a result.", "Try again.")
        # Only now, with the backend at rest, nothing can cancel or break a job that has its result.
        await self._keep(lane, job, event)

    async def _keep(self, lane: _Lane, job: Job, event: Completed) -> None:
        """Write the images, then say that the job is done: in this order."""
        assert job.started is not None
        files = [await asyncio.to_thread(self.images.put, p.data, p.mime) for p in event.images]
        now = time.monotonic()
        timings = {**event.timings, "queue": job.started - job.submitted, "total": now - job.submitted}
        work = work_of(lane.backend.spec, job.request)
        if work and "inference" in event.timings:
            lane.pace.append(event.timings["inference"] / work)
        job.files = tuple(files)
        job.event = job.result = replace(event, timings={name: round(value, 4) for name, value in timings.items()})

    def _forget_old(self) -> None:
        ended = [job_id for job_id, job in self._jobs.items() if job.ended]
        for job_id in ended[: max(0, len(ended) - KEPT_JOBS)]:
            del self._jobs[job_id]


def _end_unstarted(job: Job) -> None:
    """End a job that was cancelled before its task's first step, so that none of its own code ran."""
    if not job.ended:
        job.error = RunCancelled("The run was cancelled.")
        job.tell()


def work_of(spec: BackendSpec, request: EditRequest) -> float:
    """Return the size of a run: steps times images times pixels worked on."""
    pixels = request.image.width * request.image.height
    if spec.working_pixels is not None:
        pixels = min(pixels, spec.working_pixels)
    return float(request.steps_run * len(request.seeds) * pixels)
