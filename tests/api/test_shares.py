"""Work that is no run, asked for by the API: each key has its share, and is told how long to wait."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from api.statuses import headers_of, status_of
from core.errors import QueueFull, TooManyRequests, TooManyRuns
from engine.quotas import REFERENCES
from tests.support.api_app import WAVE, api_app
from tests.support.fakes import picture_bytes

pytestmark = pytest.mark.integration

TICKET = {"filename": "a.png", "size": 10}
RUN = {"prompt": "a lake", "image": base64.b64encode(picture_bytes()).decode(), "enable_sync_mode": True}


@pytest.mark.parametrize(
    "error",
    [
        TooManyRequests("recorded", what="Enough.", todo="", wait=2.5),
        TooManyRuns("recorded", what="Enough.", todo="", wait=2.5),
    ],
)
def test_who_has_had_their_share_is_told_when_to_ask_again(error: TooManyRequests) -> None:
    assert (status_of(error), headers_of(error)) == (429, {"Retry-After": "3"})
    assert status_of(QueueFull("recorded", what="Full.", todo="")) == 503


async def test_a_key_has_so_many_uploads_and_another_key_its_own(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        ann, bob = at.key("ann", per_minute=1), at.key("bob", per_minute=1)
        for _ in range(int(REFERENCES.visitor)):
            answer = await at.client.post("/api/v3/media/uploads", json=TICKET, headers=ann)
            assert answer.status_code == 200
        answer = await at.client.post("/api/v3/media/uploads", json=TICKET, headers=ann)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert "pictures a minute" in answer.json()["message"]
        file = {"file": ("a.png", picture_bytes())}
        assert (await at.client.post("/api/v3/media/upload/binary", files=file, headers=ann)).status_code == 429
        assert (await at.client.post("/api/v3/media/uploads", json=TICKET, headers=bob)).status_code == 200


async def test_a_run_above_the_limit_is_refused_before_its_picture_is_read(tmp_path: Path) -> None:
    broken = {**RUN, "image": base64.b64encode(b"no picture").decode()}
    async with api_app(tmp_path) as at:
        ann = at.key("ann", per_minute=1)
        assert (await at.client.post(f"/api/v3/{WAVE}", json=broken, headers=ann)).status_code == 400
        assert (await at.client.post(f"/api/v3/{WAVE}", json=RUN, headers=ann)).status_code == 200
        answer = await at.client.post(f"/api/v3/{WAVE}", json=broken, headers=ann)
        assert answer.status_code == 429
        assert "1 run a minute" in answer.json()["message"]
