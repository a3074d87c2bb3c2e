"""What the framework keeps or does and nobody here needs, let go: each is small, and a busy day has thousands.

Read off gradio 6.31. Most of it is an economy: were a piece of it gone from the next version, only memory and the
processor's work would grow. What counts and bounds events has tests that would fail then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from gradio import http_server
from gradio.context import LocalContext
from gradio.utils import LRUCache
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers

_NUMBER = TypeAdapter(int)
"""As the framework reads an index: "7" and 7.0 are numbers there too."""
LOOK = 0.02
"""Seconds between the queue's looks for a call; its own thousand a second always take a tenth of a small core."""


@contextmanager
def as_visitor(token: str) -> Iterator[None]:
    """While this lasts, `spaces` asks for GPU time as the visitor whose token this is."""
    # Not the visitor's own request: that belongs to a page which may be gone when the run's turn comes.
    asking = SimpleNamespace(headers=Headers({"x-ip-token": token, "x-gradio-user": "app"})) if token else None
    before = LocalContext.request.set(asking)  # it is asked for its headers alone
    try:
        yield
    finally:
        LocalContext.request.reset(before)


class Messages(LRUCache):  # type: ignore[misc] # the framework's types are not told
    """The queue's messages by session: the session that was not read the longest goes first.

    The framework's own cache drops the oldest session, though its page is reading: two thousand events of one stranger
    would cut everybody's stream. It also keeps the events of a dropped session permanently.

    Args:
        size: of sessions that are remembered, the most.
        events: the queue's events by session.
    """

    def __init__(self, size: int, events: dict[str, set[str]]) -> None:
        super().__init__(size)
        self._events = events

    def __getitem__(self, session: str) -> Any:
        """Return a session's messages; an open stream asks for them every ten seconds."""
        self.move_to_end(session)
        return super().__getitem__(session)

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        """Drop a session."""
        session, messages = super().popitem(last)
        self._events.pop(session, None)
        return session, messages


class NoFiles(set[str]):
    """A set that stays empty, in place of the framework's of all uploaded files, which nobody here reads."""

    def update(self, *_: Iterable[str]) -> None:
        """Take nothing."""


def lighten(app: Any) -> None:
    """Give an app that is about to start bounded memories, and a queue that lets an idle machine rest."""
    app.get_blocks().upload_file_set = NoFiles()
    queue = app.get_blocks()._queue
    queue.pending_messages_per_session = Messages(2000, queue.pending_event_ids_session)
    queue.sleep_when_free = LOOK
    queue.progress_update_sleep_when_free = 1.0  # for gr.Progress, which nobody here uses


def undelivered(app: Any) -> set[str]:
    """Return the ids of all events that wait, are at work, or whose end was not delivered yet."""
    queue = app.get_blocks()._queue
    return set(queue.event_ids_to_events).union(*queue.pending_event_ids_session.values())


def function_of(app: Any, name: str, index: Any) -> Any:
    """Return the function that an event is for, found as the framework finds it; None where none runs on the server.

    Args:
        app: the framework's.
        name: of the endpoint, as a path has it; empty where there is none.
        index: the event's `fn_index`, which goes before the name.
    """
    functions = app.get_blocks().fns
    if index is not None:
        try:
            found = functions.get(_NUMBER.validate_python(index))
        except ValidationError:
            return None
    else:
        found = next((each for each in functions.values() if name and each.api_name == name), None)
    return None if found is None or found.fn is None else found  # the page's other events run in the browser


def open_calls(app: Any, name: str) -> int:
    """Return how many calls of an API endpoint have come and are not answered yet."""
    events = app.get_blocks()._queue.event_ids_to_events.values()
    return sum(event.fn.api_name == name for event in events)


@dataclass
class Served:
    """What serves an app; `server` is set once `Blocks.launch` has come to it."""

    server: Any = None


@contextmanager
def served_by(make: Callable[[Any], Any], url: str) -> Iterator[Served]:
    """Let `Blocks.launch` serve by a server of ours while this lasts.

    The framework's own takes five seconds for a start and then says that the port is taken, binds no IPv6, waits for
    open streams without end, and takes no limit of uvicorn's. There is no argument for another, and without `launch`
    a Space with ZeroGPU does not start.

    Args:
        make: returns the server of an app: `start()` returns when it answers, `close()` when it has ended.
        url: where this machine reaches it, with a slash at its end.
    """
    served, original = Served(), http_server.start_server

    def start_server(app: Any, **settings: Any) -> tuple[str, int, str, Any]:
        served.server = make(app)
        served.server.start()
        name, _, port = url.removeprefix("http://").rstrip("/").rpartition(":")
        return name, int(port), url, served.server

    http_server.start_server = start_server
    try:
        yield served
    finally:
        http_server.start_server = original
