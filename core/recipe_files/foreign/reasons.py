"""Why a setting of another tool is left out."""

from __future__ import annotations

from core.messages import Message, message
from core.spec import Integer, Number
from core.terms import SEED

CFG = message("foreign-cfg")
SAMPLER = message("foreign-sampler")
LORA = message("foreign-lora")
NEGATIVE = message("foreign-negative")
MODEL = message("foreign-model")
SIZE = message("foreign-size")
SECOND_PASS = message("foreign-second-pass")
PROMPT_PART = message("foreign-prompt-part")
COMPUTED = message("foreign-computed")
NOT_A_NUMBER = message("foreign-not-a-number")
OTHER = message("foreign-other")

Rules = tuple[tuple[tuple[str, ...], Message], ...]
"""Beginnings of names in lower case, and the reason for what begins so. The first that fits decides."""


def reason(name: str, rules: Rules) -> Message:
    """Return why a setting is left out, `OTHER` where no rule fits."""
    lower = name.lower()
    return next((why for beginnings, why in rules if lower.startswith(beginnings)), OTHER)


def out_of_range(param: Number | Integer) -> Message:
    """Return the reason for a number that the parameter does not take."""
    if param is SEED:
        return message("foreign-seed", maximum=str(param.maximum))
    minimum, maximum = f"{param.minimum:g}", f"{param.maximum:g}"
    if isinstance(param, Integer):
        return message("foreign-whole-range", minimum=minimum, maximum=maximum)
    return message("foreign-range", minimum=minimum, maximum=maximum)
