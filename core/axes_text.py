"""The axes of an experiment as a program writes them: JSON, or a short text.

The text has an axis after the other, with semicolons or line breaks between: `strength: 0.3, 0.5, 0.7; seed: 1, 2`.
A range is `strength: 0.3..0.9 in 5`. What holds a comma, a semicolon or a quotation mark stands in quotation marks, as
JSON has them. Several styles together are `oil + ink`, none is `none`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from core.axes import MOST_AXES, OWN, Axis, AxisValue, spread
from core.errors import BadParameter
from core.recipe import MAX_STYLES, StyleUse
from core.spec import BackendSpec, Integer, Number

LONGEST = 60_000
"""Characters of a text."""
MOST_VALUES = 400
"""Values of an axis."""
BARRED = ("reference", "num_images")
"""What no axis is here: a call has one image, and a run of an experiment makes one."""
NO_STYLE = "none"
_NAME = re.compile(r'\s*+([^",;:\n]*+):')
_VALUE = re.compile(r'\s*+(?:("(?:[^"\\\n]|\\.)*+")[ \t\r]*+|([^",;\n]*+))([,;\n]|$)')
"""A value, in quotation marks or without, and what ends it."""
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_RANGE = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})\s+in\s+(\d{{1,6}})", re.ASCII)
_WHOLE, _REAL = re.compile(r"[+-]?\d{1,18}", re.ASCII), re.compile(_NUMBER, re.ASCII)


@dataclass(frozen=True)
class Spread:
    """So many values between two, both included."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Asked:
    """An axis as it was asked for; its values are not checked yet, except that JSON has them."""

    name: str
    values: tuple[Any, ...] | Spread


def axes_of(given: object, specs: Mapping[str, BackendSpec], styles: Mapping[str, StyleUse]) -> list[Axis]:
    """Return the axes that a program asks for.

    Args:
        given: text, or a list as JSON has it: `[{"name": "strength", "values": [0.3, 0.5]}]`, where `spread` with
            `low`, `high` and `count` may stand in place of `values`.
        specs: of all backends.
        styles: by the names that a value may have, in lower case.

    Raises:
        BadParameter: its field is where it does not fit: `axes`, `axes[0].name`, `axes[1].values[2]`.
    """
    asked = parsed(given)
    if not 1 <= len(asked) <= MOST_AXES:
        raise BadParameter("axes-number", field="axes", limit=MOST_AXES)
    return [_axis(each, f"axes[{number}]", specs, styles) for number, each in enumerate(asked)]


def parsed(given: object) -> list[Asked]:
    """Return axes of a text, or of a list as JSON has it; which names and values there are is not looked at.

    Raises:
        BadParameter: it is neither.
    """
    if isinstance(given, str):
        if len(given) > LONGEST:
            raise BadParameter("axes-text-long", field="axes", limit=LONGEST)
        if not given.lstrip().startswith(("[", "{")):
            return _of_text(given)
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise _unreadable("axes", given) from error
    if isinstance(given, Mapping):
        given = [given] if "name" in given else [{"name": name, "values": each} for name, each in given.items()]
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise _unreadable("axes", given)
    return [_of_json(each, f"axes[{number}]") for number, each in enumerate(given)]


def _of_json(given: object, field: str) -> Asked:
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise _unreadable(field, given)
    name, values, wide = given["name"].strip(), given.get("values"), given.get("spread")
    unknown = next((each for each in given if each not in ("name", "values", "spread")), None)
    if unknown is not None or (values is None) == (wide is None):
        raise _unreadable(field, given)
    if values is not None:
        if not isinstance(values, list | tuple):
            raise _unreadable(f"{field}.values", values)
        return Asked(name, tuple(values))
    if not isinstance(wide, Mapping) or set(wide) != {"low", "high", "count"}:
        raise _unreadable(f"{field}.spread", wide)
    ends = [each for each in wide.values() if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(ends) < len(wide) or not isinstance(wide["count"], int):
        raise _unreadable(f"{field}.spread", wide)
    return Asked(name, Spread(_real(wide["low"]), _real(wide["high"]), wide["count"]))


def _real(number: float) -> float:
    """Return a number as a float; one that is too large is no number at all."""
    try:
        return float(number)
    except OverflowError:
        return float("nan")


def _of_text(text: str) -> list[Asked]:
    asked, at = list[Asked](), 0
    while rest := text[at:].lstrip(" \t\r\n;"):
        at, field = len(text) - len(rest), f"axes[{len(asked)}]"
        head = _NAME.match(text, at)
        name = "" if head is None else head[1].strip()
        if head is None or not name:
            raise _unreadable(field, rest)
        if len(asked) == MOST_AXES:
            raise BadParameter("axes-number", field="axes", limit=MOST_AXES)
        values, at = _values(text, head.end(), field)
        wide = _RANGE.fullmatch(values[0]) if len(values) == 1 else None
        if wide is not None and name not in OWN:
            asked.append(Asked(name, Spread(float(wide[1]), float(wide[2]), int(wide[3]))))
        else:
            asked.append(Asked(name, tuple(_typed(name, each) for each in values)))
    return asked


def _values(text: str, at: int, field: str) -> tuple[list[str], int]:
    """Return the values of an axis, those in quotation marks with theirs, and where the next axis begins."""
    values = list[str]()
    while True:
        part = _VALUE.match(text, at)
        value = "" if part is None else part[1] or part[2].strip()
        if part is None or not value:
            raise _unreadable(f"{field}.values[{len(values)}]", text[at:].strip() or text)
        if len(values) == MOST_VALUES:
            raise BadParameter("axes-too-many-cells", field=field, count=MOST_VALUES + 1, limit=MOST_VALUES)
        values.append(value)
        at = part.end()
        if part[3] != ",":
            return values, at


def _typed(name: str, text: str) -> Any:
    """Return a value of a text: what stands in quotation marks, and is of no parameter, is text as it is."""
    if text.startswith('"'):
        try:
            return json.loads(text, strict=False)
        except ValueError:
            return text
    if name in OWN:
        return text
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text


def _axis(asked: Asked, field: str, specs: Mapping[str, BackendSpec], styles: Mapping[str, StyleUse]) -> Axis:
    name = asked.name
    known = [spec.by_name[name] for spec in specs.values() if name in spec.by_name]
    if name in BARRED or not (name in OWN or known):
        names = dict.fromkeys([*OWN, *(name for spec in specs.values() for name in spec.by_name)])
        others = ", ".join(each for each in names if each not in BARRED)
        raise BadParameter("axes-name", field=f"{field}.name", name=repr(name[:40]), names=others)
    if isinstance(asked.values, Spread):
        param = next((each for each in known if isinstance(each, Number | Integer)), None)
        wide = asked.values
        if param is None or not 2 <= wide.count <= MOST_VALUES:
            raise BadParameter("axes-range", field=field, name=name)
        try:
            return Axis(name, spread(param, wide.low, wide.high, wide.count))
        except BadParameter as error:
            error.field = field
            raise
    if len(asked.values) > MOST_VALUES:
        raise BadParameter("axes-too-many-cells", field=field, count=len(asked.values), limit=MOST_VALUES)
    values = [_value(name, each, f"{field}.values[{place}]", styles) for place, each in enumerate(asked.values)]
    return Axis(name, tuple(values))


def _value(name: str, given: Any, field: str, styles: Mapping[str, StyleUse]) -> AxisValue:
    if name == "style":
        return style_of(given, styles, field)
    plain = isinstance(given, str | int | float) and (name not in OWN or isinstance(given, str))
    if not plain or (isinstance(given, float) and not abs(given) < float("inf")):
        raise _unreadable(field, given)
    found: AxisValue = given
    return found


def style_of(given: Any, styles: Mapping[str, StyleUse], field: str) -> tuple[StyleUse, ...]:
    """Return the styles of a value: names with a plus between, a list of names or of whole styles, or none.

    Args:
        given: from outside.
        styles: by the names that there are, in lower case.
        field: to blame.

    Raises:
        BadParameter: there is no such style, or there are too many.
    """
    if given is None or (isinstance(given, str) and given.strip().lower() in ("", NO_STYLE)):
        return ()
    parts = given.split("+") if isinstance(given, str) else given
    if not isinstance(parts, list | tuple):
        raise _unreadable(field, given)
    if len(parts) > MAX_STYLES:
        raise BadParameter("styles-too-many", field=field, limit=MAX_STYLES)
    return tuple(_style(each, styles, field) for each in parts)


def _style(given: Any, styles: Mapping[str, StyleUse], field: str) -> StyleUse:
    if isinstance(given, Mapping):
        try:
            return StyleUse.model_validate(dict(given))
        except ValidationError as error:
            raise _unreadable(field, given) from error
    found = styles.get(str(given).strip().lower()) if isinstance(given, str) else None
    if found is None:
        names = ", ".join(dict.fromkeys(each.id for each in styles.values()))
        raise BadParameter("style-unknown", field=field, name=repr(str(given)[:40]), names=names)
    return found


def _unreadable(field: str, given: object) -> BadParameter:
    try:
        shown = given if isinstance(given, str) else json.dumps(given)
    except (ValueError, TypeError, RecursionError):
        shown = type(given).__name__
    shown = " ".join(shown.encode("utf-8", "replace").decode().split())
    return BadParameter("axes-unreadable", field=field, part=shown if len(shown) <= 40 else shown[:37] + "...")
