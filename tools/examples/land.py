"""The lake's terrain: a height field in metres, sampled on a fan of view columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.examples.maths import Array, mix, sample, smoothstep
from tools.examples.noise import Noise

WATER = 0.0
SUN_LIGHT = np.array([3.5, 2.15, 1.12])
SKY_LIGHT = np.array([0.40, 0.52, 0.78])
# (x, z, height, radius) of the mountains, metres; z runs away from the camera.
PEAKS = (
    (520.0, 4100.0, 1750.0, 2100.0),
    (-250.0, 4700.0, 1330.0, 1600.0),
    (-1900.0, 4300.0, 1500.0, 1900.0),
    (2500.0, 5000.0, 1500.0, 2000.0),
    (-1500.0, 2000.0, 900.0, 1350.0),
    (1850.0, 2250.0, 760.0, 1300.0),
)
# (x, z, radius along x, radius along z, height) of low tongues of shore near the camera.
SPITS = ((-12.5, 17.0, 9.0, 6.5, 0.55), (-300.0, 330.0, 210.0, 60.0, 5.0))


class Terrain:
    """Height of the ground above the lake's surface."""

    def __init__(self, seed: int) -> None:
        self._noise = Noise(seed)

    def _eroded(self, x: Array, z: Array, octaves: int) -> Array:
        """Fractal sum that stays smooth where it is already steep, as worn rock does."""
        total = np.zeros(x.shape)
        slope_x, slope_z = np.zeros(x.shape), np.zeros(x.shape)
        weight = 1.0
        for _ in range(octaves):
            value, dx, dz = self._noise.plane_slope(x, z)
            slope_x += 0.5 * dx
            slope_z += 0.5 * dz
            total += weight * value / (1.0 + slope_x**2 + slope_z**2)
            weight *= 0.5
            x, z = 1.6 * x - 1.2 * z + 9.1, 1.2 * x + 1.6 * z + 4.3
        return total

    def shore(self, x: Array, z: Array) -> Array:
        """About how many metres inland a point lies; negative out on the lake."""
        ragged = 70.0 * self._noise.cloud(x / 260.0, z / 260.0, 5)
        ragged *= smoothstep(30.0, 300.0, z)
        return np.asarray((np.hypot((x - 30.0) / 640.0, (z - 470.0) / 560.0) - 1.0) * 560 + ragged)

    def height(self, x: Array, z: Array, octaves: int = 10) -> Array:
        """Metres above the water at plane points; negative on the lake bed."""
        inland = self.shore(x, z)
        warp_x = x + 260.0 * self._noise.cloud(x / 900.0 + 40.0, z / 900.0, 3)
        warp_z = z + 260.0 * self._noise.cloud(x / 900.0, z / 900.0 + 40.0, 3)
        mass = np.zeros(x.shape)
        for px, pz, top, radius in PEAKS:
            away = np.hypot(warp_x - px, warp_z - pz) / radius
            mass = np.maximum(mass, top * np.clip(1.0 - away, 0.0, 1.0) ** 1.25)
        worn = self._eroded(x / 760.0 + 3.7, z / 760.0 + 8.2, octaves)
        ridge = 1.0 - np.abs(self._noise.cloud(warp_x / 620.0, warp_z / 620.0, 4))
        rise = smoothstep(0.0, 900.0, inland)
        high = rise * (mass * (0.72 + 0.3 * ridge) + (60.0 + 0.36 * mass) * worn)
        low = np.clip(inland, -60.0, 400.0) * mix(0.05, 0.11, rise)
        ground = low + np.maximum(high, 0.0) * rise
        for sx, sz, rx, rz, top in SPITS:
            away = np.hypot((x - sx) / rx, (z - sz) / rz)
            away += 0.25 * self._noise.cloud(x / rx * 1.7, z / rx * 1.7, 3)
            ground = np.maximum(ground, top * (1.0 - away) * 1.6)
        return np.asarray(ground + self._stones(x, z))

    def _stones(self, x: Array, z: Array) -> Array:
        """Boulders by the water's edge near the camera, metres."""
        near = z < 60.0
        out = np.zeros(x.shape)
        if not near.any():
            return out
        px, pz = x[near], z[near]
        stone = np.zeros(px.shape)
        for size, amount, shift in ((2.3, 0.5, 0.0), (1.1, 0.55, 31.0), (0.55, 0.6, 77.0)):
            gx, gz = px / size + shift, pz / size
            cx, cz = np.floor(gx), np.floor(gz)
            pick = 0.5 + 0.5 * self._noise.plane(cx * 7.0, cz * 7.0)
            ox = 0.5 + 0.22 * self._noise.plane(cx * 7.0 + 90.0, cz * 7.0)
            oz = 0.5 + 0.22 * self._noise.plane(cx * 7.0, cz * 7.0 + 90.0)
            rough = 0.16 * self._noise.cloud(px / size * 1.9, pz / size * 1.9, 2)
            dx, dz = gx - cx - ox, gz - cz - oz
            away = np.hypot(dx * 2.4, dz * 2.6) + rough
            dome = 1.15 - 1.15 * away**2
            # A few slanting cuts turn the dome into broken rock.
            for turn in (0.0, 1.6, 3.1, 4.7):
                angle = turn + 9.0 * pick
                face = dx * np.cos(angle) + dz * np.sin(angle)
                tilt = 1.0 + 0.9 * np.sin(turn * 3.0 + 40.0 * pick)
                dome = np.minimum(dome, 0.82 - tilt * face)
            dome += 0.08 * self._noise.cloud(px / size * 6.0, pz / size * 6.0, 4)
            dome = np.clip(dome, 0.0, 1.0) * size * 0.27 * (0.7 + 0.6 * pick)
            stone = np.maximum(stone, np.where(pick > amount, dome, 0.0))
        rim = np.hypot((px + 12.5) / 9.0, (pz - 17.0) / 6.5)
        out[near] = stone * smoothstep(1.35, 0.95, rim) * (1.0 - 0.4 * smoothstep(0.6, 0.2, rim))
        return out


@dataclass
class Fan:
    """Heights on a grid of depths (rows, log-spaced) by view columns.

    `ground[i, j]` is the height at depth `depth[i]` along the column whose
    sideways slope x / z is `slope[j]`.
    """

    depth: Array
    slope: Array
    ground: Array

    @classmethod
    def build(cls, terrain: Terrain, slope: Array, near: float, far: float, rows: int) -> Fan:
        """Sample `terrain` along every column."""
        depth = np.geomspace(near, far, rows)
        ground = np.empty((rows, slope.size))
        for start in range(0, rows, 32):
            z = np.repeat(depth[start : start + 32, None], slope.size, axis=1)
            octaves = int(np.clip(14.5 - np.log2(z[0, 0] / 60.0) * 0.6, 9, 13))
            ground[start : start + 32] = terrain.height(z * slope, z, octaves)
        return cls(depth, slope, ground)

    def row(self, z: Array) -> Array:
        """Fractional row of a depth."""
        ratio = np.log(self.depth[-1] / self.depth[0]) / (self.depth.size - 1)
        return np.asarray(np.log(np.maximum(z, 1e-3) / self.depth[0]) / ratio)

    def column(self, x: Array, z: Array) -> Array:
        """Fractional column of a plane point."""
        return np.asarray((x / z - self.slope[0]) / (self.slope[1] - self.slope[0]))

    def at(self, x: Array, z: Array) -> Array:
        """Ground height at plane points inside the fan."""
        return sample(self.ground, self.row(z), self.column(x, z))

    def seen(self, rise: Array, eye: float) -> Array:
        """Fractional row first met by each view ray: (len(rise), columns), inf for sky.

        `rise` holds the rays' upward slopes y / z, ascending; `eye` is the height
        of the camera, below the water for the mirrored view.
        """
        found = np.empty((rise.size, self.slope.size))
        angle = (np.maximum(self.ground, WATER) - eye) / self.depth[:, None]
        near = 0
        if eye < WATER:
            # From below, the lake's surface is what the mirrored view looks through.
            angle[self.ground <= WATER] = -np.inf
            near = int(np.searchsorted(self.depth, 60.0))
            close, angle[:near] = angle[:near].copy(), -np.inf
        top = np.maximum.accumulate(angle, axis=0)
        for j in range(self.slope.size):
            edge = top[:, j]
            hit = np.searchsorted(edge, rise)
            inside = np.clip(hit, 1, edge.size - 1)
            low, high = edge[inside - 1], edge[inside]
            part = (rise - low) / np.maximum(high - np.maximum(low, rise[0] - 1.0), 1e-12)
            found[:, j] = np.where(hit >= edge.size, np.inf, inside - 1 + np.clip(part, 0.0, 1.0))
        for i in range(near - 1, -1, -1):
            # A mirrored ray only exists once it has risen to the surface: nearer ground is behind it.
            low = np.searchsorted(rise, -eye / self.depth[i])
            high = np.searchsorted(rise, close[i].max())
            met = rise[low:high, None] <= close[i]
            found[low:high][met] = i
        return found

    def normals(self) -> Array:
        """Unit upward normals at every grid point: (rows, columns, 3)."""
        along_depth = np.gradient(self.ground, axis=0) / np.gradient(self.depth)[:, None]
        step = (self.slope[1] - self.slope[0]) * self.depth[:, None]
        dx = np.gradient(self.ground, axis=1) / step
        # Moving along a column also moves sideways: take that share out of the depth slope.
        dz = along_depth - dx * self.slope
        up = 1.0 / np.sqrt(1.0 + dx * dx + dz * dz)
        return np.stack([-dx * up, up, -dz * up], axis=-1)


@dataclass(frozen=True)
class Sunlight:
    """How much sun the ground gets, on a coarse map: (side, side) over z, x; its origin and step in metres."""

    share: Array
    low: float
    step: float

    def at(self, x: Array, z: Array) -> Array:
        """Share of the sun that reaches ground points."""
        return sample(self.share, (z - 4200.0 - self.low) / self.step - 0.5, (x - self.low) / self.step - 0.5)


def sunlit(terrain: Terrain, sun: Array, side: int = 640) -> Sunlight:
    """Return how much sun the ground gets; `sun` points toward it."""
    low, high = -4600.0, 4600.0
    step = (high - low) / side
    line = low + step * (np.arange(side) + 0.5)
    x, z = np.meshgrid(line, line + 4200.0)
    ground = np.maximum(terrain.height(x, z, 7), WATER)
    light = np.ones(ground.shape)
    row, col = np.mgrid[0:side, 0:side].astype(np.float64)
    flat = float(np.hypot(sun[0], sun[2]))
    for i in range(1, 260):
        reach = 0.9 * i
        over = sample(ground, row + reach * sun[2] / flat, col + reach * sun[0] / flat)
        ray = ground + reach * step * sun[1] / flat
        light = np.minimum(light, smoothstep(10.0 + 0.012 * reach * step, -8.0, over - ray))
    return Sunlight(light, low, step)
