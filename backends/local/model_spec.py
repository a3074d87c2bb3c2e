"""What the local backend offers for a model: its parameters, sizes, styles and notices."""

from __future__ import annotations

import json

from backends.local.choice import MINI_FOLDER, ModelChoice
from core.messages import Message, message
from core.settings import Settings
from core.spec import AnyParam, BackendSpec, Style
from core.terms import ACCELERATION, IMAGES, SAFETY, common_params, own

MINI_SIDE = 512
FLUX_PIXELS = 2 * 1024 * 1024
"""Working sizes: the longest side that mini was taught with, and the most pixels that FLUX.1-dev was."""


def local_spec(choice: ModelChoice, settings: Settings, workers: int = 1) -> BackendSpec:
    """Return what a model offers.

    Args:
        choice: the model and its device.
        settings: the owner's choices.
        workers: runs at a time.
    """
    params: tuple[AnyParam, ...] = (
        *common_params(
            strength=0.6,
            guidance_scale=3.5,
            num_inference_steps=20 if choice.is_mini else 28,
            lowest_seed=0,
            formats=("png", "jpeg"),
        ),
        own(
            ACCELERATION,
            default="none" if choice.device == "cpu" else "regular",
            help=message("help-acceleration"),
        ),
    )
    if settings.safety_model is not None and not settings.public:
        params += (own(SAFETY, help=message("help-safety-checker")),)
    return BackendSpec(
        key="local",
        label=message("backend-local", model=choice.name),
        model=choice.id,
        params=params,
        concurrency=workers,
        together=1 if settings.zero_gpu else IMAGES.maximum,  # there a run's GPU time is asked for by its size
        shows_steps=True,
        shows_preview=True,
        working_pixels=None if choice.is_mini else FLUX_PIXELS,
        working_side=MINI_SIDE if choice.is_mini else None,
        styles=mini_styles() if choice.is_mini else (),
        notices=_notices(choice, settings),
        licence=message("licence-mini" if choice.is_mini else "notice-licence"),
    )


def mini_styles() -> tuple[Style, ...]:
    """Return the looks that the mini checkpoint was taught, as its own folder lists them."""
    listed = json.loads((MINI_FOLDER / "styles.json").read_text(encoding="utf-8"))
    return tuple(Style(each["name"], each["label"], each["prompt"], each["kind"]) for each in listed)


def _notices(choice: ModelChoice, settings: Settings) -> tuple[Message, ...]:
    if choice.is_mini:
        return (message("notice-mini", device=choice.device, styles=len(mini_styles())),)
    notices = []
    if choice.device == "cpu":
        notices.append(message("notice-slow-on-cpu"))
    if settings.public:
        notices.append(message("notice-licence"))
        if settings.safety_model:
            notices.append(message("notice-every-image-checked"))
    if settings.zero_gpu:
        notices.append(message("notice-zero-gpu"))
    return tuple(notices)
