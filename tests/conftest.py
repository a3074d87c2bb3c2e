"""What all tests share."""

from __future__ import annotations

import os

import httpx
import pytest

# Two workers with two threads each would wait for each other's cores inside every matrix product.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Nothing may be asked of a hub, whatever a test does.
os.environ["HF_HUB_OFFLINE"] = "1"
# Clients that are given no patience of their own have five seconds, which are few on a machine that stalls.
for wait in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, wait, 120.0)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: what packed them may have put the time of day in, and every worker must agree."""
    return argname if isinstance(val, bytes) else None
