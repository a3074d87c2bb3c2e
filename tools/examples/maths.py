"""Array alias and the few scalar curves that every scene uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]


def smoothstep(low: ArrayLike, high: ArrayLike, x: ArrayLike) -> Array:
    """0 at `low`, 1 at `high`, a smooth S between; `low` may exceed `high`."""
    low = np.asarray(low, dtype=np.float64)
    t = np.clip((np.asarray(x) - low) / (np.asarray(high) - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float64)


def mix(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> Array:
    """Linear blend, `a` where t is 0 and `b` where t is 1; broadcasts."""
    a = np.asarray(a, dtype=np.float64)
    return np.asarray(a + (np.asarray(b) - a) * np.asarray(t), dtype=np.float64)


def rgb(*values: float) -> Array:
    """A colour as (3, 1), ready to broadcast against (3, N)."""
    return np.array(values, dtype=np.float64).reshape(3, 1)


def dot(a: Array, b: Array) -> Array:
    """Dot product over the first axis of two (3, N) arrays: (N,)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def unit(v: Array) -> Array:
    """(3, N) vectors scaled to length 1."""
    return np.asarray(v / np.sqrt(np.maximum(dot(v, v), 1e-24)))


def reflect(direction: Array, normal: Array) -> Array:
    """Mirror (3, N) directions about (3, N) unit normals."""
    return np.asarray(direction - 2.0 * dot(direction, normal) * normal)


def sample(grid: Array, row: Array, col: Array) -> Array:
    """Bilinear lookup of a (R, C) or (R, C, K) grid at fractional positions, edges clamped."""
    rows, cols = grid.shape[:2]
    row = np.clip(row, 0.0, rows - 1.001)
    col = np.clip(col, 0.0, cols - 1.001)
    r, c = row.astype(np.int64), col.astype(np.int64)
    fr, fc = row - r, col - c
    if grid.ndim == 3:
        fr, fc = fr[..., None], fc[..., None]
    top = grid[r, c] * (1.0 - fc) + grid[r, c + 1] * fc
    low = grid[r + 1, c] * (1.0 - fc) + grid[r + 1, c + 1] * fc
    return np.asarray(top * (1.0 - fr) + low * fr)
