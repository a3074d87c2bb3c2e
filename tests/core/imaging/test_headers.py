"""A picture's size by its first bytes: as its decoder says, or not at all."""

from __future__ import annotations

import io
import random
import struct

import pytest
from PIL import Image

from core.imaging.headers import HEAD, size_of
from tests.support.fakes import picture_bytes


@pytest.mark.parametrize(
    ("kind", "save"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + bytes(60_000), "icc_profile": bytes(150_000)}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"big_endian": True}),
        ("AVIF", {}),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (301, 17), (70, 1000)])
def test_the_header_says_what_the_decoder_says(kind: str, save: dict[str, object], size: tuple[int, int]) -> None:
    assert size_of(picture_bytes(kind, "RGB", size, **save)[:HEAD]) == size


def test_a_bmp_that_is_stored_from_the_top_has_its_height() -> None:
    head = bytearray(picture_bytes("BMP", "RGB", (30, 20)))
    head[22:26] = (-20).to_bytes(4, "little", signed=True)
    assert size_of(bytes(head)) == (30, 20)


def test_a_heic_of_tiles_has_the_size_of_the_whole() -> None:
    sizes = b"".join(
        b"\0\0\0\x14ispe" + struct.pack(">III", 0, *size) for size in ((512, 512), (4032, 3024), (320, 240))
    )
    assert size_of(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + sizes) == (4032, 3024)


def test_a_tiff_whose_directory_lies_behind_its_pixels_has_no_size() -> None:
    assert size_of(b"II*\0" + (10_000_000).to_bytes(4, "little") + bytes(1000)) is None


@pytest.mark.parametrize("head", [b"", b"hello", b"<svg xmlns=", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"])
def test_what_is_no_picture_has_no_size(head: bytes) -> None:
    assert size_of(head) is None


def test_broken_and_cut_heads_never_raise() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        whole = picture_bytes(kind)
        for _ in range(300):
            head = bytearray(whole[: chance.randrange(len(whole))])
            for _ in range(chance.randrange(4)):
                if head:
                    head[chance.randrange(min(64, len(head)))] = chance.randrange(256)
            size_of(bytes(head))


def test_a_jpeg_of_endless_segments_is_given_up() -> None:
    assert size_of(b"\xff\xd8" + b"\xff\xe1\x00\x02" * 60_000) is None


def test_an_extended_webp_says_its_canvas() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (700, 5)).save(file, "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    assert file.getvalue()[12:16] == b"VP8X"
    assert size_of(file.getvalue()) == (700, 5)
