"""Each rung of the ladder on the CPU: parts are where it says, and pictures are what they are without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from backends.local.choice import ModelChoice
from backends.local.hardware import GIB, Hardware
from backends.local.loading import load
from backends.local.memory_plan import BY_KEY, LADDER
from backends.local.model import Model
from core.messages import message
from tests.backends.local.cards import card
from tests.backends.local.runs import asked, ignore, made, numbers

pytestmark = pytest.mark.integration

KEYS = [rung.key for rung in LADDER if rung.kinds == ("cuda",)]
TILE = (32, 32)
"""Pixels of one tile of tiny's decoder: no larger picture is the same in tiles as whole."""


@pytest.fixture(scope="module")
def placed(tiny: Path) -> Callable[[str], Model]:
    """Load tiny on a rung, once for all tests."""
    there: dict[str, Model] = {}

    def on(key: str) -> Model:
        if key not in there:
            # Taking turns needs a device that diffusers can name: a card that a CPU stands in for has none.
            machine: Hardware = card(quantises=True) if key != "offload" else Hardware("cpu", 100 * GIB, 100 * GIB)
            choice = ModelChoice(str(tiny), None, "cpu", None, memory=key)
            there[key] = load(choice, ignore, machine=replace(machine, quantises=True))
        return there[key]

    return on


def drawn(model: Model, size: tuple[int, int] = TILE, **raw: Any) -> npt.NDArray[np.int16]:
    return numbers(made(model, asked(size, **raw)))


@pytest.mark.parametrize(("key", "like"), [("text", "fp8"), ("tiles", "fp8"), ("stream", "gpu")])
def test_where_parts_wait_changes_no_picture(placed: Callable[[str], Model], key: str, like: str) -> None:
    assert placed(key).rung.key == key
    assert np.abs(drawn(placed(key)) - drawn(placed(like))).max() <= 1


def test_parts_that_take_turns_make_the_picture_of_their_weights(placed: Callable[[str], Model], tiny: Path) -> None:
    choice = ModelChoice(str(tiny), None, "cpu", None)
    plain = load(choice, ignore, machine=card(quantises=True))
    plain.pipe.transformer = placed("offload").pipe.transformer
    assert np.abs(drawn(placed("offload")) - drawn(plain)).max() <= 1


@pytest.mark.parametrize("key", KEYS)
def test_a_rung_gives_the_same_pictures_again_each_its_own(placed: Callable[[str], Model], key: str) -> None:
    batch = drawn(placed(key), num_images=2, seed=7)
    assert np.array_equal(batch, drawn(placed(key), num_images=2, seed=7))
    # In bfloat16 a batch's sums, taken in another order, move a few colours of random weights by some levels.
    of_its_seed, of_another = (np.abs(batch[1] - each).mean() for each in (drawn(placed(key), seed=8)[0], batch[0]))
    assert of_its_seed < of_another / 10


@pytest.mark.parametrize("key", KEYS)
def test_a_rung_makes_pictures_of_the_references_size(placed: Callable[[str], Model], key: str) -> None:
    assert drawn(placed(key), (70, 33)).shape == (1, 33, 70, 3)


@pytest.mark.parametrize("key", KEYS)
def test_pictures_are_decoded_one_by_one_and_in_tiles_where_the_rung_says_so(
    placed: Callable[[str], Model], key: str
) -> None:
    vae = placed(key).pipe.vae
    assert vae.use_slicing
    assert vae.use_tiling == BY_KEY[key].tiled


@pytest.mark.parametrize("key", KEYS)
def test_what_waits_in_main_memory_is_brought_piece_by_piece(placed: Callable[[str], Model], key: str) -> None:
    from diffusers.hooks.group_offloading import _is_group_offload_enabled

    pipe, rung = placed(key).pipe, BY_KEY[key]
    for part, streams in (
        (pipe.text_encoder, rung.text_streams),
        (pipe.text_encoder_2, rung.text_streams),
        (pipe.transformer, rung.blocks_stream),
        (pipe.vae, False),
    ):
        assert _is_group_offload_enabled(part) == streams


@pytest.mark.parametrize("key", KEYS)
def test_large_matrices_are_in_8_bits_where_the_rung_says_so(placed: Callable[[str], Model], key: str) -> None:
    flow, rung = placed(key).pipe.transformer, BY_KEY[key]
    block = flow.transformer_blocks[0]
    assert hasattr(block.attn.to_q.weight, "qdata") == rung.eight_bits
    assert hasattr(block.norm1.linear.weight, "qdata") == rung.modulation
    assert not hasattr(flow.x_embedder.weight, "qdata")
    assert not hasattr(flow.proj_out.weight, "qdata")


@pytest.mark.parametrize("key", KEYS)
def test_the_status_line_names_the_rung(placed: Callable[[str], Model], key: str) -> None:
    rung, status = BY_KEY[key], placed(key).status()
    assert (message("detail-eight-bit-weights") in status) == rung.eight_bits
    assert (message("detail-placement", plan=key) in status) == (key in ("text", "tiles", "offload", "stream"))
