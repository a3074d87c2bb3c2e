"""The evening air over the lake."""

from __future__ import annotations

import numpy as np

from tools.examples.maths import Array, mix, smoothstep

WARM, COOL = np.array([0.88, 0.66, 0.54]), np.array([0.40, 0.52, 0.70])


def haze(light: Array, x: Array, y: Array, z: Array) -> Array:
    """Return the light of points, faded into the air between them and the eye: (..., 3)."""
    away = np.sqrt(x * x + z * z)
    side = smoothstep(-0.6, 0.6, x / np.maximum(z, 1.0))[..., None]
    air = mix(WARM, COOL, 0.25 + 0.6 * side)
    thin = 1.0 - np.exp(-away / 15000.0 * (1.0 + 0.9 * np.exp(-y / 420.0)))
    # A veil of mist over the far water.
    veil = 0.20 * np.exp(-np.maximum(y, 0.0) / 26.0) * smoothstep(260.0, 1000.0, away)
    return mix(light, air, (thin + (1.0 - thin) * veil)[..., None])
