"""axe-core finds nothing against the page: in both themes, at the four sizes, in every state and over it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import violations
from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import add_reference

pytestmark = pytest.mark.integration

SIZES = [(1280, 720), (1920, 1080), (820, 1180), (390, 844)]


def end(page: Page, prompt: str, state: str) -> None:
    upright = page.viewport_size is not None and page.viewport_size["width"] < 1000
    if upright:
        page.click("#sheet-button")
    page.fill("#prompt textarea", prompt)
    page.click("#run")
    expect(page.locator(f".stage[data-state={state}]")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_axe_finds_nothing(browser: Browser, fakes: Served, scheme: str, width: int, height: int) -> None:
    with open_page(browser, fakes.url, width, height, scheme) as page:
        assert not violations(page), "empty"
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        assert not violations(page), "with a reference"
        end(page, "a lake", "done")
        assert not violations(page), "done"
        end(page, "fail", "failed")
        assert not violations(page), "failed"
        page.locator(".stage .strip button.thumb.result").first.click()
        page.keyboard.press("f")
        expect(page.locator("dialog.full")).to_be_visible()
        assert not violations(page), "full view"
        page.keyboard.press("Escape")
        page.click("#help-button")
        assert not violations(page), "help"
        page.keyboard.press("Escape")
        page.click("#library-tab")
        page.wait_for_selector(".lib-cell.ready")
        assert not violations(page), "library"
        page.keyboard.press("Control+a")
        expect(page.locator(".lib-actions")).to_be_visible()
        assert not violations(page), "selection"
        page.keyboard.press("Escape")
        page.click(".lib-filters")
        assert not violations(page), "filters"
        page.keyboard.press("Escape")
        page.locator(".lib-cell.ready").first.click()
        expect(page.locator(".lib-panel h2")).to_be_visible()
        assert not violations(page), "detail"
        page.click("#api-tab")
        page.wait_for_selector("#api section")
        assert not violations(page), "API"


def test_single_keys_can_be_switched_off_and_all_others_stay(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as page:
        page.click("#help-button")
        page.get_by_label("Single letters and digits are shortcuts").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("3")
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        page.fill("#prompt textarea", "good")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".stage[data-state=done]")).to_be_visible()
        page.locator("#help-button").focus()
        page.keyboard.press("f")
        expect(page.locator("dialog.full")).to_have_count(0)
        page.reload()
        page.click("#help-button")
        box = page.get_by_label("Single letters and digits are shortcuts")
        expect(box).not_to_be_checked()
        box.check()
        page.keyboard.press("Escape")
        page.keyboard.press("3")
        expect(page.locator(".lib")).to_be_visible()


def test_run_is_reached_in_at_most_twelve_tabs_from_the_prompt_and_focus_never_falls_to_the_body(
    browser: Browser, fakes: Served
) -> None:
    with open_page(browser, fakes.url) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        page.focus("#prompt textarea")
        for _ in range(12):
            page.keyboard.press("Tab")
            focused = page.evaluate("document.activeElement.closest('#run') !== null")
            assert page.evaluate("document.activeElement !== document.body")
            if focused:
                break
        assert focused, "not within twelve"
