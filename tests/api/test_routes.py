"""Which backend runs a model's name, and whose money that may spend."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from core.limits import Caps
from core.settings import Settings, SettingsError
from tests.support.api_app import AIML, WAVE, api_app
from tests.support.fakes import FakeBackend, FakeProvider, make_spec, picture_bytes

pytestmark = pytest.mark.integration

IMAGE = base64.b64encode(picture_bytes()).decode()


def both() -> dict[str, Any]:
    """Return the two backends of these tests: one here, one at a provider for 30 cents an image."""
    far = FakeBackend(make_spec("far", key_env="FAR_KEY", price=0.3), provider=FakeProvider(7.5, "FAR_KEY"))
    return {"local": FakeBackend(make_spec("local")), "far": far}


def asked(model: str) -> dict[str, Any]:
    """Return a request in AI/ML API's format."""
    return {"model": model, "prompt": "a lake", "image_url": f"data:image/png;base64,{IMAGE}"}


async def test_a_name_of_the_owners_own_is_offered_at_both_doors(tmp_path: Path) -> None:
    models = Settings.from_env({"STUDIO_API_MODELS": "team/quick=local"}).api_models
    async with api_app(tmp_path, both(), api_models=models) as at:
        assert (await at.client.post("/v1/images/generations", json=asked("team/quick"))).status_code == 200
        task = await at.client.post("/api/v3/team/quick", json={"prompt": "a lake", "image": IMAGE})
        assert task.json()["data"]["model"] == "team/quick"
        names = [each["model_id"] for each in (await at.client.get("/api/v3/models")).json()["data"]]
        assert names == [AIML, WAVE, "team/quick"]


async def test_the_owners_money_is_not_spent_unless_they_said_so(tmp_path: Path) -> None:
    models = {AIML: "far"}
    async with api_app(tmp_path / "shut", both(), api_models=models) as at:
        refused = await at.client.post("/v1/images/generations", json=asked(AIML))
        assert refused.status_code == 403
        assert "does not spend its owner's money at Far" in refused.json()["message"]
        assert at.engine.backend("far").started == []  # type: ignore[attr-defined]
    async with api_app(tmp_path / "open", both(), api_models=models, api_spends=True) as at:
        assert (await at.client.post("/v1/images/generations", json=asked(AIML))).status_code == 200


async def test_the_days_budget_holds_here_too(tmp_path: Path) -> None:
    caps = Caps(budget=0.5)
    async with api_app(tmp_path, both(), api_models={AIML: "far"}, api_spends=True, caps=caps) as at:
        assert (await at.client.get("/v2/billing")).json() == {"current_balance": 0.5, "currency": "USD"}
        assert (await at.client.post("/v1/images/generations", json=asked(AIML))).status_code == 200
        spent = await at.client.post("/v1/images/generations", json={**asked(AIML), "num_images": 2})
        assert spent.status_code == 403
        assert "budget ($0.50) is used up" in spent.json()["message"]


@pytest.mark.parametrize(("settings", "left"), [({}, 0.0), ({"api_spends": True}, 7.5)])
async def test_the_balance_is_what_may_be_spent_at_providers(
    tmp_path: Path, settings: dict[str, Any], left: float
) -> None:
    async with api_app(tmp_path, both(), api_models={AIML: "far", WAVE: "local"}, **settings) as at:
        assert (await at.client.get("/v2/billing")).json()["current_balance"] == left
        assert (await at.client.get("/api/v3/balance")).json()["data"] == {"balance": left}


async def test_a_model_on_a_backend_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"runs team/quick on 'nowhere'\. Set one of local"):
        async with api_app(tmp_path, api_models={"team/quick": "nowhere"}):
            pass


@pytest.mark.parametrize("text", ["team", "=local", "a b=local", "team/quick=", "../up=local", "/team=local"])
def test_a_setting_that_is_no_pair_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(SettingsError, match="STUDIO_API_MODELS holds"):
        Settings.from_env({"STUDIO_API_MODELS": text})


async def test_a_provider_of_two_backends_is_asked_for_its_balance_once(tmp_path: Path) -> None:
    account = FakeProvider(7.5, "FAR_KEY")
    far = {
        name: FakeBackend(make_spec(name, key_env="FAR_KEY", price=0.3), provider=account) for name in ("far", "also")
    }
    async with api_app(tmp_path, far, api_models={AIML: "far", WAVE: "also"}, api_spends=True) as at:
        assert (await at.client.get("/v2/billing")).json()["current_balance"] == 7.5
