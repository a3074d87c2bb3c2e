"""Where pictures are kept: files named by the hash of their content, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

from core.images import SUFFIX
from core.private import write_whole


def drop_older(folder: Path, age: float) -> None:
    """Remove files under a folder that were last written more than `age` seconds ago, and folders left empty."""
    for path in sorted(folder.rglob("*"), reverse=True):  # what is inside before what it is in
        if path.is_dir():
            with contextlib.suppress(OSError):
                path.rmdir()
        elif time.time() - path.stat().st_mtime > age:
            path.unlink(missing_ok=True)


class ImageStore:
    """A folder of picture files.

    Args:
        folder: made when the first picture is put.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, mime: str) -> Path:
        """Keep a file's bytes as they are and return where; the same bytes give the same path.

        Args:
            data: an encoded picture.
            mime: `image/png` or `image/jpeg`.

        Raises:
            OSError: the disk is full or not writable.
        """
        path = self.folder / f"{hashlib.sha256(data).hexdigest()}{SUFFIX[mime]}"
        if path.exists():
            return path
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, data)
        return path

    def drop(self, names: Iterable[str]) -> None:
        """Remove files; one that is gone already is as good as removed."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the half files that an ended process left. Whole pictures stay, whoever knows them."""
        if self.folder.exists():
            self.drop([path.name for path in self.folder.glob("*.part")])
