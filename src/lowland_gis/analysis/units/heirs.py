"""Which unit carries an earlier one on, which parcels changed their unit, and what each change brings.

A unit is the heir of an earlier one, and has its name, where it holds more than half of the land of it that is still there. So no
earlier unit has two heirs; a unit that might be the heir of several is that of the one with which it shares most land.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lowland_gis.analysis.units.facing import Ints
from lowland_gis.analysis.units.ground import RELATIVE_TOLERANCE, Ground, Problem, ground_without_before
from lowland_gis.analysis.units.reasons import RULES
from lowland_gis.analysis.units.value import KEPT, Desk, desk_of, value_and_rule

CHANGES = ("parcel_id", "from_unit", "to_unit", "area_m2", "gain_m2", "reason")
GONE = "the parcel is not there any more"


def heirs(problem: Problem, units: list[Ints]) -> list[str | None]:
    """Return for each unit (positions) the name of the earlier unit that it carries on, None where there is none."""
    if "before" not in problem.parcels.columns or problem.parcels["before"].isna().all():
        return [None] * len(units)
    old = problem.parcels["before"].to_numpy(dtype=object)
    area = problem.ground.area
    there = pd.notna(old)
    whole = pd.Series(area[there]).groupby(old[there]).sum()
    found: list[str | None] = []
    for unit in units:
        inside = unit[there[unit]]
        shared = pd.Series(area[inside]).groupby(old[inside]).sum()
        lives = shared[shared > 0.5 * (1 + RELATIVE_TOLERANCE) * whole.reindex(shared.index)]
        # The largest share; of two that are alike, the first name.
        found.append(None if lives.empty else str(lives.sort_index().idxmax()))
    return found


@dataclass(frozen=True)
class Lineage:
    """What became of earlier units: names of those that live on as they were, with other parcels, those that are gone, new ones."""

    same: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]


def lineage(problem: Problem, units: Mapping[str, Ints], lost: Mapping[str, str]) -> Lineage:
    """Return what became of the earlier units in units by name; `lost` are parcels that are not there any more, with their unit."""
    old: dict[str, set[int]] = {name: set() for name in {*problem.old_names, *lost.values()}}
    for at, name in enumerate(problem.parcels["before"].to_numpy(dtype=object)):
        if pd.notna(name):
            old.setdefault(str(name), set()).add(at)
    short = set(lost.values())
    same = [
        name
        for name in old
        if name in units and name not in short and set(map(int, units[name])) == old[name]
    ]
    on = [name for name in old if name in units and name not in same]
    return Lineage(
        tuple(sorted(same)),
        tuple(sorted(on)),
        tuple(sorted(set(old) - set(units))),
        tuple(sorted(set(units) - set(old))),
    )


def unit_changes(
    problem: Problem, units: Mapping[str, Ints], members: pd.DataFrame, lost: Mapping[str, str]
) -> pd.DataFrame:
    """Return every parcel whose unit changed: the columns of `CHANGES`, by earlier unit and parcel.

    `gain_m2` is what the draft would be worth less (without the price of changes) if this parcel alone were back where it was;
    missing where it cannot be back: then `reason` says which rule or what else keeps it from there. `members` has the reasons of parcels
    that are in no unit, `lost` the parcels that are not there any more, with their earlier unit.
    """
    back = _Back(problem, units)
    now: dict[int, str] = {int(at): name for name, unit in units.items() for at in unit}
    why_out = members.set_index("parcel_id")["reason"]
    rows: list[tuple[object, ...]] = [(code, name, None, None, None, GONE) for code, name in lost.items()]
    for at, given in enumerate(problem.parcels["before"].to_numpy(dtype=object)):
        old = None if pd.isna(given) else str(given)
        new = now.get(at)
        if old != new:
            code = str(problem.ids[at])
            gain, reason = back.told(at, old, new, why_out.get(code))
            rows.append((code, old, new, float(problem.ground.area[at]), gain, reason))
    table = pd.DataFrame(rows, columns=list(CHANGES))
    order = table.assign(key=table["from_unit"].fillna("\uffff")).sort_values(["key", "parcel_id"])
    plain = order.drop(columns="key").reset_index(drop=True).astype(object)
    return plain.where(plain.notna(), None).astype({"area_m2": float, "gain_m2": float})


class _Back:
    """What a draft is worth with a parcel back where it was; without the price of changes."""

    def __init__(self, problem: Problem, units: Mapping[str, Ints]) -> None:
        self._problem = problem
        self._units = units
        self._ground: Ground = ground_without_before(problem)
        self._desk: Desk = desk_of(self._ground)
        old = problem.parcels["before"].to_numpy(dtype=object)
        self._old = {str(name): np.flatnonzero(old == name) for name in pd.unique(old[pd.notna(old)])}

    def told(self, at: int, old: str | None, new: str | None, why_out: object) -> tuple[float | None, str]:
        """Return the gain of a parcel that changed its unit, and the reason."""
        if new is None and not self._problem.free[at]:
            return None, f"it may be in no unit: {self._problem.reason[at]}"
        leaves, rule = (0.0, KEPT) if new is None else self._loss(new, at)
        if rule != KEPT:
            return None, f"without it unit {new} breaks {RULES[rule]}"
        if old is None:
            return leaves, f"unit {new} is worth more with it"
        if old not in self._units:
            return leaves, self._dissolved(old)
        joins, rule = self._gain(old, at)
        if rule != KEPT:
            return None, f"with it unit {old} breaks {RULES[rule]}"
        gain = leaves - joins
        moved = (
            "the units beside it changed"
            if gain <= 0
            else f"unit {new} gains more by it than unit {old} loses"
        )
        return gain, str(why_out) if new is None else moved

    def _dissolved(self, old: str) -> str:
        _, broken = self._worth(self._old[old])
        why = f"breaks {RULES[broken]}" if broken != KEPT else "is worth less than the units on its ground"
        return f"unit {old} lives on in no unit: as it was it {why}"

    def _loss(self, name: str, at: int) -> tuple[float, int]:
        """Return what a unit is worth less without a parcel, and the rule that it would break; a unit of one parcel is given up."""
        unit = self._units[name]
        worth = self._worth(unit)[0]
        rest = unit[unit != at]
        if not len(rest):
            return worth, KEPT
        without, rule = self._worth(rest)
        return worth - without, rule

    def _gain(self, name: str, at: int) -> tuple[float, int]:
        """Return what a unit is worth more with a parcel, and the rule that it would break."""
        unit = self._units[name]
        with_, rule = self._worth(np.sort(np.append(unit, at)))
        return with_ - self._worth(unit)[0], rule

    def _worth(self, unit: Ints) -> tuple[float, int]:
        value, rule = value_and_rule(self._ground, self._desk, np.ascontiguousarray(unit, dtype=np.int64))
        return float(value), int(rule)
