"""Several devices: a worker each, as many runs at a time, and neither knows of the other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from backends.local import LocalBackend
from backends.local.hardware import GIB, Hardware
from core.errors import RunCancelled
from core.events import Loading, Progress
from core.request import EditRequest
from core.settings import Settings
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.backends.local.runs import PATIENCE, drain, each_step
from tests.support.fakes import files_of, make_reference, make_request
from tests.support.words import said

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]


def fresh(data_dir: Path) -> LocalBackend:
    """Return a backend on mini with two devices, both of them the CPU, and nothing loaded."""
    machines = [Hardware("cpu", 64 * GIB, 64 * GIB, index=index) for index in range(2)]
    return LocalBackend(Settings(data_dir=data_dir, local_model="mini"), cuda=0, machines=machines)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> LocalBackend:
    """Such a backend; its models are loaded, one after the other."""
    backend = fresh(tmp_path_factory.mktemp("two"))
    both = threading.Barrier(2)

    async def load_each() -> None:
        await drain(backend, asked(backend))
        with each_step(lambda _: both.wait(PATIENCE)):
            await asyncio.gather(*(drain(backend, asked(backend)) for _ in range(2)))

    asyncio.run(load_each())
    return backend


def asked(backend: LocalBackend, prompt: str = "a lake", **raw: Any) -> EditRequest:
    return make_request(backend.spec, prompt, make_reference(32, 32), num_inference_steps=3, strength=1.0, **raw)


async def until_a_step(events: AsyncIterator[Any]) -> None:
    async for event in events:
        if isinstance(event, Progress) and event.step:
            return


def test_it_takes_as_many_runs_at_a_time_as_it_has_devices(tmp_path: Path) -> None:
    assert fresh(tmp_path).spec.concurrency == 2
    assert LocalBackend(Settings(data_dir=tmp_path), cuda=0).spec.concurrency == 1
    assert LocalBackend(Settings(data_dir=tmp_path, local_device="cuda"), cuda=3).spec.concurrency == 3
    assert LocalBackend(Settings(data_dir=tmp_path, local_device="cpu"), cuda=3).spec.concurrency == 1


def test_the_status_line_says_how_many(tmp_path: Path) -> None:
    assert said(fresh(tmp_path).status()) == ("Ready", "loads on the first run", "CPUs: 2")
    several = LocalBackend(Settings(data_dir=tmp_path, local_device="cuda"), cuda=3)
    assert said(several.status()) == ("Ready", "loads on the first run", "GPUs: 3")


async def test_two_runs_go_on_at_the_same_time_on_two_models(two: LocalBackend) -> None:
    meeting = threading.Barrier(2)
    models: dict[str, set[int]] = {}

    def meet(flow: Any) -> None:
        meeting.wait(PATIENCE)  # breaks unless both runs are at the same step
        models.setdefault(threading.current_thread().name, set()).add(id(flow))

    with each_step(meet):
        one, other = await asyncio.gather(drain(two, asked(two, seed=1)), drain(two, asked(two, seed=2)))
    assert [image.seed for image in (*one[1].images, *other[1].images)] == [1, 2]
    assert len(models) == 2
    assert all(len(each) == 1 for each in models.values())
    assert len(set.union(*models.values())) == 2
    assert said(two.status()) == ("Ready", "CPUs: 2")


async def test_runs_at_the_same_time_make_the_pictures_of_runs_alone(two: LocalBackend) -> None:
    requests = [asked(two, seed=seed, num_images=2) for seed in (1, 2)]
    together = await asyncio.gather(*(drain(two, request) for request in requests))
    alone = [await drain(two, request) for request in requests]
    assert [[image.data for image in done.images] for _, done in together] == [
        [image.data for image in done.images] for _, done in alone
    ]


async def test_a_free_worker_that_has_loaded_comes_before_one_that_has_not(tmp_path: Path) -> None:
    backend = fresh(tmp_path)
    first, _ = await drain(backend, asked(backend))
    assert any(isinstance(event, Loading) for event in first)
    for _ in range(2):
        events, _ = await drain(backend, asked(backend))
        assert not any(isinstance(event, Loading) for event in events)


async def test_a_free_worker_comes_before_a_busy_one_that_has_loaded(tmp_path: Path) -> None:
    backend = fresh(tmp_path)
    await drain(backend, asked(backend))
    events = backend.edit(asked(backend))
    async with aclosing(events):
        await until_a_step(events)
        beside, _ = await drain(backend, asked(backend))
    assert any(isinstance(event, Loading) for event in beside)


def test_two_devices_can_load_at_the_same_time(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.backends.local.at_once", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "2", "3"]


async def test_more_runs_than_devices_are_shared_out_evenly(two: LocalBackend) -> None:
    threads: list[str] = []
    with each_step(lambda _: threads.append(threading.current_thread().name)):
        await asyncio.gather(*(drain(two, asked(two, f"lake {number}")) for number in range(4)))
    assert sorted(threads.count(name) for name in set(threads)) == [6, 6]


async def test_runs_that_are_made_as_one_are_shared_out_evenly_too(two: LocalBackend) -> None:
    threads: list[str] = []
    with each_step(lambda _: threads.append(threading.current_thread().name)):
        await asyncio.gather(*(drain(two, asked(two, seed=seed)) for seed in range(4)))
    assert sorted(threads.count(name) for name in set(threads)) == [3, 3]


async def test_closing_one_run_leaves_the_others_result_as_it_is(two: LocalBackend) -> None:
    expected = (await drain(two, asked(two, seed=5)))[1].images[0].data
    staying: list[str] = []
    begun, closed = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(_: Any) -> None:  # the run that stays cannot end before the other was closed
        staying.append(threading.current_thread().name)
        loop.call_soon_threadsafe(begun.set)
        if threading.current_thread().name == staying[0]:
            assert closed.wait(PATIENCE)

    with each_step(hold):
        stays = asyncio.create_task(drain(two, asked(two, seed=5)))
        await begun.wait()
        async with aclosing(two.edit(asked(two, seed=6, num_images=4))) as leaves:
            await until_a_step(leaves)
        assert not stays.done()
        closed.set()
        _, done = await stays
    assert done.images[0].data == expected


async def test_the_engine_runs_two_and_cancels_one(two: LocalBackend, tmp_path: Path) -> None:
    expected = (await drain(two, asked(two, seed=5)))[1].images[0].data
    engine = Engine({"local": two}, AsyncStore(Store(tmp_path)))
    meeting, cancelled = threading.Barrier(2), threading.Event()
    calls: list[str] = []

    def meet_and_hold(_: Any) -> None:
        name = threading.current_thread().name
        calls.append(name)
        if calls.count(name) == 1:
            meeting.wait(PATIENCE)
        else:
            assert cancelled.wait(PATIENCE)

    with each_step(meet_and_hold):
        stays = await engine.submit("local", asked(two, seed=5))
        leaves = await engine.submit("local", asked(two, seed=6))
        await until_a_step(engine.watch(leaves))
        cancelling = asyncio.create_task(engine.cancel(leaves))
        for _ in range(9):  # turns of the loop, in which the cancel reaches the run
            await asyncio.sleep(0)
        cancelled.set()
        await cancelling
        with pytest.raises(RunCancelled):
            await engine.result(leaves)
        await engine.result(stays)
    (file,) = files_of(stays, tmp_path / "images")
    assert file.read_bytes() == expected
