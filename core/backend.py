"""The protocol that every backend keeps.

It stands in core, because the engine speaks it and core imports no backend.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from core.events import Event
from core.request import EditRequest
from core.spec import BackendSpec


class Backend(Protocol):
    """Something that edits images.

    Async only. Cancelling the generator (or the task that drives it) stops the work, and the
    generator ends only when the work has really stopped, so that the engine's limit holds.
    """

    @property
    def spec(self) -> BackendSpec:
        """What it offers."""
        ...

    def ready(self) -> str | None:
        """Return None if a run may start now, else the reason and what to do, a full sentence."""
        ...

    def status(self) -> str:
        """Return a few words on its state for the status line, such as "loaded, CPU"."""
        ...

    def edit(self, request: EditRequest) -> AsyncGenerator[Event, None]:
        """Do the edit: yield Loading and Progress as they come, at last one Completed.

        Raises:
            StudioError: when it cannot.
        """
        ...
