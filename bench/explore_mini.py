"""A grid of 3 x 3 on mini, with one prompt and one reference: what its cells share, and what that saves.

Beside it, in processes of their own: each of the nine runs alone in a process that has loaded the model, and all nine
one after the other in a warm one.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from backends.local.backend import LocalBackend
from bench.serve import ROOT
from bench.table import Row
from core.axes import Axis, Base, Plan, plan
from core.experiment import Cell
from core.imaging.images import Reference
from core.job import Visitor
from core.recipe import StyleUse
from core.settings import Settings
from engine.services import Services
from tests.support.services import services_at
from ui.examples import EXAMPLES

AXES = (Axis("strength", (0.4, 0.6, 0.8)), Axis("seed", (1, 2, 3)))
OWNER = Visitor(owner="bench")


def measure() -> list[Row]:
    """Run the nine cells alone, in turn and as an experiment, each in fresh processes."""
    fresh = sum(_told("alone", str(number))["seconds"] for number in range(9))
    warm = _told("in turn")
    grid = _told("experiment")
    seconds = grid["seconds"]
    return [
        Row("3 x 3 on mini: prompts encoded", grid["prompts"], 1, "times", "one prompt"),
        Row("3 x 3 on mini: references encoded", grid["references"], 1, "times", "one reference"),
        Row(
            "3 x 3 on mini over nine in fresh processes",
            seconds / fresh,
            0.8,
            "x",
            f"{seconds:.1f} / {fresh:.1f} s; the model is loaded",
        ),
        Row(
            "3 x 3 on mini over nine in a warm process",
            seconds / warm["seconds"],
            0.95,
            "x",
            f"{seconds:.1f} / {warm['seconds']:.1f} s",
        ),
        Row(
            "3 x 3 on mini: the first cell over a run of its own",
            grid["first"] / warm["first"],
            1.2,
            "x",
            f"{grid['first']:.1f} / {warm['first']:.1f} s",
        ),
    ]


def _told(*how: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.explore_mini", *how], cwd=ROOT, check=True, capture_output=True, text=True
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


async def _main(how: str, number: int = 0) -> dict[str, float]:
    """Load the model, then do the work, and return what was measured of it."""
    with tempfile.TemporaryDirectory() as folder:
        backend = LocalBackend(Settings(data_dir=Path(folder)))
        services = services_at(Path(folder), {"local": backend})
        await services.engine.recover()
        await backend.preload()
        try:
            planned = await _planned(services)
            if how == "experiment":
                return {**await _experiment(services, planned), **_encoded(backend)}
            return await _in_turn(services, planned.cells[number : number + 1] if how == "alone" else planned.cells)
        finally:
            await services.close()


async def _planned(services: Services) -> Plan:
    example = EXAMPLES[0]
    data = (ROOT / "assets" / "examples" / example.file).read_bytes()
    read = await services.images.read(data, owner=OWNER.owner)
    image = await services.images.keep_reference(OWNER.owner, read, None)
    spec = services.engine.specs["local"]
    styles = tuple(StyleUse(id=each.id, text=each.text, weight=1) for each in spec.styles if each.id in example.style)
    base = Base("local", example.prompt, styles, {}, image.digest)
    images: dict[str, tuple[Reference, str | None]] = {image.digest: (image, None)}
    return plan(base, AXES, services.engine.specs, images, 9)


async def _in_turn(services: Services, cells: tuple[Cell, ...]) -> dict[str, float]:
    begun = time.perf_counter()
    first = 0.0
    for cell in cells:
        await services.engine.result(await services.engine.submit("local", cell.request, visitor=OWNER))
        first = first or time.perf_counter() - begun
    return {"seconds": time.perf_counter() - begun, "first": first}


async def _experiment(services: Services, planned: Plan) -> dict[str, float]:
    begun = time.perf_counter()
    row = await services.experiments.start(OWNER, json.dumps({"axes": []}), planned.cells, {})
    first = 0.0
    with services.engine.feed.watch(OWNER.owner) as watch:
        while True:
            done = [each.state == "done" for each in await services.experiments.cells(row)]
            first = first or (time.perf_counter() - begun if any(done) else 0.0)
            if all(done):
                return {"seconds": time.perf_counter() - begun, "first": first}
            await watch.wait(5)


def _encoded(backend: LocalBackend) -> dict[str, Any]:
    model = backend._workers[0].model
    assert model is not None
    return {"prompts": model.memo.prompts.misses, "references": model.memo.references.misses}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))))
