"""Wakes whoever watches an owner's jobs and results. It carries no news: a watcher looks for itself at what is new."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from core.job import Job


class Watch:
    """What one watcher waits on."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._stored = False

    def wake(self, *, stored: bool) -> None:
        """Wake the watcher.

        Args:
            stored: whether something in the store may be new, and not only how far a job is.
        """
        self._stored |= stored
        self._woken.set()

    async def wait(self, seconds: float) -> tuple[bool, bool]:
        """Wait until woken, or so many seconds, and return whether that was so, and whether the store may have news."""
        try:
            if not self._woken.is_set():
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
        except TimeoutError:
            return False, True  # whoever was not told looks
        stored = self._stored
        self._woken.clear()
        self._stored = False
        return True, stored


class Feed:
    """The watchers by owner. Everything here runs on one event loop."""

    def __init__(self) -> None:
        self._watchers: defaultdict[str, set[Watch]] = defaultdict(set)

    @contextmanager
    def watch(self, owner: str) -> Iterator[Watch]:
        """Yield what is woken at each change of an owner's."""
        watch = Watch()
        self._watchers[owner].add(watch)
        try:
            yield watch
        finally:
            self._watchers[owner].discard(watch)
            if not self._watchers[owner]:
                del self._watchers[owner]

    def count(self, owner: str) -> int:
        """Return how many watch an owner."""
        return len(self._watchers.get(owner, ()))

    def wake(self, owner: str, *, stored: bool = True) -> None:
        """Wake whoever watches an owner; see `Watch.wake`."""
        for watch in self._watchers.get(owner, ()):
            watch.wake(stored=stored)

    def job_changed(self, job: Job) -> None:
        """Wake whoever watches a job's owner; its results are stored by its end."""
        self.wake(job.owner, stored=job.ended)
