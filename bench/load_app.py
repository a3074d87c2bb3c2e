"""The app on one backend: WaveSpeedAI with ten places. Settings come from the environment, as for the app itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from api import health
from api.connections import connection_options
from api.memory import return_freed_memory
from api.middleware import AccessRules, protected
from api.serving import Server, listen
from api.studio import routes as studio
from app import assemble, serve
from backends.wavespeed.backend import SPEC, WavespeedBackend
from backends.wavespeed.provider import WavespeedProvider
from core.settings import Settings
from core.spec import BackendSpec
from engine.quotas import Quotas
from storage.async_store import AsyncStore
from storage.sqlite.store import Store

PLACES = 10


class Wide(WavespeedBackend):
    """WaveSpeedAI with as many places as the measurement wants."""

    @property
    def spec(self) -> BackendSpec:
        """What it offers."""
        return replace(SPEC, concurrency=PLACES)


def main() -> None:
    """Serve until the process is ended."""
    settings = Settings.from_env(os.environ)
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir / "uploads")
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"
    from ui import build
    from ui.page import QUEUE, launch_options
    from ui.web_files import WebFiles

    store = AsyncStore(Store(settings.data_dir))
    backends = {"wavespeed": Wide(WavespeedProvider(settings))}
    services = assemble(backends, store, Quotas(), settings.queue_size)
    engine = services.engine

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        await engine.recover()
        await services.experiments.recover()
        trimming = asyncio.create_task(return_freed_memory())
        yield
        trimming.cancel()

    async def fetch(_: str) -> bytes:
        return b""

    # Each visitor says what their address is, unless one person is alone with the app.
    rules = AccessRules(public="ALONE" not in os.environ, max_body=30_000_000, proxies=1)
    web = WebFiles()
    page, _ = studio.build(services, fetch, settings.data_dir / "uploads", web.build)
    own = [*health.routes(engine, services.disk, None), *studio.routes(page)]
    options = launch_options(services, web, own)
    sockets = listen("127.0.0.1", settings.server_port)
    options["app_kwargs"]["lifespan"] = lifespan
    demo = build(services, fetch, web).queue(max_size=10_000, **QUEUE)
    serve(
        demo,
        sockets,
        lambda app: Server(protected(app, rules), sockets, services.close, **connection_options()),
        **options,
    )


if __name__ == "__main__":
    main()
