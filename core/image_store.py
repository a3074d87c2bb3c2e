"""Where pictures are kept: files named by the hash of their content, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from core.results import SUFFIX


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

    Attributes:
        refused: bytes of the last picture that the disk did not take; 0 where it took all, or takes as much again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused = 0

    def put(self, data: bytes, mime: str) -> Path:
        """Keep a file's bytes as they are and return where; the same bytes give the same path.

        Args:
            data: an encoded picture.
            mime: one of `core.results.SUFFIX`.

        Raises:
            OSError: the disk is full or not writable.
        """
        path = self.folder / f"{hashlib.sha256(data).hexdigest()}{SUFFIX[mime]}"
        if path.exists():
            return path
        try:
            self._write(path, data)
        except OSError:
            self.refused = len(data)
            raise
        self._sync_folder()
        return path

    def _write(self, path: Path, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def drop(self, names: Iterable[str]) -> None:
        """Remove files; one that is gone already is as good as removed."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the half files that an ended process left. Whole pictures stay, whoever knows them."""
        if self.folder.exists():
            self.drop([path.name for path in self.folder.glob("*.part")])

    def _sync_folder(self) -> None:
        """Make a new name as durable as its content. Windows cannot open a folder, and does so by itself."""
        with contextlib.suppress(PermissionError):
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
