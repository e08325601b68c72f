"""The optimum of a small component by listing every set of its parcels; written apart from the search, from tables only.

All 2^n sets are judged together with NumPy: connected, within the areas, shares and compactness. The best packing comes from a
dynamic programme over what is left for the parcels from the i-th on. Holes are left to the evaluator: a set that it refuses
in the best packing is struck off, and the packing is sought again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.judge import judge

MOST = 16
SLACK = 1e-9


def listed_optimum(problem: Problem, component: int) -> float:
    """Return the greatest value in m² of disjoint units of a component of at most 16 parcels."""
    nodes = problem.of_component(component)
    assert len(nodes) <= MOST
    value = _values(problem, nodes)
    while True:
        best, chosen = _packing(value, len(nodes))
        refused = [mask for mask in chosen if not _passes(problem, nodes, mask, value[mask])]
        if not refused:
            return best
        value[refused] = -np.inf


def _bits(count: int) -> Any:
    return (np.arange(1 << count)[:, None] >> np.arange(count)) & 1


def _values(problem: Problem, nodes: Any) -> Any:
    """Return the value of every set by its bits, -inf where it breaks a rule that is seen from sums or is not connected."""
    count, limits, weights = len(nodes), problem.limits, problem.weights
    table = problem.parcels.iloc[nodes]
    inside = _bits(count).astype(float)
    area, low = (inside @ table[name].to_numpy(float) for name in ("area_m2", "low_m2"))
    public = inside @ table["public_m2"].to_numpy(float) if "public_m2" in table else 0 * area
    outline = inside @ table.geometry.length.to_numpy()
    near = np.zeros(count, dtype=np.int64)
    place = {int(node): at for at, node in enumerate(nodes)}
    for link in problem.links.itertuples():
        if link.first in place and link.second in place:
            one, other = place[link.first], place[link.second]
            outline -= 2 * link.length_m * inside[:, one] * inside[:, other]
            near[one] |= 1 << other
            near[other] |= 1 << one
    value = low - weights.other_land * (area - low) - weights.outline * outline - weights.unit
    for name, weight, base in (
        ("zone", weights.mixed_zone, "area_m2"), ("kind", weights.mixed_kind, "low_m2"),
        ("plan_use", weights.mixed_use, "area_m2"), ("owner", weights.mixed_owner, "area_m2"),
    ):  # fmt: skip
        if name in table and weight > 0:
            codes = table[name].fillna("").to_numpy()
            sums = [
                inside @ np.where(codes == code, table[base], 0.0).astype(float) for code in np.unique(codes)
            ]
            value -= weight * (inside @ table[base].to_numpy(float) - np.max(sums, axis=0))
    if weights.changed_land > 0 and "before" in table:
        before, every = table["before"], problem.parcels
        kept = np.zeros(len(inside))
        for name in before.dropna().unique():
            shared = inside @ np.where(before == name, table["area_m2"], 0.0).astype(float)
            half = every["area_m2"][every["before"] == name].sum() / 2
            kept = np.maximum(kept, np.where(shared > half * (1 + SLACK), shared, 0.0))
        fresh = inside @ np.where(before.isna(), table["area_m2"], 0.0).astype(float)
        value += weights.changed_land * (kept - fresh)
    good = (area >= limits.min_ha * 1e4 * (1 - SLACK)) & (area <= limits.max_ha * 1e4 * (1 + SLACK))
    good &= (low >= limits.min_low_share * area * (1 - SLACK)) & (
        public >= limits.min_public_share * area * (1 - SLACK)
    )
    good &= 4 * np.pi * area >= limits.min_compactness * outline**2 * (1 - SLACK)
    return np.where(good & _connected(near, count), value, -np.inf)


def _connected(near: Any, count: int) -> Any:
    """Return which sets hang together: from the lowest parcel of each, everything is reached."""
    masks = np.arange(1 << count)
    reached = masks & -masks
    for _ in range(count):
        for bit in range(count):
            reached |= np.where(reached >> bit & 1, near[bit] & masks, 0)
    return reached == masks


def _packing(value: Any, count: int) -> tuple[float, list[int]]:
    """Return the greatest value of disjoint sets and the sets: `best[i]` says what the parcels i … may still bring."""
    sets = np.flatnonzero(value > 0)
    lowest = np.log2(sets & -sets).astype(int)
    best = [np.zeros(1 << (count - at)) for at in range(count + 1)]
    pick = [np.zeros(1 << (count - at), dtype=np.int64) for at in range(count + 1)]
    for at in range(count - 1, -1, -1):
        best[at] = np.repeat(best[at + 1], 2)
        left = np.arange(len(best[at]))
        for chosen in sets[lowest == at]:
            own = int(chosen) >> at
            may = left[(left & own) == own] if at else left[-1:]
            brings = value[chosen] + best[at + 1][(may ^ own) >> 1]
            better = brings > best[at][may]
            best[at][may[better]], pick[at][may[better]] = brings[better], own
    chosen, left = [], (1 << count) - 1
    for at in range(count):
        own = int(pick[at][left])
        if own:
            chosen.append(own << at)
            left ^= own
        left >>= 1
    return float(best[0][-1]), chosen


def _passes(problem: Problem, nodes: Any, mask: int, value: float) -> bool:
    """Ask the evaluator whether a set may be a unit; its sums must be the same."""
    members = nodes[[at for at in range(len(nodes)) if mask >> at & 1]]
    judged = judge(problem, pd.DataFrame({"parcel_id": problem.ids[members], "unit_id": "u"}))
    assert abs(judged.value_m2 - value) < 1e-6 * max(1.0, abs(value))
    assert set(judged.findings["rule"]) <= {"max_enclosed_share"}
    return judged.findings.empty
