"""The local backend: what it offers, and the hand-over between the event loop and its workers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from backends.local.choice import choose, cuda_devices
from backends.local.hardware import Hardware
from backends.local.model_spec import local_spec
from backends.local.shared_run import SharedRun, Work
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


class LocalBackend(Backend):
    """Diffusers' FluxImg2ImgPipeline on this machine: one worker a GPU, one run at a time on each.

    Runs that differ in their seed alone, and are asked for at once, are made as one.

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
        self._gathering: list[SharedRun] = []  # those about to begin

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
        async with aclosing(self._run(request, context.gpu_token).follow(request)) as events:
            async for event in events:
                yield event

    def _run(self, request: EditRequest, token: str) -> SharedRun:
        """Return a run that makes a request: one that is about to begin, or a new one."""
        # A loaded worker first, if it is as free as the others.
        worker = min(self._workers, key=lambda each: (each.busy, each.model is None))
        taking = [run for run in self._gathering if run.takes(request)]
        if worker.busy and taking:
            return min(taking, key=lambda run: run.members)
        run = SharedRun(worker, self._work(worker, token), request, self._spec.together)

        def begin() -> None:
            self._gathering.remove(run)
            run.begin()

        self._gathering.append(run)
        asyncio.get_running_loop().call_soon(begin)  # who else is ready at this moment comes before that
        return run

    def _work(self, worker: Worker, token: str) -> Work:
        zero = self._zero
        if zero is not None:
            return lambda request, tell: zero.work(request, self._checked(request), tell, token)
        return lambda request, tell: worker.work(request, self._checked(request), tell)

    def _checked(self, request: EditRequest) -> bool:
        """Return whether pictures are checked: where strangers come in, nobody can turn it off."""
        has = self._settings.safety_model is not None
        return has and (self._settings.public or bool(request.params.get("enable_safety_checker", True)))


def _given_back(request: EditRequest) -> Completed:
    images = tuple(finished(request, request.image.open(), seed) for seed in request.seeds)
    return Completed(images, {"inference": 0.0}, 0.0, (message("notice-strength-zero"),))
