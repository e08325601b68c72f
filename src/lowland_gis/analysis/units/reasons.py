"""Say which rule limits a unit and what its best alternative was, why a parcel is left out, and which other units hold a parcel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import HECTARE_M2, Ground, Problem
from lowland_gis.analysis.units.grow import grow
from lowland_gis.analysis.units.moves import best_move
from lowland_gis.analysis.units.search import Found
from lowland_gis.analysis.units.value import (
    APART,
    ENCLOSES,
    FAR,
    FEW_LOW,
    FEW_PUBLIC,
    KEPT,
    NARROW,
    RAGGED,
    TOO_LARGE,
    TOO_SMALL,
    Desk,
    desk_of,
    value_and_rule,
)

RULES = {
    TOO_SMALL: "min_ha",
    TOO_LARGE: "max_ha",
    FEW_LOW: "min_low_share",
    FEW_PUBLIC: "min_public_share",
    RAGGED: "min_compactness",
    ENCLOSES: "max_enclosed_share",
    APART: "contiguous",
    NARROW: "min_neck_m",
}
_BESIDE, _ALONE, _NOTHING, _CROWDED = range(4)


def why_so(problem: Problem, units: list[Ints]) -> pd.DataFrame:
    """Return, for each unit, `limit` (the rule that forbids the best further move) and `alternative`, both in words.

    A move adds, drops or exchanges one parcel. Where no forbidden move would gain anything, nothing limits the unit but its
    own value.
    """
    desk, ground = desk_of(problem.ground), problem.ground
    free = problem.free.copy()
    for unit in units:
        free[unit] = False
    price = np.zeros(len(free))
    rows = []
    for unit in units:
        room = np.empty(len(unit) + 1, dtype=np.int64)
        room[: len(unit)] = unit
        move = best_move(ground, desk, free, price, room, len(unit), -1, -FAR, -FAR)
        rows.append(_words(problem, desk, unit, move))
    return pd.DataFrame(rows, columns=["limit", "alternative"])


def _words(
    problem: Problem, desk: Desk, unit: Ints, move: tuple[int, int, float, int, int, float, int]
) -> tuple[str, str]:
    out, into, gained, bad_out, bad_in, bad, rule = move
    if (out >= 0 or into >= 0) and gained > 0:
        # Only a hole or a neck can stand in the way of a move that gains; the search looks at these last.
        other = np.sort(np.append(unit[unit != out], [into] if into >= 0 else []).astype(np.int64))
        broken = value_and_rule(problem.ground, desk, other)[1]
        if broken != KEPT and gained > bad:
            bad_out, bad_in, bad, rule = out, into, gained, broken
    limit = "none: no change of one parcel would gain"
    if rule and bad > 0:
        limit = f"{RULES[rule]}: {_move(problem, bad_out, bad_in)} would gain {bad:,.0f} m²"
    alternative = "none that keeps the rules"
    if out >= 0 or into >= 0:
        alternative = f"{_move(problem, out, into)}: {gained:+,.0f} m²"
    return limit, alternative


def _move(problem: Problem, out: int, into: int) -> str:
    words = []
    if into >= 0:
        words.append(f"with {problem.ids[into]}")
    if out >= 0:
        words.append(f"without {problem.ids[out]}")
    return " ".join(words)


def why_out(problem: Problem, units: list[Ints], names: list[str]) -> npt.NDArray[np.object_]:
    """Return the reason of every parcel that is in no unit, None where it is in one."""
    unit_of = np.full(len(problem.cell), -1, dtype=np.int64)
    for number, unit in enumerate(units):
        unit_of[unit] = number
    starts = np.concatenate([[0], np.cumsum([len(unit) for unit in units])]).astype(np.int64)
    flat = np.concatenate([*units, np.empty(0, dtype=np.int64)])
    desk = desk_of(problem.ground)
    kinds, numbers, rules, amounts = _left_out(problem.ground, desk, problem.free, unit_of, starts, flat)
    short = _short_components(problem)
    reasons = problem.reason.copy()
    for at in np.flatnonzero(problem.free & (unit_of < 0)):
        reasons[at] = short[problem.component[at]] or _why(
            problem, (kinds[at], numbers[at], rules[at], amounts[at]), names
        )
        if problem.ground.low[at] <= 0:
            reasons[at] = f"not low-efficiency; {reasons[at]}"
    return reasons


def _short_components(problem: Problem) -> list[str | None]:
    """Say which components can hold no unit at all, and why."""
    ground, limits = problem.ground, problem.limits
    said: list[str | None] = []
    for number in range(len(problem.bounds) - 1):
        members = problem.of_component(number)
        area, low = ground.area[members].sum(), ground.low[members].sum()
        text = None
        if area < ground.least:
            text = f"min_ha: all it hangs together with has {area / HECTARE_M2:.2f} ha, less than {limits.min_ha:g} ha"
        elif low < ground.low_share * ground.least:
            text = (
                f"min_low_share: all it hangs together with has {low / HECTARE_M2:.2f} ha of low-efficiency land;"
                f" a unit of {limits.min_ha:g} ha needs {limits.min_low_share * limits.min_ha:.2f} ha"
            )
        said.append(text)
    return said


def _why(problem: Problem, found: tuple[int, int, int, float], names: list[str]) -> str:
    kind, number, rule, amount = found
    if kind == _BESIDE and (rule == KEPT or amount <= 0):
        return f"value: joining {names[number]} would cost {-amount:,.0f} m² more than it brings"
    if kind == _BESIDE:
        return f"{RULES[int(rule)]}: joining {names[number]} would bring {amount:,.0f} m², but the rule forbids it"
    if kind == _ALONE:
        return f"value: the best unit of what is left around it is worth {amount:,.0f} m²"
    if kind == _CROWDED:
        return f"min_ha: what is left around it has {amount / HECTARE_M2:.2f} ha, less than {problem.limits.min_ha:g} ha"
    return "min_low_share: no unit of what is left around it keeps the shares and the compactness"


@compiled
def _left_out(
    g: Ground, desk: Desk, free: npt.NDArray[np.bool_], unit_of: Ints, starts: Ints, flat: Ints
) -> tuple[Ints, Ints, Ints, Floats]:
    """Return why each free parcel is out: kind, unit, rule and amount in m²."""
    count = len(unit_of)
    kinds, numbers = np.full(count, _NOTHING, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    rules, amounts = np.zeros(count, dtype=np.int64), np.zeros(count)
    left = free & (unit_of < 0)
    price = np.zeros(count)
    room = np.empty(count + 1, dtype=np.int64)
    values = np.empty(len(starts))
    for unit in range(len(starts) - 1):
        values[unit] = value_and_rule(g, desk, flat[starts[unit] : starts[unit + 1]])[0]
    for node in range(count):
        if not left[node]:
            continue
        best = -np.inf
        for at in range(g.start[node], g.start[node + 1]):
            unit = unit_of[g.neighbour[at]]
            if unit < 0:
                continue
            size = starts[unit + 1] - starts[unit]
            room[:size] = flat[starts[unit] : starts[unit + 1]]
            room[size] = node
            value, rule = value_and_rule(g, desk, room[: size + 1])
            if value - values[unit] > best:
                best = value - values[unit]
                kinds[node], numbers[node], rules[node], amounts[node] = _BESIDE, unit, rule, best
        if numbers[node] >= 0:
            continue
        size = grow(g, desk, left, price, node, -1, 0.0, g.most, desk.members, 0)
        if size > 0:
            kinds[node] = _ALONE
            amounts[node] = value_and_rule(g, desk, desk.members[:size])[0]
        else:
            area = _around(g, desk, left, node)
            if area < g.least:
                kinds[node], amounts[node] = _CROWDED, area
    return kinds, numbers, rules, amounts


@borrowing
def _around(g: Ground, desk: Desk, left: npt.NDArray[np.bool_], origin: int) -> float:
    """Return the area of what is left around a parcel, or at least the least area of a unit."""
    mark = desk.stamp[0] + 1
    desk.stamp[0] = mark
    desk.queue[0] = origin
    desk.seen[origin] = mark
    head, tail, area = 0, 1, 0.0
    while head < tail and area < g.least:
        node = desk.queue[head]
        head += 1
        area += g.area[node]
        for at in range(g.start[node], g.start[node + 1]):
            other = g.neighbour[at]
            if left[other] and desk.seen[other] != mark:
                desk.seen[other] = mark
                desk.queue[tail] = other
                tail += 1
    return area


@dataclass(frozen=True)
class Alternative:
    """A unit that could be drawn: its parcels, its value in m², and what the best packing with it would lose against now."""

    parcels: tuple[str, ...]
    value_m2: float
    loses_m2: float


def alternatives(problem: Problem, found: Found, parcel_id: str, *, most: int = 5) -> list[Alternative]:
    """Return the next-best units of a component that hold a parcel, best first.

    `loses_m2` is what the units that it displaces are worth, less its own value.
    """
    position = int(np.searchsorted(problem.ids, parcel_id))
    place = int(np.searchsorted(found.pool.members, position))
    desk = desk_of(problem.ground)
    now = [(set(map(int, unit)), value_and_rule(problem.ground, desk, unit)[0]) for unit in found.units]
    rows = []
    for unit, value in zip(found.pool.units, found.pool.values, strict=True):
        if place in unit:
            members = found.pool.members[unit]
            met = sum(worth for others, worth in now if others & set(map(int, members)))
            codes = tuple(map(str, problem.ids[members]))
            rows.append(Alternative(codes, value, met - value))
    rows.sort(key=lambda row: (row.loses_m2, row.parcels))
    return rows[:most]
