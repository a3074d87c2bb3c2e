"""The training pictures: made by a program, so that there is no data set and no licence question.

A picture is a heap of overlapping shaded shapes ("dead leaves") before a sky, a ground or a wall. Its edges,
sizes and textures have statistics like those of photos, which is what an image model needs to learn seeing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Rng = np.random.Generator

BANK_SIDE = 1024
"""Side of the tileable noise fields, in pixels."""


def pictures(seed: int, start: int, stop: int, side: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures `start..stop` of a seed's endless row: (side, side, 3), the same on every machine.

    Args:
        seed: names the row.
        start: first picture's number.
        stop: last picture's number, exclusive.
        side: pixels, at most 1024.
    """
    for number in range(start, stop):
        made = picture(np.random.default_rng((seed, number)), side)
        yield (made * 255 + 0.5).astype(np.uint8)


def picture(rng: Rng, side: int) -> Array:
    """Return one picture: (side, side, 3) in 0..1."""
    palette = _palette(rng)
    canvas = _backdrop(rng, side, palette)
    floor = rng.uniform(0.2, 0.7) if rng.random() < 0.35 else -1.0  # sometimes the sky stays free
    zoom = side / 256 * np.exp(rng.uniform(-0.5, 0.9))
    for radius in _radii(rng, zoom, side):
        x, y = rng.uniform(-0.05, 1.05) * side, rng.uniform(max(floor, -0.05), 1.05) * side
        _leaf(rng, canvas, x, y, radius, _colour(rng, palette))
    for _ in range(int(rng.integers(0, 4))):
        _tuft(rng, canvas, zoom, _colour(rng, palette))
    return _photographed(rng, canvas)


def _palette(rng: Rng) -> Array:
    """Return 3 to 6 colours (n, 3): mostly muted, as in nature, sometimes loud."""
    count = int(rng.integers(3, 7))
    centre = (
        rng.random() if rng.random() < 0.3 else rng.choice([0.03, 0.07, 0.1, 0.25, 0.33, 0.58]) + rng.normal(0, 0.03)
    )
    hue = (centre + rng.normal(0, rng.choice([0.06, 0.15, 0.4]), count)) % 1
    loud = rng.random() < 0.25
    saturation = rng.beta(3, 2, count) if loud else rng.beta(1.5, 3, count)
    value = rng.beta(2.2, 1.3, count) * 0.95 + 0.03
    return _from_hsv(hue, saturation, value)


def _from_hsv(hue: NDArray[np.float64], saturation: NDArray[np.float64], value: NDArray[np.float64]) -> Array:
    turn = (hue[:, None] * 6 + np.array([5.0, 3.0, 1.0])) % 6
    share = np.clip(np.minimum(turn, 4 - turn), 0, 1)
    return (value[:, None] * (1 - saturation[:, None] * share)).astype(np.float32)


def _colour(rng: Rng, palette: Array) -> Array:
    """Return a colour near one of the palette's."""
    base = palette[rng.integers(len(palette))]
    return np.clip(base * rng.uniform(0.6, 1.4) + rng.normal(0, 0.04, 3), 0, 1).astype(np.float32)


@functools.cache
def _bank() -> Array:
    """Return tileable noise fields (n, side, side) of deviation 1: clouds, bark, grain, smooth and rough."""
    rng = np.random.default_rng(4711)
    across = np.fft.fftfreq(BANK_SIDE)[:, None] * BANK_SIDE
    along = np.fft.rfftfreq(BANK_SIDE)[None, :] * BANK_SIDE
    fields = []
    for slope, stretch, low, high in (
        (1.0, 1, 0, 512), (1.5, 1, 0, 512), (2.2, 1, 0, 512), (1.2, 6, 0, 512), (1.2, 0.16, 0, 512),
        (0.3, 1, 30, 90), (0.3, 1, 60, 200), (0.3, 4, 40, 160),
    ):  # fmt: skip
        frequency = np.hypot(across * stretch, along / stretch)
        weight = np.where((frequency >= low) & (frequency <= high), np.maximum(frequency, 1.0) ** -slope, 0.0)
        weight[0, 0] = 0
        white = np.fft.rfft2(rng.standard_normal((BANK_SIDE, BANK_SIDE)))
        field = np.fft.irfft2(white * weight, s=(BANK_SIDE, BANK_SIDE))
        fields.append(field / field.std())
    return np.stack(fields).astype(np.float32)


def _noise(rng: Rng, height: int, width: int) -> Array:
    """Return a random cut of a random field."""
    bank = _bank()
    top, left = rng.integers(BANK_SIDE, size=2)
    rows, columns = (top + np.arange(height)) % BANK_SIDE, (left + np.arange(width)) % BANK_SIDE
    return bank[rng.integers(len(bank))][rows[:, None], columns[None, :]]


def _backdrop(rng: Rng, side: int, palette: Array) -> Array:
    """Return the canvas to paint on: a gradient with clouds, maybe over a textured ground."""
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    across = ramp[None, :] * np.cos(angle) + ramp[:, None] * np.sin(angle)
    first, second = _colour(rng, palette), _colour(rng, palette)
    canvas = first + (second - first) * across[..., None]
    canvas += (_noise(rng, side, side) * rng.uniform(0, 0.1))[..., None]
    if rng.random() < 0.5:
        horizon = rng.uniform(0.25, 0.75) * side + _noise(rng, 1, side)[0] * rng.uniform(0, 0.06) * side
        ground = np.clip(np.arange(side)[:, None] - horizon[None, :], 0, 1)[..., None]
        earth = _colour(rng, palette) * (1 + _noise(rng, side, side) * rng.uniform(0.02, 0.25))[..., None]
        canvas = canvas * (1 - ground) + earth * ground
    return np.asarray(canvas, np.float32)


def _radii(rng: Rng, zoom: float, side: int) -> Array:
    """Return the shapes' radii in pixels, by a power law, roughly the large ones first."""
    count = int(rng.integers(20, 150) / np.clip(zoom, 1, 2))
    low, high, power = 2.5 * zoom, min(80 * zoom, side / 2), rng.uniform(0.3, 1.6)
    share = rng.random(count)
    radii = (low**-power + share * (high**-power - low**-power)) ** (-1 / power)
    order = np.argsort(-radii * np.exp(rng.normal(0, 0.8, count)))
    return np.asarray(radii[order], np.float32)


def _leaf(rng: Rng, canvas: Array, x: float, y: float, radius: float, colour: Array) -> None:
    """Paint one shaded, textured shape with its shadow onto the canvas."""
    side = canvas.shape[0]
    stretch = np.exp(rng.normal(0, 0.45))
    reach = int(radius * max(stretch, 1 / stretch) * 1.5) + 4
    top, bottom = max(int(y) - reach, 0), min(int(y) + reach, side)
    left, right = max(int(x) - reach, 0), min(int(x) + reach, side)
    if top >= bottom or left >= right:
        return
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] - y
    columns = np.arange(left, right, dtype=np.float32)[None, :] - x
    turn = rng.uniform(0, np.pi) if rng.random() < 0.7 else 0.0
    u = (columns * np.cos(turn) + rows * np.sin(turn)) / (radius * stretch)
    v = (rows * np.cos(turn) - columns * np.sin(turn)) / (radius / stretch)
    distance = _outline(rng, u, v)
    grain = float(radius / max(stretch, 1 / stretch))
    soft = 1.0 if rng.random() < 0.8 else rng.uniform(1, 5)
    alpha = np.clip(0.5 - distance * grain / soft, 0, 1)
    patch = canvas[top:bottom, left:right]
    if rng.random() < 0.6:
        away, fade = rng.uniform(-0.25, 0.25, 2), rng.uniform(0.05, 0.3)
        cast = np.clip(0.5 - (_outline_circle(u - away[0], v - away[1]) - 0.05) / fade, 0, 1)
        patch *= 1 - (cast * rng.uniform(0.1, 0.5))[..., None]
    light = rng.normal(0, 0.25, 2)
    shade = 1 + light[0] * u + light[1] * v
    if rng.random() < 0.5:
        shade = shade * (0.55 + 0.6 * np.sqrt(np.clip(1 - u * u - v * v, 0, 1)))
    shade = shade * _grain(rng, u, v, grain)
    inside = colour * np.clip(shade, 0.05, 2.0)[..., None]
    if rng.random() < 0.15:  # a highlight, as on glass or metal
        shine = np.exp(-(((u - 0.3) ** 2 + (v + 0.35) ** 2) * rng.uniform(10, 60)))
        inside = inside + shine[..., None] * rng.uniform(0.3, 0.9)
    patch += (np.asarray(inside, np.float32) - patch) * alpha[..., None]


def _outline_circle(u: Array, v: Array) -> Array:
    return np.asarray(np.hypot(u, v) - 1, np.float32)


def _outline(rng: Rng, u: Array, v: Array) -> Array:
    """Return the signed distance to a shape's edge, negative inside, in units of the radius."""
    kind = rng.choice(["ellipse", "box", "blob", "ring", "polygon"], p=[0.3, 0.3, 0.22, 0.05, 0.13])
    if kind == "ellipse":
        return _outline_circle(u, v)
    if kind == "box":
        return np.asarray(np.maximum(np.abs(u), np.abs(v)) - 0.85, np.float32)
    if kind == "ring":
        return np.asarray(np.abs(np.hypot(u, v) - 0.8) - rng.uniform(0.06, 0.25), np.float32)
    angle = np.arctan2(v, u)
    if kind == "polygon":
        sector = 2 * np.pi / rng.integers(3, 7)
        return np.asarray(np.hypot(u, v) * np.cos((angle % sector) - sector / 2) - 0.75, np.float32)
    wave = sum(rng.normal(0, 0.25 / k) * np.sin(k * angle + rng.uniform(0, 2 * np.pi)) for k in range(2, 6))
    return np.asarray(np.hypot(u, v) - 0.85 - wave, np.float32)


def _grain(rng: Rng, u: Array, v: Array, radius: float) -> Array:
    """Return a texture around 1: noise, stripes, checks or nothing."""
    kind = rng.choice(["plain", "noise", "stripes", "checks"], p=[0.3, 0.5, 0.14, 0.06])
    strength = rng.beta(1.2, 4) * 0.8
    if kind == "noise":
        return np.asarray(1 + strength * 0.6 * _noise(rng, *u.shape), np.float32)
    pitch = rng.uniform(3, 14) / max(radius, 4.0)  # pixels, in units of the radius
    if kind == "stripes":
        return np.asarray(1 + strength * np.clip(3 * np.sin(u * 2 * np.pi / pitch), -1, 1), np.float32)
    if kind == "checks":
        return np.asarray(1 + strength * np.sign(np.sin(u * np.pi / pitch) * np.sin(v * np.pi / pitch)), np.float32)
    return np.ones_like(u)


def _tuft(rng: Rng, canvas: Array, zoom: float, colour: Array) -> None:
    """Paint a bunch of thin strokes: grass, fur, wires, twigs."""
    side = canvas.shape[0]
    centre, spread = rng.uniform(0, side, 2), rng.uniform(10, 70) * zoom
    lean, stray = rng.uniform(0, np.pi), rng.choice([0.05, 0.3, 1.0])
    for _ in range(int(rng.integers(5, 60))):
        x, y = centre + rng.normal(0, spread, 2)
        angle, length = lean + rng.normal(0, stray), rng.uniform(4, 40) * zoom
        width = rng.uniform(0.5, 1.6) * max(zoom * 0.6, 0.7)
        reach = int(length) + 3
        top, bottom = max(int(y) - reach, 0), min(int(y) + reach, side)
        left, right = max(int(x) - reach, 0), min(int(x) + reach, side)
        if top >= bottom or left >= right:
            continue
        rows = np.arange(top, bottom, dtype=np.float32)[:, None] - y
        columns = np.arange(left, right, dtype=np.float32)[None, :] - x
        along = columns * np.cos(angle) + rows * np.sin(angle)
        aside = rows * np.cos(angle) - columns * np.sin(angle) + along * along / length * rng.normal(0, 0.2)
        alpha = np.clip(width - np.abs(aside), 0, 1) * np.clip(length - np.abs(along), 0, 1)
        patch = canvas[top:bottom, left:right]
        patch += (colour * rng.uniform(0.6, 1.3) - patch) * alpha[..., None]


def _photographed(rng: Rng, canvas: Array) -> Array:
    """Return what a camera makes of the canvas: light that falls off, a tone curve, softness, noise."""
    side = canvas.shape[0]
    ramp = np.linspace(-1, 1, side, dtype=np.float32)
    light = 1 + rng.normal(0, 0.15) * ramp[None, :] + rng.normal(0, 0.15) * ramp[:, None]
    light = light - rng.uniform(0, 0.15) * (ramp[None, :] ** 2 + ramp[:, None] ** 2)
    seen = np.clip(canvas * light[..., None] * rng.normal(1.1, 0.06, 3), 0, 1) ** np.exp(rng.normal(-0.2, 0.3))
    for _ in range(int(rng.choice([0, 0, 1, 1, 2]))):
        for axis in (0, 1):
            seen = 0.5 * seen + 0.25 * (np.roll(seen, 1, axis) + np.roll(seen, -1, axis))
    seen = seen + rng.normal(0, rng.choice([0.0, 0.004, 0.015]), seen.shape)
    return np.asarray(np.clip(seen, 0, 1), np.float32)
