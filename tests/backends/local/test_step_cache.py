"""Step caching: which steps are computed, what the others are carried on from, and that a run leaves nothing behind."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.local.acceleration import LEVELS
from backends.local.load_errors import Stopped
from backends.local.step_cache import HEAD, LEAST, StepCache, cached, plan
from core.events import Loading, Progress
from tests.backends.local.runs import asked, counted, made, numbers, tiny_model
from tests.backends.local.tiny import TRANSFORMER
from tests.support.fakes import picture

pytestmark = pytest.mark.integration

TOTALS = range(1, 51)
SHARES = tuple(LEVELS.values())
EACH = [(total, share) for total in TOTALS for share in SHARES]
STEPS = 12
THIRD = plan(STEPS, Fraction(1, 3))  # six of twelve: the least


@pytest.fixture(scope="module")
def pipe(tiny: Path) -> Any:
    from diffusers import FluxImg2ImgPipeline

    loaded = FluxImg2ImgPipeline.from_pretrained(tiny)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def latents(pipe: Any, callback: Any = None) -> Any:
    """Return the latents of one run of STEPS steps."""
    import torch

    return pipe(
        "a lake",
        image=picture("RGB", (64, 48)),
        height=48,
        width=64,
        strength=1.0,
        num_inference_steps=STEPS,
        max_sequence_length=16,
        generator=torch.Generator("cpu").manual_seed(5),
        callback_on_step_end=callback,
        output_type="latent",
    ).images


def broken(_: Any, step: int, __: Any, ___: Any) -> dict[str, Any]:
    """Break a run off in its middle, as a cancel does."""
    if step == STEPS // 2:
        raise Stopped
    return {}


def test_a_plan_says_of_every_step_whether_it_is_computed() -> None:
    for total, share in EACH:
        assert len(plan(total, share)) == total, share


def test_a_plan_computes_its_share_of_the_steps_and_never_fewer_than_the_least() -> None:
    for total, share in EACH:
        assert sum(plan(total, share)) == min(total, max(LEAST, round(total * share))), (total, share)


def test_the_first_two_steps_and_the_last_are_always_computed() -> None:
    for total, share in EACH:
        steps = plan(total, share)
        assert all(steps[:HEAD]), (total, share)
        assert steps[-1], (total, share)


def test_the_computed_steps_between_lie_closer_at_the_start_and_apart_by_no_more_than_rounding_says() -> None:
    for total, share in EACH:
        places = [place for place, computed in enumerate(plan(total, share)) if computed]
        gaps = [b - a for a, b in zip(places[HEAD - 1 :], places[HEAD:], strict=False)]
        assert gaps[:1] <= gaps[-1:], (total, share, gaps)
        assert all(b >= a - 1 for a, b in itertools.pairwise(gaps)), (total, share, gaps)


def test_a_short_run_and_a_whole_share_are_computed_in_full() -> None:
    for total, share in EACH:
        assert all(plan(total, share)) == (total <= LEAST or share == 1), (total, share)


def test_a_velocity_that_is_linear_in_time_is_carried_exactly() -> None:
    cache = StepCache((True, True, False, False, True, False))

    def velocity(time: float) -> Any:  # all numbers are sums of few powers of two: nothing is rounded
        return np.array([3.0, -0.5, 0.0]) * time + np.array([1.0, 2.0, -4.0])

    for time in (1024.0, 512.0):
        assert cache.carry(time) is None
        cache.keep(time, velocity(time))
    assert np.array_equal(cache.carry(256.0), velocity(256.0))
    assert np.array_equal(cache.carry(128.0), velocity(128.0))
    assert cache.carry(0.0) is None
    cache.keep(0.0, velocity(0.0))
    assert np.array_equal(cache.carry(-64.0), velocity(-64.0))
    assert (cache.computed, cache.carried) == (3, 3)


def test_any_straight_line_is_carried_on_at_any_distance_of_steps() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(100):
        slope, start = rng.uniform(-5, 5), rng.uniform(-5, 5)
        t0, t1, t = sorted((rng.uniform(0, 1000) for _ in range(3)), reverse=True)
        cache = StepCache((True, True, False))
        for time in (t0, t1):
            cache.carry(time)
            cache.keep(time, start + slope * time)
        near = 1e-6 * max(1, abs(t1 - t) / abs(t0 - t1))
        assert cache.carry(t) == pytest.approx(start + slope * t, rel=near, abs=near)


def test_the_line_is_laid_through_the_last_two_computed_velocities() -> None:
    cache = StepCache((True, True, True, False))
    for time, velocity in ((8.0, 100.0), (4.0, 1.0), (2.0, 2.0)):
        cache.carry(time)
        cache.keep(time, velocity)
    assert cache.carry(1.0) == 2.5


def test_each_run_remembers_only_its_own_velocities() -> None:
    steps = (True, True, False)
    one, other = StepCache(steps), StepCache(steps)
    for cache, size in ((one, 1.0), (other, 10.0)):
        for time in (4.0, 2.0):
            assert cache.carry(time) is None
            cache.keep(time, time * size)
    assert (one.carry(1.0), other.carry(1.0)) == (1.0, 10.0)
    assert StepCache(steps).carry(4.0) is None


def test_the_transformer_is_asked_for_the_computed_steps_alone(pipe: Any) -> None:
    with counted(pipe.transformer.x_embedder) as calls, cached(pipe, THIRD) as cache:
        latents(pipe)
    assert (cache.computed, cache.carried) == (6, 6)
    assert len(calls) == 6


def test_a_plan_of_all_steps_changes_nothing(pipe: Any) -> None:
    plain = latents(pipe)
    with cached(pipe, (True,) * STEPS):
        assert bool((latents(pipe) == plain).all())


def test_a_transformer_with_a_straight_velocity_ends_where_the_uncached_one_does(pipe: Any) -> None:
    import torch
    from diffusers import FluxTransformer2DModel

    class Straight(FluxTransformer2DModel):  # type: ignore[misc]  # diffusers has no types
        def forward(self, hidden_states: Any, timestep: Any, **_: Any) -> Any:
            field = torch.linspace(-1, 1, hidden_states[0].numel()).reshape(hidden_states[0].shape)
            return (field * (3 * timestep[:, None, None] - 0.5),)

    straight = type(pipe)(**{**pipe.components, "transformer": Straight(**TRANSFORMER)})
    straight.set_progress_bar_config(disable=True)
    plain = latents(straight)
    with cached(straight, THIRD) as cache:
        carried = latents(straight)
    assert cache.carried == 6
    assert torch.allclose(carried, plain, atol=1e-5)


@pytest.mark.parametrize("breaks", [False, True])
def test_a_run_leaves_the_transformers_forward_as_its_class_has_it(pipe: Any, breaks: bool) -> None:
    flow = pipe.transformer
    assert "forward" not in vars(flow)
    if breaks:
        with pytest.raises(Stopped), cached(pipe, THIRD):
            latents(pipe, broken)
    else:
        with cached(pipe, THIRD):
            latents(pipe)
    assert "forward" not in vars(flow)
    assert flow.forward.__func__ is type(flow).forward


@pytest.mark.parametrize("breaks", [False, True])
def test_a_forward_of_the_transformers_own_is_used_and_stays(pipe: Any, breaks: bool) -> None:
    from accelerate.hooks import ModelHook, add_hook_to_module, remove_hook_from_module

    class Counting(ModelHook):  # type: ignore[misc]  # accelerate has no types
        calls = 0

        def pre_forward(self, module: Any, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return args, kwargs

    plain, hook = latents(pipe), Counting()
    add_hook_to_module(pipe.transformer, hook)
    try:
        own = vars(pipe.transformer)["forward"]
        if breaks:
            with pytest.raises(Stopped), cached(pipe, THIRD):
                latents(pipe, broken)
        else:
            with cached(pipe, THIRD) as cache:
                latents(pipe)
            assert hook.calls == cache.computed
        assert vars(pipe.transformer)["forward"] is own
    finally:
        remove_hook_from_module(pipe.transformer)
    assert bool((latents(pipe) == plain).all())


@pytest.mark.parametrize("level", list(LEVELS))
def test_a_run_after_a_broken_off_one_is_a_fresh_models(tiny: Path, level: str) -> None:
    used, fresh = tiny_model(tiny), tiny_model(tiny)

    def stop_at_seven(event: Loading | Progress) -> None:
        if isinstance(event, Progress) and event.step == 7:
            raise Stopped

    with pytest.raises(Stopped):
        made(used, asked(num_inference_steps=STEPS, acceleration="high", seed=1), stop_at_seven)
    request = asked(num_inference_steps=STEPS, acceleration=level, seed=2)
    assert np.array_equal(numbers(made(used, request)), numbers(made(fresh, request)))
