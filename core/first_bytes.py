"""Whether a file begins as a picture does, told from its first bytes alone: before it is written anywhere."""

from __future__ import annotations

ENOUGH = 32
"""Bytes that `begins_as_picture` wants to see of a longer file."""

_MARKS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",  # TIFF
    b"MM\0*",
    b"II+\0",  # BigTIFF
    b"MM\0+",
)
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1")
"""Kinds of ISO media files that are pictures: AVIF and HEIC. The others are films and sounds."""


def begins_as_picture(head: bytes) -> bool:
    """Return whether a file's first bytes are those of a kind of picture that this app reads."""
    if head[4:8] == b"ftyp":
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, len(head) - 3, 4))]
        return any(brand in _BRANDS for brand in brands)
    return head.startswith(_MARKS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
