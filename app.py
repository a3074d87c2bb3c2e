"""SRPO Studio: settings -> backends -> engine -> web app. Nothing else knows everybody."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.backend import Backend
from core.engine import Engine
from core.images import MAX_BYTES
from core.links import Links
from core.settings import Settings, SettingsError
from core.store import ImageStore


def main() -> None:
    """Start the app and serve until it is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every address, and an address may hold a token
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    # Gradio reads its folder when it is imported; everything that is kept lies under one folder of ours.
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "uploads")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # What a Space, a container or systemd sends ends the app as Ctrl+C does: runs stopped, connections closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    launch(settings)


def launch(settings: Settings) -> None:
    """Put the house together and serve it; returns when the server was stopped."""
    from backends import all_backends
    from backends._http import ImageFetcher
    from ui import build
    from ui.page import launch_options

    images = ImageStore(settings.images_dir)
    links = Links(settings.public_url, secrets.token_bytes(32)) if settings.public_url else None

    def publish(data: bytes, mime: str) -> str | None:
        return links.sign(images.put(data, mime).name) if links else None

    backends = all_backends(settings, publish)
    engine = Engine(backends, images, settings.queue_size)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        await engine.close()

    demo = build(engine, ImageFetcher())
    demo.queue(max_size=4 * settings.queue_size, default_concurrency_limit=8)
    options = launch_options(engine, links, webhooks(backends))
    options["app_kwargs"]["lifespan"] = lifespan
    demo.launch(
        server_name=settings.server_name,
        server_port=settings.server_port,
        mcp_server=settings.mcp,
        **options,
    )


def webhooks(backends: Mapping[str, Backend]) -> list[Route]:
    """Return a route for each backend whose provider may call: it answers 401 to whoever else does."""

    def route(call: Callable[[Mapping[str, str], bytes, float], bool], path: str) -> Route:
        async def hook(request: Request) -> Response:
            body = b""
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BYTES:
                    return Response(status_code=413)
            return Response(status_code=200 if call(request.headers, body, time.time()) else 401)

        return Route(path, hook, methods=["POST"])

    from backends.wavespeed import HOOK_PATH, WavespeedBackend

    return [route(each.webhook, HOOK_PATH) for each in backends.values() if isinstance(each, WavespeedBackend)]


if __name__ == "__main__":
    main()
