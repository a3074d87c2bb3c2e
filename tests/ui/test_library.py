"""The library: every picture is found, marked, looked at and put back into the form."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import RESULT, THUMBS, add_reference, release, set_images, set_number, start

pytestmark = pytest.mark.integration

CELL = ".lib-cell:not([hidden])"
PICTURE = f".lib-row:not([hidden]) {CELL}.ready"
PANEL = ".lib-panel:not([hidden])"
SEARCH = ".lib-search"
COUNT = ".lib-count"


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    """A page with six pictures of three runs: two harbours, one lake, three towers."""
    with open_page(browser, fakes.url) as opened:
        make(opened)
        yield opened


def make(page: Page) -> None:
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
    for before, (prompt, images) in {0: ("harbour at dawn", 2), 2: ("lake in the mist", 1), 3: ("tower", 3)}.items():
        set_images(page, images)
        start(page, prompt)
        expect(page.locator(THUMBS)).to_have_count(before + images)


def open_library(page: Page) -> None:
    page.click("#library-tab")
    page.wait_for_selector(PICTURE)
    expect(page.locator(f".lib-row:not([hidden]) {CELL}:not(.ready)")).to_have_count(0)


NAMES = """() => [...document.querySelectorAll('.lib-row:not([hidden]) .lib-cell:not([hidden])')]
    .sort((a, b) => a.place - b.place).map((cell) => (cell.getAttribute('aria-label') ?? '').split(',')[0])"""
"""The prompts of the pictures in the grid, in its order."""


def expect_names(page: Page, *wanted: str) -> None:
    """Wait until the grid begins with pictures of these prompts; it follows its own count by a frame."""
    page.wait_for_function(
        f"(wanted) => {{ const there = ({NAMES})(); return wanted.every((each, at) => there[at] === each); }}",
        arg=list(wanted),
    )


def expect_only(page: Page, *wanted: str) -> None:
    """As `expect_names`, and no more are there."""
    page.wait_for_function(
        f"(wanted) => JSON.stringify(({NAMES})()) === wanted", arg=json.dumps(wanted, separators=(",", ":"))
    )


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label')"))


def place(page: Page) -> int:
    """Return the place in the list that has the focus; -1 where it is no picture."""
    return int(page.evaluate("document.activeElement.place ?? -1"))


def selected(page: Page) -> int:
    return page.locator(f"{CELL}[aria-selected=true]").count()


def test_it_opens_by_click_and_by_key_and_back_returns_to_the_stage(page: Page) -> None:
    expect(page.locator("#library-tab")).to_contain_text("6")
    open_library(page)
    assert not page.locator(".stage").is_visible()
    assert "#library" in page.url
    expect_only(page, *["tower"] * 3, "lake in the mist", *["harbour at dawn"] * 2)
    expect(page.locator(COUNT)).to_have_text("6 pictures")
    page.go_back()
    expect(page.locator(RESULT).first).to_be_visible()
    page.keyboard.press("3")
    expect(page.locator(PICTURE).first).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator(RESULT).first).to_be_visible()
    page.focus("#prompt textarea")
    page.keyboard.type("33")
    expect(page.locator(RESULT).first).to_be_visible()
    page.go_back()
    expect(page.locator(PICTURE).first).to_be_visible()


def test_an_address_leads_straight_to_a_picture_and_closing_it_to_the_grid(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).nth(3).click()
    expect(page.locator(f"{PANEL} q")).to_have_text("lake in the mist")
    page.reload()
    expect(page.locator(f"{PANEL} q")).to_have_text("lake in the mist")
    expect(page.locator(f"{PANEL} h2")).to_have_text("4 of 6")
    page.click(f"{PANEL} [data-act=close]")
    expect(page.locator(".lib-panel")).to_be_hidden()
    expect(page.locator(PICTURE)).to_have_count(6)
    assert place(page) == 3


def test_a_new_result_comes_to_the_top(page: Page) -> None:
    open_library(page)
    start(page, "a boat")
    expect(page.locator(COUNT)).to_have_text("9 pictures")
    expect_names(page, *["a boat"] * 3, "tower")
    expect(page.locator("#library-tab")).to_contain_text("9")


def test_search_finds_while_one_types_and_says_where_nothing_is_found(page: Page) -> None:
    open_library(page)
    page.fill(SEARCH, "harb")
    expect(page.locator(COUNT)).to_have_text("2 pictures found")
    expect_only(page, *["harbour at dawn"] * 2)
    page.locator(SEARCH).press_sequentially("zz")
    expect(page.locator(".lib-empty")).to_contain_text("Nothing found")
    page.click("[data-act=clear-filter]")
    expect(page.locator(COUNT)).to_have_text("6 pictures")
    expect(page.locator(SEARCH)).to_be_focused()
    page.keyboard.type("lake")
    expect(page.locator(COUNT)).to_have_text("1 picture found")
    page.reload()
    expect(page.locator(COUNT)).to_have_text("1 picture found")
    expect(page.locator(SEARCH)).to_have_value("lake")


def test_a_key_stars_and_the_filter_shows_the_starred_alone(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    expect(page.locator(f"{CELL}.starred")).to_have_count(1)
    assert focused(page).endswith("starred")
    page.click(".lib-star")
    expect(page.locator(COUNT)).to_have_text("1 picture found")
    chip = page.locator(".lib-found .lib-chip")
    expect(chip).to_contain_text("Starred")
    chip.click()
    expect(page.locator(COUNT)).to_have_text("6 pictures")
    page.fill(SEARCH, "")
    page.keyboard.type("s")
    expect(page).to_have_url(re.compile("q=s"))
    expect(page.locator(f"{CELL}.starred")).to_have_count(1)


def test_filters_are_chosen_from_what_there_is(page: Page) -> None:
    open_library(page)
    page.click(".lib-filters")
    page.select_option("#lib-menu [name=backend]", label="First (6)")
    expect(page.locator(COUNT)).to_have_text("6 pictures found")
    page.select_option("#lib-menu [name=size]", label="over 2 MP")
    expect(page.locator(COUNT)).to_have_text("0 pictures found")
    expect(page.locator(".lib-found .lib-chip")).to_have_count(2)
    page.click("#lib-menu .lib-menu-end button >> nth=0")
    expect(page.locator(COUNT)).to_have_text("6 pictures")
    page.keyboard.press("Escape")
    page.select_option(".lib-sort", "oldest")
    expect(page.locator(f"{CELL}[aria-label^=harbour]").first).to_be_visible()
    page.wait_for_function(
        "[...document.querySelectorAll('.lib-cell')].find((cell) => cell.place === 0).getAttribute('aria-label')"
        ".startsWith('harbour')"
    )


def test_runs_that_failed_are_found_with_what_went_wrong(page: Page) -> None:
    start(page, "fail")
    page.wait_for_selector(".stage[data-state=failed]")
    open_library(page)
    page.click(".lib-filters")
    page.check("#lib-menu [name=failed]")
    page.keyboard.press("Escape")
    expect(page.locator(f"{CELL}.failed").first).to_contain_text("The provider broke.")


def test_pictures_are_walked_by_keys_as_one_tab_stop(page: Page) -> None:
    open_library(page)
    assert page.locator(".lib-grid [tabindex='0']").count() == 1
    page.focus(".lib-density")
    page.keyboard.press("Tab")
    assert place(page) == 0
    for key, wanted in (
        ("ArrowRight", 1),
        ("End", 5),
        ("ArrowLeft", 4),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("PageDown", 5),
    ):
        page.keyboard.press(key)
        assert place(page) == wanted, key
    assert page.locator(".lib-grid [tabindex='0']").count() == 1


def test_pictures_are_selected_by_range_one_by_one_and_all(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).nth(1).click(modifiers=["Control"])
    page.locator(PICTURE).nth(4).click(modifiers=["Shift"])
    expect(page.locator(".lib-selected")).to_have_text("4 selected")
    page.locator(PICTURE).nth(2).click(modifiers=["Control"])
    expect(page.locator(".lib-selected")).to_have_text("3 selected")
    assert selected(page) == 3
    page.keyboard.press("Control+a")
    expect(page.locator(".lib-selected")).to_have_text("6 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".lib-actions")).to_have_count(0)
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".lib-selected")).to_have_text("3 selected")
    page.keyboard.press(" ")
    expect(page.locator(".lib-selected")).to_have_text("2 selected")


def test_deleting_asks_once_and_can_be_undone(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).nth(3).click(modifiers=["Control"])
    page.keyboard.press("Delete")
    expect(page.locator(".lib-question")).to_contain_text("Delete this picture?")
    page.keyboard.press("Escape")
    expect(page.locator(".lib-question")).to_have_count(0)
    assert place(page) == 3
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(page.locator(".lib-undo")).to_contain_text("1 deleted.")
    expect(page.locator(COUNT)).to_have_text("5 pictures")
    expect_only(page, *["tower"] * 3, *["harbour at dawn"] * 2)
    assert place(page) == 3
    page.click("[data-act=undo]")
    expect(page.locator(COUNT)).to_have_text("6 pictures")
    expect_only(page, *["tower"] * 3, "lake in the mist", *["harbour at dawn"] * 2)
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".lib-selected")).to_have_text("2 selected")
    page.keyboard.press("Delete")
    expect(page.locator(".lib-undo")).to_contain_text("2 deleted.")
    page.keyboard.press("1")
    expect(page.locator(THUMBS)).to_have_count(4)
    page.keyboard.press("3")
    page.keyboard.press("Control+z")
    expect(page.locator(COUNT)).to_have_text("6 pictures")
    page.keyboard.press("1")
    expect(page.locator(THUMBS)).to_have_count(6)


def test_a_selection_is_tagged_and_put_into_a_project(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).first.click(modifiers=["Control"])
    page.locator(PICTURE).nth(2).click(modifiers=["Shift"])
    page.click(".lib-actions [data-act=tag]")
    page.fill("#lib-tags [name=tag]", "client A")
    page.keyboard.press("Enter")
    expect(page.locator("#lib-tags [data-tag='client A']")).to_be_visible()
    page.keyboard.press("Escape")
    page.click(".lib-actions [data-act=project]")
    page.fill("#lib-projects [name=project]", "Towers")
    page.keyboard.press("Enter")
    expect(page.locator("#lib-projects")).to_contain_text("Towers")
    page.keyboard.press("Escape")
    page.click(".lib-filters")
    page.select_option("#lib-menu [name=tag]", label="client A (3)")
    expect(page.locator(COUNT)).to_have_text("3 pictures found")
    page.select_option("#lib-menu [name=project]", label="Towers (3)")
    expect(page.locator(".lib-found .lib-chip")).to_have_count(2)
    expect(page.locator(COUNT)).to_have_text("3 pictures found")


def test_a_project_leaves_as_one_file_and_comes_in_elsewhere(page: Page, browser: Browser, fakes: Served) -> None:
    open_library(page)
    page.locator(PICTURE).first.click(modifiers=["Control"])
    page.locator(PICTURE).nth(2).click(modifiers=["Shift"])
    page.click(".lib-actions [data-act=project]")
    page.fill("#lib-projects [name=project]", "Carried")
    page.keyboard.press("Enter")
    expect(page.locator("#lib-projects")).to_contain_text("Carried")
    page.keyboard.press("Escape")
    page.click(".lib-filters")
    page.select_option("#lib-menu [name=project]", label="Carried (3)")
    page.keyboard.press("Escape")
    with page.expect_download() as waiting:
        page.click(".lib-export")
    assert waiting.value.suggested_filename == "Carried.zip"
    with open_page(browser, fakes.url, refused=True) as other:
        other.click("#library-tab")
        other.click(".lib-filters")
        other.set_input_files(".lib-import input", waiting.value.path())
        expect(other.get_by_text("Carried: 3 pictures are new.")).to_be_visible()
        expect(other.locator(COUNT)).to_have_text("3 pictures")
        other.set_input_files(
            ".lib-import input", {"name": "no.zip", "mimeType": "application/zip", "buffer": b"no archive"}
        )
        expect(other.locator(".lib-problem")).to_contain_text("This is not an archive of this app")


def test_what_is_selected_is_downloaded(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).nth(3).click(modifiers=["Control"])
    with page.expect_download() as waiting:
        page.click(".lib-actions [data-act=download]")
    assert waiting.value.suggested_filename.startswith("srpo_photo")


def test_before_storage_runs_out_it_is_said_what_goes_and_what_to_do(page: Page) -> None:
    full = {"full": 0.93, "oldest": 1_700_000_000.0, "quota_bytes": 20_000_000_000, "removable_pictures": 41}
    page.route("**/studio/v1/library", lambda route: route.fulfill(json=route.fetch().json() | full))
    open_library(page)
    said = page.locator(".lib-room-low")
    expect(said).to_contain_text("Storage (20 GB) is 93 % full.")
    expect(said).to_contain_text("beginning with Tue, November 14, 2023: 41 pictures can go.")
    expect(said).to_contain_text("Star what you want to keep")
    said.get_by_role("button", name="Show the oldest").click()
    expect(page.locator(".lib-sort")).to_have_value("oldest")
    said.get_by_role("button", name="Close").click()
    expect(said).to_have_count(0)


def test_before_a_run_removes_pictures_it_is_said_above_run_which(browser: Browser, fakes: Served) -> None:
    room = {"free_bytes": 0, "goes_first": True, "oldest": 1_700_000_000.0}
    with open_page(browser, fakes.url) as page:
        page.route("**/studio/v1/library", lambda route: route.fulfill(json=route.fetch().json() | room))
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        set_images(page, 1)
        start(page, "harbour at dawn")
        expect(page.locator(THUMBS)).to_have_count(1)
        said = page.locator("#preflight .room-notice")
        expect(said).to_contain_text("Storage is full: this run removes the oldest picture, from")
        expect(said).to_contain_text("Nov 14, 2023")


def test_the_storage_line_and_the_full_view_fit_a_finger(browser: Browser, fakes: Served) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    full = {"full": 0.93, "oldest": 1_700_000_000.0, "quota_bytes": 20_000_000_000, "removable_pictures": 41}
    page.route("**/studio/v1/library", lambda route: route.fulfill(json=route.fetch().json() | full))
    page.goto(fakes.url)
    page.wait_for_selector(".stage:not([data-state=starting])")
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
    start(page, "harbour at dawn")
    expect(page.locator(THUMBS).first).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    open_library(page)
    expect(page.locator(".lib-room-low")).to_be_visible()
    words, *buttons = (each.bounding_box() for each in page.locator(".lib-room-low > *").all())
    assert words is not None
    assert words["width"] >= 300, "the words have a line of their own"
    for button in buttons:
        assert button is not None
        assert button["height"] >= 44
        assert button["x"] + button["width"] <= 390
    page.locator(PICTURE).first.tap()
    page.locator(f"{PANEL} [data-act=full]").tap()
    buttons_and_link = page.locator("dialog.full[open] .full-bar :is(button, a)")
    expect(buttons_and_link).to_have_count(5)
    for each in buttons_and_link.all():
        box = each.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= 44
    context.close()


def test_several_are_downloaded_as_one_archive(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).nth(3).click(modifiers=["Control"])
    page.locator(PICTURE).nth(4).click(modifiers=["Control"])
    with page.expect_download() as waiting:
        page.click(".lib-actions [data-act=download]")
    assert re.fullmatch(r"SRPO Studio \d{4}-\d\d-\d\d\.zip", waiting.value.suggested_filename)
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert sum(each.startswith("pictures/") for each in archive.namelist()) == 2
        assert "contact-sheet.jpg" in archive.namelist()


def test_the_details_say_how_a_picture_was_made_and_walk_the_list(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).nth(3).focus()
    page.keyboard.press("Enter")
    panel = page.locator(PANEL)
    expect(panel.locator("q")).to_have_text("lake in the mist")
    expect(panel.locator("h2")).to_have_text("4 of 6")
    for figure, words in (("strength", "0.6"), ("guidance_scale", "3.5"), ("backend", "First"), ("size", "240×160")):
        expect(panel.locator(f"[data-figure={figure}] dd")).to_have_text(words)
    expect(panel.locator("[data-figure=source] dd")).to_have_text("This page")
    expect(panel.locator("img.lib-result")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(panel.locator("q")).to_have_text("harbour at dawn")
    page.click(f"{PANEL} [data-act=previous]")
    page.keyboard.press("ArrowLeft")
    expect(panel.locator("q")).to_have_text("tower")
    page.go_back()
    expect(page.locator(".lib-panel")).to_be_hidden()
    page.go_back()
    expect(page.locator(RESULT).first).to_be_visible()


@pytest.mark.parametrize("by", ["key", "button", "double click"])
def test_the_details_open_in_the_full_view_which_walks_the_list(page: Page, by: str) -> None:
    open_library(page)
    page.locator(PICTURE).nth(3).focus()
    page.keyboard.press("Enter")
    panel, full = page.locator(PANEL), page.locator("dialog.full[open]")
    expect(panel.locator("q")).to_have_text("lake in the mist")
    if by == "key":
        page.keyboard.press("f")
    elif by == "button":
        panel.locator("[data-act=full]").click()
    else:
        panel.locator("img.lib-result").dblclick()
    expect(full.locator(".full-facts")).to_contain_text("lake in the mist")
    page.keyboard.press("ArrowRight")
    expect(full.locator(".full-facts")).to_contain_text("harbour at dawn")
    if by == "key":
        page.keyboard.press("Escape")
    else:
        page.go_back()
    expect(full).to_have_count(0)
    expect(panel.locator("q")).to_have_text("harbour at dawn")
    page.go_back()
    expect(page.locator(".lib-panel")).to_be_hidden()


def test_the_details_hand_out_the_code_of_a_run_with_what_it_reads(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).first.click()
    page.click("[data-act=code]")
    shown = page.locator("[data-code] pre:visible")
    expect(shown).to_contain_text("/v1/images/generations")
    expect(shown).to_contain_text("reference.png")
    with page.expect_download() as waiting:
        page.click("[data-code] a.button")
    assert waiting.value.suggested_filename == "reference.png"
    page.click(".lib-deeds [data-act=download-as]")
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="The backend's own file").click()
    assert waiting.value.suggested_filename.endswith(".png")


def test_a_recipe_goes_back_into_the_form_whole_or_in_parts(page: Page) -> None:
    page.fill("#prompt textarea", "something else")
    set_number(page, "strength", 0.2)
    open_library(page)
    page.locator(PICTURE).nth(3).click()
    page.click(f"{PANEL} [data-apply=prompt]")
    expect(page.locator("#prompt textarea")).to_have_value("lake in the mist")
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.2")
    expect(page.locator(".lib-applied")).to_have_text("Applied to the form.")
    page.click(f"{PANEL} [data-apply=seed]")
    expect(page.locator("#seed-lock input")).to_be_checked()
    add_reference_and_back(page)
    page.click(f"{PANEL} [data-apply=recipe]")
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.6")
    expect(page.locator(".reference-box .about strong")).to_have_text("other.png")
    expect(page.locator(".stage")).to_be_visible()
    page.go_back()
    page.click(f"{PANEL} [data-apply=all]")
    expect(page.locator(".reference-box .about strong")).to_have_text("photo.png")
    expect(page.locator(".stage")).to_be_visible()


def add_reference_and_back(page: Page) -> None:
    """Choose another reference beside the library."""
    add_reference(page, picture_bytes("PNG", "RGB", (160, 240)), "other.png")


def test_a_note_is_saved_as_it_is_typed_and_tags_are_given_one_by_one(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).nth(3).click()
    panel = page.locator(PANEL)
    panel.locator("textarea").press_sequentially("the client likes this one")
    expect(panel.locator(".lib-note span")).to_have_text("Saved")
    expect(panel.locator("textarea")).to_be_focused()
    panel.locator("[name=tag]").fill("final")
    page.keyboard.press("Enter")
    expect(panel.locator("[data-tag=final]")).to_be_visible()
    panel.locator("[data-act=star]").click()
    expect(panel.locator("[data-act=star]")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(panel.locator("textarea")).to_have_value("the client likes this one")
    expect(panel.locator("[data-act=star]")).to_have_attribute("aria-pressed", "true")
    panel.locator("[data-tag=final]").click()
    expect(panel.locator("[data-tag=final]")).to_have_count(0)
    page.fill(SEARCH, "client")
    expect(page.locator(COUNT)).to_have_text("1 picture found")


def test_lineage_leads_from_the_first_photo_to_what_was_made_of_a_picture(page: Page) -> None:
    set_images(page, 1)
    page.click("[data-act=use]")
    expect(page.locator(".reference-box[data-reading=false]")).to_have_count(1)
    start(page, "the tower at night")
    expect(page.locator(THUMBS)).to_have_count(7)
    open_library(page)
    page.locator(PICTURE).first.click()
    lineage = page.locator(f"{PANEL} .lib-lineage")
    expect(lineage.locator(".photo img")).to_be_visible()
    expect(lineage.locator("button")).to_have_count(1)
    lineage.locator("button").click()
    expect(page.locator(f"{PANEL} q")).to_have_text("tower")
    expect(lineage.locator(".children button")).to_have_count(1)
    lineage.locator(".children button").click()
    expect(page.locator(f"{PANEL} q")).to_have_text("the tower at night")


def test_the_focus_is_never_lost(page: Page) -> None:
    open_library(page)
    page.locator(PICTURE).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(PANEL)
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(page.locator(COUNT)).to_have_text("5 pictures")
    assert page.evaluate("document.activeElement !== document.body")
    page.click(f"{PANEL} [data-act=close]")
    expect(page.locator(".lib-panel")).to_be_hidden()
    assert place(page) >= 0
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator(".lib-empty")).to_contain_text("No pictures yet")
    assert page.evaluate("document.activeElement !== document.body")
    page.click("[data-act=undo]")
    expect(page.locator(COUNT)).to_have_text("5 pictures")


def test_before_the_first_picture_it_leads_to_where_one_is_made(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as page:
        page.click("#library-tab")
        expect(page.locator(".lib-empty")).to_contain_text("No pictures yet")
        page.click("[data-act=make]")
        expect(page.locator(".stage .card").first).to_be_visible()


def test_on_a_phone_it_takes_the_whole_width_and_so_do_the_details(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url, width=390, height=844) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        page.click("#sheet-button")
        start(page, "a lake")
        page.wait_for_selector(".stage img.result")
        open_library(page)
        assert page.locator("#run").is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.locator(PICTURE).first.click()
        box = page.locator(PANEL).bounding_box()
        assert box
        assert box["width"] >= 360
        expect(page.locator(f"{PANEL} [data-act=close]")).to_be_focused()
        page.go_back()
        expect(page.locator(PICTURE).first).to_be_visible()
        page.locator(PICTURE).first.click()
        page.click(f"{PANEL} [data-apply=prompt]")
        expect(page.locator(".stage img.result")).to_be_visible()


def test_a_run_goes_on_beside_the_library(page: Page, fakes: Served) -> None:
    start(page, "held beside-the-library")
    page.wait_for_selector(".stage[data-state=running]")
    open_library(page)
    expect(page).to_have_title(re.compile(r"\(1/40\)"))
    release(fakes, "beside-the-library")
    expect(page.locator(COUNT)).to_have_text("9 pictures")
    page.keyboard.press("1")
    page.wait_for_selector(".stage[data-state=done]")
