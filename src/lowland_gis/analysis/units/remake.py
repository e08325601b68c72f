"""Better disjoint units by taking a few neighbours apart and drawing them anew, over and over: all of it in compiled code.

A turn takes one, two or seldom three neighbouring units apart, or only a few parcels out of one, shakes the prices of what came free, grows
units on it from parcels in random order, betters them, and keeps them where the whole is worth more, or at first a little less.
So units are merged, divided and exchanged at once, and what hangs together by one strip of other land can do so by another.
"""

from __future__ import annotations

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground
from lowland_gis.analysis.units.grow import grow_kept
from lowland_gis.analysis.units.moves import improve
from lowland_gis.analysis.units.plan import (
    MOST_APART,
    Plan,
    Shelf,
    below,
    chance,
    columns_of,
    new_plan,
    new_shelf,
    put,
    release,
    settle,
    settle_in,
    shelve,
    shelved,
)
from lowland_gis.analysis.units.quick import Columns
from lowland_gis.analysis.units.value import Desk, Flags, next_stamp, next_trail, value_of

_EPSILON = 1e-6
# Parcels that a turn takes out of one unit at most, and how often it does so.
_MOST_OUT, _PARTLY = 3, 0.2
# How often it takes apart as many units as it may, which costs most.
_MANY = 0.1
# New units that are worth less than this part of the old ones are given up before they are bettered, which seldom brings a tenth.
_HOPELESS = 0.9
# Prices are shaken by up to so much a m² (rarely so much: the cube of a random number).
_SHAKEN = 2.0
# How often a growth keeps below the area that came free, and to one zone, kind … alone.
_CLOSE, _ALIKE = 0.5, 0.3


@compiled
def remade(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    owner: Ints,
    after: Ints,
    wish: Floats,
    members: Ints,
    units: Columns,
    turns: int,
    seed: int,
    heat: float,
    every: bool,
) -> tuple[Columns, Columns]:
    """Return the best units that so many turns find from disjoint ones, and what was kept on the way.

    The whole may first lose the share `heat` of what was taken apart, in the end nothing. Kept are the units of turns that were
    accepted; with `every` also of those that were taken back, unless they were hopeless.

    `members` are free and have no price; what is in no unit may be used. `owner` is -1 and `wish` 0 for other components.
    """
    count = len(members)
    plan = new_plan(owner, after, wish, count, seed)
    shelf = new_shelf(count)
    starts, flat, _ = units
    whole = 0.0
    for number in range(len(starts) - 1):
        unit = flat[starts[number] : starts[number + 1]]
        whole += settle(g, desk, free, plan, unit)
    best = whole
    owners = owner[members]
    for turn in range(turns):
        change = _turn(g, desk, free, price, plan, shelf, members, heat * (1.0 - turn / turns), every)
        whole += change
        if change > 0.0 and whole > best + _EPSILON:
            best = whole
            owners[:] = owner[members]
    for node in members:
        free[node], owner[node] = True, -1
    return columns_of(members, owners), shelved(shelf)


@compiled
def _turn(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    plan: Plan,
    shelf: Shelf,
    members: Ints,
    heat: float,
    every: bool,
) -> float:
    """Take units apart around a random parcel and draw them anew; return by how much the whole is worth more."""
    origin = members[below(plan.random, len(members))]
    partly = plan.owner[origin] >= 0 and chance(plan.random) < _PARTLY
    apart = _take_apart(g, desk, free, plan, origin, 1 if partly else _how_many(plan))
    size = _region(g, desk, free, plan, origin, plan.ends[apart])
    _shake(g, plan, price, size)
    room = 0.0
    for at in range(plan.ends[apart]):
        room += g.area[plan.old[at]]
    fresh = 0
    if partly:
        given = _rest(g, desk, plan, origin, plan.ends[1])
        if given > 0:
            fresh = _grown(g, desk, free, price, plan, given, -1, g.most, 0, fresh)
    fresh = _draw(g, desk, free, price, plan, size, room, fresh)
    for at in range(size):
        price[plan.region[at]] = 0.0
    return _decide(g, desk, free, plan, shelf, apart, fresh, heat, every)


@borrowing
def _how_many(plan: Plan) -> int:
    """Return how many units a turn takes apart: one or two, seldom as many as may be."""
    if chance(plan.random) < _MANY:
        return MOST_APART
    return 1 + below(plan.random, MOST_APART - 1)


@borrowing
def _decide(
    g: Ground,
    desk: Desk,
    free: Flags,
    plan: Plan,
    shelf: Shelf,
    apart: int,
    fresh: int,
    heat: float,
    every: bool,
) -> float:
    """Better the new units, and keep them or put the old ones back; return by how much the whole is worth more."""
    now, before = 0.0, 0.0
    for number in range(apart):
        before += plan.olds[number]
    for at in range(fresh):
        now += plan.worth[plan.fresh[at]]
    if abs(now - before) <= _EPSILON:  # mostly the same units once more
        return 0.0
    hopeful = now >= _HOPELESS * before
    if hopeful:
        now = 0.0
        for at in range(fresh):
            now += _bettered(g, desk, free, plan, plan.fresh[at])
    good = now >= before - heat * max(before, 1.0)
    if good or (every and hopeful):
        for at in range(fresh):
            shelve(g, desk, plan, shelf, plan.fresh[at])
    if good:
        return now - before
    for at in range(fresh):
        release(free, plan, plan.fresh[at])
    for number in range(apart):
        put(free, plan, plan.old[plan.ends[number] : plan.ends[number + 1]], plan.olds[number])
    return 0.0


@borrowing
def _take_apart(g: Ground, desk: Desk, free: Flags, plan: Plan, origin: int, most: int) -> int:
    """Take apart the units that are nearest to a parcel, at most so many; return how many there were."""
    stamp = next_stamp(desk)
    desk.queue[0] = origin
    desk.seen[origin] = stamp
    head, tail, apart = 0, 1, 0
    plan.ends[0] = 0
    while head < tail and apart < most:
        node = desk.queue[head]
        head += 1
        slot = plan.owner[node]
        if slot >= 0:
            size = plan.ends[apart]
            other = plan.first[slot]
            while other >= 0:
                plan.old[size] = other
                size += 1
                other = plan.after[other]
            plan.olds[apart] = plan.worth[slot]
            apart += 1
            plan.ends[apart] = size
            release(free, plan, slot)
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if desk.seen[other] != stamp and (free[other] or plan.owner[other] >= 0):
                desk.seen[other] = stamp
                desk.queue[tail] = other
                tail += 1
    return apart


@borrowing
def _region(g: Ground, desk: Desk, free: Flags, plan: Plan, origin: int, came_free: int) -> int:
    """List what came free and about as much free land around it; return how many parcels these are."""
    stamp = next_stamp(desk)
    size = 0
    for at in range(came_free):
        plan.region[size] = plan.old[at]
        desk.seen[plan.old[at]] = stamp
        size += 1
    if free[origin] and desk.seen[origin] != stamp:
        plan.region[size] = origin
        desk.seen[origin] = stamp
        size += 1
    most = 2 * size + 8
    head = 0
    while head < size < most:
        node = plan.region[head]
        head += 1
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if free[other] and desk.seen[other] != stamp:
                desk.seen[other] = stamp
                plan.region[size] = other
                size += 1
    return size


@borrowing
def _shake(g: Ground, plan: Plan, price: Floats, size: int) -> None:
    much = _SHAKEN * chance(plan.random) ** 3
    for at in range(size):
        node = plan.region[at]
        price[node] = plan.wish[node] + much * chance(plan.random) * g.area[node]


@borrowing
def _rest(g: Ground, desk: Desk, plan: Plan, origin: int, size: int) -> int:
    """Take a few parcels around one out of the unit old[:size]; leave the most low-efficiency piece of the rest in desk.members.

    Returns its size.
    """
    unit, out = next_stamp(desk), next_stamp(desk)
    for at in range(size):
        desk.inside[plan.old[at]] = unit
    desk.queue[0] = origin
    desk.inside[origin] = out
    tail, most = 1, 1 + below(plan.random, _MOST_OUT)
    head = 0
    while head < tail < most:
        node = desk.queue[head]
        head += 1
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if desk.inside[other] == unit and tail < most:
                desk.inside[other] = out
                desk.queue[tail] = other
                tail += 1
    best, best_size = -1.0, 0
    for at in range(size):
        if desk.inside[plan.old[at]] != unit:
            continue
        low, piece = _piece(g, desk, plan.old[at], unit)
        if low > best:
            best, best_size = low, piece
            for member in range(piece):
                desk.members[member] = desk.queue[member]
    return best_size


@borrowing
def _piece(g: Ground, desk: Desk, origin: int, unit: int) -> tuple[float, int]:
    """Take what hangs together with a parcel out of those stamped so, into desk.queue; return its low-efficiency land and its size."""
    desk.queue[0] = origin
    desk.inside[origin] = 0
    head, tail, low = 0, 1, 0.0
    while head < tail:
        node = desk.queue[head]
        head += 1
        low += g.low[node]
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if desk.inside[other] == unit:
                desk.inside[other] = 0
                desk.queue[tail] = other
                tail += 1
    return low, tail


@compiled
def _draw(
    g: Ground, desk: Desk, free: Flags, price: Floats, plan: Plan, size: int, room: float, fresh: int
) -> int:
    """Grow units over the region from its parcels in random order; return how many new ones there are."""
    trail = next_trail(desk, size)
    for at in range(size):
        other = at + below(plan.random, size - at)
        seed = plan.region[other]
        plan.region[other] = plan.region[at]
        plan.region[at] = seed
        if not free[seed] or (g.low[seed] <= 0.0 and plan.wish[seed] == 0.0):
            continue
        most = g.most
        if chance(plan.random) < _CLOSE:
            most = min(most, g.least + 0.7 * chance(plan.random) * max(room - g.least, 0.0))
        alike = -1
        if len(g.mixing) > 0 and chance(plan.random) < _ALIKE:
            alike = below(plan.random, len(g.mixing))
        desk.members[0] = seed
        before = fresh
        fresh = _grown(g, desk, free, price, plan, 1, alike, most, trail, fresh)
        if fresh > before:
            trail = next_trail(desk, size)
    return fresh


@compiled
def _grown(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    plan: Plan,
    given: int,
    alike: int,
    room: float,
    trail: int,
    fresh: int,
) -> int:
    """Grow a unit from desk.members[:given] and put it where it keeps the rules; return how many new ones there are."""
    bonus = 0.5 * g.outline_weight * (below(plan.random, 4) - 1)
    size = grow_kept(g, desk, free, price, given, alike, bonus, room, desk.members, trail)
    if size == 0:
        return fresh
    worth = value_of(g, desk, desk.members[:size])
    for at in range(size):
        worth -= plan.wish[desk.members[at]]
    # It would be given up in the end, and stand in the way of others until then.
    if worth <= 0.0:
        return fresh
    plan.fresh[fresh] = put(free, plan, desk.members[:size], worth)
    return fresh + 1


@borrowing
def _bettered(g: Ground, desk: Desk, free: Flags, plan: Plan, slot: int) -> float:
    """Better a unit over what is free, or give it up where it is worth nothing; return its worth."""
    size, node = 0, plan.first[slot]
    while node >= 0:
        desk.members[size] = node
        size += 1
        node = plan.after[node]
    release(free, plan, slot)
    size = improve(g, desk, free, plan.wish, desk.members, size, -1)
    return settle_in(g, desk, free, plan, desk.members[:size], slot)
