"""What a run of parcels shares with a layer of zones, class by class: the loop over parcels and the zones that they meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, compiled, entry
from lowland_gis.analysis.overlay.boxtree import STACK, BoxTree, boxes_met
from lowland_gis.analysis.overlay.cover import covered_area
from lowland_gis.analysis.overlay.frame import (
    AT_ONCE,
    Frame,
    Room,
    fits,
    frame_room,
    laid_out,
    parcel_frame,
)
from lowland_gis.analysis.overlay.kernel import area_within
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


# How far a run of parcels came: the next parcel, the rows filled; then what that parcel needs room for: zones that it meets, and its size.
_PARCEL, _FILLED, _MET, _VERTICES, _PLACES, _STRIPS = range(6)


def sums_of(
    parcels: Rings, first: int, last: int, zones: Rings, classes: Integers, tree: BoxTree
) -> tuple[Integers, Integers, Floats]:
    """Return parcel, class and area_m2 of the parcels `first` to `last` (excluded), in the order of parcel and class.

    `zones` are in ascending order of `classes`; `tree` holds their boxes. Every zone that overlaps a parcel counts.
    """
    room, rows = _first_room(), _rows(4 * (last - first) + 16)
    stand = np.zeros(6, dtype=np.int64)
    stand[_PARCEL] = first
    # At least once: an installation keeps the machine code of all that is called for no parcels.
    _sum(parcels, last, zones, classes, tree, room, rows, stand)
    while stand[_PARCEL] < last:
        room, rows = _more_room(room, stand), _more_rows(rows, stand)
        _sum(parcels, last, zones, classes, tree, room, rows, stand)
    filled = int(stand[_FILLED])
    return rows.parcel[:filled].copy(), rows.klass[:filled].copy(), rows.area[:filled].copy()


@entry
def _sum(
    parcels: Rings,
    last: int,
    zones: Rings,
    classes: Integers,
    tree: BoxTree,
    room: _Room,
    rows: _Rows,
    stand: Integers,
) -> None:
    """Write the sums of parcels from where a run stands up to `last` (excluded), or to the first one for which there is no room."""
    n = stand[_FILLED]
    for p in range(stand[_PARCEL], last):
        if parcels.shape_rings[p] == 0:
            continue
        met = boxes_met(tree, parcels.box[p], room.found, room.stack)
        if met == 0:
            continue
        count, size = laid_out(parcels, p, room.frame)
        if met > len(room.found) or n + met > len(rows.parcel) or not fits(room.frame, size):
            stand[_PARCEL], stand[_FILLED], stand[_MET] = p, n, met
            stand[_VERTICES], stand[_PLACES], stand[_STRIPS] = size.vertices, size.places, size.strips
            return
        frame = parcel_frame(parcels, p, room.frame, count, size.strips)
        before = n
        n = _by_class(frame, zones, classes, room.found, met, rows.klass, rows.area, n)
        rows.parcel[before:n] = p
    stand[_PARCEL], stand[_FILLED] = last, n


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
def covered_of(
    parcels: Rings, first: int, last: int, zones: Rings, tree: BoxTree, parcel: Integers, area: Floats
) -> Floats:
    """Return of each of the parcels `first` to `last` (excluded) the area that at least one zone covers, 0 without zones.

    `parcel` and `area` are what `sums_of` returns for them.
    """
    found, stack = np.empty(64, dtype=np.int64), np.empty(STACK, dtype=np.int64)
    covered, edges = np.zeros(last - first), np.empty((256, 6))
    row = 0
    for p in range(first, last):
        before = row
        while row < len(parcel) and parcel[row] == p:
            row += 1
        if row > before:
            met = boxes_met(tree, parcels.box[p], found, stack)
            if met > len(found):
                found = np.empty(2 * met, dtype=np.int64)
                met = boxes_met(tree, parcels.box[p], found, stack)
            summed = area[before:row].sum()
            covered[p - first], edges = covered_area(parcels, p, zones, found[:met], summed, edges)
    return covered


def _first_room() -> _Room:
    return _Room(np.empty(64, dtype=np.int64), np.empty(STACK, dtype=np.int64), frame_room(256, 256, 64))


def _more_room(room: _Room, stand: Integers) -> _Room:
    """Return room for what the next parcel needs, twice as much where there was too little."""
    found, frame = room.found, room.frame
    if stand[_MET] > len(found):
        found = np.empty(2 * stand[_MET], dtype=np.int64)
    there = frame.edges.shape[1], frame.ordered.shape[1] - AT_ONCE, len(frame.first)
    needed = stand[[_VERTICES, _PLACES, _STRIPS]].tolist()
    if any(need > room for need, room in zip(needed, there, strict=True)):
        frame = frame_room(*(max(2 * need, room) for need, room in zip(needed, there, strict=True)))
    return _Room(found, room.stack, frame)


def _rows(count: int) -> _Rows:
    return _Rows(np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), np.empty(count))


def _more_rows(rows: _Rows, stand: Integers) -> _Rows:
    """Return the rows, in longer ones where the next parcel may need more."""
    needed = int(stand[_FILLED] + stand[_MET])
    if needed <= len(rows.parcel):
        return rows
    more = _rows(2 * needed)
    for column, longer in zip(rows, more, strict=True):
        longer[: stand[_FILLED]] = column[: stand[_FILLED]]
    return more
