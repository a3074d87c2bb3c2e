"""Settings as AUTOMATIC1111's readers take them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings

from core.recipe import UNKNOWN, Model, Recipe, compose
from core.recipe_files.infotext import infotext
from tests.core.recipe_files.files import RECIPE
from tests.support.recipes import RECIPES

NAME_AND_VALUE = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
"""`re_param` in AUTOMATIC1111's `modules/infotext_utils.py`; CivitAI and others took it over."""


def parsed(text: str) -> tuple[str, dict[str, str]]:
    """Return prompt and values as `parse_generation_parameters` in that file finds them."""
    *lines, last = text.strip().split("\n")
    found = NAME_AND_VALUE.findall(last)
    assert len(found) >= 3, "readers take the line for a part of the prompt"
    values = {name: json.loads(value) if value[:1] == value[-1:] == '"' else value for name, value in found}
    return "\n".join(lines), values


@settings(deadline=None)
@given(RECIPES)
def test_readers_find_every_value_and_the_prompt(recipe: Recipe) -> None:
    prompt, values = parsed(infotext(recipe, (768, 512)))
    assert prompt == compose(recipe).replace("\0", "").lstrip()
    assert values["Seed"] == str(
        recipe.seeds[recipe.index or 0] if recipe.index in range(len(recipe.seeds)) else recipe.seed
    )
    assert values["Size"] == "768x512"


def test_the_line_is_in_their_order() -> None:
    assert infotext(RECIPE, (768, 512)).split("\n") == [
        "a lake, 湖, an oil painting",
        "Steps: 20, Seed: 8, Size: 768x512, Model: black-forest-labs/FLUX.1-dev+tencent/SRPO, "
        "Denoising strength: 0.6, Distilled CFG Scale: 3.5, Version: SRPO Studio 1.0",
    ]


@pytest.mark.parametrize("name", ["a, b", "a: b", 'a "b"', "a\nb", '"a"', "a\\b, c", "模型, 二"])
def test_values_with_their_signs_in_them_are_quoted(name: str) -> None:
    text = infotext(RECIPE.model_copy(update={"model": Model(id=name)}), None)
    assert parsed(text)[1]["Model"] == name
    assert "Size" not in text


def test_what_is_not_known_is_left_out() -> None:
    recipe = RECIPE.model_copy(update={"model": Model(), "app": UNKNOWN, "params": {}, "index": None, "prompt": ""})
    assert infotext(recipe, None) == "an oil painting\nSeed: 7, Version: SRPO Studio"
