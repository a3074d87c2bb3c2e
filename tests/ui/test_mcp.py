"""The switch: with STUDIO_MCP=1, MCP clients find `/edit` as a tool; without it, nothing."""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, TextContent
from PIL import Image

from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, serve, upload

pytestmark = pytest.mark.integration

PHOTO = picture_bytes("PNG", "RGB", (40, 30))
PLAIN = base64.b64encode(PHOTO).decode()
URI = f"data:image/png;base64,{PLAIN}"


@asynccontextmanager
async def session_with(app: Served) -> AsyncIterator[ClientSession]:
    async with (
        streamable_http_client(f"{app.url}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


async def call(app: Served, **arguments: Any) -> CallToolResult:
    async with session_with(app) as session:
        return await session.call_tool("edit", arguments)


def sizes(result: CallToolResult) -> list[tuple[int, int]]:
    images = [each for each in result.content if isinstance(each, ImageContent)]
    return [Image.open(io.BytesIO(base64.b64decode(each.data))).size for each in images]


def words(result: CallToolResult) -> str:
    first = result.content[0]
    assert isinstance(first, TextContent)
    return first.text


def sources(app: Served) -> list[str]:
    """Return through which doors the pictures of the library came."""
    with urllib.request.urlopen(f"{app.url}/studio/v1/results", timeout=60) as answer:
        return [each["source"] for each in json.load(answer)["results"]]


async def test_an_mcp_client_edits_a_picture_with_the_real_app(tmp_path: Path) -> None:
    with serve(tmp_path, "app.py", STUDIO_MCP="1") as app:
        settings = {"prompt": "a lake", "strength": 0.5, "num_inference_steps": 2, "seed": 9}
        path = upload(app, PHOTO)
        for image in (URI, path, f"{app.url}/gradio_api/file={path}"):
            result = await call(app, image=image, **settings)
            assert not result.isError, result
            assert sizes(result) == [(40, 30)]
        assert result.structuredContent is not None
        assert (result.structuredContent["seed"], result.structuredContent["backend"]) == (9, "local")
        assert str(tmp_path) not in result.model_dump_json()
        assert sources(app) == ["mcp"] * 3, "they stand in the owner's library"


async def test_the_tool_says_what_it_takes(fakes: Served) -> None:
    async with session_with(fakes) as session:
        tool, other = (await session.list_tools()).tools
    assert other.name == "experiment"
    schema = tool.inputSchema
    jsonschema.Draft202012Validator.check_schema(schema)
    properties = schema["properties"]
    assert tool.name == "edit"
    assert schema["required"] == ["image", "prompt"]
    for form in ("public http or https address", "uploaded to this app", "data URI", "base64"):
        assert form in properties["image"]["description"]
    assert properties["backend"]["enum"] == ["first", "other", "away"]
    assert properties["acceleration"]["enum"] == ["none", "regular", "high"]
    assert properties["output_format"]["enum"] == ["png", "jpeg"]
    facts = {name: (each["type"], each.get("minimum"), each.get("maximum")) for name, each in properties.items()}
    assert facts["strength"] == ("number", 0, 1)
    assert facts["num_inference_steps"] == ("integer", 1, 50)
    assert facts["seed"] == ("integer", 0, 2**31 - 1)
    assert facts["num_images"] == ("integer", 1, 4)
    assert facts["enable_safety_checker"] == ("boolean", None, None)
    defaults = {name: each["default"] for name, each in properties.items() if "default" in each}
    assert defaults == {
        **{"backend": "first", "strength": 0.6, "num_inference_steps": 28, "guidance_scale": 3.5, "num_images": 1},
        **{"output_format": "png", "enable_safety_checker": True},
    }
    assert "first 0.6, other 0.3" in properties["strength"]["description"]


@pytest.mark.parametrize(
    ("image", "size"),
    [
        ("https://pictures.example/lake.png", (320, 200)),
        (" https://pictures.example/lake.png\n", (320, 200)),
        (URI, (40, 30)),
        (PLAIN, (40, 30)),
    ],
)
async def test_an_image_comes_in_each_form_that_the_tool_names(
    fakes: Served, image: str, size: tuple[int, int]
) -> None:
    result = await call(fakes, image=image, prompt="go", num_images=2, output_format="jpeg")
    assert not result.isError, result
    assert sizes(result) == [size] * 2
    assert {each.mimeType for each in result.content if isinstance(each, ImageContent)} == {"image/jpeg"}


async def test_the_answer_holds_the_report_as_structure_and_as_text(fakes: Served) -> None:
    result = await call(fakes, image=URI, prompt="go", seed=7)
    assert json.loads(words(result)) == result.structuredContent
    assert result.structuredContent is not None
    assert result.structuredContent["settings"]["prompt"] == "go"
    assert (result.structuredContent["width"], result.structuredContent["seeds"]) == (40, [7])
    assert str(fakes.data_dir) not in result.model_dump_json()


async def test_a_picture_of_more_than_four_megabytes_is_taken(fakes: Served) -> None:
    large = PHOTO + b"\0" * 5_000_000
    result = await call(fakes, image=base64.b64encode(large).decode(), prompt="go")
    assert not result.isError, result


@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        ({"prompt": "go"}, "image: There is no reference image."),
        ({"image": URI}, "prompt: The prompt is empty."),
        ({"image": URI, "prompt": 7}, "prompt: "),
        ({"image": 7, "prompt": "go"}, "image: "),
        ({"image": {"path": "/etc/passwd"}, "prompt": "go"}, "image: "),
        ({"image": "/etc/passwd", "prompt": "go"}, "image: "),
        (
            {"image": "http://127.0.0.1/x.png", "prompt": "go"},
            "image: This link points to a private network, which the app does not read.",
        ),
        ({"image": URI, "prompt": "go", "strength": 2}, "strength: "),
        ({"image": URI, "prompt": "go", "strength": "0.5"}, "strength: "),
        ({"image": URI, "prompt": "go", "backend": "nowhere"}, "backend: There is no backend 'nowhere'."),
        ({"image": URI, "prompt": "go", "backend": 7}, "backend: "),
        ({"image": URI, "prompt": "go", "num_images": 5}, "num_images: "),
        ({"image": URI, "prompt": "go", "steps": 5}, "steps: There is no such input."),
        ({"image": URI, "prompt": "fail"}, "The provider broke."),
    ],
)
async def test_what_does_not_fit_is_an_error_that_names_its_field(
    fakes: Served, arguments: dict[str, Any], begin: str
) -> None:
    result = await call(fakes, **arguments)
    assert result.isError
    assert words(result).startswith(begin)
    assert PLAIN not in words(result)


async def test_a_run_that_breaks_says_nothing_of_the_server(fakes: Served) -> None:
    result = await call(fakes, image=URI, prompt="crash")
    assert result.isError
    assert "/secret" not in result.model_dump_json()


async def test_a_null_counts_as_left_out(fakes: Served) -> None:
    settings = dict.fromkeys(("backend", "strength", "seed", "num_images", "output_format", "enable_safety_checker"))
    result = await call(fakes, image=URI, prompt="go", **settings)
    assert not result.isError, result


async def test_a_client_that_wants_it_hears_of_the_progress(fakes: Served) -> None:
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async with session_with(fakes) as session:
        await session.call_tool("edit", {"image": URI, "prompt": "steps"}, progress_callback=hear)
    assert len(set(heard)) > 3


def test_a_browser_at_the_address_is_told_what_it_is_for(fakes: Served) -> None:
    with urllib.request.urlopen(f"{fakes.url}/gradio_api/mcp/", timeout=120) as answer:
        assert b"MCP clients" in answer.read()
    with urllib.request.urlopen(f"{fakes.url}/gradio_api/mcp/schema", timeout=120) as answer:
        assert [each["name"] for each in json.load(answer)] == ["edit", "experiment"]


@pytest.mark.parametrize("path", ["schema", "", "http"])
def test_without_the_switch_there_is_no_mcp_endpoint(app: Served, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{app.url}/gradio_api/mcp/{path}", timeout=120)
    assert caught.value.code == 404
