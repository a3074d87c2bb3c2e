"""SRPO Studio: settings -> backends -> engine -> web app. Nothing else knows everybody."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.engine import Engine
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
    launch(settings)


def launch(settings: Settings) -> None:
    """Put the house together and serve it; returns when the server was stopped."""
    from backends import all_backends
    from backends._http import ImageFetcher
    from ui import build
    from ui.page import launch_options

    engine = Engine(all_backends(settings), ImageStore(settings.images_dir), settings.queue_size)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        await engine.close()

    demo = build(engine, ImageFetcher())
    demo.queue(max_size=4 * settings.queue_size, default_concurrency_limit=8)
    options = launch_options(engine)
    options["app_kwargs"]["lifespan"] = lifespan
    demo.launch(
        server_name=settings.server_name,
        server_port=settings.server_port,
        mcp_server=settings.mcp,
        **options,
    )


if __name__ == "__main__":
    main()
