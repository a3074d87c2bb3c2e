"""The model before the first click: loaded once the app answers, from this disk alone, never where it may not be."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from backends.local import LocalBackend
from backends.local import worker as worker_module
from core.errors import RunCancelled
from core.events import Event, Loading
from core.messages import recorded
from core.settings import SRPO_BASE, Settings
from engine.engine import Engine
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.backends.local.runs import drain, short_request
from tests.support.words import said

pytestmark = pytest.mark.integration


async def test_after_the_preload_the_first_run_loads_nothing(tmp_path: Path) -> None:
    backend = LocalBackend(Settings(data_dir=tmp_path), cuda=0)
    await backend.preload()
    assert said(backend.status()) == ("Ready", "CPU")
    events, done = await drain(backend, short_request(backend))
    assert not any(isinstance(event, Loading) for event in events)
    assert "load" not in done.timings
    await backend.preload()  # a second one has nothing to do


async def test_what_would_have_to_be_downloaded_is_left_to_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def snapshot_download(name: str, *, local_files_only: bool, **_: Any) -> str:
        asked.append(local_files_only)
        raise LocalEntryNotFoundError(f"{name} is not on this disk")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    backend = LocalBackend(Settings(data_dir=tmp_path, local_model="me/flux"), cuda=0)
    await backend.preload()
    assert asked == [True]
    assert said(backend.status()) == ("Ready", "loads on the first run", "CPU")


async def test_a_folder_on_this_disk_is_loaded(tmp_path: Path, tiny: Path) -> None:
    backend = LocalBackend(Settings(data_dir=tmp_path, local_model=str(tiny)), cuda=0)
    await backend.preload()
    assert said(backend.status())[0] == "Ready"


@pytest.mark.parametrize(
    "environ", [{"STUDIO_PUBLIC_URL": "https://studio.example"}, {"GRADIO_SERVER_NAME": "0.0.0.0"}]
)
async def test_a_model_whose_licence_nobody_has_read_is_not_loaded(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "load", lambda *_, **__: pytest.fail("it was loaded"))
    await LocalBackend(Settings.from_env({"STUDIO_LOCAL_MODEL": SRPO_BASE, **environ}), cuda=0).preload()


class HeldLoad:
    """Holds a load within its first stage, until `go`; the stage is passed on to whoever listens."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, choice: Any, tell: Any, **more: Any) -> Any:
        self.begun.set()
        assert self.go.wait(120)
        tell(Loading(recorded("transformer"), 1, 2))
        return self.load(choice, tell, **more)

    load = staticmethod(worker_module.load)


async def test_a_click_during_the_preload_sees_how_it_goes_and_then_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldLoad()
    monkeypatch.setattr(worker_module, "load", held)
    backend = LocalBackend(Settings(data_dir=tmp_path), cuda=0)
    preload = asyncio.create_task(backend.preload())
    await asyncio.to_thread(held.begun.wait)
    assert said(backend.status()) == ("Loading", "CPU")
    seen: list[Event] = []

    async def run() -> None:
        async for event in backend.edit(short_request(backend)):
            seen.append(event)

    running = asyncio.create_task(run())
    await asyncio.sleep(0)
    held.go.set()
    await running
    await preload
    assert Loading(recorded("transformer"), 1, 2) in seen


async def test_a_cancel_during_the_preload_is_answered_at_once_and_the_load_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldLoad()
    monkeypatch.setattr(worker_module, "load", held)
    backend = LocalBackend(Settings(data_dir=tmp_path), cuda=0)
    engine = Engine({"local": backend}, AsyncStore(Store(tmp_path / "data")))
    preload = asyncio.create_task(backend.preload())
    await asyncio.to_thread(held.begun.wait)
    job = await engine.submit("local", short_request(backend))
    await asyncio.sleep(0)
    await engine.cancel(job)
    with pytest.raises(RunCancelled):
        await engine.result(job)
    held.go.set()
    await preload
    assert said(backend.status()) == ("Ready", "CPU")
    await engine.result(await engine.submit("local", short_request(backend)))
    await engine.close()
