"""A page that was open while the app restarted goes on by itself: the reference, the prompt and Run still work."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import free_port, serve

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("mode", "kill"), [({"ALONE": "1"}, True), ({}, False)], ids=["local crash", "public restart"])
def test_a_click_after_the_restart_runs(browser: Browser, tmp_path: Path, mode: dict[str, str], kill: bool) -> None:
    port = str(free_port())
    with ExitStack() as page_open:
        with serve(tmp_path, "-m", "tests.support.fake_app", kill=kill, GRADIO_SERVER_PORT=port, **mode) as app:
            # The line is lost on purpose: what the browser says of that is no error.
            page = page_open.enter_context(open_page(browser, app.url, refused=True))
            page.evaluate("window.mark = 'the same page'")
            picture = {"name": "photo.png", "mimeType": "image/png", "buffer": picture_bytes()}
            page.set_input_files("#reference input[type=file]", picture)  # type: ignore[arg-type]
            expect(page.locator(".reference-box[data-reading=false] img")).to_have_count(1)
            page.fill("#prompt textarea", "a lake that took long to describe")
            page.wait_for_function("!document.querySelector('#preflight').textContent.includes('Add a reference')")
        with serve(tmp_path, "-m", "tests.support.fake_app", GRADIO_SERVER_PORT=port, **mode):
            page.click("#run")
            expect(page.locator(".stage")).to_have_attribute("data-state", "done")
            assert page.evaluate("window.mark") == "the same page"
            assert page.input_value("#prompt textarea") == "a lake that took long to describe"
