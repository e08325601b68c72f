"""Further edits that mend or better the units that an edit touched, each with the value it leads to and the rules it settles.

Only units that were touched and those beside them are looked at: parcels that might come, go or change places, pieces that lie apart, what is
enclosed, neighbours to merge with, and drawing a unit again on what it holds and what is left over around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lowland_gis.analysis.units.edit import Division, Edit, said
from lowland_gis.analysis.units.facing import Ints
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.weighed import RULES, Scales

# Of the best parcels that might come and of the best that might go, so many are tried in exchange for each other.
_EXCHANGED = 8
# A repair that keeps as many rules is one where it gains more than rounding, m².
_GAINS_M2 = 1e-6
# Parcels of the piece that hangs loose which are moved at once.
_MOST_LOOSE = 40


@dataclass(frozen=True)
class Repair:
    """A further edit (None: take the last one back), the value of the whole draft after it, what it gains, and rules by unit.

    `settles` are the broken rules of the units that it is about which are kept then, `leaves` those that are not, `breaks` new ones.
    """

    edit: Edit | None
    value_m2: float
    gain_m2: float
    settles: tuple[tuple[str, str], ...]
    leaves: tuple[tuple[str, str], ...]
    breaks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Around:
    """What repairs are looked for in: the division before and after an edit, the units that it touched, and the ground.

    Parcels in `said` were put where they are by the edit: no repair takes them away again.
    """

    before: Division
    division: Division
    touched: tuple[str, ...]
    said: frozenset[int]
    problem: Problem
    scales: Scales
    place: Mapping[str, int]

    def changes(self, edit: Edit) -> dict[str, Ints]:
        """Return the units that a further edit changes."""
        return said(self.division, self.place, self.problem.cell, edit)

    def stands(self, changes: Mapping[str, Ints]) -> bool:
        """Tell whether what was said stands when units change, and not all is as it was before."""
        for at in self.said:
            name = self.division.unit_of[at]
            if name is None and any(at in unit for unit in changes.values()):
                return False
            if name in changes and at not in changes[name]:
                return False
        names = {*self.touched, *changes}
        was = {unit.tobytes() for name, unit in self.before.units.items() if name in names}
        now = {**{name: self.division.units[name] for name in names & set(self.division.units)}, **changes}
        return was != {unit.tobytes() for unit in now.values() if len(unit)}

    def code(self, at: int) -> str:
        """Return the code of a parcel."""
        return str(self.problem.ids[at])


def best_repairs(
    around: Around, drawn: Sequence[tuple[Edit, dict[str, Ints]]], value_m2: float, *, most: int = 3
) -> list[Repair]:
    """Return the best further edits: fewest rules broken, then the greatest value, then by what they say.

    `drawn` are edits that ask the search, with what they change. Where nothing is broken, only what gains is a repair.
    """
    singles = [(edit, around.changes(edit)) for edit in _singles(around)]
    judged = _judged(around, singles, value_m2)
    pairs = [(edit, around.changes(edit)) for edit in _exchanges(around, singles, judged)]
    every = [*zip(singles, judged, strict=True), *zip(pairs, _judged(around, pairs, value_m2), strict=True)]
    every += zip(drawn, _judged(around, list(drawn), value_m2), strict=True)
    found: dict[tuple[object, ...], Repair] = {}
    for (_, changes), repair in every:
        if betters(repair) and around.stands(changes):
            # Two ways of saying the same are one repair.
            same = tuple((name, unit.tobytes()) for name, unit in sorted(changes.items()))
            found.setdefault(same, repair)
    return sorted(found.values(), key=rank)[:most]


def betters(repair: Repair) -> bool:
    """Tell whether fewer rules are broken after a repair, or as many and it gains."""
    more = len(repair.breaks) - len(repair.settles)
    return more < 0 or (not repair.breaks and repair.gain_m2 > _GAINS_M2)


def rank(repair: Repair) -> tuple[object, ...]:
    """Return what repairs are sorted by."""
    edit = repair.edit
    text = ("",) if edit is None else (edit.kind, *edit.parcels, *edit.others, *edit.units)
    more = len(repair.breaks) - len(repair.settles)
    return more, -round(repair.value_m2, 6), len(text), text


def _rules(name: str, mask: int) -> list[tuple[str, str]]:
    return [(name, rule) for bit, rule in enumerate(RULES) if mask >> bit & 1]


def _judged(around: Around, ways: Sequence[tuple[Edit, Mapping[str, Ints]]], value_m2: float) -> list[Repair]:
    """Return what every further edit leads to; all units that change are weighed at once."""
    units = around.division.units
    names = sorted({name for _, changes in ways for name in changes if name in units} | set(around.touched))
    names = [name for name in names if name in units]
    worth, masks = around.scales.many([units[name] for name in names])
    before = {name: (float(value), int(mask)) for name, value, mask in zip(names, worth, masks, strict=True)}
    flat = [
        (number, name, unit) for number, (_, changes) in enumerate(ways) for name, unit in changes.items()
    ]
    worth, masks = around.scales.many([unit for *_, unit in flat])
    after: list[dict[str, tuple[float, int]]] = [{} for _ in ways]
    for (number, name, _), value, mask in zip(flat, worth, masks, strict=True):
        after[number][name] = float(value), int(mask)
    repairs = []
    for (edit, _), now in zip(ways, after, strict=True):
        gain = sum(value for value, _ in now.values()) - sum(
            before[name][0] for name in now if name in before
        )
        looked_at = sorted({*around.touched, *now})
        was = {pair for name in looked_at if name in before for pair in _rules(name, before[name][1])}
        left = {pair for name in looked_at for pair in _rules(name, now.get(name, before.get(name, (0.0, 0)))[1])}  # fmt: skip
        repairs.append(
            Repair(
                edit,
                value_m2 + gain,
                gain,
                tuple(sorted(was - left)),
                tuple(sorted(was & left)),
                tuple(sorted(left - was)),
            )
        )
    return repairs


def _singles(around: Around) -> Iterator[Edit]:
    """Yield what can be done with one parcel, one piece or one neighbour of the units that were touched."""
    for name in around.touched:
        if name in around.division.units and name not in around.division.locked:
            yield from _comings(around, name)
            yield from _goings(around, name)
            yield from _pieces(around, name)
            yield from _fillings(around, name)
            yield from _mergings(around, name)


def _comings(around: Around, name: str) -> Iterator[Edit]:
    for at in _beside(around, around.division.units[name]):
        if _may_come(around, at):
            yield Edit("move", (around.code(at),), (name,))


def _goings(around: Around, name: str) -> Iterator[Edit]:
    """Yield every member as going out, and those at the border as going to the unit across."""
    division, g = around.division, around.problem.ground
    unit = division.units[name]
    for at in map(int, unit):
        if at in division.inside or len(unit) == 1:
            continue
        yield Edit("move", (around.code(at),))
        others = {
            division.unit_of[other] for other in g.neighbour[g.start[at] : g.start[at + 1]].tolist()
        } - {None, name}
        for other in sorted(others - division.locked):
            yield Edit("move", (around.code(at),), (other,))


def _pieces(around: Around, name: str) -> Iterator[Edit]:
    """Yield what can be done with pieces that hang apart: out, a unit of their own, or to a unit beside them."""
    division = around.division
    for piece in around.scales.pieces(division.units[name])[1:]:
        codes = tuple(map(around.code, piece))
        if len(piece) > _MOST_LOOSE or not division.inside.isdisjoint(map(int, piece)):
            continue
        if len(piece) > 1:
            yield Edit("move", codes)
        yield Edit("split", codes, (name,))
        for other in _units_beside(around, piece, name):
            yield Edit("move", codes, (other,))


def _fillings(around: Around, name: str) -> Iterator[Edit]:
    """Yield what a unit encloses, where it may all come."""
    for hole, _ in around.scales.holes(around.division.units[name]):
        if len(hole) > 1 and all(_may_come(around, int(at)) for at in hole):
            yield Edit("move", tuple(map(around.code, hole)), (name,))


def _mergings(around: Around, name: str) -> Iterator[Edit]:
    for other in _units_beside(around, around.division.units[name], name):
        yield Edit("merge", units=(min(name, other), max(name, other)))


def _exchanges(
    around: Around, singles: Sequence[tuple[Edit, Mapping[str, Ints]]], judged: Sequence[Repair]
) -> Iterator[Edit]:
    """Yield exchanges of the best parcels that might come to a unit for the best that might go."""
    division = around.division
    for name in around.touched:
        mine = [
            (repair, edit)
            for (edit, changes), repair in zip(singles, judged, strict=True)
            if edit.kind == "move" and len(edit.parcels) == 1 and name in changes
        ]
        mine.sort(key=lambda pair: rank(pair[0]))
        come = [edit.parcels[0] for _, edit in mine if edit.units == (name,)][:_EXCHANGED]
        go = [edit.parcels[0] for _, edit in mine if not edit.units][:_EXCHANGED]
        for leaving in go:
            for coming in come:
                held = division.unit_of[around.place[coming]]
                if held != name and division.unit_of[around.place[leaving]] == name:
                    yield Edit("swap", (leaving,), others=(coming,))


def _beside(around: Around, unit: Ints) -> list[int]:
    """Return the parcels beside a set of parcels, by code."""
    g = around.problem.ground
    near = np.unique(np.concatenate([g.neighbour[g.start[at] : g.start[at + 1]] for at in unit]))
    return [int(at) for at in near[~np.isin(near, unit)]]


def _may_come(around: Around, at: int) -> bool:
    """Tell whether a parcel may be proposed for another unit."""
    division = around.division
    held = division.unit_of[at]
    alone = held is not None and len(division.units[held]) == 1
    return bool(
        around.problem.free[at] and at not in division.out and held not in division.locked and not alone
    )


def _units_beside(around: Around, parcels: Ints, name: str) -> list[str]:
    """Return the units beside some parcels that are not locked, but the one named."""
    held = {around.division.unit_of[at] for at in _beside(around, parcels)}
    return sorted({str(other) for other in held if other is not None} - {name} - around.division.locked)
