"""The API doors on an engine with a backend that needs no model, as the app puts them together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware

from api.body_limits import ARCHIVES
from api.middleware import AccessRules, protected
from api.routes import OwnApi, build_api
from backends.http.addresses import Resolve, resolve
from backends.http.safe_fetch import HookCaller, ImageFetcher
from core.backend import Backend
from core.links import Links
from core.settings import Settings
from engine.engine import Engine
from engine.services import Services
from storage.files.secret import lasting_secret
from tests.support.fakes import FakeBackend, make_spec
from tests.support.services import services_at

patient = partial(HookCaller, deadline=600.0)
"""A caller that a stall of this machine does not lead to call twice."""

AIML = "flux/srpo/image-to-image"
WAVE = "wavespeed-ai/flux-srpo/image-to-image"


BUILD = "build-of-the-tests"
"""Of the page's modules, which are not there."""


@dataclass
class ApiApp:
    """A running API: its ASGI app, its parts, and a client that knows no key."""

    app: Starlette
    services: Services
    own_api: OwnApi
    settings: Settings
    client: httpx.AsyncClient
    told: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        """The services' engine."""
        return self.services.engine

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[httpx.AsyncClient]:
        """Yield the browser of another visitor, with its cookie."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
            await client.get("/")
            yield client

    async def measured(self) -> None:
        """Wait until what has come is compared with its reference."""
        await asyncio.gather(*filter(None, [self.services.meters._working]))

    def key(self, name: str = "ann", **limits: int) -> dict[str, str]:
        """Return the header of a new key."""
        return {"Authorization": f"Bearer {self.own_api.ring.new(name, **limits)[1]}"}


@asynccontextmanager
async def api_app(
    folder: Path,
    backends: Mapping[str, Backend] | None = None,
    resolve: Resolve = resolve,
    meters: bool = False,
    **settings: Any,
) -> AsyncIterator[ApiApp]:
    """Yield a running API, taken up from whatever an earlier one left in the folder.

    Args:
        folder: of its data.
        backends: by key; None is one that is called `local` and answers at once.
        resolve: turns host names into addresses.
        meters: whether results are compared with their references: a moment after their job's end they change by that.
        settings: the owner's.
    """
    own = Settings(data_dir=folder, **settings)
    backends = backends or {"local": FakeBackend(make_spec("local"))}
    services = services_at(folder, backends, own.caps, own.queue_size, rerun=own.rerun)
    links = Links(lasting_secret(folder))
    own_api = build_api(
        services, own, links, ImageFetcher(resolve=resolve), patient(own.webhook_origins, resolve=resolve), BUILD
    )
    other_bodies = {ARCHIVES: own.caps.archive}
    rules = AccessRules(public=own.public, max_body=1_000_000, other_bodies=other_bodies)
    app = Starlette(
        routes=own_api.routes,
        middleware=[Middleware(protected, rules)],
    )
    await services.engine.recover()
    await own_api.hooks.recover()
    await services.experiments.recover()
    if meters:
        await services.meters.recover()
    else:
        services.meters._closing.set()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
            yield ApiApp(app, services, own_api, own, client)
    finally:
        await own_api.close()
        await services.close()
