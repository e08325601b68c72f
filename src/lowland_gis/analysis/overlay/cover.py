"""How much of a parcel zones cover at all, and how much they cover more than once: each place counts once.

Where the zones of a layer neither overlap nor leave gaps, the sums of the kernel say it all; this module answers where they do.
It sweeps the box of a parcel from west to east. Between two neighbouring x at which an edge begins, ends or crosses
another, no two edges change places, so the ground that lies inside the parcel and below at least one zone is a row of trapezoids. Like
the kernel it builds no polygon and decides nothing that could fail.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.overlay.frame import (
    SIGN,
    SLOPE,
    X0,
    X1,
    Y0,
    Box,
    Edges,
    box_of_parcel,
    edge,
    edges_of,
    vertices_of,
)
from lowland_gis.analysis.overlay.kernel import passed
from lowland_gis.analysis.overlay.rings import BLOCK, Rings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Edges of a sweep are rows (n, 6); their columns are the rows of a frame, and a sixth: whether the edge is one of the parcel.
_OWN = 5


@compiled
def covered_area(
    parcels: Rings, parcel: int, zones: Rings, met: Integers, summed: float, room: Edges
) -> tuple[float, Edges]:
    """Return the area of a parcel that at least one of the zones covers, in m²; `room` is to work in, (n, 6).

    `summed` is what the zones share with the parcel one by one.
    """
    if len(met) == 1:
        return summed, room
    box = box_of_parcel(parcels, parcel)
    edges, room = _zone_edges(box, zones, met, room)
    if _covers_box(box, room[:edges]):
        return box.area, room
    own = np.empty((5, vertices_of(parcels, parcel)))
    count = edges_of(parcels, parcel, box.west, box.south, own)
    edges, room = _with_own(own[:, :count], edges, room)
    return _swept(box, edges, room), room


@compiled
def _zone_edges(box: Box, zones: Rings, met: Integers, room: Edges) -> tuple[int, Edges]:
    """Return the edges of zones that do not cancel: neighbours share theirs in opposite directions."""
    count = 0
    for zone in met:
        for ring in range(zones.shape_ring[zone], zones.shape_ring[zone] + zones.shape_rings[zone]):
            count, room = _add_ring(box, zones, ring, room, count)
    return _uncancelled(room, count), room


@compiled
def _covers_box(box: Box, edges: Edges) -> bool:
    """Return whether all edges run along the top of the box, so that nothing changes inside it, and leave no gap there."""
    stops = np.zeros(2 * len(edges) + 2)
    stops[1] = box.width
    for n in range(len(edges)):
        if edges[n, Y0] != box.height or edges[n, SLOPE] != 0.0:
            return False
        stops[2 * n + 2], stops[2 * n + 3] = edges[n, X0], edges[n, X1]
    stops.sort()
    for stop in range(len(stops) - 1):
        middle, depth = 0.5 * (stops[stop] + stops[stop + 1]), 0.0
        for n in range(len(edges)):
            if edges[n, X0] < middle < edges[n, X1]:
                depth += edges[n, SIGN]
        if stops[stop] < stops[stop + 1] and depth < 0.5:  # noqa: PLR2004 - a count held as a float
            return False
    return True


@compiled
def _with_own(own: Edges, count: int, room: Edges) -> tuple[int, Edges]:
    """Append the edges of the parcel itself."""
    after = count + own.shape[1]
    if after > len(room):
        room = _larger(room, after)
    room[:count, _OWN] = 0.0
    for row in range(_OWN):
        room[count:after, row] = own[row]
    room[count:after, _OWN] = 1.0
    return after, room


@compiled
def _add_ring(box: Box, zones: Rings, ring: int, room: Edges, count: int) -> tuple[int, Edges]:
    """Append the edges of a ring that lie in the box of the parcel or above it; what lies above runs along its top."""
    at, last = 0, zones.ring_size[ring] - 1
    while at < last:
        if count == len(room):
            room = _larger(room, 2 * count)
        at, count = _add_edges(box, zones, ring, at, room, count)
    return count, room


@borrowing
def _add_edges(box: Box, zones: Rings, ring: int, at: int, room: Edges, count: int) -> tuple[int, int]:
    """Append edges of a ring from one on as long as there is room; return the edge that comes next and the new count."""
    xy, start, edges = zones.xy, zones.ring_start[ring], zones.ring_size[ring] - 1
    width, height, block = box.width, box.height, zones.ring_block[ring]
    xa, ya = xy[start + at, 0] - box.west, xy[start + at, 1] - box.south
    while at < edges and count < len(room):
        after = at + 1
        if block >= 0 and at % BLOCK == 0:
            after = max(after, passed(box, zones, block, edges, at)[0])
        xb, yb = xy[start + after, 0] - box.west, xy[start + after, 1] - box.south
        if not ((xa <= 0.0 and xb <= 0.0) or (xa >= width and xb >= width) or (ya <= 0.0 and yb <= 0.0)):
            if ya >= height and yb >= height:
                west, east = min(max(xa, 0.0), width), min(max(xb, 0.0), width)
                count = _put(room, count, west, height, east, height, zones.ring_sign[ring])
            else:
                count = _put(room, count, xa, ya, xb, yb, zones.ring_sign[ring])
        xa, ya = xb, yb
        at = after
    return at, count


@borrowing
def _put(room: Edges, count: int, xa: float, ya: float, xb: float, yb: float, ring_sign: float) -> int:
    """Append an edge and return the new count; an upright one is left out."""
    real, x0, y0, x1, slope, sign = edge(xa, ya, xb, yb, ring_sign)
    if not real:
        return count
    room[count, X0], room[count, Y0], room[count, X1] = x0, y0, x1
    room[count, SLOPE], room[count, SIGN] = slope, sign
    return count + 1


@compiled
def _larger(room: Edges, rows: int) -> Edges:
    larger = np.empty((rows, 6))
    larger[: len(room)] = room
    return larger


@compiled
def _uncancelled(edges: Edges, count: int) -> int:
    """Move the edges that are left when equal ones of opposite signs cancel to the front, and return how many they are."""
    return _left(edges, np.argsort(edges[:count, X0]), np.ones(count, dtype=np.bool_))


@borrowing
def _left(edges: Edges, order: Integers, left: Flags) -> int:
    count = len(order)
    for place in range(count):
        n = order[place]
        after = place + 1
        while left[n] and after < count and edges[order[after], X0] == edges[n, X0]:
            m = order[after]
            if (
                left[m]
                and edges[m, SIGN] == -edges[n, SIGN]
                and edges[m, Y0] == edges[n, Y0]
                and edges[m, X1] == edges[n, X1]
                and edges[m, SLOPE] == edges[n, SLOPE]
            ):
                left[n] = left[m] = False
            after += 1
    kept = 0
    for n in range(count):
        if left[n]:
            for column in range(edges.shape[1]):
                edges[kept, column] = edges[n, column]
            kept += 1
    return kept


@compiled
def _swept(box: Box, count: int, edges: Edges) -> float:
    """Return the area inside the parcel that lies in at least one zone."""
    order = np.argsort(edges[:count, X0])
    return _slabs(edges, order, _stops(box, edges, order), np.empty(count, dtype=np.int64), np.empty(count))


@borrowing
def _slabs(edges: Edges, order: Integers, stops: Floats, active: Integers, heights: Floats) -> float:
    """Return the area that `_swept` returns; `active` are the edges over the present slab from top to bottom.

    They keep their order until one begins, ends or crosses another.
    """
    count = len(order)
    total = 0.0
    n_active = begun = 0
    for stop in range(len(stops) - 1):
        west, east = stops[stop], stops[stop + 1]
        if west == east:
            continue
        middle = 0.5 * (west + east)
        while begun < count and edges[order[begun], X0] <= west:
            active[n_active] = order[begun]
            n_active += 1
            begun += 1
        kept = 0
        for place in range(n_active):
            n = active[place]
            if edges[n, X1] < east:
                continue
            height = edges[n, Y0] + (middle - edges[n, X0]) * edges[n, SLOPE]
            at = kept
            while at > 0 and heights[at - 1] < height:
                active[at], heights[at] = active[at - 1], heights[at - 1]
                at -= 1
            active[at], heights[at] = n, height
            kept += 1
        n_active = kept
        total += (east - west) * _covered_length(edges, active, heights, n_active)
    return total


@borrowing
def _covered_length(edges: Edges, active: Integers, heights: Floats, count: int) -> float:
    """Return the length of an upright line that lies in the parcel and in a zone; a place lies in what has edges above it."""
    length = 0.0
    inside = depth = 0.0
    for place in range(count - 1):
        n = active[place]
        if edges[n, _OWN] == 1.0:
            inside += edges[n, SIGN]
        else:
            depth += edges[n, SIGN]
        if inside > 0.5 and depth > 0.5:  # noqa: PLR2004 - counts held as floats
            length += heights[place] - heights[place + 1]
    return length


@compiled
def _stops(box: Box, edges: Edges, order: Integers) -> Floats:
    """Return in ascending order every x of the box at which an edge begins, ends or crosses another."""
    stops = np.empty(2 * len(order) + 16)
    n_stops = _put_stops(box.width, edges, order, stops)
    if n_stops > len(stops):
        stops = np.empty(n_stops)
        _put_stops(box.width, edges, order, stops)
    stops = stops[:n_stops]
    stops.sort()
    return stops


@borrowing
def _put_stops(width: float, edges: Edges, order: Integers, stops: Floats) -> int:
    """Write as many stops as there is room for, and return how many there are."""
    n_stops = 0
    for n in range(len(order)):
        for x in (edges[n, X0], edges[n, X1]):
            stops[n_stops] = min(max(x, 0.0), width)
            n_stops += 1
    for place in range(len(order)):
        n = order[place]
        for after in range(place + 1, len(order)):
            m = order[after]
            if edges[m, X0] >= edges[n, X1]:
                break
            x = _crossing(edges, n, m)
            if 0.0 < x < width:
                if n_stops < len(stops):
                    stops[n_stops] = x
                n_stops += 1
    return n_stops


@borrowing
def _crossing(edges: Edges, n: int, m: int) -> float:
    """Return the x at which two edges cross between their ends, −1 where they do not."""
    low, high = max(edges[n, X0], edges[m, X0]), min(edges[n, X1], edges[m, X1])
    if low >= high:
        return -1.0
    gap = (
        edges[n, Y0]
        + (low - edges[n, X0]) * edges[n, SLOPE]
        - edges[m, Y0]
        - (low - edges[m, X0]) * edges[m, SLOPE]
    )
    closing = edges[m, SLOPE] - edges[n, SLOPE]
    if closing == 0.0:
        return -1.0
    x = low + gap / closing
    return x if low < x < high else -1.0
