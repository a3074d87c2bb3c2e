"""Images inside of calls of `/edit`, by API or MCP: stored as uploads, so that a call that waits holds no bytes.

The framework's queue keeps all that a call sent until its run is over, the MCP library likewise: dozens of calls with
an image of the largest size would fill the memory.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from core.errors import StudioError
from core.sources import LONGEST_ADDRESS, bare_base64, is_address, is_data_uri, read_data_uri
from ui.refusal import Refusal

CARRIER = re.compile(r"(?P<edit>(api|call|run)/(v2/)?edit/?)|mcp(/.*)?")
"""Paths, after the framework's prefix, of the calls whose image may be inline."""
REST = 64 * 1024
"""Bytes of such a call without its image."""

Store = Callable[[bytes], Awaitable[Path]]
"""Stores an image as its sender's upload, and returns its path."""


async def set_aside(rest: str, body: bytes, value: Any, most: int, store: Store) -> bytes:
    """Return a call's body with the path of a stored file in place of an inline image.

    Args:
        rest: of the path, after the framework's prefix.
        body: of the request.
        value: its JSON, None where it has none.
        most: bytes of an image.
        store: stores the image.

    Raises:
        Refusal: the image cannot be read, or there is too much beside it.
    """
    if not CARRIER.fullmatch(rest) or len(body) <= REST:
        return body
    place = _place(rest, value)
    if place is not None:
        holder, key = place
        try:
            data = await asyncio.to_thread(_inline_bytes, holder[key], most)
        except StudioError as error:
            raise Refusal(400, f"image: {error}") from error
        holder[key] = str(await store(data))
        body = await asyncio.to_thread(lambda: json.dumps(value).encode())
    if len(body) > REST:
        raise Refusal(413, f"Beside its image, a request holds at most {REST // 1024} KB. Send less.")
    return body


def write_upload(uploads: Path, data: bytes) -> Path:
    """Write an inline image as an upload whose path nobody can guess, and return the path.

    Raises:
        OSError: the disk is full or not writable.
    """
    folder = uploads / secrets.token_hex(32)
    folder.mkdir(mode=0o700)
    path = folder / "image"
    path.write_bytes(data)
    return path


def _place(rest: str, value: Any) -> tuple[Any, Any] | None:
    """Return the list or object that holds a long inline image, and its place in there."""
    value = value if isinstance(value, dict) else {}
    holder: Any
    if rest.startswith("mcp"):
        params = value.get("params")
        holder = params.get("arguments") if isinstance(params, dict) else None
    else:
        holder = value if "/v2/" in rest else value.get("data")
    key: Any = 0 if isinstance(holder, list) else "image"
    image = holder[0] if isinstance(holder, list) and holder else None
    if isinstance(holder, dict):
        image = holder.get("image")
    if not isinstance(image, str) or len(image) <= LONGEST_ADDRESS or is_address(image):
        return None
    return holder, key


def _inline_bytes(text: str, most: int) -> bytes:
    return read_data_uri(text, most) if is_data_uri(text) else bare_base64(text, most)
