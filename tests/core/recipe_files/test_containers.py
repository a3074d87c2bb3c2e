"""The texts of files: by their keys, within limits, and without an exception whatever the bytes are."""

from __future__ import annotations

import contextlib
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from core.recipe_files.containers import texts_of
from core.recipe_files.embed import Embed, embed
from core.recipe_files.read import read_own
from core.recipe_files.texts import MAX_BLOCKS, MAX_TEXT, BrokenContainer
from tests.core.recipe_files.files import (
    FILES,
    RECIPE,
    chunk,
    file_of,
    jpeg_with,
    png_with,
    riff_chunks,
    segment,
    webp_of,
)

ADOBE = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
GUID = b"0123456789ABCDEF0123456789ABCDEF"


def itxt(keyword: bytes, text: bytes, packed: bool = False) -> bytes:
    return chunk(b"iTXt", keyword + b"\0" + bytes([packed]) + b"\0de\0Wort\0" + text)


def test_pngs_three_kinds_of_text_are_read_by_their_keywords() -> None:
    data = png_with(
        chunk(b"tEXt", b"parameters\0un \xe9t\xe9"),
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"{}")),
        itxt(b"Comment", "湖".encode()),
        itxt(b"Dream", zlib.compress("海".encode()), packed=True),
        itxt(b"XML:com.adobe.xmp", b"<x/>"),
    )
    assert texts_of(data) == {
        "parameters": "un été",
        "workflow": "{}",
        "Comment": "湖",
        "Dream": "海",
        "XML:com.adobe.xmp": "<x/>",
        "xmp": "<x/>",
    }


def test_texts_behind_the_pixels_are_read_and_those_behind_the_end_are_not() -> None:
    data, end = FILES["png"][1][:-12], FILES["png"][1][-12:]
    assert texts_of(data + chunk(b"tEXt", b"a\0b") + end + chunk(b"tEXt", b"c\0d")) == {"a": "b"}


def test_of_blocks_with_one_key_the_first_counts() -> None:
    assert texts_of(png_with(chunk(b"tEXt", b"a\0first"), chunk(b"tEXt", b"a\0second"))) == {"a": "first"}
    assert texts_of(jpeg_with(segment(0xFE, b"first"), segment(0xFE, b"second"))) == {"comment": "first"}


def test_a_text_that_is_no_utf_8_is_left_out_and_the_next_is_read() -> None:
    assert texts_of(png_with(itxt(b"a", b"\xff"), itxt(b"b", b"c"))) == {"b": "c"}


def test_comments_of_jpegs_are_utf_8_or_latin_1() -> None:
    assert texts_of(jpeg_with(segment(0xFE, "湖\0".encode())))["comment"] == "湖"
    assert texts_of(jpeg_with(segment(0xFE, b"\xe9t\xe9")))["comment"] == "été"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_the_texts_of_exif_are_read_in_every_kind_of_file(format: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "what it shows"
    exif[ExifTags.Base.Software] = "a tool"
    exif[ExifTags.Base.Make] = 'workflow:{"湖": 1}'.encode()
    exif[ExifTags.Base.Model] = "prompt:{}"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0settings"
    found = {each: text for each, text in texts_of(file_of(format, exif=exif)).items() if each.startswith("exif:")}
    assert found == {
        "exif:ImageDescription": "what it shows",
        "exif:Software": "a tool",
        "exif:Make": 'workflow:{"湖": 1}',
        "exif:Model": "prompt:{}",
        "exif:UserComment": "settings",
    }


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"ASCII\0\0\0a lake\0\0", "a lake"),
        (b"ASCII\0\0\0" + "湖 lake".encode(), "湖 lake"),
        (b"UNICODE\0" + "a lake\nSteps: 20".encode("utf-16-be"), "a lake\nSteps: 20"),
        (b"UNICODE\0" + "a lake\nSteps: 20".encode("utf-16-le"), "a lake\nSteps: 20"),
        (b"UNICODE\0" + "\ufeff湖".encode("utf-16-be"), "湖"),
        (b"UNICODE\0" + "\ufeff湖".encode("utf-16-le"), "湖"),
        (b"UNICODE\0" + "湖 Steps".encode("utf-16-be") + b"\0", "湖 Steps"),
        (bytes(8) + b"undefined", "undefined"),
        (b"JIS\0\0\0\0\0" + "湖".encode("shift_jis"), "湖"),
        (b"no code at all", "no code at all"),
        (b"ASCII\0\0\0\xe9t\xe9", "été"),
    ],
)
def test_a_comment_is_read_by_its_code_and_in_either_byte_order(raw: bytes, text: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = raw
    assert texts_of(file_of("WEBP", exif=exif)) == {"exif:UserComment": text}


def test_an_empty_comment_says_nothing() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = bytes(30)
    assert texts_of(file_of("JPEG", exif=exif)) == {}


def extension(*portions: tuple[int, int, bytes], guid: bytes = GUID) -> list[bytes]:
    """Return segments of extended XMP: length of the whole, place, bytes."""
    return [segment(0xE1, EXTENSION + guid + struct.pack(">II", total, at) + text) for total, at, text in portions]


def test_extended_xmp_is_put_together_in_any_order() -> None:
    packet = segment(0xE1, ADOBE + b"<x:HasExtendedXMP>" + GUID + b"</x:HasExtendedXMP>")
    parts = extension((6, 3, b"def"), (6, 0, b"abc"))
    assert texts_of(jpeg_with(*parts, packet))["xmp:extended"] == "abcdef"


@pytest.mark.parametrize(
    "parts",
    [
        extension((6, 0, b"abc")),
        extension((6, 0, b"abc"), (6, 2, b"cde")),
        extension((6, 0, b"abc"), (7, 3, b"def")),
        extension((3, 0, b"abc"), (3, 0, b"abc")),
        extension((3, 0, b"abc"), guid=b"F" * 32),
        extension((3, 0, b"abc"), guid=b"\xff" * 32),
        extension((0, 0, b"")),
    ],
)
def test_extended_xmp_that_does_not_fit_is_left_out(parts: list[bytes]) -> None:
    assert {*texts_of(jpeg_with(segment(0xE1, ADOBE + GUID), *parts))} == {"xmp"}


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a" + bytes(20), b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP"]
)
def test_files_without_texts_and_of_other_kinds_have_none(data: bytes) -> None:
    assert texts_of(data) == {}


@pytest.mark.parametrize(
    "damaged",
    [
        chunk(b"zTXt", b"b\0\0" + zlib.compress(b"hello" * 99)[:-6]),
        chunk(b"zTXt", b"b\0\0no zlib"),
        chunk(b"tEXt", b"b\0c")[:-1] + b"\0",
        chunk(b"tEXt", b"\0c"),
        chunk(b"tEXt", b"k" * 80 + b"\0c"),
        b"\xff\xff\xff\xfftEXtb\0c",
    ],
)
def test_a_damaged_png_gives_what_stands_before_the_damage(damaged: bytes) -> None:
    assert texts_of(png_with(chunk(b"tEXt", b"a\0first"), damaged, chunk(b"tEXt", b"d\0last"))) == {"a": "first"}


def test_damaged_jpegs_and_webps_give_what_stands_before_the_damage() -> None:
    assert texts_of(jpeg_with(segment(0xFE, b"hello"), b"\xff\xe1\0\1")) == {"comment": "hello"}
    assert texts_of(jpeg_with(segment(0xFE, b"hello"), b"junk")) == {"comment": "hello"}
    data = webp_of(*riff_chunks(FILES["webp"][1]), (b"XMP ", b"<x/>"), (b"EXIF", bytes(100)))
    assert texts_of(data[:-50]) == {"xmp": "<x/>"}


def bomb(size: int) -> bytes:
    return chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(size), 9))


def test_a_files_texts_are_bounded_together() -> None:
    first = chunk(b"tEXt", b"a\0" + b"x" * (MAX_TEXT // 2))
    half = chunk(b"tEXt", b"b\0" + b"x" * (MAX_TEXT // 2))
    assert {*texts_of(png_with(first, half, chunk(b"tEXt", b"c\0d")))} == {"a", "b"}
    assert {*texts_of(png_with(first, bomb(MAX_TEXT // 2 + 1), chunk(b"tEXt", b"c\0d")))} == {"a"}
    assert {*texts_of(png_with(first, bomb(MAX_TEXT // 2)))} == {"a", "bomb"}


def test_no_more_blocks_are_read_than_the_limit() -> None:
    blocks = [chunk(b"tEXt", b"%d\0x" % index) for index in range(MAX_BLOCKS + 5)]
    assert len(texts_of(png_with(*blocks))) == MAX_BLOCKS


HOSTILE = {
    "bombs": png_with(*[bomb(50_000_000)] * 20),
    "empty chunks": png_with(chunk(b"abCd", b"") * 150_000),
    "empty segments": jpeg_with(b"\xff\xe1\0\2" * 500_000),
    "fill bytes": jpeg_with(b"\xff" * 2_000_000),
    "bare markers": jpeg_with(b"\xff\xd0" * 1_000_000),
    "extensions": jpeg_with(segment(0xE1, ADOBE + GUID), *extension(*[(9, 0, b"a")] * 20_000)),
    "riff chunks": webp_of(*[(b"abcd", b"")] * 200_000),
    "directories": jpeg_with(
        *[segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\x14\x50" + b"\1\x0f\0\2\0\0\xff\0\0\0\0\0" * 5_200 + bytes(8))] * 30
    ),
    "elements": webp_of(*riff_chunks(FILES["webp"][1]), (b"XMP ", b"<a>" + b"<b/>" * 500_000 + b"</a>")),
    "namespaces": webp_of(
        *riff_chunks(FILES["webp"][1]),
        (b"XMP ", b"<a " + b" ".join(b"xmlns:a%d='b'" % each for each in range(100_000)) + b"/>"),
    ),
    "entities": webp_of(
        *riff_chunks(FILES["webp"][1]),
        (
            b"XMP ",
            b"<!DOCTYPE a [<!ENTITY a0 'aaaaaaaaaa'>"
            + b"".join(b"<!ENTITY a%d '%s'>" % (each + 1, b"&a%d;" % each * 10) for each in range(9))
            + b"]><a>&a9;</a>",
        ),
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_of_two_megabytes_are_read_to_their_end(kind: str) -> None:
    assert read_own(texts_of(HOSTILE[kind])) is None


WHOLE = [(mime, embed(data, mime, RECIPE, what=Embed.RECIPE)) for mime, data in FILES.values()]


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(min_size=1, max_size=8)), max_size=6),
)
def test_files_damaged_in_any_way_raise_nothing_that_is_not_documented(
    file: tuple[str, bytes], damages: list[tuple[float, int, bytes]]
) -> None:
    mime, data = file
    for where, kind, noise in damages:
        at = int(where * len(data))
        if kind == 0:
            data = data[:at] + noise + data[at + len(noise) :]
        elif kind == 1:
            data = data[:at] + noise + data[at:]
        elif kind == 2:
            data = data[:at] + data[at + len(noise) :]
        else:
            data = data[:at]
    read_own(texts_of(data))
    for what in (Embed.RECIPE, Embed.MARK):
        with contextlib.suppress(BrokenContainer):
            texts_of(embed(data, mime, RECIPE, what=what))


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\xff\0\0\0WEBP", b"II*\0"]), st.binary(max_size=200)
)
def test_noise_behind_a_files_first_bytes_raises_nothing(start: bytes, noise: bytes) -> None:
    texts_of(start + noise)
    texts_of(webp_of((b"EXIF", start + noise), (b"XMP ", noise)))
