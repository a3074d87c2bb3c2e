"""Runs that differ in their seed alone, asked for at once: one run of the pipeline, and each gets its own picture."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backends.local import LocalBackend
from core.events import Completed, Progress
from core.request import EditRequest
from tests.backends.local.runs import drain, each_step
from tests.support.fakes import make_reference

pytestmark = pytest.mark.integration

IMAGE = make_reference(64, 48)


def request(local: LocalBackend, seed: int, prompt: str = "a quiet lake", **raw: Any) -> EditRequest:
    given = {"num_inference_steps": 6, "strength": 1.0, "seed": seed, **raw}
    return EditRequest.build(local.spec, prompt, IMAGE, given)


async def at_once(local: LocalBackend, *requests: EditRequest) -> list[tuple[list[Any], Completed]]:
    return await asyncio.gather(*(drain(local, each) for each in requests))


def near(one: Completed, other: Completed) -> bool:
    """Return whether two pictures are the same but for the rounding of a batch."""
    a, b = (np.asarray(Image.open(io.BytesIO(each.images[0].data)), np.int16) for each in (one, other))
    return int(np.abs(a - b).max()) <= 2


async def test_each_gets_the_picture_of_its_own_seed(local: LocalBackend) -> None:
    alone = [(await drain(local, request(local, seed)))[1] for seed in (5, 6, 9)]
    steps: list[int] = []
    with each_step(steps.append):
        shared = await at_once(local, *(request(local, seed) for seed in (5, 6, 9)))
    assert len(steps) == 6, "one run of the pipeline"
    for (_, done), own, seed in zip(shared, alone, (5, 6, 9), strict=True):
        assert [each.seed for each in done.images] == [seed]
        assert near(done, own)
    assert not near(shared[0][1], shared[1][1])


async def test_each_sees_its_own_previews_and_every_step(local: LocalBackend) -> None:
    shared = await at_once(local, request(local, 5), request(local, 6))
    told = [[event for event in events if isinstance(event, Progress)] for events, _ in shared]
    assert [[event.step for event in events] for events in told] == [list(range(7))] * 2
    previews = [[event.preview for event in events if event.preview] for events in told]
    assert all(len(each) == 1 for own in previews for each in own)
    assert previews[0]
    assert previews[0][-1] != previews[1][-1]


@pytest.mark.parametrize("other", [{"prompt": "a stormy sea"}, {"strength": 0.5}, {"num_images": 2}])
async def test_runs_that_differ_in_anything_else_are_made_one_after_the_other(
    local: LocalBackend, other: dict[str, Any]
) -> None:
    one, two = await at_once(local, request(local, 5), request(local, 6, **other))
    alone = (await drain(local, request(local, 6, **other)))[1]
    assert [each.data for each in two[1].images] == [each.data for each in alone.images]
    assert len(one[1].images) == 1


async def test_no_more_go_along_than_a_run_has_images(local: LocalBackend) -> None:
    steps: list[int] = []
    with each_step(steps.append):
        made = await at_once(local, *(request(local, seed) for seed in range(1, 6)))
    assert len(steps) == 2 * 6
    assert [done.images[0].seed for _, done in made] == [1, 2, 3, 4, 5]


async def test_who_leaves_stops_nobody_else_and_the_last_one_stops_the_run(local: LocalBackend) -> None:
    async def leave_at_a_step(seed: int, steps: int) -> None:
        async with aclosing(local.edit(request(local, seed, num_inference_steps=40))) as events:
            async for event in events:
                if isinstance(event, Progress) and event.step >= steps:
                    return

    seen: list[int] = []
    with each_step(seen.append):
        await asyncio.gather(leave_at_a_step(5, 1), leave_at_a_step(6, 4))
    assert 4 <= len(seen) <= 7
    _, done = (await at_once(local, request(local, 8)))[0]
    assert done.images[0].seed == 8, "the worker is free again"
