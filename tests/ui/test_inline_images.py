"""Images inside of calls of `/edit`: a call that waits holds the path of a file, and no bytes."""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from starlette.types import Message, Receive

from core.errors import BadParameter, StudioError
from core.imaging.inline_body import REST, separate
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.page_client import Person
from ui.inline_images import place_of, spooled

pytestmark = pytest.mark.integration

PHOTO = picture_bytes("PNG", "RGB", (40, 30)) + b"\0" * 100_000
PLAIN = base64.b64encode(PHOTO).decode()
URI = f"data:image/png;base64,{PLAIN}"
OTHERS = ["go", *[None] * 9]

CALLS: dict[str, Callable[[Any], Any]] = {
    "call/edit": lambda image: {"data": [image, *OTHERS]},
    "api/edit": lambda image: {"data": [image, *OTHERS]},
    "run/edit/": lambda image: {"data": [image, *OTHERS]},
    "call/v2/edit": lambda image: {"image": image, "prompt": "go"},
    "mcp/": lambda image: {"jsonrpc": "2.0", "id": 1, "params": {"arguments": {"image": image, "prompt": "go"}}},
}


def separated(rest: str, body: Any, into: Path, most: int = 1_000_000) -> Any:
    """Return what is left of a call, as JSON where it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    left = separate(raw, place_of(rest), into, most)
    return left if isinstance(body, bytes) else json.loads(left)


@pytest.mark.parametrize("image", [URI, PLAIN])
@pytest.mark.parametrize("rest", CALLS)
def test_a_call_goes_on_with_the_path_of_its_stored_image(tmp_path: Path, rest: str, image: str) -> None:
    into = tmp_path / "image"
    assert separated(rest, CALLS[rest](image), into) == CALLS[rest](str(into))
    assert into.read_bytes() == PHOTO


@pytest.mark.parametrize("rest", CALLS)
@pytest.mark.parametrize("image", [URI[:2000], "https://a.example/" + "x" * 9000, {"path": "/uploads/2"}, None])
def test_a_call_without_a_long_inline_image_goes_on_as_it_came(tmp_path: Path, rest: str, image: Any) -> None:
    assert separated(rest, CALLS[rest](image), tmp_path / "image") == CALLS[rest](image)
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize("rest", CALLS)
@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("data:image/png;base64," + "%" * 100_000, "This data URI cannot be read."),
        ("?" * 100_000, "neither an address nor a picture in base64"),
        ("A" * 4_000_000, "The picture is too large. The limit is 1 MB."),
    ],
)
def test_an_inline_image_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, rest: str, image: str, words: str
) -> None:
    with pytest.raises(StudioError, match=words) as refused:
        separated(rest, CALLS[rest](image), tmp_path / "image")
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("rest", "body", "words"),
    [
        ("call/v2/edit", {"image": URI, "prompt": "x" * REST}, "at most 64 KB"),
        ("call/edit", {"data": [PLAIN, "x" * REST]}, "at most 64 KB"),
        ("call/edit", {"data": "x" * REST}, "at most 64 KB"),
        ("call/edit", {"data": [{"url": URI}, "go"]}, "at most 64 KB"),
        ("mcp", {"params": {"arguments": {"image": URI, "prompt": "x" * REST}}}, "at most 64 KB"),
        ("mcp", {"params": "x" * REST}, "at most 64 KB"),
        ("mcp/", ["x" * REST], "at most 64 KB"),
        ("mcp/http", b"x" * REST + b"x", "at most 64 KB"),
        ("api/edit", b"[" * (REST + 1), "more than 20 levels"),
    ],
)
def test_a_call_with_much_beside_its_image_is_refused(tmp_path: Path, rest: str, body: Any, words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        separated(rest, body, tmp_path / "image")


def sent(body: bytes, size: int) -> Receive:
    """Return a receiver that gives a body in parts."""
    parts = [body[begin : begin + size] for begin in range(0, len(body), size)] or [b""]

    async def receive() -> Message:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    return receive


@pytest.mark.parametrize("length", [0, 1, REST - 1, REST, REST + 1, 5_000_001])
@pytest.mark.parametrize("size", [1000, REST, 3_000_000])
async def test_a_body_comes_whole_and_a_large_one_as_a_file(tmp_path: Path, length: int, size: int) -> None:
    body = random.Random(length).randbytes(length)
    async with spooled(sent(body, size), tmp_path) as got:
        assert isinstance(got, Path) == (length > REST)
        assert (got.read_bytes() if isinstance(got, Path) else got) == body
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("body", [{"image": URI, "prompt": "x" * REST}, {"image": "?" * 100_000, "prompt": "go"}])
def test_a_refused_call_is_told_why_and_leaves_no_file(fakes: Served, body: Any) -> None:
    before = [each for each in (fakes.data_dir / "uploads").rglob("*") if each.is_file()]
    answer = Person(fakes.url).ask("POST", "/gradio_api/call/v2/edit", body)
    assert answer.status == 400
    assert answer.words.startswith(("body: Beside its image", "image: "))
    assert [each for each in (fakes.data_dir / "uploads").rglob("*") if each.is_file()] == before


@pytest.mark.parametrize("rest", ["call/edit", "call/v2/edit"])
def test_a_held_call_has_its_image_on_the_disk(fakes: Served, rest: str) -> None:
    person = Person(fakes.url)
    body = CALLS[rest](URI)
    body = json.loads(json.dumps(body).replace('"go"', '"steps"'))
    before = set((fakes.data_dir / "uploads").rglob("image"))
    answer = person.ask("POST", f"/gradio_api/{rest}", body)
    assert answer.status == 200, answer.body
    (stored,) = set((fakes.data_dir / "uploads").rglob("image")) - before
    assert stored.read_bytes() == PHOTO
    event = answer.json()["event_id"]
    stream = person.ask("GET", f"/gradio_api/{rest}/{event}").body.decode()
    assert json.loads(stream.split("event: complete\ndata: ", 1)[1])[1]["width"] == 40


async def test_an_mcp_client_sends_a_long_inline_image(fakes: Served) -> None:
    async with (
        streamable_http_client(f"{fakes.url}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        result = await session.call_tool("edit", {"image": URI, "prompt": "go"})
    assert not result.isError, result
    assert result.structuredContent is not None
    assert result.structuredContent["width"] == 40
