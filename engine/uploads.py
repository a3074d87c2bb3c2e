"""What comes in before a job: files that the page uploads, and pictures that a program sends to a ticket."""

from __future__ import annotations

from pathlib import Path

from core.imaging.images import Reference
from storage.protocols import UploadStore


class Uploads:
    """Files and pictures on their way in.

    Args:
        store: has their rows.
        quota: bytes that all pictures and files may have on the disk.
    """

    def __init__(self, store: UploadStore, quota: int) -> None:
        self._store = store
        self._quota = quota

    async def make_room(self, size: int) -> bool:
        """Make room for a file of `size` bytes; return whether the quota and the disk have it now."""
        return await self._store.make_room(size, self._quota)

    async def add_file(self, owner: str, path: Path) -> bool:
        """Record an uploaded file, named relative to the folder of uploads; return whether it still exists.

        Raises:
            OSError, sqlite3.Error: the disk is full or not writable.
        """
        return await self._store.add_file(owner, path)

    async def owns_file(self, owner: str, path: Path) -> bool:
        """Return whether an uploaded file, named relative to the folder of uploads, is an owner's."""
        return await self._store.owns_file(owner, path)

    async def issue_ticket(self, owner: str, upload_id: str) -> None:
        """Let an owner send a picture under an id.

        Raises:
            DiskFull: the disk takes nothing.
        """
        await self._store.ticket(owner, upload_id)

    async def is_open(self, upload_id: str) -> bool:
        """Return whether a picture may still come under an id."""
        return await self._store.awaited(upload_id)

    async def redeem(self, upload_id: str, picture: Reference) -> bool:
        """Store the picture that came under an id, its bytes in memory; return whether that was still open.

        Raises:
            DiskFull: the disk takes nothing.
        """
        return await self._store.upload(upload_id, picture)

    async def picture(self, upload_id: str) -> str | None:
        """Return the file's name of the picture that came under an id, None where nothing came."""
        return await self._store.uploaded(upload_id)
