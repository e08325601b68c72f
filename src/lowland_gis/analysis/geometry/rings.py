"""Rings that came without a word about which of them are holes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]


def by_depth(rings: Geometries) -> shapely.Geometry:
    """Return the polygon of several rings: one that lies in an even number of others bounds land, one in an odd number a hole in it."""
    areas = shapely.polygons(rings)
    order = np.argsort(-shapely.area(areas), kind="stable")
    rings, areas = rings[order], areas[order]
    inside = shapely.point_on_surface(areas)
    within = np.array(
        [shapely.contains(areas[:place], inside[place]) for place in range(len(areas))], dtype=object
    )
    depth = [int(each.sum()) for each in within]
    shells = [place for place in range(len(rings)) if depth[place] % 2 == 0]
    holes: dict[int, list[int]] = {place: [] for place in shells}
    for place in range(len(rings)):
        if depth[place] % 2:
            around = [
                each for each in np.flatnonzero(within[place]).tolist() if depth[each] == depth[place] - 1
            ]
            holes[around[-1]].append(place)
    parts = [
        shapely.polygons(rings[place], rings[holes[place]] if holes[place] else None) for place in shells
    ]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
