"""How large the pictures are, in the browser: at every size of window and every shape of picture."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import RESULT, add_reference, start

pytestmark = pytest.mark.integration

SHAPES = {"4:3": (800, 600), "3:2": (900, 600), "2:3": (600, 900), "1:1": (700, 700), "3:1": (900, 300)}
BARS = 270
"""Pixels of a window's height that the header, the facts, the actions and the strip may take."""
MATS = 112
"""Pixels of its width beside the form: mats, gaps and margins."""


def size(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["width"], box["height"]


def largest(width: float, height: float, shape: tuple[int, int]) -> float:
    """Return the largest area of two pictures of a shape beside or over each other."""
    ratio = shape[0] / shape[1]
    areas = []
    for wide, high in ((width / 2, height), (width, height / 2)):
        w = min(wide, high * ratio)
        areas.append(2 * w * w / ratio)
    return max(areas)


@pytest.mark.parametrize(("width", "height", "form"), [(1280, 720, 296), (1920, 1080, 320), (2560, 1440, 368)])
def test_the_pair_takes_nearly_all_the_room_that_there_is(
    browser: Browser, fakes: Served, width: int, height: int, form: int
) -> None:
    with open_page(browser, fakes.url, width, height) as page:
        assert size(page, "#left")[0] <= form
        for name, shape in SHAPES.items():
            add_reference(page, picture_bytes("PNG", "RGB", shape), f"{name}.png")
            start(page, "good")
            page.wait_for_selector(RESULT)
            expect(page.locator(".stage .facts")).to_contain_text(f"{shape[0]}×{shape[1]}")
            area = 0.0
            for each in ("reference", "result"):
                w, h = size(page, f".stage .pair img.{each}")
                assert w / h == pytest.approx(shape[0] / shape[1], rel=0.02), name
                area += w * h
            assert area >= 0.95 * largest(width - form - MATS, height - BARS, shape), name


def test_a_very_large_window_has_larger_text_and_all_settings_open(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url, 2560, 1440) as page:
        expect(page.locator("#param-num_inference_steps")).to_be_visible()
        zoom = page.eval_on_selector("#prompt textarea", "(box) => box.currentCSSZoom")
        assert zoom == pytest.approx(1.15)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180)])
def test_held_upright_one_picture_takes_the_width_or_all_the_height_that_is_left(
    browser: Browser, fakes: Served, width: int, height: int
) -> None:
    with open_page(browser, fakes.url, width, height) as page:
        for name, shape in SHAPES.items():
            add_reference(page, picture_bytes("PNG", "RGB", shape), f"{name}.png")
            expect(page.locator(".reference-box")).to_contain_text(f"{shape[0]}×{shape[1]}")
            w, h = size(page, ".stage img.reference")
            left = size(page, ".stage .body")[1]
            assert w >= 0.85 * width or h >= 0.9 * left, (name, w, h, left)
            assert page.evaluate("document.documentElement.scrollWidth") == width
