"""A project, or all that an owner has, as a file that another app takes in: pictures, references, recipes.

An archive is a zip of `recipes.json` (the `Manifest`), the pictures as the backends made them, and their references.
Whoever writes one chooses the names of its files; whoever reads one takes from it what the manifest names, and nothing
else of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.about import VERSION
from core.errors import BadInput
from core.image_types import SUFFIX
from core.imaging.result_files import mime_of
from core.recipe import Digest, Recipe

FORMAT = 1
"""The version of the manifest. A new optional field does not change it."""
MANIFEST = "recipes.json"
MAX_MANIFEST = 256 * 2**20
"""Bytes of a manifest: 100,000 pictures have a tenth of it."""
MAX_FILES = 500_000
DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError)
"""What reading a zip raises where it is cut, broken, of another kind, or not what it says of itself."""
_BLOCK = 2**20


def _stored_kind(mime: str) -> str:
    if mime not in SUFFIX:
        raise ValueError(mime)
    return mime


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class ArchivedFile(_Part):
    """A file of an archive.

    Attributes:
        name: in the zip.
        digest: SHA-256 of its bytes.
        mime: its MIME type.
        size: bytes.
    """

    name: str = Field(max_length=500)
    digest: Digest
    mime: Annotated[str, AfterValidator(_stored_kind)]
    size: Annotated[int, Field(ge=0)]

    @property
    def stored(self) -> str:
        """The name under which it is stored."""
        return self.digest + SUFFIX[self.mime]


class ArchivedImage(_Part):
    """One image of a job, or why it is missing.

    Attributes:
        place: in its job, from 0.
        file: None of one that is missing.
        width, height: pixels.
        missing: one of `core.result.Reason`; None of one that is there.
        why: a message of the catalogue; None of one that is there.
        made: seconds since the epoch, by which lists are ordered.
    """

    place: Annotated[int, Field(ge=0, le=999)]
    seed: int
    model: str
    made: float
    file: ArchivedFile | None = None
    width: int | None = None
    height: int | None = None
    damaged: bool = False
    missing: str | None = None
    why: dict[str, Any] | None = None
    star: bool = False
    note: str = Field("", max_length=2000)
    tags: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    project: str | None = Field(None, max_length=80)


class ArchivedJob(_Part):
    """A job that is done, with its images in the archive.

    Attributes:
        id: the job's; another app makes one of its own of it.
        created, ended: seconds since the epoch.
        source: where it was submitted, a `core.job.Source`.
        cost: US dollars of the whole job, None where it is not known.
        report: its timings and notices.
        notices: of its reference.
        reference: the file, None where it is not stored any more.
    """

    id: str = Field(max_length=100)
    backend: str
    created: float
    ended: float
    source: str = "page"
    cost: float | None = None
    recipe: Recipe
    report: dict[str, Any]
    notices: list[dict[str, Any]] = []
    reference: ArchivedFile | None = None
    images: Annotated[tuple[ArchivedImage, ...], Field(min_length=1)]


class Manifest(_Part):
    """What an archive holds.

    Attributes:
        app: the version that wrote it.
        project: the name of the project; None where it is all that an owner has.
    """

    format: Annotated[int, Field(ge=1)] = FORMAT
    app: str = VERSION
    project: str | None = None
    jobs: tuple[ArchivedJob, ...] = ()


def files_of(jobs: Iterable[ArchivedJob]) -> Iterator[ArchivedFile]:
    """Yield the files of jobs, one that several have once."""
    seen = set[str]()
    for job in jobs:
        for file in (job.reference, *(image.file for image in job.images)):
            if file is not None and file.name not in seen:
                seen.add(file.name)
                yield file


def written(manifest: Manifest, files: Mapping[str, Path], more: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the bytes of an archive, a part at a time. Nothing is compressed: pictures are already.

    Args:
        manifest: says what is in it.
        files: where each of its files lies, by its name in the zip; one that is gone meanwhile is left out.
        more: contents of further files, by name.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, strict_timestamps=False) as out:
        out.writestr(MANIFEST, manifest.model_dump_json(indent=1), zipfile.ZIP_DEFLATED)
        for name, data in more.items():
            out.writestr(name, data)
        for name, path in files.items():
            yield sink.taken()
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue
            with source, out.open(zipfile.ZipInfo(name), "w", force_zip64=True) as part:
                while block := source.read(_BLOCK):
                    part.write(block)
                    yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that is only written to, and emptied from time to time."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class Archive:
    """An archive that is read.

    Args:
        file: opened for reading, seekable.
        limit: bytes that all its files may have together.

    Raises:
        BadInput: it is no archive of this app, a damaged one, or a larger one.
    """

    def __init__(self, file: IO[bytes], limit: int) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
            if len(self._zip.infolist()) > MAX_FILES:
                raise BadInput("archive-too-large", limit=limit // 10**6)
            self.manifest = Manifest.model_validate_json(self._read(MANIFEST, MAX_MANIFEST))
        except (KeyError, *DAMAGED) as error:
            raise BadInput("archive-unreadable", field="file") from error
        if self.manifest.format > FORMAT:
            raise BadInput("archive-newer", field="file")
        if sum(each.size for each in files_of(self.manifest.jobs)) > limit:
            raise BadInput("archive-too-large", field="file", limit=limit // 10**6)

    def read(self, file: ArchivedFile) -> bytes | None:
        """Return a file's bytes; None where it was deleted before the archive was written.

        Raises:
            BadInput: it is other than the manifest says.
        """
        try:
            data = self._read(file.name, file.size)
        except KeyError:
            return None
        except DAMAGED as error:
            raise BadInput("archive-unreadable", field="file") from error
        if hashlib.sha256(data).hexdigest() != file.digest or mime_of(data) != file.mime:
            raise BadInput("archive-unreadable", field="file")
        return data

    def _read(self, name: str, limit: int) -> bytes:
        """Return the bytes of a file of the zip.

        Raises:
            ValueError: there are more than `limit`, whatever the zip says of itself.
        """
        with self._zip.open(name) as part:
            data = part.read(limit + 1)
        if len(data) > limit:
            raise ValueError(name)
        return data


class Files(Protocol):
    """Where files are stored: a `storage.protocols.BlobStore`."""

    def held(self, data: bytes, mime: str, digest: str | None = None) -> contextlib.AbstractContextManager[Path]:
        """Store a file, and keep it inside the block."""


@contextlib.contextmanager
def stored(archive: Archive, job: ArchivedJob, images: Files) -> Iterator[list[tuple[str, int]]]:
    """Store the files of a job, and yield their names and sizes; inside the block they stay, whatever else is removed.

    Raises:
        BadInput: one is other than the manifest says.
        OSError: the disk is full or not writable.
    """
    with contextlib.ExitStack() as stack:
        files = []
        for file in files_of([job]):
            data = archive.read(file)
            if data is not None:
                path = stack.enter_context(images.held(data, file.mime, file.digest))
                files.append((path.name, len(data)))
        yield files
