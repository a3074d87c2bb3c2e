"""Compare in a browser: what zoom and pan over nine large pictures take in a frame, and how many frames come.

Both pages are driven by their own frames, each of which zooms or pans a little. The other one has nine `<img>` of the
same files in the same places, and code that sets their transform.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.frames import SCRIPT, STYLE, percentile, work_by_frame
from bench.serve import serve
from bench.table import Row
from bench.visitors import STUDIO
from tests.support.browser import CHROMIUM, FLAGS, PATIENCE
from tests.support.compared import fill

COUNT, SIZE = 9, (2368, 1776)
WIDTH, HEIGHT = 1280, 720
FRAMES = 120
"""Frames that zoom in, as many that pan, and as many that zoom out again."""
ROUNDS = 3
"""Turns of both pages."""
SETTLE = 1500
APP = {"STUDIO_PRELOAD": "0"}
"""The model is no part of what is measured."""

_DRIVE = """
  async (frames) => {
    const box = document.querySelector('.cmp-frame');
    const { left, top, width, height } = box.getBoundingClientRect();
    const at = { clientX: left + width / 3, clientY: top + height / 3, bubbles: true, cancelable: true };
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    const zoom = (deltaY) => box.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY }));
    const pressed = { bubbles: true, cancelable: true };
    const key = (name) => box.dispatchEvent(new KeyboardEvent('keydown', { ...pressed, key: name }));
    const found = [];
    let last = await frame();
    for (let number = 0; number < 3 * frames; number += 1) {
      if (number < frames) zoom(-12);
      else if (number < 2 * frames) key(number % 20 < 10 ? 'ArrowRight' : 'ArrowDown');
      else zoom(12);
      const now = await frame();
      found.push(now - last);
      last = now;
    }
    return found;
  }
"""
_BARE = """
  <!doctype html><meta charset="utf-8"><style>
    body { margin: 0 }
    main { display: grid; grid-template-columns: repeat(%d, %dpx); gap: 8px; margin-left: 320px }
    div { height: %dpx; overflow: hidden }
    img { width: 100%%; height: 100%%; object-fit: contain }
  </style><main>%s</main>
"""
_DRIVE_BARE = """
  async (frames) => {
    const images = [...document.querySelectorAll('img')];
    await Promise.all(images.map((each) => each.decode()));
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    const found = [];
    let [scale, x, y, last] = [1, 0, 0, await frame()];
    for (let number = 0; number < 3 * frames; number += 1) {
      if (number < frames) scale *= Math.exp(12 / 400);
      else if (number < 2 * frames) {
        if (number % 20 < 10) x -= 64;
        else y -= 64;
      } else scale /= Math.exp(12 / 400);
      const most = 100 * (scale - 1);
      [x, y] = [Math.max(-most, x), Math.max(-most, y)];
      for (const each of images) each.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
      const now = await frame();
      found.push(now - last);
      last = now;
    }
    return found;
  }
"""


def measure() -> list[Row]:
    """Return the rows on zoom and pan."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ids = fill(Path(folder), COUNT, SIZE, "street.jpg")
        app = stack.enter_context(serve(Path(folder), "app.py", **APP))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.callback(browser.close)
        return rows(browser, app.url, ids)


def rows(browser: Browser, url: str, ids: list[int]) -> list[Row]:
    """Drive both pages in turn, then trace ours.

    Args:
        browser: has both pages.
        url: of the app.
        ids: of the results that are compared.
    """
    ours, theirs = list[list[float]](), list[list[float]]()
    for _ in range(ROUNDS):
        page, bare = _compared(browser, url, ids), _bare(browser, url, ids)
        for each, found, drive in ((page, ours, _DRIVE), (bare, theirs, _DRIVE_BARE)):
            each.bring_to_front()
            found.append(each.evaluate(drive, FRAMES))
            each.context.close()
    page = _compared(browser, url, ids)
    spent = work_by_frame(browser, page, lambda: page.evaluate(_DRIVE, FRAMES), SCRIPT | STYLE)
    page.context.close()
    rates = [1000 / statistics.fmean(each) for each in ours]
    bare_rates = [1000 / statistics.fmean(each) for each in theirs]
    ratio = statistics.median(a / b for a, b in zip(rates, bare_rates, strict=True))
    name = f"compare: zoom and pan over {COUNT} pictures of {SIZE[0] * SIZE[1] / 1e6:.1f} MP"
    detail = f"{len(spent)} frames, their mean {statistics.fmean(spent):.1f}, the worst {max(spent):.1f}"
    rate = f"{ratio:.2f} of its frames: {statistics.median(rates):.0f} / {statistics.median(bare_rates):.0f} a second"
    return [
        Row(f"{name}: script, style and layout in a frame, 99 of 100", percentile(spent, 99), 8, "ms", detail),
        Row(f"{name}: a frame over that of a bare page", 1 / ratio, 1 / 0.9, "x", f"{rate}, medians of {ROUNDS}"),
    ]


def _page(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(PATIENCE)
    return context.new_page()


def _compared(browser: Browser, url: str, ids: list[int]) -> Page:
    page = _page(browser)
    page.goto(f"{url}/#compare?picked={'.'.join(map(str, ids))}&how=grid.alone")
    page.wait_for_function(
        "(count) => { const all = [...document.querySelectorAll('img.cmp-picture')];"
        " return all.length === count && all.every((each) => each.naturalWidth && !each.style.backgroundImage); }",
        arg=COUNT,
    )
    page.wait_for_timeout(SETTLE)
    return page


def _bare(browser: Browser, url: str, ids: list[int]) -> Page:
    """Return a page of the same pictures in frames that are as large and in the same places."""
    shape = _compared(browser, url, ids)
    columns = int(str(shape.eval_on_selector(".cmp-stage", "(each) => each.style.getPropertyValue('--columns')")))
    box = shape.locator(".cmp-frame").first.bounding_box()
    shape.context.close()
    assert box
    page = _page(browser)
    pictures = "".join(f'<div><img src="{url}{STUDIO}/results/{each}/file"></div>' for each in ids)
    html = _BARE % (columns, box["width"], box["height"], pictures)
    page.route("**/bare.html", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{url}/bare.html")
    page.wait_for_timeout(SETTLE)
    return page
