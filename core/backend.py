"""What every backend has, and what some can.

It stands in core, because the engine speaks it and core imports no backend.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from core.events import Event
from core.http_call import HttpCall
from core.messages import Message
from core.provider import Price, Provider
from core.recipe import Recipe
from core.request import EditRequest
from core.spec import BackendSpec


@dataclass(frozen=True)
class RunContext:
    """What goes with a run beside its request: secrets of its visitor, never stored.

    Attributes:
        key: the visitor's own key at the provider; None takes the app owner's. Backends without keys ignore it.
        gpu_token: on whose quota of GPU time the run counts, where a machine lends it by visitor; empty for the app's.
    """

    key: str | None = field(default=None, repr=False)
    gpu_token: str = field(default="", repr=False)


OWNERS = RunContext()
"""The context of a run on the app owner's keys and quota."""


class Backend(ABC):
    """Something that edits images.

    Async only. Cancelling the generator (or the task that drives it) stops the work, and the
    generator ends only when the work has really stopped, so that the engine's limit holds.
    """

    @property
    @abstractmethod
    def spec(self) -> BackendSpec:
        """What it offers."""

    @property
    def provider(self) -> Provider | None:
        """The account that it runs on; None where it needs none."""
        return None

    def prepare(self) -> None:
        """Do what must be done before the app serves, in the process's first thread; may take minutes."""
        return None

    async def preload(self) -> None:
        """Make the first run quicker, in the background once the app answers; downloads nothing."""
        return None

    @abstractmethod
    def ready(self, key: str | None = None) -> Message | None:
        """Return None if a run may start now, with the owner's key or this one, else the reason and what to do."""

    @abstractmethod
    def status(self) -> tuple[Message, ...]:
        """Return its state for the status line: a few messages, which the page puts beside each other."""

    @abstractmethod
    def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Do the edit: yield Loading, Progress and Working as they come, at last one Completed.

        Before a request leaves that costs, Working is yielded: what comes back to the generator after it has been
        written down. Where the provider keeps the task, Accepted tells its id as soon as it is known.

        Args:
            request: what to do, validated by `spec`.
            context: on whose key and quota.

        Raises:
            StudioError: when it cannot.
        """

    async def price(self) -> Price:
        """Return what an image costs now; the spec's price where nothing newer is known."""
        return Price(self.spec.price)

    def http_call(self, recipe: Recipe) -> HttpCall | None:
        """Return the call to its provider that makes a picture again; None where it is reached through this app alone.

        Args:
            recipe: of one picture that it made.
        """
        return None


@runtime_checkable
class Resumable(Protocol):
    """A backend whose provider keeps tasks by id. Whoever yields Accepted is one."""

    def resume(
        self, request: EditRequest, remote: Sequence[str | None], context: RunContext = OWNERS
    ) -> AsyncGenerator[Event, None]:
        """Go on with a run that the provider has, without sending anything again; else as `Backend.edit`.

        Args:
            request: as it was.
            remote: the provider's id for each image; None where none had come before the app ended.
            context: as for `edit`.

        Raises:
            StudioError: when it cannot.
        """
        ...
