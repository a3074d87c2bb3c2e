"""Reading references as phones make them: seconds and memory, each in a fresh process that has read a small one."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from bench.table import Row

SECONDS, MEMORY = 3.0, 400e6
"""The most for a photo of 24 megapixels, and for a baseline JPEG of 108."""
OVER = 1.1
"""The most by which a peak may pass what `core.imaging.bombs.decode_bytes` said."""

_KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "JPEG": ("JPEG", "RGB", {}),
    "progressive JPEG": ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
    "CMYK JPEG": ("JPEG", "CMYK", {}),
    "PNG": ("PNG", "RGB", {"compress_level": 1}),
    "PNG with alpha": ("PNG", "RGBA", {"compress_level": 1}),
    "PNG of 16-bit greys": ("PNG", "I;16", {"compress_level": 1}),
    "GIF": ("GIF", "P", {}),
    "TIFF": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "WebP": ("WEBP", "RGB", {"method": 0}),
    "WebP with alpha": ("WEBP", "RGBA", {"method": 0}),
    "AVIF": ("AVIF", "RGB", {"speed": 10}),
    "AVIF with alpha": ("AVIF", "RGBA", {"speed": 10}),
}

_CHILD = """
import json, sys, time
from pathlib import Path
from core.imaging.bombs import decode_bytes
from core.imaging.file_kinds import kind_of
from core.imaging.images import REFERENCE_PIXELS, read_reference
from core.imaging.opening import open_picture

def status(name):
    return int(next(each for each in open("/proc/self/status") if each.startswith(name)).split()[1]) * 1024

small, large = (Path(each).read_bytes() for each in sys.argv[1:])
read_reference(small)
Path("/proc/self/clear_refs").write_text("5")
memory, seconds = status("VmRSS"), time.process_time()
read_reference(large, max_bytes=10**9)
estimated = decode_bytes(open_picture(kind_of(large), large), REFERENCE_PIXELS)
print(json.dumps([status("VmHWM") - memory, time.process_time() - seconds, estimated]))
"""


def measure() -> list[Row]:
    """Read each kind."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        photo = _photo(6000, 4000)
        _, seconds, _ = _read(place, photo, "JPEG", {"quality": 90})
        peak, _, _ = _read(place, photo.resize((12_000, 9_000)), "JPEG", {"quality": 90})
        rows = [
            Row("a JPEG of 24 megapixels, read and encoded", seconds, SECONDS, "s", "of one core"),
            Row(
                "memory added by a baseline JPEG of 108 megapixels", peak / 1e6, MEMORY / 1e6, "MB", "decoder's process"
            ),
        ]
        return rows + list(_estimates(place, photo.resize((7000, 5000))))


def _estimates(place: Path, photo: Image.Image) -> Iterator[Row]:
    for name, (kind, mode, save) in _KINDS.items():
        picture = photo.convert("L").convert("I").point(lambda value: value * 257) if mode == "I;16" else photo
        picture = picture.convert(mode) if mode != "P" else picture.quantize(64)
        if mode == "RGBA":
            picture.putalpha(128)
        peak, _, estimated = _read(place, picture, kind, save)
        yield Row(
            f"memory over its estimate, {name}",
            peak / estimated,
            OVER,
            "x",
            f"{peak / 1e6:.0f} / {estimated / 1e6:.0f} MB",
        )


def _read(place: Path, picture: Image.Image, kind: str, save: dict[str, Any]) -> tuple[float, float, float]:
    """Return bytes added, seconds of computing, and the estimate of bytes."""
    files = place / "small", place / "large"
    for file, image in zip(files, (picture.resize((64, 48)), picture), strict=True):
        image.save(file, kind, **save)
    words = [sys.executable, "-c", _CHILD, *map(str, files)]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parent.parent)
    peak, seconds, estimated = json.loads(done.stdout)
    return peak, seconds, estimated


def _photo(width: int, height: int) -> Image.Image:
    """Return something with the edges, gradients and grain of a photo."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    grain = Image.effect_noise((width, height), 12)
    shapes = Image.effect_mandelbrot((width, height), (-2, -1.3, 1, 1.3), 50)
    return Image.merge(
        "RGB", [Image.blend(Image.blend(each, shapes, 0.3), grain, 0.3) for each in (across, down, grain)]
    )
