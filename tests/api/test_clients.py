"""The providers' official clients, pointed at this app: what they send is taken, what they wait for comes."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import wavespeed.api.client
from openai import OpenAI
from PIL import Image

import api.wavespeed.routes
from core.backend import OWNERS, RunContext
from core.errors import Moderated
from core.events import Completed, Event
from core.job import Allowance
from core.messages import recorded
from core.request import EditRequest
from core.result import Missing, Reason
from tests.support.api_app import AIML, WAVE
from tests.support.api_server import KEY, api_server
from tests.support.fakes import FakeBackend, make_spec, picture_bytes, results

pytestmark = pytest.mark.integration

PICTURE = "data:image/png;base64," + base64.b64encode(picture_bytes()).decode()


class Obedient(FakeBackend):
    """Does what the prompt says, so that one app serves every test here.

    Attributes:
        left: prompts of runs that were ended from outside.
    """

    def __init__(self) -> None:
        super().__init__(make_spec("local"))
        self.left: list[str] = []

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        match request.prompt:
            case "refuse":
                raise Moderated("recorded", what="The prompt is refused.", todo="Change it.")
            case "withhold":
                yield Completed((Missing(Reason.NSFW, recorded("Not safe for work."), 8),), {"inference": 1.0})
            case "take half a second":
                await asyncio.sleep(0.5)
                yield Completed(results(request), {"inference": 0.5})
            case "never end":
                try:
                    await asyncio.sleep(100)
                finally:
                    self.left.append(request.prompt)
            case _:
                async for event in super().edit(request, context):
                    yield event


@pytest.fixture(scope="module")
def backend() -> Obedient:
    return Obedient()


@pytest.fixture(scope="module")
def url(backend: Obedient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with api_server(tmp_path_factory.mktemp("api"), {"local": backend}) as address:
        yield address


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


# ---- WaveSpeedAI's ---------------------------------------------------------------------------------------


def wave(url: str, key: str = KEY) -> wavespeed.api.client.Client:
    return wavespeed.api.client.Client(api_key=key, base_url=url, max_connection_retries=0)


def wave_run(url: str, **rest: Any) -> dict[str, Any]:
    body = {"prompt": rest.pop("prompt", "a lake"), "image": rest.pop("image", PICTURE)}
    told: dict[str, Any] = wave(url).run_no_throw(WAVE, {**body, **rest.pop("body", {})}, poll_interval=0.02, **rest)
    return told


def test_wavespeeds_client_submits_and_waits(url: str) -> None:
    told = wave_run(url, body={"seed": 7, "output_format": "png"})
    assert (told["status"], told["error"]) == ("completed", None)
    (output,) = told["outputs"]
    answer = httpx.get(output)
    assert answer.headers["content-type"] == "image/png"
    assert size_of(answer.content) == (64, 48)


def test_wavespeeds_client_gets_its_result_from_the_submit_itself(url: str) -> None:
    told = wave_run(url, enable_sync_mode=True)
    assert told["status"] == "completed"
    assert size_of(httpx.get(told["outputs"][0]).content) == (64, 48)


def test_wavespeeds_client_gets_the_picture_inside_the_answer(url: str) -> None:
    (output,) = wave_run(url, body={"enable_base64_output": True, "output_format": "jpeg"})["outputs"]
    head, _, text = output.partition(",")
    assert head == "data:image/jpeg;base64"
    assert size_of(base64.b64decode(text)) == (64, 48)


def test_wavespeeds_client_uploads_a_file_and_runs_on_its_address(url: str, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture_bytes(size=(90, 60)))
    address = wave(url).upload(str(photo))
    assert size_of(httpx.get(address).content) == (90, 60)
    (output,) = wave_run(url, image=address)["outputs"]
    assert size_of(httpx.get(output).content) == (90, 60)


def test_wavespeeds_client_uploads_what_was_never_a_file(url: str) -> None:
    address = wave(url).upload(io.BytesIO(picture_bytes(size=(30, 20))))
    assert size_of(httpx.get(address).content) == (30, 20)


def test_wavespeeds_client_asks_for_a_task_again_later(url: str) -> None:
    told = wave_run(url)
    data = wave(url).get_result(told["task_id"])["data"]
    assert data["status"] == "completed"
    assert data["outputs"] == told["outputs"]


def test_wavespeeds_client_hears_why_a_task_failed(url: str) -> None:
    told = wave_run(url, prompt="refuse")
    assert (told["status"], told["outputs"]) == ("failed", None)
    assert len(told["task_id"]) == 32
    assert "The prompt is refused." in told["error"]


def test_wavespeeds_client_hears_why_a_run_on_one_line_failed(url: str) -> None:
    told = wave_run(url, prompt="refuse", enable_sync_mode=True)
    assert told["status"] == "failed"
    assert told["error"] == f"Prediction failed (task_id: {told['task_id']}): The prompt is refused. Change it."


def test_wavespeeds_client_hears_that_a_long_run_goes_on_and_gets_it_later(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.wavespeed.routes, "SYNC_LIMIT", 0.1)
    told = wave_run(url, prompt="take half a second", enable_sync_mode=True)
    assert (told["status"], told["outputs"]) == ("processing", None)
    (output,) = wave(url)._wait(told["task_id"], 120, 0.1)["outputs"]
    assert size_of(httpx.get(output).content) == (64, 48)


@pytest.mark.parametrize("sync", [False, True])
def test_wavespeeds_client_with_a_wrong_key_is_turned_away(url: str, sync: bool) -> None:
    body = {"prompt": "a lake", "image": PICTURE}
    with pytest.raises(RuntimeError, match=r"HTTP 401: .*The key is missing or wrong"):
        wave(url, "srpo_wrong").run(WAVE, body, enable_sync_mode=sync)


def test_wavespeeds_client_with_a_wrong_key_uploads_nothing(url: str) -> None:
    with pytest.raises(RuntimeError, match="Failed to create upload: HTTP 401"):
        wave(url, "srpo_wrong").upload(io.BytesIO(picture_bytes()))


def test_wavespeeds_client_hears_what_does_not_fit(url: str) -> None:
    with pytest.raises(RuntimeError, match=r'HTTP 400: .*"code":400,.*num_images'):
        wave(url).run(WAVE, {"prompt": "a lake", "image": PICTURE, "num_images": 2})


def test_wavespeeds_client_hears_that_a_file_is_no_picture(url: str) -> None:
    with pytest.raises(RuntimeError, match="Failed to upload file: HTTP 400"):
        wave(url).upload(io.BytesIO(b"no picture at all"))


# ---- OpenAI's, as AI/ML API's pages have it ------------------------------------------------------------


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def generate(client: OpenAI, prompt: str = "a lake", **extra: Any) -> Any:
    return client.images.generate(model=AIML, prompt=prompt, extra_body={"image_url": PICTURE, **extra})


def test_openais_client_gets_addresses(client: OpenAI) -> None:
    answer = generate(client, seed=7, num_images=2, output_format="png")
    assert [each.b64_json for each in answer.data] == [None, None]
    assert [size_of(httpx.get(each.url).content) for each in answer.data] == [(64, 48), (64, 48)]
    assert answer.model_extra["seed"] == 7


def test_openais_client_gets_base64(client: OpenAI) -> None:
    (image,) = generate(client, sync_mode=True).data
    assert size_of(base64.b64decode(image.b64_json)) == (64, 48)


def test_openais_client_gets_as_many_images_as_it_asks_for_in_base64(client: OpenAI) -> None:
    answer = client.images.generate(
        model=AIML,
        prompt="a lake",
        n=2,
        response_format="b64_json",
        size="512x512",
        user="ann",
        extra_body={"image_url": PICTURE},
    )
    assert answer.data is not None
    assert [size_of(base64.b64decode(each.b64_json or "")) for each in answer.data] == [(64, 48)] * 2
    assert abs(answer.created - time.time()) < 600
    assert answer.model_extra is not None
    assert "size 512x512 was not used" in answer.model_extra["notices"][0]


def test_openais_client_edits_a_file(client: OpenAI, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture_bytes(size=(90, 60)))
    with photo.open("rb") as file:
        answer = client.images.edit(
            image=file, prompt="a lake", n=2, extra_body={"strength": 0.4, "num_inference_steps": 2, "seed": 7}
        )
    assert answer.data is not None
    assert [size_of(base64.b64decode(each.b64_json or "")) for each in answer.data] == [(90, 60)] * 2
    assert answer.model_extra is not None
    assert (answer.model_extra["seed"], answer.model_extra["notices"]) == (7, [])


def test_openais_client_edits_the_first_of_several_files(client: OpenAI) -> None:
    files = [("a.png", picture_bytes(size=(90, 60))), ("b.png", picture_bytes())]
    answer = client.images.edit(image=files, prompt="a lake", model=AIML, response_format="url")  # type: ignore[arg-type]
    assert answer.data is not None
    assert answer.data[0].b64_json is None
    assert size_of(httpx.get(answer.data[0].url or "").content) == (90, 60)
    assert answer.model_extra is not None
    assert answer.model_extra["notices"] == ["Of the 2 images, the first was used."]


def test_openais_client_is_told_that_masks_are_not_supported(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="mask: Masks are not supported yet"):
        client.images.edit(image=picture_bytes(), mask=picture_bytes(), prompt="a lake")


def test_openais_client_replays_a_request_with_its_idempotency_key(client: OpenAI) -> None:
    answer = client.images.with_raw_response.generate(
        model=AIML, prompt="a lake", extra_body={"image_url": PICTURE}, extra_headers={"Idempotency-Key": "once"}
    )
    again = client.images.with_raw_response.generate(
        model=AIML, prompt="a lake", extra_body={"image_url": PICTURE}, extra_headers={"Idempotency-Key": "once"}
    )
    assert answer.headers["x-inference-id"] == again.headers["x-inference-id"]
    assert again.headers["idempotent-replayed"] == "true"


def test_openais_client_gets_a_black_picture_and_a_flag_for_a_withheld_one(client: OpenAI) -> None:
    answer = generate(client, "withhold")
    assert answer.model_extra["has_nsfw_concepts"] == [True]
    black = Image.open(io.BytesIO(base64.b64decode(answer.data[0].url.partition(",")[2])))
    assert black.getextrema() == ((0, 0), (0, 0), (0, 0))


def test_openais_client_with_a_wrong_key_is_told_so(url: str) -> None:
    with (
        OpenAI(base_url=f"{url}/v1", api_key="srpo_wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        generate(stranger)
    assert caught.value.status_code == 401
    assert caught.value.body["message"].startswith("The key is missing or wrong.")  # type: ignore[index]


@pytest.mark.parametrize(
    ("extra", "words"),
    [({"strength": 2}, "strength: "), ({"image_url": "data:image/png;base64,AAAA"}, "image: ")],
)
def test_openais_client_is_told_what_does_not_fit(client: OpenAI, extra: dict[str, Any], words: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        generate(client, **extra)
    assert caught.value.body["message"].startswith(words)  # type: ignore[index]


def test_openais_client_is_told_that_the_prompt_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="The prompt is refused"):
        generate(client, "refuse")


def test_openais_client_that_goes_away_ends_its_run(client: OpenAI, backend: Obedient) -> None:
    with pytest.raises(openai.APITimeoutError):
        generate(client.with_options(timeout=0.3), "never end")
    deadline = time.monotonic() + 120
    while not backend.left and time.monotonic() < deadline:
        time.sleep(0.02)
    assert backend.left == ["never end"]


def test_openais_client_hears_when_its_share_is_used_up(tmp_path: Path) -> None:
    with (
        api_server(tmp_path, api_allowance=Allowance(per_minute=1)) as url,
        OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client,
    ):
        generate(client)
        with pytest.raises(openai.RateLimitError) as caught:
            generate(client)
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60


def test_openais_client_asks_in_vain_for_another_model(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=AIML):
        client.images.generate(model="dall-e-3", prompt="a lake", extra_body={"image_url": PICTURE})


def test_openais_client_lists_the_models(client: OpenAI) -> None:
    assert AIML in [each.id for each in client.models.list()]
