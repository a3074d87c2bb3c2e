"""How long a run should take: by earlier runs of its own level of acceleration, and of its size."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from core.request import EditRequest
from core.spec import BackendSpec
from core.terms import ACCELERATION
from engine.fair_queue import REMEMBERED_RUNS, FairQueue
from tests.support.fakes import FakeBackend, make_reference, make_request, make_spec

PLAIN = make_spec()
LEVELS = dataclasses.replace(PLAIN, params=(*PLAIN.params, ACCELERATION))


def lane(spec: BackendSpec = LEVELS) -> FairQueue:
    return FairQueue(FakeBackend(spec))


def run(level: str = "none", size: tuple[int, int] = (64, 48), spec: BackendSpec = LEVELS, **raw: Any) -> EditRequest:
    settings = {"strength": 1.0, "num_inference_steps": 10, **raw}
    return make_request(spec, image=make_reference(*size), acceleration=level, **settings)


@pytest.mark.parametrize("level", ["none", "regular", "high"])
def test_nothing_is_expected_before_the_first_run_of_a_level(level: str) -> None:
    own = lane()
    for other in {"none", "regular", "high"} - {level}:
        own.learn(run(other), 10.0)
    assert own.expected(run(level)) is None
    own.learn(run(level), 4.0)
    assert own.expected(run(level)) == pytest.approx(4.0)


def test_each_level_has_a_pace_of_its_own() -> None:
    own = lane()
    for level, seconds in (("none", 30.0), ("high", 10.0), ("none", 30.0), ("regular", 16.0), ("high", 10.0)):
        own.learn(run(level), seconds)
    told = {level: own.expected(run(level)) for level in ("none", "regular", "high")}
    assert told == pytest.approx({"none": 30.0, "regular": 16.0, "high": 10.0})


def test_the_expected_time_grows_with_steps_images_and_pixels() -> None:
    own = lane()
    own.learn(run(), 6.0)
    assert own.expected(run(num_inference_steps=20)) == pytest.approx(12.0)
    assert own.expected(run(num_inference_steps=20, strength=0.5)) == pytest.approx(6.0)
    assert own.expected(run(num_images=3)) == pytest.approx(18.0)
    assert own.expected(run(size=(128, 96))) == pytest.approx(24.0)


def test_runs_that_were_made_as_one_took_their_share_of_the_time() -> None:
    own = lane()
    own.learn(run(), 18.0, shared=3)
    assert own.expected(run()) == pytest.approx(6.0)


def test_a_reference_that_is_worked_smaller_takes_no_longer() -> None:
    spec = dataclasses.replace(LEVELS, working_side=64)
    own = lane(spec)
    own.learn(run(spec=spec), 6.0)
    assert own.expected(run(size=(640, 480), spec=spec)) == pytest.approx(6.0)


def test_it_is_the_median_of_the_latest_runs() -> None:
    own = lane()
    for seconds in (1.0, 2.0, 900.0):
        own.learn(run(), seconds)
    assert own.expected(run()) == pytest.approx(2.0)
    for _ in range(REMEMBERED_RUNS):
        own.learn(run(), 5.0)
    assert own.expected(run()) == pytest.approx(5.0)


def test_a_run_that_took_no_step_teaches_nothing() -> None:
    own = lane()
    own.learn(run(strength=0.0), 3.0)
    assert own.expected(run()) is None


def test_a_part_of_the_time_is_the_same_for_every_size() -> None:
    """Two seconds to answer, and a tenth of a second a step: twice the steps are not twice the time."""
    own = lane()
    for steps in (10, 20, 40, 20):
        own.learn(run(num_inference_steps=steps), 2.0 + 0.1 * steps)
    assert own.expected(run(num_inference_steps=30)) == pytest.approx(5.0)
    assert own.pace["none"].fixed == pytest.approx(2.0)


def test_one_run_on_a_busy_machine_bends_nothing() -> None:
    own = lane()
    for steps in (10, 20, 40, 15, 25):
        own.learn(run(num_inference_steps=steps), 2.0 + 0.1 * steps)
    own.learn(run(num_inference_steps=20), 90.0)
    assert own.expected(run(num_inference_steps=30)) == pytest.approx(5.0, rel=0.2)


@pytest.mark.parametrize("times", [((10, 9.0), (40, 3.0)), ((10, 1.0), (40, 9.0))], ids=["falling", "steep"])
def test_neither_part_is_below_zero(times: tuple[tuple[int, float], ...]) -> None:
    own = lane()
    for steps, seconds in times:
        own.learn(run(num_inference_steps=steps), seconds)
    pace = own.pace["none"]
    assert pace.fixed >= 0
    assert pace.step >= 0
    assert own.expected(run(num_inference_steps=1)) > 0  # type: ignore[operator] # it is known here


def test_a_backend_without_levels_has_one_pace() -> None:
    own = lane(PLAIN)
    asked = make_request(PLAIN)
    assert own.expected(asked) is None
    own.learn(asked, 3.0)
    assert own.expected(asked) == pytest.approx(3.0)
