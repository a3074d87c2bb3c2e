"""AVIF and HEIC files, which are made of the boxes of ISO 14496-12 and 23008-12: what their decoders do not say."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from core.imaging import bombs, tiff
from core.imaging.bombs import TooMuchWork, bound

_EXIF = re.compile(rb"II\*\0|MM\0\*")
_EXIF_BYTES = 2_000_000
"""Of EXIF that are looked at."""


@dataclass(frozen=True)
class Facts:
    """What the boxes say.

    Attributes:
        cicp: primaries and transfer function of the main picture, by their numbers in ITU-T H.273.
        coded: pixels of the largest picture that is coded; a crop may show fewer.
        video: whether a film lies beside the picture.
    """

    cicp: tuple[int, int] | None
    coded: int
    video: bool


def look_into(data: bytes) -> Facts:
    """Return what the boxes of a file say.

    Raises:
        TooMuchWork: there are more of them than any program writes, or metadata that would be copied without end.
    """
    for index, found in enumerate(_EXIF.finditer(data)):
        bound(index, bombs.MAX_EXIF)
        if tiff.asks_too_much(data[found.start() : found.start() + _EXIF_BYTES]):
            raise TooMuchWork
    outer = {name: (start, end) for name, start, end in _boxes(data, 0, len(data))}
    start, end = outer.get(b"meta", (0, 0))
    inside = {name: (start, end) for name, start, end in _boxes(data, start + 4, end)}
    start, end = inside.get(b"iref", (0, 0))
    copied = sum(name == b"cdsc" for name, _, _ in _boxes(data, start + 4, end))
    bound(copied, bombs.MAX_REFERENCES)
    bound(copied * len(data), bombs.MAX_MEMORY)
    properties = {name: (start, end) for name, start, end in _boxes(data, *inside.get(b"iprp", (0, 0)))}
    listed = list(_boxes(data, *properties.get(b"ipco", (0, 0))))
    sizes = [
        struct.unpack_from(">II", data, start + 4)
        for name, start, end in listed
        if name == b"ispe" and end - start >= 12
    ]
    start, end = inside.get(b"pitm", (0, 0))
    main = _properties_of(data, int.from_bytes(data[start + 4 : end]), *properties.get(b"ipma", (0, 0)))
    colours = [
        struct.unpack_from(">HH", data, start + 4)
        for name, start, end in (listed[index - 1] for index in main if 0 < index <= len(listed))
        if name == b"colr" and data[start : start + 4] == b"nclx" and end - start >= 8
    ]
    return Facts(
        (colours[0][0], colours[0][1]) if colours else None,
        max((width * height for width, height in sizes), default=0),
        b"mpvd" in outer,
    )


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the boxes between two places."""
    count = 0
    while start + 8 <= end:
        count += 1
        bound(count, bombs.MAX_BOXES)
        size, name, head = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        stop = min(end, start + size) if size else end
        if stop < start + head:
            return
        yield name, start + head, stop
        start = stop


def _properties_of(data: bytes, item: int, start: int, end: int) -> list[int]:
    """Return the numbers of an item's properties, by the box that links them."""
    if end - start < 8:
        return []
    wide_ids, wide_numbers = data[start] > 0, data[start + 3] & 1
    place = start + 8
    for _ in range(int.from_bytes(data[start + 4 : start + 8])):
        if place >= end:
            return []
        width = 4 if wide_ids else 2
        this, count = int.from_bytes(data[place : place + width]), data[place + width] if place + width < end else 0
        place += width + 1
        step, mask = (2, 0x7FFF) if wide_numbers else (1, 0x7F)
        if this == item:
            return [int.from_bytes(data[at : at + step]) & mask for at in range(place, place + count * step, step)]
        place += count * step
    return []
