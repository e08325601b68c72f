"""Search the best units of every component: all sets where there are few parcels, drawing anew over and over beyond."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.inherited import old_units
from lowland_gis.analysis.units.pack import Master, Pool, all_units, best_partition
from lowland_gis.analysis.units.quick import Columns, polished, quick_units
from lowland_gis.analysis.units.remake import remade
from lowland_gis.analysis.units.value import Desk, desk_of

Answer = TypeVar("Answer")

_EPSILON = 1e-6
# Every component is searched by itself, so chunks only spread work over threads.
_CHUNK = 256
# Units that are kept of those that were listed.
_MOST_LISTED = 2000
# The whole may first lose so much of what was taken apart.
_HEAT = 0.02
# Components of so few parcels are not packed at the end: it has brought nothing there, for a quarter of their time.
_UNPACKED = 60
# Larger ones are drawn anew in phases, shares of the turns: the first three each from what was grown, by other random numbers, since all turns
# that follow one another may stay where they began; the last one from the best packing of all that was met.
_PHASES, _APART = (0.25, 0.25, 0.25, 0.25), 1_000_003
# Such a component has more turns for each parcel, and from so many parcels on, whose units have more neighbours, up to so many times more.
_MORE, _LARGE, _MOST_MORE = 1.2, 250, 1.5
# What a unit gains by a parcel that must be in one: more than any unit is worth, m².
_FORCED = 1e7


@dataclass(frozen=True)
class Effort:
    """How long to search: turns of drawing anew for each parcel (0: grow once and pack), the components that are listed whole, seed, threads.

    Neither the order of rows nor the number of threads changes what is found. `proof` is the number of rounds that prove a
    tighter bound by integer programmes, 0 for the quick bound.
    """

    rounds: int = 5
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
    owner: Ints
    after: Ints
    wish: Floats


def bench_of(problem: Problem) -> Bench:
    """Return fresh scratch space."""
    count = len(problem.cell)
    return Bench(
        desk_of(problem.ground),
        np.zeros(count),
        np.zeros(count, dtype=bool),
        np.full(count, -1, dtype=np.int64),
        np.full(count, -1, dtype=np.int64),
        np.zeros(count),
    )


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


def solve(
    problem: Problem, effort: Effort, wishes: Wishes | None = None, numbers: Sequence[int] | None = None
) -> list[Found]:
    """Return what was found for every component, or for some of them, in their order."""
    wishes = wishes or no_wishes(problem)
    chosen = range(len(problem.bounds) - 1) if numbers is None else numbers

    def work(chunk: range) -> list[Found]:
        bench = bench_of(problem)
        return [solve_component(problem, chosen[at], effort, wishes, bench) for at in chunk]

    return spread(work, len(chosen), effort.threads)


def spread(work: Callable[[range], list[Answer]], count: int, threads: int) -> list[Answer]:
    """Return what the chunks of 0 … count give, in order, on so many threads."""
    if threads == 1:
        return work(range(count))
    chunks = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    with ThreadPoolExecutor(threads) as pool:
        return [found for part in pool.map(work, chunks) for found in part]


def is_hopeless(problem: Problem, number: int) -> bool:
    """Tell whether a component has too little land for a unit, or none that is low-efficiency: then there is nothing to search."""
    ground, members = problem.ground, problem.of_component(number)
    return bool(ground.area[members].sum() < ground.least or not (ground.low[members] > 0).any())


def repacked(problem: Problem, found: Found) -> Found:
    """Return the best packing of a pool that has grown since, or what was found where that is no better."""
    bench, members = bench_of(problem), found.pool.members
    bench.free[members] = True
    forced = np.zeros(len(members), dtype=bool)
    task = _Task(problem, found.component, found.pool, forced, bench)
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
    task = _Task(problem, number, pool, wishes.forced[members], bench)
    bench.free[members] = True
    found = _quick(task) if effort.rounds == 0 else _remade(task, effort)
    bench.free[members] = False
    return found


@dataclass(frozen=True)
class _Task:
    """One component at work."""

    problem: Problem
    number: int
    pool: Pool
    forced: npt.NDArray[np.bool_]
    bench: Bench


def _listed(problem: Problem, number: int, pool: Pool, wishes: Wishes, desk: Desk) -> Found:
    members = pool.members
    values = all_units(problem.ground, desk, members)
    forced = int(sum(1 << at for at in np.flatnonzero(wishes.forced[members])))
    _, sets = best_partition(values, len(members), forced)
    worth = np.flatnonzero(values > _EPSILON)
    # Only the best few are kept for next-best units.
    kept = worth[np.argsort(-values[worth], kind="stable")[:_MOST_LISTED]]
    owner, place = np.nonzero(kept[:, None] >> np.arange(len(members)) & 1)
    pool.add_later(np.searchsorted(owner, np.arange(len(kept) + 1)), members[place], values[kept])
    units = sorted((members[_bits(int(bits))] for bits in sets), key=lambda unit: int(unit[0]))
    value = float(sum(values[bits] for bits in sorted(map(int, sets))))
    return Found(number, tuple(units), value, optimal=True, pool=pool)


def _bits(number: int) -> Ints:
    return np.array([at for at in range(number.bit_length()) if number >> at & 1], dtype=np.int64)


def _remade(task: _Task, effort: Effort) -> Found:
    """Grow once and pack, and draw anew over and over; of a larger component, pack what was met on the way and draw anew from that too."""
    members = task.pool.members
    begun = found = _found(task, _grown(task))
    turns = effort.rounds * len(members)
    # Where parcels must be in a unit, or earlier units are to be kept, a good division is far from the next one: every phase goes on from the last.
    is_bound = bool(task.forced.any()) or task.problem.before is not None
    if len(members) <= _UNPACKED and not is_bound:
        # With few units a turn takes apart all neighbours at once; what was kept is for next-best units.
        best, kept = _drawn_anew(task, found, (turns, effort.seed, _HEAT, False))
        task.pool.add_later(*kept)
        return best
    master = Master(task.pool, task.forced)
    more = min(max(len(members) / _LARGE, _MORE), _MOST_MORE)
    for number, share in enumerate(_PHASES):
        left = len(_PHASES) - 1 - number
        how = int(share * more * turns), effort.seed + number * _APART, _HEAT, True
        best, kept = _drawn_anew(task, found if is_bound or not left else begun, how)
        task.pool.add(*kept)
        packings = [_packed(task, master)] if is_bound or left <= 1 else []
        found = max(found, best, *packings, key=lambda one: _worth(task, one))
    return found


def _drawn_anew(task: _Task, found: Found, how: tuple[int, int, float, bool]) -> tuple[Found, Columns]:
    """Draw units anew over and over, and better the best; return them, and what was kept on the way (see `remade`)."""
    ground, bench, members = task.problem.ground, task.bench, task.pool.members
    bench.free[members], bench.price[members] = True, 0.0
    bench.wish[members] = np.where(task.forced, -_FORCED, 0.0)
    # The same random numbers for every component: what is found in one rests on nothing beyond it.
    best, kept = remade(
        ground, bench.desk, bench.free, bench.price, bench.owner, bench.after, bench.wish, members, _columns(task, found), *how
    )  # fmt: skip
    bench.wish[members] = 0.0
    return _polished(task, *best[:2]), kept


def _columns(task: _Task, found: Found) -> Columns:
    sizes = np.cumsum([0, *map(len, found.units)])
    return sizes, np.concatenate([*found.units, task.pool.members[:0]]), np.zeros(len(found.units))


def _worth(task: _Task, found: Found) -> tuple[int, float]:
    """Return how many forced parcels are in a unit, and the value."""
    inside = np.isin(task.pool.members, np.concatenate([*found.units, task.pool.members[:0]]))
    return int(np.count_nonzero(task.forced & inside)), found.value


def _packed(task: _Task, master: Master) -> Found:
    """Return the best packing of a pool, bettered."""
    members = task.pool.members
    units = [members[task.pool.units[at]] for at in master.packing()]
    return _polished(task, np.cumsum([0, *map(len, units)]), np.concatenate([*units, members[:0]]))


def _polished(task: _Task, starts: Ints, flat: Ints) -> Found:
    """Better every unit over the parcels that are left over, and draw more units on what is left then."""
    ground, bench, members = task.problem.ground, task.bench, task.pool.members
    bench.price[members], bench.free[members] = 0.0, True
    best = polished(ground, bench.desk, bench.free, bench.price, members, task.forced, starts, flat)
    return _found(task, best)


def _quick(task: _Task) -> Found:
    """Grow once and pack."""
    return _found(task, _grown(task))


def _grown(task: _Task) -> Columns:
    """Grow once into the pool, and return what was packed and bettered."""
    ground, bench, members = task.problem.ground, task.bench, task.pool.members
    bench.price[members] = 0.0
    old = (
        # As `nothing` does it; called from here that would be compiled once more, and the first draft would stand still for it.
        (np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
        if task.problem.before is None
        else old_units(ground, bench.desk, bench.free, bench.price, members, task.problem.before)
    )
    grown, best = quick_units(ground, bench.desk, bench.free, bench.price, members, task.forced, old)
    bench.free[members] = True
    task.pool.add_later(*grown)
    return best


def _found(task: _Task, best: Columns) -> Found:
    starts, flat, values = best
    value = float(values.sum())
    if np.isnan(value):  # the search is wrong; no input can do this
        raise AssertionError(f"component {task.number}: a rule is broken")
    task.pool.add_later(*best)
    units = tuple(flat[begin:end] for begin, end in pairwise(starts.tolist()))
    return Found(task.number, units, value, optimal=False, pool=task.pool)
