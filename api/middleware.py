"""The door: who asks, from where, how much may be sent, and what browsers shall forbid.

Two modes. `local`: bound to loopback, one person owns everything, and a page elsewhere that points its own name
here is turned away. `public`: each browser has a signed cookie, and on a Space with OAuth the account.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.aimlapi.routes import problem
from api.body_limits import ADDRESS, BodyLimits, BodyMeter, BodyRefused, HeldBodies
from api.identity import Cookies, address_of, is_https, owner_of
from core.job import EVERYONE, VISITOR, Visitor
from core.messages import say
from core.subpath import route_path

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
    "Cross-Origin-Resource-Policy": "same-origin",
}


_API = ("/v1/", "/v2/", "/api/v3/")
_PRIVATE = (*_API, "/gradio_api/")
"""What is answered under these is one visitor's own: no cache keeps it."""
_PUBLIC_STYLE = "/gradio_api/theme.css"
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d+)?")
GRACE = 60.0
"""Seconds in which an old cookie is still exchanged after the first time: for tabs that a browser opens together."""


async def _none_known(_: str) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the door holds to.

    Attributes:
        public: whether strangers can come in.
        max_body: bytes of a request that carries a picture; for all others see `api.body_limits`.
        other_bodies: bytes of a request to single paths: a provider's webhook.
        hops: proxies in front of the app whose word on the address is taken; 0 where there is none.
        hosts: names under which its own pages are served, beside the one that a request names.
        https_hosts: those of them that are reached by https alone, whatever the connection to us is.
        secret: signs the visitors' cookies.
        exchange: returns whether an owner is one from before cookies were signed, and forgets that it is.
    """

    public: bool
    max_body: int
    other_bodies: Mapping[str, int] = field(default_factory=dict)
    hops: int = 0
    hosts: tuple[str, ...] = ()
    https_hosts: tuple[str, ...] = ()
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    exchange: Callable[[str], Awaitable[bool]] = _none_known


class Door:
    """ASGI middleware, the outermost; puts a `Visitor` into the scope under `core.job.VISITOR`."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules
        self._bodies = BodyLimits(picture=rules.max_body, others=rules.other_bodies)
        self._held = HeldBodies()
        self._cookies = Cookies(rules.secret)
        self._exchanged: OrderedDict[str, float] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = route_path(scope)
        if is_https(scope, headers, self._rules.hops, self._rules.https_hosts):
            scope["scheme"] = "https"
        answer = _Answer(path, send)
        refusal = self._refusal(scope, path, headers)
        if refusal is not None:
            await refusal(scope, receive, answer.send)
            return
        try:
            length = headers.get("content-length")
            meter = self._bodies.meter(path, headers.get("content-type", ""), length)
        except BodyRefused as error:
            await refused(path, error.status, str(error))(scope, receive, answer.send)
            return
        scope[VISITOR], answer.cookie = await self._visitor(scope, path, headers)
        await self._pass_on(scope, receive, answer, meter)

    async def _pass_on(self, scope: Scope, receive: Receive, answer: _Answer, meter: BodyMeter) -> None:
        """Call the app; where the body is too much, or the app breaks, the answer is ours."""
        over: BodyRefused | None = None
        failure: list[Message] = []
        address, held = scope[VISITOR].address, 0

        async def counted() -> Message:
            nonlocal over, held
            if over is not None:
                return {"type": "http.disconnect"}
            message = await receive()
            body = message.get("body", b"")
            try:
                meter.count(body)
                if meter.held and address:
                    self._held.add(address, len(body))
                    held += len(body)
            except BodyRefused as error:
                over = error
                raise
            return message

        async def send(message: Message) -> None:
            # The framework has words of its own for a body that it could not read, and for an exception: these are
            # not sent, and a 500 waits until it is clear that no exception follows.
            if answer.begun:
                await answer.send(message)
            elif failure or message.get("status") == 500:
                failure.append(message)
            elif over is None:
                await answer.send(message)

        try:
            await self._app(scope, counted, send)
        except Exception:
            if over is None:
                if not answer.begun:
                    await refused(answer.path, 500, say("app-broke"))(scope, receive, answer.send)
                raise
        finally:
            self._held.release(address, held)
        if answer.begun:
            return
        if over is not None:
            await refused(answer.path, over.status, str(over))(scope, receive, answer.send)
        for message in failure if over is None else ():
            await answer.send(message)

    def _refusal(self, scope: Scope, path: str, headers: Headers) -> Response | None:
        """Return the answer to a request that does not come in at all."""
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > ADDRESS:
            status = 400 if path.startswith(_API) else 414  # the APIs that are served here know no 414
            return refused(path, status, say("address-too-long", limit=ADDRESS // 1024))
        if not self._rules.public and not _is_loopback(headers.get("host", "")):
            return refused(path, 421, say("app-local-only"))
        if not self._rules.public and is_foreign(headers, self._rules.hosts):
            return refused(path, 403, say("app-foreign-page"))
        return None

    async def _visitor(self, scope: Scope, path: str, headers: Headers) -> tuple[Visitor, str | None]:
        """Return who asks, and the cookie to set, None for none."""
        if not self._rules.public:
            return Visitor(EVERYONE), None
        https = scope["scheme"] == "https"
        # What another site's page asks has no cookie here.
        foreign = is_foreign(headers, self._rules.hosts)
        token = None if foreign else self._cookies.token(headers, https=https)
        cookie = None
        if token is None and not foreign and (token := await self._exchange(headers)) is not None:
            cookie = self._cookies.header(token, https=https)
        new = token is None
        if token is None:
            token = self._cookies.new_token()
            if path == "/" and not foreign:
                cookie = self._cookies.header(token, https=https)
        address = address_of(scope, headers, self._rules.hops)
        # On ZeroGPU, Hugging Face's proxy says by this header on whose quota a run counts.
        gpu_token = headers.get("x-ip-token", "")
        return Visitor(owner_of(token), address, passing=new, gpu_token=gpu_token), cookie

    async def _exchange(self, headers: Headers) -> str | None:
        """Return the token of an unsigned cookie that an earlier version of the app gave out, None where there is none.

        Each is good for one exchange: afterwards whoever brings it is a new visitor.
        """
        for token in self._cookies.unsigned_tokens(headers):
            owner, now = owner_of(token), time.monotonic()
            while self._exchanged and next(iter(self._exchanged.values())) + GRACE < now:
                self._exchanged.popitem(last=False)
            if owner not in self._exchanged and await self._rules.exchange(owner):
                self._exchanged[owner] = now
            if owner in self._exchanged:  # by another request too, while this one waited
                return token
        return None


class Accounts:
    """ASGI middleware inside of the one that reads OAuth sessions: whoever is signed in is their account."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        account: Any = scope.get("session", {}).get("oauth_info", {}).get("userinfo", {}).get("sub")
        if account and self._rules.public and not is_foreign(Headers(scope=scope), self._rules.hosts):
            scope[VISITOR] = replace(scope[VISITOR], owner=f"account {account}", passing=False)
        await self._app(scope, receive, send)


class _Answer:
    """Sends an answer with what browsers are to forbid, and what caches are not to keep."""

    def __init__(self, path: str, send: Send) -> None:
        self.path = path
        self.begun = False
        self.cookie: str | None = None
        self._send = send

    async def send(self, message: Message) -> None:
        """Send a message on."""
        if message["type"] == "http.response.start":
            self.begun = True
            self._complete(MutableHeaders(scope=message))
        await self._send(message)

    def _complete(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        # The framework lets other sites' pages send cookies along. They have none here, and get none.
        del headers["access-control-allow-credentials"]
        if self.cookie is not None:
            headers.append("set-cookie", self.cookie)
        if "set-cookie" in headers or self.path == "/":
            headers["cache-control"] = "no-store"
        elif self.path.startswith(_PRIVATE) and self.path != _PUBLIC_STYLE:
            headers.setdefault("cache-control", "private, no-store")


def is_foreign(headers: Headers, hosts: tuple[str, ...]) -> bool:
    """Return whether a page of another site asks; the framework itself would answer it, cookies and all."""
    origin = headers.get("origin")
    return origin is not None and _netloc(origin) not in (headers.get("host", ""), *hosts)


def refused(path: str, status: int, words: str) -> Response:
    """Return a refusal in the shape that a path's callers know; the connection ends with it, read or not."""
    content: dict[str, Any] = {"detail": words}
    if path.startswith("/api/v3/"):
        content = {"code": status, "message": words, "data": None}
    elif path.startswith(_API):
        content = problem(path, status, words)
    return JSONResponse(content, status, {"Connection": "close"})


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
