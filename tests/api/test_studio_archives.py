"""A project as one file: out of one app and into another, without loss; and archives that are none."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.support.studio_calls import S, done, studio, submit, until

pytestmark = pytest.mark.integration

WITHOUT = ("id", "job", "project", "source", "meters")
"""What is another thing in another app, or comes later."""


async def make(client: httpx.AsyncClient, once: str, **body: Any) -> list[dict[str, Any]]:
    job = (await submit(client, once, **body)).json()["id"]
    return list((await until(client, job, done))["results"])


async def project_of(client: httpx.AsyncClient, ids: list[int], name: str = "Lakes") -> int:
    project = int((await client.post(f"{S}/projects", json={"name": name})).json()["id"])
    answer = await client.patch(f"{S}/results", json={"ids": ids, "project": project})
    assert answer.status_code == 200, answer.text
    return project


async def archive_of(client: httpx.AsyncClient, project: int) -> bytes:
    answer = await client.get(f"{S}/projects/{project}/archive")
    assert answer.status_code == 200, answer.text
    return answer.content


async def take_in(client: httpx.AsyncClient, data: bytes) -> httpx.Response:
    return await client.post(f"{S}/projects/import", content=data, headers={"Content-Type": "application/zip"})


async def listed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return list((await client.get(f"{S}/results")).json()["results"])


def facts(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in WITHOUT}


async def filled(client: httpx.AsyncClient) -> int:
    """Make four pictures, note something on each kind, and return the project of three of them."""
    style = [{"id": "oil", "weight": 1, "text": "an oil painting"}]
    batch = await make(client, "a", prompt="two lakes", params={"seed": 7}, num_images=2, style=style)
    (alone,) = await make(client, "b", prompt="湖の絵", params={"seed": 9})
    await make(client, "c", prompt="of another project")
    ids = [each["id"] for each in (*batch, alone)]
    await client.patch(f"{S}/results", json={"ids": ids[:1], "star": True, "note": "the best <b>one</b>"})
    await client.patch(f"{S}/results", json={"ids": ids[1:], "add_tags": ["blue", "日本"]})
    return await project_of(client, ids)


async def test_a_project_is_the_same_in_another_app(tmp_path: Path) -> None:
    async with studio(tmp_path / "here") as here:
        project = await filled(here.client)
        data = await archive_of(here.client, project)
        before = [each for each in await listed(here.client) if each["project"] == project]
        files = [(await here.client.get(f"{S}/results/{each['id']}/file")).content for each in before]
    async with studio(tmp_path / "there") as there:
        answer = await take_in(there.client, data)
        assert (answer.status_code, answer.json()) == (201, {"project": "Lakes", "results": 3, "known": 0})
        after = await listed(there.client)
        assert [facts(each) for each in after] == [facts(each) for each in before]
        assert [(await there.client.get(f"{S}/results/{each['id']}/file")).content for each in after] == files
        assert {each["source"] for each in after} == {"import"}
        (found,) = (await there.client.get(f"{S}/projects")).json()["projects"]
        assert (found["name"], found["count"]) == ("Lakes", 3)
        for words, count in (("日本", 2), ("best", 1), ("oil", 2), ("湖", 1)):
            assert len((await there.client.get(f"{S}/results", params={"q": words})).json()["results"]) == count, words
        reference = after[0]["recipe"]["reference"]["digest"]
        assert (await there.client.get(f"{S}/references/{reference}")).status_code == 200
        again = await take_in(there.client, data)
        assert again.json() == {"project": "Lakes", "results": 0, "known": 3}
        assert await listed(there.client) == after
        assert not list((tmp_path / "there" / "uploads").glob("archive-*"))


async def test_taking_a_project_in_again_restores_what_was_deleted(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        project = await filled(app.client)
        data = await archive_of(app.client, project)
        before = await listed(app.client)
        await app.client.request("DELETE", f"{S}/results", json={"ids": [before[1]["id"], before[3]["id"]]})
        assert (await take_in(app.client, data)).json() == {"project": "Lakes", "results": 2, "known": 1}
        assert await listed(app.client) == before


async def test_an_archive_holds_pictures_references_a_sheet_and_licences(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        data = await archive_of(app.client, await filled(app.client))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert sum(each.startswith("pictures/") for each in names) == 3
        assert sum(each.startswith("references/") for each in names) == 1
        assert "local" in archive.read("LICENCES.txt").decode()
        with Image.open(io.BytesIO(archive.read("contact-sheet.jpg"))) as sheet:
            assert sheet.size == (3 * 256, 256 + 24)
        manifest = json.loads(archive.read("recipes.json"))
    assert manifest["project"] == "Lakes"
    assert [each["recipe"]["prompt"] for each in manifest["jobs"]] == ["two lakes", "湖の絵"]
    assert "owner" not in json.dumps(manifest)


async def test_results_are_exported_like_a_project_and_others_are_left_out(tmp_path: Path) -> None:
    async with studio(tmp_path / "here") as here:
        await filled(here.client)
        before = await listed(here.client)
        ids = [before[0]["id"], before[3]["id"], 2**50]
        answer = await here.client.post(f"{S}/results/archive", json={"ids": ids})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    async with studio(tmp_path / "there") as there:
        assert (await take_in(there.client, answer.content)).json() == {"project": None, "results": 2, "known": 0}
        assert [facts(each) for each in await listed(there.client)] == [facts(before[0]), facts(before[3])]


def changed(data: bytes, change: dict[str, bytes | None]) -> bytes:
    """Return an archive with other files; None takes one out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = change.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


async def test_an_archive_gives_no_right_to_a_picture_that_is_not_in_it(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0") as app, app.visitor() as owner, app.visitor() as stranger:
        (result,) = await make(owner, "a")
        data = await archive_of(owner, await project_of(owner, [result["id"]]))
        name = next(each for each in zipfile.ZipFile(io.BytesIO(data)).namelist() if each.startswith("pictures/"))
        answer = await take_in(stranger, changed(data, {name: None}))
        assert answer.json() == {"project": "Lakes", "results": 0, "known": 1}
        assert await listed(stranger) == []
        digest = result["image"]["digest"]
        assert (await stranger.get(f"{S}/references/{digest}/file")).status_code == 404
        assert (await take_in(stranger, data)).json()["results"] == 1
        assert (await stranger.get(f"{S}/references/{digest}/file")).status_code == 200


async def test_what_is_no_archive_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    async with studio(tmp_path / "here") as here:
        (result,) = await make(here.client, "a")
        data = await archive_of(here.client, await project_of(here.client, [result["id"]]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        picture = next(each for each in archive.namelist() if each.startswith("pictures/"))
        content, manifest = archive.read(picture), json.loads(archive.read("recipes.json"))
    newer = json.dumps(manifest | {"format": 2}).encode()
    odd = json.loads(json.dumps(manifest))
    odd["jobs"][0]["images"][0]["file"]["mime"] = "text/html"
    cases = {
        "archive-unreadable": (
            b"",
            b"no zip",
            data[:-100],
            changed(data, {"recipes.json": None}),
            changed(data, {"recipes.json": b"{"}),
            changed(data, {"recipes.json": json.dumps(odd).encode()}),
            changed(data, {picture: content[:-1] + b"x"}),
            changed(data, {picture: content + b"more"}),
        ),
        "archive-newer": (changed(data, {"recipes.json": newer}),),
    }
    async with studio(tmp_path / "there") as there:
        for code, archives in cases.items():
            for each in archives:
                answer = await take_in(there.client, each)
                assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), each[:40]
        assert await listed(there.client) == []


async def test_an_archive_of_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    async with studio(tmp_path / "here") as here:
        (result,) = await make(here.client, "a")
        data = await archive_of(here.client, await project_of(here.client, [result["id"]]))
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("recipes.json"))
    manifest["jobs"][0]["images"][0]["file"]["size"] = 3_000_000_000
    async with studio(tmp_path / "there") as there:
        answer = await take_in(there.client, changed(data, {"recipes.json": json.dumps(manifest).encode()}))
        assert answer.json()["error"]["code"] == "archive-too-large"


async def test_another_owners_project_has_no_archive(tmp_path: Path) -> None:
    async with studio(tmp_path, server_name="0.0.0.0") as app, app.visitor() as owner, app.visitor() as stranger:
        (result,) = await make(owner, "a")
        project = await project_of(owner, [result["id"]])
        assert (await stranger.get(f"{S}/projects/{project}/archive")).status_code == 404
        assert (await stranger.get(f"{S}/projects/{project + 1}/archive")).status_code == 404
