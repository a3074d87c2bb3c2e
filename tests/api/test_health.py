"""Alive, ready, and figures for whoever holds the token."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.applications import Starlette

from api import health
from core.errors import RunFailed
from engine.services import Services
from tests.support.fakes import FakeBackend, make_request, make_spec
from tests.support.services import services_at


def serving(services: Services, token: str | None = None) -> httpx.AsyncClient:
    app = Starlette(routes=health.routes(services.engine, services.disk, token))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://studio")


async def test_the_app_is_alive_and_ready_where_any_backend_is(tmp_path: Path) -> None:
    ready, away = FakeBackend(), FakeBackend(make_spec("away"), reason="Needs a key.")
    client = serving(services_at(tmp_path, {"fake": ready, "away": away}))
    assert (await client.get("/healthz")).text == "ok"
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "backends": {"fake": "ready", "away": "Needs a key."}}
    ready.reason = "Gone."
    assert (await client.get("/readyz")).status_code == 503


async def test_an_app_whose_data_folder_is_gone_is_not_ready(tmp_path: Path) -> None:
    services = services_at(tmp_path / "data")
    client = serving(services)
    (tmp_path / "data" / "studio.db").unlink()
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "database file was removed" in answer.json()["disk"]
    assert (await client.get("/healthz")).status_code == 200


async def test_figures_are_shut_without_a_token_and_to_whoever_has_another(tmp_path: Path) -> None:
    services = services_at(tmp_path)
    assert (await serving(services).get("/metrics")).status_code == 404
    client = serving(services, "right")
    assert (await client.get("/metrics")).status_code == 401
    assert (await client.get("/metrics", headers={"authorization": "Bearer wrong"})).status_code == 401


async def test_runs_are_counted_by_backend_and_end(tmp_path: Path) -> None:
    backend = FakeBackend()
    services = services_at(tmp_path, {"fake": backend})
    client = serving(services, "right")
    await services.engine.result(await services.engine.submit("fake", make_request(backend.spec)))
    backend.fail = RunFailed("recorded", what="It broke.", todo="")
    job = await services.engine.submit("fake", make_request(backend.spec))
    assert job.task
    await job.task
    text = (await client.get("/metrics", headers={"authorization": "Bearer right"})).text
    assert 'studio_runs_total{backend="fake",state="done"} 1.0' in text
    assert 'studio_runs_total{backend="fake",state="failed"} 1.0' in text
    assert 'studio_run_seconds_count{backend="fake"} 1.0' in text
    assert 'studio_runs_now{backend="fake"} 0.0' in text
    await services.close()
