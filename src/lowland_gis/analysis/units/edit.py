"""Change a division as a planner says: move, merge, split, lock, forbid and force; only what is touched is searched again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from lowland_gis.analysis.units.draw import Draft, describe
from lowland_gis.analysis.units.facing import Ints
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.reasons import RULES
from lowland_gis.analysis.units.search import Effort, Wishes, solve_component
from lowland_gis.analysis.units.value import desk_of, value_and_rule

Kind = Literal["move", "merge", "split", "lock", "forbid", "force", "redraw"]


@dataclass(frozen=True)
class Edit:
    """One thing that a planner says.

    move: `parcels` to `units[0]`, or out of every unit where there is none. merge: `units` into the first. split: `parcels` out
    of `units[0]` into a unit of their own. lock: `units` stay as they are. forbid: `parcels` are in no unit. force: `parcels`
    are in a unit. redraw: the components of `units` and `parcels` are drawn anew around what is locked.
    """

    kind: Kind
    parcels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """A division after edits: all units by name, the names that changed or came or went, both values of those, and faults.

    `broken` names the rule that a unit breaks; only what the planner drew can break one.
    """

    units: dict[str, Ints]
    changed: tuple[str, ...]
    before_m2: float
    after_m2: float
    broken: dict[str, str]


@dataclass(frozen=True)
class Edited:
    """A draft after edits, and what was done in words."""

    draft: Draft
    said: str


@dataclass
class _Work:
    """Units while edits are applied; units named in `kept` are the planner's and are not searched again."""

    problem: Problem
    units: dict[str, Ints]
    kept: set[str] = field(default_factory=set)
    donors: set[str] = field(default_factory=set)
    open_: set[int] = field(default_factory=set)
    forbidden: set[int] = field(default_factory=set)
    forced: set[int] = field(default_factory=set)


def change_units(
    problem: Problem, units: Mapping[str, Ints], edits: Sequence[Edit], effort: Effort
) -> Change:
    """Return the division after edits; answers at once, because only the components touched are searched again.

    What the planner moves, merges, splits or locks stays as said even where it breaks a rule. Units that lose a parcel are
    drawn again on what they have left and on what was left over; other units stay. With force or redraw the whole component is
    drawn again around what is kept.

    Raises:
        ValueError: an edit names parcels or units that are not there, or asks for what cannot be; all faults together.
    """
    faults = _faults(problem, units, edits)
    if faults:
        raise ValueError("; ".join(faults))
    before = dict(units)
    work = _Work(problem, dict(units))
    for edit in edits:
        _apply(work, edit)
    for component in sorted(_touched(work)):
        _redraw(work, component, effort)
    work.units = {name: unit for name, unit in work.units.items() if len(unit)}
    names = [
        name
        for name in sorted({*before, *work.units})
        if name not in before or name not in work.units or not np.array_equal(before[name], work.units[name])
    ]
    return _change(problem, before, work.units, names)


def _change(problem: Problem, before: dict[str, Ints], after: dict[str, Ints], names: list[str]) -> Change:
    desk = desk_of(problem.ground)
    values = [0.0, 0.0]
    broken = {}
    for turn, units in enumerate((before, after)):
        for name in names:
            if name in units:
                value, rule = value_and_rule(problem.ground, desk, units[name])
                values[turn] += value
                if turn and rule:
                    broken[name] = RULES[rule]
    return Change(after, tuple(names), values[0], values[1], broken)


def _faults(problem: Problem, units: Mapping[str, Ints], edits: Sequence[Edit]) -> list[str]:
    codes = set(problem.ids)
    faults = []
    for edit in edits:
        unknown = [code for code in edit.parcels if code not in codes]
        if unknown:
            faults.append(f"{edit.kind}: there is no parcel {', '.join(unknown)}")
        missing = [name for name in edit.units if name not in units]
        if missing:
            faults.append(f"{edit.kind}: there is no unit {', '.join(missing)}")
        faults += _senseless(problem, units, edit, unknown + missing)
    return faults


def _senseless(problem: Problem, units: Mapping[str, Ints], edit: Edit, unknown: list[str]) -> list[str]:
    if unknown:
        return []
    if edit.kind == "merge" and len(edit.units) < 2:  # noqa: PLR2004 - one unit with itself
        return ["merge: name two units or more"]
    places = _places(problem, edit.parcels)
    barred = [f"{problem.ids[at]} ({problem.reason[at]})" for at in places if not problem.free[at]]
    if edit.kind in {"move", "force"} and edit.units[:1] != () and barred:
        return [f"{edit.kind}: may be in no unit: {', '.join(barred)}"]
    if edit.kind == "force" and barred:
        return [f"force: may be in no unit: {', '.join(barred)}"]
    if edit.kind == "split" and (not len(places) or not set(places) < set(map(int, units[edit.units[0]]))):
        return [f"split: the parcels must be some, not all, of unit {edit.units[0]}"]
    return []


def _places(problem: Problem, parcels: tuple[str, ...]) -> list[int]:
    return [int(at) for at in np.searchsorted(problem.ids.astype(str), np.array(parcels, dtype=str))]


def _apply(work: _Work, edit: Edit) -> None:
    places = _places(work.problem, edit.parcels)
    if edit.kind in {"lock", "redraw"}:
        if edit.kind == "lock":
            work.kept |= set(edit.units)
        work.open_ |= {int(work.problem.component[at]) for at in places}
        if edit.kind == "redraw":
            work.open_ |= {int(at) for name in edit.units for at in work.problem.component[work.units[name]]}
    elif edit.kind == "force":
        work.forced |= set(places)
        work.open_ |= {int(work.problem.component[at]) for at in places}
    elif edit.kind == "merge":
        first, *others = edit.units
        work.units[first] = np.sort(np.concatenate([work.units[name] for name in edit.units]))
        for name in others:
            del work.units[name]
        work.kept.add(first)
    elif edit.kind == "split":
        _take(work, places)
        work.donors.discard(edit.units[0])
        work.kept.add(edit.units[0])
        _put(work, _new_name(work, edit.units[0]), places)
    else:
        _take(work, places)
        if edit.kind == "move" and edit.units:
            _put(work, edit.units[0], places)
        else:
            work.forbidden |= set(places)


def _take(work: _Work, places: list[int]) -> None:
    """Take parcels out of their units."""
    for name, unit in work.units.items():
        left = unit[~np.isin(unit, places)]
        if len(left) < len(unit):
            work.units[name] = left
            work.donors.add(name)


def _put(work: _Work, name: str, places: list[int]) -> None:
    old = work.units.get(name, np.empty(0, dtype=np.int64))
    work.units[name] = np.sort(np.concatenate([old, np.array(places, dtype=np.int64)]))
    work.kept.add(name)


def _new_name(work: _Work, near: str) -> str:
    """Return the next free number of a unit's town."""
    town = near.rpartition("-")[0] or near
    counter = 1
    while f"{town}-{counter:03d}" in work.units:
        counter += 1
    return f"{town}-{counter:03d}"


def _touched(work: _Work) -> set[int]:
    touched = set(work.open_)
    for name in work.donors - work.kept:
        touched |= {int(work.problem.component[at]) for at in work.units[name]}
    return {component for component in touched if component >= 0}


def _redraw(work: _Work, component: int, effort: Effort) -> None:
    """Draw a component anew around what stays: everything that no edit touched, unless the whole component is open."""
    problem = work.problem
    inside = set(map(int, problem.of_component(component)))
    taken = np.zeros(len(problem.cell), dtype=bool)
    taken[list(work.forbidden)] = True
    again = []
    for name, unit in work.units.items():
        stays = name in work.kept or (component not in work.open_ and name not in work.donors)
        if stays:
            taken[unit] = True
        # Any parcel tells: the first one of a unit may have become one that may be in none.
        elif not inside.isdisjoint(map(int, unit)):
            again.append(name)
    forced = np.zeros(len(problem.cell), dtype=bool)
    forced[list(work.forced)] = True
    found = solve_component(problem, component, effort, Wishes(taken, forced & ~taken))
    missed = [
        at for at in work.forced & inside if not taken[at] and not any(at in unit for unit in found.units)
    ]
    if missed:
        raise ValueError(
            f"force: no unit that keeps the rules holds {', '.join(map(str, problem.ids[missed]))}"
        )
    _renamed(work, again, list(found.units))


def _renamed(work: _Work, again: list[str], found: list[Ints]) -> None:
    """Give drawn units the names of those that they share most parcels with; others get new numbers."""
    old = {name: work.units.pop(name) for name in again}
    near = again[0] if again else next(iter(work.units), "unit-001")
    rest = []
    for unit in sorted(found, key=lambda unit: (-len(unit), int(unit[0]))):
        shared = {name: len(np.intersect1d(unit, members)) for name, members in old.items()}
        best = max(sorted(shared), key=lambda name: shared[name], default=None)
        if best is not None and shared[best]:
            work.units[best] = unit
            del old[best]
        else:
            rest.append(unit)
    for unit in rest:
        work.units[_new_name(work, near)] = unit


def units_of(problem: Problem, members: pd.DataFrame) -> dict[str, Ints]:
    """Return the units of a membership table as positions."""
    inside = members.dropna(subset="unit_id")
    place = pd.Series(np.arange(len(problem.cell)), index=problem.ids)
    at = place.reindex(inside["parcel_id"]).to_numpy()
    return {
        str(name): np.sort(at[rows].astype(np.int64))
        for name, rows in inside.groupby("unit_id").indices.items()
    }


def apply_edits(
    problem: Problem,
    cells: gpd.GeoDataFrame,
    members: pd.DataFrame,
    edits: Sequence[Edit],
    effort: Effort,
    bound_m2: float,
) -> Edited:
    """Return the whole draft after edits, with what they cost in words."""
    done = change_units(problem, units_of(problem, members), edits, effort)
    draft = describe(problem, cells, list(done.units.values()), bound_m2, list(done.units))
    change = done.after_m2 - done.before_m2
    said = f"{len(done.changed)} units changed ({', '.join(done.changed)}), value {change:+,.0f} m²"
    if done.broken:
        said += "; broken: " + ", ".join(f"{name} {rule}" for name, rule in sorted(done.broken.items()))
    return Edited(draft, said)
