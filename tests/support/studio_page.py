"""What people do with the page, in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.browser import PATIENCE
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served

RESULT = ".stage .pair img.result"
PROMPT = "good, a lake in the mountains with a boat"
"""Of the result that `make_one` makes."""
THUMBS = ".stage .strip button.thumb.result"


def add_reference(page: Page, data: bytes, name: str = "photo.png") -> None:
    """Choose a file, and wait until it is the reference."""
    page.set_input_files("#reference input[type=file]", {"name": name, "mimeType": "image/png", "buffer": data})
    wait_for_reference(page, name)


def wait_for_reference(page: Page, name: str) -> None:
    """Wait until a picture of this name is the reference, read by the server."""
    expect(page.locator(".reference-box .about strong")).to_have_text(name)
    expect(page.locator(".reference-box[data-reading=false]")).to_have_count(1)
    page.wait_for_selector(".stage img.reference", state="attached")


def wait_until_ready(page: Page) -> None:
    """Wait until a page that was opened or loaded again is there."""
    page.wait_for_selector(".stage:not([data-state=starting])")
    page.wait_for_function("document.querySelector('#preflight')?.textContent.trim()")


def set_number(page: Page, name: str, value: float) -> None:
    box = page.locator(f"#param-{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def set_images(page: Page, count: int) -> None:
    page.locator("#param-num_images label", has_text=str(count)).click()


def open_more(page: Page) -> None:
    page.click("#more button")
    page.wait_for_selector("#param-num_inference_steps input[type=number]")


def prepare(page: Page, size: tuple[int, int] = (240, 160), steps: int = 4) -> None:
    """Give a reference, a prompt, and few enough steps that a run takes a moment only."""
    add_reference(page, picture_bytes("PNG", "RGB", size))
    page.fill("#prompt textarea", "a quiet lake")
    open_more(page)
    set_number(page, "num_inference_steps", steps)


def run(page: Page) -> None:
    """Click Run and wait for its result."""
    before = page.locator(THUMBS).count()
    page.click("#run")
    expect(page.locator(THUMBS)).to_have_count(before + 1, timeout=2 * PATIENCE)
    page.wait_for_selector(".stage[data-state=done]")


def start(page: Page, prompt: str) -> None:
    page.fill("#prompt textarea", prompt)
    page.click("#run")


def make_one(page: Page) -> None:
    """Make a result of `PROMPT` and "still life.png" with settings of its own; the app is the one of fakes."""
    add_reference(page, picture_bytes("PNG", "RGB", (240, 160)), "still life.png")
    page.locator("#styles button").first.click()
    set_number(page, "strength", 0.7)
    start(page, PROMPT)
    page.wait_for_selector(RESULT)


def release(fakes: Served, word: str) -> None:
    """Let the run go on that is held by this word."""
    (fakes.data_dir / word).touch()


def choose_backend(page: Page, label: str) -> None:
    page.click("#backend input")
    page.locator("ul[role=listbox] li", has_text=label).click()


def message(page: Page) -> str:
    """Return what went wrong with the run on the stage."""
    page.wait_for_selector(".stage .message")
    return page.inner_text(".stage .message")


def problem(page: Page, place: str = "#preflight") -> str:
    """Return what is wrong at a field of the form."""
    page.wait_for_selector(f"{place} .field-problem")
    return page.inner_text(f"{place} .field-problem")
