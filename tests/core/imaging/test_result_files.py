"""What is said of a result's file: its kind, its size, whether it is whole."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import pytest

from api.pictures import PICTURE_NAME
from core.errors import BadImage
from core.image_types import MIME_OF, SUFFIX
from core.imaging.result_files import Facts, look_at
from storage.files.image_store import ImageStore
from tests.support.fakes import picture_bytes


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG that says it is that large, without its pixels."""
    data = bytearray(picture_bytes())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


FORMATS = ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_whole_file_is_called_by_its_kind_and_size(format: str) -> None:
    assert look_at(picture_bytes(format)) == Facts(f"image/{format.lower()}", 64, 48)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_lacks_its_last_fifth_is_damaged(format: str) -> None:
    data = picture_bytes(format)
    facts = look_at(data[: len(data) * 4 // 5])
    assert facts.mime == f"image/{format.lower()}"
    # A decoder of another kind than JPEG's and PNG's may find all that it needs before the end.
    assert facts.damaged or format not in ("PNG", "JPEG", "AVIF", "BMP")


def test_a_file_with_its_first_bytes_alone_is_damaged() -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"random seed {seed}")
    noise = random.Random(seed).randbytes(500)
    assert look_at(b"\x89PNG\r\n\x1a\n" + noise) == Facts("image/png", damaged=True)
    assert look_at(b"\xff\xd8\xff\xe0" + b"\0" * 500) == Facts("image/jpeg", damaged=True)


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypmif1", "image/heic"),
        (b"\xff\x0a", "image/jxl"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    ],
)
def test_a_kind_that_cannot_be_opened_here_is_known_by_its_first_bytes(head: bytes, mime: str) -> None:
    assert look_at(head + b"\0" * 200) == Facts(mime)


@pytest.mark.parametrize(
    "data", [b"", b"<html></html>" * 20, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\0\0\0\x18ftypisom" + b"\0" * 200]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadImage):
        look_at(data)


def test_a_file_that_says_it_is_huge_is_not_decoded() -> None:
    assert look_at(huge_png(9_000, 9_000)) == Facts("image/png", 9_000, 9_000)
    with pytest.raises(BadImage, match="far too many pixels"):
        look_at(huge_png(30_000, 30_000))


@pytest.mark.parametrize("mime", SUFFIX)
def test_every_kind_is_stored_and_served_under_its_own_name(mime: str, tmp_path: Path) -> None:
    path = ImageStore(tmp_path).put(b"x", mime)
    assert PICTURE_NAME.fullmatch(path.name)
    assert MIME_OF[path.suffix] == mime
