"""What is read of a file's text blocks, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_TEXT = 4 * 1024 * 1024
"""Bytes of a file's text blocks after decompression, all together."""
MAX_BLOCKS = 200
"""Text blocks of a file. Programs write fewer than twenty."""
MAX_PARTS = 100_000
"""Chunks or segments that are looked at. A PNG of 20 MB in chunks of 8 KB, the usual size, has 2,500."""


class BrokenContainer(ValueError):
    """The bytes are not a file of the kind that they should be, or its structure is damaged before the pixels."""


class StopReading(Exception):
    """A block is damaged, or a limit is reached. What was read before counts."""


@dataclass
class Texts:
    """The texts of one file by their keys. The first block with a key counts.

    Attributes:
        found: what was read.
        left: bytes that may still be read.
        blocks: how many blocks may still be read.
    """

    found: dict[str, str] = field(default_factory=dict)
    left: int = MAX_TEXT
    blocks: int = MAX_BLOCKS

    def spend(self, size: int) -> None:
        """Count a block of so many bytes.

        Raises:
            StopReading: it is one too many, or too large.
        """
        self.left -= size
        self.blocks -= 1
        if self.left < 0 or self.blocks < 0:
            raise StopReading

    def put(self, key: str, text: str) -> None:
        """Keep a text that is counted already; an empty one says nothing."""
        if text:
            self.found.setdefault(key, text)

    def add(self, key: str, raw: bytes, *encodings: str) -> None:
        """Count a block and keep its text by the first encoding that fits; where none does, it is left out.

        Raises:
            StopReading: a limit is reached.
        """
        self.spend(len(raw))
        self.put(key, decoded(raw, *encodings))


def decoded(raw: bytes, *encodings: str) -> str:
    """Return bytes as text by the first encoding that fits, empty where none does."""
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""
