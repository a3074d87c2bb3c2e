"""Images inside of calls of `/edit`: a call that waits holds the path of a file, and no bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.support.fakes import picture_bytes
from tests.support.live_app import Served
from tests.support.page_client import Person
from ui.inline_images import REST, set_aside
from ui.refusal import Refusal

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


class Disk:
    """Where images are stored."""

    def __init__(self) -> None:
        self.images: list[bytes] = []

    async def store(self, data: bytes) -> Path:
        """Store one."""
        self.images.append(data)
        return Path(f"/uploads/{len(self.images)}")


async def aside(rest: str, body: Any, most: int = 1_000_000) -> tuple[Any, list[bytes]]:
    disk, raw = Disk(), body if isinstance(body, bytes) else json.dumps(body).encode()
    value = None if isinstance(body, bytes) else body
    left = await set_aside(rest, raw, value, most, disk.store)
    return (left if isinstance(body, bytes) else json.loads(left)), disk.images


@pytest.mark.parametrize("image", [URI, PLAIN])
@pytest.mark.parametrize("rest", CALLS)
async def test_a_call_goes_on_with_the_path_of_its_stored_image(rest: str, image: str) -> None:
    left, images = await aside(rest, CALLS[rest](image))
    assert left == CALLS[rest]("/uploads/1")
    assert images == [PHOTO]


@pytest.mark.parametrize("rest", CALLS)
@pytest.mark.parametrize("image", [URI[:2000], "https://a.example/" + "x" * 2000, {"path": "/uploads/2"}, None])
async def test_a_call_without_a_long_inline_image_goes_on_as_it_came(rest: str, image: Any) -> None:
    assert await aside(rest, CALLS[rest](image)) == (CALLS[rest](image), [])


@pytest.mark.parametrize("rest", CALLS)
@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("data:image/png;base64," + "%" * 100_000, "image: This data URI cannot be read."),
        ("?" * 100_000, "image: "),
        ("A" * 4_000_000, "image: The picture is too large. At most 1 MB are taken."),
    ],
)
async def test_an_inline_image_that_cannot_be_read_is_refused_in_words(rest: str, image: str, words: str) -> None:
    with pytest.raises(Refusal, match=words) as refused:
        await aside(rest, CALLS[rest](image))
    assert refused.value.status == 400
    assert len(refused.value.words) < 300


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        ("call/v2/edit", {"image": URI, "prompt": "x" * REST}),
        ("call/edit", {"data": [PLAIN, "x" * REST]}),
        ("call/edit", {"data": "x" * REST}),
        ("call/edit", {"data": [{"url": URI}, "go"]}),
        ("mcp", {"params": {"arguments": {"image": URI, "prompt": "x" * REST}}}),
        ("mcp", {"params": "x" * REST}),
        ("mcp/", ["x" * REST]),
        ("mcp/http", b"x" * REST + b"x"),
        ("api/edit", b"{" * (REST + 1)),
    ],
)
async def test_a_call_with_much_beside_its_image_is_refused(rest: str, body: Any) -> None:
    with pytest.raises(Refusal, match="at most 64 KB") as refused:
        await aside(rest, body)
    assert refused.value.status == 413


async def test_other_requests_are_left_alone() -> None:
    body = {"data": [URI], "session_hash": "a"}
    assert await aside("queue/join", body) == (body, [])


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
