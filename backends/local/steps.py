"""Follows the steps of a run without slowing it down: progress, previews, and the point where a cancel takes effect."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from backends.local.preview import Floats, Previewer
from core.events import Progress

Report = Callable[[Progress], None]
"""Receives each step. Raising from it stops the run."""


class DeviceEvent(Protocol):
    """A point in a device's queue of work, as `torch.cuda.Event` is."""

    def synchronize(self) -> None:
        """Block until the device has passed this point."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One of a run's batches.

    Attributes:
        steps: of each batch.
        index: of this one, from 0.
        count: of batches in the run.
    """

    steps: int
    index: int = 0
    count: int = 1

    def progress(self, done: int, preview: tuple[bytes, ...] = ()) -> Progress:
        """Return the run's progress after `done` steps of this batch."""
        return Progress(self.index * self.steps + done, self.count * self.steps, preview)


class BatchPreviews:
    """The previews of a batch, after those of the batches before it.

    Args:
        previewer: makes the batch's previewer from the scheduler's sigmas; None draws nothing.
        unpack: turns packed latents in main memory into what the previewer draws.
        earlier: the last previews of earlier batches, which stay visible.

    Attributes:
        latest: the JPEGs to show, one an image, in the order of the images.
    """

    def __init__(
        self,
        previewer: Callable[[Any], Previewer] | None,
        unpack: Callable[[Any], Floats],
        earlier: tuple[bytes, ...] = (),
    ) -> None:
        self._make_previewer = previewer
        self._previewer: Previewer | None = None
        self._unpack = unpack
        self._earlier = earlier
        self.latest = earlier

    def final_latents(self, sigmas: Any, step: int, latents: Any) -> Any:
        """Return an estimate of the latents after the last step, None where no preview is due.

        Args:
            sigmas: of the steps that run; they may lie on the device, their values are not read.
            step: the step that was just taken, from 0.
            latents: after that step, packed.
        """
        if self._make_previewer is None:
            return None
        if self._previewer is None:
            self._previewer = self._make_previewer(sigmas)
        return self._previewer.ends(step, latents)

    def draw(self, latents: Any) -> tuple[bytes, ...]:
        """Draw what `final_latents` returned, and return the new `latest`."""
        assert self._previewer is not None
        self.latest = (*self._earlier, *self._previewer.draw(self._unpack(latents)))
        return self.latest


class StepProgress:
    """The pipeline's step callback on a device that computes synchronously: each step is reported at once.

    A context manager around the pipeline's call.

    Args:
        report: receives the progress.
        previews: of the batch.
        batch: the one that runs.
    """

    def __init__(self, report: Report, previews: BatchPreviews, batch: Batch) -> None:
        self._report = report
        self._previews = previews
        self._batch = batch

    def __call__(self, pipe: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """Report a step, from 0."""
        latents = self._final_latents(pipe, step, tensors)
        preview = () if latents is None else self._previews.draw(latents)
        self._report(self._batch.progress(step + 1, preview))
        return {}

    def _final_latents(self, pipe: Any, step: int, tensors: dict[str, Any]) -> Any:
        sigmas = pipe.scheduler.sigmas[-self._batch.steps - 1 :]  # the scheduler knows them only inside a run
        return self._previews.final_latents(sigmas, step, tensors["latents"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Nothing is left to do."""


class LaggedProgress(StepProgress):
    """The pipeline's step callback on a device that computes asynchronously, such as a CUDA device.

    Waiting for the device after each step would leave it idle until the next one is queued. So each step records an
    event in the device's queue, and only an event some steps back is waited for: the device always has the work of a
    computed step left. Previews are drawn by another thread.

    Args:
        report: receives the progress; it is called by the drawing thread too.
        previews: of the batch.
        batch: the one that runs.
        record: records an event in the device's queue.
        lag: steps by which the device may lag behind, 1 or more; at least the interval of computed steps.
    """

    def __init__(
        self, report: Report, previews: BatchPreviews, batch: Batch, record: Callable[[], DeviceEvent], *, lag: int = 1
    ) -> None:
        super().__init__(report, previews, batch)
        self._record = record
        self._lag = lag
        self._queued: deque[tuple[int, Any, DeviceEvent]] = deque()
        self._done = 0
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="preview")

    def __call__(self, pipe: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """Queue a step, from 0, and report the one that the device has to have finished by now."""
        latents = self._final_latents(pipe, step, tensors)
        copy = None if latents is None else _copied_to_host(latents)
        self._queued.append((step + 1, copy, self._record()))
        while len(self._queued) > self._lag:
            self._report_oldest()
        return {}

    def _report_oldest(self) -> None:
        """Wait until the device has finished the oldest queued step, and report it."""
        done, latents, event = self._queued.popleft()
        event.synchronize()
        self._done = done
        self._report(self._batch.progress(done))
        if latents is not None:
            self._drawing.submit(self._draw, latents)

    def _draw(self, latents: Any) -> None:
        """Report a preview with the latest step, which may be later than the one it was made from."""
        preview = self._previews.draw(latents)
        self._report(self._batch.progress(self._done, preview))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Report the steps still queued, unless the run failed, and end the drawing thread."""
        try:
            while self._queued and kind is None:
                self._report_oldest()
        finally:
            self._drawing.shutdown(wait=True, cancel_futures=True)


def _copied_to_host(latents: Any) -> Any:
    """Start copying latents to main memory; the copy is complete once the device passes the next event."""
    import torch

    copy = torch.empty(latents.shape, dtype=latents.dtype, pin_memory=latents.is_cuda)
    return copy.copy_(latents, non_blocking=True)


def cuda_event() -> DeviceEvent:
    """Record an event in the current CUDA stream."""
    import torch

    event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call] # torch has no types here; without `blocking`, waiting spins on a core
    event.record()
    return event


def as_floats(planes: Any) -> Floats:
    """Return a tensor in main memory as numpy."""
    return np.asarray(planes.float().cpu().numpy(), np.float32)
