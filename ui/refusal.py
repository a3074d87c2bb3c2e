"""A refusal of one of the framework's routes: JSON, since its pages read every answer as JSON."""

from __future__ import annotations

from math import ceil

from starlette.responses import JSONResponse

from core.errors import TooManyRequests
from core.messages import Message, Value, in_full, message


class Refusal(Exception):
    """A request is refused.

    Args:
        code: a message of the catalogue, or a whole message: what happened and what to do; the page shows both.
        status: of HTTP.
        field: the input to blame; None where it is none.
        wait: seconds until it is worth asking again, None where time does not help.
        values: the variables of the message.
    """

    def __init__(
        self,
        code: str | Message,
        *,
        status: int,
        field: str | None = None,
        wait: float | None = None,
        **values: Value,
    ) -> None:
        self.message = message(code, **values) if isinstance(code, str) else code
        super().__init__(self.message)
        self.status = status
        self.field = field
        self.wait = wait

    @property
    def words(self) -> str:
        """What happened and what to do, in English."""
        text = in_full(self.message)
        return f"{self.field}: {text}" if self.field else text

    @classmethod
    def of(cls, error: TooManyRequests) -> Refusal:
        """Return the refusal of whoever has had their share."""
        return cls(error.message, status=429, wait=error.wait)

    def response(self) -> JSONResponse:
        """Return the answer."""
        headers = {} if self.wait is None else {"Retry-After": str(ceil(self.wait))}
        return JSONResponse({"detail": self.words}, self.status, headers)
