"""Areas of overlaps without building them: a sum over pairs of edges.

The indicator of a polygon at a point is the signed count of its edges above the point, so the area of A ∩ B is
Σ s(e) s(f) ∫ min(y_e, y_f) dx over the edges e of A and f of B and the x that both have (W. R. Franklin 1994, Calculating the area
of overlaid polygons without constructing the overlay). The sum decides nothing, so it cannot fail: it is a continuous function of
the coordinates, and shared edges, touching vertices and slivers are nothing special. Rings are those of valid polygons; where a
ring crosses itself a place counts as often as it winds around it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, inlined
from lowland_gis.analysis.overlay.frame import (
    AT_ONCE,
    SIGN,
    SLOPE,
    VERTICAL,
    X0,
    X1,
    Y0,
    Box,
    Frame,
    strip_of,
)
from lowland_gis.analysis.overlay.rings import BLOCK, Rings

Floats = npt.NDArray[np.float64]


@borrowing
def area_within(frame: Frame, zones: Rings, zone: int) -> float:
    """Return the area that a parcel and a zone share, in m² on their plane."""
    total = 0.0
    first = zones.shape_ring[zone]
    for ring in range(first, first + zones.shape_rings[zone]):
        total += zones.ring_sign[ring] * _within_ring(frame, zones, ring)
    return total


@borrowing
def _within_ring(frame: Frame, zones: Rings, ring: int) -> float:
    """Return the signed area of the parcel that a ring encloses.

    What runs above the parcel's box counts as one edge from where it begins to where it ends, because its signed parts
    cancel; what runs below or beside the box counts nothing.
    """
    xy, start, edges = zones.xy, zones.ring_start[ring], zones.ring_size[ring] - 1
    west, south = frame.west, frame.south
    block = zones.ring_block[ring]
    total = begin = end = 0.0
    above = False
    at, block_at = 0, 0 if block >= 0 else edges
    xa, ya = xy[start, 0] - west, xy[start, 1] - south
    while at < edges:
        after, beside, over = at, False, False
        if at == block_at:
            after, beside, over = passed(frame, zones, block, edges, at)
            block_at = after if after > at else at + BLOCK
        if after == at:
            after, beside, over = _run(frame, xy, start + at, start + min(block_at, edges), xa, ya)
            after -= start
        inside = after == at
        after = max(after, at + 1)
        xb, yb = xy[start + after, 0] - west, xy[start + after, 1] - south
        if over:
            begin, above, end = begin if above else xa, True, xb
        elif not beside:
            if above:
                total += _below_line(frame, begin, end)
                above = False
            if inside:
                total += _below_edge(frame, xa, ya, xb, yb)
        xa, ya = xb, yb
        at = after
    if above:
        total += _below_line(frame, begin, end)
    return total


@inlined
def _run(frame: Frame, xy: Floats, at: int, stop: int, x: float, y: float) -> tuple[int, bool, bool]:
    """Return the vertex up to which all edges from `at` on lie beside, below or above the box, and whether beside or above.

    `at` itself where not even the first one does. `x` and `y` are those of `at`, relative to the box; no edge from `stop` on counts.
    """
    after = at
    if x <= 0.0:
        while after < stop and xy[np.uintp(after + 1), 0] - frame.west <= 0.0:
            after += 1
    elif x >= frame.width:
        while after < stop and xy[np.uintp(after + 1), 0] - frame.west >= frame.width:
            after += 1
    if after > at:
        return after, True, False
    if y <= 0.0:
        while after < stop and xy[np.uintp(after + 1), 1] - frame.south <= 0.0:
            after += 1
        return after, False, False
    if y >= frame.height:
        while after < stop and xy[np.uintp(after + 1), 1] - frame.south >= frame.height:
            after += 1
    return after, False, after > at


@borrowing
def passed(frame: Frame | Box, zones: Rings, block: int, edges: int, at: int) -> tuple[int, bool, bool]:
    """Return the end of the largest block that begins at an edge and lies wholly on one side of the box.

    And whether that side is beside or above; below the box, neither. The edge itself where there is no such block.
    """
    step, level, count = BLOCK, block, (edges + BLOCK - 1) // BLOCK
    after, apart, over = at, False, False
    while at % step == 0:
        box = level + at // step
        beside = zones.blocks[box, 2] - frame.west <= 0.0 or zones.blocks[box, 0] - frame.west >= frame.width
        under = zones.blocks[box, 3] - frame.south <= 0.0
        top = zones.blocks[box, 1] - frame.south >= frame.height
        if not (beside or under or top):
            break
        after, apart, over = min(at + step, edges), beside, top and not beside
        if count == 1:
            break
        level += count
        count = (count + BLOCK - 1) // BLOCK
        step *= BLOCK
    return after, apart, over


@borrowing
def _below_line(frame: Frame, xa: float, xb: float) -> float:
    """Return the signed area of the parcel below the upper edge of its box, from one x to another."""
    xa, xb = min(max(xa, 0.0), frame.width), min(max(xb, 0.0), frame.width)
    if abs(xb - xa) == frame.width:
        return -frame.area if xb > xa else frame.area
    return _below_edge(frame, xa, frame.height, xb, frame.height)


@inlined
def _below_edge(frame: Frame, xa: float, ya: float, xb: float, yb: float) -> float:
    """Return the signed area of the parcel below an edge: negative where the edge runs to the right."""
    if abs(xb - xa) <= VERTICAL:
        return 0.0
    slope = (yb - ya) / (xb - xa)
    half = -0.5
    if xa > xb:
        xa, ya, xb, half = xb, yb, xa, 0.5
    n_strips = len(frame.first)
    west, east = strip_of(xa, frame.strips, n_strips), strip_of(xb, frame.strips, n_strips)
    if frame.few:
        return half * _side_by_side(frame, frame.first[west], frame.last[east], xa, xb, xa, ya, slope)
    total = 0.0
    for strip in range(west, east + 1):
        left = xa if strip == west else frame.width * strip / n_strips
        right = xb if strip == east else frame.width * (strip + 1) / n_strips
        total += _side_by_side(frame, frame.first[strip], frame.last[strip], left, right, xa, ya, slope)
    return half * total


@inlined
def _side_by_side(
    frame: Frame, first: int, last: int, left: float, right: float, x0: float, y0: float, slope: float
) -> float:
    """Return twice the signed area below both a line and the edges `first` to `last` (excluded), from `left` to `right`.

    The edges are taken eight at a time, without a branch and into a row of parts, so that the processor computes them side by
    side; those that lie beside the line have no width. The parts are summed in their order: the bits do not depend on the processor.
    """
    # Unsigned, because a signed index may count from the end, and then nothing is side by side.
    begin, end = np.uintp(first), np.uintp(max(last, first))
    whole = begin + ((end - begin + np.uintp(AT_ONCE - 1)) & ~np.uintp(AT_ONCE - 1))
    edges, parts = frame.edges, frame.parts
    for n in range(begin, whole):
        low = max(edges[X0, n], left)
        width = max(min(edges[X1, n], right) - low, 0.0)
        both = _both(edges[X0, n], edges[Y0, n], edges[SLOPE, n], low, width, x0, y0, slope)
        parts[n] = edges[SIGN, n] * both
    total = 0.0
    for n in range(begin, end):
        total += parts[n]
    return total


@inlined
def _both(
    edge_x: float,
    edge_y: float,
    edge_slope: float,
    low: float,
    width: float,
    x0: float,
    y0: float,
    slope: float,
) -> float:
    """Return twice the area below both an edge of the parcel and a line, over a width that begins at `low`."""
    ea = edge_y + (low - edge_x) * edge_slope
    eb = ea + width * edge_slope
    fa = y0 + (low - x0) * slope
    fb = fa + width * slope
    da, db = ea - fa, eb - fb
    # Where they cross, a triangle is missing; computed anyway, since a branch would keep edges from being computed side by side.
    smaller = min(da, db)
    crossing = fa + fb - smaller * smaller / abs(da - db)
    apart = min(ea, fa) + min(eb, fb)
    return float(width * (crossing if da * db < 0.0 else apart))
