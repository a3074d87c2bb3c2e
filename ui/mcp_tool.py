"""The switch STUDIO_MCP: `/edit` as a tool for MCP clients, over streamable HTTP at `/gradio_api/mcp/`.

Gradio can offer its endpoints by itself. Its layer names no range, reads no address under our rules, takes at most
4 MB, and answers with one text that holds the server's own paths; hence ours, at the address where clients look for it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp.types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.about import VERSION
from core.errors import BadParameter, StudioError
from core.events import JobEvent, Loading, Progress, Queued, Working
from core.job import Job, Source
from core.messages import say
from core.result import Made
from core.spec import MAX_PROMPT, Choice, Toggle
from core.terms import TERMS
from engine.engine import Engine
from engine.images import Images
from engine.services import Services
from ui.edit_api import INPUTS, KINDS, choose, report, run_edit
from ui.image_input import DESCRIPTION as IMAGE_FORMS
from ui.image_input import Fetch, read_image
from ui.ownership import visitor_of

log = logging.getLogger(__name__)

PATHS = ("/gradio_api/mcp", "/gradio_api/mcp/", "/gradio_api/mcp/http", "/gradio_api/mcp/http/")
SCHEMA = "/gradio_api/mcp/schema"
"""Where the hub's own MCP server reads the tools of a Space."""
NAME = "edit"
DESCRIPTION = (
    "Edit a reference image by a prompt with FLUX SRPO image-to-image. Returns the images, and a report with the "
    "seeds, settings and notices, enough to repeat the result."
)
REPORT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "backend": {"type": "string"},
        "seed": {"type": "integer"},
        "seeds": {"type": "array", "items": {"type": "integer"}},
        "steps_run": {"type": "integer"},
        "width": {"type": ["integer", "null"]},
        "height": {"type": ["integer", "null"]},
        "timings": {"type": "object", "description": "Seconds by stage."},
        "cost": {"type": ["number", "null"], "description": "US dollars; null where it is not known."},
        "recipe": {"type": "object", "description": "All that would repeat the images, as docs/recipe.schema.json."},
        "settings": {"type": "object"},
        "notices": {"type": "array", "items": {"type": "string"}},
        "withheld": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["backend", "seed", "seeds", "steps_run", "settings", "notices", "withheld"],
}


class McpEndpoint:
    """Answers MCP clients.

    Args:
        services: do the work.
        fetch: reads a public address or data URI into bytes, or raises a StudioError.
        max_body: bytes of a request.
    """

    def __init__(self, services: Services, fetch: Fetch, max_body: int) -> None:
        self._services = services
        self._engine = services.engine
        self._fetch = fetch
        self._server: Server[Any, Request] = Server("SRPO Studio", VERSION)
        self._server.list_tools()(self._list)  # type: ignore[no-untyped-call]
        # What does not fit is refused in our own words, which name the field and do not repeat a picture.
        self._server.call_tool(validate_input=False)(self._call)
        logging.getLogger("mcp").setLevel(logging.WARNING)  # else two lines a request
        self._manager = StreamableHTTPSessionManager(self._server, stateless=True, max_request_body_size=max_body)

    @property
    def routes(self) -> list[Route]:
        """The routes of the endpoint."""

        async def schema(_: Request) -> Response:
            return JSONResponse([each.model_dump(exclude_none=True) for each in await self._list()])

        return [*(Route(path, self) for path in PATHS), Route(SCHEMA, schema)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve as long as the context is open; once in the life of an endpoint."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a browser gets a sentence on what the address is for."""
        accept = dict(scope["headers"]).get(b"accept", b"")
        if scope["method"] in ("GET", "HEAD") and b"text/event-stream" not in accept:
            await PlainTextResponse(say("mcp-address"))(scope, receive, send)
            return
        await self._manager.handle_request(scope, receive, send)

    async def _list(self) -> list[mcp.types.Tool]:
        tool = mcp.types.Tool(
            name=NAME, description=DESCRIPTION, inputSchema=input_schema(self._engine), outputSchema=REPORT
        )
        return [tool]

    async def _call(self, name: str, arguments: dict[str, Any]) -> mcp.types.CallToolResult:
        try:
            return await self._edit(name, dict(arguments))
        except StudioError as error:
            return _failed(str(error))
        except Exception:
            log.exception("a call by MCP failed")
            return _failed(say("app-broke"))

    async def _edit(self, name: str, arguments: dict[str, Any]) -> mcp.types.CallToolResult:
        if name != NAME:
            raise BadParameter("tool-unknown", field="name", tool=repr(name[:40]), tools=NAME)
        unknown = next((each for each in arguments if each not in ("image", *INPUTS)), None)
        if unknown is not None:
            raise BadParameter("input-unknown", field=unknown[:40], inputs=", ".join(("image", *INPUTS)))
        context = self._server.request_context
        assert context.request is not None
        image, prompt, backend = (arguments.pop(each, None) for each in ("image", "prompt", "backend"))
        raw = {name: arguments.get(name, term.default) for name, term in TERMS.items()}
        reading = read_image(image, context.request, self._fetch, self._services)
        token = context.meta.progressToken if context.meta is not None else None

        async def follow(event: JobEvent) -> None:
            progress = _progress(event)
            if token is not None and progress is not None:
                done, total, words = progress
                await context.session.send_progress_notification(
                    token, done, total, words, related_request_id=str(context.request_id)
                )

        visitor = visitor_of(context.request)
        job, result = await run_edit(self._engine, reading, prompt, backend, raw, visitor, follow, Source.MCP)
        facts = report(job, result)
        text = mcp.types.TextContent(type="text", text=json.dumps(facts, ensure_ascii=False))
        return mcp.types.CallToolResult(
            content=[text, *await asyncio.to_thread(_images, job, self._services.images)], structuredContent=facts
        )


def _images(job: Job, images: Images) -> list[mcp.types.ImageContent]:
    """Return a run's pictures as MCP has them."""
    assert job.result is not None
    return [
        mcp.types.ImageContent(
            type="image",
            data=base64.b64encode(images.path(made.image.name).read_bytes()).decode(),
            mimeType=made.image.mime,
        )
        for made in job.result.images
        if isinstance(made, Made)
    ]


def _failed(words: str) -> mcp.types.CallToolResult:
    return mcp.types.CallToolResult(content=[mcp.types.TextContent(type="text", text=words)], isError=True)


def _progress(event: JobEvent) -> tuple[float, float, str] | None:
    """Return what is done, of how much, and where a run is; None for what is no progress."""
    match event:
        case Queued(position):
            return 0, 1, say("mcp-queued", position=position)
        case Loading(stage, done, total):
            return done, total, say("mcp-loading", stage=stage)
        case Progress(step, total):
            return step, total, say("mcp-step", step=step, total=total)
        case Working(status, done, total):
            return done, total, status
    return None


def input_schema(engine: Engine) -> dict[str, Any]:
    """Return the tool's inputs as a JSON schema: ranges over all backends, defaults of the one that runs unasked."""
    specs = engine.specs
    usual = choose(engine, None).spec
    properties: dict[str, Any] = {
        "image": {"type": "string", "minLength": 1, "description": IMAGE_FORMS},
        "prompt": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_PROMPT,
            "description": INPUTS["prompt"].description,
        },
        "backend": {
            "type": "string",
            "enum": list(specs),
            "default": usual.key,
            "description": "Who makes the images. "
            + " ".join(f"{key} is {spec.label}." for key, spec in specs.items()),
        },
    }
    for name, term in TERMS.items():
        params = [spec.by_name[name] for spec in specs.values() if name in spec.by_name]
        if not params:
            continue
        own = usual.by_name.get(name)
        value = term.default if term.default is not None else own.default if own is not None else None
        properties[name] = {
            **_kind(params),
            **({} if value is None else {"default": value}),
            "description": " ".join(filter(None, (term.described, _defaults(engine, name, term.default)))),
        }
    return {
        "type": "object",
        "properties": properties,
        "required": ["image", "prompt"],
        "additionalProperties": False,
    }


def _kind(params: list[Any]) -> dict[str, Any]:
    """Return the type and range of a parameter that several backends have, each with a range of its own."""
    first = params[0]
    kind: dict[str, Any] = {"type": KINDS[type(first)]}
    if isinstance(first, Choice):
        return {**kind, "enum": list(dict.fromkeys(each for param in params for each in param.choices))}
    if isinstance(first, Toggle):
        return kind
    ends = [(param.minimum, param.maximum) for param in params]
    return {**kind, "minimum": min(low for low, _ in ends), "maximum": max(high for _, high in ends)}


def _defaults(engine: Engine, name: str, default: Any) -> str:
    """Return the backends' own defaults in words, nothing where they are the same or the endpoint has its own."""
    own = {key: spec.by_name[name].default for key, spec in engine.specs.items() if name in spec.by_name}
    if default is not None or len(set(own.values())) < 2:
        return ""
    return f"Default by backend: {', '.join(f'{key} {value}' for key, value in own.items())}."
