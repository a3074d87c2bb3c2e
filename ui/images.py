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

THUMB_SIDE = 192
"""Pixels of a thumbnail's longer side: twice what the page shows, for sharp screens."""

PICTURE_NAME = re.compile(r"[0-9a-f]{64}\.(png|jpg)")
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_NO_COOKIES = "Cookies are needed to see your own pictures. Allow them for this site, and load the page again."


def visitor_of(request: Request | gr.Request) -> Visitor:
    """Return who asks, as the door has put it into the scope."""
    inner: Any = request.request if isinstance(request, gr.Request) else request
    visitor: Visitor = inner.scope.get(VISITOR, Visitor())
    return visitor


def routes(engine: Engine, links: Links | None = None) -> list[Route]:
    """Return the routes `/images/{name}` and `/thumbs/{name}`; what a visitor may not see answers 404.

    With links, `/files/{name}` and `/uploads/{id}` too: for whoever has a signed address, a provider say.
    """

    def answer(name: str, headers: dict[str, str] = _FOREVER) -> Response:
        path = engine.images.folder / name
        if not PICTURE_NAME.fullmatch(name) or not path.is_file():
            return PlainTextResponse("There is no such picture.", status_code=404)
        return FileResponse(path, headers=headers)

    async def image(request: Request) -> Response:
        name, visitor = request.path_params["name"], visitor_of(request)
        seen = await engine.keeper.may_see(visitor.owner, name)
        if not seen and visitor.passing:
            return PlainTextResponse(_NO_COOKIES, status_code=404)
        return answer(name if seen else "")

    async def thumb(request: Request) -> Response:
        found = await image(request)
        if not isinstance(found, FileResponse):
            return found
        data = await asyncio.to_thread(lambda: thumbnail(Path(found.path).read_bytes()))
        return Response(data, media_type="image/jpeg", headers=_FOREVER)

    async def signed(request: Request) -> Response:
        path = links.opened(str(request.url)) if links is not None else None
        if links is None or path is None:
            return PlainTextResponse("This link has ended.", status_code=403)
        # No cache holds it longer than the link lasts. Whoever has the link may show the picture on their own site.
        left = links.seconds_left(str(request.url))
        headers = {
            **_FOREVER,
            "Cache-Control": f"private, max-age={left}",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if path.startswith("/uploads/"):
            return answer(await engine.keeper.uploaded(request.path_params["name"]) or "", headers)
        return answer(request.path_params["name"], headers)

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
