"""Calls of the endpoints `/edit` and `/experiment`: which paths they have, and what is wrong with one."""

from __future__ import annotations

import re
from typing import Any

from core.imaging.sources import is_address, is_data_uri
from ui import edit_api, experiment_api
from ui.endpoints import ENDPOINTS
from ui.image_input import NEEDED
from ui.refusal import Refusal

CALL = re.compile(rf"(api|call|run)/(v2/)?({ENDPOINTS})/?")
"""Paths by which the endpoints are called, after the framework's prefix."""
INPUTS = {"edit": edit_api.INPUTS, "experiment": experiment_api.INPUTS}


def call_fault(rest: str, body: Any) -> Refusal | None:
    """Return what is wrong with a call of an endpoint before the framework sees it, None where nothing is.

    The framework answers such calls with a 500, and writes all that was sent into the log.

    Args:
        rest: of the path, after the framework's prefix.
        body: the request's JSON.
    """
    called = CALL.fullmatch(rest)
    if called is None or not isinstance(body, dict):
        return None
    names = ("image", *INPUTS[called[3]])
    needed = [name for name in names if name in NEEDED]
    if "/v2/" in rest:
        unknown = next((name for name in body if name not in (*names, "oauth_token")), None)
        if unknown is not None:
            return Refusal("input-unknown", status=400, field=unknown[:40], inputs=", ".join(names))
        missing = next((name for name in needed if body.get(name) is None), None)
        if missing:
            return Refusal(NEEDED[missing], status=400, field=missing)
        return _file_fault(body["image"])
    data = body.get("data")
    if not isinstance(data, list) or len(data) != len(names):
        came = len(data) if isinstance(data, list) else 0
        inputs = ", ".join(names)
        return Refusal("edit-inputs-missing", status=400, field="data", needed=len(names), inputs=inputs, given=came)
    return _file_fault(data[0])


def _file_fault(image: Any) -> Refusal | None:
    """Return what is wrong with a description of a file, None where it names an upload or a public address."""
    path = image.get("path") if isinstance(image, dict) else ""
    web = isinstance(path, str) and path.lower().startswith(("http://", "https://"))
    if isinstance(path, str) and (web or not (is_address(path) or is_data_uri(path))):
        return None
    return Refusal("edit-file-path", status=400, field="image")
