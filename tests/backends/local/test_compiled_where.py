"""Where blocks are compiled, and at which size: what is known of the compiler without a GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.local.acceleration import attend, compiles
from backends.local.hardware import Hardware
from backends.local.memory_plan import BY_KEY
from backends.local.model import MAX_TOKENS, WARM_SIZE
from tests.backends.local.cards import FLUX
from tests.backends.local.runs import velocity
from tests.backends.local.tiny import TRANSFORMER

pytestmark = pytest.mark.integration

CARD = Hardware("cuda", 0, 0, capability=(9, 0), compiles=True, quantises=True)
WIDTHS = (3072, 4 * 3072, 4096, 768, 64)
"""Sizes inside FLUX.1's transformer."""


@pytest.mark.parametrize(
    ("rung", "compiled"),
    [("gpu", True), ("fp8", True), ("text", True), ("tiles", True), ("offload", False), ("stream", False)],
)
def test_blocks_that_move_about_are_not_compiled(rung: str, compiled: bool) -> None:
    assert compiles(BY_KEY[rung], CARD, FLUX) is compiled


def test_gguf_is_not_compiled() -> None:
    assert not compiles(BY_KEY["gpu"], CARD, replace(FLUX, quantised=True))


def test_nothing_is_compiled_without_a_compiler() -> None:
    assert not compiles(BY_KEY["gpu"], replace(CARD, compiles=False), FLUX)


def test_the_size_that_is_warmed_is_none_of_the_transformers_own() -> None:
    """Equal numbers are one to the compiler: a graph of such a size would serve no other."""
    image = (WARM_SIZE[0] // 16) * (WARM_SIZE[1] // 16)
    assert not {image, image + MAX_TOKENS} & set(WIDTHS)
    sides = {side // 8 * scale for side in WARM_SIZE for scale in (1, 2, 4, 8)}
    assert not sides & {16, 128, 256, 512}  # channels of the decoder
    assert WARM_SIZE[0] != WARM_SIZE[1]


def test_float32_keeps_torchs_own_attention() -> None:
    import torch

    class Flow(torch.nn.Module):
        dtype = torch.float32

    assert attend(Flow(), CARD) is None


def test_an_attention_that_is_there_and_does_not_run_is_left_out() -> None:
    """CuDNN's is in every torch, and on a CPU it has no kernel."""
    import torch
    from diffusers import FluxTransformer2DModel

    flow = FluxTransformer2DModel(**TRANSFORMER).to(torch.bfloat16)
    before = velocity(flow)
    assert attend(flow, replace(CARD, kind="cpu")) is None
    assert torch.equal(velocity(flow), before)


def test_where_the_card_comes_later_its_attention_is_not_tried() -> None:
    import torch
    from diffusers import FluxTransformer2DModel

    flow = FluxTransformer2DModel(**TRANSFORMER).to(torch.bfloat16)
    assert attend(flow, replace(CARD, kind="cpu", fixed=True)) == "_native_cudnn"
