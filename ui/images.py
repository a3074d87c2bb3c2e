"""Pictures over HTTP: the kept files byte for byte, and small copies of them for thumbnails.

A file's name is the hash of its content, so it never changes and cannot be guessed.
"""

from __future__ import annotations

import asyncio
import io
import re

from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.links import Links
from core.store import ImageStore

THUMB_SIDE = 192
"""Pixels of a thumbnail's longer side: twice what the page shows, for sharp screens."""

_NAME = re.compile(r"[0-9a-f]{64}\.(png|jpg)")
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


def routes(images: ImageStore, links: Links | None = None) -> list[Route]:
    """Return the routes `/images/{name}` and `/thumbs/{name}`; an unknown name answers 404.

    With links, `/references/{name}` too: the same file for whoever has a signed address, a provider say.
    """

    async def image(request: Request) -> Response:
        path = images.folder / request.path_params["name"]
        if not _NAME.fullmatch(path.name) or not path.is_file():
            return PlainTextResponse("There is no such picture.", status_code=404)
        return FileResponse(path, headers=_FOREVER)

    async def thumb(request: Request) -> Response:
        path = images.folder / request.path_params["name"]
        if not _NAME.fullmatch(path.name) or not path.is_file():
            return PlainTextResponse("There is no such picture.", status_code=404)
        data = await asyncio.to_thread(thumbnail, path.read_bytes())
        return Response(data, media_type="image/jpeg", headers=_FOREVER)

    async def reference(request: Request) -> Response:
        query = request.query_params
        signed = links is not None and links.valid(
            request.path_params["name"], query.get("until", ""), query.get("signature", "")
        )
        return await image(request) if signed else PlainTextResponse("This link has ended.", status_code=403)

    return [
        Route("/images/{name}", image),
        Route("/thumbs/{name}", thumb),
        Route(f"{Links.PATH}{{name}}", reference),
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
