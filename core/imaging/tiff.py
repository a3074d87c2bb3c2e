"""Directories of TIFF files, and of the EXIF that other formats carry in the same layout, read by their bytes alone.

Pillow copies whatever a directory's entries point at, as often as they say so: a few kilobytes may ask for
gigabytes. Hence directories are looked at here before Pillow sees them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MAX_ENTRIES = 4_096
"""Of one directory. Cameras write about a hundred."""
MAX_NUMBERS = 200_000
"""Of one entry, each of which becomes an object: strips of a picture (one for each row and colour at most), a table of
16-bit colours."""
MAX_TILE = 4_194_304
"""Pixels of a tile, unless the picture is of its size; the usual ones have 65,536."""
MAX_PAGES = 1_000
"""Pages that are counted; a notice does not need the number beyond."""

SUBFILE, PHOTOMETRIC, CHILDREN, DNG = 254, 262, 330, 50_706
_SIZE, _TILE = (256, 257), (322, 323)
EXIF, GPS, INTEROP = 34_665, 34_853, 40_965

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value, by its type."""


@dataclass(frozen=True)
class Entry:
    """One entry of a directory.

    Attributes:
        tag, count: as the file says.
        size: bytes of its values.
        number: its first value, where that is a whole number inside the entry; else where its values lie.
    """

    tag: int
    count: int
    size: int
    number: int


@dataclass(frozen=True)
class Layout:
    """How a file writes its numbers, and where its first directory lies."""

    order: Literal["little", "big"]
    big: bool
    first: int


def layout_of(data: bytes) -> Layout | None:
    """Return the layout of a TIFF file, None where its header is of something else."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if data[:2] not in (b"II", b"MM"):
        return None
    magic = int.from_bytes(data[2:4], order)
    if magic == 42 and len(data) >= 8:
        return Layout(order, False, int.from_bytes(data[4:8], order))
    if magic == 43 and len(data) >= 16:
        return Layout(order, True, int.from_bytes(data[8:16], order))
    return None


def entries(data: bytes, layout: Layout, offset: int) -> Iterator[Entry]:
    """Yield the entries of the directory at an offset, as far as the file holds them."""
    width, start, inside = (20, 8, 8) if layout.big else (12, 2, 4)
    count = int.from_bytes(data[offset : offset + start], layout.order)
    for index in range(count):
        at = offset + start + index * width
        if at + width > len(data):
            return
        kind = int.from_bytes(data[at + 2 : at + 4], layout.order)
        values = int.from_bytes(data[at + 4 : at + 4 + inside], layout.order)
        size = values * _SIZES.get(kind, 0)
        wide = _SIZES.get(kind, inside) if size <= inside else inside
        number = int.from_bytes(data[at + 4 + inside : at + 4 + inside + wide], layout.order)
        yield Entry(int.from_bytes(data[at : at + 2], layout.order), values, size, number)


def count_pages(data: bytes, layout: Layout) -> int:
    """Return the number of pages, at most one more than `MAX_PAGES`."""
    seen: set[int] = set()
    offset, (width, start, inside) = layout.first, ((20, 8, 8) if layout.big else (12, 2, 4))
    while offset and offset not in seen and offset + start <= len(data) and len(seen) <= MAX_PAGES:
        seen.add(offset)
        after = offset + start + width * int.from_bytes(data[offset : offset + start], layout.order)
        offset = int.from_bytes(data[after : after + inside], layout.order)
    return max(1, len(seen))


def asks_too_much(data: bytes) -> bool:
    """Return whether reading the directories of a TIFF file, or of EXIF, would copy far more than the file holds.

    EXIF may begin with the letters that JPEG puts before it.
    """
    data = data.removeprefix(b"Exif\0\0")
    layout = layout_of(data)
    if layout is None:
        return False
    offsets, copied = [layout.first], 0
    for offset in offsets:
        for index, entry in enumerate(entries(data, layout, offset)):
            copied += entry.size
            numbers = entry.count if entry.size > entry.count else 0  # single bytes stay as they are
            if index >= MAX_ENTRIES or numbers > MAX_NUMBERS or copied > 2 * len(data) + 65_536:
                return True
            if entry.tag in (EXIF, GPS, INTEROP) and len(offsets) < 8:
                offsets.append(entry.number)
    return False


def _numbers(data: bytes, layout: Layout) -> dict[int, int]:
    """Return the first number of each entry of the first directory."""
    found: dict[int, int] = {}
    for entry in itertools.islice(entries(data, layout, layout.first), MAX_ENTRIES):
        found.setdefault(entry.tag, entry.number)
    return found


def has_giant_tiles(data: bytes, layout: Layout) -> bool:
    """Return whether a picture's tiles, each of which is unpacked whole, are far larger than the picture."""
    found = _numbers(data, layout)
    tile, picture = (found.get(across, 0) * found.get(down, 0) for across, down in (_TILE, _SIZE))
    return tile > max(MAX_TILE, 4 * picture)


def is_raw(data: bytes) -> bool:
    """Return whether a TIFF file is a camera's raw file: DNG, or one whose first directory holds a preview alone."""
    layout = layout_of(data)
    found = _numbers(data, layout) if layout else {}
    preview = bool(found.get(SUBFILE, 0) & 1) and CHILDREN in found
    return data[8:10] == b"CR" or DNG in found or preview or found.get(PHOTOMETRIC) in (32_803, 34_892)
