"""Calls of the page's own API, on an app without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.api_app import ApiApp, api_app
from tests.support.fakes import FakeBackend, make_spec, picture_bytes

S = "/studio/v1"


@asynccontextmanager
async def studio(folder: Path, backend: FakeBackend | None = None, **settings: Any) -> AsyncIterator[ApiApp]:
    """Yield an app whose one backend is called `local`."""
    async with api_app(folder, {"local": backend or FakeBackend(make_spec("local"))}, **settings) as running:
        yield running


async def add_reference(client: httpx.AsyncClient, size: tuple[int, int] = (64, 48)) -> dict[str, Any]:
    """Upload a picture as a reference, and return its view."""
    file = picture_bytes("PNG", "RGB", size)
    answer = await client.post(f"{S}/references", files={"file": ("photo.png", file, "image/png")})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def submit(client: httpx.AsyncClient, once: str = "k1", key: str | None = None, **body: Any) -> httpx.Response:
    """Begin a job, with a reference of its own where the body has none, and return the answer."""
    if "reference" not in body:
        body["reference"] = (await add_reference(client))["digest"]
    headers = {"Idempotency-Key": once} | ({"X-Provider-Key": key} if key else {})
    return await client.post(f"{S}/jobs", json={"backend": "local", "prompt": "a lake", **body}, headers=headers)


async def until(client: httpx.AsyncClient, job: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return a job's view as soon as it is as wanted."""
    for _ in range(3000):
        view = (await client.get(f"{S}/jobs/{job}")).json()
        if wanted(view):
            return dict(view)
        await asyncio.sleep(0.01)
    raise AssertionError(view)


def done(view: dict[str, Any]) -> bool:
    """Return whether a job is done."""
    return bool(view["state"] == "done")


async def make(client: httpx.AsyncClient, **body: Any) -> list[dict[str, Any]]:
    """Return the results of a job, once it is done. Arguments as for `submit`."""
    job = (await submit(client, **body)).json()["id"]
    return list((await until(client, job, done))["results"])
