"""A spec checks values at the door: what passes is in range and of its kind, what does not is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadParameter
from core.spec import MAX_SEED, Integer, Number, ParamValue, nearest
from tests.support.fakes import make_spec

DEEP: list[Any] = []
for _ in range(3000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("strength", 0, 0.0),
        ("strength", 1, 1.0),
        ("strength", 0.123456, 0.123456),
        ("guidance_scale", 20, 20.0),
        ("num_inference_steps", 4.0, 4),
        ("num_inference_steps", 50, 50),
        ("seed", 0, 0),
        ("seed", MAX_SEED, MAX_SEED),
        ("seed", float(MAX_SEED), MAX_SEED),
        ("output_format", "jpeg", "jpeg"),
        ("enable_safety_checker", False, False),
    ],
)
def test_values_in_range_pass(name: str, value: Any, kept: Any) -> None:
    got = make_spec().validate({name: value})[name]
    assert got == kept
    assert type(got) is type(kept)


NAN, INF, HUGE = float("nan"), float("inf"), 10**5000
MISFITS: dict[str, tuple[Any, ...]] = {
    "strength": (-0.01, 1.01, NAN, INF, -INF, "0.5", True, [], {}, HUGE),
    "num_inference_steps": (0, 51, 2.5, NAN, INF, "4", True, HUGE, DEEP),
    "seed": (-1, MAX_SEED + 1, 0.5, "7", True, -HUGE),
    "output_format": ("webp", "PNG", "", 1, True, ["png"], "x" * 5000),
    "enable_safety_checker": (0, 1, "true", 0.0, []),
}


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name, values in MISFITS.items() for i in range(len(values))]
)
def test_values_that_do_not_fit_are_refused_by_their_name(name: str, number: int) -> None:
    value = MISFITS[name][number]  # not a parameter itself: pytest cannot print every one of them
    with pytest.raises(BadParameter) as caught:
        make_spec().validate({name: value})
    assert caught.value.field == name
    assert caught.value.todo.startswith("Give ")
    assert len(str(caught.value)) < 300


def test_defaults_fill_what_is_absent_or_none() -> None:
    values = make_spec().validate({"strength": None})
    assert values["strength"] == 0.6
    assert values["num_inference_steps"] == 28
    assert "seed" not in values


def test_a_name_that_the_backend_does_not_know_is_refused_unless_it_is_none() -> None:
    with pytest.raises(BadParameter, match="no such setting") as caught:
        make_spec().validate({"acceleration": "high"})
    assert caught.value.field == "acceleration"
    assert "acceleration" not in make_spec().validate({"acceleration": None})


def test_the_values_cannot_be_changed_afterwards() -> None:
    values = make_spec().validate({})
    with pytest.raises(TypeError):
        values["strength"] = 2.0  # type: ignore[index]


@pytest.mark.parametrize(("value", "clamped"), [(-1, 0.0), (0.5, 0.5), (7, 1.0)])
def test_a_number_is_brought_into_its_range(value: float, clamped: float) -> None:
    param = make_spec().by_name["strength"]
    assert param.clamp(value) == clamped  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "snapped"), [(-1, 0.0), (0.004, 0.0), (0.006, 0.01), (0.07 * 3, 0.21), (0.999, 1.0), (7, 1.0)]
)
def test_a_number_snaps_to_the_steps_of_its_slider(value: float, snapped: float) -> None:
    assert Number(name="strength", minimum=0, maximum=1, default=0.6).snap(value) == snapped


@given(st.floats(-10, 10))
def test_a_number_snaps_to_both_ends_also_where_no_step_falls_on_the_last(value: float) -> None:
    odd = Number(name="odd", minimum=0, maximum=1, default=0.5, step=0.3)
    snapped = odd.snap(value)
    assert snapped in (0, 0.3, 0.6, 0.9, 1)
    assert abs(snapped - odd.clamp(value)) <= 0.15 + 1e-9


@pytest.mark.parametrize(("value", "snapped"), [(-3, 1), (2.4, 2), (2.6, 3), (99, 50)])
def test_a_whole_number_snaps_to_whole_numbers(value: float, snapped: int) -> None:
    assert Integer(name="steps", minimum=1, maximum=50, default=28).snap(value) == snapped


@pytest.mark.parametrize(
    ("name", "value", "near"),
    [
        ("strength", 0.7, 0.7),
        ("strength", 3, 1.0),
        ("strength", True, 0.6),
        ("strength", "much", 0.6),
        ("num_inference_steps", 80, 50),
        ("num_inference_steps", 2.6, 3),
        ("output_format", "jpeg", "jpeg"),
        ("output_format", "webp", "png"),
        ("enable_safety_checker", 0, True),
        ("seed", "x", None),
    ],
)
def test_a_value_of_another_backend_becomes_the_nearest_that_this_one_has(
    name: str, value: ParamValue, near: ParamValue | None
) -> None:
    assert nearest(make_spec().by_name[name], value) == near
