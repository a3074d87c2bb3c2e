"""The page's modules in a real browser, without the app around them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from api.subpath import SubPath
from tests.support.loopback import serving_beside
from ui.web_files import WebFiles

pytestmark = pytest.mark.integration

PREFIX = "/studio"
"""The worst that there is: the API's own path begins like it."""
FILES = WebFiles()
TAB = """
const at = (name) => new URL(`web/%s/${name}`, document.baseURI).href;
const { createApi } = await import(at('lib/api.js'));
const { createEvents } = await import(at('lib/events.js'));
const { streamOf } = await import(at('lib/sse.js'));
const { loadWords } = await import(at('lib/i18n.js'));
const { html, render, repeat } = await import(at('vendor/lit.js'));
const api = createApi();
const words = await loadWords(navigator.languages, ['en']);
const events = createEvents(streamOf(api.events));
const seen = [];
const draw = () => render(html`<h1>${words.say('ui-run')}</h1><p>${events.role()}</p>
  ${repeat(seen, (each) => each, (each) => html`<li>${each}</li>`)}`, document.body);
events.onState((update) => {
  if (update.kind === 'hello') seen.push(`hello ${update.hello.total}`);
  if (update.kind === 'change') seen.push(`change ${update.change.total}`);
  if (update.kind === 'connection') document.documentElement.dataset.connection = update.connection;
  draw();
});
events.start();
window.specs = () => api.specs();
draw();
"""


@dataclass
class Backstage:
    """What the server is asked, and what it says."""

    streams: set[asyncio.Queue[str]] = field(default_factory=set)
    resumed: list[str | None] = field(default_factory=list)
    total: int = 0
    loop: asyncio.AbstractEventLoop | None = None

    async def page(self, _: Request) -> Response:
        head = FILES.reconnect("all") + FILES.preloads()
        script = f'<script type="module">{TAB % FILES.build}</script>'
        return HTMLResponse(
            f"<!doctype html><html lang=en><head><link rel=icon href=data:,>{head}</head><body>{script}</body></html>"
        )

    async def specs(self, _: Request) -> Response:
        return JSONResponse({"build": "b", "backends": []})

    async def events(self, request: Request) -> Response:
        self.loop = asyncio.get_running_loop()
        self.resumed.append(request.headers.get("last-event-id"))
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.streams.add(queue)

        async def lines() -> AsyncIterator[str]:
            hello = {"build": "b", "now": 0, "backends": {}, "jobs": [], "total": self.total}
            try:
                yield f"event: hello\nid: {self.total}\ndata: {json.dumps(hello)}\n\n"
                while line := await queue.get():
                    yield line
            finally:
                self.streams.discard(queue)

        return StreamingResponse(lines(), media_type="text/event-stream")

    def change(self) -> None:
        self.total += 1
        self._say(f'event: change\nid: {self.total}\ndata: {{"total": {self.total}}}\n\n')

    def end_streams(self) -> None:
        self._say("")

    def _say(self, line: str) -> None:
        assert self.loop is not None
        for queue in list(self.streams):
            self.loop.call_soon_threadsafe(queue.put_nowait, line)


@pytest.fixture
def backstage() -> Backstage:
    return Backstage()


@pytest.fixture
def url(backstage: Backstage) -> Iterator[str]:
    routes = [
        Route("/", backstage.page),
        Route("/studio/v1/specs", backstage.specs),
        Route("/studio/v1/events", backstage.events),
        *FILES.routes(),
    ]
    with serving_beside(SubPath(Starlette(routes=routes), PREFIX, routes)) as root:
        yield f"{root}{PREFIX}/"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


def tab(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    expect(page.locator("li").first).to_contain_text("hello")
    return page


def test_modules_words_and_api_are_found_under_a_prefix_and_fetched_once(
    context: BrowserContext, url: str, backstage: Backstage
) -> None:
    page = context.new_page()
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(url)
    expect(page.locator("h1")).to_have_text("Run")
    assert page.evaluate("specs()") == {"build": "b", "backends": []}
    files = [each for each in asked if "/web/" in each]
    modules = [each for each in files if not each.endswith(".ftl")]
    assert len(modules) == len(set(modules))
    # The head begins with the page's own module, which asks for the same words as this tab.
    assert len(set(files) - set(modules)) == 1
    assert all(each.startswith(url) for each in asked)
    assert told == []


def test_eight_tabs_have_one_stream_and_the_next_takes_it_over(
    context: BrowserContext, url: str, backstage: Backstage
) -> None:
    tabs = [tab(context, url) for _ in range(8)]
    backstage.change()
    for each in tabs:
        expect(each.locator("li").last).to_have_text("change 1")
    assert len(backstage.streams) == 1
    tabs[0].close()
    expect(tabs[1].locator("p")).to_have_text("leader")
    expect(tabs[7].locator("li").last).to_have_text("hello 1")
    backstage.change()
    for each in tabs[1:]:
        expect(each.locator("li").last).to_have_text("change 2")
    assert backstage.resumed == [None, "1"]


def test_a_stream_that_ends_is_resumed(context: BrowserContext, url: str, backstage: Backstage) -> None:
    page = tab(context, url)
    backstage.change()
    expect(page.locator("li").last).to_have_text("change 1")
    backstage.end_streams()
    expect(page.locator("li").last).to_have_text("hello 1")
    assert backstage.resumed == [None, "1"]
    expect(page.locator("html")).to_have_attribute("data-connection", "live")


def test_a_page_from_the_back_forward_cache_is_up_to_date(
    context: BrowserContext, url: str, backstage: Backstage
) -> None:
    page = tab(context, url)
    expect(page.locator("li")).to_have_text(["hello 0"])
    page.goto(f"{url}web/{FILES.build}/page-that-is-not-there")
    backstage.total = 5
    page.go_back()
    expect(page.locator("li").last).to_have_text("hello 5")


def test_a_plain_page_of_the_local_network_has_a_stream_of_its_own(
    context: BrowserContext, url: str, backstage: Backstage
) -> None:
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })")
    tabs = [tab(context, url) for _ in range(2)]
    backstage.change()
    for each in tabs:
        expect(each.locator("li").last).to_have_text("change 1")
    expect(tabs[0].locator("p")).to_have_text("alone")


def test_the_page_is_not_reloaded_by_another_script(context: BrowserContext, url: str) -> None:
    page = tab(context, url)
    page.evaluate("document.body.dataset.mark = 'here'; location.reload()")
    page.wait_for_timeout(300)
    assert page.evaluate("document.body.dataset.mark") == "here"
    with page.expect_navigation():
        page.evaluate("studio.reload()")
    page.reload()
    expect(page.locator("h1")).to_have_text("Run")
