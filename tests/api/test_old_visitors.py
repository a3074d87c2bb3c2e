"""Visitors from before cookies were signed: their browsers are known once more, and keep their pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from api.identity import COOKIE
from api.middleware import AccessRules, protected
from api.studio import routes as studio
from app import assemble
from engine.quotas import Quotas
from storage.async_store import AsyncStore
from storage.sqlite.store import Store
from tests.support.fakes import picture_bytes
from tests.support.old_data_folder import ANN, BOB, digest, make_old_folder

SECRET = b"s" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_old_folder(tmp_path / "data")
    return tmp_path / "data"


async def _no_fetch(_: str) -> bytes:
    raise AssertionError("nothing is fetched")


@asynccontextmanager
async def app(folder: Path) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    """Yield the path of a picture that is Ann's in an app on the folder, and a client without cookies."""
    store = AsyncStore(Store(folder))
    services = assemble({}, store, Quotas())
    picture = await services.images.keep(digest(ANN), picture_bytes(), "image/png")
    rules = AccessRules(public=True, max_body=1000, secret=SECRET, exchange=store.exchange)
    page, _ = studio.build(services, _no_fetch, folder, "build")
    inside = Starlette(routes=studio.routes(page), middleware=[Middleware(protected, rules)])
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(inside), base_url="http://studio.test") as client:
            yield f"/studio/v1/references/{picture.stem}/file", client
    finally:
        await services.close()


async def test_an_old_cookie_opens_its_pictures_and_is_exchanged(folder: Path) -> None:
    async with app(folder) as (path, client):
        answer = await client.get(path, headers={"cookie": f"{COOKIE}={ANN}"})
        assert answer.status_code == 200
        assert client.cookies[COOKIE] != ANN
        assert (await client.get(path)).status_code == 200
        signed = client.cookies[COOKIE]
    async with app(folder) as (path, client):  # a later process
        assert (await client.get(path, headers={"cookie": f"{COOKIE}={ANN}"})).status_code == 404
        assert (await client.get(path, headers={"cookie": f"{COOKIE}={signed}"})).status_code == 200


@pytest.mark.parametrize("value", [digest(ANN), "x" * 43, f"{ANN}.{'x' * 43}", BOB])
async def test_no_other_value_opens_them(folder: Path, value: str) -> None:
    async with app(folder) as (path, client):
        assert (await client.get(path, headers={"cookie": f"{COOKIE}={value}"})).status_code == 404
