"""What a run of parcels shares with a layer of zones, class by class: the loop over parcels and the zones that they meet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.boxtree import STACK, BoxTree, boxes_met
from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.cover import covered_area
from lowland_gis.analysis.kernel import Frame, area_within, frame_room, parcel_frame, vertices_of
from lowland_gis.analysis.rings import Rings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@compiled
def sums_of(
    parcels: Rings, first: int, last: int, zones: Rings, classes: Integers, tree: BoxTree, cover: bool
) -> tuple[Integers, Integers, Floats, Floats]:
    """Return parcel, class and area_m2 of the parcels `first` to `last` (excluded), in the order of parcel and class.

    `zones` are in ascending order of `classes`; `tree` holds their boxes. Every zone that overlaps a parcel counts. The
    fourth is, where `cover` asks for it, the area of each of these parcels that at least one zone covers, 0 without zones.
    """
    room = 4 * (last - first) + 16
    parcel, klass, area = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64), np.empty(room)
    covered = np.zeros(last - first if cover else 0)
    found = np.empty(64, dtype=np.int64)
    edges, stack, work = np.empty((256, 6)), np.empty(STACK, dtype=np.int64), frame_room(256)
    n = 0
    for p in range(first, last):
        if parcels.shape_rings[p] == 0:
            continue
        count, found = boxes_met(tree, parcels.box[p], found, stack)
        if count == 0:
            continue
        if vertices_of(parcels, p) > len(work.parts):
            work = frame_room(2 * vertices_of(parcels, p))
        if n + count > room:
            room = 2 * (n + count)
            parcel, klass, area = _longer(parcel, room), _longer(klass, room), _more(area, room)
        frame = parcel_frame(parcels, p, work)
        before = n
        n, summed = _by_class(frame, zones, classes, found, count, klass, area, n)
        parcel[before:n] = p
        if cover:
            covered[p - first], edges = covered_area(parcels, p, frame, zones, found[:count], summed, edges)
    return parcel[:n].copy(), klass[:n].copy(), area[:n].copy(), covered


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
) -> tuple[int, float]:
    """Write what a parcel shares with each class of the zones found, from place `n` on; return the next place and the sum of all."""
    summed = 0.0
    for place in range(count):
        zone = found[place]
        shared = area_within(frame, zones, zone)
        summed += shared
        if place > 0 and classes[zone] == classes[found[place - 1]]:
            area[n - 1] += shared
            continue
        klass[n], area[n] = classes[zone], shared
        n += 1
    return n, summed


@compiled
def _longer(values: Integers, room: int) -> Integers:
    longer = np.empty(room, dtype=np.int64)
    longer[: len(values)] = values
    return longer


@compiled
def _more(values: Floats, room: int) -> Floats:
    more = np.empty(room)
    more[: len(values)] = values
    return more
