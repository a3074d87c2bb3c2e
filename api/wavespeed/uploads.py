"""How a reference comes here before its run: by an upload ticket and a PUT, or by the older form.

Facts from WaveSpeedAI's API pages. What is kept is the picture, normalised, and nothing else of the file.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, StrictStr
from starlette.responses import JSONResponse, Response

from api.answers import stamp
from api.gateway import ApiGateway
from api.schemas import Whole
from api.statuses import Refused
from api.wavespeed.envelope import PROBLEMS, Envelope, answer, guarded
from core.errors import BadParameter, DiskFull
from core.job import visitor_in
from core.subpath import route_path
from storage.files.disk import disk_errors

TICKET = 3600
"""Seconds in which a ticket must be used."""
KEPT = 7 * 86_400
"""Seconds for which an uploaded picture's address is valid; how long unused ones are kept is the owner's setting."""


class Ticket(BaseModel):
    """What will be uploaded."""

    model_config = ConfigDict(extra="forbid")

    filename: StrictStr = Field(min_length=1, max_length=255)
    size: Whole = Field(ge=1)
    content_type: StrictStr | None = Field(None, max_length=255)


def add_uploads(app: FastAPI, gateway: ApiGateway) -> None:
    """Add the upload routes to the door."""

    caps = gateway.engine.quotas.caps

    async def keep(request: Request, upload_id: str, data: bytes) -> bool:
        """Keep what was uploaded; return whether its ticket was still good for it."""
        reference = await gateway.engine.images.read(data, owner=visitor_in(request.scope).source)
        if not await gateway.engine.uploads.make_room(len(reference.data)):
            raise DiskFull("disk-full-for-picture")
        return await gateway.engine.uploads.redeem(upload_id, reference.data, reference.mime)

    def address(request: Request, upload_id: str) -> str:
        return gateway.base(request) + gateway.links.sign(f"/uploads/{upload_id}", int(time.time()) + KEPT)

    @app.post("/api/v3/media/uploads", response_model=Envelope, **guarded())
    async def ticket(request: Request, body: Ticket) -> JSONResponse:
        """Ask for a ticket: PUT the file to `upload.url`, then use `download_url` as a run's image."""
        visitor = gateway.access.visitor(request)
        if body.size > caps.max_bytes:
            raise BadParameter("upload-too-large", field="size", limit=round(caps.max_bytes / 1e6))
        gateway.engine.quotas.spend_reference(visitor)
        upload_id, until = secrets.token_hex(16), int(time.time()) + TICKET
        url = gateway.base(request) + gateway.links.sign(f"/api/v3/media/uploads/{upload_id}", until)
        upload = {"method": "PUT", "url": url, "headers": {}, "expires_at": stamp(until)}
        await gateway.engine.uploads.issue_ticket(visitor.owner, upload_id)
        return answer({"download_url": address(request, upload_id), "upload": upload})

    file = {"type": "string", "format": "binary"}
    bare = {"required": True, "content": {"image/*": {"schema": file}}}
    properties = {"type": "object", "required": ["file"], "properties": {"file": file}}
    form = {"required": True, "content": {"multipart/form-data": {"schema": properties}}}

    @app.put(
        "/api/v3/media/uploads/{upload_id}",
        responses={**PROBLEMS, 200: {"content": {}}},
        openapi_extra={"requestBody": bare},
    )
    async def put(request: Request, upload_id: str) -> Response:
        """Send the file of a ticket; the address itself is the right to do it."""
        open_ = gateway.links.opened(str(request.url)) == route_path(
            request.scope
        ) and await gateway.engine.uploads.is_open(upload_id)
        if not open_ or not await keep(request, upload_id, await request.body()):
            raise Refused("upload-ticket-used", status=403)
        return Response()

    @app.post("/api/v3/media/upload/binary", response_model=Envelope, **guarded(requestBody=form))
    async def binary(request: Request) -> JSONResponse:
        """Upload a picture as the form field `file`."""
        visitor = gateway.access.visitor(request)
        gateway.engine.quotas.spend_reference(visitor)
        with disk_errors():  # a large file is spooled to the disk
            async with request.form(max_files=1, max_fields=10) as form:
                file: Any = form.get("file")
                if not hasattr(file, "read"):
                    raise BadParameter("file-field-missing", field="file")
                data = await file.read()
        upload_id = secrets.token_hex(16)
        await gateway.engine.uploads.issue_ticket(visitor.owner, upload_id)
        await keep(request, upload_id, data)
        url = address(request, upload_id)
        return answer({"type": "image", "download_url": url, "filename": upload_id, "size": len(data)})
