"""Signed distances of simple solids, for (3, N) points about the solid's own origin."""

from __future__ import annotations

import numpy as np

from tools.examples.maths import Array, rgb

Point = tuple[float, float, float]


def ball(p: Array, radius: float) -> Array:
    """A sphere."""
    return np.asarray(np.sqrt(p[0] ** 2 + p[1] ** 2 + p[2] ** 2) - radius)


def box(p: Array, x: float, y: float, z: float, edge: float = 0.0) -> Array:
    """A box of half-sides x, y, z with edges rounded by `edge`."""
    qx, qy, qz = np.abs(p[0]) - x + edge, np.abs(p[1]) - y + edge, np.abs(p[2]) - z + edge
    outside = np.sqrt(np.maximum(qx, 0.0) ** 2 + np.maximum(qy, 0.0) ** 2 + np.maximum(qz, 0.0) ** 2)
    return np.asarray(outside + np.minimum(np.maximum(np.maximum(qx, qy), qz), 0.0) - edge)


def rod(p: Array, a: Point, b: Point, thick: float, tip: float | None = None) -> Array:
    """A capsule from a to b, `thick` at a and `tip` at b."""
    start, axis = rgb(*a), rgb(*b) - rgb(*a)
    from_a = p - start
    t = np.clip((from_a * axis).sum(axis=0) / float((axis * axis).sum()), 0.0, 1.0)
    off = from_a - axis * t
    radius = thick if tip is None else thick + (tip - thick) * t
    return np.asarray(np.sqrt((off * off).sum(axis=0)) - radius)


def drum(p: Array, radius: float, half: float, edge: float = 0.0) -> Array:
    """An upright cylinder with edges rounded by `edge`."""
    qx = np.hypot(p[0], p[2]) - radius + edge
    qy = np.abs(p[1]) - half + edge
    outside = np.hypot(np.maximum(qx, 0.0), np.maximum(qy, 0.0))
    return np.asarray(outside + np.minimum(np.maximum(qx, qy), 0.0) - edge)


def blend(a: Array, b: Array, soft: float) -> Array:
    """Union of two solids with a fillet of about `soft`."""
    h = np.maximum(soft - np.abs(a - b), 0.0) / soft
    return np.asarray(np.minimum(a, b) - 0.25 * soft * h * h)


def turn(p: Array, angle: float) -> Array:
    """Points turned about the upright axis by `angle` radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * p[0] - s * p[2], p[1], s * p[0] + c * p[2]])
