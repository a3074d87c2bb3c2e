"""The door for pictures: open, check, normalise, fit, encode.

Whatever comes in (CMYK, 16 bit, palette, transparent, rotated by EXIF, animated) leaves as upright
8-bit sRGB without metadata, so that no backend meets anything else.
"""

from __future__ import annotations

import hashlib
import io
import math
import threading
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms

from core.bombs import asks_too_much
from core.errors import BadImage

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
"""Pixels; what browsers and JPEG encoders still handle well."""
MAX_FRAMES = 100
"""An animation gives its first frame. A longer one is a film: whoever sends it means something else."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""The decoders that may see a stranger's bytes; all others of Pillow stay shut. JPEG's reads cameras' MPO too."""

MIME = {"png": "image/png", "jpeg": "image/jpeg"}
SUFFIX = {"image/png": ".png", "image/jpeg": ".jpg"}

_READABLE = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"

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

_decoding = threading.Lock()
"""Warning filters belong to the process, so one thread at a time sets them; it bounds the memory too."""


@dataclass(frozen=True)
class Reference:
    """A reference image, normalised.

    Attributes:
        data: a PNG file: upright 8-bit RGB, no alpha, no metadata. Empty once it is stored: see `file`.
        width: pixels.
        height: pixels.
        notices: what was done that the person may not expect.
        address: where anyone can read the same picture as PNG or JPEG, None where that is not known.
        file: where the same bytes are stored, named by their digest; None as long as they are in memory alone.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    notices: tuple[str, ...] = ()
    mime: str = MIME["png"]
    address: str | None = None
    file: Path | None = None

    def read(self) -> bytes:
        """Return the PNG file's bytes, from the disk where they are stored. Up to tens of MB: not on the event loop.

        Raises:
            BadImage: the stored file is gone.
        """
        if self.file is None:
            return self.data
        try:
            return self.file.read_bytes()
        except OSError as error:
            raise BadImage("The reference image is no longer stored.", "Choose the picture again.") from error

    def open(self) -> Image.Image:
        """Return the picture, mode RGB.

        Raises:
            BadImage: the stored file is gone.
        """
        picture = Image.open(io.BytesIO(self.read()), formats=("PNG",))
        picture.load()
        return picture

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal; hashed once, for the stored file's name is its digest."""
        return hashlib.sha256(self.data).hexdigest() if self.file is None else self.file.stem

    def stored_at(self, file: Path) -> Reference:
        """Return the same reference without its bytes in memory.

        Args:
            file: where they are stored, named by their digest.
        """
        return replace(self, data=b"", file=file)


def read_reference(
    data: bytes, address: str | None = None, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Reference:
    """Check a picture file of any kind and return it normalised.

    Args:
        data: the file's bytes, as they came.
        address: the public address that they came from. Kept only where the picture needed no change
            that a reader of the address would miss, and tells nothing beside its pixels.
        max_bytes: of the file.
        max_pixels: of the picture.

    Raises:
        BadImage: it is no picture, broken, or larger than the limits (the two given, 16384 pixels a
            side, 100 frames); all limits are checked before pixels are decoded.
    """
    if not data:
        raise BadImage("The file is empty.", "Choose the picture again.")
    if len(data) > max_bytes:
        raise BadImage(
            f"The file has {len(data) / 1e6:.1f} MB.", f"At most {max_bytes // 10**6} MB are taken: save it smaller."
        )
    if asks_too_much(data):
        raise BadImage("The file is built to keep a computer busy.", "Save the picture anew.")
    with _decoding, warnings.catch_warnings():
        # Pillow's bomb check is replaced by ours, in plain words; broken metadata is left out anyway.
        warnings.simplefilter("ignore")
        picture = _open(data)
        notices = _check_limits(picture, max_pixels)
        try:
            picture.load()
            upright = normalise(picture)
        except Exception as error:  # decoders raise whatever broke in them: TypeError, RuntimeError, struct.error...
            raise BadImage("The picture is damaged: its data ends early or is broken.", "Save it anew.") from error
    plain = picture.format in ("PNG", "JPEG") and not notices and not _tells_more(picture) and _is_web(address)
    return Reference(encode(upright, "png"), upright.width, upright.height, notices, address=address if plain else None)


def _open(data: bytes) -> Image.Image:
    """Read a picture's header.

    Raises:
        BadImage: no allowed decoder knows the file.
    """
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadImage("The picture has far too many pixels.", _scale_down(MAX_PIXELS)) from error
    except Exception as error:
        raise BadImage(
            "This is not a picture that can be read, whatever its name says.", f"Use {_READABLE}."
        ) from error


def _check_limits(picture: Image.Image, max_pixels: int) -> tuple[str, ...]:
    """Refuse what is too large by its header alone; return notices on what will be left out."""
    width, height = picture.size
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        raise BadImage(f"The picture has {width}x{height} pixels.", _scale_down(max_pixels))
    try:
        frames = _count_frames(picture)
    except Exception as error:
        raise BadImage("The picture is damaged: its frames cannot be counted.", "Save it anew.") from error
    if picture.format == "MPO" or frames == 1:
        return ()
    if frames > MAX_FRAMES:
        raise BadImage(
            f"This is an animation of more than {MAX_FRAMES} frames.",
            "Save the frame you want as PNG or JPEG and use that.",
        )
    picture.seek(0)
    return (f"Of the animation's {frames} frames, the first was used.",)


def _scale_down(max_pixels: int) -> str:
    return f"At most {max_pixels // 10**6} megapixels and {MAX_SIDE} pixels a side are taken: scale it down."


def _count_frames(picture: Image.Image) -> int:
    """Return the number of frames; of a TIFF's at most one more than the limit, for counting them all takes minutes."""
    if picture.format == "TIFF":
        try:
            picture.seek(MAX_FRAMES)
        except EOFError:
            picture.seek(0)
        else:
            return MAX_FRAMES + 1
    return getattr(picture, "n_frames", 1)


def normalise(picture: Image.Image) -> Image.Image:
    """Return a new upright picture, mode RGB in sRGB, transparency laid on white, nothing else kept.

    Orientation comes from EXIF; a colour profile is converted where it can be.
    """
    profile = picture.info.get("icc_profile")
    picture = _upright(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _to_eight_bits(picture)
    alpha = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
    if picture.mode in ("1", "LA"):
        picture = picture.convert("L")
    elif picture.mode not in ("RGB", "CMYK", "L", "LAB"):
        picture = picture.convert("RGB")
    if profile:
        picture = _to_srgb(picture, profile)
    clean = Image.new("RGB", picture.size, "white")
    clean.paste(picture.convert("RGB"), mask=alpha)
    return clean


def _upright(picture: Image.Image) -> Image.Image:
    turn = _turn(picture)
    return picture if turn is None else picture.transpose(turn)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """Return what EXIF says; unreadable tags say nothing about the pixels and are left aside."""
    try:
        return _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return None


def _is_web(address: str | None) -> bool:
    """Return whether an address is one of the web, and of a length that providers take."""
    return address is not None and address.startswith(("http://", "https://")) and len(address) <= 2048


def _tells_more(picture: Image.Image) -> bool:
    """Return whether a file holds what may say where, when or by whom the picture was taken."""
    return bool(picture.info.keys() & {"exif", "xmp", "photoshop", "comment"} or getattr(picture, "text", None))


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and float greys to mode L; Pillow's own conversion clips instead.

    16 bits say where white is. 32-bit integers and floats do not: white is the first of 1 (floats
    only), 255 and 65535 that no value passes, else the highest value.
    """
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    _, high = picture.getextrema()
    assert isinstance(high, (int, float))  # one band: a pair of numbers
    if picture.mode == "F" and high <= 1:
        scale = 255.0
    elif high <= 255 or not math.isfinite(high):
        scale = 1.0
    else:
        scale = 1 / 256 if high <= 65_535 else 255 / high
    return picture.point(lambda value: value * scale).convert("L")


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert by an embedded profile; one that is broken or of another colour space is left aside."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted: Any = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return converted if isinstance(converted, Image.Image) else picture


def encode(picture: Image.Image, output_format: str) -> bytes:
    """Encode to a file's bytes.

    Args:
        picture: mode RGB.
        output_format: `png` (lossless) or `jpeg` (quality 95, full colour).
    """
    file = io.BytesIO()
    if output_format == "jpeg":
        picture.save(file, "JPEG", quality=95, subsampling=0)
    else:
        # Run lengths only: on pictures a third quicker than zlib's default search, and no more than a twentieth larger.
        picture.save(file, "PNG", compress_type=3)  # zlib's Z_RLE
    return file.getvalue()


def inspect(data: bytes) -> tuple[str, int, int]:
    """Return a PNG or JPEG file's MIME type, width and height; the file itself stays as it is.

    Raises:
        BadImage: it is neither, or broken at its beginning.
    """
    picture = _open(data)
    mime = {"PNG": MIME["png"], "JPEG": MIME["jpeg"], "MPO": MIME["jpeg"]}.get(str(picture.format))
    if mime is None:
        raise BadImage(f"This is a picture of the kind {picture.format}.", "PNG or JPEG was wanted.")
    return mime, picture.width, picture.height


def working_size(
    width: int, height: int, max_pixels: int | None = None, max_side: int | None = None
) -> tuple[int, int]:
    """Return the size to work at: the picture's own, or scaled down to `max_pixels` and `max_side`, shape kept.

    Both sides are at least 1 pixel; neither is grown.
    """
    by_area = (max_pixels / (width * height)) ** 0.5 if max_pixels else 1.0
    by_side = max_side / max(width, height) if max_side else 1.0
    scale = min(1.0, by_area, by_side)
    return max(1, round(width * scale)), max(1, round(height * scale))


def pad_to_multiple(picture: Image.Image, multiple: int) -> Image.Image:
    """Return the picture grown right and down to multiples, its last row and column repeated.

    Padding instead of stretching keeps every pixel where it was, so a result cut back to the old
    size lies exactly over its reference.
    """
    width, height = picture.size
    right, down = -width % multiple, -height % multiple
    if not right and not down:
        return picture
    padded = Image.new(picture.mode, (width + right, height + down))
    padded.paste(picture, (0, 0))
    if right:
        padded.paste(picture.crop((width - 1, 0, width, height)).resize((right, height)), (width, 0))
    if down:
        last = padded.crop((0, height - 1, width + right, height))
        padded.paste(last.resize((width + right, down)), (0, height))
    return padded
