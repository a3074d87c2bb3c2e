"""The public copy of a recipe: all that repeats the picture, nothing that says whose it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from core.recipe import Recipe
from core.recipe_files.containers import texts_of
from core.recipe_files.embed import Embed, embed
from core.recipe_files.public import public_recipe
from tests.core.recipe_files.files import FILES, RECIPE
from tests.support.recipes import RECIPES

PRIVATE = {
    "api_key": "sk-123",
    "apiKey": "sk-123",
    "KEYS": ["sk-123"],
    "owner": "me-123",
    "ownerId": "me-123",
    "client_address": "10.1.2.3",
    "ip": "10.1.2.3",
    "hf_token": "hf-123",
    "webhook_urls": ["x"],
    "reference_from": "https://me-123.example/a.png",
    "reference_file": "data:image/png;base64,sk-123",
}


@settings(deadline=None)
@given(RECIPES)
def test_the_fields_of_today_are_all_public(recipe: Recipe) -> None:
    public = public_recipe(recipe)
    assert public.model_copy(update={"params": recipe.params}) == recipe
    assert public.params.items() <= recipe.params.items()
    assert public_recipe(public) == public


@pytest.mark.parametrize("name", PRIVATE)
def test_private_fields_of_a_newer_version_are_left_out_at_every_level(name: str) -> None:
    private = {name: PRIVATE[name]}
    newer: dict[str, Any] = json.loads(RECIPE.model_dump_json()) | private
    for each in (newer["model"], newer["style"][0], newer["reference"]):
        each.update(private)
    newer["depth"] = {"map": [1, 2], **private, "list": [private, "kept"]}
    public = json.loads(public_recipe(Recipe.model_validate(newer)).model_dump_json())
    assert public == json.loads(RECIPE.model_dump_json()) | {"depth": {"map": [1, 2], "list": [{}, "kept"]}}


def test_the_digest_of_the_reference_stays() -> None:
    assert public_recipe(RECIPE).reference == RECIPE.reference


@pytest.mark.parametrize("kind", FILES)
def test_what_is_private_is_in_no_file(kind: str) -> None:
    mime, data = FILES[kind]
    recipe = Recipe.model_validate({**RECIPE.model_dump(), **PRIVATE, "params": {**RECIPE.params, "token": "sk-123"}})
    made = embed(data, mime, recipe, what=Embed.RECIPE)
    for secret in ("sk-123", "me-123", "hf-123", "10.1.2.3"):
        assert secret.encode() not in made
        assert not any(secret in text for text in texts_of(made).values())
