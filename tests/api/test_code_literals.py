"""The code of a result holds the recipe's texts as they are, and nothing that cannot be seen."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.studio.code.codes import own_call
from api.studio.code.curl import curl
from api.studio.code.javascript import javascript
from api.studio.code.parts import Files
from api.studio.code.python import python
from core.http_call import HttpCall
from core.recipe import ImageRef, Recipe, StyleUse
from tests.support.recipes import RECIPES

MODEL = "flux/srpo/image-to-image"
TEXTS = st.text() | st.text(st.sampled_from("'\"\\$`{}<>/!%\r\n \x7f\u2028\u202e\ud83d\ude00JSONEF"))
"""Lone surrogates are among them."""


def call_of(prompt: str, style: str, name: str) -> HttpCall:
    recipe = Recipe.model_construct(
        prompt=prompt,
        style=(StyleUse.model_construct(id="s", weight=1.0, text=style),),
        params={"strength": 0.5, "steps": 28, "on": True, "off": False, "text": style},
        seed=7,
    )
    return own_call(recipe, f"http://{name}", MODEL)


CALLS = st.builds(call_of, TEXTS, TEXTS, st.text("abc'\"$`\\ ;", min_size=1))
FILES = Files("reference.png", "image/png", "result.png")


def as_sent(body: Any) -> Any:
    return json.loads(json.dumps(dict(body)))


@given(CALLS)
def test_pythons_literals_are_the_values(call: HttpCall) -> None:
    tree = ast.parse(python(call, FILES))
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name)
    }
    assert ast.literal_eval(values["body"]) == call.body
    asked = values["answer"]
    assert isinstance(asked, ast.Call)
    assert ast.literal_eval(asked.args[0]) == call.url


@given(CALLS)
def test_javascripts_body_is_json_without_a_tag(call: HttpCall) -> None:
    code = javascript(call, FILES)
    found = re.search(r"^  const body = (\{$.*?^  \});$", code, re.MULTILINE | re.DOTALL)
    assert found
    assert "<" not in found[1]
    assert json.loads(found[1]) == as_sent(call.body)


@given(CALLS)
def test_the_shells_document_ends_where_the_body_does(call: HttpCall) -> None:
    lines = curl(call, FILES).split("\n")
    begin = lines.index("  cat <<'JSON'")
    end = lines.index("JSON", begin)
    assert lines.count("JSON") == 1
    sent = json.loads("\n".join(lines[begin + 1 : end]) + '"data:"}')
    assert sent == {**as_sent(call.body), "image_url": "data:"}


@pytest.mark.parametrize("write", [curl, python, javascript])
@given(call=CALLS)
def test_what_cannot_be_seen_is_escaped(write: Any, call: HttpCall) -> None:
    code = write(call, FILES)
    assert all(line.isprintable() for line in code.split("\n"))
    code.encode()


@pytest.mark.parametrize("write", [curl, python, javascript])
@given(recipe=RECIPES)
def test_every_recipe_has_code(write: Any, recipe: Recipe) -> None:
    assert Files.of(recipe).reference in write(
        own_call(recipe.model_copy(update={"seed": 7}), "http://127.0.0.1:7860", MODEL), Files.of(recipe)
    )


def test_the_files_are_named_by_what_they_are() -> None:
    reference = ImageRef(digest="0" * 64, mime="image/jpeg", width=1, height=1, size=1)
    recipe = Recipe(backend="local", prompt="a", params={"output_format": "jpeg"}, seed=1, seeds=(1,))
    assert Files.of(recipe) == Files("reference.png", "image/png", "result.jpg")
    assert Files.of(recipe.model_copy(update={"reference": reference})).reference == "reference.jpg"
