"""What a window sees of a ring of very many vertices: the same areas from few of them.

A run of vertices that all lie west of the window (or east, south, north) is one edge from its first to its last: both ways stay on that side,
so no point of the window comes to lie on the other side of the ring. No vertex is made, so nothing is rounded. What comes out may cross
itself beyond the window: it is good for sums inside the window and for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_WEST, _EAST, _SOUTH, _NORTH = 1, 2, 3, 4
_LEAST = 4  # vertices of a triangle, closed


def oriented_rings(shape: shapely.Polygon | shapely.MultiPolygon) -> list[Floats]:
    """Return the rings (N, 2), closed, of a valid polygon or multipolygon: shells counter-clockwise, holes clockwise, so that signed areas add."""
    turned = shapely.orient_polygons(shapely.force_2d(shape), exterior_cw=False)
    return [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(turned))]


def seen(ring: Floats, window: Floats) -> Floats | None:
    """Return the vertices (M, 2) of a closed ring that matter inside a window (west, south, east, north); None where it surrounds nothing of it."""
    west, south, east, north = window
    x, y = ring[:, 0], ring[:, 1]
    side = np.where(
        x < west,
        _WEST,
        np.where(x > east, _EAST, np.where(y < south, _SOUTH, np.where(y > north, _NORTH, 0))),
    )
    kept = side == 0
    kept[0] = kept[-1] = True
    changes = side[1:] != side[:-1]
    kept[1:] |= changes
    kept[:-1] |= changes
    few = ring[kept]
    if len(few) < _LEAST:
        return None
    low, high = few.min(axis=0), few.max(axis=0)
    return None if low[0] > east or high[0] < west or low[1] > north or high[1] < south else few


def seen_by_each(
    rings: list[Floats], windows: Floats, numbers: Integers
) -> Iterator[tuple[int, list[Floats]]]:
    """Yield the number of each window (C, 4) that sees something of a polygon, with what it sees.

    Windows that lie near each other stand one after the other: halves of them are asked first, so each vertex is looked at a few times
    and not once a window.
    """
    low, high = windows[:, :2].min(axis=0), windows[:, 2:].max(axis=0)
    around = np.concatenate([low, high])
    few = [some for some in (seen(ring, around) for ring in rings) if some is not None]
    if not few:
        return
    if len(numbers) == 1:
        yield int(numbers[0]), few
        return
    half = len(numbers) // 2
    yield from seen_by_each(few, windows[:half], numbers[:half])
    yield from seen_by_each(few, windows[half:], numbers[half:])


def as_wkb(rings: list[Floats]) -> bytes:
    """Return rings as WKB of one polygon, whichever of them is a shell: what reads it takes them by their direction."""
    head = np.array([3, len(rings)], dtype="<u4").tobytes()
    parts = [np.array([len(ring)], dtype="<u4").tobytes() + ring.astype("<f8").tobytes() for ring in rings]
    return b"\x01" + head + b"".join(parts)
