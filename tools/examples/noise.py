"""Seeded value noise on periodic lattices, and sums of its octaves."""

from __future__ import annotations

import numpy as np

from tools.examples.maths import Array

SIDE_2D = 256
SIDE_3D = 64
# Turning the plane between octaves hides the square lattice.
COS, SIN = 0.8, 0.6


class Noise:
    """Smooth random fields in [-1, 1] over the plane and over space."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._plane = rng.uniform(-1.0, 1.0, SIDE_2D * SIDE_2D)
        self._space = rng.uniform(-1.0, 1.0, SIDE_3D**3)

    def plane(self, x: Array, y: Array) -> Array:
        """Noise at points of the plane; one cell is one unit."""
        return self.plane_slope(x, y)[0]

    def plane_slope(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Noise at points of the plane, with its derivatives along x and y."""
        fx, fy = np.floor(x), np.floor(y)
        u, v = x - fx, y - fy
        ix = fx.astype(np.int64) & (SIDE_2D - 1)
        iy = (fy.astype(np.int64) & (SIDE_2D - 1)) * SIDE_2D
        jx = (ix + 1) & (SIDE_2D - 1)
        jy = (iy + SIDE_2D) & (SIDE_2D * SIDE_2D - 1)
        a, b = self._plane[iy + ix], self._plane[iy + jx]
        c, d = self._plane[jy + ix], self._plane[jy + jx]
        du = 30.0 * u * u * (u * (u - 2.0) + 1.0)
        dv = 30.0 * v * v * (v * (v - 2.0) + 1.0)
        u = u * u * u * (u * (u * 6.0 - 15.0) + 10.0)
        v = v * v * v * (v * (v * 6.0 - 15.0) + 10.0)
        k = a - b - c + d
        value = a + (b - a) * u + (c - a) * v + k * u * v
        return value, du * (b - a + k * v), dv * (c - a + k * u)

    def space(self, p: Array) -> Array:
        """Noise at (3, N) points; one cell is one unit."""
        floor = np.floor(p)
        f = p - floor
        f = f * f * (3.0 - 2.0 * f)
        low = floor.astype(np.int64) & (SIDE_3D - 1)
        high = (low + 1) & (SIDE_3D - 1)
        x0, x1 = low[0], high[0]
        y0, y1 = low[1] * SIDE_3D, high[1] * SIDE_3D
        z0, z1 = low[2] * SIDE_3D**2, high[2] * SIDE_3D**2
        grid = self._space

        def row(base: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Array:
            a = grid[base + x0]
            return np.asarray(a + (grid[base + x1] - a) * f[0])

        near = row(y0 + z0)
        near += (row(y1 + z0) - near) * f[1]
        far = row(y0 + z1)
        far += (row(y1 + z1) - far) * f[1]
        return np.asarray(near + (far - near) * f[2])

    def cloud(self, x: Array, y: Array, octaves: int, gain: float = 0.5) -> Array:
        """Fractal sum over the plane, about [-1, 1]; each octave halves the cell."""
        total = np.zeros(np.broadcast(x, y).shape)
        weight, norm = 1.0, 0.0
        for _ in range(octaves):
            total += weight * self.plane(x, y)
            norm += weight
            weight *= gain
            x, y = 2.03 * (COS * x - SIN * y) + 17.3, 2.03 * (SIN * x + COS * y) + 5.7
        return np.asarray(total / norm * 1.6)

    def fractal(self, p: Array, octaves: int, gain: float = 0.5) -> Array:
        """Fractal sum at (3, N) points, about [-1, 1]."""
        total = np.zeros(p.shape[1:])
        weight, norm = 1.0, 0.0
        for _ in range(octaves):
            total += weight * self.space(p)
            norm += weight
            weight *= gain
            x, y, z = p
            p = np.stack(
                [
                    2.01 * (COS * x - SIN * z) + 7.1,
                    2.01 * y + 3.3,
                    2.01 * (SIN * x + COS * z) + 1.9,
                ]
            )
        return np.asarray(total / norm * 1.6)
