"""Draw the outline of a unit: all of its parcels, the lanes between them inside its block, and no parcel that is not in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.derived import areas, joined
from lowland_gis.analysis.units.facing import Ints

Shapes = npt.NDArray[np.object_]

# Ground is enclosed where its opening is at most twice this wide, in m: parcels that meet in a corner enclose it or not by a rounding.
_OPENING_M = 0.05
_BEYOND_M = 1e-3


def outlines(
    shapes: Shapes, units: list[Ints], cells: Shapes, gap_m: float
) -> tuple[Shapes, npt.NDArray[np.bool_]]:
    """Return the outline of every unit as a multipolygon, and whether it is drawn as it should be.

    Lanes up to `gap_m` wide are closed by buffering out and in; what lies enclosed and is no parcel belongs to the unit. `cells`
    is the block of each unit (None: no bound), which bounds the lanes; a parcel that a barrier or the line of a town cuts is drawn
    whole, since its whole area counts in the unit. So an outline is its parcels and lanes, and nothing else. Where no valid area comes of that, the outline is that of the parcels alone.
    """
    tree = shapely.STRtree(shapes)
    drawn = [_outline(shapes, unit, tree, cell, gap_m) for unit, cell in zip(units, cells, strict=True)]
    whole = np.array([outline is not None for outline in drawn], dtype=bool)
    made = [outline or _parcels(shapes[unit]) for outline, unit in zip(drawn, units, strict=True)]
    return np.array([*made, None], dtype=object)[:-1], whole


def _outline(
    shapes: Shapes, members: Ints, tree: shapely.STRtree, cell: shapely.Geometry | None, gap_m: float
) -> shapely.MultiPolygon | None:
    """Return an outline; None where a step of it makes no valid area."""
    # Buffers depend a little on where a ring begins; in its normal form a union begins where its shape says.
    own = shapely.normalize(_union(shapes[members]))
    filled = _filled(_closed(own, gap_m))
    if filled is None:
        return None
    others = np.setdiff1d(tree.query(filled, predicate="intersects"), members)
    lanes = _made(shapely.difference, filled, _union(shapes[others]))
    # Only what hangs together with a member: an enclosed corner between others is not the unit's.
    whole = _made(shapely.union, lanes, own)
    if cell is not None:
        whole = _made(shapely.union, _made(shapely.intersection, whole, cell), own)
    parts = shapely.get_parts(whole)
    held = shapely.area(areas(shapely.intersection, parts, np.full(len(parts), own)).geometries) > 0
    return shapely.multipolygons(parts[held]) if held.any() else None


def _closed(own: shapely.Geometry | None, gap_m: float) -> shapely.Geometry | None:
    """Return an area with its lanes closed.

    Drawn back with mitred corners, what is open keeps its corners, but where a lane narrows slowly and ends in a sharp tip, the mitre
    of the tip opens it again up to five half widths farther – or not at all where a rounding blunts the tip. Drawn back round, the
    end of the lane hardly depends on that, but every inner corner would be filled out a little. So what only the round way closes
    counts where it is larger than a square of the lane's width, which no inner corner of a parcel is.
    """
    wide = _made(partial(shapely.buffer, distance=gap_m / 2, join_style="mitre"), own)
    mitred = _made(partial(shapely.buffer, distance=-gap_m / 2, join_style="mitre"), wide)
    closed = _made(shapely.union, mitred, own)
    rounded = _made(partial(shapely.buffer, distance=-gap_m / 2, join_style="round"), wide)
    ends = shapely.get_parts(_made(shapely.difference, rounded, closed))
    ends = ends[shapely.area(ends) > gap_m**2]
    return closed if len(ends) == 0 else _union(np.array([closed, *ends], dtype=object))


def _filled(closed: shapely.Geometry | None) -> shapely.Geometry | None:
    """Return an area with what it encloses, also where it is open by a crack."""
    tight = _made(partial(shapely.buffer, distance=_OPENING_M, join_style="mitre"), closed)
    rings = [ring for part in shapely.get_parts(tight) for ring in part.interiors]
    # A little more than they shrank, so that no crack is left between them and what encloses them.
    grown = [
        shapely.buffer(shapely.Polygon(ring), _OPENING_M + _BEYOND_M, join_style="mitre") for ring in rings
    ]
    outer = shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(closed)))
    return _union(np.array([*outer, *grown], dtype=object))


def _parcels(shapes: Shapes) -> shapely.MultiPolygon:
    """Return parcels as one multipolygon; empty where even that makes no valid area."""
    return shapely.multipolygons(shapely.get_parts(_union(shapes)))


def _union(shapes: Shapes) -> shapely.Geometry | None:
    union: shapely.Geometry | None = joined([shapes]).geometries[0]
    return union


def _made(operation: Callable[..., Shapes], *given: shapely.Geometry | None) -> shapely.Geometry | None:
    """Return the area that an operation makes of single geometries; None where one of them is missing or it fails."""
    made: shapely.Geometry | None = areas(
        operation, *(np.array([one], dtype=object) for one in given)
    ).geometries[0]
    return made
