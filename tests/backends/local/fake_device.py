"""A device with a line of its own, and a run of steps over it, both made of nothing: for the tests of `Steps`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np

from backends.local.preview import Floats, Previewer
from backends.local.steps import Steps
from core.events import Progress

TOTAL = 5


class Device:
    """A device with a line: what was left in it and waited for, each with the step's number from 0, in order."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int]] = []
        self._numbers = count()

    def mark(self) -> Mark:
        """Leave a mark, as `cuda_mark` does."""
        mark = Mark(self, next(self._numbers))
        self.log.append(("left", mark.number))
        return mark


class Mark:
    """A mark in a device's line."""

    def __init__(self, device: Device, number: int) -> None:
        self.device = device
        self.number = number

    def synchronize(self) -> None:
        self.device.log.append(("waited", self.number))


class Run:
    """Drives Steps as the pipeline does, over latents on a straight line that end in one colour.

    Args:
        mark: as for Steps.
        tell: likewise; None notes what is told.
        hold: each drawing waits for it.
        previews: whether there are any.
        place: more for Steps.

    Attributes:
        told: what was told.
        drawing: set when the first drawing has begun.
        drawers: names of the threads that drew.
    """

    def __init__(
        self,
        mark: Callable[[], Any] | None,
        *,
        tell: Callable[[Progress], None] | None = None,
        hold: threading.Event | None = None,
        previews: bool = False,
        **place: Any,
    ) -> None:
        import torch

        self.previews = previews
        self.told: list[Progress] = []
        self.sigmas = torch.linspace(1, 0, TOTAL + 1)
        self.pipe = SimpleNamespace(
            scheduler=SimpleNamespace(sigmas=torch.cat([torch.tensor([3.0, 2.0]), self.sigmas]))
        )
        self.hold = hold
        self.drawing = threading.Event()
        self.drawers: set[str] = set()
        self.steps = Steps(
            tell or self.told.append,
            self.previewer if previews else None,
            self.unpack,
            mark,
            total=TOTAL,
            **place,
        )

    def previewer(self, sigmas: Any) -> Previewer:
        assert sigmas.tolist() == self.sigmas.tolist()  # only those of the steps that run
        clock = count()  # a second passes between two steps
        weights = np.concatenate([np.eye(3), np.zeros((1, 3))]).astype(np.float32)
        return Previewer(weights, sigmas, (1, 1), lambda: float(next(clock)))

    def unpack(self, latents: Any) -> Floats:
        self.drawers.add(threading.current_thread().name)
        self.drawing.set()
        if self.hold is not None:
            self.hold.wait(60)
        return np.asarray(latents.numpy(), np.float32)

    def step(self, step: int) -> None:
        """Let the pipeline be done with a step, from 0."""
        import torch

        end, noise = torch.full((1, 3, 8, 8), 0.25), torch.ones(1, 3, 8, 8)
        left = end + self.sigmas[step + 1] * (noise - end)
        assert self.steps(self.pipe, step, None, {"latents": left}) == {}

    def all(self, breaks_after: int | None = None) -> None:
        """Run to the end, or so many steps and then out of memory."""
        with self.steps:
            for step in range(TOTAL if breaks_after is None else breaks_after):
                self.step(step)
            if breaks_after is not None:
                raise MemoryError
            if self.previews:  # those that nobody has begun to draw when the run ends are left out
                assert self.drawing.wait(60)

    @property
    def numbers(self) -> list[int]:
        return [event.step for event in self.told]

    @property
    def shown(self) -> list[tuple[bytes, ...]]:
        return [event.preview for event in self.told if event.preview]
