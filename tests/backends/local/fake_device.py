"""Stand-ins for an asynchronous device and for a run of steps on it: for the tests of the step callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np

from backends.local.preview import Floats, Previewer
from backends.local.steps import Batch, BatchPreviews, LaggedProgress, StepProgress
from core.events import Progress

TOTAL = 5


class Device:
    """A device that computes asynchronously: which events were recorded and waited for, by the step's number from 0."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int]] = []
        self._numbers = count()

    def record(self) -> Event:
        """Record an event, as `cuda_event` does."""
        event = Event(self, next(self._numbers))
        self.log.append(("recorded", event.number))
        return event


class Event:
    """A point in a device's queue."""

    def __init__(self, device: Device, number: int) -> None:
        self.device = device
        self.number = number

    def synchronize(self) -> None:
        self.device.log.append(("waited", self.number))


class Run:
    """Drives the step callback as the pipeline does, over latents on a straight line that end in one colour.

    Args:
        device: an asynchronous device; None computes synchronously.
        report: as for `StepProgress`; None collects the events in `reported`.
        hold: each drawing waits for it.
        draws: whether there are previews.
        earlier: previews of earlier batches.
        index: of the batch, from 0.
        count: of batches.
        lag: as for `LaggedProgress`.

    Attributes:
        reported: the events.
        drawing: set when the first drawing has begun.
        drawers: names of the threads that drew.
    """

    def __init__(
        self,
        device: Device | None,
        *,
        report: Callable[[Progress], None] | None = None,
        hold: threading.Event | None = None,
        draws: bool = False,
        earlier: tuple[bytes, ...] = (),
        index: int = 0,
        count: int = 1,
        lag: int = 1,
    ) -> None:
        import torch

        self.draws = draws
        self.reported: list[Progress] = []
        self.sigmas = torch.linspace(1, 0, TOTAL + 1)
        self.pipe = SimpleNamespace(
            scheduler=SimpleNamespace(sigmas=torch.cat([torch.tensor([3.0, 2.0]), self.sigmas]))
        )
        self.hold = hold
        self.drawing = threading.Event()
        self.drawers: set[str] = set()
        self.previews = BatchPreviews(self.previewer if draws else None, self.unpack, earlier)
        batch = Batch(steps=TOTAL, index=index, count=count)
        report = report or self.reported.append
        self.progress = (
            StepProgress(report, self.previews, batch)
            if device is None
            else LaggedProgress(report, self.previews, batch, device.record, lag=lag)
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
        assert self.progress(self.pipe, step, None, {"latents": left}) == {}

    def all(self, breaks_after: int | None = None) -> None:
        """Run to the end, or so many steps and then out of memory."""
        with self.progress:
            for step in range(TOTAL if breaks_after is None else breaks_after):
                self.step(step)
            if breaks_after is not None:
                raise MemoryError
            if self.draws:  # those that nobody has begun to draw when the run ends are left out
                assert self.drawing.wait(60)

    @property
    def numbers(self) -> list[int]:
        return [event.step for event in self.reported]

    @property
    def shown(self) -> list[tuple[bytes, ...]]:
        return [event.preview for event in self.reported if event.preview]
