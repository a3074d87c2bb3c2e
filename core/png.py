"""A quick PNG writer for pictures in RGB.

Pillow tries five filters on each row, which takes more time than packing does. One filter for all rows (the difference
to the row above), packed at zlib's quickest level, takes 0.6 of the time on photos (0.8 s instead of 1.4 s for 24
megapixels) and half of it to read back. Files are about as large, and clearly larger only where they are tiny: one
colour, a bare gradient.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

_UP = 2
"""The filter that keeps the difference to the row above."""
_BAND = 1_000_000
"""Bytes that are filtered at once: what a processor's cache holds."""


def encode_png(picture: Image.Image) -> bytes:
    """Return the file of a picture in mode RGB: the same bytes for the same pixels, and nothing but them."""
    width, height = picture.size
    row = 3 * width
    packer = zlib.compressobj(1, memLevel=9)
    above = np.zeros(row, np.uint8)
    packed = []
    for top in range(0, height, step := max(1, _BAND // row)):
        band = np.asarray(picture.crop((0, top, width, min(height, top + step)))).reshape(-1, row)
        filtered = np.empty((len(band), 1 + row), np.uint8)
        filtered[:, 0] = _UP
        np.subtract(band[0], above, out=filtered[0, 1:])
        np.subtract(band[1:], band[:-1], out=filtered[1:, 1:])
        above = band[-1]
        packed.append(packer.compress(filtered.data))
    packed.append(packer.flush())
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join((b"\x89PNG\r\n\x1a\n", *_chunk(b"IHDR", header), *_chunk(b"IDAT", *packed), *_chunk(b"IEND")))


def _chunk(name: bytes, *parts: bytes) -> Iterator[bytes]:
    """Yield a chunk in pieces, so that large ones are joined once."""
    yield struct.pack(">I", sum(map(len, parts)))
    checksum = 0
    for piece in (name, *parts):
        checksum = zlib.crc32(piece, checksum)
        yield piece
    yield struct.pack(">I", checksum)
