"""A picture of what is being made, from the latents alone: no decoder, a few milliseconds on any machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.imaging.images import encode

MIN_INTERVAL = 0.5
"""Seconds between two previews."""
SIDE = 512
"""Pixels; a preview's longer side at most. Latents are an eighth of the picture and never shown larger than twice."""

Floats = npt.NDArray[np.float32]


def fit_rgb(vae: Any, side: int = 256, count: int = 4) -> Floats:
    """Fit how a latent's channels give a colour, by least squares against a VAE.

    Args:
        vae: an AutoencoderKL of FLUX's kind (8x reduction).
        side: pixels of the square pictures to fit on, a multiple of 64.
        count: how many of them.

    Returns:
        Shape (channels + 1, 3): a weight for each channel, then the constant; colours in 0..1.
    """
    import torch

    random = np.random.default_rng(0)
    colours = []
    for coarse in np.geomspace(4, side // 8, count).astype(int):
        blobs = Image.fromarray(random.integers(0, 256, (coarse, coarse, 3), dtype=np.uint8))
        colours.append(np.asarray(blobs.resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255)
    pictures = np.stack(colours)
    with torch.inference_mode():
        pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2) * 2 - 1
        latents = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mean.float().cpu()
    small = torch.nn.functional.interpolate(pixels, size=latents.shape[2:], mode="area") / 2 + 0.5
    known = np.concatenate([_rows(latents.numpy()), np.ones((latents[:, 0].numel(), 1), np.float32)], axis=1)
    weights, *_ = np.linalg.lstsq(known, _rows(small.numpy()), rcond=None)
    return np.asarray(weights, np.float32)


def _rows(planes: Floats) -> Floats:
    """Return (images, channels, height, width) as one row a pixel: (images * height * width, channels)."""
    return np.moveaxis(planes, 1, -1).reshape(-1, planes.shape[1])


class Previewer:
    """Follows a run's latents and turns them into small pictures, not too often.

    The run goes in straight lines: between two steps x changes by (sigma' - sigma) * v, which gives
    the velocity v, and with it where the line ends: x0 = x - sigma * v. So the second step is the
    first that can be shown.

    Args:
        weights: what `fit_rgb` returned.
        sigmas: the schedule's sigmas, a sequence or tensor; entry i belongs to the latents before step i,
            the last is 0. They may lie on the device: nothing here asks for their values.
        keep: the share of width and height that is picture and not padding, each in 0..1.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        weights: Floats,
        sigmas: Any,
        keep: tuple[float, float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._weights = weights
        self._sigmas = sigmas
        self._keep = keep
        self._clock = clock
        self._before: Any = None
        self._shown: float | None = None

    def ends(self, step: int, latents: Any) -> Any:
        """Return where the lines of the latents end, None when the last preview is too young.

        Args:
            step: the step that is done, from 0.
            latents: after that step, in any shape.
        """
        before, self._before = self._before, latents
        now = self._clock()
        if before is None or (self._shown is not None and now - self._shown < MIN_INTERVAL):
            return None
        self._shown = now
        old, new = self._sigmas[step], self._sigmas[step + 1]
        return latents - (latents - before) * (new / (new - old))

    def draw(self, latents: Floats) -> tuple[bytes, ...]:
        """Return a JPEG for each image.

        Args:
            latents: shape (images, channels, height, width), as the VAE has them.
        """
        return tuple(self._jpeg(planes) for planes in latents)

    def _jpeg(self, planes: Floats) -> bytes:
        colours = np.moveaxis(planes, 0, -1) @ self._weights[:-1] + self._weights[-1]
        picture = Image.fromarray((np.nan_to_num(colours).clip(0, 1) * 255).astype(np.uint8))
        width = max(1, round(picture.width * self._keep[0]))
        height = max(1, round(picture.height * self._keep[1]))
        picture = picture.crop((0, 0, width, height))
        scale = min(2.0, SIDE / max(picture.size))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return encode(picture.resize(size, Image.Resampling.BICUBIC), "jpeg")
