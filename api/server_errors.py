"""Answers for failures inside the app, in the shape that the path's callers know."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.refusals import refusal
from core.messages import say
from core.subpath import route_path


class ServerErrors:
    """ASGI middleware that answers an unexpected exception.

    The framework answers it first, in its own shape, and then raises it. So a 500 is held back until the app returns:
    if an exception follows, ours takes its place.

    Args:
        app: what comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on.

        Raises:
            Exception: what the app raised, for the server's log; the request is answered by then.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False
        held: list[Message] = []

        async def hold_failure(message: Message) -> None:
            nonlocal begun
            if held or (not begun and message.get("status") == 500):
                held.append(message)
                return
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, hold_failure)
        except Exception:
            if not begun:
                await refusal(route_path(scope), 500, say("app-broke"))(scope, receive, send)
            raise
        for message in held:
            await send(message)
