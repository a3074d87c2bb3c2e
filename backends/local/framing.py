"""How a reference of any size lies in the picture that is worked on."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from core.imaging.images import pad_to_multiple

MULTIPLE = 16
"""Pixels: the VAE makes one latent of 8, the transformer one token of 2 latents."""


@dataclass(frozen=True)
class Frame:
    """How a reference lies in the picture that is worked on.

    Attributes:
        image: what the pipeline gets: scaled down if need be, its sides multiples of 16.
        inner: width and height of the part that is no padding.
        outer: the reference's own width and height.
    """

    image: Image.Image
    inner: tuple[int, int]
    outer: tuple[int, int]

    @classmethod
    def around(cls, reference: Image.Image, inner: tuple[int, int]) -> Frame:
        """Scale a reference to `inner`, width and height, and pad it as the model needs it."""
        scaled = reference if inner == reference.size else reference.resize(inner, Image.Resampling.LANCZOS)
        return cls(pad_to_multiple(scaled, MULTIPLE), inner, reference.size)

    @property
    def keep(self) -> tuple[float, float]:
        """The share of width and height that is no padding."""
        return self.inner[0] / self.image.width, self.inner[1] / self.image.height

    def cut(self, picture: Image.Image) -> Image.Image:
        """Return a result in the reference's own size."""
        picture = picture.crop((0, 0, *self.inner))
        return picture if self.inner == self.outer else picture.resize(self.outer, Image.Resampling.LANCZOS)
