"""The image of a call of `/edit` or of the MCP tool: an upload, an address, a data URI or base64."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from gradio.components import Component
from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.types import Message

from core.errors import BadParameter, FetchFailed
from core.imaging.images import Reference
from core.imaging.sources import LONGEST_ADDRESS, bare_base64, is_address, is_data_uri, tidy
from core.job import VISITOR
from core.messages import message
from core.subpath import without_prefix
from engine.quotas import FETCHES
from engine.services import Services
from ui.ownership import visitor_of

Fetch = Callable[[str], Awaitable[bytes]]
"""Reads a public address or data URI into bytes, or raises a StudioError."""

NEEDED = {
    "image": message("image-needed"),
    "prompt": message("prompt-empty"),
    "axes": message("axes-needed"),
}
"""Inputs that must be there, and what is said where they are not."""
DESCRIPTION = (
    "The reference image, in one of these forms: a public http or https address; the address or path of a file that "
    "was uploaded to this app; a data URI such as data:image/png;base64,...; or base64."
)
OWN = re.compile(r"/(gradio_api/file[=/]|files/|uploads/|studio/v1/|examples/)")
"""Paths of this app that lead to pictures."""
CALLER = (b"host", b"cookie", b"forwarded")
"""Headers that say who asks, beside `x-forwarded-...`."""


async def read_image(image: Any, request: Request, fetch: Fetch, services: Services) -> Reference:
    """Return the reference that a caller sends.

    Args:
        image: text, or the framework's description of a file.
        request: the caller's; what they uploaded is read as they would read it.
        fetch: reads a public address or data URI into bytes, or raises a StudioError.
        services: decode it, and count it.

    Raises:
        StudioError: there is none, or it cannot be read.
    """
    if isinstance(image, dict):
        image = image.get("path") or image.get("url")
    if not isinstance(image, str) or not image.strip():
        raise BadParameter(NEEDED["image"], field="image")
    visitor, most = visitor_of(request), services.quotas.caps.max_bytes
    services.quotas.spend_reference(visitor)
    place = tidy(image) if len(image) <= LONGEST_ADDRESS else ""
    own = _own_path(place, request)
    address = None
    if own is not None:
        data = await _through_the_app(own, request, most)
    elif is_data_uri(image) or is_address(image):
        if not is_data_uri(image):
            services.quotas.spend(FETCHES, visitor)
        data = await fetch(place or image)
        address = place or None
    else:
        data = await asyncio.to_thread(bare_base64, image, most)
    return await services.images.read(data, address, owner=visitor.source)


def take_any_image(component: Component) -> None:
    """Let a file component pass on whatever is sent, for `read_image` to read.

    The framework would fetch addresses, with neither a cap nor a deadline, and refuses text. Attributes of the one
    component are replaced, because gradio writes a `.pyi` file beside every module that subclasses one.
    """
    # Remembered from here on: the schema of a file, by which clients upload.
    component.api_info()["additional_description"] = DESCRIPTION

    async def leave(path: str | Path | None) -> str:
        return str(path)

    component.data_model = None
    component.async_move_resource_to_block_cache = leave


def _own_path(place: str, request: Request) -> str | None:
    """Return the path and query of a picture of this app, None of anything else."""
    try:
        split = urlsplit(place)
    except ValueError:
        return None
    if not split.scheme and not split.netloc and place.startswith("/"):
        uploads = Path(get_upload_folder()).absolute()
        if Path(place).is_relative_to(uploads):
            return f"/gradio_api/file={quote(place)}"
        return place if OWN.match(split.path) else None
    names = (request.headers.get("host"), request.headers.get("x-forwarded-host"))
    if split.scheme not in ("http", "https") or split.netloc not in names or not OWN.search(split.path):
        return None
    return split.path + (f"?{split.query}" if split.query else "")


async def _through_the_app(path: str, request: Request, most: int) -> bytes:
    """Return what the caller would get from one of this app's own addresses: who may see what is decided there.

    Raises:
        FetchFailed: they may not see it, it is not there, or it has more than `most` bytes.
    """
    target, _, query = path.partition("?")
    root = str(request.scope.get("root_path", ""))
    target = root + without_prefix(target, root)
    known = ("asgi", "http_version", "scheme", "server", "client", "root_path", "state", VISITOR)
    scope = {
        **{name: request.scope[name] for name in known if name in request.scope},
        "type": "http",
        "method": "GET",
        "path": unquote(target),
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [each for each in request.scope["headers"] if each[0] in CALLER or each[0].startswith(b"x-forw")],
    }
    status, body, asked = 0, bytearray(), False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif len(body) <= most:
            body.extend(message.get("body", b""))

    await request.scope["app"](scope, receive, send)
    if status != 200:
        raise FetchFailed("link-not-yours")
    if len(body) > most:
        raise FetchFailed("link-file-too-large", limit=most // 10**6)
    return bytes(body)
