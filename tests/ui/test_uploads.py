"""Uploads behind the guard, with the framework's own parser of forms: one picture each, counted, no half files."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from gradio.route_utils import upload_fn
from starlette.applications import Starlette
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from core.job import VISITOR, Visitor
from core.limits import Caps
from engine.services import Services
from storage.sqlite.store import Store
from tests.support.fakes import picture_bytes
from tests.support.services import services_at
from ui.guard import Guard

ANN, BOB = Visitor("ann", "192.0.2.1"), Visitor("bob", "192.0.2.2")
PICTURE = picture_bytes()
LIMIT = 1_000_000


@dataclass
class Place:
    """A guarded upload route on a folder of its own; `visitor` is who asks."""

    services: Services
    uploads: Path
    app: Guard
    visitor: Visitor = ANN

    def client(self) -> httpx.AsyncClient:
        """Return a client that comes in as the visitor."""

        async def entered(scope: Scope, receive: Receive, send: Send) -> None:
            scope[VISITOR] = self.visitor
            await self.app(scope, receive, send)

        return httpx.AsyncClient(transport=httpx.ASGITransport(app=entered), base_url="http://app.test")

    async def send(self, data: bytes = PICTURE, name: str = "a.png", field: str = "files") -> httpx.Response:
        """Upload a file."""
        async with self.client() as client:
            return await client.post("/gradio_api/upload", files={field: (name, data)})

    def files(self) -> list[str]:
        """Return the names of all files in the folder."""
        return sorted(each.name for each in self.uploads.rglob("*") if each.is_file())


@asynccontextmanager
async def place(folder: Path, **caps: Any) -> AsyncIterator[Place]:
    uploads = folder / "uploads"

    async def upload(request: Request) -> Response:
        try:  # as gradio.routes does
            files, _, _ = await upload_fn(request, str(uploads), LIMIT, None, force_move=False)
        except MultiPartException as error:
            return PlainTextResponse(error.message, 413 if "maximum allowed size" in error.message else 400)
        return JSONResponse([str(each) for each in files])

    async def file(request: Request) -> Response:
        return FileResponse(request.path_params["path"])

    routes = [
        Route("/gradio_api/upload", upload, methods=["POST"]),
        Route("/gradio_api/file={path:path}", file),
    ]
    services = services_at(folder, caps=Caps(max_bytes=LIMIT, **caps))
    try:
        yield Place(services, uploads, Guard(Starlette(routes=routes), services, uploads))
    finally:
        await services.close()


async def test_a_picture_is_stored_and_is_the_visitors_before_its_path_is_known(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        answer = await here.send()
        (path,) = answer.json()
        async with here.client() as client:
            assert (await client.get(f"/gradio_api/file={path}")).content == PICTURE
            here.visitor = BOB
            assert (await client.get(f"/gradio_api/file={path}")).status_code == 404


async def test_two_files_in_a_form_are_refused_and_neither_stays(tmp_path: Path) -> None:
    async with place(tmp_path) as here, here.client() as client:
        files = [("files", (name, PICTURE)) for name in ("a.png", "b.png")]
        answer = await client.post("/gradio_api/upload", files=files)
        assert answer.status_code == 400
        assert "Send one file at a time" in answer.json()["detail"]
        assert here.files() == []


@pytest.mark.parametrize("field", ["file", "x", "Files"])
async def test_a_part_that_the_framework_would_forget_is_refused(tmp_path: Path, field: str) -> None:
    async with place(tmp_path) as here:
        assert (await here.send(field=field)).status_code == 400
        assert here.files() == []


async def test_words_in_a_form_are_refused(tmp_path: Path) -> None:
    async with place(tmp_path) as here, here.client() as client:
        answer = await client.post("/gradio_api/upload", data={"files": "x" * 1000}, files={"a": ("a.png", PICTURE)})
        assert answer.status_code == 400
        assert here.files() == []


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "The file is empty"), (b"hello", "This is text"), (bytes(500_000), "not a picture")],
    ids=["empty", "text", "zeros"],
)
async def test_a_file_that_is_no_picture_is_refused_whatever_its_name_says(
    tmp_path: Path, data: bytes, words: str
) -> None:
    async with place(tmp_path) as here:
        answer = await here.send(data)
        assert answer.status_code == 415
        assert words in answer.json()["detail"]
        assert here.files() == []


async def test_alone_on_a_machine_any_file_comes_in_for_the_stage_says_what_it_is(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        here.visitor = Visitor()
        assert (await here.send(b"hello", "notes.txt")).status_code == 200


@pytest.mark.parametrize("sized", [True, False], ids=["with its length", "in chunks"])
async def test_a_file_above_the_limit_is_refused_and_nothing_of_it_stays(tmp_path: Path, sized: bool) -> None:
    async with place(tmp_path) as here, here.client() as client:
        head = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        body = head + PICTURE + bytes(LIMIT + 100_000) + b"\r\n--mark--\r\n"

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 65_536):
                yield body[start : start + 65_536]

        kind = {"Content-Type": "multipart/form-data; boundary=mark"}
        answer = await client.post("/gradio_api/upload", content=body if sized else chunks(), headers=kind)
        assert answer.status_code == 413
        assert "maximum allowed size" in answer.json()["detail"] or "The limit is 1 MB" in answer.json()["detail"]
        assert here.files() == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("", b"x"),
        ("multipart/form-data; boundary=mark", b"no form at all"),
    ],
)
async def test_what_is_no_form_is_refused_in_words(tmp_path: Path, kind: str, body: bytes) -> None:
    async with place(tmp_path) as here, here.client() as client:
        answer = await client.post("/gradio_api/upload", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 400
        assert answer.json()["detail"]
        assert here.files() == []


async def test_an_upload_that_is_cut_leaves_nothing(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        head = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + PICTURE
        messages: list[Message] = [
            {"type": "http.request", "body": head, "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return messages.pop(0)

        async def send(message: Message) -> None:
            pass

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/gradio_api/upload",
            "query_string": b"",
            "headers": [(b"content-type", b"multipart/form-data; boundary=mark")],
            VISITOR: ANN,
        }
        await here.app(scope, receive, send)
        assert messages == []
        assert here.files() == []


async def test_a_visitor_uploads_so_many_bytes_an_hour_and_another_goes_on(tmp_path: Path) -> None:
    async with place(tmp_path, uploads_per_hour=1_200_000) as here:
        assert (await here.send(PICTURE + bytes(600_000), "1.png")).status_code == 200
        answer = await here.send(PICTURE + bytes(700_000), "2.png")
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 3600
        assert "1.2 MB of uploads an hour for one" in answer.json()["detail"]
        here.visitor = Visitor("another cookie", ANN.address)
        assert (await here.send(PICTURE + bytes(700_000), "3.png")).status_code == 429
        here.visitor = BOB
        assert (await here.send(PICTURE + bytes(700_000), "4.png")).status_code == 200
        assert here.files() == ["1.png", "4.png"]


async def test_bytes_without_a_stated_length_are_counted_as_they_come(tmp_path: Path) -> None:
    async with place(tmp_path, uploads_per_hour=1_000_000) as here, here.client() as client:
        assert (await here.send(PICTURE + bytes(200_000))).status_code == 200

        async def endless() -> AsyncIterator[bytes]:
            yield b'--mark\r\nContent-Disposition: form-data; name="files"; filename="b.png"\r\n\r\n' + PICTURE
            for _ in range(90):
                yield bytes(10_000)

        kind = {"Content-Type": "multipart/form-data; boundary=mark", "Content-Length": ""}
        answer = await client.post("/gradio_api/upload", content=endless(), headers=kind)
        assert answer.status_code == 429
        assert here.files() == ["a.png"]


async def test_uploads_that_nobody_ran_make_room_for_the_next_and_it_is_the_largest_holder_who_gives(
    tmp_path: Path,
) -> None:
    async with place(tmp_path, quota=8_000_000) as here:  # of which uploads have a fourth
        here.visitor = BOB
        await here.send(PICTURE + bytes(100_000), "bob.png")
        here.visitor = ANN
        for number in range(6):
            assert (await here.send(PICTURE + bytes(500_000 + number), f"{number}.png")).status_code == 200
        assert here.files() == ["3.png", "4.png", "5.png", "bob.png"]
        assert not any(each.is_dir() and not list(each.iterdir()) for each in here.uploads.iterdir())


async def test_tiny_files_count_as_the_blocks_that_they_take(tmp_path: Path) -> None:
    async with place(tmp_path, quota=400_000) as here:
        for number in range(40):
            assert (await here.send(PICTURE + bytes([number]), f"{number}.png")).status_code == 200
        assert len(here.files()) <= 100_000 / 4096


async def test_where_the_quota_is_full_of_what_must_stay_an_upload_is_refused_in_words(tmp_path: Path) -> None:
    async with place(tmp_path, quota=10_000) as here:
        answer = await here.send(PICTURE + bytes(20_000))
        assert answer.status_code == 507
        assert "no room" in answer.json()["detail"]
        assert here.files() == []


class Usage(NamedTuple):
    """What `shutil.disk_usage` tells."""

    total: int
    used: int
    free: int


async def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with place(tmp_path) as here:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 0))
        answer = await here.send()
        assert (answer.status_code, here.files()) == (507, [])
        assert "The disk has no room for this file" in answer.json()["detail"]


async def test_a_database_that_takes_nothing_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with place(tmp_path) as here:

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(Store, "add_file", full)
        assert (await here.send()).status_code == 507


async def test_a_file_that_another_visitors_room_took_a_moment_ago_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place(tmp_path) as here:
        add_file = here.services.uploads.add_file

        async def late(owner: str, path: Path) -> bool:
            await asyncio.to_thread((here.uploads / path).unlink)
            return await add_file(owner, path)

        monkeypatch.setattr(here.services.uploads, "add_file", late)
        answer = await here.send()
        assert answer.status_code == 503
        assert "Choose the picture again" in answer.json()["detail"]


async def test_what_the_last_process_left_half_uploaded_is_removed(tmp_path: Path) -> None:
    (tmp_path / "uploads" / "tmp folder").mkdir(parents=True)
    (tmp_path / "uploads" / "tmpx7a").write_bytes(b"half")
    async with place(tmp_path) as here:
        await here.send()
        await here.services.engine.recover()
        assert here.files() == ["a.png"]


async def test_an_old_upload_loses_its_row(tmp_path: Path) -> None:
    async with place(tmp_path, cache_age=-1.0) as here:
        (path,) = (await here.send()).json()
        relative = Path(path).relative_to(here.uploads)
        assert await here.services.uploads.owns_file("ann", relative)
        await here.services.engine.tidy()
        assert not await here.services.uploads.owns_file("ann", relative)
