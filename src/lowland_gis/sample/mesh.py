"""Rectangles of the plan with common corners become polygons that share every vertex of their common edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from lowland_gis.sample.dice import Floats, Ints, Shapes

LINE = np.int64(1 << 22)
STEP_M = 40
LONG_M = 60


@dataclass(frozen=True)
class Mesh:
    """All vertices on vertical lines (x, y) and on horizontal lines (y, x), each as one sorted key."""

    vertical: Ints
    horizontal: Ints

    @classmethod
    def of(cls, boxes: Ints) -> Mesh:
        """Collect the vertices of boxes (rows x0, y0, x1, y1): corners and steps along long edges."""
        x0, y0, x1, y1 = boxes.T
        vertical = [line * LINE + end for line in (x0, x1) for end in (y0, y1)]
        horizontal = [line * LINE + end for line in (y0, y1) for end in (x0, x1)]
        steps_y, owner_y = _steps(y0, y1)
        steps_x, owner_x = _steps(x0, x1)
        vertical += [line[owner_y] * LINE + steps_y for line in (x0, x1)]
        horizontal += [line[owner_x] * LINE + steps_x for line in (y0, y1)]
        return cls(_sorted_once(vertical), _sorted_once(horizontal))

    def rings(self, boxes: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Return x, y and owner of all ring vertices (counter-clockwise, closed) and the ring offsets."""
        x0, y0, x1, y1 = boxes.T
        edges = (
            (self.horizontal, y0, x0, x1, False),
            (self.vertical, x1, y0, y1, False),
            (self.horizontal, y1, x0, x1, True),
            (self.vertical, x0, y0, y1, True),
        )
        slices = [_slice(keys, line, low, high, backwards) for keys, line, low, high, backwards in edges]
        counts = [stop - start for start, stop in slices]
        sizes = np.sum(counts, axis=0) + 1
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        x = np.empty(offsets[-1], dtype=np.int64)
        y = np.empty(offsets[-1], dtype=np.int64)
        position = offsets[:-1].copy()
        for number, (keys, _, _, _, backwards) in enumerate(edges):
            start, stop = slices[number]
            target, source = _ranges(position, start, stop, backwards=backwards)
            lines, ends = np.divmod(keys[source], LINE)
            x[target], y[target] = (ends, lines) if number % 2 == 0 else (lines, ends)
            position += counts[number]
        x[position], y[position] = x[offsets[:-1]], y[offsets[:-1]]
        return x, y, np.repeat(np.arange(len(boxes)), sizes), offsets


def _sorted_once(parts: list[Ints]) -> Ints:
    """Return the distinct keys in order (sorting is several times faster here than hashing)."""
    keys = np.concatenate(parts)
    keys.sort()
    return np.asarray(keys[np.r_[True, keys[1:] != keys[:-1]]])


def _steps(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Return the multiples of the step strictly inside long spans, and the span that each belongs to."""
    first = low // STEP_M + 1
    count = np.where(high - low > LONG_M, np.maximum((high - 1) // STEP_M - first + 1, 0), 0)
    owner = np.repeat(np.arange(len(low)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    steps = (first[owner] + within) * STEP_M
    clear = (steps - low[owner] >= STEP_M // 4) & (high[owner] - steps >= STEP_M // 4)
    return steps[clear], owner[clear]


def _slice(keys: Ints, line: Ints, low: Ints, high: Ints, backwards: bool) -> tuple[Ints, Ints]:
    """Return the places of an edge's vertices: its start belongs to it, its end to the next edge."""
    side: Literal["left", "right"] = "right" if backwards else "left"
    start = np.searchsorted(keys, line * LINE + low, side=side)
    stop = np.searchsorted(keys, line * LINE + high, side=side)
    return start, stop


def _ranges(position: Ints, start: Ints, stop: Ints, *, backwards: bool) -> tuple[Ints, Ints]:
    count = stop - start
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    source = np.repeat(stop - 1, count) - within if backwards else np.repeat(start, count) + within
    return np.repeat(position, count) + within, source


def polygons(x: Floats, y: Floats, offsets: Ints) -> Shapes:
    """Build one polygon of each closed ring."""
    rings = np.arange(len(offsets))
    points = np.column_stack([x, y])
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, points, (offsets, rings)))
