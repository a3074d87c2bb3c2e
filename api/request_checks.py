"""Checks a request by its address and headers alone, before anybody asks who sent it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.body_limits import ADDRESS, BodyLimits, BodyRefused
from api.refusals import API_PATHS, refusal
from core.messages import say
from core.subpath import route_path

_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d+)?")


class RequestChecks:
    """ASGI middleware that refuses addresses that are too long, foreign hosts and pages, and oversized bodies.

    Args:
        app: what comes next.
        public: whether strangers may connect. If not, a page elsewhere that points its own name at this machine is
            refused, and so is what another site's page asks.
        hosts: names under which the app's own pages are served, beside the one that a request names.
        limits: the largest bodies. A declared length counts here; what really arrives, the `BodyLimiter` counts.
    """

    def __init__(self, app: ASGIApp, *, public: bool, hosts: tuple[str, ...], limits: BodyLimits) -> None:
        self._app = app
        self._public = public
        self._hosts = hosts
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        answer = self._refusal(scope) if scope["type"] == "http" else None
        await (self._app if answer is None else answer)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        path, headers = route_path(scope), Headers(scope=scope)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > ADDRESS:
            status = 400 if path.startswith(API_PATHS) else 414  # the APIs that are served here know no 414
            return refusal(path, status, say("address-too-long", limit=ADDRESS // 1024))
        if not self._public and not _is_loopback(headers.get("host", "")):
            return refusal(path, 421, say("app-local-only"))
        if not self._public and is_foreign(headers, self._hosts):
            return refusal(path, 403, say("app-foreign-page"))
        try:
            self._limits.meter(path, headers.get("content-type", "")).check_declared(headers.get("content-length"))
        except BodyRefused as error:
            return refusal(path, error.status, str(error))
        return None


def is_foreign(headers: Headers, hosts: tuple[str, ...]) -> bool:
    """Return whether a page of another site asks; the framework itself would answer it, cookies and all."""
    origin = headers.get("origin")
    return origin is not None and _netloc(origin) not in (headers.get("host", ""), *hosts)


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    """Return whether a Host header names this machine as its own user does."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found.group(1)
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
