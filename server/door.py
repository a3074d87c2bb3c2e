"""The door for every request: who asks, from where, how much may be sent, and what browsers shall forbid.

Two modes. `local`: bound to loopback, one person owns everything, and a page elsewhere that points its own name
here is turned away. `public`: each browser has an unguessable token in a cookie, and on a Space with OAuth the account.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.job import EVERYONE, VISITOR, Visitor
from core.subpath import route_path
from server.aimlapi import problem

COOKIE = "studio_owner"
COOKIE_AGE = 400 * 86_400
"""Seconds; the longest that browsers keep one."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            # The framework's page brings inline scripts and styles, and compiles templates.
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
}


class TooLarge(Exception):
    """A body went over its limit while it came."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the door holds to.

    Attributes:
        public: whether strangers can come in.
        max_body: bytes of a request.
        hops: proxies in front of the app whose word on the address is taken; 0 where there is none.
        hosts: names under which its own pages are served, beside the one that a request names.
    """

    public: bool
    max_body: int
    hops: int = 0
    hosts: tuple[str, ...] = ()


class Door:
    """ASGI middleware; puts a `Visitor` into the scope under `core.job.VISITOR`."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = route_path(scope)
        refusal = self._refusal(path, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        owner, new = self._owner(scope, headers) if self._rules.public else (EVERYONE, False)
        address = self._address(scope, headers) if self._rules.public else ""
        # On ZeroGPU, Hugging Face's proxy says by this header on whose quota a run counts.
        token = headers.get("x-ip-token", "") if self._rules.public else ""
        scope[VISITOR] = Visitor(owner, address, passing=new, gpu_token=token)
        cookie = self._cookie(scope, headers, owner) if new and path == "/" else None
        begun, size = False, 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._rules.max_body:
                raise TooLarge
            return message

        async def answer(message: Message) -> None:
            nonlocal begun
            if size > self._rules.max_body and not begun:
                raise TooLarge  # the framework's own words for a body that it could not read
            if message["type"] == "http.response.start":
                begun = True
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out.setdefault(name, value)
                if cookie is not None:
                    out.append("set-cookie", cookie)
            await send(message)

        try:
            await self._app(scope, counted, answer)
        except TooLarge:
            if not begun:
                await self._too_large(path)(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        """Return the answer to a request that does not come in at all."""
        if not self._rules.public and not _is_loopback(headers.get("host", "")):
            words = "This app is bound to this machine alone. To open it to others, set STUDIO_PUBLIC_URL."
            return refused(path, 421, words)
        if not self._rules.public and self._from_elsewhere(headers):
            return refused(path, 403, "Other sites' pages may not use this app.")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._rules.max_body:
            return self._too_large(path)
        return None

    def _too_large(self, path: str) -> Response:
        response = refused(path, 413, f"At most {self._rules.max_body / 1e6:.0f} MB are taken in one request.")
        response.headers["Connection"] = "close"
        return response

    def _from_elsewhere(self, headers: Headers) -> bool:
        """Return whether a page of another site asks; the framework itself would answer it, cookies and all."""
        origin = headers.get("origin")
        if origin is None:
            return False
        return urlsplit(origin).netloc not in (headers.get("host", ""), *self._rules.hosts)

    def _owner(self, scope: Scope, headers: Headers) -> tuple[str, bool]:
        """Return a browser's token, and whether it is a new one: what another site's page asks has no cookie here."""
        if self._from_elsewhere(headers):
            return secrets.token_urlsafe(32), True
        account: Any = scope.get("session", {}).get("oauth_info", {}).get("userinfo", {}).get("sub")
        if account:
            return f"account {account}", False
        token = HTTPConnection(scope).cookies.get(COOKIE, "")
        return (token, False) if _TOKEN.fullmatch(token) else (secrets.token_urlsafe(32), True)

    def _cookie(self, scope: Scope, headers: Headers, owner: str) -> str:
        secure = scope["scheme"] == "https" or headers.get("x-forwarded-proto", "").startswith("https")
        # In a Space's frame the page is a third party there: only a partitioned cookie is kept.
        kind = "; SameSite=None; Secure; Partitioned" if secure else "; SameSite=Lax"
        return f"{COOKIE}={owner}; Path=/; Max-Age={COOKIE_AGE}; HttpOnly{kind}"

    def _address(self, scope: Scope, headers: Headers) -> str:
        """Return the network address, by the word of the trusted proxies: the n-th from the right is theirs."""
        told = [each.strip() for line in headers.getlist("x-forwarded-for") for each in line.split(",")]
        if self._rules.hops and len(told) >= self._rules.hops:
            return told[-self._rules.hops]
        client = scope.get("client")
        return str(client[0]) if client else "unknown"


def refused(path: str, status: int, words: str) -> Response:
    """Return a refusal in the shape that a path's callers know."""
    if path.startswith("/api/v3/"):
        return JSONResponse({"code": status, "message": words, "data": None}, status)
    if path.startswith(("/v1/", "/v2/")):
        return JSONResponse(problem(path, status, words), status)
    return PlainTextResponse(words, status)


def _is_loopback(host: str) -> bool:
    """Return whether a Host header names this machine as its own user does."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
