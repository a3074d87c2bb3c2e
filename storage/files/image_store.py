"""Where pictures are kept: files named by the hash of their content, written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.image_types import SUFFIX
from core.imaging.display import WIDTHS, display_name
from storage.files.private import write_whole

STRAY = 3600.0
"""Seconds after which a file that no row names is nobody's: as long as a link to one is valid."""


def drop_older(folder: Path, age: float) -> None:
    """Remove files under a folder that were last written more than `age` seconds ago, and folders left empty."""
    for path in sorted(folder.rglob("*"), reverse=True):  # what is inside before what it is in
        if path.is_dir():
            with contextlib.suppress(OSError):
                path.rmdir()
        else:
            with contextlib.suppress(FileNotFoundError):  # room was made meanwhile
                if time.time() - path.stat().st_mtime > age:
                    path.unlink()


class ImageStore:
    """A folder of picture files.

    Args:
        folder: made when the first picture is put.

    Attributes:
        refused: bytes of the last picture that the disk did not take; 0 where it took all, or takes as much again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._removing = threading.Lock()  # a file is either removed, or held and put again, never both
        self._held = Counter[str]()
        self.refused = 0

    def put(self, data: bytes, mime: str, digest: str | None = None) -> Path:
        """Keep a file's bytes as they are and return where; the same bytes give the same path.

        Args:
            data: an encoded picture.
            mime: one of `core.image_types.SUFFIX`.
            digest: SHA-256 of the bytes, in hexadecimal; None hashes them.

        Raises:
            OSError: the disk is full or not writable.
        """
        path = self.folder / f"{digest or hashlib.sha256(data).hexdigest()}{SUFFIX[mime]}"
        if not self._touched(path):
            self._write(path, data)
        return path

    @contextlib.contextmanager
    def held(self, data: bytes, mime: str, digest: str | None = None) -> Iterator[Path]:
        """As `put`, and spare the file from `drop` inside the block, by whose end a row names it.

        Else it could be removed by whoever took back another's right to the same picture a moment ago.
        """
        digest = digest or hashlib.sha256(data).hexdigest()
        name = digest + SUFFIX[mime]
        with self._removing:
            self._held[name] += 1
        try:
            yield self.put(data, mime, digest)
        finally:
            with self._removing:
                self._held[name] -= 1
                if not self._held[name]:
                    del self._held[name]

    def path(self, name: str) -> Path:
        """Return where a picture's file lies, or lay."""
        return self.folder / name

    def copy(self, name: str) -> Path:
        """Return where the display copy of a name lies, or lay."""
        return self.folder / "display" / name

    def _touched(self, path: Path) -> bool:
        """Return whether a file is there, and as good as new: else it may be removed before a row names it."""
        with self._removing:
            try:
                os.utime(path)
            except FileNotFoundError:
                return False
        return True

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_whole(path, data)
        except OSError:
            self.refused = len(data)
            raise

    def display(self, name: str, width: int) -> Path:
        """Return where a picture's copy at a display width lies, or will."""
        return self.copy(display_name(name, width))

    def put_display(self, name: str, width: int, data: bytes) -> Path:
        """Keep a picture's copy at a display width, and return where.

        Raises:
            OSError: the disk is full or not writable.
        """
        path = self.display(name, width)
        self._write(path, data)
        return path

    def drop(self, names: Iterable[str]) -> None:
        """Remove files but those that are held, and the display copies of all; one that is gone already is no error.

        A copy of a file that is held would be counted no more, and is made again when somebody wants it.
        """
        for name in names:
            with self._removing:
                self._drop(name)

    def _drop(self, name: str) -> None:
        if name not in self._held:
            (self.folder / name).unlink(missing_ok=True)
        for width in WIDTHS:
            self.drop_display(name, width)

    def drop_display(self, name: str, width: int) -> None:
        """Remove a picture's copy at a display width, if there is one."""
        self.display(name, width).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the half files that an ended process left. Whole pictures stay, whoever knows them."""
        for path in self.folder.rglob("*.part"):
            path.unlink(missing_ok=True)

    def old(self) -> list[str]:
        """Return the names of pictures whose files, or display copies, are older than `STRAY` seconds."""
        names = set()
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and time.time() - path.stat().st_mtime > STRAY:
                    names.add(path.name if path.parent == self.folder else path.name.rpartition("-")[0])
        return sorted(names)

    def drop_strays(self, names: Iterable[str]) -> int:
        """Remove those pictures that were not put again meanwhile; return how many."""
        gone = 0
        for name in names:
            with self._removing:
                path = self.folder / name
                if not path.exists() or time.time() - path.stat().st_mtime > STRAY:
                    self._drop(name)
                    gone += 1
        return gone
