"""Recipes out of files: of this app's pictures, and the settings that other tools write into theirs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request

from api.studio.references import References
from api.studio.views import View
from core.job import Visitor
from core.recipe import Recipe
from core.recipe_files.containers import texts_of
from core.recipe_files.foreign import Foreign, read_foreign
from core.recipe_files.read import read_own

OURS, NONE = "srpo-studio", "none"
"""Where a recipe is from, beside the other tools."""


class Recipes:
    """Reads recipes.

    Args:
        references: take in the files.
    """

    def __init__(self, references: References) -> None:
        self._references = references

    async def read(self, visitor: Visitor, request: Request) -> View:
        """Return what the file in a request's form says of how it was made. The file is not stored.

        Raises:
            StudioError: there is no file, or too much was sent.
        """
        async with self._references.received(visitor, request) as path:
            return await asyncio.to_thread(read_recipe, path)


def read_recipe(path: Path) -> View:
    """Return the recipe in a picture's file: where it is from, what it sets, and what cannot be mapped.

    Nothing in a file has any authority: whoever applies a recipe checks its backend and values against the specs.
    """
    texts = texts_of(path.read_bytes())
    own = read_own(texts)
    if own is not None:
        return {"source": OURS, "recipe": _own(own), "unmapped": []}
    foreign = read_foreign(texts)
    if foreign is not None:
        return {"source": foreign.source.value, "recipe": _foreign(foreign), "unmapped": _unmapped(foreign)}
    return {"source": NONE, "recipe": None, "unmapped": []}


def _own(recipe: Recipe) -> View:
    view = recipe.model_dump(mode="json")
    fields = ("backend", "prompt", "style", "params", "seed", "seeds", "index", "reference", "parent")
    return {"model": view["model"]["id"], **{name: view[name] for name in fields}}


def _foreign(found: Foreign) -> View:
    return {
        "model": None,
        "backend": None,
        "prompt": found.prompt,
        "style": [],
        "params": found.params,
        "seed": found.seed,
        "seeds": [],
        "index": None,
        "reference": None,
        "parent": None,
    }


def _unmapped(found: Foreign) -> list[View]:
    return [{"name": each.name, "value": each.value, "why": each.why.as_json()} for each in found.unmapped]
