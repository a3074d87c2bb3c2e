"""Hosted runs against a stand-in provider on loopback: how late a result is noticed, and what a waiting run holds."""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import wavespeed.api.client
from pydantic import SecretStr

from backends.wavespeed.backend import SPEC, WavespeedBackend
from backends.wavespeed.provider import WavespeedProvider
from bench.serve import ROOT
from bench.table import Row
from core.settings import Settings
from tests.support.fakes import make_reference, make_request
from tests.support.loopback import serving_beside
from tests.support.providers.wavespeed import KEY, MODEL, Wavespeed

SECONDS = (1, 2, 5, 10, 20)
"""How long jobs take; each of a kind 10% more or less."""
AT_ONCE = 8
RUNS = 50


def measure() -> list[Row]:
    """Return the rows on lag, polls, memory and threads."""
    return [*detection(), *holding()]


def detection() -> list[Row]:
    """Follow jobs of each length after a first round, from which the backend knows how long they take."""
    results: dict[int, tuple[list[float], list[int], list[float]]] = {}
    threads = [threading.Thread(target=_detect, args=(seconds, results)) for seconds in SECONDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours = [lag for lags, _, _ in results.values() for lag in lags]
    theirs = [lag for _, _, lags in results.values() for lag in lags]
    polls = max(results[max(SECONDS)][1])
    by_length = ", ".join(f"{seconds} s: {statistics.median(results[seconds][0]):.2f}" for seconds in SECONDS)
    detail = f"{by_length}; the official client's: {statistics.median(theirs):.2f} s"
    return [
        Row("median lag from the provider's end to our result", statistics.median(ours), 0.6, "s", detail),
        Row("polls of a 20 s job", polls, 14, "polls", f"the most of {AT_ONCE} jobs"),
    ]


def _detect(seconds: int, results: dict[int, tuple[list[float], list[int], list[float]]]) -> None:
    stand_in = Wavespeed(seconds=seconds, spread=0.1)
    with serving_beside(stand_in.app()) as url:
        backend = WavespeedBackend(WavespeedProvider(Settings(wavespeed_key=SecretStr(KEY), wavespeed_base_url=url)))

        async def run(seed: int) -> float:
            request = make_request(SPEC, f"job {seed}", make_reference(), seed=seed)
            async for _ in backend.edit(request):
                pass
            return time.monotonic()

        async def both() -> tuple[list[float], list[int]]:
            await asyncio.gather(*(run(seed) for seed in range(AT_ONCE)))
            stand_in.polls.clear()
            ends = await asyncio.gather(*(run(1000 + seed) for seed in range(AT_ONCE)))
            await backend.provider.close()
            tasks = {task.body["seed"]: task for task in stand_in.tasks.values()}
            asked = Counter(task_id for _, task_id in stand_in.polls)
            mine = [tasks[1000 + seed] for seed in range(AT_ONCE)]
            return [end - (task.created + task.seconds) for end, task in zip(ends, mine, strict=True)], [
                asked[task.id] for task in mine
            ]

        lags, polls = asyncio.run(both())
        results[seconds] = (lags, polls, [_official(url, stand_in, seed) for seed in range(2)])


def _official(url: str, stand_in: Wavespeed, seed: int) -> float:
    client = wavespeed.api.client.Client(api_key=KEY, base_url=url)
    client.run(MODEL, {"prompt": "theirs", "image": "data:image/png;base64," + _PNG, "seed": 5000 + seed})
    end = time.monotonic()
    task = next(each for each in stand_in.tasks.values() if each.body["seed"] == 5000 + seed)
    return end - (task.created + task.seconds)


_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def holding() -> list[Row]:
    """Let runs wait at a provider at once, in a process that does nothing else."""
    with serving_beside(Wavespeed(seconds=6.0).app()) as url:
        done = subprocess.run(
            [sys.executable, "-m", "bench.hosted", url], cwd=ROOT, capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout)
    return [
        Row(f"memory of a waiting hosted run, {RUNS} at once", found["megabytes"], 3.0, "MB", "peak beyond the start"),
        Row(
            f"threads that {RUNS} runs add", found["threads"], RUNS - 1, "threads", "a run must not have one of its own"
        ),
    ]


def hold(url: str) -> None:
    """Run at once, and print megabytes a run and threads while they wait."""
    backend = WavespeedBackend(WavespeedProvider(Settings(wavespeed_key=SecretStr(KEY), wavespeed_base_url=url)))
    most, peak = 0, 0.0

    async def run(seed: int) -> None:
        async for _ in backend.edit(make_request(SPEC, "waits", make_reference(), seed=seed)):
            nonlocal most, peak
            most, peak = max(most, threading.active_count()), max(peak, resident())

    async def all_of_them() -> tuple[float, int]:
        await run(0)  # connections, caches, the upload
        before, threads = resident(), threading.active_count()
        await asyncio.gather(*(run(seed) for seed in range(1, RUNS + 1)))
        await backend.provider.close()
        return (peak - before) / RUNS, most - threads

    megabytes, threads = asyncio.run(all_of_them())
    print(json.dumps({"megabytes": megabytes, "threads": threads}))


def resident() -> float:
    """Return the megabytes that this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    hold(sys.argv[1])
