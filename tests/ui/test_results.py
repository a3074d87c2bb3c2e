"""What a result says of itself, what is taken from it, and what is seen while one is made."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import (
    PROMPT,
    RESULT,
    THUMBS,
    add_reference,
    make_one,
    open_more,
    release,
    set_images,
    set_number,
    start,
    wait_for_reference,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    """A page with one result, after which everything was set otherwise."""
    with open_page(browser, fakes.url) as opened:
        make_one(opened)
        yield opened


def change_all(page: Page) -> None:
    """Set everything otherwise than the result has it."""
    add_reference(page, picture_bytes("PNG", "RGB", (160, 240)), "tower.png")
    page.locator("#styles button").first.click()
    set_number(page, "strength", 0.2)
    page.fill("#prompt textarea", "something else")
    page.locator(THUMBS).last.click()
    page.wait_for_selector(RESULT)


def recall(page: Page, part: str) -> None:
    page.click("[data-act=recall]")
    page.click(f"#recall-menu [data-part={part}]")


def now(page: Page) -> tuple[str, str, str, str]:
    """Return reference, prompt, style and strength of the form."""
    return (
        page.inner_text(".reference-box .about strong"),
        page.input_value("#prompt textarea"),
        str(page.get_attribute("#styles button >> nth=0", "aria-pressed")),
        page.input_value("#param-strength input[type=number]"),
    )


def test_a_result_says_how_it_was_made(page: Page) -> None:
    expect(page.locator(".stage .made-of q")).to_have_text(PROMPT)
    facts = page.locator(".stage .facts")
    for each in ("Pencil sketch", "strength 0.7", "guidance 3.5", "First", "240×160"):
        expect(facts).to_contain_text(each)
    seed = re.search(r"seed (\d+)", facts.inner_text())
    assert seed
    thumb = page.locator(THUMBS)
    for name in ("title", "aria-label"):
        for each in (PROMPT, "strength 0.7", f"seed {seed[1]}"):
            assert each in str(thumb.get_attribute(name))
    assert PROMPT in str(page.get_attribute(RESULT, "alt"))
    assert page.get_attribute("[data-act=download]", "download") == f"srpo_still-life_pencil_s70_{seed[1]}.png"


def test_all_that_made_a_result_is_restored_at_once(page: Page) -> None:
    before = now(page)
    change_all(page)
    page.click("[data-act=restore]")
    wait_for_reference(page, "still life.png")
    expect(page.locator("#prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.7")
    expect(page.locator("#seed-lock input")).to_be_checked()
    assert now(page) == before


def test_each_part_is_recalled_alone(page: Page) -> None:
    change_all(page)
    recall(page, "prompt")
    expect(page.locator("#prompt textarea")).to_have_value(PROMPT)
    assert now(page) == ("tower.png", PROMPT, "false", "0.2")
    expect(page.locator("#seed-lock input")).not_to_be_checked()
    recall(page, "settings")
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.7")
    expect(page.locator("#styles button").first).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#seed-lock input")).not_to_be_checked()
    recall(page, "seed")
    expect(page.locator("#seed-lock input")).to_be_checked()
    wait_for_reference(page, "tower.png")
    recall(page, "reference")
    wait_for_reference(page, "still life.png")


def test_the_prompt_is_copied(page: Page) -> None:
    page.click("[data-copy-prompt]")
    page.wait_for_function("async words => await navigator.clipboard.readText() === words", arg=PROMPT)


def test_a_result_becomes_the_reference_and_is_on_the_stage_at_once(page: Page) -> None:
    made = page.eval_on_selector("[data-act=download]", "link => link.href")
    page.click("[data-act=use]")
    expect(page.locator(".stage")).to_have_attribute("data-state", "reference")
    expect(page.locator(".reference-box .about strong")).to_contain_text(PROMPT[:20])
    expect(page.locator(".reference-box[data-reading=false]")).to_have_count(1)
    expect(page.locator(THUMBS)).to_have_count(1)
    start(page, "good again")
    expect(page.locator(THUMBS)).to_have_count(2)
    expect(page.locator(".stage")).to_have_attribute("data-state", "done")
    reference = page.locator(".stage .pair img.reference")
    page.wait_for_function("document.querySelector('.stage .pair img.reference').complete")
    assert reference.get_attribute("src") != made
    assert "/references/" in str(reference.get_attribute("src"))


def test_the_view_stays_over_a_run_and_the_slider_where_it_was(page: Page) -> None:
    page.click("[data-view=slider]")
    page.focus(".stage .slide input")
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".stage .slide input")).to_have_value("40")
    expect(page.locator(".stage .slide input")).to_be_focused()
    start(page, "good again")
    expect(page.locator(THUMBS)).to_have_count(2)
    page.wait_for_selector(".stage .slide img.result")
    expect(page.locator(".stage .slide input")).to_have_value("40")
    expect(page.locator("[data-view=slider]")).to_have_attribute("aria-pressed", "true")


def test_a_pressed_button_keeps_the_focus(page: Page) -> None:
    for each in ("[data-view=single]", "[data-view=pair]", THUMBS, "#styles button >> nth=1"):
        page.focus(each)
        page.keyboard.press("Enter")
        expect(page.locator(each)).to_have_attribute("aria-pressed", "true")
        expect(page.locator(each)).to_be_focused()


def test_the_strip_is_walked_by_arrows_as_one_tab_stop(page: Page) -> None:
    start(page, "good again")
    expect(page.locator(THUMBS)).to_have_count(2)
    page.wait_for_selector(".stage[data-state=done]")
    assert page.locator(".stage .strip [tabindex='0']").count() == 1
    page.focus(f"{THUMBS} >> nth=0")
    page.keyboard.press("ArrowRight")
    expect(page.locator(THUMBS).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".stage .made-of q")).to_have_text(PROMPT)
    expect(page.locator(THUMBS).nth(1)).to_be_focused()


def test_who_looks_back_during_a_run_still_sees_that_it_goes_on(page: Page, fakes: Served) -> None:
    start(page, "held while-looking-back")
    page.wait_for_selector(".stage[data-state=running]")
    page.locator(THUMBS).click()
    page.wait_for_selector(".stage[data-state=done]")
    first = page.locator(".stage .strip button.thumb").first
    expect(first).to_have_class(re.compile("running"))
    expect(first).to_contain_text("1/40")
    expect(page).to_have_title("(1/40) SRPO Studio")
    release(fakes, "while-looking-back")
    expect(page.locator(THUMBS)).to_have_count(2)
    expect(page.locator(".stage .made-of q")).to_have_text(PROMPT)  # what is looked at stays


def test_cancel_answers_at_once_and_stops_the_run_behind_an_older_result(page: Page) -> None:
    start(page, "held to be cancelled")
    page.wait_for_selector(".stage[data-state=running]")
    page.locator(THUMBS).click()
    page.wait_for_selector(".stage[data-state=done]")
    page.click("#cancel")
    ended = page.locator(".stage .strip .ended")
    expect(ended).to_have_count(1)
    assert "cancelled" in str(ended.get_attribute("title"))
    expect(page.locator("#cancel")).to_be_disabled()


def test_four_images_of_a_run_stand_beside_each_other_and_each_is_chosen(page: Page) -> None:
    set_images(page, 4)
    start(page, "good, four of them")
    expect(page.locator(RESULT)).to_have_count(4)
    page.locator(RESULT).nth(2).click()
    expect(page.locator(".stage figure.chosen")).to_contain_text("3")
    seeds = {str(page.locator(THUMBS).nth(i).get_attribute("title")) for i in range(4)}
    assert len(seeds) == 4


def test_one_run_more_than_fits_the_form_is_never_hidden(page: Page) -> None:
    open_more(page)
    page.fill("#prompt textarea", "x" * 3900)
    box = page.locator("#run").bounding_box()
    assert box
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 720
