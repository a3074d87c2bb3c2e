"""A copy of a data folder that the app can start from, made while it runs."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from storage.files.image_store import ImageStore
from storage.files.private import close, make_private, write_whole
from storage.sqlite.database import open_read_only, unusable

DATABASES = ("studio.db", "keys.db")
SECRET = "links.key"  # noqa: S105 - the name of its file


@dataclass(frozen=True)
class Backup:
    """What was copied.

    Attributes:
        pictures: that the copy has.
        copied: those of them that an earlier backup in the same folder did not have.
        missing: names of pictures that the database names and the folder lacks: they were deleted meanwhile.
    """

    pictures: int
    copied: int
    missing: tuple[str, ...]


def back_up(folder: Path, target: Path) -> Backup:
    """Copy a data folder's databases, secret and pictures; small copies and uploads are left out.

    The database is copied by SQLite's online backup as it is at one moment, then the pictures that it names: those are
    never changed, so a later backup into the same folder copies new ones alone. The new database takes the old one's
    place once all its pictures are there.

    Args:
        folder: of a running or a stopped app.
        target: made where it is missing, or holds an earlier backup.

    Raises:
        StoreError: one of the folders cannot be read or written.
        FileNotFoundError: the folder holds no database.
    """
    if not (folder / DATABASES[0]).is_file():
        raise FileNotFoundError(folder / DATABASES[0])
    try:
        make_private(target, target / f"{DATABASES[0]}.new")
        copies = {name: _copy_database(folder / name, target / f"{name}.new") for name in DATABASES}
        found = _copy_pictures(folder, target, _pictures(copies[DATABASES[0]]))
        if (folder / SECRET).is_file():
            write_whole(target / SECRET, (folder / SECRET).read_bytes())
        for name, copy in copies.items():
            if copy.is_file():
                for suffix in ("-wal", "-shm"):  # of an app that was started from the earlier backup
                    (target / f"{name}{suffix}").unlink(missing_ok=True)
                copy.replace(target / name)
    except sqlite3.Error as error:
        raise unusable(folder, error) from error
    except OSError as error:
        raise unusable(target, error) from error
    return found


def _copy_database(path: Path, copy: Path) -> Path:
    """Copy a database as it is at one moment; where there is none, there is no copy."""
    if path.is_file():
        with (
            contextlib.closing(open_read_only(path)) as source,
            contextlib.closing(sqlite3.connect(copy)) as base,
        ):
            source.backup(base)
        close(copy, 0o600)
    return copy


def _pictures(database: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as base:
        return [name for (name,) in base.execute("select name from pictures")]


def _copy_pictures(folder: Path, target: Path, names: Iterable[str]) -> Backup:
    source, copies = ImageStore(folder / "images"), ImageStore(target / "images")
    copies.folder.mkdir(mode=0o700, exist_ok=True)
    copied, missing, wanted = 0, [], set(names)
    for name in sorted(wanted):
        path, copy = source.path(name), copies.path(name)
        with contextlib.suppress(FileNotFoundError):
            if copy.stat().st_size == path.stat().st_size:
                continue
        try:
            write_whole(copy, path.read_bytes())
        except FileNotFoundError:
            missing.append(name)
        else:
            copied += 1
    for path in copies.folder.iterdir():
        if path.is_file() and path.name not in wanted:
            path.unlink()
    return Backup(len(wanted) - len(missing), copied, tuple(missing))
