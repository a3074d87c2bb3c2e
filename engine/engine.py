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
from core.errors import BackendUnavailable, DiskFull, QueueFull, RunCancelled
from core.events import Event, JobEvent, Queued, Working
from core.job import Call, Job, Source, Visitor, new_id
from core.job_state import JobState, end_of
from core.provider import Provider
from core.request import EditRequest
from core.result import Result
from core.spec import BackendSpec
from engine.active_jobs import Jobs
from engine.fair_queue import FairQueue, Pace
from engine.feed import Feed
from engine.quotas import Quotas
from engine.recovery import hopeless
from engine.runner import JobRunner
from storage.protocols import JobStore

log = logging.getLogger(__name__)


class Engine:
    """Submits, watches and cancels jobs on a set of backends.

    Args:
        backends: by key, in the order of the screen.
        store: where jobs are stored. The engine closes it.
        queue_size: jobs that may wait at each backend.
        quotas: what a visitor may ask for; None sets no limits.
        rerun: whether jobs that had not been sent when an earlier process ended begin again, or end as interrupted.

    Attributes:
        feed: wakes whoever watches an owner's jobs and results.
        jobs: those that go on, and the last that have ended.
        on_end: called with each job that has ended, or whose wait has: its state says which.
        on_key: called with owner, provider and key, as `unlock` is.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        store: JobStore,
        queue_size: int = 50,
        quotas: Quotas | None = None,
        *,
        rerun: bool = True,
    ) -> None:
        self._queues = {key: FairQueue(backend) for key, backend in backends.items()}
        self.feed = Feed()
        self.jobs = Jobs(backends, self.feed.job_changed)
        self._rerun = rerun
        self._quotas = quotas or Quotas()
        self._store = store
        self._store.on_removed.append(self.jobs.discard)
        self._runner = JobRunner(self._store, self._quotas)
        self._known = asyncio.Event()  # what an earlier process left is in `jobs`
        self._known.set()
        self.on_end = self._runner.on_end
        self.on_key: list[Callable[[str, str, str], None]] = []
        self.queue_size = queue_size

    @property
    def specs(self) -> dict[str, BackendSpec]:
        """Every backend's spec by key, in order."""
        return {key: queue.backend.spec for key, queue in self._queues.items()}

    def backend(self, key: str) -> Backend:
        """Return the backend of a key."""
        return self._queues[key].backend

    @property
    def providers(self) -> list[Provider]:
        """The accounts that the backends run on, each once."""
        found = (queue.backend.provider for queue in self._queues.values())
        return list(dict.fromkeys(each for each in found if each is not None))

    async def submit(
        self,
        backend: str,
        request: EditRequest,
        key: str | None = None,
        visitor: Visitor | None = None,
        call: Call | None = None,
        source: Source = Source.PAGE,
        cell: tuple[str, int] | None = None,
    ) -> Job:
        """Take a request, write it down and return its job; the work goes on by itself from here.

        Args:
            backend: its key.
            request: validated by that backend's spec.
            key: the visitor's own provider key; None takes the app owner's.
            visitor: who asks.
            call: how it came in, where that was by the API.
            source: where it was submitted.
            cell: of an experiment, by its id and place. It was counted and priced with its experiment, and takes no
                place among those that wait.

        Raises:
            CallTaken: the visitor's job of the same call is there.
            StudioError: the backend cannot take runs now, too many wait, a limit is reached, the disk takes nothing.
        """
        await self._known.wait()
        queue, visitor = self._queues[backend], visitor or Visitor()
        if self._runner.closing.is_set():
            raise BackendUnavailable("app-restarting")
        reason = queue.backend.ready(key)
        if reason is not None:
            raise BackendUnavailable(reason)
        # Counted by the jobs, not by the line: a job joins it a moment after its submit.
        ahead = self.jobs.unfinished()[backend]
        waiting = max(0, ahead - queue.backend.spec.concurrency)
        if cell is None and waiting >= self.queue_size and ahead >= queue.backend.spec.concurrency:
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
            source=source,
            cell=cell,
            event=Queued(waiting + 1),
        )
        job.remote = [None] * len(request.seeds)
        self.jobs.add(job)  # it has its place before the disk is waited for
        try:
            stored = request.image.size if request.image.file is not None else 0
            if not await self._store.has_room(self._quotas.caps.quota, stored):
                raise DiskFull("quota-full-not-started", quota=self._quotas.caps.quota / 1e9)
            estimate = queue.backend.spec.price * len(request.seeds)
            if cell is None:
                self._quotas.count(visitor)
            afford = partial(self._quotas.afford, estimate) if cell is None else lambda _: None
            await self._store.add(job, estimate, afford, self._quotas.today())
        except BaseException:
            self.jobs.remove(job)
            raise
        if job.state.terminal:  # cancelled meanwhile: its end may have been written before its row
            await self._store.ended(job)
        else:
            self._begin(job, queue.backend.edit)
        return job

    def _begin(self, job: Job, work: Callable[..., AsyncGenerator[Event, None]], *more: object) -> None:
        events = work(job.request, *more, RunContext(job.key, job.gpu_token))
        # In a context of its own: the caller's holds their whole request, and the task is kept longer than that.
        job.task = asyncio.get_running_loop().create_task(
            self._runner.run(self._queues[job.backend], job, events),
            name=f"job {job.id}",
            context=contextvars.Context(),
        )

    async def watch(self, job: Job) -> AsyncGenerator[JobEvent, None]:
        """Yield the job's latest event now and after each change of it or of the state; the last is its Result.

        Of a cancelled job that goes on at its provider, the watch goes on too.

        Raises:
            StudioError: the job failed or was cancelled.
        """
        seen: tuple[JobEvent, JobState] | None = None
        while True:
            if job.ended and job.error is not None:
                raise job.error
            if seen is None or seen[0] is not job.event or seen[1] is not job.state:
                seen = job.event, job.state
                yield job.event  # much may happen until the watcher comes back
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
        if job.ended or job.storing or job.state is JobState.DETACHED:
            return
        if job.task is None:
            await self._drop(job)
        elif job.at_provider:
            await self._end_wait(job)
        else:
            await self._stop(job, job.task)

    async def _drop(self, job: Job) -> None:
        """Cancel a job that nobody works at: it has not begun, or waits for a key."""
        job.advance(JobState.CANCELLED, _cancelled(job))
        job.tell()
        await self._store.ended(job)
        self._runner.let_go(job)

    async def _end_wait(self, job: Job) -> None:
        """End the wait for a job that its provider may have; its task goes on."""
        job.advance(JobState.DETACHED, _cancelled(job))
        job.tell()
        await self._runner.note(job)

    async def _stop(self, job: Job, task: asyncio.Task[None]) -> None:
        """Cancel a job that waits for its turn or is at work in this process; it is let go when that has stopped."""
        job.advance(JobState.CANCELLED, _cancelled(job))
        job.tell()
        task.cancel()
        task.add_done_callback(lambda _: self._runner.let_go(job))
        await self._store.ended(job)

    async def close(self, patience: float = 6.0) -> None:
        """Stop everything, and let go of connections and store; the next process's `recover` takes it up again.

        What that can take up stops at once. A paid request whose answer comes by its connection alone gets the time.

        Args:
            patience: seconds until what has not stopped is left to the process's end: a model's long step, say.
        """
        self._runner.closing.set()
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        at_work = {job.task: job for job in self.jobs if job.task is not None and not job.task.done()}
        paid = [task for task, job in at_work.items() if job.at_provider and not any(job.remote)]
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
            async with asyncio.timeout(max(0.5, until - loop.time())):
                await asyncio.gather(*closing)
        await self._store.close()

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
        unfinished: list[Job] = []
        try:
            await self._store.sweep()
            unfinished = await self._store.unfinished()
            for job in unfinished:
                self.jobs.add(job)
        except Exception:  # a damaged database, say: the app serves, and the next start tries again
            log.exception("what an earlier process left unfinished could not be read")
        finally:
            self._known.set()
        for job in unfinished:
            await self._take_up(job)

    async def _take_up(self, job: Job) -> None:
        queue = self._queues.get(job.backend)
        error = hopeless(job, queue.backend if queue is not None else None, rerun=self._rerun)
        if job.state.terminal:
            return  # cancelled in the meantime
        if error is not None:
            job.advance(end_of(error), error)
            await self._store.ended(job)
            self._runner.let_go(job)
        elif not any(job.remote):
            self._begin(job, self._queues[job.backend].backend.edit)
        elif job.own_key:
            if job.state is not JobState.NEEDS_KEY:
                job.advance(JobState.NEEDS_KEY)
                await self._runner.note(job)
            job.tell()
        else:
            if job.state is JobState.DETACHED and not isinstance(job.error, RunCancelled):
                job.advance(JobState.RUNNING)  # nobody ended the wait but the end of the process, or a limit of time
            self._resume(job)

    def _resume(self, job: Job) -> None:
        job.event = Working("processing", 0, len(job.request.seeds))
        backend = self._queues[job.backend].backend
        assert isinstance(backend, Resumable)  # whoever yields Accepted is; `hopeless` refuses others after a restart
        self._begin(job, backend.resume, tuple(job.remote))

    def unlock(self, owner: str, key_env: str, key: str) -> None:
        """Go on with what of an owner's waits for the key to a provider.

        Args:
            owner: whose runs.
            key_env: names the provider, as in the specs of its backends.
            key: the one that came.
        """
        for job in self.jobs:
            wants = job.state is JobState.NEEDS_KEY and job.task is None
            if wants and (job.owner, self._queues[job.backend].backend.spec.key_env) == (owner, key_env):
                job.key = key
                job.advance(JobState.RUNNING)
                self._resume(job)
                job.tell()
        for listener in self.on_key:
            listener(owner, key_env, key)

    async def history(self, owner: str, limit: int = 20) -> list[Job]:
        """Return an owner's latest jobs, oldest first; those that go on are the very ones at work."""
        await self._known.wait()
        return self._live(await self._store.history(owner, limit))[::-1]

    async def page(self, owner: str, since: float, size: int, number: int) -> list[Job]:
        """Return a page of an owner's jobs, newest first; the first page is number 1."""
        await self._known.wait()
        before = await self._store.place(owner, size * (number - 1), since) if number > 1 else None
        if number > 1 and before is None:
            return []
        return self._live(await self._store.history(owner, size, before, since))

    def _live(self, jobs: Sequence[Job]) -> list[Job]:
        return [self.jobs.get(each.id) or each for each in jobs]

    async def find(self, owner: str, job_id: str) -> Job | None:
        """Return an owner's job, None where they have none of that id."""
        await self._known.wait()
        job = self.jobs.get(job_id)
        if job is not None:
            return job if job.owner == owner else None
        return await self._store.find(owner, job_id)

    async def find_call(self, owner: str, once: str, since: float) -> Job | None:
        """Return an owner's job by the mark of its call, if it is not older."""
        await self._known.wait()
        job = await self._store.find_call(owner, once, since)
        return job and (self.jobs.get(job.id) or job)

    async def spent_today(self) -> float:
        """Return the US dollars that runs with the app owner's keys cost since midnight (UTC)."""
        return await self._store.spent(self._quotas.today())

    async def spending(self, owner: str, since: float) -> dict[str, float]:
        """Return the US dollars that an owner's runs cost since then, by backend, whoever's keys they ran on."""
        return await self._store.spending(owner, since)

    # ---- whom a job's end is reported to ---------------------------------------------------------------

    async def unreported(self) -> list[Job]:
        """Return the ended jobs whose end somebody waits to hear."""
        return await self._store.unreported()

    async def reported(self, job: Job) -> None:
        """Note that an end was reported, or given up on; where its row has no end, the next process reports it."""
        stored = await self._store.find(job.owner, job.id)
        if stored is not None and stored.state.terminal:
            await self._store.reported(job.id)

    async def delete(self, owner: str, ids: Sequence[str]) -> int:
        """Remove an owner's jobs with their pictures, those that go on after they were stopped; return how many.

        A job that its provider has cannot be stopped: the wait for it ends, and it stays.
        """
        await self._known.wait()
        gone = 0
        for job_id in ids:
            job = self.jobs.get(job_id)
            if job is not None and job.owner == owner:
                if not job.at_provider:  # nobody hears of the end of what is deleted
                    job.call = job.call and replace(job.call, hook="")
                await self.cancel(job)
                if job.storing and job.task is not None:
                    await asyncio.wait([job.task])
            if await self._store.delete(owner, job_id):
                gone += 1
                if job is not None:
                    self.jobs.remove(job)
        return gone

    async def tidy(self) -> None:
        """Remove old references, the oldest runs where the disk's share is used up, and files that nobody knows."""
        await self._runner.tidy()
        await self._store.drop_strays()

    def expected_seconds(self, backend: str, request: EditRequest) -> float | None:
        """Return how long a run should take by earlier ones, None before the first."""
        return self._queues[backend].expected(request)

    def pace(self, backend: str) -> dict[str, Pace]:
        """Return how long runs take at a backend by level of acceleration, "" where it has none."""
        return self._queues[backend].pace


def _cancelled(job: Job) -> RunCancelled:
    """Return the error of a cancel: nobody knows whether what a provider may have is charged."""
    return RunCancelled("run-wait-ended", charged=None) if job.at_provider else RunCancelled("run-cancelled")
