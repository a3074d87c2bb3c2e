"""A file's first bytes: those of every kind that is read pass, those of anything else do not."""

from __future__ import annotations

import pytest

from core.first_bytes import ENOUGH, begins_as_picture
from core.images import FORMATS
from tests.fakes import picture_bytes


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_of_each_kind_that_is_read_begins_as_one(kind: str) -> None:
    assert begins_as_picture(picture_bytes(kind)[:ENOUGH])


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"avif"])
def test_a_picture_in_a_media_container_is_known_by_any_of_its_brands(brand: bytes) -> None:
    assert begins_as_picture(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0")
    assert begins_as_picture(b"\0\0\0\x1cftypisom\0\0\0\0iso8" + brand)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PNG",
        b"hello",
        b"<!doctype html><html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\x7fELF\x02\x01\x01",
    ],
)
def test_other_files_do_not(head: bytes) -> None:
    assert not begins_as_picture(head)
