"""Text blocks of PNG files (W3C PNG, third edition, 11.3), read and written. The image data is copied, never opened."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from core.recipe_files import exif, xmp
from core.recipe_files.labels import Labels
from core.recipe_files.texts import MAX_PARTS, BrokenContainer, StopReading, Texts

RECIPE = "srpo-studio"
"""The keyword of the recipe, as JSON."""
PARAMETERS = "parameters"
"""The keyword under which AUTOMATIC1111 and all who followed it write settings."""
XMP = "XML:com.adobe.xmp"

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = 33
"""Bytes of signature and IHDR, behind which everything else may stand."""
_GAMMA = struct.pack(">I", 45_455)
_PRIMARIES = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
"""What gAMA and cHRM say of sRGB."""

_Chunk = tuple[bytes, int, int]
"""Its kind, and where its data begins and ends."""


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the whole chunks up to the end of the picture, or to the first that is cut off."""
    at = len(_SIGNATURE)
    for _ in range(MAX_PARTS):
        start = at + 8
        end = start + int.from_bytes(data[at : at + 4])
        if end + 4 > len(data):
            return
        kind = data[at + 4 : start]
        yield kind, start, end
        if kind == b"IEND":
            return
        at = end + 4


def read_texts(data: bytes, texts: Texts) -> None:
    """Read tEXt, zTXt and iTXt by their keywords, XMP as `xmp` too, and the texts of eXIf.

    Raises:
        StopReading: a block is damaged, or a limit is reached.
    """
    for kind, start, end in _chunks(data):
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            continue
        body = data[start:end]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(data[end : end + 4]):
            raise StopReading
        if kind == b"eXIf":
            exif.read_texts(body, texts)
        else:
            _read_text(kind, body, texts)


def _read_text(kind: bytes, body: bytes, texts: Texts) -> None:
    keyword, _, rest = body.partition(b"\0")
    if not 1 <= len(keyword) <= 79:
        raise StopReading
    key = keyword.decode("latin-1")
    if kind == b"tEXt":
        texts.add(key, rest, "latin-1")
    elif kind == b"zTXt":
        texts.add(key, _inflated(rest[1:], texts.left), "latin-1")
    else:
        text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind the language and the translated keyword
        texts.add(key, _inflated(text, texts.left) if rest[:1] == b"\1" else text, "utf-8-sig")
    if key == XMP:
        texts.put("xmp", texts.found.get(XMP, ""))


def _inflated(packed: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, most + 1)
    except zlib.error as error:
        raise StopReading from error
    if len(text) > most or not unpacker.eof:
        raise StopReading
    return text


def labelled(data: bytes, labels: Labels) -> bytes:
    """Return the file with labels behind its header. Blocks with our keywords and XMP are replaced; all else stays.

    A file that says nothing of its colours, or that they are sRGB's in other words, gets an sRGB chunk.

    Raises:
        BrokenContainer: it is no PNG.
    """
    if data[:16] != _SIGNATURE + b"\0\0\0\x0dIHDR" or len(data) < _HEADER:
        raise BrokenContainer("no PNG")
    kept, colours, old, place = [], {}, None, _HEADER
    view = memoryview(data)
    for kind, start, end in _chunks(data):
        if kind in (b"iCCP", b"sRGB", b"cICP", b"gAMA", b"cHRM"):
            colours[kind] = data[start:end]
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword = data[start : min(end, start + 80)].partition(b"\0")[0].decode("latin-1")
            if keyword in (RECIPE, PARAMETERS, XMP):
                old = _packet(kind, data[start:end]) if keyword == XMP and old is None else old
                kept.append(view[place : start - 8])
                place = end + 4
    new = [_chunk(b"sRGB", b"\0")] if _is_untagged(colours) else []  # perceptual intent
    if labels.recipe is not None:
        new.append(_international(RECIPE, labels.recipe.encode()))
    if labels.infotext is not None:
        new.append(_text(PARAMETERS, labels.infotext))
    new.append(_international(XMP, xmp.packet(labels.marks, old)))
    return b"".join((view[:_HEADER], *new, *kept, view[place:]))


def _packet(kind: bytes, body: bytes) -> bytes | None:
    """Return the XMP of a text block, None where it cannot be read."""
    texts = Texts()
    try:
        _read_text(kind, body, texts)
    except StopReading:
        return None
    return texts.found[XMP].encode() if XMP in texts.found else None


def _is_untagged(colours: dict[bytes, bytes]) -> bool:
    usual = {b"gAMA": _GAMMA, b"cHRM": _PRIMARIES}
    return all(usual.get(kind) == body for kind, body in colours.items())


def _text(keyword: str, text: str) -> bytes:
    """Return a text as tEXt, which every reader knows, where Latin-1 holds it."""
    try:
        return _chunk(b"tEXt", keyword.encode() + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _international(keyword, text.encode())


def _international(keyword: str, text: bytes) -> bytes:
    """Return an iTXt chunk: not compressed, no language, no translated keyword."""
    return _chunk(b"iTXt", keyword.encode() + bytes(5) + text)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
