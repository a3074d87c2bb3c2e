"""Our own recipe, back out of a file's texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from core.recipe import Recipe
from core.recipe_files import jpeg_file, png_file, xmp

MAX_RECIPE = 1_000_000
"""Characters of JSON. The longest prompt that is taken has 4,000."""


def read_own(texts: Mapping[str, str]) -> Recipe | None:
    """Return the recipe that `embed` wrote, None where there is none or it is damaged.

    It has no more authority than any text from outside: its backend, model and parameters are to be checked against
    what is offered here.

    Args:
        texts: of `texts_of`.
    """
    return next((recipe for each in _candidates(texts) if (recipe := _recipe(each)) is not None), None)


def _candidates(texts: Mapping[str, str]) -> Iterator[str]:
    yield texts.get(png_file.RECIPE, "")
    for key in ("xmp", jpeg_file.EXTENDED):
        yield xmp.properties_of(texts.get(key, "")).get(xmp.RECIPE, "")


def _recipe(text: str) -> Recipe | None:
    if not text or len(text) > MAX_RECIPE:
        return None
    try:
        return Recipe.model_validate_json(text)  # which refuses JSON that is 200 deep
    except ValidationError:
        return None
