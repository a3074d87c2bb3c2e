"""One run of the pipeline: a reference goes in, upright pictures of its own size come out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from backends.local.acceleration import LEVELS
from backends.local.embedding_cache import positions_once
from backends.local.framing import Frame
from backends.local.load_errors import out_of_memory
from backends.local.model import Model
from backends.local.preview import Previewer
from backends.local.step_cache import cached, plan
from backends.local.steps import Batch, BatchPreviews, LaggedProgress, StepProgress, as_floats, cuda_event
from core.errors import OutOfMemory, RunFailed
from core.events import Loading, Progress
from core.messages import Message, message
from core.request import EditRequest

Tell = Callable[[Loading | Progress], None]


@dataclass(frozen=True)
class Made:
    """What a run made.

    Attributes:
        pictures: one a seed.
        notices: what the person should know about them.
        computed: steps for which the transformer was asked; the others were carried on from those.
    """

    pictures: list[Image.Image]
    notices: tuple[Message, ...]
    computed: int


def edit_images(
    model: Model, request: EditRequest, inner: tuple[int, int], tell: Tell, *, previews: bool = True
) -> Made:
    """Run the pipeline and return one picture a seed.

    Each picture is what a run with its seed alone gives. All are made in one batch where memory allows,
    else in as few as it allows; what was too many is remembered.

    Args:
        model: loaded, used by nobody else.
        request: with at least one step to run.
        inner: width and height to work at, the reference's own or smaller.
        tell: gets each step; raising from it stops the run at once.
        previews: whether pictures are shown while they are made.

    Raises:
        OutOfMemory: even one image of this size is too large for the device.
        RunFailed: the model's numbers left their range.
    """
    import torch

    frame = Frame.around(request.image.open(), inner)
    area = frame.image.width * frame.image.height
    at_once = len(request.seeds)
    if model.too_many is not None:
        while at_once > 1 and at_once * area >= model.too_many:
            at_once //= 2
    run = _Run(model, request, frame, tell, previews)
    while (left := request.seeds[len(run.pictures) :]) and at_once:
        try:
            run.batch(left[:at_once], at_once)
            continue
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            batch = min(at_once, len(left))
            model.too_many, at_once = batch * area, batch // 2
            if not at_once:
                raise OutOfMemory("gpu-memory-too-small") from error
        model.memo.clear()
        torch.cuda.empty_cache()  # not while the error is handled: it holds what the batch took
    return Made(run.pictures, run.notices(), run.computed)


class _Run:
    """A request on its way through a model, batch by batch."""

    def __init__(self, model: Model, request: EditRequest, frame: Frame, tell: Tell, previews: bool) -> None:
        self.model = model
        self.request = request
        self.frame = frame
        self.tell = tell
        self.previews = previews
        self.pictures: list[Image.Image] = []
        self.shown: tuple[bytes, ...] = ()
        self.computed = 0
        self._read_whole = True
        self._level = str(request.params.get("acceleration", "none"))

    def batch(self, seeds: tuple[int, ...], at_once: int) -> None:
        """Make the next pictures, one a seed, `at_once` being how many each batch has."""
        import torch

        model, request = self.model, self.request
        count = -(-len(request.seeds) // at_once)
        batch = Batch(steps=request.steps_run, index=len(self.pictures) // at_once, count=count)
        pipe = model.pipeline(self._level, len(seeds), self.tell)
        try:
            with torch.inference_mode():
                self.tell(batch.progress(0))
                latents = self._latents(pipe, seeds, batch)
                pixels = self._decode(pipe, latents)
                sound = bool(torch.isfinite(pixels).all())
                values = (pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        finally:
            pipe.maybe_free_model_hooks()  # a stopped run has left its parts where they were
        if not sound:
            raise RunFailed("model-no-picture")
        self.pictures += [self.frame.cut(Image.fromarray(each)) for each in values]

    def _previews(self, pipe: Any) -> BatchPreviews:
        model, frame = self.model, self.frame
        complete = len(self.shown) == len(self.pictures)  # a missing preview would shift the ones after it
        return BatchPreviews(
            (lambda sigmas: Previewer(model.rgb, sigmas, frame.keep)) if self.previews and complete else None,
            lambda latents: as_floats(unpack(pipe, latents, frame.image.width, frame.image.height)),
            self.shown,
        )

    def _progress(self, previews: BatchPreviews, batch: Batch) -> StepProgress:
        if not self.model.machine.asynchronous:
            return StepProgress(self.tell, previews, batch)
        return LaggedProgress(self.tell, previews, batch, cuda_event, lag=math.ceil(1 / LEVELS[self._level]))

    def _latents(self, pipe: Any, seeds: tuple[int, ...], batch: Batch) -> Any:
        """Return the finished latents, packed: shape (seeds, tokens, 64)."""
        import torch

        model, request, image = self.model, self.request, self.frame.image
        words, pooled, self._read_whole = model.memo.prompt(pipe, request.prompt, model.tokens)
        mark = f"{request.image.digest} {self.frame.inner}"
        reference = model.memo.reference(pipe, mark, image)
        # On the CPU, so that a seed means the same noise on every device.
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        config = pipe.vae.config
        drawn = torch.cat([reference.sample(each) for each in generators])
        chosen = plan(request.steps_run, LEVELS[self._level])
        previews = self._previews(pipe)
        progress = self._progress(previews, batch)
        with positions_once(pipe.transformer), cached(pipe, chosen) as cache, progress:
            result = pipe(
                prompt_embeds=words.expand(len(seeds), -1, -1),
                pooled_prompt_embeds=pooled.expand(len(seeds), -1),
                image=(drawn - config.shift_factor) * config.scaling_factor,
                generator=generators,
                width=image.width,
                height=image.height,
                strength=request.number("strength"),
                guidance_scale=request.number("guidance_scale"),
                num_inference_steps=request.integer("num_inference_steps"),
                max_sequence_length=model.tokens,
                callback_on_step_end=progress,
                output_type="latent",
            )
        self.computed, self.shown = cache.computed, previews.latest
        return result.images

    def _decode(self, pipe: Any, latents: Any) -> Any:
        """Return the pictures, shape (images, 3, height, width), values 0..1; tile by tile if all are too much."""
        image = self.frame.image
        planes = unpack(pipe, latents, image.width, image.height)
        pixels = None
        try:
            pixels = pipe.vae.decode(planes, return_dict=False)[0]
        except RuntimeError as error:
            if pipe.vae.use_tiling or not out_of_memory(error):
                raise
        if pixels is None:  # not while the error is handled: it holds what the first try took
            pipe.vae.enable_tiling()
            pipe.vae.decoder._compiled_call_impl = None  # tiles would be compiled again, with the memory full
            pixels = pipe.vae.decode(planes, return_dict=False)[0]
        return pipe.image_processor.postprocess(pixels, output_type="pt").float()

    def notices(self) -> tuple[Message, ...]:
        """Return what the person should know about the pictures."""
        frame, tokens = self.frame, self.model.tokens
        notices = []
        if not self._read_whole:
            notices.append(message("notice-prompt-cut", tokens=tokens))
        if frame.inner != frame.outer:
            notices.append(message("notice-worked-at", width=frame.inner[0], height=frame.inner[1]))
        return tuple(notices)


def unpack(pipe: Any, latents: Any, width: int, height: int) -> Any:
    """Return packed latents as the VAE has them: shape (images, channels, height / 8, width / 8)."""
    planes = pipe._unpack_latents(latents, height, width, pipe.vae_scale_factor)
    return planes / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor
