"""The same shapes written another way, row by row, bow ties and empty shapes included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from variations.forms import as_delivered
from variations.incoming import Delivered, rows_of

Coordinates = npt.NDArray[np.float64]
NOISE_M = 0.0001


def rewritten(item: Delivered) -> Delivered:
    """Write the rows anew, as they are."""
    return replace(item, rows=rows_of(item), write=item.write or as_delivered)


def shuffled(item: Delivered) -> Delivered:
    """Bring the rows into another order; of rows with one key the first stays first, for it is the one that counts."""
    rows = rows_of(item)
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    if item.layer == "parcel":
        order = _first_of_a_key_first(rows["ZDDM"].to_numpy(), order)
    return replace(item, rows=rows.iloc[order].reset_index(drop=True), write=item.write or as_delivered)


def _first_of_a_key_first(keys: Any, order: Any) -> Any:
    """Give the places of each key to its rows in their old order."""
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    for key in {key for key in keys if (keys == key).sum() > 1}:
        rows = np.flatnonzero(keys == key)
        place[rows] = np.sort(place[rows])
    return np.argsort(place)


def started_elsewhere(item: Delivered) -> Delivered:
    """Start every ring at another vertex."""
    return _of_rings(item, lambda ring: _rolled(ring, len(ring) // 2))


def turned_round(item: Delivered) -> Delivered:
    """Go round every ring, and along every line, the other way."""
    return _of_rings(item, lambda ring: ring[::-1])


def doubled(item: Delivered) -> Delivered:
    """Write every vertex twice."""
    return _of_rings(item, lambda ring: np.repeat(ring, 2, axis=0))


def as_multi(item: Delivered) -> Delivered:
    """Make every polygon a multi-polygon of one part."""
    return _of_shapes(
        item, lambda shape: shapely.MultiPolygon([shape]) if shape.geom_type == "Polygon" else shape
    )


def with_z(item: Delivered) -> Delivered:
    """Give every vertex a height."""
    return _of_shapes(item, lambda shape: shapely.force_3d(shape, 3.25))


def with_noise(item: Delivered) -> Delivered:
    """Move every vertex by up to 0.1 mm in each direction, every layer and row on its own."""
    random = np.random.default_rng(len(item.title))
    rows = rows_of(item)
    unit = 1 / 111_320 if rows.crs.is_geographic else 1.0

    def moved(ring: Coordinates) -> Coordinates:
        changed = ring + random.uniform(-NOISE_M, NOISE_M, ring.shape) * unit
        if np.array_equal(ring[0], ring[-1]):
            changed[-1] = changed[0]
        return changed

    return _of_rings(item, moved)


def in_system(crs: str) -> Callable[[Delivered], Delivered]:
    """Return what brings a layer to another coordinate system of the same datum."""

    def moved(item: Delivered) -> Delivered:
        rows = rows_of(item).to_crs(crs)
        return replace(item, rows=rows, write=item.write or as_delivered)

    return moved


def _of_rings(item: Delivered, change: Callable[[Coordinates], Coordinates]) -> Delivered:
    def changed(shape: Any) -> Any:
        if shape.geom_type == "LineString":
            return shapely.LineString(change(shapely.get_coordinates(shape)))
        parts = [_polygon(part, change) for part in shapely.get_parts(shape)]
        return parts[0] if shape.geom_type == "Polygon" else shapely.MultiPolygon(parts)

    return _of_shapes(item, changed)


def _polygon(shape: Any, change: Callable[[Coordinates], Coordinates]) -> Any:
    rings = [change(shapely.get_coordinates(ring)) for ring in shapely.get_rings(shape)]
    return shapely.Polygon(rings[0], rings[1:])


def _of_shapes(item: Delivered, change: Callable[[Any], Any]) -> Delivered:
    rows = rows_of(item)
    shapes = [None if shape is None else change(shape) for shape in rows.geometry.to_numpy()]
    changed = rows.set_geometry(gpd.GeoSeries(shapes, index=rows.index, crs=rows.crs))
    return replace(item, rows=changed, write=item.write or as_delivered)


def _rolled(ring: Coordinates, step: int) -> Coordinates:
    """Start a closed ring at another vertex; a line stays as it is."""
    if not np.array_equal(ring[0], ring[-1]):
        return ring
    opened = np.roll(ring[:-1], step, axis=0)
    return np.concatenate([opened, opened[:1]])
