"""The library in a browser: how soon it is there, how it scrolls, how soon a search shows its pictures.

Scrolling is driven by the page's own frames: each moves the list by as many pixels. What scripts do in a frame is the
browser's own figure, from its trace; frames are compared with those of a page without code that has the same pictures.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack

from playwright.sync_api import Browser, Page, sync_playwright

from bench.frames import SCRIPT, percentile, work_by_frame
from bench.table import Row
from bench.visitors import STUDIO
from tests.support.browser import CHROMIUM, FLAGS, PATIENCE

ROUNDS = 5
"""Visits of the library, and words that are typed."""
SETTLE = 1500
PICTURES = 20_000
SLOW, FAST = 40, 400
"""Pixels that a frame moves the list by."""
FRAMES = 600
"""Frames of a run at each speed."""
TYPED = ("lake", "harb", "neon", "wint", "mini")
SCREEN, COLUMNS, ROW_HEIGHT = 15, 5, 186
"""Pictures of the first screen at 1280x720, those side by side, and the pixels from one row to the next."""

_OPEN = """
  () => new Promise((resolve) => {
    const begun = performance.now();
    document.querySelector('#library-tab').click();
    const look = () => {
      const there = document.querySelectorAll('.lib-row:not([hidden]) .lib-cell.ready').length;
      if (there >= %d) resolve(performance.now() - begun);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })
"""
_SCROLL = """
  async ([selector, step, frames, top]) => {
    const box = document.querySelector(selector);
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    box.scrollTop = top;
    await new Promise((next) => setTimeout(next, 1000));
    const found = [];
    let last = await frame();
    for (let number = 0; number < frames; number += 1) {
      box.scrollTop += step;
      const now = await frame();
      found.push(now - last);
      last = now;
    }
    return found;
  }
"""
_TYPE = """
  ([text]) => new Promise((resolve) => {
    const box = document.querySelector('.lib-search');
    const count = document.querySelector('.lib-count');
    const before = count.textContent;
    const begun = performance.now();
    box.value = text;
    box.dispatchEvent(new Event('input', { bubbles: true }));
    const look = () => {
      const cells = [...document.querySelectorAll('.lib-row:not([hidden]) .lib-cell.ready')];
      const there = count.textContent !== before && cells.some((cell) => cell.place === 0);
      if (there) resolve(performance.now() - begun);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })
"""
_BARE = """
  <!doctype html><meta charset="utf-8"><style>
    body { margin: 0 }
    main { height: 100vh; width: 960px; overflow: hidden scroll; margin-left: 320px }
    img { width: 178px; height: 178px; margin: 0 8px 8px 0; object-fit: contain; content-visibility: auto; float: left }
  </style><main>%s</main>
"""


def browser_rows(url: str) -> Iterator[Row]:
    """Yield the rows on the library in a browser.

    Args:
        url: of an app with a library of 100,000 results.
    """
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        )
        stack.callback(browser.close)
        yield first_screen(browser, url)
        yield from scrolling(browser, url)
        yield search(browser, url)


def _page(browser: Browser, url: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".stage:not([data-state=starting])")
    page.wait_for_timeout(SETTLE)
    return page


def _opened(browser: Browser, url: str) -> tuple[Page, float]:
    page = _page(browser, url)
    return page, float(page.evaluate(_OPEN % SCREEN))


def first_screen(browser: Browser, url: str) -> Row:
    """Open the library in fresh profiles; the first one lets the server compress the modules."""
    times = []
    for _ in range(ROUNDS + 1):
        page, milliseconds = _opened(browser, url)
        times.append(milliseconds)
        page.context.close()
    return Row(
        "library: its first screen, after the click",
        statistics.median(times[1:]),
        400,
        "ms",
        f"median of {ROUNDS}, the worst {max(times[1:]):.0f}, and {times[0]:.0f} the server's first",
    )


def scrolling(browser: Browser, url: str) -> Iterator[Row]:
    """Scroll through many pictures, slowly and fast; compare the fast one with a page without code."""
    page, _ = _opened(browser, url)
    page.evaluate("gc()")
    before = float(page.evaluate("performance.memory.usedJSHeapSize"))
    slow = _scrolled(page, ".lib-scroll", SLOW, 0)
    fast = list[float]()
    for top in range(0, PICTURES // COLUMNS * ROW_HEIGHT, FAST * FRAMES):
        fast += _scrolled(page, ".lib-scroll", FAST, top)
    page.evaluate("gc()")
    after = float(page.evaluate("performance.memory.usedJSHeapSize"))
    scripts = {step: _scripts(browser, page, step) for step in (SLOW, FAST)}
    page.context.close()
    bare = _bare(browser, url)
    name = "library: scrolling at 1280x720"
    longest = max(each for step in scripts for each in scripts[step])
    yield Row(f"{name}: the longest task of ours", longest, 50, "ms", "script and what it makes the browser do at once")
    for step, goal in ((SLOW, 8), (FAST, 16)):
        p99 = percentile(scripts[step], 99)
        detail = f"{len(scripts[step])} frames, their mean {statistics.fmean(scripts[step]):.1f}"
        yield Row(f"{name}, {step} px a frame: script in a frame, 99 of 100", p99, goal, "ms", detail)
    late = 100 * sum(each > 50 for each in slow) / len(slow)
    yield Row(
        f"{name}, {SLOW} px a frame: frames over 50 ms", late, 5, "%", f"of {len(slow)}, the worst {max(slow):.0f} ms"
    )
    ours, theirs = statistics.fmean(fast), statistics.fmean(bare)
    detail = f"mean of a frame {ours:.1f} ms / {theirs:.1f} ms"
    yield Row(f"{name}, {FAST} px a frame: over a page without code", ours / theirs, 1.3, "x", detail)
    detail = f"{before / 1e6:.1f} MB, then {after / 1e6:.1f} MB after {PICTURES} pictures"
    yield Row(f"{name}: growth of the scripts' memory", (after - before) / 1e6, 10, "MB", detail)


def _scrolled(page: Page, selector: str, step: int, top: int) -> list[float]:
    """Return the milliseconds of each frame."""
    found: list[float] = page.evaluate(_SCROLL, [selector, step, FRAMES, top])
    return found


def _scripts(browser: Browser, page: Page, step: int) -> list[float]:
    """Scroll once more, traced; return the milliseconds of a core that scripts take in each frame."""
    return work_by_frame(browser, page, lambda: _scrolled(page, ".lib-scroll", step, 0), SCRIPT)


def _bare(browser: Browser, url: str) -> list[float]:
    """Scroll a page without code that has as many of the same pictures as are passed."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url)
    ids = page.evaluate(
        """async (base) => {
          const ids = [];
          for (let cursor = ''; ids.length < 7000;) {
            const page = await (await fetch(`${base}/results?limit=200${cursor && `&cursor=${cursor}`}`)).json();
            ids.push(...page.results.map((each) => each.id));
            cursor = page.next;
          }
          return ids;
        }""",
        STUDIO.lstrip("/"),
    )
    pictures = "".join(f'<img loading="lazy" src="{url}{STUDIO}/results/{each}/view?width=256">' for each in ids)
    html = _BARE % pictures
    page.route("**/bare.html", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{url}/bare.html")
    page.wait_for_timeout(SETTLE)
    found = _scrolled(page, "main", FAST, 0)
    context.close()
    return found


def search(browser: Browser, url: str) -> Row:
    """Type words, each as its last key would find it, until the first picture of the answer is there."""
    page, _ = _opened(browser, url)
    times = []
    for _ in range(2):
        for text in TYPED:
            page.wait_for_timeout(400)
            times.append(float(page.evaluate(_TYPE, [text])))
    page.context.close()
    ours = times[len(TYPED) :]
    first = statistics.median(times[: len(TYPED)])
    detail = f"median of {len(ours)}, the worst {max(ours):.0f}; pictures seen for the first time {first:.0f}"
    return Row("library: a key of the search until its first picture", statistics.median(ours), 150, "ms", detail)
