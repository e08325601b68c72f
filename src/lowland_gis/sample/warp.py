"""The one smooth map from the integer plane of the plan to EPSG:4548, which gives the district its organic look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lowland_gis.sample.dice import Floats, Ints, lattice_noise, smooth_noise
from lowland_gis.sample.mesh import LINE
from lowland_gis.sample.plan import Box

CENTRE_E, CENTRE_N = 515_400.0, 4_345_200.0
TURN_DEGREES = 11.0
ROUNDING = 0.30
WOBBLE_M = 0.25
DECIMALS = 4
# A lane is 4 m wide and its two sides have vertices of their own, at most 60 m apart: a tighter bend would let them cross.
TIGHTEST_BEND_M = 300.0
SAMPLES = 7


@dataclass(frozen=True)
class Warp:
    """Bubbles inside blocks and cells, the bends of the river, and the rounded, turned outline."""

    root: Box
    river_x: float
    leaf_boxes: Ints
    leaf_push: Floats
    leaf_cell: Ints
    cell_boxes: Ints
    cell_push: Floats
    seed: int

    def place(
        self, x: Floats, y: Floats, leaf: Ints, cell: Ints, *, wobble: bool = True
    ) -> tuple[Floats, Floats]:
        """Return easting and northing of points of the plan; leaf and cell are −1 outside any."""
        px, py = _bubble(x, y, leaf, self.leaf_boxes, self.leaf_push)
        px, py = _bubble(px, py, cell, self.cell_boxes, self.cell_push)
        if wobble:
            keys = x.astype(np.int64) * LINE + y.astype(np.int64)
            px = px + WOBBLE_M * (2 * lattice_noise(keys, self.seed) - 1)
            py = py + WOBBLE_M * (2 * lattice_noise(keys, self.seed + 1) - 1)
        return self._globe(px, py)

    def least_share(self) -> Floats:
        """Return for every block the area on the ground over the area in the plan, where it shrinks most."""
        x0, y0, x1, y1 = self.leaf_boxes[:, :, None, None].transpose(1, 0, 2, 3).astype(float)
        steps = np.linspace(0.0, 1.0, SAMPLES)
        grid = (len(self.leaf_boxes), SAMPLES, SAMPLES)
        x = np.broadcast_to(x0 + (x1 - x0) * steps[:, None], grid)
        y = np.broadcast_to(y0 + (y1 - y0) * steps, grid)
        leaf = np.repeat(np.arange(len(self.leaf_boxes)), SAMPLES**2)
        place = self.place(x.ravel(), y.ravel(), leaf, self.leaf_cell[leaf], wobble=False)
        east, north = (values.reshape(grid) for values in place)
        # Half the cross product of the diagonals of each quarter of the grid is its area.
        across = (values[:, 1:, 1:] - values[:, :-1, :-1] for values in (east, north))
        back = (values[:, :-1, 1:] - values[:, 1:, :-1] for values in (east, north))
        (ax, ay), (bx, by) = across, back
        ground = np.abs(ax * by - ay * bx) / 2
        plan = ((x1 - x0) * (y1 - y0))[:, 0, 0] / (SAMPLES - 1) ** 2
        return np.asarray(ground.min(axis=(1, 2)) / plan)

    def _globe(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Bend the whole plan: river, low waves, rounded corners, a turn."""
        width, height = self.root[2], self.root[3]
        x, y = self._bend_river(x, y)
        u, v = 2 * x / width - 1, 2 * y / height - 1
        phase = np.random.default_rng([self.seed, 77]).uniform(0, 2 * np.pi, 6)
        u, v = (
            u
            + 0.035 * np.sin(2.1 * v + 1.3 * u + phase[0])
            + 0.022 * np.sin(5.3 * v - 1.1 * u + phase[1])
            + 0.007 * np.sin(11 * v + phase[2]),
            v
            + 0.040 * np.sin(2.4 * u - 0.9 * v + phase[3])
            + 0.022 * np.sin(5.9 * u + 0.8 * v + phase[4])
            + 0.007 * np.sin(12 * u + phase[5]),
        )
        east, north = (
            u * np.sqrt(1 - ROUNDING * v * v) * width / 2,
            v * np.sqrt(1 - ROUNDING * u * u) * height / 2,
        )
        cosine, sine = np.cos(np.radians(TURN_DEGREES)), np.sin(np.radians(TURN_DEGREES))
        return (
            np.round(CENTRE_E + east * cosine - north * sine, DECIMALS),
            np.round(CENTRE_N + east * sine + north * cosine, DECIMALS),
        )

    def _bend_river(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        width, height = self.root[2], self.root[3]
        reach = min(0.16 * width, 1500.0)
        gentle = 2 * np.pi * np.sqrt(TIGHTEST_BEND_M * reach * (0.42 + 0.17 * 1.7**2))
        length = max(min(height / 2.2, 5200.0), 1.9 * reach, gentle)
        fade = np.exp(-(((x - self.river_x) / reach) ** 2))
        angle = 2 * np.pi * y / length
        bend = 0.42 * reach * np.sin(angle + 0.7) + 0.17 * reach * np.sin(1.7 * angle + 2.0)
        return x + fade * bend, y


def pushes(boxes: Ints, share: Floats, random: np.random.Generator) -> Floats:
    """Draw for every box how its inside is pushed (metres), at most the share of its shorter side."""
    side = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    return np.asarray(random.uniform(-1, 1, (len(boxes), 4)) * (side * share)[:, None])


def _bubble(x: Floats, y: Floats, owner: Ints, boxes: Ints, push: Floats) -> tuple[Floats, Floats]:
    """Push points inside their box; nothing moves on its edge, so neighbours keep their common vertices."""
    inside = owner >= 0
    box = boxes[np.where(inside, owner, 0)]
    force = push[np.where(inside, owner, 0)]
    u = np.clip((x - box[:, 0]) / (box[:, 2] - box[:, 0]), 0.0, 1.0)
    v = np.clip((y - box[:, 1]) / (box[:, 3] - box[:, 1]), 0.0, 1.0)
    lift = np.where(inside, 16 * u * (1 - u) * v * (1 - v), 0.0)
    return (
        x + lift * (force[:, 0] + force[:, 1] * (2 * v - 1)),
        y + lift * (force[:, 2] + force[:, 3] * (2 * u - 1)),
    )


def drift(x: Floats, y: Floats, *, size_m: float, seed: int) -> tuple[Floats, Floats]:
    """Move points by a smooth field, as an older and coarser survey would have them."""
    random = np.random.default_rng([seed, 2009])
    east = smooth_noise(x, y, wavelength=450, random=random)
    north = smooth_noise(x, y, wavelength=450, random=random)
    return np.round(x + size_m * east / 2, DECIMALS), np.round(y + size_m * north / 2, DECIMALS)
