"""Data folders as a crash leaves them: waiting runs on large references, damaged rows, a damaged log or database."""

from __future__ import annotations

import os
import random
import secrets
import sqlite3
import time
from pathlib import Path

from PIL import Image

from core.imaging.images import Reference, encode
from core.job import Job, new_id
from core.request import EditRequest
from core.spec import BackendSpec
from storage.records import record_of
from storage.sqlite.inserts import Kept
from storage.sqlite.store import Store


def pictures(folder: Path, megapixels: int, distinct: int = 5) -> list[Path]:
    """Make large PNG files that compress as photos do, and return them; `fill` makes hard links to them."""
    folder.mkdir(parents=True, exist_ok=True)
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = width * 3 // 4
    paths = []
    for seed in range(distinct):
        small = Image.frombytes(
            "RGB", (width // 4, height // 4), random.Random(seed).randbytes(width // 4 * (height // 4) * 3)
        )
        path = folder / f"{megapixels}-{seed}.png"
        path.write_bytes(encode(small.resize((width, height), Image.Resampling.BILINEAR), "png"))
        paths.append(path)
    return paths


def fill(folder: Path, spec: BackendSpec, references: list[Path], count: int) -> list[str]:
    """Write `count` waiting runs of a backend into a data folder; return their ids, oldest first."""
    store, ids = Store(folder), []
    images = folder / "images"
    images.mkdir(exist_ok=True)
    try:
        for number in range(count):
            source = references[number % len(references)]
            file = images / f"{secrets.token_hex(32)}.png"
            os.link(source, file)
            with Image.open(source) as picture:
                size = file.stat().st_size
                image = Reference(b"", picture.width, picture.height, file=file, digest=file.stem, size=size)
            request = EditRequest.build(spec, f"run {number}", image, {"seed": number})
            job = Job(new_id(), spec.key, request, remote=[None], created=time.time())
            store.add(record_of(job, 0.0), Kept(file.name, file.stat().st_size))
            ids.append(job.id)
    finally:
        store.close()
    return ids


def drop_from_cache(folder: Path) -> None:
    """Let the machine forget the content of a folder's files, as after a restart of the machine."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)


def damage_rows(folder: Path, ids: list[str]) -> None:
    """Make every tenth row unreadable."""
    base = sqlite3.connect(folder / "studio.db")
    with base:
        base.executemany("update jobs set recipe = substr(recipe, 1, 9) where id = ?", [(each,) for each in ids[::10]])
    base.close()


def damage_log(folder: Path, seed: int) -> None:
    """Put nonsense where the database's write-ahead log is."""
    (folder / "studio.db-wal").write_bytes(random.Random(seed).randbytes(400_000))


def damage_database(folder: Path, seed: int) -> None:
    """Overwrite a page of the database, or cut it."""
    path, rng = folder / "studio.db", random.Random(seed)
    data = bytearray(path.read_bytes())
    if seed % 2:
        del data[rng.randrange(4096, len(data)) :]
    else:
        place = 4096 * rng.randrange(len(data) // 4096)
        data[place : place + 4096] = rng.randbytes(4096)
    path.write_bytes(data)
