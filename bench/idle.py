"""What an app that nobody uses takes of a processor, over a bare Gradio app's share: a laptop's battery pays it."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from bench.serve import serve
from bench.table import Row

SETTLE, SECONDS = 10.0, 30.0
"""Seconds from the first answer to the measured ones: what a start leaves to be done is done by then."""


def measure() -> list[Row]:
    """Let both idle side by side, so that the machine's moods meet both."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as both:
        apps = [both.enter_context(serve(Path(folder), *command)) for command in (("app.py",), ("-m", "bench.bare"))]
        time.sleep(SETTLE)
        before = [worked(each.pid) for each in apps]
        time.sleep(SECONDS)
        ours, bare = ((worked(app.pid) - begun) / SECONDS for app, begun in zip(apps, before, strict=True))
    return [Row("idle share of a core over a bare gradio app", ours / bare, 0.5, "x", f"{ours:.1%} / {bare:.1%}")]


def worked(pid: int) -> float:
    """Return the seconds of a processor that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
