"""The library of 100,000 results: how soon the server answers what the page asks, and how it goes in a browser."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from bench.library_page import browser_rows
from bench.serve import serve
from bench.table import Row
from bench.visitors import STUDIO
from tests.support.library_data import RESULTS, fill

ROUNDS, KEY_ROUNDS = 15, 7
TYPED = ("lake harbour", "neon street", "水彩", "mini")
"""What is typed, a key at a time; every word is in many prompts, and the last in most models."""
FIRST = 60
"""Results that the page fetches at each key, beside the index."""
APP = {"STUDIO_PRELOAD": "0"}
"""The model is no part of what is measured."""

Params = Mapping[str, str | int]


def measure() -> list[Row]:
    """Return the rows on the library."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), RESULTS)
        with serve(Path(folder), "app.py", **APP) as app:
            return [*server_rows(app.url), *browser_rows(app.url)]


def server_rows(url: str) -> Iterator[Row]:
    """Yield what the server takes for each thing that the page asks of it, whole answers over loopback.

    Args:
        url: of an app with a library of `RESULTS`.
    """
    with httpx.Client(base_url=f"{url}{STUDIO}", timeout=60) as client:

        def ask(path: str, params: Params) -> Any:
            answer = client.get(path, params=params)
            answer.raise_for_status()
            return answer.json()

        index = ask("/results/index", {})
        deep = index["blocks"][len(index["blocks"]) // 2]
        yield _typed(ask)
        for name, params in (
            ("", {}),
            (" by cost", {"sort": "cost"}),
            (" of a backend", {"backend": "local"}),
            (" of a style", {"style": "oil"}),
        ):
            yield _row(f"index{name}", 50, _times(ask, "/results/index", params))
        yield _row("a page of 200", 30, _times(ask, "/results", {"limit": 200}))
        block = {"limit": deep["count"], "cursor": deep["cursor"]}
        yield _row(f"a block of {deep['count']} from the middle", 30, _times(ask, "/results", block))
        yield _row("what there is to filter by", 50, _times(ask, "/library", {}))


def _typed(ask: Callable[[str, Params], Any]) -> Row:
    """Type each text, several times; return the row of the slowest key, with the index and the first results."""
    found = dict[str, list[float]]()
    for turn in range(KEY_ROUNDS + 1):
        for text in TYPED:
            for end in range(1, len(text) + 1):
                begun = time.perf_counter()
                ask("/results/index", {"q": text[:end], "first": FIRST})
                if turn:  # the first warms up
                    found.setdefault(text[:end], []).append((time.perf_counter() - begun) * 1000)
    medians = {text: statistics.median(times) for text, times in found.items()}
    slowest = max(medians, key=lambda text: medians[text])
    detail = f"after {slowest!r}, median of {KEY_ROUNDS}; of all keys {statistics.median(medians.values()):.1f}"
    return Row(f"{RESULTS} results: search as you type, the slowest key", medians[slowest], 50, "ms", detail)


def _times(ask: Callable[[str, Params], Any], path: str, params: Params) -> list[float]:
    """Return the milliseconds of some answers, after one that warms up."""
    ask(path, params)
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        ask(path, params)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _row(name: str, goal: float, found: list[float]) -> Row:
    detail = f"median of {len(found)}, the worst {max(found):.1f}"
    return Row(f"{RESULTS} results: {name}", statistics.median(found), goal, "ms", detail)
