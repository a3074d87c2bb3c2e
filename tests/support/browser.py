"""A real headless Chromium in front of the app."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

PATIENCE = 60_000
"""Milliseconds for what a page should show: the other core may be busy with a compiler, or with crashes."""
CHROMIUM = next(
    (
        path
        for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    "",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@contextmanager
def open_page(
    browser: Browser, url: str, width: int = 1280, height: int = 720, scheme: str = "light", *, refused: bool = False
) -> Iterator[Page]:
    """Open the app in a fresh browser profile; afterwards, see that it asked no other host and logged no error.

    With `refused`, the test asks for what it may not have, or leaves in the middle: the browser's own words on that are
    no errors then.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector(".stage:not([data-state=starting])")
    page.wait_for_function("document.querySelector('#preflight')?.textContent.trim()")
    yield page
    context.close()
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []
    # What is refused in words, the browser logs too.
    meant: tuple[str, ...] = ("status of 400", "status of 403")
    meant += ("Failed to load resource", "AbortError", "Connection errored out") if refused else ()
    assert [each for each in errors if not any(words in each for words in meant)] == []
