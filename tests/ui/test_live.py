"""Live: a draft follows the dials, the newest replaces the older, nothing is recorded, and Run makes the picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.live_trace import TRACE
from tests.support.studio_page import RESULT, THUMBS, add_reference, set_number, wait_until_ready

pytestmark = pytest.mark.integration

SWITCH = "[data-act=live]"
DRAFT = ".stage img.preview"


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    """A page with a picture and a prompt, live switched on and its first draft there."""
    # A draft that is replaced is refused, and the browser notes that.
    with open_page(browser, fakes.url, refused=True) as opened:
        add_reference(opened, picture_bytes("PNG", "RGB", (240, 160)))
        opened.fill("#prompt textarea", "a quiet lake")
        opened.click(SWITCH)
        expect(opened.locator(DRAFT)).to_have_attribute("alt", "Draft")
        yield opened


def test_a_draft_follows_the_dials_and_nothing_is_recorded(page: Page) -> None:
    before = page.get_attribute(DRAFT, "src")
    set_number(page, "strength", 0.4)
    page.wait_for_function("(before) => document.querySelector('.stage img.preview')?.src !== before", arg=before)
    expect(page.locator(THUMBS)).to_have_count(0)
    page.reload()
    wait_until_ready(page)
    expect(page.locator(THUMBS)).to_have_count(0)
    expect(page.locator("#library-tab")).not_to_contain_text("1")


def test_of_many_movements_the_last_is_on_the_stage_and_none_is_painted_after_a_newer(page: Page) -> None:
    page.evaluate(TRACE)
    page.locator("#param-strength input[type=range]").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "painted.at(-1).strength === Number(document.querySelector('#param-strength input[type=number]').value)"
    )
    painted = [each["strength"] for each in page.evaluate("painted")]
    assert painted == sorted(painted, reverse=True)
    assert set(painted) <= {each["strength"] for each in page.evaluate("asked")}


def test_run_makes_the_picture_and_the_next_change_a_draft_again(page: Page) -> None:
    page.click("#run")
    page.wait_for_selector(RESULT)
    expect(page.locator(DRAFT)).to_have_count(0)
    set_number(page, "strength", 0.5)
    expect(page.locator(DRAFT)).to_have_count(1)
    page.click(SWITCH)
    expect(page.locator(DRAFT)).to_have_count(0)
    expect(page.locator(RESULT)).to_be_visible()


def test_a_backend_that_costs_offers_no_drafts(page: Page) -> None:
    page.locator("#backend input").click()
    page.get_by_role("option", name="Other").click()
    expect(page.locator(SWITCH)).to_have_count(0)
