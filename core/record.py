"""Jobs to rows of the store, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core import errors
from core.errors import Interrupted, RunCancelled, RunFailed, StudioError, SubmitUnknown
from core.events import Completed, Picture, Withheld
from core.images import Reference
from core.job import Call, Job
from core.request import EditRequest
from core.schema import Record

CALL = ("model", "base", "inline", "body")
"""Parts of a call that lie in its JSON; the others have columns of their own."""


def record_of(job: Job, reference: Path, estimate: float) -> Record:
    """Return the row of a job that was just taken.

    Args:
        job: without its key, which is not kept.
        reference: the kept file of its reference.
        estimate: US dollars that it may cost.
    """
    image = job.request.image
    request = {
        "prompt": job.request.prompt,
        "params": dict(job.request.params),
        "seeds": job.request.seeds,
        "width": image.width,
        "height": image.height,
        "notices": image.notices,
        "address": image.address,
    }
    return Record(
        id=job.id,
        owner=job.owner,
        backend=job.backend,
        created=job.created,
        request=_text(request),
        reference=reference.name,
        own_key=job.own_key,
        estimate=estimate,
        call=_text({name: getattr(job.call, name) for name in CALL}) if job.call else None,
        once=job.call.once if job.call else None,
        hook=(job.call.hook or None) if job.call else None,
        remote=_text([None for _ in job.request.seeds]),
    )


def job_of(record: Record, folder: Path) -> Job:
    """Return the job of a row. Its reference is read from the disk when it is needed.

    Args:
        record: the row.
        folder: where the pictures are stored.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: the row is damaged.
    """
    told = json.loads(record.request)
    file = folder / record.reference
    image = Reference(b"", told["width"], told["height"], tuple(told["notices"]), address=told["address"], file=file)
    request = EditRequest(told["prompt"], image, MappingProxyType(told["params"]), tuple(told["seeds"]))
    job = Job(
        record.id,
        record.backend,
        request,
        owner=record.owner,
        own_key=record.own_key,
        call=Call(**json.loads(record.call), once=record.once, hook=record.hook or "") if record.call else None,
        created=record.created,
        remote=json.loads(record.remote),
        reference=folder / record.reference,
    )
    if record.result is not None:
        job.result, job.files = _result_of(record, folder)
        job.event = job.result
    if record.error is not None:
        job.error = error_of(record.error)
    return job


def result_text(result: Completed, files: tuple[Path | None, ...]) -> str:
    """Return a result as JSON; the cost has a column of its own."""
    images: list[dict[str, Any]] = []
    for each, file in zip(result.images, files, strict=True):
        if isinstance(each, Picture) and file is not None:
            facts = {"file": file.name, "mime": each.mime, "width": each.width, "height": each.height}
            images.append({**facts, "seed": each.seed})
        elif isinstance(each, Withheld):
            images.append({"why": each.why, "seed": each.seed, "nsfw": each.nsfw})
    return _text({"images": images, "timings": dict(result.timings), "notices": result.notices})


def _result_of(record: Record, folder: Path) -> tuple[Completed, tuple[Path | None, ...]]:
    told = json.loads(record.result or "")
    images = tuple(
        Picture(b"", each["mime"], each["width"], each["height"], each["seed"]) if "file" in each else Withheld(**each)
        for each in told["images"]
    )
    files = tuple(folder / each["file"] if "file" in each else None for each in told["images"])
    return Completed(images, told["timings"], record.cost, tuple(told["notices"])), files


def state_of(error: StudioError) -> str:
    """Return the state in which an error ends a job."""
    for kind, state in ((RunCancelled, "cancelled"), (SubmitUnknown, "unknown"), (Interrupted, "interrupted")):
        if isinstance(error, kind):
            return state
    return "failed"


def error_text(error: StudioError) -> str:
    """Return an error as JSON."""
    facts = {"what": error.what, "todo": error.todo, "field": error.field, "charged": error.charged}
    more = {name: getattr(error, name) for name in ("wait", "remote_id") if hasattr(error, name)}
    return _text({"kind": type(error).__name__, **facts, **more})


def error_of(text: str) -> StudioError:
    """Return the error of `error_text`; a kind that is no longer known becomes RunFailed."""
    told = json.loads(text)
    kind = getattr(errors, told.pop("kind"), RunFailed)
    error: StudioError = kind.__new__(kind, told["what"], told["todo"])
    StudioError.__init__(
        error, told.pop("what"), told.pop("todo"), field=told.pop("field"), charged=told.pop("charged")
    )
    error.__dict__.update(told)
    return error


def without_bytes(result: Completed) -> Completed:
    """Return a result whose pictures are on the disk, and no longer in memory."""
    return replace(
        result, images=tuple(replace(each, data=b"") if isinstance(each, Picture) else each for each in result.images)
    )


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
