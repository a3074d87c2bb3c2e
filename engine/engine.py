"""The engine: takes requests, lets each backend work at as many as it can, tells who watches.

Everything here runs on one event loop; no locks are needed. The store is used by one thread of its own.
A job's latest event is kept, not its history: a watcher that is slow misses steps in between, never the end.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from core.backend import Backend, Resumable, RunContext
from core.errors import BackendUnavailable, QueueFull, RunCancelled
from core.events import Event, JobEvent, KeyWanted, Queued, Working
from core.job import Call, Job, Visitor, new_id
from core.provider import Provider
from core.request import EditRequest
from core.result import Result
from core.spec import BackendSpec
from engine.active_jobs import Jobs
from engine.decoders import Decoders
from engine.displays import Displays
from engine.fair_queue import FairQueue
from engine.quotas import Quotas
from engine.recovery import hopeless
from engine.runner import JobRunner
from storage.async_store import AsyncStore
from storage.rows import Record
from storage.sqlite.store import Store

log = logging.getLogger(__name__)


class Engine:
    """Submits, watches and cancels jobs on a set of backends.

    Args:
        backends: by key, in the order of the screen.
        store: where jobs and pictures are kept. The engine closes it.
        queue_size: jobs that may wait at each backend.
        limits: what a visitor may ask for; None sets none.
        rerun: whether jobs that had not been sent when an earlier process ended begin anew, or end as interrupted.

    Attributes:
        jobs: those that go on, and the last that have ended.
        decoders: read pictures in processes of their own.
        displays: smaller copies of stored pictures.
        on_end: called with each job that has ended.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        store: Store,
        queue_size: int = 50,
        limits: Quotas | None = None,
        *,
        rerun: bool = True,
    ) -> None:
        self._lanes = {key: FairQueue(backend) for key, backend in backends.items()}
        self.jobs = Jobs(backends)
        self._rerun = rerun
        self.limits = limits or Quotas()
        self.keeper = AsyncStore(store)
        self.images = store.images
        self.decoders = Decoders(self.limits.caps)
        self.displays = Displays(self.keeper, self.decoders)
        self._work = JobRunner(self.keeper, self.limits)
        self._known = asyncio.Event()  # what an earlier process left is in `jobs`
        self._known.set()
        self.on_end = self._work.on_end
        self.queue_size = queue_size

    @property
    def specs(self) -> dict[str, BackendSpec]:
        """Every backend's spec by key, in order."""
        return {key: lane.backend.spec for key, lane in self._lanes.items()}

    def backend(self, key: str) -> Backend:
        """Return the backend of a key."""
        return self._lanes[key].backend

    @property
    def providers(self) -> list[Provider]:
        """The accounts that the backends run on, each once."""
        found = (lane.backend.provider for lane in self._lanes.values())
        return list(dict.fromkeys(each for each in found if each is not None))

    async def submit(
        self,
        backend: str,
        request: EditRequest,
        key: str | None = None,
        visitor: Visitor | None = None,
        call: Call | None = None,
    ) -> Job:
        """Take a request, write it down and return its job; the work goes on by itself from here.

        Args:
            backend: its key.
            request: validated by that backend's spec.
            key: the visitor's own provider key; None takes the app owner's.
            visitor: who asks.
            call: how it came in, where that was an API door.

        Raises:
            CallTaken: the visitor's job of the same call is there.
            StudioError: the backend cannot take runs now, too many wait, a limit is reached, the disk takes nothing.
        """
        await self._known.wait()
        lane, visitor = self._lanes[backend], visitor or Visitor()
        if self._work.closing.is_set():
            raise BackendUnavailable("app-restarting")
        reason = lane.backend.ready(key)
        if reason is not None:
            raise BackendUnavailable(reason)
        # Counted by the jobs, not by the line: a job joins it a moment after its submit.
        ahead = self.jobs.unended()[backend]
        waiting = max(0, ahead - lane.backend.spec.concurrency)
        if waiting >= self.queue_size and ahead >= lane.backend.spec.concurrency:
            raise QueueFull("queue-full", waiting=waiting)
        job = Job(
            new_id(),
            backend,
            request,
            key,
            visitor.owner,
            own_key=key is not None,
            gpu_token=visitor.gpu_token,
            call=call,
            event=Queued(waiting + 1),
        )
        job.remote = [None] * len(request.seeds)
        self.jobs.add(job)  # it has its place before the disk is waited for
        try:
            self.limits.count(visitor)
            estimate = lane.backend.spec.price * len(request.seeds)
            await self.keeper.add(job, estimate, partial(self.limits.afford, estimate), self.limits.today())
        except BaseException:
            self.jobs.remove(job)
            raise
        self._begin(job, lane.backend.edit)
        return job

    def _begin(self, job: Job, work: Callable[..., AsyncGenerator[Event, None]], *more: object) -> None:
        events = work(job.request, *more, RunContext(job.key, job.gpu_token))
        # In a context of its own: the caller's holds their whole request, and the task is kept longer than that.
        job.task = asyncio.get_running_loop().create_task(
            self._work.run(self._lanes[job.backend], job, events), name=f"job {job.id}", context=contextvars.Context()
        )

    async def watch(self, job: Job) -> AsyncGenerator[JobEvent, None]:
        """Yield the job's latest event now and after each change; the last one is its Result.

        Of a cancelled job that goes on at its provider, the watch goes on too.

        Raises:
            StudioError: the job failed or was cancelled.
        """
        told: JobEvent | None = None
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

    async def result(self, job: Job) -> Result:
        """Wait for the job's end and return what it made.

        Raises:
            StudioError: the job failed or was cancelled.
        """
        async for _ in self.watch(job):
            pass
        assert job.result is not None
        return job.result

    async def cancel(self, job: Job) -> None:
        """Cancel a job: it ends for everybody at once, and its backend is free when the work has really stopped.

        A job that has ended, or whose result is being stored, is left as it is. What a provider has cannot be taken
        back: then the wait ends, and the work goes on by itself.
        """
        if job.ended or job.storing:
            return
        if isinstance(job.event, Working | KeyWanted):
            job.late = isinstance(job.event, Working)
            job.error = RunCancelled("run-wait-ended", charged=None)
            job.tell()
            if job.task is None:
                await self.keeper.failed(job, job.error)
            return
        job.cancelled, job.error = True, RunCancelled("run-cancelled")
        if job.task is not None:
            job.task.cancel()
            job.task.add_done_callback(lambda _: self._work.let_go(job))
        job.tell()
        await self.keeper.failed(job, job.error)

    async def close(self, patience: float = 6.0) -> None:
        """Stop everything, and let go of connections and store; the next process's `recover` takes it up again.

        What that can take up stops at once. A paid request whose answer comes by its connection alone gets the time.

        Args:
            patience: seconds until what has not stopped is left to the process's end: a model's long step, say.
        """
        self._work.closing.set()
        await self.decoders.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        at_work = {job.task: job for job in self.jobs if job.task is not None and not job.task.done()}
        paid = [task for task, job in at_work.items() if isinstance(job.event, Working) and not any(job.remote)]
        for task in at_work.keys() - paid:
            if not task.cancelling():  # a second cancel would break into the backend's tidying up
                task.cancel()
        if paid:
            log.info("waiting for the answers of %d paid requests", len(paid))
            await asyncio.wait(paid, timeout=max(0.0, until - loop.time() - 1.0))
            for task in paid:
                task.cancel()
        if at_work:
            log.info("%d runs were at work or waited: the next start goes on with them", len(at_work))
            await asyncio.wait(at_work, timeout=max(0.5, until - loop.time()))
        closing = (provider.close() for provider in self.providers)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*closing), max(0.5, until - loop.time()))
        await self.keeper.close()

    # ---- after a restart, and later ----------------------------------------------------------------

    def start_recovery(self) -> asyncio.Task[None]:
        """Begin `recover` in the background. What needs to know all jobs waits until their rows are read."""
        self._known.clear()
        return asyncio.get_running_loop().create_task(self.recover(), name="recovery")

    async def recover(self) -> None:
        """Take up what an earlier process left unfinished, and remove half files. Call it once.

        It reads rows and no pictures: those are read when a job's turn comes.
        """
        self._known.clear()
        unfinished: list[tuple[Record, Job]] = []
        try:
            await self.keeper.sweep()
            unfinished = await self.keeper.unfinished()
            for _, job in unfinished:
                self.jobs.add(job)
        except Exception:  # a damaged database, say: the app serves, and the next start tries again
            log.exception("what an earlier process left unfinished could not be read")
        finally:
            self._known.set()
        for record, job in unfinished:
            await self._take_up(record, job)

    async def _take_up(self, record: Record, job: Job) -> None:
        lane = self._lanes.get(job.backend)
        error = hopeless(record.state, job, lane.backend if lane is not None else None, rerun=self._rerun)
        if job.ended:
            return  # cancelled in the meantime
        if error is not None:
            job.error = error
            await self.keeper.failed(job, error)
            job.tell()
        elif not any(job.remote):
            self._begin(job, self._lanes[job.backend].backend.edit)
        elif job.own_key:
            job.tell(KeyWanted())
        else:
            self._resume(job)

    def _resume(self, job: Job) -> None:
        job.event = Working("processing", 0, len(job.request.seeds))
        backend = self._lanes[job.backend].backend
        assert isinstance(backend, Resumable)  # whoever yields Accepted is; `hopeless` refuses others after a restart
        self._begin(job, backend.resume, tuple(job.remote))

    def unlock(self, owner: str, key_env: str, key: str) -> None:
        """Go on with an owner's runs that wait for the key to a provider.

        Args:
            owner: whose runs.
            key_env: names the provider, as in the specs of its backends.
            key: the one that came.
        """
        for job in self.jobs:
            wants = isinstance(job.event, KeyWanted) and not job.ended and job.task is None
            if wants and (job.owner, self._lanes[job.backend].backend.spec.key_env) == (owner, key_env):
                job.key = key
                self._resume(job)
                job.tell()

    async def history(self, owner: str, limit: int = 20) -> list[Job]:
        """Return an owner's latest jobs, oldest first; those that go on are the very ones at work."""
        await self._known.wait()
        return self._live(await self.keeper.history(owner, limit))[::-1]

    async def page(self, owner: str, since: float, size: int, number: int) -> list[Job]:
        """Return a page of an owner's jobs, newest first; the first page is number 1."""
        await self._known.wait()
        return self._live(await self.keeper.history(owner, size, size * (number - 1), since))

    def _live(self, jobs: Sequence[Job]) -> list[Job]:
        return [self.jobs.get(each.id) or each for each in jobs]

    async def find(self, owner: str, job_id: str) -> Job | None:
        """Return an owner's job, None where they have none of that id."""
        await self._known.wait()
        job = self.jobs.get(job_id)
        if job is not None:
            return job if job.owner == owner else None
        return await self.keeper.find(owner, job_id)

    async def find_call(self, owner: str, once: str, since: float) -> Job | None:
        """Return an owner's job by the mark of its call, if it is not older."""
        await self._known.wait()
        job = await self.keeper.find_call(owner, once, since)
        return job and (self.jobs.get(job.id) or job)

    async def delete(self, owner: str, ids: Sequence[str]) -> int:
        """Remove an owner's jobs with their pictures, those that go on after they were stopped; return how many."""
        await self._known.wait()
        gone = 0
        for job_id in ids:
            job = self.jobs.get(job_id)
            if job is not None and job.owner == owner:
                job.call = job.call and replace(job.call, hook="")  # nobody is told the end of what is deleted
                await self.cancel(job)
                if job.storing and job.task is not None:
                    await asyncio.wait([job.task])
            if await self.keeper.delete(owner, job_id):
                gone += 1
                if job is not None:
                    self.jobs.remove(job)
        return gone

    async def tidy(self) -> None:
        """Remove old references, the oldest runs where the disk's share is used up, and files that nobody knows."""
        await self._work.tidy()
        await self.keeper.drop_strays()

    def expected_seconds(self, backend: str, request: EditRequest) -> float | None:
        """Return how long a run should take by the median of earlier ones, None before the first."""
        return self._lanes[backend].expected(request)
