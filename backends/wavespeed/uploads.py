"""How a reference comes to WaveSpeedAI: by an upload ticket and a PUT, or by the older form."""

from __future__ import annotations

import asyncio
import hashlib

from backends.hosted.pictures import travelling
from backends.http.answer import Lost, NotSent
from backends.http.client import ProviderClient
from backends.wavespeed.answers import NAME, Envelope, Ticket, refusal
from core.errors import FetchFailed, MalformedAnswer, ProviderDown
from core.imaging.images import Reference

FORM_PATH = "/api/v3/media/upload/binary"
"""Takes an upload in one request."""
UPLOAD_KEPT = 6.5 * 86_400
"""Seconds for which an uploaded picture is used again; the provider keeps it seven days."""


class Uploads:
    """Uploads pictures, the same one once a key and week.

    Args:
        client: talks to the provider.
    """

    def __init__(self, client: ProviderClient) -> None:
        self._client = client
        self._kept: dict[tuple[str, str], tuple[float, str]] = {}

    def forget(self) -> None:
        """Upload again from now on: the provider could not read what it had."""
        self._kept.clear()

    async def address(self, reference: Reference, key: str) -> str:
        """Return an address of a reference: its own if it has one, else where it was uploaded.

        Raises:
            StudioError: the provider refuses the upload, or does not answer.
        """
        if reference.address:
            return reference.address
        data, mime = await asyncio.to_thread(travelling, reference)
        mark = (hashlib.sha256(key.encode()).hexdigest(), hashlib.sha256(data).hexdigest())
        kept = self._kept.get(mark)
        if kept and self._client.clock() - kept[0] < UPLOAD_KEPT:
            return kept[1]
        try:
            address = await self._by_ticket(data, mime, key) or await self._by_form(data, mime, key)
        except (NotSent, Lost) as error:
            raise ProviderDown("provider-upload-failed", provider=NAME) from error
        self._kept[mark] = (self._client.clock(), address)
        return address

    async def _by_ticket(self, data: bytes, mime: str, key: str) -> str | None:
        """Upload by a ticket and a PUT; None where the provider has no tickets, and the older way is left."""
        ask = {"filename": f"reference.{mime[6:]}", "size": len(data), "content_type": mime}
        answer = await self._client.post("/api/v3/media/uploads", key, json=ask)
        if answer.status in (404, 405, 501):
            return None
        if not answer.ok:
            raise refusal(answer, key)
        ticket = Ticket.of(Envelope.of(answer.body).data)
        if not ticket.download_url or not ticket.upload.url:
            return None
        try:
            put = await self._client.put(ticket.upload.url, ticket.upload.headers or {}, data)
        except (FetchFailed, NotSent):
            return None
        return ticket.download_url if put.ok else None

    async def _by_form(self, data: bytes, mime: str, key: str) -> str:
        files = {"file": (f"reference.{mime[6:]}", data, mime)}
        answer = await self._client.post(FORM_PATH, key, read=120.0, files=files)
        if not answer.ok:
            raise refusal(answer, key)
        address = Ticket.of(Envelope.of(answer.body).data).download_url
        if not address:
            raise MalformedAnswer("provider-upload-without-address", provider=NAME)
        return address
