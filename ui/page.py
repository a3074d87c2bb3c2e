"""What belongs to the page as a whole: routes, theme, style, head, and gradio's switches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from core.engine import Engine
from core.images import MAX_BYTES
from core.links import Links
from ui.controls import end_words
from ui.examples import FOLDER
from ui.images import routes
from ui.stage import ASSETS
from ui.theme import studio_theme


async def shut(_: Request) -> PlainTextResponse:
    """Answer 404 for a framework's route that this app keeps shut."""
    return PlainTextResponse("Not found", status_code=404)


async def healthz(_: Request) -> PlainTextResponse:
    """Answer that the process is alive."""
    return PlainTextResponse("ok")


def launch_options(engine: Engine, links: Links | None = None, further: Sequence[BaseRoute] = ()) -> dict[str, Any]:
    """Return the arguments for `Blocks.launch` that do not depend on settings.

    Args:
        engine: whose pictures are served.
        links: whose signed addresses are answered, None where the app has no public address.
        further: routes of other rooms.
    """
    images = engine.images
    own = [
        Route("/healthz", healthz),
        # The deep-link route writes a session's inputs to a file that anyone with its name can read.
        Route("/gradio_api/deep_link", shut),
        *routes(images, links),
        *further,
        Mount("/examples", StaticFiles(directory=FOLDER)),
    ]
    page_js = (ASSETS / "page.js").read_text(encoding="utf-8")
    return {
        "app_kwargs": {"routes": own},
        "allowed_paths": [str(images.folder), str(FOLDER)],
        "theme": studio_theme(),
        "css": end_words(engine.specs),
        "css_paths": [ASSETS / "studio.css"],
        "head": f"<script>{page_js}</script>",
        "favicon_path": ASSETS / "logo.svg",
        "footer_links": ["api"],
        "run_history": False,
        "show_error": False,
        "ssr_mode": False,
        "enable_monitoring": False,
        "max_file_size": MAX_BYTES,
        "quiet": False,
    }
