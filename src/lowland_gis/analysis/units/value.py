"""What one unit is worth and which rule it breaks: the kernel that judges a set of parcels on the ground."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground

Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

# Rules, in the order in which they are looked at.
KEPT, TOO_SMALL, TOO_LARGE, FEW_LOW, FEW_PUBLIC, RAGGED, ENCLOSES, APART, NARROW = range(9)
FAR = 1e300
# Sets that growing remembers for a parcel, and at most.
_TRAIL, _MOST_TRAIL = 32, 1 << 20


class Desk(NamedTuple):
    """Scratch space of one thread; `stamp[0]` counts uses, so that nothing has to be cleared.

    `trail` holds the sets that growths from other seeds came through (hashes; those stamped with the search that is going on),
    `trail_room` the mask of the part in use and how many more sets fit.
    """

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
    trail: Words
    trail_stamp: Ints
    trail_room: Ints


def desk_of(ground: Ground) -> Desk:
    """Return fresh scratch space."""
    count = len(ground.area)
    kinds = int(ground.codes.max(initial=-1)) + 1
    trail = _trail_size(_TRAIL * count, _MOST_TRAIL)
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
        np.zeros(trail, dtype=np.uint64),
        np.zeros(trail, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
    )


@borrowing
def next_stamp(desk: Desk) -> int:
    """Return a number that nothing is stamped with yet."""
    desk.stamp[0] += 1
    return int(desk.stamp[0])


@borrowing
def _trail_size(wanted: int, most: int) -> int:
    size = 64
    while size < wanted and size < most:
        size *= 2
    return size


@borrowing
def next_trail(desk: Desk, seeds: int) -> int:
    """Begin to remember the sets that growths from so many seeds come through; return the stamp of the trail."""
    size = _trail_size(_TRAIL * seeds, len(desk.trail))
    desk.trail_room[0], desk.trail_room[1] = size - 1, size // 2
    return next_stamp(desk)


@borrowing
def passed(desk: Desk, trail: int, key: int | np.uint64) -> bool:
    """Tell whether a set (hash) was met on the trail before; remember it while there is room."""
    mask = desk.trail_room[0]
    at = np.int64(key) & mask
    while desk.trail_stamp[at] == trail:
        if desk.trail[at] == key:
            return True
        at = (at + 1) & mask
    if desk.trail_room[1] > 0:
        desk.trail[at], desk.trail_stamp[at] = key, trail
        desk.trail_room[1] -= 1
    return False


@borrowing
def hash_of(node: int | np.uint64) -> int:
    """Return the hash of one parcel (splitmix64); the sum over a set is its hash, whatever the order."""
    number = (np.uint64(node) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))  # type: ignore[return-value]


@borrowing
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


@borrowing
def mixing_cost(g: Ground, desk: Desk, members: Ints) -> float:
    """Return what mixing costs; leaves desk.sums as it found them, at zero."""
    cost = 0.0
    for kind in range(len(g.mixing)):
        total, most = 0.0, 0.0
        for node in members:
            total += g.bases[kind, node]
            code = g.codes[kind, node]
            desk.sums[kind, code] += g.bases[kind, node]
            if desk.sums[kind, code] > g.need[kind, code]:
                most = max(most, desk.sums[kind, code])
        for node in members:
            desk.sums[kind, g.codes[kind, node]] = 0.0
        cost += g.mixing[kind] * (total - most)
    return cost


@borrowing
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
    if rule == KEPT and reached(g, desk, members[0], -1, stamp) < len(members):
        rule = APART
    if rule == KEPT and encloses(g, desk, members, stamp, area) >= 0:
        rule = ENCLOSES
    if g.neck_least + g.neck_weight > 0.0:
        neck = neck_of(g, desk, members)
        value -= g.neck_weight * max(0.0, g.neck_wide - neck)
        if rule == KEPT and neck < g.neck_least:
            rule = NARROW
    return value, rule


@borrowing
def value_of(g: Ground, desk: Desk, members: Ints) -> float:
    """Return the value of a set of parcels that is known to keep every rule."""
    if g.neck_weight > 0.0:
        return value_and_rule(g, desk, members)[0]
    stamp = next_stamp(desk)
    value, inner = 0.0, 0.0
    for node in members:
        desk.inside[node] = stamp
        value += g.gain[node]
    for node in members:
        for at in range(g.start[node], g.start[node + 1]):
            if desk.inside[g.neighbour[at]] == stamp:
                inner += g.facing[at]
    return value + g.outline_weight * inner - mixing_cost(g, desk, members) - g.unit_price


@borrowing
def reached(g: Ground, desk: Desk, origin: int, barred: int, stamp: int) -> int:
    """Return how many parcels that are stamped inside hang together with one (itself counted, inside or not), not over `barred`."""
    mark = next_stamp(desk)
    desk.queue[0] = origin
    desk.seen[origin] = mark
    head, tail = 0, 1
    while head < tail:
        node = desk.queue[head]
        head += 1
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if other != barred and desk.inside[other] == stamp and desk.seen[other] != mark:
                desk.seen[other] = mark
                desk.queue[tail] = other
                tail += 1
    return tail


@borrowing
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


@borrowing
def neck_of(g: Ground, desk: Desk, members: Ints) -> float:
    """Return the least length over which parts of a unit hang together by one parcel (see `necks`).

    It is `FAR` where no parts do, or the unit falls apart.
    """
    stamp = next_stamp(desk)
    area, narrow = 0.0, FAR
    for node in members:
        desk.inside[node] = stamp
        area += g.area[node]
    if reached(g, desk, members[0], -1, stamp) < len(members):
        return narrow
    part = g.neck_share * area
    for out in members:
        first = next_stamp(desk)
        desk.seen[out] = first
        large = 0
        for way in range(g.start[out], g.start[out + 1]):
            origin = g.neighbour[way]
            if desk.inside[origin] != stamp or desk.seen[origin] >= first:
                continue
            desk.queue[0], desk.seen[origin] = origin, first
            head, tail, piece, width = 0, 1, 0.0, 0.0
            while head < tail:
                node = desk.queue[head]
                head += 1
                piece += g.area[node]
                for at in range(g.start[node], g.start[node + 1]):
                    other = g.neighbour[at]
                    if other == out:
                        width += g.facing[at]
                    elif desk.inside[other] == stamp and desk.seen[other] < first:
                        desk.seen[other] = first
                        desk.queue[tail] = other
                        tail += 1
            if piece >= part and area - piece >= part:
                narrow = min(narrow, width)
            if piece >= part:
                large += 1
        if large > 1:
            narrow = min(narrow, _short_side(g.area[out], g.outline[out]))
    return narrow


@borrowing
def _short_side(area: float, outline: float) -> float:
    half = 0.5 * outline
    rest = half * half - 4.0 * area
    return float(0.5 * (half - np.sqrt(rest)) if rest > 0.0 else np.sqrt(area))
