"""The programmatic door `/edit`, called as its users call it: gradio_client, and plain HTTP."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
import struct
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from httpx import HTTPStatusError
from PIL import Image

from core.about import VERSION
from core.recipe import Recipe
from tests.support.fakes import picture_bytes
from tests.support.live_app import Served, upload

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def client(app: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    made = Client(
        app.url, verbose=False, httpx_kwargs={"timeout": 120}, download_files=tmp_path_factory.mktemp("downloads")
    )
    yield made
    made.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(picture_bytes("PNG", "RGB", (120, 80)))
    return path


def edit(client: Client, path: Path, prompt: str = "a lake", **settings: Any) -> tuple[list[bytes], dict[str, Any]]:
    settings = {"num_inference_steps": 2, **settings}
    files, report = client.predict(handle_file(path), prompt, api_name="/edit", **settings)
    return [Path(file if isinstance(file, str) else file["path"]).read_bytes() for file in files], report


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG that says it is that large, without its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


def test_a_call_returns_the_images_and_a_report(client: Client, app: Served, photo: Path) -> None:
    images, report = edit(client, photo, strength=0.5, num_inference_steps=4, seed=11, num_images=2)
    assert [Image.open(io.BytesIO(each)).size for each in images] == [(120, 80)] * 2
    assert set(images) <= set(app.images().values())
    assert report["backend"] == "local"
    assert (report["seed"], report["seeds"], report["steps_run"]) == (11, [11, 12], 2)
    assert (report["width"], report["height"], report["cost"]) == (120, 80, 0.0)
    assert report["timings"].keys() >= {"inference", "queue", "total"}
    assert report["settings"]["strength"] == 0.5
    assert report["settings"]["prompt"] == "a lake"


def test_none_means_the_backends_default(client: Client, photo: Path) -> None:
    _, report = edit(client, photo, num_inference_steps=None, strength=None, guidance_scale=None, backend=None)
    assert (report["settings"]["num_inference_steps"], report["settings"]["strength"]) == (20, 0.6)
    assert report["settings"]["guidance_scale"] == 3.5
    assert report["steps_run"] == 12


def test_a_run_stands_in_the_library_as_one_of_this_endpoint(client: Client, app: Served, photo: Path) -> None:
    edit(client, photo, "a lake of this test alone")
    with closing(sqlite3.connect(f"file:{app.data_dir / 'studio.db'}?mode=ro", uri=True)) as base:
        found = base.execute(
            "select source, shown from jobs join results on job = number where words like '%of this test alone%'"
        ).fetchall()
    assert found == [("edit", 1)]


def test_a_seed_that_was_drawn_repeats_the_bytes(client: Client, photo: Path) -> None:
    images, report = edit(client, photo)
    again, _ = edit(client, photo, seed=report["seed"])
    assert again == images


def test_jpeg_is_returned_as_jpeg(client: Client, photo: Path) -> None:
    (image,), _ = edit(client, photo, output_format="jpeg")
    assert Image.open(io.BytesIO(image)).format == "JPEG"


def test_what_was_done_to_the_picture_is_reported(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "two.gif"
    Image.new("L", (30, 20)).save(path, save_all=True, append_images=[Image.new("L", (30, 20), 255)])
    _, report = edit(client, path)
    assert any("2 frames, the first was used" in notice for notice in report["notices"])


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"strength": 1.01}, "strength"),
        ({"strength": -0.1}, "strength"),
        ({"strength": "0.5"}, "strength"),
        ({"strength": True}, "strength"),
        ({"guidance_scale": 0.5}, "guidance_scale"),
        ({"guidance_scale": 1e308}, "guidance_scale"),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"num_inference_steps": 51}, "num_inference_steps"),
        ({"num_inference_steps": 2.5}, "num_inference_steps"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"seed": "seven"}, "seed"),
        ({"num_images": 0}, "num_images"),
        ({"num_images": 5}, "num_images"),
        ({"output_format": "webp"}, "output_format"),
        ({"backend": "nowhere"}, "backend"),
        ({"acceleration": "warp"}, "acceleration"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n "}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_and_the_next_run_works(
    client: Client, photo: Path, settings: dict[str, Any], field: str
) -> None:
    with pytest.raises(AppError) as caught:
        edit(client, photo, **settings)
    assert str(caught.value).startswith(f"{field}: ")
    images, _ = edit(client, photo)
    assert len(images) == 1


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("cut.jpg", picture_bytes("JPEG", "RGB", (200, 200))[:1500], "damaged"),
        ("huge.png", huge_png(20_000, 20_000), "20000×20000"),
        ("wide.png", huge_png(70_000, 10), "70000×10"),
    ],
    ids=["truncated", "20000x20000", "70000x10"],
)
def test_a_picture_that_cannot_be_used_is_refused_and_the_next_run_works(
    client: Client, photo: Path, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(AppError, match=f"^image: .*{words}"):
        edit(client, path)
    assert len(edit(client, photo)[0]) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"<!doctype html><html></html>", b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'],
    ids=["empty", "html", "svg"],
)
def test_a_strangers_file_that_does_not_begin_as_a_picture_is_not_even_uploaded(
    client: Client, photo: Path, tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    with pytest.raises(HTTPStatusError, match="415"):
        edit(client, path)
    assert len(edit(client, photo)[0]) == 1


def test_a_file_of_more_than_sixty_megabytes_is_refused(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(picture_bytes() + b"\0" * 60_000_001)
    with pytest.raises(Exception, match=r"(?i)maximum|60"):
        edit(client, path)


# ---- plain HTTP ----------------------------------------------------------------------------------------


def post(url: str, body: bytes | str) -> Any:
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


def call(app: Served, image: str, strength: str = "0.5", **more: Any) -> str:
    """Call /edit as curl would, with an image's JSON and a strength's text; return the stream of its events."""
    rest = json.dumps({"prompt": "a lake", "num_inference_steps": 2, **more})[1:]
    event = post(f"{app.url}/gradio_api/call/v2/edit", f'{{"image": {image}, "strength": {strength}, {rest}')[
        "event_id"
    ]
    with urllib.request.urlopen(f"{app.url}/gradio_api/call/v2/edit/{event}", timeout=120) as answer:
        text: str = answer.read().decode()
    return text


def file_data(path: str) -> str:
    return json.dumps({"path": path, "meta": {"_type": "gradio.FileData"}})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(app: Served, number: str) -> None:
    image = file_data(upload(app, picture_bytes()))
    answer = call(app, image, number)
    assert "event: error" in answer
    assert "strength: " in answer
    assert "event: complete" in call(app, image)


def test_curl_gets_image_addresses_that_work(app: Served) -> None:
    answer = call(app, file_data(upload(app, picture_bytes("PNG", "RGB", (40, 30)))), seed=5)
    files, report = json.loads(answer.split("event: complete\ndata: ", 1)[1])
    assert report["seed"] == 5
    with urllib.request.urlopen(files[0]["url"], timeout=120) as picture:
        assert picture.read() in app.images().values()


def refusal(app: Served, path: str, body: dict[str, Any]) -> str:
    """Return what a refused call is told."""
    with pytest.raises(HTTPError) as refused:
        post(f"{app.url}/gradio_api/{path}", json.dumps(body))
    assert refused.value.code == 400
    return str(json.loads(refused.value.read())["detail"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"prompt": "a lake"}, "image: There is no reference image."),
        ({"prompt": "a lake", "image": None}, "image: There is no reference image."),
        ({"image": "data:,"}, "prompt: The prompt is empty."),
        ({"prompt": "a lake", "image": "data:,", "steps": 3}, "steps: There is no such input."),
        ({}, "image: There is no reference image."),
    ],
)
def test_what_a_call_lacks_is_named_before_it_is_queued(app: Served, body: dict[str, Any], words: str) -> None:
    size = app.log.stat().st_size
    assert refusal(app, "call/v2/edit", body).startswith(words)
    assert app.log.stat().st_size == size


@pytest.mark.parametrize("event", ["None", "0" * 32, "%00", "x" * 500])
@pytest.mark.parametrize("version", ["", "v2/"])
def test_an_event_that_is_none_is_not_found_and_not_logged(app: Served, event: str, version: str) -> None:
    size = app.log.stat().st_size
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{app.url}/gradio_api/call/{version}edit/{event}", timeout=120)
    assert refused.value.code == 404
    assert app.log.stat().st_size == size


@pytest.mark.parametrize("path", ["call/edit", "run/edit", "api/edit", "call/edit/"])
def test_a_wrong_number_of_inputs_is_counted_and_not_logged(app: Served, path: str) -> None:
    size = app.log.stat().st_size
    for data, came in ((["secret " * 10_000], 1), ([], 0), ([None] * 12, 12)):
        words = refusal(app, path, {"data": data})
        assert words.startswith("data: Send a list of 11 inputs (image, prompt, backend,")
        assert words.endswith(f"{came} came.")
    assert app.log.stat().st_size == size


def test_an_image_comes_as_a_data_uri_or_base64_too(app: Served) -> None:
    text = base64.b64encode(picture_bytes("PNG", "RGB", (40, 30))).decode()
    for image in (f"data:image/png;base64,{text}", text, f"{text}\n"):
        answer = call(app, json.dumps(image))
        assert "event: complete" in answer, answer
        assert json.loads(answer.split("event: complete\ndata: ", 1)[1])[1]["width"] == 40


@pytest.mark.parametrize(
    "image", [{"path": "data:,x"}, {"url": "https://a.example/x"}, {"path": 7}, {"path": "ftp://a"}]
)
def test_a_file_that_is_none_is_told_what_to_send(app: Served, image: dict[str, Any]) -> None:
    for path, body in (
        ("call/v2/edit", {"prompt": "a lake", "image": image}),
        ("call/edit", {"data": [image, "a lake", *[None] * 9]}),
    ):
        assert refusal(app, path, body).startswith("image: A file's path is that of an upload")


def test_an_image_comes_as_the_address_or_path_of_an_upload(app: Served) -> None:
    path = upload(app, picture_bytes("PNG", "RGB", (40, 30)))
    for image in (path, f"{app.url}/gradio_api/file={path}", f"/gradio_api/file={path}"):
        assert "event: complete" in call(app, json.dumps(image))


@pytest.mark.parametrize(
    "image",
    ["/etc/passwd", "../../etc/passwd", "app.py", "file:///etc/passwd", "gradio_api/file=/etc/passwd", "README"],
)
def test_text_that_names_a_file_of_the_server_is_refused(app: Served, image: str) -> None:
    answer = call(app, json.dumps(image))
    assert "event: error" in answer
    assert "image: " in answer
    for wrong in (f"{app.url}/gradio_api/file={image}", f"{app.data_dir / 'uploads' / '..' / 'studio.db'}"):
        assert "event: error" in call(app, json.dumps(wrong))


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../../etc/passwd", "README.md", "requirements.txt"])
def test_a_path_that_is_no_upload_is_refused(app: Served, path: str) -> None:
    with pytest.raises(HTTPError) as refused:
        call(app, file_data(path))
    assert refused.value.code == 403


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/x.png", "This link cannot be used"),
        ("http://127.0.0.1/x.png", "points to a private network"),
        ("http://169.254.169.254/latest/meta-data", "points to a private network"),
    ],
)
def test_an_address_that_is_not_public_is_refused(app: Served, url: str, words: str) -> None:
    assert words in call(app, file_data(url))
    assert words in call(app, json.dumps(url))


def test_a_public_address_is_read_under_the_apps_own_rules(fakes: Served) -> None:
    address = "https://pictures.example/lake.png"
    for image in (file_data(address), json.dumps(f" {address}\n")):
        answer = call(fakes, image)
        assert json.loads(answer.split("event: complete\ndata: ", 1)[1])[1]["width"] == 320


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.png", "file:///etc/passwd"])
def test_an_address_beside_a_path_is_not_read(app: Served, url: str) -> None:
    with pytest.raises(HTTPError) as refused:
        call(app, json.dumps({"path": "x.png", "url": url, "meta": {"_type": "gradio.FileData"}}))
    assert refused.value.code == 403


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/file=/etc/passwd",
        "gradio_api/file=app.py",
        "gradio_api/file=http://127.0.0.1:9/x.png",
        "gradio_api/file=https://example.com/x.png",
        "gradio_api/deep_link?session_hash=x",
        "studio/v1/references/..%2f..%2fapp.log/file",
        f"studio/v1/references/{'0' * 64}/file",
        "studio/v1/results/1/file",
        "web/../app.py",
        "web/0/%2e%2e/%2e%2e/app.py",
        "examples/../../app.py",
        "gradio_api/monitoring",
    ],
)
def test_routes_give_nothing_away(app: Served, path: str) -> None:
    request = urllib.request.Request(f"{app.url}/{path}")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.build_opener(NoRedirect).open(request, timeout=120)
    assert caught.value.code in (302, 307, 400, 401, 403, 404)
    assert caught.value.headers.get("Location", "").startswith(("", app.url))
    assert b"root:" not in caught.value.read()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def test_the_api_page_shows_the_endpoints_with_named_parameters(client: Client) -> None:
    info = client.view_api(return_format="dict", print_info=False)
    assert list(info["named_endpoints"]) == ["/edit", "/experiment"]
    assert info["unnamed_endpoints"] == {}
    parameters = info["named_endpoints"]["/edit"]["parameters"]
    assert [each["parameter_name"] for each in parameters] == [
        "image", "prompt", "backend", "strength", "num_inference_steps", "guidance_scale", "seed", "num_images",
        "output_format", "acceleration", "enable_safety_checker",
    ]  # fmt: skip
    assert [each["parameter_name"] for each in parameters if not each["parameter_has_default"]][:1] == ["image"]
    told = {each["parameter_name"]: each["python_type"]["description"] for each in parameters}
    assert all(told.values())
    assert "data URI" in told["image"]
    assert "0 keeps the reference" in told["strength"]


def test_many_callers_at_once_all_get_their_own_result(app: Served, photo: Path) -> None:
    clients = [Client(app.url, verbose=False, httpx_kwargs={"timeout": 120}) for _ in range(3)]
    jobs = [
        each.submit(handle_file(photo), "a lake", api_name="/edit", num_inference_steps=2, seed=100 + n)
        for n, each in enumerate(clients)
    ]
    assert [job.result(timeout=120)[1]["seed"] for job in jobs] == [100, 101, 102]
    for each in clients:
        each.close()


def test_the_report_has_the_recipe_of_what_really_ran(app: Served) -> None:
    photo = picture_bytes("PNG", "RGB", (40, 30))
    answer = call(app, file_data(upload(app, photo)), seed=5, num_images=2)
    _, report = json.loads(answer.split("event: complete\ndata: ", 1)[1])
    recipe = Recipe.model_validate(report["recipe"])
    assert (recipe.backend, recipe.prompt, recipe.seeds, recipe.app) == ("local", "a lake", (5, 6), VERSION)
    assert recipe.params["strength"] == 0.5
    assert recipe.model.id == "mini"
    assert recipe.model.revision is not None
    assert len(recipe.model.revision) == 16
    assert recipe.reference is not None
    assert (recipe.reference.width, recipe.reference.height) == (40, 30)
    assert recipe.reference.name in app.images()
