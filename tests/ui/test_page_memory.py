"""Nothing is ever lost: over a reload, another tab, a line that drops and a server that dies, the page is as it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, free_port, serve
from tests.support.proxy import line_to
from tests.support.studio_page import (
    RESULT,
    THUMBS,
    add_reference,
    choose_backend,
    open_more,
    release,
    set_images,
    set_number,
    start,
    wait_for_reference,
    wait_until_ready,
)

pytestmark = pytest.mark.integration

AWAY = (6, 30)
"""Seconds without a line: in the first, gradio would have asked twice whether to load the page again."""
UNFINISHED = ".stage .strip :is(.running, .waiting)"


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    with open_page(browser, fakes.url, refused=True) as opened:
        add_reference(opened, picture_bytes("PNG", "RGB", (240, 160)), "lake at dawn.png")
        yield opened


def desk(page: Page) -> dict[str, Any]:
    """Return all that a person has set."""
    seen: dict[str, Any] = page.evaluate(
        """() => {
          const value = (at) => document.querySelector(at)?.value;
          const all = (at) => [...document.querySelectorAll(at)].map((each) => each.textContent.trim());
          return {
            reference: all('.reference-box .about strong, .reference-box .about > span:not(.ways)'),
            prompt: value('#prompt textarea'),
            backend: value('#backend input'),
            strength: value('#param-strength input[type=number]'),
            guidance: value('#param-guidance_scale input[type=number]'),
            steps: value('#param-num_inference_steps input[type=number]'),
            seed: value('#param-seed input'),
            lock: document.querySelector('#seed-lock input').checked,
            images: all('#param-num_images label.selected'),
            styles: all('#styles [aria-pressed=true]'),
            view: all('[data-view][aria-pressed=true]'),
            shown: document.querySelector('.stage img.result')?.src,
          };
        }"""
    )
    return seen


def reload(page: Page) -> None:
    page.reload()
    wait_until_ready(page)


def stored(page: Page, words: str) -> None:
    """Wait until the browser has written what was typed, a moment after the last letter."""
    page.wait_for_function("words => JSON.stringify({ ...localStorage }).includes(words)", arg=words)


def total(page: Page) -> int:
    """Return how many results the visitor has."""
    number: int = page.evaluate("() => fetch('studio/v1/results').then((each) => each.json()).then((all) => all.total)")
    return number


def test_all_that_was_set_is_there_again_after_a_reload(page: Page) -> None:
    open_more(page)
    page.locator("#styles button").first.click()
    set_number(page, "strength", 0.45)
    set_number(page, "guidance_scale", 7.5)
    set_number(page, "num_inference_steps", 9)
    start(page, "good as it is")
    page.wait_for_selector(RESULT)
    page.click("[data-view=slider]")
    set_images(page, 3)
    page.click("#seed-dice")
    expect(page.locator("#seed-lock input")).to_be_checked()
    page.fill("#prompt textarea", "a prompt that took long to write")
    expect(page.locator("#param-num_images label.selected")).to_have_text("3")
    before = desk(page)
    assert all(before.values())
    reload(page)
    open_more(page)
    page.wait_for_selector(".stage .slide img.result")
    expect(page.locator("#prompt textarea")).to_have_value("a prompt that took long to write")
    expect(page.locator("#param-num_images label.selected")).to_have_text("3")
    assert desk(page) == before
    assert page.locator(THUMBS).count() == 1


def test_another_backend_is_there_again_with_its_own_settings(page: Page) -> None:
    choose_backend(page, "Other")
    expect(page.locator("#param-guidance_scale")).to_be_hidden()
    page.locator("#styles [data-id=ink]").click()
    set_number(page, "strength", 0.4)
    reload(page)
    expect(page.locator("#backend input")).to_have_value("Other")
    expect(page.locator("#param-guidance_scale")).to_be_hidden()
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.4")
    expect(page.locator("#styles [aria-pressed=true]")).to_have_text("Ink wash")
    expect(page.locator("#preflight")).to_contain_text("$0.04")


def test_the_result_that_was_looked_at_is_shown_again(page: Page) -> None:
    for count, prompt in enumerate(("good one", "good two"), start=1):
        start(page, prompt)
        expect(page.locator(THUMBS)).to_have_count(count)
        page.wait_for_selector(".stage[data-state=done]")
    page.locator(THUMBS).last.click()
    expect(page.locator(".stage .made-of q")).to_have_text("good one")
    reload(page)
    expect(page.locator(".stage .made-of q")).to_have_text("good one")
    expect(page.locator(THUMBS)).to_have_count(2)
    page.locator(THUMBS).first.click()
    expect(page.locator(".stage .made-of q")).to_have_text("good two")


def test_a_run_that_goes_on_is_rejoined_after_a_reload(page: Page, fakes: Served) -> None:
    start(page, "held until-loaded-again")
    page.wait_for_selector(".stage[data-state=running]")
    reload(page)
    page.wait_for_selector(".stage[data-state=running]")
    expect(page.locator(".stage .progress")).to_contain_text("Step 1 of 40")
    expect(page).to_have_title("(1/40) SRPO Studio")
    expect(page.locator("#prompt textarea")).to_have_value("held until-loaded-again")
    wait_for_reference(page, "lake at dawn.png")
    release(fakes, "until-loaded-again")
    page.wait_for_selector(RESULT)
    expect(page).to_have_title("SRPO Studio")


def test_a_run_that_ended_while_nobody_looked_is_on_the_stage(page: Page, fakes: Served) -> None:
    start(page, "held while-away")
    page.wait_for_selector(".stage[data-state=running]")
    address = page.url
    page.goto("about:blank")
    release(fakes, "while-away")
    page.goto(address)
    wait_until_ready(page)
    page.wait_for_selector(RESULT)
    expect(page.locator(".stage .made-of q")).to_have_text("held while-away")


def test_back_and_forward_lose_nothing(page: Page) -> None:
    page.fill("#prompt textarea", "a prompt that took long to write")
    page.goto("about:blank")
    page.go_back()
    wait_until_ready(page)
    expect(page.locator("#prompt textarea")).to_have_value("a prompt that took long to write")
    wait_for_reference(page, "lake at dawn.png")


def test_two_tabs_do_not_fight(page: Page, fakes: Served) -> None:
    page.fill("#prompt textarea", "held two-tabs")
    stored(page, "held two-tabs")
    second = page.context.new_page()
    second.goto(fakes.url)
    wait_until_ready(second)
    expect(second.locator("#prompt textarea")).to_have_value("held two-tabs")  # a new tab goes on from the newest draft
    add_reference(second, picture_bytes("PNG", "RGB", (160, 240)), "tower.png")
    second.fill("#prompt textarea", "good of the second")
    page.click("#run")
    page.wait_for_selector(".stage[data-state=running]")
    expect(second.locator(UNFINISHED)).to_have_count(1)
    expect(second.locator(".stage")).to_have_attribute("data-state", "reference")
    for each, name, prompt in (
        (page, "lake at dawn.png", "held two-tabs"),
        (second, "tower.png", "good of the second"),
    ):
        reload(each)
        wait_for_reference(each, name)
        expect(each.locator("#prompt textarea")).to_have_value(prompt)
    release(fakes, "two-tabs")
    page.wait_for_selector(RESULT)
    expect(second.locator(THUMBS)).to_have_count(1)
    expect(second.locator(".stage")).to_have_attribute("data-state", "reference")
    second.click("#run")
    expect(second.locator(".stage .made-of q")).to_have_text("good of the second")
    expect(page.locator(THUMBS)).to_have_count(2)
    expect(page.locator(".stage .made-of q")).to_have_text("held two-tabs")


@pytest.mark.parametrize("away", AWAY)
def test_a_line_that_drops_in_a_run_costs_nothing(browser: Browser, fakes: Served, away: int) -> None:
    with (
        line_to(fakes.url, free_port()) as line,
        open_page(browser, line.url, refused=True) as page,
    ):
        page.evaluate("window.mark = 'the same page'")
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)), "lake.png")
        start(page, f"held over-{away}-seconds")
        page.wait_for_selector(".stage[data-state=running]")
        line.cut()
        gone = time.monotonic()
        expect(page.locator("#status .connection")).to_contain_text("Your work is saved")
        start(page, "good in the gap")
        expect(page.locator(UNFINISHED)).to_have_count(2)
        page.fill("#prompt textarea", "a prompt for later")
        page.wait_for_timeout(max(0, away - (time.monotonic() - gone)) * 1000)
        line.mend()
        expect(page.locator("#status .connection")).to_have_count(0)
        expect(page.locator(UNFINISHED)).to_have_count(2)
        release(fakes, f"over-{away}-seconds")
        expect(page.locator(THUMBS)).to_have_count(2)
        expect(page.locator(UNFINISHED)).to_have_count(0)
        page.wait_for_selector(RESULT)
        assert total(page) == 2, "no click was lost, and none was sent twice"
        assert page.evaluate("window.mark") == "the same page"
        expect(page.locator("#prompt textarea")).to_have_value("a prompt for later")
        wait_for_reference(page, "lake.png")
        expect(page.locator(".toast-body")).to_have_count(0)


def test_a_server_that_dies_in_a_run_and_comes_back_costs_nothing(browser: Browser, tmp_path: Path) -> None:
    port = str(free_port())
    program = ("-m", "tests.support.fake_app")
    with ExitStack() as page_open:
        with serve(tmp_path, *program, kill=True, GRADIO_SERVER_PORT=port) as app:
            page = page_open.enter_context(open_page(browser, app.url, refused=True))
            page.evaluate("window.mark = 'the same page'")
            add_reference(page, picture_bytes("PNG", "RGB", (240, 160)), "lake.png")
            start(page, "held over-the-crash")
            page.wait_for_selector(".stage[data-state=running]")
        expect(page.locator("#status .connection")).to_contain_text("Your work is saved")
        start(page, "good while it was away")
        expect(page.locator(UNFINISHED)).to_have_count(2)
        page.fill("#prompt textarea", "a prompt for later")
        with serve(tmp_path, *program, GRADIO_SERVER_PORT=port) as app:
            expect(page.locator("#status .connection")).to_have_count(0)
            expect(page.locator(UNFINISHED)).to_have_count(2)
            release(app, "over-the-crash")
            expect(page.locator(THUMBS)).to_have_count(2)
            expect(page.locator(UNFINISHED)).to_have_count(0)
            page.wait_for_selector(RESULT)
            assert total(page) == 2, "no click was lost, and none was sent twice"
            assert page.evaluate("window.mark") == "the same page"
            expect(page.locator("#prompt textarea")).to_have_value("a prompt for later")
            page.click("#run")
            expect(page.locator(THUMBS)).to_have_count(3)


def test_a_run_that_ended_while_the_server_was_away_from_the_tab_is_told(browser: Browser, fakes: Served) -> None:
    with (
        line_to(fakes.url, free_port()) as line,
        open_page(browser, line.url, refused=True) as page,
    ):
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)), "lake.png")
        start(page, "held in-the-tunnel")
        page.wait_for_selector(".stage[data-state=running]")
        line.cut()
        expect(page.locator("#status .connection")).to_contain_text("Connection lost")
        release(fakes, "in-the-tunnel")
        line.mend()
        page.wait_for_selector(RESULT)
        expect(page.locator("#status .connection")).to_have_count(0)
        expect(page.locator("#cancel")).to_be_disabled()


def test_a_click_that_the_server_had_not_confirmed_is_sent_again_after_a_reload(page: Page) -> None:
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)), "lake.png")
    page.fill("#prompt textarea", "good over a reload")
    page.route("**/studio/v1/jobs", lambda _: None)  # it stays on its way
    page.click("#run")
    expect(page.locator(UNFINISHED)).to_have_count(1)
    page.unroute("**/studio/v1/jobs")
    page.reload()
    wait_until_ready(page)
    page.wait_for_selector(RESULT)
    expect(page.locator(".stage .made-of q")).to_have_text("good over a reload")
    page.reload()
    wait_until_ready(page)
    assert total(page) == 1


def test_a_laptop_that_slept_for_an_hour_shows_the_truth_when_it_wakes(browser: Browser, fakes: Served) -> None:
    with (
        line_to(fakes.url, free_port()) as line,
        open_page(browser, line.url, refused=True) as page,
    ):
        page.clock.install()
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)), "lake.png")
        start(page, "held over-the-night")
        page.wait_for_selector(".stage[data-state=running]")
        page.fill("#prompt textarea", "a prompt for the morning")
        line.cut()
        release(fakes, "over-the-night")
        page.clock.fast_forward(3_600_000)
        line.mend()
        page.wait_for_selector(RESULT)
        expect(page.locator(UNFINISHED)).to_have_count(0)
        expect(page.locator("#prompt textarea")).to_have_value("a prompt for the morning")
        wait_for_reference(page, "lake.png")
        start(page, "good morning")
        expect(page.locator(THUMBS)).to_have_count(2)


def test_twelve_tabs_with_a_run_in_eight_share_one_stream(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as first:
        add_reference(first, picture_bytes("PNG", "RGB", (240, 160)), "lake.png")
        streams: list[str] = []
        first.context.on("request", lambda each: streams.append(each.url) if "/v1/events" in each.url else None)
        tabs = [first, *(first.context.new_page() for _ in range(11))]
        for tab in tabs[1:]:
            tab.goto(fakes.url)
        for tab in tabs:
            wait_until_ready(tab)
        for number, tab in enumerate(tabs[:8]):
            start(tab, f"good in tab {number}")
        for number, tab in enumerate(tabs[:8]):
            expect(tab.locator(".stage .made-of q")).to_have_text(f"good in tab {number}")
        for tab in tabs:
            expect(tab.locator(THUMBS)).to_have_count(8)
            expect(tab.locator(UNFINISHED)).to_have_count(0)
        for tab in tabs[8:]:
            expect(tab.locator(".stage")).to_have_attribute("data-state", "reference")
        assert streams == [], "the first tab's stream serves them all"
