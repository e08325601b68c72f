"""Polygons as flat arrays of rings: what the compiled functions read; taking, joining and exchanging them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, entry

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Rings of more edges than this carry boxes of blocks of edges, so that a box query passes over most of them.
BLOCK = 16
LARGE = 64


class Rings(NamedTuple):
    """Polygons (S), their rings (R) and the vertices of these (N), closed rings one after the other.

    `xy` (N, 2); `ring_start`, `ring_size`: first vertex and number of vertices of a ring; `ring_sign`: what the signed area of
    a ring is multiplied by so that shells add and holes subtract, 0 where it has no area; `ring_block`: its first row in
    `blocks`, or −1; `blocks` (B, 4): boxes of 16, 256, … consecutive edges; `shape_ring`, `shape_rings`: first ring and
    number of rings of a polygon (0 where there is no polygon); `box` (S, 4): west, south, east, north, NaN where there is
    no polygon; `area` (S): planar area, NaN likewise.
    """

    xy: Floats
    ring_start: Integers
    ring_size: Integers
    ring_sign: Floats
    ring_block: Integers
    blocks: Floats
    shape_ring: Integers
    shape_rings: Integers
    box: Floats
    area: Floats


def joined(parts: list[Rings]) -> Rings:
    """Return the polygons of several batches one after the other."""
    if not parts:
        return room(0, 0, 0, 0)
    if len(parts) == 1:
        return parts[0]
    points = _before_each([len(part.xy) for part in parts])
    rings = _before_each([len(part.ring_start) for part in parts])
    blocks = _before_each([len(part.blocks) for part in parts])
    moved = [
        part._replace(
            ring_start=part.ring_start + points[n],
            ring_block=np.where(part.ring_block < 0, -1, part.ring_block + blocks[n]),
            shape_ring=part.shape_ring + rings[n],
        )
        for n, part in enumerate(parts)
    ]
    return Rings(*(np.concatenate(columns) for columns in zip(*moved, strict=True)))


def substituted(rings: Rings, rows: npt.NDArray[np.intp], others: Rings) -> Rings:
    """Return the polygons with those of `rows` replaced by `others`, one for one."""
    if len(rows) == 0:
        return rings
    both = joined([rings, others])
    place = np.arange(len(rings.box))
    place[rows] = len(rings.box) + np.arange(len(rows))
    return taken(both, place)


def taken(rings: Rings, rows: npt.NDArray[np.intp]) -> Rings:
    """Return some polygons in the order of `rows`; the vertices are shared, not copied."""
    return rings._replace(
        shape_ring=rings.shape_ring[rows],
        shape_rings=rings.shape_rings[rows],
        box=rings.box[rows],
        area=rings.area[rows],
    )


def gathered(rings: Rings, rows: npt.NDArray[np.intp]) -> Rings:
    """Return some polygons in the order of `rows` with vertices of their own: what was large may be let go."""
    some = taken(rings, rows)
    first = np.repeat(some.shape_ring - _before_each(some.shape_rings), some.shape_rings)
    ring = first + np.arange(len(first))
    sizes = rings.ring_size[ring]
    starts = _before_each(sizes)
    xy = np.empty((int(sizes.sum()), 2))
    _copy_rings(rings.xy, rings.ring_start[ring], sizes, xy)
    return some._replace(
        xy=xy,
        ring_start=starts,
        ring_size=sizes,
        ring_sign=rings.ring_sign[ring],
        ring_block=rings.ring_block[ring],
        shape_ring=_before_each(some.shape_rings),
    )


@entry
def _copy_rings(xy: Floats, starts: Integers, sizes: Integers, into: Floats) -> None:
    at = 0
    for ring in range(len(starts)):
        for n in range(starts[ring], starts[ring] + sizes[ring]):
            into[at, 0], into[at, 1] = xy[n, 0], xy[n, 1]
            at += 1


def _before_each(sizes: Integers | list[int]) -> Integers:
    """Return the sum of all sizes before each one."""
    return np.cumsum(sizes, dtype=np.int64) - np.asarray(sizes, dtype=np.int64)


def room(shapes: int, rings: int, points: int, blocks: int) -> Rings:
    """Return arrays for so many polygons, rings, vertices and boxes of blocks; no polygon has a ring yet."""
    return Rings(
        xy=np.empty((points, 2)),
        ring_start=np.empty(rings, dtype=np.int64),
        ring_size=np.empty(rings, dtype=np.int64),
        ring_sign=np.empty(rings),
        ring_block=np.full(rings, -1, dtype=np.int64),
        blocks=np.empty((blocks, 4)),
        shape_ring=np.zeros(shapes, dtype=np.int64),
        shape_rings=np.zeros(shapes, dtype=np.int64),
        box=np.full((shapes, 4), np.nan),
        area=np.full(shapes, np.nan),
    )


@borrowing
def blocks_of(edges: int) -> int:
    """Return how many boxes of blocks a ring has."""
    total = 0
    if edges > LARGE:
        while edges > 1:
            edges = (edges + BLOCK - 1) // BLOCK
            total += edges
    return total


@borrowing
def signed_area(xy: Floats, start: int, size: int) -> float:
    """Return the area inside a ring, positive where it runs counter-clockwise; the first vertex is the origin."""
    total = 0.0
    if size > 0:
        x0, y0 = xy[start, 0], xy[start, 1]
        xa, ya = 0.0, 0.0
        for n in range(start + 1, start + size):
            xb, yb = xy[n, 0] - x0, xy[n, 1] - y0
            total += xa * yb - xb * ya
            xa, ya = xb, yb
    return 0.5 * total


@borrowing
def fill_blocks(xy: Floats, start: int, edges: int, blocks: Floats, block: int) -> int:
    """Write the boxes of blocks of edges, then of blocks of blocks, until there is one; return the next free row."""
    count = (edges + BLOCK - 1) // BLOCK
    for n in range(count):
        last = min((n + 1) * BLOCK, edges)
        box_of(xy, start + n * BLOCK, start + last, blocks[block + n])
    while count > 1:
        lower = block
        block += count
        upper = (count + BLOCK - 1) // BLOCK
        for n in range(upper):
            first, last = lower + n * BLOCK, lower + min((n + 1) * BLOCK, count)
            west, south, east, north = blocks[first, 0], blocks[first, 1], blocks[first, 2], blocks[first, 3]
            for below in range(first + 1, last):
                west, south = min(west, blocks[below, 0]), min(south, blocks[below, 1])
                east, north = max(east, blocks[below, 2]), max(north, blocks[below, 3])
            blocks[block + n, 0], blocks[block + n, 1] = west, south
            blocks[block + n, 2], blocks[block + n, 3] = east, north
        count = upper
    return block + count


@borrowing
def box_of(xy: Floats, first: int, last: int, box: Floats) -> None:
    """Write the box of the vertices `first` to `last`, both included."""
    west = east = xy[first, 0]
    south = north = xy[first, 1]
    for n in range(first + 1, last + 1):
        x, y = xy[n, 0], xy[n, 1]
        west, east = min(west, x), max(east, x)
        south, north = min(south, y), max(north, y)
    box[0], box[1], box[2], box[3] = west, south, east, north
