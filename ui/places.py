"""How many events may be open at once: of one visitor, of one network address, of all.

The framework has one queue for the events of everybody, and a few places at work for each kind.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from core.job import Visitor
from engine.engine import Engine
from ui.framework import open_calls, open_events
from ui.refusal import Refusal

OPEN_OF_KIND = 2
"""Events of one kind that a visitor may have open."""
OPEN_OF_KIND_BY_ADDRESS = 6
"""The same for a network address: less than the framework's places at work, so that another visitor finds one."""
OPEN_BY_ADDRESS = 16
"""Events of all kinds that a network address may have open, far below the length of the queue."""
FOLLOWERS = re.compile(r"(run|rejoin|cancel)(_\d+)?")
"""Events that only follow runs, which have limits of their own."""
FOLLOWING = 64
"""Events of one such kind that a visitor may have open: tabs that follow their runs."""


class Places:
    """The open events.

    Args:
        engine: knows how many runs may wait.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._coming: list[tuple[Any, Visitor]] = []

    @contextlib.contextmanager
    def hold(self, function: Any, visitor: Visitor, app: Any) -> Iterator[None]:
        """Hold a place among the open events until the framework's queue has one, or has answered it directly.

        Raises:
            Refusal: the visitor, their address, or all together have as many open as there are places.
        """
        if function is not None and function.api_name == "edit":
            places = sum(self._engine.queue_size + spec.concurrency for spec in self._engine.specs.values())
            if sum(each is function for each, _ in self._coming) + open_calls(app, "edit") >= places:
                raise Refusal("too-many-waiting", status=503, wait=5.0)
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
        if _follows(function):
            full = by_visitor >= FOLLOWING or len(of_kind) >= 4 * FOLLOWING
        else:
            others = sum(each[0].queue and not _follows(each[0]) for each in own)
            full = by_visitor >= OPEN_OF_KIND or len(of_kind) >= OPEN_OF_KIND_BY_ADDRESS or others >= OPEN_BY_ADDRESS
        if full:
            raise Refusal("still-working", status=429, wait=2.0)


def _follows(function: Any) -> bool:
    return function.api_name == "edit" or FOLLOWERS.fullmatch(str(function.api_name)) is not None
