"""AI/ML API's format, served here: literal bodies of the provider's page, and what becomes of them."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import Moderated, NoCredits, RunFailed, TimedOut
from core.events import Completed, Picture
from core.messages import recorded
from core.request import EditRequest
from core.result import Missing, Reason
from tests.support.aimlapi_calls import BODY, RUN
from tests.support.api_app import AIML, api_app
from tests.support.fakes import FakeBackend, make_spec, picture_bytes, results

pytestmark = pytest.mark.integration


async def test_the_pages_example_gets_both_spellings_of_the_answer(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json={**BODY, "seed": 484902001})
        body = answer.json()
        assert answer.status_code == 200
        assert list(body) == [
            *("images", "timings", "seed", "has_nsfw_concepts", "prompt", "created", "notices", "data", "meta")
        ]
        (image,) = body["images"]
        assert body["data"] == body["images"]
        assert image == {
            "url": image["url"],
            "width": 64,
            "height": 48,
            "content_type": "image/jpeg",
        }
        assert body["timings"] == {"inference": 0.5}
        assert body["seed"] == 484902001
        assert body["has_nsfw_concepts"] == [False]
        assert body["prompt"] == BODY["prompt"]
        assert body["meta"] == {"usage": {"credits_used": 0, "tokens_used": 0}}
        assert abs(body["created"] - time.time()) < 600
        assert body["notices"] == []
        assert answer.headers["x-inference-id"]
        assert answer.headers["x-aimlapi-credits-used"] == "0"
        file = await at.client.get(image["url"])
        assert file.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(file.content)).size == (64, 48)


async def test_what_is_left_out_takes_the_schemas_defaults(tmp_path: Path) -> None:
    seen: list[EditRequest] = []

    def outcome(request: EditRequest) -> Completed:
        seen.append(request)
        return Completed(results(request), {"inference": 1.0})

    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), outcome=outcome)}) as at:
        bare = {name: BODY[name] for name in ("model", "prompt", "image_url")}
        assert (await at.client.post(RUN, json=bare)).status_code == 200
    (request,) = seen
    assert dict(request.params) | {"seed": 0} == {
        "strength": 0.95,
        "guidance_scale": 4.5,
        "num_inference_steps": 40,
        "seed": 0,
        "num_images": 1,
        "output_format": "jpeg",
        "enable_safety_checker": True,
    }


async def test_sync_mode_puts_the_pictures_into_the_answer(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json={**BODY, "sync_mode": True, "output_format": "png"})
        (image,), (twin,) = answer.json()["data"], answer.json()["images"]
        data = base64.b64decode(image["b64_json"])
        assert Image.open(io.BytesIO(data)).size == (64, 48)
        assert answer.text.count(image["b64_json"]) == 1, "once is enough: four of 3 MB are 16 MB, not 64"
        assert twin["url"] == image["url"]
        assert (await at.client.get(image["url"])).content == data


@pytest.mark.parametrize(("kind", "sync"), [("webp", False), ("avif", True), ("gif", False), ("tiff", False)])
async def test_a_result_of_any_kind_is_served_as_what_it_is(tmp_path: Path, kind: str, sync: bool) -> None:
    data = picture_bytes(kind)
    made = Picture(data, f"image/{kind}", 64, 48, 7)
    backend = FakeBackend(make_spec("local"), outcome=lambda _: Completed((made,), {"inference": 1.0}))
    async with api_app(tmp_path, {"local": backend}) as at:
        (image,) = (await at.client.post(RUN, json={**BODY, "sync_mode": sync})).json()["data"]
        assert image["content_type"] == f"image/{kind}"
        if sync:
            assert base64.b64decode(image["b64_json"]) == data
        else:
            file = await at.client.get(image["url"])
            assert (file.headers["content-type"], file.content) == (f"image/{kind}", data)


async def test_images_of_one_seed_are_not_mistaken_for_one_another(tmp_path: Path) -> None:
    def outcome(request: EditRequest) -> Completed:
        made = tuple(replace(each, seed=7) for each in results(request))
        return Completed(made, {"inference": 1.0})

    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), outcome=outcome)}) as at:
        body = (await at.client.post(RUN, json={**BODY, "num_images": 2, "seed": 7, "sync_mode": True})).json()
        assert len({each["b64_json"] for each in body["data"]}) == 2


async def test_a_batch_has_as_many_pictures_and_the_first_ones_seed(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        body = (await at.client.post(RUN, json={**BODY, "num_images": 3.0, "seed": 7})).json()
        assert len({each["url"] for each in body["data"]}) == len(body["has_nsfw_concepts"]) == 3
        assert body["seed"] == 7


@pytest.mark.parametrize(("given", "used"), [(1, 1), (2**31 - 1, 2**31 - 1), (2**31, 1), (10**30, None)])
async def test_any_seed_of_the_schemas_range_is_taken(tmp_path: Path, given: int, used: int | None) -> None:
    async with api_app(tmp_path) as at:
        body = (await at.client.post(RUN, json={**BODY, "seed": given})).json()
        assert 1 <= body["seed"] < 2**31
        assert used is None or body["seed"] == used


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": None}, "prompt: Input should be a valid string."),
        ({"prompt": ""}, "prompt: String should have at least 1 character."),
        ({"prompt": "  "}, "prompt: The prompt is empty."),
        ({"prompt": "x" * 4001}, "prompt: String should have at most 4000 characters."),
        ({"strength": 1.5}, "strength"),
        ({"strength": "0.5"}, "strength"),
        ({"strength": True}, "strength"),
        ({"num_images": 5}, "num_images"),
        ({"num_images": 1.5}, "num_images: Should be a whole number."),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"guidance_scale": 0.5}, "guidance_scale"),
        ({"seed": 0}, "seed"),
        ({"seed": True}, "seed"),
        ({"sync_mode": "yes"}, "sync_mode"),
        ({"output_format": "webp"}, "output_format"),
        ({"acceleration": "warp"}, "acceleration"),
        ({"image_url": "data:image/png;base64,AAAA"}, "image"),
        (
            {"image_url": "http://127.0.0.1/a.png"},
            "image: This link points to a private network, which the app does not read.",
        ),
        ({"image_url": "file:///etc/passwd"}, "image: This link cannot be used"),
    ],
)
async def test_bad_input_is_refused_in_the_providers_shape(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json={**BODY, **change})
        body = answer.json()
        assert answer.status_code == body["statusCode"] == 400
        assert list(body) == ["message", "path", "requestId", "statusCode", "timestamp"]
        assert words in body["message"]
        assert body["path"] == RUN


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'])
async def test_what_is_no_request_is_a_400(tmp_path: Path, raw: bytes) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, content=raw, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["statusCode"] == 400


async def test_an_unknown_model_path_or_method_has_the_providers_shape_too(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        for answer, status in (
            (await at.client.post(RUN, json={**BODY, "model": "flux/dev"}), 404),
            (await at.client.get("/v1/nothing"), 404),
            (await at.client.get(RUN), 405),
        ):
            assert (answer.status_code, answer.json()["statusCode"]) == (status, status)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (RunFailed("recorded", what="It broke.", todo="Try again."), 500),
        (Moderated("recorded", what="The provider refuses it.", todo=""), 400),
        (NoCredits("recorded", what="The account is empty.", todo=""), 503),
        (TimedOut("recorded", what="It took too long.", todo=""), 504),
        (ZeroDivisionError("/secret/path"), 500),
    ],
)
async def test_a_failed_run_says_why(tmp_path: Path, failure: Exception, status: int) -> None:
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), fail=failure)}) as at:
        answer = await at.client.post(RUN, json=BODY)
        assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
        assert "/secret" not in answer.text


async def test_a_withheld_picture_is_flagged_and_black(tmp_path: Path) -> None:
    def outcome(request: EditRequest) -> Completed:
        first, _ = results(request)
        return Completed(
            (first, Missing(Reason.NSFW, recorded("Not safe for work."), 8)), {"inference": 1.0}, cost=0.05
        )

    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), outcome=outcome)}) as at:
        answer = await at.client.post(RUN, json={**BODY, "num_images": 2})
        body = answer.json()
        assert body["has_nsfw_concepts"] == [False, True]
        black = Image.open(io.BytesIO(base64.b64decode(body["data"][1]["url"].partition(",")[2])))
        assert black.getextrema() == ((0, 0), (0, 0), (0, 0))
        assert body["meta"]["usage"] == {"credits_used": 100_000, "tokens_used": 100_000}
        assert answer.headers["x-aimlapi-usd-spent"] == "0.050000"


async def test_a_full_line_and_a_used_up_share_say_when_to_come_again(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), gate=gate)}, queue_size=1) as at:
        greedy = at.key("greedy", per_minute=3)
        first = [asyncio.create_task(at.client.post(RUN, json=BODY, headers=greedy)) for _ in range(2)]
        while sum(at.engine.jobs.unfinished().values()) < 2:  # noqa: ASYNC110 - the engine tells nobody of a submit
            await asyncio.sleep(0.01)
        full = await at.client.post(RUN, json=BODY, headers=greedy)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        gate.set()
        assert [each.status_code for each in await asyncio.gather(*first)] == [200, 200]
        assert (await at.client.post(RUN, json=BODY, headers=greedy)).status_code == 200
        spent = await at.client.post(RUN, json=BODY, headers=greedy)
        assert spent.status_code == 429
        assert 1 <= int(spent.headers["retry-after"]) <= 60
        assert (await at.client.post(RUN, json=BODY, headers=at.key("modest"))).status_code == 200


async def test_models_are_listed_without_a_key(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        at.key()
        names = [each["id"] for each in (await at.client.get("/v1/models")).json()["data"]]
        assert AIML in names
        (one,) = (await at.client.get("/v1/models", params={"id": AIML})).json()["data"]
        assert one["pricing"] == {"image": 0.0}
        assert (await at.client.get(f"/v1/models/{AIML}")).json() == one
        assert (await at.client.get("/v1/models/flux/dev")).json()["statusCode"] == 404


@pytest.mark.parametrize("path", ["/v1/a%0Ab", "/v2/%0A", "/api/v3/predictions/a%0Ab"])
async def test_whatever_comes_under_a_door_is_answered_in_its_shape(tmp_path: Path, path: str) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.get(path)
        assert answer.status_code == 404
        assert answer.json().get("statusCode", answer.json().get("code")) == 404
