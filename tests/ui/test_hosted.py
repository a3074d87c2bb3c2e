"""The hosted backends in the page: a key for this tab, what it costs, what cannot be taken back."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Response, expect
from playwright.sync_api import Error as PlaywrightError

from tests.support.browser import open_page
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, free_port, serve
from tests.support.loopback import serving_beside
from tests.support.providers import aimlapi, wavespeed
from tests.support.studio_page import (
    RESULT,
    THUMBS,
    add_reference,
    choose_backend,
    message,
    problem,
    set_images,
    start,
    wait_until_ready,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def aiml() -> Iterator[tuple[aimlapi.Aimlapi, str]]:
    stand_in = aimlapi.Aimlapi()
    with serving_beside(stand_in.app()) as url:
        yield stand_in, url


@pytest.fixture(scope="module")
def wave() -> Iterator[tuple[wavespeed.Wavespeed, str]]:
    stand_in = wavespeed.Wavespeed()
    with serving_beside(stand_in.app()) as url:
        yield stand_in, url


@pytest.fixture(scope="module")
def hosted(
    tmp_path_factory: pytest.TempPathFactory,
    aiml: tuple[aimlapi.Aimlapi, str],
    wave: tuple[wavespeed.Wavespeed, str],
) -> Iterator[Served]:
    """The real app, its owner's key for AI/ML API in the environment, none for WaveSpeedAI."""
    environ = {"AIMLAPI_BASE_URL": aiml[1], "WAVESPEED_BASE_URL": wave[1], "AIMLAPI_KEY": aimlapi.KEY}
    with serve(tmp_path_factory.mktemp("hosted"), "app.py", **environ) as served:
        yield served


@pytest.fixture
def page(browser: Browser, hosted: Served) -> Iterator[Page]:
    with open_page(browser, hosted.url) as opened:
        add_reference(opened, picture_bytes("PNG", "RGB", (240, 160)))
        yield opened


def paste_key(page: Page, key: str) -> None:
    """Paste a key behind the status dot, and have it checked."""
    if not page.locator("#about-backend").is_visible():
        page.click("#status .dot-button")
    page.fill("#key", key)
    page.press("#key", "Enter")


def test_a_pasted_key_is_checked_kept_for_the_tab_and_seen_nowhere(
    page: Page, hosted: Served, wave: tuple[wavespeed.Wavespeed, str]
) -> None:
    choose_backend(page, "WaveSpeedAI")
    expect(page.locator("#status")).to_contain_text("WaveSpeedAI needs a key. Get one at wavespeed.ai")
    paste_key(page, "a-wrong-key")
    expect(page.locator("#key-note")).to_contain_text("rejected this key")
    paste_key(page, wavespeed.KEY)
    expect(page.locator("#key-note")).to_contain_text("Key accepted, $7.25 left")
    expect(page.locator("#status")).to_contain_text("Ready")
    expect(page.locator("#key")).to_have_value("")
    page.keyboard.press("Escape")
    start(page, "as a watercolour")
    page.wait_for_selector(RESULT)
    expect(page.locator(".stage .facts")).to_contain_text("$0.02")
    expect(page.locator("#preflight")).to_contain_text("$0.025 this session")
    for place in (page.content(), hosted.log.read_text(), str(page.evaluate("JSON.stringify({...localStorage})"))):
        assert wavespeed.KEY not in place
        assert aimlapi.KEY not in place
    kept = [path for path in hosted.data_dir.rglob("*") if path.is_file()]
    assert not [path for path in kept if wavespeed.KEY.encode() in path.read_bytes()]


def test_another_tab_does_not_have_the_key(page: Page) -> None:
    choose_backend(page, "WaveSpeedAI")
    expect(page.locator("#status")).to_contain_text("needs a key")
    start(page, "as a watercolour")
    assert "needs a key" in problem(page)


def test_run_takes_the_key_that_was_pasted_and_not_checked(page: Page, wave: tuple[wavespeed.Wavespeed, str]) -> None:
    choose_backend(page, "WaveSpeedAI")
    page.click("#status .dot-button")
    page.fill("#key", wavespeed.KEY)
    page.keyboard.press("Escape")
    start(page, "as a watercolour")
    page.wait_for_selector(RESULT)


def test_the_price_stands_above_run_and_the_owners_key_needs_no_box(page: Page) -> None:
    choose_backend(page, "AI/ML API")
    expect(page.locator("#status")).to_contain_text("Ready")
    expect(page.locator("#preflight")).to_contain_text("$0.0")
    set_images(page, 2)
    expect(page.locator("#preflight")).to_contain_text("$0.058")  # twice the live price


def test_the_days_budget_counts_what_another_tab_has_spent_and_where(page: Page) -> None:
    choose_backend(page, "AI/ML API")
    start(page, "as a watercolour")
    page.wait_for_selector(RESULT)
    page.evaluate("sessionStorage.clear()")
    page.reload()
    wait_until_ready(page)
    session, day = page.locator("#preflight .budget").all()
    expect(day).not_to_contain_text("$0.00 today")
    expect(day.locator("span[title]")).to_have_attribute("title", re.compile(r"AI/ML API \$0\.0\d+"))
    expect(session).to_contain_text("$0.00 this session")
    page.get_by_label("Budget of a day, in dollars").fill("0.03")
    page.keyboard.press("Tab")
    page.click("#run")
    assert "budget of $0.03 for a day" in problem(page)
    expect(page.get_by_label("Budget of a day, in dollars")).to_be_focused()


def test_a_withheld_image_is_shown_as_such(page: Page, aiml: tuple[aimlapi.Aimlapi, str]) -> None:
    choose_backend(page, "AI/ML API")
    set_images(page, 2)
    expect(page.locator("#preflight")).to_contain_text("$0.058")  # two are asked for
    aiml[0].nsfw = [True, False]
    try:
        start(page, "as a watercolour")
        page.wait_for_selector(RESULT)
    finally:
        aiml[0].nsfw = []
    expect(page.locator(".stage .withheld")).to_contain_text("not safe for work")
    expect(page.locator(RESULT)).to_have_count(1)
    expect(page.locator(".stage .message")).to_have_count(0)


def test_a_refusal_is_told_with_what_to_do_and_that_it_was_free(page: Page, aiml: tuple[aimlapi.Aimlapi, str]) -> None:
    choose_backend(page, "AI/ML API")
    aiml[0].refuse = [(403, "You have run out of credits", {})]
    start(page, "as a watercolour")
    assert all(each in message(page) for each in ("out of credits", "Top it up", "Nothing was charged"))


def test_a_run_that_cannot_be_taken_back_lands_after_its_cancel(
    page: Page, wave: tuple[wavespeed.Wavespeed, str]
) -> None:
    choose_backend(page, "WaveSpeedAI")
    paste_key(page, wavespeed.KEY)
    expect(page.locator("#key-note")).to_contain_text("accepted")
    wave[0].seconds = 3600
    start(page, "as a watercolour")
    page.wait_for_function(
        "/(Waiting|Working) at WaveSpeedAI/.test(document.querySelector('.stage .progress')?.textContent)"
    )
    expect(page.locator(".stage .progress")).to_contain_text(" s")
    page.click("#cancel")
    assert "may be charged" in message(page)
    assert "It may have been charged" in message(page)
    expect(page.locator("#cancel")).to_be_disabled()
    wave[0].finish()
    page.wait_for_selector(RESULT)
    expect(page.locator(".stage .message")).to_have_count(0)


def test_the_owners_webhook_door_refuses_strangers(hosted: Served, page: Page) -> None:
    answer = page.request.post(f"{hosted.url}/hooks/wavespeed", data='{"id": "x"}')
    assert answer.status == 401
    assert page.request.get(f"{hosted.url}/files/{'0' * 64}.png?until=9999999999&signature=x").status == 403


CANARIES = {
    "AIMLAPI_KEY": aimlapi.KEY,
    "WAVESPEED_WEBHOOK_SECRET": "whsec_canary-of-the-hook",
    "HF_TOKEN": "hf_canaryOfTheHub",
    "STUDIO_METRICS_TOKEN": "canary-of-the-figures",
    "pasted": wavespeed.KEY,
}


def forms(secret: str) -> tuple[bytes, ...]:
    """Return a secret as it may travel: plain, in an address, in base64."""
    coded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return secret.encode(), quote(secret, safe="").encode(), coded.encode()


def test_no_secret_is_found_in_any_place_that_anybody_can_read(
    browser: Browser, tmp_path: Path, aiml: tuple[aimlapi.Aimlapi, str], wave: tuple[wavespeed.Wavespeed, str]
) -> None:
    environ = {name: value for name, value in CANARIES.items() if name != "pasted"}
    environ |= {"AIMLAPI_BASE_URL": aiml[1], "WAVESPEED_BASE_URL": wave[1]}
    places: dict[str, bytes] = {}
    with serve(tmp_path, "app.py", **environ) as served:
        with open_page(browser, served.url) as page:
            answers: list[Response] = []
            page.on("response", lambda answer: answers.append(answer))
            add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
            choose_backend(page, "AI/ML API")
            aiml[0].refuse = [(400, f"a refusal that says {aimlapi.KEY} back", {})]
            start(page, "as a watercolour")
            message(page)
            start(page, "as a watercolour")
            page.wait_for_selector(RESULT)
            choose_backend(page, "WaveSpeedAI")
            expect(page.locator("#status")).to_contain_text("needs a key")
            paste_key(page, wavespeed.KEY)
            expect(page.locator("#key-note")).to_contain_text("accepted")
            page.keyboard.press("Escape")
            wave[0].failures = [("failed", 1200, f"a failure that says {wavespeed.KEY} back")]
            start(page, "as an oil painting")
            message(page)
            start(page, "as an oil painting")
            expect(page.locator(THUMBS)).to_have_count(2)
            places |= {answer.url: body_of(answer) for answer in answers}
            places["the page"] = page.content().encode()
            places["its storage"] = page.evaluate(
                "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
            ).encode()
            with open_page(browser, served.url) as other:
                places["another browser's page"] = other.content().encode()
            for path in ("/config", "/gradio_api/info", "/readyz", "/metrics", "/gradio_api/openapi.json"):
                places[path] = page.request.get(f"{served.url}{path}").body()
        places |= {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    places |= {f"{path} after the end": path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"the page", "/config", str(tmp_path / "app.log"), str(tmp_path / "studio.db")} <= places.keys()
    found = [
        (name, key)
        for name, place in places.items()
        for key, secret in CANARIES.items()
        if any(form in place for form in forms(secret))
    ]
    assert found == []


def body_of(answer: Response) -> bytes:
    """Return an answer's body; of a stream that goes on there is none."""
    try:
        return b"" if "event-stream" in answer.headers.get("content-type", "") else answer.body()
    except PlaywrightError:
        return b""


def test_a_run_at_a_provider_outlives_the_app_and_goes_on_with_its_key(
    browser: Browser, tmp_path: Path, wave: tuple[wavespeed.Wavespeed, str]
) -> None:
    stand_in, url = wave
    environ = {"WAVESPEED_BASE_URL": url, "GRADIO_SERVER_PORT": str(free_port())}
    stand_in.seconds, before = 3600, len(stand_in.submits)
    with serve(tmp_path, "app.py", kill=True, **environ) as served, open_page(browser, served.url) as page:
        add_reference(page, picture_bytes("PNG", "RGB", (240, 160)))
        choose_backend(page, "WaveSpeedAI")
        paste_key(page, wavespeed.KEY)
        expect(page.locator("#key-note")).to_contain_text("accepted")
        page.keyboard.press("Escape")
        start(page, "as a watercolour")
        page.wait_for_function("/Working at/.test(document.querySelector('.stage .progress')?.textContent)")
    with serve(tmp_path, "app.py", **environ) as served, open_page(browser, served.url) as page:
        expect(page.locator(".stage .progress")).to_contain_text("needs your key to continue")
        choose_backend(page, "WaveSpeedAI")
        paste_key(page, wavespeed.KEY)
        stand_in.finish()
        page.wait_for_selector(RESULT)
    assert len(stand_in.submits) == before + 1
