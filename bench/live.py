"""Live on mini in a browser: how soon the draft of a dial's last movement is there, and in which order drafts come."""

from __future__ import annotations

import itertools
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.serve import serve
from bench.table import Row
from tests.support.browser import CHROMIUM, FLAGS, PATIENCE
from tests.support.fakes import picture_bytes
from tests.support.live_trace import TRACE
from tests.support.studio_page import add_reference, wait_until_ready

SIZE = (1280, 960)
SINGLE = 7
"""Movements, each of which is waited for."""
MOVES, BETWEEN = 20, 250
"""Movements that follow each other, and the milliseconds between them."""
SLIDER = "#param-strength input[type=range]"
NEWEST = "() => painted.at(-1)?.strength === Number(document.querySelector('#param-strength input[type=number]').value)"


def measure() -> list[Row]:
    """Return the rows on drafts that follow the dials."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), "app.py") as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(app.url)
        wait_until_ready(page)
        add_reference(page, picture_bytes("PNG", "RGB", SIZE))
        page.fill("#prompt textarea", "a quiet lake")
        page.click("[data-act=live]")
        page.wait_for_selector(".stage img.preview")  # the model is loaded
        page.evaluate(TRACE)
        single, many = _single(page), _many(page)
        stored = page.request.get(f"{app.url}/studio/v1/results").json()["total"]
        browser.close()
    return [
        Row(
            "live: from a movement of a dial to its draft",
            statistics.median(single) / 1000,
            0.7,
            "s",
            f"median of {len(single)}, the worst {max(single) / 1000:.2f}",
        ),
        *_rows(many, stored),
    ]


def _single(page: Page) -> list[float]:
    """Return the milliseconds from each movement to its draft."""
    found = []
    page.locator(SLIDER).focus()
    for _ in range(SINGLE):
        moved = _move(page)
        page.wait_for_function(NEWEST)
        found.append(float(page.evaluate("painted.at(-1).at")) - moved)
    return found


def _many(page: Page) -> dict[str, Any]:
    """Move the dial many times, and return what was asked for, painted, and when the last movement was."""
    page.evaluate("asked.length = painted.length = 0")
    moved = 0.0
    for _ in range(MOVES):
        moved = _move(page)
        page.wait_for_timeout(BETWEEN)
    page.wait_for_function(NEWEST)
    return {"painted": page.evaluate("painted"), "moved": moved}


def _move(page: Page) -> float:
    """Move the dial by a step; return when, on the page's clock."""
    moved = float(page.evaluate("performance.now()"))
    page.keyboard.press("ArrowLeft")
    return moved


def _rows(many: dict[str, Any], stored: int) -> list[Row]:
    strengths = [each["strength"] for each in many["painted"]]
    older = sum(later > earlier for earlier, later in itertools.pairwise(strengths))
    last = (many["painted"][-1]["at"] - many["moved"]) / 1000
    detail = f"{len(strengths)} drafts of {MOVES} movements in {MOVES * BETWEEN / 1000:g} s"
    return [
        Row("live: from the last of many movements to its draft", last, 0.7, "s", detail),
        Row("live: drafts painted after a newer one", older, 0, "drafts", detail),
        Row("live: results that were stored", stored, 0, "results", "after all of them"),
    ]
