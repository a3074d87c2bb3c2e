"""Stops reading a request's body once it exceeds what its route, or its sender, may send."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.body_limits import BodyLimits, BodyMeter, BodyRefused, HeldBodies
from api.refusals import refusal
from core.job import visitor_in
from core.subpath import route_path


class BodyLimiter:
    """ASGI middleware that counts a body as it arrives, and answers itself where that is too much.

    It stands inside the one that finds out who asks: bodies in memory are counted by network address.

    Args:
        app: what comes next.
        limits: the largest bodies.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self._app = app
        self._limits = limits
        self._held = HeldBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = route_path(scope)
        meter = self._limits.meter(path, Headers(scope=scope).get("content-type", ""))
        body = _CountedBody(receive, meter, self._held, visitor_in(scope).address)
        begun = False

        async def send_unless_refused(message: Message) -> None:
            # The framework has an answer of its own to a body that it could not read.
            nonlocal begun
            if begun or body.refused is None:
                begun = True
                await send(message)

        try:
            await self._app(scope, body.receive, send_unless_refused)
        except Exception:
            if body.refused is None:
                raise
        finally:
            body.release()
        if body.refused is not None and not begun:
            await refusal(path, body.refused.status, str(body.refused))(scope, receive, send)


class _CountedBody:
    """A request's body, counted on its way to the app.

    Args:
        receive: where it comes from.
        meter: counts it by its route's limits.
        held: counts what is in memory.
        address: whose it is; empty on a personal machine, where memory is not shared out.

    Attributes:
        refused: why no more of it is read, None while it is within its limits.
    """

    def __init__(self, receive: Receive, meter: BodyMeter, held: HeldBodies, address: str) -> None:
        self._receive = receive
        self._meter = meter
        self._held = held
        self._address = address
        self._size = 0
        self.refused: BodyRefused | None = None

    async def receive(self) -> Message:
        """Return the next message; after a refusal, that the sender has gone.

        Raises:
            BodyRefused: with this message it is too much.
        """
        if self.refused is not None:
            return {"type": "http.disconnect"}
        message = await self._receive()
        try:
            self._count(message.get("body", b""))
        except BodyRefused as error:
            self.refused = error
            raise
        return message

    def _count(self, chunk: bytes) -> None:
        self._meter.count(chunk)
        if self._meter.held and self._address:
            self._held.add(self._address, len(chunk))
            self._size += len(chunk)

    def release(self) -> None:
        """Count the body as no longer in memory."""
        self._held.release(self._address, self._size)
