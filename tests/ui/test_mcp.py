"""The switch: with STUDIO_MCP=1, MCP clients find `/edit` as a tool; without it, nothing."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.fakes import picture_bytes
from tests.ui.conftest import Served, serve


async def test_an_mcp_client_edits_a_picture(tmp_path: Path) -> None:
    with serve(tmp_path, "app.py", STUDIO_MCP="1") as app:
        image = "data:image/png;base64," + base64.b64encode(picture_bytes("PNG", "RGB", (40, 30))).decode()
        url = f"{app.url}/gradio_api/mcp/"
        async with streamable_http_client(url) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            assert [tool.name for tool in tools] == ["edit"]
            assert {"image", "prompt", "strength", "seed"} <= tools[0].inputSchema["properties"].keys()
            result = await session.call_tool(
                "edit", {"image": image, "prompt": "a lake", "strength": 0.5, "num_inference_steps": 2, "seed": 9}
            )
        assert not result.isError, result
        assert any('"seed": 9' in str(part) or "'seed': 9" in str(part) for part in result.content), json.dumps(
            str(result)
        )


def test_without_the_switch_there_is_no_mcp_door(app: Served) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{app.url}/gradio_api/mcp/schema", timeout=120)
    assert caught.value.code == 404
