"""How a job looks to WaveSpeedAI's clients."""

from __future__ import annotations

from typing import Any

from api.answers import notices_of, stamp
from api.gateway import ApiGateway
from core.errors import (
    BackendUnavailable,
    BadInput,
    BudgetSpent,
    FetchFailed,
    Moderated,
    NoCredits,
    ParameterRefused,
    ResultGone,
    StudioError,
    TimedOut,
)
from core.job import Job
from core.job_state import JobState
from core.result import Made, Missing

CODES: tuple[tuple[type[StudioError], int], ...] = (
    (Moderated, 1200),
    (ParameterRefused, 1400),
    (BadInput, 1401),
    (FetchFailed, 1402),
    (ResultGone, 1402),
    (NoCredits, 1407),
    (BudgetSpent, 1407),
    (BackendUnavailable, 5000),
    (TimedOut, 5004),
    (StudioError, 1405),
)
"""The provider's task codes by what went wrong; the first that fits."""


STATUS = {
    JobState.QUEUED: "created",
    JobState.SUBMITTING: "processing",
    JobState.RUNNING: "processing",
    JobState.NEEDS_KEY: "processing",
    JobState.DETACHED: "failed",
    JobState.DONE: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "failed",
    JobState.UNKNOWN: "failed",
    JobState.INTERRUPTED: "failed",
}
"""The provider's word for each state of a job."""


async def view(gateway: ApiGateway, job: Job, base: str, *, created: bool = False) -> dict[str, Any]:
    """Return a task as the provider describes it.

    Args:
        gateway: signs the pictures' addresses.
        job: the task's.
        base: this app's address as the caller knows it.
        created: describe it as it was in the moment of its submit, whatever has become of it.
    """
    call = job.call
    task: dict[str, Any] = {
        "id": job.id,
        "model": call.model if call else job.backend,
        "outputs": [],
        "urls": {"get": f"{base}/api/v3/predictions/{job.id}/result"},
        "has_nsfw_contents": [],
        "status": "created",
        "created_at": stamp(job.created),
        "error": "",
        "timings": {"inference": 0},
    }
    notices = notices_of(job)
    if notices:
        task["notices"] = notices
    if created:
        return task
    task["status"] = STATUS[job.state]
    if task["status"] == "failed" and job.error is not None:
        return {**task, "code": code_of(job.error), "error": str(job.error)}
    if job.result is None:
        return task
    outputs, flags = [], []
    for made, link, b64 in await gateway.outputs(job, base):
        outputs.append(f"data:{made.image.mime};base64,{b64}" if b64 and isinstance(made, Made) else link)
        flags.append(isinstance(made, Missing))
    milliseconds = round(1000 * job.result.timings.get("inference", 0.0))
    done = {"outputs": outputs, "has_nsfw_contents": flags, "timings": {"inference": milliseconds}}
    return {**task, **done}


def input_of(gateway: ApiGateway, job: Job, base: str) -> dict[str, Any]:
    """Return what a task was asked for; its reference as an address of ours."""
    assert job.request.image.file is not None  # stored with the job
    link = gateway.link(f"/files/{job.request.image.file.name}", job, base)
    return {"prompt": job.request.prompt, "image": link, **job.request.params}


def code_of(error: StudioError) -> int:
    """Return the provider's code for what went wrong with a task."""
    return next(code for kind, code in CODES if isinstance(error, kind))
