"""What of an edit cannot be: parcels and units that are not there, what is locked, what makes no sense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import geopandas as gpd

from lowland_gis.analysis.units.edit import Division, Edit
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.links import HandLink, link_fault

# What puts a parcel somewhere or takes it away.
_PLACING = ("move", "new", "swap", "split", "forbid", "force")
_PUTTING = ("move", "new", "force")
_ON_PARCELS = (*_PLACING, "link", "unlink")
_ON_UNITS = ("merge", "split", "lock", "unlock", "mend")
_PAIRED = ("swap", "link", "unlink")


def edit_faults(
    division: Division, problem: Problem, place: Mapping[str, int], cells: gpd.GeoDataFrame, edit: Edit
) -> list[str]:
    """Return everything that an edit names and that is not there; where all is there, what cannot be."""
    named = [*edit.parcels, *edit.others]
    unknown = [code for code in dict.fromkeys(named) if code not in place]
    missing = [name for name in dict.fromkeys(edit.units) if name not in division.units]
    faults = [f"{edit.kind}: there is no parcel {', '.join(unknown)}"] if unknown else []
    faults += [f"{edit.kind}: there is no unit {', '.join(missing)}"] if missing else []
    faults += [f"{edit.kind}: {text}" for text in _shape(edit, named)]
    if faults:
        return faults
    return [
        f"{edit.kind}: {text}"
        for text in (*_locked(division, place, edit), *_senseless(division, problem, place, cells, edit))
    ]


def twice(edits: Sequence[Edit]) -> list[str]:
    """Return the parcels that several edits of one command put somewhere: which of them holds is not said, nor in what order."""
    kinds: dict[str, list[str]] = {}
    for edit in edits:
        if edit.kind in _PLACING:
            for code in dict.fromkeys([*edit.parcels, *edit.others]):
                kinds.setdefault(code, []).append(edit.kind)
    return [
        f"the parcel {code} stands in {len(said)} edits ({', '.join(said)})"
        for code, said in kinds.items()
        if len(said) > 1
    ]


def _shape(edit: Edit, named: Sequence[str]) -> list[str]:
    """Return what is missing of an edit or stands in it twice."""
    double = [code for code, times in Counter(named).items() if times > 1]
    faults = [f"the parcel {', '.join(double)} stands in it twice"] if double else []
    if edit.kind == "merge" and len(set(edit.units)) < 2:  # noqa: PLR2004 - one unit with itself
        faults.append("name two units or more")
    if edit.kind in _ON_PARCELS and not edit.parcels:
        faults.append("name a parcel")
    if edit.kind in _ON_UNITS and not edit.units:
        faults.append("name a unit")
    if edit.kind == "redraw" and not (edit.units or edit.parcels):
        faults.append("name a unit or a parcel")
    if edit.kind in _PAIRED and not edit.others:
        faults.append("name the other parcel too")
    return faults


def _locked(division: Division, place: Mapping[str, int], edit: Edit) -> list[str]:
    """Return the locked units that an edit would change."""
    if edit.kind in {"lock", "unlock", "link", "unlink", "redraw"}:
        return []
    touched = {*edit.units, *(division.unit_of[place[code]] for code in (*edit.parcels, *edit.others))}
    locked = sorted(touched & division.locked)
    return [f"{', '.join(locked)} is locked; unlock it first"] if locked else []


def _senseless(
    division: Division,
    problem: Problem,
    place: Mapping[str, int],
    cells: gpd.GeoDataFrame,
    edit: Edit,
) -> list[str]:
    given, others = ([place[code] for code in codes] for codes in (edit.parcels, edit.others))
    barred = [f"{problem.ids[at]} ({problem.reason[at]})" for at in (*given, *others) if not problem.free[at]]
    if barred and (edit.kind == "swap" or (edit.kind in _PUTTING and (edit.kind != "move" or edit.units))):
        return [f"may be in no unit: {', '.join(barred)}"]
    if edit.kind == "move":
        target = edit.units[0] if edit.units else None
        there = [str(problem.ids[at]) for at in given if division.unit_of[at] == target]
        where = f"in {target} already" if target else "in no unit, so there is nothing to take out"
        return [f"{', '.join(there)} is {where}"] if there else []
    if edit.kind == "split" and not set(given) < set(map(int, division.units[edit.units[0]])):
        return [f"the parcels must be some, not all, of unit {edit.units[0]}"]
    if edit.kind == "swap":
        return _swapped(division, given, others)
    if edit.kind in {"link", "unlink"}:
        link = HandLink.of(
            (edit.parcels[0], edit.others[0]),
            joined=edit.kind == "link",
            reason=edit.reason,
            said_by=edit.said_by,
        )
        fault = link_fault(problem, cells, link)
        return [fault] if fault else []
    return []


def _swapped(division: Division, given: list[int], others: list[int]) -> list[str]:
    """Return why parcels cannot change places: each side lies in one place, and not both in the same."""
    here, there = ({division.unit_of[at] for at in side} for side in (given, others))
    if len(here) > 1 or len(there) > 1:
        return ["the parcels of one side lie in several units"]
    if here == there == {None}:
        return ["both are in no unit, so there is nothing to change"]
    if here == there:
        return [f"both are in {here.pop()}, so there is nothing to change"]
    return []
