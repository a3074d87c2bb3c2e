"""Large pictures are scaled down with a notice, too large ones refused in words that say the limit in force."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from core.errors import BadImage
from core.imaging.bombs import MAX_MEMORY, decode_bytes
from core.imaging.images import MAX_BYTES, MAX_PIXELS, REFERENCE_PIXELS, read_reference
from core.imaging.opening import open_picture
from core.limits import Caps
from core.settings import Settings
from tests.core.imaging.colour_spaces import chunk, png_of
from tests.support.fakes import picture, picture_bytes
from tests.support.words import said

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]


def saved(image: Image.Image, kind: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **save)
    return file.getvalue()


def flat_png(width: int, height: int, kind: int = 0) -> bytes:
    """Return a whole PNG of any size, black, without making its pixels."""
    row = bytes(1 + width * {0: 1, 2: 3, 6: 4}[kind])
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def header(width: int, height: int, kind: int = 2) -> bytes:
    """Return a PNG that only says how large it is."""
    data = png_of(b"\0", 1, 1, 8, kind)
    return data[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)) + data[33:]


def test_the_defaults_are_what_phones_need() -> None:
    assert (MAX_BYTES, MAX_PIXELS, REFERENCE_PIXELS) == (60_000_000, 120_000_000, 24_000_000)
    caps = Settings.from_env({}).caps
    assert caps.of_pictures == Caps().of_pictures
    assert caps.of_pictures == {"max_bytes": MAX_BYTES, "max_pixels": MAX_PIXELS, "reference_pixels": REFERENCE_PIXELS}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_a_large_picture_is_scaled_down_with_a_notice(kind: str) -> None:
    data = picture_bytes(kind, "RGB", (640, 480))
    reference = read_reference(data, reference_pixels=320 * 240)
    assert (reference.width, reference.height) == reference.open().size == (320, 240)
    assert said(reference.notices) == ("The picture was scaled down from 640x480 to 320x240.",)
    wanted, seen = picture("RGB", (320, 240)), reference.open()
    for x, y in ((30, 30), (190, 30), (30, 150), (190, 150)):
        pair: Any = wanted.getpixel((x, y)), seen.getpixel((x, y))
        assert all(abs(one - other) < 40 for one, other in zip(*pair, strict=True)), (kind, pair)
    assert read_reference(data, reference_pixels=640 * 480).notices == ()


def test_a_phones_photo_of_fifty_megapixels_is_scaled_down() -> None:
    reference = read_reference(saved(Image.new("RGB", (8160, 6120), "teal"), "JPEG"))
    assert (reference.width, reference.height) == (5657, 4243)
    assert said(reference.notices) == ("The picture was scaled down from 8160x6120 to 5657x4243.",)
    assert reference.open().getpixel((9, 9)) == pytest.approx((0, 128, 128), abs=3)


def test_a_long_side_is_scaled_down_to_16384() -> None:
    reference = read_reference(saved(Image.new("RGB", (20_000, 1500), "teal"), "JPEG"))
    assert (reference.width, reference.height) == (16_384, 1229)
    assert said(reference.notices) == ("The picture was scaled down from 20000x1500 to 16384x1229.",)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_turned_picture_is_scaled_down_as_it_stands(kind: str) -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    lying = picture("RGB", (640, 320)).transpose(Image.Transpose.ROTATE_90)
    reference = read_reference(saved(lying, kind, exif=tags), reference_pixels=320 * 160)
    assert reference.open().size == (320, 160)
    assert said(reference.notices) == ("The picture was scaled down from 640x320 to 320x160.",)


def test_transparency_is_laid_on_white_before_scaling() -> None:
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 200, 400))
    seen = read_reference(saved(image, "PNG"), reference_pixels=100 * 100).open()
    edge = [seen.getpixel((x, 50)) for x in range(40, 60)]
    assert all(red > 240 for red, *_ in edge)  # type: ignore[misc]


@pytest.mark.parametrize(("most", "words"), [(40, "40 megapixels"), (8, "8 megapixels"), (190, "190 megapixels")])
def test_a_refusal_names_the_limit_on_pixels_that_is_set(most: int, words: str) -> None:
    with pytest.raises(BadImage, match=rf"16000×12000 is too large \(192 megapixels\)\. The limit is {words} "):
        read_reference(header(16_000, 12_000), max_pixels=most * 10**6)


def test_a_refusal_names_the_limit_on_bytes_that_is_set() -> None:
    with pytest.raises(BadImage, match=r"The file is 3\.0 MB; the limit is 2\.5 MB\."):
        read_reference(bytes(3_000_000), max_bytes=2_500_000)


def test_a_higher_limit_is_not_stopped_by_the_librarys_own() -> None:
    with pytest.raises(BadImage, match="The picture is damaged"):
        read_reference(header(16_000, 12_000), max_pixels=250_000_000)
    reference = read_reference(flat_png(16_000, 15_625), max_pixels=250_000_000, reference_pixels=1_000_000)
    assert said(reference.notices) == ("The picture was scaled down from 16000x15625 to 1012x988.",)


def test_what_would_take_too_much_memory_is_refused_by_its_header() -> None:
    with pytest.raises(BadImage, match=r"would take 2\.\d GB of memory\. The limit is 1\.5 GB\. Scale it down"):
        read_reference(header(16_000, 15_625, kind=6), max_pixels=250_000_000)


@pytest.mark.parametrize("side", [(65_536, 2), (2, 70_000)])
def test_a_side_beyond_every_camera_is_refused(side: tuple[int, int]) -> None:
    with pytest.raises(BadImage, match="65,535 pixels a side"):
        read_reference(header(*side))


# ---- memory --------------------------------------------------------------------------------------------


def estimate(data: bytes, kind: str, target: int = REFERENCE_PIXELS) -> float:
    """Return the estimate in bytes a pixel."""
    opened = open_picture(kind, data)
    return decode_bytes(opened, target) / (opened.width * opened.height)


def test_the_estimate_knows_modes_formats_and_scans() -> None:
    size = (64, 48)
    by_mode = [estimate(picture_bytes("PNG", mode, size), "PNG") for mode in ("L", "RGB", "RGBA")]
    assert by_mode == sorted(by_mode)
    baseline = estimate(picture_bytes("JPEG", "RGB", size, quality=90), "JPEG", 100)
    progressive = estimate(picture_bytes("JPEG", "RGB", size, quality=90, progressive=True), "JPEG", 100)
    full_colour = estimate(picture_bytes("JPEG", "RGB", size, progressive=True, subsampling=0), "JPEG", 100)
    assert baseline < progressive < full_colour
    assert estimate(picture_bytes("WEBP", "RGB", size), "WEBP") > estimate(picture_bytes("PNG", "RGB", size), "PNG")


def test_a_baseline_jpeg_of_108_megapixels_is_let_in_and_a_progressive_one_in_full_colour_too() -> None:
    small = picture_bytes("JPEG", "RGB", (64, 48))
    for data, most in (
        (small, 400e6),
        (picture_bytes("JPEG", "RGB", (64, 48), progressive=True, subsampling=0), MAX_MEMORY),
    ):
        at = data.index(b"\xff\xc0" if data is small else b"\xff\xc2")
        large = data[: at + 5] + struct.pack(">HH", 9000, 12_000) + data[at + 9 :]
        assert decode_bytes(open_picture("JPEG", large), REFERENCE_PIXELS) < most


MEASURE = """
import sys
from pathlib import Path
from core.imaging.images import read_reference
data = Path(sys.argv[1]).read_bytes()
read_reference(Path(sys.argv[2]).read_bytes())
Path("/proc/self/clear_refs").write_text("5")
status = lambda name: int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1]) * 1024
began = status("VmRSS")
read_reference(data)
print(status("VmHWM") - began)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from Linux's /proc")
@pytest.mark.parametrize(
    ("kind", "mode", "save"),
    [
        ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("WEBP", "RGB", {"method": 0}),
        ("GIF", "P", {}),
    ],
    ids=["progressive JPEG", "PNG with alpha", "WebP", "GIF"],
)
def test_the_estimate_is_near_the_peak(kind: str, mode: str, save: dict[str, Any], tmp_path: Path) -> None:
    image = Image.effect_mandelbrot((3600, 3000), (-2, -1.5, 1, 1.5), 20).convert(mode)
    if mode == "RGBA":
        image.putalpha(128)
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(saved(image, kind, **save))
    small.write_bytes(picture_bytes(kind))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(large), str(small)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    peak, estimated = int(done.stdout), decode_bytes(open_picture(kind, large.read_bytes()), REFERENCE_PIXELS)
    assert 0.4 * estimated < peak < 1.15 * estimated + 20e6
