"""Evolve a look: recipes near the favourites of a person, each with the reasons why it is one.

Crossing takes each part of a recipe from one favourite or another; nudging moves a number a little within the range of
the backend's spec. What is drawn depends on a seed alone, so the same call gives the same neighbours.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import BadParameter
from core.messages import Message, message
from core.recipe import MAX_STYLES, Model, Recipe, StyleUse, compose, composed
from core.spec import MAX_PROMPT, AnyParam, BackendSpec, Integer, Number, ParamValue, nearest
from core.terms import IMAGES, SEED

MAX_FAVOURITES = 4
"""Recipes that are crossed at a time."""
SMALLEST, LARGEST = 0.03, 0.12
"""How far a number is nudged: shares of its range."""
TRIES = 20
"""Draws for one neighbour; all of them give what is there already only where a spec leaves hardly any room."""


@dataclass(frozen=True)
class Neighbour:
    """A recipe near some favourites.

    Attributes:
        recipe: of one picture, valid for its backend's spec.
        reasons: what it has from whom, and what is new. A favourite stands in a message's values as the message
            `evolve-parent` with its `position` from 0.
    """

    recipe: Recipe
    reasons: tuple[Message, ...]


def neighbours(
    favourites: Sequence[Recipe], specs: Mapping[str, BackendSpec], seed: int, count: int = 8
) -> list[Neighbour]:
    """Return recipes near some favourites, no two alike and none like a favourite.

    Each begins with a favourite, one after the other: it keeps that one's backend, reference and rare settings.
    Strength, guidance and the spec's other numbers that are not advanced, prompt, styles and seed may come from another
    favourite, brought into the range of the backend; the numbers may be nudged, the seed may be new.

    Args:
        favourites: 1 to 4 recipes.
        specs: of the backends, by key.
        seed: decides what is drawn.
        count: how many to return.

    Returns:
        `count` neighbours; fewer only where the spec has no room for so many.

    Raises:
        BadParameter: there are no favourites or too many, or one has no prompt or no backend that is here.
    """
    _check(favourites, specs)
    dice = random.Random(seed)  # noqa: S311 - draws settings, guards nothing
    known = {_look(each, specs[each.backend]) for each in favourites}
    found: list[Neighbour] = []
    for number in range(count):
        order = [(number + each) % len(favourites) for each in range(len(favourites))]
        for tried in range(TRIES):
            made = _Cross(favourites, specs, order, dice).made(new_seed=tried > 0)
            look = _look(made.recipe, specs[made.recipe.backend])
            if look not in known:
                known.add(look)
                found.append(made)
                break
    return found


def _check(favourites: Sequence[Recipe], specs: Mapping[str, BackendSpec]) -> None:
    if not 1 <= len(favourites) <= MAX_FAVOURITES:
        raise BadParameter("evolve-favourites", field="favourites", limit=MAX_FAVOURITES)
    for number, each in enumerate(favourites):
        place = f"favourites[{number}]"
        if each.backend not in specs:
            raise BadParameter(
                "backend-unknown", field=f"{place}.backend", backend=each.backend, backends=", ".join(specs)
            )
        length = len(compose(each))
        if not length:
            raise BadParameter("prompt-empty", field=f"{place}.prompt")
        if length > MAX_PROMPT:
            raise BadParameter("prompt-too-long", field=f"{place}.prompt", length=length, limit=MAX_PROMPT)


def _look(recipe: Recipe, spec: BackendSpec) -> tuple[object, ...]:
    """Return what decides a picture; how many are made beside it does not."""
    params = _fitting(recipe, spec)
    return (
        recipe.backend,
        recipe.prompt.strip(),
        tuple((each.id, each.weight, each.text) for each in recipe.style),
        tuple(params.items()),
        _seed_of(recipe, spec),
        recipe.reference.digest if recipe.reference else None,
        recipe.mask.digest if recipe.mask else None,
    )


def _fitting(recipe: Recipe, spec: BackendSpec) -> dict[str, ParamValue]:
    """Return the values of a recipe as a backend has them, of one picture, without the seed."""
    values: dict[str, ParamValue] = {}
    for param in spec.params:
        if param.name not in (SEED.name, IMAGES.name):
            value = _value(recipe, param)
            if value is not None:
                values[param.name] = value
    return values


def _value(recipe: Recipe, param: AnyParam) -> ParamValue | None:
    return nearest(param, recipe.params[param.name]) if param.name in recipe.params else param.default


def _seed_param(spec: BackendSpec) -> Integer:
    param = spec.by_name[SEED.name]
    assert isinstance(param, Integer)
    return param


def _seed_of(recipe: Recipe, spec: BackendSpec) -> int:
    """Return the seed of a recipe's picture as a backend takes it."""
    return _seed_param(spec).clamp(recipe.own_seed)


def _parent(position: int) -> Message:
    return message("evolve-parent", position=position)


def _shown(value: ParamValue) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass
class _Cross:
    """One recipe in the making.

    Attributes:
        order: the favourites' positions; it begins with the first of them.
    """

    favourites: Sequence[Recipe]
    specs: Mapping[str, BackendSpec]
    order: Sequence[int]
    dice: random.Random
    reasons: list[Message] = field(default_factory=list)

    @property
    def base(self) -> Recipe:
        return self.favourites[self.order[0]]

    @property
    def spec(self) -> BackendSpec:
        return self.specs[self.base.backend]

    def made(self, new_seed: bool) -> Neighbour:
        if len(self.order) > 1:
            self.reasons.append(message("evolve-base", parent=_parent(self.order[0])))
        prompt, style = self._words()
        params = self._params()
        seed = self._seed(new_seed)
        recipe = Recipe(
            backend=self.spec.key,
            model=Model(id=self.spec.model),
            prompt=prompt,
            style=style,
            params=params,
            seed=seed,
            seeds=(seed,),
            reference=self.base.reference,
            origin=self.base.origin,
            mask=self.base.mask,
            parent=self.base.parent,
        )
        return Neighbour(recipe, tuple(self.reasons))

    def _chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def _other(self, probability: float) -> int | None:
        """Return the position of another favourite, or None for the one that this begins with."""
        return self.dice.choice(self.order[1:]) if len(self.order) > 1 and self._chance(probability) else None

    def _words(self) -> tuple[str, tuple[StyleUse, ...]]:
        """Return the prompt and the styles; those that it begins with where others would be too long together."""
        prompt, style = self.base.prompt.strip(), self.base.style
        reasons = []
        other = self._other(0.25)
        if other is not None and self.favourites[other].prompt.strip() != prompt:
            prompt = self.favourites[other].prompt.strip()
            reasons.append(message("evolve-prompt", parent=_parent(other)))
        other = self._other(0.5)
        if other is not None and self.favourites[other].style != style:
            theirs = self.favourites[other].style
            own = {each.id for each in style}
            both = (*style, *(each for each in theirs if each.id not in own))
            if self._chance(0.5) and len(style) < len(both) <= MAX_STYLES and style:
                style = both
                reasons.append(message("evolve-styles", one=_parent(self.order[0]), other=_parent(other)))
            else:
                style = theirs
                reasons.append(message("evolve-style", parent=_parent(other)))
        if not 1 <= len(composed(prompt, style)) <= MAX_PROMPT:
            return self.base.prompt.strip(), self.base.style
        self.reasons += reasons
        return prompt, style

    def _params(self) -> dict[str, ParamValue]:
        values = _fitting(self.base, self.spec)
        for param in self.spec.params:
            if param.name in values and isinstance(param, Number | Integer) and not param.advanced:
                values[param.name] = self._number(param, values[param.name])
        images = self.spec.by_name.get(IMAGES.name)
        if isinstance(images, Integer):
            values[images.name] = images.clamp(1)
        return {param.name: values[param.name] for param in self.spec.params if param.name in values}

    def _number(self, param: Number | Integer, own: ParamValue) -> ParamValue:
        """Return a number: of the favourite that this begins with or of another, nudged or not."""
        before, other = own, self._other(0.5)
        if other is not None:
            theirs = _value(self.favourites[other], param)
            if theirs is None or theirs == own:
                other = None
            else:
                before = theirs
        after = self._nudged(param, float(before)) if self._chance(0.5) else before
        if after != before and other is None:
            shown = {"before": _shown(before), "after": _shown(after)}
            self.reasons.append(message("param-adjusted", label=param.label, **shown))
        elif after != before and other is not None:
            shown = {"before": _shown(before), "after": _shown(after)}
            self.reasons.append(message("evolve-taken-nudged", label=param.label, parent=_parent(other), **shown))
        elif other is not None:
            self.reasons.append(message("evolve-taken", label=param.label, parent=_parent(other)))
        return after

    def _nudged(self, param: Number | Integer, value: float) -> ParamValue:
        """Return a value somewhat higher or lower, on a step of the slider; the other way where there is no room."""
        step = param.step if isinstance(param, Number) else 1
        far = max(step, (param.maximum - param.minimum) * self.dice.uniform(SMALLEST, LARGEST))
        if self._chance(0.5):
            far = -far
        if not param.minimum <= value + far <= param.maximum:
            far = -far
        return param.snap(value + far)

    def _seed(self, new: bool) -> int:
        """Return a seed of a favourite or a new one."""
        if new or self._chance(0.5):
            self.reasons.append(message("evolve-new-seed"))
            param = _seed_param(self.spec)
            return self.dice.randint(max(1, param.minimum), param.maximum)
        own, other = _seed_of(self.base, self.spec), self._other(0.5)
        theirs = own if other is None else _seed_of(self.favourites[other], self.spec)
        if other is not None and theirs != own:
            self.reasons.append(message("evolve-seed", parent=_parent(other)))
        return theirs
