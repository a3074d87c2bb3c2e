"""The real pipeline on the mini checkpoint, loaded once for each worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.local import LocalBackend
from core.backend import OWNERS, RunContext
from core.events import Completed, Event
from core.request import EditRequest
from core.settings import Settings
from tests.backends.local.tiny import build


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a few megabytes with random weights."""
    folder = tmp_path_factory.mktemp("tiny")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def local(data_dir: Path) -> LocalBackend:
    """A backend on mini; it loads at the first run that asks."""
    return LocalBackend(Settings(data_dir=data_dir), cuda=0)


async def drain(
    backend: LocalBackend, request: EditRequest, context: RunContext = OWNERS
) -> tuple[list[Event], Completed]:
    """Run a request to its end; return the events before it and the end."""
    events = [event async for event in backend.edit(request, context)]
    assert isinstance(events[-1], Completed)
    return events[:-1], events[-1]
