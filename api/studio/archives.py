"""The routes of archives: a project as one file, out and in."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, StreamingResponse

from api.answers import refusals
from api.statuses import Refused
from api.studio.asker import PREFIX, Asker
from api.studio.exports import disposition
from api.studio.library import ProjectId, refused
from api.studio.schemas import Ids, Imported, Problem
from core.errors import BadParameter
from core.job import Visitor
from engine.archives import Archives
from engine.quotas import Quotas
from engine.services import Services
from storage.files.disk import disk_errors

ZIP = {"required": True, "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
_BLOCK = 2**20


def add_archives(app: FastAPI, services: Services, folder: Path) -> None:
    """Add the routes of archives to the page's own API.

    Args:
        app: answers under its prefix.
        services: have the library and its files.
        folder: where an archive lies while it is read.
    """
    library, quotas, feed = services.library, services.quotas, services.engine.feed
    archives = Archives(library, services.images, services.uploads, services.engine.specs, quotas.caps.quota)
    problems: dict[str, Any] = {"responses": refusals(Problem)}

    @app.get(f"{PREFIX}/projects/{{project_id}}/archive", response_class=StreamingResponse, **problems)
    async def archive(project_id: ProjectId, visitor: Asker) -> StreamingResponse:
        """Return a project as a zip: its pictures and references, recipes, a contact sheet, notes on licences."""
        found = next((each for each in await library.projects(visitor.owner) if each.id == project_id), None)
        if found is None:
            raise Refused("project-unknown", status=404)
        parts = await archives.write_project(visitor.owner, found.id, found.name)
        headers = {"Cache-Control": "no-store", **disposition(f"{found.name}.zip")}
        return StreamingResponse(parts, media_type="application/zip", headers=headers)

    @app.post(f"{PREFIX}/results/archive", response_class=StreamingResponse, **problems)
    async def archive_results(body: Ids, visitor: Asker) -> StreamingResponse:
        """Return results as a zip, as of a project; those that are not there are left out."""
        parts = await archives.write_results(visitor.owner, body.ids)
        return StreamingResponse(parts, media_type="application/zip", headers={"Cache-Control": "no-store"})

    @app.post(
        f"{PREFIX}/projects/import",
        response_model=Imported,
        status_code=201,
        openapi_extra={"requestBody": ZIP},
        **problems,
    )
    async def import_project(request: Request, visitor: Asker) -> JSONResponse:
        """Take in an archive of a project; what is here already stays as it is. The body is the zip itself."""
        file = await asyncio.to_thread(_new_file, folder)
        try:
            await _receive(request, file, visitor, quotas)
            with refused():
                came = await archives.take_in(visitor.owner, file, quotas.caps.archive)
            await services.meters.recover()
        finally:
            await asyncio.to_thread(file.unlink, missing_ok=True)
            feed.wake(visitor.owner)
        return JSONResponse({"project": came.project, "results": came.results, "known": came.known}, 201)


def _new_file(folder: Path) -> Path:
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="archive-", delete=False) as own:
            return Path(own.name)


async def _receive(request: Request, file: Path, visitor: Visitor, quotas: Quotas) -> None:
    """Write a request's body into a file as it comes, and count it among the visitor's uploads.

    Raises:
        TooManyRequests: the visitor has uploaded too much.
        BadParameter: it was cut off.
    """
    share, waiting = quotas.uploads(), bytearray()

    async def write() -> None:
        if share is not None:
            quotas.spend(share, visitor, len(waiting) / 1e6)
        with disk_errors():
            await asyncio.to_thread(_append, file, bytes(waiting))
        waiting.clear()

    try:
        async for part in request.stream():
            waiting += part
            if len(waiting) >= _BLOCK:
                await write()
    except ClientDisconnect as error:
        raise BadParameter("upload-cut", field="file") from error
    await write()


def _append(file: Path, data: bytes) -> None:
    with file.open("ab") as out:
        out.write(data)
