"""Colour spaces: which one a file declares, by ICC profile or otherwise, and the way from it to sRGB.

Where a format has several ways to declare a space, they count in the format's own order; a declaration that cannot
be used gives way to the next. Spaces that are declared by numbers become ICC profiles, so that one library,
LittleCMS, does all the converting.
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image, ImageCms

from core.imaging.contents import Contents
from core.imaging.icc import ADOBE, BT709, CURVES, D65, HDR, PRIMARIES, Curve, icc_profile, power, srgb

UNSPECIFIED = 2
"""Both of primaries and of curves, in ITU-T H.273."""

# ---- what a file declares --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Space:
    """A colour space.

    Attributes:
        profile: of ICC; empty for sRGB.
        hdr: the name of a transfer function whose highlights do not fit into sRGB, empty for all others.
    """

    profile: bytes
    hdr: str = ""


SRGB = Space(b"")


def declared(picture: Image.Image, contents: Contents) -> Iterator[Space]:
    """Yield the spaces that an opened file declares, the one that counts first."""
    png = picture.format == "PNG"
    profile = picture.info.get("icc_profile") or contents.profile
    numbers = _by_numbers(contents.cicp)
    spaces = [numbers, Space(profile) if profile else None]
    yield from filter(None, spaces if png else reversed(spaces))
    if png and "srgb" in picture.info:
        yield SRGB
    elif png and (space := _by_png(picture.info)):
        yield space
    if space := _by_exif(picture):
        yield space
    if picture.format == "TIFF" and (space := _by_tiff(picture)):
        yield space


def profile_name(profile: bytes | None) -> str:
    """Return an ICC profile's own description, of at most 100 characters; empty where there is none to read."""
    if not profile:
        return ""
    try:
        name = ImageCms.getProfileDescription(io.BytesIO(profile))
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return ""
    return "".join(sign for sign in " ".join(name.split()) if sign.isprintable())[:100]


def _made(primaries: Any, white: Any, curves: tuple[Curve, ...], hdr: str = "") -> Space | None:
    """Return the space of some numbers, None where they make none."""
    try:
        return Space(icc_profile(primaries, white, curves), hdr)
    except (ArithmeticError, ValueError, TypeError, struct.error):
        return None


def _by_numbers(cicp: tuple[int, int] | None) -> Space | None:
    """Return the space of two numbers of H.273; where one is unspecified, sRGB's part takes its place."""
    if cicp is None or cicp == (UNSPECIFIED, UNSPECIFIED):
        return None
    primaries, transfer = (part if part != UNSPECIFIED else other for part, other in zip(cicp, (1, 13), strict=True))
    if (primaries, transfer) == (1, 13):
        return SRGB
    if primaries not in PRIMARIES or transfer not in CURVES:
        return None
    return _made(*PRIMARIES[primaries], (CURVES[transfer],), HDR.get(transfer, ""))


def _by_png(info: dict[Any, Any]) -> Space | None:
    """Return the space of gAMA and cHRM; what most programs write for sRGB is taken for it."""
    gamma, points = info.get("gamma", 0.0), info.get("chromaticity", ())
    primaries: Any = tuple(zip(points[2:8:2], points[3:8:2], strict=True)) if len(points) == 8 else BT709
    white: Any = tuple(points[:2]) if len(points) == 8 else D65
    usual = all(math.dist(one, other) < 0.002 for one, other in zip((*primaries, white), (*BT709, D65), strict=True))
    if not 0.1 <= gamma <= 2.5:
        return None if usual else _made(primaries, white, (srgb,))
    if usual and abs(gamma - 1 / 2.2) < 0.02:
        return SRGB
    return _made(primaries, white, (power(1 / gamma),))


def _by_exif(picture: Image.Image) -> Space | None:
    """Return Adobe RGB where a camera says so, by either of the two ways that there are; sRGB likewise."""
    space: Any = None
    rules: Any = ""
    with contextlib.suppress(Exception):  # broken tags raise whatever broke in them, and say nothing about the colours
        exif = picture.getexif()
        space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        rules = exif.get_ifd(ExifTags.IFD.Interop).get(1, "")  # KeyError without it
    name = rules.decode("latin-1") if isinstance(rules, bytes) else str(rules)
    if space == 2 or (space == 65_535 and name.startswith("R03")):
        return _made(ADOBE, D65, (power(2.19921875),))
    return SRGB if space == 1 else None


def _by_tiff(picture: Image.Image) -> Space | None:
    """Return the space of the tags PrimaryChromaticities, WhitePoint and TransferFunction."""
    tags: Any = getattr(picture, "tag_v2", {})
    try:
        points = tuple(float(each) for each in tags.get(ExifTags.Base.PrimaryChromaticities, ()))
        white = tuple(float(each) for each in tags.get(ExifTags.Base.WhitePoint, D65))
        table = tags.get(ExifTags.Base.TransferFunction, ())
        if len(points) != 6 and len(table) < 2:
            return None
        primaries = tuple(zip(points[::2], points[1::2], strict=True)) if len(points) == 6 else BT709
        count = 3 if len(table) in (3 << 8, 3 << 16) else 1
        size = len(table) // count
        parts = [_from_table(table[index * size : (index + 1) * size]) for index in range(count)]
        return _made(primaries, white, tuple(parts) if size > 1 else (srgb,))
    except Exception:  # as above
        return None


def _from_table(table: tuple[int, ...]) -> Curve:
    return lambda value: table[round(value * (len(table) - 1))] / 65_535


# ---- converting ------------------------------------------------------------------------------------------

_MODES = {"RGB ": ("RGB", "L"), "GRAY": ("L",), "CMYK": ("CMYK",), "Lab ": ("LAB",)}
"""Modes of pictures that a profile of a kind describes."""


def to_srgb(picture: Image.Image, spaces: Iterable[Space]) -> tuple[Image.Image, Space]:
    """Return the picture (8 bits; L, RGB, CMYK or LAB) as RGB in sRGB, and the space that was taken for its own.

    A picture in RGB may be changed in place. Pictures that declare nothing are taken for sRGB.
    """
    for space in spaces:
        if not space.profile:
            break
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(space.profile))
            if picture.mode not in _MODES.get(source.profile.xcolor_space, ()):
                continue
            if source.profile.xcolor_space == "RGB ":
                picture = as_rgb(picture)
                if _is_srgb(source):
                    break
            return _converted(picture, source), space
    return as_rgb(picture), SRGB


def as_rgb(picture: Image.Image) -> Image.Image:
    """Return the picture in mode RGB: itself where it is."""
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _converted(picture: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    wanted = ImageCms.createProfile("sRGB")
    done = ImageCms.profileToProfile(picture, source, wanted, outputMode="RGB", inPlace=picture.mode == "RGB")
    return picture if done is None else done


def _is_srgb(source: ImageCms.ImageCmsProfile) -> bool:
    """Return whether a profile's colours are sRGB's, to within 2 of 255."""
    levels = range(0, 256, 51)
    colours = bytes(part for r in levels for g in levels for b in levels for part in (r, g, b))
    seen = _converted(Image.frombytes("RGB", (216, 1), colours), source).tobytes()
    return all(abs(one - other) <= 2 for one, other in zip(colours, seen, strict=True))
