"""Finds out who sends a request: by a signed cookie, by a Hugging Face account, or the one person of a local app."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.identity import Cookies, address_of, is_https, owner_of
from api.request_checks import is_foreign
from core.job import EVERYONE, VISITOR, Visitor
from core.subpath import route_path

GRACE = 60.0
"""Seconds in which an old cookie is still exchanged after the first time: for tabs that a browser opens together."""

Exchange = Callable[[str], Awaitable[bool]]
"""Returns whether an owner is one from before cookies were signed, and forgets that it is."""


class VisitorIdentity:
    """ASGI middleware that puts a `Visitor` into the scope under `core.job.VISITOR`, and sets the visitor's cookie.

    A local app belongs to one person, `EVERYONE`; nobody has a cookie there.

    Args:
        app: what comes next.
        public: whether strangers may connect.
        cookies: issues and reads the cookies.
        proxies: how many proxies in front of the app are trusted, see `address_of`.
        hosts: names under which the app's own pages are served, beside the one that a request names.
        https_hosts: those of them that are reached by https alone, whatever the connection to us is.
        exchange: see `Exchange`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public: bool,
        cookies: Cookies,
        proxies: int,
        hosts: tuple[str, ...],
        https_hosts: tuple[str, ...],
        exchange: Exchange,
    ) -> None:
        self._app = app
        self._public = public
        self._cookies = cookies
        self._proxies = proxies
        self._hosts = hosts
        self._https_hosts = https_hosts
        self._claim_old = exchange
        self._exchanged: OrderedDict[str, float] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if is_https(scope, headers, self._proxies, self._https_hosts):
            scope["scheme"] = "https"
        scope[VISITOR], cookie = await self._visitor(scope, route_path(scope), headers)

        async def send_cookie(message: Message) -> None:
            if cookie is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_cookie)

    async def _visitor(self, scope: Scope, path: str, headers: Headers) -> tuple[Visitor, str | None]:
        """Return who asks, and the cookie to set, None for none."""
        if not self._public:
            return Visitor(EVERYONE), None
        https = scope["scheme"] == "https"
        # What another site's page asks has no cookie here.
        foreign = is_foreign(headers, self._hosts)
        token = None if foreign else self._cookies.token(headers, https=https)
        cookie = None
        if token is None and not foreign and (token := await self._exchange(headers)) is not None:
            cookie = self._cookies.header(token, https=https)
        new = token is None
        if token is None:
            token = self._cookies.new_token()
            if path == "/" and not foreign:
                cookie = self._cookies.header(token, https=https)
        address = address_of(scope, headers, self._proxies)
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
            if owner not in self._exchanged and await self._claim_old(owner):
                self._exchanged[owner] = now
            if owner in self._exchanged:  # by another request too, while this one waited
                return token
        return None


class AccountIdentity:
    """ASGI middleware inside the one that reads OAuth sessions: whoever is signed in is identified by the account.

    Args:
        app: what comes next.
        public: whether strangers may connect; on a local app an account changes nothing.
        hosts: as for `VisitorIdentity`.
    """

    def __init__(self, app: ASGIApp, *, public: bool, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._public = public
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        account: Any = scope.get("session", {}).get("oauth_info", {}).get("userinfo", {}).get("sub")
        if account and self._public and not is_foreign(Headers(scope=scope), self._hosts):
            scope[VISITOR] = replace(scope[VISITOR], owner=f"account {account}", passing=False)
        await self._app(scope, receive, send)
