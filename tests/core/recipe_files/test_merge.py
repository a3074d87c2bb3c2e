"""XMP and EXIF that a backend's file has: they stay, with ours in them, and never stand there twice."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from core.recipe_files import exif, xmp
from core.recipe_files.containers import texts_of
from core.recipe_files.embed import Embed, embed
from core.recipe_files.labels import SOURCE_TYPE
from core.recipe_files.read import read_own
from tests.core.recipe_files.files import (
    FILES,
    RECIPE,
    chunk,
    file_of,
    jpeg_with,
    opened,
    png_with,
    riff_chunks,
    segment,
    webp_of,
)

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:x2="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    x2:CreatorTool="Another tool" x2:Label="a &quot;label&#10;">
   <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">&#169; Me &amp; you</rdf:li></rdf:Alt></dc:rights>
   <ext:DigitalSourceType xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">http://old</ext:DigitalSourceType>
   <dc:format/>
   <!-- a comment -->
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
XMP = b"http://ns.adobe.com/xap/1.0/\0"
FORMATS = pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])


def exif_of(**tags: Any) -> Image.Exif:
    """Return EXIF with an orientation, a camera and a position, and tags of the second directory."""
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = 6
    made[ExifTags.Base.Make] = "A camera"
    made.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    made.get_ifd(ExifTags.IFD.Exif).update({ExifTags.Base[name]: value for name, value in tags.items()})
    return made


def with_packet(format: str, packet: bytes) -> bytes:
    if format == "PNG":
        return png_with(chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + packet))
    return file_of(format, xmp=packet)


def embedded(data: bytes, what: Embed = Embed.RECIPE) -> bytes:
    return embed(data, f"image/{str(opened(data).format).lower()}", RECIPE, what=what)


@FORMATS
def test_a_packet_keeps_its_other_properties_and_has_ours_once(format: str) -> None:
    data = embedded(with_packet(format, PACKET.encode()))
    packet = texts_of(data)["xmp"]
    assert data.count(b"<x:xmpmeta") == 1
    for kept in (
        'x2:Label="a &quot;label&#10;"',
        '<rdf:li xml:lang="x-default">© Me &amp; you</rdf:li>',
        "<dc:format></dc:format>",
        'end="w"',
    ):
        assert kept in packet
    assert "Another tool" not in packet
    assert "http://old" not in packet
    found = xmp.properties_of(packet)
    assert (found[xmp.DIGITAL_SOURCE_TYPE], found[xmp.CREATOR_TOOL]) == (SOURCE_TYPE, "SRPO Studio 1.0")
    assert read_own(texts_of(data)) == RECIPE


@FORMATS
@pytest.mark.parametrize(
    "packet",
    [b"no XML", b"<a/>", b"<!DOCTYPE a><a/>", b"\xff\xfe<\0a\0", PACKET.encode()[:-200], b"<a>" * 101 + b"</a>" * 101],
)
def test_a_packet_that_is_none_gives_way_to_ours(format: str, packet: bytes) -> None:
    data = embedded(with_packet(format, packet))
    assert xmp.properties_of(texts_of(data)["xmp"])[xmp.DIGITAL_SOURCE_TYPE] == SOURCE_TYPE
    assert packet not in data
    assert data.count(b"<x:xmpmeta") == 1


def test_a_packet_is_read_in_any_of_pngs_blocks() -> None:

    packed = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET.encode())
    packet = texts_of(embedded(png_with(chunk(b"iTXt", packed), chunk(b"tEXt", b"XML:com.adobe.xmp\0second"))))["xmp"]
    assert "Me &amp; you" in packet
    assert "second" not in packet


def test_a_former_packet_that_leaves_no_room_in_a_jpeg_gives_way() -> None:
    packet = PACKET.replace("Me &amp;", "m" * 64_400)
    data = embedded(with_packet("JPEG", packet.encode()))
    assert "mmm" not in texts_of(data)["xmp"]
    assert read_own(texts_of(data)) == RECIPE


def test_an_extension_of_the_files_own_stays_with_its_packet() -> None:
    guid = "0123456789ABCDEF0123456789ABCDEF"
    packet = PACKET.replace(
        'x2:Label="', f'xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="{guid}" x2:Label="'
    )
    extension = b"http://ns.adobe.com/xmp/extension/\0" + guid.encode() + struct.pack(">II", 5, 0) + b"<a/>\n"
    data = embedded(jpeg_with(segment(0xE1, XMP + packet.encode()), segment(0xE1, extension)))
    texts = texts_of(data)
    assert guid in texts["xmp"]
    assert texts["xmp:extended"] == "<a/>\n"
    assert read_own(texts) == RECIPE


@FORMATS
def test_settings_of_another_copy_of_the_app_are_replaced_and_the_mark_alone_takes_them_out(format: str) -> None:
    mime, data = f"image/{format.lower()}", file_of(format)
    other = RECIPE.model_copy(update={"prompt": "something else"})
    first = embed(data, mime, other, what=Embed.RECIPE)
    again = embed(first, mime, RECIPE, what=Embed.RECIPE)
    assert read_own(texts_of(again)) == RECIPE
    marked = embed(first, mime, RECIPE, what=Embed.MARK)
    assert {*texts_of(marked)} <= {"xmp", "XML:com.adobe.xmp"}
    for each in (again, marked):
        assert b"something else" not in each
        assert "something else".encode("utf-16-be") not in each


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
@pytest.mark.parametrize("what", [Embed.RECIPE, Embed.MARK])
def test_exif_keeps_orientation_camera_and_position(format: str, what: Embed) -> None:
    data = embedded(file_of(format, exif=exif_of(LensModel="A lens", UserComment=b"ASCII\0\0\0private")), what)
    found = opened(data).getexif()
    assert found[ExifTags.Base.Orientation] == 6
    assert found[ExifTags.Base.Make] == "A camera"
    assert found.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert found.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] == "A lens"
    assert b"private" not in data
    texts = texts_of(data)
    assert texts["exif:Make"] == "A camera"
    assert texts.get("exif:UserComment", "").endswith("Version: SRPO Studio 1.0") == (what is Embed.RECIPE)
    names = [name for name, _ in riff_chunks(data)] if format == "WEBP" else []
    assert data.count(b"Exif\0\0") + names.count(b"EXIF") == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_with_one_directory_in_either_order_gets_a_second(order: str) -> None:
    mark = b"II" if order == "<" else b"MM"
    entry = struct.pack(order + "HHIHH", ExifTags.Base.Orientation, 3, 1, 8, 0)
    old = mark + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", 1) + entry + bytes(4)
    data = embedded(file_of("JPEG", exif=b"Exif\0\0" + old))
    assert opened(data).getexif()[ExifTags.Base.Orientation] == 8
    assert texts_of(data)["exif:UserComment"].startswith("a lake, 湖")
    assert embedded(file_of("JPEG", exif=b"Exif\0\0" + old), Embed.MARK).count(b"Exif\0\0" + old) == 1


@pytest.mark.parametrize(
    "old",
    [
        b"",
        b"no EXIF",
        b"II*\0\xff\xff\xff\xff",
        b"II+\0\x08\0\0\0" + bytes(20),
        b"MM\0*\0\0\0\x08\xff\xff",
        b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\xff\xff\xff\xff\0\0\0\0",
    ],
)
def test_what_is_no_exif_is_replaced_by_settings_and_left_alone_by_the_mark(old: bytes) -> None:
    made = exif.with_comment(old, "hello")
    assert texts_of(webp(made)) == {"exif:UserComment": "hello"}
    assert exif.without_comment(old) == old


def webp(tiff: bytes) -> bytes:
    return webp_of(*riff_chunks(FILES["webp"][1]), (b"EXIF", tiff))


def test_a_comment_that_lies_over_the_directories_is_not_blanked() -> None:
    entry = struct.pack(">HHII", ExifTags.IFD.Exif, 4, 1, 26)
    comment = struct.pack(">HHII", ExifTags.Base.UserComment, 7, 20, 8)
    old = b"MM\0*\0\0\0\x08\0\1" + entry + bytes(4) + b"\0\1" + comment + bytes(4)
    assert exif.without_comment(old) == old


DAMAGES = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), max_size=5)


def damaged(data: bytes, damages: list[tuple[float, bytes]]) -> bytes:
    for where, noise in damages:
        at = int(where * len(data))
        data = data[:at] + noise + data[at + len(noise) :]
    return data


@settings(deadline=None, max_examples=60)
@given(DAMAGES)
def test_whatever_the_packet_was_ours_is_read_afterwards(damages: list[tuple[float, bytes]]) -> None:
    wanted = {xmp.CREATOR_TOOL: "a tool", xmp.DIGITAL_SOURCE_TYPE: SOURCE_TYPE}
    assert xmp.properties_of(xmp.packet(wanted, damaged(PACKET.encode(), damages)).decode()) == wanted


@settings(deadline=None, max_examples=60)
@given(DAMAGES)
def test_whatever_the_exif_was_our_comment_is_read_afterwards(damages: list[tuple[float, bytes]]) -> None:
    old = damaged(exif_of(LensModel="A lens", UserComment=b"ASCII\0\0\0private").tobytes()[6:], damages)
    assert texts_of(webp(exif.with_comment(old, "hello")))["exif:UserComment"] == "hello"
    assert len(exif.without_comment(old)) == len(old)
