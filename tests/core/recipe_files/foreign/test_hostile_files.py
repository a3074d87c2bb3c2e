"""Files that are made to break the parsers: nothing raises, and only text and numbers come out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, note, seed, settings
from hypothesis import strategies as st

from core.messages import render
from core.recipe_files.foreign import Foreign, Unmapped, read_foreign
from core.recipe_files.foreign.bounded_json import MAX_DEPTH, MAX_TEXT, parse_object
from core.recipe_files.foreign.draft import MAX_UNMAPPED
from core.spec import MAX_PROMPT, MAX_SEED
from tests.core.recipe_files.foreign.blocks import COMFYUI, FILES, NOVELAI_TEXTS
from tests.core.recipe_files.foreign.checks import left_out, read
from tests.support.hostile_texts import BOMBS, texts_of
from tests.support.hostile_texts import PLACES as PLACES_OF_BOMBS

SEED = 20261203
"""Every run makes the same files; a failure names it."""
EXAMPLES = 80
PLACES = [
    *("parameters", "prompt", "workflow", "Comment", "Description", "Software", "Dream", "sd-metadata"),
    *("invokeai_metadata", "fooocus_scheme", "exif:UserComment", "exif:Make", "exif:Model", "exif:Software", "comment"),
]
KEYS = [
    "steps",
    "seed",
    "strength",
    "guidance",
    "prompt",
    "image",
    "caption",
    "class_type",
    "inputs",
    "sui_image_params",
]
ODD_NUMBERS = [
    "NaN",
    "-Infinity",
    "1e400",
    "-1e400",
    "9" * 5000,
    "-0",
    "1e-400",
    "true",
    "null",
    "[]",
    "{}",
    '""',
    '"1e5"',
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


def check(found: Foreign | None) -> None:
    """Check that what was read is what `Foreign` promises."""
    if found is None:
        return
    assert found.prompt is None or 0 < len(found.prompt) <= MAX_PROMPT
    assert found.seed is None or (type(found.seed) is int and 0 <= found.seed <= MAX_SEED)
    ranges = {"strength": (0, 1, float), "num_inference_steps": (1, 50, int), "guidance_scale": (1, 20, float)}
    for name, value in found.params.items():
        low, high, kind = ranges[name]
        assert type(value) is kind
        assert low <= float(value) <= high
    assert len(found.unmapped) <= MAX_UNMAPPED
    for each in found.unmapped:
        assert len(each.name) <= 80
        assert len(each.value) <= 200
        assert render(each.why) != each.why.code
    json.dumps([found.prompt, *((each.name, each.value) for each in found.unmapped)], ensure_ascii=False).encode()


@seed(SEED)
@settings(deadline=None, max_examples=EXAMPLES)
@given(st.dictionaries(st.sampled_from(PLACES), st.text(max_size=200), max_size=4))
def test_any_texts(texts: dict[str, str]) -> None:
    note(f"seed {SEED}")
    check(read_foreign(texts))


@seed(SEED)
@settings(deadline=None, max_examples=EXAMPLES)
@given(st.sampled_from(PLACES), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_any_json(place: str, values: dict[str, Any]) -> None:
    note(f"seed {SEED}")
    text = json.dumps(values)
    for each in (text, json.dumps({"sui_image_params": values, "image": values, "1": values}), f"prompt:{text}"):
        check(read_foreign({place: each, "Software": "NovelAI", "fooocus_scheme": "fooocus"}))


@seed(SEED)
@settings(deadline=None, max_examples=2 * EXAMPLES)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_real_blocks_with_parts_cut_out_doubled_and_replaced(name: str, data: st.DataObject) -> None:
    note(f"seed {SEED}")
    texts = dict(FILES[name])
    for place in texts:
        text = texts[place]
        for _ in range(data.draw(st.integers(0, 3))):
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, min(len(text), start + 60)))
            piece = data.draw(
                st.sampled_from(["", text[start:end] * 2, '"', "\\", "\n", ",", ":", *"{}[]", "\0", "\ud800"])
                | st.text(max_size=5)
            )
            text = text[:start] + piece + text[end:]
        texts[place] = text
    check(read_foreign(texts))


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("number", ODD_NUMBERS, ids=lambda number: number[:12])
def test_odd_numbers_in_place_of_every_number(name: str, number: str) -> None:
    for place, text in FILES[name].items():
        values = parse_object(text)
        if values is not None:
            changed = json.dumps(_numbers_replaced(values)).replace('"<number>"', number)
            assert number in changed
            check(read_foreign({**FILES[name], place: changed}))


def _numbers_replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers_replaced(each) for name, each in value.items()} | {"added": "<number>"}
    if isinstance(value, list):
        return [_numbers_replaced(each) for each in value]
    return "<number>" if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_text_that_is_made_to_take_long_is_read_to_its_end(name: str) -> None:
    for place in PLACES_OF_BOMBS:
        check(read_foreign(texts_of(place, BOMBS[name])))


def test_a_text_beyond_the_limit_is_not_read() -> None:
    settings_line = "\nSteps: 20, Sampler: Euler, Seed: 8"
    assert read({"parameters": "a" * 5000 + settings_line}).seed == 8
    assert read_foreign({"parameters": "a" * MAX_TEXT + settings_line}) is None


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_depth_is_counted_before_json_is_read(opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    def nested(depth: int) -> str:
        return '{"a":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}"

    assert parse_object(nested(MAX_DEPTH)) is not None
    assert parse_object(nested(MAX_DEPTH + 1)) is None
    assert parse_object(nested(20_000)) is None


def test_brackets_in_texts_are_no_depth() -> None:
    assert parse_object('{"a": "' + '\\"[{' * 500 + '", "b": "\\\\"}') == {"a": '"[{' * 500, "b": "\\"}


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("a" * (MAX_PROMPT + 1), "prompt-too-long"), ("a \ud83d lake", "prompt-broken"), (["a"], "foreign-other")],
)
def test_a_prompt_that_does_not_fit_is_listed(prompt: object, code: str) -> None:
    found = read({"invokeai_metadata": json.dumps({"positive_prompt": prompt, "seed": 3})})
    assert (found.prompt, found.seed) == (None, 3)
    assert left_out(found)["positive_prompt"][1] == code


def test_long_values_are_cut_and_there_are_only_so_many() -> None:
    found = read({"invokeai_metadata": json.dumps({"seed": 3, **{f"{n}" * 90: ["x" * 300] for n in range(300)}})})
    assert len(found.unmapped) == MAX_UNMAPPED
    assert {(len(each.name), len(each.value)) for each in found.unmapped} == {(80, 200)}
    assert found.unmapped[0].value.endswith("x...")


def test_each_tool_is_told_from_the_others() -> None:
    sources = {name: read(texts).source for name, texts in FILES.items()}
    assert sources == {
        **{name: name for name in ("a1111", "invokeai", "comfyui", "fooocus", "swarmui", "novelai")},
        "forge": "a1111",
        "fooocus-text": "fooocus",
    }


def test_values_of_another_type_than_text_are_passed_over() -> None:
    assert read_foreign({"parameters": b"Steps: 1", "prompt": None, "Comment": 3}) is None  # type: ignore[dict-item]


def test_what_is_read_does_not_change() -> None:
    found = read(NOVELAI_TEXTS)
    with pytest.raises(AttributeError):
        found.seed = 1  # type: ignore[misc]
    assert isinstance(found.unmapped[0], Unmapped)


def test_a_workflow_keeps_its_order() -> None:
    names = [each.name for each in read({"prompt": json.dumps(COMFYUI)}).unmapped]
    assert names == ["sampler_name", "scheduler", "VAELoader", "DualCLIPLoader", "UNETLoader"]
