"""Refusals that are written before a request reaches a route, in the shape that the path's callers know."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from api.aimlapi.routes import problem
from core.messages import recorded

API_PATHS = ("/v1/", "/v2/", "/api/v3/")
"""What the paths of the served wire formats begin with."""


def refusal(path: str, status: int, words: str) -> Response:
    """Return a refusal; it closes the connection, whether or not the request's body was read.

    Args:
        path: the route's, without a proxy's prefix: it decides the shape.
        status: of the answer.
        words: a sentence for the sender.
    """
    content: dict[str, Any] = {"detail": words}
    if path.startswith("/api/v3/"):
        content = {"code": status, "message": words, "data": None}
    elif path.startswith("/studio/"):
        content = {"error": {**recorded(words).as_json(), "field": None, "charged": False}}
    elif path.startswith(API_PATHS):
        content = problem(path, status, words)
    return JSONResponse(content, status, {"Connection": "close"})
