"""Units of one component while they are taken apart and drawn anew: who owns which parcel, what was kept, random numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground
from lowland_gis.analysis.units.grow import set_hash
from lowland_gis.analysis.units.quick import Columns
from lowland_gis.analysis.units.value import KEPT, Desk, Flags, Words, hash_of, value_and_rule, value_of

_EPSILON = 1e-6
# Units that a turn takes apart at most.
MOST_APART = 3
# Units that are kept on the way: so many, and so many more for each parcel of the component; and their parcels on average.
_KEPT, _KEPT_EACH, _MEAN_SIZE = 256, 8, 16


class Plan(NamedTuple):
    """Units of one component while they are bettered.

    By parcel on the ground: `owner` the slot of its unit or -1, `after` the next member of the unit or -1, `wish` what is charged
    for it in any unit (far below 0 for one that must be in a unit). By slot: `first` its first member or -1, `worth` its value
    less wishes. The rest is the turn's: `region` what may be drawn on, `old` the units that were taken apart (`ends`: where each
    ends, `olds`: their worth), `fresh` the slots of the new ones.
    """

    owner: Ints
    after: Ints
    wish: Floats
    first: Ints
    worth: Floats
    random: Words
    region: Ints
    old: Ints
    ends: Ints
    olds: Floats
    fresh: Ints


class Shelf(NamedTuple):
    """Units that were kept on the way, each once: `size` how many, `table` their hashes."""

    size: Ints
    starts: Ints
    flat: Ints
    values: Floats
    table: Words


@compiled
def new_plan(owner: Ints, after: Ints, wish: Floats, count: int, seed: int) -> Plan:
    """Return a component with no unit yet, and its random numbers."""
    random = np.array([np.uint64(hash_of(seed)) | np.uint64(1)], dtype=np.uint64)
    for _ in range(8):
        _next(random)
    return Plan(
        owner,
        after,
        wish,
        np.full(count + 1, -1, dtype=np.int64),
        np.zeros(count + 1),
        random,
        np.empty(count, dtype=np.int64),
        np.empty(count, dtype=np.int64),
        np.zeros(MOST_APART + 1, dtype=np.int64),
        np.zeros(MOST_APART),
        np.empty(count + 1, dtype=np.int64),
    )


@compiled
def new_shelf(count: int) -> Shelf:
    """Return an empty shelf for a component of so many parcels."""
    room = _KEPT + _KEPT_EACH * count
    table = 64
    while table < 2 * room:
        table *= 2
    return Shelf(
        np.zeros(1, dtype=np.int64),
        np.zeros(room + 1, dtype=np.int64),
        np.empty(_MEAN_SIZE * room + count, dtype=np.int64),
        np.empty(room),
        np.zeros(table, dtype=np.uint64),
    )


@compiled
def columns_of(members: Ints, owners: Ints) -> Columns:
    """Return units by the slot of every member (-1: none); their values are left at 0."""
    slots = owners.max() + 1
    starts, flat = np.zeros(slots + 1, dtype=np.int64), np.empty(len(members), dtype=np.int64)
    count = 0
    for slot in range(slots):
        size = starts[count]
        for at in range(len(members)):
            if owners[at] == slot:
                flat[size] = members[at]
                size += 1
        if size > starts[count]:
            count += 1
            starts[count] = size
    return starts[: count + 1], flat[: starts[count]], np.zeros(count)


@compiled
def shelved(shelf: Shelf) -> Columns:
    """Return what is on the shelf."""
    size = shelf.size[0]
    return shelf.starts[: size + 1], shelf.flat[: shelf.starts[size]], shelf.values[:size]


@borrowing
def settle(g: Ground, desk: Desk, free: Flags, plan: Plan, unit: Ints) -> float:
    """Put a unit into the first empty slot where it is worth something; return its worth."""
    slot = 0
    while plan.first[slot] >= 0:
        slot += 1
    return settle_in(g, desk, free, plan, unit, slot)


@borrowing
def settle_in(g: Ground, desk: Desk, free: Flags, plan: Plan, unit: Ints, slot: int) -> float:
    """Put a unit into an empty slot where it is worth something; return its worth."""
    worth, rule = value_and_rule(g, desk, unit)
    if rule != KEPT or worth <= _EPSILON:
        return 0.0
    for node in unit:
        worth -= plan.wish[node]
    _fill(free, plan, unit, worth, slot)
    return worth


@borrowing
def put(free: Flags, plan: Plan, unit: Ints, worth: float) -> int:
    """Put a unit into the first empty slot, and return that."""
    slot = 0
    while plan.first[slot] >= 0:
        slot += 1
    _fill(free, plan, unit, worth, slot)
    return slot


@borrowing
def _fill(free: Flags, plan: Plan, unit: Ints, worth: float, slot: int) -> None:
    plan.worth[slot] = worth
    before = -1
    for node in unit:
        plan.owner[node], plan.after[node], free[node] = slot, before, False
        before = node
    plan.first[slot] = before


@borrowing
def release(free: Flags, plan: Plan, slot: int) -> None:
    """Make the parcels of a slot free; an empty one has none."""
    node = plan.first[slot]
    plan.first[slot] = -1
    while node >= 0:
        plan.owner[node], free[node] = -1, True
        node = plan.after[node]


@borrowing
def shelve(g: Ground, desk: Desk, plan: Plan, shelf: Shelf, slot: int) -> None:
    """Put a unit on the shelf, while there is room."""
    size, node = 0, plan.first[slot]
    while node >= 0:
        desk.members[size] = node
        size += 1
        node = plan.after[node]
    count = shelf.size[0]
    begin = shelf.starts[count]
    if size == 0 or count == len(shelf.values) or begin + size > len(shelf.flat):
        return
    number = np.uint64(set_hash(desk.members[:size]))
    mask = len(shelf.table) - 1
    at = np.int64(number) & mask
    while shelf.table[at] != 0:
        if shelf.table[at] == number:
            return
        at = (at + 1) & mask
    shelf.table[at] = number
    for place in range(size):
        shelf.flat[begin + place] = desk.members[place]
    # As `_in_order` sums it: the last digits depend on the order of the parcels.
    _sort(shelf.flat, begin, begin + size)
    shelf.values[count] = value_of(g, desk, shelf.flat[begin : begin + size])
    shelf.starts[count + 1] = begin + size
    shelf.size[0] = count + 1


@borrowing
def _sort(flat: Ints, begin: int, end: int) -> None:
    for at in range(begin + 1, end):
        node, to = flat[at], at
        while to > begin and flat[to - 1] > node:
            flat[to] = flat[to - 1]
            to -= 1
        flat[to] = node


@borrowing
def _next(random: Words) -> int:
    """Return the next random number (xorshift), of 53 bits."""
    number = random[0]
    number ^= number << np.uint64(13)
    number ^= number >> np.uint64(7)
    number ^= number << np.uint64(17)
    random[0] = number
    return int(number >> np.uint64(11))


@borrowing
def below(random: Words, most: int) -> int:
    """Return a random number from 0 up to a limit, which it never is."""
    return _next(random) % most


@borrowing
def chance(random: Words) -> float:
    """Return a random number in [0, 1)."""
    return _next(random) * (1.0 / 9007199254740992.0)
