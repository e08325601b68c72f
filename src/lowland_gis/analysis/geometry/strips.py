"""Line features with a width as ground: a strip takes the place of the polygon that it runs through; arrays in, arrays out.

Source: the area model of the second survey, TBDLMJ = TBMJ - XZDWMJ - …: what a line feature covers is no ground of the polygon around it.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.derived import Derived, areas, joined

Geometries = npt.NDArray[np.object_]


def of_lines(lines: Geometries, widths: npt.NDArray[np.float64]) -> Derived:
    """Return lines as strips of their own width (m) with flat ends; where two cross, the wider one has the ground.

    None where there is no line, or a width that is missing or not above 0.

    >>> shapely.area(of_lines(np.array([shapely.LineString([(0, 0), (10, 0)]), None]), np.array([2.0, 2.0])).geometries)
    array([20., nan])
    """
    wide = np.flatnonzero((widths > 0) & ~shapely.is_missing(lines))
    shapes, failed = np.full(len(lines), None, dtype=object), np.zeros(len(lines), dtype=bool)
    buffered = areas(
        partial(shapely.buffer, cap_style="flat", join_style="mitre"), lines[wide], widths[wide] / 2
    )
    shapes[wide], failed[wide] = apart(buffered.geometries, widths[wide])
    failed[wide] |= buffered.failed
    return Derived(shapes, failed)


def apart(strips: Geometries, widths: npt.NDArray[np.float64]) -> Derived:
    """Return the strips without the ground of wider ones, so that a crossing counts once; of equal ones the first has it.

    >>> cross = np.array([shapely.box(0, 4, 10, 6), shapely.box(3, 0, 7, 10)])
    >>> shapely.area(apart(cross, np.array([2.0, 4.0])).geometries).tolist()
    [12.0, 40.0]
    """
    rank = np.empty(len(strips), dtype=np.intp)
    rank[np.argsort(-widths, kind="stable")] = np.arange(len(strips))
    first, second = shapely.STRtree(strips).query(strips, predicate="intersects")
    before = rank[second] < rank[first]
    return _less(strips, strips, first[before], second[before])


def ground(polygons: Geometries, strips: Geometries) -> Derived:
    """Return the polygons without the ground of the strips; a polygon under a strip becomes empty.

    >>> shapely.area(ground(np.array([shapely.box(0, 0, 10, 10)]), np.array([shapely.box(-5, 4, 15, 6)])).geometries).tolist()
    [80.0]
    """
    first, second = shapely.STRtree(strips).query(polygons, predicate="intersects")
    return _less(polygons, strips, first, second)


def _less(
    shapes: Geometries, others: Geometries, row: npt.NDArray[np.intp], other: npt.NDArray[np.intp]
) -> Derived:
    """Take from each shape the others that it is paired with; a shape of which they cannot be taken has failed."""
    result, failed = shapes.copy(), np.zeros(len(shapes), dtype=bool)
    if len(row):
        order = np.lexsort((other, row))
        rows, starts = np.unique(row[order], return_index=True)
        taken = joined(np.split(others[other[order]], starts[1:]))
        left = areas(shapely.difference, shapes[rows], taken.geometries)
        result[rows], failed[rows] = left.geometries, left.failed | taken.failed
    return Derived(result, failed)
