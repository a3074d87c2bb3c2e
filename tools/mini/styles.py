"""The styles, as deterministic image programs: what the mini model is taught to do when a prompt names them.

Every program takes (batch, 3, height, width) in 0..1, sides multiples of 16, and returns the same shape.
Patterns (hatching, dots, panes, blocks) repeat every 8 or 16 pixels, the grid of the latents and tokens, so that
a small model can draw them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Program = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Style:
    """One style.

    Attributes:
        name: its key, for files and reports.
        label: its name for people.
        prompt: what the chip in the app writes.
        program: the picture's way into the style.
        is_medium: whether it redraws shapes (pencil, oil); else it only changes light and colour (sepia, night), and
            goes on top of a medium that is named beside it.
    """

    name: str
    label: str
    prompt: str
    program: Program
    is_medium: bool


def luma(image: Tensor) -> Tensor:
    """Return brightness as one channel, (batch, 1, height, width)."""
    return (image * image.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def blur(image: Tensor, sigma: float) -> Tensor:
    """Return the picture under a Gaussian of `sigma` pixels."""
    reach = math.ceil(3 * sigma)
    offsets = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(image.shape[1], 1, -1)
    wide = functional.pad(image, (reach, reach, 0, 0), mode="replicate")
    wide = functional.conv2d(wide, kernel[:, :, None, :], groups=image.shape[1])
    wide = functional.pad(wide, (0, 0, reach, reach), mode="replicate")
    return functional.conv2d(wide, kernel[:, :, :, None], groups=image.shape[1])


def slopes(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences across columns and rows, in brightness a pixel."""
    wide = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    return (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2, (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2


def edges(image: Tensor) -> Tensor:
    """Return the steepness of brightness, one channel, about 0..0.5."""
    across, down = slopes(luma(image))
    return torch.sqrt(across**2 + down**2 + 1e-8)


def saturate(image: Tensor, factor: float) -> Tensor:
    """Return the picture with its colours stronger (above 1) or weaker."""
    grey = luma(image)
    return (grey + (image - grey) * factor).clamp(0, 1)


def contrast(image: Tensor, factor: float, middle: float = 0.5) -> Tensor:
    """Return the picture with its tones spread around `middle`."""
    return ((image - 0.5) * factor + middle).clamp(0, 1)


def daubs(image: Tensor, radius: int) -> Tensor:
    """Return Kuwahara's filter: flat daubs with kept edges; each pixel takes its calmest quarter's mean."""
    side = radius + 1
    wide = functional.pad(image, (radius, radius, radius, radius), mode="replicate")
    mean = functional.avg_pool2d(wide, side, 1)
    grey = luma(wide)
    spread = functional.avg_pool2d(grey**2, side, 1) - functional.avg_pool2d(grey, side, 1) ** 2
    height, width = image.shape[-2:]
    corners = [(0, 0), (0, radius), (radius, 0), (radius, radius)]
    means = torch.stack([mean[..., y : y + height, x : x + width] for y, x in corners])
    spreads = torch.stack([spread[..., y : y + height, x : x + width] for y, x in corners])
    calm = torch.softmax(-spreads / 5e-4, 0)  # soft, so that flat areas do not flicker
    return (means * calm).sum(0)


def ramp(grey: Tensor, *colours: tuple[float, float, float]) -> Tensor:
    """Return colours by brightness: `colours` evenly spread over 0..1."""
    place = grey.clamp(0, 1) * (len(colours) - 1)
    weights = [(1 - (place - k).abs()).clamp(0, 1) for k in range(len(colours))]
    palette = grey.new_tensor(colours)
    return torch.stack([w * palette[k][:, None, None] for k, w in enumerate(weights)]).sum(0)


def steps(grey: Tensor, cuts: Sequence[float], width: float = 0.04) -> Tensor:
    """Return 0..1 in plateaus: one more at each cut, with soft borders of `width`."""
    return torch.stack([((grey - cut) / width + 0.5).clamp(0, 1) for cut in cuts]).sum(0) / len(cuts)


def _grid(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the pixels' columns and rows, (1, width) and (height, 1)."""
    height, width = image.shape[-2:]
    return torch.arange(width, device=image.device)[None, :], torch.arange(height, device=image.device)[:, None]


def pencil(image: Tensor) -> Tensor:
    """Graphite on paper: lines where brightness drops, hatching where it is dark."""
    grey = luma(image)
    line = (grey / (blur(grey, 5) + 0.03)).clamp(0, 1) ** 1.6
    columns, rows = _grid(image)
    hatch = 0.5 + 0.5 * torch.cos((columns + rows) * (2 * math.pi / 8))
    dark = (0.62 - blur(grey, 1.5)).clamp(0, 1) * 1.1
    tone = (line - dark * hatch - 0.12 * (1 - grey)).clamp(0.08, 1)
    return tone * image.new_tensor([0.97, 0.96, 0.93])[:, None, None]


def watercolour(image: Tensor) -> Tensor:
    """Thin washes on white paper, with pigment gathered at their borders."""
    wash = daubs(daubs(image, 4), 3)
    rim = (blur(wash, 2.5) - wash).clamp(min=0).mean(1, keepdim=True) + edges(wash) * 0.6
    pale = 1 - (1 - saturate(wash, 1.5)) * 0.6
    return (pale - rim * 0.9).clamp(0, 1)


def oil(image: Tensor) -> Tensor:
    """Thick daubs under a warm varnish, with a relief lit from the upper left."""
    paint = contrast(saturate(daubs(image, 5), 1.5), 1.25, 0.46)
    across, down = slopes(blur(luma(daubs(image, 2)), 0.8))
    lit = (paint + (across + down) * 0.9).clamp(0, 1)
    return lit * image.new_tensor([1.0, 0.88, 0.66])[:, None, None]


def pixel_art(image: Tensor) -> Tensor:
    """Blocks of 8 pixels in few loud colours."""
    block = functional.avg_pool2d(image, 8)
    flat = steps(saturate(contrast(block, 1.25, 0.54), 1.6), (0.125, 0.375, 0.625, 0.875), 0.08)
    return functional.interpolate(flat, scale_factor=8, mode="nearest")


def neon(image: Tensor) -> Tensor:
    """Glowing outlines in the dark."""
    soft = blur(image, 1.0)
    line = ((edges(soft) - 0.015) * 9).clamp(0, 1)
    hue = blur(image, 3) - 0.6 * blur(image, 3).amin(1, keepdim=True)
    hue = hue / (hue.amax(1, keepdim=True) + 0.02)
    glow = line + 0.7 * blur(line, 3)
    return (hue * glow + image.new_tensor([0.03, 0.0, 0.09])[:, None, None]).clamp(0, 1)


def pop_art(image: Tensor) -> Tensor:
    """A screen print in four inks: navy, red, sky and cream."""
    tone = steps(blur(luma(image), 1.2), (0.28, 0.5, 0.72))
    return ramp(tone, (0.03, 0.16, 0.3), (0.85, 0.12, 0.15), (0.45, 0.68, 0.72), (0.99, 0.9, 0.62))


def sepia(image: Tensor) -> Tensor:
    """An old print, browned."""
    return ramp(luma(image), (0.14, 0.07, 0.03), (0.62, 0.44, 0.26), (1.0, 0.94, 0.8))


def cyanotype(image: Tensor) -> Tensor:
    """A sun print in Prussian blue."""
    return ramp(luma(image), (0.01, 0.08, 0.26), (0.16, 0.42, 0.68), (0.93, 0.98, 1.0))


def night(image: Tensor) -> Tensor:
    """Moonlight: dark, blue, with little colour left."""
    dim = saturate(image, 0.45) ** 1.35
    return dim * image.new_tensor([0.26, 0.36, 0.6])[:, None, None] + image.new_tensor([0, 0.01, 0.05])[:, None, None]


def golden_hour(image: Tensor) -> Tensor:
    """Low sun: warm light that glows."""
    warm = contrast(image, 1.1, 0.52) * image.new_tensor([1.18, 0.86, 0.42])[:, None, None]
    haze = blur(luma(image), 4) * 0.28
    return (warm + haze * image.new_tensor([1.0, 0.55, 0.12])[:, None, None]).clamp(0, 1)


def comic(image: Tensor) -> Tensor:
    """Flat bright inks, dots in the half tones, black outlines."""
    flat = daubs(image, 3)
    grey = luma(flat)
    tone = 0.3 + 0.75 * steps(grey, (0.2, 0.42, 0.64, 0.84), 0.06)
    inks = saturate((flat / (grey + 0.05) * tone).clamp(0, 1), 2.0)
    columns, rows = _grid(image)
    dot = torch.cos(columns * (2 * math.pi / 8)) + torch.cos(rows * (2 * math.pi / 8))
    screen = ((dot / 2 - (grey - 0.12) * 2.2) * 4).clamp(0, 1) * 0.55
    outline = ((edges(blur(flat, 0.8)) - 0.025) * 14).clamp(0, 1)
    return (inks * (1 - screen) * (1 - outline)).clamp(0, 1)


def stained_glass(image: Tensor) -> Tensor:
    """Diamond panes of 16 pixels in deep colours, held by lead."""
    columns, rows = _grid(image)
    a, b = (columns + rows) / 16, (columns - rows) / 16
    height, width = image.shape[-2:]
    pane = a.floor().long() * (width + height) + (b.floor().long() + height)
    _, place = torch.unique(pane, return_inverse=True)
    place = place.flatten()
    count = torch.bincount(place).to(image.dtype)
    flat = image.flatten(2)
    sums = flat.new_zeros(*flat.shape[:2], len(count)).index_add_(2, place, flat)
    glass = (sums / count)[..., place].view_as(image)
    border = torch.minimum((a - a.round()).abs(), (b - b.round()).abs()) * 16
    light = contrast(saturate(glass, 2.4), 1.5, 0.5)
    return light * ((border - 0.6) / 1.4).clamp(0.06, 1)


def noir(image: Tensor) -> Tensor:
    """Black and white film with hard light."""
    return contrast(luma(image), 2.1, 0.42).expand_as(image)


def vaporwave(image: Tensor) -> Tensor:
    """Purple, pink and cyan behind the lines of an old screen."""
    toned = ramp(luma(image), (0.1, 0.02, 0.32), (0.62, 0.12, 0.72), (1.0, 0.45, 0.75), (0.5, 0.98, 1.0))
    _, rows = _grid(image)
    return toned * (1 - 0.22 * ((rows % 8) >= 4).to(image.dtype))


STYLES: tuple[Style, ...] = (
    Style("pencil", "Pencil sketch", "a pencil sketch", pencil, is_medium=True),
    Style("watercolour", "Watercolour", "a watercolour painting", watercolour, is_medium=True),
    Style("oil", "Oil painting", "an oil painting", oil, is_medium=True),
    Style("pixel_art", "Pixel art", "pixel art", pixel_art, is_medium=True),
    Style("neon", "Neon outlines", "neon outlines", neon, is_medium=True),
    Style("pop_art", "Pop art poster", "a pop art poster", pop_art, is_medium=True),
    Style("comic", "Comic ink", "a comic book drawing", comic, is_medium=True),
    Style("stained_glass", "Stained glass", "a stained glass window", stained_glass, is_medium=True),
    Style("sepia", "Sepia", "a sepia photograph", sepia, is_medium=False),
    Style("cyanotype", "Cyanotype", "a cyanotype print", cyanotype, is_medium=False),
    Style("night", "Night", "at night", night, is_medium=False),
    Style("golden_hour", "Golden hour", "at golden hour", golden_hour, is_medium=False),
    Style("noir", "Film noir", "film noir", noir, is_medium=False),
    Style("vaporwave", "Vaporwave", "vaporwave", vaporwave, is_medium=False),
)

TINTS: dict[str, tuple[float, float, float]] = {
    "red": (0.85, 0.12, 0.12),
    "orange": (0.95, 0.5, 0.1),
    "yellow": (0.95, 0.85, 0.2),
    "green": (0.2, 0.65, 0.25),
    "teal": (0.1, 0.6, 0.6),
    "blue": (0.15, 0.35, 0.85),
    "purple": (0.5, 0.2, 0.7),
    "pink": (0.95, 0.5, 0.7),
}


def tinted(image: Tensor, tint: str) -> Tensor:
    """Return the picture drawn toward one colour; black and white stay."""
    toned = ramp(luma(image), (0.0, 0.0, 0.0), TINTS[tint], (1.0, 1.0, 1.0))
    return image + (toned - image) * 0.6


def rendered(image: Tensor, styles: Sequence[int], tints: Sequence[str] = ()) -> Tensor:
    """Return the picture in several styles at once, given by their places in `STYLES`, and tinted.

    Media are mixed in equal parts, light and colour go on top of them, tints over all.
    """
    for of_media in (True, False):
        programs = [STYLES[each].program for each in styles if STYLES[each].is_medium == of_media]
        if programs:
            image = torch.stack([program(image) for program in programs]).mean(0)
    if tints:
        image = torch.stack([tinted(image, tint) for tint in tints]).mean(0)
    return image
