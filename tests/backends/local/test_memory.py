"""Out of memory, without a GPU: fewer images at a time, tiles, one rung down; and what is let go of on the way."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.local.model import Model
from core.errors import OutOfMemory
from core.events import Loading, Progress
from tests.backends.local.cards import card
from tests.backends.local.runs import asked, made, numbers, tiny_model

pytestmark = pytest.mark.integration

STEPS = 4
"""Steps of `asked`; all of them are computed."""


class Full:
    """A hook that is out of memory when a part of a model is to work on more images than it may.

    Attributes:
        most: how many it may work on.
        times: how often it is out of memory at the utmost.
        batches: how many images it worked on, and how often.
        failed: of how many images it was out of memory, in order.
    """

    def __init__(self, most: int = 0, times: int = 99) -> None:
        self.most = most
        self.times = times
        self.batches: Counter[int] = Counter()
        self.failed: list[int] = []

    def __call__(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        import torch

        images = len(args[0] if args else kwargs["hidden_states"])
        if images > self.most and len(self.failed) < self.times:
            self.failed.append(images)
            raise torch.OutOfMemoryError("simulated")
        self.batches[images] += 1


@contextmanager
def hooked(part: Any, hook: Any) -> Iterator[Any]:
    handle = part.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield hook
    finally:
        handle.remove()


@pytest.fixture
def model(tiny: Path) -> Model:
    """Tiny on a card of its own, so that what it remembers is no other test's."""
    return tiny_model(tiny, card())


def test_a_batch_that_is_too_large_is_halved_until_it_fits(model: Model) -> None:
    with hooked(model.pipe.transformer, Full(most=1)) as hook:
        done = made(model, asked(num_images=4))
    assert hook.failed == [4, 2]
    assert hook.batches == {1: 4 * STEPS}
    assert len(done.pictures) == 4


def test_pictures_of_a_halved_batch_are_those_of_single_runs(model: Model) -> None:
    with hooked(model.pipe.transformer, Full(most=1)):
        halved = numbers(made(model, asked(num_images=4, seed=7)))
    for place, picture in enumerate(halved):
        assert np.array_equal(picture, numbers(made(model, asked(seed=7 + place)))[0])


def test_pictures_that_were_made_before_are_kept(model: Model) -> None:
    model.too_many = 3 * 64 * 48  # so that two at a time are made
    second_pair = Full(most=0, times=1)
    calls = []

    def from_the_second_pair(part: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.append(len(kwargs["hidden_states"]))
        if len(calls) == STEPS + 2:
            second_pair(part, args, kwargs)

    whole = numbers(made(model, asked(num_images=4)))
    with hooked(model.pipe.transformer, from_the_second_pair):
        broken = numbers(made(model, asked(num_images=4)))
    assert calls == [2] * STEPS + [2] * 2 + [1] * 2 * STEPS
    assert np.array_equal(whole[:2], broken[:2])
    assert np.array_equal(broken[2], numbers(made(model, asked(seed=9)))[0])


def test_what_was_too_many_is_remembered_and_not_tried_again(model: Model) -> None:
    with hooked(model.pipe.transformer, Full(most=1)) as hook:
        made(model, asked(num_images=4))
        assert model.too_many == 2 * 64 * 48
        hook.failed.clear()
        assert len(made(model, asked(num_images=4)).pictures) == 4
        assert hook.failed == []


def test_what_fitted_once_is_not_tried_with_more_in_the_next_run(model: Model) -> None:
    with hooked(model.pipe.transformer, Full(most=2)) as hook:
        made(model, asked(num_images=4))
        assert hook.failed == [4]
        made(model, asked(num_images=4))
        assert hook.failed == [4]
    assert hook.batches == {2: 4 * STEPS}


def test_smaller_pictures_may_still_come_together(model: Model) -> None:
    with hooked(model.pipe.transformer, Full(most=1)):
        made(model, asked((64, 64), num_images=2))
    with hooked(model.pipe.transformer, Full(most=9)) as hook:
        made(model, asked((32, 32), num_images=4))
        assert hook.batches == {4: STEPS}
        made(model, asked((128, 128), num_images=2))
        assert hook.batches == {4: STEPS, 1: 2 * STEPS}


@pytest.mark.parametrize("most", [1, 2, 3])
def test_progress_goes_forward_under_each_total_and_ends_at_the_last(model: Model, most: int) -> None:
    told: list[Loading | Progress] = []
    with hooked(model.pipe.transformer, Full(most=most)):
        made(model, asked(num_images=3), told.append)
    steps = [event for event in told if isinstance(event, Progress)]
    for total in {event.total for event in steps}:
        under = [event.step for event in steps if event.total == total]
        assert under == sorted(under)
        assert total % STEPS == 0
    assert [event.total for event in steps] == sorted(event.total for event in steps)
    assert steps[-1].step == steps[-1].total


def test_previews_of_finished_pictures_stay_in_view_after_a_halving(model: Model) -> None:
    told: list[Loading | Progress] = []
    with hooked(model.pipe.transformer, Full(most=1)):
        made(model, asked(num_images=2, num_inference_steps=6), told.append)
    shown = [len(event.preview) for event in told if isinstance(event, Progress) and event.preview]
    assert shown == sorted(shown)
    assert shown[-1] == 2


def test_one_image_that_does_not_fit_is_said_in_words_and_the_next_run_works(model: Model) -> None:
    with hooked(model.pipe.transformer, Full()), pytest.raises(OutOfMemory, match="Use a smaller image"):
        made(model, asked(num_images=2))
    assert len(made(model, asked(num_images=2)).pictures) == 2


def test_a_decoder_without_memory_works_tile_by_tile(model: Model) -> None:
    plain = numbers(made(model, asked((32, 32), num_images=2)))  # one tile: the same picture
    with hooked(model.pipe.vae.decoder, Full(times=1)) as hook:
        tiled = numbers(made(model, asked((32, 32), num_images=2)))
    assert hook.failed == [1]  # a batch is decoded one by one
    assert model.pipe.vae.use_tiling
    assert model.too_many is None
    assert np.array_equal(plain, tiled)


def test_a_decoder_without_memory_for_tiles_either_counts_as_too_large_a_batch(model: Model) -> None:
    with hooked(model.pipe.vae.decoder, Full(times=2)) as hook:
        assert len(made(model, asked(num_images=2)).pictures) == 2
    assert hook.failed == [1, 1]
    assert model.too_many == 2 * 64 * 48


class Leaving:
    """A hook that takes memory and is out of it; later it notes whether what it took is still held.

    Attributes:
        held: whether it was, at each later call.
    """

    def __init__(self) -> None:
        self.held: list[bool] = []
        self._taken: weakref.ref[Any] | None = None

    def __call__(self, *_: Any) -> None:
        import torch

        if self._taken is None:
            taken = torch.zeros(1000)  # lives as long as this frame, which the error's traceback holds
            self._taken = weakref.ref(taken)
            raise torch.OutOfMemoryError("simulated")
        self.held.append(self._taken() is not None)


@pytest.mark.parametrize("part", ["transformer", "decoder"])
def test_what_a_failed_try_took_is_let_go_of_before_the_next(model: Model, part: str) -> None:
    gc.disable()  # a card's memory is wanted now, not when the collector comes by
    try:
        with hooked(model.pipe.transformer if part == "transformer" else model.pipe.vae.decoder, Leaving()) as hook:
            made(model, asked((32, 32), num_images=2))
    finally:
        gc.enable()
    assert hook.held
    assert not any(hook.held)
