"""Experiments for programs: the Gradio API endpoint `/experiment` beside `/edit`, by the same rules."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from core.axes import Axis, AxisValue, Base, Plan, plan, written
from core.axes_text import NO_STYLE, axes_of, style_of
from core.errors import BackendUnavailable, BadParameter, RunCancelled, StudioError, error_of
from core.experiment import ExperimentState
from core.imaging.images import Reference
from core.job import Visitor
from core.job_state import JobState
from core.messages import in_full, message, message_of
from core.recipe import Recipe
from core.styles import styles_by_name
from core.terms import TERMS
from engine.services import Services
from storage.files.disk import disk_errors
from storage.rows import CellRow, ExperimentRow, LibraryRow
from ui.edit_api import INPUTS as OF_EDIT
from ui.edit_api import Input, add_endpoint, choose, handed
from ui.image_input import Fetch, read_image
from ui.ownership import visitor_of

LOOK = 10.0
"""Seconds after which an experiment is looked at, whether or not anything was heard of it."""
PARAMS = tuple(name for name in TERMS if name != "num_images")
"""The parameters that all runs have in common; each makes one image."""
INPUTS: dict[str, Input] = {
    "prompt": OF_EDIT["prompt"],
    "axes": Input(
        "string",
        "",
        "In what the runs differ, one to three axes, as text such as strength: 0.3..0.9 in 5; style: oil, none; or as "
        'JSON such as [{"name": "seed", "values": [1, 2]}]. An axis is a parameter, prompt, style or backend.',
    ),
    "backend": OF_EDIT["backend"],
    "style": Input("string", None, "The styles of all runs by name, several with a plus between; none is without."),
    "confirm": Input("boolean", False, "Whether a large experiment is meant, by its runs or its cost."),
    **{name: OF_EDIT[name] for name in PARAMS},
}
"""The inputs after `image`, in their order."""

DOC = """Make many images of one reference that differ along axes, and return files, a table and a report.

Args:
    image: {image}
    {inputs}

Returns:
    The image files; a row for each run: axes, state, seed, cost (US dollars), seconds, file (the name of its file, none
    where no image came), error; and the report: experiment, backend, runs, made, cost, seconds, recipe (all that would
    repeat it), notices.
"""


@dataclass(frozen=True)
class Asked:
    """What a call of `/experiment` asks for, as it came; see `INPUTS`."""

    prompt: object
    axes: object
    backend: str | None
    style: object
    confirm: object
    params: Mapping[str, Any]


@dataclass(frozen=True)
class MadeCell:
    """A cell of an experiment that has ended.

    Attributes:
        row: the cell.
        result: what it made, None where there is nothing.
    """

    row: CellRow
    result: LibraryRow | None

    @property
    def file(self) -> str | None:
        """The stored picture's name."""
        return None if self.result is None else self.result.file

    @property
    def seed(self) -> int:
        """The seed that recreates it, or would have made it."""
        return Recipe.model_validate_json(self.row.recipe).own_seed if self.result is None else self.result.seed

    def facts(self, axes: Sequence[Axis]) -> dict[str, Any]:
        """Return its row of the table, without its file."""
        row, result = self.row, self.result
        report = {} if result is None or result.report is None else json.loads(result.report)
        return {
            "axes": {axis.name: _plain(axis.values[at]) for axis, at in zip(axes, row.at, strict=True)},
            "state": row.phase,
            "seed": self.seed,
            "cost": None if result is None else result.cost,
            "seconds": report.get("timings", {}).get("total"),
            "error": None if row.error is None else in_full(error_of(json.loads(row.error)).message),
        }


@dataclass(frozen=True)
class Made:
    """What came of it.

    Attributes:
        experiment: as it ended.
        plan: with the base and axes.
        cells: in the order in which they began.
        notices: on the reference, and on what was adapted.
        seconds: that it took.
    """

    experiment: ExperimentRow
    plan: Plan
    cells: Sequence[MadeCell]
    notices: Sequence[str]
    seconds: float

    @property
    def pictures(self) -> list[tuple[MadeCell, str]]:
        """The cells that have an image, and the stored files' names."""
        return [(each, each.file) for each in self.cells if each.file is not None]

    def table(self, files: Mapping[int, str | int]) -> list[dict[str, Any]]:
        """Return a row for each cell.

        Args:
            files: what the caller knows their files by, by the places of their cells.
        """
        return [{**each.facts(self.plan.axes), "file": files.get(each.row.place)} for each in self.cells]

    def report(self) -> dict[str, Any]:
        """Return what a caller wants to know of the whole, enough to repeat it."""
        costs = [each.result.cost for each in self.cells if each.result is not None]
        return {
            "experiment": self.experiment.id,
            "backend": self.plan.base.backend,
            "runs": len(self.cells),
            "made": len(self.pictures),
            "cost": round(sum(each for each in costs if each is not None), 6),
            "seconds": round(self.seconds, 2),
            "recipe": written(self.plan.base, self.plan.axes),
            "notices": list(self.notices),
        }


def _plain(value: AxisValue) -> str | int | float:
    """Return a value as the axes of a call name it."""
    return value if not isinstance(value, tuple) else "+".join(each.id for each in value) or NO_STYLE


def add_experiment_endpoint(services: Services, fetch: Fetch) -> None:
    """Add `/experiment` to the app that is being built.

    Args:
        services: do the work.
        fetch: reads a public address or data URI into bytes, or raises a StudioError.
    """

    async def experiment(
        request: gr.Request,
        image: dict[str, Any] | str,
        prompt: str,
        axes: str,
        backend: str | None = None,
        style: str | None = None,
        confirm: bool | None = False,
        *given: Any,
    ) -> tuple[list[str], list[dict[str, Any]], dict[str, Any]]:
        params = dict(zip(PARAMS, given, strict=True))
        try:
            reading = read_image(image, request.request, fetch, services)
            asked = Asked(prompt, axes, backend, style, confirm, params)
            made = await run_experiment(services, reading, asked, visitor_of(request))
            with disk_errors():
                files, names = await asyncio.to_thread(_handed, made, services, cache)
        except StudioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return files, made.table(names), made.report()

    cache = add_endpoint("experiment", experiment, DOC, INPUTS, ["table", "report"])


def _handed(made: Made, services: Services, cache: str) -> tuple[list[str], dict[int, str]]:
    """Return the files in the framework's cache, and their names by the places of their cells."""
    pictures = made.pictures
    files = handed([(each.seed, services.images.path(file)) for each, file in pictures], cache)
    return files, {each.row.place: Path(file).name for (each, _), file in zip(pictures, files, strict=True)}


async def run_experiment(
    services: Services,
    reading: Awaitable[Reference],
    asked: Asked,
    visitor: Visitor,
    follow: Callable[[int, int], Awaitable[None]] | None = None,
) -> Made:
    """Plan an experiment, begin it and wait for its end; a caller who goes away cancels it.

    Args:
        services: do the work.
        reading: brings the picture.
        asked: what the caller wants.
        visitor: who asks.
        follow: hears how many of how many cells have ended.

    Raises:
        StudioError: something does not fit, or nothing could begin.
    """
    reference = await reading
    experiments, caps, begun = services.experiments, services.quotas.caps, time.monotonic()
    planned, image = await _planned(services, reference, asked, visitor)
    dollars = sum(experiments.cost(planned.cells).values())
    if asked.confirm is not True and caps.asks(len(planned.cells), dollars):
        raise BadParameter("experiment-asks", field="confirm", runs=len(planned.cells), dollars=dollars)
    text = json.dumps(planned.as_json())
    starting = asyncio.ensure_future(experiments.start(visitor, text, planned.cells, {}))
    try:
        row = await _ended(services, await asyncio.shield(starting), follow)
    except asyncio.CancelledError:
        await asyncio.shield(experiments.cancel(await starting))  # also one whose row is just being written
        raise
    notices = [str(each) for each in (*image.notices, *planned.adapted)]
    if row.why is not None:
        notices.append(str(message("experiment-stopped", why=message_of(json.loads(row.why)))))
    return Made(row, planned, await _made(services, row), notices, time.monotonic() - begun)


async def _made(services: Services, row: ExperimentRow) -> list[MadeCell]:
    """Return the cells in the order in which they began, each with what it made."""
    cells = []
    for cell in await services.experiments.cells(row):
        result = None if cell.result is None else await services.library.find(row.owner, cell.result)
        cells.append(MadeCell(cell, result))
    return cells


async def _planned(services: Services, reference: Reference, asked: Asked, visitor: Visitor) -> tuple[Plan, Reference]:
    """Return the plan of what is asked for, and its stored reference.

    Raises:
        StudioError: something does not fit, or a backend takes no run.
    """
    engine = services.engine
    home = choose(engine, asked.backend).spec
    styles = styles_by_name([home, *(spec for key, spec in engine.specs.items() if key != home.key)])
    axes = axes_of(asked.axes, engine.specs, styles)
    params = {name: value for name, value in asked.params.items() if value is not None}
    for name in params.keys() & home.by_name.keys():
        home.by_name[name].validate(params[name])  # no value of all runs is adapted in silence
    image = await services.images.keep_reference(visitor.owner, reference, None)
    prompt = asked.prompt
    if not isinstance(prompt, str):
        raise BadParameter("prompt-empty", field="prompt")
    base = Base(home.key, prompt, style_of(asked.style, styles, "style"), params, image.digest)
    planned = plan(base, axes, engine.specs, {image.digest: (image, None)}, services.quotas.caps.cells)
    for key in dict.fromkeys(each.backend for each in planned.cells):
        reason = engine.backend(key).ready()
        if reason is not None:
            raise BackendUnavailable(reason)
    return planned, image


async def _ended(
    services: Services, row: ExperimentRow, follow: Callable[[int, int], Awaitable[None]] | None
) -> ExperimentRow:
    """Return an experiment as it is at its end, or where something stands in its way: then the rest is cancelled.

    Raises:
        RunCancelled: it was deleted meanwhile.
    """
    experiments, told = services.experiments, -1
    with services.engine.feed.watch(row.owner) as watch:
        while True:
            found = await experiments.find(row.owner, row.id)
            if found is None:
                raise RunCancelled("run-cancelled")
            cells = await experiments.cells(found)
            done = sum(map(_has_ended, cells))
            if follow is not None and done != told:
                told = done
                await follow(done, len(cells))
            if found.state in (ExperimentState.DONE, ExperimentState.CANCELLED):
                return found
            if found.why is not None and all(each.job is None or _has_ended(each) for each in cells):
                await experiments.cancel(found)
                return found
            while not (await watch.wait(LOOK))[1]:
                pass  # how far a run is


def _has_ended(cell: CellRow) -> bool:
    """Return whether a cell's job has ended, or was deleted since."""
    return cell.job is not None and (cell.state is None or JobState(cell.state).terminal)
