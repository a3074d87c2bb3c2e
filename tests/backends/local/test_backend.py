"""The hand-over between the event loop and the worker: progress as it happens, cancel within a step, nothing stuck."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backends.local import LocalBackend
from core.errors import RunCancelled
from core.events import Progress
from core.imaging.images import read_reference
from core.request import EditRequest
from core.settings import Settings
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.backends.local.runs import PATIENCE, drain, each_step, short_request
from tests.support.fakes import files_of, picture_bytes
from tests.support.words import said

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
HELD = 6
"""The step of a long run within which it waits until it has been told to stop."""


def long_request(local: LocalBackend) -> EditRequest:
    """Return a run of 50 steps at mini's full size, which takes seconds."""
    reference = read_reference(picture_bytes("PNG", "RGB", (512, 512)))
    return EditRequest.build(local.spec, "a lake", reference, {"num_inference_steps": 50, "strength": 1.0, "seed": 3})


class Held:
    """Holds a run within its step `HELD`, until whoever is to stop it has come to it.

    Attributes:
        steps: those that have begun.
        go: lets the run go on.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.go = threading.Event()

    def __call__(self, _: Any) -> None:
        self.steps += 1
        if self.steps == HELD:
            assert self.go.wait(PATIENCE)


@contextmanager
def held() -> Iterator[Held]:
    """Hold the next run; who has seen the step before has it at work within the one at which it is held."""
    run = Held()
    with each_step(run):
        try:
            yield run
        finally:
            run.go.set()


async def stopped(stopping: asyncio.Task[None], run: Held) -> None:
    """Let a held run go on once it has been told to stop; return when it has."""
    for _ in range(9):  # turns of the loop, in which the word reaches the run
        await asyncio.sleep(0)
    assert not stopping.done(), "the worker is taken for free while a step is computed"
    run.go.set()
    await asyncio.wait([stopping])


async def test_closing_stops_within_one_step_and_frees_the_worker(local: LocalBackend) -> None:
    expected = (await drain(local, short_request(local)))[1].images[0].data
    with held() as run:
        events = local.edit(long_request(local))
        async for event in events:
            if isinstance(event, Progress) and event.step == HELD - 1:
                break
        closing = asyncio.create_task(events.aclose())
        await stopped(closing, run)
        closing.result()
        assert run.steps == HELD  # the one that was computed meanwhile was the last
    assert (await drain(local, short_request(local)))[1].images[0].data == expected


async def test_cancelling_the_task_stops_the_run(local: LocalBackend) -> None:
    running = asyncio.Event()

    async def consume() -> None:
        async for event in local.edit(long_request(local)):
            if isinstance(event, Progress) and event.step == HELD - 1:
                running.set()

    with held() as run:
        task = asyncio.create_task(consume())
        await running.wait()
        task.cancel()
        await stopped(task, run)
        assert run.steps == HELD
    with pytest.raises(asyncio.CancelledError):
        task.result()
    await drain(local, short_request(local))


async def test_the_loop_stays_free_while_the_pipeline_works(local: LocalBackend) -> None:
    loop, turns = asyncio.get_running_loop(), 0

    def wait_for_a_turn(_: Any) -> None:  # of the loop: a run on its own thread would wait for itself
        nonlocal turns
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(PATIENCE)
        turns += 1

    request = short_request(local)
    with each_step(wait_for_a_turn):
        await drain(local, request)
    assert turns == request.steps_run > 1


async def test_the_engine_cancels_one_run_and_goes_on_with_the_next(local: LocalBackend, tmp_path: Path) -> None:
    engine = Engine({"local": local}, AsyncStore(Store(tmp_path)))
    with held() as run:
        first = await engine.submit("local", long_request(local))
        second = await engine.submit("local", short_request(local))
        async for event in engine.watch(first):
            if isinstance(event, Progress) and event.step == HELD - 1:
                break
        await engine.cancel(first)  # at once, though a step is being computed
        with pytest.raises(RunCancelled):
            await engine.result(first)
        run.go.set()
    done = await engine.result(second)
    (file,) = files_of(second, tmp_path / "images")
    assert file.stat().st_size > 0
    assert done.timings.keys() >= {"inference", "queue", "total"}


async def test_runs_from_many_callers_come_one_after_the_other(local: LocalBackend, tmp_path: Path) -> None:
    engine = Engine({"local": local}, AsyncStore(Store(tmp_path)))
    jobs = [await engine.submit("local", short_request(local)) for _ in range(5)]
    results = await asyncio.gather(*(engine.result(job) for job in jobs))
    assert len({each.images[0] for each in results}) == 1  # the same request: the same bytes, none disturbed


def test_its_status_line_says_what_it_will_do(tmp_path: Path) -> None:
    fresh = LocalBackend(Settings(data_dir=tmp_path), cuda=0)
    assert said(fresh.status()) == ("Ready", "loads on the first run", "CPU")
    assert fresh.ready() is None
    assert "small demo model" in " ".join(said(fresh.spec.notices))


def test_torch_and_diffusers_are_not_imported_before_the_first_run() -> None:
    code = (
        "import sys; from backends import all_backends; from core.settings import Settings;"
        "all_backends(Settings());"
        "heavy = {'torch', 'diffusers', 'transformers', 'huggingface_hub'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
