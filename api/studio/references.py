"""How a reference comes in: as a file, by a public link, or as a picture that the app has already."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.callers import while_here
from api.statuses import Refused
from api.studio.schemas import ReferenceFrom
from api.studio.views import messages
from core.errors import BadImage, BadParameter, DiskFull
from core.imaging.images import Reference
from core.imaging.sources import tidy
from core.job import EVERYONE, Visitor
from engine.quotas import FETCHES, REFERENCES
from engine.services import Services
from storage.files.disk import disk_errors

OPEN = 4
"""References of one visitor that are read at a time: a page needs one, and a few tabs have their own."""
FORM = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
FILE_BODY = {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}
"""A route's body, for the API's description: the framework knows no file that is read by hand."""
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": FORM},
        "application/json": {"schema": ReferenceFrom.model_json_schema()},
    },
}
"""A route's body, for the API's description: the framework knows no route that takes either."""


class References:
    """Reads references and stores them, normalised.

    Args:
        services: have the pictures, and count what a visitor asks for.
        fetch: reads a public address into bytes, or raises a StudioError.
        folder: where a file lies while it is read.
    """

    def __init__(self, services: Services, fetch: Callable[[str], Awaitable[bytes]], folder: Path) -> None:
        self._services = services
        self._images = services.images
        self._quotas = services.quotas
        self._fetch = fetch
        self._folder = folder
        self._open = Counter[str]()

    async def add(self, visitor: Visitor, request: Request) -> tuple[Reference, str | None]:
        """Store what a request brings.

        Returns:
            The reference, and the digest of the result that it was, None where it was none.

        Raises:
            StudioError: it cannot be used, or too much was asked for.
        """
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            async with self.received(visitor, request) as file:
                return await while_here(request, self._keep(visitor, file)), None
        asked = await _asked(request)
        with self._place(visitor):
            return await while_here(request, self._find(visitor, asked))

    @asynccontextmanager
    async def received(self, visitor: Visitor, request: Request) -> AsyncIterator[Path]:
        """Hold a place and the file of a form, which lies on the disk until it is read.

        Raises:
            StudioError: there is none, or too much was sent.
        """
        file = await self._received(visitor, request)
        try:
            with self._place(visitor):
                yield file
        finally:
            await asyncio.to_thread(file.unlink, missing_ok=True)

    @contextmanager
    def _place(self, visitor: Visitor) -> Iterator[None]:
        """Hold one of the places that a visitor has; alone on a machine there is no number of them.

        Raises:
            Refused: all are taken.
        """
        if visitor.owner != EVERYONE and self._open[visitor.owner] >= OPEN:
            raise Refused("still-reading", status=429, field="reference")
        self._open[visitor.owner] += 1
        try:
            yield
        finally:
            self._open[visitor.owner] -= 1
            if not self._open[visitor.owner]:
                del self._open[visitor.owner]

    async def _find(self, visitor: Visitor, asked: ReferenceFrom) -> tuple[Reference, str | None]:
        if asked.url is not None:
            self._quotas.spend(FETCHES, visitor)
            address = tidy(asked.url)
            return await self._keep(visitor, await self._fetch(address), address=address), None
        if asked.result is not None:
            return await self._of_result(visitor, asked.result)
        assert asked.digest is not None
        return await self.find(visitor, asked.digest)

    async def find(self, visitor: Visitor, digest: str) -> tuple[Reference, str | None]:
        """Return a stored picture of a visitor's as a reference.

        Raises:
            Refused: they have none of that digest.
        """
        name = await self._images.find(visitor.owner, digest)
        if name is None:
            raise Refused("picture-unknown", status=404, field="reference")
        known = await self._images.find_reference(visitor.owner, name)
        if known is not None:
            return known
        parent = digest if await self._images.is_result(visitor.owner, digest) else None
        return await self._keep(visitor, self._images.path(name), parent=parent), parent

    async def _of_result(self, visitor: Visitor, result: int) -> tuple[Reference, str | None]:
        row = await self._services.library.find(visitor.owner, result)
        if row is None or row.digest is None:
            raise Refused("result-unknown", status=404, field="reference")
        return await self.find(visitor, row.digest)

    async def _received(self, visitor: Visitor, request: Request) -> Path:
        """Return the file of a form, set aside on the disk."""
        try:
            async with request.form(max_files=1, max_fields=4) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise BadImage("image-not-chosen", field="reference")
                self._count(visitor, file.size or 0)
                with disk_errors():
                    return await asyncio.to_thread(self._aside, file.file)
        except HTTPException as error:  # no form, whatever its type says
            raise BadParameter("fault-not-a-form", field="reference") from error

    def _count(self, visitor: Visitor, size: int) -> None:
        share = self._quotas.uploads()
        if share is not None:
            self._quotas.spend(share, visitor, size / 1e6)

    def _aside(self, file: BinaryIO) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="reference-", delete=False) as own:
            shutil.copyfileobj(file, own)
        return Path(own.name)

    async def _keep(
        self, visitor: Visitor, source: bytes | Path, *, address: str | None = None, parent: str | None = None
    ) -> Reference:
        self._quotas.spend(REFERENCES, visitor)
        reference = await self._images.read(source, address, owner=visitor.source)
        if not await self._services.uploads.make_room(len(reference.data)):
            raise DiskFull("disk-full-for-picture")
        return await self._images.keep_reference(visitor.owner, reference, parent)


async def _asked(request: Request) -> ReferenceFrom:
    try:
        asked = ReferenceFrom.model_validate_json(await request.body())
    except ValidationError as error:
        raise BadParameter("fault-reference", field="reference") from error
    if sum(each is not None for each in (asked.url, asked.result, asked.digest)) != 1:
        raise BadParameter("fault-reference", field="reference")
    return asked


def reference_view(reference: Reference, parent: str | None) -> dict[str, Any]:
    """Return a stored reference as the page sees it."""
    assert reference.file is not None  # stored
    return {
        "digest": reference.file.stem,
        "mime": reference.mime,
        "width": reference.width,
        "height": reference.height,
        "size": reference.size,
        "notices": messages(reference.notices),
        "parent": parent,
    }
