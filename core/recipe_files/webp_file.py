"""Text blocks of WebP files (RFC 9649), read and written. The chunks of the picture are copied, never opened."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from core.imaging.headers import size_of
from core.recipe_files import exif, xmp
from core.recipe_files.labels import Labels
from core.recipe_files.profile import srgb_profile
from core.recipe_files.texts import MAX_PARTS, BrokenContainer, Texts

_ICC, _ALPHA, _EXIF, _XMP = 0x20, 0x10, 0x08, 0x04
"""Flags of VP8X."""

_Chunk = tuple[bytes, int, int]
"""Its kind, and where its data begins and ends."""


def _end(data: bytes) -> int:
    """Return where the RIFF file ends; what stands behind belongs to nobody."""
    return min(len(data), 8 + int.from_bytes(data[4:8], "little"))


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the whole chunks, up to the first that is cut off."""
    at, last = 12, _end(data)
    for _ in range(MAX_PARTS):
        start = at + 8
        end = start + int.from_bytes(data[at + 4 : start], "little")
        if start > last or end > last:
            return
        yield data[at : at + 4], start, end
        at = end + (end - start) % 2


def read_texts(data: bytes, texts: Texts) -> None:
    """Read EXIF's texts, and XMP as `xmp`.

    Raises:
        StopReading: a limit is reached.
    """
    for kind, start, end in _chunks(data):
        if kind == b"EXIF":
            exif.read_texts(data[start:end], texts)
        elif kind == b"XMP ":
            texts.add("xmp", data[start:end].rstrip(b"\0"), "utf-8-sig")


def labelled(data: bytes, labels: Labels) -> bytes:
    """Return the file with labels, in the extended format.

    The file's XMP and EXIF are merged with ours, see `xmp.packet` and `exif.with_comment`; its other chunks stay. A
    file without a profile gets sRGB's.

    Raises:
        BrokenContainer: it is no WebP, or ends early.
    """
    chunks = list(_chunks(data))
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or not chunks or chunks[-1][2] + 1 < _end(data):
        raise BrokenContainer("no WebP")
    found = {kind: data[start:end] for kind, start, end in reversed(chunks) if kind in (b"ICCP", b"EXIF", b"XMP ")}
    flags, canvas = _features(data, chunks[0])
    old = found.get(b"EXIF")
    made_exif = labels.exif(None if old is None else old.removeprefix(b"Exif\0\0"))
    flags = flags & ~_EXIF | _ICC | _XMP | (_EXIF if made_exif is not None else 0)
    parts = [
        _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + canvas),
        _chunk(b"ICCP", found.get(b"ICCP", b"") or srgb_profile()),
        *(
            _chunk(kind, memoryview(data)[start:end])
            for kind, start, end in chunks
            if kind not in (b"VP8X", b"ICCP", b"EXIF", b"XMP ")
        ),
    ]
    if made_exif is not None:
        parts.append(_chunk(b"EXIF", made_exif))
    parts.append(_chunk(b"XMP ", xmp.packet(labels.properties, found.get(b"XMP "))))
    body = b"".join(parts)
    return b"".join((b"RIFF", struct.pack("<I", len(body) + 4), b"WEBP", body, memoryview(data)[_end(data) :]))


def _features(data: bytes, first: _Chunk) -> tuple[int, bytes]:
    """Return the flags of VP8X and its six bytes of canvas size, made up for a file in the simple format.

    Raises:
        BrokenContainer: the picture's header is none.
    """
    kind, start, end = first
    if kind == b"VP8X" and end - start >= 10:
        return data[start], data[start + 4 : start + 10]
    lossy = kind == b"VP8 " and data[start + 3 : start + 6] == b"\x9d\x01\x2a"
    lossless = kind == b"VP8L" and data[start : start + 1] == b"\x2f"
    size = size_of(data[:64]) if lossy or lossless else None
    if size is None or 0 in size:
        raise BrokenContainer("no WebP picture")
    has_alpha = lossless and data[start + 4] & 0x10
    return _ALPHA if has_alpha else 0, b"".join((side - 1).to_bytes(3, "little") for side in size)


def _chunk(kind: bytes, body: bytes | memoryview) -> bytes:
    return b"".join((kind, struct.pack("<I", len(body)), body, bytes(len(body) % 2)))
