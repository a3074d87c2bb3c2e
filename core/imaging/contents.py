"""What a picture file holds, found by walking it in its format's own way, before any decoder sees it.

Decoders answer only what they need themselves: Pillow says nothing of a PNG's cICP, of films behind a photo, or of
a file's missing end. The walk is where limits on the number of pieces hold, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.imaging import bombs, boxes, tiff
from core.imaging.bombs import TooMuchWork, bound


@dataclass(frozen=True)
class Contents:
    """What a file holds beside the pixels of its first picture.

    Attributes:
        kind: as `core.imaging.file_kinds` says.
        pictures: frames, pages or pictures.
        whole: whether the file ends as its format wants.
        plain: whether there is nothing but one picture and what decoding it needs.
        video: whether a film lies behind the picture.
        gain_map: whether a second picture makes the first brighter on HDR screens.
        depth: bits of a colour, as far as the format's header says it and it matters.
        cicp: the colour primaries and the transfer function by ITU-T H.273.
        profile: an ICC profile that Pillow does not find.
        coded: pixels that are coded, where fewer may be shown; 0 where the decoder says it.
    """

    kind: str
    pictures: int = 1
    whole: bool = True
    plain: bool = False
    video: bool = False
    gain_map: bool = False
    depth: int = 8
    cicp: tuple[int, int] | None = None
    profile: bytes | None = None
    coded: int = 0


def look_into(kind: str, data: bytes) -> Contents:
    """Return what a file of a kind holds.

    Raises:
        TooMuchWork: it has more pieces than any program writes.
    """
    match kind:
        case "JPEG":
            return _jpeg(data)
        case "PNG":
            return _png(data)
        case "WEBP":
            return _webp(data)
        case "GIF":
            return _gif(data)
        case "TIFF":
            return _tiff(data)
        case "BMP":
            return _bmp(data)
    facts = boxes.look_into(data)
    return Contents(kind, video=facts.video, cicp=facts.cicp, coded=facts.coded)


# ---- JPEG ------------------------------------------------------------------------------------------------

_BARE = {0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}
"""Markers without a length, as Pillow reads them."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of the segments that give the picture's size."""
_QUANTISATION, _HIERARCHY = 0xDB, 0xDE
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends a scan's data: there every FF is followed by a zero or a restart's number."""
_NEEDED = (b"JFIF\0", b"ICC_PROFILE\0", b"Adobe")
"""Application segments that say how to decode, and nothing else."""
_MP_ENTRIES, _SMALLER = 0xB002, 0x01
"""The list of pictures in a multi-picture file's index, and the class of those that are previews."""
_GAIN_MAPS = (b"hdrgm:", b"HDRGainMap", b"hdrgainmap")


def _jpeg(data: bytes) -> Contents:
    """Walk the main picture's segments up to its end; what lies in them and behind it is not the decoder's business."""
    place, scans, segments, junk, pixels = 2, 0, 0, 0, 0
    tables, resources = 0, 0
    exif: list[bytes] = []
    pictures, whole, plain = 0, False, True
    while (at := data.find(b"\xff", place)) >= 0 and at + 1 < len(data):
        marker = data[at + 1]
        junk += at - place + (marker in (0x00, 0xFF))
        bound(junk, bombs.MAX_JUNK)
        if marker in (0x00, 0xFF):
            place = at + 1 + (marker == 0x00)
            continue
        segments += 1
        bound(segments, bombs.MAX_SEGMENTS)
        if marker == 0xD9 and scans:
            place, whole = at + 2, True
            break
        if marker in _BARE:
            place = at + 2
            continue
        body, place = at + 4, at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
        if marker == 0xDA:
            scans += 1
            bound(scans, bombs.MAX_SCANS)
            bound(scans * pixels, bombs.MAX_SCANNED)
            end = _MARKER.search(data, place)
            place = end.start() if end else len(data)
        elif marker in (_QUANTISATION, _HIERARCHY) or marker in _FRAMES:
            tables += place - body
            bound(tables, bombs.MAX_TABLES)
            height, width = (int.from_bytes(data[at : at + 2]) for at in (body + 1, body + 3))
            pixels = max(pixels, width * height if marker in _FRAMES else 0)
        elif marker == 0xFE or 0xE0 <= marker <= 0xEF:
            plain &= marker != 0xFE and data.startswith(_NEEDED, body)
            resources += place - body if marker == 0xED else 0
            bound(resources, bombs.MAX_RESOURCES)
            if marker == 0xE1 and data.startswith(b"Exif\0\0", body):
                exif.append(data[body + 6 : place])
                bound(len(exif), bombs.MAX_EXIF)
            elif marker == 0xE2 and data.startswith(b"MPF\0", body):
                pictures = _pictures_of(data[body + 4 : place])
    if tiff.asks_too_much(b"".join(exif)):
        raise TooMuchWork
    behind = len(data) if not whole else place
    pictures = pictures or 1 + data.startswith(b"\xff\xd8\xff", behind)  # by the index, else by what stands behind
    return Contents(
        "JPEG",
        pictures,
        whole,
        plain and whole and pictures == 1 and not data[behind:].strip(b"\0\xff"),
        video=_film_in(data, behind),
        gain_map=any(data.find(each) >= 0 for each in _GAIN_MAPS),
    )


def _pictures_of(index: bytes) -> int:
    """Return the number of pictures that a multi-picture file's index names, smaller copies of the first left out."""
    layout = tiff.layout_of(index)
    if layout is None or tiff.asks_too_much(index):
        return 1
    for entry in tiff.entries(index, layout, layout.first):
        if entry.tag == _MP_ENTRIES:
            starts = range(entry.number, min(entry.number + entry.size, len(index)), 16)
            kinds = [int.from_bytes(index[at : at + 4], layout.order) & 0xFF_FF_FF for at in starts]
            return 1 + sum(kind >> 16 != _SMALLER for kind in kinds[1:])
    return 1


def _film_in(data: bytes, start: int) -> bool:
    at = data.find(b"ftyp", start)
    return (
        at >= 0
        and data[at + 4 : at + 8] not in (b"heic", b"heix", b"mif1", b"avif")
        and data[at - 4 : at - 2] == b"\0\0"
    )


# ---- PNG and WebP ----------------------------------------------------------------------------------------

_PICTURE_ONLY = set(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT pHYs bKGD hIST mDCV cLLI".split())
"""A PNG's chunks that say how to show it, and nothing else."""


def _png(data: bytes) -> Contents:
    first: dict[bytes, bytes] = {}  # of each name: its chunk's first bytes, in the file's order
    place, count, profiles, plain = 8, 0, 0, True
    while place + 8 <= len(data) and b"IEND" not in first:
        count += 1
        bound(count, bombs.MAX_CHUNKS)
        size, name = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        body, place = place + 8, place + 12 + size
        plain &= name in _PICTURE_ONLY
        first.setdefault(name, data[body : body + min(size, 16)])
        profiles += name == b"iCCP"
        bound(profiles, bombs.MAX_PROFILES)
        bound(size if name == b"cHRM" else 0, bombs.MAX_POINTS)
        if name == b"eXIf" and tiff.asks_too_much(data[body : body + size]):
            raise TooMuchWork
    whole, cicp = b"IEND" in first, first.get(b"cICP", b"")
    return Contents(
        "PNG",
        _frames(first),
        whole,
        plain and whole and place >= len(data),
        depth=first.get(b"IHDR", b"").ljust(9, b"\x08")[8],
        cicp=(cicp[0], cicp[1]) if len(cicp) == 4 else None,
    )


def _frames(first: dict[bytes, bytes]) -> int:
    """Return the number of a PNG's pictures: of its animation, and one that is shown where animations are not."""
    frames = int.from_bytes(first.get(b"acTL", b"")[:4])
    if not 0 < frames < 2**31:
        return 1
    order = [name for name in first if name in (b"IDAT", b"fcTL")]
    return frames + (order[:1] == [b"IDAT"])


def _webp(data: bytes) -> Contents:
    place, count, frames = 12, 0, 0
    while place + 8 <= len(data):
        count += 1
        bound(count, bombs.MAX_CHUNKS)
        size, name = int.from_bytes(data[place + 4 : place + 8], "little"), data[place : place + 4]
        frames += name == b"ANMF"
        if name == b"EXIF" and tiff.asks_too_much(data[place + 8 : place + 8 + size]):
            raise TooMuchWork
        place += 8 + size + size % 2
    return Contents("WEBP", max(1, frames))


# ---- GIF, TIFF, BMP --------------------------------------------------------------------------------------


def _gif(data: bytes) -> Contents:
    place, blocks, comments, frames = 13 + _colours(data, 10), 0, 0, 0
    while place < len(data):
        kind = data[place]
        comment = data[place : place + 2] == b"\x21\xfe"
        if kind == 0x21:
            place += 2
        elif kind == 0x2C:
            place += 11 + _colours(data, place + 9)
            frames += 1
        else:
            place += 1  # its end, or bytes that mean nothing: Pillow steps over them one by one too
            blocks += 1
            bound(blocks, bombs.MAX_BLOCKS)
            continue
        while place < len(data):
            size = data[place]
            place += 1 + size
            blocks += 1
            comments += comment
            bound(blocks, bombs.MAX_BLOCKS)
            bound(comments, bombs.MAX_COMMENTS)
            if not size:
                break
    return Contents("GIF", max(1, frames))


def _colours(data: bytes, place: int) -> int:
    """Return the bytes of the colour table that the flags at a place announce."""
    flags = data[place] if place < len(data) else 0
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _tiff(data: bytes) -> Contents:
    layout = tiff.layout_of(data)
    if layout is None or tiff.asks_too_much(data) or tiff.has_giant_tiles(data, layout):
        raise TooMuchWork
    return Contents("TIFF", tiff.count_pages(data, layout))


def _bmp(data: bytes) -> Contents:
    profile = None
    if int.from_bytes(data[14:18], "little") == 124 and data[70:74] == b"DEBM":  # a profile inside, by its type
        start, size = (int.from_bytes(data[at : at + 4], "little") for at in (126, 130))
        profile = data[14 + start : 14 + start + size]
    return Contents("BMP", profile=profile)
