"""The levels of acceleration on mini: `none` is exact, the others compute what was planned and stay near it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from backends.local import LocalBackend
from backends.local.acceleration import LEVELS
from backends.local.choice import MINI_FOLDER
from backends.local.loading import load
from backends.local.model import Model
from backends.local.step_cache import LEAST, plan
from core.events import Completed, Progress
from core.imaging.images import encode
from core.request import EditRequest
from tests.backends.local.runs import MINI, asked, drain, ignore, made, numbers
from tests.support.fakes import picture
from ui.examples import FOLDER

pytestmark = pytest.mark.integration

DEFAULT = {"num_inference_steps": 20, "strength": 0.6}
"""Mini's own defaults: 12 steps run, of which `high` computes 4, as few as it may."""
FULL = {"num_inference_steps": 40, "strength": 0.9}
"""36 steps run."""
NEAR = {
    ("full", "regular"): (42.0, 0.985),
    ("full", "high"): (38.0, 0.98),
    ("default", "regular"): (37.0, 0.98),
    ("default", "high"): (26.0, 0.92),
}
"""Lowest PSNR in dB and SSIM against `none`; measured on these pictures were 53, 45, 41 and 30 dB or more."""
STYLES = {
    "mountain-lake.jpg": "a pencil sketch",
    "still-life.jpg": "a watercolour painting",
    "street.jpg": "neon outlines",  # the hardest: bright lines on black
}
FASTER = [level for level in LEVELS if level != "none"]


@pytest.fixture(scope="module")
def mini() -> Model:
    return load(MINI, ignore)


@pytest.fixture(scope="module")
def theirs() -> Any:
    """Mini as diffusers alone loads it."""
    from diffusers import FluxImg2ImgPipeline

    pipe = FluxImg2ImgPipeline.from_pretrained(MINI_FOLDER)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def example(name: str) -> Image.Image:
    """Return an example picture, 256 pixels on its longer side, its sides multiples of 16."""
    photo = Image.open(FOLDER / name).convert("RGB")
    return photo.resize((256, 192) if photo.width > photo.height else (192, 256), Image.Resampling.LANCZOS)


def on_example(name: str, **raw: Any) -> EditRequest:
    return asked(prompt=STYLES[name], data=encode(example(name), "png"), **raw)


@pytest.mark.parametrize(("name", "steps", "strength"), list(zip(STYLES, (12, 20, 25), (1.0, 0.6, 0.5), strict=True)))
def test_none_gives_what_diffusers_own_call_gives_bit_for_bit(
    mini: Model, theirs: Any, name: str, steps: int, strength: float
) -> None:
    import torch

    photo = example(name)
    settings = {"num_inference_steps": steps, "strength": strength, "guidance_scale": 5.0}
    expected = theirs(
        STYLES[name],
        image=photo,
        width=photo.width,
        height=photo.height,
        max_sequence_length=48,
        generator=torch.Generator("cpu").manual_seed(11),
        **settings,
    ).images[0]
    done = made(mini, on_example(name, seed=11, acceleration="none", **settings))
    assert done.pictures[0].tobytes() == expected.tobytes()


@pytest.mark.parametrize("level", list(LEVELS))
@pytest.mark.parametrize(("steps", "strength"), [(1, 1.0), (20, 0.6), (40, 0.9), (50, 1.0)])
def test_a_level_computes_the_steps_of_its_plan(mini: Model, level: str, steps: int, strength: float) -> None:
    request = asked((32, 32), num_inference_steps=steps, strength=strength, acceleration=level)
    assert made(mini, request).computed == sum(plan(request.steps_run, LEVELS[level]))


@pytest.mark.parametrize("level", list(LEVELS))
def test_every_step_is_told_whether_computed_or_not(mini: Model, level: str) -> None:
    told: list[int] = []
    made(mini, asked(num_inference_steps=12, acceleration=level), lambda event: told.append(getattr(event, "step", -1)))
    assert told == list(range(13))


@pytest.mark.parametrize(("name", "length"), [*((name, "default") for name in STYLES), ("street.jpg", "full")])
def test_a_faster_level_stays_near_the_exact_picture(mini: Model, name: str, length: str) -> None:
    settings = {"default": DEFAULT, "full": FULL}[length]
    exact = numbers(made(mini, on_example(name, acceleration="none", **settings)))[0]
    for level in FASTER:
        quick = numbers(made(mini, on_example(name, acceleration=level, **settings)))[0]
        near = peak_signal_noise_ratio(exact, quick, data_range=255)
        alike = structural_similarity(exact, quick, data_range=255, channel_axis=2)
        print(f"{name} {length} {level}: {near:.1f} dB, SSIM {alike:.4f}")
        least_near, least_alike = NEAR[length, level]
        assert near >= least_near
        assert alike >= least_alike
        assert not np.array_equal(exact, quick)


@pytest.mark.parametrize("level", FASTER)
def test_a_run_of_the_fewest_steps_is_exact_at_every_level(mini: Model, level: str) -> None:
    exact, quick = (
        numbers(made(mini, asked(num_inference_steps=LEAST, acceleration=each))) for each in ("none", level)
    )
    assert np.array_equal(exact, quick)


@pytest.mark.parametrize("level", list(LEVELS))
def test_each_image_of_a_batch_is_its_single_run_at_every_level(mini: Model, level: str) -> None:
    settings = {"num_inference_steps": 12, "acceleration": level, "prompt": "a watercolour painting"}
    batch = numbers(made(mini, asked((80, 64), num_images=3, seed=20, **settings)))
    for place, of_batch in enumerate(batch):
        alone = numbers(made(mini, asked((80, 64), seed=20 + place, **settings)))[0]
        # A batch's sums are taken in another order: the last bit of a colour may differ.
        assert int(np.abs(of_batch - alone).max()) <= 1
    assert not np.array_equal(batch[0], batch[1])


@pytest.mark.parametrize("level", list(LEVELS))
def test_the_same_request_gives_the_same_picture_after_runs_at_other_levels(mini: Model, level: str) -> None:
    request = asked(num_inference_steps=12, acceleration=level)
    before = numbers(made(mini, request))
    for other in LEVELS:
        made(mini, asked((32, 32), num_inference_steps=8, acceleration=other, seed=1))
    assert np.array_equal(numbers(made(mini, request)), before)


async def test_a_run_cancelled_at_high_leaves_no_trace_at_any_level(local: LocalBackend) -> None:
    small = encode(picture("RGB", (64, 48)), "png")
    requests = {level: asked(data=small, num_inference_steps=12, acceleration=level) for level in LEVELS}
    before = {level: (await drain(local, request))[1] for level, request in requests.items()}
    long = on_example("street.jpg", num_inference_steps=50, acceleration="high")
    events = local.edit(long)
    async for event in events:
        assert not isinstance(event, Completed)
        if isinstance(event, Progress) and event.step == 6:  # the first two are computed, then some are carried
            break
    await events.aclose()
    for level, request in requests.items():
        after = (await drain(local, request))[1]
        assert after.images == before[level].images, level


async def test_a_batch_cancelled_at_high_leaves_no_trace_in_a_single_run(local: LocalBackend) -> None:
    single = asked(num_inference_steps=12, acceleration="high")
    before = (await drain(local, single))[1]
    events = local.edit(asked((128, 96), num_inference_steps=50, acceleration="high", num_images=4))
    async for event in events:
        if isinstance(event, Progress) and event.step == 6:
            break
    await events.aclose()
    after = (await drain(local, single))[1]
    assert Image.open(io.BytesIO(after.images[0].data)).size == (64, 48)
    assert after.images == before.images
