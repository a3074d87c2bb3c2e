"""The code that makes a result again is really run, in each language for each backend: it sends what the app sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.studio.code.codes import own_call
from api.studio.code.curl import curl
from api.studio.code.javascript import javascript
from api.studio.code.parts import Files
from api.studio.code.python import python
from api.subpath import SubPath
from backends.aimlapi import AimlapiBackend
from backends.aimlapi.provider import AimlapiProvider
from backends.wavespeed import WavespeedBackend
from backends.wavespeed.provider import WavespeedProvider
from core.backend import OWNERS, RunContext
from core.events import Event
from core.recipe import Recipe, compose
from core.request import EditRequest
from core.settings import Settings
from core.terms import ACCELERATION, SAFETY, common_params
from tests.support.api_app import AIML, api_app
from tests.support.fakes import FakeBackend, make_spec, picture_bytes
from tests.support.loopback import serving, serving_beside
from tests.support.programs import run
from tests.support.providers import aimlapi, wavespeed
from tests.support.studio_calls import S, make, studio

pytestmark = pytest.mark.integration

LANGUAGES = {"curl": "bash", "python": "python", "javascript": "javascript"}
NASTY = (
    'it\'s "so" \\ \\" \\\' $(touch owned) `touch owned` ${HOME} $HOME !! %s %d\nJSON\nEOF\n\'\'\'""" ${1} {0}\r\n'
    "</script><!-- \u2028\u2029\u202e\x7f\x00 '\\\n*/ // # 🎨 é"
)
STYLE = [{"id": "oil", "weight": 1, "text": "an \"oil\" painting, 'thick'"}]
KEY = "srpo_the_key_of_the_code"
LOCAL = (
    *common_params(strength=0.6, guidance_scale=3.5, num_inference_steps=28, lowest_seed=0, formats=("png", "jpeg")),
    ACCELERATION,
    SAFETY,
)
"""As the local backend's spec has them."""


async def code_of(client: httpx.AsyncClient, result: dict[str, Any]) -> dict[str, str]:
    answer = await client.get(f"{S}/results/{result['id']}/code")
    assert answer.status_code == 200, answer.text
    code = dict(answer.json())
    assert list(code) == list(LANGUAGES)
    return code


async def repeat(
    client: httpx.AsyncClient, result: dict[str, Any], language: str, folder: Path, **environ: str
) -> None:
    """Run the code beside the reference, as the detail view hands both out; it makes the same picture."""
    digest = result["recipe"]["reference"]["digest"]
    reference = (await client.get(f"{S}/references/{digest}/file")).content
    code = (await code_of(client, result))[language]
    assert not any(key in code for key in environ.values())
    made = await asyncio.to_thread(files_after, folder, LANGUAGES[language], code, reference, **environ)
    stored = (await client.get(f"{S}/results/{result['id']}/file")).content
    name = "result.png" if result["image"]["mime"] == "image/png" else "result.jpg"
    assert made == {"reference.png": reference, name: stored}


def files_after(folder: Path, language: str, code: str, reference: bytes, **environ: str) -> dict[str, bytes]:
    """Run code in a new folder with a reference, and return the files that lie there then."""
    folder.mkdir()
    (folder / "reference.png").write_bytes(reference)
    printed = run(folder, language, code, **environ)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert printed.strip() in files
    return files


@pytest.mark.parametrize("language", LANGUAGES)
async def test_aimlapi_gets_the_run_again_and_gives_the_same_picture_of_the_batch(
    tmp_path: Path, language: str
) -> None:
    provider = aimlapi.Aimlapi()
    async with serving(provider.app()) as url:
        account = AimlapiProvider(Settings(aimlapi_key=SecretStr(aimlapi.KEY), aimlapi_base_url=url))
        async with api_app(tmp_path / "data", {"aimlapi": AimlapiBackend(account)}, api_models={}) as app:
            results = await make(
                app.client, backend="aimlapi", prompt=NASTY, style=STYLE, num_images=3, params={"seed": 7}
            )
            await repeat(app.client, results[2], language, tmp_path / "run", AIMLAPI_KEY=aimlapi.KEY)
    sent, again = provider.runs
    assert again == sent
    assert again["prompt"] == f"{NASTY.strip()}, {STYLE[0]['text']}"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_wavespeed_gets_the_task_of_one_picture_again(tmp_path: Path, language: str) -> None:
    provider = wavespeed.Wavespeed(seconds=0.5)
    async with serving(provider.app()) as url:
        account = WavespeedProvider(Settings(wavespeed_key=SecretStr(wavespeed.KEY), wavespeed_base_url=url))
        async with api_app(tmp_path / "data", {"wavespeed": WavespeedBackend(account)}, api_models={}) as app:
            results = await make(
                app.client,
                backend="wavespeed",
                prompt=NASTY,
                num_images=2,
                params={"seed": 7, "output_format": "png", "strength": 0.25},
            )
            await repeat(app.client, results[1], language, tmp_path / "run", WAVESPEED_API_KEY=wavespeed.KEY)
    *first, again = provider.submits
    (sent,) = [each for each in first if each["seed"] == 8]
    pictures = [provider.files[body.pop("image").rpartition("/")[2]] for body in (sent, again)]
    assert again == sent
    assert pictures[0] == pictures[1]


class Recording(FakeBackend):
    """Writes down the requests of its runs."""

    def __init__(self) -> None:
        super().__init__(make_spec("local", params=LOCAL))
        self.requests: list[EditRequest] = []

    async def edit(self, request: EditRequest, context: RunContext = OWNERS) -> AsyncGenerator[Event, None]:
        """As the fake does."""
        self.requests.append(request)
        async with aclosing(super().edit(request, context)) as events:
            async for event in events:
                yield event


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_backend_without_a_provider_gets_one_picture_again_through_this_apps_api(
    tmp_path: Path, language: str
) -> None:
    backend = Recording()
    async with (
        api_app(tmp_path / "data", {"local": backend}, api_key=SecretStr(KEY)) as app,
        serving(app.app) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        params = {"seed": 7, "guidance_scale": 2.25, "acceleration": "high", "enable_safety_checker": False}
        results = await make(client, prompt=NASTY, style=STYLE, num_images=2, params=params)
        await repeat(client, results[1], language, tmp_path / "run", STUDIO_API_KEY=KEY)
    sent, again = (request.recipe for request in backend.requests)
    assert again.seeds == (8,)
    assert again.params == {**sent.params, "num_images": 1}
    assert compose(again) == compose(sent)
    assert again.reference == sent.reference


async def test_an_api_that_is_open_on_this_machine_needs_no_key(tmp_path: Path) -> None:
    async with (
        api_app(tmp_path / "data") as app,
        serving(app.app) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        (result,) = await make(client)
        for language in LANGUAGES:
            await repeat(client, result, language, tmp_path / language)


# ---- whatever a recipe holds --------------------------------------------------------------------------


@dataclass
class Echo:
    """Takes everything, and answers as servers may that escape what they need not."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/images/generations", self.generate, methods=["POST"]),
                Route("/picture", self.picture),
            ]
        )

    async def generate(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        address = f"{self.url}/picture?a=1&b=2"
        answer = json.dumps({"prompt": '"url": "wrong"', "data": [{"url": address}]}, indent=2)
        return Response(answer.replace("&", "\\u0026").replace("/", "\\/"), media_type="application/json")

    async def picture(self, request: Request) -> Response:
        return PlainTextResponse(request.url.query)


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    server = Echo()
    with serving_beside(server.app()) as server.url:
        yield server


@pytest.mark.parametrize(("language", "write"), [("bash", curl), ("python", python), ("javascript", javascript)])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=st.text(), style=st.text(), number=st.floats(-1e6, 1e6))
def test_what_arrives_is_the_recipes_whatever_that_holds(
    echo: Echo, tmp_path: Path, language: str, write: Any, prompt: str, style: str, number: float
) -> None:
    recipe = Recipe.model_construct(
        backend="local",
        prompt=f"{prompt} {NASTY} \ud83d {style}",
        style=(),
        params={"strength": number, "output_format": "png", "enable_safety_checker": True, style: prompt},
        seed=7,
        reference=None,
    )
    call = own_call(recipe, echo.url, AIML)
    (tmp_path / "reference.png").write_bytes(picture_bytes())
    run(tmp_path, language, write(call, Files.of(recipe)))
    arrived = echo.bodies.pop()
    assert arrived.pop("image_url").startswith("data:image/png;base64,")
    assert arrived == json.loads(json.dumps(dict(call.body)))
    assert (tmp_path / "result.png").read_text() == "a=1&b=2"
    assert {path.name for path in tmp_path.iterdir()} == {"reference.png", "result.png"}


@pytest.mark.parametrize(("language", "write"), [("bash", curl), ("python", python), ("javascript", javascript)])
def test_a_refusal_is_shown_and_nothing_is_written(echo: Echo, tmp_path: Path, language: str, write: Any) -> None:
    async def refuse(_: Request) -> Response:
        return PlainTextResponse("the provider says no", 403)

    recipe = Recipe(backend="local", prompt="a lake", params={}, seed=7, seeds=(7,))
    app = Starlette(routes=[Route("/v1/images/generations", refuse, methods=["POST"])])
    (tmp_path / "reference.png").write_bytes(picture_bytes())
    with serving_beside(app) as url, pytest.raises(AssertionError, match="the provider says no"):
        run(tmp_path, language, write(own_call(recipe, url, AIML), Files.of(recipe)))
    assert not (tmp_path / "result.png").exists()


# ---- where there is none, and where the app is --------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "models", "code"),
    [
        (0, {AIML: "local"}, "code-seed-zero"),
        (7, {AIML: "other"}, "code-without-model"),
    ],
)
async def test_what_the_api_cannot_make_has_no_code(
    tmp_path: Path, seed: int, models: dict[str, str], code: str
) -> None:
    backends = {key: FakeBackend(make_spec(key)) for key in ("local", "other")}
    async with api_app(tmp_path, backends, api_models=models) as app:
        (result,) = await make(app.client, params={"seed": seed})
        refused = await app.client.get(f"{S}/results/{result['id']}/code")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, code)


async def test_a_backend_that_is_gone_has_no_code(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (result,) = await make(app.client)
    async with api_app(tmp_path, {"other": FakeBackend(make_spec("other"))}, api_models={AIML: "other"}) as app:
        refused = await app.client.get(f"{S}/results/{result['id']}/code")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "code-without-backend")


async def test_the_apps_own_address_is_that_of_the_request_with_the_path_of_the_app(tmp_path: Path) -> None:
    async with studio(tmp_path) as app:
        (result,) = await make(app.client)
        transport = httpx.ASGITransport(app=SubPath(app.app, "/studio", app.app.routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9000/studio") as client:
            for code in (await code_of(client, result)).values():
                assert "http://127.0.0.1:9000/studio/v1/images/generations" in code


async def test_a_public_address_stands_in_the_code_wherever_the_request_came_to(tmp_path: Path) -> None:
    async with studio(tmp_path, public_url="https://studio.example/srpo") as app:
        await app.client.get("/")
        (result,) = await make(app.client)
        for code in (await code_of(app.client, result)).values():
            assert "https://studio.example/srpo/v1/images/generations" in code
            assert "127.0.0.1" not in code
