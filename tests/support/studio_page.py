"""What people do with the page, in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.support.browser import PATIENCE
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served

RESULT = ".stage .side img.result"


def add_reference(page: Page, data: bytes, name: str = "photo.png") -> None:
    page.set_input_files("#reference input[type=file]", {"name": name, "mimeType": "image/png", "buffer": data})
    page.wait_for_selector(".stage img.reference")


def set_number(page: Page, name: str, value: float) -> None:
    box = page.locator(f"#param-{name} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


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
    before = page.locator(".stage .strip button.thumb").count()
    page.click("#run")
    expect(page.locator(".stage .strip button.thumb")).to_have_count(before + 1, timeout=2 * PATIENCE)


def start(page: Page, prompt: str) -> None:
    page.fill("#prompt textarea", prompt)
    page.click("#run")


def release(fakes: Served, word: str) -> None:
    """Let the run go on that is held by this word."""
    (fakes.data_dir / word).touch()


def choose_backend(page: Page, label: str) -> None:
    page.click("#backend input")
    page.locator("ul[role=listbox] li", has_text=label).click()


def message(page: Page) -> str:
    page.wait_for_selector(".stage .message")
    return page.inner_text(".stage .message")
