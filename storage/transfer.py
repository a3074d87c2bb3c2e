"""Everything that the app stores as archives in a folder, and back: for another machine, or another storage."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from storage.archive import Archive, Manifest, files_of, stored, written
from storage.files.image_store import ImageStore
from storage.sqlite.database import open_read_only, unusable
from storage.sqlite.migrations import MIGRATIONS
from storage.sqlite.queries import Queries
from storage.sqlite.store import Store

PART = 2000
"""Results in one archive, at most."""
UNLIMITED = 1 << 62


@dataclass(frozen=True)
class Moved:
    """What was written or taken in: owners, archives, and results, those that were there already left out."""

    owners: int
    archives: int
    results: int


def export_all(data: Path, folder: Path, limit: int = PART) -> Moved:
    """Write all results of all owners as archives, also while the app runs.

    An owner has a folder, by their name: whoever gets these folders can tell owners apart.

    Args:
        data: the data folder.
        folder: made where it is missing; archives of an earlier export in it are replaced.
        limit: results in one archive, at most.

    Raises:
        FileNotFoundError: the data folder holds no database.
        StoreError: one of the folders cannot be read or written, or another version of the app wrote the data.
    """
    path = data / "studio.db"
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with contextlib.closing(open_read_only(path)) as base:
            (version,) = base.execute("pragma user_version").fetchone()
            if version != len(MIGRATIONS):
                raise sqlite3.DatabaseError("another version")
            owners = base.execute("select name from owners where pictures > 0 order by number").fetchall()
            moved = [_export(Queries(base), ImageStore(data / "images"), name, folder, limit) for (name,) in owners]
    except sqlite3.Error as error:
        raise unusable(data, error) from error
    except OSError as error:
        raise unusable(folder, error) from error
    return Moved(len(moved), sum(archives for archives, _ in moved), sum(results for _, results in moved))


def _export(queries: Queries, images: ImageStore, owner: str, folder: Path, limit: int) -> tuple[int, int]:
    own = folder / quote(owner, safe="")
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in own.glob("archive-*.zip"):
        old.unlink()
    behind: int | None = 0
    archives = results = 0
    while behind is not None:
        jobs, behind = queries.archived_jobs(owner, None, behind, limit)
        if not jobs:
            continue
        archives += 1
        results += sum(len(job.images) for job in jobs)
        path = own / f"archive-{archives:05}.zip"
        part = path.with_suffix(".part")
        files = {file.name: images.path(file.stored) for file in files_of(jobs)}
        with part.open("wb") as out:
            for block in written(Manifest(jobs=tuple(jobs)), files, {}):
                out.write(block)
        part.replace(path)
    return archives, results


def import_all(folder: Path, data: Path, quota: int) -> Moved:
    """Take in what `export_all` wrote; what is there already stays as it is. The app must not run meanwhile.

    Args:
        folder: with a folder for each owner.
        data: the data folder, made where it is missing.
        quota: bytes that all owners' files may have.

    Raises:
        BadInput: an archive is none of this app's, or damaged. What was stored before stays.
        FileNotFoundError: there are no archives.
        ShareFull: stars and projects would protect more than an owner's share.
        StoreError: the data folder cannot be used.
    """
    archives = sorted(folder.glob("*/archive-*.zip"))
    if not archives:
        raise FileNotFoundError(folder)
    store, results = Store(data), 0
    try:
        for path in archives:
            owner = unquote(path.parent.name)
            with path.open("rb") as file:
                archive = Archive(file, UNLIMITED)
                for job in archive.manifest.jobs:
                    with stored(archive, job, store.images) as files:
                        results += store.take_in(owner, job, files, quota, time.time())
    finally:
        store.close()
    return Moved(len({path.parent for path in archives}), len(archives), results)
