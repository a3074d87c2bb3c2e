"""The parameters that every backend has, each with its own default."""

from __future__ import annotations

from core.spec import MAX_SEED, AnyParam, Choice, Integer, Number


def common_params(
    *, strength: float, guidance_scale: float, num_inference_steps: int, lowest_seed: int, formats: tuple[str, str]
) -> tuple[AnyParam, ...]:
    """Return strength, guidance, seed, steps, images and format in the order of the screen.

    Args:
        strength: default, of 0..1.
        guidance_scale: default, of 1..20.
        num_inference_steps: default, of 1..50.
        lowest_seed: 0 or 1.
        formats: `png` and `jpeg`, the default first.
    """
    return (
        Number(
            name="strength",
            label="Strength",
            help="How far to go, and how many steps.",
            minimum=0,
            maximum=1,
            default=strength,
            low="keep",
            high="transform",
        ),
        Number(
            name="guidance_scale",
            label="Guidance",
            help="How closely the prompt is followed.",
            minimum=1,
            maximum=20,
            default=guidance_scale,
            step=0.1,
        ),
        Integer(name="seed", label="Seed", minimum=lowest_seed, maximum=MAX_SEED, default=None),
        Integer(
            name="num_inference_steps",
            label="Steps",
            help="More steps take longer and settle finer.",
            minimum=1,
            maximum=50,
            default=num_inference_steps,
            advanced=True,
        ),
        Integer(name="num_images", label="Images", minimum=1, maximum=4, default=1, advanced=True),
        Choice(name="output_format", label="Format", choices=formats, default=formats[0], advanced=True),
    )


def acceleration(default: str, help: str = "") -> Choice:
    """Return how much speed may cost quality, in the words of the providers' API."""
    return Choice(
        name="acceleration",
        label="Acceleration",
        help=help,
        choices=("none", "regular", "high"),
        default=default,
        advanced=True,
    )
