"""Kernels that judge, grow and improve one unit on the ground; positions and arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import compiled
from lowland_gis.analysis.facing import Floats, Ints
from lowland_gis.analysis.unit_ground import Ground

Flags = npt.NDArray[np.bool_]

# Rules, in the order in which they are looked at.
KEPT, TOO_SMALL, TOO_LARGE, FEW_LOW, FEW_PUBLIC, RAGGED, ENCLOSES, APART = range(8)
_EPSILON = 1e-6
# Growing goes on for so many parcels after the best unit, over land that costs more than it brings.
_PATIENCE = 4
_MOVES = 60
FAR = 1e300


class Desk(NamedTuple):
    """Scratch space of one thread; `stamp[0]` counts uses, so that nothing has to be cleared."""

    stamp: Ints
    inside: Ints
    seen: Ints
    link: Floats
    linked: Ints
    queue: Ints
    members: Ints
    sums: Floats
    depth: Ints
    lowest: Ints
    parent: Ints
    cursor: Ints


def desk_of(ground: Ground) -> Desk:
    """Return fresh scratch space."""
    count = len(ground.area)
    kinds = int(ground.codes.max(initial=-1)) + 1
    return Desk(
        np.zeros(1, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros((len(ground.mixing), max(kinds, 1))),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
    )


@compiled
def next_stamp(desk: Desk) -> int:
    """Return a number that nothing is stamped with yet."""
    desk.stamp[0] += 1
    return int(desk.stamp[0])


@compiled
def rule_of(g: Ground, area: float, low: float, public: float, outline: float) -> int:
    """Return the first rule of areas, shares and compactness that a unit breaks."""
    if area < g.least:
        return TOO_SMALL
    if area > g.most:
        return TOO_LARGE
    if low < g.low_share * area:
        return FEW_LOW
    if public < g.public_share * area:
        return FEW_PUBLIC
    if 4.0 * np.pi * area < g.compactness * outline * outline:
        return RAGGED
    return KEPT


@compiled
def mixing_cost(g: Ground, desk: Desk, members: Ints) -> float:
    """Return what mixing costs; leaves desk.sums as it found them, at zero."""
    cost = 0.0
    for kind in range(len(g.mixing)):
        total, most = 0.0, 0.0
        for node in members:
            total += g.bases[kind, node]
            code = g.codes[kind, node]
            desk.sums[kind, code] += g.bases[kind, node]
            most = max(most, desk.sums[kind, code])
        for node in members:
            desk.sums[kind, g.codes[kind, node]] = 0.0
        cost += g.mixing[kind] * (total - most)
    return cost


@compiled
def value_and_rule(g: Ground, desk: Desk, members: Ints) -> tuple[float, int]:
    """Return the value of a set of parcels and the first rule that it breaks."""
    stamp = next_stamp(desk)
    area, low, public, outline, value = 0.0, 0.0, 0.0, 0.0, 0.0
    for node in members:
        desk.inside[node] = stamp
        area += g.area[node]
        low += g.low[node]
        public += g.public[node]
        outline += g.outline[node]
        value += g.gain[node]
    inner = 0.0
    for node in members:
        for at in range(g.start[node], g.start[node + 1]):
            if desk.inside[g.neighbour[at]] == stamp:
                inner += g.facing[at]
    value += g.outline_weight * inner - mixing_cost(g, desk, members) - g.unit_price
    rule = rule_of(g, area, low, public, outline - inner)
    if rule == KEPT and not is_connected(g, desk, members, stamp):
        rule = APART
    if rule == KEPT and encloses(g, desk, members, stamp, area) >= 0:
        rule = ENCLOSES
    return value, rule


@compiled
def is_connected(g: Ground, desk: Desk, members: Ints, stamp: int) -> bool:
    """Tell whether members (stamped inside) hang together."""
    mark = next_stamp(desk)
    desk.queue[0] = members[0]
    desk.seen[members[0]] = mark
    head, tail = 0, 1
    while head < tail:
        node = desk.queue[head]
        head += 1
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if desk.inside[other] == stamp and desk.seen[other] != mark:
                desk.seen[other] = mark
                desk.queue[tail] = other
                tail += 1
    return tail == len(members)


@compiled
def encloses(g: Ground, desk: Desk, members: Ints, stamp: int, area: float) -> int:
    """Return a parcel of a group that the unit encloses, or -1.

    Members are stamped inside. A group is what hangs together outside the unit; it is enclosed when it is no larger than the
    unit and more than the allowed share of its outline lies on the unit. Searching a group stops when it is larger.
    """
    first = next_stamp(desk)
    for member in members:
        for way in range(g.start[member], g.start[member + 1]):
            origin = g.neighbour[way]
            if desk.inside[origin] == stamp or desk.seen[origin] >= first:
                continue
            mark = next_stamp(desk)
            desk.queue[0] = origin
            desk.seen[origin] = mark
            head, tail = 0, 1
            total, outline, touching = 0.0, 0.0, 0.0
            open_ = False
            while head < tail and not open_:
                node = desk.queue[head]
                head += 1
                total += g.area[node]
                outline += g.outline[node]
                if total > area * (1 + 1e-9):
                    open_ = True
                    break
                for at in range(g.start[node], g.start[node + 1]):
                    other = g.neighbour[at]
                    if desk.inside[other] == stamp:
                        touching += g.facing[at]
                    else:
                        outline -= g.facing[at]
                        if desk.seen[other] < first:
                            desk.seen[other] = mark
                            desk.queue[tail] = other
                            tail += 1
                        elif desk.seen[other] != mark:
                            # It hangs together with a group that was found open.
                            open_ = True
                            break
            if not open_ and touching > g.enclosed * outline:
                return int(origin)
    return -1


@compiled
def mixing_change(g: Ground, desk: Desk, members: Ints, size: int, out: int, into: int) -> float:
    """Return how much more mixing costs when one member goes (position or -1) and one parcel comes (or -1).

    desk.sums holds the sums of the members.
    """
    change = 0.0
    for kind in range(len(g.mixing)):
        before, after = 0.0, 0.0
        lost = g.bases[kind, out] if out >= 0 else 0.0
        won = g.bases[kind, into] if into >= 0 else 0.0
        if into >= 0:
            code = g.codes[kind, into]
            after = desk.sums[kind, code] + won
            if out >= 0 and g.codes[kind, out] == code:
                after -= lost
        for at in range(size):
            code = g.codes[kind, members[at]]
            now = desk.sums[kind, code]
            before = max(before, now)
            if out >= 0 and g.codes[kind, out] == code:
                now -= lost
            if into >= 0 and g.codes[kind, into] == code:
                now += won
            after = max(after, now)
        change += g.mixing[kind] * ((won - lost) - (after - before))
    return change


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
) -> int:
    """Grow a unit from a seed by the parcel that gains most, and return the size of the best one (0: none is allowed).

    Its parcels are left in out[:size]. `price` is what a parcel costs in other units; `bonus` weighs compactness beyond the
    value, `room` (m²) bounds the area, and `alike` (a kind of mixing, or -1) keeps to parcels of the seed's code, so that several
    kinds of units are found.
    """
    stamp = next_stamp(desk)
    frontier = desk.queue
    size, waiting = 0, 0
    area, low, public, outline, value = 0.0, 0.0, 0.0, 0.0, -g.unit_price
    best, best_size, since = -FAR, 0, 0
    node, touching, mixed = seed, 0.0, 0.0
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
            most[kind] = max(most[kind], desk.sums[kind, g.codes[kind, node]])
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if free[other] and desk.inside[other] != stamp:
                if alike >= 0 and g.codes[alike, other] != g.codes[alike, seed]:
                    continue
                if desk.linked[other] != stamp:
                    desk.linked[other] = stamp
                    desk.link[other] = 0.0
                    frontier[waiting] = other
                    waiting += 1
                desk.link[other] += g.facing[at]
        since += 1
        if value > best + _EPSILON and rule_of(g, area, low, public, outline) == KEPT:
            best, best_size, since = value, size, 0
        if best_size > 0 and since > _PATIENCE:
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
def _joining(g: Ground, desk: Desk, most: Floats, node: int) -> float:
    """Return how much more mixing costs with one more parcel; `most` is the largest sum of each kind of mixing."""
    cost = 0.0
    for kind in range(len(g.mixing)):
        now = desk.sums[kind, g.codes[kind, node]] + g.bases[kind, node]
        cost += g.mixing[kind] * (g.bases[kind, node] - max(0.0, now - most[kind]))
    return cost


@compiled
def best_move(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    members: Ints,
    size: int,
    alike: int,
    least: float,
) -> tuple[int, int, float, int, int, float, int]:
    """Return the best move that keeps the rules and the best one that a rule forbids, of those that gain more than `least`.

    A move is (member that goes or -1, parcel that comes or -1, gain); the second one also has its rule. Enclosing is not
    looked at here.
    """
    stamp = next_stamp(desk)
    area, low, public, outline = 0.0, 0.0, 0.0, 0.0
    for at in range(size):
        node = members[at]
        desk.inside[node] = stamp
        area += g.area[node]
        low += g.low[node]
        public += g.public[node]
        outline += g.outline[node]
        for kind in range(len(g.mixing)):
            desk.sums[kind, g.codes[kind, node]] += g.bases[kind, node]
    waiting = 0
    frontier = desk.parent
    for at in range(size):
        node = members[at]
        desk.link[node] = 0.0
        for way in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[way]
            if desk.inside[other] == stamp:
                desk.link[node] += g.facing[way]
                outline -= g.facing[way]
            elif free[other] and (alike < 0 or g.codes[alike, other] == g.codes[alike, members[0]]):
                if desk.linked[other] != stamp:
                    desk.linked[other] = stamp
                    desk.link[other] = 0.0
                    frontier[waiting] = other
                    waiting += 1
                desk.link[other] += g.facing[way]
    good_out, good_in, good = -1, -1, least
    bad_out, bad_in, bad, bad_rule = -1, -1, least, 0
    # No exchange gains more than the dearest parcel that comes.
    top = -FAR
    for coming in range(waiting):
        into = frontier[coming]
        top = max(top, g.gain[into] - price[into] + 2.0 * g.outline_weight * desk.link[into])
    for leaving in range(-1, size):
        out = members[leaving] if leaving >= 0 else -1
        if out >= 0 and size == 1:
            continue
        base, spared = 0.0, 0.0
        if out >= 0:
            base = -(g.gain[out] - price[out]) - 2.0 * g.outline_weight * desk.link[out]
            for kind in range(len(g.mixing)):
                spared += g.mixing[kind] * g.bases[kind, out]
            if base + spared + max(top, 0.0) <= min(good, bad):
                continue
        parts = -1
        for coming in range(-1, waiting):
            into = frontier[coming] if coming >= 0 else -1
            if out < 0 and into < 0:
                continue
            touching, gained = 0.0, base
            if into >= 0:
                touching = desk.link[into]
                gained += g.gain[into] - price[into] + 2.0 * g.outline_weight * touching
            if gained + spared <= min(good, bad):
                continue
            if into >= 0 and out >= 0:
                shared = facing_between(g, into, out)
                touching -= shared
                gained -= 2.0 * g.outline_weight * shared
                if touching <= 0.0:
                    continue
            gained -= mixing_change(g, desk, members, size, out, into)
            if gained <= good and gained <= bad:
                continue
            if out >= 0 and parts < 0:
                parts = 0 if hangs_without(g, desk, members, size, out, stamp) else 1
            if parts == 1 and into < 0:
                continue
            new_area, new_low, new_public, new_outline = area, low, public, outline
            if out >= 0:
                new_area -= g.area[out]
                new_low -= g.low[out]
                new_public -= g.public[out]
                new_outline -= g.outline[out] - 2.0 * desk.link[out]
            if into >= 0:
                new_area += g.area[into]
                new_low += g.low[into]
                new_public += g.public[into]
                new_outline += g.outline[into] - 2.0 * touching
            rule = rule_of(g, new_area, new_low, new_public, new_outline)
            if rule == KEPT and parts == 1 and not _hangs_swapped(g, desk, size, out, into, stamp):
                rule = APART
            if rule == KEPT and gained > good:
                good_out, good_in, good = out, into, gained
            elif rule != KEPT and gained > bad:
                bad_out, bad_in, bad, bad_rule = out, into, gained, rule
    for kind in range(len(g.mixing)):
        for at in range(size):
            desk.sums[kind, g.codes[kind, members[at]]] = 0.0
    return good_out, good_in, good, bad_out, bad_in, bad, bad_rule


@compiled
def facing_between(g: Ground, one: int, other: int) -> float:
    """Return the length over which two parcels face each other, 0 where they are no neighbours."""
    for at in range(g.start[one], g.start[one + 1]):
        if g.neighbour[at] == other:
            return float(g.facing[at])
    return 0.0


@compiled
def hangs_without(g: Ground, desk: Desk, members: Ints, size: int, out: int, stamp: int) -> bool:
    """Tell whether the members (stamped inside) hang together without one of them."""
    mark = next_stamp(desk)
    origin = members[0] if members[0] != out else members[1]
    desk.queue[0] = origin
    desk.seen[origin] = mark
    head, tail = 0, 1
    while head < tail:
        node = desk.queue[head]
        head += 1
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if other != out and desk.inside[other] == stamp and desk.seen[other] != mark:
                desk.seen[other] = mark
                desk.queue[tail] = other
                tail += 1
    return tail == size - 1


@compiled
def _hangs_swapped(g: Ground, desk: Desk, size: int, out: int, into: int, stamp: int) -> bool:
    """Tell whether members hang together when one is exchanged for another parcel."""
    mark = next_stamp(desk)
    desk.queue[0] = into
    desk.seen[into] = mark
    head, tail = 0, 1
    while head < tail:
        node = desk.queue[head]
        head += 1
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if other != out and desk.inside[other] == stamp and desk.seen[other] != mark:
                desk.seen[other] = mark
                desk.queue[tail] = other
                tail += 1
    return tail == size


@compiled
def improve(g: Ground, desk: Desk, free: Flags, price: Floats, members: Ints, size: int, alike: int) -> int:
    """Better a unit that keeps the rules by adding, dropping and exchanging single parcels; return its new size.

    members[:size] is changed in place.
    """
    for _ in range(_MOVES):
        out, into, _, _, _, _, _ = best_move(g, desk, free, price, members, size, alike, _EPSILON)
        if out < 0 and into < 0:
            break
        before = size
        if out >= 0 and into >= 0:
            for at in range(size):
                if members[at] == out:
                    members[at] = into
        elif into >= 0:
            members[size] = into
            size += 1
        else:
            for at in range(size):
                if members[at] == out:
                    members[at] = members[size - 1]
                    members[size - 1] = out
                    break
            size -= 1
        if value_and_rule(g, desk, members[:size])[1] != KEPT:
            # It would enclose others; take it back and stay.
            if out >= 0 and into >= 0:
                for at in range(size):
                    if members[at] == into:
                        members[at] = out
            size = before
            break
    return size


@compiled
def fill_holes(g: Ground, desk: Desk, free: Flags, members: Ints, size: int) -> int:
    """Take enclosed groups into a unit where all of their parcels may be in it; return the new size, 0 where not."""
    for _ in range(8):
        stamp = next_stamp(desk)
        area = 0.0
        for at in range(size):
            desk.inside[members[at]] = stamp
            area += g.area[members[at]]
        origin = encloses(g, desk, members[:size], stamp, area)
        if origin < 0:
            return size
        mark = desk.seen[origin]
        head = size
        members[size] = origin
        desk.inside[origin] = stamp
        size += 1
        if not free[origin]:
            return 0
        while head < size:
            node = members[head]
            head += 1
            for at in range(g.start[node], g.start[node + 1]):
                other = g.neighbour[at]
                if desk.inside[other] != stamp and desk.seen[other] == mark:
                    if not free[other]:
                        return 0
                    desk.inside[other] = stamp
                    members[size] = other
                    size += 1
    return 0


@compiled
def candidates(
    g: Ground, desk: Desk, free: Flags, price: Floats, seeds: Ints, alike: int, bonus: float, room: float
) -> tuple[Ints, Ints, Floats]:
    """Grow and better a unit from every seed; return starts, positions (sorted in each unit) and values, each unit once."""
    starts = np.zeros(len(seeds) + 1, dtype=np.int64)
    flat = np.empty(16 * len(seeds) + 16, dtype=np.int64)
    values = np.empty(len(seeds))
    hashes, grown = np.empty(len(seeds), dtype=np.uint64), np.empty(len(seeds), dtype=np.uint64)
    count, tried = 0, 0
    for seed in seeds:
        if not free[seed]:
            continue
        size = grow(g, desk, free, price, seed, alike, bonus, room, desk.members)
        if size == 0:
            continue
        # Many seeds grow into the same unit; only the first is bettered.
        number = _hash(np.sort(desk.members[:size]))
        if _known(grown, tried, number):
            continue
        grown[tried] = number
        tried += 1
        size = fill_holes(g, desk, free, desk.members, size)
        if size == 0 or value_and_rule(g, desk, desk.members[:size])[1] != KEPT:
            continue
        size = improve(g, desk, free, price, desk.members, size, alike)
        unit = np.sort(desk.members[:size])
        value, rule = value_and_rule(g, desk, unit)
        number = _hash(unit)
        if rule != KEPT or _known(hashes, count, number):
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


@compiled
def _known(hashes: npt.NDArray[np.uint64], count: int, number: np.uint64) -> bool:
    for at in range(count):
        if hashes[at] == number:
            return True
    return False


@compiled
def _hash(unit: Ints) -> np.uint64:
    """Return a hash of sorted positions (FNV-1a over words, with a final mix)."""
    number = np.uint64(14695981039346656037)
    for node in unit:
        number = (number ^ np.uint64(node)) * np.uint64(1099511628211)
        number ^= number >> np.uint64(29)
    return number
