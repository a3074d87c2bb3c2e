"""What was really loaded, for the record: the hub's commit, or a fingerprint of the files' content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from backends.local.choice import ModelChoice
from core.recipe import Model

WEIGHTS = (".safetensors", ".gguf", ".json", ".model", ".txt")
"""Files that decide what a model draws: weights, configurations, vocabularies."""
WHOLE = 64 * 2**20
"""Bytes up to which a file is hashed whole."""
BLOCK = 2**20
"""Bytes of each part of a larger file that is hashed, `WHOLE` in all: a tenth of a second in place of a minute."""


def recorded(choice: ModelChoice, base: Path, transformer: Path | None) -> Model:
    """Return a model's id and revision.

    Args:
        choice: what was asked for.
        base: the folder of the base model.
        transformer: the folder or file that replaces its transformer, None where nothing does.
    """
    revisions = [_revision(each) for each in (base, transformer) if each is not None]
    return Model(id=choice.id, revision="+".join(revisions))


def _revision(path: Path) -> str:
    """Return the commit of files from the hub's cache, else a fingerprint."""
    # The cache is laid out as `snapshots/<commit>/<file>`; see huggingface_hub, "Understand caching".
    parts = path.absolute().parts
    if "snapshots" in parts[:-1]:
        return parts[parts.index("snapshots") + 1]
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return fingerprint((str(each.relative_to(path)), each) for each in files if each.suffix in WEIGHTS)


def fingerprint(files: Iterable[tuple[str, Path]]) -> str:
    """Return 16 hexadecimal digits that tell one set of files from another.

    Of a file larger than `WHOLE`, its length and blocks at even distances count.

    Args:
        files: names and paths, in the same order each time.
    """
    digest = hashlib.sha256()
    for name, path in files:
        size = path.stat().st_size
        digest.update(f"{name}\0{size}\0".encode())
        with path.open("rb") as file:
            if size <= WHOLE:
                digest.update(file.read())
                continue
            blocks = WHOLE // BLOCK
            for number in range(blocks):
                file.seek(number * (size - BLOCK) // (blocks - 1))
                digest.update(file.read(BLOCK))
    return digest.hexdigest()[:16]
