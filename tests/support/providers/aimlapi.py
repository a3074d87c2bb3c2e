"""A stand-in of AI/ML API, after its model page, OpenAPI schema and PROVIDERS.md."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.providers.pictures import drawn, fetched

MODEL = "flux/srpo/image-to-image"
KEY = "aiml-good-key"

RULES: dict[str, Any] = {
    "model": lambda v: v == MODEL,
    "prompt": lambda v: isinstance(v, str) and len(v) <= 4000,
    "image_url": lambda v: isinstance(v, str) and v.startswith(("http://", "https://", "data:image/")),
    "strength": lambda v: number(v) and 0 <= v <= 1,
    "num_inference_steps": lambda v: isinstance(v, int) and 1 <= v <= 50,
    "guidance_scale": lambda v: number(v) and 1 <= v <= 20,
    "seed": lambda v: isinstance(v, int) and v >= 1,
    "num_images": lambda v: number(v) and 1 <= v <= 4,
    "enable_safety_checker": lambda v: isinstance(v, bool),
    "sync_mode": lambda v: isinstance(v, bool),
    "output_format": lambda v: v in ("jpeg", "png"),
    "acceleration": lambda v: v in ("none", "regular", "high"),
}
REQUIRED = ("model", "prompt", "image_url")


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass
class Aimlapi:
    """The provider.

    Attributes:
        seconds: how long a run takes.
        refuse: the next answers to runs, each a status, a message and headers; used up one by one.
        nsfw: flags of the next run's images.
        balance: US dollars.
        runs: the bodies of the runs that were taken or refused, in order.
        asked: every request: method, path, headers.
    """

    seconds: float = 0.0
    refuse: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    nsfw: list[bool] = field(default_factory=list)
    balance: float = 12.5
    runs: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    shape: str = "page"

    def app(self) -> Starlette:
        """Return the ASGI app."""
        return Starlette(
            routes=[
                Route("/v1/images/generations", self.generate, methods=["POST"]),
                Route("/v2/billing", self.billing),
                Route("/v1/models", self.models),
                Route("/files/{name}", self.file),
            ]
        )

    def note(self, request: Request) -> None:
        self.asked.append((request.method, request.url.path, dict(request.headers)))

    def error(self, status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
        body = {
            "message": message,
            "path": "/v1/images/generations",
            "requestId": "4a2c",
            "statusCode": str(status),
            "timestamp": "2026-11-01T10:00:00.000Z",
        }
        return JSONResponse(body, status, headers)

    def stranger(self, request: Request) -> JSONResponse | None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return self.error(401, "Invalid API key")
        return None

    async def generate(self, request: Request) -> Response:
        self.note(request)
        body = await request.json()
        self.runs.append(body)
        if refused := self.stranger(request):
            return refused
        if self.refuse:
            status, message, headers = self.refuse.pop(0)
            return self.error(status, message, headers)
        for name in body.keys() - RULES.keys():
            return self.error(400, f"Unknown field {name}")
        for name in REQUIRED:
            if name not in body:
                return self.error(400, f"{name} is required")
        for name, value in body.items():
            if not RULES[name](value):
                return self.error(400, f"{name} is not valid")
        await asyncio.sleep(self.seconds)
        return await self.answer(request, body)

    async def answer(self, request: Request, body: dict[str, Any]) -> JSONResponse:
        reference = await fetched(body["image_url"])
        seed = body.get("seed") or random.randint(1, 2**31 - 1)
        images = []
        for index in range(int(body.get("num_images", 1))):
            data = drawn(reference, seed + index, body.get("output_format", "jpeg"))
            kind = body.get("output_format", "jpeg")
            name = f"{hashlib.sha256(data).hexdigest()[:20]}.{kind}"
            self.files[name] = data
            inline = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
            url = inline if body.get("sync_mode") else f"{request.base_url}files/{name}"
            images.append({"url": url, "content_type": f"image/{kind}"})
        full = {
            "images": images,
            "data": images,
            "timings": {"inference": self.seconds or 0.947831045370549},
            "seed": seed,
            "has_nsfw_concepts": self.nsfw or [False] * len(images),
            "prompt": body["prompt"],
            "meta": {"usage": {"tokens_used": 52500 * len(images)}},
        }
        schema_only = {"data": images, "meta": {"usage": {"credits_used": 52500 * len(images)}}}
        headers = {"x-inference-id": "inf-1", "x-aimlapi-usd-spent": f"{0.02625 * len(images):.5f}"}
        shapes: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
            "page": (full, headers),
            "schema": (schema_only, {}),
            "nulls": ({"data": None, "images": images, "meta": None}, {}),
            "choices": ({"output": {"choices": [{"image_base64": base64.b64encode(data).decode()}]}}, {}),
            "empty": ({"data": [], "meta": {"usage": None}}, {}),
        }
        content, extra = shapes[self.shape]
        return JSONResponse(content, 201 if self.shape == "schema" else 200, extra)

    async def billing(self, request: Request) -> Response:
        self.note(request)
        return self.stranger(request) or JSONResponse({"current_balance": self.balance, "currency": "USD"})

    async def models(self, request: Request) -> Response:
        self.note(request)
        return JSONResponse({"data": [{"id": MODEL, "pricing": {"image": 0.0291}}]})

    async def file(self, request: Request) -> Response:
        self.note(request)
        data = self.files.get(request.path_params["name"])
        return Response(data, media_type="image/jpeg") if data else Response("gone", 404)
