"""Display sizes of stored pictures: each made once, on first need, whoever asks for it how often."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.imaging.display import WIDTHS
from engine.decoders import Decoders
from storage.async_store import AsyncStore


class Displays:
    """Finds or makes display sizes. Everything here runs on one event loop.

    Args:
        keeper: stores them beside their pictures.
        decoders: make them.
    """

    def __init__(self, keeper: AsyncStore, decoders: Decoders) -> None:
        self._keeper = keeper
        self._decoders = decoders
        self._making: dict[str, asyncio.Task[Path]] = {}

    async def file(self, name: str, width: int, source: str = "") -> Path:
        """Return the file of a stored picture at one of the display widths.

        Args:
            name: the stored picture's.
            width: one of `WIDTHS`.
            source: whose turn the work takes.

        Raises:
            BadImage: the stored picture is damaged or gone.
            DiskFull: the copy cannot be written.
        """
        path = self._keeper.images.display(name, width)
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
        images = self._keeper.images
        larger = (images.display(name, each) for each in WIDTHS if each > width)
        original = await asyncio.to_thread(lambda: next(filter(Path.is_file, larger), images.folder / name))
        return await self._keeper.keep_display(name, width, await self._decoders.display(original, width, owner=source))
