"""Better one unit by single parcels: added, dropped, exchanged, or taken in because the unit encloses them."""

from __future__ import annotations

from lowland_gis.analysis.compiled import borrowing
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground
from lowland_gis.analysis.units.value import (
    APART,
    FAR,
    KEPT,
    Desk,
    Flags,
    encloses,
    next_stamp,
    reached,
    rule_of,
    value_and_rule,
)

_EPSILON = 1e-6
_MOVES = 60


@borrowing
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
            if after <= g.need[kind, code]:
                after = 0.0
        for at in range(size):
            code = g.codes[kind, members[at]]
            now = desk.sums[kind, code]
            if now > g.need[kind, code]:
                before = max(before, now)
            if out >= 0 and g.codes[kind, out] == code:
                now -= lost
            if into >= 0 and g.codes[kind, into] == code:
                now += won
            if now > g.need[kind, code]:
                after = max(after, now)
        change += g.mixing[kind] * ((won - lost) - (after - before))
    return change


@borrowing
def best_move(
    g: Ground,
    desk: Desk,
    free: Flags,
    price: Floats,
    members: Ints,
    size: int,
    alike: int,
    least: float,
    least_forbidden: float,
) -> tuple[int, int, float, int, int, float, int]:
    """Return the best move that keeps the rules and gains more than `least`, and the best one that a rule forbids.

    The second gains more than `least_forbidden`; where nobody asks for it, `FAR` spares most of the work. A move is (member that goes or -1, parcel that comes or -1, gain); the second one also has its rule. Enclosing is not
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
    bad_out, bad_in, bad, bad_rule = -1, -1, least_forbidden, 0
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
                origin = members[0] if members[0] != out else members[1]
                parts = 0 if reached(g, desk, origin, out, stamp) == size - 1 else 1
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
            if rule == KEPT and parts == 1 and reached(g, desk, into, out, stamp) < size:
                rule = APART
            if rule == KEPT and gained > good:
                good_out, good_in, good = out, into, gained
            elif rule != KEPT and gained > bad:
                bad_out, bad_in, bad, bad_rule = out, into, gained, rule
    for kind in range(len(g.mixing)):
        for at in range(size):
            desk.sums[kind, g.codes[kind, members[at]]] = 0.0
    return good_out, good_in, good, bad_out, bad_in, bad, bad_rule


@borrowing
def facing_between(g: Ground, one: int, other: int) -> float:
    """Return the length over which two parcels face each other, 0 where they are no neighbours."""
    for at in range(g.start[one], g.start[one + 1]):
        if g.neighbour[at] == other:
            return float(g.facing[at])
    return 0.0


@borrowing
def improve(g: Ground, desk: Desk, free: Flags, price: Floats, members: Ints, size: int, alike: int) -> int:
    """Better a unit that keeps the rules by adding, dropping and exchanging single parcels; return its new size.

    members[:size] is changed in place.
    """
    for _ in range(_MOVES):
        out, into, _, _, _, _, _ = best_move(g, desk, free, price, members, size, alike, _EPSILON, FAR)
        if out < 0 and into < 0:
            break
        before = size
        worth = _priced(g, desk, price, members[:size])[0] if g.neck_weight > 0.0 else -FAR
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
        now, rule = _priced(g, desk, price, members[:size])
        if rule != KEPT or now <= worth:
            # It would enclose others, or hang together by a neck that is forbidden or too dear; take it back and stay.
            if out >= 0 and into >= 0:
                for at in range(size):
                    if members[at] == into:
                        members[at] = out
            size = before
            break
    return size


@borrowing
def _priced(g: Ground, desk: Desk, price: Floats, members: Ints) -> tuple[float, int]:
    """Return the value of a unit less the prices of its parcels, and the first rule that it breaks."""
    value, rule = value_and_rule(g, desk, members)
    for node in members:
        value -= price[node]
    return value, rule


@borrowing
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
