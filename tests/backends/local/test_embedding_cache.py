"""Work done once: prompts and references are encoded once, and a picture does not tell whether they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.local.acceleration import LEVELS
from backends.local.embedding_cache import Recent
from backends.local.model import Model
from tests.backends.local.runs import asked, counted, made, numbers, tiny_model
from tests.support.fakes import picture_bytes
from tests.support.words import said

pytestmark = pytest.mark.integration

Calls = dict[str, list[str]]


@pytest.fixture(scope="module")
def loaded(tiny: Path) -> Model:
    return tiny_model(tiny)


@pytest.fixture
def model(loaded: Model) -> Model:
    """The tiny model, with nothing in its memory."""
    loaded.memo.clear()
    return loaded


@pytest.fixture
def calls(model: Model) -> Iterator[Calls]:
    """The calls of each encoder from here on."""
    pipe = model.pipe
    with (
        counted(pipe.text_encoder) as clip,
        counted(pipe.text_encoder_2) as t5,
        counted(pipe.vae.encoder) as vae,
    ):
        yield {"clip": clip, "t5": t5, "vae": vae}


def counts(calls: Calls) -> tuple[int, int, int]:
    return len(calls["clip"]), len(calls["t5"]), len(calls["vae"])


def test_what_is_kept_is_not_made_again() -> None:
    recent, order = Recent(2), iter("ab")
    assert [recent.get("key", lambda: next(order)) for _ in range(3)] == ["a"] * 3
    assert (recent.hits, recent.misses) == (2, 1)


def test_a_kept_none_counts_as_kept() -> None:
    recent = Recent(2)
    recent.get("key", lambda: None)
    assert recent.get("key", lambda: "made again") is None


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    recent = Recent(2)
    for key in ("a", "b", "a", "c"):  # asking for `a` again makes `b` the oldest
        recent.get(key, str)
    hits = recent.hits
    assert [(recent.get(key, str), recent.hits - hits)[1] for key in ("a", "c", "b")] == [1, 2, 2]


def test_it_keeps_what_a_plain_list_of_the_latest_keys_keeps() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for limit in (1, 2, 5):
        recent, latest, hits = Recent(limit), list[int](), 0
        for turn in range(300):
            key = rng.randrange(8)
            made_now = recent.get(key, partial(int, turn)) == turn
            assert made_now == (key not in latest)
            hits += key in latest
            latest = [*(each for each in latest if each != key), key][-limit:]
        assert (recent.hits, recent.misses) == (hits, 300 - hits)


def test_a_make_that_fails_keeps_nothing_and_pushes_nothing_out() -> None:
    recent = Recent(1)
    recent.get("kept", lambda: 1)

    def fail() -> Any:
        raise MemoryError

    with pytest.raises(MemoryError):
        recent.get("other", fail)
    assert recent.get("kept", fail) == 1
    assert recent.get("other", lambda: 2) == 2


def test_after_clear_everything_is_made_again() -> None:
    recent = Recent(2)
    recent.get("key", lambda: 1)
    recent.clear()
    assert recent.get("key", lambda: 2) == 2


def test_a_second_run_of_the_same_asks_no_encoder(model: Model, calls: Calls) -> None:
    made(model, asked())
    assert counts(calls) == (1, 1, 1)
    made(model, asked())
    assert counts(calls) == (1, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"strength": 0.5},
        {"guidance_scale": 7.0},
        {"num_inference_steps": 6},
        *({"acceleration": level} for level in LEVELS),
    ],
    ids=str,
)
def test_a_sweep_asks_no_encoder_again(model: Model, calls: Calls, change: dict[str, Any]) -> None:
    made(model, asked())
    made(model, asked(**change))
    assert counts(calls) == (1, 1, 1)


def test_a_batch_asks_each_encoder_once(model: Model, calls: Calls) -> None:
    made(model, asked(num_images=4))
    assert counts(calls) == (1, 1, 1)


def test_another_prompt_asks_the_text_encoders_alone(model: Model, calls: Calls) -> None:
    made(model, asked(prompt="a quiet lake"))
    made(model, asked(prompt="a loud lake"))
    assert counts(calls) == (2, 2, 1)


@pytest.mark.parametrize("other", [picture_bytes("PNG", "L", (64, 48)), picture_bytes("PNG", "RGB", (48, 64))])
def test_another_picture_asks_the_image_encoder_alone(model: Model, calls: Calls, other: bytes) -> None:
    made(model, asked(data=picture_bytes("PNG", "RGB", (64, 48))))
    made(model, asked(data=other))
    assert counts(calls) == (1, 1, 2)


@pytest.mark.parametrize("inner", [(32, 32), (50, 40)])  # the second is padded to the first run's 64x48
def test_the_same_picture_at_another_size_asks_the_image_encoder_alone(
    model: Model, calls: Calls, inner: tuple[int, int]
) -> None:
    made(model, asked((64, 48)))
    made(model, asked((64, 48)), inner=inner)
    assert counts(calls) == (1, 1, 2)


@pytest.mark.parametrize("level", list(LEVELS))
def test_a_picture_does_not_tell_what_was_remembered(model: Model, level: str) -> None:
    request = asked(num_inference_steps=8, num_images=2, acceleration=level)
    cold = numbers(made(model, request))
    hits = model.memo.prompts.hits, model.memo.references.hits
    warm = numbers(made(model, request))
    assert (model.memo.prompts.hits, model.memo.references.hits) == (hits[0] + 1, hits[1] + 1)
    model.memo.clear()
    again = numbers(made(model, request))
    assert np.array_equal(cold, warm)
    assert np.array_equal(cold, again)


def test_a_seed_draws_the_same_from_a_remembered_reference_as_from_a_fresh_one(model: Model) -> None:
    cold = numbers(made(model, asked(seed=3)))
    model.memo.clear()
    made(model, asked(seed=1, num_images=3))  # what others drew before changes nothing
    assert np.array_equal(numbers(made(model, asked(seed=3))), cold)


def test_runs_at_two_sizes_in_turn_are_not_mixed_up(model: Model) -> None:
    sizes = ((64, 48), (32, 32))
    cold = {}
    for inner in sizes:
        model.memo.clear()
        cold[inner] = numbers(made(model, asked(), inner=inner))
    for inner in (*sizes, *sizes):
        assert np.array_equal(numbers(made(model, asked(), inner=inner)), cold[inner])


def test_a_prompt_too_long_is_noticed_each_time(model: Model) -> None:
    request = asked(prompt="word " * 400)
    first, second = made(model, request), made(model, request)
    assert first.notices == second.notices
    assert "first 128 tokens" in said(first.notices)[0]
    assert made(model, asked()).notices == ()
