"""The app as it is really served, in a process of its own, and a real headless Chromium in front of it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.fakes import picture_bytes

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60_000
"""Milliseconds for what a page should show: the other core may be busy with a compiler, or with crashes."""
expect.set_options(timeout=PATIENCE)
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@dataclass(frozen=True)
class Served:
    """A running app."""

    url: str
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]

    def images(self) -> dict[str, bytes]:
        """Return the engine's kept files by name."""
        folder = self.data_dir / "images"
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def free_port() -> int:
    """Return a port that nobody takes meanwhile: none that connections get by themselves, nor another worker's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for port in random.sample(range(20_000 + 1000 * worker, 21_000 + 1000 * worker), 1000):
        with socket.socket() as each, suppress(OSError):
            each.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is no free port")


@contextmanager
def serve(
    data_dir: Path, *command: str, kill: bool = False, code: int = 0, host: str = "127.0.0.1", **environ: str
) -> Iterator[Served]:
    """Start a program of the project that serves the app; stop it afterwards and see that it stops cleanly.

    Args:
        data_dir: made where it is missing; its log lies there too.
        command: of Python.
        kill: whether it is killed instead, as a crash or a lost machine would end it.
        code: with which it should end.
        host: where it is reached.
        environ: beside the environment of this process.
    """
    own = {"STUDIO_DATA_DIR": str(data_dir), "GRADIO_SERVER_PORT": str(free_port()), "STUDIO_PRELOAD": "0", **environ}
    log = data_dir / "app.log"
    data_dir.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env={**os.environ, **own}, stdout=out, stderr=subprocess.STDOUT
        )
    served = Served(f"http://{host}:{own['GRADIO_SERVER_PORT']}", data_dir, log, process)
    try:
        wait_until_healthy(served, process)
        yield served
    finally:
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            ended = process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        assert ended == (-signal.SIGKILL if kill else code), f"the app ended with {ended}:\n{log.read_text()}"
        assert "shutdown failed" not in log.read_text(), log.read_text()


def wait_until_healthy(served: Served, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{served.url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the app did not come up:\n{served.log.read_text()}")


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


@pytest.fixture(scope="session")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page on two backends without a model, which do what their prompts say."""
    with serve(tmp_path_factory.mktemp("fakes"), "-m", "tests.ui.fake_app") as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for one module: while Playwright's loop runs, no async test of another module can."""
    assert CHROMIUM, "no Chromium: run `make browser`"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=240_000)
        yield chromium
        chromium.close()


@contextmanager
def open_page(
    browser: Browser, url: str, width: int = 1280, height: int = 720, scheme: str = "light", *, refused: bool = False
) -> Iterator[Page]:
    """Open the app in a fresh browser profile; afterwards, see that it asked no other host and logged no error.

    With `refused`, the test asks for what it may not have, or leaves in the middle: the browser's own words on that are
    no errors then.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector(".stage")
    page.wait_for_function("document.querySelector('#preflight')?.textContent.trim()")
    yield page
    context.close()
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []
    meant = ("Failed to load resource", "AbortError", "Connection errored out") if refused else ()
    assert [each for each in errors if not any(words in each for words in meant)] == []


@pytest.fixture
def page(browser: Browser, app: Served) -> Iterator[Page]:
    """The real app's page at 1280 x 720."""
    with open_page(browser, app.url) as opened:
        yield opened
