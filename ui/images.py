"""Pictures over HTTP: the kept files byte for byte, and small copies of them for thumbnails.

A file's name is the hash of its content, so it never changes and cannot be guessed.
"""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.engine import Engine
from core.job import VISITOR, Visitor
from core.links import Links
from core.results import MIME_OF

THUMB_SIDE = 192
"""Pixels of a thumbnail's longer side: twice what the page shows, for sharp screens."""

SUFFIXES = "|".join(re.escape(each) for each in MIME_OF)
PICTURE_NAME = re.compile(rf"[0-9a-f]{{64}}({SUFFIXES})")
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


def visitor_of(request: Request | gr.Request) -> Visitor:
    """Return who asks, as the door has put it into the scope."""
    inner: Any = request.request if isinstance(request, gr.Request) else request
    visitor: Visitor = inner.scope.get(VISITOR, Visitor())
    return visitor


def routes(engine: Engine, links: Links | None = None) -> list[Route]:
    """Return the routes `/images/{name}` and `/thumbs/{name}`; what a visitor may not see answers 404.

    With links, `/files/{name}` and `/uploads/{id}` too: for whoever has a signed address, a provider say.
    """

    def answer(name: str) -> Response:
        path = engine.images.folder / name
        if not PICTURE_NAME.fullmatch(name) or not path.is_file():
            return PlainTextResponse("There is no such picture.", status_code=404)
        return FileResponse(path, headers=_FOREVER, media_type=MIME_OF[path.suffix])

    async def image(request: Request) -> Response:
        name = request.path_params["name"]
        seen = await engine.keeper.may_see(visitor_of(request).owner, name)
        return answer(name if seen else "")

    async def thumb(request: Request) -> Response:
        found = await image(request)
        if not isinstance(found, FileResponse):
            return found
        data = await asyncio.to_thread(lambda: thumbnail(Path(found.path).read_bytes()))
        return Response(data, media_type="image/jpeg", headers=_FOREVER)

    async def signed(request: Request) -> Response:
        path = links.opened(str(request.url)) if links is not None else None
        if path is None:
            return PlainTextResponse("This link has ended.", status_code=403)
        if path.startswith("/uploads/"):
            return answer(await engine.keeper.uploaded(request.path_params["name"]) or "")
        return answer(request.path_params["name"])

    return [
        Route("/images/{name}", image),
        Route("/thumbs/{name}", thumb),
        Route("/files/{name}", signed),
        Route("/uploads/{name}", signed),
    ]


def thumbnail(data: bytes) -> bytes:
    """Return a small JPEG of an encoded picture, at most `THUMB_SIDE` pixels on its longer side."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.draft("RGB", (THUMB_SIDE, THUMB_SIDE))
        small = picture.convert("RGB")
        small.thumbnail((THUMB_SIDE, THUMB_SIDE))
        file = io.BytesIO()
        small.save(file, "JPEG", quality=85)
    return file.getvalue()
