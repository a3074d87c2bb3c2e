"""One device's worker: a thread of its own, the model that stays loaded there, and one run at a time."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from PIL import Image

from backends.local.acceleration import LEVELS
from backends.local.choice import ModelChoice
from backends.local.hardware import Hardware
from backends.local.load_errors import Stopped
from backends.local.loading import AFTER_ANOTHER, free_memory, load, staged
from backends.local.memory_plan import Rung, below
from backends.local.model import Model, alone
from backends.local.run import Made, edit_images
from backends.local.safety import WITHHELD, SafetyChecker
from backends.local.step_cache import plan
from core.errors import OutOfMemory, StudioError
from core.events import Completed, Event, Loading, Picture
from core.imaging.images import MIME, encode
from core.messages import Message, message
from core.request import EditRequest
from core.result import Missing, Reason
from core.spec import BackendSpec

log = logging.getLogger(__name__)

Tell = Callable[[Event], None]

PRELOAD_SWITCH = 0.0005
"""Seconds after which another thread gets its turn while libraries are imported in advance: the page comes first."""


class Worker:
    """Runs requests on one device.

    Args:
        choice: what to load.
        spec: what is offered.
        safety: the safety checker's model, None for none.
        index: which of several CUDA devices.
        machine: what to take for the hardware; None looks when the model is loaded.

    Attributes:
        thread: where its work is done.
        loading: whether the model is being loaded before a run asks for it.
        listeners: hear how that goes.
        busy: runs that it was given and has not ended.
        model: what is loaded, None before the first run.
        failure: why the last try to load failed, None where it did not.
    """

    def __init__(
        self,
        choice: ModelChoice,
        spec: BackendSpec,
        safety: str | None = None,
        index: int = 0,
        machine: Hardware | None = None,
    ) -> None:
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=f"local-{index}")
        self.busy = 0
        self.loading = False
        self.listeners: list[Tell] = []
        self.model: Model | None = None
        self.failure: StudioError | None = None
        self._choice = choice
        self._spec = spec
        self._safety = safety
        self._checker: SafetyChecker | None = None
        self._index = index
        self._machine = machine
        self._below: Rung | None = None

    def work(self, request: EditRequest, checked: bool, tell: Tell) -> Completed:
        """Load if need be, run, check, encode. To be called in its thread.

        Args:
            request: with at least one step to run.
            checked: whether the safety checker looks at the pictures; they are then not shown before.
            tell: gets what happens; raising from it stops the run at once.

        Raises:
            StudioError: the model cannot be loaded, does not fit, or gave no picture.
        """
        timings: dict[str, float] = {}
        notices: list[Message] = []
        while True:
            model = self.loaded(tell, timings)
            checker = self._checking(tell) if checked else None
            begun = time.monotonic()
            made = self._tried(model, request, tell, previews=checker is None)
            if made is not None:
                break
            lower = below(model.rung, model.machine, model.sizes)
            assert lower is not None
            notices.append(message("notice-stepped-down", plan=lower.key))
            self._below, self.model, self._checker = model.rung, None, None
            del model, checker  # before the next is loaded beside it
            free_memory()
        withheld = checker.unsafe(made.pictures) if checker else [False] * len(made.pictures)
        timings["inference"] = time.monotonic() - begun
        done = self._completed(request, made, withheld, timings, (*notices, *made.notices))
        return replace(done, model=model.identity)

    def _tried(self, model: Model, request: EditRequest, tell: Tell, *, previews: bool) -> Made | None:
        """Return what a run made, None where memory ran out and there is a lower rung to try.

        A function of its own: while an error is handled it holds what it passed, the model too.
        """
        inner = self._spec.working_size(request.image.width, request.image.height)
        try:
            return edit_images(model, request, inner, tell, previews=previews)
        except OutOfMemory:
            if below(model.rung, model.machine, model.sizes) is None:
                raise
            log.warning("out of memory on rung %s", model.rung.key)
            return None

    def preload(self) -> None:
        """Load the model from files on this disk, before a run asks for it. To be called in its thread.

        What goes wrong is for the log: the first run tries again, and may download what is missing.
        """
        if self.model is not None:
            return

        def tell(event: Event) -> None:
            for each in self.listeners:
                with suppress(Stopped):  # that run was cancelled; the load goes on for the next
                    each(event)

        self.loading, interval = True, sys.getswitchinterval()
        sys.setswitchinterval(PRELOAD_SWITCH)
        try:
            self.loaded(tell, {}, offline=True)
        except StudioError as error:
            self.failure = None
            log.info("the local model is not loaded in advance: %s", error.what)
        finally:
            sys.setswitchinterval(interval)
            self.loading = False

    def loaded(self, tell: Tell, timings: dict[str, float], *, offline: bool = False) -> Model:
        """Return the model, loaded now if it is not; with `offline`, from files on this disk alone.

        Raises:
            StudioError: it cannot be loaded; the next call tries again.
        """
        if self.model is None:
            begun = time.monotonic()
            try:
                self.model = load(
                    self._choice,
                    tell,
                    index=self._index,
                    below_rung=self._below,
                    machine=self._machine,
                    offline=offline,
                )
            except StudioError as error:
                self.failure = error
                raise
            self.failure = None
            timings["load"] = timings.get("load", 0.0) + time.monotonic() - begun
        return self.model

    def prepare(self, checked: bool, tell: Tell) -> None:
        """Load what runs will need, the safety checker too where they are checked.

        Raises:
            StudioError: it cannot be loaded.
        """
        self.loaded(tell, {})
        if checked:
            self._checking(tell)

    def size(self, request: EditRequest) -> float:
        """Return the size of a run: computed steps times images times pixels worked at."""
        width, height = self._spec.working_size(request.image.width, request.image.height)
        computed = sum(plan(request.steps_run, LEVELS[str(request.params.get("acceleration", "none"))]))
        return float(computed * len(request.seeds) * width * height)

    def _checking(self, tell: Tell) -> SafetyChecker | None:
        if self._checker is None and self._safety is not None:
            assert self.model is not None
            roomy = self.model.rung.key in ("gpu", "fp8")
            device = self.model.machine.device if roomy else "cpu"

            def stage(detail: Message | None) -> None:
                tell(Loading(staged(message("stage-safety-checker"), detail), 0, 1))

            stage(None)
            with alone(lambda: stage(AFTER_ANOTHER)):
                self._checker = SafetyChecker(self._safety, self._choice.token, device, stage)
        return self._checker

    def _completed(
        self,
        request: EditRequest,
        made: Made,
        withheld: list[bool],
        timings: dict[str, float],
        notices: tuple[Message, ...],
    ) -> Completed:
        images = tuple(
            Missing(Reason.NSFW, WITHHELD, seed) if hidden else finished(request, picture, seed)
            for picture, seed, hidden in zip(made.pictures, request.seeds, withheld, strict=True)
        )
        return Completed(images, timings, 0.0, notices)


def finished(request: EditRequest, picture: Image.Image, seed: int) -> Picture:
    """Return a picture as a file of the format asked for."""
    output_format = str(request.params["output_format"])
    return Picture(encode(picture, output_format), MIME[output_format], picture.width, picture.height, seed)
