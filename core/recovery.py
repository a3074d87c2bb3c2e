"""What becomes of a job that an earlier process left unfinished."""

from __future__ import annotations

from core.errors import Interrupted, StudioError, SubmitUnknown
from core.job import Job


def hopeless(state: str, job: Job, *, offered: bool, rerun: bool) -> StudioError | None:
    """Return why a job cannot go on, None if it can: by its provider's ids, or else from its beginning.

    Args:
        state: of its row: `queued`, `sending` or `waiting`.
        job: with its reference's bytes, empty where the file is gone.
        offered: whether its backend is still there.
        rerun: whether a job that had not been sent may begin anew.
    """
    if not offered:
        return Interrupted("The backend of this run is no longer offered.", "Choose another.")
    if any(job.remote):
        return None
    if state == "sending":
        return SubmitUnknown(
            "The app was restarted while the request was on its way, and its answer is lost.",
            "It may have run. Look there before you run it again; it is not sent a second time by itself.",
        )
    if job.own_key:
        return Interrupted("The app was restarted before the request was sent.", "Paste your key, and run again.")
    if not rerun or not job.request.image.data:
        return Interrupted("The app was restarted before the run had ended.", "Run it again.")
    return None
