"""On ZeroGPU, where the visitor's quota of GPU time comes with gradio's own requests alone, Run is such a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import serve
from tests.support.studio_page import RESULT, THUMBS, add_reference, message, start

pytestmark = pytest.mark.integration


def test_run_goes_through_an_event_of_gradios_and_begins_one_job(browser: Browser, tmp_path: Path) -> None:
    with (
        serve(tmp_path, "-m", "tests.support.fake_app", SPACES_ZERO_GPU="true") as app,
        open_page(browser, app.url) as page,
    ):
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        with page.expect_request(lambda each: "queue/join" in each.url) as joined:
            start(page, "good")
        page.wait_for_selector(RESULT)
        expect(page.locator(THUMBS)).to_have_count(1)
        page.reload()
        expect(page.locator(THUMBS)).to_have_count(1)
        assert '"once"' in (joined.value.post_data or "")
        start(page, "fail")
        assert "The provider broke" in message(page)
