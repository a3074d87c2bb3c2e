"""A street corner of timber houses under a summer sky."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tools.examples import film, foliage, garden
from tools.examples.foliage import SunMap
from tools.examples.garden import FENCE, KERB, KERB_TOP, PATH, TRUNK
from tools.examples.house import House
from tools.examples.march import Camera, Part, Scene, march, normals, openness, shadow
from tools.examples.maths import Array, Mask, dot, mix, reflect, rgb, smoothstep, unit
from tools.examples.noise import Noise
from tools.examples.shapes import Point, rod

EYE: Point = (-9.2, 1.65, -8.6)
YAW = np.radians(31.5)
CAMERA = Camera(
    eye=EYE,
    target=(EYE[0] + float(np.sin(YAW)), EYE[1], EYE[2] + float(np.cos(YAW))),
    zoom=1.75,
    shift=0.50,
    width=768 * film.SUPERSAMPLE,
    height=1024 * film.SUPERSAMPLE,
)
SUN = unit(rgb(0.50, 0.66, -0.62))
SUN_LIGHT = rgb(1.0, 0.88, 0.70) * 3.1
SKY_LIGHT = rgb(0.46, 0.60, 0.88) * 0.95


class Street:
    """The scene's houses, plants and ground."""

    def __init__(self) -> None:
        self.noise = noise = Noise(57)
        self.houses = [
            House(
                (0.0, KERB_TOP, 5.2),
                3.9,
                9.5,
                5.95,
                8.9,
                (0.66, 0.56, 0.36),
                (0.125, 0.13, 0.15),
                (0.045, 0.115, 0.125),
                noise,
            ),
            House(
                (12.6, KERB_TOP, 5.4),
                3.7,
                9.0,
                5.8,
                8.7,
                (0.42, 0.53, 0.60),
                (0.25, 0.105, 0.07),
                (0.36, 0.06, 0.045),
                noise,
            ),
            House(
                (-13.5, KERB_TOP, 17.0),
                3.9,
                9.5,
                5.7,
                8.6,
                (0.60, 0.56, 0.50),
                (0.22, 0.10, 0.07),
                (0.08, 0.10, 0.09),
                noise,
            ),
        ]
        parts: list[Part] = []
        self.owner_house: list[House | None] = []
        for house in self.houses:
            for part in house.parts():
                parts.append(part)
                self.owner_house.append(house)
        parts.append(Part("fence", (-1.0, 0.6, FENCE), 13.0, self.fence))
        parts.append(Part("bark", (TRUNK[0], 3.2, TRUNK[2]), 4.2, self.trunk))
        self.owner_house += [None, None]
        self.scene = Scene(parts, slack=0.5)
        self.leaves = garden.plants(noise)
        self.map = SunMap(self.leaves, SUN)

    @staticmethod
    def fence(p: Array) -> Array:
        """A white picket fence with an opening at the garden path."""
        x, y, z = p[0], p[1] - KERB_TOP, p[2] - FENCE
        cell = x / 0.17
        u = (cell - np.round(cell)) * 0.17
        point = y - 0.98 + 0.9 * np.abs(u)
        picket = np.maximum(np.maximum(np.abs(u) - 0.042, np.abs(z + 0.03) - 0.013), point)
        rail = np.maximum(np.minimum(np.abs(y - 0.28), np.abs(y - 0.74)) - 0.045, np.abs(z) - 0.02)
        post_x = x - PATH[0]
        near = np.where(np.abs(post_x) < 1.5, np.abs(post_x) - 0.85, post_x - 2.4 * np.round(post_x / 2.4))
        post = np.maximum(np.maximum(np.abs(near), np.abs(z - 0.03)) - 0.065, y - 1.06)
        run = np.maximum(np.minimum(picket, rail), 0.84 - np.abs(post_x))
        return np.asarray(np.maximum(np.minimum(run, post), np.abs(x + 1.0) - 12.5) * 0.9)

    @staticmethod
    def trunk(p: Array) -> Array:
        """The street tree's trunk and main branches."""
        q = p - rgb(*TRUNK)
        d = rod(q, (0.0, -0.2, 0.0), (0.1, 2.9, 0.05), 0.22, 0.15)
        for end in ((1.3, 5.0, 0.5), (-1.3, 4.9, -0.3), (0.2, 5.9, -0.2), (-0.5, 5.0, 1.2), (0.6, 4.8, -1.2)):
            d = np.minimum(d, rod(q, (0.1, 2.6, 0.05), end, 0.12, 0.04))
        return 0.9 * d

    def sky(self, v: Array) -> Array:
        """Light of the sky along unit directions: (3, N)."""
        up = np.maximum(v[1], 0.0)
        light = mix(rgb(0.62, 0.74, 0.88), rgb(0.115, 0.265, 0.62), smoothstep(-0.05, 0.72, up) ** 0.75)
        thick, above = self.clouds(v[0], up, v[2]), self.clouds(v[0], up + 0.05, v[2])
        cover = smoothstep(0.12, 0.46, thick) * smoothstep(0.02, 0.12, up)
        # Much cloud higher up means that this is its shaded underside.
        bright = np.clip(0.80 + 0.85 * (thick - above) - 0.30 * smoothstep(0.30, 0.80, above), 0.0, 1.0)
        return mix(light, mix(rgb(0.52, 0.57, 0.66), rgb(1.20, 1.16, 1.10), bright), 0.94 * cover)

    def clouds(self, x: Array, up: Array, z: Array) -> Array:
        """Thickness of the clouds along unit directions, about [-1, 1]."""
        # A shallow dome keeps the far clouds from flattening into streaks.
        far = 2.6 / (up + 0.42)
        wide = self.noise.plane(x * far * 0.55 + 8.3, z * far * 0.55 + 2.1)
        return 0.30 * wide + 0.80 * self.noise.cloud(x * far + 3.1, z * far + 0.4, 7, 0.56)

    def ground(self, v: Array) -> Array:
        """Length along view rays to road, kerb or garden."""
        drop = np.minimum(v[1], -1e-6)
        high = (KERB_TOP - EYE[1]) / drop
        face = (KERB - EYE[2]) / np.maximum(v[2], 1e-6)
        low = -EYE[1] / drop
        reach = np.where(EYE[2] + v[2] * high > KERB, high, np.minimum(low, face))
        return np.where(v[1] < -1e-5, reach, np.inf)

    def paving(self, p: Array) -> tuple[Array, Array]:
        """Colours and normals of ground points."""
        x, y, z = p
        n = np.where((np.abs(z - KERB) < 1e-6) & (y < KERB_TOP - 1e-6), rgb(0, 0, -1), rgb(0, 1, 0))
        wide, mid = self.noise.cloud(x * 0.35, z * 0.35, 4), self.noise.cloud(x * 2.0, z * 2.0, 4)
        # Far off, grit is finer than a pixel and would only sparkle.
        close = smoothstep(26.0, 4.0, np.hypot(x - EYE[0], z - EYE[2]))
        grit = 0.8 * close * self.noise.cloud(x * 60.0, z * 60.0, 2)
        road = rgb(0.125, 0.125, 0.128) * (1.0 + 0.18 * wide + 0.08 * mid + 0.24 * grit)
        crack = np.abs(self.noise.cloud(x * 0.55 + 0.25 * mid, z * 0.55 + 9.0, 4))
        road = road * (1.0 - 0.55 * smoothstep(0.016, 0.004, crack) * smoothstep(0.0, 0.3, wide))
        gutter = smoothstep(KERB - 0.55, KERB - 0.05, z + 0.1 * mid)
        road = mix(road, rgb(0.17, 0.155, 0.135) * (1.0 + 0.4 * grit), 0.55 * gutter)
        dash = smoothstep(0.06, 0.045, np.abs(z + 5.0)) * smoothstep(1.02, 0.98, np.abs((x + 1.2) % 5.0 - 2.5))
        worn = smoothstep(-0.55, 0.25, mid + 0.7 * grit + 0.5)
        road = mix(road, rgb(0.62, 0.61, 0.57), 0.85 * dash * worn)
        slab_x, slab_z = x / 1.25, (z - KERB - 0.2) / 1.2
        cell_x, cell_z = np.floor(slab_x), np.floor(slab_z)
        joint = (
            np.minimum(
                np.minimum(slab_x - cell_x, 1.0 - slab_x + cell_x), np.minimum(slab_z - cell_z, 1.0 - slab_z + cell_z)
            )
            * 1.2
        )
        tone = self.noise.plane(cell_x * 4.7 + 0.5, cell_z * 6.1 + 0.5)
        walk = rgb(0.40, 0.385, 0.355) * (1.0 + 0.11 * tone + 0.10 * wide + 0.10 * mid + 0.16 * grit)
        walk = walk * (1.0 - 0.60 * smoothstep(0.020, 0.006, joint + 0.006 * grit))
        stone = x / 0.9 - np.floor(x / 0.9)
        kerb = rgb(0.36, 0.355, 0.345) * (1.0 + 0.14 * mid + 0.2 * grit)
        kerb = kerb * (1.0 - 0.55 * smoothstep(0.014, 0.005, np.minimum(stone, 1.0 - stone)))
        lawn = mix(rgb(0.055, 0.105, 0.020), rgb(0.125, 0.160, 0.038), 0.5 + 0.5 * wide)
        lawn = lawn * (1.0 + 0.25 * mid + 0.3 * grit)
        path = np.abs(x - PATH[0]) < PATH[1]
        colour = np.where((z > FENCE - 0.1) & ~path, lawn, walk)
        colour = np.where(z < KERB + 0.2, kerb, colour)
        return np.where(z < KERB - 1e-6, road, colour), np.asarray(n, dtype=np.float64)

    def near(self, p: Array) -> Array:
        """Distance to anything solid, the ground included."""
        return np.minimum(self.scene.distance(p), p[1] - np.where(p[2] > KERB, KERB_TOP, 0.0))

    def sunshine(self, p: Array, n: Array) -> Array:
        """Share of the sun that reaches surface points past walls and leaves."""
        facing = np.clip(dot(n, np.broadcast_to(SUN, n.shape)), 0.0, 1.0)
        light = np.zeros(facing.size)
        (day,) = np.nonzero(facing > 0.0)
        if day.size:
            q = p[:, day]
            to = np.broadcast_to(SUN, q.shape)
            through = shadow(self.scene.distance, q, to, np.full(day.size, 18.0), sharp=55.0, steps=44)
            light[day] = facing[day] * through * self.map.light(q)
        return light

    def air(self, colour: Array, reach: Array) -> Array:
        """Fade far things a little into the sky's blue."""
        return mix(colour, rgb(0.60, 0.71, 0.86), 1.0 - np.exp(-reach / 480.0))

    def shade(self, view: Array, reach: Array, solid: Mask) -> Array:
        """Light back along view rays that meet something at `reach`."""
        p = rgb(*EYE) + view * reach
        colour, n = self.paving(p)
        pane = np.zeros(reach.size)
        (on,) = np.nonzero(solid)
        if on.size:
            q = p[:, on]
            n[:, on] = normals(self.scene.distance, q, 2e-3)
            owner = self.scene.owner(q)
            for i in np.unique(owner):
                (at,) = np.nonzero(owner == i)
                where, part, house = on[at], self.scene.parts[i], self.owner_house[i]
                if house is None:
                    colour[:, where] = self.wood(part.name, q[:, at])
                    continue
                colour[:, where] = house.paint(part.name, q[:, at])
                if part.name == "wall":
                    glass = house.glass(q[:, at])
                    colour[:, where] = mix(colour[:, where], house.room(q[:, at]), glass)
                    pane[where] = glass
        lift = p + n * 0.012
        free = openness(self.near, lift, n, 0.5) * (0.45 + 0.55 * openness(self.near, lift, n, 2.4, 3))
        sun = self.sunshine(lift, n)
        warm = rgb(0.30, 0.26, 0.20) * (np.clip(0.55 - 0.5 * n[1], 0.0, 1.0) * 0.75)
        light = SUN_LIGHT * sun + free * (SKY_LIGHT * (0.5 + 0.5 * n[1]) + warm)
        result = colour * light
        out = reflect(view, n)
        # Panes mirror the sky above the trees across the street.
        wave = self.noise.cloud(out[0] * 6.0 + out[2] * 3.0, out[1] * 6.0, 4)
        trees = smoothstep(0.16, 0.06, out[1] - 0.16 * wave)
        mirror = mix(self.sky(out), rgb(0.07, 0.10, 0.055), trees)
        slant = 1.0 - np.abs(dot(view, n))
        result = result + pane * (0.16 + 0.8 * slant**4) * mirror
        return self.air(result, reach)

    def wood(self, name: str, p: Array) -> Array:
        """Colours of the fence and of the tree's bark."""
        if name == "fence":
            streak = self.noise.fractal(p * np.array([[9.0], [1.5], [9.0]]), 3)
            return np.asarray(rgb(0.74, 0.73, 0.69) * (1.0 + 0.07 * streak))
        bark = self.noise.fractal(p * np.array([[13.0], [2.6], [13.0]]), 4)
        return mix(rgb(0.060, 0.045, 0.032), rgb(0.20, 0.165, 0.125), 0.5 + 0.6 * bark)

    def shown(self) -> Array:
        """Light from every leaf: (3, N)."""
        leaves = self.leaves
        to = np.broadcast_to(SUN, leaves.place.shape)
        through = shadow(
            self.scene.distance, leaves.place, to, np.full(to.shape[1], 16.0), sharp=20.0, steps=24, first=0.3
        )
        sun = through * self.map.light(leaves.place)
        facing = dot(leaves.facing, to)
        # Sun from behind shines through a leaf, yellower and fainter.
        face = 0.25 + 0.75 * np.abs(facing)
        glow = np.where(facing * dot(leaves.facing, rgb(*EYE) - leaves.place) > 0.0, 1.0, 0.75)
        light = SUN_LIGHT * (sun * face * glow) + SKY_LIGHT * leaves.open * 0.9
        away = leaves.place - rgb(*EYE)
        return self.air(leaves.colour * light, np.sqrt(dot(away, away)))

    def render(self) -> Array:
        """Linear light of the whole picture: (height, width, 3)."""
        image = np.zeros((CAMERA.height, CAMERA.width, 3))
        depth = np.full((CAMERA.height, CAMERA.width), np.inf)
        forward = CAMERA.axes()[2]
        for row, col in CAMERA.tiles():
            view = CAMERA.rays(row, col)
            floor = self.ground(view)
            start = np.broadcast_to(rgb(*EYE), view.shape)
            hit = march(self.scene.distance, start, view, np.minimum(floor, 70.0), steps=110, touch=4e-4)
            solid = hit < floor
            reach = np.minimum(hit, floor)
            (met,) = np.nonzero(reach < 400.0)
            light = self.sky(view)
            if met.size:
                light[:, met] = self.shade(view[:, met], reach[met], solid[met])
            image[row, col] = light.T
            depth[row, col] = reach * dot(view, forward)
        foliage.paint(CAMERA, self.leaves, self.shown(), image, depth)
        return image


def picture() -> Image.Image:
    """The finished photograph."""
    return film.develop(Street().render(), exposure=0.78, seed=3, vignette=0.22, saturation=1.06)
