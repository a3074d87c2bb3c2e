"""Pictures that come in: open, check, normalise, fit, encode.

Whatever comes in (CMYK, 16 bit, palette, transparent, rotated by EXIF, animated) leaves as upright
8-bit sRGB without metadata, so that no backend meets anything else.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image, PngImagePlugin

from core.errors import BadImage
from core.imaging import tiff
from core.imaging.bombs import MAX_MEMORY, TooMuchWork, decode_bytes
from core.imaging.colour import declared, profile_name
from core.imaging.contents import Contents, look_into
from core.imaging.file_kinds import kind_of, refusal_of, start_of
from core.imaging.opening import JPEG_END, SIDEWAYS, loaded, missing_share, open_picture, trimmed, turn_of
from core.imaging.pixels import flatten, open_low_bytes, split
from core.imaging.png import encode_png
from core.messages import Message, message

MAX_BYTES = 60_000_000
MAX_PIXELS = 120_000_000
"""Phones make 108 million."""
REFERENCE_PIXELS = 24_000_000
"""What a reference is scaled down to; models work at a tenth of it."""
MAX_SIDE = 16_384
"""Pixels; what browsers and WebP encoders still handle. A longer side is scaled down."""
LONGEST_SIDE = 65_535
"""Pixels; JPEG's own limit. Beyond it there are no pictures, but rows that cost a decoder more than their pixels."""
MAX_MISSING = 0.05
"""Share of a JPEG's area that may be missing at its end."""

MIME = {"png": "image/png", "jpeg": "image/jpeg"}

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
        digest: the SHA-256 of the bytes, in hexadecimal; hashed once, where the bytes are made.
        size: bytes.
        profile: the name of the ICC profile in the file that came in; empty where there was none.
        dpi: pixels an inch, as that file said; 0 where it did not say.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    notices: tuple[Message, ...] = ()
    mime: str = MIME["png"]
    address: str | None = None
    file: Path | None = None
    digest: str = ""
    size: int = 0
    profile: str = ""
    dpi: float = 0.0

    def __post_init__(self) -> None:
        if not self.digest:
            object.__setattr__(self, "digest", hashlib.sha256(self.data).hexdigest())
            object.__setattr__(self, "size", len(self.data))

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
            raise BadImage("image-not-stored") from error

    def open(self) -> Image.Image:
        """Return the picture, mode RGB.

        Raises:
            BadImage: the stored file is gone.
        """
        return loaded(PngImagePlugin.PngImageFile(io.BytesIO(self.read())))

    def stored_at(self, file: Path) -> Reference:
        """Return the same reference without its bytes in memory.

        Args:
            file: where they are stored, named by their digest.
        """
        return replace(self, data=b"", file=file)


def read_reference(
    data: bytes,
    address: str | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    reference_pixels: int = REFERENCE_PIXELS,
) -> Reference:
    """Check a picture file of any kind and return it normalised.

    Of files with several pictures, the first (a HEIC's main one) is read; notices say what was left out.

    Args:
        data: the file's bytes, as they came.
        address: the public address that they came from. Kept only where the picture needed no change
            that a reader of the address would miss, and tells nothing beside its pixels.
        max_bytes: of the file.
        max_pixels: of the picture.
        reference_pixels: a larger picture is scaled down to them, and to 16384 pixels a side.

    Raises:
        BadImage: it is no picture, broken, larger than the limits (the two given, 65535 pixels a side), or
            would take too much memory or time; all limits are checked before pixels are decoded.
    """
    if not data:
        raise BadImage("image-file-empty")
    if len(data) > max_bytes:
        raise BadImage("image-file-too-large", size=len(data) / 1e6, limit=max_bytes / 1e6)
    start = start_of(data)
    data = data[start:] if start else data
    kind = kind_of(data)
    if kind is None:
        raise refusal_of(data)
    try:
        contents = look_into(kind, data)
    except TooMuchWork as error:
        raise BadImage("image-built-to-overload") from error
    contents = replace(contents, plain=contents.plain and not start)
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # broken metadata is left out anyway
        return _read(data, contents, address, max_pixels, reference_pixels)


def _read(data: bytes, contents: Contents, address: str | None, max_pixels: int, reference_pixels: int) -> Reference:
    picture = open_picture(contents.kind, data)
    _check_limits(picture, contents.coded, max_pixels, reference_pixels)
    notices = _left_out(picture, contents)
    width, height = picture.size
    profile, dpi = profile_name(picture.info.get("icc_profile") or contents.profile), _resolution(picture)
    try:
        if contents.kind == "JPEG" and not contents.whole:
            data = trimmed(data)
            missing = missing_share(data)
            if missing > MAX_MISSING:
                raise ValueError("much is missing")
            notices += (message("notice-file-ends-early"),) if missing else ()
            picture = open_picture(contents.kind, data + JPEG_END)
        size = working_size(width, height, reference_pixels, MAX_SIDE)
        if contents.kind == "JPEG":
            picture.draft(None, size)
        picture.load()
        if contents.kind == "TIFF" and picture.size != (width, height):  # turned by its decoder
            (width, height), size = picture.size, size[::-1]
        turn, spaces, mode = turn_of(picture), list(declared(picture, contents)), picture.mode
        colours, alpha = split(picture, contents, lambda: loaded(open_low_bytes(open_picture(contents.kind, data))))
        same = alpha is None and colours is picture and turn is None and size == (width, height)
        del picture  # with what its decoder holds
        upright, space = flatten(colours, alpha, spaces, size)
        if turn is not None:
            upright = upright.transpose(turn)
    except Exception as error:  # decoders raise whatever broke in them: TypeError, RuntimeError, struct.error...
        raise BadImage("image-damaged") from error
    if size != (width, height):
        before = (height, width) if turn in SIDEWAYS else (width, height)
        scaled = {"width": before[0], "height": before[1], "new_width": upright.width, "new_height": upright.height}
        notices += (message("notice-scaled-down", **scaled),)
    if space.hdr:
        notices += (message("notice-hdr", kind=space.hdr),)
    plain = same and contents.plain and contents.depth == 8 and mode in ("RGB", "L") and not space.profile
    same_there = plain and not notices and _is_web(address)
    return Reference(
        encode(upright, "png"),
        upright.width,
        upright.height,
        notices,
        address=address if same_there else None,
        profile=profile,
        dpi=dpi,
    )


def _resolution(picture: Image.Image) -> float:
    """Return the pixels an inch that a file declares for its rows, 0 where it declares none that can be meant."""
    try:
        dpi = float(picture.info["dpi"][0])
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError):
        return 0.0
    return round(dpi, 2) if 1 <= dpi <= 100_000 else 0.0


def _check_limits(picture: Image.Image, coded: int, max_pixels: int, reference_pixels: int) -> None:
    """Refuse what is too large, by its header alone."""
    width, height = picture.size
    if max(coded, width * height) > max_pixels or max(width, height) > LONGEST_SIDE:
        raise BadImage(
            "image-too-many-pixels",
            width=width,
            height=height,
            megapixels=max(coded, width * height) / 1e6,
            limit=max_pixels / 1e6,
            side=LONGEST_SIDE,
        )
    needed = decode_bytes(picture, reference_pixels, coded)
    if needed > MAX_MEMORY:
        raise BadImage("image-too-much-memory", needed=needed / 1e9, limit=MAX_MEMORY / 1e9)


def _left_out(picture: Image.Image, contents: Contents) -> tuple[Message, ...]:
    """Return notices on what is left out of a file."""
    count = getattr(picture, "n_frames", 1) if contents.kind in ("AVIF", "HEIF") else contents.pictures
    notices = []
    if count > 1 and contents.kind == "TIFF":
        many = count > tiff.MAX_PAGES
        notices.append(message("notice-first-page", count=min(count, tiff.MAX_PAGES), more=many))
    elif count > 1 and contents.kind == "HEIF":
        notices.append(message("notice-main-picture", count=count))
    elif contents.gain_map:
        notices.append(message("notice-gain-map"))
    elif count > 1 and contents.kind == "JPEG":
        notices.append(message("notice-first-picture", count=count))
    elif count > 1:
        notices.append(message("notice-first-frame", count=count))
    if contents.video:
        notices.append(message("notice-video-left-out"))
    return tuple(notices)


def _is_web(address: str | None) -> bool:
    """Return whether an address is one of the web, and of a length that providers take."""
    return address is not None and address.startswith(("http://", "https://")) and len(address) <= 2048


def encode(picture: Image.Image, output_format: str) -> bytes:
    """Encode to a file's bytes.

    Args:
        picture: mode RGB.
        output_format: `png` (lossless) or `jpeg` (quality 95, full colour).
    """
    if output_format != "jpeg":
        return encode_png(picture)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


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
