"""Draw the outline of a unit from its parcels: lanes closed, inside its block, never over a parcel that is not in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.facing import Ints

_POLYGON = 2


def outlines(
    shapes: npt.NDArray[np.object_], units: list[Ints], cells: npt.NDArray[np.object_], gap_m: float
) -> npt.NDArray[np.object_]:
    """Return the outline of every unit as a multipolygon; `cells` is the block of each unit (None: no bound).

    Lanes up to `gap_m` wide are closed by buffering out and in; what lies enclosed and is no parcel belongs to the unit.
    """
    tree = shapely.STRtree(shapes)
    drawn = [_outline(shapes, unit, tree, cell, gap_m) for unit, cell in zip(units, cells, strict=True)]
    return np.array([*drawn, None], dtype=object)[:-1]


def _outline(
    shapes: npt.NDArray[np.object_],
    members: Ints,
    tree: shapely.STRtree,
    cell: shapely.Geometry | None,
    gap_m: float,
) -> shapely.MultiPolygon:
    own = shapely.union_all(shapes[members])
    wide = shapely.buffer(own, gap_m / 2, join_style="mitre")
    closed = shapely.union(shapely.buffer(wide, -gap_m / 2, join_style="mitre"), own)
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(closed)])
    others = np.setdiff1d(tree.query(filled, predicate="intersects"), members)
    lanes = shapely.difference(filled, shapely.union_all(shapes[others]))
    # Only what hangs together with a member: an enclosed corner between others is not the unit's.
    whole = shapely.union(lanes, own)
    parts = shapely.get_parts(whole if cell is None else shapely.intersection(whole, cell))
    parts = parts[(shapely.get_dimensions(parts) == _POLYGON)]
    return shapely.multipolygons(parts[shapely.area(shapely.intersection(parts, own)) > 0])
