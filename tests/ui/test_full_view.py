"""The full view: one picture as large as the window, and through it the whole strip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import RESULT, THUMBS, add_reference, start

pytestmark = pytest.mark.integration

FULL = "dialog.full"
FACTS = f"{FULL} .full-facts"
SCALE = "() => new DOMMatrix(getComputedStyle(document.querySelector('dialog.full .full-picture img')).transform).a"


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    """A page with the results of three runs, the newest on the stage."""
    with open_page(browser, fakes.url) as opened:
        add_reference(opened, picture_bytes("PNG", "RGB", (1600, 1200)))
        for count, prompt in enumerate(("first", "second", "third"), start=1):
            start(opened, prompt)
            expect(opened.locator(THUMBS)).to_have_count(count)
            expect(opened.locator(".stage .made-of q")).to_have_text(prompt)
        yield opened


def open_full(page: Page) -> None:
    page.click("[data-act=full]")
    expect(page.locator(f"{FULL} img")).to_be_visible()


def scale(page: Page) -> float:
    """Return how much larger the picture is than it would be to fit."""
    return float(page.evaluate(SCALE))


def test_it_opens_and_closes_by_keyboard_and_the_focus_goes_back(page: Page) -> None:
    page.focus("[data-act=full]")
    page.keyboard.press("f")
    expect(page.locator(f"{FULL} img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(FULL)).to_be_hidden()
    expect(page.locator("[data-act=full]")).to_be_focused()


def test_back_closes_it_and_leaves_the_page_as_it_was(page: Page) -> None:
    page.evaluate("window.mark = 'the same page'")
    open_full(page)
    page.go_back()
    expect(page.locator(FULL)).to_be_hidden()
    assert page.evaluate("window.mark") == "the same page"
    expect(page.locator(".stage .made-of q")).to_have_text("third")
    page.wait_for_selector(RESULT)


def test_closing_it_leaves_no_entry_that_back_would_open_again(page: Page) -> None:
    before = page.evaluate("history.length")
    open_full(page)
    page.keyboard.press("Escape")
    expect(page.locator(FULL)).to_be_hidden()
    page.wait_for_function("!location.hash.includes('full')")
    open_full(page)
    page.keyboard.press("Escape")
    expect(page.locator(FULL)).to_be_hidden()
    assert page.evaluate("history.length") <= before + 1


def test_arrows_walk_the_strip(page: Page) -> None:
    open_full(page)
    expect(page.locator(FACTS)).to_contain_text("third")
    for prompt in ("second", "first"):
        page.keyboard.press("ArrowRight")
        expect(page.locator(FACTS)).to_contain_text(prompt)
    page.keyboard.press("ArrowRight")
    expect(page.locator(FACTS)).to_contain_text("first")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(FACTS)).to_contain_text("second")
    page.get_by_role("button", name="Next").click()
    expect(page.locator(FACTS)).to_contain_text("first")


def test_it_shows_the_file_itself_and_the_reference_while_space_is_held(page: Page) -> None:
    open_full(page)
    picture = page.locator(f"{FULL} .full-picture img")
    own = str(picture.get_attribute("src"))
    assert own.endswith("/file")
    page.wait_for_function("document.querySelector('dialog.full .full-picture img').naturalWidth === 1600")
    page.keyboard.down(" ")
    expect(picture).not_to_have_attribute("src", own)
    assert "/references/" in str(picture.get_attribute("src"))
    page.keyboard.up(" ")
    expect(picture).to_have_attribute("src", own)


def test_the_wheel_enlarges_at_the_pointer_and_a_double_click_shows_pixels_as_they_are(page: Page) -> None:
    open_full(page)
    page.wait_for_function("document.querySelector('dialog.full .full-picture img').naturalWidth === 1600")
    page.mouse.move(640, 360)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"({SCALE})() > 2")
    page.mouse.dblclick(640, 360)
    page.wait_for_function(f"({SCALE})() === 1")
    page.mouse.dblclick(640, 360)
    page.wait_for_function(f"({SCALE})() > 1")
    fitted = page.eval_on_selector(
        f"{FULL} .full-picture", "box => Math.min(box.clientWidth / 1600, box.clientHeight / 1200)"
    )
    assert abs(scale(page) * fitted - 1) < 0.02, "one pixel of the file is one of the screen"


def test_a_swipe_goes_on(page: Page) -> None:
    open_full(page)
    page.mouse.move(800, 400)
    page.mouse.down()
    page.mouse.move(500, 400, steps=4)
    page.mouse.up()
    expect(page.locator(FACTS)).to_contain_text("second")


def test_the_picture_is_downloaded_from_it(page: Page) -> None:
    open_full(page)
    with page.expect_download() as waiting:
        page.click(f"{FULL} a.button")
    assert waiting.value.suggested_filename.startswith("srpo_photo")


def test_keys_of_the_studio_do_nothing_behind_it(page: Page) -> None:
    page.fill("#prompt textarea", "good")
    open_full(page)
    page.keyboard.press("Control+Enter")
    page.keyboard.press("u")
    page.keyboard.press("Escape")
    expect(page.locator(FULL)).to_be_hidden()
    expect(page.locator(THUMBS)).to_have_count(3)
    expect(page.locator(".reference-box .about strong")).to_have_text("photo.png")
