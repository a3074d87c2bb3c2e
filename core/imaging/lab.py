"""CIELAB colours: from sRGB and back, and how different two of them look (CIEDE2000).

Colours are arrays whose first axis is L*, a*, b*: L* from 0 (black) to 100 (white), a* and b* within about -128..128
for sRGB, under D65 and the observer of 1931.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]  # IEC 61966-2-1
)
_WHITE = _TO_XYZ.sum(axis=1, keepdims=True)
_LEVELS = np.arange(256) / 255
_LIGHT = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
"""Linear light of each of the 256 levels of sRGB."""
_EDGE = 6 / 29
"""Where CIELAB's cube root becomes a straight line."""
_25_TO_7 = 25.0**7


def lab_of(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the CIELAB colours of sRGB.

    Args:
        rgb: of shape (3, ...), 0 to 255.

    Returns:
        Of the same shape. The formulas are those of CIE 15:2004; white is exactly (100, 0, 0).
    """
    light = _LIGHT[rgb].reshape(3, -1)
    ratio = (_TO_XYZ / _WHITE).astype(np.float32) @ light
    x, y, z = np.where(ratio > _EDGE**3, np.cbrt(ratio), ratio / (3 * _EDGE**2) + 4 / 29)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z))).reshape(rgb.shape).astype(np.float32)


def rgb_of(lab: Floats) -> NDArray[np.uint8]:
    """Return the sRGB of CIELAB colours, 0 to 255; what lies outside of sRGB is clipped.

    Args:
        lab: of shape (3, ...).
    """
    lightness, a, b = np.asarray(lab, dtype=np.float64).reshape(3, -1)
    y = (lightness + 16) / 116
    root = np.stack((y + a / 500, y, y - b / 200))
    ratio = np.where(root > _EDGE, root**3, 3 * _EDGE**2 * (root - 4 / 29))
    light = np.clip(np.linalg.solve(_TO_XYZ, ratio * _WHITE), 0, 1)
    levels = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    found: NDArray[np.uint8] = np.rint(levels * 255).astype(np.uint8).reshape(lab.shape)
    return found


def hex_of(lab: Floats) -> str:
    """Return one colour as `#rrggbb`.

    Args:
        lab: of shape (3,).
    """
    return "#" + bytes(rgb_of(lab)).hex()


def chroma(lab: Floats) -> Floats:
    """Return how colourful colours are, C*ab = hypot(a*, b*): 0 for grey, up to about 134 in sRGB.

    Args:
        lab: of shape (3, ...).
    """
    found: Floats = np.hypot(lab[1], lab[2])
    return found


def difference(one: Floats, other: Floats) -> Floats:
    """Return how different colours look, by CIEDE2000 with kL = kC = kH = 1.

    Args:
        one, other: of shape (3, ...) and the same type.

    Returns:
        Of shape (...): 0 for equal colours, about 1 where a difference is just seen, 100 from black to white. Source:
        Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test data, and
        mathematical observations", Color Research and Application 30(1), 2005.
    """
    mean_7 = ((chroma(one) + chroma(other)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean_7 / (mean_7 + _25_TO_7))
    chroma_1, hue_1 = _polar(one[1] * stretch, one[2])
    chroma_2, hue_2 = _polar(other[1] * stretch, other[2])

    turn = hue_2 - hue_1
    total = hue_1 + hue_2
    grey = chroma_1 * chroma_2 == 0  # whose hue is none
    far = np.abs(turn) > 180
    turn = np.where(far, turn - np.copysign(360, turn), turn)
    hue = np.where(far, np.where(total < 360, total + 360, total - 360), total) / 2
    hue = np.where(grey, total, hue)

    d_lightness = other[0] - one[0]
    d_chroma = chroma_2 - chroma_1
    d_hue = 2 * np.sqrt(chroma_1 * chroma_2) * np.sin(np.radians(turn / 2))

    lightness = ((one[0] + other[0]) / 2 - 50) ** 2
    mean = (chroma_1 + chroma_2) / 2
    weight = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    by_lightness = d_lightness / (1 + 0.015 * lightness / np.sqrt(20 + lightness))
    by_chroma = d_chroma / (1 + 0.045 * mean)
    by_hue = d_hue / (1 + 0.015 * mean * weight)
    mean_7 = mean**7
    rotation = -2 * np.sqrt(mean_7 / (mean_7 + _25_TO_7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    squares = by_lightness**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue
    found: Floats = np.sqrt(np.maximum(squares, 0))
    return found


def _polar(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the chroma, and the hue in degrees from 0 to 360, which is 0 for grey."""
    hue = np.degrees(np.arctan2(b, a))
    return np.hypot(a, b), np.where(hue < 0, hue + 360, hue)
