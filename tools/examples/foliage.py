"""Leaves and grass: small flat ellipses, lit through their own shade, painted far to near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.examples.march import Camera
from tools.examples.maths import Array, Index, dot, mix, rgb, sample, unit

CHUNK = 4096


@dataclass
class Leaves:
    """N leaves: places (3, N), facing (3, N), colours (3, N); sizes in metres."""

    place: Array
    facing: Array
    colour: Array
    length: Array
    width: Array
    lean: Array  # angle of the long axis on screen, radians from level
    open: Array  # share of the sky that each leaf sees

    @classmethod
    def join(cls, groups: list[Leaves]) -> Leaves:
        """All leaves of several groups as one."""

        def glue(name: str) -> Array:
            return np.concatenate([getattr(g, name) for g in groups], axis=-1)

        return cls(*(glue(f) for f in cls.__dataclass_fields__))


def clumps(
    rng: np.random.Generator,
    balls: Array,
    each: int,
    size: float,
    dark: tuple[float, float, float],
    pale: tuple[float, float, float],
) -> Leaves:
    """Leaves over balls given as (4, B) rows x, y, z, radius; `each` for a ball of radius 1."""
    number = np.maximum((each * balls[3] ** 2).astype(np.int64), 20)
    owner = np.repeat(np.arange(balls.shape[1]), number)
    n = owner.size
    out = unit(rng.normal(size=(3, n)))
    depth = rng.uniform(0.0, 1.0, n) ** 0.45
    reach = 0.45 + 0.62 * depth + 0.05 * rng.normal(size=n)
    place = balls[:3, owner] + out * reach * balls[3, owner]
    hue = np.clip(0.45 + 0.22 * rng.normal(size=n) + 0.18 * np.sin(owner * 2.4), 0.0, 1.0)
    base = size * rng.uniform(0.7, 1.3, n)
    return Leaves(
        place,
        unit(out + 0.75 * rng.normal(size=(3, n))),
        mix(rgb(*dark), rgb(*pale), hue),
        base,
        base * rng.uniform(0.35, 0.62, n),
        rng.uniform(0.0, np.pi, n),
        np.clip((0.22 + 0.78 * depth) * (0.62 + 0.38 * out[1]), 0.05, 1.0),
    )


def crown(rng: np.random.Generator, centre: tuple[float, float, float], size: tuple[float, float], count: int) -> Array:
    """Balls that make up a tree's crown of (half-width, half-height): (4, count)."""
    out = unit(rng.normal(size=(3, count)))
    reach = rng.uniform(0.25, 0.82, count) ** 0.6
    # Rounder above, drawn in below.
    wide = size[0] * (1.0 - 0.22 * np.maximum(out[1], 0.0))
    place = rgb(*centre) + out * reach * np.stack([wide, np.full(count, size[1]), wide])
    radius = min(size) * rng.uniform(0.26, 0.44, count)
    return np.vstack([place, radius])


def blades(rng: np.random.Generator, x: Array, z: Array, ground: float, height: float) -> Leaves:
    """Blades of grass rooted at plane points."""
    n = x.size
    tall = height * rng.uniform(0.5, 1.3, n)
    hue = np.clip(rng.normal(0.45, 0.25, n), 0.0, 1.0)
    colour = mix(rgb(0.055, 0.115, 0.018), rgb(0.17, 0.215, 0.045), hue)
    place = np.stack([x, ground + 0.42 * tall, z])
    facing = unit(rgb(0.0, 1.0, 0.0) + 0.55 * rng.normal(size=(3, n)))
    return Leaves(
        place, facing, colour, tall, np.full(n, 0.016), np.pi / 2 + rng.normal(0.0, 0.35, n), rng.uniform(0.45, 0.9, n)
    )


class SunMap:
    """How much sunlight leaves let through, as a map seen from the sun."""

    CELL = 0.045

    def __init__(self, leaves: Leaves, sun: Array, strength: float = 0.42) -> None:
        self.sun = sun
        self.across = unit(np.cross(rgb(0.0, 1.0, 0.0), sun, axis=0))
        self.up = np.cross(sun, self.across, axis=0)
        a, b, c = self.frame(leaves.place)
        self.low_a, self.low_b = float(a.min()) - 1.0, float(b.min()) - 1.0
        rows = int((a.max() - self.low_a + 1.0) / self.CELL)
        cols = int((b.max() - self.low_b + 1.0) / self.CELL)
        count = np.zeros((rows, cols))
        near, far = np.full((rows, cols), -1e3), np.full((rows, cols), 1e3)
        i, j = self.cell(a, b)
        area = strength * leaves.length * leaves.width / self.CELL**2
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                at = (np.clip(i + di, 0, rows - 1), np.clip(j + dj, 0, cols - 1))
                np.add.at(count, at, area / 9.0 * 2.0)
                np.maximum.at(near, at, c)
                np.minimum.at(far, at, c)
        self.maps = np.stack([count, near, far], axis=-1)

    def frame(self, p: Array) -> tuple[Array, Array, Array]:
        """Points across, up and towards the sun."""
        return dot(p, self.across), dot(p, self.up), dot(p, self.sun)

    def cell(self, a: Array, b: Array) -> tuple[Index, Index]:
        """Row and column of map points."""
        i = ((a - self.low_a) / self.CELL).astype(np.int64)
        return i, ((b - self.low_b) / self.CELL).astype(np.int64)

    def light(self, p: Array) -> Array:
        """Share of sun left at (3, N) points, with the crowns' soft dapples."""
        a, b, c = self.frame(p)
        row, col = (a - self.low_a) / self.CELL - 0.5, (b - self.low_b) / self.CELL - 0.5
        rows, cols = self.maps.shape[:2]
        off = (row < 0) | (col < 0) | (row > rows - 2) | (col > cols - 2)
        i, j = self.cell(a, b)
        i, j = np.clip(i, 0, rows - 1), np.clip(j, 0, cols - 1)
        near, far = self.maps[i, j, 1], self.maps[i, j, 2]
        inside = np.clip((near - c + 0.02) / np.maximum(near - far, 0.25), 0.0, 1.0)
        inside = np.where(near < -900.0, 1.0, inside)
        count = sample(self.maps[..., 0], row, col)
        return np.where(off, 1.0, np.exp(-count * inside))


def paint(camera: Camera, leaves: Leaves, shown: Array, image: Array, depth: Array) -> None:
    """Draw leaves of the colours `shown` (3, N) over `image` where they are before `depth`."""
    right, up, forward = camera.axes()
    p = leaves.place - rgb(*camera.eye)
    z = dot(p, forward)
    order = np.argsort(-z)
    order = order[z[order] > 1.0]
    scale = camera.zoom * camera.width / 2.0 / z
    x = dot(p, right) * scale + camera.width / 2.0
    y = camera.height / 2.0 - dot(p, up) * scale + camera.shift * camera.width / 2.0
    # A leaf seen edge-on is narrow.
    face = np.abs(dot(leaves.facing, unit(p)))
    long, short = leaves.length * scale / 2.0, leaves.width * scale / 2.0 * (0.35 + 0.65 * face)
    for start in range(0, order.size, CHUNK):
        k = order[start : start + CHUNK]
        half = int(np.ceil(long[k].max())) + 1
        oy, ox = np.mgrid[-half : half + 1, -half : half + 1].reshape(2, -1)
        row, col = np.floor(y[k])[:, None] + oy, np.floor(x[k])[:, None] + ox
        dx, dy = col + 0.5 - x[k, None], y[k, None] - row - 0.5
        c, s = np.cos(leaves.lean[k])[:, None], np.sin(leaves.lean[k])[:, None]
        u = (c * dx + s * dy) / np.maximum(long[k], 0.6)[:, None]
        v = (c * dy - s * dx) / np.maximum(short[k], 0.45)[:, None]
        inside = (u * u + v * v < 1.0) & (row >= 0) & (col >= 0)
        inside &= (row < camera.height) & (col < camera.width)
        leaf, spot = np.nonzero(inside)
        r, q = row[leaf, spot].astype(np.int64), col[leaf, spot].astype(np.int64)
        clear = z[k[leaf]] < depth[r, q]
        leaf, r, q = leaf[clear], r[clear], q[clear]
        # Where leaves overlap, the last write is the nearest one.
        image[r, q] = shown[:, k[leaf]].T
