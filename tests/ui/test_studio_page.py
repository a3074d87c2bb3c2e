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
from tests.support.studio_page import RESULT, add_reference, prepare, run, set_number

pytestmark = pytest.mark.integration


def prepare_long(page: Page) -> None:
    """As `prepare`, for a run that goes on while a test acts on it: as large and as many steps as there are."""
    prepare(page, (512, 512), steps=50)
    set_number(page, "strength", 1)


def watch(page: Page, name: str, happens: str) -> None:
    """Note in `seen` whether something is ever true of the stage, however short: before a run that may be quick."""
    page.evaluate(
        """([name, happens]) => {
          window.seen ??= {};
          const look = new Function(`return ${happens}`);
          new MutationObserver(() => { seen[name] ||= Boolean(look()); })
            .observe(document.querySelector('.stage'), { subtree: true, childList: true, attributes: true });
        }""",
        [name, happens],
    )


def size_of(page: Page, selector: str) -> list[int]:
    page.wait_for_function("s => document.querySelector(s)?.naturalWidth > 1", arg=selector)
    size: list[int] = page.eval_on_selector(selector, "image => [image.naturalWidth, image.naturalHeight]")
    return size


def download(page: Page, folder: Path) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.click(".stage .actions a.button")
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path.name, path.read_bytes()


def test_an_upload_a_prompt_and_a_run_put_the_result_beside_the_reference(page: Page) -> None:
    prepare(page, (250, 130), steps=30)
    watch(page, "bar", "document.querySelector('.stage [role=progressbar]')")
    page.click("#run")
    page.wait_for_selector(RESULT)
    assert page.evaluate("seen.bar")
    pictures = page.locator(".stage .side img")
    assert [pictures.nth(i).get_attribute("class") for i in range(2)] == ["reference", "result"]
    assert size_of(page, ".stage .side img.reference") == size_of(page, RESULT) == [250, 130]
    assert "Result 1 of 1" in str(page.get_attribute(RESULT, "alt"))
    boxes = [pictures.nth(i).bounding_box() for i in range(2)]
    assert boxes[0]
    assert boxes[1]
    assert abs(boxes[0]["y"] - boxes[1]["y"]) < 2
    assert boxes[1]["x"] > boxes[0]["x"] + boxes[0]["width"] - 1


def test_progress_counts_the_steps_and_shows_previews(page: Page) -> None:
    prepare_long(page)
    watch(page, "steps", "/Step \\d+ of 50/.test(document.querySelector('.stage .progress')?.textContent)")
    watch(page, "preview", "document.querySelector('.stage img.preview')?.src.startsWith('data:image/jpeg')")
    page.click("#run")
    page.wait_for_selector(RESULT, timeout=2 * PATIENCE)
    assert page.evaluate("seen") == {"steps": True, "preview": True}
    assert page.locator(".stage [role=progressbar]").count() == 0


def test_an_example_is_one_click_away_from_its_result(page: Page) -> None:
    page.locator(".stage .card").nth(1).click()
    page.wait_for_selector(".stage img.reference")
    assert page.input_value("#prompt textarea")
    assert page.is_checked("#seed-lock input")
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
    run(page)
    first = download(page, tmp_path)
    run(page)
    assert download(page, tmp_path) == first
    assert "4711" in first[0]
    page.uncheck("#seed-lock input")
    run(page)
    assert download(page, tmp_path)[1] != first[1]
    assert page.input_value("#param-seed input") != "4711"  # the seed that was drawn is on screen, to be kept


def test_cancel_stops_the_run_and_the_next_one_works(page: Page) -> None:
    prepare_long(page)
    set_number(page, "num_images", 4)
    page.click("#run")
    page.wait_for_function(
        "/Step ([2-9]|[1-4]\\d) of 50/.test(document.querySelector('.stage .progress')?.textContent)"
    )
    page.click("#cancel")
    page.wait_for_selector(".stage[data-state=cancelled]")
    assert "cancelled" in page.inner_text(".stage .message")
    set_number(page, "num_inference_steps", 2)
    set_number(page, "num_images", 1)
    run(page)


def test_ctrl_enter_runs_with_the_last_letters_typed(page: Page) -> None:
    prepare(page)
    page.locator("#prompt textarea").fill("")
    page.locator("#prompt textarea").type("typed to the very end")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(RESULT, timeout=2 * PATIENCE)
    page.fill("#prompt textarea", "something else")
    page.click(".stage .actions button:has-text('Restore these settings')")
    expect(page.locator("#prompt textarea")).to_have_value("typed to the very end")


def test_three_clicks_make_three_runs(page: Page) -> None:
    prepare(page)
    for _ in range(3):
        page.click("#run")
    expect(page.locator(".stage .strip button.thumb")).to_have_count(3, timeout=2 * PATIENCE)


def test_four_images_stand_beside_the_reference(page: Page) -> None:
    prepare(page)
    set_number(page, "num_images", 4)
    page.click("#run")
    expect(page.locator(RESULT)).to_have_count(4, timeout=2 * PATIENCE)
    assert page.locator(".stage .side img").first.get_attribute("class") == "reference"


def test_the_slider_moves_by_keys_over_pictures_of_one_size(page: Page) -> None:
    prepare(page)
    run(page)
    page.click(".stage .views button:has-text('Slider')")
    boxes = [page.locator(f".stage .compare img.{each}").bounding_box() for each in ("reference", "result")]
    assert boxes[0] == boxes[1]
    page.focus(".stage .compare input")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert page.eval_on_selector(".stage .compare", "box => box.style.getPropertyValue('--at')") == "45%"
    page.click(".stage .views button:has-text('Side by side')")


def test_a_result_becomes_the_reference(page: Page) -> None:
    prepare(page, (250, 130))
    run(page)
    page.click(".stage .actions button:has-text('Use as reference')")
    page.wait_for_function(
        "document.querySelector('.stage .strip .reference-thumb') && document.querySelector('#reference img')"
    )
    run(page)
    assert size_of(page, ".stage .side img.reference") == [250, 130]
    first, second = (page.locator(".stage .strip button.thumb img").nth(i).get_attribute("src") for i in (1, 0))
    assert first != second


def test_full_view_opens_and_closes_by_keyboard(page: Page) -> None:
    prepare(page)
    run(page)
    page.click(".stage .actions button:has-text('Full view')")
    expect(page.locator(".stage dialog.full img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".stage dialog.full")).to_be_hidden()


def test_the_line_above_run_says_what_will_happen(page: Page) -> None:
    prepare(page, (250, 130), steps=20)
    expect(page.locator("#preflight")).to_contain_text("12 of 20 steps")
    expect(page.locator("#preflight")).to_contain_text("free")
    expect(page.locator("#preflight")).to_contain_text("250×130")
    set_number(page, "strength", 0)
    expect(page.locator("#preflight")).to_contain_text("At strength 0 nothing changes")
    run(page)
    expect(page.locator(".stage .facts")).to_contain_text("returned unchanged")


@pytest.mark.parametrize("name", ["computer%20vision.png", "%2e%2e%2fa.png", "写真 #1?.png", "100%.png"])
def test_the_box_shows_a_picture_whatever_its_name(page: Page, name: str) -> None:
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)), name)
    page.wait_for_function("document.querySelector('#reference img')?.naturalWidth === 240")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty"),
        (b"<html><script>alert(1)</script></html>", "This is a web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is a vector graphic"),
    ],
    ids=["empty", "html", "svg"],
)
def test_a_strangers_file_that_is_no_picture_is_refused_in_words_and_the_next_one_works(
    browser: Browser, app: Served, data: bytes, message: str
) -> None:
    with open_page(browser, app.url, refused=True) as page:
        page.set_input_files("#reference input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": data})
        expect(page.locator(".toast-body.error")).to_contain_text(message)
        expect(page.locator(".toast-body.error")).not_to_contain_text("{")
        expect(page.locator("#reference img")).to_have_count(0)
        prepare(page)
        run(page)


def test_a_picture_that_cannot_be_read_is_refused_in_words_and_the_next_one_works(page: Page) -> None:
    cut = picture_bytes("JPEG", "RGB", (300, 300))[:900]
    page.set_input_files("#reference input[type=file]", {"name": "a.jpg", "mimeType": "image/png", "buffer": cut})
    expect(page.locator(".stage .message.failed")).to_contain_text("damaged")
    page.wait_for_selector("#reference button.upload-container, #reference .upload-container")  # empty again
    expect(page.locator("#reference img")).to_have_count(0)
    prepare(page)
    expect(page.locator(".stage .message")).to_have_count(0)
    run(page)


def test_an_address_inside_the_network_is_refused(page: Page) -> None:
    page.fill("#address input", "http://127.0.0.1/photo.png")
    page.press("#address input", "Enter")
    expect(page.locator(".stage .message.failed")).to_contain_text("points to a private network")


def test_sliders_and_picture_fit_one_screen_without_scrolling(page: Page) -> None:
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
    for selector in ("#param-strength", "#param-guidance_scale", ".stage img.reference", "#run"):
        box = page.locator(selector).first.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 722


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_scrolls_sideways(browser: Browser, app: Served, width: int) -> None:
    with open_page(browser, app.url, width=width, height=844) as page:
        prepare(page)
        run(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        bar = page.locator("#run").bounding_box()
        assert bar
        assert bar["y"] + bar["height"] <= 844


def test_a_phone_has_reference_prompt_strength_and_result_in_this_order(browser: Browser, app: Served) -> None:
    with open_page(browser, app.url, width=390, height=844) as page:
        tops = [
            page.locator(each).first.bounding_box() for each in ("#reference", "#prompt", "#param-strength", "#stage")
        ]
        heights = [box["y"] for box in tops if box]
        assert heights == sorted(heights)
        assert len(heights) == 4


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
