"""A thousand runs in a row: what the process still holds after them."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.load import PICTURE
from bench.serve import serve
from bench.table import Row
from bench.visitors import Script
from tests.support.loopback import serving_beside
from tests.support.providers.wavespeed import KEY, Wavespeed

WARM_UP, RUNS, AT_ONCE, EVERY = 200, 1000, 4, 50


@dataclass(frozen=True)
class Held:
    """What a process holds: KiB of memory, open files, threads."""

    memory: float
    files: int
    threads: int


def held(pid: int) -> Held:
    """Return what a process holds now."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Held(float(status["VmRSS"].split()[0]), files, int(status["Threads"]))


def on_disk(folder: Path) -> tuple[int, int]:
    """Return the bytes of the database, and how many pictures lie beside it."""
    return sum(each.stat().st_size for each in folder.glob("studio.db*")), len(list((folder / "images").iterdir()))


def measure() -> list[Row]:
    """Return the rows on memory, files, threads and the database."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    stand_in = Wavespeed()
    with tempfile.TemporaryDirectory() as folder, serving_beside(stand_in.app()) as provider:
        own = {"WAVESPEED_BASE_URL": provider, "WAVESPEED_API_KEY": KEY}
        with serve(Path(folder), "-m", "bench.load_app", **own) as app:
            script = Script(app.url)
            path = await script.upload(PICTURE)
            places: list[int] = []
            seen: list[Held] = []
            for first in range(0, WARM_UP + RUNS, EVERY):
                await _some(script, path, first)
                stand_in.tasks.clear()
                stand_in.files = {name: data for name, data in stand_in.files.items() if "." not in name}
                if first + EVERY >= WARM_UP:
                    places.append(first + EVERY)
                    seen.append(held(app.pid))
        size, pictures = on_disk(Path(folder))
    slope = statistics.linear_regression(places, [each.memory for each in seen]).slope
    return [
        Row(
            f"{RUNS} runs after {WARM_UP}: memory a run",
            slope,
            5,
            "KiB",
            f"{seen[0].memory / 1024:.0f} MB, then {seen[-1].memory / 1024:.0f} MB",
        ),
        Row("open files more at the end", seen[-1].files - seen[0].files, 5, "files", f"{seen[-1].files} at the end"),
        Row(
            "threads more at the end",
            seen[-1].threads - seen[0].threads,
            2,
            "threads",
            f"{seen[-1].threads} at the end",
        ),
        Row(
            "database a run, without pictures",
            size / (WARM_UP + RUNS) / 1024,
            2,
            "KiB",
            f"{size / 1024:.0f} KiB, {pictures} pictures beside it",
        ),
    ]


async def _some(script: Script, path: str, first: int) -> None:
    seeds = iter(range(first, first + EVERY))

    async def visitor() -> None:
        for seed in seeds:
            told = await script.run(path, seed)
            assert told.words == "done", told.words

    await asyncio.gather(*(visitor() for _ in range(AT_ONCE)))
