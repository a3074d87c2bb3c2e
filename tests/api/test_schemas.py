"""Requests made from the descriptions, ours and the provider's: each is answered as they say, none breaks the app."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.api_app import AIML, WAVE, api_app
from tests.support.api_server import KEY, api_server
from tests.support.fakes import picture_bytes

pytestmark = pytest.mark.integration

SEED = 20261121
"""Every run makes the same requests; a failure names it."""
EXAMPLES = 60
"""Requests of each kind that chance makes, beside those at the boundaries."""

OURS = {
    "/v1/openapi.json": [
        "POST /v1/images/generations",
        "POST /v1/images/edits",
        "GET /v1/models",
        "GET /v1/models/{model}",
        "GET /v2/billing",
    ],
    "/api/v3/openapi.json": [
        "GET /api/v3/predictions/{prediction_id}",
        "DELETE /api/v3/predictions/{prediction_id}",
        "GET /api/v3/predictions/{prediction_id}/result",
        "POST /api/v3/predictions",
        "POST /api/v3/predictions/delete",
        "GET /api/v3/balance",
        "GET /api/v3/webhook/secret",
        "GET /api/v3/models",
        "POST /api/v3/model/price",
        "POST /api/v3/media/uploads",
        "PUT /api/v3/media/uploads/{upload_id}",
        "POST /api/v3/media/upload/binary",
        f"POST /api/v3/{AIML}",
        f"POST /api/v3/{WAVE}",
    ],
}
PROVIDERS = Path(__file__).parent / "pages" / "aimlapi.openapi.json"
RUN = "POST /v1/images/generations"
RUNS = [RUN, f"POST /api/v3/{AIML}", f"POST /api/v3/{WAVE}"]

FORMS = ("POST /api/v3/media/upload/binary", "POST /v1/images/edits")
LABELS = [(page, label) for page, labels in OURS.items() for label in labels]
WITH_INPUT = [(page, label) for page, label in LABELS if label.startswith("POST") and label not in FORMS]

SHAPES = {
    "/v": {"message", "path", "requestId", "statusCode", "timestamp"},
    "/a": {"code", "message", "data"},
}
"""The keys of a refusal, by how the path begins."""


def uri(kind: str) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(picture_bytes(kind)).decode()


GOOD = [uri("png"), uri("jpeg")]
IMAGES = st.sampled_from(
    [*GOOD, *GOOD, "data:image/png;base64,AAAA", "data:,", "http://127.0.0.1/a.png", "https://a.example:99/", None]
)
"""What stands as the image; None leaves it as chance has made it, which is never a picture."""


@dataclass
class ServedApi:
    """A served API, a session that asks it, and what it has answered."""

    url: str
    session: requests.Session
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def operation(self, page: str, label: str) -> Any:
        """Return an operation of one of the app's descriptions."""
        return found(schemathesis.openapi.from_dict(self.session.get(self.url + page).json()), label)

    def ask(self, case: Case[Any], *checks: Callable[..., Any]) -> requests.Response:
        """Send a case; hold its answer to the checks, and a refusal to the provider's shape."""
        answer = case.call(base_url=self.url, session=self.session, timeout=120)
        case.validate_response(answer, checks=[not_a_server_error, *checks])
        self.answers[case.operation.label, answer.status_code] += 1
        if answer.status_code >= 400 and case.method != "HEAD":
            told = answer.json()
            assert set(told) == SHAPES[case.path[:2]]
            assert told.get("statusCode", told.get("code")) == answer.status_code
            assert isinstance(told["message"], str)
            assert told["message"]
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    async def nowhere(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]  # whatever chance asks for, nobody outside is asked

    with api_server(tmp_path_factory.mktemp("api"), resolve=nowhere) as url, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {KEY}"
        session.trust_env = False
        yield ServedApi(url, session)


def found(schema: Any, label: str) -> Any:
    return next(each.ok() for each in schema.get_all_operations() if each.ok().label == label)


def many(strategy: st.SearchStrategy[Any], check: Callable[[Any], None], examples: int = EXAMPLES) -> None:
    """Hold what a strategy makes to a check."""

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,  # the same requests every time, whatever failed before
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(strategy)
    def each(made: Any) -> None:
        check(made)

    try:
        each()
    except BaseException as error:
        error.add_note(f"The requests were made with the seed {SEED}.")
        raise


OURS_CHECKS = (status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.mark.parametrize("page", OURS)
def test_each_description_is_of_these_operations(served: ServedApi, page: str) -> None:
    schema = schemathesis.openapi.from_dict(served.session.get(served.url + page).json())
    assert sorted(each.ok().label for each in schema.get_all_operations()) == sorted(OURS[page])


@pytest.mark.parametrize(("page", "label"), LABELS)
def test_what_fits_a_description_is_answered_as_it_says(served: ServedApi, page: str, label: str) -> None:
    task = served.session.post(f"{served.url}/api/v3/{WAVE}", json={"prompt": "a lake", "image": GOOD[0]}).json()
    tasks = st.sampled_from([task["data"]["id"], None])

    def fits(made: tuple[Case[Any], str | None, str | None]) -> None:
        case, image, task_id = made
        if isinstance(case.body, dict) and image is not None:
            case.body.update({name: image for name in ("image", "image_url") if name in case.body})
            case.body.update({"model": AIML} if "model" in case.body else {})
        if "prediction_id" in case.path_parameters and task_id is not None:
            case.path_parameters["prediction_id"] = task_id
        served.ask(case, *OURS_CHECKS)

    strategy = served.operation(page, label).as_strategy(generation_mode=GenerationMode.POSITIVE)
    plain = not (label.startswith("POST") or "{" in label or "?" in label)
    many(st.tuples(strategy, IMAGES, tasks), fits, 3 if plain else EXAMPLES)
    # Chance never makes a picture: without those put in, nothing but refusals would have been looked at.
    assert label not in RUNS or served.answers[label, 400] >= 5 <= served.answers[label, 200]


@pytest.mark.parametrize(("page", "label"), WITH_INPUT)
def test_what_does_not_fit_a_description_is_refused(served: ServedApi, page: str, label: str) -> None:
    strategy = served.operation(page, label).as_strategy(generation_mode=GenerationMode.NEGATIVE)
    many(strategy, lambda case: served.ask(case, *OURS_CHECKS, negative_data_rejection))


@pytest.mark.parametrize(("page", "label"), LABELS)
def test_what_lies_at_a_boundary_is_on_its_right_side(served: ServedApi, page: str, label: str) -> None:
    operation = served.operation(page, label)
    cases = operation.schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=GenerationConfig()
    )
    asked = [served.ask(case, *OURS_CHECKS, negative_data_rejection) for case in cases]
    assert asked


def short(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body for people to read: without the picture."""
    return {name: value[:40] if isinstance(value, str) else value for name, value in body.items()}


def body_of(operation: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return bodies that fit an operation, with a picture that is one and a prompt that says something."""

    def whole(made: tuple[Case[Any], str]) -> dict[str, Any]:
        case, image = made
        body: dict[str, Any] = dict(case.body)
        body.update({name: image for name in ("image", "image_url") if name in body})
        body.update({"model": AIML} if "model" in body else {})
        if body.get("n") is not None:  # another name for the same
            body["num_images"] = body["n"]
        return {**body, "prompt": f"a lake {body['prompt']}"[:4000]}

    strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE, query={}, headers={})
    return st.tuples(strategy, st.sampled_from(GOOD)).map(whole)


@pytest.mark.parametrize("label", RUNS)
def test_a_body_that_fits_makes_a_picture(served: ServedApi, label: str) -> None:
    page = next(page for page, labels in OURS.items() if label in labels)

    def runs(body: dict[str, Any]) -> None:
        answer = served.session.post(served.url + label.removeprefix("POST "), json=body)
        assert answer.status_code == 200, f"{answer.text} {short(body)}"

    many(body_of(served.operation(page, label)), runs)


def fits_leniently(operation: Any, body: Any) -> bool:
    """Return whether a body fits a provider's description but for nulls, which we take for fields that are left out."""
    if not isinstance(body, dict) or None not in body.values():
        return False
    schema = operation.body[0].definition["schema"]
    given = {name: value for name, value in body.items() if value is not None}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(given))


# ---- the provider's own description -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def theirs() -> Any:
    return found(schemathesis.openapi.from_dict(json.loads(PROVIDERS.read_text(encoding="utf-8"))), RUN)


def test_a_body_that_fits_the_providers_description_makes_a_picture(served: ServedApi, theirs: Any) -> None:
    def runs(body: dict[str, Any]) -> None:
        if body.get("num_images", 1) % 1:
            return  # the page's schema lets one and a half images through; nobody can make them
        answer = served.session.post(served.url + "/v1/images/generations", json=body)
        assert answer.status_code == 200, f"{answer.text} {short(body)}"
        assert len(answer.json()["data"]) == body.get("num_images", 1)

    many(body_of(theirs), runs, 2 * EXAMPLES)


def test_whatever_fits_the_providers_description_is_answered_by_it(served: ServedApi, theirs: Any) -> None:
    def fits(made: tuple[Case[Any], str | None]) -> None:
        case, image = made
        if image is not None:
            case.body["image_url"] = image
        assert served.ask(case, content_type_conformance, response_schema_conformance).status_code in (200, 400)

    many(st.tuples(theirs.as_strategy(generation_mode=GenerationMode.POSITIVE), IMAGES), fits, 2 * EXAMPLES)


def test_what_does_not_fit_the_providers_description_is_refused_in_its_shape(served: ServedApi, theirs: Any) -> None:
    def refused(case: Case[Any]) -> None:
        if fits_leniently(theirs, case.body):
            return
        served.ask(case, content_type_conformance, response_schema_conformance, negative_data_rejection)

    many(theirs.as_strategy(generation_mode=GenerationMode.NEGATIVE), refused, 2 * EXAMPLES)


def test_what_lies_at_a_boundary_of_the_providers_is_on_its_right_side(served: ServedApi, theirs: Any) -> None:
    cases = theirs.schema.iter_coverage_cases(
        theirs, generation_modes=list(GenerationMode), generation_config=GenerationConfig()
    )
    asked = [
        served.ask(case, response_schema_conformance, negative_data_rejection)
        for case in cases
        if not fits_leniently(theirs, case.body)
    ]
    assert asked


@pytest.mark.parametrize("page", OURS)
def test_every_range_is_told_in_the_words_of_json_schema(served: ServedApi, page: str) -> None:
    """A range that the models' library cannot place stands there under its own names, which no client reads."""
    text = served.session.get(served.url + page).text
    assert not re.findall(r'"(?:ge|gt|le|lt|multiple_of|min_length|max_length)":', text)


@pytest.mark.parametrize("page", OURS)
def test_no_refusal_is_described_in_another_shape_than_the_providers(served: ServedApi, page: str) -> None:
    """The web framework adds a 422 of its own to whatever takes input, and no door ever answers one."""
    paths = served.session.get(served.url + page).json()["paths"]
    told = {status for each in paths.values() for operation in each.values() for status in operation["responses"]}
    assert "422" not in told


def facts(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a field's description says that a client could go by: kind, range, words, default."""
    kinds = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    kind = {"type": "number"} if {each["type"] for each in kinds} == {"number", "integer"} else {}
    known = ("type", "minimum", "maximum", "maxLength", "enum")
    return {name: value for name, value in {**schema, **kinds[0], **kind}.items() if name in known} | {
        "default": schema.get("default")
    }


def test_our_description_gives_every_field_of_the_providers_with_its_range_and_default(served: ServedApi) -> None:
    page = json.loads(PROVIDERS.read_text(encoding="utf-8"))
    operation = page["paths"]["/v1/images/generations"]["post"]
    wanted = operation["requestBody"]["content"]["application/json"]["schema"]
    ours = served.session.get(f"{served.url}/v1/openapi.json").json()["components"]["schemas"]["Generation"]
    assert ours["required"] == wanted["required"]
    told = {name: facts(each) for name, each in ours["properties"].items()}
    # One model of several, and whole images only: the two places where the page's schema says something else.
    told["model"]["enum"], told["num_images"]["type"] = [AIML], "number"
    assert {name: told[name] for name in wanted["properties"]} == {
        name: facts(each) for name, each in wanted["properties"].items()
    }
    assert told.keys() - wanted["properties"].keys() == {"n", "response_format", "size"}  # OpenAI's


def test_our_description_gives_every_field_of_wavespeeds_page_with_its_range_and_default(served: ServedApi) -> None:
    ours = served.session.get(f"{served.url}/api/v3/openapi.json").json()["components"]["schemas"]["Submit"]
    assert ours["required"] == ["prompt", "image"]
    assert {name: facts(each) for name, each in ours["properties"].items()} == {
        "prompt": {"type": "string", "maxLength": 4000, "default": None},
        "image": {"type": "string", "default": None},
        "strength": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.8},
        "num_inference_steps": {"type": "integer", "minimum": 1, "maximum": 50, "default": 28},
        "seed": {"type": "integer", "minimum": -1, "maximum": 2147483647, "default": -1},
        "guidance_scale": {"type": "number", "minimum": 1, "maximum": 20, "default": 3.5},
        "output_format": {"type": "string", "enum": ["jpeg", "png"], "default": "jpeg"},
        "enable_base64_output": {"type": "boolean", "default": False},
        "enable_sync_mode": {"type": "boolean", "default": False},
    }


# ---- what no generator makes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/images/generations", {"model": "\ud800", "prompt": "a lake", "image_url": GOOD[0]}),
        ("/v1/images/generations", {"model": AIML, "prompt": "\ud800", "image_url": GOOD[0]}),
        ("/v1/images/generations", {"model": AIML, "prompt": "a lake", "image_url": "http://a/\ud800"}),
        ("/v1/images/generations", {"model": AIML, "prompt": "a lake", "image_url": GOOD[0], "seed": "\ud800"}),
        (f"/api/v3/{WAVE}", {"prompt": "\ud800", "image": GOOD[0]}),
        (f"/api/v3/{WAVE}", {"prompt": "a lake", "image": "\ud800"}),
        (f"/api/v3/{WAVE}", {"prompt": "a lake", "image": GOOD[0], "\ud800": 1}),
        (f"/api/v3/{WAVE}", {"prompt": "a lake", "image": GOOD[0], "output_format": "\ud800"}),
        ("/api/v3/predictions/delete", {"ids": ["\ud800"]}),
        ("/api/v3/predictions", {"\ud800": 1}),
        ("/api/v3/model/price", {"model_id": "\ud800"}),
        ("/api/v3/media/uploads", {"filename": "\ud800", "size": 1}),
        ("/api/v3/media/uploads", {"filename": "a.png", "size": 1, "content_type": "\ud800"}),
    ],
)
def test_half_a_character_never_breaks_the_app(served: ServedApi, path: str, body: dict[str, Any]) -> None:
    answer = served.session.post(served.url + path, data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 404), answer.text
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/v1/images/generations", f"/api/v3/{WAVE}", "/api/v3/media/upload/binary"])
async def test_a_body_that_is_too_large_is_refused_in_the_providers_shape(tmp_path: Path, path: str) -> None:
    async with api_app(tmp_path) as at:  # on a socket the line may break before the answer is read
        answer = await at.client.post(path, content=b"x" * 1_000_001, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == SHAPES[path[:2]]
