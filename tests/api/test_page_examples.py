"""The providers' own examples and those of docs/api.md run against the real app, nothing changed but addresses."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import wavespeed
from PIL import Image

from tests.support.api_app import AIML, WAVE
from tests.support.live_app import ROOT, Served, serve
from tests.support.programs import run

pytestmark = pytest.mark.integration

KEY = "srpo_the_key_of_the_examples"
PAGES = Path(__file__).parent / "pages"
PHOTO = ROOT / "assets" / "examples" / "still-life.jpg"
THEIR_PICTURE = "https://raw.githubusercontent.com/aimlapi/api-docs/main/reference-files/t-rex.png"
BLOCKS = re.findall(r"```(bash|python|javascript)\n(.*?)```", (ROOT / "docs/api.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real app on the mini checkpoint, opened by one key."""
    with serve(tmp_path_factory.mktemp("app"), "app.py", STUDIO_API_KEY=KEY) as served:
        yield served


@pytest.fixture(scope="module")
def picture(app: Served) -> str:
    """An address that the app itself gave out for an uploaded picture."""
    file = io.BytesIO()
    with Image.open(PHOTO) as photo:
        photo.resize((256, 192)).save(file, "JPEG")
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    body = json.dumps({"filename": "photo.jpg", "size": len(file.getvalue())}).encode()
    ask = urllib.request.Request(f"{app.url}/api/v3/media/uploads", body, headers)
    with urllib.request.urlopen(ask) as answer:
        ticket = json.load(answer)["data"]
    with urllib.request.urlopen(
        urllib.request.Request(ticket["upload"]["url"], file.getvalue(), method=ticket["upload"]["method"])
    ):
        return str(ticket["download_url"])


def results(app: Served, said: str) -> list[bytes]:
    """Return the pictures at the result addresses that an example printed."""
    addresses = dict.fromkeys(re.findall(rf"{app.url}/files/[^\s'\"\\]+", said))
    found = []
    for address in addresses:
        with urllib.request.urlopen(address) as answer:
            found.append(answer.read())
    return found


def size_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        return opened.size


# ---- the providers' pages ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "language"), [("aimlapi.py.txt", "python"), ("aimlapi.js", "javascript")])
def test_aimlapis_own_example_runs(app: Served, picture: str, tmp_path: Path, name: str, language: str) -> None:
    code = (PAGES / name).read_text("utf-8")
    for theirs, ours in (
        ("https://api.aimlapi.com", app.url),
        ("Bearer <YOUR_AIMLAPI_KEY>", f"Bearer {KEY}"),
        (THEIR_PICTURE, picture),
    ):
        assert code.count(theirs) == 1
        code = code.replace(theirs, ours)
    (made,) = results(app, run(tmp_path, language, code))
    assert size_of(made) == (256, 192)


def wavespeeds(name: str, app: Served) -> str:
    code = (PAGES / name).read_text("utf-8")
    assert code.count("https://api.wavespeed.ai") == 1
    return code.replace("https://api.wavespeed.ai", app.url)


def test_wavespeeds_own_submit_lacks_what_is_required_and_is_told_so(app: Served, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text('write-out = "\\n%{http_code}"\n')  # the status, with the command left as it is
    said = run(tmp_path, "bash", wavespeeds("wavespeed-submit.sh", app), WAVESPEED_API_KEY=KEY)
    body, _, status = said.rpartition("\n")
    assert status == "400"
    assert json.loads(body) == {"code": 400, "message": "prompt: Field required.", "data": None}


def test_wavespeeds_own_examples_run_once_prompt_and_image_are_given(app: Served, picture: str, tmp_path: Path) -> None:
    submit = wavespeeds("wavespeed-submit.sh", app).replace(
        "--data-raw '{", f"""--data-raw '{{\n"prompt": "as a watercolour",\n"image": "{picture}","""
    )
    task = json.loads(run(tmp_path, "bash", submit, WAVESPEED_API_KEY=KEY))["data"]
    assert task["status"] == "created"
    ask, deadline = wavespeeds("wavespeed-result.sh", app), time.monotonic() + 120
    while time.monotonic() < deadline and task["status"] in ("created", "processing"):
        time.sleep(0.3)
        said = run(tmp_path, "bash", ask, WAVESPEED_API_KEY=KEY, requestId=task["id"])
        task = json.loads(said)["data"]
    assert (task["status"], task["error"]) == ("completed", "")
    (made,) = results(app, said)
    assert size_of(made) == (256, 192)


# ---- docs/api.md ---------------------------------------------------------------------------------------


def test_the_page_has_an_example_in_each_language_for_both_formats() -> None:
    assert [language for language, _ in BLOCKS] == [
        *("bash", "python", "javascript"),
        *("bash", "python"),
        *("bash", "python", "javascript"),
    ]
    assert [("/v1" in code, "/api/v3" in code) for _, code in BLOCKS] == [(True, False)] * 5 + [(False, True)] * 3


@pytest.mark.parametrize(("language", "code"), BLOCKS, ids=[f"{n}-{each[0]}" for n, each in enumerate(BLOCKS)])
def test_the_pages_example_runs_as_it_stands(app: Served, tmp_path: Path, language: str, code: str) -> None:
    shutil.copy(PHOTO, tmp_path / "photo.jpg")
    assert code.count("http://127.0.0.1:7860") == 1
    said = run(tmp_path, language, code.replace("http://127.0.0.1:7860", app.url), STUDIO_API_KEY=KEY)
    (made,) = results(app, said)
    with Image.open(PHOTO) as photo:
        assert size_of(made) == photo.size


SMALL = {"strength": 0.2, "num_inference_steps": 4}


def test_openais_client_works_as_the_page_says(app: Served, picture: str) -> None:
    with openai.OpenAI(base_url=f"{app.url}/v1", api_key=KEY, max_retries=0) as client:
        answer = client.images.generate(model=AIML, prompt="a sketch", extra_body={**SMALL, "image_url": picture})
    (made,) = results(app, answer.to_json())
    assert size_of(made) == (256, 192)


def test_wavespeeds_client_works_as_the_page_says(app: Served, picture: str) -> None:
    client = wavespeed.Client(api_key=KEY, base_url=app.url)
    told = client.run(WAVE, {**SMALL, "prompt": "a sketch", "image": picture}, poll_interval=0.1)
    (made,) = results(app, str(told))
    assert size_of(made) == (256, 192)
