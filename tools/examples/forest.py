"""Conifers of the lake: a few drawn sprites, planted by the thousand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from tools.examples.air import haze
from tools.examples.land import SKY_LIGHT, SUN_LIGHT, Fan, Sunlight
from tools.examples.maths import Array, smoothstep
from tools.examples.noise import Noise

KINDS = 10
ASPECT = 0.46  # width of a sprite over its height
TALLEST = 420  # pixels of the drawn sprites


def _conifer(seed: int) -> Array:
    """One spruce as (TALLEST, TALLEST * ASPECT, 3): cover, sunlit share, depth tone."""
    rng = np.random.default_rng(seed)
    height, width = TALLEST, int(TALLEST * ASPECT)
    out = np.zeros((height, width, 3))
    middle = width / 2.0
    lean = rng.normal(0.0, 0.012)
    trunk_x = middle + lean * (height - np.arange(height))
    for y in range(int(height * 0.04), height):
        half = 0.5 + 2.4 * y / height
        left, right = int(trunk_x[y] - half), int(trunk_x[y] + half) + 1
        out[y, left:right] = (1.0, 0.25, 0.35)
    spread = rng.uniform(0.78, 1.0)
    bare = rng.uniform(0.86, 0.95)
    level = 0.02
    while level < bare:
        reach = spread * middle * 0.96 * min(1.0, (level / bare) ** 0.85 * 1.04 + 0.03)
        for _ in range(5):
            turn = rng.uniform(0.0, 2.0 * np.pi)
            side, front = np.cos(turn), np.sin(turn)
            length = reach * rng.uniform(0.62, 1.08)
            count = max(6, int(length * 1.5))
            t = np.linspace(0.0, 1.0, count)
            droop = height * 0.05 * (0.35 + level) * (t**1.4 - 0.55 * t**3)
            bx = trunk_x[int(level * height)] + side * length * t
            by = level * height + droop + front * 0.10 * length * t
            # Needle sprays hang from the branch, shorter towards its tip.
            for x, y, s in zip(bx, by, t, strict=True):
                hang = 2.0 + (1.0 - s) * height * 0.018 * rng.uniform(0.4, 1.3)
                top, bottom = int(max(y - 1.5, 0)), int(min(y + hang, height - 1))
                left = int(np.clip(x - 1.2, 0, width - 1))
                right = int(np.clip(x + 2.2, 1, width))
                lit = np.clip(0.50 - 0.62 * side * s + 0.16 * front, 0.0, 1.0)
                tone = np.clip(0.28 + 0.6 * s + 0.22 * front, 0.1, 1.0)
                down = np.linspace(1.0, 0.45, max(bottom - top, 1))[:, None]
                block = out[top : top + down.shape[0], left:right]
                if front > -0.2 or block[..., 0].mean() < 0.5:
                    block[..., 0] = 1.0
                    block[..., 1] = lit * down
                    block[..., 2] = tone * (0.6 + 0.4 * down)
        level += rng.uniform(0.011, 0.019)
    return out


def _smaller(sprite: Array, height: int) -> Array:
    """A sprite resampled to a height, with its colour unmixed from the empty parts."""
    width = max(1, round(height * ASPECT))
    cover = sprite[..., :1]
    planes = np.concatenate([cover, sprite[..., 1:] * cover], axis=-1)
    shrunk = [
        np.asarray(
            Image.fromarray(planes[..., k].astype(np.float32)).resize((width, height), Image.Resampling.BOX),
            dtype=np.float64,
        )
        for k in range(3)
    ]
    small = np.stack(shrunk, axis=-1)
    small[..., 1:] /= np.maximum(small[..., :1], 1e-6)
    return np.asarray(small)


@dataclass
class Trees:
    """Planted trees, one entry each, far to near: place, height in metres, sprite, hue and share of the sun."""

    x: Array
    y: Array
    z: Array
    tall: Array
    kind: Array
    hue: Array
    sun: Array

    def draw(self, light: Array, depth: Array, slope: Array, rise: Array, eye: float) -> None:
        """Paint the trees, far to near, into a view along rays of `slope` sideways and ascending `rise`."""
        rows, cols = depth.shape
        pixel = rise[1] - rise[0]
        foot = ((self.y - eye) / self.z - rise[0]) / pixel
        size = self.tall / self.z / pixel
        middle = (self.x / self.z - slope[0]) / (slope[1] - slope[0])
        sprites = [_conifer(100 + k) for k in range(KINDS)]
        cache: dict[tuple[int, int], Array] = {}

        # The air's share is the same over one tree: find it from black and from white.
        at = (self.x, self.y + 0.5 * self.tall, self.z)
        dark = haze(np.zeros((self.x.size, 3)), *at)
        clear = haze(np.ones((self.x.size, 3)), *at) - dark
        for i in range(self.x.size):
            tall = int(size[i])
            if tall < 3:
                continue
            # Few distinct sizes keep the cache of shrunk sprites small.
            tall = tall if tall < 24 else (tall // 4) * 4 if tall < 120 else (tall // 12) * 12
            key = (int(self.kind[i]), tall)
            if key not in cache:
                cache[key] = _smaller(sprites[key[0]], tall)[::-1]
            sprite = cache[key]
            wide = sprite.shape[1]
            low, left = int(foot[i]), int(middle[i] - wide / 2.0)
            r0, r1 = max(low, 0), min(low + tall, rows)
            c0, c1 = max(left, 0), min(left + wide, cols)
            if r0 >= r1 or c0 >= c1:
                continue
            part = sprite[r0 - low : r1 - low, c0 - left : c1 - left]
            behind = depth[r0:r1, c0:c1] > self.z[i] * 0.985
            if not behind.any():
                continue
            cover = (part[..., 0] * behind)[..., None]
            hue = self.hue[i]
            leaf = np.array([0.030 + 0.030 * hue, 0.052 + 0.016 * hue, 0.022 + 0.004 * hue])
            bright = part[..., 1:2] ** 1.3 * self.sun[i] * 1.15 * SUN_LIGHT
            colour = leaf * part[..., 2:3] * (bright + 0.85 * SKY_LIGHT) * 1.25
            colour = dark[i] + colour * clear[i]
            block = light[r0:r1, c0:c1]
            block += (colour - block) * cover


def plant(fan: Fan, noise: Noise, sunlight: Sunlight, seed: int) -> Trees:
    """Scatter trees over the slopes, thick below the tree line and along the shore."""
    rng = np.random.default_rng(seed)
    count = 420_000
    # Even in log-depth: distant trees overlap on screen, so they can be thinner sown.
    z = np.exp(rng.uniform(np.log(90.0), np.log(4200.0), count))
    x = z * rng.uniform(fan.slope[0], fan.slope[-1], count)
    y = fan.at(x, z)
    steep = np.abs(fan.at(x + 6.0, z) - fan.at(x - 6.0, z)) / 12.0
    thicket = noise.cloud(x / 190.0, z / 190.0, 4)
    chance = smoothstep(0.1, 0.7, y) * smoothstep(620.0, 330.0, y + 170.0 * thicket)
    chance *= smoothstep(1.25, 0.75, steep) * smoothstep(-0.75, -0.15, thicket + 0.002 * y)
    # Near ground is sown far too thickly by an even log-depth; thin it out.
    chance *= np.clip((z / 900.0) ** 1.2, 0.03, 1.0)
    keep = rng.uniform(size=count) < chance
    x, y, z = x[keep], y[keep], z[keep]
    order = np.argsort(-z)
    n = order.size
    stunted = 1.0 - 0.5 * smoothstep(250.0, 560.0, y[order])
    tall = rng.uniform(10.0, 27.0, n) * stunted * rng.choice([1.0, 0.55], n, p=[0.65, 0.35])
    return Trees(
        x[order],
        y[order] - 0.4,
        z[order],
        tall,
        rng.integers(0, KINDS, n).astype(np.float64),
        rng.uniform(0.0, 1.0, n),
        sunlight.at(x[order], z[order]),
    )
