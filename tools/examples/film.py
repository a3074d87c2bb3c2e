"""From linear light to a small JPEG: glow, tone curve, vignette, grain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tools.examples.maths import Array

QUALITY = 90
SUPERSAMPLE = 2


def shrink(image: Array, factor: int = SUPERSAMPLE) -> Array:
    """Average `factor` x `factor` blocks of a (H, W, 3) picture."""
    height, width, depth = image.shape
    blocks = image.reshape(height // factor, factor, width // factor, factor, depth)
    return np.asarray(blocks.mean(axis=(1, 3)))


def blur(image: Array, radius: int) -> Array:
    """Three box passes each way over a (H, W, ...) picture: close to a Gaussian."""
    for axis in (0, 1):
        for _ in range(3):
            pad = [(radius + 1, radius) if i == axis else (0, 0) for i in range(image.ndim)]
            total = np.cumsum(np.pad(image, pad, mode="edge"), axis=axis)
            size = image.shape[axis]
            high = np.take(total, np.arange(2 * radius + 1, 2 * radius + 1 + size), axis=axis)
            low = np.take(total, np.arange(size), axis=axis)
            image = (high - low) / (2 * radius + 1)
    return image


def tone(light: Array) -> Array:
    """Filmic curve, linear light to display values in [0, 1] (sRGB-encoded)."""
    # A toe and a shoulder in the manner of film: blacks keep some depth, whites roll off.
    curve = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    curve = np.clip(curve, 0.0, 1.0)
    low, high = curve * 12.92, 1.055 * np.power(np.maximum(curve, 1e-9), 1.0 / 2.4) - 0.055
    return np.asarray(np.where(curve <= 0.0031308, low, high))


def develop(
    light: Array,
    *,
    exposure: float,
    seed: int,
    glow: float = 0.06,
    vignette: float = 0.28,
    grain: float = 0.009,
    saturation: float = 1.0,
) -> Image.Image:
    """A supersampled (H, W, 3) picture of linear light, as a finished photograph."""
    light = shrink(np.minimum(light, 30.0)) * exposure
    height, width = light.shape[:2]
    bright = np.minimum(light, 6.0)
    light = light * (1.0 - glow) + blur(bright, max(2, width // 64)) * glow
    row, col = np.mgrid[0:height, 0:width]
    off = np.hypot((row / height - 0.5) * 1.0, (col / width - 0.5) * 1.0)
    light = light * (1.0 - vignette * np.clip(off / 0.707, 0.0, 1.0)[..., None] ** 2.4)
    grey = (light @ np.array([0.2126, 0.7152, 0.0722]))[..., None]
    shown = tone(np.maximum(grey + (light - grey) * saturation, 0.0))
    speck = np.random.default_rng(seed).normal(0.0, 1.0, (height, width))
    # Grain is strongest in the mid-tones, as on film.
    shown += (grain * speck)[..., None] * (0.35 + 2.6 * shown * (1.0 - shown))
    return Image.fromarray((np.clip(shown, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


def save(picture: Image.Image, path: Path) -> None:
    """Write the JPEG; nothing but pixels goes into it."""
    picture.save(path, "JPEG", quality=QUALITY, optimize=True, progressive=True)
