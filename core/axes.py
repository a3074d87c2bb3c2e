"""The axes of an experiment: in what its cells differ, and the order in which they begin."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import BadParameter
from core.experiment import Cell
from core.imaging.images import Reference
from core.messages import Message, message
from core.recipe import StyleUse
from core.request import EditRequest, draw_seed
from core.spec import BackendSpec, Integer, Number, ParamValue
from core.terms import is_neutral

OWN = ("backend", "reference", "prompt", "style")
"""Axes that are no parameter, the one first whose cells share the most work."""
MOST_AXES = 3

AxisValue = ParamValue | tuple[StyleUse, ...]
"""A value of an axis: of a parameter, a prompt, a backend's key, a reference's digest, or the styles of a cell."""


@dataclass(frozen=True)
class Axis:
    """What differs along one side of an experiment.

    Attributes:
        name: a parameter's name, or one of `OWN`.
        values: at least one, in the order of the screen.
    """

    name: str
    values: tuple[AxisValue, ...]


@dataclass(frozen=True)
class Base:
    """What all cells have, where no axis says something else.

    Attributes:
        backend: its key.
        prompt: as a person wrote it.
        style: the styles, in order.
        params: by name; a seed that is not given is drawn once, for all cells.
        reference: its digest.
    """

    backend: str
    prompt: str
    style: tuple[StyleUse, ...]
    params: Mapping[str, Any]
    reference: str


def written(base: Base, axes: Sequence[Axis]) -> dict[str, Any]:
    """Return as JSON what `read` reads."""
    return {
        "reference": base.reference,
        "base": {
            "backend": base.backend,
            "prompt": base.prompt,
            "style": [each.model_dump() for each in base.style],
            "params": dict(base.params),
        },
        "axes": [{"name": axis.name, "values": [_plain(value) for value in axis.values]} for axis in axes],
    }


def read(written: Mapping[str, Any]) -> tuple[Base, list[Axis]]:
    """Return the base and the axes of an experiment that was written as JSON."""
    facts = written["base"]
    style = tuple(StyleUse.model_validate(each) for each in facts["style"])
    base = Base(facts["backend"], facts["prompt"], style, facts["params"], written["reference"])
    axes = [Axis(each["name"], tuple(value_of(value) for value in each["values"])) for each in written["axes"]]
    return base, axes


def value_of(value: Any) -> AxisValue:
    """Return an axis' value; styles come as a list."""
    if isinstance(value, list):
        return tuple(StyleUse.model_validate(each) for each in value)
    found: ParamValue = value
    return found


def _plain(value: AxisValue) -> Any:
    return [each.model_dump() for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Plan:
    """What an experiment makes.

    Attributes:
        cells: in the order in which they begin.
        adapted: what was changed for a backend that does not take it, each once.
        base: what all cells have in common, the seed drawn where none was given.
        axes: in what they differ.
    """

    cells: tuple[Cell, ...]
    adapted: tuple[Message, ...]
    base: Base
    axes: tuple[Axis, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plan, without its cells, as an experiment's row has it."""
        return {**written(self.base, self.axes), "adapted": [each.as_json() for each in self.adapted]}


def plan(
    base: Base,
    axes: Sequence[Axis],
    specs: Mapping[str, BackendSpec],
    references: Mapping[str, tuple[Reference, str | None]],
    limit: int,
) -> Plan:
    """Return the cells of an experiment.

    Args:
        base: what they have in common.
        axes: at most three, each with another name.
        specs: of all backends by their keys.
        references: by digest, each with the digest of the result that it was.
        limit: cells, the most.

    Raises:
        BadParameter: its field is where it does not fit: `axes`, `axes[0].values[2]`, or one of the base's.
    """
    _check(axes, limit)
    if base.params.get("seed") is None and not any(axis.name == "seed" for axis in axes):
        base = replace(base, params={**base.params, "seed": draw_seed()})
    adapted: dict[Message, None] = {}
    cells = []
    for at in order(axes):
        chosen = {axis.name: axis.values[place] for axis, place in zip(axes, at, strict=True)}
        try:
            cells.append(Cell(at, _request(base, chosen, specs, references, adapted)))
        except BadParameter as error:
            names = [axis.name for axis in axes]
            if error.field in names:
                number = names.index(error.field)
                unknown = error.code == "setting-unknown"
                error.field = f"axes[{number}].name" if unknown else f"axes[{number}].values[{at[number]}]"
            raise
    return Plan(tuple(cells), tuple(adapted), base, tuple(axes))


def _check(axes: Sequence[Axis], limit: int) -> None:
    if not 1 <= len(axes) <= MOST_AXES:
        raise BadParameter("axes-number", field="axes", limit=MOST_AXES)
    names = [axis.name for axis in axes]
    for number, axis in enumerate(axes):
        if axis.name in names[:number]:
            raise BadParameter("axes-twice", field=f"axes[{number}].name", name=axis.name)
        if not axis.values:
            raise BadParameter("axes-empty", field=f"axes[{number}].values", name=axis.name)
        for place, value in enumerate(axis.values):
            if value in axis.values[:place]:
                raise BadParameter("axes-value-twice", field=f"axes[{number}].values[{place}]", name=axis.name)
    count = math.prod(len(axis.values) for axis in axes)
    if count > limit:
        raise BadParameter("axes-too-many-cells", field="axes", count=count, limit=limit)


def _request(
    base: Base,
    chosen: Mapping[str, AxisValue],
    specs: Mapping[str, BackendSpec],
    references: Mapping[str, tuple[Reference, str | None]],
    adapted: dict[Message, None],
) -> EditRequest:
    key = chosen.get("backend", base.backend)
    spec = specs.get(str(key))
    if spec is None:
        raise BadParameter("backend-unknown", field="backend", backend=str(key), backends=", ".join(specs))
    image, parent = references[str(chosen.get("reference", base.reference))]
    style = chosen.get("style", base.style)
    assert isinstance(style, tuple)
    values = {**base.params, **{name: value for name, value in chosen.items() if name not in OWN}}
    values.pop("num_images", None)
    values = {name: value for name, value in values.items() if value is not None}
    fitting = _fitted(values, spec, specs.get(base.backend, spec), adapted)
    return EditRequest.build(spec, chosen.get("prompt", base.prompt), image, fitting, style, parent)


def _fitted(
    values: Mapping[str, Any], spec: BackendSpec, home: BackendSpec, adapted: dict[Message, None]
) -> dict[str, Any]:
    """Return the values that a backend takes: numbers within its ranges, without what it does not know.

    Args:
        values: by name.
        spec: the backend's.
        home: of the backend that the values were set for: what it refuses is a mistake, and nothing to adapt.
        adapted: what was changed is added to it.
    """
    fitting: dict[str, Any] = {}
    for name, value in values.items():
        param = spec.by_name.get(name)
        if param is None:
            if name not in home.by_name:
                fitting[name] = value  # refused where the request is built
            elif not is_neutral(name, value):
                adapted[message("adapted-dropped", param=home.by_name[name].label, backend=spec.label)] = None
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(param, Number | Integer) and number and not param.minimum <= value <= param.maximum:
            fitting[name] = param.clamp(value)
            to = f"{fitting[name]:g}"
            changed = message("adapted-clamped", param=param.label, value=f"{value:g}", to=to, backend=spec.label)
            adapted[changed] = None
            continue
        try:
            fitting[name] = param.validate(value)
        except BadParameter:
            if spec.key == home.key:
                raise
            adapted[message("adapted-dropped", param=param.label, backend=spec.label)] = None
    return fitting


def order(axes: Sequence[Axis]) -> list[tuple[int, ...]]:
    """Return the places of all cells in the order in which they begin.

    Along numbers the ends come first, then the middles between what is there, so that after each round the whole range
    is covered evenly. Cells of one round that share a backend, a reference and a prompt follow each other, and most
    closely those that differ in their seed alone: some backends make them as one run.
    """
    rounds = [_rounds(len(axis.values)) if _is_ordered(axis) else [0] * len(axis.values) for axis in axes]
    outer = sorted(range(len(axes)), key=lambda number: _depth(axes[number].name))

    def when(at: tuple[int, ...]) -> tuple[int, ...]:
        own = [rounds[number][place] for number, place in enumerate(at)]
        return (max(own), *(at[number] for number in outer))

    return sorted(itertools.product(*(range(len(axis.values)) for axis in axes)), key=when)


def _depth(axis: str) -> int:
    """Return how far inside an axis is: the less work its cells share with their neighbours, the further out."""
    return len(OWN) + 1 if axis == "seed" else (*OWN, axis).index(axis)


def _is_ordered(axis: Axis) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in axis.values)
    return numbers and axis.name != "seed"


def _rounds(count: int) -> list[int]:
    """Return in which round each of so many values comes: first the ends, then the middles between what was there."""
    rounds = [0] * count
    gaps = [(0, count - 1)]
    number = 1
    while gaps:
        further = []
        for low, high in gaps:
            if high - low > 1:
                middle = (low + high) // 2
                rounds[middle] = number
                further += [(low, middle), (middle, high)]
        gaps, number = further, number + 1
    return rounds


def spread(param: Number | Integer, low: float, high: float, count: int) -> tuple[float, ...]:
    """Return so many values from `low` to `high`, both included, at even distances and on the parameter's own grid.

    Args:
        param: the parameter; its range is not looked at.
        low, high: in either order.
        count: at least 2; fewer values come back where the grid has fewer.

    Raises:
        BadParameter: there are fewer than two.
    """
    if count < 2 or not (math.isfinite(low) and math.isfinite(high)):
        raise BadParameter("axes-range", field="axes", name=param.name)
    values = [low + (high - low) * number / (count - 1) for number in range(count)]
    if isinstance(param, Integer):
        return tuple(dict.fromkeys(round(value) for value in values))
    digits = max(0, math.ceil(-math.log10(param.step)))
    return tuple(dict.fromkeys(round(round(value / param.step) * param.step, digits) for value in values))


def replaced(prompt: str, search: str, replacements: Sequence[str]) -> tuple[str, ...]:
    """Return the prompts that have another word in the place of a word of a prompt.

    Args:
        prompt: has it.
        search: the word, or words; case counts.
        replacements: what stands there instead.

    Raises:
        BadParameter: the prompt has it not.
    """
    if not search or search not in prompt:
        raise BadParameter("axes-search", field="axes", search=search)
    return tuple(prompt.replace(search, each) for each in replacements)
