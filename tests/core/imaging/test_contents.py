"""Files that hold more than one picture, or less: the first is read, and a notice says what was left out."""

from __future__ import annotations

import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms

from core.errors import BadImage
from core.imaging.icc import D65, PRIMARIES, icc_profile, srgb
from core.imaging.images import read_reference
from tests.core.imaging.colour_spaces import chunk, png_of, with_chunks
from tests.support.fakes import picture, picture_bytes
from tests.support.words import said

DATA = Path(__file__).parent / "data"
SEED = int(os.environ.get("STUDIO_TEST_SEED") or random.randrange(2**32))
FILM = "The photo was used; the video behind it was left out."


def saved(image: Image.Image, kind: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **save)
    return file.getvalue()


def noise(size: int) -> bytes:
    """Return what packed video looks like."""
    print(f"STUDIO_TEST_SEED={SEED}")
    return random.Random(SEED).randbytes(size)


def film(size: int) -> bytes:
    data = noise(size)
    return (
        struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"mp42", 0, b"isom", b"mp42")
        + struct.pack(">I4s", size + 8, b"mdat")
        + data
    )


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


JPEG = picture_bytes("JPEG")


def same(data: bytes) -> tuple[str, ...]:
    """See that a file shows what the plain JPEG does; return the notices."""
    reference = read_reference(data)
    assert reference.open().tobytes() == read_reference(JPEG).open().tobytes()
    return said(reference.notices)


# ---- behind the photo and between its segments -----------------------------------------------------------


@pytest.mark.parametrize("size", [1_000, 5_000_000, 16_000_000])
def test_a_film_of_any_size_behind_a_photo_is_left_out(size: int) -> None:
    assert same(JPEG + film(size)) == (FILM,)


def test_a_film_behind_other_bytes_is_found() -> None:
    assert same(JPEG + b"\0" * 64 + b"MotionPhoto_Data" + film(5_000_000) + b"SEFH\x6a\0\0\0SEFT") == (FILM,)


def test_bytes_behind_a_photo_change_nothing() -> None:
    for more in (b"\0" * 100, b"SEFHe\0\0\0SEFT", b"\xff\xda" * 100 + b"\xff\xd9", b"words"):
        assert same(JPEG + more) == ()
    assert same(JPEG + JPEG) == ("Of the file's 2 pictures, the first was used.",)


def test_what_lies_in_a_segment_is_not_the_pictures_own() -> None:
    scans = segment(0xE4, b"\xff\xda\x00\x08" * 100 + b"\xff\xd9" * 100)
    exif = segment(0xED, b"Exif\0\0" * 100)
    comment = segment(0xFE, b"ftypmp42")
    assert same(JPEG[:2] + scans + exif + comment + JPEG[2:]) == ()


def test_a_preview_in_exif_does_not_end_the_picture() -> None:
    assert same(JPEG[:2] + segment(0xE1, b"http://example/\0" + JPEG) + JPEG[2:]) == ()


def test_a_multi_picture_file_gives_its_first_picture() -> None:
    data = saved(
        picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48)), Image.new("RGB", (64, 48))]
    )
    reference = read_reference(data)
    assert said(reference.notices) == ("Of the file's 3 pictures, the first was used.",)
    assert reference.open().getpixel((3, 3)) == pytest.approx((255, 0, 0), abs=9)


def test_a_cameras_preview_in_a_multi_picture_file_is_nothing_that_was_left_out() -> None:
    data = saved(picture(), "MPO", save_all=True, append_images=[picture("RGB", (32, 24))])
    at = data.index(b"MPF\0") + 4 + 50 + 16  # the second of the list of pictures, as Pillow writes it
    preview = data[:at] + struct.pack("<I", 0x010001) + data[at + 4 :]
    assert said(read_reference(data).notices) == ("Of the file's 2 pictures, the first was used.",)
    assert read_reference(preview).notices == ()


def test_a_gain_map_is_left_out_with_a_notice() -> None:
    xmp = segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x hdrgm:Version="1.0"/>')
    assert same(JPEG[:2] + xmp + JPEG[2:] + JPEG) == (
        "The photo's HDR part was left out; it looks as on ordinary screens.",
    )


def test_fill_bytes_between_segments_are_skipped() -> None:
    assert same(JPEG[:2] + b"\xff" * 50 + JPEG[2:]) == ()


# ---- pages and frames ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pages", [1, 2, 3, 100, 101])
@pytest.mark.parametrize("save", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}], ids=str)
def test_of_a_tiff_of_many_pages_the_first_is_used(pages: int, save: dict[str, Any]) -> None:
    first, *rest = [Image.new("RGB", (16, 16), (200 - n, 0, 0)) for n in range(pages)]
    reference = read_reference(saved(first, "TIFF", save_all=True, append_images=rest, **save))
    assert reference.open().getpixel((3, 3)) == (200, 0, 0)
    assert said(reference.notices) == ((f"Of the document's {pages} pages, the first was used.",) if pages > 1 else ())


def test_pages_that_go_in_a_circle_and_pages_without_end_are_counted_in_time() -> None:
    first = saved(Image.new("L", (4, 4), 9), "TIFF")
    at = int.from_bytes(first[4:8], "little")
    after = at + 2 + 12 * int.from_bytes(first[at : at + 2], "little")
    circle = first[:after] + struct.pack("<I", at) + first[after + 4 :]
    assert read_reference(circle).notices == ()
    start = len(first) + len(first) % 2
    pages = b"".join(struct.pack("<HI", 0, start + 6 * (n + 1)) for n in range(100_000))
    many = first[:after] + struct.pack("<I", start) + first[after + 4 :].ljust(start - after - 4, b"\0") + pages
    assert said(read_reference(many).notices) == ("Of the document's more than 1000 pages, the first was used.",)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("frames", [2, 12, 150])
def test_of_an_animation_the_first_frame_is_used(kind: str, frames: int) -> None:
    first, *rest = [Image.new("RGB", (20, 20), (250, 37 * n % 256, 91 * n % 256)) for n in range(frames)]
    reference = read_reference(saved(first, kind, save_all=True, append_images=rest))
    assert reference.open().getpixel((9, 9)) == pytest.approx((250, 0, 0), abs=8)
    assert said(reference.notices) == (f"Of the animation's {frames} frames, the first was used.",)


def test_a_png_shows_the_picture_that_stands_for_its_animation() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)
    reference = read_reference(data)
    assert reference.open().getpixel((9, 9)) == (255, 0, 0)
    assert said(reference.notices) == ("Of the animation's 3 frames, the first was used.",)


def test_a_png_without_frames_is_no_animation() -> None:
    for count in (0, 2**31, 2**32 - 1):
        assert read_reference(with_chunks(PNG, chunk(b"acTL", struct.pack(">II", count, 0)))).notices == ()


# ---- HEIC ----------------------------------------------------------------------------------------------

QUARTERS = [(220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 230)]


def quarters(data: bytes) -> tuple[list[Any], tuple[str, ...]]:
    reference = read_reference(data)
    image = reference.open()
    assert image.size == (64, 48)
    return [image.getpixel(place) for place in ((16, 12), (48, 12), (16, 36), (48, 36))], said(reference.notices)


@pytest.mark.parametrize("name", ["plain", "turned", "two-pictures"])
def test_a_heic_is_read_upright(name: str) -> None:
    seen, notices = quarters((DATA / f"{name}.heic").read_bytes())
    assert all(one == pytest.approx(other, abs=3) for one, other in zip(seen, QUARTERS, strict=True))
    two = ("Of the file's 2 pictures, the main one was used.",)
    assert notices == (two if name == "two-pictures" else ())


def test_a_heic_with_transparency_is_laid_on_white() -> None:
    seen, _ = quarters((DATA / "see-through.heic").read_bytes())
    assert seen[0] == (255, 255, 255)
    assert seen[1] == pytest.approx(QUARTERS[1], abs=3)


@pytest.mark.parametrize("major", [b"heix", b"mif1", b"msf1", b"miaf"])
def test_a_heic_of_another_brand_is_read(major: bytes) -> None:
    data = (DATA / "plain.heic").read_bytes()
    assert quarters(data[:8] + major + data[12:])[1] == ()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((20_000, 20_000), "The limit is 120 megapixels"),
        ((11_000, 10_900), "damaged"),
        ((8, 8), "damaged"),
    ],
)
def test_a_heic_whose_header_lies_about_its_size_is_refused(size: tuple[int, int], words: str) -> None:
    data = (DATA / "plain.heic").read_bytes()
    at = data.index(b"ispe") + 8
    with pytest.raises(BadImage, match=words):
        read_reference(data[:at] + struct.pack(">II", *size) + data[at + 8 :])


def test_a_film_inside_a_heic_is_left_out() -> None:
    film_box = struct.pack(">I4s", 1008, b"mpvd") + noise(1000)
    assert quarters((DATA / "plain.heic").read_bytes() + film_box)[1] == (FILM,)


# ---- files that end early --------------------------------------------------------------------------------


def photo(**save: Any) -> bytes:
    """Return a JPEG of 800x600 pixels, of the kind that does not pack well."""
    return saved(Image.effect_mandelbrot((800, 600), (-2, -1.5, 1, 1.5), 60).convert("RGB"), "JPEG", **save)


@pytest.mark.parametrize("save", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}], ids=str)
def test_a_jpeg_without_its_end_mark_is_whole(save: dict[str, Any]) -> None:
    data = photo(**save)
    for cut in (1, 2):
        reference = read_reference(data[:-cut])
        assert reference.notices == ()
        assert reference.open().tobytes() == read_reference(data).open().tobytes()


def test_a_small_jpeg_without_its_end_mark_is_whole() -> None:
    for mode in ("L", "RGB", "CMYK"):
        assert read_reference(picture_bytes("JPEG", mode)[:-2]).notices == ()


def test_half_a_byte_of_a_jpeg_is_not_taken_for_a_marker() -> None:
    data = saved(Image.frombytes("L", (800, 600), noise(800 * 600)), "JPEG")
    at = data.rindex(b"\xff\x00", 0, len(data) - 400)
    for cut in (at + 1, at + 2):
        assert said(read_reference(data[:cut]).notices) == ("The file ends early; what is missing at its end is grey.",)


def test_a_jpeg_whose_last_bytes_are_missing_is_read_with_a_notice() -> None:
    data = photo()
    reference = read_reference(data[: -len(data) // 100])
    assert said(reference.notices) == ("The file ends early; what is missing at its end is grey.",)
    box = (0, 0, 800, 540)
    assert reference.open().crop(box).tobytes() == read_reference(data).open().crop(box).tobytes()


def test_zeros_in_the_place_of_what_did_not_come_are_missing_too() -> None:
    data = photo()
    assert read_reference(data[:-2] + bytes(1000)).notices == ()
    with pytest.raises(BadImage, match="damaged"):
        read_reference(data[: len(data) // 2] + bytes(len(data) // 2))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_jpeg_that_is_cut_in_the_middle_is_damaged(share: float) -> None:
    data = photo()
    with pytest.raises(BadImage, match="damaged"):
        read_reference(data[: int(len(data) * (1 - share))])


def test_a_png_without_its_end_mark_is_read() -> None:
    whole = picture_bytes()
    for data in (whole[:-12], whole[:-4], whole + b"behind"):
        assert read_reference(data).open().tobytes() == picture().tobytes()


# ---- one transparent level ------------------------------------------------------------------------------


def whitened(data: bytes) -> list[int]:
    """Return which pixels of the first row are white, for files whose own greys never reach it."""
    image = read_reference(data).open()
    return [x for x in range(image.width) if image.getpixel((x, 0)) == (255, 255, 255)]


@pytest.mark.parametrize("level", [0, 64, 100, 200, 1000, 40_000])
def test_of_sixteen_bit_greys_one_level_is_transparent_and_no_neighbour(level: int) -> None:
    row = [level, level + 1, level + 255, level ^ 0x100, level, 30_000]
    rows = b"\0" + struct.pack(">6H", *row)
    data = png_of(rows, 6, 1, 16, 0)
    assert whitened(with_chunks(data, chunk(b"tRNS", struct.pack(">H", level)))) == [0, 4]


@pytest.mark.parametrize("colour", [(0x1234, 0x5678, 0x9ABC), (220 * 257, 30 * 257, 30 * 257), (1, 2, 3)])
def test_of_sixteen_bit_colours_one_is_transparent_and_no_neighbour(colour: tuple[int, int, int]) -> None:
    red, green, blue = colour
    row = [colour, (red + 1, green, blue), (red, green ^ 0x80, blue), (red, green, blue ^ 0x100), colour]
    rows = b"\0" + b"".join(struct.pack(">3H", *each) for each in row)
    data = png_of(rows, 5, 1, 16, 2)
    assert whitened(with_chunks(data, chunk(b"tRNS", struct.pack(">3H", *colour)))) == [0, 4]


@pytest.mark.parametrize(("depth", "level"), [(1, 0), (2, 1), (2, 0), (4, 7), (4, 0), (8, 77)])
def test_of_shallow_greys_one_level_is_transparent(depth: int, level: int) -> None:
    most = 2**depth - 1
    row = [level, 1 - level if depth == 1 else (level + 1) % most, level, level]
    bits = int("".join(f"{value:0{depth}b}" for value in row), 2) << (-4 * depth % 8)
    data = png_of(b"\0" + bits.to_bytes(-(-4 * depth // 8)), 4, 1, depth, 0)
    seen = whitened(with_chunks(data, chunk(b"tRNS", struct.pack(">H", level))))
    assert seen == ([0, 1, 2, 3] if depth == 1 else [0, 2, 3])  # of one bit, the other level is white itself


def test_eight_bit_colours_and_palettes_have_transparent_ones_too() -> None:
    rows = b"\0" + bytes((1, 2, 3, 1, 2, 4, 1, 2, 3))
    assert whitened(with_chunks(png_of(rows, 3, 1, 8, 2), chunk(b"tRNS", struct.pack(">3H", 1, 2, 3)))) == [0, 2]
    palette = chunk(b"PLTE", bytes(range(9))) + chunk(b"tRNS", b"\xff\x00")
    assert whitened(with_chunks(png_of(b"\0\0\1\2\1", 4, 1, 8, 3), palette)) == [1, 3]


@pytest.mark.parametrize(("kind", "channels"), [(4, 2), (6, 4)])
def test_sixteen_bit_transparency_is_laid_on_white(kind: int, channels: int) -> None:
    clear, full = (20_000,) * (channels - 1) + (0,), (20_000,) * (channels - 1) + (65_535,)
    rows = b"\0" + struct.pack(f">{2 * channels}H", *clear, *full)
    assert whitened(png_of(rows, 2, 1, 16, kind)) == [0]


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bit_tiffs_of_both_orders_are_read(mode: str) -> None:
    order = "<" if mode == "I;16" else ">"
    image = Image.frombytes(mode, (4, 1), struct.pack(f"{order}4H", 0, 0x4000, 0x8000, 0xFFFF))
    seen = read_reference(saved(image, "TIFF")).open()
    assert [seen.getpixel((x, 0))[0] for x in range(4)] == pytest.approx([0, 64, 128, 255], abs=1)  # type: ignore[index]


# ---- addresses -----------------------------------------------------------------------------------------


def keeps_address(data: bytes, **limits: int) -> bool:
    return read_reference(data, "https://a.example/x", **limits).address is not None


def tagged(**tags: int) -> Image.Exif:
    exif = Image.Exif()
    for name, value in tags.items():
        exif[getattr(ExifTags.Base, name)] = value
    return exif


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


PNG = picture_bytes("PNG")
PLAIN: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: JPEG,
    "progressive JPEG": lambda: picture_bytes("JPEG", progressive=True),
    "grey JPEG": lambda: picture_bytes("JPEG", "L"),
    "PNG": lambda: PNG,
    "grey PNG": lambda: picture_bytes("PNG", "L"),
    "sRGB by ICC": lambda: picture_bytes("JPEG", icc_profile=srgb_profile()),
    "sRGB by chunk": lambda: with_chunks(PNG, chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 45_455))),
    "sRGB by cICP": lambda: with_chunks(PNG, chunk(b"cICP", bytes((1, 13, 0, 1)))),
    "pixels a metre": lambda: picture_bytes("PNG", dpi=(72, 72)),
}
CHANGED: dict[str, Callable[[], bytes]] = {
    "WebP": lambda: picture_bytes("WEBP"),
    "HEIC": lambda: (DATA / "plain.heic").read_bytes(),
    "CMYK": lambda: picture_bytes("JPEG", "CMYK"),
    "palette": lambda: picture_bytes("PNG", "P"),
    "one bit": lambda: picture_bytes("PNG", "1"),
    "16 bits": lambda: png_of(b"\0" + bytes(12), 2, 1, 16, 2),
    "16-bit grey": lambda: png_of(b"\0" + bytes(4), 2, 1, 16, 0),
    "4-bit grey": lambda: png_of(b"\0\x12", 2, 1, 4, 0),
    "alpha": lambda: saved(Image.new("RGBA", (4, 4), (200, 60, 40, 0)), "PNG"),
    "full alpha": lambda: picture_bytes("PNG", "RGBA"),
    "a transparent colour": lambda: with_chunks(PNG, chunk(b"tRNS", bytes(6))),
    "profile": lambda: picture_bytes("JPEG", icc_profile=p3()),
    "profile in PNG": lambda: picture_bytes("PNG", icc_profile=p3()),
    "cICP": lambda: with_chunks(PNG, chunk(b"cICP", bytes((12, 13, 0, 1)))),
    "gamma": lambda: with_chunks(PNG, chunk(b"gAMA", struct.pack(">I", 100_000))),
    "turn": lambda: picture_bytes("JPEG", exif=tagged(Orientation=6)),
    "EXIF": lambda: picture_bytes("JPEG", exif=tagged(ImageWidth=64)),
    "EXIF in PNG": lambda: picture_bytes("PNG", exif=tagged(ImageWidth=64)),
    "comment": lambda: picture_bytes("JPEG", comment=b"somebody"),
    "time": lambda: with_chunks(PNG, chunk(b"tIME", bytes(7))),
    "packed text": lambda: with_chunks(PNG, chunk(b"zTXt", b"Author\0\0" + zlib.compress(b"somebody"))),
    "private chunk": lambda: with_chunks(PNG, chunk(b"prVt", b"somebody")),
    "application segment": lambda: JPEG[:2] + segment(0xEB, b"JP\0\0somebody") + JPEG[2:],
    "film": lambda: JPEG + film(100),
    "bytes behind": lambda: JPEG + b"somebody",
    "bytes behind PNG": lambda: PNG + b"somebody",
    "bytes before": lambda: b"\r\n" + JPEG,
    "no end mark": lambda: JPEG[:-2],
    "no end mark in PNG": lambda: PNG[:-12],
    "animation": lambda: saved(picture(), "PNG", save_all=True, append_images=[picture("L").convert("RGB")]),
    "two pictures": lambda: saved(picture(), "MPO", save_all=True, append_images=[picture()]),
}


def p3() -> bytes:
    return icc_profile(PRIMARIES[12][0], D65, (srgb,))


@pytest.mark.parametrize("name", PLAIN)
def test_the_address_of_a_plain_picture_is_kept(name: str) -> None:
    assert keeps_address(PLAIN[name]())


@pytest.mark.parametrize("name", CHANGED)
def test_the_address_of_a_picture_that_was_changed_or_tells_more_is_not_kept(name: str) -> None:
    assert not keeps_address(CHANGED[name]())


def test_the_address_of_a_picture_that_was_scaled_down_is_not_kept() -> None:
    assert keeps_address(JPEG, reference_pixels=64 * 48)
    assert not keeps_address(JPEG, reference_pixels=32 * 24)


# ---- many pieces ---------------------------------------------------------------------------------------


def bomb(count: int, size: int) -> bytes:
    """Return a directory of EXIF whose entries all point at the same bytes."""
    entries = b"".join(struct.pack("<HHII", 1000 + n, 7, size, 8) for n in range(count))
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4 + max(0, size - 12 * count))


def directory_of(numbers: dict[int, int]) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in numbers.items())
    return b"II*\0" + struct.pack("<IH", 8, len(numbers)) + entries + bytes(4)


def riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


MANY: dict[str, Callable[[], bytes]] = {
    "chunks of PNG": lambda: with_chunks(PNG, chunk(b"prVt", b"") * 800_000),
    "chunks of WebP": lambda: riff(picture_bytes("WEBP")[12:] + b"prVt\0\0\0\0" * 800_000),
    "segments of JPEG": lambda: JPEG[:2] + segment(0xE4, b"") * 800_000 + JPEG[2:],
    "marks of JPEG": lambda: JPEG[:2] + b"\xff\xd8" * 800_000 + JPEG[2:],
    "tables of JPEG": lambda: JPEG[:2] + segment(0xDB, (b"\0" + b"\1" * 64) * 1_000) * 300 + JPEG[2:],
    "components of JPEG": lambda: JPEG[:2] + segment(0xC0, bytes((8, 0, 9, 0, 9, 3)) + bytes(65_400)) * 300 + JPEG[2:],
    "resources of JPEG": lambda: (
        JPEG[:2] + segment(0xED, b"Photoshop 3.0\0" + (b"8BIM\4\4" + bytes(6)) * 5_000) * 300 + JPEG[2:]
    ),
    "profiles of PNG": lambda: with_chunks(PNG, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(1_000_000))) * 1_000),
    "chromaticities of PNG": lambda: with_chunks(PNG, chunk(b"cHRM", bytes(20_000_000))),
    "numbers of TIFF": lambda: b"II*\0" + struct.pack("<IHHHIII", 8, 1, 258, 3, 9_000_000, 26, 0) + bytes(18_000_000),
    "numbers of EXIF in PNG": lambda: with_chunks(
        PNG, chunk(b"eXIf", b"II*\0" + struct.pack("<IHHHIII", 8, 1, 274, 3, 9_000_000, 26, 0) + bytes(18_000_000))
    ),
    "junk in JPEG": lambda: JPEG[:20] + bytes(8_000_000) + JPEG[20:],
    "fill bytes in JPEG": lambda: JPEG[:2] + b"\xff" * 8_000_000 + JPEG[2:],
    "entries of TIFF": lambda: bomb(60_000, 40),
    "entries of TIFF at one place": lambda: bomb(1_000, 400_000),
    "strips of TIFF": lambda: b"II*\0" + struct.pack("<IHHHIII", 8, 1, 273, 4, 5_000_000, 26, 0) + bytes(20_000_000),
    "giant tiles of TIFF": lambda: directory_of({256: 10, 257: 10, 322: 20_000, 323: 20_000}),
    "entries of EXIF in JPEG": lambda: JPEG[:2] + segment(0xE1, b"Exif\0\0" + bomb(2_000, 40_000)) + JPEG[2:],
    "entries of EXIF in PNG": lambda: with_chunks(PNG, chunk(b"eXIf", bomb(1_000, 400_000))),
    "entries of EXIF in WebP": lambda: riff(
        picture_bytes("WEBP")[12:] + b"EXIF" + struct.pack("<I", 400_018) + bomb(1_000, 400_000)
    ),
}


def test_exif_in_boxes_that_asks_for_gigabytes_is_refused() -> None:
    exif = bomb(1_000, 400_000)
    for data in (picture_bytes("AVIF"), (DATA / "turned.heic").read_bytes()):
        with pytest.raises(BadImage, match="unusually built and was refused"):
            read_reference(data + struct.pack(">I4s", 8 + len(exif), b"mdat") + exif)


def test_exif_in_a_text_that_asks_for_gigabytes_is_left_aside() -> None:
    def text(exif: bytes) -> bytes:
        words = f"\nexif\n{len(exif):8}\n" + exif.hex()
        return with_chunks(PNG, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(words.encode())))

    assert read_reference(text(bomb(10_000, 300_000))).width == 64
    assert read_reference(text(b"Exif\0\0" + tagged(Orientation=6).tobytes().removeprefix(b"Exif\0\0"))).width == 48
    broken = chunk(b"tEXt", b"Raw profile type exif\0\nexif\n8\nno hex")
    assert read_reference(with_chunks(PNG, broken)).width == 64


@pytest.mark.parametrize("name", MANY)
def test_a_file_of_too_many_pieces_is_refused_before_it_is_decoded(name: str) -> None:
    with pytest.raises(BadImage, match="unusually built and was refused"):
        read_reference(MANY[name]())


def test_files_of_as_many_pieces_as_programs_write_are_read() -> None:
    assert read_reference(with_chunks(PNG, chunk(b"prVt", bytes(100)) * 5_000)).width == 64
    assert same(JPEG[:2] + segment(0xE4, bytes(60_000)) * 300 + JPEG[2:]) == ()
