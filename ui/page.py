"""What belongs to the page as a whole: routes, theme, style, head, and gradio's switches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from core.links import Links
from engine.engine import Engine
from ui.controls import end_words
from ui.examples import ExamplePictures
from ui.guard import Guard
from ui.images import routes
from ui.stage import ASSETS
from ui.theme import studio_theme

QUEUE: dict[str, Any] = {"default_concurrency_limit": 8, "status_update_rate": 60.0}
"""Arguments for `Blocks.queue`. The stage tells places in line; the framework would tell everybody at every step."""


def launch_options(
    engine: Engine,
    links: Links | None = None,
    further: Sequence[BaseRoute] = (),
    first: Sequence[Middleware] = (),
) -> dict[str, Any]:
    """Return the arguments for `Blocks.launch` that do not depend on settings.

    Args:
        engine: whose pictures are served.
        links: whose signed addresses are answered, None where the app has no public address.
        further: routes of other rooms.
        first: what every request meets first.
    """
    own = [
        *routes(engine, links),
        *further,
        Mount("/examples", ExamplePictures()),
    ]
    files_js, page_js, page_css = (
        (ASSETS / name).read_text(encoding="utf-8") for name in ("files.js", "page.js", "page.css")
    )
    return {
        "app_kwargs": {"routes": own, "middleware": [*first, Middleware(Guard, engine, Path(get_upload_folder()))]},
        "allowed_paths": [str(engine.images.folder)],
        "theme": studio_theme(),
        "css": end_words(engine.specs),
        "css_paths": [ASSETS / "studio.css"],
        "head": f"<style>{page_css}</style><script>{files_js}{page_js}</script>",
        "favicon_path": ASSETS / "logo.svg",
        "footer_links": ["api"],
        "run_history": False,
        "show_error": False,
        "ssr_mode": False,
        "enable_monitoring": False,
        # Each open page and each caller of the API holds one of these while its run goes on; they are no threads here.
        "max_threads": 10_000,
        # Pages whose state is kept at a time; an older one is as good as opened again.
        "state_session_capacity": 1000,
        "max_file_size": engine.quotas.caps.max_bytes,
        "quiet": True,
        # The framework would ask itself for the page once, and end the app where that takes three seconds.
        "_frontend": False,
    }
