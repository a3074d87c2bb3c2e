"""Jobs to rows of the store, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from core.errors import StudioError, error_of
from core.image_types import MIME_OF
from core.imaging.images import Reference
from core.job import Call, Job, Source
from core.job_state import JobState
from core.messages import Message, message_of, recorded
from core.recipe import ImageRef, Recipe
from core.request import EditRequest
from core.result import Made, Missing, Reason, Result
from storage.rows import Failure, Record, ReferenceRow, ResultRow

CALL = ("model", "base", "inline", "body")
"""Parts of a call that lie in its JSON; the others have columns of their own."""


def record_of(job: Job, estimate: float) -> Record:
    """Return the row of a job that was just taken.

    Args:
        job: without its key, which is not stored.
        estimate: US dollars that it may cost.
    """
    image = job.request.image
    return Record(
        id=job.id,
        owner=job.owner,
        backend=job.backend,
        created=job.created,
        recipe=job.request.recipe.model_dump_json(),
        notices=_notices_text(image.notices),
        address=image.address,
        own_key=job.own_key,
        estimate=estimate,
        call=_text({name: getattr(job.call, name) for name in CALL}) if job.call else None,
        once=job.call.once if job.call else None,
        hook=(job.call.hook or None) if job.call else None,
        source=job.source,
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
    recipe = Recipe.model_validate_json(record.recipe)
    ref = recipe.reference
    if ref is None:
        raise ValueError("a job without a reference")
    image = Reference(
        b"",
        ref.width,
        ref.height,
        _notices_of(json.loads(record.notices)),
        ref.mime,
        record.address,
        folder / ref.name,
        ref.digest,
        ref.size,
    )
    job = Job(
        record.id,
        record.backend,
        EditRequest(recipe, image),
        owner=record.owner,
        own_key=record.own_key,
        call=Call(**json.loads(record.call), once=record.once, hook=record.hook or "") if record.call else None,
        source=Source(record.source),
        created=record.created,
        remote=json.loads(record.remote),
        state=JobState(record.state),
    )
    if record.report is not None:
        report = json.loads(record.report)
        if not record.results:
            raise ValueError("a report without results")
        images = tuple(_image_of(each) for each in record.results)
        job.result = Result(images, recipe.model, report["timings"], record.cost, _notices_of(report["notices"]))
        job.event = job.result
    if record.error is not None:
        job.error = error_of(json.loads(record.error))
    if job.state.terminal and (job.result is None if job.state is JobState.DONE else job.error is None):
        raise ValueError("a job that ended without a result or a reason")
    return job


def _image_of(row: ResultRow) -> Made | Missing:
    if row.missing is not None:
        return Missing(Reason(row.missing), why_of(row.why), row.seed, row.id)
    image = ImageRef.model_validate(
        {"digest": row.digest, "mime": row.mime, "width": row.width, "height": row.height, "size": row.bytes}
    )
    return Made(image, row.seed, row.damaged, row.id)


def report_text(result: Result) -> str:
    """Return what of a result is about all of its images, as JSON; the cost has a column of its own."""
    return _text({"timings": dict(result.timings), "notices": [each.as_json() for each in result.notices]})


def rows_of(result: Result) -> tuple[ResultRow, ...]:
    """Return the rows of a result's images."""
    rows = []
    for place, each in enumerate(result.images):
        if isinstance(each, Missing):
            rows.append(
                ResultRow(place=place, seed=each.seed, missing=each.reason.value, why=_text(each.why.as_json()))
            )
            continue
        ref = each.image
        rows.append(
            ResultRow(
                place=place,
                seed=each.seed,
                digest=ref.digest,
                mime=ref.mime,
                width=ref.width,
                height=ref.height,
                bytes=ref.size,
                damaged=each.damaged,
            )
        )
    return tuple(rows)


def styles_of(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """Return the id and text of each style of a recipe."""
    return tuple((each.id, each.text) for each in recipe.style)


def failure_of(recipe: Recipe) -> Failure:
    """Return what is written down of a whole run that failed."""
    return Failure(recipe.model.id, recipe.parent, recipe.seed, recipe.prompt, styles_of(recipe))


def reference_row(name: str, reference: Reference, parent: str | None) -> ReferenceRow:
    """Return the row of a reference that is stored under a name."""
    return ReferenceRow(
        name=name,
        width=reference.width,
        height=reference.height,
        bytes=reference.size,
        notices=_notices_text(reference.notices),
        address=reference.address,
        parent=parent,
        profile=reference.profile,
        dpi=reference.dpi,
    )


def reference_of(row: ReferenceRow, folder: Path) -> Reference:
    """Return the reference of a row; its bytes are read from the disk when they are needed."""
    file = folder / row.name
    notices = _notices_of(json.loads(row.notices))
    mime = MIME_OF[file.suffix]
    return Reference(
        b"", row.width, row.height, notices, mime, row.address, file, file.stem, row.bytes, row.profile, row.dpi
    )


def error_text(error: StudioError) -> str:
    """Return an error as JSON."""
    return _text(error.as_json())


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _notices_text(notices: Sequence[Message]) -> str:
    return _text([each.as_json() for each in notices])


def _notices_of(stored: Sequence[object]) -> tuple[Message, ...]:
    return tuple(map(message_of, stored))


def why_of(stored: str | None) -> Message:
    """Return why an image is missing; rows from before messages had codes hold a sentence, and no JSON."""
    if stored is None or not stored.startswith("{"):
        return recorded(stored or "")
    return message_of(json.loads(stored))
