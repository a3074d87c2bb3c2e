"""A picture's size by its first bytes: as its decoder says, or not at all."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from core.headers import HEAD, size_of
from tests.fakes import picture_bytes


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
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (301, 17), (70, 1000)])
def test_the_header_says_what_the_decoder_says(kind: str, save: dict[str, object], size: tuple[int, int]) -> None:
    assert size_of(picture_bytes(kind, "RGB", size, **save)[:HEAD]) == size


def test_a_bmp_that_is_stored_from_the_top_has_its_height() -> None:
    head = bytearray(picture_bytes("BMP", "RGB", (30, 20)))
    head[22:26] = (-20).to_bytes(4, "little", signed=True)
    assert size_of(bytes(head)) == (30, 20)


@pytest.mark.parametrize("kind", ["TIFF", "AVIF"])
def test_kinds_that_keep_their_size_elsewhere_have_none(kind: str) -> None:
    assert size_of(picture_bytes(kind)) is None


def test_broken_and_cut_heads_never_raise() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP"):
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
