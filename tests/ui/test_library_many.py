"""The library with thousands of pictures: what is drawn, what is fetched, and what stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.library_data import fill
from tests.support.live_app import Served, serve
from tests.support.studio_page import add_reference, start

pytestmark = pytest.mark.integration

RESULTS = 5000
PICTURE = ".lib-row:not([hidden]) .lib-cell.ready"
COUNT = ".lib-count"
TOP = "() => document.querySelector('.lib-scroll').scrollTop"
IN_VIEW = """
  () => {
    const box = document.querySelector('.lib-scroll').getBoundingClientRect();
    return [...document.querySelectorAll('.lib-row:not([hidden]) .lib-cell:not([hidden])')]
      .map((cell) => [cell, cell.getBoundingClientRect()])
      .filter(([, at]) => at.bottom > box.top && at.top < box.bottom)
      .map(([cell]) => cell);
  }
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page on backends without a model, for its owner alone, who has made thousands of pictures."""
    folder: Path = tmp_path_factory.mktemp("filled")
    fill(folder, RESULTS)
    with serve(folder, "-m", "tests.support.fake_app", ALONE="1") as served:
        yield served


@pytest.fixture
def page(browser: Browser, filled: Served) -> Iterator[Page]:
    with open_page(browser, filled.url) as opened:
        opened.click("#library-tab")
        opened.wait_for_selector(PICTURE)
        yield opened


def shown(page: Page) -> None:
    """Wait until every picture in view is there."""
    page.wait_for_function(
        f"() => ((cells) => cells.length && cells.every((cell) => cell.matches('.ready')))(({IN_VIEW})())"
    )


def first_id(page: Page) -> int:
    """Return the id of the first picture in view."""
    return int(page.evaluate(f"({IN_VIEW})().sort((a, b) => a.place - b.place)[0].shown.id"))


def jump(page: Page, share: float) -> None:
    """Pull the scrollbar to a share of the whole."""
    page.eval_on_selector(".lib-scroll", "(box, share) => { box.scrollTop = share * box.scrollHeight; }", share)


def test_the_scrollbar_spans_all_and_leads_anywhere_while_few_elements_are_there(page: Page) -> None:
    for share in (0.5, 0.98, 0.2):
        jump(page, share)
        shown(page)
        places = page.evaluate(f"({IN_VIEW})().map((cell) => cell.place)")
        assert abs(min(places) / RESULTS - share) < 0.1
        assert page.locator(".lib-cell").count() < 200
    page.locator(PICTURE).first.focus()
    page.keyboard.press("End")
    shown(page)
    assert page.evaluate("document.activeElement.place") == page.evaluate(
        "Number(document.querySelector('.lib-count').textContent.replace(/\\D/g, '')) - 1"
    )


def test_only_small_pictures_are_fetched_and_only_those_that_are_nearly_in_view(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    jump(page, 0.7)
    shown(page)
    pictures = [each for each in asked if "/view" in each]
    assert 0 < len(pictures) < 120
    assert all(each.endswith("width=256") for each in pictures)
    assert not [each for each in asked if each.endswith("/file")]


def test_a_new_picture_moves_nothing_that_is_looked_at(page: Page) -> None:
    jump(page, 0.4)
    shown(page)
    before = first_id(page), page.evaluate(TOP)
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
    start(page, "good, a new one")
    expect(page.locator(".lib-new")).to_have_text("1 new")
    assert (first_id(page), page.evaluate(TOP)) == before
    page.click(".lib-new")
    expect(page.locator(".lib-new")).to_be_hidden()
    shown(page)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("good, a new one")


def test_back_leads_from_a_picture_to_where_the_list_was(page: Page) -> None:
    jump(page, 0.6)
    shown(page)
    before = first_id(page), page.evaluate(TOP)
    page.keyboard.press("1")
    expect(page.locator(".stage")).to_be_visible()
    page.go_back()
    shown(page)
    assert (first_id(page), page.evaluate(TOP)) == before


def test_a_reload_leads_to_where_the_list_was(page: Page) -> None:
    jump(page, 0.6)
    shown(page)
    before = first_id(page)
    page.reload()
    page.wait_for_selector(PICTURE)
    shown(page)
    assert first_id(page) == before
    page.fill(".lib-search", "lake")
    expect(page.locator(COUNT)).to_contain_text("found")
    assert page.evaluate(TOP) == 0


def test_what_was_opened_by_its_address_is_found_in_the_list(page: Page) -> None:
    jump(page, 0.9)
    shown(page)
    page.locator(PICTURE).first.click()
    expect(page.locator(".lib-panel h2")).to_contain_text(" of ")
    where = page.inner_text(".lib-panel h2")
    page.reload()
    expect(page.locator(".lib-panel h2")).to_have_text(where)
    expect(page.locator(".lib-cell.current")).to_be_in_viewport()


def test_the_size_of_the_pictures_is_remembered_and_keeps_the_place(page: Page) -> None:
    jump(page, 0.5)
    shown(page)
    columns = int(page.evaluate("document.querySelector('.lib-grid').ariaColCount"))
    first = first_id(page)
    page.focus(".lib-density")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"document.querySelector('.lib-grid').ariaColCount > {columns}")
    shown(page)
    assert page.evaluate(f"({IN_VIEW})().some((cell) => cell.shown.id === {first})")
    page.reload()
    page.wait_for_selector(PICTURE)
    assert int(page.evaluate("document.querySelector('.lib-grid').ariaColCount")) > columns


def test_all_that_was_found_is_tagged_in_as_many_requests_as_it_takes(page: Page) -> None:
    page.fill(".lib-search", "lake")
    expect(page.locator(COUNT)).to_contain_text("found")
    found = page.inner_text(COUNT).split()[0]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+a")
    expect(page.locator(".lib-selected")).to_have_text(f"{found} selected")
    page.click(".lib-actions [data-act=tag]")
    page.fill("#lib-tags [name=tag]", "lakes")
    page.keyboard.press("Enter")
    expect(page.locator("#lib-tags [data-tag=lakes]")).to_be_visible()
    expect(page.locator(".lib-selected")).to_have_text(f"{found} selected")
    page.keyboard.press("Escape")
    page.click(".lib-filters")
    page.select_option("#lib-menu [name=tag]", label=f"lakes ({found})")
    expect(page.locator(COUNT)).to_have_text(f"{found} pictures found")
