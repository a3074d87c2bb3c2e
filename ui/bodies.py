"""The bodies of requests to the framework: read once, with bounded depth, and what they name found in them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Message, Receive

from core.imaging.inline_body import DEPTH, TooDeep, shallow_json
from core.imaging.sources import is_address, is_data_uri
from ui.refusal import Refusal

RESULT = re.compile(r"call/(?:v2/)?[^/]+/([^/]+)")
"""What a GET reads the result of an event with, and the event's id."""
SMALL = 4096
"""Bytes of JSON that are parsed on the event loop, in well under a millisecond."""


def json_of(body: bytes | bytearray | None) -> Any:
    """Return the JSON of a text, None where it has none."""
    try:
        return json.loads(body or b"null")
    except ValueError:
        return None


async def parsed(body: bytes | None) -> Any:
    """Return a body's JSON, None where there is none; a large one is parsed beside the event loop.

    Raises:
        Refusal: it has more levels than any event.
    """
    if body is None:
        return None
    try:
        return await asyncio.to_thread(shallow_json, body) if len(body) > SMALL else shallow_json(body)
    except TooDeep as error:
        raise Refusal("request-too-deep", status=400, limit=DEPTH) from error


def named_events(rest: str, method: str, value: Any) -> set[str]:
    """Return every event that a request names."""
    named = set()
    if method == "GET" and (result := RESULT.fullmatch(rest)):
        named.add(result[1])
    if isinstance(value, dict) and value.get("event_id") is not None and not rest.startswith("call/"):
        named.add(str(value["event_id"]))
    return named


def named_sessions(rest: str, query: bytes, value: Any) -> set[str]:
    """Return every session that a request names, wherever: the framework may read another place than we."""
    named = set(parse_qs(query.decode("latin-1"), keep_blank_values=True).get("session_hash", []))
    if rest.startswith("heartbeat/"):
        named.add(rest.removeprefix("heartbeat/"))
    if isinstance(value, dict) and value.get("session_hash") is not None:
        named.add(str(value["session_hash"]))
    return named


def named_paths(value: Any) -> Iterator[str]:
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


async def whole(receive: Receive) -> bytes:
    """Return a request's body; the middleware before us counts it."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def again_of(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives a body that was read already, then what else comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
