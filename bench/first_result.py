"""From starting the app with nothing configured to the first result, with and without loading the model in advance.

The two take turns in one run, so that a busy moment of the machine meets both.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from gradio_client import Client, handle_file
from playwright.sync_api import Browser, sync_playwright

from bench.serve import ROOT, serve
from bench.table import Row
from tests.support.browser import CHROMIUM, FLAGS
from ui.examples import EXAMPLES

ROUNDS = 3
LATER = 10.0
"""Seconds after which somebody who opened the page clicks on Run."""


def measure() -> list[Row]:
    """Start in empty folders; run examples with their settings, by the API and by a click on the page."""
    results: dict[str, list[float]] = {"0": [], "1": []}
    usable: dict[str, list[float]] = {"0": [], "1": []}
    clicks: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for number in range(ROUNDS):
            for preload in ("0", "1"):
                results[preload].append(first_result(EXAMPLES[number % len(EXAMPLES)].file, preload))
                opened, clicked = from_the_page(browser, preload)
                usable[preload].append(opened)
                if preload == "1":
                    clicks.append(clicked)
        browser.close()
    first, without = statistics.median(results["1"]), statistics.median(results["0"])
    page, page_without = statistics.median(usable["1"]), statistics.median(usable["0"])
    return [
        Row("start to first result", first, 15, "s", f"median of {ROUNDS}"),
        Row(
            "start to first result, over one without the preload",
            first / without,
            1.0,
            "x",
            f"{first:.1f} / {without:.1f} s",
        ),
        Row(
            "start to a usable page, over one without the preload",
            page / page_without,
            1.1,
            "x",
            f"{page:.1f} / {page_without:.1f} s",
        ),
        Row(f"click {LATER:.0f} s after the page opened, to its result", max(clicks), 5, "s", f"slowest of {ROUNDS}"),
    ]


def first_result(file: str, preload: str) -> float:
    """Return the seconds from starting the app to the result of an example's call, sent as soon as it answers."""
    example = next(each for each in EXAMPLES if each.file == file)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with serve(Path(folder), "app.py", STUDIO_PRELOAD=preload) as app:
            client = Client(app.url, verbose=False, download_files=folder)
            path = ROOT / "assets" / "examples" / file
            client.predict(handle_file(path), example.prompt, api_name="/edit", **example.settings)
            seconds = time.perf_counter() - begun
            client.close()
    return seconds


def from_the_page(browser: Browser, preload: str) -> tuple[float, float]:
    """Return the seconds from starting the app to a usable page, and from a click on Run later to its result."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with serve(Path(folder), "app.py", STUDIO_PRELOAD=preload) as app:
            page = browser.new_page()
            page.set_default_timeout(120_000)
            page.goto(app.url)
            page.locator(".stage .card").first.click()
            page.wait_for_selector(".stage img.reference")
            usable = time.perf_counter() - begun
            page.wait_for_timeout(1000 * LATER)
            clicked = time.perf_counter()
            page.click("#run")
            page.wait_for_selector(".stage[data-state=done]")
            seconds = time.perf_counter() - clicked
            page.close()
    return usable, seconds
