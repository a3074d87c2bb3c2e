"""What the local backend offers for a model: its parameters, sizes, styles and notices."""

from __future__ import annotations

import json

from backends.local.choice import MINI_FOLDER, ModelChoice
from core.settings import Settings
from core.spec import AnyParam, BackendSpec, Style
from core.terms import ACCELERATION, SAFETY, common_params, own

MINI_SIDE = 512
FLUX_PIXELS = 2 * 1024 * 1024
"""Working sizes: the longest side that mini was taught with, and the most pixels that FLUX.1-dev was."""

ZERO_NOTICE = "Each run counts on your own GPU time at Hugging Face; signing in there gives more of it a day."

DEVICE_WORDS = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}


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
            help="Regular computes half of the steps and carries on the others, high a third.",
        ),
    )
    if settings.safety_model is not None and not settings.public:
        params += (own(SAFETY, help="Withholds images that are not safe for work; without previews."),)
    notices = (
        (_mini_notice(choice.device),)
        if choice.is_mini
        else (_slow_notice(choice.device), _license_notice(settings), ZERO_NOTICE if settings.zero_gpu else "")
    )
    return BackendSpec(
        key="local",
        label=f"Local · {choice.name}",
        model=choice.id,
        params=params,
        concurrency=workers,
        shows_steps=True,
        shows_preview=True,
        working_pixels=None if choice.is_mini else FLUX_PIXELS,
        working_side=MINI_SIDE if choice.is_mini else None,
        styles=mini_styles() if choice.is_mini else (),
        notice=" ".join(filter(None, notices)),
    )


def mini_styles() -> tuple[Style, ...]:
    """Return the looks that the mini checkpoint was taught, as its own folder lists them."""
    listed = json.loads((MINI_FOLDER / "styles.json").read_text(encoding="utf-8"))
    return tuple(Style(each["name"], each["label"], each["prompt"]) for each in listed)


def _mini_notice(device: str) -> str:
    return (
        f"Mini: a teaching model of a few million parameters, on your {DEVICE_WORDS[device]}. It knows these styles. "
        "For full quality choose FLUX SRPO on a GPU or a hosted backend."
    )


def _slow_notice(device: str) -> str:
    return "On a CPU, a picture of this model takes many minutes." if device == "cpu" else ""


def _license_notice(settings: Settings) -> str:
    if not settings.public:
        return ""
    return "FLUX.1-dev is for non-commercial use, SRPO for academic use only." + (
        " A safety checker looks at every image." if settings.safety_model else ""
    )
