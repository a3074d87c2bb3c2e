"""What a file is, by its first bytes: names and MIME types say what somebody believes.

A kind that is read has the name of its decoder in Pillow. All others are refused by their own names, with what to
do about them.
"""

from __future__ import annotations

import codecs
import re

from core.errors import BadImage
from core.imaging import tiff
from core.messages import Message, message

_VIDEO = message("image-is-video")
_SOUND = message("image-is-sound")
_RAW = message("image-is-raw")
_PROGRAM = message("image-is-program")


def _to_save(name: str) -> Message:
    return message("image-format-to-save", format=name)


def _to_export(kind: str) -> Message:
    return message("image-file-to-export", kind=kind)


def _archive(kind: str) -> Message:
    return message("image-is-archive", kind=kind)


_PICTURES = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
"""Brands of pictures coded by HEVC."""
_CONTAINERS = {b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"MiHB", b"MiHE", b"MiHA"}
"""Brands that say how a file is built, and not how its pictures are coded."""

_REFUSED: tuple[tuple[bytes, int, Message], ...] = (
    (b"\xff\x0a", 0, _to_save("JPEG XL")),
    (b"\0\0\0\x0cJXL ", 0, _to_save("JPEG XL")),
    (b"\0\0\0\x0cjP  ", 0, _to_save("JPEG 2000")),
    (b"\xff\x4f\xff\x51", 0, _to_save("JPEG 2000")),
    (b"II\xbc", 0, _to_save("JPEG XR")),
    (b"\x1a\x45\xdf\xa3", 0, _VIDEO),
    (b"AVI ", 8, _VIDEO),
    (b"FLV\x01", 0, _VIDEO),
    (b"\0\0\x01\xba", 0, _VIDEO),
    (b"\0\0\x01\xb3", 0, _VIDEO),
    (b"0&\xb2u\x8ef\xcf\x11", 0, _VIDEO),
    (b"moov", 4, _VIDEO),
    (b"mdat", 4, _VIDEO),
    (b"wide", 4, _VIDEO),
    (b"WAVE", 8, _SOUND),
    (b"ID3", 0, _SOUND),
    (b"OggS", 0, _SOUND),
    (b"fLaC", 0, _SOUND),
    (b"%PDF-", 0, message("image-is-pdf")),
    (b"%!PS", 0, _to_export("postscript")),
    (b"\xc5\xd0\xd3\xc6", 0, _to_export("eps")),
    (b"8BPS", 0, _to_export("photoshop")),
    (b"gimp xcf", 0, _to_export("gimp")),
    (b"IIRO", 0, _RAW),
    (b"IIRS", 0, _RAW),
    (b"IIU\0", 0, _RAW),
    (b"MMOR", 0, _RAW),
    (b"FUJIFILMCCD-RAW", 0, _RAW),
    (b"FOVb", 0, _RAW),
    (b"\0MRM", 0, _RAW),
    (b"HEAPCCDR", 6, _RAW),
    (b"\x76\x2f\x31\x01", 0, _to_save("OpenEXR")),
    (b"#?RADIANCE", 0, _to_save("Radiance HDR")),
    (b"#?RGBE", 0, _to_save("Radiance HDR")),
    (b"\0\0\x01\0", 0, _to_export("ico")),
    (b"\0\0\x02\0", 0, _to_export("cur")),
    (b"icns", 0, _to_export("icns")),
    (b"\xd7\xcd\xc6\x9a", 0, _to_export("wmf")),
    (b" EMF", 40, _to_export("emf")),
    (b"AT&TFORM", 0, message("image-format-to-export", format="DjVu")),
    (b"DICM", 128, _to_export("dicom")),
    (b"SIMPLE  =", 0, _to_export("fits")),
    (b"DDS ", 0, _to_export("dds")),
    (b"qoif", 0, _to_save("QOI")),
    (b"BPG\xfb", 0, _to_save("BPG")),
    (b"FLIF", 0, _to_save("FLIF")),
    (b"PK\x03\x04", 0, _archive("zip-or-office")),
    (b"PK\x05\x06", 0, _archive("zip")),
    (b"Rar!", 0, _archive("rar")),
    (b"7z\xbc\xaf\x27\x1c", 0, _archive("seven-zip")),
    (b"\x1f\x8b", 0, _archive("gzip")),
    (b"ustar", 257, _archive("tar")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, _archive("office")),
    (b"MZ", 0, _PROGRAM),
    (b"\x7fELF", 0, _PROGRAM),
)
"""Bytes, where they stand, and what the file then is."""


def start_of(data: bytes) -> int:
    """Return where a file begins behind the marks and line feeds that transfers put before it, 0 if at once."""
    found = re.match(rb"(?:\xef\xbb\xbf|[\r\n\t ])+", data[:64])
    return found.end() if found and kind_of(data[found.end() : found.end() + 4_096]) else 0


def kind_of(data: bytes) -> str | None:
    """Return the kind of a picture file, as Pillow calls it, None for all that is not read."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    if tiff.layout_of(data) is not None:
        return None if tiff.is_raw(data) else "TIFF"
    return _kind_of_boxes(data)


def _kind_of_boxes(data: bytes) -> str | None:
    major, brands = _brands(data)
    if major in (b"avif", b"avis") or (major in _CONTAINERS and brands & {b"avif", b"avis"} and not brands & _PICTURES):
        return "AVIF"
    return "HEIF" if major in _PICTURES | _CONTAINERS else None


def _brands(data: bytes) -> tuple[bytes, set[bytes]]:
    """Return the major brand of a file made of ISO boxes, empty for others, and all its brands."""
    if data[4:8] != b"ftyp":
        return b"", set()
    end = min(int.from_bytes(data[:4]), 512, len(data))
    return data[8:12], {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}


def refusal_of(data: bytes) -> BadImage:
    """Return the error for a file that is not read: what it is, and what to do."""
    return BadImage(_message_for(data))


def _message_for(data: bytes) -> Message:
    major, _ = _brands(data)
    if major:
        return _message_for_boxes(major)
    if tiff.layout_of(data) is not None:
        return _RAW
    for mark, place, refusal in _REFUSED:
        if data[place : place + len(mark)] == mark:
            return refusal
    if data[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9"):
        return _SOUND
    if data[:1] == b"\x47" and data[188:189] == b"\x47" == data[376:377]:
        return _VIDEO  # an MPEG transport stream: packets of 188 bytes
    if re.match(rb"P[1-7]\s", data):
        return _to_save("PNM")
    text = _text_of(data[:4_096])
    return message("image-is-unknown") if text is None else _message_for_text(text)


def _message_for_boxes(major: bytes) -> Message:
    if major == b"crx ":
        return _RAW
    if major in (b"jxl ", b"jp2 ", b"jpx "):
        return _to_save("JPEG XL" if major == b"jxl " else "JPEG 2000")
    return _SOUND if major in (b"M4A ", b"M4B ", b"F4A ") else _VIDEO


def _text_of(data: bytes) -> str | None:
    """Return the beginning of a text in UTF-8 or UTF-16, None where it is none."""
    encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None
    return text if text.strip() and not re.search("[\0-\x08\x0e-\x1a]", text) else None


def _message_for_text(text: str) -> Message:
    plain = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).strip().lower()
    if re.match(r"(<\?xml[^>]*>\s*)?(<!doctype svg[^>]*>\s*)?<(\w+:)?svg[\s>]", plain):
        return message("image-is-svg")
    if re.match(r"(<\?xml[^>]*>\s*)?<(!doctype html|html|head|body|title|script|meta|div|p|h1|table|center)\b", plain):
        return message("image-is-web-page")
    if plain.startswith(("{", "[")):
        return message("image-is-json")
    return message("image-is-text")
