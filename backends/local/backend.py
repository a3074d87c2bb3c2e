"""The local backend: what it offers, and the hand-over between the event loop and its one worker thread."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from backends._params import common_params
from backends.local.choice import MINI_FOLDER, ModelChoice, choose, cuda_devices
from backends.local.loading import Model, load
from backends.local.run import edit_images
from backends.local.trouble import Stopped
from core.backend import Backend
from core.errors import StudioError
from core.events import Completed, Event, Picture
from core.images import MIME, encode
from core.request import EditRequest
from core.settings import Settings
from core.spec import BackendSpec, Style

MINI_SIDE = 512
FLUX_PIXELS = 2 * 1024 * 1024
"""Working sizes: the longest side that mini was taught with, and the most pixels that FLUX.1-dev was."""

DEVICE_WORDS = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}

Tell = Callable[[Event], None]


class LocalBackend(Backend):
    """Diffusers' FluxImg2ImgPipeline on this machine. One run at a time; the model stays loaded.

    Args:
        settings: the owner's choices.
        has_cuda: whether a CUDA device can be used; None asks the driver.
    """

    def __init__(self, settings: Settings, has_cuda: bool | None = None) -> None:
        self._choice = choose(settings, cuda_devices() > 0 if has_cuda is None else has_cuda)
        self._spec = local_spec(self._choice)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="local")
        self._model: Model | None = None
        self._failure: StudioError | None = None

    @property
    def spec(self) -> BackendSpec:
        """What it offers: ranges as in diffusers and FLUX.1-dev's model card."""
        return self._spec

    def ready(self, key: str | None = None) -> str | None:
        """Return None: what is missing shows when the model is loaded, and each run tries that anew."""
        return None

    def status(self) -> str:
        """Return the device, and whether the model is loaded."""
        device = DEVICE_WORDS[self._choice.device]
        if self._model is not None:
            return f"ready · {device}{', parts wait in memory' if self._model.offloaded else ''}"
        if self._failure is not None:
            return f"not loaded · {self._failure}"
        return f"loads at the first run · {device}"

    async def edit(self, request: EditRequest, key: str | None = None) -> AsyncGenerator[Event, None]:
        """Run the pipeline in the worker thread; see `core.backend.Backend`.

        Raises:
            BackendUnavailable: the model cannot be loaded (its kinds tell why), or does not fit.
            RunFailed: the model gave no picture.
        """
        if request.steps_run == 0:
            yield self._given_back(request)
            return
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        stop = threading.Event()

        def tell(event: Event) -> None:
            if stop.is_set():
                raise Stopped
            loop.call_soon_threadsafe(events.put_nowait, event)

        work = loop.run_in_executor(self._worker, self._work, request, tell)
        work.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            yield await work
        finally:
            stop.set()
            await asyncio.wait([work])  # the worker is free again before the generator ends
            if not work.cancelled():
                work.exception()  # Stopped is nobody's to collect

    def _work(self, request: EditRequest, tell: Tell) -> Completed:
        """Load if need be, run, encode. In the worker thread."""
        timings = {}
        if self._model is None:
            begun = time.monotonic()
            try:
                self._model = load(self._choice, tell)
            except StudioError as error:
                self._failure = error
                raise
            self._failure = None
            timings["load"] = time.monotonic() - begun
        inner = self._spec.working_size(request.image.width, request.image.height)
        begun = time.monotonic()
        pictures, notices = edit_images(self._model, request, inner, tell)
        timings["inference"] = time.monotonic() - begun
        return _completed(request, pictures, timings, notices)

    def _given_back(self, request: EditRequest) -> Completed:
        notice = "At strength 0 the reference is given back as it was."
        return _completed(request, [request.image.open()] * len(request.seeds), {"inference": 0.0}, (notice,))


def _completed(
    request: EditRequest, pictures: list[Image.Image], timings: dict[str, float], notices: tuple[str, ...]
) -> Completed:
    output_format = str(request.params["output_format"])
    made = tuple(
        Picture(encode(picture, output_format), MIME[output_format], picture.width, picture.height, seed)
        for picture, seed in zip(pictures, request.seeds, strict=True)
    )
    return Completed(made, timings, 0.0, notices)


def local_spec(choice: ModelChoice) -> BackendSpec:
    """Return what a model offers."""
    params = common_params(
        strength=0.6,
        guidance_scale=3.5,
        num_inference_steps=20 if choice.is_mini else 28,
        lowest_seed=0,
        formats=("png", "jpeg"),
    )
    return BackendSpec(
        key="local",
        label=f"Local · {choice.name}",
        params=params,
        shows_steps=True,
        shows_preview=True,
        working_pixels=None if choice.is_mini else FLUX_PIXELS,
        working_side=MINI_SIDE if choice.is_mini else None,
        styles=mini_styles() if choice.is_mini else (),
        notice=_mini_notice(choice.device) if choice.is_mini else _slow_notice(choice.device),
    )


def mini_styles() -> tuple[Style, ...]:
    """Return the looks that the mini checkpoint was taught, as its own folder lists them."""
    listed = json.loads((MINI_FOLDER / "styles.json").read_text(encoding="utf-8"))
    return tuple(Style(each["label"], each["prompt"]) for each in listed)


def _mini_notice(device: str) -> str:
    return (
        f"Mini: a teaching model of a few million parameters, on your {DEVICE_WORDS[device]}. It knows these styles. "
        "For full quality choose FLUX SRPO on a GPU or a hosted backend."
    )


def _slow_notice(device: str) -> str:
    return "On a CPU, a picture of this model takes many minutes." if device == "cpu" else ""
