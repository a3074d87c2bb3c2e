"""WaveSpeedAI's format, served here: tasks, their results, the list of them, and what a retry gets."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import SecretStr

from core.backend import OWNERS, RunContext
from core.errors import (
    BudgetSpent,
    DiskFull,
    FetchFailed,
    Moderated,
    NoCredits,
    OutOfMemory,
    ParameterRefused,
    ProviderDown,
    ResultGone,
    RunFailed,
    SubmitUnknown,
    TimedOut,
)
from core.events import Completed, Event, Queued, Working
from core.limits import Caps
from core.links import Links
from core.messages import recorded
from core.request import EditRequest
from core.result import Missing, Reason
from storage.files.secret import lasting_secret
from tests.support.aimlapi_calls import BODY as AIML_BODY
from tests.support.aimlapi_calls import RUN as AIML_RUN
from tests.support.api_app import WAVE, api_app
from tests.support.fakes import FakeBackend, FakeProvider, make_spec, picture_bytes, results
from tests.support.wavespeed_calls import (
    BARE,
    BODY,
    PAGES_BODY,
    PICTURE,
    PREDICTIONS,
    RUN,
    SYNC,
    kept,
    settled,
    submitted,
    until,
)

pytestmark = pytest.mark.integration

BASE = "http://127.0.0.1:7860"
DOORS = pytest.mark.parametrize(("run", "body"), [(RUN, BODY), (AIML_RUN, AIML_BODY)], ids=["wavespeed", "aimlapi"])
"""What holds for every POST that costs."""


class Watched(FakeBackend):
    """Keeps the requests that it ran."""

    def __init__(self, **more: Any) -> None:
        self.seen: list[EditRequest] = []
        super().__init__(make_spec("local"), outcome=self._made, **more)

    def _made(self, request: EditRequest) -> Completed:
        self.seen.append(request)
        return Completed(results(request), {"inference": 1.2345})


class Paid(FakeBackend):
    """Costs its owner money at a provider."""

    def __init__(self, left: float = 7.25) -> None:
        spec = make_spec("paid", key_env="WAVESPEED_API_KEY", price=0.025)
        super().__init__(spec, outcome=self._made, provider=FakeProvider(left, "WAVESPEED_API_KEY"))

    def _made(self, request: EditRequest) -> Completed:
        return Completed(results(request), {"inference": 1.0}, cost=0.5)


# ---- a task's life -------------------------------------------------------------------------------------


async def test_the_pages_example_is_answered_at_once_in_the_pages_envelope(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json=BODY)
        told = answer.json()
        task, created = told["data"]["id"], told["data"]["created_at"]
        assert answer.status_code == 200
        assert told == {
            "code": 200,
            "message": "success",
            "data": {
                "id": task,
                "model": "wavespeed-ai/flux-srpo/image-to-image",
                "outputs": [],
                "urls": {"get": f"{BASE}/api/v3/predictions/{task}/result"},
                "has_nsfw_contents": [],
                "status": "created",
                "created_at": created,
                "error": "",
                "timings": {"inference": 0},
            },
        }
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created)


@pytest.mark.parametrize("ending", ["/result", ""])
async def test_both_addresses_of_a_task_tell_its_result(tmp_path: Path, ending: str) -> None:
    async with api_app(tmp_path, {"local": Watched()}) as at:
        task = await submitted(at)
        await settled(at, task)
        told = (await at.client.get(f"{PREDICTIONS}/{task}{ending}")).json()
        (output,) = told["data"]["outputs"]
        assert (told["code"], told["message"]) == (200, "success")
        assert (told["data"]["id"], told["data"]["status"], told["data"]["error"]) == (task, "completed", "")
        assert told["data"]["has_nsfw_contents"] == [False]
        assert told["data"]["timings"] == {"inference": 1234}
        assert isinstance(told["data"]["timings"]["inference"], int)
        assert output.startswith(f"{BASE}/files/")
        assert "code" not in told["data"]


async def test_an_output_is_read_at_its_address_without_a_key(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        key = at.key()
        (output,) = (await settled(at, await submitted(at, key), key))["outputs"]
        file = await at.client.get(output)
        assert (file.status_code, file.headers["content-type"]) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(file.content)).size == (64, 48)


async def test_an_output_whose_address_has_ended_or_was_changed_is_shut(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        (output,) = (await settled(at, await submitted(at)))["outputs"]
        path = httpx.URL(output).path
        ended = Links(lasting_secret(tmp_path)).sign(path, 1_600_000_000)
        for address in (ended, path, output + "0", output.replace("until=", "until=9")):
            assert (await at.client.get(address)).status_code == 403, address


async def test_the_address_to_ask_at_is_the_apps_own_as_its_owner_gave_it(tmp_path: Path) -> None:
    async with api_app(tmp_path, public_url="https://studio.example") as at:
        key = at.key()
        told = (await at.client.post(RUN, json=BODY, headers=key)).json()["data"]
        assert told["urls"]["get"].startswith("https://studio.example/api/v3/predictions/")
        (output,) = (await settled(at, told["id"], key))["outputs"]
        assert output.startswith("https://studio.example/files/")


async def test_a_task_waits_as_created_and_is_worked_at_as_processing(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), gate=gate)}) as at:
        first, second = await submitted(at), await submitted(at)
        job = at.engine.jobs.get(first)
        assert job is not None
        await until(lambda: not isinstance(job.event, Queued))
        told = [(await at.client.get(f"{PREDICTIONS}/{each}/result")).json()["data"] for each in (first, second)]
        assert [(each["status"], each["outputs"]) for each in told] == [("processing", []), ("created", [])]
        gate.set()
        assert (await settled(at, second))["status"] == "completed"


async def test_what_is_left_out_takes_the_pages_defaults(tmp_path: Path) -> None:
    backend = Watched()
    async with api_app(tmp_path, {"local": backend}) as at:
        assert (await at.client.post(RUN, json={**BARE, "enable_sync_mode": True})).status_code == 200
    (request,) = backend.seen
    assert dict(request.params) | {"seed": 0} == {
        "strength": 0.8,
        "guidance_scale": 3.5,
        "num_inference_steps": 28,
        "seed": 0,
        "num_images": 1,
        "output_format": "jpeg",
        "enable_safety_checker": True,
    }
    assert request.prompt == "as an oil painting"


async def test_a_seed_of_minus_one_is_drawn_anew_each_time(tmp_path: Path) -> None:
    backend = Watched()
    async with api_app(tmp_path, {"local": backend}) as at:
        for _ in range(3):
            await at.client.post(RUN, json=SYNC)
    seeds = [each.seeds[0] for each in backend.seen]
    assert len(set(seeds)) == 3
    assert all(0 <= each < 2**31 for each in seeds)


@pytest.mark.parametrize(
    "edge",
    [
        {"strength": 0},
        {"strength": 1},
        {"strength": 0.001},
        {"num_inference_steps": 1},
        {"num_inference_steps": 50},
        {"num_inference_steps": 28.0},
        {"guidance_scale": 1},
        {"guidance_scale": 20.0},
        {"seed": 0},
        {"seed": 2**31 - 1},
        {"output_format": "png"},
        {"prompt": "x" * 4000},
        {"prompt": "ein Bild, das lächelt 🙂"},
    ],
    ids=str,
)
async def test_the_edges_of_every_range_are_taken_as_they_are(tmp_path: Path, edge: dict[str, Any]) -> None:
    backend = Watched()
    async with api_app(tmp_path, {"local": backend}) as at:
        told = (await at.client.post(RUN, json={**SYNC, **edge})).json()
        assert told["data"]["status"] == "completed"
    (request,) = backend.seen
    ((name, value),) = edge.items()
    assert (request.prompt if name == "prompt" else request.params[name]) == value


async def test_base64_output_puts_the_picture_into_the_answer(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        task = await submitted(at, enable_base64_output=True, output_format="png")
        (output,) = (await settled(at, task))["outputs"]
        head, _, text = output.partition(",")
        assert head == "data:image/png;base64"
        assert Image.open(io.BytesIO(base64.b64decode(text, validate=True))).size == (64, 48)


async def test_bare_base64_and_an_address_of_ours_are_taken_as_image(tmp_path: Path) -> None:
    backend = Watched()
    async with api_app(tmp_path, {"local": backend}) as at:
        first = await at.client.post(RUN, json={**SYNC, "image": PICTURE.partition(",")[2], "output_format": "png"})
        (output,) = first.json()["data"]["outputs"]
        second = await at.client.post(RUN, json={**SYNC, "image": output})
        assert second.json()["data"]["status"] == "completed"
        made = Image.open(io.BytesIO((await at.client.get(output)).content))
        assert backend.seen[1].image.open().tobytes() == made.tobytes()


# ---- synchronous mode ----------------------------------------------------------------------------------


async def test_sync_mode_answers_with_the_result(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json=SYNC)
        told = answer.json()
        assert (answer.status_code, told["code"], told["message"]) == (200, 200, "success")
        assert told["data"]["status"] == "completed"
        assert (await at.client.get(told["data"]["outputs"][0])).status_code == 200
        assert (await at.client.get(told["data"]["urls"]["get"])).json() == told


async def test_sync_mode_that_takes_too_long_says_so_and_the_task_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.wavespeed.routes.SYNC_LIMIT", 0.05)
    gate = asyncio.Event()
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), gate=gate)}) as at:
        answer = await at.client.post(RUN, json=SYNC)
        late = answer.json()["data"]
        assert (answer.status_code, answer.json()["code"]) == (200, 200)
        assert (late["status"], late["code"], late["outputs"]) == ("processing", 5004, [])
        assert late["error"]
        gate.set()
        done = await settled(at, late["id"])
        assert (done["status"], done["error"], len(done["outputs"])) == ("completed", "", 1)


async def test_sync_mode_of_a_run_that_fails_is_an_answer_of_success_that_says_so(tmp_path: Path) -> None:
    backend = FakeBackend(
        make_spec("local"), fail=Moderated("recorded", what="The provider refuses the prompt.", todo="")
    )
    async with api_app(tmp_path, {"local": backend}) as at:
        answer = await at.client.post(RUN, json=SYNC)
        assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (200, 200, "success")
        data = answer.json()["data"]
        assert (data["status"], data["code"]) == ("failed", 1200)


# ---- a task that failed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Moderated("recorded", what="The provider refuses the picture.", todo=""), 1200),
        (ParameterRefused("recorded", what="The provider refuses the strength.", todo=""), 1400),
        (FetchFailed("recorded", what="The link could not be read.", todo=""), 1402),
        (ResultGone("recorded", what="The result is gone.", todo=""), 1402),
        (NoCredits("recorded", what="The account is empty.", todo=""), 1407),
        (BudgetSpent("recorded", what="That is spent.", todo=""), 1407),
        (ProviderDown("recorded", what="The provider is away.", todo=""), 5000),
        (OutOfMemory("recorded", what="The device cannot hold it.", todo=""), 5000),
        (TimedOut("recorded", what="It took too long.", todo=""), 5004),
        (RunFailed("recorded", what="It broke.", todo=""), 1405),
        (DiskFull("recorded", what="The disk is full.", todo=""), 1405),
        (SubmitUnknown("recorded", what="The answer is lost.", todo=""), 1405),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_a_failed_task_is_an_answer_of_success_with_the_providers_code(
    tmp_path: Path, failure: Exception, code: int
) -> None:
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), fail=failure)}) as at:
        task = await submitted(at)
        await settled(at, task)
        answer = await at.client.get(f"{PREDICTIONS}/{task}/result")
        told = answer.json()
        assert (answer.status_code, told["code"], told["message"]) == (200, 200, "success")
        data = told["data"]
        assert (data["status"], data["code"], data["error"]) == ("failed", code, str(failure))
        assert (data["outputs"], data["has_nsfw_contents"], data["timings"]) == ([], [], {"inference": 0})


async def test_a_failure_that_nobody_foresaw_tells_nothing_of_the_inside(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), fail=ZeroDivisionError("/secret/path"))
    async with api_app(tmp_path, {"local": backend}) as at:
        data = await settled(at, await submitted(at))
        assert (data["status"], data["code"]) == ("failed", 1405)
        assert "/secret" not in str(data)


@pytest.mark.parametrize("inline", [False, True])
async def test_a_withheld_picture_is_flagged_and_black(tmp_path: Path, inline: bool) -> None:
    def outcome(request: EditRequest) -> Completed:
        return Completed((Missing(Reason.NSFW, recorded("Not safe for work."), request.seeds[0]),), {"inference": 1.0})

    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), outcome=outcome)}) as at:
        data = await settled(at, await submitted(at, enable_base64_output=inline))
        assert (data["status"], data["has_nsfw_contents"]) == ("completed", [True])
        (output,) = data["outputs"]
        black = Image.open(io.BytesIO(base64.b64decode(output.partition(",")[2])))
        assert black.convert("L").getextrema() == (0, 0)


# ---- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": ...}, "prompt: Field required."),
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n"}, "prompt: The prompt is empty."),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"image": ...}, "image: Field required."),
        ({"image": ""}, "image"),
        ({"image": [PICTURE]}, "image"),
        ({"image": "data:image/png;base64,AAAA"}, "image"),
        ({"image": "no base64 at all"}, "image"),
        (
            {"image": "http://127.0.0.1/a.png"},
            "image: This link points to a private network, which the app does not read.",
        ),
        (
            {"image": "http://169.254.169.254/latest"},
            "image: This link points to a private network, which the app does not read.",
        ),
        ({"image": "file:///etc/passwd"}, "image: This link cannot be used"),
        ({"strength": -0.01}, "strength"),
        ({"strength": 1.01}, "strength"),
        ({"strength": "0.5"}, "strength"),
        ({"strength": True}, "strength"),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"num_inference_steps": 51}, "num_inference_steps"),
        ({"num_inference_steps": 1.5}, "num_inference_steps: Should be a whole number."),
        ({"num_inference_steps": "28"}, "num_inference_steps"),
        ({"num_inference_steps": True}, "num_inference_steps"),
        ({"seed": -2}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"seed": 10**30}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"seed": False}, "seed"),
        ({"guidance_scale": 0.99}, "guidance_scale"),
        ({"guidance_scale": 20.01}, "guidance_scale"),
        ({"guidance_scale": "3.5"}, "guidance_scale"),
        ({"output_format": "webp"}, "output_format"),
        ({"enable_base64_output": 1}, "enable_base64_output"),
        ({"enable_sync_mode": "true"}, "enable_sync_mode"),
        ({"num_images": 2}, "num_images: Extra inputs are not permitted."),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_bad_input_is_refused_before_it_is_a_task(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    body = {name: value for name, value in {**BODY, **change}.items() if value is not ...}
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json=body)
        assert answer.status_code == 400
        assert list(answer.json()) == ["code", "message", "data"]
        assert (answer.json()["code"], answer.json()["data"]) == (400, None)
        assert words in answer.json()["message"]
        assert (await at.client.post(PREDICTIONS)).json()["data"]["items"] == []


async def test_a_null_counts_as_left_out_and_a_format_is_known_in_any_spelling(tmp_path: Path) -> None:
    backend = Watched()
    async with api_app(tmp_path, {"local": backend}) as at:
        optional = {**dict.fromkeys(PAGES_BODY), "output_format": "JPG"}
        await settled(at, await submitted(at, **{**BARE, **optional}))
    (request,) = backend.seen
    assert (request.params["strength"], request.params["output_format"]) == (0.8, "jpeg")


@pytest.mark.parametrize(
    ("sent", "notices"),
    [
        ({"enable_safety_checker": True}, ["Ignored, for this model has no such field: enable_safety_checker."]),
        ({"images": ["https://a.example/b.png"]}, ["images was ignored: this model takes one image."]),
        ({"images": []}, ["images was ignored: this model takes one image."]),
        ({"image": None, "images": [PICTURE]}, []),
        ({"image": "", "images": [PICTURE, PICTURE]}, ["Of the 2 images, the first was used."]),
        ({"enable_safety_checker": None, "images": None}, []),
    ],
)
async def test_what_wavespeeds_mcp_server_sends_to_every_model_is_taken_with_a_notice(
    tmp_path: Path, sent: dict[str, Any], notices: list[str]
) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json={**BODY, **sent})
        assert answer.status_code == 200
        assert answer.json()["data"].get("notices", []) == notices
        assert (await settled(at, answer.json()["data"]["id"])).get("notices", []) == notices


@pytest.mark.parametrize("images", ["one", [], [7], {"a": 1}])
async def test_without_an_image_images_must_hold_one(tmp_path: Path, images: Any) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json={"prompt": "a lake", "images": images})
        assert (answer.status_code, answer.json()["message"].partition(":")[0]) == (400, "image")


# ---- cancelling ------------------------------------------------------------------------------------------


async def test_delete_cancels_a_task_and_may_come_again(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with api_app(tmp_path, {"local": backend}) as at:
        task = await submitted(at)
        await until(lambda: backend.started)
        for _ in range(2):
            answer = await at.client.delete(f"{PREDICTIONS}/{task}")
            assert (answer.status_code, answer.json()["code"]) == (200, 200)
        data = await settled(at, task)
        assert (data["id"], data["status"]) == (task, "failed")
        assert "The run was cancelled." in data["error"]
        assert backend.working == 0


async def test_delete_leaves_a_completed_task_as_it_is(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        done = await settled(at, await submitted(at))
        answer = await at.client.delete(f"{PREDICTIONS}/{done['id']}")
        assert answer.json()["data"] == done


async def test_nobody_cancels_the_task_of_another_key(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with api_app(tmp_path, {"local": backend}) as at:
        ann, bob = at.key("ann"), at.key("bob")
        task = await submitted(at, ann)
        for wrong, key, status in ((task, bob, 404), ("0" * 32, ann, 404), (task, {}, 401)):
            assert (await at.client.delete(f"{PREDICTIONS}/{wrong}", headers=key)).status_code == status
        assert at.engine.jobs.get(task) is not None


async def test_a_model_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post("/api/v3/wavespeed-ai/flux-dev", json=BODY)
        assert (answer.status_code, answer.json()["code"]) == (404, 404)
        assert "'wavespeed-ai/flux-dev'" in answer.json()["message"]
        assert WAVE in answer.json()["message"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream"])
@DOORS
async def test_json_that_is_not_called_so_is_told_how_to_be_sent(
    tmp_path: Path, run: str, body: dict[str, Any], kind: str
) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(run, content=json.dumps(body), headers={"Content-Type": kind})
        assert answer.status_code == 400
        assert "Content-Type: application/json" in answer.json()["message"]


async def test_the_pages_own_curl_lacks_what_its_table_requires(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json=PAGES_BODY)
        assert answer.status_code == 400
        assert answer.json() == {"code": 400, "message": "prompt: Field required.", "data": None}


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000),
        *(b'{"strength": NaN}', b'{"seed": 1e999}', b'{"seed": ' + b"9" * 5000 + b"}"),
    ],
    ids=lambda value: repr(value[:20]),
)
async def test_what_is_no_request_is_a_400(tmp_path: Path, raw: bytes) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, content=raw, headers={"Content-Type": "application/json"})
        assert answer.status_code == answer.json()["code"] == 400
        assert answer.json()["data"] is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v3/nothing", 404),
        ("POST", "/api/v3/wavespeed-ai/flux-dev", 404),
        ("GET", f"{PREDICTIONS}/0123456789abcdef/result", 404),
        ("GET", f"{PREDICTIONS}/0123456789abcdef", 404),
        ("GET", f"{PREDICTIONS}/%2e%2e%2fbalance/result", 404),
        ("GET", f"{PREDICTIONS}/%00/result", 404),
        ("GET", RUN, 405),
        ("PUT", RUN, 405),
        ("DELETE", PREDICTIONS, 405),
        ("POST", "/api/v3/balance", 405),
    ],
)
async def test_an_unknown_path_method_or_id_has_the_envelope_too(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.request(method, path)
        assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (status, status, None)
        assert answer.json()["message"]


@pytest.mark.parametrize("webhook", ["", "example.com/hook", "ftp://example.com", "file:///etc/passwd", "x" * 3000])
async def test_a_webhook_that_is_no_address_is_refused(tmp_path: Path, webhook: str) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json=BODY, params={"webhook": webhook})
        assert answer.status_code == answer.json()["code"] == 400
        assert "webhook" in answer.json()["message"]


async def test_a_full_line_says_when_to_come_again(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), gate=gate)}, queue_size=1) as at:
        tasks = [await submitted(at), await submitted(at)]
        full = await at.client.post(RUN, json=BODY)
        assert (full.status_code, full.json()["code"], full.headers["retry-after"]) == (503, 503, "5")
        gate.set()
        assert [(await settled(at, each))["status"] for each in tasks] == ["completed", "completed"]


async def test_a_used_up_share_says_when_to_come_again(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        key = at.key("greedy", per_minute=1)
        await submitted(at, key)
        spent = await at.client.post(RUN, json=BODY, headers=key)
        assert (spent.status_code, spent.json()["code"], spent.json()["data"]) == (429, 429, None)
        assert 1 <= int(spent.headers["retry-after"]) <= 60


async def test_a_backend_that_is_away_is_a_503(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), reason="The model is not there.")
    async with api_app(tmp_path, {"local": backend}) as at:
        answer = await at.client.post(RUN, json=BODY)
        assert answer.status_code == 503
        assert answer.json() == {"code": 503, "message": "The model is not there.", "data": None}


# ---- the list, and deleting --------------------------------------------------------------------------------


async def test_predictions_are_listed_with_what_was_asked_for(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        task = await submitted(at, seed=7, strength=0.25)
        done = await settled(at, task)
        answer = await at.client.post(PREDICTIONS, json={})
        told = answer.json()
        assert (answer.status_code, told["code"], told["message"], told["data"]["page"]) == (200, 200, "success", 1)
        (item,) = told["data"]["items"]
        asked = item.pop("input")
        assert item == done
        assert (asked["prompt"], asked["strength"], asked["seed"]) == ("as an oil painting", 0.25, 7)
        reference = await at.client.get(asked["image"])
        assert Image.open(io.BytesIO(reference.content)).size == (64, 48)


async def test_the_list_comes_in_pages_the_newest_first(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        tasks = [await submitted(at, prompt=f"number {number}") for number in range(5)]
        for each in tasks:
            await settled(at, each)
        pages = []
        for page in (1, 2, 3, 4):
            data = (await at.client.post(PREDICTIONS, json={"page": page, "page_size": 2})).json()["data"]
            assert data["page"] == page
            pages.append([each["id"] for each in data["items"]])
        newest = tasks[::-1]
        assert pages == [newest[:2], newest[2:4], newest[4:], []]


async def test_the_list_has_the_last_weeks_only(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        old = await submitted(at)
        await settled(at, old)
    aged(tmp_path, 8 * 86_400)
    async with api_app(tmp_path) as at:
        new = await submitted(at)
        listed = (await at.client.post(PREDICTIONS)).json()["data"]["items"]
        assert [each["id"] for each in listed] == [new]
        assert (await at.client.get(f"{PREDICTIONS}/{old}/result")).status_code == 200


async def test_a_key_lists_its_own_predictions_only(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        ann, bob = at.key("ann"), at.key("bob")
        of_ann, of_bob = await submitted(at, ann), await submitted(at, bob)
        for key, task in ((ann, of_ann), (bob, of_bob)):
            items = (await at.client.post(PREDICTIONS, headers=key)).json()["data"]["items"]
            assert [each["id"] for each in items] == [task]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PREDICTIONS, {"page": 0}),
        (PREDICTIONS, {"page": 10**9}),
        (PREDICTIONS, {"page_size": 0}),
        (PREDICTIONS, {"page_size": 101}),
        (PREDICTIONS, {"page": "1"}),
        (PREDICTIONS, {"pages": 1}),
        (f"{PREDICTIONS}/delete", {}),
        (f"{PREDICTIONS}/delete", {"ids": []}),
        (f"{PREDICTIONS}/delete", {"ids": "all"}),
        (f"{PREDICTIONS}/delete", {"ids": [1]}),
        (f"{PREDICTIONS}/delete", {"ids": ["x"] * 101}),
        (f"{PREDICTIONS}/delete", {"ids": ["x"], "all": True}),
        ("/api/v3/model/price", {}),
        ("/api/v3/model/price", {"model_id": "somebody/else"}),
        ("/api/v3/model/price", {"model_id": WAVE, "inputs": []}),
    ],
)
async def test_a_question_that_does_not_fit_is_a_400(tmp_path: Path, path: str, body: dict[str, Any]) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(path, json=body)
        assert answer.status_code == answer.json()["code"] == 400
        assert answer.json()["data"] is None


async def test_a_deleted_prediction_is_gone_with_its_pictures(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        task = await submitted(at)
        (output,) = (await settled(at, task))["outputs"]
        assert len(kept(tmp_path)) == 2
        answer = await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [task]})
        assert answer.json() == {"code": 200, "message": "success", "data": {"deleted_count": 1}}
        assert kept(tmp_path) == set()
        assert (await at.client.get(output)).status_code == 404
        assert (await at.client.get(f"{PREDICTIONS}/{task}/result")).status_code == 404
        assert (await at.client.post(PREDICTIONS)).json()["data"]["items"] == []


async def test_a_picture_that_another_prediction_has_too_stays(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        gone, stays = await submitted(at, seed=1), await submitted(at, seed=2)
        await settled(at, gone)
        (output,) = (await settled(at, stays))["outputs"]
        await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [gone]})
        (item,) = (await at.client.post(PREDICTIONS)).json()["data"]["items"]
        for address in (output, item["input"]["image"]):
            assert (await at.client.get(address)).status_code == 200


async def test_deleting_counts_each_once_and_leaves_out_what_is_not_there(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        tasks = [await submitted(at), await submitted(at)]
        for each in tasks:
            await settled(at, each)
        ids = [tasks[0], tasks[1], tasks[0], "0123456789abcdef"]
        answer = await at.client.post(f"{PREDICTIONS}/delete", json={"ids": ids})
        assert answer.json()["data"] == {"deleted_count": 2}


async def test_a_prediction_that_runs_is_stopped_and_one_that_waits_never_begins(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with api_app(tmp_path, {"local": backend}) as at:
        runs = await submitted(at, prompt="the one that runs")
        await until(lambda: backend.working)
        waits = await submitted(at, prompt="the one that waits")
        answer = await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [waits, runs]})
        assert answer.json()["data"] == {"deleted_count": 2}
        assert (backend.started, backend.ended, backend.working) == (["the one that runs"],) * 2 + (0,)
        for task in (runs, waits):
            assert (await at.client.get(f"{PREDICTIONS}/{task}/result")).status_code == 404
        assert kept(tmp_path) == set()


async def test_another_keys_prediction_is_not_deleted_and_goes_on(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), gate=gate)}) as at:
        ann, bob = at.key("ann"), at.key("bob")
        task = await submitted(at, ann)
        answer = await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [task]}, headers=bob)
        assert answer.json() == {"code": 200, "message": "success", "data": {"deleted_count": 0}}
        gate.set()
        assert (await settled(at, task, ann))["status"] == "completed"


class Handed(FakeBackend):
    """Hands its runs to a provider, which cannot take them back."""

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        yield Working("sent")
        async for event in super().edit(request, context):
            if isinstance(event, Completed):
                yield event


async def test_what_a_provider_cannot_take_back_is_not_said_to_be_deleted_until_it_is(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = Handed(make_spec("local"), gate=gate)
    async with api_app(tmp_path, {"local": backend}) as at:
        task = await submitted(at)
        await until(lambda: backend.working)
        delete = {"json": {"ids": [task]}}
        at_work = await at.client.post(f"{PREDICTIONS}/delete", **delete)
        gate.set()
        job = at.engine.jobs.get(task)
        assert job is not None
        await until(lambda: not backend.working and job.ended)
        ended = await at.client.post(f"{PREDICTIONS}/delete", **delete)
        assert at_work.json()["data"]["deleted_count"] + ended.json()["data"]["deleted_count"] == 1
        assert (await at.client.get(f"{PREDICTIONS}/{task}/result")).status_code == 404
        assert kept(tmp_path) == set()


# ---- the account -------------------------------------------------------------------------------------------


async def test_runs_on_the_owners_machine_cost_nothing(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        balance = await at.client.get("/api/v3/balance")
        assert balance.json() == {"code": 200, "message": "success", "data": {"balance": 0.0}}
        price = await at.client.post("/api/v3/model/price", json={"model_id": WAVE, "inputs": {"strength": 0.8}})
        assert price.json() == {"code": 200, "message": "success", "data": {"price": 0.0}}


async def test_the_balance_is_what_the_owner_lets_these_doors_spend(tmp_path: Path) -> None:
    paid = {"api_models": {WAVE: "paid"}, "api_spends": True, "caps": Caps(budget=2.0)}
    async with api_app(tmp_path, {"paid": Paid()}, **paid) as at:
        assert (await at.client.get("/api/v3/balance")).json()["data"] == {"balance": 2.0}
        await settled(at, await submitted(at))
        assert (await at.client.get("/api/v3/balance")).json()["data"] == {"balance": 1.5}
        price = await at.client.post("/api/v3/model/price", json={"model_id": WAVE})
        assert price.json()["data"] == {"price": 0.025}


async def test_the_balance_is_never_more_than_the_provider_has(tmp_path: Path) -> None:
    paid = {"api_models": {WAVE: "paid"}, "api_spends": True, "caps": Caps(budget=2.0)}
    async with api_app(tmp_path, {"paid": Paid(left=0.75)}, **paid) as at:
        assert (await at.client.get("/api/v3/balance")).json()["data"] == {"balance": 0.75}


async def test_the_owners_money_is_not_spent_unless_they_said_so(tmp_path: Path) -> None:
    backend = Paid()
    async with api_app(tmp_path, {"paid": backend}, api_models={WAVE: "paid"}) as at:
        answer = await at.client.post(RUN, json=BODY)
        assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (403, 403, None)
        assert "STUDIO_API_SPENDS" in answer.json()["message"]
        assert (await at.client.get("/api/v3/balance")).json()["data"] == {"balance": 0.0}
    assert backend.started == []


async def test_a_model_is_listed_with_the_address_and_fields_that_it_really_has(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        models = (await at.client.get("/api/v3/models")).json()["data"]
        (model,) = [each for each in models if each["model_id"] == WAVE]
        assert (model["type"], model["base_price"]) == ("image-to-image", 0.0)
        (schema,) = model["api_schema"]["api_schemas"]
        fields = schema["request_schema"]
        assert fields["required"] == ["prompt", "image"]
        defaults = {name: each["default"] for name, each in fields["properties"].items() if "default" in each}
        assert defaults == PAGES_BODY
        answer = await at.client.request(schema["method"], schema["server"] + schema["api_path"], json=SYNC)
        assert answer.json()["data"]["status"] == "completed"


async def test_a_model_that_the_owner_named_answers_at_its_own_address(tmp_path: Path) -> None:
    async with api_app(tmp_path, api_models={"somebody/painter": "local"}) as at:
        told = (await at.client.post("/api/v3/somebody/painter", json=SYNC)).json()["data"]
        assert (told["model"], told["status"]) == ("somebody/painter", "completed")
        assert (await at.client.post(RUN, json=BODY)).status_code == 404


# ---- the same call twice -------------------------------------------------------------------------------------


def aged(folder: Path, seconds: float) -> None:
    """Make every kept task older. Nobody may use the folder: its database belongs to one process."""
    base = sqlite3.connect(folder / "studio.db")
    with base:
        assert base.execute("update jobs set created = created - ?", (seconds,)).rowcount
    base.close()


@DOORS
async def test_the_same_call_again_gets_the_same_answer_from_one_run(
    tmp_path: Path, run: str, body: dict[str, Any]
) -> None:
    backend = FakeBackend(make_spec("local"))
    async with api_app(tmp_path, {"local": backend}) as at:
        mark = {"Idempotency-Key": "order 1"}
        first = await at.client.post(run, json=body, headers=mark)
        second = await at.client.post(run, json=body, headers=mark)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.content == second.content
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        await until(lambda: backend.ended)
    assert len(backend.started) == 1


@DOORS
async def test_the_same_call_twice_at_once_is_one_run(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    backend = FakeBackend(make_spec("local"))
    async with api_app(tmp_path, {"local": backend}) as at:
        mark = {"Idempotency-Key": "order 1"}
        answers = await asyncio.gather(*(at.client.post(run, json=body, headers=mark) for _ in range(4)))
        assert [each.status_code for each in answers] == [200] * 4
        assert len({each.content for each in answers}) == 1
        assert sorted(each.headers.get("idempotent-replayed", "") for each in answers) == ["", *["true"] * 3]
        await until(lambda: backend.ended)
    assert len(backend.started) == 1


@DOORS
async def test_a_synchronous_call_again_gets_the_same_result(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    mode = "enable_sync_mode" if run == RUN else "sync_mode"
    async with api_app(tmp_path) as at:
        mark = {"Idempotency-Key": "order 1"}
        answers = [await at.client.post(run, json={**body, mode: True}, headers=mark) for _ in range(2)]
        assert answers[0].content == answers[1].content
        assert answers[1].headers["idempotent-replayed"] == "true"


@DOORS
async def test_the_same_mark_on_another_request_is_a_409(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    backend = FakeBackend(make_spec("local"))
    async with api_app(tmp_path, {"local": backend}) as at:
        mark = {"Idempotency-Key": "order 1"}
        await at.client.post(run, json=body, headers=mark)
        other = await at.client.post(run, json={**body, "prompt": "something else"}, headers=mark)
        assert other.status_code == 409
        assert other.json().get("code", other.json().get("statusCode")) == 409
        await until(lambda: backend.ended)
    assert len(backend.started) == 1


async def test_another_webhook_is_another_request(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        mark = {"Idempotency-Key": "order 1"}
        await at.client.post(RUN, json=BODY, headers=mark)
        other = await at.client.post(RUN, json=BODY, params={"webhook": "https://example.com/hook"}, headers=mark)
        assert other.status_code == 409


@DOORS
async def test_two_keys_marks_never_meet(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    backend = FakeBackend(make_spec("local"))
    async with api_app(tmp_path, {"local": backend}) as at:
        for key in (at.key("ann"), at.key("bob")):
            answer = await at.client.post(run, json=body, headers={**key, "Idempotency-Key": "order 1"})
            assert (answer.status_code, "idempotent-replayed" in answer.headers) == (200, False)
        await until(lambda: len(backend.ended) == 2)


async def test_two_doors_marks_never_meet(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        mark = {"Idempotency-Key": "order 1"}
        for run, body in ((RUN, BODY), (AIML_RUN, AIML_BODY)):
            answer = await at.client.post(run, json=body, headers=mark)
            assert (answer.status_code, "idempotent-replayed" in answer.headers) == (200, False)


@DOORS
async def test_a_mark_that_is_older_than_a_day_runs_anew(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    mark = {"Idempotency-Key": "order 1"}
    first, second = FakeBackend(make_spec("local")), FakeBackend(make_spec("local"))
    async with api_app(tmp_path, {"local": first}) as at:
        await at.client.post(run, json=body, headers=mark)
        await until(lambda: first.ended)
    aged(tmp_path, 86_000)
    async with api_app(tmp_path, {"local": second}) as at:
        assert "idempotent-replayed" in (await at.client.post(run, json=body, headers=mark)).headers
    aged(tmp_path, 401)
    async with api_app(tmp_path, {"local": second}) as at:
        assert "idempotent-replayed" not in (await at.client.post(run, json=body, headers=mark)).headers
        await until(lambda: second.ended)
        assert "idempotent-replayed" in (await at.client.post(run, json=body, headers=mark)).headers
    assert len(second.started) == 1


@DOORS
async def test_a_call_that_failed_fails_again_without_a_second_run(
    tmp_path: Path, run: str, body: dict[str, Any]
) -> None:
    backend = FakeBackend(make_spec("local"), fail=Moderated("recorded", what="The provider refuses it.", todo=""))
    async with api_app(tmp_path, {"local": backend}) as at:
        mark = {"Idempotency-Key": "order 1"}
        first, second = [await at.client.post(run, json=body, headers=mark) for _ in range(2)]
        assert first.status_code == second.status_code == (200 if run == RUN else 400)
        assert first.json().get("message") == second.json().get("message")
        await until(lambda: backend.ended)
    assert len(backend.started) == 1


@DOORS
@pytest.mark.parametrize("mark", ["", "   ", "x" * 256])
async def test_a_mark_that_is_empty_or_too_long_is_refused(
    tmp_path: Path, run: str, body: dict[str, Any], mark: str
) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(run, json=body, headers={"Idempotency-Key": mark})
        assert answer.status_code == 400
        assert "idempotency-key" in answer.json()["message"].lower()


@DOORS
async def test_a_call_again_is_not_counted_again(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    async with api_app(tmp_path) as at:
        headers = {**at.key("modest", per_minute=1), "Idempotency-Key": "order 1"}
        statuses = [(await at.client.post(run, json=body, headers=headers)).status_code for _ in range(3)]
        assert statuses == [200, 200, 200]
        another = {**headers, "Idempotency-Key": "order 2"}
        assert (await at.client.post(run, json=body, headers=another)).status_code == 429


@DOORS
async def test_a_call_twice_at_once_is_counted_once(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    async with api_app(tmp_path) as at:
        headers = {**at.key("modest", per_minute=1), "Idempotency-Key": "order 1"}
        answers = await asyncio.gather(*(at.client.post(run, json=body, headers=headers) for _ in range(2)))
        assert [each.status_code for each in answers] == [200, 200]


@DOORS
async def test_a_call_twice_at_once_takes_one_place_in_line(tmp_path: Path, run: str, body: dict[str, Any]) -> None:
    gate = asyncio.Event()
    async with api_app(tmp_path, {"local": FakeBackend(make_spec("local"), gate=gate)}, queue_size=1) as at:
        await submitted(at)
        mark = {"Idempotency-Key": "order 1"}
        twins = [asyncio.create_task(at.client.post(run, json=body, headers=mark)) for _ in range(2)]
        await asyncio.sleep(0.1)  # both are at the door while the line has one place
        gate.set()
        assert [each.status_code for each in await asyncio.gather(*twins)] == [200, 200]


async def test_a_twin_with_another_picture_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        other = base64.b64encode(picture_bytes(size=(40, 30))).decode()
        bodies = ({**SYNC, "seed": 1}, {**SYNC, "seed": 1, "image": other})
        mark = {"Idempotency-Key": "order 1"}
        answers = await asyncio.gather(*(at.client.post(RUN, json=each, headers=mark) for each in bodies))
        assert sorted(each.status_code for each in answers) == [200, 409]
        assert len(kept(tmp_path)) == 2, "the reference and the result of the one that ran"


async def test_a_deleted_task_gives_its_mark_back(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        mark = {"Idempotency-Key": "order 1"}
        first = (await at.client.post(RUN, json=SYNC, headers=mark)).json()["data"]["id"]
        await at.client.post(f"{PREDICTIONS}/delete", json={"ids": [first]})
        again = await at.client.post(RUN, json=SYNC, headers=mark)
        assert (again.json()["data"]["status"], "idempotent-replayed" in again.headers) == ("completed", False)
        assert again.json()["data"]["id"] != first


# ---- a restart -------------------------------------------------------------------------------------------------


async def test_a_task_survives_a_restart_and_is_found_by_its_id_and_its_mark(tmp_path: Path) -> None:
    mark = {"Idempotency-Key": "order 1"}
    stuck, works = FakeBackend(make_spec("local"), gate=asyncio.Event()), FakeBackend(make_spec("local"))
    async with api_app(tmp_path, {"local": stuck}) as at:
        key = at.key()
        first = await at.client.post(RUN, json=BODY, headers={**key, **mark})
        await until(lambda: stuck.working)
    async with api_app(tmp_path, {"local": works}) as at:
        task = first.json()["data"]["id"]
        data = await settled(at, task, key)
        assert (data["status"], data["model"]) == ("completed", WAVE)
        assert (await at.client.get(data["outputs"][0])).status_code == 200
        again = await at.client.post(RUN, json=BODY, headers={**key, **mark})
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"
    assert works.started == ["as an oil painting"]


async def test_a_result_survives_a_restart_byte_for_byte(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        task = await submitted(at, enable_base64_output=True)
        await settled(at, task)
        first = await at.client.get(f"{PREDICTIONS}/{task}/result")
    async with api_app(tmp_path) as at:
        assert (await at.client.get(f"{PREDICTIONS}/{task}/result")).content == first.content


async def test_a_failure_survives_a_restart_byte_for_byte(tmp_path: Path) -> None:
    backend = FakeBackend(
        make_spec("local"), fail=TimedOut("recorded", what="It took too long.", todo="Ask there.", remote_id="t1")
    )
    async with api_app(tmp_path, {"local": backend}) as at:
        task = await submitted(at)
        await settled(at, task)
        first = await at.client.get(f"{PREDICTIONS}/{task}/result")
    async with api_app(tmp_path) as at:
        assert (await at.client.get(f"{PREDICTIONS}/{task}/result")).content == first.content


async def test_a_task_that_may_not_begin_anew_fails_after_a_restart(tmp_path: Path) -> None:
    stuck = FakeBackend(make_spec("local"), gate=asyncio.Event())
    async with api_app(tmp_path, {"local": stuck}) as at:
        task = await submitted(at)
        await until(lambda: stuck.working)
    works = FakeBackend(make_spec("local"))
    async with api_app(tmp_path, {"local": works}, rerun=False) as at:
        data = await settled(at, task)
        assert (data["status"], data["code"]) == ("failed", 1405)
        assert "restarted" in data["error"]
    assert works.started == []


async def test_the_owners_fixed_key_finds_its_tasks_after_a_restart(tmp_path: Path) -> None:
    key = {"Authorization": "Bearer letters-of-the-owner"}
    async with api_app(tmp_path, api_key=SecretStr("letters-of-the-owner")) as at:
        task = await submitted(at, key)
    async with api_app(tmp_path, api_key=SecretStr("letters-of-the-owner")) as at:
        assert (await settled(at, task, key))["status"] == "completed"
