"""A request: checked whole, its seed drawn, the steps that really run known beforehand."""

from __future__ import annotations

import dataclasses

import pytest

from core.errors import BadParameter
from core.recipe import Origin
from core.request import EditRequest, batch_seeds, draw_seed, steps_run
from core.spec import MAX_PROMPT, MAX_SEED, Integer
from tests.support.fakes import make_reference, make_request, make_spec


@pytest.mark.parametrize(
    ("steps", "strength", "runs"),
    [
        (40, 0.9, 36),
        (20, 0.6, 12),
        (28, 1.0, 28),
        (28, 0.0, 0),
        (1, 0.01, 1),
        (50, 0.01, 1),
        (1, 1.0, 1),
        (30, 0.5, 15),
    ],
)
def test_the_steps_that_run_follow_the_pipelines_own_rule(steps: int, strength: float, runs: int) -> None:
    assert steps_run(steps, strength) == runs


def test_the_steps_that_run_are_those_of_diffusers() -> None:
    for steps in range(1, 51):
        for hundredth in range(1, 101):
            strength = hundredth / 100
            begin = int(max(steps - min(steps * strength, steps), 0))  # FluxImg2ImgPipeline.get_timesteps
            assert steps_run(steps, strength) == steps - begin


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t", None, 7, ["a"], "half \ud800", "x" * (MAX_PROMPT + 1)])
def test_a_prompt_that_cannot_be_used_is_refused(prompt: object) -> None:
    with pytest.raises(BadParameter) as caught:
        make_request(prompt=prompt)  # type: ignore[arg-type]
    assert caught.value.field == "prompt"


def test_a_prompt_of_the_full_length_passes_and_is_stripped() -> None:
    assert make_request(prompt="  " + "x" * MAX_PROMPT + "\n").prompt == "x" * MAX_PROMPT


def test_a_missing_seed_is_drawn_within_the_specs_range() -> None:
    seed = Integer(name="seed", minimum=5, maximum=7, default=None)
    spec = make_spec(params=(*(p for p in make_spec().params if p.name != "seed"), seed))
    assert {make_request(spec).recipe.seed for _ in range(100)} == {5, 6, 7}


def test_zero_is_never_drawn_but_may_be_given() -> None:
    assert all(1 <= draw_seed(1, 2) <= 2 for _ in range(50))
    assert make_request(seed=0).seeds == (0,)


def test_a_batchs_seeds_go_on_from_the_first_and_wrap() -> None:
    assert batch_seeds(7, 3) == (7, 8, 9)
    assert batch_seeds(MAX_SEED, 2) == (MAX_SEED, 0)


def test_a_request_is_a_value() -> None:
    request = make_request(seed=1)
    assert request == make_request(seed=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.prompt = "other"  # type: ignore[misc]


def test_a_recipe_says_what_the_references_file_was_like() -> None:
    image = dataclasses.replace(make_reference(), profile="Display P3", dpi=300.0)
    assert make_request(image=image).recipe.origin == Origin(profile="Display P3", dpi=300.0)
    assert make_request(image=dataclasses.replace(image, profile="")).recipe.origin == Origin(dpi=300.0)
    assert make_request().recipe.origin is None


def test_requests_for_one_picture_each_that_differ_in_their_seed_alone_are_told_from_others() -> None:
    image = make_reference()

    def asked(prompt: str = "a lake", **raw: object) -> EditRequest:
        return make_request(prompt=prompt, image=image, **{"seed": 1, **raw})

    assert asked().differs_in_seed(asked(seed=2))
    for other in (asked(), asked("a sea", seed=2), asked(seed=2, strength=0.3), asked(seed=2, num_images=2)):
        assert not asked().differs_in_seed(other)
    assert asked().with_seeds([4, 9]).seeds == (4, 9)
    assert asked().with_seeds([4, 9]).integer("num_images") == 2
