"""Two hundred tabs that are open and idle: what of a processor, and how much memory, the server spends on them."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from bench.idle import worked
from bench.serve import serve
from bench.table import Row
from bench.visitors import ENCODINGS, STUDIO, Person

TABS, AT_ONCE = 200, 8
"""Browsers with a tab each, and how many of them come at a time."""
FIRST = 20
"""Tabs that are opened and closed before: what is imported or made once is no tab's."""
SETTLE, SECONDS = 10.0, 30.0
"""Seconds after the start, or the last tab's, until those that are measured."""
PUBLIC = {"GRADIO_SERVER_NAME": "0.0.0.0", "STUDIO_TRUSTED_PROXIES": "1", "STUDIO_PRELOAD": "0"}
"""Strangers come by a proxy, each with a cookie and an address of their own; the model is no part of the measure."""


def measure() -> list[Row]:
    """Let a server idle alone, then with the tabs."""
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), "app.py", **PUBLIC) as app:
        people = [Person(app.url, f"10.0.{number // 250}.{1 + number % 250}") for number in range(FIRST + TABS)]
        async with AsyncExitStack() as tabs:
            await _open(people[:FIRST], tabs)
        alone, before = await _idle(app.pid)
        async with AsyncExitStack() as tabs:
            await _open(people[FIRST:], tabs)
            together, after = await _idle(app.pid)
    return [
        Row(
            f"{TABS} idle tabs: share of a core beyond the server's own",
            100 * (together - alone),
            1,
            "%",
            f"{together:.2%} - {alone:.2%}, over {SECONDS:.0f} s",
        ),
        Row(
            f"{TABS} idle tabs: memory that each adds to the server",
            (after - before) / TABS / 1e3,
            60,
            "KB",
            f"{before / 1e6:.1f} MB, then {after / 1e6:.1f} MB of its own",
        ),
    ]


async def _open(people: list[Person], tabs: AsyncExitStack) -> None:
    """Let everybody open the page as a browser does, some at a time; their streams stay open."""
    door = asyncio.Semaphore(AT_ONCE)

    async def opened(person: Person) -> None:
        async with door:
            await person.arrive()
            for path in ("specs", "results?limit=60"):
                await person.ask("GET", f"{STUDIO}/{path}", Accept_Encoding=ENCODINGS)
            await tabs.enter_async_context(person.listening())

    await asyncio.gather(*map(opened, people))


async def _idle(pid: int) -> tuple[float, float]:
    """Return a process's share of a core over a while in which nobody asks anything, and the bytes that it has then."""
    await asyncio.sleep(SETTLE)
    begun = worked(pid)
    await asyncio.sleep(SECONDS)
    return (worked(pid) - begun) / SECONDS, float(psutil.Process(pid).memory_full_info().uss)
