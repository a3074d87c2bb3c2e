"""What the answers of both wire formats have in common; how each looks stands in its own folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api.schemas import first_fault
from api.statuses import headers_of, status_of
from core.errors import StudioError
from core.job import Job
from core.messages import say

REFUSALS = (400, 401, 403, 404, 405, 409, 413, 429, 500, 503, 504, 507)
"""The statuses of every refusal."""

Refusal = Callable[[Request, int, str, Mapping[str, str]], JSONResponse]
"""Writes a refusal as a provider does: the request, the status, a sentence, and headers."""


def refusals(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the refusals of a route for the API's description.

    The framework makes a validator for each model that it is given, a dozen for each route, which takes half a second
    when the API is put together: so it gets the body once for each route, and refers to it from there on.

    Args:
        model: a refusal's body.
    """
    first, *others = REFUSALS
    same = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    described: dict[int | str, dict[str, Any]] = {first: {"model": model}}
    return described | {status: {"content": same} for status in others}


def add_error_handlers(app: FastAPI, refusal: Refusal) -> None:
    """Answer every error of an app in its provider's shape."""

    @app.exception_handler(StudioError)
    async def studio(request: Request, error: StudioError) -> JSONResponse:
        return refusal(request, status_of(error), str(error), headers_of(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return refusal(request, 400, first_fault(error), {})

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> JSONResponse:
        return refusal(request, error.status_code, error.detail, error.headers or {})

    @app.exception_handler(Exception)
    async def broken(request: Request, _: Exception) -> JSONResponse:
        return refusal(request, 500, say("app-broke"), {})


def notices_of(job: Job) -> list[str]:
    """Return what a caller may not expect: what was done to the reference, what was sent and is not used."""
    return [str(each) for each in (*job.request.image.notices, *(job.result.notices if job.result is not None else ()))]


def stamp(seconds: float) -> str:
    """Return a moment, in seconds since the epoch, as both providers write it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
