"""An experiment as files: a labelled contact sheet, its pictures named by their axes, and a table of its cells."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.axes import Axis, AxisValue, Base, read
from core.errors import StudioError
from core.imaging.contact_sheet import Page, Tile, drawn, encoded
from core.imaging.display import rounded
from core.job_state import JobState
from core.messages import say
from core.recipe import Recipe
from core.spec import BackendSpec
from engine.images import Images
from engine.licences import licences
from storage.archive import ArchivedImage, ArchivedJob, Manifest, files_of, written
from storage.protocols import Library
from storage.rows import CellRow, ExperimentRow

SIDE = 320
"""Pixels of the longer side of a picture on a contact sheet."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Signs with which a spreadsheet's formula begins."""
TAIL = ("seed", "backend", "model", "cost", "seconds", "structure", "colour_shift", "sharpness")
"""The last columns of a table."""
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')


class ExperimentFiles:
    """Writes experiments as files.

    Args:
        library: has the results.
        images: have the files.
        specs: the backends by their keys.
    """

    def __init__(self, library: Library, images: Images, specs: Mapping[str, BackendSpec]) -> None:
        self._library = library
        self._images = images
        self._specs = specs

    # ---- the contact sheet ---------------------------------------------------------------------------

    async def sheet(self, experiment: ExperimentRow, cells: Sequence[CellRow], file_format: str) -> bytes:
        """Return a contact sheet: the first axis across, the second down, the third by pages.

        Args:
            experiment: whose.
            cells: all of them.
            file_format: `png` or `pdf`.
        """
        base, axes = read(json.loads(experiment.plan))
        by = {cell.at: await self._tile(experiment.owner, cell) for cell in cells}
        labels = [[self._label(axis.name, value) for value in axis.values] for axis in axes]
        columns, rows, pages = [*labels, [""], [""]][:3] if len(labels) < 3 else labels
        recipe = Recipe.model_validate_json(cells[0].recipe)
        ratio = recipe.reference.width / recipe.reference.height if recipe.reference is not None else 4 / 3
        reference = await self._reference(experiment.owner, recipe, axes)

        def at(column: int, row: int, page: int) -> Tile:
            return by.get((column, row, page)[: len(axes)], Tile(None))

        made = [
            Page(
                self._title(base, axes, page),
                columns,
                rows,
                [[at(column, row, number) for column in range(len(columns))] for row in range(len(rows))],
            )
            for number, page in enumerate(pages)
        ]
        return await asyncio.to_thread(
            lambda: encoded([drawn(each, SIDE, ratio, reference) for each in made], file_format)
        )

    async def _tile(self, owner: str, cell: CellRow) -> Tile:
        row = None if cell.result is None else await self._library.find(owner, cell.result)
        if row is None or row.file is None:
            state = cell.phase.replace("_", "-")
            return Tile(None, say("explore-gone" if state == JobState.DONE else f"explore-state-{state}"))
        try:
            return Tile(await self._images.display(row.file, rounded(SIDE), owner))
        except StudioError as error:  # a damaged picture has no copy to show
            return Tile(None, str(error))

    async def _reference(self, owner: str, recipe: Recipe, axes: Sequence[Axis]) -> Path | None:
        if recipe.reference is None or any(axis.name == "reference" for axis in axes):
            return None
        try:
            return await self._images.display(recipe.reference.name, rounded(SIDE), owner)
        except StudioError:
            return None

    def _title(self, base: Base, axes: Sequence[Axis], page: str) -> str:
        names = " × ".join(self._name(axis.name) for axis in axes)
        parts = [base.prompt, names, page]
        if (seed := base.params.get("seed")) is not None:
            parts.append(f"{self._name('seed')} {seed}")
        return " · ".join(part for part in parts if part)

    # ---- the archive ---------------------------------------------------------------------------------

    async def archive(self, experiment: ExperimentRow, cells: Sequence[CellRow]) -> Iterator[bytes]:
        """Return the bytes of a zip: the pictures as the backends made them, named by their axes, and the table."""
        _, axes = read(json.loads(experiment.plan))
        names = {cell.job: self._file_name(cell, axes) for cell in cells if cell.job is not None}
        ids = [cell.result for cell in cells if cell.result is not None]
        jobs, _ = await self._library.archived(experiment.owner, None, ids=ids)
        renamed = _renamed(jobs, names)
        files = {file.name: self._images.path(file.stored) for file in files_of(renamed)}
        more = {
            "LICENCES.txt": licences(renamed, self._specs).encode(),
            "table.csv": (await self.table(experiment, cells)).encode(),
            "contact-sheet.png": await self.sheet(experiment, cells, "png"),
        }
        return written(Manifest(project=None, jobs=tuple(renamed)), files, more)

    def _file_name(self, cell: CellRow, axes: Sequence[Axis]) -> str:
        parts = [
            f"{self._name(axis.name)} {self._label(axis.name, axis.values[place])}"
            for axis, place in zip(axes, cell.at, strict=True)
        ]
        return _UNSAFE.sub("_", ", ".join(parts))[:120].strip(" .")

    # ---- the table -----------------------------------------------------------------------------------

    async def table(self, experiment: ExperimentRow, cells: Sequence[CellRow]) -> str:
        """Return a table of all cells as CSV (RFC 4180), with a byte order mark, so that spreadsheets read it.

        Text that a spreadsheet would take for a formula begins with an apostrophe.
        """
        _, axes = read(json.loads(experiment.plan))
        recipes = [Recipe.model_validate_json(cell.recipe) for cell in cells]
        params = list(dict.fromkeys(name for each in recipes for name in each.params))
        file = io.StringIO(newline="")
        writer = csv.writer(file)
        own = (f"axis {axis.name}" for axis in axes)
        heads = ("place", *own, "state", "result", "prompt", "styles", *params, *TAIL)
        writer.writerow(heads)
        for cell, recipe in zip(cells, recipes, strict=True):
            row = None if cell.result is None else await self._library.find(experiment.owner, cell.result)
            made = Recipe.model_validate_json(row.recipe) if row is not None else recipe
            report = json.loads(row.report) if row is not None and row.report is not None else {}
            values: list[Any] = [
                cell.place,
                *(self._label(axis.name, axis.values[at]) for axis, at in zip(axes, cell.at, strict=True)),
                cell.phase,
                cell.result,
                recipe.prompt,
                ", ".join(each.id for each in recipe.style),
                *(recipe.params.get(name) for name in params),
                recipe.seed,
                recipe.backend,
                made.model.id,
                None if row is None else row.cost,
                report.get("timings", {}).get("total"),
                cell.structure,
                cell.colour_shift,
                cell.sharpness,
            ]
            writer.writerow([_plain(value) for value in values])
        return "\ufeff" + file.getvalue()

    # ---- words ---------------------------------------------------------------------------------------

    def _name(self, axis: str) -> str:
        for spec in self._specs.values():
            if (param := spec.by_name.get(axis)) is not None:
                return str(param.label)
        return axis

    def _label(self, axis: str, value: AxisValue) -> str:
        if isinstance(value, tuple):
            labels = {style.id: style.label for spec in self._specs.values() for style in spec.styles}
            return ", ".join(labels.get(each.id, each.id) for each in value) or say("explore-no-style")
        if axis == "backend" and (spec := self._specs.get(str(value))) is not None:
            return str(spec.label)
        return str(value)[:8] if axis == "reference" else str(value)


def _renamed(jobs: Sequence[ArchivedJob], names: Mapping[str, str]) -> list[ArchivedJob]:
    """Return archived jobs with other names of their pictures' files, each once."""
    taken = set[str]()
    renamed = []
    for job in jobs:
        images = [_named(image, names[job.id], taken) for image in job.images]
        renamed.append(job.model_copy(update={"images": tuple(images)}))
    return renamed


def _named(image: ArchivedImage, name: str, taken: set[str]) -> ArchivedImage:
    assert image.file is not None  # only results with a picture were asked for
    suffix = Path(image.file.name).suffix
    chosen, number = f"{name}{suffix}", 1
    while chosen.lower() in taken:
        number += 1
        chosen = f"{name} ({number}){suffix}"
    taken.add(chosen.lower())
    return image.model_copy(update={"file": image.file.model_copy(update={"name": chosen})})


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
