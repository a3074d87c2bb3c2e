"""Text blocks of JPEG files, read and written in the segments before the scan data, which is copied and never opened.

Segments are those of ITU-T T.81, annex B; XMP and its extension are written as Adobe's XMP specification, part 3, 1.1.3
says.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from core.recipe_files import exif, xmp
from core.recipe_files.labels import Labels
from core.recipe_files.profile import srgb_profile
from core.recipe_files.texts import MAX_PARTS, BrokenContainer, Texts

EXTENDED = "xmp:extended"
"""The key of XMP that continues a packet over 64 KB."""
MAX_XMP = 65_502
"""Bytes of a packet in one segment, by Adobe's specification."""
_MAX_EXIF = 65_527
_PORTION = 65_400
"""Bytes of extended XMP in one segment, likewise."""

_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_PROFILE = b"ICC_PROFILE\0"
_APP0, _APP1, _APP2, _COMMENT, _SCAN = 0xE0, 0xE1, 0xE2, 0xFE, 0xDA
_MARKER = re.compile(rb"\xff++[^\xff]")
"""A marker may be filled up with more of its first byte."""
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BARE = {0x01, *range(0xD0, 0xD8)}
"""Markers without a length."""


@dataclass(frozen=True)
class _Segment:
    """A marker, where its segment begins, where its content begins behind the length, and where it ends."""

    marker: int
    start: int
    body: int
    end: int


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments up to the header of the first scan, or to the first that is damaged."""
    at = 2
    for _ in range(MAX_PARTS):
        found = _MARKER.match(data, at)
        if found is None:
            return
        place = found.end() - 1
        marker = data[place]
        if marker in _BARE:
            at = place + 1
            continue
        body, length = place + 3, int.from_bytes(data[place + 1 : place + 3])
        end = place + 1 + length
        if marker < 0xC0 or marker in (0xD8, 0xD9) or length < 2 or end > len(data):
            return
        yield _Segment(marker, at, body, end)
        if marker == _SCAN:
            return
        at = end


def read_texts(data: bytes, texts: Texts) -> None:
    """Read EXIF's texts, XMP as `xmp`, what continues it as `xmp:extended`, and the comment as `comment`.

    Raises:
        StopReading: a limit is reached.
    """
    portions: list[bytes] = []
    for segment in _segments(data):
        body = data[segment.body : segment.end]
        if segment.marker == _COMMENT:
            texts.add("comment", body.rstrip(b"\0"), "utf-8", "latin-1")
        elif segment.marker != _APP1:
            continue
        elif body.startswith(_EXIF):
            exif.read_texts(body, texts)
        elif body.startswith(_XMP):
            texts.add("xmp", body[len(_XMP) :].rstrip(b"\0"), "utf-8-sig")
        elif body.startswith(_EXTENSION):
            portions.append(body[len(_EXTENSION) :])
    whole = _joined(portions, texts.found.get("xmp", ""))
    if whole:
        texts.add(EXTENDED, whole, "utf-8-sig")


def _joined(portions: list[bytes], packet: str) -> bytes:
    """Return the extended XMP that a packet names by its digest, empty where parts of it are absent or overlap."""
    named = sorted(
        (int.from_bytes(each[36:40]), int.from_bytes(each[32:36]), each[40:])
        for each in portions
        if len(each) > 40 and each[:32].isalnum() and each[:32].decode("latin-1") in packet
    )
    whole = b"".join(text for _, _, text in named)
    at = 0
    for place, total, text in named:
        if place != at or total != len(whole):
            return b""
        at += len(text)
    return whole


def labelled(data: bytes, labels: Labels) -> bytes:
    """Return the file with labels before its other segments, behind JFIF's.

    The file's XMP and EXIF are merged with ours, see `xmp.packet` and `exif.with_comment`; its other segments stay. A
    file in three colours without a profile gets sRGB's. A recipe that makes XMP too long for one segment stands in
    extended XMP, for which the file's former XMP gives way; settings too long for EXIF are left out there.

    Raises:
        BrokenContainer: it is no JPEG, or damaged before its first scan.
    """
    segments = list(_segments(data))
    if data[:2] != b"\xff\xd8" or not segments or segments[-1].marker != _SCAN:
        raise BrokenContainer("no JPEG")
    bodies = [(each, data[each.body : each.end]) for each in segments if each.marker != _SCAN]
    old_exif = _first(bodies, _EXIF)
    old_xmp = _first(bodies, _XMP)
    made_xmp, extended = _xmp(labels, old_xmp)
    replaced = {_EXIF, _XMP, *([_EXTENSION] if extended is not None else [])}
    new = []
    made_exif = labels.exif(old_exif, _MAX_EXIF)
    if made_exif is not None:
        new.append(_segment(_APP1, _EXIF + made_exif))
    new.append(_segment(_APP1, _XMP + made_xmp))
    new += [_segment(_APP1, _EXTENSION + each) for each in _portions(extended or b"")]
    if _is_in_three_colours(bodies) and not any(body.startswith(_PROFILE) for _, body in bodies):
        new.append(_segment(_APP2, _PROFILE + b"\x01\x01" + srgb_profile()))  # the first part of one
    view = memoryview(data)
    front, kept, place = 2, [], 2
    for each in segments:
        if each.marker != _APP0 or each.start != front:
            break
        front = place = each.end
    for each, body in bodies:
        if each.marker == _APP1 and any(body.startswith(name) for name in replaced):
            kept.append(view[place : each.start])
            place = each.end
    return b"".join((view[:front], *new, *kept, view[place:]))


def _xmp(labels: Labels, old: bytes | None) -> tuple[bytes, bytes | None]:
    """Return the packet, and extended XMP; None leaves the file's own extension, if there is one, as it is."""
    packet = xmp.packet(labels.properties, old)
    if len(packet) <= MAX_XMP:
        return packet, None
    packet = xmp.packet(labels.properties)
    if len(packet) <= MAX_XMP or labels.recipe is None:
        return packet, b""
    extended = xmp.extension({xmp.RECIPE: labels.properties[xmp.RECIPE]})
    return xmp.packet({**labels.marks, xmp.HAS_EXTENDED: _guid(extended)}), extended


def _guid(extended: bytes) -> str:
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()


def _portions(extended: bytes) -> Iterator[bytes]:
    head = _guid(extended).encode() + struct.pack(">I", len(extended))
    for place in range(0, len(extended), _PORTION):
        yield head + struct.pack(">I", place) + extended[place : place + _PORTION]


def _first(bodies: list[tuple[_Segment, bytes]], name: bytes) -> bytes | None:
    """Return what stands behind a name in the first APP1 segment with it."""
    found = (body for each, body in bodies if each.marker == _APP1 and body.startswith(name))
    return next((body[len(name) :] for body in found), None)


def _is_in_three_colours(bodies: list[tuple[_Segment, bytes]]) -> bool:
    """Return whether the frame has three components: a profile of RGB describes neither grey nor CMYK."""
    return any(each.marker in _FRAMES and body[5:6] == b"\x03" for each, body in bodies)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
