"""Small files that ask a decoder for hours: found by their bytes, before any decoder sees them.

Each limit lies far above what programs write, and far below what hurts.
"""

from __future__ import annotations

MAX_SCANS = 64
"""Of a JPEG. A progressive one has about ten; each costs a pass over all its pixels."""
MAX_EXIF = 64
"""Segments of EXIF in a JPEG, which Pillow joins one by one; one holds nearly all there ever is."""
MAX_BLOCKS = 400_000
"""Of a GIF's data. 20 MB in blocks of the usual 255 bytes are 80,000."""
MAX_COMMENTS = 1_000
"""Blocks of comments in a GIF, which Pillow joins one by one."""


def asks_too_much(data: bytes) -> bool:
    """Return whether a picture file would keep its decoder busy for no picture's sake."""
    if data.startswith(b"\xff\xd8"):
        # Within pixels' data every FF is followed by a zero, so that these two bytes are a marker.
        return data.count(b"\xff\xda") > MAX_SCANS or data.count(b"Exif\0\0") > MAX_EXIF
    return data.startswith(b"GIF8") and _gif_asks_too_much(data)


def _gif_asks_too_much(data: bytes) -> bool:
    place, blocks, comments = 13 + _colours(data, 10), 0, 0
    while place < len(data):
        kind = data[place]
        comment = data[place : place + 2] == b"\x21\xfe"
        if kind == 0x21:
            place += 2
        elif kind == 0x2C:
            place += 11 + _colours(data, place + 9)
        else:
            place += 1  # its end, or bytes that mean nothing: Pillow steps over them one by one too
            blocks += 1
            if blocks > MAX_BLOCKS:
                return True
            continue
        while place < len(data):
            size = data[place]
            place += 1 + size
            blocks += 1
            comments += comment
            if blocks > MAX_BLOCKS or comments > MAX_COMMENTS:
                return True
            if not size:
                break
    return False


def _colours(data: bytes, place: int) -> int:
    """Return the bytes of the colour table that the flags at a place announce."""
    flags = data[place] if place < len(data) else 0
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
