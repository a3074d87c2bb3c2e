"""A still life: fruit and pottery on a wooden table, lit by a window from the left."""

from __future__ import annotations

from functools import partial

import numpy as np
from PIL import Image

from tools.examples import film, fruit
from tools.examples.march import Camera, Part, Scene, march, normals, openness, shadow
from tools.examples.maths import Array, Index, dot, mix, reflect, rgb, smoothstep, unit
from tools.examples.noise import Noise
from tools.examples.shapes import Point, ball, blend, drum, rod, turn

CAMERA = Camera(
    eye=(0.35, 3.25, -9.2),
    target=(0.12, 1.08, 0.0),
    zoom=3.12,
    width=1024 * film.SUPERSAMPLE,
    height=768 * film.SUPERSAMPLE,
)
WALL = 2.7  # depth of the wall behind the table; a unit is about 7 cm
WINDOW = (-7.0, 4.7, -2.2)  # centre of the window pane
WINDOW_TALL, WINDOW_WIDE = 2.3, 2.0  # its half-sides, along y and z
KEY = rgb(1.0, 0.93, 0.82) * 1.75
BOWL: Point = (0.45, 0.0, 0.15)
JUG: Point = (-1.75, 0.0, 1.35)
PEAR: Point = (-1.72, 0.02, -0.75)
GRAPES: Point = (2.04, 0.0, -0.75)
APPLES = (
    # place, radius, turn, ripeness
    ((0.02, 1.02, -0.36), 0.56, 0.4, 0.62),
    ((1.02, 1.03, -0.18), 0.55, 2.0, 0.40),
    ((0.42, 1.72, 0.08), 0.53, 4.3, 0.78),
    ((-0.72, 0.47, -1.42), 0.55, 5.2, 0.70),
)
ORANGES = (((0.44, 1.05, 0.72), 0.55), ((0.98, 0.52, -1.95), 0.545))
GLOSS = {"bowl": 0.92, "jug": 0.55, "apple": 0.8, "orange": 0.35, "pear": 0.4, "grape": 0.45, "table": 0.4}


def at(place: Point, p: Array) -> Array:
    """Points about a place."""
    return p - rgb(*place)


class StillLife:
    """The scene's objects and materials."""

    def __init__(self) -> None:
        self.noise = Noise(23)
        self.grapes = fruit.bunch(5)
        parts = [
            Part("bowl", (0.45, 0.7, 0.15), 1.60, self.bowl),
            Part("jug", (-1.75, 1.35, 1.35), 1.75, self.jug),
            Part("pear", (PEAR[0], 0.85, PEAR[2]), 1.05, lambda p: fruit.pear(at(PEAR, p), 0.56)),
            Part("cloth", (-1.3, 0.05, -1.6), 2.5, self.cloth),
        ]
        for place, radius, angle, _ in APPLES:
            parts.append(Part("apple", place, 1.25 * radius, partial(self.apple, place, radius, angle)))
        for place, radius in ORANGES:
            parts.append(Part("orange", place, 1.02 * radius, lambda p, c=place, r=radius: fruit.orange(at(c, p), r)))
        parts.append(Part("grape", (GRAPES[0], 0.35, GRAPES[2]), 1.30, self.bunch))
        self.scene = Scene(parts, slack=0.6)

    @staticmethod
    def apple(place: Point, radius: float, angle: float, p: Array) -> Array:
        """One apple, turned so that no two show the same side."""
        return fruit.apple(turn(at(place, p), angle), radius)

    @staticmethod
    def bowl(p: Array) -> Array:
        """A thrown bowl on a foot ring."""
        q = at(BOWL, p) - rgb(0.0, 1.48, 0.0)
        radius, cut = 1.42, -0.30
        rim = float(np.sqrt(radius**2 - cut**2))
        flat = np.hypot(q[0], q[2])
        shell = (
            np.where(
                cut * flat < rim * q[1],
                np.hypot(flat - rim, q[1] - cut),
                np.abs(np.hypot(flat, q[1]) - radius),
            )
            - 0.045
        )
        foot = drum(at(BOWL, p) - rgb(0.0, 0.06, 0.0), 0.62, 0.06, 0.02)
        return blend(shell, foot, 0.12)

    @staticmethod
    def jug(p: Array) -> Array:
        """A stoneware jug with a waist, a lip and a handle."""
        q = at(JUG, p)
        flat, y = np.hypot(q[0], q[2]), q[1]
        body = 0.80 + 0.17 * np.sin(1.55 * y + 0.15) - 0.42 * smoothstep(1.25, 2.35, y)
        body = body + 0.20 * smoothstep(2.35, 2.95, y)
        side = 0.80 * (flat - body)
        wall = np.maximum(np.abs(side + 0.03) - 0.03, y - 2.85)
        solid = np.maximum(np.maximum(side, y - 2.0), -y)
        out = np.minimum(np.maximum(wall, -y), solid) - 0.015
        h = turn(q, 0.5) - rgb(0.72, 1.85, 0.0)
        loop = np.hypot(np.hypot(h[0] * 1.15, h[1] * 0.80) - 0.50, h[2]) - 0.085
        return blend(out, 0.85 * loop, 0.10)

    def cloth(self, p: Array) -> Array:
        """A linen cloth that lies in loose folds."""
        q = turn(at((-1.3, 0.0, -1.6), p), 0.32)
        fold = self.noise.cloud(q[0] * 0.75 + 2.0, q[2] * 0.42, 2)
        crossing = self.noise.cloud(q[0] * 0.85 + 0.3 * fold, q[2] * 0.30 + 7.0, 2)
        crease = 1.0 - np.sqrt(crossing**2 + 0.02)
        inside = np.hypot(np.maximum(np.abs(q[0]) - 1.2, 0.0), np.maximum(np.abs(q[2]) - 1.25, 0.0))
        edge = np.maximum(np.abs(q[0]) - 1.5, np.abs(q[2]) - 1.6)
        lift = 0.10 * np.maximum(fold, 0.0) + 0.14 * np.maximum(crease, 0.0) ** 5
        top = 0.025 + lift * smoothstep(0.55, 0.0, inside * 0.7)
        return np.maximum(0.72 * (q[1] - top), edge + 0.03 * fold)

    def bunch(self, p: Array) -> Array:
        """All grapes and their stalk."""
        q = turn(at(GRAPES, p), 0.45)
        best = np.full(p.shape[1], 9.0)
        for (x, y, z), r in self.grapes:
            best = np.minimum(best, np.sqrt((q[0] - x) ** 2 + (q[1] - y) ** 2 + (q[2] - z) ** 2) - r)
        stalk = rod(q, (-0.55, 0.55, 0.0), (-1.12, 0.62, 0.12), 0.035, 0.05)
        return np.minimum(best, stalk)

    def distance(self, p: Array) -> Array:
        """Distance to anything: objects, table or wall."""
        return np.minimum(np.minimum(p[1], WALL - p[2]), self.scene.distance(p))

    def wood(self, p: Array) -> Array:
        """Colour of the table's boards: (3, N)."""
        x, z = p[0], p[2] + 0.13
        board = np.floor(z / 1.15)
        across = z / 1.15 - board
        shift = 13.7 * board
        warp = self.noise.cloud(x * 0.22 + shift, z * 1.1 + shift, 3)
        ring = 0.5 + 0.5 * np.sin(22.0 * (across + 0.55 * warp) + shift)
        pore = self.noise.cloud(x * 1.6 + shift, z * 38.0, 3)
        fine = self.noise.cloud(x * 7.0, z * 95.0, 2)
        tone = 0.5 * ring + 0.32 * pore + 0.15 * fine + 0.22 * self.noise.plane(board * 3.3, board)
        colour = mix(rgb(0.30, 0.155, 0.070), rgb(0.115, 0.050, 0.022), smoothstep(-0.35, 1.05, tone))
        worn = self.noise.cloud(x * 0.8, z * 0.8, 4)
        colour = colour * (1.0 + 0.22 * worn)
        gap = smoothstep(0.012, 0.004, np.minimum(across, 1.0 - across))
        return np.asarray(colour * (1.0 - 0.85 * gap))

    def plaster(self, p: Array) -> Array:
        """Colour of the wall: (3, N)."""
        wide = self.noise.cloud(p[0] * 0.45, p[1] * 0.45, 5, 0.6)
        fine = self.noise.cloud(p[0] * 6.0, p[1] * 6.0, 4)
        return np.asarray(mix(rgb(0.165, 0.185, 0.175), rgb(0.27, 0.28, 0.25), 0.5 + 0.55 * wide) * (1.0 + 0.07 * fine))

    def paint(self, part: Part, p: Array) -> Array:
        """Colour of an object's surface at (3, N) points."""
        if part.name == "apple":
            place, radius, angle, ripe = next(a for a in APPLES if a[0] == part.centre)
            return fruit.apple_skin(turn(at(place, p), angle), radius, self.noise, ripe)
        if part.name == "orange":
            return fruit.orange_skin(at(part.centre, p), 0.55, self.noise)
        if part.name == "pear":
            return fruit.pear_skin(at(PEAR, p), 0.56, self.noise)
        if part.name == "grape":
            q = turn(at(GRAPES, p), 0.45)
            gaps = np.stack([ball(q - rgb(*c), r) for c, r in self.grapes])
            hue = np.asarray(np.argmin(gaps, axis=0) * 0.618 % 1.0)
            skin = fruit.grape_skin(p, self.noise, 0.5)
            skin = skin * mix(0.75, 1.3, hue)
            return np.where(gaps.min(axis=0) > 0.01, rgb(0.16, 0.13, 0.05), skin)
        if part.name == "cloth":
            q = turn(at((-1.3, 0.0, -1.6), p), 0.32)
            weave = 0.04 * (np.sin(q[0] * 150.0) + np.sin(q[2] * 150.0))
            band = np.abs(np.abs(q[0]) - 1.22)
            stripe = smoothstep(0.085, 0.075, band) + smoothstep(0.018, 0.010, np.abs(band - 0.125))
            linen = mix(rgb(0.66, 0.62, 0.54), rgb(0.13, 0.20, 0.31), 0.85 * np.minimum(stripe, 1.0))
            return np.asarray(linen * (1.0 + weave + 0.05 * self.noise.fractal(p * 9.0, 2)))
        if part.name == "jug":
            speck = smoothstep(0.52, 0.88, self.noise.fractal(p * 42.0, 2))
            wide = self.noise.fractal(p * np.array([[0.8], [2.4], [0.8]]), 3)
            clay = mix(rgb(0.44, 0.39, 0.32), rgb(0.56, 0.50, 0.42), 0.5 + 0.5 * wide)
            glaze = smoothstep(1.15, 1.28, p[1] + 0.12 * self.noise.fractal(p * 1.6, 3))
            clay = mix(rgb(0.34, 0.215, 0.135) * (1.0 + 0.2 * wide), clay, glaze)
            return mix(clay, rgb(0.20, 0.14, 0.09), 0.45 * speck)
        q = at(BOWL, p)
        wide = self.noise.fractal(p * np.array([[1.2], [3.0], [1.2]]), 3)
        glaze = mix(rgb(0.055, 0.125, 0.185), rgb(0.12, 0.235, 0.29), 0.5 + 0.6 * wide)
        lip = smoothstep(1.10, 1.19, q[1] + 0.02 * wide)
        glaze = mix(glaze, rgb(0.42, 0.33, 0.22), 0.75 * lip)
        bare = smoothstep(0.17, 0.12, q[1] + 0.02 * wide)
        return mix(glaze, rgb(0.36, 0.25, 0.17), bare)

    def pane(self, p: Array, out: Array, blur: Array) -> Array:
        """Brightness of the window as seen along `out` from points, edges softened by `blur`."""
        t = (WINDOW[0] - p[0]) / np.minimum(out[0], -1e-3)
        y, z = p[1] + t * out[1] - WINDOW[1], p[2] + t * out[2] - WINDOW[2]
        soft = 0.10 + 2.2 * blur
        inside = smoothstep(soft, -soft, np.abs(y) - WINDOW_TALL)
        inside = inside * smoothstep(soft, -soft, np.abs(z) - WINDOW_WIDE)
        bars = smoothstep(0.10 - soft, 0.10 + soft, np.minimum(np.abs(y), np.abs(z)))
        return np.where(out[0] < -1e-3, inside * mix(bars, 0.9, np.clip(blur * 2.0, 0.0, 1.0)), 0.0)

    def shade(self, row: Index, col: Index, eye: Array, view: Array, reach: Array) -> Array:
        """Light back along view rays that reach something at `reach`: (3, N)."""
        p = eye + view * reach
        colour, gloss, n = np.empty(p.shape), np.zeros(reach.size), np.empty(p.shape)
        on_table, on_wall = p[1] < 0.004, p[2] > WALL - 0.004
        n[:] = np.where(on_wall, rgb(0.0, 0.0, -1.0), rgb(0.0, 1.0, 0.0))
        colour[:, on_wall] = self.plaster(p[:, on_wall])
        colour[:, on_table] = self.wood(p[:, on_table])
        gloss[on_table] = GLOSS["table"]
        (solid,) = np.nonzero(~on_table & ~on_wall)
        if solid.size:
            q = p[:, solid]
            n[:, solid] = normals(self.scene.distance, q)
            for part, where in self.scene.names(self.scene.owner(q)):
                colour[:, solid[where]] = self.paint(part, q[:, where])
                gloss[solid[where]] = GLOSS.get(part.name, 0.0)
                if part.name == "orange":
                    n[:, solid[where]] = self.pores(q[:, where], n[:, solid[where]])
        # The four samples of a pixel look at four quarters of the window.
        y = WINDOW[1] + np.where(row % 2 == 0, 0.5, -0.5) * WINDOW_TALL
        z = WINDOW[2] + np.where(col % 2 == 0, 0.5, -0.5) * WINDOW_WIDE
        to = np.stack([np.full(y.shape, WINDOW[0]), y, z]) - p
        far = np.sqrt(dot(to, to))
        to = to / far
        lift = p + n * 0.006
        through = shadow(self.scene.distance, lift, to, np.minimum(far, 6.0), sharp=6.5)
        strength = 62.0 * np.clip(-to[0], 0.0, 1.0) / far**2
        facing = dot(n, to)
        wrap = np.clip((facing + 0.06) / 1.06, 0.0, 1.0)
        light = KEY * (strength * wrap * through)
        free = openness(self.distance, lift, n, 0.55)
        room = mix(rgb(0.15, 0.125, 0.105), rgb(0.22, 0.245, 0.285), 0.5 + 0.5 * n[1])
        bounce = rgb(0.26, 0.14, 0.07) * (np.clip(0.45 - 0.55 * n[1], 0.0, 1.0) * np.exp(-0.8 * p[1]))
        light = light + free * (room + bounce)
        result = colour * light
        out = reflect(view, n)
        fresnel = 0.04 + 0.96 * np.clip(1.0 - np.abs(dot(view, n)), 0.0, 1.0) ** 5
        rough = (1.0 - gloss) ** 2
        seen = self.pane(p, out, rough) * smoothstep(0.0, 0.4, through)
        dim = mix(rgb(0.05, 0.045, 0.04), rgb(0.20, 0.20, 0.20), 0.5 + 0.5 * out[1]) * free
        mirror = dim + KEY * 2.4 * seen
        shiny = gloss > 0.3
        (look,) = np.nonzero((on_table & (p[2] < WALL - 0.02)) | (gloss > 0.85))
        if look.size:
            mirror[:, look] = self.glance(lift[:, look], out[:, look], mirror[:, look], on_table[look])
        return result + np.where(shiny, fresnel * gloss, 0.0) * mirror

    def glance(self, p: Array, out: Array, empty: Array, table: Array) -> Array:
        """Light met by mirror rays: objects close by, else `empty`."""
        t = march(self.scene.distance, p, out, np.full(p.shape[1], 3.0), steps=36, touch=4e-3)
        (hit,) = np.nonzero(np.isfinite(t))
        result = empty.copy()
        if hit.size:
            q = p[:, hit] + out[:, hit] * t[hit]
            n = normals(self.scene.distance, q, 4e-3)
            colour = np.empty(q.shape)
            for part, where in self.scene.names(self.scene.owner(q)):
                colour[:, where] = self.paint(part, q[:, where])
            key = np.clip(dot(n, unit(rgb(*WINDOW) - q)), 0.0, 1.0)
            light = colour * (rgb(0.16, 0.15, 0.14) + KEY * 0.85 * key)
            fade = np.exp(-0.9 * t[hit]) * np.where(table[hit], 1.0, 0.6)
            result[:, hit] = mix(empty[:, hit], light, fade)
        return result

    def pores(self, p: Array, n: Array) -> Array:
        """Normals dented by an orange's pores."""
        h, scale = 0.004, 30.0
        slope = np.stack(
            [
                self.noise.space((p + h * np.eye(3)[:, k : k + 1]) * scale)
                - self.noise.space((p - h * np.eye(3)[:, k : k + 1]) * scale)
                for k in range(3)
            ]
        ) / (2.0 * h)
        return unit(n - 0.0022 * (slope - n * dot(slope, n)))

    def render(self) -> Array:
        """Linear light of the whole picture: (height, width, 3)."""
        image = np.zeros((CAMERA.height, CAMERA.width, 3))
        eye = rgb(*CAMERA.eye)
        for row, col in CAMERA.tiles():
            view = CAMERA.rays(row, col)
            table = np.where(view[1] < -1e-6, -eye[1] / np.minimum(view[1], -1e-6), np.inf)
            reach = np.minimum(table, (WALL - eye[2]) / view[2])
            start = np.broadcast_to(eye, view.shape)
            hit = march(self.scene.distance, start, view, reach)
            image[row, col] = self.shade(row, col, eye, view, np.minimum(hit, reach)).T
        return image


def picture() -> Image.Image:
    """The finished photograph."""
    return film.develop(StillLife().render(), exposure=1.12, seed=2, vignette=0.34)
