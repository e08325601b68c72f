"""Choose disjoint units from a pool: prices and packings by HiGHS, a local search, and the optimum over all sets of few parcels."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Ground
from lowland_gis.analysis.units.value import KEPT, Desk, value_and_rule

# A packing stops at this part of its value; units worth less than a few m² more are no news.
_RELATIVE_GAP = 1e-6
# Counted in nodes and not in seconds, so that every machine finds the same.
_MOST_NODES = 2_000
_EPSILON = 1e-6


class Pool:
    """Units of one component that were found so far, each once; positions are those of the component's list (`members`)."""

    def __init__(self, members: Ints) -> None:
        """Begin with no unit."""
        self.members = members
        self._units: list[Ints] = []
        self._values: list[float] = []
        self._known: set[bytes] = set()
        # A quick search of many components finds thousands of units that nobody asks for.
        self._later: list[tuple[Ints, Ints, Floats]] = []

    @property
    def units(self) -> list[Ints]:
        """Return the positions of every unit."""
        self._settle()
        return self._units

    @property
    def values(self) -> list[float]:
        """Return what every unit is worth, in m²."""
        self._settle()
        return self._values

    def put(self, unit: Ints, value: float) -> None:
        """Add a unit of sorted positions in the component, unless it is worth nothing or known."""
        key = unit.tobytes()
        if value > _EPSILON and key not in self._known:
            self._known.add(key)
            self._units.append(unit)
            self._values.append(value)

    def add(self, starts: Ints, flat: Ints, values: Floats) -> int:
        """Add units of positions on the ground that are worth something; return how many are new."""
        self._settle()
        before = len(self._units)
        local = np.searchsorted(self.members, flat)
        for number, value in enumerate(values.tolist()):
            self.put(local[starts[number] : starts[number + 1]], value)
        return len(self._units) - before

    def add_later(self, starts: Ints, flat: Ints, values: Floats) -> None:
        """Add units when somebody asks for them."""
        self._later.append((starts, flat, values))

    def _settle(self) -> None:
        later, self._later = self._later, []
        for columns in later:
            self.add(*columns)


class Master:
    """The packing of a pool as a linear programme that grows with it; `forced` parcels must be in a unit."""

    def __init__(self, pool: Pool, forced: npt.NDArray[np.bool_]) -> None:
        """Begin with one row a parcel and no unit."""
        self._pool = pool
        self._rows = len(pool.members)
        self._highs = quiet_highs()
        least = np.where(forced, 1.0, 0.0)
        self._highs.addRows(
            self._rows,
            least,
            np.ones(self._rows),
            0,
            np.zeros(self._rows, dtype=np.int32),
            np.empty(0, dtype=np.int32),
            np.empty(0),
        )
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        # Leaving a forced parcel out costs more than any unit brings; so the programme always has an answer.
        self._slack = np.flatnonzero(forced)
        if len(self._slack):
            self._highs.addCols(
                len(self._slack),
                np.full(len(self._slack), -1e9),
                np.zeros(len(self._slack)),
                np.ones(len(self._slack)),
                len(self._slack),
                np.arange(len(self._slack), dtype=np.int32),
                self._slack.astype(np.int32),
                np.ones(len(self._slack)),
            )
        self._taken = 0

    def extend(self) -> None:
        """Take in what is new in the pool."""
        units = self._pool.units[self._taken :]
        if not units:
            return
        starts = np.concatenate([[0], np.cumsum([len(unit) for unit in units])[:-1]]).astype(np.int32)
        flat = np.concatenate(units).astype(np.int32)
        count = len(units)
        self._highs.addCols(
            count,
            np.array(self._pool.values[self._taken :]),
            np.zeros(count),
            # No bound of their own, or prices of parcels would hide in it.
            np.full(count, highspy.kHighsInf),
            len(flat),
            starts,
            flat,
            np.ones(len(flat)),
        )
        self._taken = len(self._pool.units)

    def prices(self) -> tuple[Floats, float]:
        """Return the price of every parcel (m², below 0 only where forced) and the value of the programme.

        The interior point is used without going to a corner: there are many prices of the same value, and those in the middle
        tell which parcels are scarce.
        """
        self.extend()
        self._highs.setOptionValue("solver", "ipm")
        self._highs.setOptionValue("run_crossover", "off")
        self._highs.run()
        prices = np.array(self._highs.getSolution().row_dual)
        return prices, float(self._highs.getInfo().objective_function_value)

    def packing(self) -> list[int]:
        """Return the numbers of the best disjoint units of the pool."""
        self.extend()
        self._highs.setOptionValue("solver", "simplex")
        self._highs.setOptionValue("run_crossover", "on")
        used = self._used()
        if not np.all(np.abs(used - np.round(used)) < _EPSILON):
            self._integral(highspy.HighsVarType.kInteger)
            used = self._used()
            self._integral(highspy.HighsVarType.kContinuous)
        return [int(number) for number in np.flatnonzero(used > 1 - _EPSILON)]

    def _used(self) -> Floats:
        self._highs.run()
        return np.array(self._highs.getSolution().col_value)[len(self._slack) :]

    def _integral(self, kind: highspy.HighsVarType) -> None:
        count = self._taken + len(self._slack)
        self._highs.changeColsIntegrality(count, np.arange(count, dtype=np.int32), np.full(count, kind))


def quiet_highs() -> Any:
    """Return a solver that says nothing, works on one thread and stops by counts."""
    # The class below it: the outer one prints a banner on stdout and calls back into Python.
    make: Any = highspy.Highs.__base__
    highs = make()
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_rel_gap", _RELATIVE_GAP),
        ("mip_max_nodes", _MOST_NODES),
    ):
        highs.setOptionValue(name, value)
    return highs


@compiled
def pack_quickly(starts: Ints, flat: Ints, values: Floats, nodes: int) -> Ints:
    """Return numbers of disjoint units: the most valuable first, then exchanged while the whole gains.

    An exchange takes one unit in, those that it meets out, and fills what came free with what fits, best first.
    """
    count = len(values)
    order = np.argsort(-values, kind="mergesort")
    owner = np.full(nodes, -1, dtype=np.int64)
    trial = np.empty(nodes, dtype=np.int64)
    for unit in order:
        if _fits(starts, flat, owner, unit):
            _put(starts, flat, owner, unit, unit)
    for _ in range(20):
        better = False
        for unit in order:
            if owner[flat[starts[unit]]] == unit:
                continue
            trial[:] = owner
            change = values[unit]
            for at in range(starts[unit], starts[unit + 1]):
                met = trial[flat[at]]
                if met >= 0:
                    change -= values[met]
                    _put(starts, flat, trial, met, -1)
            _put(starts, flat, trial, unit, unit)
            for other in order:
                if trial[flat[starts[other]]] < 0 and _fits(starts, flat, trial, other):
                    _put(starts, flat, trial, other, other)
                    change += values[other]
            if change > _EPSILON:
                owner[:] = trial
                better = True
        if not better:
            break
    chosen = np.zeros(count, dtype=np.bool_)
    for node in range(nodes):
        if owner[node] >= 0:
            chosen[owner[node]] = True
    return np.flatnonzero(chosen)


@borrowing
def _fits(starts: Ints, flat: Ints, owner: Ints, unit: int) -> bool:
    for at in range(starts[unit], starts[unit + 1]):
        if owner[flat[at]] >= 0:
            return False
    return True


@borrowing
def _put(starts: Ints, flat: Ints, owner: Ints, unit: int, mark: int) -> None:
    for at in range(starts[unit], starts[unit + 1]):
        owner[flat[at]] = mark


@compiled
def all_units(g: Ground, desk: Desk, members: Ints) -> Floats:
    """Return the value of every set of at most 20 parcels that keeps the rules, by its bits; -inf where it does not."""
    count = len(members)
    sets = 1 << count
    values = np.full(sets, -np.inf)
    areas = np.zeros(sets)
    lows = np.zeros(sets)
    beside = np.zeros(count, dtype=np.int64)
    for one in range(count):
        for at in range(g.start[members[one]], g.start[members[one] + 1]):
            for other in range(count):
                if g.neighbour[at] == members[other]:
                    beside[one] |= 1 << other
    chosen = np.empty(count, dtype=np.int64)
    for number in range(1, sets):
        lowest = _lowest(number)
        rest = number & (number - 1)
        areas[number] = areas[rest] + g.area[members[lowest]]
        lows[number] = lows[rest] + g.low[members[lowest]]
        area = areas[number]
        # Sums in another order may differ in the last digits; the set itself is judged once more below.
        if area < g.least * (1 - 1e-9) or area > g.most * (1 + 1e-9):
            continue
        if lows[number] < g.low_share * area * (1 - 1e-9):
            continue
        if not _is_one_piece(number, lowest, beside, count):
            continue
        size = 0
        for bit in range(count):
            if number >> bit & 1:
                chosen[size] = members[bit]
                size += 1
        value, rule = value_and_rule(g, desk, chosen[:size])
        if rule == KEPT:
            values[number] = value
    return values


@borrowing
def _is_one_piece(number: int, lowest: int, beside: Ints, count: int) -> bool:
    reached = 1 << lowest
    edge = reached
    while edge:
        grown = 0
        for bit in range(count):
            if edge >> bit & 1:
                grown |= beside[bit]
        edge = grown & number & ~reached
        reached |= edge
    return reached == number


@compiled
def best_partition(values: Floats, count: int, forced: int) -> tuple[float, Ints]:
    """Return the greatest value of disjoint sets among `count` parcels, and the sets (bits), from the value of every set.

    Parcels of `forced` (bits) must be in a set; the value is -inf where that cannot be.
    """
    sets = 1 << count
    starts, units = _by_lowest(values, count, forced)
    best = np.zeros(sets)
    choice = np.zeros(sets, dtype=np.int64)
    # What is left of the whole, whatever was taken from it: few of all sets, and each after the one it is left of.
    wanted = np.zeros(sets, dtype=np.bool_)
    wanted[sets - 1] = True
    for number in range(sets - 1, 0, -1):
        if wanted[number]:
            lowest = _lowest(number)
            wanted[number & (number - 1)] = True
            for at in range(starts[lowest], starts[lowest + 1]):
                if units[at] & ~number == 0:
                    wanted[number ^ units[at]] = True
    for number in range(1, sets):
        if wanted[number]:
            lowest = _lowest(number)
            top = best[number & (number - 1)] if not forced >> lowest & 1 else -np.inf
            pick = 0
            for at in range(starts[lowest], starts[lowest + 1]):
                unit = units[at]
                if unit & ~number == 0:
                    value = values[unit] + best[number ^ unit]
                    if value > top:
                        top, pick = value, unit
            best[number], choice[number] = top, pick
    found = np.empty(count, dtype=np.int64)
    size, left = 0, sets - 1
    while left:
        if choice[left]:
            found[size] = choice[left]
            size += 1
            left ^= choice[left]
        else:
            left &= left - 1
    return best[sets - 1], found[:size]


@compiled
def _by_lowest(values: Floats, count: int, forced: int) -> tuple[Ints, Ints]:
    """Return the sets that may be taken, by their lowest parcel, and where those of each begin; the greatest number first."""
    starts = np.zeros(count + 1, dtype=np.int64)
    for number in range(1, len(values)):
        if values[number] > 0 or (forced and values[number] > -np.inf):
            starts[_lowest(number) + 1] += 1
    starts = np.cumsum(starts)
    units, ends = np.empty(starts[count], dtype=np.int64), starts.copy()
    for number in range(len(values) - 1, 0, -1):
        if values[number] > 0 or (forced and values[number] > -np.inf):
            lowest = _lowest(number)
            units[ends[lowest]] = number
            ends[lowest] += 1
    return starts, units


@borrowing
def _lowest(number: int) -> int:
    """Return the lowest bit of a number that is not 0."""
    lowest = 0
    while not number >> lowest & 1:
        lowest += 1
    return lowest
