"""The look is preserved whatever declares a colour space: one colour of sRGB, written in each of them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from core.imaging.colour import profile_name
from core.imaging.icc import CURVES, PRIMARIES, icc_profile, power
from core.imaging.icc import srgb as srgb_curve
from core.imaging.images import Reference, _resolution, read_reference
from tests.core.imaging import colour_spaces as spaces
from tests.core.imaging.colour_spaces import (
    ADOBE,
    ADOBE_GAMMA,
    BT2020,
    D65,
    NTSC,
    P3,
    PAL,
    SRGB,
    chunk,
    gamma,
    with_chunks,
    written,
)
from tests.support.words import said

COLOUR = (200, 60, 40)
OFF = 6
"""Of 255; what rounding in another space and the encoders cost."""
DATA = Path(__file__).parent / "data"
PROFILE = icc_profile(P3, D65, (srgb_curve,))
ADOBE_PROFILE = icc_profile(ADOBE, D65, (power(ADOBE_GAMMA),))
AS_P3 = written(COLOUR, P3, spaces.srgb)
AS_ADOBE = written(COLOUR, ADOBE, gamma(ADOBE_GAMMA))


def file_of(colour: tuple[int, ...], kind: str = "PNG", mode: str = "RGB", **save: Any) -> bytes:
    picture = Image.new("RGB", (64, 64), colour)
    if mode == "P":
        picture = picture.quantize(4)
    elif mode != "RGB":
        picture = picture.convert(mode)
    file = io.BytesIO()
    picture.save(file, kind, **({"quality": 100} if kind in ("JPEG", "WEBP", "AVIF") else {}), **save)
    return file.getvalue()


def see(data: bytes, colour: tuple[int, ...] = COLOUR, off: int = OFF) -> Reference:
    reference = read_reference(data)
    seen: Any = reference.open().getpixel((30, 30))
    assert all(abs(one - other) <= off for one, other in zip(seen, colour, strict=True)), seen
    return reference


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_an_icc_profile_is_followed(kind: str) -> None:
    see(file_of(AS_P3, kind, icc_profile=PROFILE))
    see(file_of(AS_ADOBE, kind, icc_profile=ADOBE_PROFILE))


def test_a_files_profile_and_resolution_are_remembered_though_the_reference_has_neither() -> None:
    reference = see(file_of(AS_P3, "JPEG", icc_profile=PROFILE, dpi=(300, 300)))
    assert (reference.profile, reference.dpi) == ("RGB", 300.0)
    plain = read_reference(reference.data)
    assert (plain.profile, plain.dpi) == ("", 0.0)


@pytest.mark.parametrize("density", [0.0, -1.0, 1e9, float("nan"), "x", ()])
def test_a_resolution_that_cannot_be_meant_is_none(density: Any) -> None:
    picture = Image.new("RGB", (4, 4))
    picture.info["dpi"] = density if density == () else (density, density)
    assert _resolution(picture) == 0.0


@pytest.mark.parametrize("profile", [None, b"", b"no profile", PROFILE[:100]])
def test_a_profile_that_cannot_be_read_has_no_name(profile: bytes | None) -> None:
    assert profile_name(profile) == ""


@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_palettes_and_transparency_have_profiles_too(mode: str) -> None:
    see(file_of(AS_P3, mode=mode, icc_profile=PROFILE))


def test_deep_colours_have_profiles_too() -> None:
    numbers = written(COLOUR, P3, spaces.srgb, most=65_535)
    rows = (b"\0" + struct.pack(">3H", *numbers) * 64) * 64
    file = spaces.png_of(rows, 64, 64, 16, 2)
    see(with_chunks(file, chunk(b"cICP", bytes((12, 13, 0, 1)))))


def grey_profile(exponent: float) -> bytes:
    """Return the smallest ICC profile of a grey space."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256)) + b"\0\0"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63_190, 65_536, 54_061)
    table = struct.pack(">I4sII4sII", 2, b"kTRC", 156, len(curve), b"wtpt", 156 + len(curve), len(white))
    head = struct.pack(">I4sI4s4s4s", 156 + len(curve) + len(white), b"", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp" + b"\0" * 28 + white[8:] + b"\0" * 48
    return head + table + curve + white


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_grey_profile_is_followed(kind: str) -> None:
    (number, *_) = written((128, 128, 128), SRGB, gamma(1.0))
    see(file_of((number, number, number), kind, "L", icc_profile=grey_profile(1.0)), (128, 128, 128))


def test_a_grey_picture_with_a_profile_of_colours_has_its_curve() -> None:
    (number, *_) = written((128, 128, 128), SRGB, gamma(1.0))
    profile = icc_profile(P3, D65, (power(1.0),))
    see(file_of((number, number, number), "JPEG", "L", icc_profile=profile), (128, 128, 128))


def test_a_lab_picture_comes_out_as_it_was() -> None:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(Image.new("RGB", (64, 64), COLOUR), *profiles, outputMode="LAB")
    assert lab is not None
    file = io.BytesIO()
    lab.save(file, "TIFF")
    see(file.getvalue())


# ---- PNG's own ways ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "primaries", "encode"),
    [
        ((12, 13), P3, spaces.srgb),
        ((9, 13), BT2020, spaces.srgb),
        ((9, 14), BT2020, spaces.bt709),
        ((1, 8), SRGB, gamma(1.0)),
        ((1, 1), SRGB, spaces.bt709),
        ((6, 6), NTSC, spaces.bt709),
        ((5, 5), PAL, gamma(2.8)),
        ((1, 4), SRGB, gamma(2.2)),
        ((1, 13), SRGB, spaces.srgb),
        ((2, 13), SRGB, spaces.srgb),
        ((12, 2), P3, spaces.srgb),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_png_says_its_space_by_cicp(numbers: tuple[int, int], primaries: Any, encode: Any) -> None:
    reference = see(with_chunks(file_of(written(COLOUR, primaries, encode)), chunk(b"cICP", bytes((*numbers, 0, 1)))))
    assert reference.notices == ()


def test_other_whites_are_adapted_to() -> None:
    theatre = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
    numbers = written(COLOUR, theatre, gamma(2.2), white=(0.314, 0.351))
    see(with_chunks(file_of(numbers), chunk(b"cICP", bytes((11, 4, 0, 1)))))


def test_a_narrow_range_in_cicp_changes_nothing() -> None:
    see(with_chunks(file_of(AS_P3), chunk(b"cICP", bytes((12, 13, 0, 0)))))


@pytest.mark.parametrize(("number", "encode", "name"), [(16, spaces.pq, "PQ"), (18, spaces.hlg, "HLG")])
def test_hdr_keeps_what_is_below_paper_white_and_says_so(number: int, encode: Any, name: str) -> None:
    cicp = chunk(b"cICP", bytes((9, number, 0, 1)))
    for colour in (COLOUR, (20, 90, 160), (235, 235, 235), (255, 255, 255)):
        reference = see(with_chunks(file_of(written(colour, BT2020, encode)), cicp), colour)
        assert said(reference.notices) == (f"The picture is HDR ({name}); its highlights were compressed.",)


def test_hdr_highlights_are_white_and_not_torn() -> None:
    levels = [
        read_reference(with_chunks(file_of((n, n, n)), chunk(b"cICP", bytes((9, 16, 0, 1))))).open().getpixel((0, 0))
        for n in range(0, 256, 15)
    ]
    assert levels == sorted(levels)
    assert levels[-1] == (255, 255, 255)


def gama(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def chrm(primaries: Any) -> bytes:
    values = [part for point in (D65, *primaries) for part in point]
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))


def test_a_png_says_its_space_by_gamma_and_chromaticities() -> None:
    see(with_chunks(file_of(written(COLOUR, SRGB, gamma(1.0))), gama(1.0)))
    see(with_chunks(file_of(written(COLOUR, P3, gamma(1.8))), gama(1 / 1.8), chrm(P3)))
    see(with_chunks(file_of(AS_ADOBE), gama(0.45471), chrm(ADOBE)))
    see(with_chunks(file_of(AS_P3), chrm(P3)))


def test_what_programs_write_for_srgb_changes_nothing() -> None:
    for chunks in ((gama(0.45455),), (gama(0.45455), chrm(SRGB)), (chrm(SRGB),), (chunk(b"sRGB", b"\0"),)):
        see(with_chunks(file_of(COLOUR), *chunks), off=0)


@pytest.mark.parametrize(
    ("chunks", "numbers"),
    [
        ((chunk(b"cICP", bytes((12, 13, 0, 1))), iccp(ADOBE_PROFILE)), AS_P3),
        ((iccp(ADOBE_PROFILE), chunk(b"sRGB", b"\0"), gama(1.0)), AS_ADOBE),
        ((chunk(b"sRGB", b"\0"), gama(1.0), chrm(P3)), COLOUR),
        ((chunk(b"cICP", bytes((1, 13, 0, 1))), iccp(ADOBE_PROFILE)), COLOUR),
        ((iccp(b"no profile at all"), chrm(P3)), AS_P3),
        ((chunk(b"cICP", bytes((77, 99, 0, 1))), iccp(PROFILE)), AS_P3),
        ((chunk(b"cICP", bytes((2, 2, 0, 1))), iccp(PROFILE)), AS_P3),
        ((chunk(b"cICP", b"\x0c\x0d"), iccp(PROFILE)), AS_P3),
    ],
    ids=[
        "cICP, iCCP",
        "iCCP, sRGB",
        "sRGB, gAMA",
        "sRGB by cICP",
        "broken iCCP",
        "odd cICP",
        "unspecified",
        "short cICP",
    ],
)
def test_of_several_declarations_the_first_that_can_be_used_counts(
    chunks: tuple[bytes, ...], numbers: tuple[int, ...]
) -> None:
    see(with_chunks(file_of(numbers), *chunks))


@pytest.mark.parametrize("points", [(0.3, 0.3) * 4, (0.0,) * 8, (0.3127, 0.329, 0.64, 0.33, 0.64, 0.33, 0.15, 0.06)])
def test_chromaticities_that_span_nothing_are_left_aside(points: tuple[float, ...]) -> None:
    body = struct.pack(">8I", *(round(value * 100_000) for value in points))
    see(with_chunks(file_of(COLOUR), chunk(b"cHRM", body)), off=0)


# ---- EXIF, TIFF, BMP, AVIF, HEIC ----------------------------------------------------------------------


def exif(space: int, rules: str | int | None = None) -> Image.Exif:
    tags = Image.Exif()
    tags[271] = "Camera"
    inner = tags.get_ifd(0x8769)
    inner[0xA001] = space
    if rules:
        inner[0xA005] = {1: rules, 2: b"0100"}
    return tags


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_camera_says_adobe_rgb_by_exif(kind: str) -> None:
    see(file_of(AS_ADOBE, kind, exif=exif(2)))
    see(file_of(AS_ADOBE, kind, exif=exif(65_535, "R03")))


def test_a_scanner_says_adobe_rgb_by_a_tiffs_tags() -> None:
    see(file_of(AS_ADOBE, "TIFF", tiffinfo={34_665: {40_961: 2}}))


def test_an_avifs_numbers_count_before_exif() -> None:
    see(file_of(COLOUR, "AVIF", exif=exif(2)))  # its encoder says sRGB


def test_exif_that_says_srgb_or_nothing_changes_nothing() -> None:
    for tags in (exif(1), exif(65_535), exif(65_535, "R98"), exif(65_535, 3), exif(7)):
        see(file_of(COLOUR, "JPEG", exif=tags), off=3)


def test_a_profile_counts_before_exif() -> None:
    see(file_of(AS_P3, "JPEG", icc_profile=PROFILE, exif=exif(2)))


def test_a_tiff_says_its_space_by_tags() -> None:
    points = tuple(part for point in P3 for part in point)
    see(file_of(AS_P3, "TIFF", tiffinfo={318: D65, 319: points}))
    table = tuple(round(65_535 * (level / 255) ** 1.8) for level in range(256))
    see(file_of(written(COLOUR, P3, gamma(1.8)), "TIFF", tiffinfo={318: D65, 319: points, 301: table}))


def test_a_bmp_may_hold_a_profile() -> None:
    pixels = file_of(AS_P3, "BMP")[54:]
    head = struct.pack("<IiiHHIIiiII", 124, 64, 64, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    head += b"\0" * 16 + b"DEBM" + b"\0" * 48 + struct.pack("<IIII", 4, 124 + len(pixels), len(PROFILE), 0)
    data = b"BM" + struct.pack("<IHHI", 14 + 124 + len(pixels) + len(PROFILE), 0, 0, 14 + 124) + head + pixels + PROFILE
    see(data)


def nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """Return an AVIF that says its space by other numbers."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def test_an_avif_says_its_space_by_numbers() -> None:
    see(nclx(file_of(AS_P3, "AVIF", subsampling="4:4:4"), 12, 13))
    see(nclx(file_of(written(COLOUR, SRGB, gamma(1.0)), "AVIF", subsampling="4:4:4"), 1, 8))
    reference = see(nclx(file_of(written(COLOUR, BT2020, spaces.pq), "AVIF", subsampling="4:4:4"), 9, 16))
    assert said(reference.notices) == ("The picture is HDR (PQ); its highlights were compressed.",)


def test_an_avifs_profile_counts_before_its_numbers() -> None:
    data = file_of(AS_P3, "AVIF", icc_profile=PROFILE, subsampling="4:4:4")
    see(nclx(data, 9, 16) if b"colrnclx" in data else data)


def test_a_heic_says_its_space_by_numbers() -> None:
    see((DATA / "display-p3.heic").read_bytes())
    reference = see((DATA / "ten-bits-pq.heic").read_bytes())
    assert said(reference.notices) == ("The picture is HDR (PQ); its highlights were compressed.",)


# ---- profiles that are made ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("primaries", "transfer"), [*((each, 13) for each in PRIMARIES), *((1, each) for each in CURVES)]
)
def test_every_space_of_h273_becomes_a_profile_that_keeps_black_white_and_order(primaries: int, transfer: int) -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(*PRIMARIES[primaries], (CURVES[transfer],))))
    greys = Image.frombytes("RGB", (256, 1), bytes(level for level in range(256) for _ in range(3)))
    seen = ImageCms.profileToProfile(greys, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert seen is not None
    levels = list(seen.getchannel("G").tobytes())
    assert levels == sorted(levels)
    assert levels[0] <= 1
    assert levels[-1] >= 254
    red, green, blue = (channel.tobytes() for channel in seen.split())
    assert all(abs(r - g) <= 2 and abs(b - g) <= 2 for r, g, b in zip(red, green, blue, strict=True))
