"""What a run through the app's own API costs over the engine called directly, and whether a crowd is served fairly."""

from __future__ import annotations

import asyncio
import base64
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from bench.beside import beside
from bench.doors_app import PLACES, SECONDS, backend
from bench.table import Row
from core.imaging.images import read_reference
from core.request import EditRequest
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.api_app import AIML, WAVE
from tests.support.fakes import picture_bytes

PICTURE = picture_bytes("JPEG", "RGB", (240, 160))
IMAGE = "data:image/jpeg;base64," + base64.b64encode(PICTURE).decode()
TIMES = 12
GREEDY, MODEST = 170, 10
NAMES = ("greedy", "ann", "bob", "eve")


def measure() -> list[Row]:
    """Return the rows on overhead and on 200 submits at once."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    direct = statistics.median(await _direct())
    with beside("bench.doors_app", *NAMES) as program:
        url, *letters = program.first.split()
        keys = {name: {"Authorization": f"Bearer {each}"} for name, each in zip(NAMES, letters, strict=True)}
        async with httpx.AsyncClient(base_url=url, timeout=120) as client:
            aiml = statistics.median([await _timed(_aiml(client, keys["ann"], seed)) for seed in range(1, TIMES + 1)])
            wave = statistics.median([await _timed(_wave(client, keys["ann"], seed)) for seed in range(1, TIMES + 1)])
        ends, wall = await _crowd(url, keys)
    rows = [
        Row(
            f"one run through {name} format, over the engine called directly",
            took / direct,
            1.05,
            "x",
            f"{took:.3f} s / {direct:.3f} s, median of {TIMES}",
        )
        for name, took in (("AI/ML API's", aiml), ("WaveSpeedAI's", wave))
    ]
    total = GREEDY + 3 * MODEST
    lost = total - sum(len(each) for each in ends.values())
    # Four keys share the places: three are through when each has had its ten, and the greedy one as many meanwhile.
    fair = len(NAMES) * MODEST / PLACES * SECONDS
    slowest = max(max(ends[name]) for name in NAMES[1:])
    return [
        *rows,
        Row(
            f"{total} submits at once, {PLACES} places, 1 s a job: the whole over the ideal",
            wall / (total / PLACES * SECONDS),
            1.15,
            "x",
            f"{wall:.1f} s / {total / PLACES * SECONDS:.0f} s",
        ),
        Row(f"{total} submits at once: lost", lost, 0, "runs", f"all done in {wall:.1f} s"),
        Row(
            f"three keys with {MODEST} runs behind one with {GREEDY}: their last run, over a fair share's time",
            slowest / fair,
            1.6,
            "x",
            f"{slowest:.1f} s / {fair:.0f} s; behind the line it would be {total / PLACES * SECONDS:.0f} s",
        ),
    ]


async def _timed(work: Any) -> float:
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def _direct() -> list[float]:
    """Time runs on the engine itself, the reference read anew for each, as a door does it."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine({"local": backend()}, AsyncStore(Store(Path(folder))))
        for seed in range(1, TIMES + 1):
            begun = time.perf_counter()
            reference = await asyncio.to_thread(read_reference, PICTURE)
            raw = {"seed": seed, "output_format": "jpeg"}
            request = EditRequest.build(engine.specs["local"], "a lake", reference, raw)
            await engine.result(await engine.submit("local", request))
            took.append(time.perf_counter() - begun)
        await engine.close()
    return took


async def _aiml(client: httpx.AsyncClient, key: dict[str, str], seed: int) -> None:
    body = {"model": AIML, "prompt": "a lake", "image_url": IMAGE, "seed": seed}
    (await client.post("/v1/images/generations", json=body, headers=key)).raise_for_status()


async def _wave(client: httpx.AsyncClient, key: dict[str, str], seed: int) -> None:
    body = {"prompt": "a lake", "image": IMAGE, "seed": seed, "enable_sync_mode": True}
    answer = await client.post(f"/api/v3/{WAVE}", json=body, headers=key)
    assert answer.json()["data"]["status"] == "completed"


async def _crowd(url: str, keys: dict[str, dict[str, str]]) -> tuple[dict[str, list[float]], float]:
    """Submit everything at once, the greedy key's first; return when each key's runs had ended."""
    begun = time.perf_counter()
    ends: dict[str, list[float]] = {name: [] for name in NAMES}

    async def one(client: httpx.AsyncClient, name: str, seed: int) -> None:
        body = {"prompt": "a lake", "image": IMAGE, "seed": seed}
        answer = await client.post(f"/api/v3/{WAVE}", json=body)
        task = answer.raise_for_status().json()["data"]["id"]
        while True:
            await asyncio.sleep(1.0)
            data = (await client.get(f"/api/v3/predictions/{task}/result")).json()["data"]
            if data["status"] == "completed":
                ends[name].append(time.perf_counter() - begun)
                return

    async def all_of(name: str, times: int) -> None:
        limits = httpx.Limits(max_connections=20)  # each key's holder is somebody else, with lines of their own
        async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits, headers=keys[name]) as client:
            await asyncio.gather(*(one(client, name, seed) for seed in range(times)))

    await asyncio.gather(*(all_of(name, GREEDY if name == "greedy" else MODEST) for name in NAMES))
    return ends, time.perf_counter() - begun
