"""Small files that ask a decoder for hours or gigabytes: the limits, and what decoding a picture takes.

Each limit lies far above what programs write, and far below what hurts. `core.imaging.contents` counts.
"""

from __future__ import annotations

import math

from PIL import Image

MAX_SCANS = 64
"""Of a JPEG. A progressive one has about ten; each costs a pass over all its pixels."""
MAX_SCANNED = 2_600_000_000
"""Pixels that all scans of a JPEG pass over: 21 scans of 120 megapixels."""
MAX_EXIF = 64
"""Segments of EXIF in a JPEG, which Pillow joins one by one; one holds nearly all there ever is."""
MAX_SEGMENTS = 10_000
"""Of a JPEG. Maps of depth come in pieces of 64 kB, a few hundred at most."""
MAX_JUNK = 65_536
"""Bytes between a JPEG's segments, which Pillow steps over one by one."""
MAX_TABLES = 65_536
"""Bytes of a JPEG's frames and quantisation tables, which Pillow takes apart; four tables have 520."""
MAX_RESOURCES = 4_000_000
"""Bytes of Photoshop's resources in a JPEG, which Pillow takes apart as well."""
MAX_BLOCKS = 400_000
"""Of a GIF's data. 60 MB in blocks of the usual 255 bytes are 240,000."""
MAX_COMMENTS = 1_000
"""Blocks of comments in a GIF, which Pillow joins one by one."""
MAX_CHUNKS = 50_000
"""Of a PNG or WebP. 60 MB in the usual pieces of 8 kB are 7,500."""
MAX_PROFILES = 4
"""Colour profiles in a PNG, each of which is unpacked. It should have one."""
MAX_POINTS = 32
"""Bytes of a PNG's chromaticities: eight numbers."""
MAX_BOXES = 10_000
"""Of an AVIF's or HEIC's header at one level. A photo in tiles has a few hundred."""
MAX_REFERENCES = 64
"""To an AVIF's or HEIC's pieces of metadata, each of which is copied for each picture in the file."""

MAX_MEMORY = 1_500_000_000
"""Bytes that decoding one picture may take: two decoders beside the app fit into 4 GB."""


class TooMuchWork(Exception):
    """A file would keep its decoder busy for no picture's sake."""


def bound(count: int, most: int) -> None:
    """Let a count be at most so many.

    Raises:
        TooMuchWork: it is more.
    """
    if count > most:
        raise TooMuchWork


_STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
"""Bytes that Pillow takes for a pixel of a mode; all others take 4."""
_COPIES = {"WEBP": 14, "AVIF": 10, "HEIF": 7}
"""Bytes for a pixel that the format's own library takes beside Pillow's picture, by measurement."""
_DEEP = 4
"""More of them for HEIC in more than 8 bits."""


def decode_bytes(picture: Image.Image, target: int, coded: int = 0) -> int:
    """Estimate the peak of memory for decoding an opened picture and bringing it to `target` pixels, in bytes.

    `coded` are the pixels that are decoded, where fewer are shown.
    Measured peaks (`python -m bench pictures`) lie between half of it and a tenth above it.
    """
    pixels = max(coded, picture.width * picture.height)
    held: int = pixels * _COPIES.get(str(picture.format), 0)
    if picture.info.get("bit_depth", 8) > 8:
        held += pixels * _DEEP
    if picture.info.get("progressive"):
        held = round(pixels * 2 * _samples(picture))  # all coefficients are held until the last scan
    if picture.format == "JPEG":
        scale = next(each for each in (8, 4, 2, 1) if each == 1 or pixels >= target * each * each)
        pixels //= scale * scale
    stored: int = pixels * _STORED.get(picture.mode, 4)
    further = 0
    if picture.mode not in ("L", "RGB", "CMYK", "RGBA"):
        further += pixels * 5  # a copy in RGB or in 32 bits, and one in grey
    if picture.has_transparency_data:
        further += pixels * 5  # the mask, and the picture on white
    scaled = 4 * min(pixels, target)
    between = round(scaled * max(1.0, math.sqrt(pixels / target)))  # scaled in width, not yet in height
    return stored + max(held, further + scaled + between)


def _samples(picture: Image.Image) -> float:
    """Return how many coefficients a JPEG holds for a pixel: 3 in full colour, 1.5 with colour in half the size."""
    layers: list[tuple[int, int, int, int]] = getattr(picture, "layer", [])
    most = max((across * down for _, across, down, _ in layers), default=0)
    return sum(across * down for _, across, down, _ in layers) / most if most else 4.0
