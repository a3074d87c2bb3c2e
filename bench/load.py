"""Many visitors at once, each with a page of their own: how long all of them wait, whether the app stays awake, and who
is turned away how fast.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path

from bench.beside import beside
from bench.load_app import PLACES
from bench.serve import serve
from bench.table import Row
from bench.visitors import Person, Stream, Told
from tests.support.fakes import picture_bytes
from tests.support.providers.wavespeed import KEY

SECONDS = 1.0
ARRIVING = 8
"""Visitors who open the page at a time, before the measurement."""
PICTURE = picture_bytes("JPEG", "RGB", (240, 160))


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
            1.1,
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
    refused = sum("queue is full" in each.words for each in told)
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
    """Let visitors click on Run at once, each of whom has the page open.

    The visitors, the provider and whoever asks for the app's health are processes of their own.

    Returns:
        What the visitors were told, seconds of each health call, paid requests, seconds until the last was served.
    """
    with tempfile.TemporaryDirectory() as folder, beside("bench.load_provider", str(SECONDS)) as provider:
        own = {"WAVESPEED_BASE_URL": provider.first, "WAVESPEED_API_KEY": KEY, "STUDIO_QUEUE_SIZE": str(queue)}
        with serve(Path(folder), "-m", "bench.load_app", **own) as app:
            async with AsyncExitStack() as tabs:
                people = [Person(app.url, f"10.0.{number // 250}.{1 + number % 250}") for number in range(users)]
                pages = await _opened(people, tabs)
                person, stream, reference = pages[0]
                await person.run(stream, reference, 0)  # the first run opens connections and uploads the reference
                before = await _submits(provider.first)
                with beside("bench.load_watch", app.url) as watch:
                    begun = time.perf_counter()
                    clicks = [each.run(stream, ref, 1 + seed) for seed, (each, stream, ref) in enumerate(pages)]
                    told = await asyncio.gather(*clicks)
                    wall = time.perf_counter() - begun
                    health = [float(each) for each in watch.rest().split()]
                posts = await _submits(provider.first) - before
    return told, health, posts, wall


async def _opened(people: list[Person], tabs: AsyncExitStack) -> list[tuple[Person, Stream, str]]:
    """Let everybody open the page and bring the picture, some at a time.

    Returns:
        Everybody, with the stream of their tab and the digest of their reference.
    """
    door = asyncio.Semaphore(ARRIVING)

    async def opened(person: Person) -> tuple[Person, Stream, str]:
        async with door:
            await person.arrive()
            reference = await person.add(PICTURE)
            return person, await tabs.enter_async_context(person.listening()), reference

    return await asyncio.gather(*map(opened, people))


async def _submits(provider: str) -> int:
    """Return how many paid requests the provider has had."""
    return int(await asyncio.to_thread(lambda: urllib.request.urlopen(f"{provider}/submits").read()))
