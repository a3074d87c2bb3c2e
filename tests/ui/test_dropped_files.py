"""A picture's file that holds its settings: downloaded, dropped again, and made again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Page, expect

from core.recipe_files.containers import texts_of
from core.recipe_files.read import read_own
from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import (
    PROMPT,
    add_reference,
    make_one,
    prepare,
    problem,
    run,
    set_images,
    set_number,
    wait_for_reference,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def page(browser: Browser, fakes: Served) -> Iterator[Page]:
    """A page with one result."""
    with open_page(browser, fakes.url) as opened:
        make_one(opened)
        yield opened


def choose(page: Page, data: bytes, name: str = "lake.png", mime: str = "image/png") -> None:
    """Choose a file that holds settings."""
    page.set_input_files("#reference input[type=file]", {"name": name, "mimeType": mime, "buffer": data})
    page.wait_for_selector("dialog.dropped")


def download(page: Page) -> bytes:
    with page.expect_download() as download:
        page.click("[data-act=download]")
    return Path(download.value.path()).read_bytes()


def test_a_downloaded_picture_restores_everything(page: Page) -> None:
    file = download(page)
    add_reference(page, picture_bytes("PNG", "RGB", (160, 240)), "tower.png")
    page.locator("#styles button").first.click()
    set_number(page, "strength", 0.2)
    page.fill("#prompt textarea", "something else")
    choose(page, file)
    expect(page.locator("dialog.dropped q")).to_have_text(PROMPT)
    page.click("[data-take=settings]")
    expect(page.locator("dialog.dropped")).to_have_count(0)
    expect(page.locator("#prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.7")
    expect(page.locator("#styles button >> nth=0")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#seed-lock input")).to_be_checked()
    expect(page.locator(".reference-box .about")).to_contain_text("240×160")


def test_such_a_picture_can_be_the_reference_all_the_same(page: Page) -> None:
    choose(page, download(page), "again.png")
    page.click("[data-take=reference]")
    wait_for_reference(page, "again.png")
    expect(page.locator("dialog.dropped")).to_have_count(0)


def test_closing_the_question_changes_nothing(page: Page) -> None:
    choose(page, download(page))
    page.keyboard.press("Escape")
    expect(page.locator("dialog.dropped")).to_have_count(0)
    expect(page.locator(".reference-box .about strong")).to_have_text("still life.png")


def test_a_download_holds_what_is_chosen(page: Page) -> None:
    for choice, held in (("With its settings", True), ("Only marked as made by AI", False)):
        page.click("[data-act=download-as]")
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=choice).click()
        data = Path(download.value.path()).read_bytes()
        assert (read_own(texts_of(data)) is not None) == held
        assert b"compositeWithTrainedAlgorithmicMedia" in data


def test_the_settings_alone_are_downloaded_beside_a_picture_that_cannot_hold_them(page: Page) -> None:
    page.click("[data-act=download-as]")
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Only its settings, as JSON").click()
    assert download.value.suggested_filename.endswith(".json")
    assert json.loads(Path(download.value.path()).read_text())["prompt"] == PROMPT


def test_a_picture_of_another_visitor_asks_for_its_reference(page: Page, browser: Browser, fakes: Served) -> None:
    file = download(page)
    with open_page(browser, fakes.url, refused=True) as other:
        choose(other, file)
        other.click("[data-take=settings]")
        expect(other.locator("#prompt textarea")).to_have_value(PROMPT)
        assert "The reference of this picture is not stored here." in problem(other, "#reference")


def test_what_another_tool_wrote_is_taken_where_it_fits_and_listed_where_not(page: Page) -> None:
    text = PngInfo()
    text.add_text(
        "parameters",
        "a <b>castle</b>\nNegative prompt: fog\nSteps: 6, Sampler: Euler, CFG scale: 7, Seed: 42, Size: 64x48,"
        " Denoising strength: 0.6, Distilled CFG Scale: 4.5, Version: f2.0.1",
    )
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "PNG", pnginfo=text)
    choose(page, file.getvalue())
    expect(page.locator("dialog.dropped")).to_contain_text("AUTOMATIC1111")
    page.click("[data-take=settings]")
    expect(page.locator("dialog.dropped dt", has_text="CFG scale: 7")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#prompt textarea")).to_have_value("a <b>castle</b>")
    expect(page.locator("#param-strength input[type=number]")).to_have_value("0.6")
    expect(page.locator("#param-seed input[type=number]")).to_have_value("42")
    expect(page.locator(".reference-box .about strong")).to_have_text("still life.png")


def bytes_of(page: Page, app: Served) -> list[bytes]:
    """Return the stored files of the page's latest job, in order."""
    cookies = {each["name"]: each["value"] for each in page.context.cookies()}
    with httpx.Client(base_url=app.url, cookies=cookies, timeout=60) as web:
        results = web.get("/studio/v1/results").json()["results"]
        latest = sorted((each for each in results if each["job"] == results[0]["job"]), key=lambda each: each["place"])
        return [web.get(f"/studio/v1/results/{each['id']}/file").content for each in latest]


def test_a_restored_picture_is_made_again_byte_for_byte_and_so_is_a_whole_batch(browser: Browser, app: Served) -> None:
    with open_page(browser, app.url) as page:
        prepare(page, (96, 64))
        run(page)
        (alone,) = bytes_of(page, app)
        file = download(page)
        page.fill("#prompt textarea", "something else")
        choose(page, file)
        page.click("[data-take=settings]")
        expect(page.locator("#prompt textarea")).to_have_value("a quiet lake")
        page.click("#run")
        page.get_by_role("button", name="Run again").click()
        expect(page.locator(".stage[data-state=done]")).to_have_count(1)
        page.wait_for_function("document.querySelectorAll('.stage .strip button.thumb.result').length == 2")
        assert bytes_of(page, app) == [alone]

        set_images(page, 2)
        page.click("#seed-dice")
        page.click("#run")
        page.wait_for_function("document.querySelectorAll('.stage .strip button.thumb.result').length == 4")
        batch = bytes_of(page, app)
        file = download(page)
        set_images(page, 1)
        choose(page, file)
        page.click("[data-take=settings]")
        expect(page.locator("dialog.dropped")).to_contain_text("1 of 255")
        page.get_by_role("button", name="Make all 2 again").click()
        page.click("#run")
        page.get_by_role("button", name="Run again").click()
        page.wait_for_function("document.querySelectorAll('.stage .strip button.thumb.result').length == 6")
        assert bytes_of(page, app) == batch
