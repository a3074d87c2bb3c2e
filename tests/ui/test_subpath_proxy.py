"""The real app behind a real proxy that serves it under `/studio`, with the prefix taken away and passed on."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Browser, expect

from tests.support.browser import PATIENCE, open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import ROOT, Served, free_port, serve
from tests.support.studio_page import add_reference, open_more, set_number

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=["away", "keep"])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Served]]:
    """Return the address behind the proxy, and the app."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/studio"
    folder = tmp_path_factory.mktemp("app")
    # One of the two variables is enough: the public address tells its path.
    named = {"STUDIO_PUBLIC_URL": url} if request.param == "keep" else {"GRADIO_ROOT_PATH": "/studio"}
    with serve(folder, "app.py", STUDIO_API_KEY="key-of-the-owner", **named) as app:
        command = [sys.executable, "-m", "tests.support.proxy", app.url, str(port), request.param]
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            deadline = time.monotonic() + 120
            while True:
                try:
                    urllib.request.urlopen(f"{url}/healthz", timeout=10).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield url, app
        finally:
            process.terminate()
            process.wait(60)


def test_every_kind_of_address_is_found_under_the_prefix(behind: tuple[str, Served]) -> None:
    url, _ = behind
    with httpx.Client(follow_redirects=True, timeout=60) as web:
        page = web.get(url)
        assert (page.status_code, page.url.path) == (200, "/studio/")
        assert web.get(f"{url}/config").json()["root"] == url
        for path in ("examples/street.jpg", "docs", "docs/aimlapi", "docs/static/swagger-ui.css", "favicon.ico"):
            assert web.get(f"{url}/{path}").status_code == 200, path
        assets = re.findall(r'(?:src|href)="(\.?/?assets/[^"]+)"', page.text)
        assert assets
        for path in assets[:3]:
            assert web.get(httpx.URL(str(page.url)).join(path)).status_code == 200, path
        assert web.get(f"{url}/v1/openapi.json").json()["servers"] == [{"url": "/studio"}]
        assert web.get(f"{url}/none").status_code == 404


def test_an_upload_a_signed_link_and_a_result_work_under_the_prefix(behind: tuple[str, Served]) -> None:
    url, _ = behind
    key = {"Authorization": "Bearer key-of-the-owner"}
    with httpx.Client(timeout=240, headers=key) as web:
        ticket = web.post(f"{url}/api/v3/media/uploads", json={"filename": "a.png", "size": 99}).json()["data"]
        assert ticket["upload"]["url"].startswith(f"{url}/api/v3/media/uploads/")
        assert web.put(ticket["upload"]["url"], content=picture_bytes()).status_code == 200
        assert web.get(ticket["download_url"]).status_code == 200
        body = {"prompt": "a lake", "image": ticket["download_url"], "strength": 0, "enable_sync_mode": True}
        task = web.post(f"{url}/api/v3/wavespeed-ai/flux-srpo/image-to-image", json=body).json()["data"]
        assert task["status"] == "completed", task
        assert task["outputs"][0].startswith(f"{url}/files/")
        assert web.get(task["outputs"][0]).headers["content-type"] == "image/jpeg"
        assert web.get(task["urls"]["get"]).json()["data"]["id"] == task["id"]


def test_the_gradio_api_streams_under_the_prefix(behind: tuple[str, Served], tmp_path: Path) -> None:
    url, _ = behind
    image = tmp_path / "a.png"
    image.write_bytes(picture_bytes())
    client = Client(f"{url}/", verbose=False, httpx_kwargs={"timeout": 240}, download_files=tmp_path)
    files, report = client.predict(handle_file(image), "a lake", api_name="/edit", strength=0)
    client.close()
    assert Path(files[0]).is_file()
    assert report["steps_run"] == 0


def test_a_click_through_the_page_works_under_the_prefix(behind: tuple[str, Served], browser: Browser) -> None:
    url, _ = behind
    # The framework links /manifest.json at the root of the host, which is not ours here; nothing needs it.
    with open_page(browser, f"{url}/", refused=True) as page:
        add_reference(page, picture_bytes())
        page.fill("#prompt textarea", "a lake")
        open_more(page)
        set_number(page, "num_inference_steps", 4)
        page.click("#run")
        expect(page.locator(".stage")).to_have_attribute(
            "data-state", "done", timeout=3 * PATIENCE
        )  # mini is loaded first
        loaded = "() => [...document.images].every(each => each.complete && each.naturalWidth > 0)"
        page.wait_for_function(loaded)
