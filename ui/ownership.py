"""Whose the framework's sessions and events are: names that a browser chose, and ids that open a result."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from ui.framework import undelivered

SESSIONS = 200
"""Sessions of one network address, the latest: the tabs of an office, and a fifth of what the framework keeps."""
ADDRESSES = 10_000
"""Network addresses whose sessions are remembered, the latest."""


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
