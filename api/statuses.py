"""Which HTTP status an error has, and how long to wait before asking again. Both wire formats agree on it."""

from __future__ import annotations

from math import ceil

from core.errors import (
    BackendUnavailable,
    BadInput,
    BudgetSpent,
    DiskFull,
    DraftRefused,
    FetchFailed,
    Moderated,
    ParameterRefused,
    QueueFull,
    RateLimited,
    RunCancelled,
    StudioError,
    TimedOut,
    TooManyRequests,
)
from core.messages import Message, Value

QUEUE_WAIT = 5.0
"""Seconds after which it is worth asking a full queue again."""


class Refused(StudioError):
    """A request is turned away before any work. `status` is 401, 403, 404 or 409."""

    facts = (*StudioError.facts, "status")

    def __init__(
        self,
        code: str | Message,
        *,
        status: int,
        field: str | None = None,
        charged: bool | None = False,
        **values: Value,
    ) -> None:
        super().__init__(code, field=field, charged=charged, **values)
        self.status = status


def status_of(error: StudioError) -> int:
    """Return the status for an error."""
    match error:
        case Refused():
            return error.status
        case BadInput() | FetchFailed() | Moderated() | ParameterRefused():
            return 400
        case BudgetSpent():
            return 403
        case RunCancelled():
            return 409
        case TooManyRequests():
            return 429
        case DraftRefused():
            return 409
        case QueueFull() | BackendUnavailable():
            return 503
        case TimedOut():
            return 504
        case DiskFull():
            return 507
    return 500


def headers_of(error: StudioError) -> dict[str, str]:
    """Return the headers that say when to ask again, where that is known."""
    wait: float | None = None
    if isinstance(error, QueueFull):
        wait = QUEUE_WAIT
    elif isinstance(error, TooManyRequests | RateLimited):
        wait = error.wait
    more = {"WWW-Authenticate": "Bearer"} if isinstance(error, Refused) and error.status == 401 else {}
    return more if wait is None else {**more, "Retry-After": str(ceil(wait))}
