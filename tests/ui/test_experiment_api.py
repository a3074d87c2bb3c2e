"""The endpoint `/experiment`, called as its users call it: gradio_client, plain HTTP, and MCP."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import jsonschema
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, TextContent
from PIL import Image

from core.errors import BudgetSpent, RunCancelled
from core.imaging.images import Reference
from core.job import Visitor
from core.limits import Caps
from engine.services import Services
from storage.rows import ExperimentRow
from tests.support.fakes import FakeBackend, make_reference, make_spec, picture_bytes
from tests.support.live_app import Served, serve
from tests.support.services import services_at
from ui.experiment_api import Asked, Made, run_experiment

pytestmark = pytest.mark.integration

PHOTO = picture_bytes("PNG", "RGB", (40, 30))
ANN = Visitor(owner="ann")
URI = f"data:image/png;base64,{base64.b64encode(PHOTO).decode()}"
GRID = "strength: 0.3..0.7 in 3; seed: 1, 2, 3"


@pytest.fixture(scope="module")
def client(fakes: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("downloads")
    made = Client(fakes.url, verbose=False, httpx_kwargs={"timeout": 120}, download_files=folder)
    yield made
    made.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return path


Answer = tuple[dict[str, bytes], list[dict[str, Any]], dict[str, Any]]


def experiment(client: Client, path: Path, axes: Any = GRID, prompt: str = "go", **settings: Any) -> Answer:
    files, table, report = client.predict(handle_file(path), prompt, axes, api_name="/experiment", **settings)
    paths = [Path(file if isinstance(file, str) else file["path"]) for file in files]
    return {path.name: path.read_bytes() for path in paths}, table, report


def test_a_grid_of_nine_comes_as_nine_files_and_a_table(client: Client, fakes: Served, photo: Path) -> None:
    files, table, report = experiment(client, photo, guidance_scale=4.0, style="pencil")
    assert len(files) == len(table) == report["runs"] == report["made"] == 9
    assert {row["file"] for row in table} == set(files)
    assert {(row["axes"]["strength"], row["axes"]["seed"]) for row in table} == {
        (strength, seed) for strength in (0.3, 0.5, 0.7) for seed in (1, 2, 3)
    }
    for row in table:
        assert (row["state"], row["error"], row["cost"], row["seed"]) == ("done", None, 0.0, row["axes"]["seed"])
        assert row["seconds"] >= 0
        assert Image.open(io.BytesIO(files[row["file"]])).size == (40, 30)
        assert f"srpo-{row['seed']}-" in row["file"]
    assert set(files.values()) <= set(fakes.images().values())
    base = report["recipe"]["base"]
    assert (report["backend"], base["prompt"], base["params"]["guidance_scale"]) == ("first", "go", 4.0)
    assert base["style"] == [{"id": "pencil", "weight": 1.0, "text": "a pencil sketch"}]
    assert report["recipe"]["axes"][0] == {"name": "strength", "values": [0.3, 0.5, 0.7]}
    assert report["cost"] == 0.0


def test_axes_come_as_json_too_and_styles_and_backends_are_axes(client: Client, photo: Path) -> None:
    axes = [{"name": "style", "values": ["pencil", None]}, {"name": "backend", "values": ["first", "other"]}]
    files, table, report = experiment(client, photo, json.dumps(axes), strength=0.9)
    assert len(files) == 4
    assert {(row["axes"]["style"], row["axes"]["backend"]) for row in table} == {
        (style, backend) for style in ("pencil", "none") for backend in ("first", "other")
    }
    assert len({row["seed"] for row in table}) == 1, "a seed is drawn once for all"
    assert any("Strength" in notice and "0.5" in notice for notice in report["notices"]), "it was adapted"
    again, _, _ = experiment(client, photo, axes, strength=0.9, seed=table[0]["seed"])
    assert sorted(again.values()) == sorted(files.values())


def test_a_run_that_fails_is_a_row_that_says_why(client: Client, photo: Path) -> None:
    files, table, report = experiment(client, photo, "prompt: go, fail now")
    assert len(files) == report["made"] == 1
    assert [(row["state"], row["file"] is None) for row in table] == [("done", False), ("failed", True)]
    assert table[1]["error"].startswith("The provider broke.")


@pytest.mark.parametrize(
    ("axes", "settings", "begin"),
    [
        ("strength 0.3", {}, "axes[0]: "),
        ("steps: 1, 2", {}, "axes[0].name: "),
        ("style: oli", {}, "axes[0].values[0]: "),
        ("seed: 1; backend: first, nowhere", {}, "axes[1].values[1]: "),
        ("seed: 1, 2, 1", {}, "axes[0].values[2]: "),
        ("seed: 1..500 in 400; strength: 0.1, 0.2", {}, "axes: "),
        ("seed: 1", {"strength": 2}, "strength: "),
        ("seed: 1", {"backend": "nowhere"}, "backend: "),
        ("seed: 1", {"style": "oli"}, "style: "),
        ("seed: 1", {"prompt": " "}, "prompt: "),
        ("seed: 1..80 in 80", {}, "confirm: This experiment makes 80 runs"),
        ("seed: 1", {"backend": "away"}, "Needs a key"),
    ],
)
def test_what_does_not_fit_is_named(
    client: Client, photo: Path, axes: str, settings: dict[str, Any], begin: str
) -> None:
    with pytest.raises(AppError) as caught:
        experiment(client, photo, axes, **settings)
    assert str(caught.value).startswith(begin)


def test_a_large_one_is_made_when_it_is_confirmed(client: Client, photo: Path) -> None:
    files, _, report = experiment(client, photo, "seed: 1..70 in 70", confirm=True)
    assert len(files) == report["made"] == 70


def post(app: Served, path: str, body: dict[str, Any]) -> Any:
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{app.url}/gradio_api/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"prompt": "go", "axes": GRID}, "image: There is no reference image."),
        ({"image": "data:,", "axes": GRID}, "prompt: The prompt is empty."),
        ({"image": "data:,", "prompt": "go"}, "axes: There are no axes."),
        ({"image": "data:,", "prompt": "go", "axes": GRID, "num_images": 2}, "num_images: There is no such input."),
    ],
)
def test_what_a_call_lacks_is_named_before_it_is_queued(fakes: Served, body: dict[str, Any], words: str) -> None:
    with pytest.raises(HTTPError) as refused:
        post(fakes, "call/v2/experiment", body)
    assert refused.value.code == 400
    assert json.loads(refused.value.read())["detail"].startswith(words)


def test_an_inline_image_of_any_size_is_taken(fakes: Served) -> None:
    large = base64.b64encode(PHOTO + b"\0" * 3_000_000).decode()
    event = post(fakes, "call/v2/experiment", {"image": large, "prompt": "go", "axes": "seed: 5, 6"})["event_id"]
    with urllib.request.urlopen(f"{fakes.url}/gradio_api/call/v2/experiment/{event}", timeout=120) as answer:
        files, table, _ = json.loads(answer.read().decode().split("event: complete\ndata: ", 1)[1])
    assert [row["seed"] for row in table] == [5, 6]
    with urllib.request.urlopen(files[0]["url"], timeout=120) as picture:
        assert picture.read() in fakes.images().values()


def test_the_limit_on_runs_holds_for_all_of_them_together(tmp_path: Path, photo: Path) -> None:
    with serve(tmp_path / "app", "-m", "tests.support.fake_app", STUDIO_RUNS_PER_DAY="3") as app:
        client = Client(app.url, verbose=False, httpx_kwargs={"timeout": 120}, download_files=tmp_path)
        with pytest.raises(AppError, match="Limit reached: 3 runs a day"):
            experiment(client, photo)
        files, _, _ = experiment(client, photo, "seed: 1, 2, 3")
        assert len(files) == 3
        client.close()


# ---- MCP -----------------------------------------------------------------------------------------------


async def call(app: Served, heard: list[str] | None = None, **arguments: Any) -> CallToolResult:
    async def hear(progress: float, total: float | None, message: str | None) -> None:
        if heard is not None:
            heard.append(str(message))

    async with (
        streamable_http_client(f"{app.url}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = {each.name: each for each in (await session.list_tools()).tools}
        jsonschema.Draft202012Validator.check_schema(tools["experiment"].inputSchema)
        return await session.call_tool("experiment", arguments, progress_callback=None if heard is None else hear)


async def test_an_mcp_client_gets_nine_images_and_a_table(fakes: Served) -> None:
    heard: list[str] = []
    result = await call(fakes, heard, image=URI, prompt="go", axes=GRID)
    assert not result.isError, result
    images = [each for each in result.content if isinstance(each, ImageContent)]
    facts = result.structuredContent
    assert facts is not None
    assert len(images) == len(facts["table"]) == facts["made"] == 9
    assert sorted(row["file"] for row in facts["table"]) == list(range(9))
    for row in facts["table"]:
        image = Image.open(io.BytesIO(base64.b64decode(images[row["file"]].data)))
        assert (image.size, row["state"]) == ((40, 30), "done")
    (text,) = (each for each in result.content if isinstance(each, TextContent))
    assert json.loads(text.text) == facts
    assert str(fakes.data_dir) not in result.model_dump_json()
    assert heard[-1] == "9 of 9 done"


@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        ({"image": URI, "prompt": "go"}, "axes: There are no axes."),
        ({"image": URI, "prompt": "go", "axes": [{"name": "steps", "values": [1]}]}, "axes[0].name: "),
        ({"image": URI, "prompt": "go", "axes": "seed: 1", "num_images": 2}, "num_images: There is no such input."),
        ({"image": URI, "prompt": "go", "axes": "seed: 1..80 in 80", "confirm": "yes"}, "confirm: "),
        ({"image": URI, "prompt": 7, "axes": "seed: 1"}, "prompt: "),
        ({"prompt": "go", "axes": "seed: 1"}, "image: There is no reference image."),
    ],
)
async def test_what_does_not_fit_is_an_error_of_the_tool(fakes: Served, arguments: dict[str, Any], begin: str) -> None:
    result = await call(fakes, **arguments)
    assert result.isError
    assert isinstance(result.content[0], TextContent)
    assert result.content[0].text.startswith(begin)


# ---- inside --------------------------------------------------------------------------------------------


@asynccontextmanager
async def running(folder: Path, backend: FakeBackend, caps: Caps | None = None) -> AsyncIterator[Services]:
    services = services_at(folder, {"fake": backend}, caps)
    await services.engine.recover()
    try:
        yield services
    finally:
        await services.close()


async def run(services: Services, axes: str = "seed: 1, 2, 3, 4, 5") -> Made:
    async def reading() -> Reference:
        return make_reference()

    return await run_experiment(services, reading(), Asked("go", axes, None, None, False, {}), ANN)


async def latest(services: Services) -> ExperimentRow | None:
    return next(iter(await services.experiments.latest(ANN.owner)), None)


async def begun(services: Services) -> ExperimentRow:
    """Return the experiment as soon as one of its cells is a job."""
    with services.engine.feed.watch(ANN.owner) as watch:
        while True:
            row = await latest(services)
            if row is not None and row.waiting < row.cells:
                return row
            await watch.wait(0.2)


async def test_a_caller_who_goes_away_cancels_the_experiment(tmp_path: Path) -> None:
    backend = FakeBackend(gate=asyncio.Event())
    async with running(tmp_path, backend) as services:
        call = asyncio.create_task(run(services))
        await begun(services)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        row = await latest(services)
        assert row is not None
        assert row.state == "cancelled"
        assert len(backend.started) < 5


async def test_a_caller_who_goes_away_while_it_is_written_down_cancels_it_too(tmp_path: Path) -> None:
    async with running(tmp_path, FakeBackend(gate=asyncio.Event())) as services:
        call = asyncio.create_task(run(services))
        while await latest(services) is None:  # noqa: ASYNC110 - no event comes before its first cell begins
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        row = await latest(services)
        assert row is not None
        assert row.state == "cancelled"


async def test_what_stands_in_the_way_ends_it_with_what_there_is_and_says_why(tmp_path: Path) -> None:
    backend, gate = FakeBackend(), asyncio.Event()
    backend.gate = gate
    async with running(tmp_path, backend) as services:
        call = asyncio.create_task(run(services))
        await begun(services)
        backend.reason = "Gone for today."
        gate.set()
        made = await asyncio.wait_for(call, 60)
        assert 0 < len(made.pictures) < 5
        assert any(each.startswith("Stopped: Gone for today.") for each in made.report()["notices"])
        assert {row["state"] for row in made.table({})} == {"done", "skipped"}


async def test_an_experiment_that_is_deleted_meanwhile_ends_for_its_caller_without_images(tmp_path: Path) -> None:
    async with running(tmp_path, FakeBackend(gate=asyncio.Event())) as services:
        call = asyncio.create_task(run(services))
        await services.experiments.delete(await begun(services))
        with suppress(RunCancelled):  # or what there was just before
            assert (await asyncio.wait_for(call, 60)).pictures == []


async def test_the_money_of_all_runs_is_asked_for_before_the_first(tmp_path: Path) -> None:
    backend = FakeBackend(make_spec("fake", price=0.04))
    async with running(tmp_path, backend, Caps(budget=0.1)) as services:
        with pytest.raises(BudgetSpent):
            await run(services)
        assert backend.started == []
