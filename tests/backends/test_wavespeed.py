"""WaveSpeedAI: what is sent, what is read, tasks followed to their end, and never a second submit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backends.http.client import ProviderClient
from backends.wavespeed.answers import MediaUnreachable, signed
from backends.wavespeed.backend import SPEC, Task, WavespeedBackend, payload, read
from backends.wavespeed.provider import HOOK_PATH, WavespeedProvider
from core import errors
from core.backend import RunContext
from core.events import Completed, Event, Picture, Working
from core.request import EditRequest
from core.result import Missing, Reason
from core.settings import Settings
from tests.support.fakes import make_reference, make_request, picture_bytes
from tests.support.loopback import serving
from tests.support.providers.wavespeed import KEY, MODEL, SECRET, Wavespeed
from tests.support.words import said

Pair = tuple[Wavespeed, WavespeedBackend]


@pytest.fixture
async def provider() -> AsyncIterator[Pair]:
    stand_in = Wavespeed()
    async with serving(stand_in.app()) as url:
        backend = WavespeedBackend(WavespeedProvider(Settings(wavespeed_key=SecretStr(KEY), wavespeed_base_url=url)))
        yield stand_in, backend
        await backend.provider.close()


def request(**raw: Any) -> EditRequest:
    return make_request(SPEC, "as a watercolour", make_reference(64, 48), **{"seed": 11, **raw})


async def drain(backend: WavespeedBackend, asked: EditRequest, key: str | None = None) -> tuple[list[Event], Completed]:
    events = [event async for event in backend.edit(asked, RunContext(key))]
    assert isinstance(events[-1], Completed)
    return events[:-1], events[-1]


# ---- pure ------------------------------------------------------------------------------------------


def test_every_field_of_the_page_is_sent_and_no_other() -> None:
    assert payload(request(num_images=3).recipe, 12) == {
        "prompt": "as a watercolour",
        "strength": 0.8,
        "num_inference_steps": 28,
        "seed": 12,
        "guidance_scale": 3.5,
        "output_format": "jpeg",
        "enable_base64_output": False,
        "enable_sync_mode": False,
    }


CREATED = {
    "code": 200,
    "message": "success",
    "data": {
        "id": "p1",
        "model": MODEL,
        "status": "created",
        "outputs": [],
        "urls": {"get": "https://api.wavespeed.ai/api/v3/predictions/p1/result"},
        "created_at": "2026-11-01T10:00:00.000Z",
    },
}


@pytest.mark.parametrize(
    ("body", "task"),
    [
        (CREATED, Task("p1", "created")),
        (
            {
                "data": {
                    "id": "p1",
                    "status": "completed",
                    "outputs": ["https://a/1"],
                    "has_nsfw_contents": [False],
                    "timings": {"inference": 2500},
                }
            },
            Task("p1", "completed", ("https://a/1",), (False,), 2.5),
        ),
        (
            {"data": {"id": "p1", "status": "completed", "outputs": "https://a/1"}},
            Task("p1", "completed", ("https://a/1",)),
        ),
        (
            {"data": {"id": "p1", "status": "failed", "code": 1401, "error": "bad"}},
            Task("p1", "failed", code=1401, error="bad"),
        ),
        (
            {"data": {"id": "p1", "status": "processing", "code": 5004, "outputs": None, "timings": None}},
            Task("p1", "processing", code=5004),
        ),
        ({"id": "p1", "status": "completed", "outputs": ["x"]}, Task("p1", "completed", ("x",))),
        ({"data": {"status": "created"}}, None),
        ({"data": {"id": ""}}, None),
        ({"data": None}, None),
        (None, None),
        ("text", None),
    ],
)
def test_answers_are_read_leniently(body: Any, task: Task | None) -> None:
    assert read(body) == task


async def short_sleep(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.02))


# ---- a run -----------------------------------------------------------------------------------------


async def test_a_run_uploads_submits_and_follows_its_task(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.seconds = 0.7
    events, done = await drain(backend, request())
    assert events[0] == Working("sent", 0, 1)
    assert {event.status for event in events if isinstance(event, Working)} >= {"created", "completed"}
    (picture,) = done.images
    assert isinstance(picture, Picture)
    assert picture.data in stand_in.files.values()
    assert (picture.width, picture.height, picture.seed) == (64, 48, 11)
    assert done.timings == {"inference": 0.7}
    assert done.cost == 0.023
    assert stand_in.uploads == ["ticket"]
    assert len(stand_in.submits) == 1


async def test_four_images_are_four_tasks_with_four_seeds(provider: Pair) -> None:
    stand_in, backend = provider
    _, done = await drain(backend, request(num_images=4))
    assert sorted(body["seed"] for body in stand_in.submits) == [11, 12, 13, 14]
    assert [each.seed for each in done.images] == [11, 12, 13, 14]
    assert done.cost == pytest.approx(0.092)
    assert stand_in.uploads == ["ticket"]


async def test_the_same_picture_is_uploaded_once_for_a_key(provider: Pair) -> None:
    stand_in, backend = provider
    await drain(backend, request())
    await drain(backend, request(seed=12))
    assert stand_in.uploads == ["ticket"]


async def test_the_older_upload_is_the_fallback(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.tickets = False
    await drain(backend, request())
    assert stand_in.uploads == ["binary"]


async def test_a_reference_that_the_provider_cannot_read_is_uploaded_anew(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.failures = [("failed", 1402, "media unreachable")]
    with pytest.raises(errors.RunFailed, match="uploaded once more"):
        await drain(backend, request())
    await drain(backend, request())
    assert stand_in.uploads == ["ticket", "ticket"]


@pytest.mark.parametrize("flag", ["waits", "inline"])
async def test_the_other_ways_of_transport_work(provider: Pair, flag: str) -> None:
    stand_in, backend = provider
    stand_in.seconds = 0.3
    _, done = await drain(WavespeedBackend(backend.provider, **{flag: True}), request())
    assert isinstance(done.images[0], Picture)
    assert bool(stand_in.polls) == (flag != "waits")
    assert bool([path for _, path, _ in stand_in.asked if path.endswith(".jpeg")]) == (flag != "inline")


async def test_a_sync_wait_that_ends_turns_into_polling(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.seconds, stand_in.sync_limit = 0.8, 0.2
    _, done = await drain(WavespeedBackend(backend.provider, waits=True), request())
    assert isinstance(done.images[0], Picture)
    assert stand_in.polls
    assert len(stand_in.submits) == 1


async def test_words_that_nobody_documented_are_waited_out(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.seconds, stand_in.words = 0.5, ["warming up", "queued"]
    _, done = await drain(backend, request())
    assert isinstance(done.images[0], Picture)


async def test_trouble_while_asking_is_waited_out(provider: Pair) -> None:
    stand_in, backend = provider
    backend.provider.client.sleep = short_sleep
    stand_in.seconds, stand_in.looks = 0.1, [500, 429, 503]
    _, done = await drain(backend, request())
    assert isinstance(done.images[0], Picture)


@pytest.mark.parametrize("format", ["WEBP", "AVIF", "GIF", "TIFF"])
async def test_a_paid_picture_of_another_kind_is_kept_as_it_came(
    provider: Pair, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    data = picture_bytes(format)
    monkeypatch.setattr("tests.support.providers.wavespeed.drawn", lambda *_: data)
    _, done = await drain(provider[1], request())
    (made,) = done.images
    assert isinstance(made, Picture)
    assert (made.data, made.mime, made.width, made.damaged) == (data, f"image/{format.lower()}", 64, False)
    assert not any("The file of" in each for each in said(done.notices))


async def test_a_paid_picture_that_was_cut_is_kept_with_a_notice(
    provider: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = picture_bytes("PNG")[:-100]
    monkeypatch.setattr("tests.support.providers.wavespeed.drawn", lambda *_: data)
    _, done = await drain(provider[1], request())
    (made,) = done.images
    assert isinstance(made, Picture)
    assert (made.data, made.mime, made.damaged) == (data, "image/png", True)
    assert any("is damaged; it is stored as it came" in each for each in said(done.notices))


async def test_a_withheld_image_is_no_failure_and_no_picture(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.nsfw = [True]
    _, done = await drain(backend, request())
    assert isinstance(done.images[0], Missing)
    assert done.images[0].reason is Reason.NSFW


async def test_what_came_is_kept_when_a_task_beside_it_failed(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.failures = [("failed", 1403, "gpu fell over"), None]
    _, done = await drain(backend, request(num_images=2))
    assert sorted(type(each).__name__ for each in done.images) == ["Missing", "Picture"]
    assert "gpu fell over" in next(str(each.why) for each in done.images if isinstance(each, Missing))
    assert done.cost == 0.023


async def test_the_key_goes_to_the_providers_api_only(provider: Pair) -> None:
    stand_in, backend = provider
    await drain(backend, request())
    for _, path, headers in stand_in.asked:
        assert ("authorization" in headers) == path.startswith("/api/")


async def test_balance_and_price_are_read(provider: Pair) -> None:
    _, backend = provider
    assert await backend.provider.balance() == 7.25
    assert (await backend.price()).live
    with pytest.raises(errors.KeyRejected):
        await backend.provider.balance("wrong")


async def test_fifty_runs_at_once_all_end(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.seconds = 0.3
    done = await asyncio.gather(*(drain(backend, request(seed=seed)) for seed in range(50)))
    assert [each.images[0].seed for _, each in done] == list(range(50))
    assert len(stand_in.submits) == 50


# ---- what can go wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "kind", "charged"),
    [
        (400, {}, errors.ParameterRefused, False),
        (401, {}, errors.KeyRejected, False),
        (402, {}, errors.NoCredits, False),
        (403, {}, errors.PermissionRefused, False),
        (429, {"retry-after": "3"}, errors.RateLimited, False),
        (500, {}, errors.SubmitUnknown, None),
        (502, {}, errors.SubmitUnknown, None),
        (503, {}, errors.SubmitUnknown, None),
    ],
)
async def test_each_refusal_of_a_submit_has_its_type_and_is_sent_once(
    provider: Pair, status: int, headers: dict[str, str], kind: type[errors.StudioError], charged: bool | None
) -> None:
    stand_in, backend = provider
    stand_in.refuse = [(status, f"no, {KEY}", headers)] * 5
    with pytest.raises(errors.StudioError) as caught:
        await drain(backend, request())
    assert type(caught.value) is kind
    assert caught.value.charged is charged
    assert caught.value.todo
    assert KEY not in str(caught.value)
    assert len(stand_in.submits) == 1


@pytest.mark.parametrize(
    ("word", "code", "kind", "charged"),
    [
        ("failed", 1200, errors.Moderated, None),
        ("failed", 1400, errors.ParameterRefused, None),
        ("failed", 1401, errors.ParameterRefused, None),
        ("failed", 1402, MediaUnreachable, None),
        ("failed", 1403, errors.RunFailed, None),
        ("failed", 1405, errors.RunFailed, None),
        ("failed", 1407, errors.NoCredits, False),
        ("failed", 5000, errors.ProviderDown, None),
        ("failed", 5003, errors.ProviderDown, None),
        ("failed", 5004, errors.TimedOut, None),
        ("failed", None, errors.RunFailed, None),
        ("cancelled", None, errors.RunFailed, None),
        ("timeout", None, errors.RunFailed, None),
        ("deleted", None, errors.RunFailed, None),
    ],
)
@pytest.mark.parametrize("seconds", [0.0, 0.05])
async def test_each_failure_of_a_task_has_its_type(
    provider: Pair, word: str, code: int | None, kind: type[errors.StudioError], charged: bool | None, seconds: float
) -> None:
    stand_in, backend = provider
    backend.provider.client.sleep = short_sleep
    stand_in.seconds, stand_in.failures = seconds, [(word, code, "what the provider says")]
    with pytest.raises(errors.StudioError) as caught:
        await drain(backend, request())
    assert type(caught.value) is kind
    assert caught.value.charged is charged
    assert len(stand_in.submits) == 1


async def test_a_task_that_never_ends_has_a_deadline_and_tells_its_id(provider: Pair) -> None:
    stand_in, _ = provider
    stand_in.seconds = 3600
    hours = iter(range(0, 10**9, 40))  # a clock on which each look at it takes 40 s
    client = ProviderClient(provider[1].provider.client.base_url, sleep=short_sleep, clock=lambda: float(next(hours)))
    backend = WavespeedBackend(WavespeedProvider(Settings(wavespeed_key=SecretStr(KEY)), client))
    with pytest.raises(errors.TimedOut) as caught:
        await drain(backend, request())
    assert caught.value.remote_id in stand_in.tasks
    assert caught.value.charged is None
    await backend.provider.close()


async def test_a_task_that_is_forgotten_may_have_cost(provider: Pair) -> None:
    stand_in, backend = provider
    stand_in.seconds, stand_in.looks = 3600, [404]
    with pytest.raises(errors.ResultGone) as caught:
        await drain(backend, request())
    assert caught.value.charged is None


class Wire(httpx.AsyncBaseTransport):
    """Answers uploads, fails submits, and counts them."""

    def __init__(self, fail: Exception) -> None:
        self.fail = fail
        self.posts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/media/uploads"):
            upload = {"method": "PUT", "url": "https://api.wavespeed.ai/put", "headers": {}}
            return httpx.Response(200, json={"data": {"download_url": "https://a.example/x", "upload": upload}})
        if request.method == "PUT":
            return httpx.Response(200)
        self.posts += 1
        raise self.fail


@pytest.mark.parametrize(
    ("fail", "kind", "posts"),
    [
        (httpx.ConnectError("x"), errors.ProviderDown, 3),
        (httpx.ConnectTimeout("x"), errors.ProviderDown, 3),
        (httpx.ReadTimeout("x"), errors.SubmitUnknown, 1),
        (httpx.WriteError("x"), errors.SubmitUnknown, 1),
        (httpx.RemoteProtocolError("x"), errors.SubmitUnknown, 1),
    ],
)
async def test_only_a_submit_that_never_left_is_sent_again(
    fail: Exception, kind: type[errors.StudioError], posts: int
) -> None:
    wire = Wire(fail)
    backend = WavespeedBackend(
        WavespeedProvider(
            Settings(wavespeed_key=SecretStr(KEY)), ProviderClient("https://api.wavespeed.ai", wire, sleep=short_sleep)
        )
    )
    with pytest.raises(kind):
        await drain(backend, request())
    assert wire.posts == posts


# ---- webhooks ----------------------------------------------------------------------------------------


async def test_a_webhook_shortens_the_wait(provider: Pair) -> None:
    stand_in, _ = provider
    stand_in.seconds = 0.8
    backends: list[WavespeedBackend] = []

    async def hook(request: Request) -> Response:
        body = await request.body()
        taken = backends[0].provider.webhook.accept(request.headers, body, time.time())
        return Response(status_code=200 if taken else 401)

    app = stand_in.app()
    app.routes.append(Route(HOOK_PATH, hook, methods=["POST"]))
    async with serving(app) as url:
        settings = Settings(
            wavespeed_key=SecretStr(KEY),
            wavespeed_base_url=url,
            wavespeed_webhook_secret=SecretStr(SECRET),
            public_url=url,
        )
        backend = WavespeedBackend(WavespeedProvider(settings))
        backends.append(backend)

        async def long_sleep(_: float) -> None:
            await asyncio.Event().wait()  # nothing but the webhook can end the wait

        backend.provider.client.sleep = long_sleep
        _, done = await drain(backend, request())
        assert isinstance(done.images[0], Picture)
        assert len(stand_in.polls) == 1
        await asyncio.gather(*stand_in.hooks)
        await backend.provider.close()


def test_a_webhook_is_taken_only_with_a_fresh_signature_of_its_own_body() -> None:
    import hashlib
    import hmac

    body, now = b'{"id": "p1"}', 1_700_000_000
    digest = hmac.new(b"stand_in", f"w1.{now}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"webhook-id": "w1", "webhook-timestamp": str(now), "webhook-signature": f"v3,{digest}"}
    assert signed(headers, body, SECRET, now + 299)
    assert not signed(headers, body, SECRET, now + 301)
    assert not signed(headers, body, SECRET, now - 301)
    assert not signed(headers, body + b" ", SECRET, now)
    assert not signed(headers, body, "whsec_other", now)
    assert not signed({**headers, "webhook-id": "w2"}, body, SECRET, now)
    assert not signed({**headers, "webhook-timestamp": "soon"}, body, SECRET, now)
    assert not signed({**headers, "webhook-signature": "v3,é"}, body, SECRET, now)
    assert not signed({}, body, SECRET, now)


async def test_the_key_is_in_no_log_whatever_happens(provider: Pair, caplog: pytest.LogCaptureFixture) -> None:
    stand_in, backend = provider
    with caplog.at_level(logging.DEBUG):
        await drain(backend, request())
        await backend.provider.balance()
        stand_in.refuse = [(500, f"broken: {KEY}", {})]
        with pytest.raises(errors.StudioError) as caught:
            await drain(backend, request())
    assert caplog.text
    for words in (caplog.text, str(caught.value), repr(caught.value), repr(backend), repr(vars(caught.value))):
        assert KEY not in words
