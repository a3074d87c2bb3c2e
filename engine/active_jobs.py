"""The jobs in memory: those that go on, and the last that have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from core.job import Job
from core.job_state import JobState

KEPT_JOBS = 50
"""Ended jobs that are still in memory; older ones are in the store."""


class Jobs:
    """Jobs by their id.

    Args:
        backends: the keys of all.
        on_change: called at each change of a job.
    """

    def __init__(self, backends: Iterable[str], on_change: Callable[[Job], None] = lambda _: None) -> None:
        self._backends = tuple(backends)
        self._on_change = on_change
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def get(self, job_id: str) -> Job | None:
        """Return a job, None where it is not in memory."""
        return self._jobs.get(job_id)

    def add(self, job: Job) -> None:
        """Take a job in; the oldest of those that have ended may go."""
        self._jobs[job.id] = job
        job.on_change = self._on_change
        self._on_change(job)
        ended = [each.id for each in self if each.ended]
        for job_id in ended[: max(0, len(ended) - KEPT_JOBS)]:
            del self._jobs[job_id]

    def of(self, owner: str) -> list[Job]:
        """Return an owner's jobs, oldest first."""
        return [job for job in self if job.owner == owner]

    def remove(self, job: Job) -> None:
        """Let a job go that never began, or is wanted no more."""
        self.discard(job.id)

    def discard(self, job_id: str) -> None:
        """Let the job of an id go, if it is in memory."""
        job = self._jobs.pop(job_id, None)
        if job is not None:
            self._on_change(job)

    def unfinished(self) -> dict[str, int]:
        """Return how many jobs go on or wait at each backend.

        One that waits for its owner's key holds nobody up, and cells of experiments come in as there is room.
        """
        counts = dict.fromkeys(self._backends, 0)
        for job in self:
            if not job.ended and job.state is not JobState.NEEDS_KEY and job.cell is None:
                counts[job.backend] = counts.get(job.backend, 0) + 1
        return counts
