"""One rung down, without a GPU: when a run or a load does not fit, what the person is told, and what is let go of."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.local import LocalBackend
from backends.local.choice import ModelChoice
from backends.local.hardware import Hardware
from backends.local.loading import STAGES, load
from backends.local.memory_plan import BY_KEY
from backends.local.model_spec import local_spec
from backends.local.worker import Worker
from core.errors import OutOfMemory
from core.events import Completed, Event, Loading, Progress
from core.messages import Message
from core.settings import Settings
from tests.backends.local.cards import card
from tests.backends.local.runs import asked, drain, numbers, tiny_model
from tests.backends.local.runs import made as run
from tests.support.fakes import make_reference, make_request
from tests.support.words import said

pytestmark = pytest.mark.integration

NOTICE = "The GPU's memory was too small; from here on: blocks stream through the card."
SMALL = 1.0
"""GiB of main memory that lets a card have its first rung only."""


def ignore(_: object) -> None: ...


def worker_on(tiny: Path, machine: Hardware) -> Worker:
    choice = ModelChoice(str(tiny), None, "cpu", None)
    return Worker(choice, local_spec(choice, Settings()), machine=machine)


def refuse(*_: Any) -> None:
    import torch

    raise torch.OutOfMemoryError("simulated")


@contextmanager
def refusing(worker: Worker) -> Iterator[None]:
    """Let the model that is loaded now, and no later one, be out of memory for anything."""
    handle = worker.loaded(ignore, {}).pipe.transformer.register_forward_pre_hook(refuse)
    try:
        yield
    finally:
        handle.remove()


def once_full_at(
    stage: Message, then: Callable[[Message], None] = ignore
) -> tuple[Callable[[Loading], None], list[Message]]:
    """Return what to tell of a load that is out of memory when it first comes to a stage, and what it was told."""
    told: list[Message] = []

    def tell(event: Loading) -> None:
        then(event.stage)
        told.append(event.stage)
        if event.stage == stage and told.count(stage) == 1:
            refuse()

    return tell, told


def test_an_image_that_does_not_fit_is_made_one_rung_down(tiny: Path) -> None:
    worker = worker_on(tiny, card())
    with refusing(worker):
        done = worker.work(asked((32, 32), num_images=2), False, ignore)
    assert len(done.images) == 2
    assert said(done.notices) == (NOTICE,)
    assert worker.model is not None
    assert worker.model.rung.key == "stream"


def test_later_runs_stay_there_and_say_nothing_more(tiny: Path) -> None:
    worker = worker_on(tiny, card())
    with refusing(worker):
        worker.work(asked((32, 32)), False, ignore)
    told: list[Event] = []
    done = worker.work(asked((32, 32)), False, told.append)
    assert done.notices == ()
    assert not any(isinstance(event, Loading) for event in told)
    assert worker.model is not None
    assert worker.model.rung.key == "stream"


def test_the_picture_is_the_one_of_the_rung_above(tiny: Path) -> None:
    worker = worker_on(tiny, card())
    with refusing(worker):
        worker.work(asked((32, 32)), False, ignore)
    assert worker.model is not None
    above, below = numbers(run(tiny_model(tiny, card()), asked((32, 32)))), numbers(run(worker.model, asked((32, 32))))
    assert np.abs(above - below).max() <= 1


def test_each_rung_is_tried_in_turn_until_one_fits(tiny: Path) -> None:
    worker = worker_on(tiny, card(quantises=True))
    rungs: list[str] = []

    def again(event: Event) -> None:  # the first step of each try
        if isinstance(event, Progress) and event.step == 0 and worker.model is not None:
            rungs.append(worker.model.rung.key)
            if worker.model.rung.key != "tiles":
                worker.model.pipe.transformer.register_forward_pre_hook(refuse)

    done = worker.work(asked((32, 32)), False, again)
    assert rungs == ["gpu", "fp8", "text", "tiles"]
    assert [dict(each.values)["plan"] for each in done.notices] == rungs[1:]
    assert said(done.notices)[0] == "The GPU's memory was too small; from here on: 8-bit weights."


def test_the_old_model_is_gone_before_the_next_is_loaded(tiny: Path) -> None:
    worker = worker_on(tiny, card())
    old = [weakref.ref(part) for part in worker.loaded(ignore, {}).pipe.components.values() if callable(part)]
    held: list[tuple[Message, int]] = []

    def tell(event: Event) -> None:
        if isinstance(event, Loading):
            held.append((event.stage, sum(part() is not None for part in old)))

    with refusing(worker):
        worker.work(asked((32, 32), num_images=2), False, tell)
    assert [stage for stage, _ in held] == list(STAGES)
    assert {count for _, count in held} == {0}


def test_the_last_rung_out_of_memory_is_said_in_words_and_the_model_stays(tiny: Path) -> None:
    worker = worker_on(tiny, card(memory=SMALL))
    with refusing(worker), pytest.raises(OutOfMemory) as caught:
        worker.work(asked((32, 32)), False, ignore)
    assert str(caught.value) == (
        "The GPU's memory is too small for this run. Use a smaller image, or a hosted backend."
    )
    told: list[Event] = []
    assert worker.work(asked((32, 32)), False, told.append).notices == ()
    assert not any(isinstance(event, Loading) for event in told)


@pytest.mark.parametrize("stage", STAGES[2:])
def test_a_load_that_does_not_fit_takes_the_next_rung(tiny: Path, stage: Message) -> None:
    tell, told = once_full_at(stage)
    model = load(ModelChoice(str(tiny), None, "cpu", None), tell, machine=card())
    assert model.rung.key == "stream"
    assert told == [*STAGES[: STAGES.index(stage) + 1], *STAGES[2:]]
    assert len(run(model, asked((32, 32))).pictures) == 1


def test_what_was_loaded_of_a_model_that_does_not_fit_is_gone_before_the_next(tiny: Path) -> None:
    from diffusers import FluxTransformer2DModel

    def flows() -> int:
        return sum(type(each) is FluxTransformer2DModel for each in gc.get_objects())

    alive: list[int] = []
    tell, _ = once_full_at(STAGES[5], lambda stage: alive.append(flows()) if stage == STAGES[2] else None)
    gc.collect()
    before = flows()
    load(ModelChoice(str(tiny), None, "cpu", None), tell, machine=card())
    assert alive == [before, before]


def test_a_load_that_fits_on_no_rung_says_what_to_set(tiny: Path) -> None:
    def never(event: Loading) -> None:
        if event.stage == STAGES[5]:
            refuse()

    for machine in (card(), card(memory=SMALL), None):
        with pytest.raises(OutOfMemory, match=r"does not fit into this machine's memory.*STUDIO_LOCAL_MODEL=mini"):
            load(ModelChoice(str(tiny), None, "cpu", None), never, machine=machine)


def test_a_wish_for_a_rung_is_where_stepping_down_begins(tiny: Path) -> None:
    tell, _ = once_full_at(STAGES[5])
    choice = ModelChoice(str(tiny), None, "cpu", None, memory="text")
    assert load(choice, tell, machine=card(quantises=True)).rung.key == "tiles"
    assert load(choice, ignore, machine=card(quantises=True), below_rung=BY_KEY["tiles"]).rung.key == "offload"


async def test_the_status_line_says_the_rung_and_prompts_stay_out_of_the_log(
    tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from diffusers import FluxTransformer2DModel
    from torch.nn.modules.module import register_module_forward_pre_hook

    settings = Settings(data_dir=tmp_path, local_model=str(tiny), local_device="cpu")
    backend = LocalBackend(settings, cuda=0, machines=[card()])
    calls: list[str] = []

    def first_time(part: Any, _: Any) -> None:
        if type(part) is FluxTransformer2DModel:
            calls.append("asked")
            if len(calls) == 1:
                refuse()

    request = make_request(backend.spec, "a secret plan", make_reference(32, 32), num_inference_steps=2)
    handle = register_module_forward_pre_hook(first_time)
    try:
        with caplog.at_level(logging.DEBUG):
            _, done = await drain(backend, request)
    finally:
        handle.remove()
    assert isinstance(done, Completed)
    assert said(done.notices) == (NOTICE,)
    assert said(backend.status()) == ("Ready", "CPU", "blocks stream through the card")
    assert "secret" not in caplog.text
