"""Callers who go away before they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

_T = TypeVar("_T")


async def gone(request: Request) -> None:
    """Return when the caller has gone away; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def while_here(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """Return what some work returns; it is cancelled when its caller goes away.

    Raises:
        asyncio.CancelledError: the caller has gone.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
        return await working
    finally:
        working.cancel()
        leaving.cancel()
