"""The headers of every answer: what browsers must forbid, and what caches must not store."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.refusals import API_PATHS
from core.subpath import route_path

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            # The framework's page brings inline scripts and styles, and compiles templates.
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Cross-Origin-Resource-Policy": "same-origin",
}

FILES = ("/web/", "/assets/", "/examples/")
"""Scripts, styles and pictures of the app itself. What forbids documents something would be half of a small one."""
FILE_HEADERS = {name: HEADERS[name] for name in ("X-Content-Type-Options", "Cross-Origin-Resource-Policy")}

_PRIVATE = (*API_PATHS, "/gradio_api/")
"""Answers under these paths belong to one visitor: no cache may store them."""
_PUBLIC_STYLE = "/gradio_api/theme.css"


class ResponseHeaders:
    """ASGI middleware that completes the headers of every answer, refusals included.

    Args:
        app: what comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = route_path(scope)

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                complete(MutableHeaders(scope=message), path)
            await send(message)

        await self._app(scope, receive, send_completed)


def complete(headers: MutableHeaders, path: str) -> None:
    """Add what an answer's headers lack, and remove what no other site may rely on.

    Args:
        headers: of the answer; they are changed.
        path: the route's, without a proxy's prefix.
    """
    for name, value in (FILE_HEADERS if path.startswith(FILES) else HEADERS).items():
        headers.setdefault(name, value)
    # The framework lets other sites' pages send cookies along. They have none here, and get none.
    del headers["access-control-allow-credentials"]
    if "set-cookie" in headers or path == "/":
        headers["cache-control"] = "no-store"
    elif path.startswith(_PRIVATE) and path != _PUBLIC_STYLE:
        headers.setdefault("cache-control", "private, no-store")
