"""Files and folders that nobody but the app's own user may read, whatever the umask says."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

OURS = ("studio.db", "keys.db", "links.key", "images", "uploads", "models")
"""What the names of all that the app stores in its data folder begin with."""


def make_private(folder: Path, database: Path) -> None:
    """Make the data folder and its database, and let no other user of the machine read them.

    A folder with other things in it, a home say, keeps its mode: others may have business there.

    Raises:
        OSError: they can be neither made nor used.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if all(path.name.startswith(OURS) for path in folder.iterdir()):
        close(folder, 0o700)
    (folder / "uploads").mkdir(mode=0o700, exist_ok=True)  # else the framework would, open to all
    for name in ("images", "uploads"):
        close(folder / name, 0o700)
    database.touch(mode=0o600)
    for suffix in ("", "-wal", "-shm"):
        close(database.with_name(database.name + suffix), 0o600)


def close(path: Path, mode: int) -> None:
    """Set the mode of what is there; another user's, or what lies on a disk without modes, stays as it is."""
    with contextlib.suppress(OSError):
        path.chmod(mode)


def write_whole(path: Path, data: bytes) -> None:
    """Write a private file so that it is there with all its bytes or not at all, after a power cut too.

    Raises:
        OSError: the disk is full or not writable.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")  # 0600 by itself
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make new names in a folder as durable as their contents. Windows cannot open a folder, and does so by itself."""
    with contextlib.suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
