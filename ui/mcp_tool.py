"""The switch STUDIO_MCP: `/edit` and `/experiment` as tools of MCP, over streamable HTTP at `/gradio_api/mcp/`.

Gradio can offer its endpoints by itself. Its layer names no range, reads no address under our rules, takes at most
4 MB, and answers with one text that holds the server's own paths; hence ours, at the address where clients look for it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
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
from core.image_types import MIME_OF
from core.imaging.images import Reference
from core.job import Source, Visitor
from core.messages import say
from core.result import Made
from core.spec import MAX_PROMPT, Choice, Toggle
from core.terms import TERMS
from engine.engine import Engine
from engine.images import Images
from engine.services import Services
from ui.edit_api import INPUTS, KINDS, choose, report, run_edit
from ui.endpoints import NAMES
from ui.experiment_api import INPUTS as OF_EXPERIMENT
from ui.experiment_api import PARAMS, Asked, MadeCell, run_experiment
from ui.image_input import DESCRIPTION as IMAGE_FORMS
from ui.image_input import NEEDED, Fetch, read_image
from ui.ownership import visitor_of

log = logging.getLogger(__name__)

PATHS = ("/gradio_api/mcp", "/gradio_api/mcp/", "/gradio_api/mcp/http", "/gradio_api/mcp/http/")
SCHEMA = "/gradio_api/mcp/schema"
"""Where the hub's own MCP server reads the tools of a Space."""
MOST_BYTES = 30_000_000
"""Of the images in one answer of an experiment, which is held in memory as a whole."""
EDIT, EXPERIMENT = NAMES
DESCRIPTIONS = {
    EDIT: "Edit a reference image by a prompt with FLUX SRPO image-to-image. Returns the images, and a report with the "
    "seeds, settings and notices, enough to repeat the result.",
    EXPERIMENT: "Edit a reference image many times with settings that differ along one to three axes. Returns the "
    "images, and a table of all runs; the file of a run is the number of its image in the answer, from 0.",
}
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
TABLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "experiment": {"type": "string"},
        "backend": {"type": "string"},
        "runs": {"type": "integer"},
        "made": {"type": "integer"},
        "cost": {"type": "number", "description": "US dollars."},
        "seconds": {"type": "number"},
        "recipe": {"type": "object", "description": "All that would repeat the experiment: reference, base and axes."},
        "notices": {"type": "array", "items": {"type": "string"}},
        "table": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "axes": {"type": "object", "description": "The value of each axis."},
                    "state": {"type": "string"},
                    "seed": {"type": "integer"},
                    "cost": {"type": ["number", "null"], "description": "US dollars; null where it is not known."},
                    "seconds": {"type": ["number", "null"]},
                    "file": {"type": ["integer", "null"], "description": "Which of the images it is, from 0."},
                    "error": {"type": ["string", "null"]},
                },
                "required": ["axes", "state", "seed", "file"],
            },
        },
    },
    "required": ["experiment", "backend", "runs", "made", "table", "notices"],
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
        schemas = ((EDIT, input_schema(self._engine), REPORT), (EXPERIMENT, experiment_schema(self._engine), TABLE))
        return [
            mcp.types.Tool(name=name, description=DESCRIPTIONS[name], inputSchema=taken, outputSchema=given)
            for name, taken, given in schemas
        ]

    async def _call(self, name: str, arguments: dict[str, Any]) -> mcp.types.CallToolResult:
        try:
            return await self._run(name, dict(arguments))
        except StudioError as error:
            return _failed(str(error))
        except Exception:
            log.exception("a call by MCP failed")
            return _failed(say("app-broke"))

    async def _run(self, name: str, arguments: dict[str, Any]) -> mcp.types.CallToolResult:
        if name not in NAMES:
            raise BadParameter("tool-unknown", field="name", tool=repr(name[:40]), tools=", ".join(NAMES))
        inputs = ("image", *(INPUTS if name == EDIT else OF_EXPERIMENT))
        unknown = next((each for each in arguments if each not in inputs), None)
        if unknown is not None:
            raise BadParameter("input-unknown", field=unknown[:40], inputs=", ".join(inputs))
        context = self._server.request_context
        assert context.request is not None
        reading = read_image(arguments.pop("image", None), context.request, self._fetch, self._services)
        visitor = visitor_of(context.request)
        run = self._edit if name == EDIT else self._experiment
        return await run(arguments, reading, visitor)

    async def _edit(
        self, arguments: dict[str, Any], reading: Awaitable[Reference], visitor: Visitor
    ) -> mcp.types.CallToolResult:
        prompt, backend = (arguments.get(each) for each in ("prompt", "backend"))
        raw = {name: arguments.get(name, term.default) for name, term in TERMS.items()}
        tell = self._teller()

        async def follow(event: JobEvent) -> None:
            progress = _progress(event)
            if progress is not None:
                await tell(*progress)

        job, result = await run_edit(self._engine, reading, prompt, backend, raw, visitor, follow, Source.MCP)
        images = [(each.image.mime, each.image.name) for each in result.images if isinstance(each, Made)]
        return _answered(report(job, result), await asyncio.to_thread(_images, images, self._services.images))

    async def _experiment(
        self, arguments: dict[str, Any], reading: Awaitable[Reference], visitor: Visitor
    ) -> mcp.types.CallToolResult:
        if arguments.get("axes") in (None, ""):
            raise BadParameter(NEEDED["axes"], field="axes")
        params = {name: arguments.get(name, OF_EXPERIMENT[name].default) for name in PARAMS}
        prompt, axes, backend, style, confirm = (
            arguments.get(each) for each in ("prompt", "axes", "backend", "style", "confirm")
        )
        tell = self._teller()

        async def follow(done: int, total: int) -> None:
            await tell(done, total, say("experiment-progress", done=done, total=total))

        asked = Asked(prompt, axes, backend, style, confirm, params)
        made = await run_experiment(self._services, reading, asked, visitor, follow)
        shown, size = list[tuple[MadeCell, str]](), 0
        for cell, file in made.pictures:
            size += (cell.result.bytes or 0) if cell.result is not None else 0
            if size > MOST_BYTES:
                break
            shown.append((cell, file))
        images = [(MIME_OF[Path(file).suffix], file) for _, file in shown]
        files = {cell.row.place: number for number, (cell, _) in enumerate(shown)}
        facts = {**made.report(), "table": made.table(files)}
        if len(shown) < len(made.pictures):
            left_out = say("experiment-images-left-out", count=len(made.pictures) - len(shown))
            facts["notices"] = [*facts["notices"], left_out]
        return _answered(facts, await asyncio.to_thread(_images, images, self._services.images))

    def _teller(self) -> Callable[[float, float, str], Awaitable[None]]:
        """Return what tells a client that wants it how far its call is."""
        context = self._server.request_context
        token = context.meta.progressToken if context.meta is not None else None

        async def tell(done: float, total: float, words: str) -> None:
            if token is not None:
                await context.session.send_progress_notification(
                    token, done, total, words, related_request_id=str(context.request_id)
                )

        return tell


def _answered(facts: dict[str, Any], images: list[mcp.types.ImageContent]) -> mcp.types.CallToolResult:
    """Return an answer: facts as text and as structured content, and images."""
    text = mcp.types.TextContent(type="text", text=json.dumps(facts, ensure_ascii=False))
    return mcp.types.CallToolResult(content=[text, *images], structuredContent=facts)


def _images(named: Sequence[tuple[str, str]], images: Images) -> list[mcp.types.ImageContent]:
    """Return pictures as MCP has them, of their types and stored names."""
    return [
        mcp.types.ImageContent(
            type="image", data=base64.b64encode(images.path(name).read_bytes()).decode(), mimeType=mime
        )
        for mime, name in named
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


def experiment_schema(engine: Engine) -> dict[str, Any]:
    """Return the inputs of `experiment` as a JSON schema."""
    own = input_schema(engine)["properties"]
    axes = {
        "type": ["string", "array"],
        "minLength": 1,
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "values": {"type": "array"}, "spread": {"type": "object"}},
            "required": ["name"],
        },
        "description": OF_EXPERIMENT["axes"].description,
    }
    properties = {
        "image": own["image"],
        "prompt": own["prompt"],
        "axes": axes,
        "backend": own["backend"],
        "style": {"type": "string", "description": OF_EXPERIMENT["style"].description},
        "confirm": {"type": "boolean", "default": False, "description": OF_EXPERIMENT["confirm"].description},
        **{name: own[name] for name in PARAMS if name in own},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["image", "prompt", "axes"],
        "additionalProperties": False,
    }


def input_schema(engine: Engine) -> dict[str, Any]:
    """Return the inputs of `edit` as a JSON schema: ranges over all backends, defaults of the one that runs unasked."""
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
