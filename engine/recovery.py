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
        rerun: whether a job that had not been sent may begin anew.
    """
    sent = job.state in (JobState.SUBMITTING, JobState.DETACHED) or any(job.remote)
    if backend is None and sent:
        return SubmitUnknown("The provider of this run is no longer offered here.", "Look for the picture there.")
    if backend is None:
        return Interrupted("The backend of this run is no longer offered.", "Choose another.")
    if any(job.remote) and time.time() - job.created > KEPT_AT_PROVIDER:
        return SubmitUnknown("Nobody came for this run in a week.", "The provider keeps results no longer than that.")
    if any(job.remote) and not isinstance(backend, Resumable):
        return RunFailed("This provider cannot be asked for a run again.", "Look for it there.")
    if any(job.remote):
        return None
    if sent:
        return SubmitUnknown(
            "The app was restarted while the request was on its way, and its answer is lost.",
            "It may have run. Look there before you run it again; it is not sent a second time by itself.",
        )
    if job.own_key:
        return Interrupted("The app was restarted before the request was sent.", "Paste your key, and run again.")
    file = job.request.image.file
    if not rerun or file is None or not file.is_file():
        return Interrupted("The app was restarted before the run had ended.", "Run it again.")
    return None


def broken(failure: Exception, job: Job) -> StudioError:
    """Return what a person may read of a failure that no backend foresaw."""
    disk = isinstance(failure, OSError) or disk_full(failure) is not None
    if disk and any(job.remote):
        error: StudioError = DiskFull("The picture is made, and the disk takes nothing more.", "Make room and restart.")
    elif disk:
        error = RunFailed("The disk takes nothing more.", "Make room there, and run again.")
    else:
        error = RunFailed("The run broke for a reason inside the app.", "Try again; the log says more.")
    error.charged = None if job.at_provider else False
    return error
