"""Serving under a sub-path, whether the proxy in front takes the prefix away or passes it on."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from core.subpath import without_prefix


class SubPath:
    """ASGI middleware that gives every request the shape of the ASGI specification, however it came.

    A path is matched as it came first, by whole routes, and the prefix is taken off only if none matches: the app may
    have a route that begins like the prefix. From here on the path has the prefix and `root_path` names it, which is
    what routers, mounts and addresses expect.

    Args:
        app: what comes next.
        prefix: such as `/studio`; empty where the app has its host to itself.
        routes: the app's.
    """

    def __init__(self, app: ASGIApp, prefix: str, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._prefix = prefix
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if self._prefix and scope["type"] == "http":
            path = str(scope["path"])
            if path == self._prefix:  # relative addresses of the page need the slash
                query = str(scope["query_string"], "latin-1")
                await RedirectResponse(f"{path}/?{query}".rstrip("?"), status_code=308)(scope, receive, send)
                return
            if not matched(self._routes, {**scope, "root_path": ""}):
                path = without_prefix(path, self._prefix)
            scope = {**scope, "path": self._prefix + path, "root_path": self._prefix}
        await self._app(scope, receive, send)


def matched(routes: Sequence[BaseRoute], scope: Scope) -> bool:
    """Return whether a route takes a path, with this method or another."""
    return any(route.matches(scope)[0] is not Match.NONE for route in routes)
