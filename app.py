"""SRPO Studio: settings -> backends -> engine -> web app. Nothing else knows everybody."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.backend import Backend
from core.engine import Engine
from core.image_store import drop_older
from core.limits import Limits
from core.links import Links, lasting_secret
from core.secrets import redactor, revealed
from core.settings import Settings, SettingsError
from core.store import Store, StoreError
from server import health, logs
from server.door import Door, Rules

if TYPE_CHECKING:
    from backends._fetch import ImageFetcher
    from ui.mcp_tool import McpEndpoint

log = logging.getLogger(__name__)


def main() -> None:
    """Start the app and serve until it is stopped."""
    logs.configure(sys.stderr)
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    for secret in settings.secrets:
        redactor.learn(revealed(secret), for_ever=True)
    # Gradio reads its folder when it is imported; everything that is kept lies under one folder of ours.
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "uploads")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"  # it remembers them all the same; nobody here reads them
    # What a Space, a container or systemd sends ends the app as Ctrl+C does: runs stopped, connections closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        launch(settings)
    except (StoreError, SettingsError) as error:
        sys.exit(str(error))


def launch(settings: Settings) -> None:
    """Put the house together and serve it; returns when the server was stopped."""
    from backends import all_backends
    from backends._fetch import HookCaller, ImageFetcher
    from server.doors import open_doors
    from ui import build
    from ui.page import QUEUE, launch_options

    store = Store(settings.data_dir)
    links = Links(lasting_secret(settings.data_dir))

    def publish(data: bytes, mime: str) -> str | None:
        base = settings.public_url
        return base + links.sign(f"/files/{store.images.put(data, mime).name}") if base else None

    backends = all_backends(settings, publish)
    for backend in backends.values():
        backend.prepare()
    engine = Engine(backends, store, settings.queue_size, Limits(settings.caps), rerun=settings.rerun)
    fetch = ImageFetcher(max_bytes=settings.caps.max_bytes)
    doors = open_doors(engine, settings, links, fetch, HookCaller(settings.webhook_origins))
    mcp = mcp_endpoint(engine, fetch, body_limit(settings)) if settings.mcp else None

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        await engine.recover()
        await doors.hooks.recover()
        tidying = asyncio.create_task(tidy_hourly(engine, settings.data_dir / "uploads"))
        async with mcp.running() if mcp is not None else nullcontext():
            yield
        tidying.cancel()
        try:
            await doors.close()
        finally:
            await engine.close()

    demo = build(engine, fetch, settings.sign_in)
    demo.queue(max_size=4 * settings.queue_size, **QUEUE)
    own = (urlsplit(settings.public_url).netloc,) if settings.public_url else ()
    rules = Rules(public=settings.public, max_body=body_limit(settings), hops=settings.trusted_proxies, hosts=own)
    further = [*health.routes(engine, revealed(settings.metrics_token)), *webhooks(backends), *doors.routes]
    further += mcp.routes if mcp is not None else []
    options = launch_options(engine, links, further, [Middleware(Door, rules)])
    options["app_kwargs"]["lifespan"] = lifespan
    demo.launch(
        server_name=settings.server_name,
        server_port=settings.server_port,
        mcp_server=False,  # ours answers there: see `ui.mcp_tool`
        **options,
    )


def mcp_endpoint(engine: Engine, fetch: ImageFetcher, max_body: int) -> McpEndpoint:
    """Return what answers MCP clients; their library takes a second to import."""
    from ui.mcp_tool import McpEndpoint

    return McpEndpoint(engine, fetch, max_body)


def body_limit(settings: Settings) -> int:
    """Return the bytes of the largest request: a reference in base64, and words around it."""
    return settings.caps.max_bytes * 4 // 3 + 1_000_000


async def tidy_hourly(engine: Engine, uploads: Path) -> None:
    """Remove old files, now and for ever; the framework forgets its own when the process is killed."""
    while True:
        try:
            await asyncio.to_thread(drop_older, uploads, engine.limits.caps.cache_age)
            await engine.tidy()
        except Exception:
            log.exception("old files could not be removed")
        await asyncio.sleep(3600)


def webhooks(backends: Mapping[str, Backend]) -> list[Route]:
    """Return a route for each backend whose provider may call: it answers 401 to whoever else does."""

    def route(call: Callable[[Mapping[str, str], bytes, float], bool], path: str) -> Route:
        async def hook(request: Request) -> Response:
            taken = call(request.headers, await request.body(), time.time())
            return Response(status_code=200 if taken else 401)

        return Route(path, hook, methods=["POST"])

    from backends.wavespeed import HOOK_PATH, WavespeedBackend

    return [route(each.webhook, HOOK_PATH) for each in backends.values() if isinstance(each, WavespeedBackend)]


if __name__ == "__main__":
    main()
