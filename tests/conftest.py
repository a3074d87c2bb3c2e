"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

# Two workers with two threads each would wait for each other's cores inside every matrix product.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Nothing may be asked of a hub, whatever a test does.
os.environ["HF_HUB_OFFLINE"] = "1"
# Clients that are given no patience of their own have five seconds, which are few on a machine that stalls.
for wait in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, wait, 120.0)


QUICK = "not integration"
"""What `make quick` gives to `-m`."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out whole modules of integration tests before they import their libraries, which takes longest."""
    if config.option.markexpr != QUICK or collection_path.suffix != ".py":
        return None
    return "\npytestmark = pytest.mark.integration\n" in collection_path.read_text(encoding="utf-8") or None


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores, for what waits: for a browser, a start, a line that is cut."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, the page's modules first: at the end no worker waits for another's."""
    items.sort(key=lambda item: (item.get_closest_marker("integration") is None, "tests/ui/" not in item.nodeid))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: what packed them may have put the time of day in, and every worker must agree."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _catalogue(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    """Fail where a message was rendered that no catalogue has, or without a value that it needs."""
    yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):  # type: ignore[arg-type]
            assert record.name != "core.messages", record.getMessage()


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """Let a worker report a test whose log or failure holds half a character, which no UTF-8 has."""
    return encodable((yield))


def encodable(value: object) -> object:
    """Return a report's data with texts that can be sent to another process."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(encodable, value))
    return value
