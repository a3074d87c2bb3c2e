"""What the cells of an experiment are, in which order they begin, and what is changed for a backend."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.axes import Axis, Base, order, plan, read, replaced, spread, value_of, written
from core.errors import BadParameter
from core.experiment import price_by_backend
from core.messages import recorded
from core.recipe import StyleUse
from core.spec import Choice, Integer, Number
from tests.support.fakes import make_reference, make_spec

IMAGE = make_reference()
OIL, INK = StyleUse(id="oil", text="oil"), StyleUse(id="ink", text="ink")
SHARED = [each for each in make_spec().params if each.name in ("num_inference_steps", "seed")]
LOW = make_spec(
    "low",
    label=recorded("Low"),
    params=(
        Number(name="strength", minimum=0, maximum=0.8, default=0.5),
        Choice(name="output_format", choices=("webp", "png"), default="webp"),
        *SHARED,
    ),
)
SPECS = {"fake": make_spec(), "low": LOW}


def base(**facts: Any) -> Base:
    known = {"backend": "fake", "prompt": "a lake", "style": (), "params": {}, "reference": IMAGE.digest}
    return Base(**{**known, **facts})


def planned(*axes: Axis, limit: int = 400, **facts: Any) -> Any:
    return plan(base(**facts), axes, SPECS, {IMAGE.digest: (IMAGE, None)}, limit)


def ordered(count: int) -> list[int]:
    """Return the places of so many values along one axis, in the order in which they begin."""
    return [at for (at,) in order([Axis("strength", tuple(each / 100 for each in range(count)))])]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3))
def test_every_cell_begins_once(shape: list[int]) -> None:
    axes = [Axis(f"p{number}", tuple(float(each) for each in range(count))) for number, count in enumerate(shape)]
    assert sorted(order(axes)) == sorted(itertools.product(*map(range, shape)))


@given(st.integers(2, 60))
def test_the_ends_come_first_and_each_round_covers_the_range_evenly(count: int) -> None:
    places = ordered(count)
    assert sorted(places[:2]) == [0, count - 1]
    for power in range(1, int(math.log2(count - 1)) + 1 if count > 2 else 1):
        shown = sorted(places[: 2**power + 1])
        gaps = [high - low for low, high in itertools.pairwise(shown)]
        assert max(gaps) - min(gaps) <= 1


def test_corners_come_before_what_lies_between() -> None:
    axes = [Axis("strength", (0.1, 0.5, 0.9)), Axis("guidance_scale", (1.0, 5.0, 9.0))]
    assert set(order(axes)[:4]) == {(0, 0), (0, 2), (2, 0), (2, 2)}


def test_cells_with_one_prompt_follow_each_other_within_a_round() -> None:
    axes = [Axis("seed", (1, 2, 3)), Axis("prompt", ("a", "b"))]
    assert [at[1] for at in order(axes)] == [0, 0, 0, 1, 1, 1]


def test_cells_that_differ_in_their_seed_alone_follow_each_other_whichever_axis_comes_first() -> None:
    axes = [Axis("seed", (1, 2, 3)), Axis("strength", (0.2, 0.8))]
    assert [at[1] for at in order(axes)] == [0, 0, 0, 1, 1, 1]


def test_cells_differ_in_what_the_axes_say_and_in_nothing_else() -> None:
    made = planned(Axis("strength", (0.2, 0.8)), Axis("style", ((OIL,), (INK,))))
    recipes = [cell.request.recipe for cell in made.cells]
    assert {(each.params["strength"], each.style) for each in recipes} == {
        (strength, style) for strength in (0.2, 0.8) for style in ((OIL,), (INK,))
    }
    assert len({each.seed for each in recipes}) == 1
    first, *others = (each.model_copy(update={"params": {}, "style": ()}) for each in recipes)
    assert all(each == first for each in others)


def test_prompts_seeds_references_and_backends_are_axes_too() -> None:
    other = make_reference(32, 32)
    references = {IMAGE.digest: (IMAGE, None), other.digest: (other, "ab" * 32)}
    axes = [Axis("reference", (IMAGE.digest, other.digest)), Axis("prompt", ("x", "y"))]
    made = plan(base(), axes, SPECS, references, 9)
    assert {(cell.request.image.digest, cell.request.recipe.prompt) for cell in made.cells} == {
        (digest, prompt) for digest in references for prompt in "xy"
    }
    assert {cell.request.recipe.parent for cell in made.cells} == {None, "ab" * 32}
    assert [cell.request.recipe.seed for cell in planned(Axis("seed", (5, 6, 7))).cells] == [5, 6, 7]
    assert [cell.backend for cell in planned(Axis("backend", ("fake", "low"))).cells] == ["fake", "low"]


def test_one_image_is_made_of_each_cell() -> None:
    made = planned(Axis("strength", (0.2, 0.8)), params={"num_images": 4, "seed": None})
    assert all(len(cell.request.seeds) == 1 for cell in made.cells)
    assert made.base.params["seed"] == made.cells[0].request.recipe.seed


def test_what_another_backend_does_not_take_is_adapted_and_said_once() -> None:
    made = planned(
        Axis("backend", ("fake", "low")),
        Axis("strength", (0.5, 1.0)),
        params={"guidance_scale": 4.0, "seed": 3, "output_format": "png"},
    )
    low = [cell.request.recipe.params for cell in made.cells if cell.backend == "low"]
    assert sorted(each["strength"] for each in low) == [0.5, 0.8]
    assert all("guidance_scale" not in each for each in low)
    assert sorted(each.code for each in made.adapted) == ["adapted-clamped", "adapted-dropped"]


def test_a_word_that_another_backend_does_not_know_is_left_to_its_default() -> None:
    made = planned(Axis("backend", ("fake", "low")), params={"output_format": "jpeg"})
    assert [cell.request.recipe.params["output_format"] for cell in made.cells] == ["jpeg", "webp"]
    assert [each.code for each in made.adapted] == ["adapted-dropped"]


def test_a_setting_that_changes_nothing_is_left_out_without_a_word() -> None:
    made = planned(Axis("backend", ("fake", "low")), params={"enable_safety_checker": True})
    assert [cell.request.recipe.params.get("enable_safety_checker") for cell in made.cells] == [True, None]
    assert made.adapted == ()


@pytest.mark.parametrize(
    ("axes", "code", "field"),
    [
        ([], "axes-number", "axes"),
        ([Axis(str(each), (1,)) for each in range(4)], "axes-number", "axes"),
        ([Axis("seed", (1,)), Axis("seed", (2,))], "axes-twice", "axes[1].name"),
        ([Axis("seed", ())], "axes-empty", "axes[0].values"),
        ([Axis("strength", (0.2, 0.5, 0.2))], "axes-value-twice", "axes[0].values[2]"),
        ([Axis("seed", (1,)), Axis("style", ((OIL,), (INK,), (OIL,)))], "axes-value-twice", "axes[1].values[2]"),
        (
            [Axis("seed", tuple(range(21))), Axis("num_inference_steps", tuple(range(20)))],
            "axes-too-many-cells",
            "axes",
        ),
        ([Axis("backend", ("fake", "nobody"))], "backend-unknown", "axes[0].values[1]"),
        ([Axis("nothing", (1,))], "setting-unknown", "axes[0].name"),
        ([Axis("seed", (1, 2)), Axis("output_format", ("png", "bmp"))], "value-choice", "axes[1].values[1]"),
        ([Axis("prompt", ("a", ""))], "prompt-empty", "axes[0].values[1]"),
    ],
)
def test_an_axis_that_does_not_fit_is_refused_at_its_place(axes: list[Axis], code: str, field: str) -> None:
    with pytest.raises(BadParameter) as refused:
        planned(*axes)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_backend_that_is_not_there_is_refused_at_the_base_where_no_axis_has_it() -> None:
    with pytest.raises(BadParameter) as refused:
        planned(Axis("seed", (1, 2)), backend="nobody")
    assert refused.value.field == "backend"


def test_a_value_of_the_base_that_does_not_fit_is_refused_at_its_field() -> None:
    with pytest.raises(BadParameter) as refused:
        planned(Axis("seed", (1, 2)), params={"output_format": "bmp"})
    assert refused.value.field == "output_format"


@given(st.floats(-5, 5), st.floats(-5, 5), st.integers(2, 40), st.sampled_from([0.01, 0.05, 0.1, 1.0]))
def test_a_spread_has_both_ends_and_lies_on_the_grid(low: float, high: float, count: int, step: float) -> None:
    values = spread(Number(name="strength", minimum=-5, maximum=5, default=0, step=step), low, high, count)
    assert 1 <= len(values) <= count
    assert values[0] == pytest.approx(low, abs=step / 2 + 1e-9)
    assert values[-1] == pytest.approx(high, abs=step / 2 + 1e-9)
    assert all(round(value / step) == pytest.approx(value / step, abs=1e-6) for value in values)
    assert len(set(values)) == len(values)


def test_a_spread_of_whole_numbers_has_whole_numbers() -> None:
    assert spread(Integer(name="steps", minimum=1, maximum=50, default=4), 1, 4, 3) == (1, 2, 4)


@pytest.mark.parametrize(("low", "count"), [(0.0, 1), (math.inf, 3), (math.nan, 3)])
def test_a_spread_without_two_ends_is_refused(low: float, count: int) -> None:
    with pytest.raises(BadParameter):
        spread(Number(name="strength", minimum=0, maximum=1, default=0), low, 1.0, count)


def test_words_are_replaced_in_the_prompt() -> None:
    assert replaced("a cat by a lake", "cat", ["dog", "fox"]) == ("a dog by a lake", "a fox by a lake")
    for missing in ("", "bird"):
        with pytest.raises(BadParameter):
            replaced("a cat", missing, ["dog"])


VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 2**31 - 1),
    st.booleans(),
    st.text(max_size=9),
    st.lists(st.builds(StyleUse, id=st.text(max_size=5), text=st.text(max_size=5)), max_size=3).map(tuple),
)


@given(st.lists(st.builds(Axis, st.text(max_size=9), st.lists(VALUES, min_size=1).map(tuple)), max_size=3))
def test_base_and_axes_come_back_from_json(axes: list[Axis]) -> None:
    one = base(style=(OIL,), params={"strength": 0.5, "seed": 7})
    assert read(json.loads(json.dumps(written(one, axes)))) == (one, axes)


def test_styles_of_a_cell_come_as_a_list() -> None:
    assert value_of([{"id": "oil", "text": "oil"}]) == (OIL,)
    assert value_of(0.5) == 0.5


def test_the_cost_is_by_backend() -> None:
    made = planned(Axis("backend", ("fake", "low")), Axis("seed", (1, 2, 3)))
    assert price_by_backend(made.cells, {"fake": 0.0, "low": 0.04}) == pytest.approx({"fake": 0.0, "low": 0.12})


def test_a_number_out_of_the_range_is_the_nearest_in_it() -> None:
    made = planned(Axis("strength", (5.0,)))
    assert made.cells[0].request.recipe.params["strength"] == 1.0
    assert [each.code for each in made.adapted] == ["adapted-clamped"]
