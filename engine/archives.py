"""Projects as archives: out with a contact sheet and licence notes, and in again."""

from __future__ import annotations

import asyncio
import io
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from core.errors import DiskFull, StudioError
from core.spec import BackendSpec
from engine.images import Images
from engine.licences import licences
from engine.uploads import Uploads
from storage.archive import Archive, ArchivedJob, Manifest, files_of, written
from storage.protocols import Library

log = logging.getLogger(__name__)

CONTACTS, COLUMNS, SIDE, MARGIN = 400, 8, 256, 24
"""Pictures on a contact sheet, those in a row, pixels of the longer side of each, and pixels of its caption."""


@dataclass(frozen=True)
class TakenIn:
    """What came in with an archive.

    Attributes:
        project: the name of its project; None where it was all that an owner had.
        results: those that were not there before.
        known: those that were.
    """

    project: str | None
    results: int
    known: int


class Archives:
    """Writes and reads archives.

    Args:
        library: has the results.
        images: have the files.
        uploads: make room for what comes in.
        specs: the backends by their keys, which say how their pictures may be used.
        quota: bytes that all owners' files may have.
    """

    def __init__(
        self, library: Library, images: Images, uploads: Uploads, specs: Mapping[str, BackendSpec], quota: int
    ) -> None:
        self._library = library
        self._images = images
        self._uploads = uploads
        self._specs = specs
        self._quota = quota

    async def write_project(self, owner: str, project: int, name: str) -> Iterator[bytes]:
        """Return the bytes of a project's archive, a part at a time. What is deleted meanwhile is left out.

        Args:
            owner: whose.
            project: its id.
            name: its name.
        """
        jobs, _ = await self._library.archived(owner, project)
        return await self._write(owner, jobs, name)

    async def write_results(self, owner: str, ids: Sequence[int]) -> Iterator[bytes]:
        """Return the bytes of an archive of results, likewise; ids of others are left out."""
        jobs, _ = await self._library.archived(owner, None, ids=ids)
        return await self._write(owner, jobs, None)

    async def _write(self, owner: str, jobs: Sequence[ArchivedJob], name: str | None) -> Iterator[bytes]:
        manifest = Manifest(project=name, jobs=tuple(jobs))
        files = {file.name: self._images.path(file.stored) for file in files_of(jobs)}
        more = {"LICENCES.txt": licences(jobs, self._specs).encode()}
        sheet = await self._contact_sheet(owner, jobs)
        if sheet is not None:
            more["contact-sheet.jpg"] = sheet
        return written(manifest, files, more)

    async def _contact_sheet(self, owner: str, jobs: Sequence[ArchivedJob]) -> bytes | None:
        pictures = [image for job in jobs for image in job.images if image.file is not None][:CONTACTS]
        cells = []
        for image in pictures:
            assert image.file is not None
            try:
                copy = await self._images.display(image.file.stored, SIDE, owner)
                cells.append((copy, Path(image.file.name).stem))
            except StudioError as error:  # a damaged picture, or one that is gone, has no copy to show
                log.info("no contact for %s: %s", image.file.name, error)
        return await asyncio.to_thread(contact_sheet, cells) if cells else None

    async def take_in(self, owner: str, file: Path, limit: int) -> TakenIn:
        """Store what an archive holds as an owner's.

        Args:
            owner: whose it becomes.
            file: the archive.
            limit: bytes that its files may have together.

        Raises:
            BadInput: it is no archive, damaged, or larger than that.
            DiskFull: there is no room for it.
            ShareFull: its stars and projects would protect more than the owner's share. What was stored before stays.
        """
        with await asyncio.to_thread(file.open, "rb") as opened:
            archive = await asyncio.to_thread(Archive, opened, limit)
            if not await self._uploads.make_room(sum(each.size for each in files_of(archive.manifest.jobs))):
                raise DiskFull("disk-full-for-file")
            results = 0
            for job in archive.manifest.jobs:
                results += await self._library.take_in(owner, archive, job, self._quota)
        images = sum(len(job.images) for job in archive.manifest.jobs)
        return TakenIn(archive.manifest.project, results, images - results)


def contact_sheet(cells: Sequence[tuple[Path, str]]) -> bytes:
    """Return a JPEG of small pictures, each over its name.

    Args:
        cells: files that can be opened here, and their names.
    """
    columns = min(COLUMNS, len(cells))
    rows = math.ceil(len(cells) / columns)
    sheet = Image.new("RGB", (columns * SIDE, rows * (SIDE + MARGIN)), "white")
    draw = ImageDraw.Draw(sheet)
    for at, (path, name) in enumerate(cells):
        left, top = at % columns * SIDE, at // columns * (SIDE + MARGIN)
        with Image.open(path) as picture:
            picture.thumbnail((SIDE - 8, SIDE - 8))
            sheet.paste(
                picture.convert("RGB"), (left + (SIDE - picture.width) // 2, top + (SIDE - picture.height) // 2)
            )
        draw.text((left + 4, top + SIDE), name, fill="black")
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=85)
    return file.getvalue()
