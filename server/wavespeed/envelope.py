"""WaveSpeedAI's envelope: `{code, message, data}` around every answer and every refusal."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from core.errors import StudioError
from server.kinds import first_fault
from server.statuses import headers_of, status_of


class Envelope(BaseModel):
    """The envelope around anything else; of a refusal, `data` is null."""

    code: int
    message: str
    data: Any = None


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Envelope} for status in (400, 401, 403, 404, 405, 409, 413, 429, 500, 503, 504, 507)
}


def answer(data: Any, status: int = 200, message: str = "success", headers: dict[str, str] | None = None) -> Any:
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

    @app.exception_handler(StudioError)
    async def studio(_: Request, error: StudioError) -> Any:
        return answer(None, status_of(error), str(error), headers_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Any:
        return answer(None, 400, first_fault(error))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Any:
        if error.status_code == 404:
            name = request.url.path.removeprefix("/api/v3/")[:80]
            return answer(None, 404, f"There is no model or route {name!r} here. The models are {offer}.")
        return answer(None, error.status_code, error.detail, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> Any:
        return answer(None, 500, "This broke for a reason inside the app. Its log says more.")
