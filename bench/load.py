"""Many visitors at once: how long all of them wait, whether the app stays awake, and who is turned away how fast."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.load_app import PLACES
from bench.serve import Running, serve
from bench.table import Row
from tests.fakes import picture_bytes
from tests.providers.serving import serving_beside
from tests.providers.wavespeed import KEY, Wavespeed

SECONDS = 1.0
PICTURE = picture_bytes("JPEG", "RGB", (240, 160))


@dataclass
class Told:
    """How a visitor fared: `done`, or the words of a refusal; when it was taken or refused, and when it ended."""

    words: str
    answered: float
    seconds: float


def measure() -> list[Row]:
    """Return the rows on 200 visitors with room for all, and on 400 with room for few."""
    return [*crowd(), *too_many()]


def crowd() -> list[Row]:
    """Let 200 visitors run at once."""
    users = 200
    told, health, posts, wall = asyncio.run(_measure(users, queue=users))
    ideal = users / PLACES * SECONDS
    errors = sum(each.words != "done" for each in told)
    p99 = statistics.quantiles(health, n=100)[98]
    return [
        Row(
            f"{users} visitors, {PLACES} places, 1 s a job: the whole over the ideal",
            wall / ideal,
            1.15,
            "x",
            f"{wall:.1f} s / {ideal:.0f} s",
        ),
        Row(f"{users} visitors: errors", errors, 0, "runs", f"{posts} paid requests at the provider"),
        Row(f"{users} visitors: /healthz, 99th percentile", p99, 0.25, "s", f"of {len(health)} calls"),
    ]


def too_many() -> list[Row]:
    """Let 400 visitors come where 50 may wait."""
    users, queue = 400, 50
    told, _, posts, _ = asyncio.run(_measure(users, queue=queue))
    done = sum(each.words == "done" for each in told)
    refused = sum("runs wait already" in each.words for each in told)
    slowest = max(each.answered for each in told)
    return [
        Row(
            f"{users} visitors, {queue} may wait: neither served nor refused in words",
            users - done - refused,
            0,
            "runs",
            f"{done} served, {refused} refused",
        ),
        Row(f"{users} visitors: taken or refused, the slowest", slowest, 2.0, "s", "from the click"),
        Row("paid requests beyond the accepted runs", abs(posts - done), 0, "requests", f"{posts} at the provider"),
    ]


async def _measure(users: int, queue: int) -> tuple[list[Told], list[float], int, float]:
    stand_in = Wavespeed(seconds=SECONDS)
    with tempfile.TemporaryDirectory() as folder, serving_beside(stand_in.app()) as provider:
        own = {"WAVESPEED_BASE_URL": provider, "WAVESPEED_API_KEY": KEY, "STUDIO_QUEUE_SIZE": str(queue)}
        with serve(Path(folder), "-m", "bench.load_app", **own) as app:
            limits = httpx.Limits(max_connections=2 * users)
            async with httpx.AsyncClient(base_url=app.url, timeout=120, limits=limits) as client:
                path = await _upload(client)
                await _visit(client, path, 0)  # the first run opens connections and uploads the reference
                stand_in.submits.clear()
                health: list[float] = []
                watching = asyncio.create_task(_watch(app, health))
                begun = time.perf_counter()
                told = await asyncio.gather(*(_visit(client, path, 1 + number) for number in range(users)))
                wall = time.perf_counter() - begun
                watching.cancel()
    return told, health, len(stand_in.submits), wall


async def _upload(client: httpx.AsyncClient) -> str:
    answer = await client.post("/gradio_api/upload", files={"files": ("photo.jpg", PICTURE, "image/jpeg")})
    path: str = answer.raise_for_status().json()[0]
    return path


async def _visit(client: httpx.AsyncClient, path: str, seed: int) -> Told:
    """Run once, as a caller of the API does: post, then read the events until the end."""
    begun = time.perf_counter()
    body = {"image": {"path": path, "meta": {"_type": "gradio.FileData"}}, "prompt": "a lake", "seed": seed}
    answer = await client.post("/gradio_api/call/v2/edit", json=body)
    if answer.status_code != 200:
        return Told(f"status {answer.status_code}", time.perf_counter() - begun, time.perf_counter() - begun)
    event = answer.json()["event_id"]
    answered = time.perf_counter() - begun
    last = ""
    async with client.stream("GET", f"/gradio_api/call/edit/{event}") as events:
        async for line in events.aiter_lines():
            if line.startswith("event: "):
                last = line
            elif line.startswith("data: ") and last in ("event: complete", "event: error"):
                ended = time.perf_counter() - begun
                if last == "event: complete":
                    return Told("done", answered, ended)
                return Told(json.dumps(json.loads(line[6:])), ended, ended)
    return Told("no end", answered, time.perf_counter() - begun)


async def _watch(app: Running, health: list[float]) -> None:
    """Ask how the app is, ten times a second."""
    async with httpx.AsyncClient(base_url=app.url, timeout=30) as client:
        while True:
            begun = time.perf_counter()
            (await client.get("/healthz")).raise_for_status()
            health.append(time.perf_counter() - begun)
            await asyncio.sleep(0.1)
