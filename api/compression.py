"""Compression of the page's document and of the lists that come with it; the framework compresses its files alone.

Pictures are compressed already, and a stream would be held back.
"""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from core.subpath import route_path

PATHS = ("/", "/config", "/studio/v1/specs", "/studio/v1/results")


class Compression:
    """ASGI middleware that compresses the answers of a few paths.

    Args:
        app: what comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, minimum_size=1000, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        listed = scope["type"] == "http" and route_path(scope) in PATHS
        await (self._compressed if listed else self._app)(scope, receive, send)
