"""Pictures: references are read and stored, results found, display sizes made; each is seen by its owners alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.imaging.display import WIDTHS
from core.imaging.images import Reference
from engine.decoders import Decoders
from storage.protocols import BlobStore, PictureStore


class Images:
    """The pictures of all owners. Everything here runs on one event loop.

    Args:
        store: has their rows.
        files: has their bytes.
        decoders: read them, in processes of their own.
    """

    def __init__(self, store: PictureStore, files: BlobStore, decoders: Decoders) -> None:
        self._store = store
        self._files = files
        self._decoders = decoders
        self._making: dict[str, asyncio.Task[Path]] = {}

    def path(self, name: str) -> Path:
        """Return where the file of a picture is, or was."""
        return self._files.path(name)

    def copy_path(self, name: str) -> Path:
        """Return where a display copy is, or was, by the copy's own name."""
        return self._files.copy(name)

    async def read(self, source: bytes | Path, address: str | None = None, *, owner: str) -> Reference:
        """Read and normalise a reference, in a process that may fail.

        Args:
            source: the file, or its bytes.
            address: where anyone can read it.
            owner: whose turn the work takes.

        Raises:
            BadImage: it cannot be used.
            QueueFull: too many wait.
        """
        return await self._decoders.read_reference(source, address, owner=owner)

    async def keep(self, owner: str, data: bytes, mime: str) -> Path:
        """Store a picture that belongs to no job yet, and return its file.

        Raises:
            DiskFull: the disk takes nothing.
        """
        return await self._store.keep(owner, data, mime)

    async def keep_reference(self, owner: str, reference: Reference, parent: str | None) -> Reference:
        """Store a normalised reference, and return it without its bytes in memory.

        Args:
            owner: may see it.
            reference: with its bytes in memory.
            parent: digest of the result that it was made of, None where it was none.

        Raises:
            DiskFull: the disk takes nothing.
        """
        return await self._store.keep_reference(owner, reference, parent)

    async def find_reference(self, owner: str, name: str) -> tuple[Reference, str | None] | None:
        """Return an owner's stored reference and the digest of the result that it was, None where there is none."""
        return await self._store.find_reference(owner, name)

    async def may_see(self, owner: str, name: str) -> bool:
        """Return whether an owner may see a stored picture."""
        return await self._store.may_see(owner, name)

    async def find(self, owner: str, digest: str) -> str | None:
        """Return the file's name of a picture that an owner may see, by its digest; None where there is none."""
        return await self._store.picture_of(owner, digest)

    async def is_result(self, owner: str, digest: str) -> bool:
        """Return whether a picture was made for an owner."""
        return await self._store.is_result(owner, digest)

    async def display(self, name: str, width: int, source: str = "") -> Path:
        """Return the file of a stored picture at one of the display widths; made on first need, once.

        Args:
            name: the stored picture's.
            width: one of `WIDTHS`.
            source: whose turn the work takes.

        Raises:
            BadImage: the stored picture is damaged or gone.
            DiskFull: the copy cannot be written.
        """
        path = self._files.display(name, width)
        if await asyncio.to_thread(path.is_file):
            return path
        task = self._making.get(path.name)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._make(name, width, source))
            self._making[path.name] = task
            task.add_done_callback(self._made)
        return await asyncio.shield(task)

    def _made(self, task: asyncio.Task[Path]) -> None:
        self._making = {name: each for name, each in self._making.items() if each is not task}
        if not task.cancelled():
            task.exception()  # whoever asked may have gone, and then nobody else looks at it

    async def _make(self, name: str, width: int, source: str) -> Path:
        larger = (self._files.display(name, each) for each in WIDTHS if each > width)
        original = await asyncio.to_thread(lambda: next(filter(Path.is_file, larger), self.path(name)))
        return await self._store.keep_display(name, width, await self._decoders.display(original, width, owner=source))
