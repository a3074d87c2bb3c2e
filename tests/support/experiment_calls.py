"""How tests ask the page's own API for experiments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.studio_calls import S, add_reference

LADDER = {"name": "strength", "spread": {"low": 0.2, "high": 0.8, "count": 4}}


async def body(client: httpx.AsyncClient, *axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an experiment with a reference of its own."""
    base = {"backend": "local", "prompt": "a cat by a lake", **more.pop("base", {})}
    return {"reference": (await add_reference(client))["digest"], "base": base, "axes": list(axes or [LADDER]), **more}


async def post(client: httpx.AsyncClient, path: str, once: str = "k1", key: str = "", **body: Any) -> httpx.Response:
    """Ask something of the experiments."""
    headers = {"Idempotency-Key": once} | ({"X-Provider-Key": key} if key else {})
    return await client.post(f"{S}/experiments{path}", json=body, headers=headers)


async def start(client: httpx.AsyncClient, *axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Begin an experiment, and return it."""
    once, key = more.pop("once", "k1"), more.pop("key", "")
    answer = await post(client, "", once, key, **await body(client, *axes, **more))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def until(client: httpx.AsyncClient, id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until an experiment is as it is wanted; return it."""
    for _ in range(3000):
        view = (await client.get(f"{S}/experiments/{id}")).json()
        if wanted(view):
            return dict(view)
        await asyncio.sleep(0.01)
    raise AssertionError(view)


def all_done(view: dict[str, Any]) -> bool:
    """Return whether all cells are there."""
    return all(each["state"] == "done" for each in view["cells"])
