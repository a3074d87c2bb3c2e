"""Pictures for whoever has a signed address: a provider that reads a reference, a caller of the API who shows a result.

A visitor's own pictures stand under `/studio/v1`.
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.image_types import MIME_OF
from core.links import Links
from core.messages import say
from engine.images import Images
from engine.uploads import Uploads

PICTURE_NAME = re.compile(rf"[0-9a-f]{{64}}({'|'.join(re.escape(each) for each in MIME_OF)})")
"""A stored picture's name: the digest of its content, so it never changes and cannot be guessed."""


def routes(images: Images, uploads: Uploads, links: Links) -> list[Route]:
    """Return the routes `/files/{name}` and `/uploads/{id}`; a link that is not signed or has expired answers 403."""

    async def signed(request: Request) -> Response:
        path, name = links.opened(str(request.url)), request.path_params["name"]
        if path is None:
            return PlainTextResponse(say("link-expired"), status_code=403)
        if path.startswith("/uploads/"):
            name = await uploads.picture(name) or ""
        file = images.path(name)
        if not PICTURE_NAME.fullmatch(name) or not file.is_file():
            return PlainTextResponse(say("picture-unknown"), status_code=404)
        # No cache holds it longer than the link lasts. Whoever has the link may show the picture on their own site.
        headers = {
            "Cache-Control": f"private, max-age={links.seconds_left(str(request.url))}",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return FileResponse(file, headers=headers, media_type=MIME_OF[file.suffix])

    return [Route("/files/{name}", signed), Route("/uploads/{name}", signed)]
