"""Strangers on one app: each sees its own runs and pictures, and nobody another's, whatever they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import open_page
from tests.support.live_app import Served
from tests.support.studio_page import RESULT, THUMBS, prepare, run

pytestmark = pytest.mark.integration


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
    return [each for each in found if re.search(r"/studio/v1/", each)]


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
    expect(page.locator(THUMBS)).to_have_count(1)
    page.wait_for_selector(RESULT)
    assert page.get_attribute(RESULT, "src") == shown
    expect(page.locator("#prompt textarea")).to_have_value("a quiet lake")
    page.wait_for_selector("#reference img")


def test_a_stranger_sees_neither_runs_nor_pictures(page: Page, stranger: Page) -> None:
    prepare(page)
    run(page)
    stranger.reload()
    stranger.wait_for_selector(".stage .card")
    expect(stranger.locator(THUMBS)).to_have_count(0)
    page.click(".stage [data-act=full]")
    page.wait_for_selector("dialog.full img")
    own = sources(page)
    assert {each.split("/studio/v1/")[1].split("/")[0] for each in own} == {"references", "results"}
    assert [status(page, each) for each in own] == [200] * len(own)
    assert [status(stranger, each) for each in own] == [404] * len(own)


def answer(page: Page, path: str, method: str = "GET", body: object = None) -> dict[str, Any]:
    """Return the status and the JSON that the page's own API answers this page's browser with."""
    found: dict[str, Any] = page.evaluate(
        """async ([path, method, body]) => {
            const answer = await fetch(`studio/v1/${path}`, body === null ? { method } : {
                method, headers: {'content-type': 'application/json'}, body: JSON.stringify(body)});
            return { status: answer.status, json: await answer.json() };
        }""",
        [path, method, body],
    )
    return found


def test_a_strangers_library_has_and_counts_nothing_of_another_visitors(page: Page, stranger: Page) -> None:
    prepare(page)
    run(page)
    (made,) = answer(page, "results")["json"]["results"]
    project = answer(page, "projects", "POST", {"name": "lakes"})["json"]["id"]
    marks = {"ids": [made["id"]], "star": True, "add_tags": ["blue"], "project": project}
    assert answer(page, "results", "PATCH", marks)["status"] == 200
    for path in (f"results/{made['id']}", f"results/{made['id']}/lineage", f"results/{made['id']}/file"):
        assert answer(stranger, path) == answer(stranger, path.replace(str(made["id"]), "7"))
        assert answer(stranger, path)["status"] == 404
    for path in ("results", "results?failed=true", "results?tag=blue", f"results?project={project}", "results?q=lake"):
        assert answer(stranger, path)["json"] == {"results": [], "next": None, "total": 0}, path
    assert answer(stranger, "results/index")["json"]["total"] == 0
    assert answer(stranger, "projects")["json"] == {"projects": []}
    view = answer(stranger, "library")["json"]
    storage = {"share_bytes", "quota_bytes", "free_bytes"}  # the app's
    assert {name for name, value in view.items() if value} == storage
    ids = {"ids": [made["id"]]}
    assert answer(stranger, "results", "PATCH", {**ids, "star": False})["json"] == {"results": [], "revision": 0}
    assert answer(stranger, "results", "DELETE", ids)["json"]["deleted"] == []
    assert answer(stranger, "results/restore", "POST", ids)["json"] == {"restored": [], "revision": 0}
    for method, body in (("PATCH", {"name": "mine"}), ("DELETE", None)):
        theirs = answer(stranger, f"projects/{project}", method, body)
        assert theirs == answer(stranger, "projects/999999", method, body)
        assert theirs["status"] == 404
    assert answer(page, f"results/{made['id']}")["json"]["star"]
    assert answer(page, "library")["json"]["total"] == 1


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
