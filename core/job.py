"""One request on its way, as everybody sees it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import StudioError
from core.events import Completed, Event, Queued
from core.request import EditRequest


@dataclass(eq=False)
class Job:
    """One request on its way. `event` is the latest; `error` or `result` ends it.

    Attributes:
        key: a visitor's own provider key, for this job only.
        files: the kept pictures, None in the place of one that did not come.
        late: the run was cancelled and goes on at the provider, which cannot take it back: a result may still come.
    """

    id: str
    backend: str
    request: EditRequest
    key: str | None = field(default=None, repr=False)
    event: Event = field(default_factory=lambda: Queued(1))
    error: StudioError | None = None
    result: Completed | None = None
    files: tuple[Path | None, ...] = ()
    late: bool = False
    submitted: float = field(default_factory=time.monotonic)
    started: float | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.result is not None or self.error is not None

    def tell(self, event: Event | None = None) -> None:
        """Note an event and wake every watcher."""
        if event is not None:
            self.event = event
        self.changed.set()
        self.changed = asyncio.Event()
