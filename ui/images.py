"""Pictures over HTTP: the stored files byte for byte, and smaller copies of them for the page.

A file's name is the hash of its content, so it never changes and cannot be guessed.
"""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.errors import DiskFull, StudioError
from core.image_types import MIME_OF
from core.imaging.display import rounded
from core.job import Visitor, visitor_in
from core.links import Links
from core.messages import say
from engine.engine import Engine

SUFFIXES = "|".join(re.escape(each) for each in MIME_OF)
PICTURE_NAME = re.compile(rf"[0-9a-f]{{64}}({SUFFIXES})")
COPY_END = re.compile(r"-[0-9]+\.webp")
WIDTH = re.compile(r"[1-9][0-9]{0,4}")
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


def visitor_of(request: Request | gr.Request) -> Visitor:
    """Return who asks, as the middleware has put it into the scope."""
    inner: Any = request.request if isinstance(request, gr.Request) else request
    return visitor_in(inner.scope)


def stored_name(name: str) -> str | None:
    """Return the name of the stored picture that a file's name says it is, or is a display copy of."""
    found = PICTURE_NAME.match(name)
    rest = name[found.end() :] if found else ""
    return found[0] if found and (not rest or COPY_END.fullmatch(rest)) else None


def routes(engine: Engine, links: Links | None = None) -> list[Route]:
    """Return the routes `/images/{name}` and `/display/{name}?width=`; what a visitor may not see answers 404.

    A width in pixels is rounded up to a display size: see `core.imaging.display`.

    With links, `/files/{name}` and `/uploads/{id}` too: for whoever has a signed address, a provider say.
    """

    def answer(name: str, headers: dict[str, str] = _FOREVER) -> Response:
        path = engine.images.path(name)
        if not PICTURE_NAME.fullmatch(name) or not path.is_file():
            return PlainTextResponse(say("picture-unknown"), status_code=404)
        return FileResponse(path, headers=headers, media_type=MIME_OF[path.suffix])

    async def image(request: Request) -> Response:
        name, visitor = request.path_params["name"], visitor_of(request)
        seen = await engine.images.may_see(visitor.owner, name)
        if not seen and visitor.passing:
            return PlainTextResponse(say("cookies-needed"), status_code=404)
        return answer(name if seen else "")

    async def display(request: Request) -> Response:
        found = await image(request)
        if not isinstance(found, FileResponse):
            return found
        width = request.query_params.get("width", "")
        if not WIDTH.fullmatch(width):
            return PlainTextResponse(say("picture-width-wrong"), status_code=400)
        name = request.path_params["name"]
        try:
            file = await engine.images.display(name, rounded(int(width)), visitor_of(request).source)
        except DiskFull:
            return found  # the picture itself, however large
        except StudioError as error:
            return PlainTextResponse(str(error), status_code=404)
        return FileResponse(file, headers=_FOREVER)

    async def signed(request: Request) -> Response:
        path = links.opened(str(request.url)) if links is not None else None
        if links is None or path is None:
            return PlainTextResponse(say("link-expired"), status_code=403)
        # No cache holds it longer than the link lasts. Whoever has the link may show the picture on their own site.
        left = links.seconds_left(str(request.url))
        headers = {
            **_FOREVER,
            "Cache-Control": f"private, max-age={left}",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if path.startswith("/uploads/"):
            return answer(await engine.uploads.picture(request.path_params["name"]) or "", headers)
        return answer(request.path_params["name"], headers)

    return [
        Route("/images/{name}", image),
        Route("/display/{name}", display),
        Route("/files/{name}", signed),
        Route("/uploads/{name}", signed),
    ]
