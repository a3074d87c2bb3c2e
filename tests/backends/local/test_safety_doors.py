"""The local backend behind both API doors: withheld pictures as the providers tell of them, and what a caller sets."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.local import LocalBackend
from core.backend import OWNERS, RunContext
from core.events import Event
from core.request import EditRequest
from core.settings import Settings
from tests.backends.local.checked_runs import ASKED, DATA, PUBLIC, ask, withholding_the_brightest
from tests.backends.local.classifier import certain
from tests.backends.local.runs import drain
from tests.support.api_app import AIML, WAVE, api_app

pytestmark = pytest.mark.integration

ADDRESS = "data:image/png;base64," + base64.b64encode(DATA).decode()
AIML_RUN = "/v1/images/generations"
WAVE_RUN = f"/api/v3/{WAVE}"


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checker to which every picture is unsafe."""
    return str(certain(tmp_path_factory.mktemp("checkers") / "always", {"normal": 0.01, "nsfw": 0.99}))


@pytest.fixture(scope="module")
def strict(checker: str, data_dir: Path) -> LocalBackend:
    """On a private address."""
    return LocalBackend(Settings(data_dir=data_dir, safety_model=checker), cuda=0)


@pytest.fixture(scope="module")
def public(checker: str, data_dir: Path) -> LocalBackend:
    """On a public address."""
    return LocalBackend(Settings(data_dir=data_dir, safety_model=checker, public_url=PUBLIC), cuda=0)


class Watched(LocalBackend):
    """Keeps the requests that it is given."""

    def __init__(self, settings: Settings, cuda: int = 0) -> None:
        super().__init__(settings, cuda)
        self.seen: list[EditRequest] = []

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        self.seen.append(request)
        async with aclosing(super().edit(request, context)) as events:
            async for event in events:
                yield event


def wire(**more: Any) -> dict[str, Any]:
    """Return the batch as AI/ML API's clients ask for it."""
    return {"model": AIML, "prompt": "a quiet lake", "image_url": ADDRESS, **ASKED, **more}


def is_black(address: str) -> bool:
    """Return whether this is a black picture inside the answer, and no link to a kept one."""
    head, _, data = address.partition(",")
    if not head.startswith("data:image/png"):
        return False
    return Image.open(io.BytesIO(base64.b64decode(data))).getextrema() == ((0, 0), (0, 0), (0, 0))


async def test_aimlapis_door_flags_the_withheld_ones_and_gives_them_black(strict: LocalBackend, tmp_path: Path) -> None:
    _, plain = await drain(strict, ask(strict, enable_safety_checker=False))
    backend, hidden = withholding_the_brightest(plain, tmp_path)
    async with api_app(tmp_path / "api", {"local": backend}) as at:
        body = (await at.client.post(AIML_RUN, json=wire())).json()
        assert body["has_nsfw_concepts"] == hidden
        assert [is_black(each["url"]) for each in body["data"]] == hidden
        assert body["seed"] == 5


async def test_wavespeeds_door_flags_a_withheld_one_and_gives_it_black(strict: LocalBackend, tmp_path: Path) -> None:
    body = {"prompt": "a lake", "image": ADDRESS, "num_inference_steps": 2, "enable_sync_mode": True}
    async with api_app(tmp_path, {"local": strict}) as at:
        told = (await at.client.post(WAVE_RUN, json=body)).json()["data"]
        assert told["status"] == "completed"
        assert told["has_nsfw_contents"] == [True]
        assert [is_black(each) for each in told["outputs"]] == [True]
        again = (await at.client.get(f"/api/v3/predictions/{told['id']}/result")).json()["data"]
        assert (again["has_nsfw_contents"], again["outputs"]) == (told["has_nsfw_contents"], told["outputs"])


@pytest.mark.parametrize("checked", [True, False])
async def test_aimlapis_switch_reaches_a_private_backend(strict: LocalBackend, tmp_path: Path, checked: bool) -> None:
    async with api_app(tmp_path, {"local": strict}) as at:
        body = (await at.client.post(AIML_RUN, json=wire(enable_safety_checker=checked))).json()
        assert body["has_nsfw_concepts"] == [checked] * 3


async def test_aimlapis_switch_turns_nothing_off_on_a_public_address(public: LocalBackend, tmp_path: Path) -> None:
    async with api_app(tmp_path, {"local": public}, public_url=PUBLIC) as at:
        asked = wire(enable_safety_checker=False)
        body = (await at.client.post(AIML_RUN, json=asked, headers=at.key())).json()
        assert body["has_nsfw_concepts"] == [True] * 3


@pytest.mark.parametrize(("asked", "level"), [({"acceleration": "high"}, "high"), ({}, "regular")])
async def test_the_level_that_aimlapis_caller_asks_for_reaches_the_backend(
    tmp_path: Path, asked: dict[str, str], level: str
) -> None:
    backend = Watched(Settings(data_dir=tmp_path))
    body = {name: value for name, value in wire(strength=0).items() if name != "acceleration"}
    async with api_app(tmp_path, {"local": backend}) as at:
        assert (await at.client.post(AIML_RUN, json={**body, **asked})).status_code == 200
    assert [each.params["acceleration"] for each in backend.seen] == [level]


@pytest.mark.parametrize(("device", "level"), [("cpu", "none"), ("cuda", "regular")])
async def test_wavespeeds_door_leaves_the_level_to_the_backend(tmp_path: Path, device: str, level: str) -> None:
    backend = Watched(Settings(data_dir=tmp_path, local_model="mini", local_device=device), cuda=1)
    body = {"prompt": "a lake", "image": ADDRESS, "strength": 0, "enable_sync_mode": True}
    async with api_app(tmp_path, {"local": backend}) as at:
        assert (await at.client.post(WAVE_RUN, json=body)).json()["data"]["status"] == "completed"
    assert [each.params["acceleration"] for each in backend.seen] == [level]
