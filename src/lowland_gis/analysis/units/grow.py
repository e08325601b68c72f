"""Grow units from seeds, always by the parcel that gains most; positions and arrays only."""

from __future__ import annotations

import numpy as np

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground
from lowland_gis.analysis.units.moves import fill_holes, improve
from lowland_gis.analysis.units.value import (
    FAR,
    KEPT,
    Desk,
    Flags,
    Words,
    hash_of,
    next_stamp,
    next_trail,
    passed,
    rule_of,
    value_and_rule,
)

_EPSILON = 1e-6
# Growing goes on for so many parcels after the best unit, over land that costs more than it brings.
_PATIENCE = 4
# A growth that keeps no rule goes on for so many parcels after it has the least area: most of those that end well do so by then.
_BARREN = 8
# Where the best unit encloses what may not be in it, growing is tried so often, each time with such a part of the area.
_SMALLER, _LESS_ROOM = 4, 0.8


@compiled
def grow(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    seed: int,
    alike: int,
    bonus: float,
    room: float,
    out: Ints,
    trail: int,
) -> int:
    """Grow a unit from one parcel; see `grow_on`."""
    out[0] = seed
    return grow_on(g, desk, free, price, 1, alike, bonus, room, out, trail)


@compiled
def grow_on(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    given: int,
    alike: int,
    bonus: float,
    room: float,
    out: Ints,
    trail: int,
) -> int:
    """Grow a unit from out[:given], which hang together, by the parcel that gains most; return the size of the best one (0: none is allowed).

    Its parcels are left in out[:size]. `price` is what a parcel costs in other units; `bonus` weighs compactness beyond the
    value, `room` (m²) bounds the area, and `alike` (a kind of mixing, or -1) keeps to parcels of the first one's code, so that several
    kinds of units are found. Growths that have come to the same parcels, and to the same best unit on the way, go on alike:
    with a `trail` (0: none) the later one gives up.
    """
    stamp = next_stamp(desk)
    frontier = desk.queue
    size, waiting = 0, 0
    area, low, public, outline, value = 0.0, 0.0, 0.0, 0.0, -g.unit_price
    best, best_size, since, barren = -FAR, 0, 0, 0
    now, then = np.uint64(0), np.uint64(0)
    node, touching, mixed = out[0], 0.0, 0.0
    most = np.zeros(len(g.mixing))
    while True:
        out[size] = node
        size += 1
        desk.inside[node] = stamp
        area += g.area[node]
        low += g.low[node]
        public += g.public[node]
        outline += g.outline[node] - 2.0 * touching
        value += g.gain[node] + 2.0 * g.outline_weight * touching - mixed - price[node]
        for kind in range(len(g.mixing)):
            desk.sums[kind, g.codes[kind, node]] += g.bases[kind, node]
            if desk.sums[kind, g.codes[kind, node]] > g.need[kind, g.codes[kind, node]]:
                most[kind] = max(most[kind], desk.sums[kind, g.codes[kind, node]])
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if free[other] and desk.inside[other] != stamp:
                if alike >= 0 and g.codes[alike, other] != g.codes[alike, out[0]]:
                    continue
                if desk.linked[other] != stamp:
                    desk.linked[other] = stamp
                    desk.link[other] = 0.0
                    frontier[waiting] = other
                    waiting += 1
                desk.link[other] += g.facing[at]
        since += 1
        now += hash_of(node)
        if size < given:
            node = out[size]
            touching = desk.link[node] if desk.linked[node] == stamp else 0.0
            mixed = _joining(g, desk, most, node)
            waiting = _without(frontier, waiting, node)
            continue
        if value > best + _EPSILON and rule_of(g, area, low, public, outline) == KEPT:
            best, best_size, since = value, size, 0
            then = now
        if best_size > 0 and since > _PATIENCE:
            break
        if best_size == 0 and area >= g.least:
            barren += 1
            if barren > _BARREN:
                break
        if trail > 0 and passed(desk, trail, now ^ hash_of(then)):
            best_size = 0
            break
        chosen, top = -1, -FAR
        for at in range(waiting):
            other = frontier[at]
            if area + g.area[other] > room:
                continue
            gained = g.gain[other] + (2.0 * g.outline_weight + bonus) * desk.link[other] - price[other]
            gained -= 0.5 * bonus * g.outline[other]
            if gained + _EPSILON < top:
                continue
            gained -= _joining(g, desk, most, other)
            if gained > top or (gained == top and other < frontier[chosen]):
                chosen, top = at, gained
        if chosen < 0:
            break
        node = frontier[chosen]
        waiting -= 1
        frontier[chosen] = frontier[waiting]
        touching, mixed = desk.link[node], _joining(g, desk, most, node)
    for kind in range(len(g.mixing)):
        for at in range(size):
            desk.sums[kind, g.codes[kind, out[at]]] = 0.0
    return best_size


@compiled
def grow_kept(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    given: int,
    alike: int,
    bonus: float,
    room: float,
    out: Ints,
    trail: int,
) -> int:
    """Grow a unit that keeps every rule from out[:given], with what it encloses; return its size (0: none was found).

    The best one on the way may close a ring around what may not be in it. Then it is grown once more with less room.
    """
    for _ in range(_SMALLER):
        size = grow_on(g, desk, free, price, given, alike, bonus, room, out, trail)
        if size == 0:
            return 0
        area = 0.0
        for at in range(size):
            area += g.area[out[at]]
        whole = fill_holes(g, desk, free, out, size)
        # Without a hole it is the one that was grown, which keeps all rules but that of necks.
        if whole == size and g.neck_least <= 0.0:
            return whole
        if whole > 0 and value_and_rule(g, desk, out[:whole])[1] == KEPT:
            return whole
        room, trail = _LESS_ROOM * area, 0
    return 0


@borrowing
def _without(frontier: Ints, waiting: int, node: int) -> int:
    """Take a parcel off the frontier; return how many wait then."""
    for at in range(waiting):
        if frontier[at] == node:
            frontier[at] = frontier[waiting - 1]
            return waiting - 1
    return waiting


@borrowing
def _joining(g: Ground, desk: Desk, most: Floats, node: int) -> float:
    """Return how much more mixing costs with one more parcel; `most` is the largest sum of each kind of mixing."""
    cost = 0.0
    for kind in range(len(g.mixing)):
        now = desk.sums[kind, g.codes[kind, node]] + g.bases[kind, node]
        if now <= g.need[kind, g.codes[kind, node]]:
            now = 0.0
        cost += g.mixing[kind] * (g.bases[kind, node] - max(0.0, now - most[kind]))
    return cost


@compiled
def candidates(
    g: Ground, desk: Desk, free: Flags, price: Floats, seeds: Ints, alike: int, bonus: float, room: float
) -> tuple[Ints, Ints, Floats]:
    """Grow and better a unit from every seed; return starts, positions (sorted in each unit) and values, each unit once."""
    starts = np.zeros(len(seeds) + 1, dtype=np.int64)
    flat = np.empty(16 * len(seeds) + 16, dtype=np.int64)
    values = np.empty(len(seeds))
    hashes = np.empty(len(seeds), dtype=np.uint64)
    count = 0
    trail = next_trail(desk, len(seeds))
    for seed in seeds:
        if not free[seed]:
            continue
        desk.members[0] = seed
        size = grow_kept(g, desk, free, price, 1, alike, bonus, room, desk.members, trail)
        if size == 0:
            continue
        size = improve(g, desk, free, price, desk.members, size, alike)
        number = set_hash(desk.members[:size])
        if known(hashes, count, number):
            continue
        unit = np.sort(desk.members[:size])
        value, rule = value_and_rule(g, desk, unit)
        if rule != KEPT:
            continue
        hashes[count] = number
        begin = starts[count]
        while begin + size > len(flat):
            flat = np.append(flat, np.empty(len(flat), dtype=np.int64))
        flat[begin : begin + size] = unit
        values[count] = value
        count += 1
        starts[count] = begin + size
    return starts[: count + 1], flat[: starts[count]], values[:count]


@borrowing
def known(hashes: Words, count: int, number: int) -> bool:
    """Tell whether a hash is among the first `count`."""
    for at in range(count):
        if hashes[at] == number:
            return True
    return False


@borrowing
def set_hash(unit: Ints) -> int:
    """Return the hash of a set of positions in any order."""
    number = np.uint64(0)
    for node in unit:
        number += hash_of(node)
    return number  # type: ignore[return-value]
