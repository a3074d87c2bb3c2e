"""Sphere tracing of signed distance fields: hits, normals, shadows, occlusion.

A field takes (3, N) points and gives (N,) distances. Scenes are unions of parts;
each part lies within a ball, so that points far from it never evaluate its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tools.examples.maths import Array, Index, rgb, unit

Field = Callable[[Array], Array]
TILE = 96


@dataclass(frozen=True)
class Part:
    """One object: its shape in world space and a ball that holds it."""

    name: str
    centre: tuple[float, float, float]
    radius: float
    shape: Field


class Scene:
    """A union of parts; nearer to a part than `slack` its true distance is told."""

    def __init__(self, parts: Sequence[Part], slack: float) -> None:
        self.parts = tuple(parts)
        self.slack = slack

    def distance(self, p: Array) -> Array:
        """Distance to the nearest part, or a safe bound on it, for (3, N) points."""
        best = np.full(p.shape[1], 1e3)
        for part in self.parts:
            self._nearer(part, p, best)
        return best

    def owner(self, p: Array) -> Index:
        """Index of the part nearest to each surface point."""
        best = np.full(p.shape[1], 1e3)
        index = np.zeros(p.shape[1], dtype=np.int64)
        for i, part in enumerate(self.parts):
            index[self._nearer(part, p, best)] = i
        return index

    def names(self, index: Index) -> Iterator[tuple[Part, Index]]:
        """Each part that owns some of the points, with their positions in `index`."""
        for i, part in enumerate(self.parts):
            (where,) = np.nonzero(index == i)
            if where.size:
                yield part, where

    def _nearer(self, part: Part, p: Array, best: Array) -> Index:
        """Lower `best` by one part; the positions where it did so."""
        x, y, z = (p[k] - part.centre[k] for k in range(3))
        bound = np.sqrt(x * x + y * y + z * z) - part.radius
        (far,) = np.nonzero((bound > self.slack) & (bound < best))
        best[far] = bound[far]
        (near,) = np.nonzero((bound <= self.slack) & (bound < best))
        if not near.size:
            return near
        d = part.shape(p[:, near])
        won = d < best[near]
        near = near[won]
        best[near] = d[won]
        return near


def march(field: Field, start: Array, direction: Array, far: Array, *, steps: int = 90, touch: float = 6e-4) -> Array:
    """Length along each ray to the first surface, inf where there is none before `far`."""
    result = np.full(start.shape[1], np.inf)
    alive = np.arange(start.shape[1])
    o, v, t, end = start, direction, np.full(alive.size, 1e-3), far
    for _ in range(steps):
        d = field(o + v * t)
        hit = d < touch * (1.0 + t)
        result[alive[hit]] = t[hit]
        t = t + d
        keep = ~hit & (t < end)
        if not keep.all():
            alive, o, v, t, end = alive[keep], o[:, keep], v[:, keep], t[keep], end[keep]
        if not alive.size:
            break
    return result


def normals(field: Field, p: Array, reach: float = 1.2e-3) -> Array:
    """Unit outward normals of the field at (3, N) points, from four taps."""
    total = np.zeros(p.shape)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        k = rgb(*corner)
        total += k * field(p + k * reach)
    return unit(total)


def shadow(
    field: Field, p: Array, to: Array, far: Array, *, sharp: float, steps: int = 40, first: float = 0.02
) -> Array:
    """Share of light from unit directions `to` that gets through; `sharp` is 1 / penumbra slope."""
    light = np.ones(p.shape[1])
    alive = np.arange(p.shape[1])
    o, v, t, end = p, to, np.full(alive.size, first), far
    for _ in range(steps):
        d = field(o + v * t)
        light[alive] = np.minimum(light[alive], 0.5 + 0.5 * sharp * d / t)
        t = t + np.clip(d, 0.012, 0.6)
        keep = (light[alive] > 0.01) & (t < end)
        if not keep.all():
            alive, o, v, t, end = alive[keep], o[:, keep], v[:, keep], t[keep], end[keep]
        if not alive.size:
            break
    light = np.clip(light, 0.0, 1.0)
    return np.asarray(light * light * (3.0 - 2.0 * light))


def openness(field: Field, p: Array, n: Array, reach: float, taps: int = 4) -> Array:
    """1 where nothing crowds the surface within `reach`, towards 0 in corners."""
    closed = np.zeros(p.shape[1])
    weight = 1.0
    for i in range(1, taps + 1):
        h = reach * i / taps
        closed += weight * np.maximum(h - field(p + n * h), 0.0) / h
        weight *= 0.62
    return np.asarray(np.exp(-0.9 * closed))


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: `zoom` is focal length over half the picture's width."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    zoom: float
    width: int
    height: int
    shift: float = 0.0  # upward slide of the film, in half-widths

    def axes(self) -> tuple[Array, Array, Array]:
        """Right, up and forward as unit (3, 1) columns."""
        forward = unit(rgb(*self.target) - rgb(*self.eye))
        right = unit(np.cross(rgb(0.0, 1.0, 0.0), forward, axis=0))
        return right, np.cross(forward, right, axis=0), forward

    def rays(self, row: Index, col: Index) -> Array:
        """Unit view directions through pixel centres: (3, N)."""
        right, up, forward = self.axes()
        x = (2.0 * col + 1.0 - self.width) / self.width
        y = (self.height - 2.0 * row - 1.0) / self.width + self.shift
        return unit(right * x + up * y + forward * self.zoom)

    def tiles(self) -> Iterator[tuple[Index, Index]]:
        """Row and column numbers of the pixels, block by block: neighbours share their work."""
        for r in range(0, self.height, TILE):
            for c in range(0, self.width, TILE):
                block = np.mgrid[r : min(r + TILE, self.height), c : min(c + TILE, self.width)]
                yield block[0].ravel().astype(np.int64), block[1].ravel().astype(np.int64)
