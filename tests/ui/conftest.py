"""The apps that the page's tests share, and a browser for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser import CHROMIUM, FLAGS, PATIENCE, open_page
from tests.support.fake_app import EVERYTHING
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, serve

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real app on the mini checkpoint, open to strangers: so each test's browser is a visitor of its own."""
    opened = {"STUDIO_PUBLIC_URL": "http://studio.test", "STUDIO_RUNS_PER_MINUTE": "0", "STUDIO_RUNS_PER_DAY": "0"}
    with serve(tmp_path_factory.mktemp("app"), "app.py", **opened) as served:
        warm_up(served)
        yield served


def warm_up(app: Served) -> None:
    """Run once, so that no test's patience is spent on loading the model."""
    image = app.data_dir / "warm-up.png"
    image.write_bytes(picture_bytes())
    client = Client(app.url, verbose=False, httpx_kwargs={"timeout": 240}, download_files=app.data_dir / "warm-up")
    client.predict(handle_file(image), "a lake", api_name="/edit", num_inference_steps=2)
    client.close()


@pytest.fixture(autouse=True)
def _nothing_held(request: pytest.FixtureRequest) -> Iterator[None]:
    """Release whatever a test has left running on the backends that do what their prompts say."""
    yield
    if "fakes" in request.fixturenames:
        (request.getfixturevalue("fakes").data_dir / EVERYTHING).write_text("now")


@pytest.fixture(scope="session")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page on two backends without a model, which do what their prompts say."""
    with serve(tmp_path_factory.mktemp("fakes"), "-m", "tests.support.fake_app") as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for one module: while Playwright's loop runs, no async test of another module can."""
    assert CHROMIUM, "no Chromium: run `make browser`"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=240_000)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, app: Served) -> Iterator[Page]:
    """The real app's page at 1280 x 720."""
    with open_page(browser, app.url) as opened:
        yield opened
