"""Rings of too few points, which enclose nothing: GEOS takes them, PostGIS takes no geometry that has one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]
Mask = npt.NDArray[np.bool_]

# A closed ring has three corners and the first one again.
LEAST_POINTS = 4


def without_empty_holes(geometries: Geometries) -> tuple[Geometries, Mask]:
    """Return polygons and multipolygons without the holes that have no points, and which rows had some."""
    rows = np.zeros(len(geometries), dtype=bool)
    kinds = shapely.get_type_id(geometries)
    single = np.flatnonzero(
        (kinds == shapely.GeometryType.POLYGON) & (shapely.get_num_interior_rings(geometries) > 0)
    )
    several = np.flatnonzero(kinds == shapely.GeometryType.MULTIPOLYGON)
    parts, owner = shapely.get_parts(geometries[several], return_index=True)
    polygons, row = np.concatenate([geometries[single], parts]), np.concatenate([single, several[owner]])
    holed = np.flatnonzero(shapely.get_num_interior_rings(polygons) > 0)
    rings, of = shapely.get_rings(polygons[holed], return_index=True)
    hole = np.diff(of, prepend=-1) == 0
    rows[row[holed[of[hole & (shapely.get_num_coordinates(rings) == 0)]]]] = True
    if not rows.any():
        return geometries, rows
    cleaned = geometries.copy()
    cleaned[rows] = [_with_rings_of(geometry, 1) for geometry in geometries[rows]]
    return cleaned, rows


def storable(geometries: Geometries) -> tuple[Geometries, Mask]:
    """Return geometries as PostGIS takes them, without rings of fewer than four points, and which rows had some.

    For few rows: each is taken apart. What has no area keeps it, nothing.
    """
    short = np.array([_has_short_ring(geometry) for geometry in geometries], dtype=bool)
    taken = geometries.copy()
    taken[short] = [_with_rings_of(geometry, LEAST_POINTS) for geometry in geometries[short]]
    return taken, short


def _has_short_ring(geometry: shapely.Geometry | None) -> bool:
    if geometry is None or shapely.is_empty(geometry):
        return False
    if geometry.geom_type == "Polygon":
        counts = shapely.get_num_coordinates(shapely.get_rings(geometry))
        return bool((counts < LEAST_POINTS).any())
    return hasattr(geometry, "geoms") and any(_has_short_ring(part) for part in geometry.geoms)


def _with_rings_of(geometry: shapely.Geometry, least: int) -> shapely.Geometry:
    """Return a geometry without rings of fewer points, and without the polygons that are left without a shell."""
    if shapely.is_empty(geometry):
        return geometry
    if isinstance(geometry, shapely.Polygon):
        shell, *holes = shapely.get_rings(geometry)
        long_enough = [hole for hole in holes if shapely.get_num_coordinates(hole) >= least]
        return (
            shapely.Polygon(shell, long_enough)
            if shapely.get_num_coordinates(shell) >= least
            else shapely.Polygon()
        )
    if hasattr(geometry, "geoms"):
        parts = [_with_rings_of(part, least) for part in geometry.geoms]
        return type(geometry)([part for part in parts if not shapely.is_empty(part)])
    return geometry
