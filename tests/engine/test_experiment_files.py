"""Experiments as files, where a picture or a reference is missing, damaged, or bears another's name."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from core.axes import Axis, Base, plan, written
from core.imaging.images import Reference
from core.job import Visitor
from core.job_state import JobState
from core.recipe import StyleUse
from engine.experiment_files import ExperimentFiles
from engine.services import Services
from storage.rows import CellRow, ExperimentRow
from tests.support.fakes import FakeBackend, make_reference, make_spec
from tests.support.services import services_at

ANN = Visitor(owner="ann")


async def made(services: Services, *axes: Axis) -> tuple[ExperimentFiles, ExperimentRow, list[CellRow]]:
    """Return an experiment whose cells have ended, and what writes its files."""
    store = services.engine._store
    images = {}
    for size in ((64, 48), (48, 64)):
        image: Reference = await store.keep_reference("ann", make_reference(*size), None)  # type: ignore[attr-defined]
        images[image.digest] = image
    first = next(iter(images))
    named = [Axis(axis.name, tuple(images)) if axis.name == "reference" else axis for axis in axes]
    known = {digest: (image, None) for digest, image in images.items()}
    planned = plan(Base("fake", "a lake", (), {}, first), named, services.engine.specs, known, 100)
    text = json.dumps(written(planned.base, planned.axes))
    row = await services.experiments.start(ANN, text, planned.cells, {})
    with services.engine.feed.watch("ann") as watch:
        while True:
            cells = await services.experiments.cells(row)
            if all(each.state == JobState.DONE for each in cells):
                break
            await watch.wait(0.2)
    return ExperimentFiles(services.library, services.images, services.engine.specs), row, cells


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


async def rows_of(files: ExperimentFiles, row: ExperimentRow, cells: Sequence[CellRow]) -> list[dict[str, str]]:
    text = await files.table(row, cells)
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


async def test_the_reference_stands_in_the_corner_unless_it_is_an_axis_or_gone(tmp_path: Path) -> None:
    services = services_at(tmp_path, {"fake": FakeBackend()})
    try:
        files, row, cells = await made(services, Axis("seed", (1, 2)))
        with_reference = picture(await files.sheet(row, cells, "png")).size
        files, row, cells = await made(services, Axis("reference", ()))
        varied = picture(await files.sheet(row, cells, "png")).size
        assert varied[0] < with_reference[0], "it has no column for the reference"
        assert {each["axis reference"] for each in await rows_of(files, row, cells)} == {
            str(value)[:8] for value in json.loads(row.plan)["axes"][0]["values"]
        }
        for path in (tmp_path / "images").rglob("*.*"):
            path.unlink()
        assert picture(await files.sheet(row, cells, "png")).size == varied
        files, row, cells = await made(services, Axis("seed", (3, 4)))
        reference = json.loads(row.plan)["reference"]
        for path in (tmp_path / "images").rglob(f"{reference}*"):
            path.unlink()
        assert picture(await files.sheet(row, cells, "png")).width < with_reference[0]
    finally:
        await services.close()


async def test_axes_are_named_as_people_call_them_and_names_are_unique(tmp_path: Path) -> None:
    services = services_at(tmp_path, {"fake": FakeBackend(make_spec("fake"))})
    style = (StyleUse(id="oil", text="an oil painting", weight=1.0),)
    long = ["a lake " * 30 + end for end in ("one", "two")]
    try:
        files, row, cells = await made(services, Axis("style", ((), style)), Axis("prompt", tuple(long)))
        assert {each["axis style"] for each in await rows_of(files, row, cells)} == {"no style", "oil"}
        data = b"".join(await files.archive(row, cells))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.startswith("style")]
        assert len({name.lower() for name in names}) == 4
        assert any("(2)" in name for name in names)
        files, row, cells = await made(services, Axis("backend", ("fake",)))
        assert [each["axis backend"] for each in await rows_of(files, row, cells)] == ["Fake"]
        gone = ExperimentFiles(services.library, services.images, {})
        assert [each["axis backend"] for each in await rows_of(gone, row, cells)] == ["fake"]
    finally:
        await services.close()


async def test_the_table_says_how_each_picture_compares_with_its_reference(tmp_path: Path) -> None:
    services = services_at(tmp_path, {"fake": FakeBackend()})
    try:
        files, row, cells = await made(services, Axis("seed", (1, 2)))
        measured = replace(cells[0], structure=0.83, colour_shift=4.5, sharpness=0.9)
        unknown = replace(cells[1], structure=None, colour_shift=None, sharpness=None)
        one, other = await rows_of(files, row, [measured, unknown])
        figures = ("structure", "colour_shift", "sharpness")
        assert [one[name] for name in figures] == ["0.83", "4.5", "0.9"]
        assert [other[name] for name in figures] == ["", "", ""]
    finally:
        await services.close()


async def test_what_has_no_picture_is_said_in_its_place(tmp_path: Path) -> None:
    services = services_at(tmp_path, {"fake": FakeBackend()})
    try:
        files, row, cells = await made(services, Axis("seed", (1, 2, 3)))
        assert cells[0].result is not None
        assert cells[1].result is not None
        (tmp_path / "images").joinpath(str((await services.library.find("ann", cells[1].result)).file)).unlink()  # type: ignore[union-attr]
        await services.library.delete("ann", [cells[0].result])
        cells = [*await services.experiments.cells(row)]
        waiting = [
            CellRow(**{**cells[1].__dict__, "job": None, "state": None, "result": None}),
            CellRow(**{**cells[2].__dict__, "job": None, "state": None, "result": None, "skipped": True}),
            CellRow(**{**cells[0].__dict__, "job": "x", "state": None, "result": None}),
        ]
        assert [each["state"] for each in await rows_of(files, row, waiting)] == ["waiting", "skipped", "deleted"]
        assert picture(await files.sheet(row, [*cells, *waiting], "png")).width > 0
        data = b"".join(await files.archive(row, waiting))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert not [name for name in archive.namelist() if name.startswith("Seed")]
    finally:
        await services.close()
