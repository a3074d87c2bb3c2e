"""The recipe: lossless as JSON both ways, in every version, and composed into the prompt that is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.recipe import Recipe, StyleUse, compose, schema
from tests.support.recipes import NAMES, RECIPES, WORDS

ROOT = Path(__file__).resolve().parents[2]
PLAIN = Recipe(backend="local", prompt="a lake", params={"strength": 0.6}, seed=7, seeds=(7, 8))


@settings(deadline=None)  # a busy machine may stop for a second
@given(RECIPES)
def test_any_recipe_survives_json_and_fits_its_schema(recipe: Recipe) -> None:
    text = recipe.model_dump_json()
    again = Recipe.model_validate_json(text)
    assert again == recipe
    assert [type(each) for each in again.params.values()] == [type(each) for each in recipe.params.values()]
    jsonschema.validate(json.loads(text), schema())


@settings(deadline=None)
@given(RECIPES, st.dictionaries(NAMES.map("new_{}".format), st.integers() | WORDS | st.lists(WORDS), min_size=1))
def test_fields_of_a_newer_version_stay_at_every_level(recipe: Recipe, more: dict[str, Any]) -> None:
    newer = json.loads(recipe.model_dump_json()) | {"version": 2, **more}
    for part in ("model", "reference", "mask"):
        if newer[part] is not None:
            newer[part] |= more
    for style in newer["style"]:
        style |= more
    assert json.loads(Recipe.model_validate(newer).model_dump_json()) == newer


def test_the_schema_in_the_documents_is_this_one() -> None:
    assert json.loads((ROOT / "docs" / "recipe.schema.json").read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"seeds": []}, "seeds"),
        ({"params": {"strength": float("nan")}}, "params"),
        ({"params": {"strength": [1]}}, "params"),
        ({"parent": "../secret"}, "parent"),
        ({"reference": {"digest": "x", "mime": "image/png", "width": 1, "height": 1, "size": 1}}, "reference"),
        ({"style": [{"id": "a", "text": "b", "weight": 3}]}, "style"),
        ({"version": 0}, "version"),
        ({"prompt": None}, "prompt"),
    ],
)
def test_what_is_no_recipe_is_refused_at_its_field(change: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Recipe.model_validate(PLAIN.model_dump() | change)
    assert {str(each["loc"][0]) for each in refused.value.errors()} == {place}


def test_a_recipe_does_not_change() -> None:
    with pytest.raises(ValidationError):
        PLAIN.seed = 8  # type: ignore[misc]
    assert PLAIN.with_params(strength=0.9).params == {"strength": 0.9}
    assert PLAIN.params == {"strength": 0.6}


def style(text: str, weight: float = 1.0) -> StyleUse:
    return StyleUse(id=text, text=text, weight=weight)


@pytest.mark.parametrize(
    ("prompt", "styles", "sent"),
    [
        ("a lake", (), "a lake"),
        (" a lake ", (style("at night"),), "a lake, at night"),
        ("", (style("at night"),), "at night"),
        (
            "a lake, blue",
            (style("an oil painting, thick"), style("at night")),
            "a lake, blue, an oil painting, thick, at night",
        ),
        ("a lake", (style("a"), style("b", 1.5), style("c", 0.5)), "a lake, b, a, c"),
        ("a lake", (style("a", 0),), "a lake"),
        ("a lake", (style("  "),), "a lake"),
    ],
)
def test_the_sent_prompt_is_the_persons_words_then_the_styles_heavier_first(
    prompt: str, styles: tuple[StyleUse, ...], sent: str
) -> None:
    assert compose(PLAIN.model_copy(update={"prompt": prompt, "style": styles})) == sent


@pytest.mark.parametrize(("index", "seed"), [(None, 7), (0, 7), (1, 8), (2, 7)])
def test_a_picture_has_its_own_seed_and_a_whole_job_its_first(index: int | None, seed: int) -> None:
    assert PLAIN.model_copy(update={"index": index}).own_seed == seed
