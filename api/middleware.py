"""What every request meets before the app: checks, who asks, how much is sent, and answers to failures."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp

from api.body_limiter import BodyLimiter
from api.body_limits import BodyLimits
from api.compression import Compression
from api.identity import Cookies
from api.request_checks import RequestChecks
from api.response_headers import ResponseHeaders
from api.server_errors import ServerErrors
from api.visitors import AccountIdentity, Exchange, VisitorIdentity


async def _none_known(_: str) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class AccessRules:
    """Who may send what to the app.

    Attributes:
        public: whether strangers may connect. If not, the app is bound to loopback and belongs to one person.
        max_body: bytes of a request that carries a picture; for all others see `api.body_limits`.
        other_bodies: bytes of a request to single paths: a provider's webhook.
        proxies: how many proxies in front of the app are trusted to name the sender's address; 0 where there is none.
        hosts: names under which its own pages are served, beside the one that a request names.
        https_hosts: those of them that are reached by https alone, whatever the connection to us is.
        secret: signs the visitors' cookies.
        exchange: returns whether an owner is one from before cookies were signed, and forgets that it is.
    """

    public: bool
    max_body: int
    other_bodies: Mapping[str, int] = field(default_factory=dict)
    proxies: int = 0
    hosts: tuple[str, ...] = ()
    https_hosts: tuple[str, ...] = ()
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    exchange: Exchange = _none_known


def protected(app: ASGIApp, rules: AccessRules) -> ASGIApp:
    """Return an app behind the middleware that every request passes, outermost last.

    Args:
        app: a whole app, with its own middleware.
        rules: who may send what.
    """
    limits = BodyLimits(picture=rules.max_body, others=rules.other_bodies)
    app = ServerErrors(BodyLimiter(app, limits))
    app = VisitorIdentity(
        app,
        public=rules.public,
        cookies=Cookies(rules.secret),
        proxies=rules.proxies,
        hosts=rules.hosts,
        https_hosts=rules.https_hosts,
        exchange=rules.exchange,
    )
    checked = RequestChecks(Compression(app), public=rules.public, hosts=rules.hosts, limits=limits)
    return ResponseHeaders(checked)


def account_identity(app: ASGIApp, rules: AccessRules) -> ASGIApp:
    """Return an app in which whoever is signed in is identified by the account; it stands inside OAuth's middleware."""
    return AccountIdentity(app, public=rules.public, hosts=rules.hosts)
