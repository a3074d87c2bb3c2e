"""The jobs in memory: those that go on, and the last that have ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.job import Job
from core.job_state import JobState

KEPT_JOBS = 50
"""Ended jobs that are still in memory; older ones are in the store."""


class Jobs:
    """Jobs by their id.

    Args:
        backends: the keys of all.
    """

    def __init__(self, backends: Iterable[str]) -> None:
        self._backends = tuple(backends)
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def get(self, job_id: str) -> Job | None:
        """Return a job, None where it is not in memory."""
        return self._jobs.get(job_id)

    def add(self, job: Job) -> None:
        """Take a job in; the oldest of those that have ended may go."""
        self._jobs[job.id] = job
        ended = [each.id for each in self if each.ended]
        for job_id in ended[: max(0, len(ended) - KEPT_JOBS)]:
            del self._jobs[job_id]

    def remove(self, job: Job) -> None:
        """Let a job go that never began, or is wanted no more."""
        self.discard(job.id)

    def discard(self, job_id: str) -> None:
        """Let the job of an id go, if it is in memory."""
        self._jobs.pop(job_id, None)

    def unfinished(self) -> dict[str, int]:
        """Return how many jobs go on or wait at each backend; one that waits for its owner's key holds nobody up."""
        counts = dict.fromkeys(self._backends, 0)
        for job in self:
            if not job.ended and job.state is not JobState.NEEDS_KEY:
                counts[job.backend] = counts.get(job.backend, 0) + 1
        return counts
