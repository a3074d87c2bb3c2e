"""The parameters' terms: each name, range and meaning once, for every backend and every interface.

A backend's spec takes what it has of them, with its own defaults and its own part of the range: see `own`. The page
reads the specs; `/edit` offers every term, whichever backends there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from core.messages import message
from core.spec import MAX_SEED, AnyParam, Choice, Integer, Number, ParamValue, Toggle

P = TypeVar("P", Number, Integer, Choice, Toggle)


@dataclass(frozen=True, kw_only=True)
class Term:
    """A parameter over all backends.

    Attributes:
        param: its name, label and help, and all of the range or words that a backend may have.
        meaning: what it does, in half a sentence, for callers by program.
        default: what a call of `/edit` that leaves it out asks for; None is the backend's own default.
        neutral: values that change nothing on a backend without it, so that such a call may send them anyway.
        hint: whether it changes how an image is made and not which: the providers' wire formats send it always, and
            a backend without it leaves it out.
    """

    param: AnyParam
    meaning: str = ""
    default: ParamValue | None = None
    neutral: tuple[ParamValue, ...] = ()
    hint: bool = False

    @property
    def described(self) -> str:
        """The range or the words, and the meaning, as a sentence."""
        match self.param:
            case Number() | Integer():
                values = f"{self.param.minimum:g} to {self.param.maximum:.10g}"
            case Choice():
                values = " or ".join(filter(None, (", ".join(self.param.choices[:-1]), self.param.choices[-1])))
            case Toggle():
                values = ""
        if not values:
            return f"{self.meaning[:1].upper()}{self.meaning[1:]}."
        return "; ".join(filter(None, (values, self.meaning))) + "."


STRENGTH = Number(
    name="strength",
    help=message("help-strength"),
    minimum=0,
    maximum=1,
    default=0.6,
    low=message("strength-low"),
    high=message("strength-high"),
)
STEPS = Integer(
    name="num_inference_steps",
    help=message("help-steps"),
    minimum=1,
    maximum=50,
    default=28,
    advanced=True,
)
GUIDANCE = Number(
    name="guidance_scale",
    help=message("help-guidance"),
    minimum=1,
    maximum=20,
    default=3.5,
    step=0.1,
)
SEED = Integer(name="seed", minimum=0, maximum=MAX_SEED, default=None)
IMAGES = Integer(name="num_images", minimum=1, maximum=4, default=1, advanced=True)
FORMAT = Choice(name="output_format", choices=("png", "jpeg"), default="png", advanced=True)
ACCELERATION = Choice(name="acceleration", choices=("none", "regular", "high"), default="none", advanced=True)
SAFETY = Toggle(name="enable_safety_checker", default=True, advanced=True)

TERMS: Mapping[str, Term] = MappingProxyType(
    {
        term.param.name: term
        for term in (
            Term(param=STRENGTH, meaning="0 keeps the reference, 1 leaves it"),
            Term(param=STEPS, meaning="strength decides how many run"),
            Term(param=GUIDANCE, meaning="how closely the prompt is followed"),
            Term(param=SEED, meaning="none draws one, which is reported"),
            Term(param=IMAGES, default=1, neutral=(1,)),
            Term(param=FORMAT, default="png", neutral=("png",)),
            Term(param=ACCELERATION, meaning="where the backend has it", neutral=("none",), hint=True),
            Term(
                param=SAFETY,
                meaning="whether results are checked, where the backend can",
                default=True,
                neutral=(True, False),
                hint=True,
            ),
        )
    }
)
"""Every term by its name, in the order of `/edit`."""


def is_hint(name: str) -> bool:
    """Return whether a backend without this parameter may leave it out of what a provider's wire format sends."""
    return name in TERMS and TERMS[name].hint


def is_neutral(name: str, value: object) -> bool:
    """Return whether a value changes nothing on a backend without this parameter."""
    return name in TERMS and value in TERMS[name].neutral


def own(param: P, **changes: Any) -> P:
    """Return a term's parameter as one backend has it: with its own default, range, order of words or help."""
    return replace(param, **changes)


def common_params(
    *, strength: float, guidance_scale: float, num_inference_steps: int, lowest_seed: int, formats: tuple[str, str]
) -> tuple[AnyParam, ...]:
    """Return strength, guidance, seed, steps, images and format in the order of the screen.

    Args:
        strength, guidance_scale, num_inference_steps: defaults.
        lowest_seed: 0 or 1.
        formats: `png` and `jpeg`, the default first.
    """
    return (
        own(STRENGTH, default=strength),
        own(GUIDANCE, default=guidance_scale),
        own(SEED, minimum=lowest_seed),
        own(STEPS, default=num_inference_steps),
        IMAGES,
        own(FORMAT, choices=formats, default=formats[0]),
    )
