"""One run of the pipeline: a reference goes in, upright pictures of its own size come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from backends.local.loading import Model
from backends.local.preview import Floats, Previewer
from core.errors import OutOfMemory, RunFailed
from core.events import Progress
from core.images import pad_to_multiple
from core.request import EditRequest

MULTIPLE = 16
"""Pixels: the VAE makes one latent of 8, the transformer one token of 2 latents."""
MAX_TOKENS = 512
"""Tokens of a prompt that FLUX.1-dev was taught with."""


@dataclass(frozen=True)
class Frame:
    """How a reference lies in the picture that is worked on.

    Attributes:
        image: what the pipeline gets: scaled down if need be, its sides multiples of 16.
        inner: width and height of the part that is no padding.
        outer: the reference's own width and height.
    """

    image: Image.Image
    inner: tuple[int, int]
    outer: tuple[int, int]

    @classmethod
    def around(cls, reference: Image.Image, inner: tuple[int, int]) -> Frame:
        """Scale a reference to `inner`, width and height, and pad it as the model needs it."""
        scaled = reference if inner == reference.size else reference.resize(inner, Image.Resampling.LANCZOS)
        return cls(pad_to_multiple(scaled, MULTIPLE), inner, reference.size)

    @property
    def keep(self) -> tuple[float, float]:
        """The share of width and height that is no padding."""
        return self.inner[0] / self.image.width, self.inner[1] / self.image.height

    def cut(self, picture: Image.Image) -> Image.Image:
        """Return a result in the reference's own size."""
        picture = picture.crop((0, 0, *self.inner))
        return picture if self.inner == self.outer else picture.resize(self.outer, Image.Resampling.LANCZOS)


def edit_images(
    model: Model, request: EditRequest, inner: tuple[int, int], tell: Callable[[Progress], None]
) -> tuple[list[Image.Image], tuple[str, ...]]:
    """Run the pipeline and return one picture a seed, and what the person should know about them.

    Each picture is what a run with its seed alone gives: the reference is repeated for each, because
    the pipeline would otherwise encode it once, with the first seed's generator.

    Args:
        model: loaded, used by nobody else.
        request: with at least one step to run.
        inner: width and height to work at, the reference's own or smaller.
        tell: is told each step; raising from it stops the run at once.

    Raises:
        OutOfMemory: this run is too large for the device.
        RunFailed: the model's numbers left their range.
    """
    import torch

    pipe = model.pipe
    frame = Frame.around(request.image.open(), inner)
    seeds = request.seeds
    tokens = min(MAX_TOKENS, pipe.tokenizer_2.model_max_length)
    tell(Progress(0, request.steps_run))
    try:
        with torch.inference_mode():
            result = pipe(
                prompt=request.prompt,
                image=[frame.image] * len(seeds),
                num_images_per_prompt=len(seeds),
                # On the CPU, so that a seed means the same noise on every device.
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
                width=frame.image.width,
                height=frame.image.height,
                strength=request.number("strength"),
                guidance_scale=request.number("guidance_scale"),
                num_inference_steps=request.integer("num_inference_steps"),
                max_sequence_length=tokens,
                callback_on_step_end=_Steps(model, request.steps_run, frame, tell),
                output_type="pt",
            )
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise OutOfMemory(
            "The GPU's memory is too small for this run.", "Take fewer images or a smaller one."
        ) from error
    finally:
        pipe.maybe_free_model_hooks()  # a stopped run has left its parts where they were
    pixels = result.images.float().cpu()
    if not bool(torch.isfinite(pixels).all()):
        raise RunFailed("The model gave numbers that are no picture.", "Try a lower guidance or another seed.")
    values = (pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return [frame.cut(Image.fromarray(each)) for each in values], _notices(pipe, request.prompt, tokens, frame)


def _notices(pipe: Any, prompt: str, tokens: int, frame: Frame) -> tuple[str, ...]:
    notices = []
    if len(pipe.tokenizer_2(prompt, truncation=False, verbose=False).input_ids) > tokens:
        notices.append(f"This model reads the first {tokens} tokens of a prompt; the rest was left out.")
    if frame.inner != frame.outer:
        notices.append(f"Worked at {frame.inner[0]}×{frame.inner[1]} and brought back to the reference's size.")
    return tuple(notices)


class _Steps:
    """The pipeline's step callback: tells progress, with a preview now and then."""

    def __init__(self, model: Model, total: int, frame: Frame, tell: Callable[[Progress], None]) -> None:
        self._model = model
        self._total = total
        self._frame = frame
        self._tell = tell
        self._previewer: Previewer | None = None

    def __call__(self, pipe: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if self._previewer is None:  # only inside a run the scheduler knows its sigmas
            sigmas = pipe.scheduler.sigmas[-self._total - 1 :].tolist()
            self._previewer = Previewer(self._model.rgb, sigmas, self._unpack, self._frame.keep)
        self._tell(Progress(step + 1, self._total, self._previewer.after_step(step, tensors["latents"])))
        return {}

    def _unpack(self, latents: Any) -> Floats:
        pipe, image = self._model.pipe, self._frame.image
        planes = pipe._unpack_latents(latents, image.height, image.width, pipe.vae_scale_factor)
        planes = planes / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor
        return np.asarray(planes.float().cpu().numpy(), np.float32)
