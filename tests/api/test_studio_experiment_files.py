"""Experiments as files: a labelled contact sheet, pictures named by their axes, a table that spreadsheets read."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from core.errors import RunFailed
from tests.support.api_app import api_app
from tests.support.experiment_calls import all_done, start, until
from tests.support.fakes import FakeBackend, make_spec
from tests.support.studio_calls import S, studio

pytestmark = pytest.mark.integration

GRID = (
    {"name": "strength", "values": [0.2, 0.8]},
    {"name": "prompt", "values": ["a lake", "=cmd|' /C calc'!A0", "a/b: c?"]},
)


async def made(client: httpx.AsyncClient, *axes: dict[str, Any]) -> str:
    """Return the id of an experiment whose cells are all there."""
    id = str((await start(client, *axes))["id"])
    await until(client, id, all_done)
    return id


async def table_of(client: httpx.AsyncClient, id: str) -> list[dict[str, str]]:
    answer = await client.get(f"{S}/experiments/{id}/table")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf"), "spreadsheets take it for Latin-1 else"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_the_table_has_every_cell_and_no_formula(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        id = await made(app.client, *GRID)
        view = (await app.client.get(f"{S}/experiments/{id}")).json()
        rows = await table_of(app.client, id)
        assert [int(each["place"]) for each in rows] == list(range(6))
        assert [int(each["result"]) for each in rows] == [cell["result"] for cell in view["cells"]]
        assert {each["state"] for each in rows} == {"done"}
        assert {each["axis strength"] for each in rows} == {"0.2", "0.8"}
        assert {each["prompt"] for each in rows} == {"a lake", "'=cmd|' /C calc'!A0", "a/b: c?"}
        assert len({each["seed"] for each in rows}) == 1


async def test_the_archive_has_each_picture_once_named_by_its_axes(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        id = await made(app.client, *GRID)
        answer = await app.client.get(f"{S}/experiments/{id}/archive")
        assert "experiment.zip" in answer.headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            names = archive.namelist()
            pictures = [name for name in names if name.endswith(".png") and name.startswith("Strength")]
            assert len(pictures) == len(set(pictures)) == 6
            assert "Strength 0.2, prompt a lake.png" in pictures
            assert not any(sign in name for name in pictures for sign in '<>:"\\|?*')
            assert {"recipes.json", "table.csv", "contact-sheet.png", "LICENCES.txt"} <= set(names)
            assert len(json.loads(archive.read("recipes.json"))["jobs"]) == 6
            for name in pictures:
                Image.open(io.BytesIO(archive.read(name))).verify()


async def test_the_sheet_is_a_picture_or_a_document_and_grows_with_the_axes(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        one = await made(app.client, {"name": "strength", "values": [0.2, 0.8]})
        two = await made_again(app.client, "k2", *GRID)
        three = await made_again(app.client, "k3", *GRID, {"name": "seed", "values": [1, 2]})
        sizes = []
        for id in (one, two, three):
            answer = await app.client.get(f"{S}/experiments/{id}/sheet")
            assert answer.headers["content-type"] == "image/png"
            with Image.open(io.BytesIO(answer.content)) as sheet:
                sizes.append(sheet.size)
        assert sizes[0][1] < sizes[1][1] < sizes[2][1]
        answer = await app.client.get(f"{S}/experiments/{three}/sheet?format=pdf")
        assert answer.content.startswith(b"%PDF")
        assert answer.content.count(b"/Type /Page\n") == 2
        assert (await app.client.get(f"{S}/experiments/{three}/sheet?format=gif")).status_code == 400


async def made_again(client: httpx.AsyncClient, once: str, *axes: dict[str, Any]) -> str:
    id = str((await start(client, *axes, once=once))["id"])
    await until(client, id, all_done)
    return id


async def test_cells_without_a_picture_stand_in_the_files_too(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("local"), fail=RunFailed("run-without-result"))
    async with studio(tmp_path, backend) as app:
        id = str((await start(app.client, {"name": "seed", "values": [1, 2]}))["id"])
        await until(app.client, id, lambda view: all(each["state"] == "failed" for each in view["cells"]))
        assert [each["state"] for each in await table_of(app.client, id)] == ["failed", "failed"]
        assert (await app.client.get(f"{S}/experiments/{id}/sheet")).status_code == 200
        answer = await app.client.get(f"{S}/experiments/{id}/archive")
        assert answer.status_code == 200


async def test_another_owners_experiment_has_no_files(tmp_path: Path) -> None:
    async with api_app(tmp_path, server_name="0.0.0.0") as app:
        transport = httpx.ASGITransport(app=app.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as ann:
            await ann.get("/")
            id = await made(ann, {"name": "seed", "values": [1]})
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as bob:
            await bob.get("/")
            for what in ("sheet", "archive", "table"):
                assert (await bob.get(f"{S}/experiments/{id}/{what}")).status_code == 404
