"""Files that a provider made: of which kind, how large, whole or damaged. They are stored as they came.

A result was paid for, so only what is no picture at all is refused.
"""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass

from PIL import Image

from core.errors import BadImage
from core.images import MAX_PIXELS

SUFFIX = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/heic": ".heic",
    "image/jxl": ".jxl",
    "image/jp2": ".jp2",
}
"""The kinds of pictures that are stored, and how their files' names end."""
MIME_OF = {suffix: mime for mime, suffix in SUFFIX.items()}
"""The kind of a stored file by the end of its name."""

_FORMATS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
"""Kinds by Pillow's names; no other decoder sees a provider's bytes."""
_DECODERS = tuple(name for name in _FORMATS if name != "MPO")  # which JPEG's opens
_SMALLEST = 100
"""Bytes; what is shorter and cannot be opened holds nothing of a picture."""
_looking = threading.Lock()
"""Warning filters belong to the process; one file at a time bounds the memory too."""


@dataclass(frozen=True)
class Facts:
    """What a file says of itself.

    Attributes:
        mime: one of `SUFFIX`.
        width, height: pixels; 0 where the file cannot be opened here.
        damaged: whether its data ends early or is broken.
    """

    mime: str
    width: int = 0
    height: int = 0
    damaged: bool = False


def look_at(data: bytes) -> Facts:
    """Return what a result's file is. Pixels are decoded, up to as many as a reference may have.

    Raises:
        BadImage: it is no picture, or has far too many pixels.
    """
    with _looking, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_DECODERS) as picture:
                facts = Facts(_FORMATS[str(picture.format)], picture.width, picture.height)
        except Image.DecompressionBombError as error:
            raise BadImage("The picture has far too many pixels.") from error
        except Exception as error:
            mime = _kind_of(data)
            if mime is None or len(data) < _SMALLEST:
                raise BadImage("This is no picture.") from error
            return Facts(mime, damaged=mime in _FORMATS.values())
        whole = facts.width * facts.height > MAX_PIXELS or _decodes(data)
    return facts if whole else Facts(facts.mime, facts.width, facts.height, damaged=True)


def _decodes(data: bytes) -> bool:
    """Return whether all pixels can be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=_DECODERS) as picture:
            picture.load()
    except Exception:  # decoders raise whatever broke in them
        return False
    return True


def _kind_of(data: bytes) -> str | None:
    """Return a picture's kind by its first bytes."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return {b"avif": "image/avif", b"avis": "image/avif"}.get(
            brand, "image/heic" if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1") else None
        )
    marks = {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"II*\0": "image/tiff",
        b"MM\0*": "image/tiff",
        b"\xff\x0a": "image/jxl",
        b"\0\0\0\x0cJXL ": "image/jxl",
        b"\0\0\0\x0cjP  ": "image/jp2",
    }
    return next((mime for mark, mime in marks.items() if data.startswith(mark)), None)
