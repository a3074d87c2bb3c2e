"""One run of the pipeline for all who came before it begins, and whose requests differ in their seed alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from backends.local.load_errors import Stopped
from backends.local.worker import Worker
from core.events import Completed, Event, Progress
from core.request import EditRequest

Work = Callable[[EditRequest, Callable[[Event], None]], Completed]
"""Does a run in a worker's thread, telling what happens on the way."""


@dataclass
class _Member:
    """One of those whose picture is made.

    Attributes:
        request: theirs.
        events: what they hear; None is the end.
        left: whether they want it no more.
    """

    request: EditRequest
    events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)
    left: bool = False


class SharedRun:
    """A run that others go along with until it begins.

    Args:
        worker: whose thread it is made in.
        work: makes it.
        request: of who begins it.
        most: how many may share it.
    """

    def __init__(self, worker: Worker, work: Work, request: EditRequest, most: int) -> None:
        self.worker = worker
        self._work = work
        self._most = most
        self._request = request
        self._members: list[_Member] = []
        self._loop = asyncio.get_running_loop()
        self._made: asyncio.Future[Completed] = self._loop.create_future()
        worker.busy += 1

    @property
    def members(self) -> int:
        """How many share it."""
        return len(self._members)

    def takes(self, request: EditRequest) -> bool:
        """Return whether another request may go along."""
        return len(self._members) < self._most and request.differs_in_seed(self._request)

    async def follow(self, request: EditRequest) -> AsyncGenerator[Event, None]:
        """Go along: yield what happens to a request, at last its own pictures.

        Who leaves early is free when the run has really ended; it stops within a step when all have left.
        """
        member, place = _Member(request), len(self._members)
        self._members.append(member)
        if place == 0:
            self.worker.listeners.append(self._tell)  # a load that goes on is heard of at once
        try:
            while (event := await member.events.get()) is not None:
                yield event
            made = await asyncio.shield(self._made)
            yield made if len(self._members) == 1 else replace(made, images=made.images[place : place + 1])
        finally:
            member.left = True
            await asyncio.wait([self._made])
            self._made.exception()  # else asyncio logs an error that nobody asked for

    def begin(self) -> None:
        """Begin, with those who are there."""
        request = self._request
        if len(self._members) > 1:
            request = request.with_seeds([each.request.seeds[0] for each in self._members])
        working = self._loop.run_in_executor(self.worker.thread, self._work, request, self._tell)
        working.add_done_callback(self._end)

    def _tell(self, event: Event) -> None:
        """Pass on an event; called in the worker's thread."""
        if all(each.left for each in self._members):
            raise Stopped
        self._loop.call_soon_threadsafe(self._pass_on, event)

    def _pass_on(self, event: Event) -> None:
        for place, member in enumerate(self._members):
            own = event
            if isinstance(event, Progress) and len(self._members) > 1:
                own = replace(event, preview=event.preview[place : place + 1])
            member.events.put_nowait(own)

    def _end(self, working: asyncio.Future[Completed]) -> None:
        self.worker.listeners.remove(self._tell)
        self.worker.busy -= 1
        error = Stopped() if working.cancelled() else working.exception()
        if error is not None:
            self._made.set_exception(error)
        else:
            self._made.set_result(working.result())
        for member in self._members:
            member.events.put_nowait(None)
