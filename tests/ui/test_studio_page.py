"""The main path in a real browser on the real pipeline: a picture goes in, results stand beside it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PATIENCE, open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import (
    RESULT,
    THUMBS,
    add_reference,
    open_more,
    prepare,
    problem,
    run,
    set_images,
    set_number,
)

pytestmark = pytest.mark.integration


def prepare_long(page: Page) -> None:
    """As `prepare`, for a run that goes on while a test acts on it."""
    prepare(page, (384, 384), steps=30)
    set_number(page, "strength", 1)


def watch(page: Page, name: str, happens: str) -> None:
    """Note in `seen` whether something is ever true of the stage, however short: before a run that may be quick."""
    page.evaluate(
        """([name, happens]) => {
          window.seen ??= {};
          const look = new Function(`return ${happens}`);
          new MutationObserver(() => { seen[name] ||= Boolean(look()); })
            .observe(document.querySelector('#workbench'), { subtree: true, childList: true, attributes: true });
        }""",
        [name, happens],
    )


def proportion(page: Page, selector: str) -> float:
    """Return width by height of a picture that is loaded."""
    page.wait_for_function("s => document.querySelector(s)?.naturalWidth > 1", arg=selector)
    ratio: float = page.eval_on_selector(selector, "image => image.naturalWidth / image.naturalHeight")
    return ratio


def download(page: Page, folder: Path) -> tuple[str, bytes]:
    """Download the backend's own file; return its name and content."""
    page.click(".stage [data-act=download-as]")
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="The backend's own file").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path.name, path.read_bytes()


def test_an_upload_a_prompt_and_a_run_put_the_result_beside_the_reference(page: Page) -> None:
    prepare(page, (250, 130), steps=30)
    watch(page, "bar", "document.querySelector('.stage [role=progressbar]')")
    page.click("#run")
    page.wait_for_selector(RESULT)
    assert page.evaluate("seen.bar")
    pictures = page.locator(".stage .pair img")
    assert [pictures.nth(i).get_attribute("class") for i in range(2)] == ["reference", "result"]
    assert proportion(page, ".stage .pair img.reference") == proportion(page, RESULT) == 250 / 130
    boxes = [pictures.nth(i).bounding_box() for i in range(2)]
    assert boxes[0]
    assert boxes[1]
    assert abs(boxes[0]["y"] - boxes[1]["y"]) < 2
    assert boxes[1]["x"] > boxes[0]["x"] + boxes[0]["width"] - 1


def test_progress_counts_the_steps_and_shows_previews(page: Page) -> None:
    prepare_long(page)
    watch(page, "steps", "/Step \\d+ of 30/.test(document.querySelector('.stage .progress')?.textContent)")
    watch(page, "preview", "document.querySelector('.stage img.preview:not(.older)')?.src.includes('/preview/')")
    page.click("#run")
    page.wait_for_selector(RESULT, timeout=2 * PATIENCE)
    assert page.evaluate("seen") == {"steps": True, "preview": True}
    assert page.locator(".stage [role=progressbar]").count() == 0


def test_an_example_is_one_click_away_from_its_result(page: Page) -> None:
    page.locator(".stage .card").nth(1).click()
    page.wait_for_selector(".stage img.reference")
    assert page.input_value("#prompt textarea")
    expect(page.locator("#styles [aria-pressed=true]")).to_have_count(1)
    expect(page.locator(".reference-box[data-reading=false]")).to_have_count(1)
    page.click("#run")
    page.wait_for_selector(RESULT, timeout=2 * PATIENCE)


def test_the_downloaded_file_is_the_engines_file(page: Page, app: Served, tmp_path: Path) -> None:
    prepare(page)
    run(page)
    name, png = download(page, tmp_path)
    assert app.images()[f"{hashlib.sha256(png).hexdigest()}.png"] == png
    assert name.endswith(".png")
    page.locator("#param-output_format label", has_text="jpeg").click()
    run(page)
    name, jpeg = download(page, tmp_path)
    assert app.images()[f"{hashlib.sha256(jpeg).hexdigest()}.jpg"] == jpeg
    assert Image.open(io.BytesIO(jpeg)).format == "JPEG"
    assert name.endswith(".jpg")


def test_a_locked_seed_repeats_the_bytes_and_an_open_one_does_not(page: Page, tmp_path: Path) -> None:
    prepare(page)
    page.check("#seed-lock input")
    page.locator("#param-seed input").fill("4711")
    page.press("#param-seed input", "Tab")
    run(page)
    first = download(page, tmp_path)
    assert first[0] == "srpo_photo_s60_4711.png"
    page.click("#run")  # the same again: it is asked whether that is meant
    page.click("#preflight button:has-text('Run again')")
    expect(page.locator(THUMBS)).to_have_count(2, timeout=2 * PATIENCE)
    assert download(page, tmp_path) == first
    page.uncheck("#seed-lock input")
    run(page)
    assert download(page, tmp_path)[1] != first[1]


def test_cancel_stops_the_run_and_the_next_one_works(page: Page) -> None:
    prepare_long(page)
    set_images(page, 4)
    page.click("#run")
    page.wait_for_function("/Step ([2-9]|[12]\\d) of 30/.test(document.querySelector('.stage .progress')?.textContent)")
    page.click("#cancel")
    page.wait_for_selector(".stage[data-state=cancelled]")
    assert "cancelled" in page.inner_text(".stage .message").lower()
    set_number(page, "num_inference_steps", 2)
    set_images(page, 1)
    run(page)


def test_ctrl_enter_runs_with_the_last_letters_typed(page: Page) -> None:
    prepare(page)
    page.locator("#prompt textarea").fill("")
    page.locator("#prompt textarea").type("typed to the very end")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(RESULT, timeout=2 * PATIENCE)
    page.fill("#prompt textarea", "something else")
    page.click(".stage [data-act=restore]")
    expect(page.locator("#prompt textarea")).to_have_value("typed to the very end")


def test_three_clicks_make_three_runs(page: Page) -> None:
    prepare(page)
    for _ in range(3):
        page.click("#run")
    expect(page.locator(THUMBS)).to_have_count(3, timeout=2 * PATIENCE)


def test_the_slider_moves_by_keys_over_pictures_of_one_size(page: Page) -> None:
    prepare(page)
    run(page)
    page.click(".stage .views [data-view=slider]")
    boxes = [page.locator(f".stage .slide img.{each}").bounding_box() for each in ("reference", "result")]
    assert boxes[0] == boxes[1]
    page.focus(".stage .slide input")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.stage .slide').style.getPropertyValue('--at') === '45%'")


def test_a_result_becomes_the_reference(page: Page) -> None:
    prepare(page, (250, 130))
    run(page)
    page.click(".stage [data-act=use]")
    page.wait_for_selector(".stage[data-state=reference]")
    expect(page.locator(".reference-box[data-reading=false]")).to_have_count(1)
    run(page)
    assert proportion(page, ".stage .pair img.reference") == 250 / 130
    first, second = (page.locator(THUMBS).nth(i).locator("img").get_attribute("src") for i in (1, 0))
    assert first != second


def test_the_line_above_run_says_what_will_happen(page: Page) -> None:
    prepare(page, (250, 130), steps=20)
    expect(page.locator("#preflight")).to_contain_text("12 of 20 steps")
    expect(page.locator("#preflight")).to_contain_text("free")
    expect(page.locator("#preflight")).to_contain_text("250×130")
    set_number(page, "strength", 0)
    expect(page.locator("#preflight")).to_contain_text("At strength 0 nothing changes")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty"),
        (b"<html><script>alert(1)</script></html>", "This is a web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is a vector graphic"),
        (picture_bytes("JPEG", "RGB", (300, 300))[:900], "damaged"),
    ],
    ids=["empty", "html", "svg", "cut"],
)
def test_a_file_that_is_no_picture_is_refused_at_the_reference_and_the_next_one_works(
    page: Page, data: bytes, message: str
) -> None:
    page.set_input_files("#reference input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": data})
    assert message in problem(page, "#reference")
    expect(page.locator("#reference img")).to_have_count(0)
    prepare(page)
    expect(page.locator("#reference .field-problem")).to_have_count(0)
    run(page)


def test_an_address_inside_the_network_is_refused(page: Page) -> None:
    page.click("#reference button[aria-expanded]")
    page.fill("#reference input[name=url]", "http://127.0.0.1/photo.png")
    page.press("#reference input[name=url]", "Enter")
    assert "points to a private network" in problem(page, "#reference")


def test_an_upload_over_the_limit_is_told_in_words(page: Page, tmp_path: Path) -> None:
    big = tmp_path / "big.png"
    big.write_bytes(picture_bytes() + bytes(60_000_001))
    page.set_input_files("#reference input[type=file]", big)
    assert "60 MB" in problem(page, "#reference")


def test_sliders_and_picture_fit_one_screen_without_scrolling(page: Page) -> None:
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
    for selector in ("#param-strength", "#param-guidance_scale", ".stage img.reference", "#run"):
        box = page.locator(selector).first.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 722


def test_a_phone_shows_the_picture_first_and_the_form_as_a_sheet(browser: Browser, app: Served) -> None:
    with open_page(browser, app.url, width=390, height=844) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        picture = page.locator(".stage img.reference").bounding_box()
        assert picture
        assert picture["width"] >= 0.85 * 390
        expect(page.locator("#prompt")).not_to_be_in_viewport()
        page.click("#sheet-button")
        page.fill("#prompt textarea", "a quiet lake")
        open_more(page)
        set_number(page, "num_inference_steps", 4)
        page.click("#run")
        expect(page.locator("#prompt")).not_to_be_in_viewport()
        page.wait_for_selector(".stage img.result", timeout=2 * PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        bar = page.locator("#run").bounding_box()
        assert bar
        assert bar["y"] + bar["height"] <= 844


def test_the_theme_switch_is_remembered(page: Page) -> None:
    page.click("#theme-button")
    expect(page.locator("body.dark")).to_have_count(1)
    page.reload()
    page.wait_for_selector(".stage .card")
    expect(page.locator("body.dark")).to_have_count(1)


def test_help_opens_and_closes(page: Page) -> None:
    page.click("#help-button")
    expect(page.locator("dialog#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#help")).to_be_hidden()
