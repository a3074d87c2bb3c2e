"""The app's own API put together: keys, both wire formats, the page's, webhooks, and the pages that describe it."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from api import pictures
from api.access import Access
from api.aimlapi import routes as aimlapi
from api.gateway import ApiGateway
from api.keys import KeyRing
from api.studio import routes as studio
from api.studio.jobs import Jobs as StudioJobs
from api.wavespeed import routes as wavespeed
from api.wavespeed.webhooks import Hooks, Post
from core.links import Links
from core.messages import say
from core.recipe_files.embed import Embed
from core.secrets import revealed
from core.settings import Settings, SettingsError
from engine.services import Services

STATIC = Path(fastapi_offline.__file__).parent / "static"
"""Swagger UI, served from here: no page of this app asks another host."""


@dataclass(frozen=True)
class OwnApi:
    """The API's routes, and what begins and ends with the app.

    Attributes:
        routes: all of them.
        hooks: report the end of jobs to whoever asked for that.
        ring: the API's keys.
        jobs: takes the page's jobs.
    """

    routes: list[BaseRoute]
    hooks: Hooks
    ring: KeyRing
    jobs: StudioJobs

    async def close(self) -> None:
        """Stop telling ends, and let go of the keys' file."""
        await self.hooks.close()
        self.ring.close()


def build_api(
    services: Services,
    settings: Settings,
    links: Links,
    fetch: Callable[[str], Awaitable[bytes]],
    post: Post,
    build_id: str,
) -> OwnApi:
    """Return the API.

    Args:
        services: do the work.
        settings: the owner's choices.
        links: signs addresses of pictures.
        fetch: reads a public address or data URI into bytes, or raises a StudioError.
        post: sends a body to an address under the rules for strangers' addresses.
        build_id: of the page's modules.

    Raises:
        SettingsError: a model is to run on a backend that is not there.
    """
    specs = services.engine.specs
    for model, backend in settings.api_models.items():
        if backend not in specs:
            raise SettingsError("setting-api-models", model=model, backend=repr(backend), backends=", ".join(specs))
    ring = KeyRing(settings.data_dir, revealed(settings.api_key))
    access = Access(ring, public=settings.public, allowance=settings.api_allowance)
    gateway = ApiGateway(
        services,
        access,
        links,
        fetch,
        settings.api_models,
        spends=settings.api_spends,
        public_url=settings.public_url,
    )
    hooks = Hooks(gateway, links, post)
    aiml, wave = _described(aimlapi.build(gateway)), _described(wavespeed.build(gateway, hooks))
    page, jobs = studio.build(
        services,
        fetch,
        settings.data_dir / "uploads",
        build_id,
        Embed(settings.downloads),
        settings.api_models,
        settings.public_url,
    )
    routes = [*aimlapi.routes(aiml), *wavespeed.routes(wave), *studio.routes(page)]
    routes += pictures.routes(services.images, services.uploads, links)
    return OwnApi([*routes, *_pages({"aimlapi": aiml, "wavespeed": wave, "studio": page})], hooks, ring, jobs)


def _described(app: FastAPI) -> FastAPI:
    """Tell how a key is sent, in the description of an API."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
        # The framework promises its own shape for what does not fit; here that is a 400 in the provider's.
        for operation in (each for path in schema["paths"].values() for each in path.values()):
            operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            schema["components"].get("schemas", {}).pop(name, None)
        return schema

    app.openapi = openapi  # type: ignore[method-assign] # as the framework's own documentation does it
    return app


def _pages(apps: dict[str, FastAPI]) -> list[BaseRoute]:
    """Return `/docs` and the pages under it."""

    async def index(_: Request) -> Response:
        items = "".join(
            f'<li><a href="docs/{name}">{html.escape(app.title)}</a> '
            f'(<a href="{str(app.openapi_url)[1:]}">OpenAPI</a>)</li>'
            for name, app in apps.items()
        )
        return HTMLResponse(
            "<!doctype html><html lang=en><meta charset=utf-8>"
            f"<title>{say('ui-title')}: {say('ui-api')}</title>"
            "<body style='font: 16px/1.5 system-ui; max-width: 40rem; margin: 3rem auto; padding: 0 1rem'>"
            f"<h1>{say('ui-api')}</h1><p>{say('api-docs-intro')}</p><ul>{items}</ul>"
        )

    async def page(request: Request) -> Response:
        app = apps.get(request.path_params["name"])
        if app is None:
            return HTMLResponse(say("api-docs-unknown"), 404)
        return get_swagger_ui_html(
            openapi_url=f"..{app.openapi_url}",
            title=app.title,
            swagger_js_url="static/swagger-ui-bundle.js",
            swagger_css_url="static/swagger-ui.css",
            swagger_favicon_url="../favicon.ico",
        )

    return [Route("/docs", index), Mount("/docs/static", StaticFiles(directory=STATIC)), Route("/docs/{name}", page)]
