"""The page in a browser: how soon it can be used, what it weighs, whether it jumps, what a run and a photo send to it.

Loopback has no latency and sends at once: what is compared are the browser's and the server's own work, and bytes.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.intake import photo
from bench.serve import Running, serve
from bench.table import Row
from bench.visitors import STUDIO
from core.job import EVERYONE
from core.job_state import JobState
from core.recipe import ImageRef, Model, Recipe
from storage.rows import Done, Figures, Record, ResultRow
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store
from tests.support.browser import CHROMIUM, FLAGS, PATIENCE
from tests.support.fakes import picture_bytes
from tests.support.studio_page import add_reference, prepare, set_number

ROUNDS, SHIFTS = 7, 5
"""Rounds of visits of both pages, and of looks at each size of a window."""
WINDOWS = ((1280, 720), (1920, 1080), (820, 1180), (390, 844))
SETTLE = 1500
"""Milliseconds from a usable page until what it fetches by itself has come."""
STEPS = 20
EARLIER = (0, 1000)
"""Results that are there before a run."""
APP = {"STUDIO_PRELOAD": "0"}
"""The model is no part of what is measured."""

_USABLE = """
  const there = ['#run', '.stage:not([data-state=starting])'];
  const look = () => {
    if (there.every((at) => document.querySelector(at)?.getClientRects().length)) window.usable = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""
"""Notes when Run and the stage are both drawn, in milliseconds from the start of the navigation."""
_SHIFT = """
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shift += each.value;
  }).observe({ type: 'layout-shift', buffered: true });
"""
"""Adds up by how much of the view what is drawn has moved by itself."""
_PICTURE = re.compile(rf"/examples/.+|{STUDIO}/((references|results)/\w+/(view|file)|jobs/\w+/preview/\d+)")


class Traffic:
    """What comes to a tab over the line, heads too.

    Args:
        page: the tab, before it is asked to go anywhere.
    """

    def __init__(self, page: Page) -> None:
        self._paths: dict[str, str] = {}
        self._bytes: dict[str, float] = {}
        line = page.context.new_cdp_session(page)
        line.on("Network.requestWillBeSent", self._asked)
        line.on("Network.dataReceived", self._came)
        line.on("Network.loadingFinished", self._ended)
        line.send("Network.enable")

    def total(self, wanted: Callable[[str], object]) -> float:
        """Return the kilobytes that have come from the paths that are wanted."""
        return sum(size for request, size in self._bytes.items() if wanted(self._paths[request])) / 1000

    def _asked(self, event: dict[str, Any]) -> None:
        url = urlsplit(event["request"]["url"])
        if url.scheme == "http":  # neither data: nor blob:
            self._paths[event["requestId"]] = url.path

    def _came(self, event: dict[str, Any]) -> None:
        """Count a part of an answer; a stream's, which never ends, comes as it is sent."""
        if event["requestId"] in self._paths:
            self._bytes[event["requestId"]] = self._bytes.get(event["requestId"], 0.0) + event["dataLength"]

    def _ended(self, event: dict[str, Any]) -> None:
        """Put what was sent, compressed, in the place of what was made of it."""
        if event["requestId"] in self._paths:
            self._bytes[event["requestId"]] = event["encodedDataLength"]


def measure() -> list[Row]:
    """Return the rows on visits, on a run and on a photo."""
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        with _served("app.py") as app:
            with _served("-m", "bench.bare_page") as bare:
                rows = visits(browser, app, bare)
            rows += [*weight(browser, app), *shifts(browser, app), large_photo(browser, app)]
        return [*rows, *(run(browser, earlier) for earlier in EARLIER)]


@contextmanager
def _served(*command: str, earlier: int = 0) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as folder:
        if earlier:
            fill(Path(folder), earlier)
        with serve(Path(folder), *command, **APP) as running:
            yield running


@contextmanager
def _visitor(browser: Browser, width: int = 1280, height: int = 720, density: float = 1) -> Iterator[BrowserContext]:
    """Yield a fresh profile. Its pages note when they can be used, and how much they jump.

    Args:
        browser: has it.
        width, height: of the window, in CSS pixels.
        density: of the screen, in pixels for a CSS pixel.
    """
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=density)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_USABLE + _SHIFT)
    yield context
    context.close()


def _settled(page: Page, url: str) -> float:
    """Go to a page and let it come to rest; return the milliseconds until it could be used."""
    page.goto(url)
    usable: float = page.wait_for_function("window.usable").json_value()
    page.wait_for_timeout(SETTLE)
    return usable


def visits(browser: Browser, app: Running, bare: Running) -> list[Row]:
    """Visit both pages in turn, with an empty cache and once more; compare the visits of each round."""
    seconds: dict[str, list[list[float]]] = {app.url: [], bare.url: []}
    for _ in range(ROUNDS + 1):
        for url, found in seconds.items():
            with _visitor(browser) as context:
                found.append([])
                for _ in ("first", "second"):
                    page = context.new_page()
                    found[-1].append(_settled(page, url) / 1000)
                    page.close()
    rows = []
    for number, name in enumerate(("first", "second")):
        # The first round fills the servers' caches.
        ours, theirs = ([each[number] for each in seconds[url][1:]] for url in (app.url, bare.url))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        detail = f"{statistics.median(ours):.2f} s / {statistics.median(theirs):.2f} s, medians of {ROUNDS}"
        rows.append(Row(f"{name} visit: usable, over a bare page of the same components", ratio, 1.1, "x", detail))
    return rows


def weight(browser: Browser, app: Running) -> list[Row]:
    """Weigh what a first visit fetches beside the framework's own files."""
    with _visitor(browser) as context:
        page = context.new_page()
        traffic = Traffic(page)
        _settled(page, app.url)
        parts = {
            "the document": traffic.total(lambda path: path in ("/", "/config")),
            "modules, styles and words": traffic.total(lambda path: path.startswith("/web/")),
            "data": traffic.total(lambda path: path in (f"{STUDIO}/specs", f"{STUDIO}/results")),
        }
        examples = traffic.total(lambda path: path.startswith("/examples/"))
        stream = traffic.total(lambda path: path == f"{STUDIO}/events")
    detail = ", ".join(f"{name} {size:.1f}" for name, size in parts.items())
    return [
        Row(
            "first visit: bytes of our own",
            sum(parts.values()),
            120,
            "KB",
            f"{detail}; the stream's {stream:.1f} beside",
        ),
        Row("first visit: example pictures", examples, 40, "KB", "with the heads of their answers"),
    ]


def shifts(browser: Browser, app: Running) -> Iterator[Row]:
    """Yield how much the page jumps while it comes, in windows from a desk's to a phone's."""
    for width, height in WINDOWS:
        found = []
        for _ in range(SHIFTS):
            with _visitor(browser, width, height) as context:
                page = context.new_page()
                page.goto(app.url)
                page.wait_for_selector(".stage:not([data-state=starting])")  # a phone has Run behind a sheet
                page.wait_for_timeout(SETTLE)
                found.append(float(page.evaluate("window.shift")))
        detail = f"median of {SHIFTS}, the worst {max(found):.4f}"
        yield Row(f"layout shift, {width}x{height}", statistics.median(found), 0.05, "", detail)


def large_photo(browser: Browser, app: Running) -> Row:
    """Choose a photo of 24 megapixels; weigh what the server sends back of it."""
    sizes = []
    for density in (1.0, 2.0):
        with _visitor(browser, density=density) as context:
            page = context.new_page()
            traffic = Traffic(page)
            _settled(page, app.url)
            add_reference(page, photo(6000, 4000), "photo.jpg")
            page.wait_for_timeout(2 * SETTLE)
            sizes.append(traffic.total(re.compile(rf"{STUDIO}/references/\w+/view").fullmatch))
    detail = f"1280x720; on a screen of twice the density {sizes[1]:.0f} KB"
    return Row("a photo of 24 MP: pictures of it that come back", sizes[0], 600, "KB", detail)


def run(browser: Browser, earlier: int) -> Row:
    """Run once, the model's loading too; weigh what comes to the tab until the result is there.

    Args:
        browser: has the tab.
        earlier: results that are there before.
    """
    with _served("app.py", earlier=earlier) as app, _visitor(browser) as context:
        page = context.new_page()
        traffic = Traffic(page)
        _settled(page, app.url)
        prepare(page, (768, 512), STEPS)
        set_number(page, "strength", 1)  # so that every step is computed
        page.wait_for_timeout(SETTLE)
        before = traffic.total(_no_picture), traffic.total(_events)
        page.click("#run")
        page.wait_for_selector(".stage[data-state=running]")
        page.wait_for_selector(".stage[data-state=done]")
        page.wait_for_timeout(SETTLE)
        came, stream = traffic.total(_no_picture) - before[0], traffic.total(_events) - before[1]
    name = f"a run of {STEPS} steps after {earlier} results: what comes beside pictures"
    return Row(name, came, 60, "KB", f"{stream:.1f} of them by the stream")


def _no_picture(path: str) -> bool:
    return _PICTURE.fullmatch(path) is None


def _events(path: str) -> bool:
    return path == f"{STUDIO}/events"


def fill(folder: Path, count: int) -> None:
    """Write results into a fresh data folder, all of one picture.

    Args:
        folder: of the data.
        count: of results.
    """
    store = Store(folder)
    data = picture_bytes("PNG", "RGB", (512, 384))
    file = store.images.put(data, "image/png")
    image = ImageRef(digest=file.stem, mime="image/png", width=512, height=384, size=len(data))
    row = ResultRow(place=0, seed=7, digest=file.stem, mime="image/png", width=512, height=384, bytes=len(data))
    for number in range(count):
        job, begun = f"{number:032x}", time.time() - 60 * (count - number)
        recipe = Recipe(
            backend="local",
            model=Model(id="mini"),
            prompt=f"lake number {number}",
            params={"strength": 0.6, "guidance_scale": 3.5, "num_inference_steps": STEPS},
            seed=7,
            seeds=(7,),
            reference=image,
        )
        text = recipe.model_dump_json()
        record = Record(id=job, owner=EVERYONE, backend="local", created=begun, recipe=text, remote="[null]")
        store.add(record, Kept(file.name, len(data)))
        report = '{"timings": {"total": 9.0}, "notices": []}'
        ended = store.end(
            job, JobState.DONE, begun + 9, cost=0.0, done=Done(report, text, "mini", None, [row], recipe.prompt)
        )
        store.measured({each: Figures(1.0, 0.0, 1.0, '{"palette": []}') for each in ended})
    store.close()
