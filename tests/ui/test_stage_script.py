"""The stage's script alone, in a real browser: what it draws from the values that it is given, in what order."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.imaging.images import read_reference
from tests.support.fakes import picture_bytes
from ui import text
from ui.session import Session, Shown
from ui.stage import ASSETS, PARTS

pytestmark = pytest.mark.integration

GIVE = "given => { props.value = given; redraw(); }"


SOURCES = "images => images.map((each) => each.getAttribute('src'))"


@pytest.fixture
def stage(browser: Browser) -> Iterator[Page]:
    """A page with the stage and nothing else."""
    with stage_of(browser.new_page()) as page:
        yield page


@contextmanager
def stage_of(page: Page) -> Iterator[Page]:
    """Put the stage into a page; `props` and `redraw` stand in for the component around it."""
    words = html.escape(json.dumps({**text.stage_words(), "examples": []}), quote=True)
    markup = PARTS.format(words=words, label="Stage", result="Result", view="View", full="Full")
    page.route("**/*", lambda route: route.fulfill(body=f"<body>{markup}", content_type="text/html"))
    page.goto("http://stage.test/")
    page.evaluate(
        """([script, value]) => {
          window.props = { value };
          const watch = (name, then) => { window.redraw = then; };
          new Function('element', 'props', 'trigger', 'watch', script)(document.body, props, () => {}, watch);
        }""",
        [(ASSETS / "stage.js").read_text(encoding="utf-8"), Session().view()],
    )
    yield page
    page.close()


def view_with(session: Session, name: str) -> dict[str, Any]:
    session.reference = Shown(ASSETS / name, read_reference(picture_bytes()))
    return session.view()


def test_a_value_that_was_overtaken_on_its_way_is_not_drawn(stage: Page) -> None:
    session = Session()
    empty, first, second = session.view(), view_with(session, "first.png"), view_with(session, "second.png")
    shown = "img => img.getAttribute('src')"
    for given, seen in ((first, "first"), (empty, "first"), (second, "second"), (first, "second")):
        stage.evaluate(GIVE, given)
        assert stage.get_attribute(".stage", "data-state") == "reference"
        assert stage.eval_on_selector(".stage img.reference", shown) == f"display/{seen}.png?width=2048"


def test_without_a_value_the_last_one_stays(stage: Page) -> None:
    stage.evaluate(GIVE, view_with(Session(), "first.png"))
    stage.evaluate(GIVE, None)
    assert stage.get_attribute(".stage", "data-state") == "reference"


@pytest.mark.parametrize(
    ("width", "scale", "wanted"), [(390, 3, 1024), (412, 2.6, 1024), (1280, 1, 2048), (800, 2, 2048)]
)
def test_a_screen_loads_the_copy_that_fits_it_and_the_file_for_download_alone(
    browser: Browser, width: int, scale: float, wanted: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 700}, device_scale_factor=scale)
    with stage_of(context.new_page()) as page:
        page.evaluate(GIVE, view_with(Session(), "first.png"))
        assert page.eval_on_selector_all("img", SOURCES) == [f"display/first.png?width={wanted}"]
    context.close()
