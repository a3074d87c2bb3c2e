"""The hand-over between the event loop and the worker: progress as it happens, cancel within a step, nothing stuck."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backends.local import LocalBackend
from core.engine import Engine
from core.errors import RunCancelled
from core.events import Progress
from core.images import read_reference
from core.request import EditRequest
from core.settings import Settings
from core.store import Store
from tests.backends.local.conftest import drain
from tests.fakes import picture_bytes

ROOT = Path(__file__).resolve().parents[3]


def long_request(local: LocalBackend) -> EditRequest:
    """Return a run of 50 steps at mini's full size, which takes seconds."""
    reference = read_reference(picture_bytes("PNG", "RGB", (512, 512)))
    return EditRequest.build(local.spec, "a lake", reference, {"num_inference_steps": 50, "strength": 1.0, "seed": 3})


def short_request(local: LocalBackend) -> EditRequest:
    reference = read_reference(picture_bytes("PNG", "RGB", (64, 64)))
    return EditRequest.build(local.spec, "a lake", reference, {"num_inference_steps": 2, "seed": 3})


async def test_closing_stops_within_one_step_and_frees_the_worker(local: LocalBackend) -> None:
    expected = (await drain(local, short_request(local)))[1].images[0].data
    events = local.edit(long_request(local))
    steps: list[tuple[float, int]] = []
    async for event in events:
        if isinstance(event, Progress):
            steps.append((time.monotonic(), event.step))
        if len(steps) == 6:
            break
    begun = time.monotonic()
    await events.aclose()
    took = time.monotonic() - begun
    one_step = (steps[-1][0] - steps[1][0]) / 4
    assert took < 10 * one_step + 1  # one step and a margin for a busy machine; the 44 left would take far longer
    assert (await drain(local, short_request(local)))[1].images[0].data == expected


async def test_cancelling_the_task_stops_the_run(local: LocalBackend) -> None:
    running = asyncio.Event()

    async def consume() -> None:
        async for event in local.edit(long_request(local)):
            if isinstance(event, Progress) and event.step:
                running.set()

    task = asyncio.create_task(consume())
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await drain(local, short_request(local))


async def test_the_loop_stays_free_while_the_pipeline_works(local: LocalBackend) -> None:
    longest = 0.0
    done = asyncio.Event()

    async def tick() -> None:
        nonlocal longest
        while not done.is_set():
            begun = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - begun)

    ticking = asyncio.create_task(tick())
    await drain(local, short_request(local))
    begun = time.monotonic()
    await drain(local, long_request(local))
    took = time.monotonic() - begun
    done.set()
    await ticking
    assert longest < took / 2  # a run on the loop's own thread would hold it all the time


async def test_the_engine_cancels_one_run_and_goes_on_with_the_next(local: LocalBackend, tmp_path: Path) -> None:
    engine = Engine({"local": local}, Store(tmp_path))
    first = await engine.submit("local", long_request(local))
    second = await engine.submit("local", short_request(local))
    async for event in engine.watch(first):
        if isinstance(event, Progress) and event.step >= 2:
            break
    await engine.cancel(first)
    with pytest.raises(RunCancelled):
        await engine.result(first)
    done = await engine.result(second)
    assert second.files[0] is not None
    assert second.files[0].stat().st_size > 0
    assert done.images[0].data == b""  # what is on the disk is no longer held in memory
    assert done.timings.keys() >= {"inference", "queue", "total"}


async def test_runs_from_many_callers_come_one_after_the_other(local: LocalBackend, tmp_path: Path) -> None:
    engine = Engine({"local": local}, Store(tmp_path))
    jobs = [await engine.submit("local", short_request(local)) for _ in range(5)]
    results = await asyncio.gather(*(engine.result(job) for job in jobs))
    assert len({each.images[0].data for each in results}) == 1  # the same request: the same bytes, none disturbed


def test_its_status_line_says_what_it_will_do(tmp_path: Path) -> None:
    fresh = LocalBackend(Settings(data_dir=tmp_path), cuda=0)
    assert fresh.status() == "loads at the first run · CPU"
    assert fresh.ready() is None
    assert "teaching model" in fresh.spec.notice


def test_torch_and_diffusers_are_not_imported_before_the_first_run() -> None:
    code = (
        "import sys; from backends import all_backends; from core.settings import Settings;"
        "all_backends(Settings());"
        "heavy = {'torch', 'diffusers', 'transformers', 'huggingface_hub'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
