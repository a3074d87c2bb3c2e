"""One stranger's abuse of the app, one kind after another: what another visitor and the machine notice of it."""

from __future__ import annotations

import asyncio
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.abuses import ABUSES
from bench.beside import beside
from bench.serve import ROOT, answers, free_port
from bench.table import Row
from bench.visitors import Person
from tests.support.fakes import picture_bytes
from tests.support.providers.wavespeed import KEY

SECONDS = 20.0
"""How long each abuse goes on."""
AFTER = 60.0
"""Seconds in which memory has to be back."""
QUIET = 7
"""Runs of another visitor that tell what is usual."""
RUN = 0.5
"""Seconds that the provider takes for one."""
FILES = 1024
"""The usual soft limit of open files."""
PICTURE = picture_bytes("JPEG", "RGB", (240, 160))
LARGE = picture_bytes("JPEG", "RGB", (3000, 2000))
"""What an ordinary visitor brings: everything that decodes has started before memory is measured."""


@dataclass
class App:
    """A running app."""

    url: str
    process: psutil.Process
    log: Path

    def memory(self) -> float:
        """Return the bytes of the app and its children; what they share counts once."""
        total = 0.0
        for each in (self.process, *self.process.children(recursive=True)):
            try:
                total += each.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
        return total


def measure(only: str = "", seconds: float = SECONDS) -> list[Row]:
    """Return four rows on each abuse: health, another visitor, memory and log.

    Args:
        only: the name of one abuse; empty for all.
        seconds: how long each goes on.
    """
    return [row for name in ABUSES if only in ("", name) for row in asyncio.run(_measure(name, seconds))]


async def _measure(name: str, seconds: float) -> list[Row]:
    print(f"  {name} ...", file=sys.stderr)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = stack.enter_context(beside("bench.load_provider", str(RUN))).first
        slow = await stack.enter_async_context(silent())
        app = await stack.enter_async_context(serving(folder, provider, slow))
        person = Person(app.url, "192.0.2.1")
        await person.arrive()
        await _run(person, await person.add(LARGE), 0)
        reference = await person.add(PICTURE)
        for seed in range(QUIET):  # connections are opened, and what is imported late
            await _run(person, reference, seed)
        quiet = statistics.median([await _run(person, reference, 100 + seed) for seed in range(QUIET)])
        memory, log = app.memory(), app.log.stat().st_size

        with (
            beside("bench.abuse_watch", app.url) as watch,
            beside("bench.abuses", name, app.url, slow) as stranger,
        ):
            begun = time.monotonic()
            runs: list[float] = []
            while (left := begun + seconds - time.monotonic()) > 0:
                runs.append(await _run(person, reference, 1000 + len(runs)))
                await asyncio.sleep(min(left, 0.5))
            stranger.process.kill()
            health = [float(each) for each in watch.rest().split()]
            minutes = (time.monotonic() - begun) / 60
        grown = (app.log.stat().st_size - log) / 1e6 / minutes
        until = time.monotonic() + AFTER
        while (after := app.memory()) > 1.1 * memory and time.monotonic() < until:  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(5)
    p99 = statistics.quantiles(health, n=100, method="inclusive")[98] if len(health) > 1 else math.inf
    usual = statistics.median(runs)
    title = name.replace("_", " ")
    return [
        Row(
            f"{title}: /healthz, 99th percentile", p99, 0.5, "s", f"of {len(health)} calls, slowest {max(health):.2f} s"
        ),
        Row(
            f"{title}: another visitor's run over its quiet time",
            usual / quiet,
            2,
            "x",
            f"{usual:.2f} s / {quiet:.2f} s, slowest {max(runs):.2f} s of {len(runs)}",
        ),
        Row(
            f"{title}: memory {AFTER:.0f} s later over before",
            after / memory,
            1.1,
            "x",
            f"{after / 1e6:.0f} MB / {memory / 1e6:.0f} MB",
        ),
        Row(f"{title}: log a minute", grown, 1, "MB", f"of {minutes * 60:.0f} s"),
    ]


async def _run(person: Person, reference: str, seed: int) -> float:
    """Return the seconds of a run, on a new stream; one that fails counts as the whole patience."""
    patience = 60.0
    begun = time.monotonic()
    try:
        async with asyncio.timeout(patience), person.listening() as stream:
            told = await person.run(stream, reference, seed)
    except (OSError, TimeoutError):
        return patience
    if told.words != "done":
        print(f"  another visitor's run: {told.words[:200]}", file=sys.stderr)
    return time.monotonic() - begun if told.words == "done" else patience


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """Yield the address of a server that never answers."""

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def serving(folder: Path, provider: str, slow: str) -> AsyncIterator[App]:
    """Run the app, open to strangers behind one proxy, with the usual limit of open files."""
    port = free_port()
    own = {
        "STUDIO_DATA_DIR": str(folder / "data"),
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "STUDIO_TRUSTED_PROXIES": "1",
        "STUDIO_RUNS_PER_MINUTE": "600",
        "STUDIO_RUNS_PER_DAY": "0",
        "STUDIO_DAILY_BUDGET": "100000",
        "WAVESPEED_BASE_URL": provider,
        "WAVESPEED_API_KEY": KEY,
        "SLOW_ADDRESS": slow,
        "HF_HUB_OFFLINE": "1",
        "STUDIO_PRELOAD": "0",  # the model is no part of what is measured
    }
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - nothing else goes on yet
            [sys.executable, "-m", "bench.abuse_app"],
            cwd=ROOT,
            env={**os.environ, **own},
            stdout=out,
            stderr=out,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
            ),
        )
    url = f"http://127.0.0.1:{port}"
    try:
        while not await asyncio.to_thread(answers, url):
            if process.poll() is not None:
                raise RuntimeError(log.read_text(errors="replace"))
            await asyncio.sleep(0.05)
        yield App(url, psutil.Process(process.pid), log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, 30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
