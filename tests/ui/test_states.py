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
    add_reference,
    choose_backend,
    message,
    open_more,
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
    page.click("text=Restore these settings")
    expect(pencil).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#prompt textarea")).to_have_value("a mountain lake")


def test_a_backend_without_a_list_of_styles_shows_no_chips(page: Page) -> None:
    expect(page.locator("#styles button")).to_have_count(2)
    choose_backend(page, "Other")
    expect(page.locator("#styles")).to_be_hidden()
    choose_backend(page, "First")
    expect(page.locator("#styles button")).to_have_count(2)


def test_a_failed_run_says_what_happened_what_to_do_and_that_it_was_free(page: Page) -> None:
    start(page, "fail please")
    assert all(
        each in message(page) for each in ("The provider broke.", "Try again in a minute.", "Nothing was charged")
    )


def test_a_failure_that_may_have_cost_money_says_so(page: Page) -> None:
    start(page, "charged perhaps")
    assert "It may have been charged" in message(page)


def test_an_unforeseen_failure_shows_no_secrets(page: Page) -> None:
    start(page, "crash please")
    assert "went wrong in the app" in message(page)
    assert "/secret" not in page.content()


def test_an_empty_prompt_is_refused_and_the_next_run_takes_the_message_away(page: Page) -> None:
    start(page, "  ")
    assert "The prompt is empty" in message(page)
    start(page, "good")
    page.wait_for_selector(RESULT)
    expect(page.locator(".stage .message")).to_have_count(0)


def test_a_prompt_that_is_too_long_is_refused_with_its_length(page: Page) -> None:
    start(page, "x" * 4001)
    assert "4,001 characters" in message(page)


def test_loading_the_model_is_a_stage_of_its_own(page: Page, fakes: Served) -> None:
    start(page, "loading first")
    expect(page.locator(".stage .progress")).to_contain_text("Loading the model: transformer (2 of 5)")
    assert page.get_attribute(".stage", "data-state") == "loading"
    release(fakes, "first")
    page.wait_for_selector(RESULT)


def test_a_result_stays_until_there_is_something_newer_to_see(page: Page) -> None:
    start(page, "good")
    old = str(page.get_attribute(RESULT, "src"))
    start(page, "loading next")
    page.wait_for_selector(".stage[data-state=loading] img.older")
    assert page.get_attribute(".stage img.older", "src") == old


def test_queued_runs_say_how_many_wait_and_cancel_lets_the_next_one_start(page: Page) -> None:
    page.fill("#prompt textarea", "held here")
    for _ in range(3):
        page.click("#run")
    expect(page.locator(".stage .queue")).to_contain_text("2 more in the queue")
    for left in ("1 more in the queue", ""):
        with page.expect_request_finished(lambda each: "queue/join" in each.url):
            page.click("#cancel")
        expect(page.locator(".stage .queue")).to_have_text(left)
    page.click("#cancel")
    page.wait_for_selector(".stage[data-state=cancelled]")
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


def test_the_reference_of_a_run_stays_when_another_is_chosen_meanwhile(page: Page) -> None:
    start(page, "held here")
    page.wait_for_selector(".stage[data-state=running]")
    before = page.get_attribute(".stage img.reference", "src")
    page.set_input_files(
        "#reference input[type=file]",
        {"name": "b.png", "mimeType": "image/png", "buffer": picture_bytes("PNG", "RGB", (100, 300))},
    )
    expect(page.locator("#preflight")).to_contain_text("100×300")
    assert page.get_attribute(".stage img.reference", "src") == before


def test_another_backend_shows_its_own_controls_and_says_what_it_changed(page: Page) -> None:
    open_more(page)
    set_number(page, "strength", 0.9)
    expect(page.locator("#param-guidance_scale")).to_be_visible()
    choose_backend(page, "Other")
    page.get_by_text("Adjusted for Other: Strength 0.9 → 0.5, Steps 28 → 12.").wait_for()  # it stands for ten seconds
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
    page.click(".stage .actions button:has-text('Restore these settings')")
    expect(page.locator("#param-guidance_scale")).to_be_visible()
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.9")
    expect(page.locator("#seed-lock input")).to_be_checked()


def test_a_backend_that_cannot_run_says_what_it_needs(page: Page) -> None:
    choose_backend(page, "Away")
    expect(page.locator("#status")).to_contain_text("Needs a key: set AWAY_KEY")
    expect(page.locator("#status .dot.blocked")).to_have_count(1)
    start(page, "good")
    assert "AWAY_KEY" in message(page)


def test_an_image_address_fills_the_reference(page: Page) -> None:
    page.fill("#address input", "https://pictures.example/lake.png")
    page.press("#address input", "Enter")
    page.wait_for_function("document.querySelector('.stage img.reference')?.naturalWidth === 320")
    expect(page.locator("#address input")).to_have_value("")


def test_a_pasted_picture_becomes_the_reference(page: Page) -> None:
    page.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(150, 90);
          canvas.getContext('2d').fillRect(10, 10, 50, 50);
          const blob = await canvas.convertToBlob({ type: 'image/png' });
          await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
        }"""
    )
    page.click("#reference button[aria-label='Remove Image']")
    page.click("#reference button[aria-label='Paste from clipboard']")
    page.wait_for_function("document.querySelector('.stage img.reference')?.naturalWidth === 150")


def test_words_that_a_person_wrote_are_never_markup(page: Page) -> None:
    start(page, 'good <img src=x onerror="window.pwned=1"> {{x}} ${x} `x`')
    page.wait_for_selector(RESULT)
    assert page.evaluate("window.pwned") is None


def test_the_dice_locks_the_seed_that_it_draws(page: Page) -> None:
    before = page.input_value("#param-seed input")
    page.click("#seed-dice")
    expect(page.locator("#seed-lock input")).to_be_checked()
    expect(page.locator("#param-seed input")).not_to_have_value(before)


def test_milestones_are_spoken_not_every_step(page: Page) -> None:
    page.evaluate(
        """() => {
          window.heard = [];
          new MutationObserver(() => window.heard.push(document.querySelector('[data-part=live]').textContent))
            .observe(document.querySelector('[data-part=live]'), { childList: true, characterData: true });
        }"""
    )
    start(page, "steps please")
    page.wait_for_selector(RESULT)
    heard = page.evaluate("window.heard")
    assert heard[-1] == "The result is here"
    assert len(heard) < 10
