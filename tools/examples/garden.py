"""The street's layout, in metres, and what grows there: tree, bushes, backdrop, lawn."""

from __future__ import annotations

import numpy as np

from tools.examples import foliage
from tools.examples.foliage import Leaves
from tools.examples.noise import Noise
from tools.examples.shapes import Point

KERB = -1.6  # the kerb's face: the road lies before it
KERB_TOP = 0.14
FENCE = 1.0
PATH = (1.75, 0.62)  # middle and half-width of the garden path
TRUNK: Point = (5.6, 0.0, 0.3)


def plants(noise: Noise) -> Leaves:
    """Every leaf and blade of the street scene."""
    rng = np.random.default_rng(9)
    x, _, z = TRUNK
    green, lime = (0.050, 0.105, 0.018), (0.150, 0.230, 0.040)
    groups = [foliage.clumps(rng, foliage.crown(rng, (x + 0.1, 5.3, z), (2.5, 2.2), 46), 1150, 0.125, green, lime)]
    bushes = np.array(
        [
            (-3.4, 0.72, 4.35, 0.78),
            (-2.5, 0.62, 4.3, 0.70),
            (-1.6, 0.74, 4.3, 0.80),
            (-0.7, 0.60, 4.3, 0.68),
            (0.1, 0.66, 4.35, 0.74),
            (3.35, 0.70, 4.35, 0.76),
            (-4.6, 0.62, 5.6, 0.70),
            (4.5, 0.66, 5.0, 0.74),
            (7.2, 0.6, 4.9, 0.66),
        ]
    ).T
    groups.append(foliage.clumps(rng, bushes, 6500, 0.062, (0.030, 0.080, 0.020), (0.090, 0.150, 0.030)))
    bloom = bushes[:, :6].copy()
    bloom[3] *= 1.04
    groups.append(foliage.clumps(rng, bloom, 330, 0.085, (0.55, 0.14, 0.26), (0.78, 0.42, 0.50)))
    for bx, bz, wide, tall in (
        (-9.0, 24.0, 3.4, 3.6),
        (-3.5, 27.0, 3.6, 4.4),
        (-13.0, 30.0, 4.0, 4.4),
        (3.5, 30.0, 4.0, 4.6),
        (8.2, 22.0, 2.8, 3.6),
        (13.0, 27.0, 4.0, 5.0),
        (20.0, 20.0, 4.0, 4.6),
        (21.5, 6.0, 3.0, 3.4),
        (26.0, 14.0, 4.0, 4.8),
        (31.0, 4.0, 4.2, 4.8),
        (-6.6, 15.0, 1.6, 2.0),
    ):
        balls = foliage.crown(rng, (bx, 1.0 + tall, bz), (wide, tall), 40)
        groups.append(foliage.clumps(rng, balls, 420, 0.24, (0.040, 0.085, 0.022), (0.110, 0.170, 0.040)))
    count = 120_000
    gx, gz = rng.uniform(-14.0, 11.0, count), rng.uniform(FENCE + 0.05, 8.0, count)
    lawn = (np.abs(gx - PATH[0]) > PATH[1]) & ~((np.abs(gx) < 3.95) & (gz > 5.1))
    groups.append(foliage.blades(rng, gx[lawn], gz[lawn], KERB_TOP, 0.11))
    # Tufts that the mower misses grow along the fence.
    tx = rng.uniform(-13.0, 11.0, 16_000)
    tz = FENCE + rng.normal(0.0, 0.05, tx.size)
    keep = (np.abs(tx - PATH[0]) > 0.8) & (noise.plane(tx * 1.3, tx * 0.0) > -0.35)
    groups.append(foliage.blades(rng, tx[keep], tz[keep], KERB_TOP, 0.24))
    return Leaves.join(groups)
