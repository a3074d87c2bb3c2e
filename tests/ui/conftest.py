"""The app as it is really served, in a process of its own, and a real headless Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30_000
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

    def images(self) -> dict[str, bytes]:
        """Return the engine's kept files by name."""
        folder = self.data_dir / "images"
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def free_port() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


@contextmanager
def serve(data_dir: Path, *command: str, kill: bool = False, **environ: str) -> Iterator[Served]:
    """Start a program of the project that serves the app; stop it afterwards and see that it stops cleanly.

    With `kill`, it is killed instead, as a crash or a lost machine would end it.
    """
    own = {"STUDIO_DATA_DIR": str(data_dir), "GRADIO_SERVER_PORT": str(free_port()), **environ}
    log = data_dir / "app.log"
    data_dir.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env={**os.environ, **own}, stdout=out, stderr=subprocess.STDOUT
        )
    served = Served(f"http://127.0.0.1:{own['GRADIO_SERVER_PORT']}", data_dir, log)
    try:
        wait_until_healthy(served, process)
        yield served
    finally:
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            code = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        assert code == (-signal.SIGKILL if kill else 0), f"the app ended with {code}:\n{log.read_text()}"
        assert "shutdown failed" not in log.read_text(), log.read_text()


def wait_until_healthy(served: Served, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{served.url}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"the app did not come up:\n{served.log.read_text()}")


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real app on the mini checkpoint, open to strangers: so each test's browser is a visitor of its own."""
    opened = {"STUDIO_PUBLIC_URL": "http://studio.test", "STUDIO_RUNS_PER_MINUTE": "0", "STUDIO_RUNS_PER_DAY": "0"}
    with serve(tmp_path_factory.mktemp("app"), "app.py", **opened) as served:
        yield served


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
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
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
