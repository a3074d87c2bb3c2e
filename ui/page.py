"""What belongs to the page as a whole: routes, theme, style, head, and gradio's switches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount

from engine.services import Services
from ui.controls import end_words
from ui.examples import ExamplePictures
from ui.guard import Guard
from ui.theme import studio_theme
from ui.web_files import WebFiles

LOGO = Path(__file__).resolve().parent.parent / "assets" / "logo.svg"
QUEUE: dict[str, Any] = {"default_concurrency_limit": 8, "status_update_rate": 60.0}
"""Arguments for `Blocks.queue`. The framework would tell everybody their place in line at every step."""


def launch_options(
    services: Services, web: WebFiles, further: Sequence[BaseRoute] = (), first: Sequence[Middleware] = ()
) -> dict[str, Any]:
    """Return the arguments for `Blocks.launch` that do not depend on settings.

    Args:
        services: whose pictures are served.
        web: the page's modules.
        further: routes of other rooms.
        first: what every request meets first.
    """
    own = [*web.routes(), *further, Mount("/examples", ExamplePictures())]
    return {
        "app_kwargs": {"routes": own, "middleware": [*first, Middleware(Guard, services, Path(get_upload_folder()))]},
        "theme": studio_theme(),
        "css": end_words(services.engine.specs),
        "head": web.reconnect("all") + web.styles() + web.preloads(),
        "favicon_path": LOGO,
        "footer_links": [],
        "run_history": False,
        "show_error": False,
        "ssr_mode": False,
        "enable_monitoring": False,
        # Each open page and each caller of the API holds one of these while its run goes on; they are no threads here.
        "max_threads": 10_000,
        # A caller of `/edit` has a session in the framework, of 100 KB; an older one's may go at any time.
        "state_session_capacity": 100,
        "max_file_size": services.quotas.caps.max_bytes,
        "quiet": True,
        # The framework would ask itself for the page once, and end the app where that takes three seconds.
        "_frontend": False,
    }
