"""What several tests share: a small spec, pictures made in memory, a backend that needs no model."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from core.backend import OWNERS, Backend, RunContext
from core.events import Completed, Event, Loading, Picture, Progress
from core.imaging.images import MIME, Reference, encode, read_reference
from core.job import Job
from core.messages import Message, recorded
from core.provider import Price, Provider
from core.request import EditRequest
from core.result import Made
from core.spec import MAX_SEED, BackendSpec, Choice, Integer, Number, Toggle

PREVIEW_SIDE = 32
"""Pixels; the longer side of a preview."""


def make_spec(key: str = "fake", **facts: Any) -> BackendSpec:
    """Return a small spec with one parameter of each kind and the issue's ranges; `facts` override its facts."""
    defaults: dict[str, Any] = {
        "label": recorded(key.capitalize()),
        "model": f"{key}-model",
        "shows_steps": True,
        "shows_preview": True,
        "params": (
            Number(name="strength", minimum=0, maximum=1, default=0.6, low=recorded("as it is"), high=recorded("new")),
            Number(name="guidance_scale", minimum=1, maximum=20, default=3.5, step=0.1),
            Integer(name="num_inference_steps", minimum=1, maximum=50, default=28),
            Integer(name="seed", minimum=0, maximum=MAX_SEED, default=None),
            Integer(name="num_images", minimum=1, maximum=4, default=1),
            Choice(name="output_format", choices=("png", "jpeg"), default="png"),
            Toggle(name="enable_safety_checker", default=True, advanced=True),
        ),
    }
    return BackendSpec(key=key, **{**defaults, **facts})


def picture(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Return a picture with gradients and four different corners, in any mode Pillow converts RGB to."""
    width, height = size
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (across, down, Image.new("L", size, 96)))
    for corner, colour in (
        ((0, 0), (255, 0, 0)),
        ((width // 2, 0), (0, 255, 0)),
        ((0, height // 2), (0, 0, 255)),
        ((width // 2, height // 2), (255, 255, 0)),
    ):
        image.paste(colour, (*corner, corner[0] + max(1, width // 4), corner[1] + max(1, height // 4)))
    return image.convert(mode) if mode != "RGB" else image


def picture_bytes(format: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **save: Any) -> bytes:
    """Return the bytes of a picture file; `save` goes to Pillow's encoder."""
    file = io.BytesIO()
    picture(mode, size).save(file, format, **save)
    return file.getvalue()


def make_reference(width: int = 64, height: int = 48) -> Reference:
    """Return a normalised reference of a size."""
    return read_reference(picture_bytes("PNG", "RGB", (width, height)))


def make_request(
    spec: BackendSpec | None = None, prompt: str = "as an oil painting", image: Reference | None = None, **raw: Any
) -> EditRequest:
    """Return a request for a spec; `raw` are its parameters."""
    return EditRequest.build(spec or make_spec(), prompt, image or make_reference(), raw)


def results(request: EditRequest) -> tuple[Picture, ...]:
    """Return pictures of the reference's size, another for each seed, the same for the same request."""
    output_format = str(request.params.get("output_format", "png"))
    made = []
    for seed in request.seeds:
        tint = Image.new("RGB", (request.image.width, request.image.height), (seed % 256, seed // 256 % 256, 128))
        edited = Image.blend(request.image.open(), tint, 0.5)
        data = encode(edited, output_format)
        made.append(Picture(data, MIME[output_format], edited.width, edited.height, seed))
    return tuple(made)


def files_of(job: Job, images: Path) -> list[Path]:
    """Return where the pictures of a job that is done lie, in a folder of images."""
    made = job.result.images if job.result is not None else ()
    return [images / each.image.name for each in made if isinstance(each, Made)]


def preview(request: EditRequest) -> bytes:
    """Return the reference as a small JPEG."""
    small = request.image.open()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return encode(small, "jpeg")


class FakeProvider(Provider):
    """An account with so many dollars, whoever asks.

    Args:
        left: US dollars.
        key_env: as in the specs of its backends.
    """

    name, base_url = "Fake", "http://127.0.0.1:9"

    def __init__(self, left: float = 5.0, key_env: str = "FAKE_KEY") -> None:
        self.left = left
        self.key_env = key_env

    def ready(self, key: str | None = None) -> Message | None:
        """Return None: the owner has a key."""
        return None

    async def price(self, model: str, documented: float) -> Price:
        """Return the documented price."""
        return Price(documented)

    async def balance(self, key: str | None = None) -> float:
        """Return what the account has left."""
        return self.left


class FakeBackend(Backend):
    """A backend without a model: Loading, a Progress for each step, Completed with real files.

    Args:
        spec: what it says of itself.
        steps: steps of a run; None takes the steps that the request would really run.
        gate: held runs wait for it after the first step; None never waits.
        fail: raised after the last step, in place of a result.
        reason: what `ready()` says; set it later to change it.
        outcome: makes the result from a request; None makes `results`. Returning None ends the run without one.
        stopping: a run that ends, in whatever way, waits for it before it is over.
        provider: the account that it runs on.

    Attributes:
        started: prompts in the order in which their runs began.
        ended: prompts in the order in which their runs were over, cleaned up.
        working: runs at work now.
        peak: the most runs that were ever at work at once.
    """

    def __init__(
        self,
        spec: BackendSpec | None = None,
        *,
        steps: int | None = 3,
        gate: asyncio.Event | None = None,
        fail: BaseException | None = None,
        reason: str | None = None,
        outcome: Callable[[EditRequest], Completed | None] | None = None,
        stopping: asyncio.Event | None = None,
        timings: Mapping[str, float] | None = None,
        provider: Provider | None = None,
    ) -> None:
        self._spec = spec or make_spec()
        self.steps = steps
        self.gate = gate
        self.fail = fail
        self.reason = reason
        self.outcome = outcome
        self.stopping = stopping
        self.timings = {"inference": 0.5} if timings is None else timings
        self._provider = provider
        self.started: list[str] = []
        self.ended: list[str] = []
        self.working = 0
        self.peak = 0

    @property
    def spec(self) -> BackendSpec:
        """What it offers."""
        return self._spec

    @property
    def provider(self) -> Provider | None:
        """The account that it runs on."""
        return self._provider

    def ready(self, key: str | None = None) -> Message | None:
        """Return `reason`."""
        return None if self.reason is None else recorded(self.reason)

    def status(self) -> tuple[Message, ...]:
        """Return a few words for the status line."""
        return (recorded("fake, always there" if self.reason is None else "fake, away"),)

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """Go through the steps as the arguments say."""
        self.started.append(request.prompt)
        self.working += 1
        self.peak = max(self.peak, self.working)
        try:
            steps = request.steps_run if self.steps is None else self.steps
            yield Loading(recorded("model"), 0, 1)
            yield Loading(recorded("model"), 1, 1)
            for step in range(steps + 1):
                yield Progress(step, steps, (preview(request),) * len(request.seeds) if step else ())
                if step == min(1, steps) and self.gate is not None:
                    await self.gate.wait()
                await asyncio.sleep(0)
            if self.fail is not None:
                raise self.fail
            done = self._completed(request) if self.outcome is None else self.outcome(request)
            if done is not None:
                yield done
        finally:
            if self.stopping is not None:
                await self.stopping.wait()
            self.working -= 1
            self.ended.append(request.prompt)

    def _completed(self, request: EditRequest) -> Completed:
        return Completed(results(request), self.timings)


async def settle() -> None:
    """Let everything run that waits for nobody; what waits for the disk may take longer."""
    for _ in range(20):
        await asyncio.sleep(0.002)
