"""Reading settings out of hostile files: how long the slowest text takes."""

from __future__ import annotations

import time

from bench.table import Row
from core.recipe_files.foreign import read_foreign
from tests.support.hostile_texts import BOMBS, PLACES, texts_of

ROUNDS = 3


def measure() -> list[Row]:
    """Read each text at each place."""
    cases = [(name, text, place) for name, text in BOMBS.items() for place in PLACES]
    slowest, name = max((_seconds(place, text), f"{name} at {place}") for name, text, place in cases)
    return [Row("settings in a hostile text of 4 MiB: read", slowest, 0.1, "s", f"{name}, of {len(cases)}")]


def _seconds(place: str, text: str) -> float:
    texts, taken = texts_of(place, text), []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        read_foreign(texts)
        taken.append(time.thread_time() - begun)
    return min(taken)
