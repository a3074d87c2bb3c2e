"""SRPO Studio: settings -> backends -> services -> web app. Nothing else knows everybody."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import health, logs
from api.body_limits import ARCHIVES
from api.connections import connection_options, raise_file_limit
from api.memory import return_freed_memory
from api.middleware import AccessRules, account_identity, protected
from api.serving import Server, ending_signals, exempt_from_proxies, leave, listen, local_url
from api.subpath import SubPath
from core.backend import Backend
from core.links import Links
from core.messages import say
from core.provider import Webhook
from core.secrets import redactor, revealed
from core.settings import Settings, SettingsError
from engine.decoders import Decoders
from engine.engine import Engine
from engine.experiments import Experiments
from engine.images import Images
from engine.live import LiveDrafts
from engine.meters import Meters
from engine.quotas import Quotas
from engine.services import Services
from engine.uploads import Uploads
from storage.async_store import AsyncStore
from storage.files.disk import DiskProbe
from storage.files.image_store import drop_older
from storage.files.secret import lasting_secret
from storage.protocols import Library
from storage.sqlite.database import StoreError
from storage.sqlite.store import Store

if TYPE_CHECKING:
    from backends.http.safe_fetch import ImageFetcher
    from ui.mcp_tool import McpEndpoint

log = logging.getLogger(__name__)

TRASH_EMPTIED = 15.0
"""Seconds between two looks at what was deleted: so much later than its minute its files may be gone."""


def main() -> None:
    """Start the app and serve until it is stopped. What keeps it from starting is said in a sentence."""
    logs.configure(sys.stderr)
    try:
        settings = Settings.from_env(os.environ)
        for secret in settings.secrets:
            redactor.learn(revealed(secret), for_ever=True)
        exempt_from_proxies(os.environ, settings.server_name)
        sockets = listen(settings.server_name, settings.server_port)
        store = Store(settings.data_dir)
        # Gradio reads its folder when it is imported; everything that is kept lies under one folder of ours.
        os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "uploads")
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"  # it remembers them all the same; nobody here reads them
        launch(settings, store, sockets)
    except (StoreError, SettingsError) as error:
        sys.exit(str(error))
    leave(0)


def launch(settings: Settings, store: Store, sockets: list[socket.socket]) -> None:
    """Put the app together and serve it; returns when the server was stopped.

    Args:
        settings: the owner's choices.
        store: the data folder, opened.
        sockets: what the app is served on; they listen already.
    """
    from api.routes import build_api
    from backends import all_backends
    from backends.http.safe_fetch import HookCaller, ImageFetcher
    from ui import build
    from ui.framework import as_visitor
    from ui.page import QUEUE, launch_options
    from ui.web_files import WebFiles

    links = Links(lasting_secret(settings.data_dir), root_path=settings.root_path)

    def publish(data: bytes, mime: str) -> str | None:
        base = settings.public_url
        return base + links.sign(f"/files/{store.images.put(data, mime).name}") if base else None

    backends = all_backends(settings, publish, as_visitor)
    for backend in backends.values():
        backend.prepare()
    async_store = AsyncStore(store)
    services = assemble(backends, async_store, Quotas(settings.caps), settings.queue_size, rerun=settings.rerun)
    engine = services.engine
    fetch = ImageFetcher(max_bytes=settings.caps.max_bytes)
    web = WebFiles()
    own_api = build_api(services, settings, links, fetch, HookCaller(settings.webhook_origins), web.build)
    mcp = mcp_endpoint(services, fetch, body_limit(settings)) if settings.mcp else None

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        # The server answers first: what an earlier process left is taken up beside it, however much that is.
        recovery = engine.start_recovery()
        beside = [
            asyncio.create_task(after(recovery, own_api.hooks.recover)),
            asyncio.create_task(after(recovery, services.experiments.recover)),
            asyncio.create_task(after(recovery, services.meters.recover)),
            asyncio.create_task(return_freed_memory()),
            asyncio.create_task(tidy_hourly(engine, settings.data_dir / "uploads", settings.caps.cache_age)),
            asyncio.create_task(empty_trash(services.library)),
        ]
        async with mcp.running() if mcp is not None else nullcontext():
            yield
        for task in beside:
            task.cancel()
        await own_api.close()

    submit = own_api.jobs.submit_event if settings.zero_gpu else None
    demo = build(services, fetch, web, submit, sign_in=settings.sign_in)
    demo.queue(max_size=4 * settings.queue_size, **QUEUE)
    hooks = [each.webhook for each in engine.providers if each.webhook is not None]
    rules = access_rules(settings, links, async_store.exchange, hooks)
    further = health.routes(engine, services.disk, revealed(settings.metrics_token))
    further += [*map(webhook_route, hooks), *own_api.routes, *(mcp.routes if mcp is not None else ())]
    options = launch_options(services, web, further, [Middleware(account_identity, rules)])
    options["app_kwargs"]["lifespan"] = lifespan
    # No MCP server of the framework's: ours answers at its address, see `ui.mcp_tool`.
    options |= {"mcp_server": False, "root_path": settings.root_path}
    limits = connection_options(raise_file_limit(), settings.trusted_proxies)

    def server(app: Any) -> Server:
        front = SubPath(protected(app, rules), settings.root_path, app.routes)
        return Server(
            front, sockets, services.close, partial(preload, backends) if settings.preload else None, **limits
        )

    serve(demo, sockets, server, **options)


def assemble(
    backends: Mapping[str, Backend], store: AsyncStore, quotas: Quotas, queue_size: int = 50, *, rerun: bool = True
) -> Services:
    """Return the services on a store.

    Args:
        backends: by key, in the order of the screen.
        store: closed with the services.
        quotas: what a visitor may ask for.
        queue_size: jobs that may wait at each backend.
        rerun: see `engine.engine.Engine`.
    """
    decoders = Decoders(quotas.caps)
    engine = Engine(backends, store, queue_size, quotas, rerun=rerun)
    images = Images(store, store.images, decoders)
    return Services(
        engine=engine,
        experiments=Experiments(engine, store.experiments, store, quotas),
        live=LiveDrafts(engine, images),
        images=images,
        meters=Meters(engine, store.library, store.images),
        uploads=Uploads(store, quotas.caps.quota),
        library=store.library,
        quotas=quotas,
        decoders=decoders,
        disk=DiskProbe(store.images),
    )


def serve(demo: Any, sockets: list[socket.socket], server: Callable[[Any], Server], **options: Any) -> None:
    """Serve a page until a signal ends it.

    Args:
        demo: the Blocks.
        sockets: what it is served on; they listen already.
        server: returns the server of the framework's app.
        options: arguments of `Blocks.launch`.
    """
    from ui.framework import served_by

    url = local_url(sockets[0])
    stop = ending_signals()  # before the first answer: whoever sees that may send one
    with served_by(server, url) as served:
        demo.launch(prevent_thread_lock=True, **options)
    print(say("app-runs", url=f"{url}{options.get('root_path', '').lstrip('/')}"), flush=True)
    # Python runs its handlers in this thread alone, and a signal that came to another one does not wake it.
    while not stop.wait(1):
        pass
    served.server.close()


def mcp_endpoint(services: Services, fetch: ImageFetcher, max_body: int) -> McpEndpoint:
    """Return what answers MCP clients; their library takes a second to import."""
    from ui.mcp_tool import McpEndpoint

    return McpEndpoint(services, fetch, max_body)


async def after(first: asyncio.Task[None], then: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Wait for one thing, then do another; what goes wrong is for the log."""
    try:
        await first
        await then()
    except Exception:
        log.exception("what an earlier process left could not be taken up whole")


async def preload(backends: Mapping[str, Backend]) -> None:
    """Let every backend get ready for its first run."""
    for backend in backends.values():
        try:
            await backend.preload()
        except Exception:
            log.exception("a backend could not get ready in advance")


def access_rules(
    settings: Settings, links: Links, exchange: Callable[[str], Awaitable[bool]], hooks: Sequence[Webhook]
) -> AccessRules:
    """Return who may send what to the app."""
    public = urlsplit((settings.public_url or "").lower())
    return AccessRules(
        public=settings.public,
        max_body=body_limit(settings),
        other_bodies={
            ARCHIVES: settings.caps.archive,
            **{hook.path: body_limit(settings, pictures=4) for hook in hooks},
        },
        proxies=settings.trusted_proxies,
        hosts=(public.netloc,) if public.netloc else (),
        https_hosts=(public.netloc,) if public.scheme == "https" else (),
        secret=links.derived("visitors").encode(),
        exchange=exchange,
    )


def body_limit(settings: Settings, pictures: int = 1) -> int:
    """Return the bytes of the largest request: references in base64, and words around them."""
    return pictures * settings.caps.max_bytes * 4 // 3 + 1_000_000


async def tidy_hourly(engine: Engine, uploads: Path, age: float) -> None:
    """Remove old files, now and every hour; the framework forgets its own when the process is killed."""
    while True:
        try:
            await asyncio.to_thread(drop_older, uploads, age)
            await engine.tidy()
        except Exception:
            log.exception("old files could not be removed")
        await asyncio.sleep(3600)


async def empty_trash(library: Library) -> None:
    """Remove results that were deleted and can be restored no more, now and every few seconds."""
    while True:
        try:
            await library.purge()
        except Exception:
            log.exception("deleted results could not be removed")
        await asyncio.sleep(TRASH_EMPTIED)


def webhook_route(webhook: Webhook) -> Route:
    """Return the route by which a provider may call: it answers 401 to whoever else does."""

    async def hook(request: Request) -> Response:
        accepted = webhook.accept(request.headers, await request.body(), time.time())
        return Response(status_code=200 if accepted else 401)

    return Route(webhook.path, hook, methods=["POST"])


if __name__ == "__main__":
    if sys.argv[1:]:
        from api.cli import cli

        cli()
    else:
        main()
