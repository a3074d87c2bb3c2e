"""The page's states and its controls, on backends that do what their prompt says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import (
    RESULT,
    THUMBS,
    add_reference,
    choose_backend,
    message,
    open_more,
    problem,
    release,
    set_number,
    start,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    with open_page(browser, fakes.url) as opened:
        add_reference(opened, picture_bytes("PNG", "RGB", (240, 160)))
        yield opened
        while opened.is_enabled("#cancel"):  # a run that a test left would stand in the next one's way
            opened.evaluate("document.querySelector('#cancel').click()")  # it may be disabled by now
            opened.wait_for_timeout(100)


def test_a_style_is_on_until_its_chip_is_pressed_again_and_comes_back_with_the_settings(page: Page) -> None:
    pencil = page.locator("#styles button").first
    expect(pencil).to_have_attribute("aria-pressed", "false")
    pencil.click()
    start(page, "a mountain lake")
    page.wait_for_selector(RESULT)
    pencil.click()
    expect(pencil).to_have_attribute("aria-pressed", "false")
    page.click("[data-act=restore]")
    expect(pencil).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#prompt textarea")).to_have_value("a mountain lake")


def test_a_backend_that_is_not_limited_to_some_styles_offers_the_presets(page: Page) -> None:
    expect(page.locator("#styles button")).to_have_count(2)
    choose_backend(page, "Other")
    expect(page.locator("#styles button")).to_have_count(24)
    choose_backend(page, "First")
    expect(page.locator("#styles button")).to_have_count(2)


def test_one_medium_replaces_another_and_shift_adds(page: Page) -> None:
    choose_backend(page, "Other")
    on = page.locator("#styles button[aria-pressed=true]")
    page.locator("#styles [data-id=oil]").click()
    page.locator("#styles [data-id=ink]").click()
    expect(on).to_have_text(["Ink wash"])
    page.locator("#styles [data-id=night]").click()
    expect(on).to_have_text(["Ink wash", "Night"])
    page.locator("#styles [data-id=oil]").click(modifiers=["Shift"])
    expect(on).to_have_text(["Oil painting", "Ink wash", "Night"])
    expect(page.locator("#preflight")).to_contain_text("with Ink wash, Night, Oil painting")


def test_the_chips_are_one_tab_stop_with_arrows(page: Page) -> None:
    page.focus("#styles button >> nth=0")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#styles button >> nth=1")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#styles button >> nth=1")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#styles button >> nth=1")).to_be_focused()


def test_a_failed_run_says_what_happened_what_to_do_and_that_it_was_free(page: Page) -> None:
    start(page, "fail please")
    assert all(
        each in message(page) for each in ("The provider broke.", "Try again in a minute.", "Nothing was charged")
    )


def test_a_providers_own_words_are_behind_details(page: Page) -> None:
    start(page, "down now")
    assert "Away is having problems (502). Try again in a minute." in message(page).replace("\n", " ")
    words = page.get_by_text('It says: "internal".')
    expect(words).not_to_be_visible()
    page.get_by_text("Details").click()
    expect(words).to_be_visible()


def test_a_failure_that_may_have_cost_money_says_so(page: Page) -> None:
    start(page, "charged perhaps")
    assert "It may have been charged" in message(page)


def test_an_unforeseen_failure_shows_no_secrets(page: Page) -> None:
    start(page, "crash please")
    assert "went wrong in the app" in message(page)
    assert "/secret" not in page.content()


def test_an_empty_prompt_is_refused_at_once_and_typing_takes_the_message_away(page: Page) -> None:
    start(page, "  ")
    assert "Write what the picture should become" in problem(page)
    expect(page.locator("#prompt textarea")).to_be_focused()
    page.fill("#prompt textarea", "good")
    expect(page.locator(".field-problem")).to_have_count(0)
    start(page, "good")
    page.wait_for_selector(RESULT)


def test_a_prompt_that_is_too_long_is_refused_with_its_length(page: Page) -> None:
    start(page, "x" * 4001)
    assert "4,001 characters" in problem(page)


def test_loading_the_model_is_a_stage_of_its_own(page: Page, fakes: Served) -> None:
    start(page, "loading first")
    expect(page.locator(".stage .progress")).to_contain_text("Loading the model: transformer (2 of 5)")
    assert page.get_attribute(".stage", "data-state") == "loading"
    release(fakes, "first")
    page.wait_for_selector(RESULT)


def test_the_reference_stands_faded_for_the_result_until_there_is_a_preview(page: Page, fakes: Served) -> None:
    start(page, "loading next")
    page.wait_for_selector(".stage[data-state=loading] img.older")
    shown = [page.get_attribute(f".stage img.{each}", "src") for each in ("older", "reference")]
    assert shown[0] == shown[1], "never a picture of something else"
    release(fakes, "next")
    page.wait_for_selector(RESULT)


def test_queued_runs_stand_in_the_strip_and_cancel_lets_the_next_one_start(page: Page) -> None:
    page.fill("#prompt textarea", "held here")
    for _ in range(3):
        page.click("#run")
    unfinished = page.locator(".stage .strip :is(.running, .waiting)")
    expect(unfinished).to_have_count(3)
    for left in (2, 1, 0):
        page.wait_for_selector(".stage[data-state=running]")
        page.click("#cancel")
        expect(unfinished).to_have_count(left)
    expect(page.locator(".stage .strip .ended")).to_have_count(3)
    expect(page.locator("#cancel")).to_be_disabled()


def test_another_visitor_waits_in_line_and_is_told_the_place(page: Page, browser: Browser, fakes: Served) -> None:
    start(page, "held here")
    page.wait_for_selector(".stage[data-state=running]")
    with open_page(browser, fakes.url) as second:
        add_reference(second, picture_bytes("PNG", "RGB", (240, 160)))
        start(second, "good")
        expect(second.locator(".stage .progress")).to_contain_text("Next in line")
        page.click("#cancel")
        second.wait_for_selector(RESULT)


def test_another_reference_is_on_the_stage_at_once_and_the_run_goes_on_in_the_strip(page: Page) -> None:
    start(page, "held here")
    page.wait_for_selector(".stage[data-state=running]")
    add_reference(page, picture_bytes("PNG", "RGB", (100, 300)), "b.png")
    expect(page.locator("#preflight")).to_contain_text("100×300")
    expect(page.locator(".stage[data-state=reference]")).to_have_count(1)
    page.locator(".stage .strip .running").click()
    expect(page.locator(".stage[data-state=running]")).to_have_count(1)


def test_a_bad_drop_throws_no_good_reference_away(page: Page) -> None:
    page.set_input_files(
        "#reference input[type=file]", {"name": "b.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    assert "not a picture" in problem(page, "#reference")
    expect(page.locator("#reference")).to_contain_text("The earlier reference stays.")
    start(page, "good")
    page.wait_for_selector(RESULT)


def test_another_backend_shows_its_own_controls_and_says_what_it_changed(page: Page) -> None:
    open_more(page)
    set_number(page, "strength", 0.9)
    set_number(page, "num_inference_steps", 30)
    expect(page.locator("#param-guidance_scale")).to_be_visible()
    choose_backend(page, "Other")
    expect(page.locator("#preflight")).to_contain_text("Strength 0.9 → 0.5")
    expect(page.locator("#preflight")).to_contain_text("Steps 30 → 12")
    expect(page.locator("#param-acceleration")).to_be_visible()
    expect(page.locator("#param-guidance_scale")).to_be_hidden()
    expect(page.locator("#param-num_images")).to_be_hidden()
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.5")
    expect(page.locator("#param-num_inference_steps input[type=number]")).to_have_value("12")
    expect(page.locator("#preflight")).to_contain_text("about $0.04")
    start(page, "good")
    page.wait_for_selector(RESULT)


def test_reuse_settings_brings_the_backend_and_its_values_back(page: Page) -> None:
    set_number(page, "strength", 0.9)
    start(page, "good")
    page.wait_for_selector(RESULT)
    choose_backend(page, "Other")
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.5")
    page.click("[data-act=restore]")
    expect(page.locator("#param-guidance_scale")).to_be_visible()
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.9")
    expect(page.locator("#seed-lock input")).to_be_checked()


def test_a_backend_that_cannot_run_says_what_it_needs(page: Page) -> None:
    choose_backend(page, "Away")
    expect(page.locator("#status")).to_contain_text("Needs a key: set AWAY_KEY")
    expect(page.locator("#status .dot.blocked")).to_have_count(1)
    start(page, "good")
    assert "AWAY_KEY" in problem(page)


def test_an_image_link_fills_the_reference(page: Page) -> None:
    page.click("#reference button[aria-expanded]")
    page.fill("#reference input[name=url]", "https://pictures.example/lake.png")
    page.press("#reference input[name=url]", "Enter")
    expect(page.locator("#preflight")).to_contain_text("320×200")
    expect(page.locator(".reference-box strong")).to_have_text("lake.png")


def test_run_waits_for_a_picture_that_is_still_read_and_then_begins_with_it(page: Page, fakes: Served) -> None:
    page.click("#reference button[aria-expanded]")
    page.fill("#reference input[name=url]", "https://slow.example/lake.png")
    page.press("#reference input[name=url]", "Enter")
    expect(page.locator(".reference-box[data-reading=true]")).to_have_count(1)
    start(page, "good")
    expect(page.locator("#preflight")).to_contain_text("Reading the picture, then running")
    expect(page.locator(THUMBS)).to_have_count(0)
    release(fakes, "slow-address")
    page.wait_for_selector(RESULT)
    expect(page.locator(THUMBS)).to_have_count(1)
    expect(page.locator("#preflight")).to_contain_text("320×200")


def test_a_link_that_is_refused_says_why_at_the_reference_and_the_earlier_one_stays(page: Page) -> None:
    page.click("#reference button[aria-expanded]")
    page.fill("#reference input[name=url]", "https://nowhere.example/lake.png")
    page.press("#reference input[name=url]", "Enter")
    assert "private network" in problem(page, "#reference")
    expect(page.locator("#preflight")).to_contain_text("240×160")


PASTED = """async (kind) => {
  const canvas = new OffscreenCanvas(150, 90);
  canvas.getContext('2d').fillRect(10, 10, 50, 50);
  const carried = new DataTransfer();
  carried.items.add(new File([await canvas.convertToBlob()], 'pasted.png', { type: 'image/png' }));
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
  return event.defaultPrevented;
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_that_is_pasted_or_dropped_anywhere_becomes_the_reference(page: Page, kind: str) -> None:
    assert page.evaluate(PASTED, kind), "else the browser opens it in place of the app"
    expect(page.locator(".reference-box strong")).to_have_text("pasted.png")
    expect(page.locator("#preflight")).to_contain_text("150×90")


def test_something_dragged_over_the_window_says_what_a_drop_does(page: Page) -> None:
    page.evaluate(PASTED, "dragover")
    expect(page.locator(".drop-here")).to_have_text("Drop to use as the reference")
    page.evaluate(PASTED, "drop")
    expect(page.locator(".drop-here")).to_have_count(0)


@pytest.mark.parametrize("cover", ["#help-button", "#api-tab"])
def test_nothing_runs_from_behind_the_help_or_the_api_tab(page: Page, cover: str) -> None:
    page.fill("#prompt textarea", "good")
    page.click(cover)
    page.keyboard.press("Control+Enter")
    page.evaluate(PASTED, "paste")
    assert page.get_attribute(".stage", "data-state") == "reference"
    expect(page.locator(".reference-box strong")).to_have_text("photo.png")


def test_the_same_settings_and_seed_are_pointed_out_before_they_run_again(page: Page) -> None:
    page.click("#seed-dice")
    start(page, "good")
    page.wait_for_selector(RESULT)
    page.click("#run")
    expect(page.locator("#preflight")).to_contain_text("made a picture already")
    expect(page.locator(".stage .strip button.thumb")).to_have_count(1)
    page.click("#preflight button:has-text('Use a new seed')")
    expect(page.locator(".stage .strip button.thumb")).to_have_count(2)


def test_words_that_a_person_wrote_are_never_markup(page: Page) -> None:
    start(page, 'good <img src=x onerror="window.pwned=1"> {{x}} ${x} `x`')
    page.wait_for_selector(RESULT)
    assert page.evaluate("window.pwned") is None


def test_the_dice_locks_the_seed_that_it_draws(page: Page) -> None:
    page.click("#seed-dice")
    expect(page.locator("#seed-lock input")).to_be_checked()
    first = page.input_value("#param-seed input")
    assert int(first) > 0
    page.click("#seed-dice")
    expect(page.locator("#param-seed input")).not_to_have_value(first)


def test_milestones_are_spoken_not_every_step(page: Page) -> None:
    page.evaluate(
        """() => {
          window.heard = [];
          const said = document.querySelector('[data-part=live]');
          new MutationObserver(() => window.heard.push(said.textContent))
            .observe(said, { childList: true, characterData: true, subtree: true });
        }"""
    )
    start(page, "steps please")
    page.wait_for_selector(RESULT)
    expect(page.locator("[data-part=live]")).to_have_text("The result is here")
    heard = page.evaluate("window.heard")
    assert heard[-1] == "The result is here"
    assert len(heard) < 10


def test_a_budget_for_the_tab_stops_the_run_that_would_exceed_it(page: Page) -> None:
    choose_backend(page, "Other")
    page.fill("#budget", "0.03")
    page.press("#budget", "Tab")
    start(page, "good")
    assert "budget of $0.03" in problem(page)
    expect(page.locator("#budget")).to_be_focused()
    page.fill("#budget", "1")
    page.press("#budget", "Tab")
    expect(page.locator("#preflight .field-problem")).to_have_count(0)
    page.click("#run")
    page.wait_for_selector(RESULT)


def test_several_runs_are_cancelled_at_once(page: Page) -> None:
    page.fill("#prompt textarea", "held here")
    for _ in range(3):
        page.click("#run")
    expect(page.locator(".stage .strip :is(.running, .waiting)")).to_have_count(3)
    page.click(".stage .strip .stop-all")
    expect(page.locator(".stage .strip .ended")).to_have_count(3)
    expect(page.locator(".stage .strip .stop-all")).to_have_count(0)


def test_a_style_is_chosen_on_the_contact_sheet_of_the_empty_page(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as page:
        tile = page.locator(".stage .sheet button")
        expect(tile).to_have_text("Pencil sketch")
        tile.click()
        expect(page.locator("#styles [aria-pressed=true]")).to_have_text("Pencil sketch")
