"""How many calls of the endpoints may be open at once: as many runs as the engine takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from engine.engine import Engine
from ui.endpoints import NAMES
from ui.framework import open_calls
from ui.refusal import Refusal


class Places:
    """The open calls.

    Args:
        engine: knows how many runs may wait.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._coming = 0

    @contextlib.contextmanager
    def hold(self, function: Any, app: Any) -> Iterator[None]:
        """Hold a place for a call of a function until the framework's queue has it, or has answered it directly.

        Raises:
            Refusal: as many are open as there are places.
        """
        if function is None or function.api_name not in NAMES:
            yield
            return
        places = sum(self._engine.queue_size + spec.concurrency for spec in self._engine.specs.values())
        if self._coming + sum(open_calls(app, name) for name in NAMES) >= places:
            raise Refusal("too-many-waiting", status=503, wait=5.0)
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1
