"""Colours written in other spaces, computed with numpy, not with the code under test."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

D65 = (0.3127, 0.3290)
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
PAL = ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06))
NTSC = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
ADOBE_GAMMA = 2.19921875

Encode = Callable[[Any], Any]
"""From light, 0 to 1, to a colour's number, 0 to 1."""


def srgb(light: Any) -> Any:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def gamma(exponent: float) -> Encode:
    return lambda light: np.maximum(light, 0) ** (1 / exponent)


def bt709(light: Any) -> Any:
    return np.where(light < 0.018, light * 4.5, 1.099 * np.maximum(light, 0) ** 0.45 - 0.099)


def pq(light: Any) -> Any:
    power = (np.maximum(light, 0) * 203 / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(light: Any) -> Any:
    scene = (np.maximum(light, 0) * 0.203) ** (1 / 1.2)
    above = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), above)


def _to_xyz(primaries: Any, white: tuple[float, float]) -> Any:
    columns = np.array([(x, y, 1 - x - y) for x, y in primaries]).T
    x, y = white
    return columns * np.linalg.solve(columns, np.array([x / y, 1, (1 - x - y) / y]))


def written(
    colour: tuple[int, ...], primaries: Any, encode: Encode, white: tuple[float, float] = D65, most: int = 255
) -> tuple[int, ...]:
    """Return the numbers, up to `most`, that show a colour of sRGB in another space."""
    values = np.array(colour) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    there = np.linalg.solve(_to_xyz(primaries, white), _adapted(white) @ _to_xyz(SRGB, D65) @ light)
    return tuple(round(float(value) * most) for value in np.clip(encode(there), 0, 1))


def _adapted(white: tuple[float, float]) -> Any:
    """Return the matrix from what is seen under D65 to another white, by Bradford's cones."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    cones = [bradford @ np.array([x / y, 1, (1 - x - y) / y]) for x, y in (white, D65)]
    return np.linalg.inv(bradford) @ np.diag(cones[0] / cones[1]) @ bradford


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Return a PNG with further chunks behind its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def png_of(rows: bytes, width: int, height: int, depth: int, kind: int) -> bytes:
    """Return a PNG of ready rows, for what Pillow does not write."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
