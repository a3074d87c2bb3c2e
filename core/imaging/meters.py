"""Figures that compare a result with its reference: computed once after a run, by numbers alone.

Both pictures are brought to one fixed size, so that figures of pictures of any size can be compared: the reference's
shape with a longer side of `SIDE` pixels. The finest detail of larger pictures therefore does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.imaging.lab import Floats, chroma, difference, hex_of, lab_of
from core.messages import Message, message

SIDE = 512
"""Pixels of the longer side at which pictures are measured; smaller ones are enlarged."""
WINDOW = 11
"""Pixels a side of the window of `structure`; a measured picture has no shorter side."""
COLOURS = 5
"""Most colours of a palette."""

NOTABLE_SHARE = 0.25
"""Change of the mean C*ab, or of the standard deviation of L*, beyond which a chain of references is worth a warning,
as a share of the first picture's. Photos with a saturation or contrast of 1.15 stay below, of 1.4 go beyond."""
LEAST_CHROMA, LEAST_CONTRAST = 4.0, 3.0
"""Changes up to these are not worth one, however grey or flat the first picture was."""
NOTABLE_COLOUR = 8.0
"""The CIEDE2000 between the mean colours beyond which it is; photos made a tenth brighter come to 4.5."""

_PALETTE_SIDE = 96
"""Pixels of the longer side of what a palette is made of."""
_ROUNDS = 20
"""Most rounds of k-means; it nearly always settles before."""


@dataclass(frozen=True)
class Swatch:
    """A colour of a palette.

    Attributes:
        hex: `#rrggbb`, sRGB.
        share: of the picture's area, 0 to 1.
    """

    hex: str
    share: float


@dataclass(frozen=True)
class Tone:
    """A picture's colours in five numbers.

    Attributes:
        lightness, a, b: the mean colour in CIELAB.
        chroma: the mean of C*ab, from 0 (grey) to about 134.
        contrast: the standard deviation of L*, from 0 (one lightness) to 50 (half black, half white).
    """

    lightness: float
    a: float
    b: float
    chroma: float
    contrast: float


@dataclass(frozen=True)
class Meters:
    """How a result compares with its reference.

    Attributes:
        structure: what is left of the reference's structure, see `structure`: 1 is all.
        colour_shift: the mean CIEDE2000 over all pixels, 0 for equal, up to about 100.
        sharpness: the result's over the reference's, see `sharpness`: 1 as sharp, above 1 sharper. None where the
            reference has no detail at all.
        palette: the result's, the largest share first.
        tone: the result's.
        reference_tone: the reference's; of a chain's first result, it is what `drift` begins with.
    """

    structure: float
    colour_shift: float
    sharpness: float | None
    palette: tuple[Swatch, ...]
    tone: Tone
    reference_tone: Tone

    def as_json(self) -> dict[str, Any]:
        """Return what `meters_of` reads."""
        return {**asdict(self), "palette": [asdict(each) for each in self.palette]}


def meters_of(stored: Mapping[str, Any]) -> Meters:
    """Return the meters of what `Meters.as_json` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        parts = {
            "palette": tuple(Swatch(**each) for each in stored["palette"]),
            "tone": Tone(**stored["tone"]),
            "reference_tone": Tone(**stored["reference_tone"]),
        }
        return Meters(**{**stored, **parts})
    except (KeyError, TypeError) as error:
        raise ValueError("no meters") from error


def measure(result: Image.Image, reference: Image.Image) -> Meters:
    """Return how a result compares with its reference.

    Takes tens of milliseconds of one core for two pictures of a megapixel.

    Args:
        result, reference: of any size; 8-bit RGB, grey or palette, with transparency or without, which is laid on
            white. Where the shapes differ, the result is stretched to the reference's.
    """
    size = _measured_size(*reference.size)
    one, other = _at(result, size), _at(reference, size)
    colours, before = _lab(one), _lab(other)
    grey, grey_before = _luma(one), _luma(other)
    detail = sharpness(grey_before)
    return Meters(
        structure=structure(grey, grey_before),
        colour_shift=float(difference(colours, before).mean()),
        sharpness=sharpness(grey) / detail if detail else None,
        palette=palette(one),
        tone=tone(colours),
        reference_tone=tone(before),
    )


def _measured_size(width: int, height: int) -> tuple[int, int]:
    scale = SIDE / max(width, height)
    return max(WINDOW, round(width * scale)), max(WINDOW, round(height * scale))


def _at(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.new("RGB", picture.size, "white")
        picture.paste(clear, mask=clear)
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _lab(picture: Image.Image) -> NDArray[np.float32]:
    return lab_of(np.ascontiguousarray(np.moveaxis(np.asarray(picture), 2, 0)))


def _luma(picture: Image.Image) -> NDArray[np.float32]:
    """Return Y' of BT.601, 0 to 255."""
    return np.asarray(picture.convert("L"), dtype=np.float32)


def structure(one: Floats, other: Floats) -> float:
    """Return the mean structural similarity (SSIM) of two pictures' luma.

    SSIM = (2 m1 m2 + C1)(2 s12 + C2) / ((m1² + m2² + C1)(s1² + s2² + C2)), with means m, variances s² and the
    covariance s12 under a Gaussian window of 11x11 pixels (sigma 1.5), C1 = (0.01 * 255)², C2 = (0.03 * 255)²; its
    mean over the places where the window lies wholly inside.

    Args:
        one, other: luma of shape (height, width), both at least 11, from 0 to 255.

    Returns:
        From -1 to 1: 1 for equal pictures, about 0 for unrelated ones, below 0 for inverted ones. Source: Wang, Bovik,
        Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE
        Transactions on Image Processing 13(4), 2004.
    """
    maps = np.stack((one, other, one * one + other * other, one * other))
    mean_1, mean_2, square, product = _windowed(maps)
    means, squares = mean_1 * mean_2, mean_1 * mean_1 + mean_2 * mean_2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * means + c1) * (2 * (product - means) + c2)
    return float((top / ((squares + c1) * (square - squares + c2))).mean(dtype=np.float64))


def _windowed(maps: Floats) -> Floats:
    """Return maps (count, height, width) under the Gaussian window, without their outer 5 pixels."""
    reach = WINDOW // 2
    weights = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    for axis in (1, 2):
        length = maps.shape[axis] - 2 * reach

        def shifted(by: int, maps: Floats = maps, axis: int = axis, length: int = length) -> Floats:
            return maps[:, by : by + length] if axis == 1 else maps[:, :, by : by + length]

        total = float(weights[reach]) * shifted(reach)
        for step in range(reach):
            total += float(weights[step]) * (shifted(step) + shifted(2 * reach - step))
        maps = total
    return maps


def sharpness(luma: Floats) -> float:
    """Return how much fine detail a picture has: the variance of its Laplacian, 4 x - left - right - above - below.

    Args:
        luma: of shape (height, width), both at least 3, from 0 to 255.

    Returns:
        From 0 (flat), in squares of luma: hundreds for a sharp photo of this size. Noise counts as detail. Source:
        Pech-Pacheco, Cristobal, Chamorro-Martinez, Fernandez-Valdivia, "Diatom autofocusing in brightfield microscopy:
        a comparative study", ICPR 2000.
    """
    laplacian = 4 * luma[1:-1, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:] - luma[:-2, 1:-1] - luma[2:, 1:-1]
    return float(laplacian.var(dtype=np.float64))


def tone(lab: Floats) -> Tone:
    """Return a picture's mean colour, mean chroma and contrast.

    Args:
        lab: of shape (3, height, width), see `core.imaging.lab`.
    """
    lightness, a, b = (float(each.mean(dtype=np.float64)) for each in lab)
    return Tone(
        lightness,
        a,
        b,
        chroma=float(chroma(lab).mean(dtype=np.float64)),
        contrast=float(lab[0].std(dtype=np.float64)),
    )


def palette(picture: Image.Image) -> tuple[Swatch, ...]:
    """Return the colours that stand for a picture: k-means in CIELAB.

    The clusters begin as those of a divisive clustering: that of the largest spread is cut at the mean of the axis on
    which it spreads (Wan, Wong, Prusinkiewicz, "An algorithm for multidimensional data clustering", ACM Transactions on
    Mathematical Software 14(2), 1988). Nothing is drawn, so a picture always has the same palette.

    Args:
        picture: mode RGB.

    Returns:
        At most five, the largest share first; the shares sum to 1. A picture of fewer colours has fewer.
    """
    scale = min(1.0, _PALETTE_SIDE / max(picture.size))
    small = picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.BOX
    )
    pixels = _lab(small).reshape(3, -1).T.astype(np.float64)
    centres = _means(pixels, _cut(pixels))
    for _ in range(_ROUNDS):
        nearest = ((pixels[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        before, centres = centres, _means(pixels, nearest)
        if np.array_equal(before, centres):
            break
    shares: dict[str, float] = {}
    for centre, count in zip(centres, np.unique(nearest, return_counts=True)[1], strict=True):
        name = hex_of(centre)
        shares[name] = shares.get(name, 0.0) + float(count / len(pixels))
    return tuple(Swatch(*each) for each in sorted(shares.items(), key=lambda each: (-each[1], each[0])))


def _cut(pixels: Floats) -> NDArray[np.intp]:
    """Return the cluster of each pixel, of (count, 3)."""
    clusters = np.zeros(len(pixels), dtype=np.intp)
    for new in range(1, COLOURS):
        spreads = np.stack(
            [
                ((pixels[clusters == each] - pixels[clusters == each].mean(axis=0)) ** 2).sum(axis=0)
                for each in range(new)
            ]
        )
        widest, axis = np.unravel_index(spreads.argmax(), spreads.shape)
        if spreads[widest, axis] < 1e-6:
            break
        values = pixels[:, axis]
        own = clusters == widest
        clusters[own & (values > values[own].mean())] = new
    return clusters


def _means(pixels: Floats, clusters: NDArray[np.intp]) -> Floats:
    """Return the mean colour of each cluster that has a pixel, in their order."""
    return np.stack([pixels[clusters == each].mean(axis=0) for each in np.unique(clusters)])


@dataclass(frozen=True)
class Drift:
    """How far the last picture of a chain of references has gone from the first, A to B to C.

    Attributes:
        chroma: change of the mean C*ab; above 0 it became more colourful.
        contrast: change of the standard deviation of L*; above 0 it became harsher.
        colour: the CIEDE2000 between the mean colours, from 0.
        warnings: what has changed beyond its threshold; empty where nothing has.
    """

    chroma: float
    contrast: float
    colour: float
    warnings: tuple[Message, ...]


def drift(first: Tone, now: Tone) -> Drift:
    """Return how far a chain of references has gone.

    Args:
        first: of the first reference.
        now: of the last picture.
    """
    chroma_change, contrast_change = now.chroma - first.chroma, now.contrast - first.contrast
    means = [np.array((each.lightness, each.a, each.b)) for each in (first, now)]
    colour = float(difference(means[0], means[1]))
    warnings = []
    if abs(chroma_change) > max(LEAST_CHROMA, NOTABLE_SHARE * first.chroma):
        code = "drift-vivid" if chroma_change > 0 else "drift-pale"
        warnings.append(message(code, before=first.chroma, after=now.chroma))
    if abs(contrast_change) > max(LEAST_CONTRAST, NOTABLE_SHARE * first.contrast):
        code = "drift-harsh" if contrast_change > 0 else "drift-flat"
        warnings.append(message(code, before=first.contrast, after=now.contrast))
    if colour > NOTABLE_COLOUR:
        warnings.append(message("drift-colour", difference=colour))
    return Drift(chroma_change, contrast_change, colour, tuple(warnings))
