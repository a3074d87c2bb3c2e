"""The framework's own routes, held to the same rule as ours: who owns it may see it.

A session's name is chosen by the browser, so it opens nothing by itself: it belongs to the visitor who came with it
first. A cached file's path may become known: it is read and used by the visitor who uploaded it, or may see the kept
picture. Clients of the API keep no cookie; they share one place, where long random names keep them apart.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.engine import Engine
from core.job import VISITOR, Visitor
from core.sources import is_address, is_data_uri
from ui.edit_api import call_fault
from ui.framework import forget_call, is_call, lighten, open_calls
from ui.images import PICTURE_NAME, SUFFIXES

OPEN = (
    "upload",
    "upload_progress",
    "queue",
    "run",
    "api",
    "call",
    "cancel",
    "reset",
    "heartbeat",
    "info",
    "openapi.json",
    "startup-events",
    "app_id",
    "theme.css",
    "login",
    "mcp",
)
"""What is used of the framework's routes. All others are shut: proxies, deep links, monitoring, run histories."""
SHUT = ("/monitoring", "/config/monitoring", "/runs")
HANDED = re.compile(rf"srpo-\d+-[A-Za-z0-9_-]{{32}}({SUFFIXES})")
"""Results for callers of the API, who have no cookie: the name itself is their token."""
EDIT_CALL = re.compile(r"(call|run)/(v2/)?edit/?")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What browsers and clients call their sessions."""
REMEMBERED = 10_000
"""Sessions, and uploads, of which the owner is remembered; enough for days, small enough to forget about."""
PREFIX = "/gradio_api/"


class Memory:
    """Remembers which names are whose, the latest `REMEMBERED` of them."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, set[str]] = OrderedDict()

    def claim(self, name: str, owner: str) -> bool:
        """Return whether a name is this owner's; whoever comes first has it."""
        self._owners.setdefault(name, {owner})
        self._fit(name)
        return self.owned(name, owner)

    def share(self, name: str, owner: str) -> None:
        """Make a name this owner's too."""
        self._owners.setdefault(name, set()).add(owner)
        self._fit(name)

    def owned(self, name: str, owner: str) -> bool:
        """Return whether a name is this owner's."""
        return owner in self._owners.get(name, ())

    def _fit(self, name: str) -> None:
        self._owners.move_to_end(name)
        while len(self._owners) > REMEMBERED:
            self._owners.popitem(last=False)


class Guard:
    """ASGI middleware around the framework's routes.

    Args:
        app: what is guarded.
        engine: knows who may see which picture.
        uploads: the framework's folder.
    """

    def __init__(self, app: ASGIApp, engine: Engine, uploads: Path) -> None:
        self._app = app
        self._engine = engine
        self._uploads = uploads.absolute()
        self._sessions = Memory()
        self._files = Memory()
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 404 or 403."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                lighten(scope["app"])
            await self._app(scope, receive, send)
            return
        path = _route(scope)
        visitor: Visitor = scope.get(VISITOR, Visitor())
        owner = "" if visitor.passing else visitor.owner
        if path.startswith(SHUT):
            await _answer(404, scope, receive, send)
        elif not path.startswith(PREFIX):
            await self._app(scope, receive, send)
        else:
            await self._inside(path.removeprefix(PREFIX), owner, scope, receive, send)

    async def _inside(self, rest: str, owner: str, scope: Scope, receive: Receive, send: Send) -> None:
        if rest.startswith(("file=", "file/")):
            allowed = await self._may_read(unquote(rest[5:]), owner)
            await (self._app(scope, receive, send) if allowed else _answer(404, scope, receive, send))
        elif not any(rest == each or rest.startswith(each + "/") for each in OPEN):
            await _answer(404, scope, receive, send)
        elif EDIT_CALL.fullmatch(rest) and scope["method"] == "POST":
            if self._full(scope["app"]):
                await _busy(scope, receive, send)
                return
            self._coming += 1
            try:
                await self._called(rest, owner, scope, receive, send)
            finally:
                self._coming -= 1
        elif rest == "upload":
            await self._app(scope, receive, self._noting(owner, send))
        else:
            await self._called(rest, owner, scope, receive, send)

    async def _called(self, rest: str, owner: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request that may name sessions and files, if all of them are the owner's."""
        body = await _whole(receive) if scope["method"] == "POST" and not rest.startswith("mcp") else None
        told = _json(body)
        named = _sessions(rest, scope["query_string"], told)
        mine = len(named) < 2 and all(NAME.fullmatch(each) and self._sessions.claim(each, owner) for each in named)
        if not mine or not all([await self._may_read(each, owner) for each in _paths(told)]):
            await _answer(403, scope, receive, send)
            return
        fault = call_fault(rest, told) if body is not None else None
        if fault is not None:
            await JSONResponse({"detail": fault, "event_id": None}, 400)(scope, receive, send)
            return
        event = rest.rsplit("/", 1)[-1] if rest.startswith("call/") and scope["method"] == "GET" else None
        if event is not None and not is_call(scope["app"], event):
            await _answer(404, scope, receive, send)
            return
        await self._app(scope, receive if body is None else _again(body, receive), send)
        if event is not None:
            forget_call(scope["app"], event)

    def _full(self, app: Any) -> bool:
        """Return whether as many calls are open as can be at work or in line: the next is refused before it costs."""
        places = sum(self._engine.queue_size + spec.concurrency for spec in self._engine.specs.values())
        return self._coming + open_calls(app, "edit") >= places

    async def _may_read(self, text: str, owner: str) -> bool:
        path = Path(text)
        if not self._inside_uploads(path):
            return False
        if HANDED.fullmatch(path.name) or self._files.owned(str(path), owner):
            return True
        return PICTURE_NAME.fullmatch(path.name) is not None and await self._engine.keeper.may_see(owner, path.name)

    def _inside_uploads(self, path: Path) -> bool:
        return ".." not in path.parts and path.is_relative_to(self._uploads)

    def _noting(self, owner: str, send: Send) -> Send:
        """Remember whose the uploaded files are, when the framework answers where they lie."""
        answer = bytearray()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.body":
                answer.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    told = _json(answer)
                    for path in told if isinstance(told, list) else ():
                        self._files.share(str(path), owner)  # the same picture has the same path for all
            await send(message)

        return noting


def _json(body: bytes | bytearray | None) -> Any:
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        return None


def _sessions(rest: str, query: bytes, told: Any) -> set[str]:
    """Return every session that a request names, wherever: the framework may read another place than we."""
    named = set(parse_qs(query.decode("latin-1"), keep_blank_values=True).get("session_hash", []))
    if rest.startswith("heartbeat/"):
        named.add(rest.removeprefix("heartbeat/"))
    if isinstance(told, dict) and told.get("session_hash") is not None:
        named.add(str(told["session_hash"]))
    return named


def _route(scope: Scope) -> str:
    """Return the path as routes are matched: without the prefix under which a proxy serves the app."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root else path


def _paths(told: Any) -> Iterator[str]:
    """Yield every file that a request names in place of an upload; addresses are refused where they are met."""
    if isinstance(told, dict):
        path = told.get("path")
        if isinstance(path, str) and path and not is_address(path) and not is_data_uri(path):
            yield path
        told = list(told.values())
    if isinstance(told, list):
        for each in told:
            yield from _paths(each)


async def _whole(receive: Receive) -> bytes:
    """Return a request's body; the door before us counts it."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives a body that was read already, then what else comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the engine would, in less time."""
    words = "Too many runs wait already. Try again when some are done."
    await JSONResponse({"detail": words}, 503, {"Retry-After": "5"})(scope, receive, send)


async def _answer(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("Not found" if status == 404 else "Not yours", status_code=status)(scope, receive, send)
