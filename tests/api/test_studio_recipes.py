"""Files that hold their recipe: what a download holds, and what is read back out of a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from core.recipe_files.containers import texts_of
from core.recipe_files.read import read_own
from tests.support.fakes import picture_bytes
from tests.support.studio_calls import S, make, studio

pytestmark = pytest.mark.integration


async def file_of(client: httpx.AsyncClient, result: dict[str, Any], **query: str) -> httpx.Response:
    answer = await client.get(f"{S}/results/{result['id']}/file", params=query)
    assert answer.status_code == 200, answer.text
    return answer


async def read(client: httpx.AsyncClient, data: bytes) -> dict[str, Any]:
    answer = await client.post(f"{S}/recipes/read", files={"file": ("picture.png", data, "image/png")})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_download_holds_its_recipe_and_gives_it_back(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        style = [{"id": "oil", "weight": 1, "text": "an oil painting"}]
        (result,) = await make(app.client, prompt="a lake", params={"seed": 7, "strength": 0.5}, style=style)
        answer = await file_of(app.client, result, name="lake, at night.png")
        assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''lake%2C%20at%20night.png"
        own = (await file_of(app.client, result, recipe="none", name="a.png")).content
        assert answer.content != own
        assert (await file_of(app.client, result)).content == own
        assert Image.open(io.BytesIO(answer.content)).tobytes() == Image.open(io.BytesIO(own)).tobytes()
        found = await read(app.client, answer.content)
        assert (found["source"], found["unmapped"]) == ("srpo-studio", [])
        recipe = result["recipe"]
        assert found["recipe"] == {
            "model": recipe["model"]["id"],
            **{name: recipe[name] for name in found["recipe"] if name != "model"},
        }
        assert found["recipe"]["reference"]["digest"] == recipe["reference"]["digest"]


async def test_a_recipe_says_which_profile_and_resolution_the_references_file_had(tmp_path: Path) -> None:
    file = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    Image.new("RGB", (64, 48)).save(file, "JPEG", dpi=(300, 300), icc_profile=profile.tobytes())
    async with studio(tmp_path) as app:
        added = await app.client.post(f"{S}/references", files={"file": ("photo.jpg", file.getvalue(), "image/jpeg")})
        (result,) = await make(app.client, reference=added.json()["digest"])
        assert result["recipe"]["origin"] == {"profile": "sRGB built-in", "dpi": 300.0}


async def test_the_mark_alone_holds_no_settings(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (result,) = await make(app.client, prompt="a secret lake")
        data = (await file_of(app.client, result, recipe="mark")).content
        assert b"compositeWithTrainedAlgorithmicMedia" in data
        assert b"secret" not in data
        assert (await read(app.client, data))["source"] == "none"


async def test_the_owners_setting_decides_where_nobody_chooses(tmp_path: Path) -> None:
    async with studio(tmp_path, downloads="mark") as app:
        assert (await app.client.get(f"{S}/specs")).json()["downloads"] == "mark"
        (result,) = await make(app.client)
        assert read_own(texts_of((await file_of(app.client, result, name="a.png")).content)) is None
        assert read_own(texts_of((await file_of(app.client, result, name="a.png", recipe="embed")).content)) is not None


async def test_a_recipe_comes_as_a_file_of_its_own(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (result,) = await make(app.client, prompt="a lake")
        answer = await app.client.get(f"{S}/results/{result['id']}/recipe", params={"name": "lake.json"})
        assert answer.headers["content-disposition"] == 'attachment; filename="lake.json"'
        assert answer.json() == result["recipe"]


async def test_another_tools_settings_are_mapped_and_the_rest_is_listed(tmp_path: Path) -> None:
    text = PngInfo()
    text.add_text(
        "parameters",
        "a lake\nNegative prompt: fog\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 42, Size: 64x48,"
        " Denoising strength: 0.6, Distilled CFG Scale: 3.5, Version: f2.0.1",
    )
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "PNG", pnginfo=text)
    async with studio(tmp_path) as app:
        found = await read(app.client, file.getvalue())
        assert (found["source"], found["recipe"]["prompt"], found["recipe"]["seed"]) == ("a1111", "a lake", 42)
        assert found["recipe"]["params"] == {"num_inference_steps": 20, "strength": 0.6, "guidance_scale": 3.5}
        assert {"Sampler", "CFG scale", "Negative prompt"} <= {each["name"] for each in found["unmapped"]}


@pytest.mark.parametrize("data", [picture_bytes(), b"not a picture", b""])
async def test_a_file_without_settings_says_so(tmp_path: Path, data: bytes) -> None:
    async with studio(tmp_path) as app:
        assert await read(app.client, data) == {"source": "none", "recipe": None, "unmapped": []}
        assert not list((tmp_path / "uploads").glob("reference-*"))


async def test_a_request_without_a_file_is_refused(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        answer = await app.client.post(f"{S}/recipes/read", files={"other": ("a.png", b"x", "image/png")})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "image-not-chosen")
