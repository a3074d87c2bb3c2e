"""What a run tells while it goes on. Failure is no event but an exception from `core.errors`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.messages import Message
from core.recipe import Model
from core.result import Missing, Result


@dataclass(frozen=True)
class Queued:
    """The run waits; `position` is 1 for the next in line."""

    position: int


@dataclass(frozen=True)
class Loading:
    """The backend prepares itself; `done` of `total` parts are ready, `stage` says at which it works."""

    stage: Message
    done: int
    total: int


@dataclass(frozen=True)
class Progress:
    """`step` of `total` steps are done, 0 <= step <= total.

    `preview` holds one small JPEG for each image of the batch, or is empty where there is nothing
    new to show.
    """

    step: int
    total: int
    preview: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Working:
    """A provider has the job, or is being handed it: from here on it may cost, and cannot be taken back.

    `status` is the provider's own word (`created`, `processing`), or `sent`; `done` of `total` tasks are finished.
    """

    status: str
    done: int = 0
    total: int = 1


@dataclass(frozen=True)
class Accepted:
    """The provider has the task for image `place` (0 is the first), under its own id: it can be asked for again."""

    place: int
    remote_id: str


@dataclass(frozen=True)
class Picture:
    """One finished image and the seed that recreates it.

    `data` is the encoded file, byte for byte as it will be stored. `damaged` says that the file ends early or is
    broken; it is stored, for it was paid.
    """

    data: bytes = field(repr=False)
    mime: str
    width: int
    height: int
    seed: int
    damaged: bool = False


@dataclass(frozen=True)
class Completed:
    """The backend is done: what it made, still in memory. The engine stores it and makes a `Result` of it.

    Attributes:
        images: in the order of their seeds; at least one is a Picture or withheld as not safe for work.
        timings: seconds by stage, `inference` at least.
        cost: US dollars, 0 where it was free, None where it is not known.
        notices: what the person should know about this result.
        model: what made it; None where it is the one that the backend's spec names, without a known revision.
    """

    images: tuple[Picture | Missing, ...]
    timings: Mapping[str, float]
    cost: float | None = 0.0
    notices: tuple[Message, ...] = ()
    model: Model | None = None


Event = Loading | Progress | Working | Accepted | Completed
"""What a backend tells of a run."""
JobEvent = Queued | Loading | Progress | Working | Result
"""What the engine tells of a job; the last is its Result."""
