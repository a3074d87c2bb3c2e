"""AI/ML API's wire format, served here: `POST /v1/images/generations` and what stands around it.

OpenAI's clients speak a sibling of it: their own fields are taken too, and `images.edit` has its route.

Facts from the provider's model page and OpenAPI schema. Where they contradict each other, an answer has both: the
schema's `data` and `credits_used`, and the example's `images`, `timings`, `seed` and `tokens_used`.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.routing import BaseRoute, Route

from api.access import guarded_route
from api.aimlapi.generation import Generation, edits_described, read_edit
from api.answers import add_error_handlers, notices_of, refusals, stamp
from api.gateway import ApiGateway, Ask
from api.idempotency import mark
from api.statuses import Refused
from core.job import Call, Job, Source
from core.result import Made, Missing, Result
from core.subpath import route_path

CREDITS_PER_DOLLAR = 2_000_000


class Image(BaseModel):
    """One result."""

    url: str
    b64_json: str | None = None
    width: int
    height: int
    content_type: str


class Usage(BaseModel):
    """What the run cost, in credits; two million are a dollar."""

    credits_used: float
    tokens_used: float


class Meta(BaseModel):
    """What stands beside the images."""

    usage: Usage


class Timings(BaseModel):
    """Seconds."""

    inference: float


class Generated(BaseModel):
    """The images, in both of the provider's spellings; base64 that was asked for stands in `data` alone."""

    data: list[Image]
    images: list[Image]
    timings: Timings
    seed: int
    has_nsfw_concepts: list[bool]
    prompt: str
    created: int
    notices: list[str]
    meta: Meta


class Edited(BaseModel):
    """The images, in OpenAI's shape."""

    created: int
    data: list[Image]
    seed: int
    has_nsfw_concepts: list[bool]
    notices: list[str]


class Problem(BaseModel):
    """Why there is no result."""

    message: str
    path: str
    requestId: str  # noqa: N815 - the provider's spelling
    statusCode: int  # noqa: N815 - the provider's own name
    timestamp: str


class Billing(BaseModel):
    """What the app's owner lets this API spend today."""

    current_balance: float
    currency: str


PROBLEMS = refusals(Problem)
GUARDED: dict[str, Any] = {"responses": PROBLEMS, "openapi_extra": {"security": [{"bearer": []}]}}


def build(gateway: ApiGateway) -> FastAPI:
    """Return the app that answers under `/v1` and `/v2`."""
    app = FastAPI(title="SRPO Studio, as AI/ML API", version="1", openapi_url="/v1/openapi.json", docs_url=None)
    app.router.redirect_slashes = False
    app.router.route_class = guarded_route(gateway.access)

    @app.post("/v1/images/generations", response_model=Generated, **GUARDED)
    async def generate(
        request: Request, body: Generation, idempotency_key: Annotated[str | None, Header(max_length=255)] = None
    ) -> JSONResponse:
        """Make images of a reference and a prompt, and answer when they are done."""
        job, result, again = await _run(gateway, request, body, body.image_url, idempotency_key)
        return JSONResponse(await _answer(gateway, job, result), headers=_facts(job, result, again))

    @app.post("/v1/images/edits", response_model=Edited, **edits_described(GUARDED))
    async def edit(
        request: Request, idempotency_key: Annotated[str | None, Header(max_length=255)] = None
    ) -> JSONResponse:
        """Edit an image by a prompt, as OpenAI's `images.edit` asks for it: a form with a file, or JSON."""
        gateway.access.visitor(request)
        body, image = await read_edit(request, next(iter(gateway.models)), gateway.quotas.caps.max_bytes)
        job, result, again = await _run(gateway, request, body, image, idempotency_key)
        whole = await _answer(gateway, job, result)
        answer = {name: whole[name] for name in Edited.model_fields}
        return JSONResponse(answer, headers=_facts(job, result, again))

    @app.get("/v1/models", responses=PROBLEMS)
    async def models(request: Request, id: Annotated[str | None, Query()] = None) -> JSONResponse:
        """List the models; no key is needed."""
        found = [_model(gateway, name) for name in gateway.models if id in (None, name)]
        return JSONResponse({"object": "list", "data": found})

    @app.get("/v1/models/{model:path}", responses=PROBLEMS)
    async def one_model(model: str) -> JSONResponse:
        """Describe one model; no key is needed."""
        if model not in gateway.models:
            raise Refused("model-unknown", status=404, model=repr(model[:80]), models=", ".join(gateway.models))
        return JSONResponse(_model(gateway, model))

    @app.get("/v2/billing", response_model=Billing, **GUARDED)
    async def billing(request: Request) -> JSONResponse:
        """Return how many dollars this API may still spend today; runs on the owner's machine cost none."""
        gateway.access.visitor(request)
        return JSONResponse({"current_balance": await gateway.balance(), "currency": "USD"})

    add_error_handlers(app, _refusal)
    return app


def routes(app: FastAPI) -> list[BaseRoute]:
    """Return the routes that lead here, for the whole app."""
    return [Route("/v1/{rest:anything}", app), Route("/v2/{rest:anything}", app)]


async def _run(
    gateway: ApiGateway, request: Request, body: Generation, image: str | bytes, idempotency_key: str | None
) -> tuple[Job, Result, bool]:
    """Run what a body asks for; return the job, its result, and whether it had begun before.

    Raises:
        StudioError: it cannot be taken, or failed.
    """
    visitor = gateway.access.visitor(request)
    values = body.values()
    asked = {"prompt": body.prompt, "model": body.model, "inline": body.inline, "size": body.size, **values}
    content = hashlib.sha256(image).hexdigest() if isinstance(image, bytes) else image
    once, whole = mark("aimlapi", idempotency_key, {**asked, "image": content})
    call = Call(body.model, gateway.base(request), inline=body.inline, once=once, body=whole)
    ask = Ask(body.prompt, image, values, call, Source.AIMLAPI, body.notices, body.size)
    job, again = await gateway.take(visitor, ask)
    return job, await gateway.attend(request, job), again


async def _answer(gateway: ApiGateway, job: Job, result: Result) -> dict[str, Any]:
    assert job.call is not None
    data, images, flags = [], [], []
    for made, link, b64 in await gateway.outputs(job, job.call.base):
        mime = made.image.mime if isinstance(made, Made) else "image/png"
        size = (made.image.width, made.image.height) if isinstance(made, Made) else (64, 64)
        image = {"url": link, "width": size[0], "height": size[1], "content_type": mime}
        images.append(image)
        data.append({**image, "b64_json": b64} if b64 else image)
        flags.append(isinstance(made, Missing))
    credits_used = round((result.cost or 0.0) * CREDITS_PER_DOLLAR)
    return {
        "images": images,
        "timings": {"inference": result.timings.get("inference", 0.0)},
        "seed": job.request.seeds[0],
        "has_nsfw_concepts": flags,
        "prompt": job.request.prompt,
        "created": int(job.created),
        "notices": notices_of(job),
        "data": data,
        "meta": {"usage": {"credits_used": credits_used, "tokens_used": credits_used}},
    }


def _facts(job: Job, result: Result, again: bool) -> dict[str, str]:
    headers = {"x-inference-id": job.id}
    if result.cost is not None:
        headers["x-aimlapi-usd-spent"] = f"{result.cost:.6f}"
        headers["x-aimlapi-credits-used"] = str(round(result.cost * CREDITS_PER_DOLLAR))
    return {**headers, "Idempotent-Replayed": "true"} if again else headers


def _model(gateway: ApiGateway, name: str) -> dict[str, Any]:
    spec = gateway.engine.specs[gateway.models[name]]
    return {
        "id": name,
        "object": "model",
        "type": "image",
        "info": {"name": "FLUX SRPO image-to-image", "description": str(spec.label)},
        "endpoints": ["/v1/images/generations"],
        "pricing": {"image": spec.price},
    }


# ---- what went wrong, in the provider's shape ---------------------------------------------------------


def problem(path: str, status: int, message: str) -> dict[str, Any]:
    """Return the provider's body for an error."""
    return {
        "message": message,
        "path": path,
        "requestId": uuid.uuid4().hex,
        "statusCode": status,
        "timestamp": stamp(time.time()),
    }


def _refusal(request: Request, status: int, message: str, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(problem(route_path(request.scope), status, message), status, headers)
