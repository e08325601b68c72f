"""What a planner says of a division, one thing at a time, and a division as it is between two edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.units.facing import Ints
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.links import HandLink

Kind = Literal[
    "move",
    "new",
    "swap",
    "merge",
    "split",
    "link",
    "unlink",
    "lock",
    "unlock",
    "forbid",
    "force",
    "mend",
    "redraw",
]


@dataclass(frozen=True)
class Edit:
    """One thing that a planner says.

    move: `parcels` to `units[0]`, or out of every unit where there is none. new: `parcels`, from wherever they are, are a unit of their own.
    swap: `parcels` and `others` change places: each side lies in one unit, or one of them in none. merge: `units` into the first.
    split: `parcels` out of `units[0]` into a unit of their own. link: `parcels[0]` and `others[0]` are neighbours, for a `reason` that somebody
    gives (`said_by`); unlink: they are none. lock: `units` stay as they are until unlock. forbid: `parcels` are in no unit. force: `parcels`
    are in a unit. mend: `units` are drawn again on what they hold and on what no unit holds. redraw: the components of `units` and `parcels`
    are drawn anew around what is locked.
    """

    kind: Kind
    parcels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    reason: str = ""
    said_by: str = ""


@dataclass(frozen=True)
class Said:
    """What was said of a draft beside who is in which unit: links by hand, parcels kept out of every unit, and those that must be in one."""

    links: tuple[HandLink, ...] = ()
    out: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Division:
    """Units by name (sorted positions) and what was said of them; an edit makes another one, so each can be gone back to.

    `unit_of` is the unit of every parcel, None where it is in none. Parcels that are `out` are proposed for no unit, those `inside` (forced)
    for none to leave.
    """

    units: Mapping[str, Ints]
    unit_of: npt.NDArray[np.object_]
    locked: frozenset[str] = frozenset()
    out: frozenset[int] = frozenset()
    inside: frozenset[int] = frozenset()
    links: tuple[HandLink, ...] = field(default=())

    @classmethod
    def of(cls, units: Mapping[str, Ints], place: Mapping[str, int], said_before: Said) -> Division:
        """Return a division of parcels whose positions are known; what was said of parcels that are not there is passed over."""
        unit_of = np.full(len(place), None, dtype=object)
        for name, unit in units.items():
            unit_of[unit] = name
        out, inside = (
            frozenset(place[code] for code in codes if code in place)
            for codes in (said_before.out, said_before.inside)
        )
        return cls(dict(units), unit_of, out=out, inside=inside, links=said_before.links)

    def with_units(self, changed: Mapping[str, Ints]) -> Division:
        """Return the division with some units changed; an empty one is gone."""
        units, unit_of = dict(self.units), self.unit_of.copy()
        for name in changed:
            unit_of[units.pop(name, np.empty(0, dtype=np.int64))] = None
        for name, unit in changed.items():
            if len(unit):
                units[name] = unit
                unit_of[unit] = name
        return replace(self, units=units, unit_of=unit_of)

    def new_name(self, near: str | None) -> str:
        """Return the next free number of a unit's town."""
        near = near if near is not None else next(iter(sorted(self.units)), "unit-001")
        town = near.rpartition("-")[0] or near
        counter = 1
        while f"{town}-{counter:03d}" in self.units:
            counter += 1
        return f"{town}-{counter:03d}"


def told(edit: Edit) -> str:
    """Return an edit in a few words: `move P1 → U`, `swap P1 ↔ P2`."""
    parcels, others, units = (", ".join(names) for names in (edit.parcels, edit.others, edit.units))
    if edit.kind == "move":
        return f"move {parcels} → {units or 'in no unit'}"
    if others:
        return f"{edit.kind} {parcels} ↔ {others}"
    if edit.kind == "split":
        return f"split {parcels} from {units}"
    return f"{edit.kind} {parcels or units}"


def units_of(problem: Problem, members: pd.DataFrame) -> dict[str, Ints]:
    """Return the units of a membership table as positions."""
    inside = members.dropna(subset="unit_id")
    place = pd.Series(np.arange(len(problem.cell)), index=problem.ids)
    at = place.reindex(inside["parcel_id"]).to_numpy()
    return {
        str(name): np.sort(at[rows].astype(np.int64))
        for name, rows in inside.groupby("unit_id").indices.items()
    }


def said(division: Division, place: Mapping[str, int], cell: Ints, edit: Edit) -> dict[str, Ints]:
    """Return the units that an edit changes, to the parcel as it says; what it says of no parcel changes none.

    The edit has no faults (see `edit_faults.edit_faults`); `place` is the position of every parcel, `cell` the block of each.
    """
    given = [place[code] for code in edit.parcels]
    if edit.kind == "merge":
        first, *others = edit.units
        whole = np.sort(np.concatenate([division.units[name] for name in edit.units]))
        return {first: whole, **dict.fromkeys(others, whole[:0])}
    if edit.kind == "swap":
        back = [place[code] for code in edit.others]
        return _moved(division, {division.unit_of[given[0]]: back, division.unit_of[back[0]]: given})
    if edit.kind in {"new", "split"}:
        near = edit.units[0] if edit.units else division.unit_of[given[0]] or _beside(division, cell, given)
        return _moved(division, {division.new_name(near): given})
    if edit.kind in {"move", "forbid"}:
        return _moved(division, {edit.units[0] if edit.kind == "move" and edit.units else None: given})
    return {}


def _moved(division: Division, into: Mapping[str | None, list[int]]) -> dict[str, Ints]:
    """Return the units that change when parcels go where it is said (None: into no unit)."""
    moved = np.array([at for given in into.values() for at in given], dtype=np.int64)
    names = {str(name) for name in (*division.unit_of[moved], *into) if name is not None}
    changed: dict[str, Ints] = {}
    for name in sorted(names):
        old = division.units.get(name, moved[:0])
        come = np.array(into.get(name, []), dtype=np.int64)
        changed[name] = np.unique(np.concatenate([np.setdiff1d(old, moved), come]))
    return changed


def _beside(division: Division, cell: Ints, given: list[int]) -> str | None:
    """Return a unit in the block of some parcels, whose town gives a new one its name."""
    near = division.unit_of[cell == cell[given[0]]]
    return min((str(name) for name in near if name is not None), default=None)
