"""The guard's small parts: whose sessions and events are remembered, and how a body is read."""

from __future__ import annotations

import asyncio
import inspect
import json
import random
import time
from contextlib import suppress
from typing import Any

import pytest
from gradio import routes
from gradio.queueing import Queue as FrameworkQueue

from core.imaging.inline_body import DEPTH, TooDeep, shallow_json
from ui.bodies import named_paths, parsed
from ui.framework import Messages, NoFiles
from ui.ownership import ADDRESSES, SESSIONS, Events, Sessions
from ui.refusal import Refusal


def test_an_address_with_many_sessions_makes_nobody_elses_forgotten() -> None:
    sessions = Sessions()
    assert sessions.claim("ann's", "ann", "192.0.2.1")
    for number in range(5 * SESSIONS):
        assert sessions.claim(f"s{number}", f"cookie {number}", "192.0.2.66")
    assert not sessions.claim("ann's", "stranger", "192.0.2.66")
    assert sessions.claim("s0", "bob", "192.0.2.2"), "the stranger's own oldest is forgotten"
    assert not sessions.claim(f"s{5 * SESSIONS - 1}", "bob", "192.0.2.2")


def test_sessions_are_remembered_of_the_latest_addresses() -> None:
    sessions = Sessions()
    for number in range(ADDRESSES + 1):
        assert sessions.claim(f"s{number}", "ann", f"address {number}")
    assert sessions.claim("s0", "another", "elsewhere")
    assert not sessions.claim("s2", "another", "elsewhere")
    assert len(sessions._of) == len(sessions._places) == ADDRESSES


def test_a_session_goes_on_at_another_address() -> None:
    sessions = Sessions()
    assert sessions.claim("phone", "ann", "at home")
    assert sessions.claim("phone", "ann", "on the way")
    for number in range(SESSIONS):
        sessions.claim(f"s{number}", "bob", "at home")
    assert sessions.claim("phone", "ann", "on the way")


class Queue:
    """What the framework still knows of events."""

    def __init__(self) -> None:
        self.event_ids_to_events: dict[str, Any] = {}
        self.pending_event_ids_session: dict[str, set[str]] = {}
        self._queue = self

    def get_blocks(self) -> Queue:
        return self


def test_an_events_owner_is_remembered_as_long_as_the_framework_may_hand_out_its_result() -> None:
    queue, events = Queue(), Events()
    queue.event_ids_to_events["waits"] = object()
    queue.pending_event_ids_session["session"] = {"ended"}
    events.add("waits", "ann", queue)
    events.add("ended", "bob", queue)
    for number in range(5000):
        events.add(f"delivered {number}", "stranger", queue)
    assert (events.owner("waits"), events.owner("ended")) == ("ann", "bob")
    assert events.owner("delivered 0") is None
    assert len(events._of) <= 1001


def test_a_session_whose_stream_is_read_outlives_a_strangers_two_thousand() -> None:
    events = {"read": {"e"}, "left": {"f"}}
    messages = Messages(100, events)
    messages["read"], messages["left"] = "ann's", "bob's"
    for number in range(2000):
        messages[f"s{number}"] = "stranger's"
        events[f"s{number}"] = {"g"}
        if number % 50 == 0:
            assert messages["read"] == "ann's"
    assert "left" not in messages
    assert len(messages) == len(events) == 100


@pytest.mark.parametrize("levels", [1, DEPTH, DEPTH + 1, 500, 30_000])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}")])
async def test_a_body_has_twenty_levels_at_most(levels: int, opens: str, closes: str) -> None:
    body = (opens * levels + "1" + closes * levels).encode()
    if levels <= DEPTH:
        assert await parsed(body) is not None
    else:
        with pytest.raises(Refusal, match="20 levels"):
            await parsed(body)


@pytest.mark.parametrize(
    "text", ["[" * 50, '"', '\\"', '\\\\"', 'a\\"[[[' * 20, "\n{\t", "\\", "é[" * 30, '"[{' * 30, "\\u005b" * 50]
)
def test_brackets_inside_a_string_are_no_levels(text: str) -> None:
    value = {"data": [text, text], text: [text]}
    for ascii_only in (True, False):
        assert shallow_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_any_text_is_read_as_the_framework_reads_it_or_refused() -> None:
    seed = time.time_ns() % 2**32
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(3000):
        body = "".join(chance.choices(['"', "\\", "[", "]", "{", "}", ":", ",", "1", "a", " "], k=chance.randrange(60)))
        try:
            expected = json.loads(body)
        except ValueError:
            expected = None
        try:
            assert shallow_json(body.encode()) == expected, body
        except TooDeep:
            assert body.count("[") + body.count("{") > DEPTH, body


@pytest.mark.parametrize(
    "body",
    [b'\\"' * 500_000, b'"' * 999_999, b'"' + b"\\" * 999_999, b"[]" * 500_000, b'{"a":' * 200_000, b"[" * 1_000_000],
    ids=["escaped quotes", "quotes", "backslashes", "pairs", "objects", "lists"],
)
def test_a_hostile_body_is_read_in_one_pass(body: bytes) -> None:
    with suppress(TooDeep):  # where each quotation mark began a search of its own, this would take hours
        shallow_json(body)


async def test_a_large_body_is_parsed_beside_the_loop() -> None:
    body = json.dumps([{"path": "x" * 100}] * 50_000).encode()
    parsing = asyncio.ensure_future(parsed(body))
    await asyncio.sleep(0)
    assert not parsing.done()
    assert len(await parsing) == 50_000


def test_paths_are_found_at_every_level_one_at_a_time() -> None:
    value = {"data": [{"path": "a"}, {"x": {"path": "b", "more": [{"path": "c"}]}}, {"path": "https://d"}, {"path": 7}]}
    assert sorted(named_paths(value)) == ["a", "b", "c"]
    assert next(named_paths({"path": "first", "data": [{"path": "later"}] * 1_000_000})) == "first"


def test_the_framework_keeps_its_uploads_where_ours_replace_them() -> None:
    assert "blocks.upload_file_set.update(" in inspect.getsource(routes.App.create_app), "look at ui.framework.lighten"
    files = NoFiles()
    files.update(["a"])
    assert not files


def test_the_framework_keeps_its_messages_where_ours_replace_them() -> None:
    source = inspect.getsource(FrameworkQueue.__init__)
    assert "pending_messages_per_session: LRUCache" in source, "look at ui.framework.Messages"
    assert "pending_event_ids_session: dict[str, set[str]]" in source
