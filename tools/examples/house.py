"""A gabled house: solids and materials, in metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.examples.march import Part
from tools.examples.maths import Array, mix, rgb, smoothstep
from tools.examples.noise import Noise
from tools.examples.shapes import Point, box, rod

Colour = tuple[float, float, float]
FLOOR = 0.55  # height of the ground floor above the garden
# (x, y, half-width, half-height) of the front's windows, from the middle of the front.
FRONT = ((-1.75, 2.05, 0.62, 0.85), (-1.75, 4.75, 0.55, 0.78), (1.75, 4.75, 0.55, 0.78), (0.0, 7.15, 0.36, 0.50))
SIDE = ((2.4, 2.05, 0.5, 0.82), (6.6, 2.05, 0.5, 0.82), (2.4, 4.75, 0.5, 0.78), (6.6, 4.75, 0.5, 0.78))
DOOR = (1.75, 1.72, 0.55, 1.12)
PANE = 0.09  # how far glass stands back from the wall


@dataclass(frozen=True)
class House:
    """Front wall in the plane z = `place[2]`, ridge running away from the street."""

    place: Point
    half: float
    depth: float
    wall_top: float
    ridge: float
    wall: Colour
    roof: Colour
    accent: Colour
    noise: Noise

    def local(self, p: Array) -> Array:
        """Points about the foot of the front wall's middle."""
        return p - rgb(*self.place)

    def slope(self, q: Array) -> Array:
        """Height over the roof's upper face, measured square to it."""
        run, rise = self.half, self.ridge - self.wall_top
        return np.asarray(((q[1] - self.ridge) * run + np.abs(q[0]) * rise) / np.hypot(run, rise))

    def body(self, p: Array) -> Array:
        """Walls, with openings cut for windows and door."""
        q = self.local(p)
        d = np.maximum(np.abs(q[0]) - self.half, np.abs(q[2] - self.depth / 2) - self.depth / 2)
        d = np.maximum(np.maximum(d, self.slope(q) + 0.05), -q[1])
        hole = np.full(d.shape, 9.0)
        for x, y, w, h in (*FRONT, DOOR):
            hole = np.minimum(hole, np.maximum(np.abs(q[0] - x) - w, np.abs(q[1] - y) - h))
        hole = np.maximum(hole, np.abs(q[2]) - PANE)
        side = np.full(d.shape, 9.0)
        for z, y, w, h in SIDE:
            side = np.minimum(side, np.maximum(np.abs(q[2] - z) - w, np.abs(q[1] - y) - h))
        side = np.maximum(side, np.abs(q[0] + self.half) - PANE)
        return np.maximum(d, -np.minimum(hole, side))

    def tiles(self, p: Array) -> Array:
        """The roof's two slabs, stepped by their courses of tiles."""
        q = self.local(p)
        over = self.slope(q)
        down = np.abs(q[0]) * np.hypot(self.half, self.ridge - self.wall_top) / self.half
        course = down / 0.32
        step = 0.035 * (course - np.floor(course))
        slab = np.abs(over - 0.07 - 0.5 * step) - 0.07 - 0.5 * step
        slab = np.maximum(slab, np.abs(q[0]) - self.half - 0.42)
        slab = np.maximum(slab, np.abs(q[2] - self.depth / 2) - self.depth / 2 - 0.38)
        cap = rod(q, (0.0, self.ridge + 0.12, -0.40), (0.0, self.ridge + 0.12, self.depth + 0.4), 0.12)
        return 0.9 * np.minimum(slab, cap)

    def chimney(self, p: Array) -> Array:
        """A brick stack with a flared head and two pots."""
        q = self.local(p) - rgb(-1.45, self.ridge - 0.1, 3.4)
        stack = box(q, 0.42, 1.35, 0.42, 0.01)
        head = box(q - rgb(0.0, 1.28, 0.0), 0.50, 0.12, 0.50, 0.02)
        pots = box(np.stack([np.abs(q[0]) - 0.19, q[1] - 1.52, q[2]]), 0.11, 0.2, 0.11, 0.06)
        return np.minimum(np.minimum(stack, head), pots)

    @staticmethod
    def frame(u: Array, v: Array, out: Array, w: float, h: float) -> Array:
        """A window's casing, sill and glazing bars; `out` grows outwards from the wall."""
        rim = np.abs(np.maximum(np.abs(u) - w - 0.045, np.abs(v) - h - 0.045)) - 0.065
        d = np.maximum(rim, np.abs(out) - 0.045)
        bars = np.minimum(np.abs(u), np.abs(v - 0.12 * h)) - 0.024
        bars = np.maximum(np.maximum(bars, np.maximum(np.abs(u) - w, np.abs(v) - h)), np.abs(out + 0.07) - 0.03)
        sill = np.maximum(np.maximum(np.abs(u) - w - 0.18, np.abs(v + h + 0.12) - 0.045), np.abs(out - 0.06) - 0.09)
        return np.minimum(np.minimum(d, bars), sill)

    def trim_front(self, p: Array) -> Array:
        """White joinery of the front: casings, corner boards, barge boards, door frame, canopy."""
        q = self.local(p)
        d = np.full(q.shape[1], 9.0)
        for x, y, w, h in FRONT:
            d = np.minimum(d, self.frame(q[0] - x, q[1] - y, -q[2], w, h))
        x, y, w, h = DOOR
        rim = np.abs(np.maximum(np.abs(q[0] - x) - w - 0.05, np.abs(q[1] - y) - h - 0.05)) - 0.07
        d = np.minimum(d, np.maximum(np.maximum(rim, np.abs(q[2]) - 0.06), FLOOR - q[1]))
        corner = np.maximum(np.abs(np.abs(q[0]) - self.half + 0.06) - 0.09, np.abs(q[2]) - 0.035)
        corner = np.maximum(corner, q[1] - self.wall_top)
        barge = np.maximum(np.abs(self.slope(q) + 0.06) - 0.13, np.abs(q[2] + 0.37) - 0.03)
        barge = np.maximum(barge, np.abs(q[0]) - self.half - 0.40)
        band = np.maximum(np.abs(q[1] - self.wall_top) - 0.09, np.abs(q[2]) - 0.045)
        band = np.maximum(band, np.abs(q[0]) - self.half)
        canopy = box(q - rgb(x, 3.22, -0.45), 0.95, 0.07, 0.52, 0.02)
        post = np.maximum(np.hypot(np.abs(q[0] - x) - 0.83, q[2] + 0.86) - 0.055, np.abs(q[1] - 1.85) - 1.35)
        for other in (corner, barge, band, canopy, post):
            d = np.minimum(d, other)
        return d

    def trim_side(self, p: Array) -> Array:
        """White joinery of the left wall, and its gutter."""
        q = self.local(p)
        d = np.full(q.shape[1], 9.0)
        for z, y, w, h in SIDE:
            d = np.minimum(d, self.frame(q[2] - z, q[1] - y, -q[0] - self.half, w, h))
        corner = np.maximum(np.abs(q[2] - 0.06) - 0.09, np.abs(q[0] + self.half) - 0.035)
        d = np.minimum(d, np.maximum(corner, np.abs(q[1] - 0.5 * self.wall_top) - 0.5 * self.wall_top))
        drop = 0.42 * (self.ridge - self.wall_top) / self.half
        lip = (-self.half - 0.47, self.wall_top - drop - 0.02)
        return np.minimum(d, rod(q, (*lip, -0.36), (*lip, self.depth + 0.36), 0.075))

    def shutters(self, p: Array) -> Array:
        """Slatted shutters by the front's large windows."""
        q = self.local(p)
        d = np.full(q.shape[1], 9.0)
        for x, y, w, h in FRONT[:3]:
            off = np.abs(q[0] - x) - w - 0.36
            leaf = np.maximum(np.abs(off) - 0.22, np.abs(q[1] - y) - h - 0.04)
            slat = 0.012 * np.cos(q[1] * 2.0 * np.pi / 0.11) * (np.abs(off) < 0.17)
            d = np.minimum(d, np.maximum(leaf, np.abs(q[2] + 0.03) - 0.035 - slat))
        return 0.8 * d

    def door(self, p: Array) -> Array:
        """A panelled front door with a knob."""
        q = self.local(p) - rgb(DOOR[0], DOOR[1], 0.02)
        u = np.abs(q[0]) - 0.26
        panel = np.maximum(np.abs(u) - 0.17, np.abs(np.abs(q[1] + 0.05) - 0.52) - 0.40)
        leaf = box(q, DOOR[2], DOOR[3], 0.05) + 0.03 * smoothstep(0.03, -0.03, panel)
        knob = np.sqrt((q[0] + 0.44) ** 2 + q[1] ** 2 + (q[2] + 0.11) ** 2) - 0.045
        return np.minimum(leaf, knob)

    def steps(self, p: Array) -> Array:
        """Stone steps up to the door, and the plinth."""
        q = self.local(p)
        d = box(q - rgb(DOOR[0], 0.27, -0.55), 1.05, 0.27, 0.55, 0.02)
        for i in (1, 2):
            tread = box(q - rgb(DOOR[0], 0.27 - 0.09 * i, -0.9 - 0.3 * i), 0.95, 0.27 - 0.09 * i, 0.4, 0.02)
            d = np.minimum(d, tread)
        plinth = box(q - rgb(0.0, 0.22, self.depth / 2), self.half + 0.06, 0.22, self.depth / 2 + 0.06, 0.02)
        return np.minimum(d, plinth)

    def parts(self) -> list[Part]:
        """Everything, with the balls that hold it."""
        x, y, z = self.place
        middle = (x, y + 0.5 * self.ridge, z + self.depth / 2)
        size = float(np.sqrt((self.half + 0.5) ** 2 + (self.ridge / 2) ** 2 + (self.depth / 2 + 0.4) ** 2))
        front = (x, y + 4.0, z - 0.3)
        return [
            Part("wall", middle, size, self.body),
            Part("roof", (x, y + 0.5 * (self.ridge + self.wall_top), z + self.depth / 2), size, self.tiles),
            Part("chimney", (x - 1.45, y + self.ridge + 0.2, z + 3.4), 1.9, self.chimney),
            Part("trim", front, 6.2, self.trim_front),
            Part("trim", (x - self.half, y + 3.2, z + self.depth / 2), 6.6, self.trim_side),
            Part("shutter", (x, y + 3.4, z), 3.9, self.shutters),
            Part("door", (x + DOOR[0], y + DOOR[1], z), 1.4, self.door),
            Part("steps", middle, size, self.steps),
        ]

    def glass(self, p: Array) -> Array:
        """1 where wall points are really window panes, else 0."""
        q = self.local(p)
        front = np.zeros(q.shape[1], dtype=np.bool_)
        for x, y, w, h in FRONT:
            front |= (np.abs(q[0] - x) < w) & (np.abs(q[1] - y) < h)
        front &= np.abs(q[2] - PANE) < 0.02
        side = np.zeros(q.shape[1], dtype=np.bool_)
        for z, y, w, h in SIDE:
            side |= (np.abs(q[2] - z) < w) & (np.abs(q[1] - y) < h)
        return np.asarray(front | (side & (np.abs(q[0] + self.half - PANE) < 0.02)), dtype=np.float64)

    def room(self, p: Array) -> Array:
        """What shows behind a pane: a dim room between pale curtains: (3, N)."""
        q = self.local(p)
        u = np.where(np.abs(q[2] - PANE) < 0.02, q[0], q[2])
        near = np.full(u.shape, 9.0)
        for x, _, w, _ in (*FRONT, *SIDE):
            near = np.minimum(near, np.abs(np.abs(u - x) - w))
        drawn = smoothstep(0.30, 0.22, near + 0.03 * np.sin(7.0 * q[1]))
        fold = 0.75 + 0.25 * np.sin(u * 55.0)
        return mix(rgb(0.020, 0.022, 0.026), rgb(0.34, 0.32, 0.28) * fold, drawn * 0.75)

    def bricks(self, p: Array, u: Array, v: Array) -> Array:
        """Brickwork over surface coordinates in metres: (3, N)."""
        row = np.floor(v / 0.075)
        shift = u / 0.22 + 0.5 * (row % 2.0)
        column = np.floor(shift)
        across, along = shift - column, v / 0.075 - row
        hue = 0.5 + 0.5 * self.noise.plane(column * 5.3 + 0.5, row * 7.1 + 0.5)
        brick = mix(rgb(0.24, 0.085, 0.055), rgb(0.40, 0.165, 0.10), hue)
        brick = brick * (1.0 + 0.18 * self.noise.fractal(p * 12.0, 3))
        edge = np.minimum(np.minimum(across, 1.0 - across) * 0.22, np.minimum(along, 1.0 - along) * 0.075)
        return mix(rgb(0.34, 0.31, 0.28), brick, smoothstep(0.003, 0.009, edge))

    def paint(self, name: str, p: Array) -> Array:
        """Colour of a part's surface at (3, N) points."""
        q = self.local(p)
        wide = self.noise.fractal(p * 0.6, 3)
        fine = self.noise.fractal(p * 7.0, 3)
        if name == "wall":
            board = q[1] / 0.17 - np.floor(q[1] / 0.17)
            lap = 1.0 - 0.42 * smoothstep(0.86, 0.97, board) - 0.10 * smoothstep(0.25, 0.0, board)
            grime = 1.0 - 0.16 * smoothstep(1.6, 0.3, q[1] + 0.5 * wide)
            weather = 1.0 + 0.05 * wide + 0.035 * fine
            return np.asarray(rgb(*self.wall) * lap * grime * weather)
        if name == "roof":
            down = np.abs(q[0]) * np.hypot(self.half, self.ridge - self.wall_top) / self.half
            row = np.floor(down / 0.32)
            shift = q[2] / 0.27 + 0.5 * (row % 2.0)
            column = np.floor(shift)
            hue = self.noise.plane(column * 3.7 + 0.5, row * 5.9 + 0.5 + 40.0 * (q[0] > 0))
            edge = np.minimum(shift - column, 1.0 - shift + column)
            along = down / 0.32 - row
            tile = rgb(*self.roof) * (1.0 + 0.30 * hue + 0.18 * fine + 0.14 * wide)
            tile = tile * (1.0 - 0.5 * smoothstep(0.06, 0.02, edge)) * (1.0 - 0.45 * smoothstep(0.10, 0.0, along))
            return mix(tile, rgb(0.13, 0.14, 0.055), 0.30 * smoothstep(0.25, 0.8, wide + 0.4 * fine))
        if name == "chimney":
            top = smoothstep(self.ridge + 1.32, self.ridge + 1.34, q[1])
            brick = self.bricks(p, q[0] + q[2], q[1])
            return mix(brick, rgb(0.36, 0.15, 0.085) * (1.0 + 0.15 * fine), top)
        if name in ("door", "shutter"):
            knob = (np.abs(q[0] - DOOR[0] + 0.44) < 0.06) & (q[2] < -0.04) & (np.abs(q[1] - DOOR[1]) < 0.06)
            coat = rgb(*self.accent) * (1.0 + 0.08 * fine)
            return np.where(knob & (name == "door"), rgb(0.55, 0.40, 0.16), coat)
        if name == "steps":
            return np.asarray(rgb(0.34, 0.325, 0.30) * (1.0 + 0.16 * fine + 0.14 * wide))
        return np.asarray(rgb(0.74, 0.73, 0.70) * (1.0 + 0.03 * fine + 0.04 * wide))
