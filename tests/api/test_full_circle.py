"""Our hosted backends at our own API, word for word: what goes over the line is what the providers' pages say.

`tests/backends/test_contract.py` holds the pair to everything that a backend keeps. Here the JSON between them stands
as it is written, so that both halves cannot agree on the same mistake.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr

from backends.aimlapi import AimlapiBackend
from backends.aimlapi.provider import AimlapiProvider
from backends.http.client import ProviderClient
from backends.wavespeed import WavespeedBackend
from backends.wavespeed.answers import MediaUnreachable
from backends.wavespeed.provider import WavespeedProvider
from core.backend import Backend
from core.errors import (
    BackendUnavailable,
    FetchFailed,
    KeyRejected,
    Moderated,
    NoCredits,
    ParameterRefused,
    ProviderDown,
    RateLimited,
    RunFailed,
    StudioError,
    TimedOut,
)
from core.events import Accepted, Completed, Picture
from core.job import Allowance
from core.messages import recorded
from core.request import EditRequest
from core.result import Missing, Reason
from core.settings import Settings
from tests.support.api_app import api_app
from tests.support.api_server import KEY
from tests.support.fakes import FakeBackend, make_reference, make_spec, results

pytestmark = pytest.mark.integration

HOME = "http://127.0.0.1:7860"


class Tape(httpx.ASGITransport):
    """The connection to our own API; writes down each exchange: method and path, headers, body, status, answer."""

    def __init__(self, app: Any) -> None:
        super().__init__(app, raise_app_exceptions=False)
        self.said: list[tuple[str, httpx.Headers, bytes, int, bytes]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = await request.aread()
        answer = await super().handle_async_request(request)
        came = await answer.aread()
        line = f"{request.method} {request.url.raw_path.decode()}"
        self.said.append((line, request.headers, sent, answer.status_code, came))
        return httpx.Response(answer.status_code, headers=answer.headers, content=came)

    def asked(self, begin: str) -> list[dict[str, Any]]:
        """Return the bodies that were sent where a line begins so."""
        return [json.loads(sent) for line, _, sent, _, _ in self.said if line.startswith(begin)]

    def told(self, begin: str) -> list[Any]:
        """Return the bodies that came there."""
        return [json.loads(came) for line, _, _, _, came in self.said if line.startswith(begin)]


def aimlapi(client: ProviderClient, key: str = KEY, **switches: bool) -> AimlapiBackend:
    return AimlapiBackend(AimlapiProvider(Settings(aimlapi_key=SecretStr(key)), client), **switches)


def wavespeed(client: ProviderClient, key: str = KEY, **switches: bool) -> WavespeedBackend:
    return WavespeedBackend(WavespeedProvider(Settings(wavespeed_key=SecretStr(key)), client), **switches)


async def soon(_: float) -> None:
    """Wait a moment, however long a provider would be given: its tasks are done at once."""
    await asyncio.sleep(0.01)


@asynccontextmanager
async def circle(
    folder: Path, make: Callable[..., Backend], behind: FakeBackend | None = None, key: str = KEY, **rest: Any
) -> AsyncIterator[tuple[Backend, Tape]]:
    """Yield a hosted backend whose provider is our own API, and the tape of what they say."""
    backends = {"local": behind or FakeBackend(make_spec("local"))}
    async with api_app(folder, backends, api_key=SecretStr(KEY), **rest) as at:
        tape = Tape(at.app)
        backend = make(ProviderClient(HOME, tape, sleep=soon), key)
        yield backend, tape
        await backend.provider.close()


async def run(backend: Backend, **raw: Any) -> Completed:
    request = EditRequest.build(backend.spec, "a quiet lake", make_reference(64, 48), {"seed": 5, **raw})
    done = [event async for event in backend.edit(request)][-1]
    assert isinstance(done, Completed)
    return done


# ---- AI/ML API's format ----------------------------------------------------------------------------------

GENERATE = "POST /v1/images/generations"


async def test_aimlapis_run_is_asked_for_as_on_its_page(tmp_path: Path) -> None:
    async with circle(tmp_path, aimlapi) as (backend, tape):
        await run(backend, strength=0.9)
        assert tape.asked(GENERATE) == [
            {
                "model": "flux/srpo/image-to-image",
                "prompt": "a quiet lake",
                "image_url": "data:image/png;base64," + base64.b64encode(make_reference(64, 48).data).decode(),
                "strength": 0.9,
                "guidance_scale": 4.5,
                "seed": 5,
                "num_inference_steps": 40,
                "num_images": 1,
                "output_format": "jpeg",
                "acceleration": "regular",
                "enable_safety_checker": True,
                "sync_mode": False,
            }
        ]
        assert tape.said[0][1]["authorization"] == "Bearer srpo_the_key_of_this_server"


async def test_aimlapis_answer_is_written_as_on_its_page_and_read_as_such(tmp_path: Path) -> None:
    async with circle(tmp_path, aimlapi) as (backend, tape):
        done = await run(backend, num_images=2, output_format="png")
        (answer,) = tape.told(GENERATE)
        urls = [each.pop("url") for each in answer["images"]]
        assert [each.pop("url") for each in answer["data"]] == urls
        image = {"width": 64, "height": 48, "content_type": "image/png"}
        assert answer == {
            "images": [image, image],
            "timings": {"inference": 0.5},
            "seed": 5,
            "has_nsfw_concepts": [False, False],
            "prompt": "a quiet lake",
            "created": answer["created"],
            "notices": [],
            "data": [image, image],
            "meta": {"usage": {"credits_used": 0, "tokens_used": 0}},
        }
        assert [line for line, _, _, _, _ in tape.said[1:]] == [f"GET {url.removeprefix(HOME)}" for url in urls]
        assert all("authorization" not in headers for _, headers, _, _, _ in tape.said[1:])
        files = tuple(came for _, _, _, _, came in tape.said[1:])
        assert done.images == tuple(Picture(each, "image/png", 64, 48, 5) for each in files)
        assert (done.timings, done.cost) == ({"inference": 0.5}, 0.0)


async def test_aimlapis_pictures_come_inside_the_answer_where_that_is_wanted(tmp_path: Path) -> None:
    async with circle(tmp_path, partial(aimlapi, inline=True)) as (backend, tape):
        done = await run(backend)
        (answer,) = tape.told(GENERATE)
        assert len(tape.said) == 1
        (picture,) = done.images
        assert isinstance(picture, Picture)
        text = base64.b64encode(picture.data).decode()
        assert answer["data"][0]["b64_json"] == text
        assert json.dumps(answer).count(text) == 1


async def test_aimlapis_cost_comes_around(tmp_path: Path) -> None:
    def paid(request: EditRequest) -> Completed:
        return Completed(results(request), {"inference": 1.0}, cost=0.02625)

    async with circle(tmp_path, aimlapi, FakeBackend(make_spec("local"), outcome=paid)) as (backend, tape):
        assert (await run(backend)).cost == 0.02625
        assert tape.told(GENERATE)[0]["meta"] == {"usage": {"credits_used": 52500, "tokens_used": 52500}}


async def test_aimlapis_price_and_balance_are_told_and_read(tmp_path: Path) -> None:
    async with circle(tmp_path, aimlapi) as (backend, tape):
        price = await backend.price()
        assert (price.dollars, price.live) == (0.0, True)
        assert await backend.provider.balance() == 0.0
        assert [line for line, _, _, _, _ in tape.said] == [
            "GET /v1/models?id=flux%2Fsrpo%2Fimage-to-image&include=pricing",
            "GET /v2/billing",
        ]
        assert tape.told("GET /v2/billing") == [{"current_balance": 0.0, "currency": "USD"}]


@pytest.mark.parametrize(
    ("failure", "status", "kind"),
    [
        (RunFailed("recorded", what="It broke.", todo="Try again."), 500, ProviderDown),
        (Moderated("recorded", what="The prompt is refused.", todo=""), 400, ParameterRefused),
        (BackendUnavailable("recorded", what="It is away.", todo=""), 503, ProviderDown),
        (TimedOut("recorded", what="It took too long.", todo=""), 504, TimedOut),
    ],
)
async def test_aimlapis_failures_are_told_and_understood(
    tmp_path: Path, failure: StudioError, status: int, kind: type[StudioError]
) -> None:
    async with circle(tmp_path, aimlapi, FakeBackend(make_spec("local"), fail=failure)) as (backend, tape):
        with pytest.raises(kind) as caught:
            await run(backend)
        assert type(caught.value) is kind
        (answer,) = tape.told(GENERATE)
        assert sorted(answer) == ["message", "path", "requestId", "statusCode", "timestamp"]
        assert (answer["message"], answer["path"]) == (str(failure), "/v1/images/generations")
        assert answer["statusCode"] == tape.said[0][3] == status


# ---- WaveSpeedAI's format ------------------------------------------------------------------------------

SUBMIT = "POST /api/v3/wavespeed-ai/flux-srpo/image-to-image"


async def test_wavespeeds_run_is_asked_for_as_on_its_page(tmp_path: Path) -> None:
    async with circle(tmp_path, wavespeed) as (backend, tape):
        await run(backend, strength=0.9)
        data = make_reference(64, 48).data
        assert tape.asked("POST /api/v3/media/uploads") == [
            {"filename": "reference.png", "size": len(data), "content_type": "image/png"}
        ]
        (ticket,) = (each["data"] for each in tape.told("POST /api/v3/media/uploads"))
        ((line, headers, sent, status, _),) = (each for each in tape.said if each[0].startswith("PUT"))
        assert (line, sent, status) == (f"PUT {ticket['upload']['url'].removeprefix(HOME)}", data, 200)
        assert "authorization" not in headers
        assert tape.asked(SUBMIT) == [
            {
                "prompt": "a quiet lake",
                "image": ticket["download_url"],
                "strength": 0.9,
                "guidance_scale": 3.5,
                "seed": 5,
                "num_inference_steps": 28,
                "output_format": "jpeg",
                "enable_sync_mode": False,
                "enable_base64_output": False,
            }
        ]


async def test_wavespeeds_answers_are_written_as_on_its_page_and_read_as_such(tmp_path: Path) -> None:
    async with circle(tmp_path, wavespeed) as (backend, tape):
        done = await run(backend, output_format="png")
        (first,), last = tape.told(SUBMIT), tape.told("GET /api/v3/predictions/")[-1]
        task_id, created = first["data"]["id"], first["data"]["created_at"]
        task = {
            "id": task_id,
            "model": "wavespeed-ai/flux-srpo/image-to-image",
            "outputs": [],
            "urls": {"get": f"{HOME}/api/v3/predictions/{task_id}/result"},
            "has_nsfw_contents": [],
            "status": "created",
            "created_at": created,
            "error": "",
            "timings": {"inference": 0},
        }
        assert first == {"code": 200, "message": "success", "data": task}
        (url,) = last["data"]["outputs"]
        ended = {"outputs": [url], "has_nsfw_contents": [False], "status": "completed", "timings": {"inference": 500}}
        assert last == {"code": 200, "message": "success", "data": {**task, **ended}}
        line, headers, _, _, came = tape.said[-2]
        assert line == f"GET {url.removeprefix(HOME)}"
        assert "authorization" not in headers
        assert done.images == (Picture(came, "image/png", 64, 48, 5),)
        assert (done.timings, done.cost) == ({"inference": 0.5}, 0.0)


async def test_wavespeeds_batch_is_a_task_for_each_seed_and_one_upload(tmp_path: Path) -> None:
    async with circle(tmp_path, wavespeed) as (backend, tape):
        done = await run(backend, num_images=3)
        assert sorted(each["seed"] for each in tape.asked(SUBMIT)) == [5, 6, 7]
        assert len(tape.asked("POST /api/v3/media/uploads")) == 1
        assert [each.seed for each in done.images] == [5, 6, 7]


async def test_wavespeeds_task_is_done_at_once_and_inside_the_answer_where_that_is_wanted(tmp_path: Path) -> None:
    async with circle(tmp_path, partial(wavespeed, waits=True, inline=True)) as (backend, tape):
        done = await run(backend)
        (answer,) = tape.told(SUBMIT)
        (picture,) = done.images
        assert isinstance(picture, Picture)
        assert answer["data"]["status"] == "completed"
        assert answer["data"]["outputs"] == [f"data:image/jpeg;base64,{base64.b64encode(picture.data).decode()}"]
        assert not [line for line, *_ in tape.said if line.startswith("GET")]


async def test_wavespeeds_price_and_balance_are_told_and_read(tmp_path: Path) -> None:
    async with circle(tmp_path, wavespeed) as (backend, tape):
        price = await backend.price()
        assert (price.dollars, price.live) == (0.0, True)
        assert await backend.provider.balance() == 0.0
        assert tape.asked("POST /api/v3/model/price") == [
            {"model_id": "wavespeed-ai/flux-srpo/image-to-image", "inputs": {}}
        ]
        assert tape.told("POST /api/v3/model/price") == [{"code": 200, "message": "success", "data": {"price": 0.0}}]
        assert tape.told("GET /api/v3/balance") == [{"code": 200, "message": "success", "data": {"balance": 0.0}}]


@pytest.mark.parametrize("sync", [False, True])
@pytest.mark.parametrize(
    ("failure", "code", "kind"),
    [
        (Moderated("recorded", what="The prompt is refused.", todo=""), 1200, Moderated),
        (ParameterRefused("recorded", what="It does not take this.", todo=""), 1400, ParameterRefused),
        (FetchFailed("recorded", what="The reference is gone.", todo=""), 1402, MediaUnreachable),
        (RunFailed("recorded", what="It broke.", todo="Try again."), 1405, RunFailed),
        (NoCredits("recorded", what="The account is empty.", todo=""), 1407, NoCredits),
        (BackendUnavailable("recorded", what="It is away.", todo=""), 5000, ProviderDown),
        (TimedOut("recorded", what="It took too long.", todo=""), 5004, TimedOut),
    ],
)
async def test_wavespeeds_failures_are_told_and_understood(
    tmp_path: Path, failure: StudioError, code: int, kind: type[StudioError], sync: bool
) -> None:
    fails = FakeBackend(make_spec("local"), fail=failure)
    async with circle(tmp_path, partial(wavespeed, waits=sync), fails) as (backend, tape):
        with pytest.raises(kind) as caught:
            await run(backend)
        assert type(caught.value) is kind
        _, _, _, status, came = tape.said[-1]
        answer = json.loads(came)
        assert (status, answer["code"], answer["message"]) == (200, 200, "success")
        told = {name: answer["data"][name] for name in ("status", "code", "error", "outputs")}
        assert told == {"status": "failed", "code": code, "error": str(failure), "outputs": []}


async def test_wavespeeds_task_is_resumed_by_its_id(tmp_path: Path) -> None:
    async with circle(tmp_path, wavespeed) as (backend, _):
        request = EditRequest.build(backend.spec, "a quiet lake", make_reference(64, 48), {"seed": 5})
        events = [event async for event in backend.edit(request)]
        ids = [event.remote_id for event in events if isinstance(event, Accepted)]
    async with circle(tmp_path, wavespeed) as (backend, tape):  # both of them started anew
        (*_, done) = [event async for event in backend.resume(request, ids)]
        assert isinstance(done, Completed)
        assert done.images == events[-1].images  # type: ignore[union-attr]
        assert tape.said[0][0] == f"GET /api/v3/predictions/{ids[0]}/result"


# ---- both ------------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("make", [aimlapi, wavespeed])


@BOTH
async def test_a_wrong_key_is_turned_away_and_known_for_one(tmp_path: Path, make: Callable[..., Backend]) -> None:
    async with circle(tmp_path, make, key="srpo_wrong") as (backend, tape):
        with pytest.raises(KeyRejected):
            await run(backend)
        assert {status for _, _, _, status, _ in tape.said} == {401}
        assert "srpo_wrong" not in tape.said[0][4].decode()


@BOTH
async def test_a_used_up_share_says_when_to_come_again(tmp_path: Path, make: Callable[..., Backend]) -> None:
    async with circle(tmp_path, make, api_allowance=Allowance(per_minute=1)) as (backend, _):
        await run(backend)
        with pytest.raises(RateLimited) as caught:
            await run(backend)
        assert caught.value.wait is not None
        assert 1 <= caught.value.wait <= 60


@BOTH
async def test_a_withheld_picture_is_known_for_one(tmp_path: Path, make: Callable[..., Backend]) -> None:
    def unsafe(request: EditRequest) -> Completed:
        return Completed((Missing(Reason.NSFW, recorded("Not safe for work."), 5),), {"inference": 1.0})

    async with circle(tmp_path, make, FakeBackend(make_spec("local"), outcome=unsafe)) as (backend, _):
        (image,) = (await run(backend)).images
        assert isinstance(image, Missing)
        assert image.reason is Reason.NSFW


@BOTH
async def test_a_picture_goes_round_byte_for_byte(tmp_path: Path, make: Callable[..., Backend]) -> None:
    made: list[Picture] = []

    def kept(request: EditRequest) -> Completed:
        made.extend(results(request))
        return Completed(tuple(made), {"inference": 1.0})

    async with circle(tmp_path, make, FakeBackend(make_spec("local"), outcome=kept)) as (backend, _):
        (image,) = (await run(backend, output_format="png")).images
    assert isinstance(image, Picture)
    assert image.data == made[0].data
    assert Image.open(io.BytesIO(image.data)).format == "PNG"
