"""What goes wrong on a ZeroGPU, and who goes away meanwhile: errors come back as they were, and nothing works on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from backends.local.load_errors import Stopped
from backends.local.worker import Tell, Worker
from backends.local.zero_gpu import ZeroGpu
from core.errors import BadParameter, OutOfMemory, RateLimited, RunFailed, StudioError
from core.events import Completed, Event, Progress
from core.request import EditRequest
from tests.backends.local.stand_in_gpu import CHOICE, SPEC, WAITING, ForkedGpu, Gpu, OnZero, ask
from tests.support.fakes import results

STEPS = 40_000
"""Of a slow run; far more than happen before somebody looks: it would take minutes, and none goes on to its end."""


class Fails(Worker):
    """Fails as it is told."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(CHOICE, SPEC)
        self.failing = failure

    def work(self, request: EditRequest, checked: bool, tell: Tell) -> Completed:
        tell(Progress(0, 4))
        raise self.failing


class Slow(Worker):
    """Takes a few milliseconds a step, and notes how far it came."""

    def __init__(self) -> None:
        super().__init__(CHOICE, SPEC)
        self.steps = 0
        self.over = threading.Event()

    def work(self, request: EditRequest, checked: bool, tell: Tell) -> Completed:
        try:
            while self.steps < STEPS:
                tell(Progress(self.steps, STEPS))
                self.steps += 1
                threading.Event().wait(0.005)
            return Completed(results(request), {"inference": 1.0})
        finally:
            self.over.set()


@pytest.mark.parametrize(
    "failure",
    [
        RunFailed("recorded", what="The model failed to make a picture.", todo="Try a lower guidance."),
        OutOfMemory("recorded", what="The GPU's memory is too small for this run.", todo="Use a smaller image."),
        BadParameter("recorded", what="2 does not fit.", todo="Give a number from 0 to 1.", field="strength"),
        RateLimited("recorded", what="Too many.", todo="Wait.", wait=7.0),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("kind", [Gpu, ForkedGpu])
def test_an_error_inside_comes_back_as_it_was(failure: StudioError, kind: type[Gpu]) -> None:
    gpu = kind()
    events: list[Event] = []
    with pytest.raises(type(failure)) as told:
        ZeroGpu(Fails(failure), gpu, gpu.as_visitor).work(ask(), False, events.append)
    assert events == [WAITING, Progress(0, 4)]
    assert str(told.value) == str(failure)
    assert vars(told.value) == vars(failure)


def test_what_nobody_foresaw_inside_is_a_failed_run_without_its_words() -> None:
    gpu = Gpu()
    with pytest.raises(StudioError) as told:
        ZeroGpu(Fails(ZeroDivisionError("/secret/path")), gpu, gpu.as_visitor).work(ask(), False, lambda _: None)
    assert isinstance(told.value, RunFailed)
    assert "/secret" not in str(told.value)


@pytest.mark.parametrize("kind", [Gpu, ForkedGpu])
def test_raising_stopped_closes_the_generator_and_stops_the_work(kind: type[Gpu]) -> None:
    worker, gpu = Slow(), kind()

    def tell(event: Event) -> None:
        if isinstance(event, Progress) and event.step == 5:
            raise Stopped

    with pytest.raises(Stopped):
        ZeroGpu(worker, gpu, gpu.as_visitor).work(ask(), False, tell)
    assert gpu.closed == 1
    if kind is Gpu:  # of another process nothing can be seen but that it is gone
        assert worker.over.is_set()
        assert worker.steps < STEPS / 2


@pytest.mark.parametrize("on_zero", [True, False], ids=["ZeroGPU", "elsewhere"])
async def test_closing_the_backends_generator_stops_the_work_before_it_returns(on_zero: bool) -> None:
    worker, gpu = Slow(), Gpu()
    backend = OnZero(worker, gpu)
    if on_zero:
        backend.prepare()
    events = backend.edit(ask())
    async for event in events:
        if isinstance(event, Progress) and event.step == 5:
            break
    assert not worker.over.is_set()
    await events.aclose()
    assert worker.over.is_set(), "the place is given to the next while this one still works"
    assert worker.steps < STEPS / 2
    assert worker.busy == 0
    assert gpu.closed == on_zero
    assert not [each for each in threading.enumerate() if each.name == "zero"]


async def test_cancelling_the_task_stops_the_work() -> None:
    worker, gpu = Slow(), Gpu()
    backend = OnZero(worker, gpu)
    backend.prepare()
    begun = asyncio.Event()

    async def consume() -> None:
        async for event in backend.edit(ask()):
            if isinstance(event, Progress):
                begun.set()

    task = asyncio.create_task(consume())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert worker.over.is_set()
    assert worker.steps < STEPS / 2


def test_who_goes_before_the_gpu_is_asked_for_asks_for_none() -> None:
    gpu = Gpu()

    def gone(_: Event) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        ZeroGpu(Slow(), gpu, gpu.as_visitor).work(ask(), False, gone)
    assert gpu.asked == []
