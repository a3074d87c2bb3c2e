"""Opening picture files by their kind's own decoder, and what decoders leave to their callers."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageChops,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from core.errors import BadImage
from core.imaging import tiff

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of an EXIF orientation upright."""
SIDEWAYS = (_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8])

_DECODERS: dict[str, Callable[[io.BytesIO], Image.Image]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
"""The decoders that may see a stranger's bytes, beside HEIC's; no other of Pillow's is used."""
_SPOKEN = {"WEBP": "WebP", "HEIF": "HEIC"}

_PACKED_EXIF = "Raw profile type exif"
JPEG_END = b"\xff\xd9"
_NOISE = bytes(range(1, 255)) * 16


def open_picture(kind: str, data: bytes) -> Image.Image:
    """Read a picture's header by its kind's own decoder; Pillow's limit on pixels, which is not ours, is left out.

    Raises:
        BadImage: it is broken.
    """
    try:
        picture = _heif(data) if kind == "HEIF" else _DECODERS[kind](io.BytesIO(data))
        if tiff.asks_too_much(_packed_exif(picture)):
            del picture.info[_PACKED_EXIF]
        return picture
    except Exception as error:
        raise BadImage("image-header-damaged", format=_SPOKEN.get(kind, kind)) from error


def _packed_exif(picture: Image.Image) -> bytes:
    """Return the EXIF that ImageMagick writes into a PNG's text, which Pillow reads, empty where there is none."""
    with contextlib.suppress(ValueError):
        return bytes.fromhex("".join(str(picture.info.get(_PACKED_EXIF, "")).split("\n")[3:]))
    return b""


def _heif(data: bytes) -> Image.Image:
    import pi_heif  # its libraries are loaded where they are needed alone

    pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
    picture: Image.Image = pi_heif.HeifImageFile(io.BytesIO(data))
    return picture


def loaded(picture: Image.Image) -> Image.Image:
    """Return an opened picture after decoding it."""
    picture.load()
    return picture


def trimmed(data: bytes) -> bytes:
    """Return a JPEG that has no end without half a marker, and the zeros that downloads put for what did not come."""
    rest = data.rstrip(b"\0")
    if rest.endswith(b"\xff"):
        return rest + b"\0" if len(rest) < len(data) else rest[:-1]
    return rest


def missing_share(data: bytes) -> float:
    """Return the share of a JPEG's area that its data, which has no end, does not reach.

    The data is continued by an end and by noise: from where the two pictures differ, the data says nothing. Both
    are decoded at an eighth of their size.
    """
    pictures = []
    for more in (JPEG_END, _NOISE + JPEG_END):
        picture = open_picture("JPEG", data + more)
        picture.draft(None, (max(1, picture.width // 8), max(1, picture.height // 8)))
        pictures.append(loaded(picture))
    differing = ImageChops.difference(*pictures)
    box = differing.getbbox()
    if box is None:
        return 0.0
    width, height, top = *differing.size, box[1]
    first = differing.crop((0, top, width, top + 1)).getbbox()
    return 1 - (top * width + (first[0] if first else 0)) / (width * height)


def turn_of(picture: Image.Image) -> Image.Transpose | None:
    """Return what EXIF says; unreadable tags say nothing about the pixels and are left aside."""
    try:
        return _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return None
