"""Who may use this app's own API: whoever holds a key; where none was made, the user of the machine itself."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.keys import KeyRing
from api.statuses import Refused
from core.job import Allowance, Visitor, visitor_in

CALLER = "studio.caller"
"""Where a request's scope holds who asks."""


class Access:
    """Tells who asks.

    Args:
        ring: the keys.
        public: whether strangers can come in; without any key the API is then closed.
        allowance: runs that a key may start where it has no numbers of its own.
    """

    def __init__(self, ring: KeyRing, *, public: bool, allowance: Allowance) -> None:
        self._ring = ring
        self._public = public
        self._allowance = allowance

    def visitor(self, request: Request) -> Visitor:
        """Return who asks: what a key runs belongs to the key. Asked once for each request.

        Raises:
            Refused: no key, or one that opens nothing.
        """
        if CALLER not in request.scope:
            request.scope[CALLER] = self._visitor(request)
        caller: Visitor = request.scope[CALLER]
        return caller

    def _visitor(self, request: Request) -> Visitor:
        kind, _, letters = request.headers.get("authorization", "").partition(" ")
        if not self._ring.configured():
            if self._public:
                raise Refused("api-disabled", status=403)
            return visitor_in(request.scope)
        key = self._ring.find(letters.strip()) if kind.lower() == "bearer" else None
        if key is None:
            raise Refused("api-key-wrong", status=401)
        usual = self._allowance
        allowance = Allowance(
            usual.per_minute if key.per_minute is None else key.per_minute,
            usual.per_day if key.per_day is None else key.per_day,
        )
        visitor = visitor_in(request.scope)
        return replace(visitor, owner=f"key {key.id}", address=f"key {key.id}", passing=False, allowance=allowance)


def guarded_route(access: Access) -> type[APIRoute]:
    """Return a kind of route that asks for the key before it reads a body, if its description wants a key at all."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()
            if "security" not in (self.openapi_extra or {}):
                return handle

            async def guarded(request: Request) -> Response:
                access.visitor(request)
                return await handle(request)

            return guarded

    return Guarded
