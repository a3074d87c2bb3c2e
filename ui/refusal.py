"""A refusal of one of the framework's routes: JSON, since its pages read every answer as JSON."""

from __future__ import annotations

from math import ceil

from starlette.responses import JSONResponse

from core.errors import TooManyRequests


class Refusal(Exception):
    """A request is refused.

    Args:
        status: of HTTP.
        words: what happened and what to do; the page shows them.
        wait: seconds until it is worth asking again, None where time does not help.
    """

    def __init__(self, status: int, words: str, wait: float | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.wait = wait

    @classmethod
    def of(cls, error: TooManyRequests) -> Refusal:
        """Return the refusal of whoever has had their share."""
        return cls(429, str(error), error.wait)

    def response(self) -> JSONResponse:
        """Return the answer."""
        headers = {} if self.wait is None else {"Retry-After": str(ceil(self.wait))}
        return JSONResponse({"detail": self.words}, self.status, headers)
