"""Polylines of a drawing: arcs made straight, ends that meet, loops of a hatch with their holes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.curves import MAX_DEVIATION_M, arc_line

Points = npt.NDArray[np.float64]

# Ends meet where they lie so close, in metres: a tenth of what survey points are known to.
MEET_M = 0.001
# A line that is open by less than this share of its length was meant as an outline.
_NEARLY = 0.1
_LEAST_RING = 3
# How a hatch says which of its loops are filled.
EVEN_ODD, OUTERMOST, ALL_FILLED = 0, 1, 2


def straightened(
    points: Points, bulges: Sequence[float], *, closed: bool, deviation: float = MAX_DEVIATION_M
) -> Points:
    """Return a polyline (n × 2) whose arcs are chords, closed where it says so; `deviation` is in the unit of the coordinates.

    The bulge of a vertex is the tangent of a quarter of the angle of the arc to the next one, to the left where it is negative; 0 is straight.

    >>> len(straightened(np.array([[0.0, 0.0], [200.0, 0.0]]), [1.0, 1.0], closed=True)) > 600
    True
    """
    if closed and len(points) and (points[0] != points[-1]).any():
        points = np.concatenate([points, points[:1]])
    bent = [place for place in range(len(points) - 1) if place < len(bulges) and bulges[place]]
    if not bent:
        return points
    parts, done = [], 0
    for place in bent:
        start, end, bulge = points[place], points[place + 1], bulges[place]
        parts.append(points[done : place + 1])
        chord = end - start
        middle = (start + end) / 2 + bulge / 2 * np.array([chord[1], -chord[0]])
        parts.append(arc_line(start, middle, end, deviation)[1:-1])
        done = place + 1
    return np.concatenate([*parts, points[done:]])


def arc(
    centre: Points, radius: float, start_deg: float, end_deg: float, deviation: float = MAX_DEVIATION_M
) -> Points:
    """Return points on a circular arc, anticlockwise from one angle to another; a whole circle where both are the same."""
    sweep = math.radians((end_deg - start_deg) % 360 or 360)
    angles = math.radians(start_deg) + sweep * np.array([0.0, 0.5, 1.0])
    points = centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    if sweep == 2 * math.pi:
        points[2] = points[0]
    return arc_line(points[0], points[1], points[2], deviation)


def gap(points: Points) -> float:
    """Return how far the ends of a line lie apart."""
    return float(math.hypot(*(points[-1] - points[0]))) if len(points) else 0.0


def is_ring(points: Points, meet: float = MEET_M) -> bool:
    """Tell whether a line bounds something: its ends meet, and it has three corners at least."""
    distinct = len(np.unique(points, axis=0)) if len(points) <= _LEAST_RING + 1 else _LEAST_RING
    return distinct >= _LEAST_RING and gap(points) <= meet


def nearly_closed(points: Points) -> bool:
    """Tell whether an open line was meant as an outline: its ends lie close together for its length."""
    if len(points) < _LEAST_RING:
        return False
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    return gap(points) < _NEARLY * length


def polygon(points: Points) -> shapely.Polygon:
    """Return the polygon of a ring whose ends meet; the last point becomes the first one."""
    ring = points.copy()
    ring[-1] = ring[0]
    return shapely.Polygon(ring)


def filled(loops: Sequence[Points], style: int) -> shapely.Geometry:
    """Return what a hatch fills. Loops lie in any order; which are holes, their places say.

    >>> outer, hole = np.array([[0, 0], [9, 0], [9, 9], [0, 0.0]]), np.array([[4, 2], [6, 2], [6, 4], [4, 2.0]])
    >>> filled([hole, outer], EVEN_ODD).area
    38.5
    """
    rings = shapely.make_valid(
        np.array([polygon(loop) for loop in loops], dtype=object), method="structure", keep_collapsed=False
    )
    if len(rings) == 0:
        return shapely.Polygon()
    if style == ALL_FILLED or len(rings) == 1:
        return shapely.union_all(rings)
    # Not symmetric differences in a row: of loops that share an edge they leave slivers by rounding.
    depths = _depths(rings)
    made: shapely.Geometry = shapely.Polygon()
    for depth in sorted(set(depths.tolist())):
        level = shapely.union_all(rings[depths == depth])
        if style == OUTERMOST and depth > 1:
            break
        made = made.union(level) if depth % 2 == 0 else made.difference(level)
    return made


def _depths(rings: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Return in how many larger rings each one lies, by a point inside it."""
    areas = shapely.area(rings)
    inside, around = shapely.STRtree(rings).query(shapely.point_on_surface(rings), predicate="within")
    larger = (areas[around] > areas[inside]) | ((areas[around] == areas[inside]) & (around < inside))
    return np.bincount(inside[larger], minlength=len(rings))
