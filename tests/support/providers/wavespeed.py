"""A stand-in of WaveSpeedAI, after its model page and PROVIDERS.md."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.providers.aimlapi import number
from tests.support.providers.pictures import drawn, fetched

MODEL = "wavespeed-ai/flux-srpo/image-to-image"
KEY = "wave-good-key"
SECRET = "whsec_stand_in"

RULES: dict[str, Any] = {
    "prompt": lambda v: isinstance(v, str) and bool(v),
    "image": lambda v: isinstance(v, str) and v.startswith(("http://", "https://", "data:image/")),
    "strength": lambda v: number(v) and 0 <= v <= 1,
    "num_inference_steps": lambda v: isinstance(v, int) and 1 <= v <= 50,
    "seed": lambda v: isinstance(v, int) and -1 <= v <= 2147483647,
    "guidance_scale": lambda v: number(v) and 1 <= v <= 20,
    "output_format": lambda v: v in ("jpeg", "png"),
    "enable_base64_output": lambda v: isinstance(v, bool),
    "enable_sync_mode": lambda v: isinstance(v, bool),
}
REQUIRED = ("prompt", "image")


@dataclass
class Prediction:
    """A task at the provider."""

    id: str
    body: dict[str, Any]
    created: float
    seconds: float
    failure: tuple[str, int | None, str] | None = None
    nsfw: bool = False
    base_url: str = ""
    output: bytes = b""
    done: float | None = None


@dataclass
class Wavespeed:
    """The provider.

    Attributes:
        seconds: how long a task takes, by up to the share `spread` more or less.
        refuse: the next answers to submits: a status, a message, headers.
        failures: how the next tasks end: a status word, a code, the words.
        looks: the next answers to questions for a task: a status each; 200 answers truly.
        tickets: whether the newer upload is there.
        sync_limit: seconds after which the sync mode answers `processing`, 5004.
        submits, uploads, polls: what was asked, in order.
    """

    seconds: float = 0.0
    spread: float = 0.0
    refuse: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    failures: list[tuple[str, int | None, str] | None] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    nsfw: list[bool] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    tickets: bool = True
    sync_limit: float = 90.0
    balance: float = 7.25
    submits: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    polls: list[tuple[float, str]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    tasks: dict[str, Prediction] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    hooks: list[asyncio.Task[None]] = field(default_factory=list)

    def app(self) -> Starlette:
        """Return the ASGI app."""
        return Starlette(
            routes=[
                Route(f"/api/v3/{MODEL}", self.submit, methods=["POST"]),
                Route("/api/v3/predictions/{id}/result", self.result),
                Route("/api/v3/media/uploads", self.ticket, methods=["POST"]),
                Route("/api/v3/media/upload/binary", self.binary, methods=["POST"]),
                Route("/put/{name}", self.put, methods=["PUT"]),
                Route("/api/v3/balance", self.balance_of),
                Route("/api/v3/model/price", self.price, methods=["POST"]),
                Route("/files/{name}", self.file),
            ]
        )

    def finish(self, after: float = 0.0) -> None:
        """Let every task be done so many seconds from now, and those to come in as many."""
        self.seconds = after
        for task in self.tasks.values():
            task.seconds = time.monotonic() - task.created + after if after else 0.0

    def note(self, request: Request) -> None:
        self.asked.append((request.method, request.url.path, dict(request.headers)))

    def envelope(
        self, code: int, message: str, data: Any = None, headers: dict[str, str] | None = None
    ) -> JSONResponse:
        return JSONResponse({"code": code, "message": message, "data": data}, code, headers)

    def stranger(self, request: Request) -> JSONResponse | None:
        self.note(request)
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return self.envelope(401, "unauthorized")
        return None

    async def submit(self, request: Request) -> Response:
        body = await request.json()
        self.submits.append(body)
        if refused := self.stranger(request):
            return refused
        if self.refuse:
            status, message, headers = self.refuse.pop(0)
            return self.envelope(status, message, headers=headers)
        for name in body.keys() - RULES.keys():
            return self.envelope(400, f"unknown field {name}")
        for name in REQUIRED:
            if name not in body:
                return self.envelope(400, f"{name} is required")
        for name, value in body.items():
            if not RULES[name](value):
                return self.envelope(400, f"{name} is out of range")
        failure = self.failures.pop(0) if self.failures else None
        nsfw = self.nsfw.pop(0) if self.nsfw else False
        output = b""
        if not failure:
            output = drawn(await fetched(body["image"]), body["seed"], body.get("output_format", "jpeg"))
        seconds = self.seconds * random.uniform(1 - self.spread, 1 + self.spread)
        task = Prediction(
            uuid.uuid4().hex, body, time.monotonic(), seconds, failure, nsfw, str(request.base_url), output
        )
        self.tasks[task.id] = task
        if hook := request.query_params.get("webhook"):
            self.hooks.append(asyncio.create_task(self.call(hook, task)))
        if body.get("enable_sync_mode"):
            await asyncio.sleep(min(self.sync_limit, self.seconds))
            if self.seconds > self.sync_limit:
                view = {**self.view(task), "status": "processing", "code": 5004, "error": "sync mode timed out"}
                return JSONResponse({"code": 200, "message": "success", "data": view})
        return JSONResponse({"code": 200, "message": "success", "data": self.view(task)})

    def view(self, task: Prediction) -> dict[str, Any]:
        age = time.monotonic() - task.created
        data: dict[str, Any] = {
            "id": task.id,
            "model": MODEL,
            "outputs": [],
            "urls": {"get": f"https://api.wavespeed.ai/api/v3/predictions/{task.id}/result"},
            "status": "created" if age < min(0.3, task.seconds / 2) else "processing",
            "created_at": "2026-11-01T10:00:00.000Z",
            "error": "",
        }
        if age < task.seconds:
            if self.words and data["status"] == "processing":
                data["status"] = self.words.pop(0)
            return data
        task.done = task.done or task.created + task.seconds
        if task.failure:
            status, code, words = task.failure
            return {**data, "status": status, "error": words, **({"code": code} if code else {})}
        kind = task.body.get("output_format", "jpeg")
        name = f"{task.id}.{kind}"
        self.files[name] = task.output
        inline = f"data:image/{kind};base64,{base64.b64encode(task.output).decode()}"
        output = inline if task.body.get("enable_base64_output") else f"{task.base_url}files/{name}"
        return {
            **data,
            "status": "completed",
            "outputs": [output],
            "has_nsfw_contents": [task.nsfw],
            "timings": {"inference": round(task.seconds * 1000)},
        }

    async def result(self, request: Request) -> Response:
        self.polls.append((time.monotonic(), request.path_params["id"]))
        if refused := self.stranger(request):
            return refused
        status = self.looks.pop(0) if self.looks else 200
        if status != 200:
            return self.envelope(status, "trouble")
        task = self.tasks.get(request.path_params["id"])
        if task is None:
            return self.envelope(404, "not found")
        return JSONResponse({"code": 200, "message": "success", "data": self.view(task)})

    async def ticket(self, request: Request) -> Response:
        if refused := self.stranger(request):
            return refused
        if not self.tickets:
            return self.envelope(404, "not found")
        body = await request.json()
        assert body.keys() <= {"filename", "size", "content_type"}
        name = uuid.uuid4().hex
        self.uploads.append("ticket")
        upload = {
            "method": "PUT",
            "url": f"{request.base_url}put/{name}",
            "headers": {"x-upload": name},
            "expires_at": "z",
        }
        return self.envelope(200, "success", {"download_url": f"{request.base_url}files/{name}", "upload": upload})

    async def put(self, request: Request) -> Response:
        self.note(request)
        assert "authorization" not in request.headers, "the key went to the file store"
        assert request.headers["x-upload"] == request.path_params["name"]
        self.files[request.path_params["name"]] = await request.body()
        return Response()

    async def binary(self, request: Request) -> Response:
        if refused := self.stranger(request):
            return refused
        async with request.form() as form:
            file: Any = form["file"]
            data = await file.read()
        name = uuid.uuid4().hex
        self.files[name] = data
        self.uploads.append("binary")
        url = f"{request.base_url}files/{name}"
        return self.envelope(
            200, "success", {"type": "image", "download_url": url, "filename": name, "size": len(data)}
        )

    async def balance_of(self, request: Request) -> Response:
        return self.stranger(request) or self.envelope(200, "success", {"balance": self.balance})

    async def price(self, request: Request) -> Response:
        if refused := self.stranger(request):
            return refused
        body = await request.json()
        assert body["model_id"] == MODEL
        return self.envelope(200, "success", {"price": 0.023})

    async def file(self, request: Request) -> Response:
        self.note(request)
        assert "authorization" not in request.headers, "the key went to the file server"
        data = self.files.get(request.path_params["name"])
        return Response(data, media_type="image/jpeg") if data else Response("gone", 404)

    async def call(self, hook: str, task: Prediction) -> None:
        """Tell the app that a task has ended, as the page says it is told."""
        await asyncio.sleep(task.seconds)
        body = json.dumps(self.view(task)).encode()
        stamp = str(int(time.time()))
        text = f"{task.id}.{stamp}.".encode() + body
        digest = hmac.new(SECRET.removeprefix("whsec_").encode(), text, hashlib.sha256).hexdigest()
        headers = {"webhook-id": task.id, "webhook-timestamp": stamp, "webhook-signature": f"v3,{digest}"}
        async with httpx.AsyncClient(timeout=None, verify=False) as client:
            await client.post(hook, content=body, headers=headers)
