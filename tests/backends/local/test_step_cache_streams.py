"""The step cache while blocks stream: their hooks put another forward in place in the middle of the first run."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from backends.local.embedding_cache import positions_once
from backends.local.step_cache import cached, plan
from tests.backends.local.runs import asked, made, numbers, tiny_model

pytestmark = pytest.mark.integration


@pytest.fixture
def pipe(tiny: Path) -> Any:
    return tiny_model(tiny).pipe


def latents(pipe: Any) -> Any:
    import torch

    with torch.inference_mode():
        return pipe(
            prompt="a lake",
            image=torch.full((1, 3, 64, 64), 0.5),
            width=64,
            height=64,
            generator=torch.Generator().manual_seed(1),
            strength=1.0,
            num_inference_steps=12,
            max_sequence_length=32,
            output_type="latent",
        ).images


def test_a_forward_that_is_replaced_in_the_first_call_is_asked_from_then_on(pipe: Any) -> None:
    flow = pipe.transformer
    plain, asked_of = flow.forward, list[str]()

    def later(*args: Any, **kwargs: Any) -> Any:
        asked_of.append("later")
        return plain(*args, **kwargs)

    def first(*args: Any, **kwargs: Any) -> Any:
        asked_of.append("first")
        flow.forward = later  # as diffusers' lazy prefetching does, once it knows the order of the parts
        return plain(*args, **kwargs)

    flow.forward = first
    with cached(pipe, plan(12, Fraction(1, 3))) as cache:
        latents(pipe)
    assert (cache.computed, cache.carried) == (6, 6)
    assert asked_of == ["first"] + ["later"] * 5
    assert flow.forward is later


def test_positions_are_embedded_once_a_run_and_the_picture_is_the_same(tiny: Path) -> None:
    model, other = tiny_model(tiny), tiny_model(tiny)
    seen: list[Any] = []
    model.pipe.transformer.pos_embed.register_forward_hook(lambda *_: seen.append(1))
    kept = model.pipe.transformer.pos_embed.forward
    before = numbers(made(other, asked(num_inference_steps=8)))
    assert (numbers(made(model, asked(num_inference_steps=8))) == before).all()
    assert "forward" not in vars(model.pipe.transformer.pos_embed)
    assert model.pipe.transformer.pos_embed.forward == kept
    assert seen  # the module is still called at each step: what it does is remembered, not who asks


def test_another_run_embeds_its_own_positions(pipe: Any) -> None:
    import torch

    flow = pipe.transformer
    short, long = torch.zeros(4, 3), torch.zeros(9, 3)
    with positions_once(flow):
        assert flow.pos_embed(short)[0].shape[0] == 4
    with positions_once(flow):
        assert flow.pos_embed(long)[0].shape[0] == 9


def test_positions_are_computed_at_the_first_step_only(pipe: Any) -> None:
    import torch

    flow, ids = pipe.transformer, torch.zeros(4, 3)
    with positions_once(flow):
        first = flow.pos_embed(ids)
        assert flow.pos_embed(ids) is first
    assert flow.pos_embed(ids) is not first
