"""The explore view: many runs with one plan, seen as a grid or a ladder, and brought back into the form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.support.axe import violations
from tests.support.browser import open_page
from tests.support.explore_page import CELL, DONE, PROGRESS, WORDS, begin, open_explore, plan
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import THUMBS, add_reference, choose_backend

pytestmark = pytest.mark.integration


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    """A page with a picture and a prompt, its explore view open."""
    with open_page(browser, fakes.url) as opened:
        add_reference(opened, picture_bytes("PNG", "RGB", (240, 160)))
        opened.fill("#prompt textarea", "a quiet lake")
        open_explore(opened)
        yield opened


def test_it_opens_by_click_and_by_key_and_has_an_address(page: Page) -> None:
    assert "#explore" in page.url
    assert not page.locator(".stage").is_visible()
    expect(page.locator(WORDS)).to_have_text("Choose a plan, or the axes of your own.")
    page.go_back()
    expect(page.locator(".stage")).to_be_visible()
    expect(page.locator("#run")).to_have_text("Run")
    page.locator(".stage").focus()
    page.keyboard.press("2")
    expect(page.locator(".xp-preset").first).to_be_visible()


def test_all_styles_come_as_a_sheet_that_a_reload_shows_again(page: Page) -> None:
    page.click("[data-preset=styles]")
    expect(page.locator(DONE)).to_have_count(2)
    expect(page.locator(PROGRESS)).to_contain_text("2 of 2")
    expect(page.locator(".xp-apply")).to_have_text(["Pencil sketch", '<b>"Odd"'])
    page.reload()
    expect(page.locator(DONE)).to_have_count(2)
    expect(page.locator(".xp-recent select option:checked")).to_contain_text("Style, 2 runs")


def test_two_axes_make_a_grid_with_names_that_the_keys_walk_through(page: Page) -> None:
    plan(page, strength="0.3..0.9 in 3", seed="7, 8")
    begin(page, 6)
    expect(page.locator(DONE)).to_have_count(6)
    expect(page.get_by_role("grid", name="Strength across, Seed down")).to_be_visible()
    expect(page.get_by_role("columnheader")).to_have_count(3)
    page.get_by_role("button", name="Strength 0.3, Seed 7").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Strength 0.6, Seed 8")).to_be_focused()
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Strength 0.6, Seed 8, starred")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.6")
    expect(page.locator("#param-seed input")).to_have_value("8")
    page.get_by_role("button", name="Strength 0.6, Seed 8").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog.full img").first).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator(f"{CELL}[aria-pressed=true]")).to_have_attribute("aria-label", "Strength 0.9, Seed 8")


def test_a_cell_becomes_the_reference_and_a_column_the_forms_value(page: Page) -> None:
    plan(page, strength="0.4, 0.8")
    begin(page, 2)
    page.get_by_role("button", name="Grid").click()
    expect(page.locator(DONE)).to_have_count(2)
    page.get_by_role("button", name="Use Strength 0.4 in the form").click()
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.4")
    page.locator(DONE).first.click()
    page.click(".xp-panel [data-act=use]")
    expect(page.locator(".reference-box .about strong")).to_contain_text("quiet lake")


def test_a_hidden_column_comes_back(page: Page) -> None:
    plan(page, seed="1, 2, 3")
    begin(page, 3)
    expect(page.locator(DONE)).to_have_count(3)
    page.locator(".xp-one").first.hover()
    page.get_by_role("button", name="Hide Seed 1").click()
    expect(page.locator(CELL)).to_have_count(2)
    page.click("[data-act=show-hidden]")
    expect(page.locator(CELL)).to_have_count(3)


PEEK = ".xp-peek:popover-open"


def box(locator: Locator) -> dict[str, float]:
    found = locator.bounding_box()
    assert found
    return dict(found)


def test_the_pointer_on_a_cell_shows_it_large_beside_it_and_leaves_the_page_as_it_is(page: Page) -> None:
    plan(page, strength="0.3, 0.6", seed="7, 8")
    begin(page, 4)
    expect(page.locator(DONE)).to_have_count(4)
    page.locator("#run").focus()
    cell = page.get_by_role("button", name="Strength 0.3, Seed 7")
    before = box(cell)
    cell.hover()
    peek = page.locator(PEEK)
    expect(peek).to_be_visible()
    expect(peek.locator("img")).to_have_js_property("complete", True)
    large = box(peek)
    assert box(cell) == before
    assert large["width"] > 1.25 * before["width"]
    assert large["width"] == pytest.approx(1.5 * large["height"], abs=1), "as the picture is, without bars"
    assert large["x"] >= before["x"] + before["width"] or large["y"] >= before["y"] + before["height"]
    expect(page.locator("#run")).to_be_focused()
    shown = peek.locator("img").get_attribute("src")
    page.get_by_role("button", name="Strength 0.6, Seed 7").hover()
    expect(peek.locator("img")).not_to_have_attribute("src", str(shown))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Strength 0.6, Seed 8").hover()
    expect(peek).to_be_visible()
    page.locator("[data-preset=seeds]").hover()
    expect(peek).to_have_count(0)
    cell.hover()
    expect(peek).to_be_visible()
    cell.click()
    expect(page.locator(".xp-panel")).to_be_visible()
    expect(peek).to_have_count(0)


def test_space_shows_the_focused_cell_large_while_it_is_held_and_chooses_it_when_pressed(page: Page) -> None:
    plan(page, seed="1, 2")
    begin(page, 2)
    expect(page.locator(DONE)).to_have_count(2)
    page.get_by_role("button", name="Seed 1", exact=True).focus()
    peek = page.locator(PEEK)
    page.keyboard.down(" ")
    expect(peek).to_be_visible()
    shown = peek.locator("img").get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Seed 2", exact=True)).to_be_focused()
    expect(peek.locator("img")).not_to_have_attribute("src", str(shown))
    page.keyboard.up(" ")
    expect(peek).to_have_count(0)
    expect(page.locator(".xp-panel")).to_have_count(0)
    page.keyboard.press(" ")
    expect(page.locator(".xp-panel")).to_be_visible()
    expect(peek).to_have_count(0)


def test_touch_shows_no_cell_over_the_others(browser: Browser, fakes: Served) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, has_touch=True)
    page = context.new_page()
    page.goto(fakes.url)
    page.wait_for_selector(".stage:not([data-state=starting])")
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
    page.fill("#prompt textarea", "a quiet lake")
    open_explore(page)
    plan(page, seed="1, 2")
    begin(page, 2)
    expect(page.locator(DONE)).to_have_count(2)
    page.evaluate(
        "() => { window.peeks = 0; document.querySelector('.xp-peek')"
        ".addEventListener('beforetoggle', () => { window.peeks += 1; }); }"
    )
    page.locator(DONE).first.tap()
    expect(page.locator(".xp-panel")).to_be_visible()
    page.locator(DONE).nth(1).tap()
    expect(page.locator(f"{CELL}[aria-pressed=true]")).to_have_attribute("aria-label", "Seed 2")
    page.locator(DONE).nth(1).hover()
    expect(page.locator(PEEK)).to_be_visible()
    assert page.evaluate("window.peeks") == 1, "the mouse's alone"
    context.close()


def test_what_failed_says_why_and_is_made_again_alone(page: Page, fakes: Served) -> None:
    plan(page, prompt="a lake\nfail now")
    begin(page, 2)
    expect(page.locator(f"{CELL}[data-state=failed]")).to_contain_text("The provider broke.")
    expect(page.locator(DONE)).to_have_count(1)
    page.locator(".xp-retry").click()
    expect(page.locator(PROGRESS)).to_contain_text("1 of 2")
    expect(page.locator(f"{CELL}[data-state=failed]")).to_have_count(1)
    expect(page.locator("[data-act=retry]")).to_have_text("Make the missing one")


def test_it_is_paused_and_goes_on_and_what_was_stopped_is_made_after_all(page: Page, fakes: Served) -> None:
    held = "\n".join(f"held pause{number}" for number in range(5))
    plan(page, prompt=held)
    begin(page, 5)
    expect(page.locator(f"{CELL}[data-state=running]")).to_have_count(1)
    page.click("[data-act=pause]")
    expect(page.locator(PROGRESS)).to_contain_text("paused")
    page.click("[data-act=resume]")
    expect(page.locator("[data-act=pause]")).to_be_visible()
    page.click(".xp-progress [data-act=cancel]")
    expect(page.locator(f"{CELL}[data-state=skipped]")).to_have_count(2)
    for number in range(5):
        (fakes.data_dir / f"pause{number}").write_text("now")
    page.click("[data-act=retry]")
    expect(page.locator(DONE)).to_have_count(5)


def test_the_ladder_shows_the_nearest_picture_at_once_and_finds_the_edge(page: Page) -> None:
    page.click("[data-preset=ladder]")
    expect(page.locator(".xp-dots .made")).to_have_count(7)
    page.locator(".xp-track input").focus()
    page.keyboard.press("End")
    expect(page.locator(".xp-large img.shown")).to_have_attribute("alt", "Strength 0.9")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".xp-large img.shown")).to_have_attribute("alt", "Strength 0.4")
    page.click("[data-act=halve]")
    expect(page.locator(".xp-dots .made")).to_have_count(8)
    expect(page.locator(".xp-large img.shown")).to_have_attribute("alt", "Strength 0.45")
    page.click("[data-act=play]")
    expect(page.locator(".xp-large img.shown")).to_have_attribute("alt", "Strength 0.5")
    page.click("[data-act=play]")
    expect(page.locator("[data-act=play]")).to_have_attribute("aria-pressed", "false")


def test_values_are_added_to_an_axis(page: Page) -> None:
    plan(page, seed="1, 2")
    begin(page, 2)
    expect(page.locator(DONE)).to_have_count(2)
    page.fill(".xp-add input", "5, 6")
    page.keyboard.press("Enter")
    expect(page.locator(DONE)).to_have_count(4)


def started(page: Page) -> list[str]:
    """Return the idempotency keys of the experiments that the page begins from now on."""
    keys = list[str]()

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/studio/v1/experiments"):
            keys.append(request.headers["idempotency-key"])

    page.on("request", note)
    return keys


def test_one_click_begins_a_plan_once_where_every_run_is_free(page: Page) -> None:
    keys = started(page)
    preset = page.get_by_role("button", name="Seeds ×9: start 9 runs now", exact=True)
    preset.dblclick()
    expect(page.locator(DONE)).to_have_count(9)
    expect(page.get_by_role("button", name="Seeds ×9: set up 9 runs, then press Run", exact=True)).to_be_focused()
    page.click("[data-preset=seeds]")
    expect(page.locator(WORDS)).to_contain_text("9 runs")
    page.click("#run")
    expect(page.locator(WORDS)).to_have_text("This plan has begun already. Press Run again to begin it once more.")
    assert len(keys) == 1


def test_a_style_chip_alone_is_words_enough_for_one_click(page: Page) -> None:
    page.fill("#prompt textarea", "")
    expect(page.get_by_role("button", name="Strength ladder: set up 7 runs, then press Run")).to_be_visible()
    page.get_by_role("button", name="All styles: start 2 runs now").click()
    expect(page.locator(DONE)).to_have_count(2)


def test_one_click_only_fills_in_a_plan_that_costs_money_or_lacks_something(page: Page) -> None:
    keys = started(page)
    page.get_by_role("button", name="Backends: set up 2 runs, then press Run").click()
    expect(page.locator(WORDS)).to_contain_text("2 runs")
    expect(page.locator(WORDS)).to_contain_text("$0.04")
    expect(page.locator(".xp-adapted")).to_contain_text("Guidance")
    page.fill("#prompt textarea", "")
    page.get_by_role("button", name="Seeds ×9: set up 9 runs, then press Run").click()
    expect(page.locator(WORDS)).to_contain_text("There is no prompt.")
    page.fill("#prompt textarea", "a lake at last")
    expect(page.locator("#run")).to_have_text("Run 9")
    choose_backend(page, "Other")
    page.get_by_role("button", name="Strength ladder: set up 7 runs, then press Run").click()
    expect(page.locator(WORDS)).to_contain_text("$0.28")
    assert not keys
    begin(page, 7)
    expect(page.locator(".xp-dots .made")).to_have_count(7)
    assert len(keys) == 1


def test_what_is_wrong_is_said_at_its_axis(page: Page) -> None:
    plan(page, strength="0.3, many")
    expect(page.locator(".xp-wrong")).to_contain_text("These are no numbers.")
    expect(page.locator(WORDS)).to_have_text("One of the axes is incomplete.")
    plan(page, strength="0.3, 0.3")
    expect(page.locator(".xp-wrong")).to_be_visible()
    page.click("#run")
    expect(page.locator(CELL)).to_have_count(0)


def test_a_large_plan_and_the_same_plan_again_are_asked_for(page: Page) -> None:
    plan(page, strength="0.1..0.9 in 9", seed="1 2 3 4 5 6 7 8 9")
    begin(page, 81)
    expect(page.locator(WORDS)).to_have_text("These are 81 runs. Press Run again to begin.")
    expect(page.locator(CELL)).to_have_count(0)
    page.locator(".xp-remove").last.click()
    plan(page, strength="0.1, 0.2")
    begin(page, 2)
    expect(page.locator(".xp-dots .made")).to_have_count(2)
    page.click("#run")
    expect(page.locator(WORDS)).to_have_text("This plan has begun already. Press Run again to begin it once more.")


def test_many_pictures_are_an_axis(page: Page) -> None:
    page.click("[data-act=custom]")
    page.locator(".xp-axis select").select_option("reference")
    files = [
        {
            "name": f"photo {number}.png",
            "mimeType": "image/png",
            "buffer": picture_bytes("PNG", "RGB", (200 + number, 160)),
        }
        for number in range(2)
    ]
    page.set_input_files(".xp-files input", files)
    begin(page, 3)
    expect(page.locator(DONE)).to_have_count(3)
    expect(page.locator(".xp-apply")).to_have_text(["photo.png", "photo 0.png", "photo 1.png"])


def test_the_pictures_stand_in_the_strip_and_the_library_too(page: Page) -> None:
    plan(page, seed="1, 2")
    begin(page, 2)
    expect(page.locator(DONE)).to_have_count(2)
    expect(page.locator("#library-tab")).to_contain_text("2")
    page.click("#studio-tab")
    expect(page.locator(THUMBS)).to_have_count(2)


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 720, "light"), (390, 844, "dark")])
def test_axe_finds_nothing_in_the_explore_view(
    browser: Browser, fakes: Served, width: int, height: int, scheme: str
) -> None:
    with open_page(browser, fakes.url, width, height, scheme) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        page.evaluate("location.hash = '#explore'")
        page.wait_for_selector(".xp-preset")
        assert not violations(page), "empty"
        page.evaluate(
            "(text) => { const box = document.querySelector('#prompt textarea'); box.value = text;"
            " box.dispatchEvent(new Event('input', { bubbles: true })); }",
            "a lake",
        )
        plan(page, strength="0.3, 0.6", prompt="a lake\nfail")
        assert not violations(page), "planned"
        expect(page.locator(WORDS)).to_contain_text("4 runs")
        page.keyboard.press("Control+Enter")
        expect(page.locator(DONE)).to_have_count(2)
        assert not violations(page), "grid"
        page.locator(DONE).first.click()
        expect(page.locator(".xp-panel .meters-words")).to_be_visible()
        assert not violations(page), "cell"
        page.keyboard.press("Escape")
        page.click("[data-preset=ladder]")
        expect(page.locator(".xp-dots .made")).to_have_count(7)
        assert not violations(page), "ladder"


def test_favourites_make_a_round_of_neighbours_with_reasons_again_and_again(page: Page) -> None:
    plan(page, seed="1, 2")
    begin(page, 2)
    expect(page.locator(DONE)).to_have_count(2)
    page.locator(DONE).first.focus()
    page.keyboard.press("e")
    page.locator(DONE).nth(1).click()
    page.click(".xp-panel [data-act=pick]")
    expect(page.locator("[data-act=evolve]")).to_have_text("Evolve A, B: 8 runs")
    page.click("[data-act=evolve]")
    expect(page.locator(DONE)).to_have_count(8)
    expect(page.locator(".xp-reasons").first).to_contain_text("From A")
    page.locator(DONE).nth(3).click()
    page.click(".xp-panel [data-act=pick]")
    expect(page.locator("[data-act=evolve]")).to_have_text("Evolve A, B, C: 8 runs")
    page.go_back()
    expect(page.locator(".xp-letter")).to_have_text(["A", "B"])
    page.click(".xp-progress [data-act=compare]")
    expect(page.locator("#compare-tab")).to_have_attribute("aria-selected", "true")


def test_the_librarys_selection_evolves_and_becomes_a_batch(page: Page) -> None:
    plan(page, seed="1, 2")
    begin(page, 2)
    expect(page.locator(DONE)).to_have_count(2)
    page.click("#library-tab")
    expect(page.locator(".lib-cell.ready")).to_have_count(2)
    page.locator(".lib-cell.ready").first.click(modifiers=["Control"])
    page.locator(".lib-cell.ready").nth(1).click(modifiers=["Control"])
    page.click(".lib-actions [data-act=batch]")
    expect(page.locator(".xp-pick[aria-pressed=true]")).to_have_count(2)
    begin(page, 2)
    expect(page.locator(DONE)).to_have_count(2)
    page.click("#library-tab")
    page.click(".lib-actions [data-act=evolve]")
    expect(page.locator(DONE)).to_have_count(8)
