"""WaveSpeedAI's envelope: `{code, message, data}` around every answer and every refusal."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from api.answers import add_error_handlers, refusals
from core.messages import say

NOT_FOUND = HTTPStatus.NOT_FOUND.phrase
"""The framework's whole message on a path that has no route."""


class Envelope(BaseModel):
    """The envelope around anything else; of a refusal, `data` is null."""

    code: int
    message: str
    data: Any = None


PROBLEMS = refusals(Envelope)


def answer(
    data: Any, status: int = 200, message: str = "success", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the provider's envelope."""
    return JSONResponse({"code": status, "message": message, "data": data}, status, headers)


def guarded(**more: Any) -> dict[str, Any]:
    """Return what every route of a key's holder tells the API's description; `more` of its own."""
    return {"responses": PROBLEMS, "openapi_extra": {"security": [{"bearer": []}], **more}}


def problems(app: FastAPI, offer: str) -> None:
    """Answer every error in the provider's envelope.

    Args:
        app: whose errors.
        offer: the models, in words, for whoever asks for something that is not there.
    """

    def refusal(request: Request, status: int, message: str, headers: Mapping[str, str]) -> JSONResponse:
        if message == NOT_FOUND:
            name = request.url.path.removeprefix("/api/v3/")[:80]
            message = say("route-unknown", name=repr(name), models=offer)
        return answer(None, status, message, headers)

    add_error_handlers(app, refusal)
