"""A large experiment at a provider: how long all of it takes, and that a killed process costs no cell and no dollar.

A request that was on its way to the provider when the process died may have arrived: its cell ends as unknown and is
never sent again by itself, so that nothing is paid twice. Those are counted apart.
"""

from __future__ import annotations

import random
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx

from bench import explore_mini
from bench.beside import beside
from bench.load_app import PLACES
from bench.table import Row
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, serve
from tests.support.providers.wavespeed import KEY

CELLS = 400
SECONDS, SHORT = 1.0, 0.5
"""That a task takes at the provider: of the experiment that is left alone, and of the one whose process is killed."""
KILLS = 5
LOOK = 0.2
"""Seconds between two looks at the experiment."""
ENDED = {"done", "failed", "cancelled", "unknown", "interrupted", "deleted"}
S = "/studio/v1"


def measure() -> list[Row]:
    """Return the rows on an experiment that is left alone, on one whose process is killed, and on one on mini."""
    return [*alone(), *killed(random.SystemRandom().randrange(2**31)), *explore_mini.measure()]


def alone() -> list[Row]:
    """Let an experiment run to its end."""
    with tempfile.TemporaryDirectory() as folder, beside("bench.load_provider", str(SECONDS)) as provider:
        with _served(folder, provider.first) as app:
            client = httpx.Client(base_url=app.url, timeout=60)
            begun = time.perf_counter()
            cells = _followed(client, _begin(client))
            wall = time.perf_counter() - begun
            assert cells is not None
        posts = _submits(provider.first)
    ideal = CELLS / PLACES * SECONDS
    states = Counter(each["state"] for each in cells)
    return [
        Row(
            f"{CELLS} cells, {PLACES} places, {SECONDS:g} s each: the whole over the ideal",
            wall / ideal,
            1.1,
            "x",
            f"{wall:.1f} s / {ideal:.0f} s",
        ),
        Row("cells that are not done", CELLS - states["done"], 0, "cells", str(dict(states))),
        Row("paid requests more or less than cells", abs(posts - CELLS), 0, "requests", f"{posts} at the provider"),
    ]


def killed(seed: int) -> list[Row]:
    """Kill the process at five random moments of an experiment, and start it again each time.

    Args:
        seed: of the moments.
    """
    moments = random.Random(seed)
    ideal = CELLS / PLACES * SHORT
    id, cells = "", None
    with tempfile.TemporaryDirectory() as folder, beside("bench.load_provider", str(SHORT)) as provider:
        for kill in range(KILLS + 1):
            last = kill == KILLS
            with _served(folder, provider.first, kill=not last) as app:
                client = httpx.Client(base_url=app.url, timeout=60)
                id = id or _begin(client)
                cells = _followed(client, id, None if last else moments.uniform(0.2, ideal / KILLS))
        posts = _submits(provider.first)
    assert cells is not None
    states = Counter(each["state"] for each in cells)
    results = Counter(each["result"] for each in cells if each["state"] == "done")
    wrong = CELLS - states["done"] - states["unknown"] + sum(count - 1 for count in results.values())
    detail = f"{dict(states)}, {posts} requests, seed {seed}"
    return [
        Row(f"{KILLS} SIGKILLs: cells lost or with another's result", wrong, 0, "cells", detail),
        Row("paid requests beyond one a cell", max(0, posts - CELLS), 0, "requests", f"{posts} at the provider"),
        Row(
            "cells whose request was on its way at a kill, told as unknown",
            states["unknown"],
            KILLS * PLACES,
            "cells",
            "at most one of each place at each kill",
        ),
    ]


def _served(folder: str, provider: str, *, kill: bool = False) -> AbstractContextManager[Served]:
    """Serve the app on a provider, for one person alone with it; at the end of the block it is killed or ends."""
    own = {"WAVESPEED_BASE_URL": provider, "WAVESPEED_API_KEY": KEY, "ALONE": "1"}
    return serve(Path(folder), "-m", "bench.load_app", kill=kill, code=0, host="127.0.0.1", **own)


def _begin(client: httpx.Client) -> str:
    """Begin an experiment of one seed a cell, and return its id."""
    file = {"file": ("photo.jpg", picture_bytes("JPEG", "RGB", (240, 160)), "image/jpeg")}
    reference = client.post(f"{S}/references", files=file).raise_for_status().json()["digest"]
    body = {
        "reference": reference,
        "base": {"backend": "wavespeed", "prompt": "a lake"},
        "axes": [{"name": "seed", "values": list(range(1, CELLS + 1))}],
        "confirm": True,
    }
    answer = client.post(f"{S}/experiments", json=body, headers={"Idempotency-Key": "bench"})
    return str(answer.raise_for_status().json()["id"])


def _followed(client: httpx.Client, id: str, seconds: float | None = None) -> list[dict[str, Any]] | None:
    """Return the cells when all have ended; None where so many seconds have passed before."""
    until = None if seconds is None else time.monotonic() + seconds
    while until is None or time.monotonic() < until:
        cells: list[dict[str, Any]] = client.get(f"{S}/experiments/{id}").raise_for_status().json()["cells"]
        if all(each["state"] in ENDED for each in cells):
            return cells
        time.sleep(LOOK)
    return None


def _submits(provider: str) -> int:
    """Return how many paid requests the provider has had."""
    return int(urllib.request.urlopen(f"{provider}/submits").read())
