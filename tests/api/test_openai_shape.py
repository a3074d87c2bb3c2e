"""What OpenAI's clients send beside the provider's fields: each is used, refused, or has a notice in the answer."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.events import Completed
from core.request import EditRequest
from tests.support.api_app import AIML, api_app
from tests.support.fakes import FakeBackend, make_spec, picture_bytes, results

pytestmark = pytest.mark.integration

PHOTO = picture_bytes(size=(66, 48))
URI = "data:image/png;base64," + base64.b64encode(PHOTO).decode()
BODY: dict[str, Any] = {"model": AIML, "prompt": "a lake", "image_url": URI}
RUN, EDIT = "/v1/images/generations", "/v1/images/edits"


def seen_by(seen: list[EditRequest]) -> dict[str, FakeBackend]:
    def outcome(request: EditRequest) -> Completed:
        seen.append(request)
        return Completed(results(request), {"inference": 1.0})

    return {"local": FakeBackend(make_spec("local"), outcome=outcome)}


def size_of(b64: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(b64))).size


@pytest.mark.parametrize(
    ("sent", "images"),
    [({"n": 2}, 2), ({"n": 3, "num_images": 3}, 3), ({"n": None, "num_images": 2}, 2), ({"n": 2.0}, 2), ({}, 1)],
)
async def test_n_is_the_number_of_images(tmp_path: Path, sent: dict[str, Any], images: int) -> None:
    async with api_app(tmp_path) as at:
        assert len((await at.client.post(RUN, json={**BODY, **sent})).json()["data"]) == images


@pytest.mark.parametrize("form", ["b64_json", "url"])
async def test_the_response_format_decides_what_comes(tmp_path: Path, form: str) -> None:
    async with api_app(tmp_path) as at:
        (image,) = (await at.client.post(RUN, json={**BODY, "response_format": form})).json()["data"]
        assert ("b64_json" in image) == (form == "b64_json")
        assert form == "url" or size_of(image["b64_json"]) == (66, 48)
        assert form == "b64_json" or (await at.client.get(image["url"])).status_code == 200


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"n": 0}, "n: "),
        ({"n": 5}, "n: "),
        ({"n": "two"}, "n: "),
        ({"n": True}, "n: "),
        ({"n": 2, "num_images": 3}, "n: It differs from num_images."),
        ({"response_format": "xml"}, "response_format: "),
        ({"size": 512}, "size: "),
        ({"stream": True}, "stream: Streaming is not supported."),
    ],
)
async def test_what_does_not_fit_names_its_field(tmp_path: Path, sent: dict[str, Any], words: str) -> None:
    async with api_app(tmp_path) as at:
        for answer in (
            await at.client.post(RUN, json={**BODY, **sent}),
            await at.client.post(EDIT, json={"prompt": "a lake", "image": URI, **sent}),
        ):
            assert answer.status_code == 400
            assert answer.json()["message"].startswith(words)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"size": "512x512"}, "size 512x512 was not used: a result has the size of its reference, 66x48."),
        ({"quality": "hd"}, "quality"),
        ({"style": "vivid"}, "style"),
        ({"background": "transparent"}, "background"),
        ({"moderation": "low"}, "moderation"),
        ({"output_compression": 50}, "output_compression"),
        ({"negative_prompt": ["ugly"]}, "negative_prompt"),
        ({"seed": 2**32 - 1}, "The seed is larger than 2147483647"),
    ],
)
async def test_what_is_not_used_has_a_notice(tmp_path: Path, sent: dict[str, Any], words: str) -> None:
    async with api_app(tmp_path) as at:
        body = (await at.client.post(RUN, json={**BODY, **sent})).json()
        assert [words in each for each in body["notices"]] == [True]


@pytest.mark.parametrize(
    "sent",
    [
        {"size": "auto"},
        {"size": "66x48"},
        {"size": None},
        {"user": "u1"},
        {"quality": "auto", "background": "auto", "moderation": "auto"},
        {"stream": False, "output_compression": 100},
        dict.fromkeys(("seed", "strength", "num_images", "n", "sync_mode", "output_format", "enable_safety_checker")),
    ],
)
async def test_what_changes_nothing_has_no_notice(tmp_path: Path, sent: dict[str, Any]) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(RUN, json={**BODY, **sent})
        assert (answer.status_code, answer.json()["notices"]) == (200, [])


@pytest.mark.parametrize(("given", "kind"), [("PNG", "png"), ("jpg", "jpeg"), ("Jpeg", "jpeg"), (" png ", "png")])
async def test_a_format_is_known_in_any_spelling(tmp_path: Path, given: str, kind: str) -> None:
    async with api_app(tmp_path) as at:
        (image,) = (await at.client.post(RUN, json={**BODY, "output_format": given})).json()["data"]
        assert image["content_type"] == f"image/{kind}"


# ---- images.edit ----------------------------------------------------------------------------------------


async def test_an_edit_takes_a_form_and_answers_in_openais_shape(tmp_path: Path) -> None:
    seen: list[EditRequest] = []
    async with api_app(tmp_path, seen_by(seen)) as at:
        form = {"prompt": "a lake", "n": "2", "strength": "0.5", "seed": "7", "enable_safety_checker": "false"}
        form |= {"num_inference_steps": "3.0", "guidance_scale": "2", "output_format": "PNG", "user": "", "model": AIML}
        answer = await at.client.post(EDIT, data=form, files={"image": ("photo.png", PHOTO, "image/png")})
        body = answer.json()
        assert answer.status_code == 200
        assert list(body) == ["created", "data", "seed", "has_nsfw_concepts", "notices"]
        assert [size_of(each["b64_json"]) for each in body["data"]] == [(66, 48)] * 2
        assert body["notices"] == []
    (request,) = seen
    assert dict(request.params) == {
        **{"strength": 0.5, "guidance_scale": 2.0, "num_inference_steps": 3, "seed": 7, "num_images": 2},
        **{"output_format": "png", "enable_safety_checker": False},
    }


@pytest.mark.parametrize("name", ["image", "image[]"])
async def test_of_several_images_the_first_is_used_with_a_notice(tmp_path: Path, name: str) -> None:
    async with api_app(tmp_path) as at:
        files = [(name, ("a.png", PHOTO)), (name, ("b.png", picture_bytes(size=(10, 10))))]
        body = (await at.client.post(EDIT, data={"prompt": "a lake", "size": "1024x1024"}, files=files)).json()
        assert size_of(body["data"][0]["b64_json"]) == (66, 48)
        assert body["notices"] == [
            "Of the 2 images, the first was used.",
            "size 1024x1024 was not used: a result has the size of its reference, 66x48.",
        ]


@pytest.mark.parametrize(
    "sent",
    [
        {"image": URI},
        {"image": [URI, URI]},
        {"images": [{"image_url": URI}]},
        {"images": [{"image_url": {"url": URI}}], "n": None, "mask": None},
        {"image_url": URI},
    ],
)
async def test_an_edit_takes_json_too(tmp_path: Path, sent: dict[str, Any]) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(EDIT, json={"prompt": "a lake", "response_format": "url", **sent})
        (image,) = answer.json()["data"]
        assert "b64_json" not in image
        assert (image["width"], image["height"]) == (66, 48)


@pytest.mark.parametrize(
    "send",
    [
        lambda: {"data": {"prompt": "a lake", "image": URI}},
        lambda: {"data": {"prompt": "a lake", "image": URI}, "files": {"nothing": ("", b"")}},
    ],
    ids=["urlencoded", "multipart"],
)
async def test_an_edit_takes_an_image_as_text_of_a_form(tmp_path: Path, send: Callable[[], dict[str, Any]]) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(EDIT, **send())
        assert answer.status_code == 200
        assert answer.json()["data"][0]["width"] == 66


@pytest.mark.parametrize(
    ("form", "files", "words"),
    [
        ({"prompt": "a lake"}, {"other": b"x"}, "image: There is no image."),
        ({}, {"image": PHOTO}, "prompt: "),
        ({"prompt": "a lake"}, {"image": b""}, "image: The file is empty."),
        ({"prompt": "a lake"}, {"image": PHOTO, "mask": PHOTO}, "mask: Masks are not supported yet."),
        ({"prompt": "a lake", "strength": "much"}, {"image": PHOTO}, "strength: "),
        ({"prompt": "a lake", "strength": "1.5"}, {"image": PHOTO}, "strength: "),
        ({"prompt": "a lake", "n": "1.5"}, {"image": PHOTO}, "n: "),
        ({"prompt": "a lake", "stream": "true"}, {"image": PHOTO}, "stream: "),
        ({"prompt": "a lake", "sync_mode": "perhaps"}, {"image": PHOTO}, "sync_mode: "),
    ],
)
async def test_an_edit_that_does_not_fit_names_its_field(
    tmp_path: Path, form: dict[str, str], files: dict[str, bytes], words: str
) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(EDIT, data=form, files=files)
        assert answer.status_code == 400
        assert answer.json()["message"].startswith(words)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"x", "multipart/form-data; boundary=y"),
        (b"x", "multipart/form-data"),
        (b"x", ""),
    ],
)
async def test_an_edit_that_is_no_request_is_a_400(tmp_path: Path, raw: bytes, kind: str) -> None:
    async with api_app(tmp_path) as at:
        answer = await at.client.post(EDIT, content=raw, headers={"Content-Type": kind})
        assert answer.status_code == 400
        assert answer.json()["statusCode"] == 400


async def test_an_edit_with_an_idempotency_key_runs_once(tmp_path: Path) -> None:
    seen: list[EditRequest] = []
    async with api_app(tmp_path, seen_by(seen)) as at:
        answers = [
            await at.client.post(
                EDIT, data={"prompt": prompt}, files={"image": PHOTO}, headers={"Idempotency-Key": "one"}
            )
            for prompt in ("a lake", "a lake", "a hill")
        ]
        assert [each.status_code for each in answers] == [200, 200, 409]
        assert answers[0].json() == answers[1].json()
        assert len(seen) == 1


async def test_an_edit_asks_for_the_key_before_it_reads_the_body(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        at.key()
        answer = await at.client.post(EDIT, content=b"x", headers={"Content-Type": "multipart/form-data"})
        assert answer.status_code == 401


async def test_any_form_is_answered_without_a_fault_of_the_app(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"random seed {seed}")
    dice = random.Random(seed)
    names = ["prompt", "image", "image[]", "n", "size", "strength", "seed", "mask", "stream", "user", "x", "model"]
    texts = ["", "null", "1", "0.5", "1e400", "-1", "nan", "true", "é\u202e", "\0", "9" * 400, AIML, URI, "b64_json"]
    async with api_app(tmp_path) as at:
        for _ in range(150):
            fields = {dice.choice(names): dice.choice(texts) for _ in range(dice.randrange(8))}
            files = [(dice.choice(names), ("a", dice.choice([b"", b"x", PHOTO]))) for _ in range(dice.randrange(3))]
            answer = await at.client.post(EDIT, data=fields, files=files or None)
            assert answer.status_code in (200, 400, 404), (fields, [name for name, _ in files], answer.text)
