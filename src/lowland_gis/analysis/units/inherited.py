"""Begin with the units of before: as they were, and grown on where that is worth more."""

from __future__ import annotations

import numpy as np

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground
from lowland_gis.analysis.units.grow import grow_kept
from lowland_gis.analysis.units.moves import improve
from lowland_gis.analysis.units.quick import Columns, joined, nothing
from lowland_gis.analysis.units.value import KEPT, Desk, Flags, next_stamp, value_and_rule


@compiled
def old_units(g: Ground, desk: Desk, free: Flags, price: Floats, members: Ints, before: Ints) -> Columns:
    """Return units of a component that begin with earlier ones (`before`: the number of each parcel's, -1 for none).

    Of every earlier unit the largest piece that still hangs together is taken as it is, bettered, and grown on; only what keeps
    every rule is returned.
    """
    found = nothing()
    numbers = np.unique(before[members])
    for number in numbers:
        if number < 0:
            continue
        size = _largest_piece(g, desk, members, before, number)
        piece = desk.members[:size].copy()
        found = joined(found, _judged(g, desk, piece))
        desk.members[:size] = piece
        grown = grow_kept(g, desk, free, price, size, -1, 0.0, g.most, desk.members, 0)
        if grown > 0:
            grown = improve(g, desk, free, price, desk.members, grown, -1)
            found = joined(found, _judged(g, desk, desk.members[:grown].copy()))
        if value_and_rule(g, desk, piece)[1] == KEPT:
            desk.members[:size] = piece
            better = improve(g, desk, free, price, desk.members, size, -1)
            found = joined(found, _judged(g, desk, desk.members[:better].copy()))
    return found


@compiled
def _judged(g: Ground, desk: Desk, unit: Ints) -> Columns:
    """Return a set of parcels as the only unit, or no unit where it breaks a rule."""
    ordered = np.sort(unit)
    value, rule = value_and_rule(g, desk, ordered)
    if rule != KEPT:
        return nothing()
    starts = np.zeros(2, dtype=np.int64)
    starts[1] = len(ordered)
    values = np.empty(1)
    values[0] = value
    return starts, ordered, values


@borrowing
def _largest_piece(g: Ground, desk: Desk, members: Ints, before: Ints, number: int) -> int:
    """Leave the largest piece of an earlier unit that hangs together in desk.members; return its size."""
    stamp = next_stamp(desk)
    for node in members:
        if before[node] == number:
            desk.inside[node] = stamp
    most, best = 0.0, 0
    for origin in members:
        if desk.inside[origin] != stamp:
            continue
        desk.queue[0] = origin
        desk.inside[origin] = 0
        head, tail, area = 0, 1, 0.0
        while head < tail:
            node = desk.queue[head]
            head += 1
            area += g.area[node]
            for at in range(g.start[node], g.start[node + 1]):
                other = g.neighbour[at]
                if desk.inside[other] == stamp:
                    desk.inside[other] = 0
                    desk.queue[tail] = other
                    tail += 1
        if area > most:
            most, best = area, tail
            for at in range(tail):
                desk.members[at] = desk.queue[at]
    return best
