"""The framework's own routes, held to the same rule as ours: who owns it may see it.

A session's name is chosen by the browser, so it opens nothing by itself: it belongs to the visitor who came with it
first. A cached file's path may become known: it is read and used by the visitor who uploaded it, or may see the stored
picture. An event's id opens its result: it belongs to the visitor who started the event. Clients of the API keep no
cookie; they share one place, where long random names keep them apart. On a personal machine everything belongs to one
person, and nothing of this is asked.

What costs the server work is counted by visitor and by network address, and few events of a kind may be open at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import re
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.engine import Engine
from core.errors import TooManyRequests
from core.job import EVERYONE, Visitor, visitor_in
from core.limits import REQUESTS
from core.sources import is_address, is_data_uri
from core.subpath import route_path
from ui.edit_api import call_fault
from ui.framework import forget_call, forget_session, function_of, lighten, open_calls, open_events, undelivered
from ui.images import SUFFIXES, stored_name
from ui.refusal import Refusal
from ui.uploads import Upload

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
EVENT = re.compile(r"queue/join|(?:call/v2|call|run|api)/([^/]+)/?")
"""What a POST starts an event with, and the name of its function."""
RESULT = re.compile(r"call/(?:v2/)?[^/]+/([^/]+)")
"""What a GET reads the result of an event with, and the event's id."""
EDIT = re.compile(r"(call|run|api)/(v2/)?edit(/.*)?")
"""Runs by the API, which have limits of their own."""
PAGE = ("/", "/config")
"""Routes outside of the prefix that make the page: the framework takes milliseconds for each."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What browsers and clients call their sessions."""
SESSIONS = 200
"""Sessions of one network address, the latest: the tabs of an office, and a fifth of what the framework keeps."""
ADDRESSES = 10_000
"""Network addresses whose sessions are remembered, the latest."""
DEPTH = 20
"""Levels of lists and objects that a request may have; the page's have four."""
PATHS = 8
"""Files that a request may name; the page names one."""
SMALL = 4096
"""Bytes of JSON that are parsed on the event loop, in well under a millisecond."""
OPEN_OF_KIND = 2
"""Events of one kind that a visitor may have open: of a kind of which few are at work at a time."""
OPEN_OF_KIND_BY_ADDRESS = 6
"""The same for a network address; less than the places of a kind, so that another visitor always finds one."""
OPEN_BY_ADDRESS = 16
"""Events of all such kinds that a network address may have open, far below the length of the queue."""
FOLLOWING = 64
"""Open events of a kind without a bound on how many are at work, of one visitor: tabs that follow their runs."""
PREFIX = "/gradio_api/"


class Sessions:
    """Remembers whose sessions are: the latest of each network address, so that no stranger drives out another's."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._of: dict[str, str] = {}

    def claim(self, name: str, owner: str, address: str) -> bool:
        """Return whether a session is this owner's; whoever comes first has it."""
        if self._of.setdefault(name, owner) != owner:
            return False
        here = self._places.setdefault(address, OrderedDict())
        here[name] = None
        here.move_to_end(name)
        self._places.move_to_end(address)
        if len(self._places) > ADDRESSES:
            for each in self._places.popitem(last=False)[1]:
                self._of.pop(each, None)
        return True

    def surplus(self, address: str) -> Iterator[str]:
        """Forget the oldest sessions of an address that has more than its share, and yield them."""
        here = self._places.get(address, OrderedDict())
        while len(here) > SESSIONS:
            name, _ = here.popitem(last=False)
            self._of.pop(name, None)
            yield name


class Events:
    """Remembers who started which event, as long as the framework may still hand out its result."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._sweep_at = 1000

    def add(self, event_id: str, owner: str, app: Any) -> None:
        """Note an event's owner."""
        self._of[event_id] = owner
        if len(self._of) > self._sweep_at:
            alive = undelivered(app)
            self._of = {each: whose for each, whose in self._of.items() if each in alive}
            self._sweep_at = max(1000, 2 * len(self._of))

    def owner(self, event_id: str) -> str | None:
        """Return who started an event, None where it is not known; empty for a client without a cookie."""
        return self._of.get(event_id)


class Guard:
    """ASGI middleware around the framework's routes.

    Args:
        app: what is guarded.
        engine: knows who may see which picture, and counts.
        uploads: the framework's folder.
    """

    def __init__(self, app: ASGIApp, engine: Engine, uploads: Path) -> None:
        self._app = app
        self._engine = engine
        self._uploads = uploads.absolute()
        self._sessions = Sessions()
        self._events = Events()
        self._coming: list[tuple[Any, Visitor]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not, in JSON."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                lighten(scope["app"])
            await self._app(scope, receive, send)
            return
        path = route_path(scope)
        visitor = visitor_in(scope)
        begun = False

        async def answering(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if path.startswith(SHUT):
                raise _not_found()
            if path.startswith(PREFIX):
                await self._inside(path.removeprefix(PREFIX), visitor, scope, receive, answering)
                return
            if path in PAGE:
                self._engine.limits.spend(REQUESTS, visitor)
            await self._app(scope, receive, answering)
        except (TooManyRequests, Refusal) as error:
            if begun:
                raise
            refusal = Refusal.of(error) if isinstance(error, TooManyRequests) else error
            await refusal.response()(scope, receive, send)

    async def _inside(self, rest: str, visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> None:
        owner = "" if visitor.passing else visitor.owner
        # Where the app's owner sets no limit on runs, as many may be asked for.
        if self._engine.limits.caps.per_minute is not None or not EDIT.fullmatch(rest):
            self._engine.limits.spend(REQUESTS, visitor)
        if rest.startswith(("file=", "file/")):
            if not await self._may_read(rest[5:], owner):  # ASGI's path is decoded already
                raise _not_found()
            await self._app(scope, receive, send)
        elif not any(rest == each or rest.startswith(each + "/") for each in OPEN):
            raise _not_found()
        elif rest == "upload" and scope["method"] == "POST":
            await self._upload(visitor, owner, scope, receive, send)
        else:
            await self._called(rest, visitor, owner, scope, receive, send)

    # ---- events ------------------------------------------------------------------------------------

    async def _called(
        self, rest: str, visitor: Visitor, owner: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass on a request that may name sessions, events and files, if all of them are the owner's."""
        app = scope["app"]
        event = EVENT.fullmatch(rest) if scope["method"] == "POST" else None
        name = (event[1] or "") if event else ""
        body = await _whole(receive) if scope["method"] == "POST" and not rest.startswith("mcp") else None
        value = await _parsed(body)
        if owner != EVERYONE:
            self._check_names(rest, owner, visitor.address, scope, value)
            for each in self._sessions.surplus(visitor.address):
                forget_session(app.get_blocks(), each)
        await self._check_paths(value, owner)
        fault = call_fault(rest, value) if body is not None else None
        if fault is not None:
            raise Refusal(400, fault)
        again = receive if body is None else _again(body, receive)
        if event is None:
            await self._app(scope, again, send)
        else:
            with self._place(_function(app, rest, name, value), visitor, app):
                await self._app(scope, again, self._noting(owner, app, send))
        if scope["method"] == "GET" and (result := RESULT.fullmatch(rest)):
            forget_call(app, result[1])

    @contextlib.contextmanager
    def _place(self, function: Any, visitor: Visitor, app: Any) -> Iterator[None]:
        """Hold a place among the open events until the framework's queue has one, or has answered it directly.

        Raises:
            Refusal: the visitor, their address, or all together have as many open as there are places.
        """
        if function is not None and function.api_name == "edit":
            places = sum(self._engine.queue_size + spec.concurrency for spec in self._engine.specs.values())
            if sum(each is function for each, _ in self._coming) + open_calls(app, "edit") >= places:
                raise Refusal(503, "Too many runs wait already. Try again when some are done.", 5.0)
        elif function is not None and function.queue and visitor.address:
            self._check_open(function, visitor, app)
        mine = (function, visitor)
        self._coming.append(mine)
        try:
            yield
        finally:
            self._coming.remove(mine)

    def _check_open(self, function: Any, visitor: Visitor, app: Any) -> None:
        """Check that a visitor, and their network address, may open one more event of a kind.

        Raises:
            Refusal: they have as many open as they may.
        """
        everybody = (*open_events(app), *self._coming)
        own = [each for each in everybody if each[0] is not None and each[1].address == visitor.address]
        of_kind = [each for each in own if each[0] is function]
        by_visitor = sum(each[1].owner == visitor.owner for each in of_kind)
        if function.concurrency_limit is None:
            full = by_visitor >= FOLLOWING or len(of_kind) >= 4 * FOLLOWING
        else:
            scarce = sum(each[0].queue and each[0].concurrency_limit is not None for each in own)
            full = by_visitor >= OPEN_OF_KIND or len(of_kind) >= OPEN_OF_KIND_BY_ADDRESS or scarce >= OPEN_BY_ADDRESS
        if full:
            raise Refusal(429, "What you asked for before is still being worked on. Try again when it is done.", 2.0)

    def _check_names(self, rest: str, owner: str, address: str, scope: Scope, value: Any) -> None:
        """Check that the sessions and events that a request names are the owner's.

        Raises:
            Refusal: they are not.
        """
        for event_id in _events(rest, scope["method"], value):
            if self._events.owner(event_id) not in (owner, ""):
                raise Refusal(404, "There is no such event, or it belongs to another visitor. Send the request again.")
        named = _sessions(rest, scope["query_string"], value)
        mine = len(named) < 2 and all(
            NAME.fullmatch(each)
            and self._events.owner(each) in (None, owner, "")
            and (self._events.owner(each) is not None or self._sessions.claim(each, owner, address))
            for each in named
        )
        if not mine:
            raise Refusal(403, "This page's session belongs to another visitor. Load the page again.")

    def _noting(self, owner: str, app: Any, send: Send) -> Send:
        """Note whose an event is, when the framework answers with its id, before anybody knows it."""
        answer = bytearray()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.body" and len(answer) < SMALL:
                answer.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    value = _json(answer)
                    if isinstance(value, dict) and isinstance(value.get("event_id"), str):
                        self._events.add(value["event_id"], owner, app)
            await send(message)

        return noting

    # ---- files -------------------------------------------------------------------------------------

    async def _upload(self, visitor: Visitor, owner: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on an upload, and record whose the file is before its path is known to anybody."""
        limits = self._engine.limits
        share = limits.uploads()

        def count(size: int) -> None:
            if share is not None:
                limits.spend(share, visitor, size / 1e6)

        # In local mode whatever is chosen reaches the stage, which says what it is in more words.
        upload = Upload(Headers(scope=scope), limits.caps.max_bytes, count, pictures_only=owner != EVERYONE)
        if share is not None:
            limits.check_share(share, visitor, upload.size / 1e6)
        try:
            if not await self._engine.keeper.make_room(upload.size, limits.caps.quota):
                raise _full()
            await self._app(scope, upload.receiving(receive), upload.send)
            for path in upload.paths():
                if not await self._engine.keeper.add_file(owner, Path(path).relative_to(self._uploads)):
                    raise Refusal(503, "The file could not be stored. Choose the picture again.", 1.0)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise _full() from error
        await upload.answer()(scope, receive, send)

    async def _check_paths(self, value: Any, owner: str) -> None:
        """Check that the files that a request names may be read by an owner.

        Raises:
            Refusal: one may not, or there are too many.
        """
        for number, path in enumerate(_paths(value)):
            if number == PATHS:
                raise Refusal(400, f"At most {PATHS} files are read in a request. Send fewer.")
            if not await self._may_read(path, owner):
                words = "This upload belongs to another visitor, or is no longer stored. Choose the picture again."
                raise Refusal(403, words)

    async def _may_read(self, text: str, owner: str) -> bool:
        path = Path(text)
        if "\0" in text or not self._inside_uploads(path):
            return False
        if owner == EVERYONE or HANDED.fullmatch(path.name):
            return True
        if await self._engine.keeper.owns_file(owner, path.relative_to(self._uploads)):
            return True
        name = stored_name(path.name)
        return name is not None and await self._engine.keeper.may_see(owner, name)

    def _inside_uploads(self, path: Path) -> bool:
        return ".." not in path.parts and path.is_relative_to(self._uploads) and path != self._uploads


def _not_found() -> Refusal:
    return Refusal(404, "There is nothing here, or it belongs to another visitor.")


def _full() -> Refusal:
    return Refusal(507, "The disk has no room for this file. Try again later, or ask the app's owner to make room.")


def _json(body: bytes | bytearray | None) -> Any:
    try:
        return json.loads(body or b"null")
    except ValueError:
        return None


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A JSON string, or the rest of the text after a quotation mark without its other: in one pass, without a way back."""
_BRACKET = re.compile(rb"[\[\]{}]")


async def _parsed(body: bytes | None) -> Any:
    """Return a body's JSON, None where there is none; a large one is parsed beside the event loop.

    Raises:
        Refusal: it has more levels than any event.
    """
    if body is None:
        return None
    return await asyncio.to_thread(_shallow_json, body) if len(body) > SMALL else _shallow_json(body)


def _shallow_json(body: bytes) -> Any:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", body)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > DEPTH:
            raise Refusal(400, f"The request has more than {DEPTH} levels of lists and objects. Send fewer.")
    return _json(body)


def _function(app: Any, rest: str, name: str, value: Any) -> Any:
    """Return the framework's function that an event is for, None where its body is no JSON: the framework says so.

    Raises:
        Refusal: there is none, or it lacks inputs: the framework would answer 500, and log all that was sent.
    """
    if not isinstance(value, dict):
        return None
    function = function_of(app, name, None if rest.startswith("call/") else value.get("fn_index"))
    by_names = rest.startswith("call/v2/")
    if function is None or (by_names and function.api_visibility != "public"):
        raise Refusal(404, "There is no such event. Load the page again, or see its API page.")
    data = value.get("data")
    if isinstance(data, list) and not by_names:
        short = rest.startswith("call/")  # there the page's own state may be left out
        needed = sum(not (short and each.skip_api) for each in function.inputs)
        if len(data) < needed:
            raise Refusal(422, f"data: The event takes {needed} values, and {len(data)} came. Send all of them.")
    return function


def _events(rest: str, method: str, value: Any) -> set[str]:
    """Return every event that a request names."""
    named = set()
    if method == "GET" and (result := RESULT.fullmatch(rest)):
        named.add(result[1])
    if isinstance(value, dict) and value.get("event_id") is not None and not rest.startswith("call/"):
        named.add(str(value["event_id"]))
    return named


def _sessions(rest: str, query: bytes, value: Any) -> set[str]:
    """Return every session that a request names, wherever: the framework may read another place than we."""
    named = set(parse_qs(query.decode("latin-1"), keep_blank_values=True).get("session_hash", []))
    if rest.startswith("heartbeat/"):
        named.add(rest.removeprefix("heartbeat/"))
    if isinstance(value, dict) and value.get("session_hash") is not None:
        named.add(str(value["session_hash"]))
    return named


def _paths(value: Any) -> Iterator[str]:
    """Yield every file that a request names in place of an upload; addresses are refused where they are met."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            path = each.get("path")
            if isinstance(path, str) and path and not is_address(path) and not is_data_uri(path):
                yield path
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)


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
