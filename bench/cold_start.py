"""From starting the process to the first HTTP 200, over a bare three-component Gradio app's."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench.serve import serve
from bench.table import Row

ROUNDS = 5


def measure() -> list[Row]:
    """Start both in turn, so that a busy moment of the machine meets both; compare the medians."""
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        for each in range(ROUNDS + 1):
            with serve(Path(folder), "-m", "bench.bare") as running:
                bare.append(running.seconds)
            with serve(Path(folder), "app.py") as running:
                ours.append(running.seconds)
            if not each:  # the first round fills the disk cache
                ours.clear()
                bare.clear()
    a, b = statistics.median(ours), statistics.median(bare)
    return [Row("cold start over a bare gradio app", a / b, 1.3, "x", f"{a:.2f} s / {b:.2f} s, medians of {ROUNDS}")]
