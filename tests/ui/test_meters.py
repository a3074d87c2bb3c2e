"""How results compare with their references, as the page says it, sorts by it and hands out their colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import violations
from tests.support.browser import open_page
from tests.support.explore_page import CELL, DONE, begin, open_explore, plan
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import THUMBS, add_reference, set_images, set_number, start

pytestmark = pytest.mark.integration

SEEDS = (0, 130, 255)
"""The fake backend lays half of a colour made of the seed over the reference: black, half red, red."""
METERS = ".meters-words"
LIBRARY = ".lib-row:not([hidden]) .lib-cell.ready:not([hidden])"
PANEL = ".lib-panel:not([hidden])"
MEASURED = """
  async (count) => {
    for (let asked = 0; asked < 600; asked += 1) {
      const { results } = await (await fetch('studio/v1/results')).json();
      if (results.length === count && results.every(({ meters }) => meters)) return results;
      await new Promise((then) => setTimeout(then, 100));
    }
    return [];
  }
"""
IN_ORDER = """
  (wanted) => {
    const there = [...document.querySelectorAll('.lib-row:not([hidden]) .lib-cell:not([hidden])')]
      .sort((a, b) => a.place - b.place).map((cell) => /seed (\\d+)/.exec(cell.getAttribute('aria-label') ?? '')?.[1]);
    return there.join() === wanted;
  }
"""


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    """A page on whose explore view an experiment over three seeds has run, each picture measured."""
    with open_page(browser, fakes.url) as opened:
        add_reference(opened, picture_bytes("PNG", "RGB", (240, 160)))
        opened.fill("#prompt textarea", "a quiet lake")
        open_explore(opened)
        plan(opened, seed=", ".join(map(str, SEEDS)))
        begin(opened, len(SEEDS))
        expect(opened.locator(DONE)).to_have_count(len(SEEDS))
        measured(opened, len(SEEDS))
        yield opened


def measured(page: Page, count: int) -> list[dict[str, Any]]:
    """Wait until the latest results have figures; return them as the API has them."""
    found: list[dict[str, Any]] = page.evaluate(MEASURED, count)
    assert len(found) == count
    return found


def by_figure(page: Page, name: str) -> list[int]:
    """Return the seeds in the order of a figure that the API has, the highest first."""
    results = sorted(measured(page, len(SEEDS)), key=lambda each: -float(each["meters"][name]))
    assert len({each["meters"][name] for each in results}) == len(SEEDS)
    return [each["recipe"]["seeds"][0] for each in results]


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_the_chosen_cell_says_how_its_picture_compares_with_the_reference(page: Page) -> None:
    figures = {each["recipe"]["seeds"][0]: each["meters"] for each in measured(page, len(SEEDS))}
    for seed in SEEDS:
        page.get_by_role("button", name=f"Seed {seed}", exact=True).click()
        words = page.locator(f".xp-panel {METERS}")
        expect(words).to_contain_text(f"Structure kept {100 * figures[seed]['structure']:.0f} %")
        expect(words).to_contain_text(f"Colour shift {round(figures[seed]['colour_shift'], 1):g} ")
        expect(words).to_contain_text("of the reference")


def test_a_swatch_copies_its_value_and_all_together_copy_as_words_for_a_prompt(page: Page) -> None:
    page.locator(DONE).first.click()
    swatch = page.locator(".xp-panel [data-hex]").first
    swatch.click()
    expect(page.locator(".swatches [role=status]")).to_contain_text("Copied: #")
    assert clipboard(page) == swatch.get_attribute("data-hex")
    words = page.locator(".xp-panel [data-copy-words]")
    words.click()
    expect(page.locator(".swatches [role=status]")).to_contain_text(f"Copied: {words.get_attribute('title')}")
    assert clipboard(page) == words.get_attribute("title")
    assert not any(character in clipboard(page) for character in "#0123456789")


@pytest.mark.parametrize(("label", "figure"), [("structure kept", "structure"), ("colour shift", "colour_shift")])
def test_the_cells_are_sorted_by_a_figure_and_back(page: Page, label: str, figure: str) -> None:
    seeds = page.locator(".xp-apply")
    expect(seeds).to_have_text([str(each) for each in SEEDS])
    page.get_by_label("Sort by").select_option(label=label)
    expect(seeds).to_have_text([str(each) for each in by_figure(page, figure)])
    page.get_by_label("Sort by").select_option(label="own order")
    expect(seeds).to_have_text([str(each) for each in SEEDS])


def test_the_keys_walk_the_cells_as_they_are_sorted(page: Page) -> None:
    page.get_by_label("Sort by").select_option(label="colour shift")
    first, second, _ = by_figure(page, "colour_shift")
    page.get_by_role("button", name=f"Seed {first}", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name=f"Seed {second}", exact=True)).to_be_focused()


def test_the_library_sorts_by_a_figure_and_its_details_say_it(page: Page) -> None:
    page.click("#library-tab")
    expect(page.locator(LIBRARY)).to_have_count(len(SEEDS))
    for label, figure in (("Most structure kept", "structure"), ("Largest colour shift", "colour_shift")):
        page.select_option(".lib-sort", label=label)
        page.wait_for_function(IN_ORDER, arg=",".join(map(str, by_figure(page, figure))))
    best = max(measured(page, len(SEEDS)), key=lambda each: float(each["meters"]["colour_shift"]))
    page.locator(LIBRARY).first.click()
    panel = page.locator(PANEL)
    expect(panel.locator("[data-figure=seed] dd")).to_have_text(str(best["recipe"]["seeds"][0]))
    shift = round(best["meters"]["colour_shift"], 1)
    expect(panel.locator(METERS)).to_contain_text(f"Colour shift {shift:g} (1 is just visible)")
    swatch = panel.locator("[data-hex]").first
    swatch.click()
    expect(panel.locator(".swatches [role=status]")).to_contain_text("Copied: ")
    assert clipboard(page) == swatch.get_attribute("data-hex") == best["meters"]["palette"][0]["hex"]


def test_an_experiment_opens_in_the_library_as_a_list_of_its_own(page: Page) -> None:
    page.click("#studio-tab")
    start(page, "a tower, and no part of it")
    expect(page.locator(THUMBS)).to_have_count(len(SEEDS) + 1)
    page.click("#explore-tab")
    page.click("[data-act=in-library]")
    chip = page.locator(".lib-found .lib-chip")
    expect(chip).to_contain_text("One experiment")
    expect(page.locator("#run")).to_have_text("Run")
    expect(page.locator(".lib-count")).to_have_text("3 pictures found")
    page.wait_for_function(IN_ORDER, arg=",".join(str(each) for each in reversed(SEEDS)))
    page.reload()
    expect(page.locator(".lib-count")).to_have_text("3 pictures found")
    chip.click()
    expect(page.locator(".lib-count")).to_have_text("4 pictures")
    page.go_back()
    expect(page.locator(CELL)).to_have_count(len(SEEDS))


def test_a_chain_of_references_says_what_has_drifted_since_the_first(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        set_images(page, 1)
        page.click("#seed-lock input")
        for number, prompt in enumerate(("the first", "the second"), 1):
            set_number(page, "seed", 255)
            start(page, prompt)
            expect(page.locator(THUMBS)).to_have_count(number)
            measured(page, number)
            if number == 1:
                page.click("[data-act=use]")
                expect(page.locator(".reference-box[data-reading=false] .about strong")).to_contain_text("the first")
        page.click("#library-tab")
        page.locator(LIBRARY).nth(1).click()
        expect(page.locator(f"{PANEL} q")).to_have_text("the first")
        expect(page.locator(f"{PANEL} .lib-lineage .children button")).to_have_count(1)
        expect(page.locator(".lib-drift")).to_have_count(0)
        page.locator(f"{PANEL} .lib-lineage .children button").click()
        expect(page.locator(f"{PANEL} q")).to_have_text("the second")
        expect(page.locator(".lib-drift", has_text="The mean colour is not that of the first picture")).to_be_visible()
        expect(page.locator(".lib-drift", has_text="the contrast has fallen")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 720, "dark"), (390, 844, "light")])
def test_axe_finds_nothing_in_the_details_of_a_measured_picture(
    browser: Browser, fakes: Served, width: int, height: int, scheme: str
) -> None:
    with open_page(browser, fakes.url, width, height, scheme) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        if width < 700:
            page.click("#sheet-button")
        start(page, "a lake")
        measured(page, 1)
        page.click("#library-tab")
        page.locator(LIBRARY).first.click()
        expect(page.locator(f"{PANEL} {METERS}")).to_be_visible()
        assert not violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
