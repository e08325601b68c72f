"""Prove how much the units of a component can be worth at most: a quick linear bound, and rounds of exact pricing.

Both leave rules away (the quick one that a unit hangs together and holes, the exact one what its cuts have not met), so they never
promise too little. Each prices all types of units (`programme.py`): the true value is the greatest over the types.
"""

from __future__ import annotations

import highspy
import numpy as np

from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import RELATIVE_TOLERANCE, Ground, Problem
from lowland_gis.analysis.units.pack import Master, Pool, quiet_highs
from lowland_gis.analysis.units.pricing import Pricer
from lowland_gis.analysis.units.programme import INF, Component, Rows, add_columns, component_of, unit_rows
from lowland_gis.analysis.units.quick import nothing, quick_units
from lowland_gis.analysis.units.search import Effort, Found, bench_of, repacked, spread
from lowland_gis.analysis.units.value import KEPT, Desk, desk_of, value_and_rule
from lowland_gis.analysis.units.weighed import Scales

# Before it is priced exactly, which takes seconds, units are grown against the prices so often, which takes milliseconds.
_GROWN = 12
_EPSILON = 1e-6
# A bound so near is as good as the value.
_CLOSED = 1e-4
# Compactness as so few straight lines is 0.01 % wider and half as dear.
_TANGENTS = 4


def quick_bound(problem: Problem, found: Found) -> float:
    """Return a value in m² that the units of a component cannot exceed, by one linear programme over all types."""
    if found.optimal:
        return found.value
    local = component_of(problem.ground, found.pool.members)
    return max(_relaxed(problem.ground, local), found.value)


def proven_bound(problem: Problem, found: Found, rounds: int) -> float:
    """Return a tighter bound: prices of the linear programme, made valid by pricing every type exactly.

    Whatever the prices π ≥ 0 and the greatest v(U) - π(U) = R over connected sets, no packing is worth more than Σπ plus
    R for each unit that fits; rounds add the sets found and bring R to 0. The integer programmes stop at a number of nodes
    and then count with their own bound, so the result holds in any case.
    """
    best = quick_bound(problem, found)
    if found.optimal or rounds == 0 or best <= found.value * (1 + _CLOSED):
        return best
    ground = problem.ground
    local = component_of(ground, found.pool.members)
    master = Master(found.pool, np.zeros(len(local.members), dtype=bool))
    _grown_dear(problem, found.pool, master)
    scales, desk = Scales(problem), desk_of(ground)
    most = _most_units(ground, local)
    # Excess that is too small to matter for all units together.
    enough = 0.5 * _CLOSED * found.value / max(most, 1.0)
    pricers = [Pricer(ground, local, gain, scales, enough) for gain in local.gain]
    centre: Floats | None = None
    for _ in range(rounds):
        prices, value = master.prices()
        prices = np.maximum(prices, 0.0)
        tried = prices if centre is None else 0.5 * centre + 0.5 * prices
        excess, new = 0.0, 0
        for pricer in pricers:
            bound, units = pricer.price(tried)
            excess = max(excess, bound)
            new += _taken(found.pool, ground, desk, units)
        bound = float(tried.sum()) + most * excess
        if bound < best:
            best, centre = bound, tried
        elif not new:
            # Cuts that were learnt on the way bring the next round further, unless nothing is left to learn.
            if centre is None and excess <= _EPSILON:
                break
            centre = None
        if best <= max(value, found.value) * (1 + _CLOSED):
            break
    return max(best, found.value)


def _most_units(ground: Ground, local: Component) -> float:
    """Return how many units may lie in a component by its area, and by its low-efficiency land."""
    room = local.area.sum() / ground.least
    if ground.low_share > 0:
        room = min(room, local.low.sum() / (ground.low_share * ground.least))
    return float(np.floor(room * (1 + RELATIVE_TOLERANCE)))


def _grown_dear(problem: Problem, pool: Pool, master: Master) -> None:
    """Grow units against the prices of the pool, over and over, and put them into it."""
    bench, members = bench_of(problem), pool.members
    bench.free[members] = True
    for _ in range(_GROWN):
        bench.price[members] = np.maximum(master.prices()[0], 0.0)
        none = np.zeros(len(members), dtype=bool)
        grown, _ = quick_units(problem.ground, bench.desk, bench.free, bench.price, members, none, nothing())
        bench.free[members] = True
        if not pool.add(*grown):
            break


def _taken(pool: Pool, ground: Ground, desk: Desk, units: list[Ints]) -> int:
    """Add units that keep every rule to the pool and return how many were new."""
    new = 0
    for unit in units:
        members = pool.members[unit]
        value, rule = value_and_rule(ground, desk, members)
        if rule == KEPT:
            new += pool.add(np.array([0, len(unit)]), members, np.array([value]))
    return new


def _relaxed(ground: Ground, local: Component) -> float:
    """Solve the packing with parts of parcels and parts of units: columns by type are parcels, links, number of units."""
    highs = quiet_highs()
    highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
    count, links, types = len(local.members), len(local.one), len(local.gain)
    width = count + links + 1
    # No time is saved by looking for what can be left out first.
    highs.setOptionValue("presolve", "off")
    rows = unit_rows(ground, local, _TANGENTS)
    worth = 2.0 * ground.outline_weight * local.length
    for number, gain in enumerate(local.gain):
        cost = np.concatenate([gain, worth, [-ground.unit_price]])
        add_columns(highs, cost, np.concatenate([np.ones(count + links), [INF]]))
        rows.put(highs, number * width)
    once = Rows()
    of_parcel = np.arange(count)[:, None] + width * np.arange(types)
    once.add_all(-INF, 1.0, np.full(count, types), of_parcel.ravel(), np.ones(count * types))
    once.put(highs)
    highs.run()
    return float(highs.getInfo().objective_function_value)


def bounds(problem: Problem, found: list[Found], effort: Effort) -> tuple[float, list[Found]]:
    """Return a bound of the whole in m², and what was found, bettered by what the proof came across."""
    parts = bounded(problem, found, effort)
    return float(sum(bound for bound, _ in parts)), [part for _, part in parts]


def bounded(problem: Problem, found: list[Found], effort: Effort) -> list[tuple[float, Found]]:
    """Return a bound of each component in m², and what was found there, bettered by what the proof came across."""

    def work(chunk: range) -> list[tuple[float, Found]]:
        return [_bounded(problem, found[number], effort) for number in chunk]

    return spread(work, len(found), effort.threads)


def _bounded(problem: Problem, found: Found, effort: Effort) -> tuple[float, Found]:
    if effort.proof == 0:
        return quick_bound(problem, found), found
    before = len(found.pool.units)
    bound = proven_bound(problem, found, effort.proof)
    if len(found.pool.units) > before:
        found = repacked(problem, found)
    return max(bound, found.value), found
