"""What a job has made, once its pictures are stored: rows and references, no bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.messages import Message
from core.recipe import ImageRef, Model


class Reason(StrEnum):
    """Why an image is missing."""

    NSFW = "nsfw"
    """The provider, or the app's own checker, withheld it as not safe for work."""
    FAILED = "failed"
    """It could not be made or fetched, beside others that could."""


@dataclass(frozen=True)
class Missing:
    """The place of an image that did not come.

    Attributes:
        reason: what kept it away.
        why: what happened.
        seed: its seed.
        id: of its row, None before it is stored; no part of what it is, so equal pictures are equal.
    """

    reason: Reason
    why: Message
    seed: int
    id: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Made:
    """A stored picture.

    Attributes:
        image: the file.
        seed: the seed that recreates it.
        damaged: the file ends early or is broken; it is stored, for it was paid.
        id: of its row, which rises with the time, None before it is stored; equal pictures are equal whatever it is.
    """

    image: ImageRef
    seed: int
    damaged: bool = False
    id: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Result:
    """What a job has made: the last of its events.

    Attributes:
        images: in the order of their seeds; at least one is made or withheld as not safe for work.
        model: what made them.
        timings: seconds by stage; backends give `inference`, the engine adds `queue` and `total`.
        cost: US dollars, 0 where it was free, None where it is not known.
        notices: what the person should know about this result.
    """

    images: tuple[Made | Missing, ...]
    model: Model
    timings: Mapping[str, float]
    cost: float | None = 0.0
    notices: tuple[Message, ...] = ()
