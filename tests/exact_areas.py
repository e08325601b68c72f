"""Areas of polygons and of what they have in common, in exact rational arithmetic: the judge where doubles disagree.

A double is a fraction with a power of two below, so nothing is rounded anywhere. The area below the lower of two edges is summed
over all pairs of edges, with their directions as signs: no intersection is built and no case is special. Source: W. R. Franklin,
"Calculating map overlay polygons' areas without explicitly calculating the polygons" (1990).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import shapely

Point = tuple[Fraction, Fraction]
Edge = tuple[Point, Point]


def exact_area(shape: shapely.Geometry) -> Fraction:
    """Return the area of a valid polygon or multipolygon; anything else has none."""
    return sum((_below(edge) for edge in edges(shape)), Fraction(0))


def exact_overlap(one: shapely.Geometry, other: shapely.Geometry) -> Fraction:
    """Return the area that two valid polygons or multipolygons have in common."""
    if one.is_empty or other.is_empty:
        return Fraction(0)
    west, east = (Fraction(pick(one.bounds[k], other.bounds[k])) for pick, k in ((max, 0), (min, 2)))
    first, second = (
        [
            edge
            for edge in edges(shape)
            if max(edge[0][0], edge[1][0]) > west and min(edge[0][0], edge[1][0]) < east
        ]
        for shape in (one, other)
    )
    return sum((_below_both(e, f) for e in first for f in second), Fraction(0))


def edges(shape: shapely.Geometry) -> list[Edge]:
    """Return the edges of all rings that are not vertical; shells run clockwise, holes the other way, so areas are positive."""
    found = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            for ring, shell in [(part.exterior, True), *((hole, False) for hole in part.interiors)]:
                points = [(Fraction(x), Fraction(y)) for x, y in ring.coords]
                pairs = list(pairwise(points))
                clockwise = sum((_below(edge) for edge in pairs), Fraction(0)) > 0
                found += pairs if clockwise == shell else [(end, start) for start, end in pairs]
    return [(start, end) for start, end in found if start[0] != end[0]]


def _below(edge: Edge) -> Fraction:
    """Return the signed area between an edge and the x axis: positive when it runs east."""
    (x0, y0), (x1, y1) = edge
    return (x1 - x0) * (y0 + y1) / 2


def _below_both(e: Edge, f: Edge) -> Fraction:
    """Return the signed area below the lower of two edges over the x that they share."""
    west = max(min(e[0][0], e[1][0]), min(f[0][0], f[1][0]))
    east = min(max(e[0][0], e[1][0]), max(f[0][0], f[1][0]))
    if west >= east:
        return Fraction(0)
    sign = 1 if (e[0][0] < e[1][0]) == (f[0][0] < f[1][0]) else -1
    heights = [(_at(edge, west), _at(edge, east)) for edge in (e, f)]
    gap_west, gap_east = (heights[0][k] - heights[1][k] for k in (0, 1))
    if gap_west * gap_east >= 0:
        lower = 0 if gap_west + gap_east < 0 else 1
        return sign * (east - west) * sum(heights[lower]) / 2
    crossing = west + (east - west) * gap_west / (gap_west - gap_east)
    middle = _at(e, crossing)
    left, right = (0, 1) if gap_west < 0 else (1, 0)
    area = (crossing - west) * (heights[left][0] + middle) + (east - crossing) * (middle + heights[right][1])
    return sign * area / 2


def _at(edge: Edge, x: Fraction) -> Fraction:
    (x0, y0), (x1, y1) = edge
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
