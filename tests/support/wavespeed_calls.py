"""Calls of WaveSpeedAI's format as we serve it, and what its clients do: submit, ask until it has ended."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.api_app import WAVE, ApiApp
from tests.support.fakes import picture_bytes

PICTURE = "data:image/png;base64," + base64.b64encode(picture_bytes()).decode()
PAGES_BODY: dict[str, Any] = {
    "strength": 0.8,
    "num_inference_steps": 28,
    "seed": -1,
    "guidance_scale": 3.5,
    "output_format": "jpeg",
    "enable_base64_output": False,
    "enable_sync_mode": False,
}
"""The body of the provider's own curl example, which leaves out what its table requires."""
BARE: dict[str, Any] = {"prompt": "as an oil painting", "image": PICTURE}
BODY: dict[str, Any] = {**BARE, **PAGES_BODY}
SYNC: dict[str, Any] = {**BODY, "enable_sync_mode": True}
RUN = f"/api/v3/{WAVE}"
PREDICTIONS = "/api/v3/predictions"


async def until(holds: Callable[[], Any]) -> None:
    """Return when something holds; nothing tells of it."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def submitted(at: ApiApp, key: dict[str, str] | None = None, **more: Any) -> str:
    """Submit a task and return its id."""
    answer = await at.client.post(RUN, json={**BODY, **more}, headers=key)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["id"])


async def settled(at: ApiApp, task: str, key: dict[str, str] | None = None) -> dict[str, Any]:
    """Ask for a task until it has ended, as a client would, and return what is told of it."""
    while True:
        answer = await at.client.get(f"{PREDICTIONS}/{task}/result", headers=key)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        if data["status"] in ("completed", "failed"):
            return data
        await asyncio.sleep(0.005)


def kept(folder: Path) -> set[str]:
    """Return the names of the pictures on the disk."""
    return {path.name for path in (folder / "images").glob("*")}
