"""gradio's own page, with our script in its head, through the death and the return of its server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.live_app import free_port

pytestmark = pytest.mark.integration


class Server:
    """A process that can be taken away."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.support.gradio_page", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}healthz", trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        pytest.fail("the page did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    running.start()
    yield running
    running.kill()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    opened = browser.new_page()
    opened.goto(server.url)
    expect(opened.locator("#written textarea")).to_be_visible()
    opened.evaluate("window.mark = 'here'")
    yield opened
    opened.close()


def write(page: Page, text: str) -> None:
    page.fill("#written textarea", text)


def expect_answer(page: Page, text: str) -> None:
    expect(page.locator("#answer textarea")).to_have_value(text)
    assert page.evaluate("window.mark") == "here", "the page was loaded again"
    assert page.locator(".toast-body").count() == 0


@pytest.mark.parametrize("button", ["#queued", "#direct"])
def test_a_click_while_the_server_is_away_is_answered_when_it_is_back(page: Page, server: Server, button: str) -> None:
    write(page, "before")
    page.click(button)
    expect_answer(page, "BEFORE")
    server.kill()
    write(page, "after")
    page.click(button)
    page.wait_for_timeout(3000)  # gradio would ask every two seconds whether to reload
    server.start()
    expect_answer(page, "AFTER")
    expect(page.locator("#written textarea")).to_have_value("after")


@pytest.mark.parametrize("button", ["#queued", "#direct"])
def test_an_event_that_is_cut_ends_quietly_and_the_next_click_works(page: Page, server: Server, button: str) -> None:
    write(page, "slow")
    with page.expect_request("**/gradio_api/**"):
        page.click("#queued")
    page.wait_for_timeout(1000)
    server.kill()
    page.wait_for_timeout(3000)
    server.start()
    write(page, "next")
    page.click(button)
    expect_answer(page, "NEXT")
