"""A real headless Chromium in front of the app."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page

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


def new_visitor(browser: Browser) -> BrowserContext:
    """Return a profile without a page and without a cookie.

    One that a page was closed in still knows the scripts, as they were compiled: to read them again takes half of the
    time in which a page is there. One whose test failed keeps its page, and is not used again.
    """
    for context in browser.contexts:
        if not context.pages:
            context.clear_cookies()
            return context
    return browser.new_context(permissions=["clipboard-read", "clipboard-write"])


def forget(page: Page, url: str) -> None:
    """Forget what an earlier visitor's page wrote to the browser's storage at an address."""
    devtools = page.context.new_cdp_session(page)
    kinds = "local_storage,indexeddb,cache_storage,service_workers,file_systems"
    devtools.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": kinds})
    devtools.detach()


@contextmanager
def open_page(
    browser: Browser, url: str, width: int = 1280, height: int = 720, scheme: str = "light", *, refused: bool = False
) -> Iterator[Page]:
    """Open the app as a new visitor; afterwards, see that it asked no other host and logged no error.

    With `refused`, the test asks for what it may not have, or leaves in the middle: the browser's own words on that are
    no errors then.
    """
    context = new_visitor(browser)
    page = context.new_page()
    forget(page, url)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
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
    for each in context.pages:
        each.close()
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []
    # What is refused in words, the browser logs too.
    meant: tuple[str, ...] = ("status of 400", "status of 403")
    meant += ("Failed to load resource", "AbortError", "Connection errored out") if refused else ()
    assert [each for each in errors if not any(words in each for words in meant)] == []
