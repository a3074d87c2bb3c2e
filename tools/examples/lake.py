"""A mountain lake in evening light."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tools.examples import film, forest
from tools.examples.air import haze
from tools.examples.land import SKY_LIGHT, SUN_LIGHT, Fan, Terrain, sunlit
from tools.examples.maths import Array, Mask, mix, sample, smoothstep
from tools.examples.noise import Noise

WIDTH, HEIGHT = 1024 * film.SUPERSAMPLE, 768 * film.SUPERSAMPLE
HALF = 0.56  # sideways slope of a view ray at the picture's edge
HORIZON = 0.54  # share of the picture above the horizon
EYE = 2.6  # metres above the water
SUN = np.array([-0.80, 0.30, -0.52]) / np.linalg.norm([-0.80, 0.30, -0.52])
TALL = 2.0 * HALF * HEIGHT / WIDTH


class Lake:
    """The scene: terrain, forest and sky, seen from above the water or mirrored in it."""

    def __init__(self) -> None:
        self.noise = Noise(41)
        terrain = Terrain(7)
        pixel = 2.0 * HALF / WIDTH
        # A margin on either side feeds reflections that ripples push sideways.
        self.slope = (np.arange(WIDTH) + 0.5) * pixel - HALF
        self.fan = Fan.build(terrain, self.slope, 6.0, 9000.0, 2800)
        self.normal = self.fan.normals()
        self.sunlight = sunlit(terrain, SUN)
        self.trees = forest.plant(self.fan, self.noise, self.sunlight, seed=11)

    def sky(self, side: Array, rise: Array) -> Array:
        """Light of the sky along rays (side, rise, 1): (..., 3)."""
        up = rise / np.sqrt(1.0 + side**2 + rise**2)
        blue = mix([0.36, 0.53, 0.80], [0.10, 0.22, 0.50], smoothstep(0.08, 0.55, up)[..., None])
        glow = np.exp(-np.maximum(up, 0.0) * 7.5)[..., None]
        warm = mix([1.18, 0.80, 0.56], [0.92, 0.70, 0.66], smoothstep(-0.6, 0.5, side)[..., None])
        light = mix(blue, warm, 0.92 * glow)
        # Clouds lie on a high flat layer, so they crowd together towards the horizon.
        far = 1.0 / np.maximum(up + 0.055, 0.03)
        x, y = side * far * 0.42 + 2.0, far * 0.62
        drift = 0.5 * self.noise.cloud(x * 0.8, y * 0.8, 4)
        thick = self.noise.cloud(x + drift, y * 1.5 + drift, 7, 0.55)
        lit = self.noise.cloud(x + drift - 0.10, y * 1.5 + drift - 0.05, 4, 0.55)
        cover = smoothstep(0.02, 0.62, thick) * smoothstep(0.03, 0.16, up)
        edge = np.clip(0.55 + 0.9 * (thick - lit), 0.0, 1.0)[..., None]
        cloud = mix([0.46, 0.44, 0.55], [1.65, 1.12, 0.82], edge)
        return mix(light, cloud, 0.86 * cover[..., None])

    def ground(self, row: Array, col: Array) -> tuple[Array, Array]:
        """Light from ground points at fractional fan rows, and their depths: (N, 3), (N,)."""
        z = self.fan.depth[0] * np.exp(row * np.log(self.fan.depth[-1] / self.fan.depth[0]) / (self.fan.depth.size - 1))
        x = z * (self.slope[0] + col * (self.slope[1] - self.slope[0]))
        y = sample(self.fan.ground, row, col)
        n = sample(self.normal, row, col)
        n /= np.linalg.norm(n, axis=-1, keepdims=True)
        grit = self.noise.cloud(x / 9.0, (z + y) / 9.0, 4)
        wide = self.noise.cloud(x / 160.0, z / 160.0, 4)
        band = self.noise.cloud(x / 300.0, y / 26.0 + 0.3 * wide, 3)
        rock = mix([0.165, 0.150, 0.140], [0.33, 0.30, 0.27], (0.5 + 0.5 * band)[..., None])
        rock = rock * (1.0 + 0.3 * grit[..., None])
        grass = mix([0.075, 0.095, 0.030], [0.20, 0.17, 0.065], (0.5 + 0.5 * wide)[..., None])
        grass = grass * (1.0 + 0.45 * grit[..., None])
        green = smoothstep(0.52, 0.74, n[..., 1] + 0.12 * grit)
        green *= smoothstep(760.0, 480.0, y + 120.0 * wide)
        colour = mix(rock, grass, green[..., None])
        snow = smoothstep(520.0, 820.0, y + 200.0 * wide + 60.0 * grit)
        snow *= smoothstep(0.40, 0.62, n[..., 1] + 0.10 * grit + 0.00016 * (y - 700.0))
        colour = mix(colour, [0.86, 0.88, 0.92], snow[..., None])
        near = z < 60.0
        if near.any():
            colour[near] = self.shingle(x[near], y[near], z[near], n[near])
        sun = np.clip(n @ SUN, 0.0, 1.0) * self.sunlight.at(x, z)
        open_sky = 0.55 + 0.45 * n[..., 1]
        light = colour * (sun[..., None] * SUN_LIGHT + open_sky[..., None] * SKY_LIGHT)
        return haze(light, x, y, z), z

    def shingle(self, x: Array, y: Array, z: Array, n: Array) -> Array:
        """Colour of the stony shore by the camera: (N, 3)."""
        at = np.stack([x, y, z])
        speck = self.noise.fractal(at * 7.0, 4)[..., None]
        patch = self.noise.fractal(at * 1.3, 3)[..., None]
        stone = mix([0.17, 0.155, 0.14], [0.31, 0.29, 0.265], 0.5 + 0.5 * patch)
        stone = stone * (1.0 + 0.42 * speck)
        moss = smoothstep(0.0, 0.5, patch[..., 0] + 0.4 * speck[..., 0]) * smoothstep(0.6, 0.9, n[:, 1])
        stone = mix(stone, [0.085, 0.10, 0.03], (0.75 * moss * smoothstep(0.16, 0.4, y))[..., None])
        return stone * mix(0.36, 1.0, smoothstep(0.02, 0.13, y + 0.03 * speck[..., 0]))[..., None]

    def view(self, rise: Array, eye: float) -> tuple[Array, Array, Mask]:
        """Land and sky along rays of ascending `rise`: light (R, C, 3), depth (R, C), water."""
        row = self.fan.seen(rise, eye)
        col = np.broadcast_to(np.arange(WIDTH, dtype=np.float64), row.shape)
        side = np.broadcast_to(self.slope, row.shape)
        up = np.broadcast_to(rise[:, None], row.shape)
        light = self.sky(side, up)
        depth = np.full(row.shape, np.inf)
        hit = np.isfinite(row)
        light[hit], depth[hit] = self.ground(row[hit], col[hit])
        water = np.zeros(row.shape, dtype=np.bool_)
        water[hit] = sample(self.fan.ground, row[hit], col[hit]) < 0.004
        self.trees.draw(light, depth, self.slope, rise, eye)
        return light, depth, water

    def render(self) -> Array:
        """Linear light of the whole picture: (HEIGHT, WIDTH, 3)."""
        pixel = TALL / HEIGHT
        rise = TALL * HORIZON - (np.arange(HEIGHT) + 0.5) * pixel
        rise = rise[::-1]
        light, _, water = self.view(rise, EYE)
        top = rise[-1]
        up = np.arange(0.5, int(top / pixel) + 0.5) * pixel
        mirror, _, _ = self.view(up, -EYE)
        row, col = np.nonzero(water & (rise < -1e-4)[:, None])
        light[row, col] = self.water(mirror, up, rise[row], self.slope[col])
        return light[::-1]

    def water(self, mirror: Array, up: Array, rise: Array, side: Array) -> Array:
        """Light of the lake along downward rays: the mirrored view, rippled, and the depths."""
        z = -EYE / rise
        x = side * z
        # Ripples finer than a pixel only blur: fade each band out as it shrinks.
        tilt_x, tilt_z = np.zeros(x.shape), np.zeros(x.shape)
        calm = 0.35 + 0.65 * smoothstep(-0.25, 0.45, self.noise.cloud(x / 60.0, z / 22.0, 3))
        calm *= 0.35 + 0.65 * smoothstep(160.0, 20.0, z)
        for size, steep in ((7.0, 0.005), (2.6, 0.0045), (0.9, 0.005), (0.33, 0.005)):
            fade = smoothstep(0.35, 0.08, z * z * 0.0009 / EYE / size)
            _, dx, dz = self.noise.plane_slope(x / size * 0.55 + 3.0 * size, z / size + 0.2 * x / size)
            tilt_x += steep * fade * calm * dx * 0.5
            tilt_z += steep * fade * calm * dz
        length = np.sqrt(1.0 + side**2 + rise**2)
        facing = np.clip((-rise - tilt_z - tilt_x * side) / length, 0.02, 1.0)
        # Gentler than bare water's curve: a long lens and low light favour the mirror image.
        fresnel = 0.05 + 0.95 * (1.0 - facing) ** 2.6
        seen_up = -rise + 2.0 * tilt_z * (1.0 + rise * rise) + 2.0 * tilt_x * side
        seen_side = side + 2.0 * tilt_x
        pixel = up[1] - up[0]
        blurred = 0.0
        # Unresolved waves smear the mirror image upright.
        smear = 0.0035 + 0.006 * smoothstep(20.0, 200.0, z)
        for offset in (-1.0, -0.4, 0.2, 0.9):
            row = np.abs(seen_up + offset * smear) / pixel
            blurred = blurred + 0.25 * sample(mirror, row, (seen_side + HALF) / pixel - 0.5)
        bed = mix([0.035, 0.085, 0.090], [0.012, 0.040, 0.058], smoothstep(8.0, 60.0, z)[..., None])
        # Clear shallows show stones under the surface.
        pebble = 0.6 + 0.5 * self.noise.cloud(x * 2.2, z * 2.2, 4)
        shallow = smoothstep(26.0, 9.0, z) * smoothstep(6.0, -16.0, x)
        bed = bed + (0.10 * pebble * shallow)[..., None] * np.array([1.0, 0.95, 0.66])
        return mix(bed, np.asarray(blurred) * [0.90, 0.95, 0.98], fresnel[..., None])


def picture() -> Image.Image:
    """The finished photograph."""
    return film.develop(Lake().render(), exposure=0.74, seed=1, glow=0.06, grain=0.006, saturation=1.16)
