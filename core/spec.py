"""What a backend offers, as data: parameters with their ranges, and the facts around them.

UI, server and engine read the same spec; none of them asks which backend it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from core.errors import BadParameter
from core.imaging.images import working_size
from core.messages import Message, Value, message

ParamValue = int | float | str | bool
"""A validated value. A seed that is to be drawn is absent from the mapping, never None."""

MAX_PROMPT = 4000
"""Characters; the documented limit of AI/ML API, held for every backend."""

MAX_SEED = 2**31 - 1
"""Providers document 31 bits, and browsers lose digits of larger integers."""


@dataclass(frozen=True, kw_only=True)
class Param:
    """What every kind of parameter has.

    Attributes:
        name: the field's name in the API; `param-` and the name is its message in the catalogue.
        help: one sentence on what it does.
        advanced: whether it is a rare setting, shown under "More".
    """

    name: str
    help: Message | None = None
    advanced: bool = False

    @property
    def label(self) -> Message:
        """Its name on the screen."""
        return message(f"param-{self.name.replace('_', '-')}")

    def fail(self, code: str, value: object, **wanted: Value) -> BadParameter:
        """Return the error for a value that does not fit.

        Args:
            code: a message of the catalogue.
            value: the one that does not fit.
            wanted: the message's other values.
        """
        shown: Value
        try:
            shown = repr(value)
            shown = shown if len(shown) <= 40 else shown[:37] + "..."
        except (ValueError, RecursionError):  # an integer of thousands of digits, lists a thousand deep
            shown = message("value-of-kind", kind=type(value).__name__)
        return BadParameter(message(code, value=shown, **wanted), field=self.name)


@dataclass(frozen=True, kw_only=True)
class Number(Param):
    """A real number in `minimum..maximum`.

    Attributes:
        step: the slider's grain, not a constraint.
        low, high: what the ends of the slider are called.
    """

    minimum: float
    maximum: float
    default: float
    step: float = 0.01
    low: Message | None = None
    high: Message | None = None

    def validate(self, raw: object) -> float:
        """Return the value as a float.

        Raises:
            BadParameter: it is no finite number, or out of range.
        """
        if not isinstance(raw, bool) and isinstance(raw, (int, float)) and self.minimum <= raw <= self.maximum:
            # NaN and the infinities lie in no range.
            return float(raw)
        raise self.fail("value-number", raw, minimum=f"{self.minimum:g}", maximum=f"{self.maximum:g}")

    def clamp(self, value: float) -> float:
        """Return the nearest allowed value."""
        return min(max(value, self.minimum), self.maximum)

    def snap(self, value: float) -> float:
        """Return the nearest allowed value that the slider can stand on; both ends are."""
        steps = round((value - self.minimum) / self.step)
        on_step = self.clamp(round(self.minimum + steps * self.step, 10))  # without the crumbs of binary fractions
        return float(min((on_step, self.minimum, self.maximum), key=lambda each: abs(each - value)))


@dataclass(frozen=True, kw_only=True)
class Integer(Param):
    """A whole number in `minimum..maximum`. With `default=None` it may be left out (a seed)."""

    minimum: int
    maximum: int
    default: int | None

    def validate(self, raw: object) -> int:
        """Return the value as an int; 4.0 counts as 4, since browsers send floats.

        Raises:
            BadParameter: it is no whole number, or out of range.
        """
        if (
            not isinstance(raw, bool)
            and isinstance(raw, (int, float))
            and self.minimum <= raw <= self.maximum
            and raw == int(raw)
        ):
            return int(raw)
        raise self.fail("value-whole-number", raw, minimum=str(self.minimum), maximum=str(self.maximum))

    def clamp(self, value: float) -> int:
        """Return the nearest allowed whole number."""
        return min(max(round(value), self.minimum), self.maximum)

    def snap(self, value: float) -> int:
        """Return the nearest allowed whole number."""
        return self.clamp(value)


@dataclass(frozen=True, kw_only=True)
class Choice(Param):
    """One of a few words."""

    choices: tuple[str, ...]
    default: str

    def validate(self, raw: object) -> str:
        """Return the word.

        Raises:
            BadParameter: it is not one of the choices.
        """
        if not isinstance(raw, str) or raw not in self.choices:
            raise self.fail("value-choice", raw, choices=", ".join(self.choices))
        return raw


@dataclass(frozen=True, kw_only=True)
class Toggle(Param):
    """On or off."""

    default: bool

    def validate(self, raw: object) -> bool:
        """Return the value.

        Raises:
            BadParameter: it is neither true nor false.
        """
        if not isinstance(raw, bool):
            raise self.fail("value-toggle", raw)
        return raw


AnyParam = Number | Integer | Choice | Toggle


def nearest(param: AnyParam, value: ParamValue) -> ParamValue | None:
    """Return what of a parameter comes nearest to a value that another backend had.

    Args:
        param: the parameter here.
        value: finite, of any kind.

    Returns:
        The value itself where it fits, the end of the range that it lies beyond, else the default.
    """
    try:
        return param.validate(value)
    except BadParameter:
        if isinstance(param, Number | Integer) and isinstance(value, int | float) and not isinstance(value, bool):
            return param.clamp(value)
        return param.default


@dataclass(frozen=True)
class Style:
    """A look that a model is known to have learnt.

    Attributes:
        id: its name in recipes.
        label: its name for people.
        text: what to write in a prompt for it.
        kind: `medium`, of which a picture usually has one, or `mood`: light and colour.
    """

    id: str
    label: str
    text: str
    kind: str = "medium"


@dataclass(frozen=True, kw_only=True)
class BackendSpec:
    """A backend's facts.

    Attributes:
        key: its name in the API and in settings.
        label: its name on the screen.
        model: the id of its model: at the provider, on the hub, or `mini`.
        params: what may be set, in the order of the screen.
        concurrency: runs at a time.
        together: runs that differ in their seed alone and that it makes as one, at most.
        key_env: the environment variable of its key, None where it needs none.
        shows_steps: whether it reports each step.
        shows_preview: whether it shows the picture while it is made.
        seed_per_image: whether each image of a batch has a seed of its own; else one seed stands for the batch.
        price: US dollars an image as the documents say; 0 is free.
        working_pixels: the most pixels it works at; a larger reference is worked smaller and
            brought back to its size. None where that is not known.
        working_side: likewise, the most pixels on the longer side.
        styles: the looks that its model knows; empty where it is not limited to some, and the app's presets serve.
        notices: what a person should know before using it.
        licence: how its pictures may be used; None where nothing is known of that.
    """

    key: str
    label: Message
    model: str
    params: tuple[AnyParam, ...]
    concurrency: int = 1
    together: int = 1
    key_env: str | None = None
    shows_steps: bool = False
    shows_preview: bool = False
    seed_per_image: bool = True
    price: float = 0.0
    working_pixels: int | None = None
    working_side: int | None = None
    styles: tuple[Style, ...] = ()
    notices: tuple[Message, ...] = ()
    licence: Message | None = None
    by_name: Mapping[str, AnyParam] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", MappingProxyType({p.name: p for p in self.params}))

    def working_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size at which a reference is worked on: its own, or smaller with its shape kept."""
        return working_size(width, height, self.working_pixels, self.working_side)

    def validate(self, raw: Mapping[str, Any]) -> Mapping[str, ParamValue]:
        """Return every parameter's value, defaults filled in.

        Args:
            raw: values by name; None or absent means the default.

        Returns:
            A read-only mapping in the order of `params`. A parameter without default that was not
            given (the seed) is absent.

        Raises:
            BadParameter: a value does not fit, or a name is unknown here.
        """
        for name, value in raw.items():
            if value is not None and name not in self.by_name:
                settings = ", ".join(self.by_name)
                raise BadParameter("setting-unknown", field=name, backend=self.label, settings=settings)
        values: dict[str, ParamValue] = {}
        for param in self.params:
            given = raw.get(param.name)
            value = param.default if given is None else param.validate(given)
            if value is not None:
                values[param.name] = value
        return MappingProxyType(values)
