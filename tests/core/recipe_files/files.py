"""Small picture files of each kind that takes a recipe, and blocks put into them by hand."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

from core.recipe import ImageRef, Model, Recipe, StyleUse
from tests.support.fakes import picture, picture_bytes

SIZE = (24, 16)
RECIPE = Recipe(
    backend="local",
    model=Model(id="black-forest-labs/FLUX.1-dev+tencent/SRPO", revision="abc"),
    app="1.0",
    prompt="a lake, 湖",
    style=(StyleUse(id="oil", text="an oil painting"),),
    params={"strength": 0.6, "num_inference_steps": 20, "guidance_scale": 3.5},
    seed=7,
    seeds=(7, 8),
    index=1,
    reference=ImageRef(digest="a" * 64, mime="image/png", width=768, height=512, size=1000),
)


def file_of(format: str, mode: str = "RGB", **save: Any) -> bytes:
    return picture_bytes(format, mode, SIZE, **save)


def saved(image: Image.Image, format: str, **save: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **save)
    return file.getvalue()


def with_alpha() -> Image.Image:
    image = picture("RGB", SIZE)
    image.putalpha(Image.linear_gradient("L").resize(SIZE))
    return image


FILES = {
    "png": ("image/png", file_of("PNG")),
    "png with alpha": ("image/png", saved(with_alpha(), "PNG")),
    "png from a palette": ("image/png", saved(picture("RGB", SIZE).quantize(8), "PNG")),
    "jpeg": ("image/jpeg", file_of("JPEG")),
    "progressive jpeg": ("image/jpeg", file_of("JPEG", progressive=True)),
    "grey jpeg": ("image/jpeg", file_of("JPEG", "L")),
    "cmyk jpeg": ("image/jpeg", file_of("JPEG", "CMYK")),
    "webp": ("image/webp", file_of("WEBP")),
    "lossless webp": ("image/webp", file_of("WEBP", lossless=True)),
    "webp with alpha": ("image/webp", saved(with_alpha(), "WEBP")),
    "lossless webp with alpha": ("image/webp", saved(with_alpha(), "WEBP", lossless=True)),
}
"""MIME type and bytes, by what they are."""


def opened(data: bytes) -> Image.Image:
    """Return a file as Pillow decodes it; its warnings are errors here."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(*chunks: bytes) -> bytes:
    """Return a PNG with chunks behind its header."""
    data = FILES["png"][1]
    return data[:33] + b"".join(chunks) + data[33:]


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg_with(*segments: bytes) -> bytes:
    """Return a JPEG with segments before all others."""
    data = FILES["jpeg"][1]
    return data[:2] + b"".join(segments) + data[2:]


def riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and contents of a WebP's chunks; its lengths must add up."""
    assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP")
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    found, at = [], 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    assert at == len(data)
    return found


def webp_of(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a RIFF file of these chunks."""
    body = b"".join(
        kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
