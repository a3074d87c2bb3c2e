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
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from core.backend import Backend
from core.errors import BackendUnavailable, QueueFull, RunCancelled, RunFailed, StudioError
from core.events import Completed, Event, Picture, Queued, Working
from core.job import Job
from core.lane import Lane
from core.request import EditRequest
from core.spec import BackendSpec
from core.store import ImageStore

log = logging.getLogger(__name__)

KEPT_JOBS = 50
"""Ended jobs that can still be looked up by their id."""


class Engine:
    """Submits, watches and cancels jobs on a set of backends.

    Args:
        backends: by key, in the order of the screen.
        images: where results are kept.
        queue_size: jobs that may wait at each backend.
    """

    def __init__(self, backends: Mapping[str, Backend], images: ImageStore, queue_size: int = 50) -> None:
        self._lanes = {key: Lane(backend) for key, backend in backends.items()}
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

    def submit(self, backend: str, request: EditRequest, key: str | None = None) -> Job:
        """Take a request and return its job; the work goes on by itself from here.

        Args:
            backend: its key.
            request: validated by that backend's spec.
            key: a visitor's own provider key; None takes the owner's.

        Raises:
            BackendUnavailable: the backend cannot take runs now.
            QueueFull: `queue_size` jobs wait already.
        """
        lane = self._lanes[backend]
        reason = lane.backend.ready(key)
        if reason is not None:
            raise BackendUnavailable(reason)
        # Counted by the jobs, not by the line: a job joins it a moment after its submit.
        ahead = sum(1 for job in self._jobs.values() if job.backend == backend and (job.late or not job.ended))
        waiting = max(0, ahead - lane.backend.spec.concurrency)
        if waiting >= self.queue_size and ahead >= lane.backend.spec.concurrency:
            raise QueueFull(f"{waiting} runs wait already.", "Try again when some are done.")
        job = Job(uuid.uuid4().hex, backend, request, key, Queued(waiting + 1))
        self._jobs[job.id] = job
        self._forget_old()
        job.task = asyncio.get_running_loop().create_task(self._run(lane, job), name=f"job {job.id}")
        job.task.add_done_callback(lambda _: _end_unstarted(job))
        return job

    def job(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            KeyError: there is none, or it ended long ago.
        """
        return self._jobs[job_id]

    async def watch(self, job: Job) -> AsyncGenerator[Event, None]:
        """Yield the job's latest event now and after each change; the last one is Completed.

        Of a cancelled job that goes on at its provider, the watch goes on too.

        Raises:
            StudioError: the job failed or was cancelled.
        """
        told: Event | None = None
        while True:
            if job.event is not told:
                told = job.event
                yield told  # much may happen until the watcher comes back: look at everything anew
            elif job.late:
                await job.changed.wait()
            elif job.error is not None:
                raise job.error
            elif job.ended:
                return
            else:
                await job.changed.wait()

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
        """Stop a job; returns when it has really ended. An ended job is left as it is.

        What a provider has cannot be taken back: then the wait ends at once, and the work goes on by itself.
        """
        if isinstance(job.event, Working) and not job.ended:
            job.late = True
            job.error = RunCancelled(
                "The wait was ended.",
                "The provider goes on and may bill the run; if its result comes, it appears here.",
                charged=None,
            )
            job.tell()
            return
        await self._stop(job)

    async def _stop(self, job: Job) -> None:
        if job.task is not None and not job.task.done():
            if not job.task.cancelling():  # a second cancel would break into the backend's tidying up
                job.task.cancel()
            await asyncio.wait([job.task])

    async def close(self) -> None:
        """Cancel everything that goes on, and let the backends close their connections."""
        await asyncio.gather(*(self._stop(job) for job in list(self._jobs.values())))
        await asyncio.gather(*(lane.backend.close() for lane in self._lanes.values()))

    def expected_seconds(self, backend: str, work: float) -> float | None:
        """Return how long a run should take by the median of earlier ones, None before the first.

        Args:
            backend: its key.
            work: steps times images times pixels, as `work_of` counts it.
        """
        pace = self._lanes[backend].pace
        return statistics.median(pace) * work if pace else None

    async def _run(self, lane: Lane, job: Job) -> None:
        """Drive one job to its end; never raises."""
        try:
            await lane.enter(job)
            try:
                job.started = time.monotonic()
                await self._drive(lane, job)
            finally:
                lane.leave()
        except asyncio.CancelledError:
            job.error = job.error or RunCancelled("The run was cancelled.")
        except StudioError as error:
            job.error = error
        except Exception:
            # The reason may hold paths or keys: it belongs in the log, not on a stranger's screen.
            log.exception("job %s on %s broke", job.id, job.backend)
            job.error = RunFailed("The run broke for a reason inside the app.", "Try again; the log says more.")
        job.late = False
        job.key = None
        job.tell()

    async def _drive(self, lane: Lane, job: Job) -> None:
        async with aclosing(lane.backend.edit(job.request, job.key)) as events:
            async for event in events:
                if isinstance(event, Completed):
                    break
                job.tell(event)
            else:
                raise RunFailed("The backend ended without a result.", "Try again.")
        # Only now, with the backend at rest, nothing can cancel or break a job that has its result.
        await self._keep(lane, job, event)

    async def _keep(self, lane: Lane, job: Job, event: Completed) -> None:
        """Write the images, then say that the job is done: in this order."""
        assert job.started is not None
        files = [
            await asyncio.to_thread(self.images.put, each.data, each.mime) if isinstance(each, Picture) else None
            for each in event.images
        ]
        now = time.monotonic()
        timings = {**event.timings, "queue": job.started - job.submitted, "total": now - job.submitted}
        work = work_of(lane.backend.spec, job.request)
        if work and "inference" in event.timings:
            lane.pace.append(event.timings["inference"] / work)
        job.files = tuple(files)
        job.error = None  # a result that came after the wait was ended is a result
        job.event = job.result = replace(event, timings={name: round(value, 4) for name, value in timings.items()})

    def _forget_old(self) -> None:
        ended = [job_id for job_id, job in self._jobs.items() if job.ended and not job.late]
        for job_id in ended[: max(0, len(ended) - KEPT_JOBS)]:
            del self._jobs[job_id]


def _end_unstarted(job: Job) -> None:
    """End a job that was cancelled before its task's first step, so that none of its own code ran."""
    if not job.ended:
        job.error = RunCancelled("The run was cancelled.")
        job.tell()


def work_of(spec: BackendSpec, request: EditRequest) -> float:
    """Return the size of a run: steps times images times pixels worked on."""
    width, height = spec.working_size(request.image.width, request.image.height)
    return float(request.steps_run * len(request.seeds) * width * height)
