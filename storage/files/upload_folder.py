"""The folder where the framework puts what the page uploads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

BLOCK = 4096
"""Bytes that the smallest file takes on the disk: thousands of tiny ones count too."""


class UploadFolder:
    """Files by their path relative to a folder, each in a folder of its content.

    Args:
        folder: made by the framework.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def size(self, path: Path) -> int | None:
        """Return the bytes that a file takes, None where it is gone: another's room was made a moment ago."""
        try:
            return max((self.folder / path).stat().st_size, BLOCK)
        except FileNotFoundError:
            return None

    def drop(self, paths: Iterable[str]) -> None:
        """Remove files; one that is gone already is as good as removed."""
        for each in paths:
            path = self.folder / each
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the same content may have other names there
                path.parent.rmdir()

    def sweep(self) -> None:
        """Remove what uploads that the end of the last process cut have left."""
        for path in self.folder.glob("tmp*"):
            if path.is_file():
                path.unlink(missing_ok=True)
