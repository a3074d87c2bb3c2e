"""Where pictures are kept: files named by the hash of their content, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from core.images import SUFFIX


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
        return path
