"""Search the best units of every component: all sets where there are few parcels, growing against prices beyond."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.grow import candidates
from lowland_gis.analysis.units.pack import Master, Pool, all_units, best_partition
from lowland_gis.analysis.units.quick import Columns, polished, quick_units
from lowland_gis.analysis.units.value import Desk, desk_of

Answer = TypeVar("Answer")

_EPSILON = 1e-6
# Every component is searched by itself, so chunks only spread work over threads.
_CHUNK = 256
# Shaken prices that are grown against in a round.
_WAYS = 3


@dataclass(frozen=True)
class Effort:
    """How long to search: rounds of prices (0: grow once and pack), the components that are listed whole, seed, threads.

    Neither the order of rows nor the number of threads changes what is found. `proof` is the number of rounds that prove a
    tighter bound by integer programmes, 0 for the quick bound.
    """

    rounds: int = 6
    listed: int = 16
    seed: int = 0
    threads: int = 1
    proof: int = 0


@dataclass(frozen=True)
class Bench:
    """Scratch space of one thread over all parcels: prices are written where needed, flags are cleared after use."""

    desk: Desk
    price: Floats
    free: npt.NDArray[np.bool_]


def bench_of(problem: Problem) -> Bench:
    """Return fresh scratch space."""
    count = len(problem.cell)
    return Bench(desk_of(problem.ground), np.zeros(count), np.zeros(count, dtype=bool))


@dataclass(frozen=True)
class Wishes:
    """What a planner fixed in a component: parcels that may be in no (further) unit, and parcels that must be in one."""

    taken: npt.NDArray[np.bool_]
    forced: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """Units of one component (sorted positions) and their value in m²; `optimal` where all sets were listed.

    `pool` holds every unit that was found on the way, for next-best units and bounds.
    """

    component: int
    units: tuple[Ints, ...]
    value: float
    optimal: bool
    pool: Pool


def solve(problem: Problem, effort: Effort, wishes: Wishes | None = None) -> list[Found]:
    """Return what was found for every component, in their order."""
    wishes = wishes or no_wishes(problem)

    def work(chunk: range) -> list[Found]:
        bench = bench_of(problem)
        return [solve_component(problem, number, effort, wishes, bench) for number in chunk]

    return spread(work, len(problem.bounds) - 1, effort.threads)


def spread(work: Callable[[range], list[Answer]], count: int, threads: int) -> list[Answer]:
    """Return what the chunks of 0 … count give, in order, on so many threads."""
    if threads == 1:
        return work(range(count))
    chunks = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    with ThreadPoolExecutor(threads) as pool:
        return [found for part in pool.map(work, chunks) for found in part]


def repacked(problem: Problem, found: Found) -> Found:
    """Return the best packing of a pool that has grown since, or what was found where that is no better."""
    bench, members = bench_of(problem), found.pool.members
    bench.free[members] = True
    forced = np.zeros(len(members), dtype=bool)
    task = _Task(problem, found.component, found.pool, forced, bench.free, bench.desk, bench.price)
    again = _packed(task, Master(found.pool, forced))
    return again if again.value > found.value else found


def no_wishes(problem: Problem) -> Wishes:
    """Return that nothing is fixed."""
    nothing = np.zeros(len(problem.cell), dtype=bool)
    return Wishes(nothing, nothing)


def solve_component(
    problem: Problem, number: int, effort: Effort, wishes: Wishes, bench: Bench | None = None
) -> Found:
    """Return the units of one component."""
    bench = bench or bench_of(problem)
    members = problem.of_component(number)
    members = members[~wishes.taken[members]]
    pool = Pool(members)
    ground = problem.ground
    if ground.area[members].sum() < ground.least or not (ground.low[members] > 0).any():
        return Found(number, (), 0.0, optimal=True, pool=pool)
    if len(members) <= effort.listed:
        return _listed(problem, number, pool, wishes, bench.desk)
    task = _Task(problem, number, pool, wishes.forced[members], bench.free, bench.desk, bench.price)
    bench.free[members] = True
    found = _quick(task) if effort.rounds == 0 else _priced(task, effort)
    bench.free[members] = False
    return found


@dataclass(frozen=True)
class _Task:
    """One component at work."""

    problem: Problem
    number: int
    pool: Pool
    forced: npt.NDArray[np.bool_]
    free: npt.NDArray[np.bool_]
    desk: Desk
    price: Floats

    def grow(self, prices: Floats | None = None, bonus: float = 0.0, room: float = 1.0) -> int:
        """Grow from every low-efficiency or forced parcel against prices; return how many units are new.

        `bonus` weighs compactness beyond the value, `room` is the part of the greatest area that may be used.
        """
        return self._from(prices, -1, bonus, room)

    def grow_unmixed(self, prices: Floats | None = None) -> int:
        """Grow over parcels of one zone, one kind … at a time: units that gain by not being joined."""
        kinds = range(len(self.problem.ground.mixing))
        return sum(self._from(prices, kind, 0.0, 1.0) for kind in kinds)

    def _from(self, prices: Floats | None, alike: int, bonus: float, room: float) -> int:
        members, ground = self.pool.members, self.problem.ground
        self.price[members] = 0.0 if prices is None else prices
        seeds = members[(ground.low[members] > 0) | self.forced]
        grown = candidates(ground, self.desk, self.free, self.price, seeds, alike, bonus, room * ground.most)
        return self.pool.add(*grown)


def _listed(problem: Problem, number: int, pool: Pool, wishes: Wishes, desk: Desk) -> Found:
    members = pool.members
    values = all_units(problem.ground, desk, members)
    forced = int(sum(1 << at for at in np.flatnonzero(wishes.forced[members])))
    _, sets = best_partition(values, len(members), forced)
    worth = np.flatnonzero(values > _EPSILON)
    # Only the best few are kept for next-best units.
    for bits in worth[np.argsort(-values[worth], kind="stable")[:2000]]:
        pool.put(_bits(int(bits)), float(values[bits]))
    units = sorted((members[_bits(int(bits))] for bits in sets), key=lambda unit: int(unit[0]))
    value = float(sum(values[bits] for bits in sorted(map(int, sets))))
    return Found(number, tuple(units), value, optimal=True, pool=pool)


def _bits(number: int) -> Ints:
    return np.array([at for at in range(number.bit_length()) if number >> at & 1], dtype=np.int64)


def _priced(task: _Task, effort: Effort) -> Found:
    """Grow, price the parcels by the linear programme of the pool, grow against the prices, and pack at the end."""
    weight = task.problem.ground.outline_weight
    random = np.random.default_rng([effort.seed, task.number])
    task.grow()
    task.grow(bonus=weight)
    task.grow_unmixed()
    master = Master(task.pool, task.forced)
    smooth = None
    for turn in range(effort.rounds):
        prices, _ = master.prices()
        smooth = prices if smooth is None else 0.5 * (smooth + prices)
        new = task.grow(prices) + task.grow_unmixed(smooth)
        for way in range(_WAYS):
            shaken = smooth * random.uniform(0.4, 1.6, len(smooth))
            new += task.grow(shaken, weight * ((turn + way) % 3 - 1) / 2, 0.5 ** (way % 3))
        if not new:
            break
    return _packed(task, master)


def _packed(task: _Task, master: Master) -> Found:
    """Return the best packing of a pool, bettered."""
    members = task.pool.members
    return _polished(task, [members[task.pool.units[at]] for at in master.packing()])


def _polished(task: _Task, units: list[Ints]) -> Found:
    """Better every unit over the parcels that are left over, and draw more units on what is left then."""
    ground, members = task.problem.ground, task.pool.members
    task.price[members] = 0.0
    starts = np.cumsum([0, *map(len, units)])
    flat = np.concatenate([*units, members[:0]])
    return _found(
        task, polished(ground, task.desk, task.free, task.price, members, task.forced, starts, flat)
    )


def _quick(task: _Task) -> Found:
    """Grow once and pack."""
    ground, members = task.problem.ground, task.pool.members
    task.price[members] = 0.0
    grown, best = quick_units(ground, task.desk, task.free, task.price, members, task.forced)
    task.pool.add_later(*grown)
    return _found(task, best)


def _found(task: _Task, best: Columns) -> Found:
    starts, flat, values = best
    value = float(values.sum())
    if np.isnan(value):  # the search is wrong; no input can do this
        raise AssertionError(f"component {task.number}: a rule is broken")
    task.pool.add_later(*best)
    units = tuple(flat[begin:end] for begin, end in pairwise(starts.tolist()))
    return Found(task.number, units, value, optimal=False, pool=task.pool)
