"""Areas that are derived from valid areas (cut, joined, drawn in or out): kept where they are valid, else set aside row by row.

Operations of GEOS leave lines of no width beside an area, now and then an invalid ring, and a row of thousands may fail as a whole
call: none of it may reach a table, and none of it may cost more than its own row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.repair import AREA_CHANGE_SHARE, area_changes, parts_of_kind

Geometries = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[Any]

# What fails as it is is tried once more with its vertices on a grid of this size: far below what is surveyed.
GRID_M = 1e-4

# Of each collection by itself, where `union_all` would join all rows to one.
_unions = np.frompyfunc(shapely.union_all, 1, 1)


class Derived(NamedTuple):
    """Polygons and multipolygons row by row, all valid, empty where nothing is left; None where `failed`, or nothing was given."""

    geometries: Geometries
    failed: Flags


def areas(operation: Callable[..., Geometries], *given: Rows) -> Derived:
    """Return the areas that an operation of shapely makes of rows of valid geometries, and of numbers beside them.

    >>> square, beside = shapely.box(0, 0, 4, 4), shapely.box(4, 0, 8, 8)
    >>> shapely.area(areas(shapely.intersection, np.array([square]), np.array([beside])).geometries).tolist()
    [0.0]
    """
    there = ~np.logical_or.reduce([shapely.is_missing(rows) for rows in given if rows.dtype == object])
    result = np.full(len(there), None, dtype=object)
    result[there] = _surfaces(_each(operation, *(rows[there] for rows in given)))
    again = np.flatnonzero(there & shapely.is_missing(result))
    if len(again):
        result[again] = _surfaces(_each(operation, *(_on_grid(rows[again]) for rows in given)))
    return Derived(result, there & shapely.is_missing(result))


def joined(groups: Sequence[Geometries]) -> Derived:
    """Return the union of each group of polygons; of an empty group an empty one."""
    together = np.array([*map(shapely.GeometryCollection, map(list, groups)), None], dtype=object)[:-1]
    return areas(_unions, together)


def _each(operation: Callable[..., Geometries], *given: Rows) -> Geometries:
    """Return what an operation makes of the rows, None where it fails: all at once, and one by one where that fails."""
    try:
        return np.asarray(operation(*given), dtype=object)
    except shapely.GEOSException:
        made = np.full(len(given[0]), None, dtype=object)
        for row, items in enumerate(zip(*given, strict=True)):
            try:
                made[row] = operation(*items)
            except shapely.GEOSException:
                continue
        return made


def _surfaces(made: Geometries) -> Geometries:
    """Return the polygons of what was made, mended where they are invalid; None where that changes what they cover."""
    areal = parts_of_kind(made, "polygon")
    wrong = np.flatnonzero(~shapely.is_valid(areal) & ~shapely.is_missing(areal))
    if len(wrong):
        mended = parts_of_kind(
            shapely.make_valid(areal[wrong], method="structure", keep_collapsed=False), "polygon"
        )
        changed = area_changes(areal[wrong], mended) > AREA_CHANGE_SHARE
        mended[changed | ~shapely.is_valid(mended)] = None
        areal[wrong] = mended
    return areal


def _on_grid(rows: Rows) -> Rows:
    """Return geometries with their vertices on the grid, None where that changes what they cover; numbers as they are."""
    if rows.dtype != object:
        return rows
    moved = _each(lambda geometries: shapely.set_precision(geometries, GRID_M), rows)
    moved[area_changes(rows, moved) > AREA_CHANGE_SHARE] = None
    return moved
