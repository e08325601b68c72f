"""Make received geometries usable, keep what was received, and say what was done to each row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.extent import FARTHEST, off_plane
from lowland_gis.analysis.geometry.short_rings import storable, without_empty_holes

Geometries = npt.NDArray[np.object_]
Texts = npt.NDArray[np.object_]

# A repair that changes the area by more than this share is worth a look by a person.
AREA_CHANGE_SHARE = 0.01

FAULTS = {
    "geometry_missing": "no geometry was delivered",
    "geometry_unreadable": "the geometry cannot be read (a ring is not closed or too short)",
    "geometry_empty": "the geometry is empty",
    "geometry_not_finite": "a coordinate is NaN, infinite or farther away than any plane reaches",
    "geometry_off_plane": "it reaches beyond the plane of the project, where no area can be told",
    "geometry_wrong_kind": "the geometry is of another kind than the layer",
    "geometry_collapsed": "nothing is left after repair",
    "geometry_invalid": "the geometry was invalid and was repaired (structure method)",
    "geometry_empty_hole": "a hole without a point was left out",
    "geometry_mixed": "parts of another kind than the layer's were left out",
    "geometry_derived": "no valid strip could be derived from the line",
    "geometry_area_changed": f"repair changed the area by more than {AREA_CHANGE_SHARE:.0%}",
}
_REPAIRED = ("geometry_empty_hole", "geometry_invalid", "geometry_mixed", "geometry_area_changed")
_DIMENSION = {"polygon": 2, "line": 1, "point": 0}
Kind = Literal["polygon", "line", "point"]
_NOTHING = {"polygon": shapely.Polygon(), "line": shapely.LineString(), "point": shapely.Point()}


@dataclass(frozen=True)
class Repaired:
    """Geometries row by row; `fault` is '' where nothing was wrong, `usable` says which rows can be loaded.

    `received` holds the geometry before repair where it was repaired, else None; where PostGIS would not take it, without the
    rings of too few points, and `bytes_only` is set.
    """

    geometries: Geometries
    received: Geometries
    fault: Texts
    bytes_only: npt.NDArray[np.bool_]

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Return which rows carry a geometry that can be loaded."""
        return np.isin(self.fault.astype(str), ("", *_REPAIRED))


def decode(wkb: npt.NDArray[np.object_]) -> tuple[Geometries, Texts]:
    """Return geometries and faults of WKB row by row; one bad ring costs only its own row."""
    missing = np.array([item is None for item in wkb], dtype=bool)
    # A coordinate that is NaN is a fault of its row, found by `repair`, and no reason for a warning.
    with np.errstate(invalid="ignore"):
        geometries = shapely.from_wkb(wkb, on_invalid="ignore")
        solid = shapely.has_z(geometries) | shapely.has_m(geometries)
        geometries[solid] = shapely.force_2d(geometries[solid])
    fault = np.full(len(wkb), "", dtype=object)
    fault[shapely.is_missing(geometries)] = "geometry_unreadable"
    fault[missing] = "geometry_missing"
    return geometries, fault


def repair(geometries: Geometries, fault: Texts, kind: Kind) -> Repaired:
    """Repair what can be repaired and keep only the parts of the layer's own kind.

    Method `structure` without collapsed parts: it keeps the union of overlapping parts and the area of both halves
    of a bow tie, where `linework` punches overlaps out and a zero buffer loses half of the bow tie.
    """
    fault = fault.copy()
    geometries, hollow = without_empty_holes(geometries)
    fault[(fault == "") & shapely.is_empty(geometries)] = "geometry_empty"
    # NaN is not below anything, so what has no bounds is not near either.
    near = (np.abs(shapely.bounds(geometries)) < FARTHEST).all(axis=1)
    finite = near & _all_finite(geometries)
    fault[(fault == "") & ~finite] = "geometry_not_finite"
    dimensions = shapely.get_dimensions(geometries)
    fault[(fault == "") & (dimensions != _DIMENSION[kind])] = "geometry_wrong_kind"

    received = np.full(len(geometries), None, dtype=object)
    invalid = (fault == "") & ~shapely.is_valid(geometries)
    repaired = geometries.copy()
    mixed = (fault == "") & ~invalid & _is_collection(geometries)
    repaired[mixed] = _only(geometries[mixed], _DIMENSION[kind])
    received[mixed] = geometries[mixed]
    fault[mixed] = "geometry_mixed"
    repaired[invalid] = _only(
        shapely.make_valid(geometries[invalid], method="structure", keep_collapsed=False), _DIMENSION[kind]
    )
    received[invalid] = geometries[invalid]
    fault[invalid] = _verdicts(geometries[invalid], repaired[invalid])
    changed = mixed | invalid
    bytes_only = hollow.copy()
    received[changed], bytes_only[changed] = storable(received[changed])
    repaired[changed] = without_empty_holes(repaired[changed])[0]
    fault[hollow & (fault == "")] = "geometry_empty_hole"
    return Repaired(repaired, received, fault, bytes_only | hollow)


def held_to_plane(mended: Repaired, false_easting_m: float) -> Repaired:
    """Take what can be loaded from the geometries that reach beyond a Gauss-Krüger plane, in metres, of China."""
    off = mended.usable & off_plane(shapely.bounds(mended.geometries), false_easting_m)
    if not off.any():
        return mended
    return replace(mended, fault=np.where(off, "geometry_off_plane", mended.fault))


def parts_of_kind(geometries: Geometries, kind: Kind) -> Geometries:
    """Return geometries without their parts of another kind; where none is left, an empty one of the kind; None stays.

    >>> spiked = shapely.from_wkt("GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)), LINESTRING (1 1, 2 2))")
    >>> parts_of_kind(np.array([spiked, shapely.Point(0, 0)]), "polygon").tolist()
    [<POLYGON ((0 0, 1 0, 1 1, 0 0))>, <POLYGON EMPTY>]
    """
    dimension = _DIMENSION[kind]
    chosen = _only(geometries, dimension)
    other = ~shapely.is_missing(chosen) & (shapely.get_dimensions(chosen) != dimension)
    chosen[other] = _NOTHING[kind]
    return chosen


def multipolygons(geometries: Geometries) -> Geometries:
    """Return polygons as multipolygons, so that one column type holds both."""
    single = shapely.get_type_id(geometries) == shapely.GeometryType.POLYGON
    together = geometries.copy()
    together[single] = shapely.multipolygons(
        shapely.get_parts(geometries[single]), indices=np.arange(single.sum())
    )
    return together


def _all_finite(geometries: Geometries) -> npt.NDArray[np.bool_]:
    coordinates, owner = shapely.get_coordinates(geometries, return_index=True)
    finite = np.ones(len(geometries), dtype=bool)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return finite


def _only(geometries: Geometries, dimension: int) -> Geometries:
    """Drop the parts of another dimension, such as the line that remains of a spike."""
    cleaned = geometries.copy()
    for index in np.flatnonzero(_is_collection(geometries)):
        parts = _simple_parts(geometries[index])
        cleaned[index] = shapely.union_all(parts[shapely.get_dimensions(parts) == dimension])
    return cleaned


def _is_collection(geometries: Geometries) -> npt.NDArray[np.bool_]:
    collections: npt.NDArray[np.bool_] = (
        shapely.get_type_id(geometries) == shapely.GeometryType.GEOMETRYCOLLECTION
    )
    return collections


def _simple_parts(geometry: shapely.Geometry) -> Geometries:
    """Take collections apart down to points, lines and polygons, however deep they are nested."""
    parts: Geometries = shapely.get_parts(geometry)
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts = shapely.get_parts(parts)
    return parts


def area_changes(before: Geometries, after: Geometries) -> npt.NDArray[np.float64]:
    """Return by which share repair changed each area, of the larger one: 0 nothing, 1 all; as GEOS counts the area of crossed rings."""
    area_before, area_after = shapely.area(before), shapely.area(after)
    larger = np.maximum(area_before, area_after)
    shares: npt.NDArray[np.float64] = np.zeros(len(larger))
    np.divide(np.abs(area_after - area_before), larger, out=shares, where=larger > 0)
    return shares


def _verdicts(before: Geometries, after: Geometries) -> Texts:
    changed = area_changes(before, after) > AREA_CHANGE_SHARE
    verdicts = np.where(changed, "geometry_area_changed", "geometry_invalid").astype(object)
    verdicts[shapely.is_empty(after)] = "geometry_collapsed"
    return verdicts
