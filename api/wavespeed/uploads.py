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

TICKET_LIFETIME = 3600
"""Seconds in which a ticket must be used."""
ADDRESS_LIFETIME = 7 * 86_400
"""Seconds for which an uploaded picture's address is valid; how long unused ones are kept is the owner's setting."""


class Ticket(BaseModel):
    """What will be uploaded."""

    model_config = ConfigDict(extra="forbid")

    filename: StrictStr = Field(min_length=1, max_length=255)
    size: Whole = Field(ge=1)
    content_type: StrictStr | None = Field(None, max_length=255)


FILE = {"type": "string", "format": "binary"}
BARE_BODY = {"required": True, "content": {"image/*": {"schema": FILE}}}
FORM_SCHEMA = {"type": "object", "required": ["file"], "properties": {"file": FILE}}
FORM_BODY = {"required": True, "content": {"multipart/form-data": {"schema": FORM_SCHEMA}}}


class UploadTickets:
    """Issues the tickets of uploads, and redeems each with a picture.

    Args:
        gateway: has the uploads, the limits and the signed links.
    """

    def __init__(self, gateway: ApiGateway) -> None:
        self._gateway = gateway
        self._uploads = gateway.uploads

    async def issue(self, owner: str) -> str:
        """Return the id of a new ticket of an owner's."""
        upload_id = secrets.token_hex(16)
        await self._uploads.issue_ticket(owner, upload_id)
        return upload_id

    async def is_open(self, request: Request, upload_id: str) -> bool:
        """Return whether a request's signed address is valid for its path, and the ticket unused."""
        signed = self._gateway.links.opened(str(request.url)) == route_path(request.scope)
        return signed and await self._uploads.is_open(upload_id)

    async def redeem(self, request: Request, upload_id: str, data: bytes) -> bool:
        """Store what was uploaded; return whether its ticket was still valid.

        Raises:
            StudioError: it is no picture that the app reads, or the disk is full.
        """
        reference = await self._gateway.images.read(data, owner=visitor_in(request.scope).source)
        if not await self._uploads.make_room(len(reference.data)):
            raise DiskFull("disk-full-for-picture")
        return await self._uploads.redeem(upload_id, reference)

    def upload_url(self, request: Request, upload_id: str, until: int) -> str:
        """Return the address to PUT a file to, signed until a second of the epoch."""
        return self._signed(request, f"/api/v3/media/uploads/{upload_id}", until)

    def download_url(self, request: Request, upload_id: str) -> str:
        """Return the address at which the picture can be read, and used as a run's image."""
        return self._signed(request, f"/uploads/{upload_id}", int(time.time()) + ADDRESS_LIFETIME)

    def _signed(self, request: Request, path: str, until: int) -> str:
        return self._gateway.base(request) + self._gateway.links.sign(path, until)


async def form_file(request: Request) -> bytes:
    """Return the form field `file` of a request.

    Raises:
        BadParameter: there is no such file.
        DiskFull: a large file could not be spooled.
    """
    with disk_errors():  # a large file is spooled to the disk
        async with request.form(max_files=1, max_fields=10) as form:
            file: Any = form.get("file")
            if not hasattr(file, "read"):
                raise BadParameter("file-field-missing", field="file")
            return bytes(await file.read())


def add_uploads(app: FastAPI, gateway: ApiGateway) -> None:
    """Add the upload routes to an app.

    Args:
        app: the one that answers WaveSpeedAI's paths.
        gateway: has the uploads, the limits and the signed links.
    """
    quotas, tickets = gateway.quotas, UploadTickets(gateway)

    @app.post("/api/v3/media/uploads", response_model=Envelope, **guarded())
    async def ticket(request: Request, body: Ticket) -> JSONResponse:
        """Ask for a ticket: PUT the file to `upload.url`, then use `download_url` as a run's image."""
        visitor = gateway.access.visitor(request)
        if body.size > quotas.caps.max_bytes:
            raise BadParameter("upload-too-large", field="size", limit=round(quotas.caps.max_bytes / 1e6))
        quotas.spend_reference(visitor)
        until = int(time.time()) + TICKET_LIFETIME
        upload_id = await tickets.issue(visitor.owner)
        url = tickets.upload_url(request, upload_id, until)
        upload = {"method": "PUT", "url": url, "headers": {}, "expires_at": stamp(until)}
        return answer({"download_url": tickets.download_url(request, upload_id), "upload": upload})

    @app.put(
        "/api/v3/media/uploads/{upload_id}",
        responses={**PROBLEMS, 200: {"content": {}}},
        openapi_extra={"requestBody": BARE_BODY},
    )
    async def put(request: Request, upload_id: str) -> Response:
        """Send the file of a ticket; the address itself is the right to do it."""
        if not await tickets.is_open(request, upload_id) or not await tickets.redeem(
            request, upload_id, await request.body()
        ):
            raise Refused("upload-ticket-used", status=403)
        return Response()

    @app.post("/api/v3/media/upload/binary", response_model=Envelope, **guarded(requestBody=FORM_BODY))
    async def binary(request: Request) -> JSONResponse:
        """Upload a picture as the form field `file`."""
        visitor = gateway.access.visitor(request)
        quotas.spend_reference(visitor)
        data = await form_file(request)
        upload_id = await tickets.issue(visitor.owner)
        await tickets.redeem(request, upload_id, data)
        url = tickets.download_url(request, upload_id)
        return answer({"type": "image", "download_url": url, "filename": upload_id, "size": len(data)})
