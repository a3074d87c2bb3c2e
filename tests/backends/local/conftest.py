"""The real pipeline on the mini checkpoint, loaded once for each worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.local import LocalBackend
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
