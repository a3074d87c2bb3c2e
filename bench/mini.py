"""What the mini checkpoint costs on this machine's CPU: seconds a picture, and the whole app's memory."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image

from bench.serve import ROOT, serve
from bench.table import Row

PHOTO = ROOT / "assets" / "examples" / "still-life.jpg"
SETTINGS = {"strength": 0.6, "guidance_scale": 3.5, "num_inference_steps": 20, "seed": 7}
ROUNDS = 5


def measure() -> list[Row]:
    """Run one square of 512 pixels through the running app again and again, then ask the kernel for its memory."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "data", "app.py") as app:
        square = Path(folder) / "square.png"
        Image.open(PHOTO).convert("RGB").crop((0, 0, 512, 512)).save(square)
        client = Client(app.url, verbose=False, download_files=folder)
        seconds = []
        for _ in range(ROUNDS + 1):
            begun = time.perf_counter()
            client.predict(handle_file(square), "a pencil sketch", api_name="/edit", **SETTINGS)
            seconds.append(time.perf_counter() - begun)
        client.close()
        status = Path(f"/proc/{app.pid}/status").read_text(encoding="utf-8")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    detail = (
        f"median of {ROUNDS}, the app's request included; the first, which loads the model, took {seconds[0]:.1f} s"
    )
    return [
        Row("mini: 512x512, 20 steps at strength 0.6", statistics.median(seconds[1:]), 6, "s", detail),
        Row("mini: the app's peak memory", int(peak[1]) * 1024 / 1e9, 1.2, "GB", "resident, as the kernel counts it"),
    ]
