"""From a dropped photo to a page that is ready to run, and what many large photos cost those who bring a small one."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from PIL import Image, ImageChops

from bench.serve import serve
from bench.tab import Tab
from bench.table import Row
from tests.support.fakes import picture_bytes

ROUNDS, CROWD = 3, 40
WIDE = {"STUDIO_MAX_MEGAPIXELS": "120", "STUDIO_MAX_UPLOAD_MB": "60"}


def measure() -> list[Row]:
    """Return the rows on seconds to a ready page, on a decoder's memory, and on a small picture behind large ones."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), "app.py", **WIDE) as app:
        Tab(app.url).show(picture_bytes())  # the decoder's start is no photo's
        rows = [_ready(app.url, 6000, 4000, 3.0), _ready(app.url, 8160, 6120, 6.0)]
        rows.append(_crowded(app.url))
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), "app.py", **WIDE) as app:
        rows.append(_memory(app.url, app.pid))
    return rows


def photo(width: int, height: int) -> bytes:
    """Return a baseline JPEG with a photo's detail and a sensor's noise: about a quarter of a byte a pixel."""
    shapes = Image.effect_noise((width // 8, height // 8), 60).resize((width, height), Image.Resampling.BICUBIC)
    noise = ImageChops.add(shapes, Image.effect_noise((width, height), 10), 2, 0)
    turned = [noise, ImageChops.offset(shapes, width // 3), ImageChops.offset(noise, height // 3)]
    file = io.BytesIO()
    Image.merge("RGB", turned).save(file, "JPEG", quality=85)
    return file.getvalue()


def _ready(url: str, width: int, height: int, goal: float) -> Row:
    """Time from the first byte of the upload to the stored reference, and to the copy that the stage shows."""
    ready, shown, uploads = [], [], []
    for _ in range(ROUNDS):
        data, tab = photo(width, height), Tab(url)
        begun = time.perf_counter()
        sent = tab.send(data)
        uploads.append(time.perf_counter() - begun)
        reference = sent.reference()
        ready.append(time.perf_counter() - begun)
        tab.view(reference, 2048)
        shown.append(time.perf_counter() - begun)
    middle = statistics.median
    detail = f"upload {middle(uploads):.2f} s of {len(data) / 1e6:.1f} MB, on stage after {middle(shown):.2f} s"
    return Row(f"a photo of {width * height / 1e6:.0f} MP, from drop to ready", middle(ready), goal, "s", detail)


def _crowded(url: str) -> Row:
    """Let one visitor send 40 large photos at once, and another a small one meanwhile."""
    small, data = picture_bytes("JPEG", "RGB", (1500, 1000)), photo(7000, 5000)
    tab = Tab(url)
    quiet = [_seconds(tab, small) for _ in range(ROUNDS)]
    with ThreadPoolExecutor(CROWD) as threads:
        large = list(threads.map(lambda _: tab.send(data), range(CROWD)))
        busy = [_seconds(Tab(url), small) for _ in range(ROUNDS)]
        begun = time.perf_counter()
        list(threads.map(lambda each: each.reference(), large))
        rest = time.perf_counter() - begun
    delay = max(busy) - statistics.median(quiet)
    detail = f"{max(busy):.2f} s, quiet {statistics.median(quiet):.2f} s; the large ones took {rest:.0f} s more"
    return Row(f"a small picture behind {CROWD} of 35 MP: delay", delay, 1.0, "s", detail)


def _seconds(tab: Tab, data: bytes) -> float:
    begun = time.perf_counter()
    tab.show(data, "small.jpg")
    return time.perf_counter() - begun


def _memory(url: str, app: int) -> Row:
    """Show a baseline JPEG of 108 megapixels; compare the decoder's peak with what it had before."""
    tab = Tab(url)
    tab.show(photo(2100, 2000))
    before = _peak(app)
    width, height = 12_032, 9_024
    tab.show(photo(width, height))
    after = _peak(app)
    return Row(
        "a JPEG of 108 MP: memory of its decoder more", after - before, 400, "MB", f"{before:.0f} to {after:.0f} MB"
    )


def _peak(app: int) -> float:
    """Return the most memory that a decoder of an app ever held, in MB."""
    peaks = []
    for child in psutil.Process(app).children():
        status = dict(line.split(":", 1) for line in Path(f"/proc/{child.pid}/status").read_text().splitlines())
        peaks.append(float(status["VmHWM"].split()[0]) * 1024 / 1e6)
    return max(peaks)
