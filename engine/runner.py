"""Driving one job from its place in line to its end, whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from core.errors import KeyRejected, RunCancelled, RunFailed, StudioError
from core.events import Accepted, Completed, Event, Loading, Progress, Working
from core.job import Job
from core.job_state import JobState, end_of
from core.messages import message
from core.result import Result
from engine.fair_queue import FairQueue
from engine.quotas import Quotas
from engine.recovery import LOOKED_AT_AGAIN, broken
from engine.turns import Turn
from storage.protocols import JobStore

log = logging.getLogger(__name__)

DISK_FULL = "disk full"
"""The status of `Working` while a result waits for room on the disk."""
RETRY = 5.0
"""Seconds between two tries to write a result that was paid for."""


class JobRunner:
    """Drives jobs.

    Args:
        store: writes down what happens.
        quotas: with the limits of the disk.

    Attributes:
        closing: set when the process ends: what stops now is taken up by the next one.
        on_end: called with each job that has ended, or whose wait has: its state says which.
    """

    def __init__(self, store: JobStore, quotas: Quotas) -> None:
        self._store = store
        self._quotas = quotas
        self.closing = asyncio.Event()
        self.on_end: list[Callable[[Job], None]] = []

    async def tidy(self, spared: Job | None = None) -> int:
        """Remove old references, and the oldest runs where the disk's share is used up; return how many runs."""
        caps = self._quotas.caps
        return await self._store.tidy(caps.quota, caps.cache_age, spared.id if spared else "")

    async def run(self, queue: FairQueue, job: Job, events: AsyncGenerator[Event, None]) -> None:
        """Drive one job to its end; never raises."""
        error = None
        try:
            turn = await queue.enter(job)
            try:
                job.start()
                made = await self._drive(queue, turn, job, events)
                await _to_the_end(queue.storing.acquire())
            finally:
                if turn.own:
                    queue.leave()  # the next one works while this one is stored
            try:
                await _to_the_end(self._keep(job, made))
            finally:
                queue.storing.release()
        except asyncio.CancelledError:
            error = job.error or RunCancelled("run-cancelled")
        except StudioError as failure:
            error = failure
        except Exception as failure:
            # The reason may hold paths or keys: it belongs in the log, not on a stranger's screen.
            log.exception("job %s on %s broke", job.id, job.backend)
            error = broken(failure, job)
        if job.state is JobState.CANCELLED:
            return  # `Engine.cancel` has recorded its end, and calls `let_go`
        if error is not None and not await self._settle(job, error):
            return
        self.let_go(job)

    async def _settle(self, job: Job, error: StudioError) -> bool:
        """Give a job that stopped with an error the state that follows; return whether that is its end here."""
        if isinstance(error, KeyRejected) and job.own_key and any(job.remote):
            job.advance(JobState.NEEDS_KEY)  # the provider has the run: another key may still fetch it
            job.task = job.key = None  # from here on a click may cancel it, or bring the key
            job.tell()
            await self.note(job)
            return False
        if self.closing.is_set() and isinstance(error, RunCancelled):
            job.error = error  # its state stays as the next process finds it
            job.task = None
            job.forget_secrets()
            job.tell()
            return False
        if any(job.remote) and isinstance(error, LOOKED_AT_AGAIN):
            if job.state is not JobState.DETACHED:
                job.advance(JobState.DETACHED, error)
            job.error = error
            await self.note(job)
        else:
            job.advance(end_of(error), error)
            await self._store.ended(job)
        return True

    async def note(self, job: Job) -> None:
        """Write the state of a job that goes on. If the disk takes nothing, the next process finds the state before."""
        try:
            await self._store.moved(job)
        except Exception:
            log.exception("the state of job %s could not be written down", job.id)

    def let_go(self, job: Job) -> None:
        """Let go of what an ended job needs no more, and say that it has ended."""
        job.task = None
        job.forget_secrets()
        job.tell()
        for listener in self.on_end:
            listener(job)

    async def _drive(self, queue: FairQueue, turn: Turn, job: Job, events: AsyncGenerator[Event, None]) -> Completed:
        """Follow a job's run, and return what it made."""
        working_since = time.monotonic()
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Loading):  # how long a model loads says nothing about the next run
                    working_since = time.monotonic()
                match event:
                    case Completed():
                        job.storing = True
                        break
                    case Accepted(place, remote_id):
                        job.remote[place] = remote_id
                        if job.state is JobState.SUBMITTING:
                            job.advance(JobState.RUNNING)
                            job.tell()
                        await self._store.accepted(job, place, remote_id)
                        continue
                    case Working() if not job.at_provider:
                        await self._store.submitting(job)  # a cancel that comes meanwhile ends this task here
                        job.advance(JobState.SUBMITTING)
                    case Loading() | Progress() if job.state is JobState.QUEUED:
                        job.advance(JobState.RUNNING)  # its row stays queued: a restart begins it again
                job.tell(event)
            else:
                raise RunFailed("run-without-result")
        if turn.own:
            queue.learn(job.request, time.monotonic() - working_since, turn.shared)
        return event

    async def _keep(self, job: Job, event: Completed) -> None:
        """Write the images, then write that the job is done, then say it: in this order."""
        assert job.started is not None
        now = time.monotonic()
        timings = {**event.timings, "queue": job.started - job.submitted, "total": now - job.submitted}
        event = replace(event, timings={name: round(value, 4) for name, value in timings.items()})
        result = await self._stored(job, event)
        try:
            removed = await self.tidy(job)
        except Exception:  # the result is kept all the same
            log.exception("no room could be made on the disk")
            removed = 0
        if removed:
            result = replace(result, notices=(*result.notices, message("notice-oldest-removed", count=removed)))
        job.storing = False
        if job.state is JobState.QUEUED:
            job.advance(JobState.RUNNING)
        job.advance(JobState.DONE)
        job.event = job.result = result

    async def _stored(self, job: Job, event: Completed) -> Result:
        """Write the pictures and the job's end. What a provider was paid for is tried again until the disk takes it.

        Raises:
            OSError, sqlite3.Error: the disk takes nothing, and the pictures cost nothing or the process ends.
        """
        while True:
            try:
                return await self._store.done(job, event)
            except (OSError, sqlite3.Error):
                if not (job.at_provider and isinstance(job.event, Working)) or self.closing.is_set():
                    raise
                log.exception("the result of job %s waits in memory until the disk takes it", job.id)
            if job.event.status != DISK_FULL:
                job.tell(replace(job.event, status=DISK_FULL))
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await self.closing.wait()


async def _to_the_end(work: Coroutine[Any, Any, object]) -> None:
    """Do something of a result that is made, whoever cancels it: a cancel that comes now comes too late."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        await doing
