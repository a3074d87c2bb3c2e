"""Colour spaces as numbers, and as ICC profiles made of them: primaries, a white, and curves.

Numbers of primaries and curves are those of ITU-T H.273, which PNG's cICP, AVIF and HEIC share.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

Point = tuple[float, float]
"""Chromaticity: CIE x and y."""
Curve = Callable[[float], float]
"""From a colour's number to its light, both 0 to 1."""
Matrix = list[list[float]]

D65: Point = (0.3127, 0.3290)
_C: Point = (0.310, 0.316)
_D50 = (0.9642, 1.0, 0.8249)
"""XYZ of the white that ICC profiles refer to."""
_BRADFORD: Matrix = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]

BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
_SMPTE = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
PRIMARIES: dict[int, tuple[tuple[Point, Point, Point], Point]] = {
    1: (BT709, D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), _C),
    5: (((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)), D65),
    6: (_SMPTE, D65),
    7: (_SMPTE, D65),
    8: (((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)), _C),
    9: (((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), D65),
    10: (((1.0, 0.0), (0.0, 1.0), (0.0, 0.0)), (1 / 3, 1 / 3)),
    11: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), (0.314, 0.351)),
    12: (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65),
    22: (((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)), D65),
}
"""Red, green, blue and white, by their numbers in ITU-T H.273."""
_REFERENCE_WHITE = 203.0
"""Nits of paper white in HDR pictures (ITU-R BT.2408); it becomes sRGB's white."""
_KNEE = 0.9
"""Light above which highlights are compressed. Below it HDR pictures keep exactly what SDR ones would show."""
_STEPS = 4_096
"""Entries of a curve; LittleCMS interpolates between them."""


# ---- curves ----------------------------------------------------------------------------------------------


def power(exponent: float) -> Curve:
    """Return a curve that is a power."""
    return lambda value: value**exponent


def _pieces(offset: float, slope: float, exponent: float, scale: float) -> Curve:
    """Return a curve that is a line near black and a power above."""

    def curve(value: float) -> float:
        return value / slope if value < offset else ((value + scale - 1) / scale) ** exponent

    return curve


srgb = _pieces(0.04045, 12.92, 2.4, 1.055)
_bt709 = _pieces(0.081, 4.5, 1 / 0.45, 1.0993)
_smpte240 = _pieces(0.0912, 4.0, 1 / 0.45, 1.1115)


def _shoulder(light: float) -> float:
    """Compress highlights, reference white being 1: a line up to the knee, then ever slower towards 1."""
    return light if light <= _KNEE else 1 - (1 - _KNEE) * math.exp(-(light - _KNEE) / (1 - _KNEE))


def _pq(value: float) -> float:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root: float = value ** (1 / m2)
    light = 10_000 * (max(root - c1, 0.0) / (c2 - c3 * root)) ** (1 / m1)
    return _shoulder(light / _REFERENCE_WHITE)


def _hlg(value: float) -> float:
    """Give the light on a screen of 1000 nits, each colour by itself."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = value * value / 3 if value <= 0.5 else (math.exp((value - c) / a) + b) / 12
    return _shoulder(1_000 * scene**1.2 / _REFERENCE_WHITE)


CURVES: dict[int, Curve] = {
    1: _bt709,
    4: power(2.2),
    5: power(2.8),
    6: _bt709,
    7: _smpte240,
    8: power(1.0),
    9: lambda value: 10 ** (2 * (value - 1)) if value else 0.0,
    10: lambda value: 10 ** (2.5 * (value - 1)) if value else 0.0,
    11: _bt709,
    12: _bt709,
    13: srgb,
    14: _bt709,
    15: _bt709,
    16: _pq,
    17: lambda value: min(1.0, 52.37 / 48 * value**2.6),
    18: _hlg,
}
"""Transfer functions, by their numbers in ITU-T H.273."""
HDR = {16: "PQ", 18: "HLG"}
"""Those whose highlights do not fit into sRGB."""


# ---- ICC profiles ----------------------------------------------------------------------------------------


def icc_profile(primaries: tuple[Point, Point, Point], white: Point, curves: tuple[Curve, ...]) -> bytes:
    """Return an ICC profile (version 4, a matrix and one or three curves) of an RGB space."""
    matrix = _product(_adapted(white), _to_xyz(primaries, white))
    tables = [_table(curve) for curve in curves]
    tags = {
        b"desc": _words("RGB"),
        b"cprt": _words("none"),
        b"wtpt": _xyz(_D50),
        **{f"{name}XYZ".encode(): _xyz([row[index] for row in matrix]) for index, name in enumerate("rgb")},
        **{f"{name}TRC".encode(): tables[index % len(tables)] for index, name in enumerate("rgb")},
    }
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", place + len(body), b"", 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp" + b"\0" * 28 + _xyz(_D50)[8:] + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + body


def _words(text: str) -> bytes:
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", 2 * len(text), 28) + text.encode("utf-16-be")


def _xyz(values: Any) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65_536) for value in values))


def _table(curve: Curve) -> bytes:
    values = (round(65_535 * min(1.0, max(0.0, curve(index / (_STEPS - 1))))) for index in range(_STEPS))
    return b"curv\0\0\0\0" + struct.pack(f">I{_STEPS}H", _STEPS, *values)


def _to_xyz(primaries: tuple[Point, Point, Point], white: Point) -> Matrix:
    """Return the matrix from light in the primaries to XYZ."""
    columns = [(x, y, 1 - x - y) for x, y in primaries]
    rows = [list(row) for row in zip(*columns, strict=True)]
    x, y = white
    scales = _product(_inverse(rows), [[x / y], [1.0], [(1 - x - y) / y]])
    return [[value * scales[index][0] for index, value in enumerate(row)] for row in rows]


def _adapted(white: Point) -> Matrix:
    """Return the matrix that makes a white D50, by Bradford's cones."""
    x, y = white
    source = _product(_BRADFORD, [[x / y], [1.0], [(1 - x - y) / y]])
    wanted = _product(_BRADFORD, [[value] for value in _D50])
    scaled = [[wanted[row][0] / source[row][0] * value for value in values] for row, values in enumerate(_BRADFORD)]
    return _product(_inverse(_BRADFORD), scaled)


def _product(one: Matrix, other: Matrix) -> Matrix:
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*other, strict=True)] for row in one
    ]


def _inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of three rows of three.

    Raises:
        ZeroDivisionError: there is none: primaries that lie on one line, say.
    """
    (a, b, c), (d, e, f), (g, h, i) = matrix
    adjugate = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0]
    return [[value / determinant for value in row] for row in adjugate]
