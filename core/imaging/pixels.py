"""From any mode that decoders give to 8-bit RGB on white, with as few copies as can be: a picture may be large."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from PIL import Image, ImageChops

from core.imaging.colour import Space, to_srgb
from core.imaging.contents import Contents


def open_low_bytes(picture: Image.Image) -> Image.Image:
    """Make an opened PNG of 16-bit colours decode to their low bytes; by itself it decodes to the high ones."""
    tile = picture.tile[0]  # type: ignore[attr-defined]
    picture.tile = [tile._replace(args="RGB;16L")]  # type: ignore[attr-defined]
    return picture


def split(
    picture: Image.Image, contents: Contents, low_bytes: Callable[[], Image.Image]
) -> tuple[Image.Image, Image.Image | None]:
    """Return a decoded picture's colours (8 bits; L, RGB, CMYK or LAB), and its transparency where it has any.

    Args:
        picture: decoded.
        contents: of its file.
        low_bytes: gives the low bytes of 16-bit colours, decoded.
    """
    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bits(picture)
    clear = picture.info.get("transparency")
    if picture.format == "PNG" and clear is not None:
        if picture.mode == "RGB" and contents.depth == 16:
            return picture, _all_but(clear, picture, low_bytes())
        if picture.mode == "L" and contents.depth < 8:
            clear = clear * 255 // (2**contents.depth - 1)  # Pillow spreads the greys and leaves this level as it was
        if picture.mode in ("1", "L"):
            grey = picture.convert("L")
            return grey, grey.point([0 if level == clear else 255 for level in range(256)])
    if not picture.has_transparency_data:
        return _plain(picture), None
    if picture.mode in ("LA", "RGBA"):
        alpha = picture.getchannel("A")
        return picture.convert("L" if picture.mode == "LA" else "RGB"), _unless_full(alpha)
    whole = picture.convert("RGBA")
    return whole.convert("RGB"), _unless_full(whole.getchannel("A"))


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode in ("1", "LA"):
        return picture.convert("L")
    return picture if picture.mode in ("RGB", "CMYK", "L", "LAB") else picture.convert("RGB")


def _unless_full(alpha: Image.Image) -> Image.Image | None:
    return None if alpha.getextrema() == (255, 255) else alpha


def _eight_bits(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Scale 16-bit, 32-bit and float greys to mode L; Pillow's own conversion clips instead.

    16 bits say where white is, and may have a transparent level of 16 bits. 32-bit integers and floats do not:
    white is the first of 1 (floats only), 255 and 65535 that no value passes, else the highest value.
    """
    if picture.mode.startswith("I;16"):
        clear = picture.info.get("transparency")
        wide = picture.convert("I")
        grey = wide.point([(level * 255 + 32_767) // 65_535 for level in range(65_536)], "L")
        if clear is None:
            return grey, None
        return grey, wide.point([0 if level == clear else 255 for level in range(65_536)], "L")
    _, high = picture.getextrema()
    assert isinstance(high, (int, float))  # one band: a pair of numbers
    if picture.mode == "F" and high <= 1:
        scale = 255.0
    elif high <= 255 or not math.isfinite(high):
        scale = 1.0
    else:
        scale = 1 / 256 if high <= 65_535 else 255 / high
    return picture.point(lambda value: value * scale).convert("L"), None


def _all_but(clear: tuple[int, int, int], high: Image.Image, low: Image.Image) -> Image.Image:
    """Return a mask of all pixels but those of a colour in 16 bits."""
    mask: Image.Image | None = None
    for picture, shift in ((high, 8), (low, 0)):
        for index, value in enumerate(clear):
            wanted = value >> shift & 0xFF
            other = picture.getchannel(index).point([0 if level == wanted else 255 for level in range(256)])
            mask = other if mask is None else ImageChops.lighter(mask, other)
    assert mask is not None
    return mask


def flatten(
    colours: Image.Image, alpha: Image.Image | None, spaces: Iterable[Space], size: tuple[int, int]
) -> tuple[Image.Image, Space]:
    """Return colours in sRGB on white at a size, without metadata, and the space that they were in.

    Args:
        colours, alpha: as `split` gives them.
        spaces: that the file declares.
        size: at most the picture's own.
    """
    if alpha is None:
        colours = _scaled(colours, size)  # first, for what follows then has less to do
    colours, space = to_srgb(colours, spaces)
    if alpha is not None:
        white = Image.new("RGB", colours.size, "white")
        white.paste(colours, mask=alpha)
        colours = white
    colours = _scaled(colours, size)
    colours.info = {}  # encoders write what they find there: profiles, comments, a transparent colour
    return colours, space


def _scaled(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
