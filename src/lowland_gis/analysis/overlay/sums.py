"""What a run of parcels shares with a layer of zones, class by class: the loop over parcels and the zones that they meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.overlay.boxtree import STACK, BoxTree, boxes_met
from lowland_gis.analysis.overlay.cover import covered_area
from lowland_gis.analysis.overlay.kernel import (
    Frame,
    Room,
    Size,
    area_within,
    fits,
    frame_room,
    laid_out,
    parcel_frame,
)
from lowland_gis.analysis.overlay.rings import Rings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class _Room(NamedTuple):
    """Room to work in: for the zones that a parcel meets, the nodes of their tree that wait, and its frame."""

    found: Integers
    stack: Integers
    frame: Room


class _Rows(NamedTuple):
    """Rows of parcel, class and area in m², of which the first ones are filled."""

    parcel: Integers
    klass: Integers
    area: Floats


class _Stand(NamedTuple):
    """How far a run of parcels came: the next parcel, and the rows filled; then what that parcel needs room for."""

    parcel: int
    rows: int
    met: int
    size: Size


@compiled
def sums_of(
    parcels: Rings, first: int, last: int, zones: Rings, classes: Integers, tree: BoxTree
) -> tuple[Integers, Integers, Floats]:
    """Return parcel, class and area_m2 of the parcels `first` to `last` (excluded), in the order of parcel and class.

    `zones` are in ascending order of `classes`; `tree` holds their boxes. Every zone that overlaps a parcel counts.
    """
    room, rows = _first_room(), _rows(4 * (last - first) + 16)
    stand = _Stand(first, 0, 0, Size(0, 0, 0))
    while stand.parcel < last:
        room, rows = _more_room(room, stand), _more_rows(rows, stand)
        stand = _summed(parcels, last, zones, classes, tree, room, rows, stand)
    return _filled(rows, stand.rows)


@compiled
def sums_and_covered_of(
    parcels: Rings, first: int, last: int, zones: Rings, classes: Integers, tree: BoxTree
) -> tuple[Integers, Integers, Floats, Floats]:
    """Return what `sums_of` returns, and of each parcel the area that at least one zone covers, 0 without zones."""
    room, rows = _first_room(), _rows(4 * (last - first) + 16)
    covered, edges = np.zeros(last - first), np.empty((256, 6))
    stand = _Stand(first, 0, 0, Size(0, 0, 0))
    while stand.parcel < last:
        room, rows = _more_room(room, stand), _more_rows(rows, stand)
        p, before = stand.parcel, stand.rows
        stand = _summed(parcels, p + 1, zones, classes, tree, room, rows, stand)
        if stand.rows > before:
            summed = rows.area[before : stand.rows].sum()
            met = room.found[: stand.met]
            covered[p - first], edges = covered_area(parcels, p, zones, met, summed, edges)
    return (*_filled(rows, stand.rows), covered)


@borrowing
def _summed(
    parcels: Rings,
    last: int,
    zones: Rings,
    classes: Integers,
    tree: BoxTree,
    room: _Room,
    rows: _Rows,
    stand: _Stand,
) -> _Stand:
    """Write the sums of parcels from where a run stands up to `last` (excluded), or to the first one for which there is no room."""
    n = stand.rows
    met, size = 0, Size(0, 0, 0)
    for p in range(stand.parcel, last):
        if parcels.shape_rings[p] == 0:
            continue
        met = boxes_met(tree, parcels.box[p], room.found, room.stack)
        if met == 0:
            continue
        count, size = laid_out(parcels, p, room.frame)
        if met > len(room.found) or n + met > len(rows.parcel) or not fits(room.frame, size):
            return _Stand(p, n, met, size)
        frame = parcel_frame(parcels, p, room.frame, count, size.strips)
        before = n
        n = _by_class(frame, zones, classes, room.found, met, rows.klass, rows.area, n)
        rows.parcel[before:n] = p
    return _Stand(last, n, met, size)


@borrowing
def _by_class(
    frame: Frame,
    zones: Rings,
    classes: Integers,
    found: Integers,
    count: int,
    klass: Integers,
    area: Floats,
    n: int,
) -> int:
    """Write what a parcel shares with each class of the zones found, from place `n` on, and return the next place."""
    for place in range(count):
        zone = found[place]
        shared = area_within(frame, zones, zone)
        if place > 0 and classes[zone] == classes[found[place - 1]]:
            area[n - 1] += shared
            continue
        klass[n], area[n] = classes[zone], shared
        n += 1
    return n


@compiled
def _first_room() -> _Room:
    return _Room(np.empty(64, dtype=np.int64), np.empty(STACK, dtype=np.int64), frame_room(256, 256, 64))


@compiled
def _more_room(room: _Room, stand: _Stand) -> _Room:
    """Return room for what the next parcel needs, twice as much where there was too little."""
    found, frame, size = room.found, room.frame, stand.size
    if stand.met > len(found):
        found = np.empty(2 * stand.met, dtype=np.int64)
    if not fits(frame, size):
        frame = frame_room(
            max(2 * size.vertices, frame.edges.shape[1]),
            max(2 * size.places, frame.ordered.shape[1]),
            max(2 * size.strips, len(frame.first)),
        )
    return _Room(found, room.stack, frame)


@compiled
def _rows(count: int) -> _Rows:
    return _Rows(np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), np.empty(count))


@compiled
def _more_rows(rows: _Rows, stand: _Stand) -> _Rows:
    """Return the rows, in longer ones where the next parcel may need more."""
    needed = stand.rows + stand.met
    if needed <= len(rows.parcel):
        return rows
    more = _rows(2 * needed)
    more.parcel[: stand.rows] = rows.parcel[: stand.rows]
    more.klass[: stand.rows] = rows.klass[: stand.rows]
    more.area[: stand.rows] = rows.area[: stand.rows]
    return more


@compiled
def _filled(rows: _Rows, count: int) -> tuple[Integers, Integers, Floats]:
    return rows.parcel[:count].copy(), rows.klass[:count].copy(), rows.area[:count].copy()
