"""Images inside of calls of the endpoints, by API or MCP: stored as uploads, so that a call that waits holds no bytes.

The framework's queue keeps all that a call sent until its run is over, the MCP library likewise: dozens of calls with
an image of the largest size would fill the memory. So a large body goes to the disk while it comes.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import Receive

from core.imaging.inline_body import REST
from ui.endpoints import ENDPOINTS

CARRIER = re.compile(rf"(api|call|run)/(v2/)?({ENDPOINTS})/?|mcp(/.*)?")
"""Paths, after the framework's prefix, of the calls whose image may be inline."""
_WRITTEN = 2**18
"""Bytes that are written at a time."""


def place_of(rest: str) -> tuple[str | int, ...]:
    """Return the keys that lead to the image in the JSON of a call.

    Args:
        rest: of the path, after the framework's prefix.
    """
    if rest.startswith("mcp"):
        return ("params", "arguments", "image")
    return ("image",) if "/v2/" in rest else ("data", 0)


@asynccontextmanager
async def spooled(receive: Receive, folder: Path) -> AsyncIterator[bytes | Path]:
    """Yield a request's body, or the file where it lies if it has more than `REST` bytes.

    The middleware before us limits its size.

    Args:
        receive: of the request.
        folder: for the file, which is removed at the end.

    Raises:
        OSError: the disk is full or not writable.
    """
    body, more = bytearray(), True
    while more and len(body) <= REST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) <= REST:
        yield bytes(body)
        return
    with tempfile.NamedTemporaryFile(dir=folder) as file:  # one that a crash leaves is swept at the next start
        while body:
            await asyncio.to_thread(file.write, bytes(body))
            body.clear()
            while more and len(body) < _WRITTEN:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
        await asyncio.to_thread(file.flush)
        yield Path(file.name)


def new_upload(uploads: Path) -> Path:
    """Return where an inline image is stored: a path that nobody can guess, in a folder of its own.

    Raises:
        OSError: the disk is full or not writable.
    """
    folder = uploads / secrets.token_hex(32)
    folder.mkdir(mode=0o700)
    return folder / "image"
