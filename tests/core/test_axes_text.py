"""Axes as programs write them: text and JSON say the same, and what cannot be read is named by its place."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.axes import OWN, Axis
from core.axes_text import Asked, Spread, axes_of, parsed
from core.errors import BadParameter
from core.messages import recorded
from core.recipe import StyleUse
from core.spec import Style
from core.styles import presets, styles_by_name
from tests.support.fakes import make_spec

OIL, INK = StyleUse(id="oil", text="in oil"), StyleUse(id="ink", text="in ink")
STYLES = {"oil": OIL, "oil painting": OIL, "ink": INK}
SPECS = {"local": make_spec("local")}


def axes(given: object) -> list[Axis]:
    return axes_of(given, SPECS, STYLES)


def test_a_short_text_names_axes_and_their_values() -> None:
    assert axes("strength: 0.3, 0.5, 0.7; seed: 1, 2, 3") == [
        Axis("strength", (0.3, 0.5, 0.7)),
        Axis("seed", (1, 2, 3)),
    ]
    assert axes("  seed : 1 ;\n\n strength:.5,-1e-1 ;") == [Axis("seed", (1,)), Axis("strength", (0.5, -0.1))]
    assert axes('prompt: a cat: red, "a dog, asleep; here", 1984\nenable_safety_checker: true, False') == [
        Axis("prompt", ("a cat: red", "a dog, asleep; here", "1984")),
        Axis("enable_safety_checker", (True, False)),
    ]
    assert axes('prompt: "a \\q"') == [Axis("prompt", ('"a \\q"',))]
    assert axes("style: oil, Oil painting + ink, none; backend: local, other") == [
        Axis("style", ((OIL,), (OIL, INK), ())),
        Axis("backend", ("local", "other")),
    ]


def test_a_range_is_spread_on_the_parameters_own_grid() -> None:
    assert axes("strength: 0.3..0.9 in 5") == [Axis("strength", (0.3, 0.45, 0.6, 0.75, 0.9))]
    assert axes("num_inference_steps: 10 .. 30 in 3") == [Axis("num_inference_steps", (10, 20, 30))]
    assert axes([{"name": "strength", "spread": {"low": 0.3, "high": 0.9, "count": 3}}]) == [
        Axis("strength", (0.3, 0.6, 0.9))
    ]
    assert parsed("prompt: 1..2 in 3") == [Asked("prompt", ("1..2 in 3",))]


def test_json_says_the_same_as_text_a_list_or_an_object_by_name() -> None:
    wanted = [Axis("strength", (0.3, 0.5)), Axis("style", ((OIL,), (OIL, INK), ()))]
    styles = ["oil", ["oil", {"id": "ink", "text": "in ink"}], None]
    as_list: list[Any] = [{"name": "strength", "values": [0.3, 0.5]}, {"name": "style", "values": styles}]
    assert axes(as_list) == axes(json.dumps(as_list)) == wanted
    assert axes({"strength": [0.3, 0.5], "style": styles}) == wanted
    assert axes(as_list[0]) == wanted[:1]


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ("", "axes", "axes-number"),
        (" ; ", "axes", "axes-number"),
        ([], "axes", "axes-number"),
        ("a: 1; b: 2; c: 3; d: 4", "axes", "axes-number"),
        (None, "axes", "axes-unreadable"),
        (7, "axes", "axes-unreadable"),
        ("[1", "axes", "axes-unreadable"),
        ("[" * 50_000, "axes", "axes-unreadable"),
        ("x" * 60_001, "axes", "axes-text-long"),
        ([1], "axes[0]", "axes-unreadable"),
        ([{"name": 1, "values": []}], "axes[0]", "axes-unreadable"),
        ([{"name": "seed"}], "axes[0]", "axes-unreadable"),
        ([{"name": "seed", "values": [1], "spread": {}}], "axes[0]", "axes-unreadable"),
        ([{"name": "seed", "values": [1], "value": 2}], "axes[0]", "axes-unreadable"),
        ({"seed": 1}, "axes[0].values", "axes-unreadable"),
        ([{"name": "seed", "spread": [1, 2, 3]}], "axes[0].spread", "axes-unreadable"),
        ([{"name": "seed", "spread": {"low": 1, "high": "2", "count": 2}}], "axes[0].spread", "axes-unreadable"),
        ([{"name": "seed", "spread": {"low": 1, "high": 2, "count": 2.5}}], "axes[0].spread", "axes-unreadable"),
        ([{"name": "seed", "spread": {"low": 10**400, "high": 2, "count": 2}}], "axes[0]", "axes-range"),
        ("strength", "axes[0]", "axes-unreadable"),
        (": 1", "axes[0]", "axes-unreadable"),
        ('"strength": 1', "axes[0]", "axes-unreadable"),
        ("seed: 1; strength 0.3, 0.5", "axes[1]", "axes-unreadable"),
        ("strength:", "axes[0].values[0]", "axes-unreadable"),
        ("strength: 0.3,, 0.5", "axes[0].values[1]", "axes-unreadable"),
        ("strength: 0.3, ", "axes[0].values[1]", "axes-unreadable"),
        ('prompt: "a" b', "axes[0].values[0]", "axes-unreadable"),
        ('prompt: a, "b', "axes[0].values[1]", "axes-unreadable"),
        ("seed: " + "1, " * 400 + "1", "axes[0]", "axes-too-many-cells"),
        ({"seed": [1] * 401}, "axes[0]", "axes-too-many-cells"),
        ("seed: 1; steps: 1", "axes[1].name", "axes-name"),
        ("reference: abc", "axes[0].name", "axes-name"),
        ("num_images: 1, 2", "axes[0].name", "axes-name"),
        ("strength: 0.3..0.9 in 1", "axes[0]", "axes-range"),
        ("strength: 0.3..0.9 in 401", "axes[0]", "axes-range"),
        ("strength: 0..9e999 in 3", "axes[0]", "axes-range"),
        ("output_format: 1..2 in 3", "axes[0]", "axes-range"),
        ({"strength": [0.3, math.nan]}, "axes[0].values[1]", "axes-unreadable"),
        ({"strength": [0.3, {}]}, "axes[0].values[1]", "axes-unreadable"),
        ({"prompt": ["a", 5]}, "axes[0].values[1]", "axes-unreadable"),
        ("style: oil, oli", "axes[0].values[1]", "style-unknown"),
        ("style: " + "+".join(["oil"] * 9), "axes[0].values[0]", "styles-too-many"),
        ({"style": [7]}, "axes[0].values[0]", "axes-unreadable"),
        ({"style": [[7]]}, "axes[0].values[0]", "style-unknown"),
        ({"style": [[{"id": "x"}]]}, "axes[0].values[0]", "axes-unreadable"),
        ({"style": [[{"id": "x", "text": object()}]]}, "axes[0].values[0]", "axes-unreadable"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(given: object, field: str, code: str) -> None:
    with pytest.raises(BadParameter) as caught:
        axes(given)
    assert (caught.value.field, caught.value.code) == (field, code)
    assert str(caught.value)


NAMES = st.sampled_from(["strength", "guidance_scale", "seed", "prompt", "output_format", "enable_safety_checker"])
NUMBERS = st.one_of(st.integers(-(10**17), 10**17), st.floats(allow_nan=False, allow_infinity=False))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.one_of(NUMBERS, st.booleans(), WORDS)


def written(name: str, value: Any) -> str:
    """Return a value as a person would write it into a text."""
    return value if isinstance(value, str) and name == "plain" else json.dumps(value)


@given(st.lists(st.tuples(NAMES, st.lists(VALUES, min_size=1, max_size=5)), min_size=1, max_size=3))
def test_whatever_is_written_as_text_is_read_as_it_was(given: list[tuple[str, list[Any]]]) -> None:
    wanted = [Asked(name, tuple(map(str, values) if name in OWN else values)) for name, values in given]
    text = "; ".join(f"{each.name}: {', '.join(written(each.name, value) for value in each.values)}" for each in wanted)
    assert parsed(text) == wanted
    assert parsed(json.dumps([{"name": each.name, "values": each.values} for each in wanted])) == wanted


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(2, 400))
def test_a_range_is_read_as_it_was_written(low: float, high: float, count: int) -> None:
    assert parsed(f"strength: {low!r}..{high!r} in {count}") == [Asked("strength", Spread(low, high, count))]


@given(st.one_of(st.text(max_size=60), st.text('strength:;, "\\.+in0123[]{}\n', max_size=60)))
def test_any_text_is_read_or_refused_at_a_place(text: str) -> None:
    place = "axes"
    try:
        assert 1 <= len(axes(text)) <= 3
    except BadParameter as error:
        place = error.field or ""
    assert place.startswith("axes")


def test_styles_are_found_by_id_and_label_the_first_backends_first() -> None:
    own = make_spec("own", label=recorded("Own"), styles=(Style("oil", "Oil Painting", "of its own"),))
    found = styles_by_name([own, make_spec("local")])
    assert found["oil"].text == found["oil painting"].text == "of its own"
    assert {each.id.lower() for each in presets()} <= set(found)
