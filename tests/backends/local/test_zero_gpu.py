"""ZeroGPU: a run goes to a process that has a GPU, and comes back as if it had been done here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.local import LocalBackend
from backends.local.worker import Worker
from backends.local.zero_gpu import ZeroGpu, as_owner, on_zero_gpu
from core.backend import RunContext
from core.events import Completed, Event, Progress
from core.messages import in_full
from core.request import EditRequest
from core.settings import Settings
from tests.backends.local.runs import drain
from tests.backends.local.stand_in_gpu import CHOICE, SPEC, WAITING, ForkedGpu, Gpu, OnZero, ask
from tests.support.words import said

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def mini() -> Worker:
    """A worker that has mini loaded."""
    worker = Worker(CHOICE, SPEC)
    worker.loaded(lambda _: None, {})
    return worker


def done_by(work: Callable[..., Completed], request: EditRequest) -> tuple[list[Event], Completed]:
    events: list[Event] = []
    return events, work(request, False, events.append)


def steps_of(events: list[Event]) -> list[int]:
    return [event.step for event in events if isinstance(event, Progress)]


@pytest.mark.parametrize("kind", [Gpu, ForkedGpu])
def test_a_run_gives_the_bytes_of_a_run_here(mini: Worker, kind: type[Gpu]) -> None:
    gpu = kind()
    here, done_here = done_by(mini.work, ask())
    there, done_there = done_by(ZeroGpu(mini, gpu, gpu.as_visitor).work, ask())
    assert done_there.images == done_here.images
    assert [each.seed for each in done_there.images] == [7, 8]
    assert there[0] == WAITING
    assert steps_of(there) == steps_of(here) == [0, 1, 2, 3, 4]
    assert any(event.preview for event in there if isinstance(event, Progress))


def test_the_real_package_elsewhere_runs_as_usual(mini: Worker) -> None:
    pytest.importorskip("spaces")
    events, done = done_by(on_zero_gpu(mini, as_owner).work, ask())
    assert done.images == done_by(mini.work, ask())[1].images
    assert events[0] == WAITING
    assert steps_of(events) == [0, 1, 2, 3, 4]


async def test_a_backend_on_zerogpu_asks_on_the_visitors_quota(mini: Worker) -> None:
    gpu = Gpu()
    backend = OnZero(mini, gpu)
    backend.prepare()
    events, done = await drain(backend, ask(), RunContext(gpu_token="token-of-ann"))
    assert done.images == done_by(mini.work, ask())[1].images
    assert events[0] == WAITING
    await drain(backend, ask())
    assert gpu.tokens == ["token-of-ann", ""]


async def test_a_run_without_a_step_asks_for_no_gpu(mini: Worker) -> None:
    gpu = Gpu()
    backend = OnZero(mini, gpu)
    backend.prepare()
    events, done = await drain(backend, ask(strength=0))
    assert (events, len(done.images), gpu.asked) == ([], 2, [])


async def test_a_model_that_is_not_there_at_start_makes_the_backend_unready(tmp_path: Path) -> None:
    pytest.importorskip("spaces")
    settings = Settings(data_dir=tmp_path, zero_gpu=True, local_model=str(tmp_path / "gone"), local_device="cuda")
    backend = LocalBackend(settings)
    assert backend.ready() is None
    backend.prepare()
    reason = backend.ready()
    assert reason is not None
    assert "Not loaded" in said(backend.status())
    assert str(tmp_path) not in in_full(reason)


def test_preparing_anywhere_else_does_nothing_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from backends.local import LocalBackend; from core.settings import Settings;"
        "own = [LocalBackend(Settings(), cuda=1), LocalBackend(Settings(zero_gpu=True, local_model='mini'))];"
        "[each.prepare() for each in own]; assert [each.ready() for each in own] == [None, None];"
        "heavy = {'torch', 'diffusers', 'transformers', 'huggingface_hub', 'gradio', 'spaces'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
