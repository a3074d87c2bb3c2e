"""Who asks for what under `/studio/v1`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi import Path as PathParam

from api.statuses import Refused
from core.job import Visitor, visitor_in
from engine.quotas import REQUESTS

PREFIX = "/studio/v1"
ResultId = Annotated[int, PathParam(ge=1, le=2**53)]
ExperimentId = Annotated[str, PathParam(pattern="^[0-9a-f]{32}$")]
ProviderKey = Annotated[str | None, Header(max_length=500, description="The visitor's own key; it is not kept.")]


def asker(request: Request) -> Visitor:
    """Return who asks, and count it.

    Raises:
        Refused: a browser without cookies would never see again what it made.
        TooManyRequests: there were too many.
    """
    visitor = visitor_in(request.scope)
    if visitor.passing:
        raise Refused("cookies-needed", status=401)
    request.app.state.quotas.spend(REQUESTS, visitor)
    return visitor


Asker = Annotated[Visitor, Depends(asker)]
