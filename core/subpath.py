"""The path at which the app is served when it is not the root of its host: behind a proxy at `/studio`, say.

By the ASGI specification, `scope["path"]` has the prefix in front and `scope["root_path"]` names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def route_path(scope: Mapping[str, Any]) -> str:
    """Return a request's path as routes are matched: without the prefix, and with its slash."""
    return without_prefix(str(scope["path"]), str(scope.get("root_path", "")))


def without_prefix(path: str, prefix: str) -> str:
    """Return a path without a prefix such as `/studio`, the path itself where it does not lie under that."""
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :] or "/"
    return path
