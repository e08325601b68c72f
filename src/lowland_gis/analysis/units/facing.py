"""How far outlines face each other over lanes: the kernel over edges and the table of pairs; arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.compiled import borrowing, compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Outlines that were digitised apart may overlap by this much and still touch; what is nearer by more hides the farther.
OVERLAP_M = 0.3
# Cosine of 25°: edges that face each other may be this far from parallel.
_ANTIPARALLEL = 0.9063
_TOLERANCE_M = 1e-9
_SCRATCH = 64
_LEAST_M = 1e-6


def facing_lengths(parcels: npt.NDArray[np.object_], gap_m: float) -> pd.DataFrame:
    """Return pairs of parcels at most `gap_m` apart with the length over which they face each other.

    Columns `first` < `second` (positions), `length_m` and `gap_m` (mean gap of what faces; 0 where they touch). Two edges face
    each other when they run nearly antiparallel (both outlines counter-clockwise) and each lies on the outer side of the
    other, at most `gap_m` away; their length is what of one lies square across from the other. A corner that meets a corner
    therefore faces nothing, and a parcel behind another one is hidden by it. Both directions are averaged, so that the order
    of rows does not matter. Overlaps up to 0.3 m count as touching. A missing or empty parcel faces none.

    >>> squares = shapely.box([0, 28], 0, [20, 48], 20)
    >>> facing_lengths(squares, 10.0).values.tolist()
    [[0.0, 1.0, 20.0, 8.0]]
    """
    edges = _edges(parcels)
    reach = max(gap_m, OVERLAP_M)
    first, second = _near(parcels, reach)
    start = np.searchsorted(first, np.arange(len(parcels) + 1)).astype(np.int64)
    lengths, gaps = _facing(edges.ends, edges.start, edges.boxes, start, second, gap_m)
    both = _averaged(first, second, lengths, gaps)
    return both[both["length_m"] > _LEAST_M].reset_index(drop=True)


@dataclass(frozen=True)
class _Edges:
    """Edges of outlines, counter-clockwise: `ends` (edge, x0 y0 x1 y1), `start` of each parcel, `boxes` of the parcels."""

    ends: Floats
    start: Ints
    boxes: Floats


def _edges(parcels: npt.NDArray[np.object_]) -> _Edges:
    parts, part_owner = shapely.get_parts(parcels, return_index=True)
    rings, ring_part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = (ring[1:] == ring[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    ends = np.concatenate([points[:-1], points[1:]], axis=1)[inside] if len(points) else np.empty((0, 4))
    owner = part_owner[ring_part[ring[:-1][inside]]] if len(points) else np.empty(0, dtype=np.int64)
    start = np.searchsorted(owner, np.arange(len(parcels) + 1)).astype(np.int64)
    return _Edges(np.ascontiguousarray(ends), start, shapely.bounds(parcels).reshape(-1, 4))


def _near(parcels: npt.NDArray[np.object_], reach: float) -> tuple[Ints, Ints]:
    """Return ordered pairs of parcels whose boxes are within reach, sorted."""
    boxes = shapely.bounds(parcels).reshape(-1, 4)
    there = np.flatnonzero(~np.isnan(boxes[:, 0]))
    grown = boxes[there] + np.array([-reach, -reach, reach, reach])
    tree = shapely.STRtree(shapely.box(*boxes[there].T) if len(there) else np.empty(0, dtype=object))
    one, other = tree.query(shapely.box(*grown.T) if len(there) else np.empty(0, dtype=object))
    apart = one != other
    one, other = there[one[apart]], there[other[apart]]
    order = np.lexsort((other, one))
    return one[order].astype(np.int64), other[order].astype(np.int64)


def _averaged(first: Ints, second: Ints, lengths: Floats, gaps: Floats) -> pd.DataFrame:
    """Average both directions of every pair; the table of ordered pairs holds each pair twice."""
    forth = first < second
    # Sorted the other way round, the backward pairs stand in the order of the forward ones.
    back = np.flatnonzero(~forth)
    back = back[np.lexsort((first[back], second[back]))]
    total = lengths[forth] + lengths[back]
    weighted = gaps[forth] + gaps[back]
    return pd.DataFrame(
        {
            "first": first[forth],
            "second": second[forth],
            "length_m": total / 2,
            "gap_m": np.divide(weighted, total, out=np.zeros(len(total)), where=total > 0),
        }
    )


@compiled
def _facing(
    ends: Floats, start: Ints, boxes: Floats, pair_start: Ints, other: Ints, gap_m: float
) -> tuple[Floats, Floats]:
    """Return, per ordered pair, the length that the first shows to the second and the same times the gap."""
    lengths = np.zeros(len(other))
    gaps = np.zeros(len(other))
    reach = max(gap_m, OVERLAP_M)
    # Stretches of one edge: from, to, gap at both, slot of the pair.
    low, high = np.empty(_SCRATCH), np.empty(_SCRATCH)
    gap_low, gap_high = np.empty(_SCRATCH), np.empty(_SCRATCH)
    slot = np.empty(_SCRATCH, dtype=np.int64)
    for parcel in range(len(start) - 1):
        for edge in range(start[parcel], start[parcel + 1]):
            x0, y0, x1, y1 = ends[edge]
            length = np.hypot(x1 - x0, y1 - y0)
            ux, uy = (x1 - x0) / length, (y1 - y0) / length
            west, east = min(x0, x1) - reach, max(x0, x1) + reach
            south, north = min(y0, y1) - reach, max(y0, y1) + reach
            found = 0
            for pair in range(pair_start[parcel], pair_start[parcel + 1]):
                box = boxes[other[pair]]
                if box[0] > east or box[2] < west or box[1] > north or box[3] < south:
                    continue
                for across in range(start[other[pair]], start[other[pair] + 1]):
                    a, b, c, d = ends[across]
                    if min(a, c) > east or max(a, c) < west or min(b, d) > north or max(b, d) < south:
                        continue
                    # Along the edge and outward to its right; the other edge runs backwards, so its end comes first.
                    from_, to = (c - x0) * ux + (d - y0) * uy, (a - x0) * ux + (b - y0) * uy
                    if to - from_ < _ANTIPARALLEL * np.hypot(c - a, d - b):
                        continue
                    gap_from, gap_to = (c - x0) * uy - (d - y0) * ux, (a - x0) * uy - (b - y0) * ux
                    slope = (gap_to - gap_from) / (to - from_)
                    enter, leave = _within(gap_from - slope * from_, slope, gap_m)
                    begin, end = max(from_, 0.0, enter), min(to, length, leave)
                    if end <= begin:
                        continue
                    if found == len(low):
                        low, high = np.append(low, low), np.append(high, high)
                        gap_low, gap_high = np.append(gap_low, gap_low), np.append(gap_high, gap_high)
                        slot = np.append(slot, slot)
                    low[found], high[found], slot[found] = begin, end, pair
                    gap_low[found] = gap_from + slope * (begin - from_)
                    gap_high[found] = gap_from + slope * (end - from_)
                    found += 1
            if found:
                _add_visible(low[:found], high[:found], gap_low, gap_high, slot, lengths, gaps)
    return lengths, gaps


@borrowing
def _within(value: float, slope: float, gap_m: float) -> tuple[float, float]:
    """Return the range of x in which the gap value + slope·x is at least -0.3 m and at most gap_m, within 1e-9 m."""
    least, most = -OVERLAP_M - _TOLERANCE_M, gap_m + _TOLERANCE_M
    if abs(slope) < _TOLERANCE_M:
        if least <= value <= most:
            return -np.inf, np.inf
        return np.inf, -np.inf
    one, two = (least - value) / slope, (most - value) / slope
    return min(one, two), max(one, two)


@compiled
def _add_visible(
    low: Floats, high: Floats, gap_low: Floats, gap_high: Floats, slot: Ints, lengths: Floats, gaps: Floats
) -> None:
    """Add each stretch of an edge to every parcel that is seen from it: the nearest, and what lies up to 0.3 m behind."""
    cuts = np.sort(np.concatenate((low, high)))
    for cut in range(len(cuts) - 1):
        begin, end = cuts[cut], cuts[cut + 1]
        if end <= begin:
            continue
        middle = (begin + end) / 2
        nearest = np.inf
        for one in range(len(low)):
            if low[one] <= middle <= high[one]:
                nearest = min(nearest, _gap_at(middle, one, low, high, gap_low, gap_high))
        for one in range(len(low)):
            if low[one] <= middle <= high[one]:
                gap = _gap_at(middle, one, low, high, gap_low, gap_high)
                if gap <= nearest + OVERLAP_M and not _seen_before(middle, one, low, high, slot):
                    lengths[slot[one]] += end - begin
                    gaps[slot[one]] += (end - begin) * max(gap, 0.0)


@borrowing
def _gap_at(place: float, one: int, low: Floats, high: Floats, gap_low: Floats, gap_high: Floats) -> float:
    part = (place - low[one]) / (high[one] - low[one])
    return float(gap_low[one] + part * (gap_high[one] - gap_low[one]))


@borrowing
def _seen_before(place: float, one: int, low: Floats, high: Floats, slot: Ints) -> bool:
    """Tell whether an earlier stretch of the same parcel covers the place, so that it counts once."""
    for before in range(one):
        if slot[before] == slot[one] and low[before] <= place <= high[before]:
            return True
    return False
