"""AI/ML API: what is sent, what is read, each refusal in words, and never a second POST."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr

from backends.aimlapi.backend import SPEC, AimlapiBackend, Result, payload, read
from backends.aimlapi.provider import AimlapiProvider
from backends.http.client import ProviderClient
from core import errors
from core.backend import RunContext
from core.events import Completed, Event, Picture, Working
from core.messages import in_full
from core.request import EditRequest
from core.result import Missing, Reason
from core.settings import Settings
from tests.support.fakes import make_reference, make_request, picture_bytes
from tests.support.loopback import serving
from tests.support.providers.aimlapi import KEY, Aimlapi
from tests.support.words import said


@pytest.fixture
async def provider() -> AsyncIterator[tuple[Aimlapi, AimlapiBackend]]:
    stand_in = Aimlapi()
    async with serving(stand_in.app()) as url:
        backend = AimlapiBackend(AimlapiProvider(Settings(aimlapi_key=SecretStr(KEY), aimlapi_base_url=url)))
        yield stand_in, backend
        await backend.provider.close()


def request(**raw: Any) -> EditRequest:
    return make_request(
        SPEC, "Add a bird to the foreground of the photo.", make_reference(64, 48), seed=484902001, **raw
    )


async def drain(backend: AimlapiBackend, asked: EditRequest, key: str | None = None) -> tuple[list[Event], Completed]:
    events = [event async for event in backend.edit(asked, RunContext(key))]
    assert isinstance(events[-1], Completed)
    return events[:-1], events[-1]


# ---- pure ------------------------------------------------------------------------------------------


def test_every_field_of_the_page_is_sent() -> None:
    assert payload(request(strength=0.9).recipe) == {
        "model": "flux/srpo/image-to-image",
        "prompt": "Add a bird to the foreground of the photo.",
        "strength": 0.9,
        "num_inference_steps": 40,
        "guidance_scale": 4.5,
        "seed": 484902001,
        "num_images": 1,
        "enable_safety_checker": True,
        "output_format": "jpeg",
        "acceleration": "regular",
        "sync_mode": False,
    }


EXAMPLE = {
    "images": [
        {"url": "https://v3b.fal.media/files/b/koala/1.jpg", "width": 1024, "height": 768, "content_type": "image/jpeg"}
    ],
    "timings": {"inference": 0.947831045370549},
    "seed": 484902001,
    "has_nsfw_concepts": [False],
    "prompt": "Add a bird to the foreground of the photo.",
    "data": [
        {"url": "https://v3b.fal.media/files/b/koala/1.jpg", "width": 1024, "height": 768, "content_type": "image/jpeg"}
    ],
    "meta": {"usage": {"tokens_used": 52500}},
}


def test_the_pages_example_answer_is_read_whole() -> None:
    assert read(EXAMPLE) == Result(
        outputs=("https://v3b.fal.media/files/b/koala/1.jpg",),
        nsfw=(False,),
        seed=484902001,
        seconds=0.947831045370549,
        credits=52500.0,
    )


@pytest.mark.parametrize(
    ("body", "outputs", "credits"),
    [
        ({"data": [{"url": "https://a/1"}], "meta": {"usage": {"credits_used": 7}}}, ("https://a/1",), 7),
        ({"data": [{"url": None, "b64_json": "aGk="}]}, ("aGk=",), None),
        ({"data": None, "images": [{"url": "https://a/1"}], "meta": None}, ("https://a/1",), None),
        ({"output": {"choices": [{"image_base64": "aGk="}]}}, ("aGk=",), None),
        (
            {"data": [{"url": "data:image/png;base64,aGk="}], "meta": {"usage": None}},
            ("data:image/png;base64,aGk=",),
            None,
        ),
        ({"data": [None, {}, {"url": 3}]}, (), None),
        ({"data": []}, (), None),
        ({}, (), None),
        (None, (), None),
        ("text", (), None),
        ([1], (), None),
    ],
)
def test_other_shapes_are_read_too(body: Any, outputs: tuple[str, ...], credits: float | None) -> None:
    result = read(body)
    assert (result.outputs, result.credits) == (outputs, credits)


# ---- a run -----------------------------------------------------------------------------------------


async def test_a_run_gives_the_providers_bytes_its_time_and_its_cost(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    events, done = await drain(backend, request())
    assert events == [Working("sent")]
    (picture,) = done.images
    assert isinstance(picture, Picture)
    assert picture.data in stand_in.files.values()
    assert (picture.width, picture.height, picture.seed, picture.mime) == (64, 48, 484902001, "image/jpeg")
    assert done.timings == {"inference": 0.947831045370549}
    assert done.cost == 0.02625
    assert len(stand_in.runs) == 1


@pytest.mark.parametrize("format", ["WEBP", "AVIF", "GIF", "TIFF"])
async def test_a_paid_picture_of_another_kind_is_kept_as_it_came(
    provider: tuple[Aimlapi, AimlapiBackend], monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    data = picture_bytes(format)
    monkeypatch.setattr("tests.support.providers.aimlapi.drawn", lambda *_: data)
    _, done = await drain(provider[1], request())
    (made,) = done.images
    assert isinstance(made, Picture)
    assert (made.data, made.mime, made.width, made.damaged) == (data, f"image/{format.lower()}", 64, False)
    assert not any("The file of" in each for each in said(done.notices))


async def test_a_paid_picture_that_was_cut_is_kept_with_a_notice(
    provider: tuple[Aimlapi, AimlapiBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = picture_bytes("PNG")[:-100]
    monkeypatch.setattr("tests.support.providers.aimlapi.drawn", lambda *_: data)
    _, done = await drain(provider[1], request())
    (made,) = done.images
    assert isinstance(made, Picture)
    assert (made.data, made.mime, made.damaged) == (data, "image/png", True)
    assert any("is damaged; it is stored as it came" in each for each in said(done.notices))


async def test_the_picture_inside_the_request_is_said(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    _, done = await drain(backend, request())
    sent = stand_in.runs[0]["image_url"]
    assert sent.startswith("data:image/png;base64,")
    opened = Image.open(io.BytesIO(base64.b64decode(sent.partition(",")[2])))
    assert (opened.size, opened.mode, opened.info) == ((64, 48), "RGB", {})
    assert any("prefers image links" in notice for notice in said(done.notices))


async def test_an_address_of_our_own_is_preferred(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, _ = provider
    published: list[str] = []

    def publish(data: bytes, mime: str) -> str:
        published.append(mime)
        name = f"reference.{mime[6:]}"
        stand_in.files[name] = data
        return f"{base}/files/{name}"

    async with serving(stand_in.app()) as base:
        backend = AimlapiBackend(AimlapiProvider(Settings(aimlapi_key=SecretStr(KEY), aimlapi_base_url=base)), publish)
        _, done = await drain(backend, request())
        await backend.provider.close()
    assert stand_in.runs[0]["image_url"] == f"{base}/files/reference.png"
    assert published == ["image/png"]
    assert done.notices == ()


async def test_the_users_own_public_address_is_passed_on(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    from dataclasses import replace

    stand_in, backend = provider
    stand_in.files["theirs.png"] = make_reference(64, 48).data
    asked = request()
    asked = replace(asked, image=replace(asked.image, address=f"{backend.provider.client.base_url}/files/theirs.png"))
    await drain(backend, asked)
    assert stand_in.runs[0]["image_url"].endswith("/files/theirs.png")


@pytest.mark.parametrize("shape", ["page", "schema", "nulls", "choices"])
async def test_every_shape_of_answer_ends_in_a_picture(provider: tuple[Aimlapi, AimlapiBackend], shape: str) -> None:
    stand_in, backend = provider
    stand_in.shape = shape
    _, done = await drain(backend, request())
    assert isinstance(done.images[0], Picture)
    assert done.cost == (None if shape in ("nulls", "choices") else 0.02625)


async def test_four_images_come_from_one_call(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    _, done = await drain(backend, request(num_images=4))
    assert len(done.images) == 4
    assert len(stand_in.runs) == 1
    assert done.cost == pytest.approx(0.105)


async def test_the_picture_may_come_inside_the_answer(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    _, done = await drain(AimlapiBackend(backend.provider, inline=True), request(output_format="png"))
    assert isinstance(done.images[0], Picture)
    assert done.images[0].mime == "image/png"
    assert not [path for _, path, _ in stand_in.asked if path.startswith("/files")]


async def test_a_withheld_image_is_no_failure(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    stand_in.nsfw = [True, False]
    _, done = await drain(backend, request(num_images=2))
    first, second = done.images
    assert isinstance(first, Missing)
    assert first.reason is Reason.NSFW
    assert isinstance(second, Picture)


async def test_the_key_goes_to_the_providers_api_only(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    await drain(backend, request())
    await backend.price()
    for method, path, headers in stand_in.asked:
        assert ("authorization" in headers) == path.startswith("/v1/images"), (method, path)
    assert stand_in.asked[0][2]["x-client-request-id"]


async def test_a_visitors_own_key_is_used(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    _, backend = provider
    with pytest.raises(errors.KeyRejected):
        await drain(backend, request(), key="theirs")
    keyless = AimlapiBackend(AimlapiProvider(Settings(aimlapi_base_url=backend.provider.client.base_url)))
    missing = keyless.ready()
    assert missing is not None
    assert "aimlapi.com" in in_full(missing)
    assert keyless.ready("theirs") is None
    with pytest.raises(errors.KeyMissing):
        await drain(keyless, request())
    await drain(keyless, request(), key=KEY)
    await keyless.provider.close()


async def test_price_and_balance_are_read(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    assert await backend.provider.balance() == 12.5
    price = await backend.price()
    assert (price.dollars, price.live) == (0.0291, True)
    await backend.price()
    assert [path for _, path, _ in stand_in.asked].count("/v1/models") == 1  # an hour is not over
    with pytest.raises(errors.KeyRejected):
        await backend.provider.balance("wrong")


async def test_a_price_that_cannot_be_read_is_the_pages() -> None:
    price = await AimlapiBackend(
        AimlapiProvider(Settings(aimlapi_base_url="http://127.0.0.1:9"), client=client_of(unreachable))
    ).price()
    assert (price.dollars, price.live) == (0.02625, False)


# ---- what can go wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message", "headers", "kind", "charged"),
    [
        (400, "strength must not be greater than 1", {}, errors.ParameterRefused, False),
        (401, "Invalid API key", {}, errors.KeyRejected, False),
        (403, "You have run out of credits", {}, errors.NoCredits, False),
        (403, "Forbidden", {}, errors.PermissionRefused, False),
        (404, "No such model", {}, errors.ParameterRefused, False),
        (422, "image_url must be a URL", {}, errors.ParameterRefused, False),
        (429, "Too many requests", {"retry-after": "7"}, errors.RateLimited, False),
        (429, "Free-tier limit", {}, errors.NoCredits, False),
        (500, "Internal error", {}, errors.ProviderDown, False),
        (502, "Bad gateway", {}, errors.ProviderDown, False),
        (503, "Unavailable", {}, errors.ProviderDown, False),
        (504, "Generation timeout", {}, errors.TimedOut, False),
        (302, "Elsewhere", {}, errors.MalformedAnswer, False),
    ],
)
async def test_each_refusal_has_its_type_and_is_posted_once(
    provider: tuple[Aimlapi, AimlapiBackend],
    status: int,
    message: str,
    headers: dict[str, str],
    kind: type[errors.StudioError],
    charged: bool,
) -> None:
    stand_in, backend = provider
    stand_in.refuse = [(status, message, headers)] * 5
    with pytest.raises(kind) as caught:
        await drain(backend, request())
    assert type(caught.value) is kind
    assert caught.value.charged is charged
    assert caught.value.todo
    assert KEY not in str(caught.value)
    assert len(stand_in.runs) == 1


async def test_the_wait_that_the_provider_asks_for_is_told(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    stand_in.refuse = [(429, "slow down", {"retry-after-ms": "2500"})]
    with pytest.raises(errors.RateLimited) as caught:
        await drain(backend, request())
    assert caught.value.wait == 2.5


async def test_an_answer_without_a_picture_may_have_cost(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    stand_in.shape = "empty"
    with pytest.raises(errors.MalformedAnswer) as caught:
        await drain(backend, request())
    assert caught.value.charged is None


async def test_a_result_that_is_gone_was_charged(provider: tuple[Aimlapi, AimlapiBackend]) -> None:
    stand_in, backend = provider
    stand_in.files = Forgetful()
    backend.provider.client.sleep = no_sleep
    with pytest.raises(errors.ResultGone) as caught:
        await drain(backend, request())
    assert caught.value.charged is True


class Forgetful(dict[str, bytes]):
    def __setitem__(self, key: str, value: bytes) -> None:
        """Keep nothing."""


async def no_sleep(_: float) -> None: ...


class Wire(httpx.AsyncBaseTransport):
    """A transport that fails as it is told, and counts."""

    def __init__(self, fail: Exception) -> None:
        self.fail = fail
        self.posts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.posts += request.method == "POST"
        raise self.fail


def client_of(wire: httpx.AsyncBaseTransport) -> ProviderClient:
    return ProviderClient("https://api.aimlapi.com", wire, sleep=no_sleep)


unreachable = Wire(httpx.ConnectError("refused"))


@pytest.mark.parametrize(
    ("fail", "kind", "charged", "posts"),
    [
        (httpx.ConnectError("x"), errors.ProviderDown, False, 3),
        (httpx.ConnectTimeout("x"), errors.ProviderDown, False, 3),
        (httpx.PoolTimeout("x"), errors.ProviderDown, False, 3),
        (httpx.WriteError("x"), errors.SubmitUnknown, None, 1),
        (httpx.WriteTimeout("x"), errors.SubmitUnknown, None, 1),
        (httpx.ReadError("x"), errors.SubmitUnknown, None, 1),
        (httpx.ReadTimeout("x"), errors.SubmitUnknown, None, 1),
        (httpx.RemoteProtocolError("x"), errors.SubmitUnknown, None, 1),
    ],
)
async def test_only_a_request_that_never_left_is_sent_again(
    fail: Exception, kind: type[errors.StudioError], charged: bool | None, posts: int
) -> None:
    wire = Wire(fail)
    backend = AimlapiBackend(AimlapiProvider(Settings(aimlapi_key=SecretStr(KEY)), client=client_of(wire)))
    with pytest.raises(kind) as caught:
        await drain(backend, request())
    assert caught.value.charged is charged
    assert wire.posts == posts


async def test_the_key_is_in_no_log_whatever_happens(
    provider: tuple[Aimlapi, AimlapiBackend], caplog: pytest.LogCaptureFixture
) -> None:
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
