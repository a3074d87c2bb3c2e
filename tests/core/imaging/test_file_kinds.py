"""What is read is known by its first bytes; what is not read is called by its name, with what to do."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from core.errors import BadImage
from core.imaging.file_kinds import kind_of, start_of
from core.imaging.images import read_reference
from tests.support.fakes import picture_bytes

HEIC = (Path(__file__).parent / "data" / "plain.heic").read_bytes()


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, name) + data


def brand(major: bytes, *others: bytes) -> bytes:
    return box(b"ftyp", major + b"\0\0\0\0" + b"".join(others)) + box(b"mdat", bytes(200))


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("photo.png", picture_bytes())
    return file.getvalue()


def directory(*entries: tuple[int, int, int, int], head: bytes = b"II*\0") -> bytes:
    """Return a TIFF of one directory: tag, type, count and value of each entry."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return head + struct.pack("<IH", 8, len(entries)) + body + bytes(200)


PNG, JPEG = "Save it as JPEG or PNG.", "Export it as PNG or JPEG."
SCREENSHOT = "Choose a photo, or take a screenshot of the frame you want."
RAW = "This is a camera's raw file."


@pytest.mark.parametrize(
    ("data", "what", "todo"),
    [
        (brand(b"mp42", b"isom"), "This is a video.", SCREENSHOT),
        (brand(b"qt  "), "This is a video.", SCREENSHOT),
        (brand(b"3gp5"), "This is a video.", SCREENSHOT),
        (brand(b"M4V "), "This is a video.", SCREENSHOT),
        (box(b"moov", bytes(100)), "This is a video.", SCREENSHOT),
        (b"\x1a\x45\xdf\xa3" + b"webm" * 20, "This is a video.", SCREENSHOT),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(50), "This is a video.", SCREENSHOT),
        ((b"G" + bytes(187)) * 4, "This is a video.", SCREENSHOT),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(50), "This is a sound recording.", ""),
        (b"ID3\x04" + bytes(50), "This is a sound recording.", ""),
        (brand(b"M4A "), "This is a sound recording.", ""),
        (b"<!DOCTYPE html><title>403</title>", "This is a web page.", "save the picture itself"),
        (b"\xef\xbb\xbf\n <!-- saved --> <HTML lang=en>", "This is a web page.", ""),
        ("<html><body>".encode("utf-16"), "This is a web page.", ""),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>', "This is a web page.", ""),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "This is a vector graphic (SVG).", "Export it as PNG."),
        (b'<?xml version="1.0"?>\n<!-- Inkscape -->\n<svg width="9">', "This is a vector graphic (SVG).", ""),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(90), "JPEG XL is not supported.", PNG),
        (b"\xff\x0a" + bytes(90), "JPEG XL is not supported.", PNG),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(90), "JPEG 2000 is not supported.", PNG),
        (b"\xff\x4f\xff\x51" + bytes(90), "JPEG 2000 is not supported.", PNG),
        (b"\x76\x2f\x31\x01" + bytes(90), "OpenEXR is not supported.", PNG),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n", "Radiance HDR is not supported.", PNG),
        (b"8BPS\0\x01" + bytes(90), "This is a Photoshop file.", JPEG),
        (b"%PDF-1.7\n", "This is a PDF.", "screenshot"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "This is a PostScript file.", JPEG),
        (b"\0\0\x01\0\x01\0" + bytes(90), "This is an icon (ICO).", JPEG),
        (b"gimp xcf v011", "This is a GIMP file.", JPEG),
        (directory((50_706, 1, 4, 0x00000401)), RAW, "Export it as JPEG or TIFF"),
        (directory((254, 4, 1, 1), (330, 4, 1, 100)), RAW, ""),
        (directory((256, 4, 1, 9), head=b"II*\0")[:8] + b"CR\x02\0" + bytes(90), RAW, ""),
        (directory((262, 3, 1, 32_803)), RAW, ""),
        (brand(b"crx ", b"isom"), RAW, ""),
        (b"FUJIFILMCCD-RAW 0201", RAW, ""),
        (b"IIU\0" + bytes(90), RAW, ""),
        (b"IIRO" + bytes(90), RAW, ""),
        (zipped(), "This is a ZIP archive or an Office document.", "Take the picture out of it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(90), "This is an Office document.", ""),
        (b"Rar!\x1a\x07" + bytes(90), "This is a RAR archive.", ""),
        (b"\x1f\x8b\x08" + bytes(90), "This is a gzip archive.", ""),
        (b'{"error": "not found"}', "This is JSON text, not a picture.", ""),
        (b"just some words", "This is text, not a picture.", "Use PNG, JPEG, HEIC"),
        ("Wörter: 図".encode(), "This is text, not a picture.", ""),
        (b"BM is the beginning of a text", "This is text, not a picture.", ""),
        (b"P6 4 4 255 " + bytes(48), "PNM is not supported.", PNG),
        (b"P3\n4 4\n255\n" + b"9 9 9 " * 16, "PNM is not supported.", PNG),
        (bytes(100), "This file is not a picture the app can read.", "Use PNG, JPEG, HEIC"),
        (b"\x89\x13\xa7" * 40, "This file is not a picture the app can read.", ""),
        (b"", "The file is empty.", "Choose the picture again."),
    ],
)
def test_what_is_not_read_is_called_by_its_name(data: bytes, what: str, todo: str) -> None:
    with pytest.raises(BadImage) as caught:
        read_reference(data)
    assert caught.value.what == what
    assert todo in caught.value.todo
    assert caught.value.todo


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_what_is_read_is_known_by_its_bytes(kind: str) -> None:
    assert kind_of(picture_bytes(kind)) == kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (HEIC, "HEIF"),
        (brand(b"heix", b"mif1"), "HEIF"),
        (brand(b"mif1", b"heic"), "HEIF"),
        (brand(b"msf1", b"hevc"), "HEIF"),
        (brand(b"mif1", b"avif"), "AVIF"),
        (brand(b"avis", b"msf1"), "AVIF"),
    ],
    ids=str,
)
def test_pictures_in_boxes_are_known_by_their_brands(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


@pytest.mark.parametrize("order", ["<", ">"])
def test_big_tiffs_are_read(order: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (9, 99, 199)).save(file, "TIFF", big_tiff=True)
    data = file.getvalue()
    assert data[2:4] == b"\x2b\0"
    assert read_reference(data).open().getpixel((0, 0)) == (9, 99, 199)
    swapped = b"MM\0\x2b\0\x08\0\0" + struct.pack(">Q", 16) + struct.pack(">Q", 0) + bytes(8)
    assert kind_of(swapped if order == ">" else data) == "TIFF"


@pytest.mark.parametrize("before", [b"\r\n", b"\xef\xbb\xbf", b"\n\n \t", b"\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF"])
def test_line_feeds_and_marks_before_a_picture_are_skipped(kind: str, before: bytes) -> None:
    assert start_of(before + picture_bytes(kind)) == len(before)
    assert read_reference(before + picture_bytes(kind)).width == 64


def test_nothing_is_skipped_before_what_is_no_picture() -> None:
    assert start_of(b"\r\n<html>") == 0
    assert start_of(picture_bytes()) == 0


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", brand(b"heic"), brand(b"avif")])
def test_a_picture_without_a_header_is_damaged_and_not_unknown(data: bytes) -> None:
    with pytest.raises(BadImage, match="is damaged at its beginning"):
        read_reference(data)
