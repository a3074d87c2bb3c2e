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
from core.imaging.file_kinds import kind_of

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
_UNOPENED = {
    b"\xff\x0a": "image/jxl",
    b"\0\0\0\x0cJXL ": "image/jxl",
    b"\0\0\0\x0cjP  ": "image/jp2",
}
"""Kinds that are no references, by their first bytes."""
DECODED = 40_000_000
"""Pixels; of a larger picture only the header is read, for this is done in the app's own process."""
_SMALLEST = 100
"""Bytes; what is shorter and cannot be opened holds nothing of a picture."""
_looking = threading.Lock()
"""Warning filters belong to the process; one file at a time bounds the memory too."""


@dataclass(frozen=True)
class Facts:
    """What a file says of itself.

    Attributes:
        mime: one of `core.image_types.SUFFIX`.
        width, height: pixels; 0 where the file cannot be opened here.
        damaged: whether its data ends early or is broken.
    """

    mime: str
    width: int = 0
    height: int = 0
    damaged: bool = False


def mime_of(data: bytes) -> str | None:
    """Return the MIME type of a picture file by how it begins, None of what is not stored."""
    kind = kind_of(data)
    unopened = (mime for start, mime in _UNOPENED.items() if data.startswith(start))
    return next(unopened, None) if kind is None else _FORMATS.get(kind)


def look_at(data: bytes) -> Facts:
    """Return what a result's file is. Up to `DECODED` pixels are decoded.

    Raises:
        BadImage: it is no picture, or has far too many pixels.
    """
    with _looking, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_DECODERS) as picture:
                facts = Facts(_FORMATS[str(picture.format)], picture.width, picture.height)
        except Image.DecompressionBombError as error:
            raise BadImage("image-far-too-large") from error
        except Exception as error:
            mime = _mime_of(data)
            if mime is None or len(data) < _SMALLEST:
                raise BadImage("image-not-a-picture") from error
            return Facts(mime, damaged=mime in _FORMATS.values())
        whole = facts.width * facts.height > DECODED or _decodes(data)
    return facts if whole else Facts(facts.mime, facts.width, facts.height, damaged=True)


def _decodes(data: bytes) -> bool:
    """Return whether all pixels can be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=_DECODERS) as picture:
            picture.load()
    except Exception:  # decoders raise whatever broke in them
        return False
    return True


def _mime_of(data: bytes) -> str | None:
    """Return a picture's MIME type by its first bytes; some kinds are stored that nothing here opens."""
    kind = kind_of(data)
    if kind is not None:
        return _FORMATS.get(kind, "image/heic")
    return next((mime for mark, mime in _UNOPENED.items() if data.startswith(mark)), None)
