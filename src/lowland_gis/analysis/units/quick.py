"""Grow once, pack, and better what was packed: all of it for one component in compiled code."""

from __future__ import annotations

import numpy as np

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground
from lowland_gis.analysis.units.grow import candidates, known, set_hash
from lowland_gis.analysis.units.moves import improve
from lowland_gis.analysis.units.pack import pack_quickly
from lowland_gis.analysis.units.value import KEPT, Desk, Flags, value_and_rule

_EPSILON = 1e-6

# Units as starts, positions on the ground (sorted in each) and values.
Columns = tuple[Ints, Ints, Floats]


@compiled
def quick_units(
    g: Ground, desk: Desk, free: Flags, price: Floats, members: Ints, forced: Flags, more: Columns
) -> tuple[Columns, Columns]:
    """Return every unit that growing once found in a component, and the units that were packed and bettered.

    `members` are free and have no price; `forced` flags those that a bettered unit may not lose,
    `more` are units beside those that are grown.
    """
    seeds = members[(g.low[members] > 0) | forced]
    grown = nothing()
    # Over all parcels, and over those of one zone, one kind … at a time: units that gain by not being joined.
    for kind in range(-1, len(g.mixing)):
        if kind < 0 or _mixed(g, members, kind):
            grown = joined(grown, candidates(g, desk, free, price, seeds, kind, 0.0, g.most))
    grown = joined(grown, more)
    starts, flat, _ = taken(grown, packed(grown, members))
    return grown, polished(g, desk, free, price, members, forced, starts, flat)


@borrowing
def _mixed(g: Ground, members: Ints, kind: int) -> bool:
    """Tell whether there is anything to keep apart; where not, growing would only find the same once more."""
    for node in members:
        if g.codes[kind, node] != g.codes[kind, members[0]]:
            return True
    return False


@compiled
def polished(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    members: Ints,
    forced: Flags,
    starts: Ints,
    flat: Ints,
) -> Columns:
    """Better disjoint units over the parcels that are left over, and draw more units on what is left then.

    A unit that breaks a rule, which the search never draws, has the value NaN.
    """
    for at in flat:
        free[at] = False
    room = np.empty(len(members), dtype=np.int64)
    out_starts = np.zeros(len(members) + 1, dtype=np.int64)
    out = np.empty(len(members), dtype=np.int64)
    count = 0
    for number in range(len(starts) - 1):
        unit = flat[starts[number] : starts[number + 1]]
        room[: len(unit)] = unit
        size = improve(g, desk, free, price, room, len(unit), -1)
        new = np.sort(room[:size])
        if _loses_forced(members, forced, unit, new):
            new = unit
        free[unit] = True
        free[new] = False
        begin = out_starts[count]
        out[begin : begin + len(new)] = new
        count += 1
        out_starts[count] = begin + len(new)
    left = members[free[members]]
    if g.area[left].sum() >= g.least:
        seeds = left[g.low[left] > 0]
        rest = joined(nothing(), candidates(g, desk, free, price, seeds, -1, 0.0, g.most))
        more, extra, _ = taken(rest, packed(rest, members))
        for number in range(len(more) - 1):
            unit = extra[more[number] : more[number + 1]]
            begin = out_starts[count]
            out[begin : begin + len(unit)] = unit
            count += 1
            out_starts[count] = begin + len(unit)
    return _in_order(g, desk, out_starts[: count + 1], out)


@compiled
def _in_order(g: Ground, desk: Desk, starts: Ints, flat: Ints) -> Columns:
    """Judge units and put them in the order of their first parcels."""
    columns = starts, flat, np.empty(len(starts) - 1)
    for number in range(len(starts) - 1):
        value, rule = value_and_rule(g, desk, flat[starts[number] : starts[number + 1]])
        columns[2][number] = value if rule == KEPT else np.nan
    return taken(columns, np.argsort(flat[starts[:-1]]))


@compiled
def _loses_forced(members: Ints, forced: Flags, unit: Ints, new: Ints) -> bool:
    """Tell whether a forced parcel of a unit is missing in the new one."""
    for at in unit:
        if forced[np.searchsorted(members, at)]:
            place = np.searchsorted(new, at)
            if place == len(new) or new[place] != at:
                return True
    return False


@compiled
def packed(columns: Columns, members: Ints) -> Ints:
    """Return the numbers of disjoint units of a component, packed quickly."""
    starts, flat, values = columns
    return pack_quickly(starts, np.searchsorted(members, flat), values, len(members))


@compiled
def taken(columns: Columns, numbers: Ints) -> Columns:
    """Return some of the units, in the order of the numbers."""
    starts, flat, values = columns
    some = np.zeros(len(numbers) + 1, dtype=np.int64)
    for at in range(len(numbers)):
        some[at + 1] = some[at] + starts[numbers[at] + 1] - starts[numbers[at]]
    chosen = np.empty(some[-1], dtype=np.int64)
    for at in range(len(numbers)):
        chosen[some[at] : some[at + 1]] = flat[starts[numbers[at]] : starts[numbers[at] + 1]]
    return some, chosen, values[numbers]


@compiled
def nothing() -> Columns:
    """Return no unit."""
    return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)


@compiled
def joined(one: Columns, other: Columns) -> Columns:
    """Return the units of both that are worth something, each once."""
    hashes = np.empty(len(one[2]) + len(other[2]), dtype=np.uint64)
    count = 0
    for number in range(len(one[2])):
        hashes[count] = set_hash(one[1][one[0][number] : one[0][number + 1]])
        count += 1
    fresh = np.zeros(len(other[2]), dtype=np.bool_)
    for number in range(len(other[2])):
        found = set_hash(other[1][other[0][number] : other[0][number + 1]])
        if other[2][number] > _EPSILON and not known(hashes, count, found):
            hashes[count] = found
            count += 1
            fresh[number] = True
    starts, flat, values = taken(other, np.flatnonzero(fresh))
    return (
        np.concatenate((one[0], one[0][-1] + starts[1:])),
        np.concatenate((one[1], flat)),
        np.concatenate((one[2], values)),
    )
