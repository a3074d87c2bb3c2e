"""Compare: pictures beside and over each other, one zoom for all of them, and what differs in their settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import violations
from tests.support.browser import open_page
from tests.support.compared import fill
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, serve
from tests.support.studio_page import THUMBS, add_reference, set_images, start

pytestmark = pytest.mark.integration

COUNT, SIZE = 4, (1024, 768)
FRAME = ".cmp-cell .cmp-frame"
OWN = ".cmp-cell[data-at]"
PERCENT = ".cmp-percent"
TAB = "#compare-tab span"
VIEWS = "() => [...document.querySelectorAll('.cmp-picture')].map((each) => getComputedStyle(each).transform)"
LETTERS = f"() => [...document.querySelectorAll('{OWN}')].map((each) => each.dataset.id).join('.')"
SMALL = """
  (least) => [...document.querySelectorAll('.cmp :is(button, select, input, summary)')].filter((each) => {
    const box = each.getBoundingClientRect();
    return each.checkVisibility() && !each.closest('label') && (box.width < least || box.height < least);
  }).map((each) => each.outerHTML)
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[int]]]:
    """The page for its owner alone, who has made one scene in several ways; and the ids of the results."""
    folder: Path = tmp_path_factory.mktemp("compared")
    ids = fill(folder, COUNT, SIZE, "street.jpg")
    with serve(folder, "-m", "tests.support.fake_app", ALONE="1") as served:
        yield served, ids


@pytest.fixture
def ids(compared: tuple[Served, list[int]]) -> list[int]:
    return compared[1]


@pytest.fixture
def page(browser: Browser, compared: tuple[Served, list[int]]) -> Iterator[Page]:
    """A page that compares the first three pictures."""
    served, ids = compared
    with open_page(browser, served.url) as opened:
        go(opened, ids[:3])
        yield opened


def go(page: Page, ids: list[int], how: str = "") -> None:
    """Compare pictures by their address."""
    page.evaluate("() => { location.hash = '#make'; }")
    page.evaluate("(hash) => { location.hash = hash; }", f"#compare?picked={joined(ids)}{how and f'&how={how}'}")
    shown(page)


def shown(page: Page) -> None:
    """Wait until every picture that is drawn is there, in full."""
    page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('img.cmp-picture')];"
        " return all.length && all.every((each) => each.naturalWidth && !each.style.backgroundImage); }"
    )


def joined(ids: list[int]) -> str:
    return ".".join(map(str, ids))


def order(page: Page, *wanted: int) -> None:
    """Wait until the pictures stand in this order."""
    page.wait_for_function(f"(wanted) => ({LETTERS})() === wanted", arg=joined([*wanted]))


def percent(page: Page) -> int:
    return int(page.inner_text(PERCENT).split()[0])


def zoomed(page: Page) -> None:
    """Wait until the picture is larger than fits."""
    page.wait_for_selector(".cmp-stage.zoomed")


def test_it_opens_from_the_librarys_selection_and_its_address_opens_it_again(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        set_images(page, 3)
        start(page, "tower")
        expect(page.locator(THUMBS)).to_have_count(3)
        page.click("#library-tab")
        page.wait_for_selector(".lib-cell.ready")
        page.locator(".lib-cell.ready").first.focus()
        page.keyboard.press(" ")
        expect(page.locator(".lib-actions [data-act=compare]")).to_be_disabled()
        page.keyboard.press("Control+a")
        page.click(".lib-actions [data-act=compare]")
        shown(page)
        expect(page.locator(OWN)).to_have_count(3)
        expect(page.locator(FRAME)).to_have_count(4)
        expect(page.locator(TAB)).to_have_text("3")
        address = page.url
        page.reload()
        shown(page)
        assert page.url == address
        expect(page.locator(OWN)).to_have_count(3)
        page.go_back()
        expect(page.locator(".lib")).to_be_visible()
        expect(page.locator(".cmp")).to_be_hidden()
        page.go_forward()
        expect(page.locator(OWN)).to_have_count(3)
        page.locator("#compare-tab").focus()
        page.keyboard.press("1")
        expect(page.locator(".stage")).to_be_visible()
        page.keyboard.press("4")
        expect(page.locator(OWN)).to_have_count(3)


def test_pictures_are_added_on_the_stage_in_the_strip_in_the_full_view_and_in_the_details(
    browser: Browser, compared: tuple[Served, list[int]]
) -> None:
    served, ids = compared
    with open_page(browser, served.url) as page:
        expect(page.locator(THUMBS)).to_have_count(COUNT)
        page.locator(THUMBS).nth(0).click()
        page.keyboard.press("c")
        expect(page.locator(TAB)).to_have_text("1")
        expect(page.locator(".stage [data-act=compare]")).to_have_attribute("aria-pressed", "true")
        page.locator(THUMBS).nth(1).click(modifiers=["Control"])
        expect(page.locator(TAB)).to_have_text("2")
        page.locator(THUMBS).nth(2).click()
        page.keyboard.press("f")
        page.click("dialog.full [data-act=compare]")
        expect(page.locator(TAB)).to_have_text("3")
        page.keyboard.press("c")
        expect(page.locator(TAB)).to_have_text("2")
        page.keyboard.press("Escape")
        page.click("#library-tab")
        page.locator(".lib-cell.ready").nth(3).click()
        page.click(".lib-panel [data-act=compare]")
        expect(page.locator(TAB)).to_have_text("3")
        page.keyboard.press("4")
        order(page, ids[3], ids[2], ids[0])
        page.reload()
        order(page, ids[3], ids[2], ids[0])
        page.click("[data-act=add]")
        page.locator(".cmp-latest button").first.click()
        order(page, ids[3], ids[2], ids[0], ids[1])


def test_nothing_of_it_is_fetched_before_it_is_opened(browser: Browser, compared: tuple[Served, list[int]]) -> None:
    with open_page(browser, compared[0].url) as page:
        asked: list[str] = page.evaluate("() => performance.getEntriesByType('resource').map((each) => each.name)")
        assert [each for each in asked if "/compare/" in each or ".later." in each] == []


def test_with_too_few_pictures_it_says_how_to_choose(browser: Browser, compared: tuple[Served, list[int]]) -> None:
    served, ids = compared
    with open_page(browser, served.url) as page:
        page.keyboard.press("4")
        expect(page.locator(".cmp-few")).to_contain_text("Compare 2 to 9 pictures")
        assert not violations(page)
        page.click("[data-act=latest]")
        order(page, ids[2], ids[3])


def test_the_zoom_is_one_for_all_at_the_pointer_by_drag_and_by_keys(page: Page) -> None:
    box = page.locator(FRAME).nth(1).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.mouse.wheel(0, -400)
    zoomed(page)
    views = page.evaluate(VIEWS)
    assert len(views) == 4
    assert len(set(views)) == 1
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 80, steps=3)
    page.mouse.up()
    page.wait_for_function(f"(before) => ({VIEWS})()[0] !== before", arg=views[0])
    assert len(set(page.evaluate(VIEWS))) == 1
    page.locator(FRAME).nth(1).focus()
    page.keyboard.press("1")
    expect(page.locator(PERCENT)).to_have_text("100 %")
    page.keyboard.press("0")
    page.wait_for_selector(".cmp-stage:not(.zoomed)")
    fitted = percent(page)
    page.keyboard.press("+")
    zoomed(page)
    assert percent(page) == pytest.approx(1.25 * fitted, abs=1)
    before = page.evaluate(VIEWS)[0]
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"(before) => ({VIEWS})()[0] !== before", arg=before)
    page.keyboard.press("-")
    page.wait_for_selector(".cmp-stage:not(.zoomed)")


def touch(page: Page, *paths: tuple[tuple[float, float], tuple[float, float]], steps: int = 6) -> None:
    """Move fingers over the screen, each from a place to another, lift them, and let the page draw."""
    devtools = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    for count in range(1, len(paths) + 1):
        send("touchStart", *(start for start, _ in paths[:count]))
    for step in range(1, steps + 1):
        part = step / steps
        send("touchMove", *((x + part * (to_x - x), y + part * (to_y - y)) for (x, y), (to_x, to_y) in paths))
    for count in range(len(paths) - 1, -1, -1):
        send("touchEnd", *(end for _, end in paths[:count]))
    devtools.detach()
    page.evaluate("() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))")


def scale_and_shift(page: Page) -> tuple[float, float, float]:
    """Return the zoom, which all pictures have, and how far their middles are shifted."""
    views = page.evaluate(VIEWS)
    assert len(views) == 4
    assert len(set(views)) == 1, "one zoom for all"
    scale, *_, x, y = page.evaluate(
        "(view) => { const { a, e, f } = new DOMMatrix(view); return [a, e, f]; }", views[0]
    )
    return float(scale), float(x), float(y)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_two_fingers_zoom_all_pictures_at_once_and_one_moves_them_together(
    browser: Browser, compared: tuple[Served, list[int]], width: int, height: int
) -> None:
    served, ids = compared
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    page = context.new_page()
    page.goto(served.url)
    page.wait_for_selector(".stage:not([data-state=starting])")
    go(page, ids[:3])
    fitted = scale_and_shift(page)[0]
    box = page.locator(FRAME).nth(1).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(page, ((x - 20, y), (x - 50, y)), ((x + 20, y), (x + 50, y)))
    zoomed(page)
    large, shift_x, shift_y = scale_and_shift(page)
    assert large == pytest.approx(2.5 * fitted, rel=0.02)
    touch(page, ((x, y), (x + 20, y + 12)))
    scale, moved_x, moved_y = scale_and_shift(page)
    assert scale == large
    assert (moved_x - shift_x, moved_y - shift_y) == (pytest.approx(20, abs=1), pytest.approx(12, abs=1))
    touch(page, ((x - 50, y), (x - 10, y)), ((x + 50, y), (x + 10, y)))
    page.wait_for_selector(".cmp-stage:not(.zoomed)")
    assert scale_and_shift(page)[0] == fitted
    assert page.evaluate("[scrollY, visualViewport.scale]") == [0, 1], "the page itself stays as it is"
    context.close()


def test_beyond_400_percent_pixels_are_squares_with_lines_between_them(page: Page) -> None:
    page.locator(FRAME).first.focus()
    page.keyboard.press("1")
    expect(page.locator(PERCENT)).to_have_text("100 %")
    expect(page.locator(".cmp-lines").first).to_be_hidden()
    for _ in range(7):
        page.keyboard.press("+")
    expect(page.locator(PERCENT)).to_have_text("477 %")
    expect(page.locator(".cmp-lines").first).to_be_visible()
    assert page.eval_on_selector(".cmp-picture", "(each) => getComputedStyle(each).imageRendering") == "pixelated"
    across = page.eval_on_selector(".cmp-lines", "(each) => parseFloat(getComputedStyle(each).backgroundSize)")
    assert across == pytest.approx(4.77, abs=0.01)


def test_pixels_stay_as_large_in_another_view_and_what_fits_still_fits(page: Page) -> None:
    page.click("button[data-look=blink]")
    page.wait_for_selector(".cmp-cell.two")
    page.click("[data-act=actual]")
    expect(page.locator(PERCENT)).to_have_text("100 %")
    page.click("button[data-look=grid]")
    expect(page.locator(FRAME)).to_have_count(4)
    expect(page.locator(PERCENT)).to_have_text("100 %")
    page.click("[data-act=fit]")
    page.click("button[data-look=slide]")
    page.wait_for_selector(".cmp-cell.two")
    page.wait_for_selector(".cmp-stage:not(.zoomed)")


def test_the_sliders_line_is_moved_by_keys_and_by_drag(page: Page) -> None:
    page.click("button[data-look=slide]")
    line = page.locator(".cmp-cell.two input[type=range]")
    line.focus()
    page.keyboard.press("ArrowRight")
    expect(line).to_have_value("51")
    box = page.locator(".cmp-line").bounding_box()
    frame = page.locator(FRAME).bounding_box()
    assert box
    assert frame
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] / 4, box["y"] + 40, steps=3)
    page.mouse.up()
    expect(line).to_have_value("25")
    assert "25%" in str(page.eval_on_selector(".cmp-layer.over", "(each) => getComputedStyle(each).clipPath"))
    page.wait_for_selector(".cmp-stage:not(.zoomed)")


def test_space_shows_the_second_picture_while_it_is_held(page: Page) -> None:
    page.click("button[data-look=blink]")
    second = page.locator(".cmp-layer.over")
    expect(second).to_be_hidden()
    page.keyboard.down(" ")
    expect(second).to_be_visible()
    expect(page.locator(FRAME)).to_have_attribute("aria-label", "B: " + name(page, 1))
    page.keyboard.up(" ")
    expect(second).to_be_hidden()
    expect(page.locator("button[data-look=blink]")).to_have_attribute("aria-pressed", "true")
    page.click("[data-act=peek]")
    expect(second).to_be_visible()


def name(page: Page, place: int) -> str:
    """Return what the picture at a place is called, beside its letter."""
    return (
        "the same scene "
        + ("on a summer morning", "at night in the rain")[place % 2]
        + ", with glowing windows and a quiet sky, "
        + f"{('oil', 'ink', 'neon')[place]}, strength {0.3 + 0.05 * place:g}, seed 77"
    )


def test_left_and_right_go_through_the_pairs_and_the_address_has_the_pair(page: Page, ids: list[int]) -> None:
    page.click("button[data-look=slide]")
    first, second = page.locator("select[name=first]"), page.locator("select[name=second]")
    for one, other in ((0, 2), (1, 2), (0, 1)):
        page.locator(FRAME).focus()
        page.keyboard.press("ArrowRight")
        expect(first).to_have_value(str(ids[one]))
        expect(second).to_have_value(str(ids[other]))
    second.select_option(str(ids[0]))
    expect(first).to_have_value(str(ids[1]))
    expect(second).to_have_value(str(ids[0]))
    first.select_option("0")
    expect(page.locator(".cmp-tag.left")).to_have_text("Reference")
    page.reload()
    shown(page)
    expect(first).to_have_value("0")
    expect(second).to_have_value(str(ids[0]))
    expect(page.locator("button[data-look=slide]")).to_have_attribute("aria-pressed", "true")


def test_the_difference_is_a_heat_map_with_its_scale_and_figures(page: Page, ids: list[int]) -> None:
    page.click("button[data-look=difference]")
    expect(page.locator(".heat canvas")).to_be_visible()
    expect(page.locator(".cmp-cell.two .cmp-label")).to_contain_text("% of the pixels differ. Mean")
    hot = "() => [...document.querySelector('.heat canvas').getContext('2d').getImageData(10, 400, 1, 1).data]"
    before = page.evaluate(hot)
    page.select_option("select[name=scale]", "8")
    page.wait_for_function(f"(before) => ({hot})().join() !== before", arg=",".join(map(str, before)))
    assert page.evaluate(hot) == [252, 255, 164, 255]
    page.locator(FRAME).focus()
    page.keyboard.down(" ")
    expect(page.locator(".heat")).to_be_hidden()
    page.keyboard.up(" ")
    expect(page.locator(".heat")).to_be_visible()


def test_the_loupe_shows_the_same_place_of_every_picture_while_z_is_held(page: Page) -> None:
    page.locator(FRAME).nth(1).hover()
    page.locator(FRAME).nth(1).focus()
    page.keyboard.down("z")
    expect(page.locator(".cmp-lens:visible")).to_have_count(4)
    middle = "getContext('2d').getImageData(80, 80, 1, 1).data[3]"
    page.wait_for_function(f"() => [...document.querySelectorAll('.cmp-lens')].every((each) => each.{middle} === 255)")
    page.keyboard.up("z")
    expect(page.locator(".cmp-lens:visible")).to_have_count(0)
    page.click("[data-act=loupe]")
    expect(page.locator(".cmp-lens:visible")).to_have_count(4)
    page.keyboard.press("Escape")
    expect(page.locator(".cmp-lens:visible")).to_have_count(0)


def test_the_order_is_changed_by_drag_by_arrows_and_by_alt_and_a_digit(page: Page, ids: list[int]) -> None:
    a, b, c = ids[:3]
    page.locator(f"[data-id='{a}'] .cmp-handle").drag_to(page.locator(f"[data-id='{c}'] .cmp-frame"))
    order(page, b, c, a)
    page.locator(f"[data-id='{a}'] .cmp-frame").focus()
    page.keyboard.press("Shift+ArrowLeft")
    order(page, b, a, c)
    expect(page.locator(f"[data-id='{a}'] .cmp-frame")).to_be_focused()
    page.keyboard.press("Alt+3")
    order(page, b, c, a)
    expect(page.locator(f"[data-id='{a}'] .cmp-frame")).to_be_focused()
    assert f"picked={joined([b, c, a])}" in page.url
    page.keyboard.press("Delete")
    order(page, b, c)
    expect(page.locator(f"[data-id='{c}'] .cmp-frame")).to_be_focused()
    page.locator(f"[data-id='{b}'] [data-act=remove]").click()
    expect(page.locator(OWN)).to_have_count(1)
    expect(page.locator(TAB)).to_have_text("1")


def test_keeping_a_picture_stars_it_everywhere(page: Page, ids: list[int]) -> None:
    page.click("button[data-look=slide]")
    keep = page.get_by_role("button", name="Keep B")
    keep.click()
    expect(keep).to_have_attribute("aria-pressed", "true")
    page.click("#library-tab")
    expect(page.locator(".lib-cell.starred")).to_have_count(1)
    page.keyboard.press("4")
    page.click("button[data-look=grid]")
    page.locator(f"[data-id='{ids[1]}'] .cmp-frame").focus()
    page.keyboard.press("s")
    expect(page.locator(f"[data-id='{ids[1]}'] [data-act=star]")).to_have_attribute("aria-pressed", "false")


def test_only_what_differs_is_printed_and_the_rest_is_folded(page: Page) -> None:
    rows = page.locator(".cmp-facts tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.locator("th")).to_have_text(["Prompt", "Style", "Strength", "Steps"])
    expect(rows.nth(2).locator("td")).to_have_text(["0.3", "0.35", "0.4"])
    expect(rows.nth(0).locator("td").nth(1).locator("mark")).to_have_text("at night in the rain")
    expect(page.locator(".cmp-facts summary")).to_have_text("8 settings are the same")
    page.click(".cmp-facts summary")
    expect(page.locator(".cmp-facts dl [data-setting=seed] dd")).to_have_text("77")


def test_the_reference_can_be_left_out_and_the_address_says_so(page: Page) -> None:
    expect(page.locator(".cmp-cell.reference")).to_be_visible()
    page.get_by_label("Reference", exact=True).uncheck()
    expect(page.locator(FRAME)).to_have_count(3)
    page.reload()
    shown(page)
    expect(page.locator(FRAME)).to_have_count(3)


def test_pictures_that_are_gone_or_somebody_elses_are_said(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url) as theirs, open_page(browser, fakes.url, refused=True) as page:
        for each in (theirs, page):
            add_reference(each, picture_bytes("PNG", "RGB", (240, 160)))
            set_images(each, 2)
            start(each, "tower")
            expect(each.locator(THUMBS)).to_have_count(2)
        own = "(await (await fetch('studio/v1/results')).json()).results.map(({ id }) => id)"
        mine, other = (each.evaluate(f"async () => {own}") for each in (page, theirs))
        page.evaluate(f"() => {{ location.hash = '#compare?picked={joined([*mine, other[0]])}'; }}")
        expect(page.locator(".cmp-notice[role=status]")).to_contain_text("1 picture is not here: it was deleted, or")
        order(page, *mine)
        page.click("[data-act=dismiss]")
        expect(page.locator(".cmp-notice[role=status]")).to_be_hidden()
        assert str(other[0]) not in page.url
        page.evaluate("(ids) => fetch('studio/v1/results', { method: 'DELETE', body: JSON.stringify({ ids }),"
                      " headers: { 'Content-Type': 'application/json' } })", mine[:1])  # fmt: skip
        expect(page.locator(".cmp-notice[role=status]")).to_contain_text("1 picture is not here")
        order(page, mine[1])


def test_single_keys_do_nothing_where_they_are_switched_off(page: Page) -> None:
    page.evaluate("() => localStorage.setItem('srpo-studio:single-keys', 'off')")
    page.locator(FRAME).first.focus()
    for key in ("+", "1", "z"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    expect(page.locator(FRAME).nth(1)).to_be_focused()
    page.wait_for_selector(".cmp-stage:not(.zoomed)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height", "target"), [(1280, 720, 24), (390, 844, 44)])
def test_axe_finds_nothing_and_targets_are_large_enough(
    browser: Browser, compared: tuple[Served, list[int]], scheme: str, width: int, height: int, target: int
) -> None:
    served, ids = compared
    with open_page(browser, served.url, width, height, scheme) as page:
        go(page, ids[:3])
        for look in ("grid", "slide", "blink", "difference"):
            page.click(f"button[data-look={look}]")
            if look == "difference":
                expect(page.locator(".heat canvas")).to_be_visible()
            assert not violations(page), look
            assert page.evaluate(SMALL, target) == [], look
            assert page.evaluate("document.documentElement.scrollWidth") == width, look
