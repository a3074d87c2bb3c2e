"""Follows the steps of a run without holding it up: progress, previews, and the place where a cancel takes hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy as np

from backends.local.preview import Floats, Previewer
from core.events import Progress

Draw = Callable[[Any], tuple[bytes, ...]]


class Steps:
    """The pipeline's step callback; a context around the pipeline's call.

    A GPU works behind the program that tells it what to do. Asking it after each step how far it is would
    let it idle meanwhile. So each step leaves a mark in the GPU's own line, and one some steps before is
    waited for: the GPU always has the work of a computed step before it. Its previews are drawn by another
    thread. On a CPU all of this is one and the same.

    Args:
        tell: is told each step; raising from it stops the run.
        previewer: makes the previews once the schedule is known, None for none: given the scheduler's sigmas.
        unpack: turns packed latents in main memory into what the previewer draws.
        mark: leaves a mark in the device's line, which has `synchronize`; None where work is done when it is told.
        behind: steps by which the device may be behind; at least as many as one of is computed.
        total: steps of this batch.
        place: this batch's number, from 0.
        batches: how many there are.
        shown: the previews of the batches before, which stay in view.
    """

    def __init__(
        self,
        tell: Callable[[Progress], None],
        previewer: Callable[[Any], Previewer] | None,
        unpack: Callable[[Any], Floats],
        mark: Callable[[], Any] | None,
        *,
        behind: int = 1,
        total: int,
        place: int = 0,
        batches: int = 1,
        shown: tuple[bytes, ...] = (),
    ) -> None:
        self._tell = tell
        self._make = previewer
        self._unpack = unpack
        self._mark = mark
        self._behind = behind if mark else 0
        self._total = total
        self._first = place * total
        self._all = batches * total
        self._shown = shown
        self._told = self._first
        self._previewer: Previewer | None = None
        self._line: deque[tuple[int, Any, Any]] = deque()
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="preview") if mark else None
        self.previews: tuple[bytes, ...] = shown

    def __call__(self, pipe: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """Take note of a step, from 0."""
        ends = None
        if self._make is not None:
            if self._previewer is None:  # only inside a run the scheduler knows its sigmas
                self._previewer = self._make(pipe.scheduler.sigmas[-self._total - 1 :])
            ends = self._previewer.ends(step, tensors["latents"])
        if self._mark is None:
            self._line.append((step + 1, ends, None))
        else:
            self._line.append((step + 1, None if ends is None else _sent(ends), self._mark()))
        while len(self._line) > self._behind:
            self._next()
        return {}

    def _next(self) -> None:
        """Tell the oldest step of the line, once the device is through with it."""
        step, ends, mark = self._line.popleft()
        if mark is not None:
            mark.synchronize()
        self._told = self._first + step
        if ends is not None and self._drawing is None:
            self._show(ends)
            return
        self._tell(Progress(self._told, self._all))
        if ends is not None and self._drawing is not None:
            self._drawing.submit(self._show, ends)

    def _show(self, ends: Any) -> None:
        """Tell the step at hand, which may be a later one by now, with the pictures of where it leads."""
        assert self._previewer is not None
        self.previews = (*self._shown, *self._previewer.draw(self._unpack(ends)))
        self._tell(Progress(self._told, self._all, self.previews))

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Tell what is left in the line, unless the run broke off."""
        try:
            while self._line and kind is None:
                self._next()
        finally:
            if self._drawing is not None:
                self._drawing.shutdown(wait=True, cancel_futures=True)


def _sent(latents: Any) -> Any:
    """Return latents on their way to main memory, there once the device has passed the next mark."""
    import torch

    there = torch.empty(latents.shape, dtype=latents.dtype, pin_memory=latents.is_cuda)
    return there.copy_(latents, non_blocking=True)


def cuda_mark() -> Any:
    """Leave a mark in the line of the current CUDA device."""
    import torch

    event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]  # else a core spins while it waits
    event.record()
    return event


def as_floats(planes: Any) -> Floats:
    """Return a tensor in main memory as numpy."""
    return np.asarray(planes.float().cpu().numpy(), np.float32)
