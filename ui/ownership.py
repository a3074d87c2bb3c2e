"""Whose the framework's sessions and events are: names that a browser chose, and ids that open a result."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import gradio as gr
from starlette.requests import Request

from core.job import Visitor, visitor_in
from ui.framework import undelivered

SESSIONS = 200
"""Sessions of one network address that are remembered, the latest."""
ADDRESSES = 10_000
"""Network addresses whose sessions are remembered, the latest."""


def visitor_of(request: Request | gr.Request) -> Visitor:
    """Return who asks, as the middleware has put it into the scope."""
    inner: Any = request.request if isinstance(request, gr.Request) else request
    return visitor_in(inner.scope)


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
        if len(here) > SESSIONS:
            self._of.pop(here.popitem(last=False)[0], None)
        if len(self._places) > ADDRESSES:
            for each in self._places.popitem(last=False)[1]:
                self._of.pop(each, None)
        return True


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
