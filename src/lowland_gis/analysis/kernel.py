"""Areas of overlaps without building them: a sum over pairs of edges.

The indicator of a polygon at a point is the signed count of its edges above the point, so the area of A ∩ B is
Σ s(e) s(f) ∫ min(y_e, y_f) dx over the edges e of A and f of B and the x that both have (W. R. Franklin 1994, Calculating the area
of overlaid polygons without constructing the overlay). The sum decides nothing, so it cannot fail: it is a continuous function of
the coordinates, and shared edges, touching vertices and slivers are nothing special. Rings are those of valid polygons; where a
ring crosses itself a place counts as often as it winds around it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.boxtree import BoxTree, boxes_met
from lowland_gis.analysis.compiled import compiled, inlined
from lowland_gis.analysis.rings import BLOCK, Rings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Edges = npt.NDArray[np.float64]

# Columns of edges: x and y of the left end, x of the right end, slope, sign.
X0, Y0, X1, SLOPE, SIGN = 0, 1, 2, 3, 4
# An edge narrower than this has no area below it, and a slope would overflow.
_VERTICAL = 1e-150
# Up to so many edges a parcel is searched in the order of x; beyond, by strips that list their edges.
_FEW = 64
_EDGES_PER_STRIP = 4
_JUMPS = 32


class Frame(NamedTuple):
    """A parcel as edges relative to the lower left corner of its box, ready to be overlapped with many zones.

    `edges` (E, 5). Few edges are sorted by their left ends, and `first` says for each of 32 vertical strips of the box which
    is the first one that does not end to the left of it. Many edges are not sorted: `first` (strips + 1) cuts `listed` into the
    edges of each strip. `strips` is the number of strips a metre.
    """

    west: float
    south: float
    width: float
    height: float
    area: float
    edges: Edges
    strips: float
    first: Integers
    listed: Integers


@compiled
def overlaps_of(
    parcels: Rings, first: int, last: int, zones: Rings, classes: Integers, tree: BoxTree
) -> tuple[Integers, Integers, Floats]:
    """Return parcel, class and area_m2 of the parcels `first` to `last` (excluded), in the order of parcel and class.

    `zones` are in ascending order of `classes`; `tree` holds their boxes. Every zone that overlaps a parcel counts.
    """
    room = 4 * (last - first) + 16
    parcel = np.empty(room, dtype=np.int64)
    klass = np.empty(room, dtype=np.int64)
    area = np.empty(room)
    found = np.empty(64, dtype=np.int64)
    n = 0
    for p in range(first, last):
        if parcels.shape_rings[p] == 0:
            continue
        count, found = boxes_met(tree, parcels.box[p], found)
        if count == 0:
            continue
        frame = parcel_frame(parcels, p)
        for place in range(count):
            zone = found[place]
            if place > 0 and classes[zone] == classes[found[place - 1]]:
                area[n - 1] += area_within(frame, zones, zone)
                continue
            if n == room:
                room *= 2
                parcel, klass, area = _larger_i(parcel, room), _larger_i(klass, room), _larger_f(area, room)
            parcel[n] = p
            klass[n] = classes[zone]
            area[n] = area_within(frame, zones, zone)
            n += 1
    return parcel[:n].copy(), klass[:n].copy(), area[:n].copy()


@compiled
def _larger_i(values: Integers, room: int) -> Integers:
    larger = np.empty(room, dtype=np.int64)
    larger[: len(values)] = values
    return larger


@compiled
def _larger_f(values: Floats, room: int) -> Floats:
    larger = np.empty(room)
    larger[: len(values)] = values
    return larger


@compiled
def parcel_frame(rings: Rings, shape: int) -> Frame:
    """Return a polygon as edges relative to its box, ready to be overlapped with many zones."""
    west, south = rings.box[shape, 0], rings.box[shape, 1]
    width, height = rings.box[shape, 2] - west, rings.box[shape, 3] - south
    first = rings.shape_ring[shape]
    room = 0
    for ring in range(first, first + rings.shape_rings[shape]):
        room += rings.ring_size[ring]
    edges = np.empty((room, 5))
    n = 0
    for ring in range(first, first + rings.shape_rings[shape]):
        start = rings.ring_start[ring]
        xa, ya = rings.xy[start, 0] - west, rings.xy[start, 1] - south
        for at in range(start + 1, start + rings.ring_size[ring]):
            xb, yb = rings.xy[at, 0] - west, rings.xy[at, 1] - south
            n = put(edges, n, xa, ya, xb, yb, rings.ring_sign[ring])
            xa, ya = xb, yb
    edges = edges[:n]
    count = _JUMPS if n <= _FEW else n // _EDGES_PER_STRIP
    strips = count / width if n else 0.0
    if n <= _FEW:
        edges = _sorted_by_x(edges)
        starts, listed = _jumps(edges, strips), np.empty(0, dtype=np.int64)
    else:
        starts, listed = _listed(edges, strips, count)
    return Frame(west, south, width, height, rings.area[shape], edges, strips, starts, listed)


@compiled
def put(edges: Edges, count: int, xa: float, ya: float, xb: float, yb: float, ring_sign: float) -> int:
    """Append an edge and return the new count; an upright one has no area below it and is left out."""
    if abs(xb - xa) <= _VERTICAL:
        return count
    if xa > xb:
        xa, ya, xb, yb, ring_sign = xb, yb, xa, ya, -ring_sign
    edges[count, X0], edges[count, Y0], edges[count, X1] = xa, ya, xb
    edges[count, SLOPE], edges[count, SIGN] = (yb - ya) / (xb - xa), -ring_sign
    return count + 1


@compiled
def _sorted_by_x(edges: Edges) -> Edges:
    """Return a few edges in the order of their left ends; equal ones keep their order."""
    order = np.empty(len(edges), dtype=np.int64)
    for n in range(len(edges)):
        x0 = edges[n, X0]
        at = n
        while at > 0 and edges[order[at - 1], X0] > x0:
            order[at] = order[at - 1]
            at -= 1
        order[at] = n
    ordered = np.empty_like(edges)
    for n in range(len(edges)):
        ordered[n] = edges[order[n]]
    return ordered


@compiled
def _jumps(edges: Edges, strips: float) -> Integers:
    jumps = np.empty(_JUMPS, dtype=np.int64)
    n = 0
    for strip in range(_JUMPS):
        while n < len(edges) and _strip(edges[n, X1], strips, _JUMPS) < strip:
            n += 1
        jumps[strip] = n
    return jumps


@compiled
def _listed(edges: Edges, strips: float, count: int) -> tuple[Integers, Integers]:
    starts = np.zeros(count + 1, dtype=np.int64)
    for n in range(len(edges)):
        for strip in range(_strip(edges[n, X0], strips, count), _strip(edges[n, X1], strips, count) + 1):
            starts[strip + 1] += 1
    for strip in range(count):
        starts[strip + 1] += starts[strip]
    free = starts[:-1].copy()
    listed = np.empty(starts[-1], dtype=np.int64)
    for n in range(len(edges)):
        for strip in range(_strip(edges[n, X0], strips, count), _strip(edges[n, X1], strips, count) + 1):
            listed[free[strip]] = n
            free[strip] += 1
    return starts, listed


@compiled
def _strip(x: float, strips: float, count: int) -> int:
    return min(count - 1, int(max(x, 0.0) * strips))


@compiled
def area_within(frame: Frame, zones: Rings, zone: int) -> float:
    """Return the area that a parcel and a zone share, in m² on their plane."""
    total = 0.0
    first = zones.shape_ring[zone]
    for ring in range(first, first + zones.shape_rings[zone]):
        total += zones.ring_sign[ring] * _within_ring(frame, zones, ring)
    return total


@compiled
def _within_ring(frame: Frame, zones: Rings, ring: int) -> float:
    """Return the signed area of the parcel that a ring encloses.

    What runs above the parcel's box counts as one edge from where it begins to where it ends, because its signed parts
    cancel; what runs below or beside the box counts nothing.
    """
    xy, start, edges = zones.xy, zones.ring_start[ring], zones.ring_size[ring] - 1
    west, south, width, height = frame.west, frame.south, frame.width, frame.height
    block = zones.ring_block[ring]
    total = begin = end = 0.0
    above = False
    at, block_at = 0, 0 if block >= 0 else edges
    xa, ya = xy[start, 0] - west, xy[start, 1] - south
    while at < edges:
        after = at + 1
        if at == block_at:
            after, below, over = passed(frame, zones, block, edges, at)
            block_at = after if after > at + 1 else at + BLOCK
        xb, yb = xy[start + after, 0] - west, xy[start + after, 1] - south
        if after == at + 1:
            beside = (xa <= 0.0 and xb <= 0.0) or (xa >= width and xb >= width)
            below, over = ya <= 0.0 and yb <= 0.0, ya >= height and yb >= height
        else:
            beside = not (below or over)
        if beside:
            pass
        elif over:
            if not above:
                above, begin = True, xa
            end = xb
        else:
            if above:
                total += _below_line(frame, begin, end)
                above = False
            if not below:
                total += _below_edge(frame, xa, ya, xb, yb)
        xa, ya = xb, yb
        at = after
    if above:
        total += _below_line(frame, begin, end)
    return total


@compiled
def passed(frame: Frame, zones: Rings, block: int, edges: int, at: int) -> tuple[int, bool, bool]:
    """Return the end of the largest block that begins at an edge and lies wholly on one side of the box.

    And whether that side is below or above; beside the box, neither. The next edge where there is no such block.
    """
    step, level, count = BLOCK, block, (edges + BLOCK - 1) // BLOCK
    after, below, over = at + 1, False, False
    while at % step == 0:
        box = level + at // step
        beside = zones.blocks[box, 2] - frame.west <= 0.0 or zones.blocks[box, 0] - frame.west >= frame.width
        under = zones.blocks[box, 3] - frame.south <= 0.0
        top = zones.blocks[box, 1] - frame.south >= frame.height
        if not (beside or under or top):
            break
        after, below, over = min(at + step, edges), under and not beside, top and not beside
        if count == 1:
            break
        level += count
        count = (count + BLOCK - 1) // BLOCK
        step *= BLOCK
    return after, below, over


@compiled
def _below_line(frame: Frame, xa: float, xb: float) -> float:
    """Return the signed area of the parcel below the upper edge of its box, from one x to another."""
    xa, xb = min(max(xa, 0.0), frame.width), min(max(xb, 0.0), frame.width)
    if abs(xb - xa) == frame.width:
        return -frame.area if xb > xa else frame.area
    return _below_edge(frame, xa, frame.height, xb, frame.height)


@inlined
def _below_edge(frame: Frame, xa: float, ya: float, xb: float, yb: float) -> float:
    """Return the signed area of the parcel below an edge: negative where the edge runs to the right."""
    if abs(xb - xa) <= _VERTICAL:
        return 0.0
    slope = (yb - ya) / (xb - xa)
    half = -0.5
    if xa > xb:
        xa, ya, xb, half = xb, yb, xa, 0.5
    if len(frame.listed) == 0:
        return half * _below_sorted(frame.edges, frame.first, frame.strips, xa, ya, xb, slope)
    return half * _below_listed(frame, xa, ya, xb, slope)


@inlined
def _below_sorted(
    edges: Edges, jumps: Integers, strips: float, x0: float, y0: float, x1: float, slope: float
) -> float:
    total = 0.0
    for n in range(jumps[_strip(x0, strips, _JUMPS)], len(edges)):
        if edges[n, X0] >= x1:
            break
        # An edge that ends too early counts with no width: cheaper than a branch that nobody can foresee.
        low, high = max(edges[n, X0], x0), min(edges[n, X1], x1)
        total += _both(edges, n, low, max(high - low, 0.0), x0, y0, slope)
    return total


@compiled
def _below_listed(frame: Frame, x0: float, y0: float, x1: float, slope: float) -> float:
    total = 0.0
    edges, width, count = frame.edges, frame.width, len(frame.first) - 1
    west, east = _strip(x0, frame.strips, count), _strip(x1, frame.strips, count)
    for strip in range(west, east + 1):
        left = x0 if strip == west else width * strip / count
        right = x1 if strip == east else width * (strip + 1) / count
        for place in range(frame.first[strip], frame.first[strip + 1]):
            n = frame.listed[place]
            low, high = max(edges[n, X0], left), min(edges[n, X1], right)
            if low < high:
                total += _both(edges, n, low, high - low, x0, y0, slope)
    return total


@inlined
def _both(edges: Edges, n: int, low: float, width: float, x0: float, y0: float, slope: float) -> float:
    """Return twice the signed area below both an edge of the parcel and a line, over a width that begins at `low`."""
    ea = edges[n, Y0] + (low - edges[n, X0]) * edges[n, SLOPE]
    eb = ea + width * edges[n, SLOPE]
    fa = y0 + (low - x0) * slope
    fb = fa + width * slope
    both = min(ea, fa) + min(eb, fb)
    da, db = ea - fa, eb - fb
    if da * db < 0.0:
        both = fa + fb - min(da, db) ** 2 / abs(da - db)
    return float(edges[n, SIGN] * both * width)
