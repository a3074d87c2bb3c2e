"""WaveSpeedAI's wire format, served here: submit a task, ask for its result, list and delete.

Facts from the provider's model page and API pages. A task that failed is an answer of success whose `data.status`
is `failed`; a request that is no task is refused with its status in the envelope too.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from api.access import guarded_route
from api.gateway import ApiGateway, Ask
from api.idempotency import mark
from api.schemas import Body, Format, Real, Whole
from api.wavespeed.envelope import Envelope, answer, guarded, problems
from api.wavespeed.predictions import input_of, view
from api.wavespeed.uploads import add_uploads
from api.wavespeed.webhooks import Hooks
from core.errors import BadParameter, StudioError
from core.job import Call, Source
from core.messages import Message, message, say
from core.spec import MAX_PROMPT, MAX_SEED

SYNC_LIMIT = 90.0
"""Seconds that a synchronous submit waits before it answers `processing` with code 5004."""
LISTED = 7 * 86_400.0
"""Seconds of history in the list of predictions, as the provider's."""


class Submit(Body):
    """What to make. A field that is not listed is refused.

    WaveSpeedAI's own MCP server sends two fields to every model, which this one does not have; they are ignored.
    """

    model_config = ConfigDict(extra="forbid")

    prompt: StrictStr = Field(min_length=1, max_length=MAX_PROMPT, description="What the picture should become.")
    image: StrictStr = Field(
        min_length=1,
        description="The reference: a public address, a data URI, base64, or an address that this app gave out.",
    )
    strength: Real = Field(0.8, ge=0, le=1, description="How far to leave the reference.")
    num_inference_steps: Whole = Field(28, ge=1, le=50, description="Steps; strength decides how many run.")
    seed: Whole = Field(-1, ge=-1, le=MAX_SEED, description="-1 draws one.")
    guidance_scale: Real = Field(3.5, ge=1, le=20, description="How closely the prompt is followed.")
    output_format: Format = Field("jpeg", description="The image's format.")
    enable_base64_output: StrictBool = Field(False, description="Whether the image comes inside the answer.")
    enable_sync_mode: StrictBool = Field(False, description="Whether the answer waits for the result, up to 90 s.")

    @classmethod
    def adjusted(cls, fields: dict[str, Any]) -> tuple[dict[str, Any], tuple[Message, ...]]:
        """Leave out `enable_safety_checker`; take the first of `images` where there is no `image`."""
        notices = []
        if "enable_safety_checker" in fields:
            del fields["enable_safety_checker"]
            notices.append(message("notice-field-ignored", names="enable_safety_checker"))
        if "images" in fields:
            images = fields.pop("images")
            if fields.get("image") or not isinstance(images, list) or not images:
                notices.append(message("notice-images-ignored"))
            else:
                fields["image"] = images[0]
                notices += [message("notice-first-image", count=len(images))] if len(images) > 1 else []
        return fields, tuple(notices)


class Prediction(BaseModel):
    """A task."""

    id: str
    model: str
    outputs: list[str]
    urls: dict[str, str]
    has_nsfw_contents: list[bool]
    status: Literal["created", "processing", "completed", "failed"]
    created_at: str
    error: str
    timings: dict[str, int]
    code: int | None = None
    notices: list[str] | None = None
    input: dict[str, Any] | None = None


class Answer(BaseModel):
    """The envelope around a task."""

    code: int
    message: str
    data: Prediction


class Page(BaseModel):
    """Which predictions to list."""

    model_config = ConfigDict(extra="forbid")

    page: Whole = Field(1, ge=1, le=1_000_000)
    page_size: Whole = Field(100, ge=1, le=100)


class Ids(BaseModel):
    """Which predictions to delete."""

    model_config = ConfigDict(extra="forbid")

    ids: list[StrictStr] = Field(min_length=1, max_length=100)


class Quote(BaseModel):
    """What to tell the price of."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_id: StrictStr
    inputs: dict[str, Any] = {}


def build(gateway: ApiGateway, hooks: Hooks) -> FastAPI:
    """Return the app that answers under `/api/v3`."""
    app = FastAPI(title="SRPO Studio, as WaveSpeedAI", version="1", openapi_url="/api/v3/openapi.json", docs_url=None)
    app.router.redirect_slashes = False
    app.router.route_class = guarded_route(gateway.access)
    _predictions(app, gateway)
    _account(app, gateway, hooks)
    add_uploads(app, gateway)
    for name in gateway.models:
        _model(app, gateway, name)
    problems(app, ", ".join(gateway.models))
    return app


def routes(app: FastAPI) -> list[BaseRoute]:
    """Return the routes that lead here, for the whole app."""
    return [Route("/api/v3/{rest:anything}", app)]


def _model(app: FastAPI, gateway: ApiGateway, name: str) -> None:
    """Add a model's own address."""

    @app.post(
        f"/api/v3/{name}",
        response_model=Answer,
        **guarded(),
        operation_id=f"submit {name}",
    )
    async def submit(
        request: Request,
        body: Submit,
        webhook: Annotated[str | None, Query(max_length=2000)] = None,
        idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
    ) -> JSONResponse:
        """Submit a task. Ask for its result at `data.urls.get`, or hear of it at `webhook`."""
        visitor = gateway.access.visitor(request)
        if webhook is not None and not webhook.startswith(("https://", "http://")):
            raise BadParameter("webhook-not-address", field="webhook")
        told = body.model_dump()
        once, whole = mark("wavespeed", idempotency_key, {**told, "model": name, "webhook": webhook})
        waits = told.pop("enable_sync_mode")
        inline = told.pop("enable_base64_output")
        call = Call(name, gateway.base(request), inline=inline, once=once, body=whole, hook=webhook or "")
        prompt, image = told.pop("prompt"), told.pop("image")
        told["seed"] = None if told["seed"] < 0 else told["seed"]
        job, again = await gateway.take(visitor, Ask(prompt, image, told, call, Source.WAVESPEED, body.notices))
        headers = {"Idempotent-Replayed": "true"} if again else {}
        if not waits:
            return answer(await view(gateway, job, call.base, created=True), headers=headers)
        try:
            async with asyncio.timeout(SYNC_LIMIT):
                await gateway.engine.result(job)
        except TimeoutError:
            late = {"status": "processing", "code": 5004, "error": say("task-continues")}
            return answer({**await view(gateway, job, call.base, created=True), **late}, headers=headers)
        except StudioError:
            pass  # the task says it itself
        return answer(await view(gateway, job, call.base), headers=headers)


def _predictions(app: FastAPI, gateway: ApiGateway) -> None:
    """Add what is asked of tasks."""

    @app.get("/api/v3/predictions/{prediction_id}/result", response_model=Answer, **guarded())
    @app.get("/api/v3/predictions/{prediction_id}", response_model=Answer, **guarded())
    async def result(request: Request, prediction_id: str) -> JSONResponse:
        """Tell how a task stands, and what it made."""
        job = await gateway.find(gateway.access.visitor(request), prediction_id)
        return answer(await view(gateway, job, gateway.base(request)))

    @app.delete("/api/v3/predictions/{prediction_id}", response_model=Answer, **guarded())
    async def cancel(request: Request, prediction_id: str) -> JSONResponse:
        """Cancel a task, as the page's Cancel does; one that has ended stays as it is."""
        job = await gateway.find(gateway.access.visitor(request), prediction_id)
        await gateway.engine.cancel(job)
        return answer(await view(gateway, job, gateway.base(request)))

    @app.post("/api/v3/predictions", response_model=Envelope, **guarded())
    async def listed(request: Request, body: Page | None = None) -> JSONResponse:
        """List the last week's predictions, the newest first."""
        visitor, page = gateway.access.visitor(request), body or Page.model_validate({})
        jobs = await gateway.engine.page(visitor.owner, time.time() - LISTED, page.page_size, page.page)
        base = gateway.base(request)
        items = [{**await view(gateway, each, base), "input": input_of(gateway, each, base)} for each in jobs]
        return answer({"page": page.page, "items": items})

    @app.post("/api/v3/predictions/delete", response_model=Envelope, **guarded())
    async def delete(request: Request, body: Ids) -> JSONResponse:
        """Delete predictions with their pictures; one that still runs is stopped first."""
        visitor = gateway.access.visitor(request)
        ids = [each for each in body.ids if each.isascii()]  # ours are; others may not even be text
        return answer({"deleted_count": await gateway.engine.delete(visitor.owner, ids)})


def _account(app: FastAPI, gateway: ApiGateway, hooks: Hooks) -> None:
    """Add what is asked of the account."""

    @app.get("/api/v3/balance", response_model=Envelope, **guarded())
    async def balance(request: Request) -> JSONResponse:
        """Return how many dollars this API may still spend today; runs on the owner's machine cost none."""
        gateway.access.visitor(request)
        return answer({"balance": await gateway.balance()})

    @app.get("/api/v3/webhook/secret", response_model=Envelope, **guarded())
    async def secret(request: Request) -> JSONResponse:
        """Tell the secret that this key's webhooks are signed with."""
        return answer({"secret": hooks.secret(gateway.access.visitor(request).owner)})

    @app.get("/api/v3/models", response_model=Envelope, **guarded())
    async def models(request: Request) -> JSONResponse:
        """List the models."""
        gateway.access.visitor(request)
        return answer([_facts(gateway, name, gateway.base(request)) for name in gateway.models])

    @app.post("/api/v3/model/price", response_model=Envelope, **guarded())
    async def price(request: Request, body: Quote) -> JSONResponse:
        """Tell what a run costs in dollars."""
        gateway.access.visitor(request)
        if body.model_id not in gateway.models:
            raise BadParameter(
                "model-unknown", field="model_id", model=repr(body.model_id[:80]), models=", ".join(gateway.models)
            )
        return answer({"price": (await gateway.engine.backend(gateway.models[body.model_id]).price()).dollars})


def _facts(gateway: ApiGateway, name: str, base: str) -> dict[str, Any]:
    spec = gateway.engine.specs[gateway.models[name]]
    schema = {"type": "model_run", "method": "POST", "server": base, "api_path": f"/api/v3/{name}"}
    return {
        "model_id": name,
        "name": name,
        "base_price": spec.price,
        "description": str(spec.label),
        "type": "image-to-image",
        "api_schema": {"api_schemas": [{**schema, "request_schema": Submit.model_json_schema()}]},
    }
