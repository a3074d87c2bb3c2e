"""What a page's main thread does in each frame, from the browser's trace."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection

from playwright.sync_api import Browser, Page

SCRIPT = frozenset({"FunctionCall", "EvaluateScript", "RunMicrotasks", "MinorGC", "MajorGC"})
"""What the trace calls the work of scripts."""
STYLE = frozenset({"UpdateLayoutTree", "Layout"})
"""What it calls the work of styles and layout."""
GAP = 4000
"""Microseconds from a frame's last callback to the first of the next, at least."""


def work_by_frame(browser: Browser, page: Page, act: Callable[[], object], kinds: Collection[str]) -> list[float]:
    """Return the milliseconds of a core that some kinds of work take in each frame.

    Args:
        browser: has the page; it traces.
        page: whose frames are looked at.
        act: makes the page draw frame after frame.
        kinds: of work, by the trace's names.
    """
    browser.start_tracing(page=page, categories=["devtools.timeline", "v8"])
    act()
    events = [each for each in json.loads(browser.stop_tracing())["traceEvents"] if "ts" in each]
    threads = Counter((each["pid"], each["tid"]) for each in events if each["name"] == "FireAnimationFrame")
    main = threads.most_common(1)[0][0]
    events = sorted((each for each in events if (each["pid"], each["tid"]) == main), key=lambda each: each["ts"])
    fired = [each["ts"] for each in events if each["name"] == "FireAnimationFrame"]
    # Several callbacks fire in a frame, one right after the other.
    frames = [each for each, before in zip(fired, [0, *fired], strict=False) if each - before > GAP]
    spent = [0.0] * len(frames)
    end = 0.0
    for each in events:
        if each["name"] not in kinds or each["ts"] < end:
            continue  # another one holds it
        end = each["ts"] + each.get("dur", 0)
        at = bisect_right(frames, each["ts"]) - 1
        if at >= 0:
            spent[at] += each.get("tdur", 0) / 1000
    return spent


def percentile(values: list[float], share: int) -> float:
    """Return the value that so many of a hundred do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]
