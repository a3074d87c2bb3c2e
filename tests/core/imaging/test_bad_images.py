"""Pictures that are broken on purpose, and every mode and orientation of the whole ones.

Ten thousand broken files go through `read_reference` in child processes with a limit of memory and a limit
of time for each file. `STUDIO_TEST_SEED` repeats a run: the same seed breaks the same bytes.
"""

from __future__ import annotations

import io
import json
import math
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import ExifTags, Image, ImageChops, ImageCms, ImageStat, PngImagePlugin, features

from core.errors import BadImage
from core.imaging.images import MAX_BYTES, MAX_PIXELS, Reference, read_reference
from tests.support.fakes import picture, picture_bytes

pytestmark = pytest.mark.integration

SEED = int(os.environ.get("STUDIO_TEST_SEED") or 20_261_101)
CASES = 10_000
"""Broken files in all."""
MEMORY = 2 * 1024**3
"""Bytes of address space that a child may take beyond what it has when it begins."""
SECONDS = 5
"""Of computing for one file; the kernel then ends the child, even inside a decoder."""
ROOT = Path(__file__).resolve().parents[3]
DATA = Path(__file__).resolve().parent / "data"


# ---- files -------------------------------------------------------------------------------------------


def png(width: int, height: int, depth: int, kind: int, rows: bytes, interlaced: bool = False) -> bytes:
    """Return a PNG of ready rows, for what Pillow does not write: 16-bit colours, interlacing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced)))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def interlaced() -> bytes:
    image = picture()
    width, height = image.size
    rows = b""
    for x0, y0, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        for y in range(y0, height, dy):
            rows += b"\0" + b"".join(image.crop((x, y, x + 1, y + 1)).tobytes() for x in range(x0, width, dx))
    return png(width, height, 8, 2, rows, interlaced=True)


def sixteen_bit_colours() -> bytes:
    image = picture()
    rows = [image.crop((0, y, image.width, y + 1)).tobytes() for y in range(image.height)]
    doubled = b"".join(b"\0" + bytes(each for value in row for each in (value, value)) for row in rows)
    return png(image.width, image.height, 16, 2, doubled)


def sixteen_bit_greys() -> Image.Image:
    """Return the picture in mode I;16, from black to white."""
    return picture("L").convert("I").point(lambda value: value * 257).convert("I;16")


def see_through(mode: str = "RGBA") -> Image.Image:
    """Return the picture with its yellow patch transparent."""
    image = picture("RGBA")
    width, height = image.size
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (width // 2, height // 2, width * 3 // 4, height * 3 // 4))
    image.putalpha(alpha)
    if mode == "PA":
        paletted = picture("P").convert("PA")
        paletted.putalpha(alpha)
        return paletted
    return image.convert(mode) if mode != "RGBA" else image


def saved(image: Image.Image, kind: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **save)
    return file.getvalue()


def orientation(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = number
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 30.0)
    return exif


def declared_png() -> bytes:
    """Return a PNG of 16-bit colours with a transparent one, whose space three chunks declare."""
    data = sixteen_bit_colours()
    more = (
        (b"cICP", bytes((9, 16, 0, 1))),
        (b"gAMA", struct.pack(">I", 45_455)),
        (b"tRNS", struct.pack(">3H", 9, 9, 9)),
    )
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in more
    )
    return data[:33] + b"".join(chunks) + data[33:]


def whole_files() -> dict[str, bytes]:
    """Return the files that are broken, by name."""
    frames = [picture("P").rotate(30 * turn) for turn in range(4)]
    files = {
        "png-rgb": picture_bytes("PNG"),
        "png-rgba": saved(see_through(), "PNG"),
        "png-p": picture_bytes("PNG", "P", transparency=3),
        "png-16-bit": saved(sixteen_bit_greys(), "PNG"),
        "png-interlaced": interlaced(),
        "jpeg-baseline": picture_bytes("JPEG"),
        "jpeg-progressive": picture_bytes("JPEG", progressive=True, subsampling=0),
        "jpeg-cmyk": picture_bytes("JPEG", "CMYK"),
        "jpeg-exif": picture_bytes("JPEG", exif=orientation(6), comment=b"a comment"),
        "webp-lossy": picture_bytes("WEBP", exif=orientation(8)),
        "webp-lossless": saved(see_through(), "WEBP", lossless=True),
        "gif-animated": saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0),
        "tiff-raw": picture_bytes("TIFF", exif=orientation(5)),
        "tiff-lzw": saved(see_through(), "TIFF", compression="tiff_lzw"),
        "bmp": picture_bytes("BMP", "P"),
    }
    files["heic"] = (DATA / "turned.heic").read_bytes()
    files["heic-transparent"] = (DATA / "see-through.heic").read_bytes()
    files["png-declared"] = declared_png()
    files["tiff-pages"] = saved(picture(), "TIFF", save_all=True, append_images=[picture("L"), picture("P")])
    files["jpeg-film"] = picture_bytes("JPEG", exif=orientation(2)) + b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(300)
    if features.check("avif"):
        files["avif"] = picture_bytes("AVIF", exif=orientation(3))
    return files


NAMES = list(whole_files())
SHARE = -(-CASES // len(NAMES))
"""Broken files of each whole one."""


# ---- how files are broken ----------------------------------------------------------------------------

ORDERS: tuple[Literal["little"], Literal["big"]] = ("little", "big")
LENGTHS = [0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x100, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000, 0xFFFFFF]
LENGTHS += [0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF]


def flip(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at, size = rng.randrange(len(data)), rng.choice((1, 2, 4, 16, 64))
    fill = rng.choice((rng.randbytes(size), b"\0" * size, b"\xff" * size))
    data[at : at + size] = fill[: len(data) - at]


def insert(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 33, 300)))


def delete(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 2, 4, 33, 300))]


def truncate(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    del data[rng.randrange(len(data)) :]


def splice(data: bytearray, rng: random.Random, others: list[bytes]) -> None:
    other = rng.choice([*others, bytes(data)])
    start, at = rng.randrange(len(other)), rng.randrange(len(data) + 1)
    piece = other[start : start + rng.choice((8, 64, 512, len(other)))]
    data[at : at + rng.choice((0, len(piece)))] = piece


def lie_about_a_length(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    """Write a number where formats keep their sizes: among the first 64 bytes."""
    size, order = rng.choice((1, 2, 2, 4, 4, 4)), ORDERS[rng.randrange(2)]
    number = rng.choice((*LENGTHS, rng.randrange(100), rng.randrange(2**16), rng.randrange(2**32)))
    at = rng.randrange(min(64, max(1, len(data) - size)))
    data[at : at + size] = (number % 256**size).to_bytes(size, order)


WAYS: list[Callable[[bytearray, random.Random, list[bytes]], None]] = [
    flip,
    overwrite,
    insert,
    delete,
    truncate,
    splice,
    lie_about_a_length,
]


def mend_checksums(data: bytearray) -> None:
    """Make a PNG's checksums right again; else every change but those of the pixels ends at the first of them."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 > len(data):
            return
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4


def broken(name: str, case: int, seed: int, files: dict[str, bytes]) -> bytes:
    """Return the same broken file for the same arguments."""
    rng = random.Random(f"{seed}:{name}:{case}")
    data = bytearray(files[name])
    others = [each for other, each in files.items() if other != name]
    first = case % len(WAYS)  # each way in its turn, and more of any kind after it
    for index in range(rng.choice((1, 1, 1, 2, 3, 5, 12))):
        if data:
            (WAYS[first] if not index else rng.choice(WAYS))(data, rng, others)
    if name.startswith("png") and rng.random() < 0.6:
        mend_checksums(data)
    return bytes(data)


# ---- the child ---------------------------------------------------------------------------------------


def child(name: str, count: int, seed: int, progress: str) -> dict[str, Any]:
    """Read broken files under limits; return what came out of them.

    Before each file its number goes to `progress`, so that a crash has a name.
    """
    files = whole_files()
    limit_memory()
    told: dict[str, Any] = {"taken": 0, "refused": 0, "no memory": [], "wrong": [], "slowest": [0.0, -1]}
    note = os.open(progress, os.O_WRONLY | os.O_CREAT)
    for case in range(count):
        data = broken(name, case, seed, files)
        os.pwrite(note, f"{case:>8}".encode(), 0)
        limit_time(SECONDS)
        begun = time.process_time()
        try:
            read = read_reference(data)
        except BadImage as error:
            told["refused"] += 1
            if isinstance(error.__cause__, MemoryError):
                told["no memory"].append(case)
            if error.field != "image" or not error.what or not error.todo:
                told["wrong"].append([case, f"a refusal without words: {error!r}"])
        except BaseException as error:
            told["wrong"].append([case, repr(error)])
        else:
            told["taken"] += 1
            if wrong := unlike_a_reference(read):
                told["wrong"].append([case, wrong])
        told["slowest"] = max(told["slowest"], [round(time.process_time() - begun, 3), case])
        limit_time(0)
    told["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return told


def limit_memory() -> None:
    """Let this process take `MEMORY` more than it has."""
    began = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (began + MEMORY, began + MEMORY))


def limit_time(seconds: float, times: float = 12) -> None:
    """End this process after so many seconds of computing, or `times` as many of anything; 0 takes that back.

    Nobody catches the signals: a decoder would go on, and `read_reference` swallow what a handler raises.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, times * seconds)


def unlike_a_reference(read: Any) -> str | None:
    """Return what is wrong with a result, None where nothing is."""
    if type(read) is not Reference:
        return f"not a reference: {type(read)}"
    image = read.open()
    if image.mode != "RGB" or image.size != (read.width, read.height):
        return f"{image.mode} {image.size} as {read.width}x{read.height}"
    return None


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of address space is Linux's")
@pytest.mark.parametrize("name", NAMES)
def test_a_broken_file_is_read_or_refused_and_does_nothing_else(name: str, tmp_path: Path) -> None:
    print(f"STUDIO_TEST_SEED={SEED}")
    progress = tmp_path / "case"
    words = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "tests.core.imaging.test_bad_images",
        name,
        str(SHARE),
        str(SEED),
    ]
    environ = {**os.environ, "MALLOC_ARENA_MAX": "1"}  # decoders' threads would reserve address space they do not use
    with (tmp_path / "stderr").open("wb") as stderr:
        done = subprocess.run(
            [*words, str(progress)], cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=stderr, timeout=240
        )
    last = progress.read_text() if progress.exists() else "none"
    tail = (tmp_path / "stderr").read_bytes()[-3000:].decode(errors="replace")
    assert done.returncode == 0, f"the child ended with {done.returncode} at case {last} of {name}:\n{tail}"
    told = json.loads(done.stdout)
    print(name, told)
    assert told["wrong"] == []
    assert told["no memory"] == []
    assert told["taken"] + told["refused"] == SHARE
    assert told["taken"] > 0
    assert told["refused"] > 0


def test_there_are_enough_broken_files() -> None:
    assert len(NAMES) >= 12
    assert SHARE * len(NAMES) >= CASES


def test_the_same_seed_breaks_the_same_bytes_and_another_other_ones() -> None:
    files = whole_files()
    for name in NAMES:
        assert read_reference(files[name])
        one = [broken(name, case, SEED, files) for case in range(20)]
        assert one == [broken(name, case, SEED, files) for case in range(20)]
        assert one != [broken(name, case, SEED + 1, files) for case in range(20)]
        assert sum(each != files[name] for each in one) > 15


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of address space is Linux's")
@pytest.mark.parametrize(
    ("limits", "fault", "code", "words"),
    [
        ("0.2, times=300", "while True: pass", -signal.SIGPROF, ""),
        ("0.2", "time.sleep(60)", -signal.SIGALRM, ""),
        ("SECONDS", "ctypes.string_at(0)", -signal.SIGSEGV, ""),
        ("SECONDS", "bytearray(MEMORY)", 1, "MemoryError"),
    ],
    ids=["computing without end", "waiting without end", "crash", "memory"],
)
def test_the_limits_would_be_noticed(limits: str, fault: str, code: int, words: str) -> None:
    code_of_child = f"import ctypes, time\nfrom {__name__} import *\nlimit_memory()\nlimit_time({limits})\n{fault}"
    done = subprocess.run([sys.executable, "-c", code_of_child], cwd=ROOT, stderr=subprocess.PIPE, timeout=240)
    assert done.returncode == code
    assert words.encode() in done.stderr


# ---- small files that ask for much work ----------------------------------------------------------------


def many_scans(scans: int = 1000) -> bytes:
    """Return a progressive JPEG at the limit of pixels that goes over them again and again, 64 bytes each."""
    side = math.isqrt(MAX_PIXELS)
    data = saved(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * scans + data[-2:]


def some_scans() -> bytes:
    return many_scans(50)


def many_comments() -> bytes:
    """Return a GIF with comments of one byte, 5 bytes each; Pillow joins them one by one."""
    data = picture_bytes("GIF")
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)  # behind the header and the palette
    return data[:at] + b"\x21\xfe\x01x\0" * 800_000 + data[at:]


def many_pieces_of_a_comment() -> bytes:
    """Return a GIF with one comment in pieces of one byte, 2 bytes each."""
    data = picture_bytes("GIF")
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    return data[:at] + b"\x21\xfe" + b"\x01x" * 1_600_000 + b"\0" + data[at:]


def many_pieces_of_exif() -> bytes:
    """Return a JPEG with EXIF in pieces, 15 bytes each; Pillow joins them one by one."""
    data = picture_bytes("JPEG")
    return data[:2] + b"\xff\xe1\x00\x0dExif\x00\x00piece" * 400_000 + data[2:]


def many_frames() -> bytes:
    """Return a GIF of ten thousand frames."""
    data = saved(Image.new("L", (1, 1)), "GIF")
    frame = data[data.index(b"\x2c") : -1]
    return data[:-1] + frame * 10_000 + data[-1:]


def many_chunks() -> bytes:
    """Return a PNG with chunks that nobody knows, 12 bytes each."""
    data = picture_bytes("PNG")
    chunk = b"\0\0\0\0prVt" + struct.pack(">I", zlib.crc32(b"prVt"))
    return data[:33] + chunk * 200_000 + data[33:]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of address space is Linux's")
@pytest.mark.parametrize(
    "make",
    [many_scans, some_scans, many_comments, many_pieces_of_a_comment, many_pieces_of_exif, many_frames, many_chunks],
    ids=lambda make: make.__name__.replace("_", " "),
)
def test_a_small_file_that_asks_for_much_work_is_read_or_refused_in_time(
    make: Callable[[], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(make())
    assert path.stat().st_size < MAX_BYTES / 2
    code = f"""
import contextlib, sys
from {__name__} import *
limit_memory()
limit_time(SECONDS)
with contextlib.suppress(BadImage):
    read_reference(Path(sys.argv[1]).read_bytes())
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, timeout=120)
    assert done.returncode == 0, f"more than {SECONDS} s of computing for {path.stat().st_size} bytes"


# ---- whole files: every mode, every orientation ------------------------------------------------------

CANARY = "GPS-canary-48.8584N-2.2945E"
UNDO = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera of each orientation stores an upright picture."""


def in_mode(mode: str) -> Image.Image:
    """Return the upright picture in a mode."""
    if mode in ("I", "F"):
        return picture("L").convert(mode)
    if mode.startswith("I;16"):
        image = sixteen_bit_greys()
        return image if mode == "I;16" else Image.frombytes(mode, image.size, swapped(image.tobytes()))
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(picture(), *profiles, outputMode="LAB")
        assert converted is not None
        return converted
    if mode in ("LA", "PA", "RGBA"):
        return see_through(mode)
    return picture(mode)


def swapped(data: bytes) -> bytes:
    return b"".join(data[at + 1 : at - 1 if at else None : -1] for at in range(0, len(data), 2))


def meant(mode: str) -> Image.Image:
    """Return what must come out for a mode."""
    if mode in ("1", "L", "P"):
        return picture(mode).convert("RGB")
    if mode.startswith(("I", "F")):
        return picture("L").convert("RGB")
    if mode in ("LA", "PA", "RGBA"):
        colours = picture({"LA": "L", "PA": "P", "RGBA": "RGB"}[mode]).convert("RGB")
        width, height = colours.size
        colours.paste("white", (width // 2, height // 2, width * 3 // 4, height * 3 // 4))
        return colours
    return picture()


def talkative(image: Image.Image, kind: str, number: int, save: dict[str, Any]) -> bytes:
    """Return a picture's file with an orientation, and the canary wherever its format keeps words."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = number
    exif[ExifTags.Base.Make] = exif[ExifTags.Base.ImageDescription] = CANARY
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N"
    gps[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 30.24)
    gps[ExifTags.GPS.GPSMapDatum] = CANARY
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{CANARY}</x:xmpmeta>".encode()
    words: dict[str, Any] = {}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Location", CANARY)
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        words = {"pnginfo": info}
    elif kind == "JPEG":
        words = {"comment": CANARY.encode(), "xmp": xmp}
    elif kind == "WEBP":
        words = {"xmp": xmp}
    return saved(image, kind, exif=exif, **words, **save)


LOSSLESS = {"lossless": True, "exact": True}
FINEST = {"quality": 100, "subsampling": 0}
KINDS: list[tuple[str, str, dict[str, Any], int]] = [
    *(("PNG", mode, {}, 0) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("JPEG", mode, FINEST, 12) for mode in ("L", "RGB", "CMYK", "YCbCr")),
    ("JPEG", "RGB", {**FINEST, "progressive": True}, 12),
    *(("WEBP", mode, LOSSLESS, 0) for mode in ("RGB", "RGBA")),
    ("WEBP", "RGB", {"quality": 100}, 24),
    *(("TIFF", mode, {}, 0) for mode in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK")),
    *(("TIFF", mode, {}, 0) for mode in ("I", "F", "I;16", "I;16B")),
    ("TIFF", "LAB", {}, 24),
    *(("TIFF", mode, {"compression": "tiff_lzw"}, 0) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F")),
    ("TIFF", "YCbCr", {"compression": "tiff_lzw"}, 6),
    ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}, 0),
    ("TIFF", "RGB", {"compression": "packbits"}, 0),
]
"""A format, a mode, how it is saved, and by how much the patches may be off: on the whole by half of it."""


def title(value: object) -> str | None:
    if isinstance(value, dict):
        return "-".join(str(each) for each in value.values() if isinstance(each, str)) or "plain"
    return value if isinstance(value, str) else None


@pytest.mark.parametrize("number", UNDO)
@pytest.mark.parametrize(("kind", "mode", "save", "off"), KINDS, ids=title)
def test_every_mode_and_orientation_comes_out_upright_in_rgb_without_metadata(
    kind: str, mode: str, save: dict[str, Any], off: int, number: int
) -> None:
    turn = UNDO[number]
    upright = in_mode(mode)
    stored = upright if turn is None else upright.transpose(turn)
    data = talkative(stored, kind, number, save)
    assert data.count(CANARY.encode()) > 1

    reference = read_reference(data)

    result, expected = reference.open(), meant(mode)
    assert (result.mode, result.size) == ("RGB", expected.size) == ("RGB", (reference.width, reference.height))
    width, height = result.size
    for x in (width // 8, 5 * width // 8):
        for y in (height // 8, 5 * height // 8):
            see_alike(result, expected, x, y, off)
    difference = ImageStat.Stat(ImageChops.difference(result, expected))
    assert max(difference.mean) <= off / 2
    see_no_metadata(reference)


def see_alike(one: Image.Image, other: Image.Image, x: int, y: int, off: int) -> None:
    pixels: Any = one.getpixel((x, y)), other.getpixel((x, y))
    assert all(abs(a - b) <= off for a, b in zip(*pixels, strict=True)), (x, y, pixels)


def see_no_metadata(reference: Reference) -> None:
    """See that a reference's file has its size and its pixels, and nothing else."""
    assert CANARY.encode() not in reference.data
    kinds, at = [], 8
    while at < len(reference.data):
        size = int.from_bytes(reference.data[at : at + 4])
        kinds.append(reference.data[at + 4 : at + 8])
        at += 12 + size
    assert at == len(reference.data)
    assert (kinds[0], set(kinds[1:-1]), kinds[-1]) == (b"IHDR", {b"IDAT"}, b"IEND")


@pytest.mark.parametrize("make", [interlaced, sixteen_bit_colours], ids=["interlaced", "16-bit colours"])
def test_what_pillow_only_reads_comes_out_as_it_was_meant(make: Callable[[], bytes]) -> None:
    assert read_reference(make()).open().tobytes() == picture().tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("number", [0, 9, 255, 65_535])
def test_an_orientation_that_does_not_exist_turns_nothing(kind: str, number: int) -> None:
    data = talkative(picture(), kind, number, LOSSLESS if kind == "WEBP" else FINEST if kind == "JPEG" else {})
    reference = read_reference(data)
    assert reference.open().size == picture().size
    for x, y in ((8, 6), (40, 6), (8, 30), (40, 30)):
        see_alike(reference.open(), picture(), x, y, 12)
    see_no_metadata(reference)


if __name__ == "__main__":
    print(json.dumps(child(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))
