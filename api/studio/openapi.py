"""Print the description of the page's own API: `python -m api.studio.openapi`. The page's types are made from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

from api.studio.routes import build
from engine.services import Services


def description() -> dict[str, Any]:
    """Return the OpenAPI description."""

    async def fetch(_: str) -> bytes:
        raise NotImplementedError  # a description fetches nothing

    # To describe the routes, none of the services is asked for anything.
    app, _ = build(cast(Services, Mock()), fetch, Path(), "")
    return app.openapi()


if __name__ == "__main__":
    json.dump(description(), sys.stdout, indent=2)
