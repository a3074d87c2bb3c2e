"""A picture's size by its file's first bytes, in microseconds and without a decoder.

For deciding where a picture is decoded, never for trusting it: the decoder looks again.
"""

from __future__ import annotations

import struct

HEAD = 262_144
"""Bytes that are enough: a JPEG says its size after its EXIF and its colour profile, 64 KB a segment."""
_MAX_SEGMENTS = 64


def size_of(head: bytes) -> tuple[int, int] | None:
    """Return the width and height that a picture of any kind that is read here claims, None where they are not found.

    Args:
        head: the file's first `HEAD` bytes, or all of it.
    """
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _pair(">II", head, 16)
        if head.startswith(b"\xff\xd8"):
            return _jpeg(head)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp(head)
        if head.startswith(b"GIF8"):
            return _pair("<HH", head, 6)
        if head.startswith(b"BM"):
            width, height = _pair("<ii", head, 18)
            return width, abs(height)  # a negative height stores the rows from the top
        if head[:4] in (b"II*\0", b"MM\0*"):
            return _tiff("<" if head.startswith(b"II") else ">", head)
        if head[4:8] == b"ftyp":
            return _heif(head)
    except struct.error:  # the head ends early
        pass
    return None


def _pair(form: str, head: bytes, place: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, head, place)
    return first, second


def _jpeg(head: bytes) -> tuple[int, int] | None:
    place = 2
    for _ in range(_MAX_SEGMENTS):
        marker, length = _pair(">HH", head, place)
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):  # tables, and one never used
            height, width = _pair(">HH", head, place + 5)
            return width, height
        if marker < 0xFFC0 or marker == 0xFFDA:  # no segment, or pixels before a size
            return None
        place += 2 + length
    return None


def _tiff(order: str, head: bytes) -> tuple[int, int] | None:
    """Return the size in the first page's directory, which may lie behind its pixels, beyond the head."""
    (place,) = struct.unpack_from(order + "I", head, 4)
    (entries,) = struct.unpack_from(order + "H", head, place)
    sizes: dict[int, int] = {}
    for entry in range(place + 2, place + 2 + 12 * entries, 12):
        tag, kind = struct.unpack_from(order + "HH", head, entry)
        if tag in (256, 257):
            (sizes[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), head, entry + 8)
        elif tag > 257:  # tags are in order
            break
    return (sizes[256], sizes[257]) if len(sizes) == 2 else None


def _heif(head: bytes) -> tuple[int, int] | None:
    """Return the largest of the sizes in an AVIF or HEIC: others are its tiles', and its thumbnail's."""
    parts = head.split(b"ispe")[1 : 1 + _MAX_SEGMENTS]
    return max((_pair(">II", part, 4) for part in parts), key=lambda size: size[0] * size[1], default=None)


def _webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8 ":
        width, height = _pair("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        low, middle, high = struct.unpack_from("<HHH", head, 24)
        return (low | (middle & 0xFF) << 16) + 1, (middle >> 8 | high << 8) + 1
    return None
