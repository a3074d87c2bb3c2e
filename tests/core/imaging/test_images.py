"""The door for pictures: everything that comes in leaves as upright 8-bit sRGB, or is refused in words."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import time
import zlib
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from core.errors import BadImage
from core.imaging.images import MAX_BYTES, encode, pad_to_multiple, read_reference, working_size
from tests.support.fakes import picture, picture_bytes
from tests.support.words import said


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that says it is that large, without its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def animation(frames: int, **save: Any) -> bytes:
    pictures = [Image.new("L", (8, 6), 7 * i % 256) for i in range(frames)]
    file = io.BytesIO()
    pictures[0].save(file, save.pop("format", "GIF"), save_all=True, append_images=pictures[1:], **save)
    return file.getvalue()


def corner(image: Image.Image, x: int, y: int) -> Any:
    return image.getpixel((x, y))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = picture("RGB", (40, 24))
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    stored.save(file, "PNG", exif=exif)
    assert read_reference(file.getvalue()).open().tobytes() == upright.tobytes()


def test_nothing_of_the_metadata_is_left() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCamera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 30.0)
    data = picture_bytes("JPEG", exif=exif, comment=b"a secret comment")
    assert b"SecretCamera" in data
    reference = read_reference(data)
    assert b"Secret" not in reference.data
    assert b"secret" not in reference.data
    assert not reference.open().getexif()
    assert not {"exif", "comment", "icc_profile", "dpi"} & reference.open().info.keys()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    image = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 5, 10))
    file = io.BytesIO()
    image.convert(mode).save(file, "PNG")
    result = read_reference(file.getvalue()).open()
    assert corner(result, 9, 5) == (255, 255, 255)
    assert corner(result, 0, 5) == (0, 0, 0)


def test_a_palettes_transparent_colour_becomes_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=1)
    assert corner(read_reference(file.getvalue()).open(), 0, 0) == (255, 255, 255)


def test_half_transparent_is_mixed_with_white() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (2, 2), (255, 0, 0, 128)).save(file, "PNG")
    red, green, blue = corner(read_reference(file.getvalue()).open(), 0, 0)
    assert red == 255
    assert green == blue == pytest.approx(127, abs=1)


def test_cmyk_becomes_rgb() -> None:
    file = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(file, "JPEG", quality=100)
    red, green, blue = corner(read_reference(file.getvalue()).open(), 4, 4)
    assert red > 220
    assert green < 40
    assert blue < 40


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    image = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 0x4000, 0x8000, 0xFFFF)):
        image.putpixel((x, 0), value)
    file = io.BytesIO()
    image.save(file, "PNG")
    result = read_reference(file.getvalue()).open()
    assert [corner(result, x, 0)[0] for x in range(4)] == pytest.approx([0, 64, 128, 255], abs=1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I", "F", "LAB"])
def test_every_mode_leaves_as_rgb_of_its_size(mode: str) -> None:
    source: Any = picture("L").convert(mode) if mode in ("I", "F") else picture(mode if mode != "LAB" else "RGB")
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        source = ImageCms.profileToProfile(source, *profiles, outputMode="LAB")
    file = io.BytesIO()
    source.save(file, "TIFF")
    reference = read_reference(file.getvalue())
    assert (reference.open().mode, reference.open().size) == ("RGB", (64, 48))
    assert (reference.width, reference.height) == (64, 48)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_announced_format_is_read(kind: str) -> None:
    assert read_reference(picture_bytes(kind)).width == 64


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "PCX", "EPS", "PDF", "JPEG2000", "QOI", "DDS"])
def test_other_formats_stay_shut(kind: str) -> None:
    with pytest.raises(BadImage, match=r"not a picture the app can read|This is an? |is not supported"):
        read_reference(picture_bytes(kind))


def test_the_first_frame_of_an_animation_is_taken_and_said_so() -> None:
    reference = read_reference(animation(3))
    assert corner(reference.open(), 0, 0) == (0, 0, 0)
    assert said(reference.notices) == ("Of the animation's 3 frames, the first was used.",)


@pytest.mark.parametrize(
    ("kind", "notice"),
    [
        ("GIF", "Of the animation's 300 frames, the first was used."),
        ("WEBP", "Of the animation's 300 frames, the first was used."),
        ("PNG", "Of the animation's 300 frames, the first was used."),
        ("AVIF", "Of the animation's 300 frames, the first was used."),
        ("TIFF", "Of the document's 300 pages, the first was used."),
    ],
)
def test_of_a_long_animation_or_document_the_first_picture_is_taken(kind: str, notice: str) -> None:
    reference = read_reference(animation(300, format=kind))
    assert max(corner(reference.open(), 0, 0)) <= 2
    assert said(reference.notices) == (notice,)


@pytest.mark.parametrize("size", [(20_000, 20_000), (12_000, 10_001), (65_536, 10), (10, 70_000)])
def test_too_many_pixels_are_refused_by_the_header_alone(size: tuple[int, int]) -> None:
    begun = time.process_time()
    with pytest.raises(BadImage, match=r"is too large .* The limit is 120 megapixels and 65,535 pixels a side\."):
        read_reference(png_header(*size))
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\0" * 100, "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (picture_bytes("JPEG")[:-300], "damaged"),
        (picture_bytes("PNG")[:-200], "damaged"),
        (b"x" * (MAX_BYTES + 1), "60.0 MB"),
    ],
    ids=["empty", "zeros", "signature only", "cut jpeg", "cut png", "too large"],
)
def test_what_is_no_picture_is_refused_with_the_fields_name(data: bytes, words: str) -> None:
    with pytest.raises(BadImage, match=words) as caught:
        read_reference(data)
    assert caught.value.field == "image"
    assert caught.value.todo


def test_broken_bytes_never_raise_anything_else() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    sources = [picture_bytes(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")]
    for _ in range(300):
        data = bytearray(rng.choice(sources))
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with contextlib.suppress(BadImage):
            read_reference(bytes(data[: rng.randint(1, len(data))]))


def test_the_same_picture_gives_the_same_bytes() -> None:
    assert read_reference(picture_bytes()).data == read_reference(picture_bytes()).data


def test_padding_moves_no_pixel_and_repeats_the_edge() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(50):
        image = picture("RGB", (rng.randint(1, 70), rng.randint(1, 70)))
        multiple = rng.choice((1, 2, 8, 16, 64))
        padded = pad_to_multiple(image, multiple)
        assert padded.width % multiple == padded.height % multiple == 0
        assert padded.width - image.width < multiple
        assert padded.crop((0, 0, *image.size)).tobytes() == image.tobytes()
        assert corner(padded, padded.width - 1, padded.height - 1) == corner(image, image.width - 1, image.height - 1)


def test_a_working_size_keeps_the_shape_and_never_grows() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(200):
        width, height, most = rng.randint(1, 9000), rng.randint(1, 9000), rng.randint(256, 4_000_000)
        w, h = working_size(width, height, most)
        assert 1 <= w <= width
        assert 1 <= h <= height
        if width * height <= most:
            assert (w, h) == (width, height)
        elif min(w, h) > 20:
            assert w / h == pytest.approx(width / height, rel=0.06)
            assert w * h <= most * 1.05


def test_a_working_size_keeps_to_its_longest_side() -> None:
    assert working_size(1024, 768, max_side=512) == (512, 384)
    assert working_size(300, 1200, 10**9, 512) == (128, 512)
    assert working_size(500, 500, 250 * 250, 512) == (250, 250)
    assert working_size(400, 300, max_side=512) == (400, 300)


@pytest.mark.parametrize(("output_format", "kind"), [("png", "PNG"), ("jpeg", "JPEG")])
def test_encoded_pictures_open_again(output_format: str, kind: str) -> None:
    image = picture()
    opened = Image.open(io.BytesIO(encode(image, output_format)))
    assert opened.format == kind
    if kind == "PNG":
        assert opened.convert("RGB").tobytes() == image.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (3, 2), (1000, 1001), (400_000, 2)])
def test_a_png_holds_the_very_pixels(size: tuple[int, int]) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    image = Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))
    data = encode(image, "png")
    opened = Image.open(io.BytesIO(data))
    opened.verify()
    assert Image.open(io.BytesIO(data)).tobytes() == image.tobytes()
    assert (opened.mode, opened.size) == ("RGB", size)


def test_an_address_is_kept_only_where_its_file_shows_and_tells_no_more_than_the_reference() -> None:
    def kept(kind: str, mode: str = "RGB", **save: Any) -> bool:
        return read_reference(picture_bytes(kind, mode, **save), "https://a.example/x").address is not None

    tags = Image.Exif()
    tags[ExifTags.Base.ImageDescription] = "where it was taken"
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", "somebody")
    assert kept("PNG")
    assert kept("JPEG")
    assert not kept("WEBP")
    assert not kept("JPEG", exif=tags)
    assert not kept("JPEG", comment=b"somebody")
    assert not kept("PNG", exif=tags)
    assert not kept("PNG", pnginfo=told)
