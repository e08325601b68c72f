"""Topology of one polygon layer: overlaps, gaps, slivers, parts, duplicates, short edges and sharp angles.

GEOS' coverage validation names the few polygons whose edges do not match; only these are compared exactly. Every
function takes valid polygons or multipolygons on a plane in metres and returns a frame of findings: `row`, `other`
(a second row, or -1), `value` and `place`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Geometries = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

NONE = -1
_POLYGONAL = 2


@dataclass(frozen=True)
class Coverage:
    """A layer with the rows that GEOS suspects, and the union of everything.

    `suspects` are the rows with an edge that matches no neighbour: they overlap something, or a vertex is missing on
    one side.
    """

    geometries: Geometries
    suspects: Rows
    union: shapely.Geometry


@dataclass(frozen=True)
class Corners:
    """Every vertex of every ring once: the vertex, the one after it, the one before it, and the row."""

    points: Floats
    following: Floats
    previous: Floats
    row: Rows


def found(
    rows: npt.ArrayLike, values: npt.ArrayLike, places: npt.ArrayLike, others: npt.ArrayLike | None = None
) -> pd.DataFrame:
    """Return a frame of findings; without `others` each is about one row."""
    row = np.asarray(rows, dtype=np.intp)
    other = np.full(len(row), NONE) if others is None else np.asarray(others, dtype=np.intp)
    place = np.empty(len(row), dtype=object)
    place[:] = places
    return pd.DataFrame(
        {"row": row, "other": other, "value": np.asarray(values, dtype=float), "place": place}
    )


def coverage(geometries: Geometries) -> Coverage:
    """Find the suspects of a layer and join the rest along common edges."""
    edges = shapely.coverage_invalid_edges(geometries)
    suspect = ~(shapely.is_missing(edges) | shapely.is_empty(edges))
    rest = shapely.coverage_union_all(geometries[~suspect])
    union = shapely.union_all([rest, *geometries[suspect]]) if suspect.any() else rest
    return Coverage(geometries, np.flatnonzero(suspect), union)


def overlaps(layer: Coverage, *, min_area_m2: float) -> pd.DataFrame:
    """Return pairs of rows that share more than an area, the value in m²; equal geometries are in `duplicates`."""
    row, other = _pairs(layer)
    shared = shapely.intersection(layer.geometries[row], layer.geometries[other])
    area = shapely.area(shared)
    chosen = (area > min_area_m2) & ~_equal(layer, row, other)
    return found(row[chosen], area[chosen], _polygonal(shared[chosen]), other[chosen])


def duplicates(layer: Coverage) -> pd.DataFrame:
    """Return pairs of rows with the same geometry, the value in m²."""
    row, other = _pairs(layer)
    equal = _equal(layer, row, other)
    places = layer.geometries[row[equal]]
    return found(row[equal], shapely.area(places), places, other[equal])


def _pairs(layer: Coverage) -> tuple[Rows, Rows]:
    """Return each pair of a suspect and a row that its box meets, once, the lower row first."""
    if len(layer.suspects) == 0:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    tree = shapely.STRtree(layer.geometries)
    # The predicate prepares each suspect, so a large one does not meet its thousand neighbours one by one.
    place, other = tree.query(layer.geometries[layer.suspects], predicate="intersects")
    row = layer.suspects[place]
    pairs = np.unique(np.column_stack([np.minimum(row, other), np.maximum(row, other)])[row != other], axis=0)
    return pairs[:, 0].astype(np.intp), pairs[:, 1].astype(np.intp)


def _equal(layer: Coverage, row: Rows, other: Rows) -> npt.NDArray[np.bool_]:
    one, two = shapely.normalize(layer.geometries[row]), shapely.normalize(layer.geometries[other])
    return np.asarray(shapely.equals_exact(one, two, tolerance=0.0), dtype=bool)


def _polygonal(shapes: Geometries) -> Geometries:
    """Drop the lines and points along which two polygons merely touch."""
    cleaned = shapes.copy()
    for place in np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION):
        parts = shapely.get_parts(shapes[place])
        cleaned[place] = shapely.multipolygons(parts[shapely.get_dimensions(parts) == _POLYGONAL])
    return cleaned


def gaps(layer: Coverage, *, min_area_m2: float) -> pd.DataFrame:
    """Return the holes that nothing fills, the value in m²; row and other are two neighbours."""
    parts = shapely.get_parts(layer.union)
    rings, owner = shapely.get_rings(parts, return_index=True)
    inner = np.r_[False, owner[1:] == owner[:-1]] if len(rings) else np.zeros(0, dtype=bool)
    holes = shapely.polygons(rings[inner])
    # What lies in a hole of one part may be filled by another part, an island.
    filled = shapely.difference(holes, layer.union) if len(parts) > 1 else holes
    return _beside(layer, filled, min_area_m2)


def uncovered(layer: Coverage, boundary: shapely.Geometry, *, min_area_m2: float) -> pd.DataFrame:
    """Return the places along the boundary that the layer leaves open, the value in m²; holes are in `gaps`."""
    outline = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(layer.union))))
    return _beside(layer, np.array([shapely.difference(boundary, outline)]), min_area_m2)


def outside(layer: Coverage, boundary: shapely.Geometry, *, min_area_m2: float) -> pd.DataFrame:
    """Return the places of the layer beyond the boundary, the value in m²; row and other are two that lie there."""
    return _beside(layer, np.array([shapely.difference(layer.union, boundary)]), min_area_m2, sharing=True)


def _beside(
    layer: Coverage, places: Geometries, min_area_m2: float, *, sharing: bool = False
) -> pd.DataFrame:
    """Return one finding a connected place, named after the two rows with the lowest numbers that touch it, or share ground with it."""
    parts = shapely.get_parts(places)
    parts = parts[shapely.get_dimensions(parts) == _POLYGONAL]
    parts = parts[shapely.area(parts) > min_area_m2]
    if len(parts) == 0:
        return found([], [], [])
    place, row = shapely.STRtree(layer.geometries).query(parts, predicate="intersects")
    if sharing:
        lies_there = shapely.area(shapely.intersection(parts[place], layer.geometries[row])) > 0
        place, row = place[lies_there], row[lies_there]
    order = np.lexsort((row, place))
    place, row = place[order], row[order]
    starts = np.flatnonzero(np.r_[True, np.diff(place) != 0]) if len(place) else np.zeros(0, dtype=np.intp)
    first, second = np.full(len(parts), NONE), np.full(len(parts), NONE)
    first[place[starts]] = row[starts]
    pairs = starts[np.append(place, NONE)[starts + 1] == place[starts]]
    second[place[pairs]] = row[pairs + 1]
    return found(first, shapely.area(parts), parts, second)


def small_parts(geometries: Geometries, *, min_area_m2: float) -> pd.DataFrame:
    """Return parts smaller than an area, the value in m²."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    area = shapely.area(parts)
    chosen = area < min_area_m2
    return found(owner[chosen], area[chosen], parts[chosen])


def narrow_parts(geometries: Geometries, *, min_width_m: float) -> pd.DataFrame:
    """Return parts whose mean width 2A/P is below a width, the value in m."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    width = 2 * shapely.area(parts) / shapely.length(parts)
    chosen = width < min_width_m
    return found(owner[chosen], width[chosen], parts[chosen])


def small_rows(geometries: Geometries, limits_m2: Floats) -> pd.DataFrame:
    """Return rows whose whole area is below the limit of the row, the value in m²; a limit of NaN asks nothing."""
    area = shapely.area(geometries)
    chosen = np.flatnonzero(area < limits_m2)
    return found(chosen, area[chosen], geometries[chosen])


def multiparts(geometries: Geometries) -> pd.DataFrame:
    """Return rows of several parts, the value being their number."""
    count = shapely.get_num_geometries(geometries)
    chosen = np.flatnonzero(count > 1)
    return found(chosen, count[chosen], geometries[chosen])


def holed(geometries: Geometries) -> pd.DataFrame:
    """Return the holes of rows, the value in m²."""
    parts, row = shapely.get_parts(geometries, return_index=True)
    with_holes = shapely.get_num_interior_rings(parts) > 0
    parts, row = parts[with_holes], row[with_holes]
    rings, part = shapely.get_rings(parts, return_index=True)
    inner = np.r_[False, part[1:] == part[:-1]] if len(rings) else np.zeros(0, dtype=bool)
    holes = shapely.polygons(rings[inner])
    return found(row[part[inner]], shapely.area(holes), holes)


def short_edges(corners: Corners, *, min_length_m: float) -> pd.DataFrame:
    """Return edges shorter than a length, the value in m."""
    length = np.hypot(*(corners.following - corners.points).T)
    chosen = length < min_length_m
    ends = np.stack([corners.points[chosen], corners.following[chosen]], axis=1)
    return found(corners.row[chosen], length[chosen], shapely.linestrings(ends))


def short_lines(geometries: Geometries, *, min_length_m: float) -> pd.DataFrame:
    """Return rows of a line layer shorter than a length, the value in m."""
    length = shapely.length(geometries)
    chosen = np.flatnonzero(length < min_length_m)
    return found(chosen, length[chosen], geometries[chosen])


def sharp_angles(corners: Corners, *, min_angle_deg: float) -> pd.DataFrame:
    """Return corners sharper than an angle, spikes and notches alike, the value in degrees."""
    arm, other = corners.following - corners.points, corners.previous - corners.points
    lengths = np.hypot(*arm.T) * np.hypot(*other.T)
    products = arm[:, 0] * other[:, 0] + arm[:, 1] * other[:, 1]
    # An edge of no length has no direction, so no angle.
    chosen = (lengths > 0) & (products > np.cos(np.radians(min_angle_deg)) * lengths)
    angle = np.degrees(np.arccos(np.clip(products[chosen] / lengths[chosen], -1.0, 1.0)))
    return found(corners.row[chosen], angle, shapely.points(corners.points[chosen]))


def corners(geometries: Geometries) -> Corners:
    """Take the rings of a layer apart; made once for edges and angles."""
    parts, part_row = shapely.get_parts(geometries, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.r_[ring[1:] != ring[:-1], True] if len(ring) else np.zeros(0, dtype=bool)
    vertex = np.flatnonzero(~last)
    closing = np.flatnonzero(last)
    first = np.r_[True, last[:-1]][vertex] if len(ring) else np.zeros(0, dtype=bool)
    # The last point of a ring repeats the first, so the one before the first is the last but one.
    before = np.where(first, closing[ring[vertex]] - 1, vertex - 1)
    row = part_row[ring_part[ring[vertex]]]
    return Corners(points[vertex], points[vertex + 1], points[before], row)


def uncovered_shares(geometries: Geometries, cover: Geometries) -> Floats:
    """Return which part of each geometry no geometry of `cover` covers, in [0, 1]."""
    if len(cover) == 0:
        return np.ones(len(geometries))
    tree = shapely.STRtree(cover)
    row, other = tree.query(geometries, predicate="intersects")
    covered = shapely.area(shapely.intersection(geometries[row], cover[other]))
    area = shapely.area(geometries)
    total = np.bincount(row, covered, minlength=len(geometries))
    shares: Floats = 1 - np.divide(total, area, out=np.ones(len(area)), where=area > 0)
    return np.maximum(shares, 0.0)
