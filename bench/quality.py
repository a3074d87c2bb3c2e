"""How near two pictures are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity


@dataclass(frozen=True)
class Distance:
    """From one picture to another.

    Attributes:
        levels: root mean square of the difference, in colour levels of 0..255.
        psnr: the same in decibels; 99 for equal pictures.
        ssim: structural similarity, 1 for equal pictures.
    """

    levels: float
    psnr: float
    ssim: float


def distance(one: Image.Image, other: Image.Image) -> Distance:
    """Return how far two pictures of one size are apart."""
    a, b = (np.asarray(each.convert("RGB"), np.float64) for each in (one, other))
    levels = float(np.sqrt(np.mean((a - b) ** 2)))
    psnr = min(99.0, float(20 * np.log10(255 / levels))) if levels else 99.0
    return Distance(levels, psnr, float(structural_similarity(a, b, channel_axis=2, data_range=255)))


def worst(distances: list[Distance]) -> Distance:
    """Return the largest distance of several, each figure by itself."""
    return Distance(
        max(each.levels for each in distances),
        min(each.psnr for each in distances),
        min(each.ssim for each in distances),
    )
