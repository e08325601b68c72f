"""Draw the outline of a unit: all of its parcels, the lanes between them inside its block, and no parcel that is not in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely

from lowland_gis.analysis.geometry.derived import areas, joined
from lowland_gis.analysis.units.facing import Ints

Shapes = npt.NDArray[np.object_]

# Ground is enclosed where its opening is at most twice this wide, in m: parcels that meet in a corner enclose it or not by a rounding.
_OPENING_M = 0.05
_BEYOND_M = 1e-3
# What hangs together by less than twice this width, in m, does so by a rounding.
_HAIR_M = 1e-3
_AGAIN = 1e-7
# What the round way closes of a right-angled corner is a twentieth of a square of the lane's width: less than half of what is looked at.
_CORNERS = 10


def outlines(
    shapes: Shapes, units: list[Ints], cells: Shapes, gap_m: float
) -> tuple[Shapes, npt.NDArray[np.bool_]]:
    """Return the outline of every unit as a multipolygon, and whether it is drawn as it should be.

    Lanes up to `gap_m` wide are closed by buffering out and in; what lies enclosed and is no parcel belongs to the unit. `cells`
    is the block of each unit (None: no bound), which bounds the lanes; a parcel that a barrier or the line of a town cuts is drawn
    whole, since its whole area counts in the unit. So an outline is its parcels and lanes, and nothing else. Where no valid area comes of that, the outline is that of the parcels alone.
    """
    # Every step is taken by all units at once; None where a step of a unit makes no valid area.
    # Buffers depend a little on where a ring begins; in its normal form a union begins where its shape says.
    own = shapely.normalize(_unions([shapes[unit] for unit in units]))
    filled = _filled(_closed(own, gap_m))
    others = _unions([shapes[near] for near in _others(shapes, units, filled)])
    # Only what hangs together with a member: an enclosed corner between others is not the unit's.
    whole = _made(shapely.union, _made(shapely.difference, filled, others), own)
    bound = ~shapely.is_missing(cells)
    whole[bound] = _made(shapely.union, _made(shapely.intersection, whole[bound], cells[bound]), own[bound])
    made = _held(whole, own)
    drawn = ~shapely.is_missing(made)
    made[~drawn] = [_parcels(shapes[units[at]]) for at in np.flatnonzero(~drawn)]
    return made, drawn


def _others(shapes: Shapes, units: list[Ints], filled: Shapes) -> list[Ints]:
    """Return the parcels that each area meets and that are not the unit's."""
    area, met = shapely.STRtree(shapes).query(filled, predicate="intersects")
    ends = np.searchsorted(area, np.arange(len(units) + 1))
    return [
        np.setdiff1d(met[begin:end], unit) for unit, (begin, end) in zip(units, pairwise(ends), strict=True)
    ]


def _held(whole: Shapes, own: Shapes) -> Shapes:
    """Return of each area the parts that hold something of the unit's own, as a multipolygon; None where none does."""
    whole = _without_hangers(whole, own)
    parts, at = shapely.get_parts(whole, return_index=True)
    held = np.bincount(at, minlength=len(whole))[at] == 1
    several = np.flatnonzero(~held)
    held[several] = shapely.area(_made(shapely.intersection, parts[several], own[at[several]])) > 0
    made = np.full(len(whole), None, dtype=object)
    rows, place = np.unique(at[held], return_inverse=True)
    if len(rows):
        made[rows] = shapely.multipolygons(parts[held], indices=place)
    return made


def _without_hangers(whole: Shapes, own: Shapes) -> Shapes:
    """Return areas without what holds nothing of their own and hangs on them by no more than a rounding, a corner that two share."""
    cores, pieces, at = _torn(whole)
    loose = shapely.area(_made(shapely.intersection, cores, own[at])) == 0
    rows = np.unique(at[loose])
    if len(rows):
        off = _unions([pieces[loose & (at == row)] for row in rows])
        whole = whole.copy()
        whole[rows] = _made(shapely.union, _made(shapely.difference, whole[rows], off), own[rows])
    return whole


def _torn(shapes: Shapes) -> tuple[Shapes, Shapes, Ints]:
    """Return what areas fall into where they hang together by a hair, and of which area each is; nothing of one that is whole.

    First the cores, which end a hair's width within, then the pieces, which reach a hair's width beyond where they were torn off.
    """
    parts, at = shapely.get_parts(shapes, return_index=True)
    shrunk = _made(partial(shapely.buffer, distance=-_HAIR_M, join_style="mitre"), parts)
    torn = np.flatnonzero(shapely.get_num_geometries(shrunk) > 1)
    pieces, part = shapely.get_parts(shrunk[torn], return_index=True)
    grown = shapely.buffer(pieces, 2 * _HAIR_M, join_style="mitre")
    return pieces, _made(shapely.intersection, grown, parts[torn][part]), at[torn][part]


def _closed(own: Shapes, gap_m: float) -> Shapes:
    """Return areas with their lanes closed.

    Drawn back with mitred corners, what is open keeps its corners, but where a lane narrows slowly and ends in a sharp tip, the mitre
    of the tip opens it again up to five half widths farther – or not at all where a rounding blunts the tip. Drawn back round, the
    end of the lane hardly depends on that, but every inner corner would be filled out a little. So what only the round way closes
    counts where it is larger than a square of the lane's width, which no inner corner of a parcel is, or where it lies between two
    places that are open: a corner is open to one side only, a lane between a bulge and its mouth to two.
    """
    wide = _made(partial(shapely.buffer, distance=gap_m / 2, join_style="mitre"), own)
    mitred = _drawn_back(wide, own, gap_m / 2)
    closed = _made(shapely.union, mitred, own)
    rounded = _made(partial(shapely.buffer, distance=-gap_m / 2, join_style="round"), wide)
    ends, at = shapely.get_parts(_made(shapely.difference, rounded, closed), return_index=True)
    looked_at = gap_m**2 / _CORNERS
    large = shapely.area(ends) > looked_at
    ends, at = _apart(ends[large], at[large])
    area_m2 = shapely.area(ends)
    counts = area_m2 > gap_m**2
    doubtful = np.flatnonzero((area_m2 > looked_at) & ~counts)
    counts[doubtful] = _open_places(ends[doubtful], closed[at[doubtful]]) > 1
    ends, at = ends[counts], at[counts]
    # A little into what they lie beside, since their sides are the same but for a rounding, and a crack there would part them.
    into = shapely.buffer(ends, _HAIR_M, join_style="mitre")
    ends = _made(shapely.intersection, into, rounded[at])
    rows = np.unique(at)
    closed[rows] = _unions([np.append(closed[row : row + 1], ends[at == row]) for row in rows])
    return closed


def _drawn_back(wide: Shapes, own: Shapes, distance_m: float) -> Shapes:
    """Return areas drawn in with mitred corners; what they were drawn out from lies in them.

    Of one in some ten thousand GEOS loses whole parts so, as in findings/geos_mitred_parts.sh, but not a fraction of a µm farther out.
    """
    mitred = _made(partial(shapely.buffer, distance=-distance_m, join_style="mitre"), wide)
    lost = np.flatnonzero(shapely.area(mitred) < shapely.area(own) - _HAIR_M)
    again = partial(shapely.buffer, distance=-distance_m * (1 - _AGAIN), join_style="mitre")
    mitred[lost] = _made(again, wide[lost])
    return mitred


def _apart(ends: Shapes, at: Ints) -> tuple[Shapes, Ints]:
    """Return polygons, those that hang together by a hair taken apart, and of which area each is."""
    _, pieces, of = _torn(ends)
    whole = np.setdiff1d(np.arange(len(ends)), of)
    polygons, piece = shapely.get_parts(pieces, return_index=True)
    return np.append(ends[whole], polygons), np.append(at[whole], at[of[piece]])


def _open_places(pieces: Shapes, beside: Shapes) -> Ints:
    """Return in how many places the boundary of each piece, taken round its ring, leaves the area beside it."""
    shapely.prepare(beside)
    corners, piece = shapely.get_coordinates(shapely.get_exterior_ring(pieces), return_index=True)
    side = np.flatnonzero(piece[1:] == piece[:-1])
    middles = shapely.points((corners[side] + corners[side + 1]) / 2)
    free = ~shapely.dwithin(beside[piece[side]], middles, _OPENING_M)
    begins, of = free.copy(), piece[side]
    # A ring goes on where it began: its first side comes after its last one.
    first = np.flatnonzero(np.diff(of, prepend=-1))
    before = np.roll(free, 1)
    before[first] = free[np.append(first[1:], len(of)) - 1] if len(first) else free[:0]
    begins &= ~before
    return np.bincount(of[begins], minlength=len(pieces))


def _filled(closed: Shapes) -> Shapes:
    """Return areas with what they enclose, also where they are open by a crack."""
    tight = _made(partial(shapely.buffer, distance=_OPENING_M, join_style="mitre"), closed)
    parts, at = shapely.get_parts(tight, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    inner = np.diff(part, prepend=-1) == 0
    # A little more than they shrank, so that no crack is left between them and what encloses them.
    grown = shapely.buffer(shapely.polygons(rings[inner]), _OPENING_M + _BEYOND_M, join_style="mitre")
    outer, of = shapely.get_parts(closed, return_index=True)
    together = np.concatenate([shapely.polygons(shapely.get_exterior_ring(outer)), grown])
    row = np.concatenate([of, at[part[inner]]])
    order = np.argsort(row, kind="stable")
    ends = np.searchsorted(row[order], np.arange(len(closed) + 1))
    return _unions([together[order[begin:end]] for begin, end in pairwise(ends)])


def _parcels(shapes: Shapes) -> shapely.MultiPolygon:
    """Return parcels as one multipolygon; empty where even that makes no valid area."""
    return shapely.multipolygons(shapely.get_parts(_unions([shapes])[0]))


def _unions(groups: Sequence[Shapes]) -> Shapes:
    return joined(groups).geometries


def _made(operation: Callable[..., Shapes], *given: Shapes) -> Shapes:
    """Return the areas that an operation makes of rows of geometries; None where one of them is missing or it fails."""
    return areas(operation, *given).geometries
