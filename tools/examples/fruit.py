"""Shapes and colours of the still life's fruit, about each fruit's own origin."""

from __future__ import annotations

import numpy as np

from tools.examples.maths import Array, mix, rgb, smoothstep
from tools.examples.noise import Noise
from tools.examples.shapes import Point, ball, blend, rod


def angles(p: Array) -> tuple[Array, Array, Array]:
    """Length, angle from the upright axis and bearing of (3, N) points."""
    flat = np.hypot(p[0], p[2])
    return np.hypot(flat, p[1]), np.arctan2(flat, p[1]), np.arctan2(p[2], p[0])


def apple(p: Array, radius: float) -> Array:
    """An apple with a deep stem hollow; its foot is 0.86 radii below the origin."""
    length, polar, bearing = angles(p)
    swell = 1.0 + 0.055 * np.cos(polar) - 0.34 * np.exp(-((polar / 0.36) ** 2))
    swell -= 0.17 * np.exp(-(((np.pi - polar) / 0.34) ** 2))
    swell += 0.016 * np.cos(5.0 * bearing + 0.6) * np.sin(polar) * (0.4 - np.cos(polar))
    body = 0.82 * (length - radius * swell)
    stem = rod(
        p,
        (0.0, 0.55 * radius, 0.0),
        (0.14 * radius, 1.16 * radius, 0.05 * radius),
        0.030 * radius,
        0.052 * radius,
    )
    return np.minimum(body, stem)


def apple_skin(p: Array, radius: float, noise: Noise, ripe: float) -> Array:
    """Colour of an apple, yellow-green under streaks of red: (3, N)."""
    length, polar, bearing = angles(p)
    streak = noise.fractal(np.stack([4.2 * np.cos(bearing), polar * 0.9, 4.2 * np.sin(bearing)]), 3)
    fine = noise.fractal(np.stack([21 * np.cos(bearing), polar * 1.7, 21 * np.sin(bearing)]), 2)
    wide = noise.fractal(p / radius * 0.9 + 5.0 * ripe, 2)
    red = smoothstep(-0.80, 0.90, 0.9 * wide + 0.32 * streak + 0.30 * fine + 2.2 * (ripe - 0.40))
    under = mix(rgb(0.62, 0.50, 0.10), rgb(0.40, 0.46, 0.08), smoothstep(0.9, 0.2, polar))
    colour = mix(under, mix(rgb(0.60, 0.075, 0.030), rgb(0.36, 0.014, 0.018), red), red)
    # Pale specks, fewer and larger towards the foot.
    speck = smoothstep(0.66, 0.98, noise.fractal(p / radius * 22.0, 2))
    colour = mix(colour, rgb(0.70, 0.52, 0.25), 0.40 * speck)
    hollow = smoothstep(0.46, 0.12, polar)
    colour = mix(colour, rgb(0.30, 0.26, 0.07), 0.75 * hollow)
    stem = (p[1] > 0.62 * radius) & (np.hypot(p[0], p[2]) < 0.24 * radius)
    stem &= length < 1.30 * radius
    on_stem = stem & (
        rod(
            p,
            (0.0, 0.55 * radius, 0.0),
            (0.14 * radius, 1.16 * radius, 0.05 * radius),
            0.030 * radius,
            0.052 * radius,
        )
        < 0.006
    )
    return np.where(on_stem, rgb(0.10, 0.055, 0.025), colour)


def orange(p: Array, radius: float) -> Array:
    """An orange, a little flattened, with a dimple at its crown."""
    length, polar, _ = angles(p)
    swell = 1.0 - 0.045 * np.cos(polar) ** 2 - 0.07 * np.exp(-((polar / 0.16) ** 2))
    return 0.92 * (length - radius * swell)


def orange_skin(p: Array, radius: float, noise: Noise) -> Array:
    """Colour of an orange: (3, N)."""
    _, polar, _ = angles(p)
    wide = noise.fractal(p / radius * 1.6, 3)
    colour = mix(rgb(0.66, 0.135, 0.006), rgb(0.74, 0.195, 0.010), 0.5 + 0.5 * wide)
    pore = smoothstep(0.20, 0.75, noise.space(p / radius * 17.0))
    colour = colour * (1.0 - 0.16 * pore)
    return mix(colour, rgb(0.12, 0.13, 0.03), smoothstep(0.10, 0.04, polar))


def pear(p: Array, size: float) -> Array:
    """A standing pear `size` wide in half; its foot is at the origin."""
    q = p / size
    bend = q - np.stack([0.10 * smoothstep(0.9, 2.5, q[1]), 0.0 * q[1], 0.0 * q[1]])
    neck = rod(bend, (0.0, 1.0, 0.0), (0.0, 2.48, 0.0), 0.74, 0.36)
    body = blend(ball(bend - rgb(0.0, 0.97, 0.0), 1.0), neck, 0.7)
    stem = rod(bend, (0.0, 2.7, 0.0), (0.16, 3.34, 0.06), 0.045, 0.065)
    return np.asarray(size * 0.85 * np.minimum(body, stem))


def pear_skin(p: Array, size: float, noise: Noise) -> Array:
    """Colour of a pear: yellow-green, a blush on one side, russet specks: (3, N)."""
    q = p / size
    wide = noise.fractal(q * 1.1, 3)
    colour = mix(rgb(0.46, 0.45, 0.075), rgb(0.66, 0.52, 0.10), smoothstep(-0.5, 0.7, wide))
    blush = smoothstep(-0.25, 0.95, 0.55 * q[0] - 0.45 * q[2] + 0.5 * wide)
    colour = mix(colour, rgb(0.60, 0.20, 0.055), 0.62 * blush)
    speck = smoothstep(0.50, 0.85, noise.fractal(q * 22.0, 2))
    colour = mix(colour, rgb(0.23, 0.15, 0.055), 0.50 * speck)
    russet = smoothstep(2.45, 2.85, q[1] + 0.25 * wide)
    colour = mix(colour, rgb(0.26, 0.17, 0.06), 0.7 * russet)
    return np.where(q[1] > 2.86, rgb(0.085, 0.05, 0.025), colour)


def bunch(seed: int) -> list[tuple[Point, float]]:
    """Centres and radii of grapes heaped on the table about the origin."""
    rng = np.random.default_rng(seed)
    grapes: list[tuple[Point, float]] = []
    for _ in range(4000):
        r = float(rng.uniform(0.165, 0.205))
        along = float(rng.uniform(-1.0, 1.0))
        half = 0.52 * (1.0 - 0.55 * max(along, 0.0)) * np.sqrt(max(1.0 - along**2, 0.02)) + 0.08
        x = 0.95 * along
        z = float(rng.uniform(-half, half))
        level = rng.choice([0.0, 0.30, 0.55])
        y = r + float(level) * (1.0 - (z / (half + 0.05)) ** 2) * (1.0 - 0.7 * abs(along))
        if all((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 > (0.90 * (r + s)) ** 2 for (a, b, c), s in grapes):
            grapes.append(((x, y, z), r))
        if len(grapes) == 40:
            break
    return grapes


def grape_skin(p: Array, noise: Noise, hue: float) -> Array:
    """Colour of a grape: dark wine under a pale bloom: (3, N)."""
    bloom = smoothstep(-0.3, 0.9, noise.fractal(p * 5.0 + 9.0 * hue, 3))
    deep = mix(rgb(0.10, 0.014, 0.045), rgb(0.17, 0.025, 0.035), hue)
    return mix(deep, rgb(0.24, 0.20, 0.33), 0.42 * bloom)
