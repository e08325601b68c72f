"""Small geometry helpers of the sample: ellipsoidal area, unions by key, boxes inside lots."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from lowland_gis.sample.dice import Floats, Ints, Shapes

CRS = "EPSG:4548"
FALSE_EAST = 500_000.0
MEAN_RADIUS_M = 6_371_500.0
WIDE_M, STRIP_M = 2_000.0, 500.0


def ellipsoidal_area(shapes: Shapes) -> Floats:
    """Return areas on the ellipsoid in m²: planar area over the square of the scale at the centroid.

    The scale changes with the distance from the central meridian, so wide shapes are measured in strips. This equals
    the regulation's formula (椭球面积) to about 0.01 m² for features, to some 0.1 m² for those of many km².
    """
    area = _by_centroid(shapes)
    west, _, east, _ = shapely.bounds(shapes).reshape(-1, 4).T
    for row in np.flatnonzero(east - west > WIDE_M):
        _, south, _, north = shapely.bounds(shapes[row])
        edges = np.append(np.arange(west[row], east[row], STRIP_M), east[row])
        parts = shapely.intersection(shapes[row], shapely.box(edges[:-1], south, edges[1:], north))
        area[row] = _by_centroid(parts[~shapely.is_empty(parts)]).sum()
    return area


def _by_centroid(shapes: Shapes) -> Floats:
    east = shapely.get_x(shapely.centroid(shapes)) - FALSE_EAST
    scale = 1 + east**2 / (2 * MEAN_RADIUS_M**2) + east**4 / (24 * MEAN_RADIUS_M**4)
    return np.asarray(shapely.area(shapes) / scale**2)


def merged_by(shapes: Shapes, key: Ints) -> tuple[Shapes, Ints]:
    """Join the shapes of each key ≥ 0 along common edges; returns single parts and one source row of each."""
    rows = np.flatnonzero(key >= 0)
    order = rows[np.argsort(key[rows], kind="stable")]
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0]) if len(order) else np.empty(0, dtype=int)
    joined: list[Any] = []
    sources: list[int] = []
    for start, stop in zip(starts, np.r_[starts[1:], len(order)], strict=True):
        whole = shapely.coverage_union_all(shapes[order[start:stop]])
        parts = shapely.get_parts(whole).tolist()
        joined.extend(parts)
        sources.extend([int(order[start])] * len(parts))
    result = np.empty(len(joined), dtype=object)
    result[:] = joined
    return result, np.array(sources, dtype=np.int64)
