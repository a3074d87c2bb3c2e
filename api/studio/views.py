"""Values of the core as the page sees them: plain dictionaries in the shapes of `api.studio.schemas`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from core.errors import StudioError, error_of
from core.events import JobEvent, Loading, Progress, Queued, Working
from core.job import Job
from core.messages import Message
from core.recipe import Recipe
from core.result import Made, Missing
from core.spec import AnyParam, BackendSpec, Choice, Integer, Number, Style, Toggle
from storage.records import why_of
from storage.rows import RUN, CellRow, Figures, LibraryRow, made_at

View = dict[str, Any]
KINDS: dict[type[AnyParam], str] = {Number: "number", Integer: "integer", Choice: "choice", Toggle: "toggle"}


def messages(given: Iterable[Message]) -> list[View]:
    """Return messages as codes and values."""
    return [each.as_json() for each in given]


def error_view(error: StudioError) -> View:
    """Return an error as a code and values, with its field and whether it was charged."""
    return {**error.message.as_json(), "field": error.field, "charged": error.charged}


def param_view(param: AnyParam) -> View:
    """Return a parameter's declaration."""
    view: View = {
        "name": param.name,
        "kind": KINDS[type(param)],
        "label": param.label.as_json(),
        "help": None if param.help is None else param.help.as_json(),
        "advanced": param.advanced,
        "default": param.default,
    }
    match param:
        case Number():
            ends = {name: getattr(param, name) for name in ("low", "high")}
            words = {name: None if end is None else end.as_json() for name, end in ends.items()}
            view |= {"minimum": param.minimum, "maximum": param.maximum, "step": param.step, **words}
        case Integer():
            view |= {"minimum": param.minimum, "maximum": param.maximum, "step": 1}
        case Choice():
            view |= {"choices": list(param.choices)}
    return view


def spec_view(spec: BackendSpec, provider: str | None, presets: tuple[Style, ...]) -> View:
    """Return what does not change at a backend.

    Args:
        spec: the backend's.
        provider: the name of its provider, None where it has none.
        presets: the styles of a backend that is not limited to some.
    """
    return {
        "key": spec.key,
        "label": spec.label.as_json(),
        "model": spec.model,
        "provider": provider,
        "concurrency": spec.concurrency,
        "shows_steps": spec.shows_steps,
        "shows_preview": spec.shows_preview,
        "seed_per_image": spec.seed_per_image,
        "working_pixels": spec.working_pixels,
        "working_side": spec.working_side,
        "notices": messages(spec.notices),
        "styles": [asdict(each) for each in spec.styles or presets],
        "params": [param_view(each) for each in spec.params],
    }


def event_view(event: JobEvent) -> View:
    """Return where a job is."""
    match event:
        case Queued(position):
            return {"kind": "queued", "position": position}
        case Loading(stage, done, total):
            return {"kind": "loading", "stage": stage.as_json(), "done": done, "total": total}
        case Progress(step, total):
            return {"kind": "progress", "step": step, "total": total}
        case Working(status, done, total):
            return {"kind": "working", "status": status, "done": done, "total": total}
    return {"kind": "done"}


def job_view(job: Job, expected: float | None) -> View:
    """Return a job.

    Args:
        job: the job.
        expected: seconds that it should take, None where that is not known.
    """
    result = job.result
    notices = job.request.image.notices + (result.notices if result is not None else ())
    return {
        "id": job.id,
        "state": job.state.value,
        "backend": job.backend,
        "created": job.created,
        "recipe": recipe_view(job.recipe),
        "event": event_view(job.event),
        "preview": job.preview,
        "started": job.began,
        "expected": None if expected is None else round(expected, 2),
        "error": None if job.error is None else error_view(job.error),
        "notices": messages(notices),
        "results": results_of(job),
        "cost": None if result is None else result.cost,
        "seconds": None if result is None else result.timings.get("total"),
        "cell": None if job.cell is None else {"experiment": job.cell[0], "place": job.cell[1]},
    }


def results_of(job: Job) -> list[View]:
    """Return the results of a job that has just ended, none before it is done; later their rows know more."""
    if job.result is None:
        return []
    images = job.result.images
    return [
        {
            "id": each.id,
            "job": job.id,
            "place": place,
            "created": job.created if each.id is None else made_at(each.id),
            "backend": job.backend,
            "recipe": recipe_view(_of_one(job.recipe, place, each.seed)),
            "image": each.image.model_dump(mode="json") if isinstance(each, Made) else None,
            "missing": {"reason": each.reason.value, "why": each.why.as_json()} if isinstance(each, Missing) else None,
            "cost": None if job.result.cost is None else round(job.result.cost / len(images), 6),
            "seconds": job.result.timings.get("total"),
            "parent": job.recipe.parent,
            "star": False,
            "note": "",
            "tags": [],
            "project": None,
            "source": job.source.value,
            "meters": None,
        }
        for place, each in enumerate(images)
    ]


def recipe_of(row: LibraryRow) -> Recipe:
    """Return the recipe of a result: of its one picture, or of a whole run that failed.

    Raises:
        ValueError: the row is damaged.
    """
    recipe = Recipe.model_validate_json(row.recipe)
    return recipe if row.missing == RUN else _of_one(recipe, row.place, row.seed)


def row_view(row: LibraryRow) -> View | None:
    """Return a result of the library; None where its job's row is damaged."""
    try:
        recipe = recipe_of(row)
        seconds = json.loads(row.report)["timings"].get("total") if row.report is not None else None
        missing = _missing_view(row)
        meters = None if row.meters is None else _meters_view(row.meters)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    image = {"digest": row.digest, "mime": row.mime, "width": row.width, "height": row.height, "size": row.bytes}
    return {
        "id": row.id,
        "job": row.job,
        "place": row.place,
        "created": row.created,
        "backend": row.backend,
        "recipe": recipe_view(recipe),
        "image": image if row.file is not None else None,
        "missing": missing,
        "cost": row.cost,
        "seconds": seconds,
        "parent": recipe.parent,
        "star": row.star,
        "note": row.note,
        "tags": list(row.tags),
        "project": row.project,
        "source": row.source,
        "meters": meters,
    }


def _meters_view(figures: Figures) -> View:
    return {**figures_view(figures), "palette": json.loads(figures.metrics)["palette"]}


def figures_view(of: Figures | CellRow) -> View:
    """Return how a picture compares with its reference, in numbers."""
    return {"structure": of.structure, "colour_shift": of.colour_shift, "sharpness": of.sharpness}


def _of_one(recipe: Recipe, place: int, seed: int) -> Recipe:
    return recipe.model_copy(update={"seed": seed, "index": place})


def rows_view(rows: Iterable[LibraryRow]) -> list[View]:
    """Return results of the library, without those whose job's row is damaged."""
    return [view for row in rows if (view := row_view(row)) is not None]


def _missing_view(row: LibraryRow) -> View | None:
    """Return why no picture came, None where one did."""
    if row.missing is None:
        return None
    if row.missing == RUN:
        return {"reason": "failed", "why": error_of(json.loads(row.error or "{}")).message.as_json()}
    return {"reason": row.missing, "why": why_of(row.why).as_json()}


def recipe_view(recipe: Recipe) -> View:
    """Return a recipe as JSON has it."""
    view: View = recipe.model_dump(mode="json")
    return view
