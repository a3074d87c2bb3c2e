"""The recipe as it may leave the app inside a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.imaging.sources import is_address, is_data_uri
from core.recipe import Recipe, Value

_PRIVATE = re.compile(
    "(account|address|apikey|auth|authorization|callback|cookie|credential|email|endpoint|host|hostname|ip|key|mail|owner"
    "|password|path|secret|session|token|uri|url|user|username|visitor|webhook)(s|es)?"
)
"""Words in the names of fields that no public copy has."""
_WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+")


def public_recipe(recipe: Recipe) -> Recipe:
    """Return the copy of a recipe that is embedded in files.

    In it are: backend, model and app's version, prompt, styles, parameters, seeds and the index; of the reference, the
    mask and the parent picture their digests, types and sizes, by which the owner can find them again.

    Not in it are a key, an address, an owner, or the reference itself: a recipe has no field for them. Fields of newer
    versions, which are unknown here, stay, except those whose names are of such things (`api_key`, `ownerId`) or whose
    texts are addresses or data URIs; parameters likewise. What a person wrote into the prompt stays as it is.
    """
    return Recipe.model_validate({**_public(recipe), "params": _cleaned(recipe.params)})


def _public(value: Any) -> Any:
    """Return a value of the recipe as data; unknown fields are cleaned at every level."""
    if isinstance(value, Value):
        known = {name: _public(getattr(value, name)) for name in type(value).model_fields}
        return {**known, **_cleaned(value.model_extra or {})}
    return [_public(each) for each in value] if isinstance(value, tuple) else value


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _cleaned(each) for name, each in value.items() if not _is_private(name, each)}
    return [_cleaned(each) for each in value if not _is_private("", each)] if isinstance(value, list | tuple) else value


def _is_private(name: str, value: Any) -> bool:
    words = (word.lower() for word in _WORD.findall(name))
    is_place = isinstance(value, str) and (is_address(value) or is_data_uri(value))
    return is_place or any(map(_PRIVATE.fullmatch, words))
