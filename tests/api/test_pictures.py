"""Pictures over HTTP: what caches and other sites may do with them, and what a visitor without cookies is told."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from api.identity import COOKIE, owner_of
from core.links import Links
from storage.files.secret import lasting_secret
from tests.support.api_app import ApiApp, api_app
from tests.support.fakes import picture_bytes

pytestmark = pytest.mark.integration

PUBLIC = {"public_url": "http://127.0.0.1:7860"}


async def put(at: ApiApp, owner: str = "somebody") -> str:
    """Keep a picture for an owner; return its name."""
    return (await at.services.images.keep(owner, picture_bytes(), "image/png")).name


@pytest.mark.parametrize("seconds", [50, 7 * 86_400])
async def test_no_cache_holds_a_signed_picture_longer_than_its_link_lasts(tmp_path: Path, seconds: int) -> None:
    async with api_app(tmp_path, **PUBLIC) as at:
        path = f"/files/{await put(at)}"
        answer = await at.client.get(Links(lasting_secret(tmp_path)).sign(path, int(time.time()) + seconds))
        assert answer.status_code == 200
        found = re.fullmatch(r"private, max-age=(\d+)", answer.headers["cache-control"])
        assert found is not None
        assert 0 < int(found.group(1)) <= seconds


async def test_whoever_has_a_link_may_show_the_picture_and_nobody_embeds_a_visitors_own(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        name = await put(at, "local")
        signed = await at.client.get(Links(lasting_secret(tmp_path)).sign(f"/files/{name}"))
        assert signed.headers["cross-origin-resource-policy"] == "cross-origin"
        own = await at.client.get(f"/studio/v1/references/{name[:64]}/file")
        assert own.status_code == 200
        assert own.headers["cross-origin-resource-policy"] == "same-origin"
        assert own.headers["cache-control"].startswith("private")


async def test_who_keeps_no_cookie_is_told_that_their_pictures_need_one(tmp_path: Path) -> None:
    async with api_app(tmp_path, **PUBLIC) as at:
        path = f"/studio/v1/references/{(await put(at))[:64]}"
        assert (await at.client.get(f"{path}/file")).status_code == 404
        assert (await at.client.get(f"{path}/view?width=256")).status_code == 404
        told = await at.client.get(path)
        assert (told.status_code, told.json()["error"]["code"]) == (401, "cookies-needed")


async def test_who_keeps_one_is_told_nothing_of_other_peoples(tmp_path: Path) -> None:
    async with api_app(tmp_path, **PUBLIC) as at:
        await at.client.get("/")
        token = at.client.cookies[COOKIE].partition(".")[0]
        own = (await put(at, owner_of(token)))[:64]
        assert (await at.client.get(f"/studio/v1/references/{own}/file")).status_code == 200
        answer = await at.client.get(f"/studio/v1/references/{'0' * 64}/file")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "picture-unknown")
