"""What becomes of a job that something cut: a restart, or a failure that no backend foresaw."""

from __future__ import annotations

import time

from core.backend import Backend, Resumable
from core.errors import (
    DiskFull,
    Interrupted,
    KeyMissing,
    KeyRejected,
    RunFailed,
    StudioError,
    SubmitUnknown,
    TimedOut,
)
from core.job import Job
from core.job_state import JobState
from storage.files.disk import disk_full

KEPT_AT_PROVIDER = 7 * 86_400.0
"""Seconds for which it is worth asking; providers keep files a week."""
LOOKED_AT_AGAIN = (KeyMissing, KeyRejected, TimedOut, DiskFull)
"""Ends of the wait and not of the run: where the provider has it, a restart asks again."""


def hopeless(job: Job, backend: Backend | None, *, rerun: bool) -> StudioError | None:
    """Return why a job cannot go on, None if it can: by its provider's ids, or else from its beginning.

    Args:
        job: as its row has it.
        backend: its own, None where that is no longer offered.
        rerun: whether a job that was not sent may start again.
    """
    sent = job.state in (JobState.SUBMITTING, JobState.DETACHED) or any(job.remote)
    if backend is None and sent:
        return SubmitUnknown("run-provider-removed")
    if backend is None:
        return Interrupted("run-backend-removed")
    if any(job.remote) and time.time() - job.created > KEPT_AT_PROVIDER:
        return SubmitUnknown("run-expired")
    if any(job.remote) and not isinstance(backend, Resumable):
        return RunFailed("run-not-resumable")
    if any(job.remote):
        return None
    if sent:
        return SubmitUnknown("run-answer-lost-in-restart")
    if job.own_key:
        return Interrupted("run-interrupted-before-sending")
    file = job.request.image.file
    if not rerun or file is None or not file.is_file():
        return Interrupted("run-interrupted")
    return None


def broken(failure: Exception, job: Job) -> StudioError:
    """Return what a person may read of a failure that no backend foresaw."""
    disk = isinstance(failure, OSError) or disk_full(failure) is not None
    if disk and any(job.remote):
        error: StudioError = DiskFull("disk-full-result-waits")
    elif disk:
        error = RunFailed("disk-full-run-lost")
    else:
        error = RunFailed("run-broke")
    error.charged = None if job.at_provider else False
    return error
