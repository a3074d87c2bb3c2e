"""The API tab: examples with this app's own address, copied with one click."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.live_app import Served

pytestmark = pytest.mark.integration


def test_the_examples_carry_this_apps_address(page: Page, app: Served) -> None:
    assert not page.locator("#api").is_visible()
    page.click("#api-tab")
    shown = page.locator("#api pre:visible")
    expect(shown).to_have_count(3)
    assert f"{app.url}/v1/images/generations" in shown.nth(0).inner_text()
    assert "127.0.0.1:7860" not in page.locator("#api").inner_text()
    assert not page.locator("#studio").is_visible()
    page.click("#studio-tab")
    assert page.locator("#studio").is_visible()
    assert not page.locator("#api").is_visible()


def test_examples_that_did_not_come_are_fetched_by_choosing_the_tab_again(browser: Browser, app: Served) -> None:
    with open_page(browser, app.url, refused=True) as page:
        page.route("**/api.html", lambda route: route.abort(), times=1)
        page.click("#api-tab")
        expect(page.locator("#api")).to_have_text("The connection was lost. Choose the tab again.")
        page.click("#api-tab")
        expect(page.locator("#api pre:visible")).to_have_count(3)


def test_a_language_is_chosen_and_copied(page: Page, app: Served) -> None:
    page.click("#api-tab")
    section = page.locator("#api section").nth(2)
    section.get_by_role("button", name="Python").click()
    assert section.locator("pre:visible").get_attribute("data-language") == "python"
    page.evaluate("window.setTimeout = () => 0")  # "Copied" stands for a second and a half
    section.get_by_role("button", name="Copy").click()
    section.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == section.locator("pre:visible").text_content()
    assert f'API = "{app.url}/api/v3"' in copied


def test_digits_lead_out_of_the_tab_and_other_keys_do_nothing_there(page: Page) -> None:
    page.click("#api-tab")
    page.keyboard.press("f")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#api")).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator("#studio")).to_be_visible()
    page.click("#api-tab")
    page.keyboard.press("3")
    expect(page.locator(".lib")).to_be_visible()


def test_the_tabs_work_with_arrow_keys(page: Page) -> None:
    page.focus("#studio-tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#explore-tab")).to_be_focused()
    assert page.get_attribute("#explore-tab", "aria-selected") == "true"
    page.keyboard.press("ArrowRight")
    expect(page.locator("#library-tab")).to_be_focused()
    assert page.get_attribute("#library-tab", "aria-selected") == "true"
    page.keyboard.press("ArrowRight")
    expect(page.locator("#compare-tab")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#api section").first).to_be_visible()
    assert page.get_attribute("#api-tab", "aria-selected") == "true"


@pytest.mark.parametrize("name", ["aimlapi", "wavespeed"])
def test_the_reference_is_drawn_without_another_host(browser: Browser, app: Served, name: str) -> None:
    with open_page(browser, app.url, refused=True) as page:
        page.goto(f"{app.url}/docs/{name}")
        page.wait_for_selector(".opblock")
        assert page.locator(".opblock-summary-path").first.inner_text()
