"""The image of a call: what is read of this app as its caller would read it, and what under the rules for addresses."""

from __future__ import annotations

import asyncio
import base64
import os
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from backends.http.safe_fetch import ImageFetcher
from core.errors import BadImage, BadInput, FetchFailed, StudioError
from core.imaging.images import Reference
from core.job import VISITOR, Visitor, visitor_in
from core.limits import Caps
from engine.services import Services
from tests.support.fakes import FakeBackend, make_reference, make_spec, picture_bytes
from tests.support.services import services_at
from tests.support.wire import Wire
from ui.edit_api import run_edit
from ui.image_input import read_image

PHOTO = picture_bytes(size=(90, 60))
OTHER = picture_bytes(size=(30, 20))


class App:
    """This app as a caller sees it, and the network beyond it; both remember what they were asked."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.asked: list[tuple[str, str]] = []
        self.owners: list[str] = []
        self.wire = Wire(lambda _: httpx.Response(200, content=OTHER))
        self.fetch = ImageFetcher(self.wire, self.resolve)
        self.app = Starlette(routes=[Route("/{rest:path}", self.answer)])

    async def resolve(self, host: str, _: int) -> list[str]:
        return ["127.0.0.1"] if host == "localhost" else ["93.184.216.34"]

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, request.cookies.get("owner", "")))
        self.owners.append(visitor_in(request.scope).owner)
        if "gone" in request.url.path:
            return PlainTextResponse("Not found", 404)
        return Response(PHOTO)

    def request(self, **headers: str) -> Request:
        """Return a caller's request."""
        given = {"host": "studio.example", "cookie": "owner=ann", "accept-encoding": "br", **headers}
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": raw, "app": self.app}
        return Request({**scope, VISITOR: Visitor("ann")})

    async def read(self, image: Any, **headers: str) -> Reference:
        """Return what a caller's image is read as."""
        return await read_image(image, self.request(**headers), self.fetch, self.services)


@pytest_asyncio.fixture
async def at(tmp_path: Path) -> AsyncIterator[App]:
    app = App(services_at(tmp_path))
    yield app
    await app.services.close()


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("http://studio.example/gradio_api/file=/data/a.png", "/gradio_api/file=/data/a.png"),
        ("https://studio.example/gradio_api/file=/data/a%20b.png", "/gradio_api/file=/data/a b.png"),
        ("https://studio.example/under/gradio_api/file=/data/a.png", "/under/gradio_api/file=/data/a.png"),
        ("http://front.example/files/x.png?until=1&signature=2", "/files/x.png"),
        (" /uploads/abc?until=1\n", "/uploads/abc"),
        ({"path": "http://studio.example/studio/v1/references/x/file"}, "/studio/v1/references/x/file"),
        ({"url": "http://studio.example/studio/v1/references/x/file"}, "/studio/v1/references/x/file"),
    ],
)
async def test_what_lies_in_this_app_is_read_as_its_caller(at: App, image: Any, path: str) -> None:
    reference = await at.read(image, x_forwarded_host="front.example")
    assert (reference.width, reference.address) == (90, None)
    assert at.asked == [(path, "ann")]
    assert at.owners == ["ann"]
    assert at.wire.asked == []


async def test_a_request_that_did_not_come_through_the_door_reads_nothing(at: App) -> None:
    request = at.request()
    del request.scope[VISITOR]
    with pytest.raises(LookupError):
        await read_image("/studio/v1/references/x/file", request, at.fetch, at.services)
    assert at.asked == []


async def test_the_path_of_an_upload_is_read_through_the_app(
    at: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    reference = await at.read(str(tmp_path / "ab" / "photo 1.png"))
    assert reference.width == 90
    assert at.asked == [(f"/gradio_api/file={tmp_path}/ab/photo 1.png", "ann")]


@pytest.mark.parametrize(
    "image",
    [
        "https://pictures.example/lake.png",
        " https://pictures.example/la\nke.png\t",
        "https://other.example/gradio_api/file=/data/a.png",
        {"path": "https://pictures.example/lake.png", "meta": {"_type": "gradio.FileData"}},
    ],
)
async def test_a_public_address_is_read_by_the_fetcher_and_goes_with_the_picture(at: App, image: Any) -> None:
    reference = await at.read(image)
    assert reference.width == 30
    assert reference.address is not None
    assert reference.address.startswith("https://")
    assert at.wire.asked[0].url.host == "93.184.216.34"
    assert at.asked == []


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (None, BadInput),
        ("", BadInput),
        ("  ", BadInput),
        (7, BadInput),
        ([], BadInput),
        ({}, BadInput),
        ({"path": ["x"]}, BadInput),
        ("/etc/passwd", BadImage),
        ("/metrics", BadImage),
        ("/gradio_api/queue/data", BadImage),
        ("../../etc/passwd", BadImage),
        ("file:///etc/passwd", FetchFailed),
        ("http://localhost/x.png", FetchFailed),
        ("http://studio.example/gradio_api/file=/gone.png", FetchFailed),
        ("http://studio.example:99/files/x.png", FetchFailed),
        ("http://[::1", StudioError),
        ("data:image/png;base64,a", FetchFailed),
    ],
)
async def test_what_cannot_be_read_is_refused_at_its_field(at: App, image: Any, error: type[StudioError]) -> None:
    with pytest.raises(error) as caught:
        await at.read(image)
    assert caught.value.field == "image"
    assert at.wire.asked == []
    assert os.sep + "etc" not in caught.value.todo


async def test_the_limit_of_bytes_holds_in_each_form(tmp_path: Path) -> None:
    at = App(services_at(tmp_path, caps=Caps(max_bytes=100)))
    text = base64.b64encode(PHOTO).decode()
    for image in (
        text,
        f"data:image/png;base64,{text}",
        "http://studio.example/studio/v1/references/x/file",
        "https://a.example/x",
    ):
        with pytest.raises(StudioError):
            await at.read(image)
    await at.services.close()


async def read(reference: Reference) -> Reference:
    return reference


async def test_who_waits_for_a_run_holds_no_bytes_of_its_reference(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), gate=asyncio.Event())
    services = services_at(tmp_path, {"local": backend})
    reference = make_reference()
    alive = weakref.ref(reference)
    running = asyncio.create_task(run_edit(services.engine, read(reference), "a lake", None, {}, Visitor()))
    del reference
    while not backend.started:  # noqa: ASYNC110 - the backend tells nobody
        await asyncio.sleep(0.005)
    assert alive() is None
    running.cancel()
    await asyncio.wait([running])
    await services.close()


async def test_a_caller_who_goes_away_cancels_the_run(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), gate=asyncio.Event())
    services = services_at(tmp_path, {"local": backend})
    running = asyncio.create_task(run_edit(services.engine, read(make_reference()), "a lake", None, {}, Visitor()))
    while not backend.started:  # noqa: ASYNC110 - the backend tells nobody
        await asyncio.sleep(0.005)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert backend.ended == ["a lake"]
    await services.close()
