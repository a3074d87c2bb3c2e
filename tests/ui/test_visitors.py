"""Strangers on one app: each sees its own runs and pictures, and nobody another's, whatever they ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.studio_page import RESULT, add_reference, prepare, release, run

pytestmark = pytest.mark.integration

STRIP = ".stage .strip button.thumb"


@pytest.fixture
def page(browser: Browser, app: Served) -> Iterator[Page]:
    with open_page(browser, app.url, refused=True) as opened:
        yield opened


@pytest.fixture
def stranger(browser: Browser, app: Served) -> Iterator[Page]:
    with open_page(browser, app.url, refused=True) as opened:
        yield opened


def sources(page: Page) -> list[str]:
    """Return the addresses of all pictures on the page that are a visitor's own."""
    found: list[str] = page.eval_on_selector_all("img", "images => images.map((each) => each.src)")
    return [each for each in found if re.search(r"/(images|display|gradio_api)/", each)]


def status(page: Page, url: str, body: object = None) -> int:
    """Return how an address answers this page's browser."""
    code: int = page.evaluate(
        """async ([url, body]) => (await fetch(url, body === null ? {} : {
            method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)})).status""",
        [urlparse(url)._replace(scheme="", netloc="").geturl(), body],
    )
    return code


def test_a_run_is_still_there_after_the_page_was_loaded_again(page: Page) -> None:
    prepare(page)
    run(page)
    shown = page.get_attribute(RESULT, "src")
    page.reload()
    page.wait_for_selector(".stage .card")
    expect(page.locator(STRIP)).to_have_count(1)
    page.locator(STRIP).first.click()
    page.wait_for_selector(RESULT)
    assert page.get_attribute(RESULT, "src") == shown
    page.get_by_role("button", name="Restore these settings").click()
    expect(page.locator("#prompt textarea")).to_have_value("a quiet lake")
    page.wait_for_selector("#reference img")


def test_a_run_that_goes_on_is_followed_by_the_page_that_was_loaded_again(browser: Browser, fakes: Served) -> None:
    with open_page(browser, fakes.url, refused=True) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        page.fill("#prompt textarea", "held until-loaded-again")
        page.click("#run")
        page.wait_for_selector(".stage[data-state=running]")
        page.reload()
        page.wait_for_selector(".stage[data-state=running]")
        release(fakes, "until-loaded-again")
        page.wait_for_selector(RESULT)


def test_a_stranger_sees_neither_runs_nor_pictures(page: Page, stranger: Page) -> None:
    prepare(page)
    run(page)
    stranger.reload()
    stranger.wait_for_selector(".stage .card")
    expect(stranger.locator(STRIP)).to_have_count(0)
    own = sources(page)
    page.get_by_role("button", name="Full view").click()
    full = str(page.get_attribute(".stage dialog img", "src"))
    assert urlparse(full).path.split("/")[0] == "images"
    assert {urlparse(each).path.split("/")[1] for each in own} == {"display", "gradio_api"}
    own.append(f"/{full}")
    assert [status(page, each) for each in own] == [200] * len(own)
    assert [status(stranger, each) for each in own] == [404] * len(own)


def test_a_stranger_cannot_use_anothers_file_or_session(page: Page, stranger: Page) -> None:
    # The page joins the queue for itself too; the one that is meant sends a file along.
    with page.expect_request(lambda each: "queue/join" in each.url and '"path"' in (each.post_data or "")) as joined:
        prepare(page)
    told = json.loads(joined.value.post_data or "{}")
    file = next(each for each in told["data"] if isinstance(each, dict) and "path" in each)
    path = file["path"]
    assert Path(path).is_absolute()
    body = {"data": [file, "a lake"], "session_hash": "a-session-of-mine"}
    assert status(stranger, "/gradio_api/call/edit", body) == 403
    assert status(stranger, f"/gradio_api/file={path}") == 404
    taken = {**told, "data": [None] * len(told["data"])}
    assert status(stranger, "/gradio_api/queue/join", taken) == 403
    assert status(stranger, f"/gradio_api/queue/data?session_hash={told['session_hash']}") == 403
    assert status(stranger, f"/gradio_api/heartbeat/{told['session_hash']}") == 403
    twice = f"session_hash=mine&session_hash={told['session_hash']}"
    assert status(stranger, f"/gradio_api/queue/data?{twice}") == 403
    assert status(stranger, "/gradio_api/queue/join?session_hash=mine", taken) == 403
    assert status(stranger, "/gradio_api/reset", {"session_hash": "x" * 65}) == 403


def test_two_who_upload_the_same_picture_both_use_it(page: Page, stranger: Page) -> None:
    for each in (page, stranger):
        prepare(each)
        each.wait_for_function("document.querySelector('#reference img')?.naturalWidth > 1")


@pytest.fixture(scope="module")
def asking(browser: Browser, app: Served) -> Iterator[Page]:
    """One page for all questions that leave nothing behind."""
    with open_page(browser, app.url, refused=True) as opened:
        yield opened


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/deep_link",
        "/gradio_api/proxy=http://127.0.0.1:9/",
        "/gradio_api/file=http://127.0.0.1:9/x.png",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=app.py",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/runs",
        "/gradio_api/run-history/records",
        "/gradio_api/vibe-code/",
        "/gradio_api/stream/a/b/c/playlist.m3u8",
        "/monitoring",
        "/monitoring/summary",
        "/metrics",
    ],
)
def test_the_frameworks_other_doors_are_shut(asking: Page, path: str) -> None:
    assert status(asking, path) in (403, 404)


def test_the_database_and_the_pictures_are_reached_by_no_path(page: Page, app: Served) -> None:
    prepare(page)
    run(page)
    for file in (app.data_dir / "studio.db", next((app.data_dir / "images").iterdir())):
        assert status(page, f"/gradio_api/file={file}") == 404


def test_a_malformed_event_leaves_nothing_of_what_was_sent_in_the_log(page: Page, app: Served) -> None:
    config = page.evaluate("async () => (await (await fetch('config')).json()).dependencies")
    check = next(each["id"] for each in config if each["api_name"] == "check")
    before = app.log.stat().st_size
    body = {"session_hash": "malformed", "fn_index": check, "data": ["sk-pasted-into-the-wrong-place and a prompt"]}
    assert status(page, "/gradio_api/queue/join", body) == 400
    log = app.log.read_text()[before:]
    assert "wrong-place" not in log
    assert "a prompt" not in log


def test_without_cookies_a_picture_is_missing_with_a_word(app: Served) -> None:
    with pytest.raises(HTTPError) as told:
        urlopen(f"{app.url}/images/{'0' * 64}.png", timeout=60)
    assert told.value.code == 404
    assert b"Cookies are needed" in told.value.read()


def test_an_upload_over_the_limit_is_told_in_words(page: Page, tmp_path: Path) -> None:
    big = tmp_path / "big.png"
    big.write_bytes(picture_bytes() + bytes(60_000_001))
    page.set_input_files("#reference input[type=file]", big)
    page.get_by_text("exceed the maximum allowed size of 57.2 Mb").first.wait_for()
