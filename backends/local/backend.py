"""The local backend: what it offers, and the hand-over between the event loop and its workers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from backends.local.choice import choose, cuda_devices
from backends.local.hardware import Hardware
from backends.local.load_errors import Stopped
from backends.local.model_spec import local_spec
from backends.local.worker import Worker, finished
from backends.local.zero_gpu import AsVisitor, ZeroGpu, as_owner, on_zero_gpu
from core.backend import OWNERS, Backend, RunContext
from core.errors import StudioError
from core.events import Completed, Event
from core.messages import Message, message
from core.request import EditRequest
from core.settings import Settings
from core.spec import BackendSpec

log = logging.getLogger(__name__)

JobRunner = Callable[[Callable[[Event], None]], Completed]
"""Does a run, telling what happens on the way."""


class LocalBackend(Backend):
    """Diffusers' FluxImg2ImgPipeline on this machine: one worker a GPU, one run at a time on each.

    Args:
        settings: the owner's choices.
        cuda: how many CUDA devices can be used; None asks the driver.
        machines: what to take for the hardware of each worker; None looks when a model is loaded.
        as_visitor: on ZeroGPU, asks for GPU time as the visitor of a run.
    """

    def __init__(
        self,
        settings: Settings,
        cuda: int | None = None,
        machines: Sequence[Hardware] | None = None,
        as_visitor: AsVisitor = as_owner,
    ) -> None:
        if cuda is None:  # on ZeroGPU the driver has no device to show before a run
            cuda = 1 if settings.zero_gpu else cuda_devices()
        self._settings = settings
        self._as_visitor = as_visitor
        self._choice = choose(settings, cuda > 0)
        found: Sequence[Hardware | None] = machines or [None] * (cuda if self._choice.device == "cuda" else 1)
        self._spec = local_spec(self._choice, settings, len(found))
        self._workers = [
            Worker(self._choice, self._spec, settings.safety_model, index, machine)
            for index, machine in enumerate(found)
        ]

        self._zero: ZeroGpu | None = None

    def prepare(self) -> None:
        """On ZeroGPU, load the model onto the GPU that is not there yet; elsewhere the first run does that."""
        if not self._settings.zero_gpu or self._choice.device != "cuda":
            return
        worker = self._workers[0]
        self._zero = on_zero_gpu(worker, self._as_visitor)
        try:
            worker.prepare(self._settings.safety_model is not None, lambda event: log.info("%s", event))
        except StudioError as error:
            log.error("the local model is not there: %s", error)  # the hosted backends are

    async def preload(self) -> None:
        """Load the model onto the first device, if its files are on this disk and its licence lets it be used here."""
        if self._zero is None and self.ready() is None:
            worker = self._workers[0]
            await asyncio.get_running_loop().run_in_executor(worker.thread, worker.preload)

    @property
    def spec(self) -> BackendSpec:
        """What it offers: ranges as in diffusers and FLUX.1-dev's model card."""
        return self._spec

    def ready(self, key: str | None = None) -> Message | None:
        """Return what the owner has to do first; what is missing of the model shows when it is loaded."""
        if self._settings.public and not self._choice.is_mini and not self._settings.license_read:
            return message("model-licence-unread")
        if self._zero is not None and self._workers[0].failure is not None:
            return self._workers[0].failure.message  # loaded at start or not at all
        return None

    def status(self) -> tuple[Message, ...]:
        """Return the device, whether the model is loaded, and which optimizations are on."""
        device = message("status-devices", device=self._choice.device, count=len(self._workers))
        loaded = next((worker.model for worker in self._workers if worker.model is not None), None)
        if loaded is not None:
            return message("status-ready"), device, *loaded.status()
        failure = next((worker.failure for worker in self._workers if worker.failure is not None), None)
        if failure is not None:
            return message("status-not-loaded"), failure.message
        if any(worker.loading for worker in self._workers):
            return message("status-loading"), device
        return message("status-ready"), message("status-loads-at-first-run"), device

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Run the pipeline in a worker's thread; see `core.backend.Backend`.

        Raises:
            BackendUnavailable: the model cannot be loaded (its kinds tell why), or does not fit.
            RunFailed: the model gave no picture.
        """
        if request.steps_run == 0:
            yield await asyncio.to_thread(_given_back, request)  # a large picture takes a second
            return
        # A loaded one first, if it is as free as the others.
        worker = min(self._workers, key=lambda each: (each.busy, each.model is None))
        worker.busy += 1
        try:
            async with aclosing(_handed_over(worker, self._work(worker, request, context.gpu_token))) as events:
                async for event in events:
                    yield event
        finally:
            worker.busy -= 1

    def _work(self, worker: Worker, request: EditRequest, token: str) -> JobRunner:
        checked, zero = self._checked(request), self._zero
        if zero is not None:
            return lambda tell: zero.work(request, checked, tell, token)
        return lambda tell: worker.work(request, checked, tell)

    def _checked(self, request: EditRequest) -> bool:
        """Return whether pictures are checked: where strangers come in, nobody can turn it off."""
        has = self._settings.safety_model is not None
        return has and (self._settings.public or bool(request.params.get("enable_safety_checker", True)))


async def _handed_over(worker: Worker, work: JobRunner) -> AsyncGenerator[Event, None]:
    """Yield what work in a worker's thread tells, and its result; leaving early stops it within a step."""
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    stop = threading.Event()

    def tell(event: Event) -> None:
        if stop.is_set():
            raise Stopped
        loop.call_soon_threadsafe(events.put_nowait, event)

    worker.listeners.append(tell)
    working: asyncio.Future[Any] = loop.run_in_executor(worker.thread, work, tell)
    working.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        yield await working
    finally:
        stop.set()
        worker.listeners.remove(tell)
        await asyncio.wait([working])  # the worker is free again before the generator ends
        if not working.cancelled():
            working.exception()  # Stopped is nobody's to collect


def _given_back(request: EditRequest) -> Completed:
    images = tuple(finished(request, request.image.open(), seed) for seed in request.seeds)
    return Completed(images, {"inference": 0.0}, 0.0, (message("notice-strength-zero"),))
