"""The framework's own routes, held to the same rule as ours: who owns it may see it.

A session's name is chosen by the browser, so it opens nothing by itself: it belongs to the visitor who came with it
first. A cached file's path may become known: it is read and used by the visitor who uploaded it, or may see the stored
picture. An event's id opens its result: it belongs to the visitor who started the event. Clients of the API keep no
cookie; they share one place, where long random names keep them apart. On a personal machine everything belongs to one
person, and nothing of this is asked.

What costs the server work is counted by visitor and by network address. Of the page's events `/edit` and `/experiment`
alone run on the server; on ZeroGPU, Run too.
"""

from __future__ import annotations

import contextlib
import errno
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import BadParameter, DiskFull, StudioError, TooManyRequests
from core.image_types import MIME_OF
from core.job import EVERYONE, Visitor, visitor_in
from core.subpath import route_path
from engine.quotas import REQUESTS
from engine.services import Services
from ui.bodies import (
    SMALL,
    again_of,
    json_of,
    named_events,
    named_paths,
    named_sessions,
    parsed,
    whole,
)
from ui.calls import call_fault
from ui.endpoints import ENDPOINTS
from ui.framework import function_of, lighten
from ui.inline_images import CARRIER, new_upload, place_of, spooled
from ui.ownership import Events, Sessions
from ui.places import Places
from ui.refusal import Refusal
from ui.uploads import Upload

OPEN = (
    "upload",
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
HANDED = re.compile(rf"srpo-\d+-[A-Za-z0-9_-]{{32}}({'|'.join(map(re.escape, MIME_OF))})")
"""Results for callers of the API, who have no cookie: the name itself is their token."""
EVENT = re.compile(r"queue/join|(?:call/v2|call|run|api)/([^/]+)/?")
"""What a POST starts an event with, and the name of its function."""
RUNS = re.compile(rf"(call|run|api)/(v2/)?({ENDPOINTS})(/.*)?")
"""Runs by the API, which have limits of their own."""
PAGE = ("/", "/config")
"""Routes outside of the prefix that make the page: the framework takes milliseconds for each."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What browsers and clients call their sessions."""
PATHS = 8
"""Files that a request may name; `/edit` takes one."""
PREFIX = "/gradio_api/"


class Guard:
    """ASGI middleware around the framework's routes.

    Args:
        app: what is guarded.
        services: know who may see which picture, and count.
        uploads: the framework's folder.
    """

    def __init__(self, app: ASGIApp, services: Services, uploads: Path) -> None:
        self._app = app
        self._services = services
        self._uploads = uploads.absolute()
        self._sessions = Sessions()
        self._events = Events()
        self._places = Places(services.engine)

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
                self._services.quotas.spend(REQUESTS, visitor)
            await self._app(scope, receive, answering)
        except (TooManyRequests, Refusal) as error:
            if begun:
                raise
            refusal = Refusal.of(error) if isinstance(error, TooManyRequests) else error
            await refusal.response()(scope, receive, send)

    async def _inside(self, rest: str, visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> None:
        owner = "" if visitor.passing else visitor.owner
        # Where the app's owner sets no limit on runs, as many may be asked for.
        if self._services.quotas.caps.per_minute is not None or not RUNS.fullmatch(rest):
            self._services.quotas.spend(REQUESTS, visitor)
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
        body = None
        if scope["method"] == "POST":
            carries = CARRIER.fullmatch(rest) is not None
            body = await (self._without_image(rest, receive, visitor) if carries else whole(receive))
            receive = again_of(body, receive)
        if rest.startswith("mcp"):
            await self._app(scope, receive, send)
            return
        value = await parsed(body)
        if owner != EVERYONE:
            self._check_names(rest, owner, visitor.address, scope, value)
        await self._check_paths(value, owner)
        fault = call_fault(rest, value) if body is not None else None
        if fault is not None:
            raise fault
        if event is None:
            await self._app(scope, receive, send)
        else:
            with self._places.hold(_function(app, rest, name, value), app):
                await self._app(scope, receive, self._noting(owner, app, send))

    def _check_names(self, rest: str, owner: str, address: str, scope: Scope, value: Any) -> None:
        """Check that the events that a request names are the owner's, and that its session is, or becomes, theirs.

        Raises:
            Refusal: one is another's, or there is more than one session.
        """
        for event_id in named_events(rest, scope["method"], value):
            if self._events.owner(event_id) not in (owner, ""):
                raise Refusal("event-not-yours", status=404)
        sessions = named_sessions(rest, scope["query_string"], value)
        if len(sessions) > 1:
            raise _not_their_session()
        for name in sessions:
            self._enter_session(name, owner, address)

    def _enter_session(self, name: str, owner: str, address: str) -> None:
        """Give a session to an owner if nobody has it yet.

        Args:
            name: the session's, or the id of an event: the framework uses that as the session of a call by the API.
            owner: who names it.
            address: the owner's network address.

        Raises:
            Refusal: it is another's, or its name is malformed.
        """
        if NAME.fullmatch(name) is None:
            raise _not_their_session()
        caller = self._events.owner(name)
        if caller is None:
            if not self._sessions.claim(name, owner, address):
                raise _not_their_session()
        elif caller not in (owner, ""):
            raise _not_their_session()

    def _noting(self, owner: str, app: Any, send: Send) -> Send:
        """Note whose an event is, when the framework answers with its id, before anybody knows it."""
        answer = bytearray()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.body" and len(answer) < SMALL:
                answer.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    value = json_of(answer)
                    if isinstance(value, dict) and isinstance(value.get("event_id"), str):
                        self._events.add(value["event_id"], owner, app)
            await send(message)

        return noting

    # ---- files -------------------------------------------------------------------------------------

    async def _upload(self, visitor: Visitor, owner: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on an upload, and record whose the file is before its path is known to anybody."""
        limits = self._services.quotas
        share = limits.uploads()

        def count(size: int) -> None:
            if share is not None:
                limits.spend(share, visitor, size / 1e6)

        # In local mode whatever is sent reaches the decoders, which say what it is in more words.
        upload = Upload(Headers(scope=scope), limits.caps.max_bytes, count, pictures_only=owner != EVERYONE)
        if share is not None:
            limits.check_share(share, visitor, upload.size / 1e6)
        with _room():
            if not await self._services.uploads.make_room(upload.size):
                raise _full()
            # By its number the framework would remember an upload's progress without end.
            await self._app({**scope, "query_string": b""}, upload.receiving(receive), upload.send)
            for path in upload.paths():
                if not await self._services.uploads.add_file(owner, Path(path).relative_to(self._uploads)):
                    raise Refusal("upload-not-stored", status=503, wait=1.0)
        await upload.answer()(scope, receive, send)

    async def _without_image(self, rest: str, receive: Receive, visitor: Visitor) -> bytes:
        """Return the body of a call, with an inline image stored aside and counted like an upload.

        Raises:
            Refusal: the image cannot be read or stored, or there is too much beside it.
            TooManyRequests: the visitor has uploaded their share.
        """
        quotas, uploads, share = self._services.quotas, self._services.uploads, self._services.quotas.uploads()
        with _room():
            async with spooled(receive, self._uploads) as body:
                if isinstance(body, bytes):
                    return body
                size = body.stat().st_size
                if share is not None:
                    quotas.spend(share, visitor, size / 1e6)
                if not await uploads.make_room(size):
                    raise _full()
                path = new_upload(self._uploads)
                try:
                    small = await self._services.decoders.separate(body, place_of(rest), path, owner=visitor.source)
                except DiskFull as error:
                    raise _full() from error
                except StudioError as error:
                    raise _refused_image(error) from error
                await uploads.add_file("" if visitor.passing else visitor.owner, path.relative_to(self._uploads))
                return small

    async def _check_paths(self, value: Any, owner: str) -> None:
        """Check that the files that a request names may be read by an owner.

        Raises:
            Refusal: one may not, or there are too many.
        """
        for number, path in enumerate(named_paths(value)):
            if number == PATHS:
                raise Refusal("too-many-files", status=400, limit=PATHS)
            if not await self._may_read(path, owner):
                raise Refusal("upload-not-yours", status=403)

    async def _may_read(self, text: str, owner: str) -> bool:
        path = Path(text)
        if "\0" in text or not self._inside_uploads(path):
            return False
        if owner == EVERYONE or HANDED.fullmatch(path.name):
            return True
        return await self._services.uploads.owns_file(owner, path.relative_to(self._uploads))

    def _inside_uploads(self, path: Path) -> bool:
        return ".." not in path.parts and path.is_relative_to(self._uploads) and path != self._uploads


def _not_found() -> Refusal:
    return Refusal("nothing-here", status=404)


def _refused_image(error: StudioError) -> Refusal:
    """Return the refusal of a call whose image, or what is beside it, cannot be used."""
    field = error.field if isinstance(error, BadParameter) and error.field else "image"
    return Refusal(error.message, status=400, field=field)


def _not_their_session() -> Refusal:
    return Refusal("session-not-yours", status=403)


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Turn the system's word for a full disk into a refusal."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _full() from error


def _full() -> Refusal:
    return Refusal("disk-full-for-file", status=507)


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
        raise Refusal("event-unknown", status=404)
    data = value.get("data")
    if isinstance(data, list) and not by_names:
        short = rest.startswith("call/")  # there the page's own state may be left out
        needed = sum(not (short and each.skip_api) for each in function.inputs)
        if len(data) < needed:
            raise Refusal("event-inputs-missing", status=400, field="data", needed=needed, given=len(data))
    return function
