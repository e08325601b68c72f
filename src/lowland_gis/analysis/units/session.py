"""Edit a division one thing at a time; every edit is answered from the units that it touches and those beside them.

The answer says what the edit costs by the terms of the value, every rule that the touched units break now, and the three best repairs. Nothing
of the whole district is searched or judged again, so it comes at once. The evaluator (`judge`) says the same of the whole division.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lowland_gis.analysis.units.draw import Draft, describe
from lowland_gis.analysis.units.edit import Division, Edit, Said, said, units_of
from lowland_gis.analysis.units.edit_faults import edit_faults
from lowland_gis.analysis.units.facing import Ints
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.links import HandLink, with_links
from lowland_gis.analysis.units.redrawn import Redrawing
from lowland_gis.analysis.units.repairs import Around, Repair, best_repairs, betters, rank
from lowland_gis.analysis.units.search import Effort
from lowland_gis.analysis.units.weighed import Breach, Scales, Weighed

# Drawing a unit again is proposed where no more parcels than this are free for it: a search of more takes too long to be an answer.
_MOST_OPEN = 64
_REPAIRS = 3
# After these edits parcels are where the planner wants them.
_PUT_WHERE = ("move", "swap", "forbid", "force")


@dataclass(frozen=True)
class UnitChange:
    """A unit that an edit touched: its parcels and value before and after, None where it was or is not there."""

    unit_id: str
    parcels_before: int
    parcels_after: int
    value_before_m2: float | None
    value_after_m2: float | None


@dataclass(frozen=True)
class Answer:
    """What an edit does.

    `terms`: how much each term of the value changes, m² (they add up to `gain_m2`); `broken`: every rule that the touched units break now;
    `settled`: rules of theirs (unit, rule) that were broken before and are kept now; `repairs`: the best further edits, best first;
    `notes`: what else has to be known. `value_m2` is the value of the whole draft now.
    """

    edit: Edit
    value_m2: float
    gain_m2: float
    terms: Mapping[str, float]
    units: tuple[UnitChange, ...]
    broken: tuple[Breach, ...]
    settled: tuple[tuple[str, str], ...]
    repairs: tuple[Repair, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Point:
    """A division that can be gone back to: its ground (with links by hand), what its units are, and what it is worth."""

    division: Division
    problem: Problem
    weighed: Mapping[str, Weighed]
    value_m2: float


class EditSession:
    """A division of one ground that a planner edits: `say` one edit at a time, `undo` and `redo`.

    An edit that cannot be is refused with all its faults, and nothing has changed then. The same edits give the same answers.
    """

    def __init__(
        self,
        problem: Problem,
        cells: gpd.GeoDataFrame,
        members: pd.DataFrame,
        effort: Effort | None = None,
        *,
        said_before: Said | None = None,
        frozen: Mapping[str, str] | None = None,
    ) -> None:
        """Take a membership table (parcel_id, unit_id) on the ground of the rule, without links by hand, and read it once.

        `said_before` is what earlier edits said of it, links by hand among it; `frozen` is the number of the frozen unit that each parcel is in, where it is in one.
        """
        self._rule = problem
        self._cells = cells
        self._effort = effort or Effort()
        self._frozen = frozen or {}
        self._place = {str(code): at for at, code in enumerate(problem.ids)}
        before = said_before or Said()
        linked = with_links(problem, before.links)
        self._scales = Scales(linked)
        self._redrawing = Redrawing(linked, self._scales, self._effort)
        division = Division.of(units_of(problem, members), self._place, before)
        weighed = {name: self._scales.weigh(name, unit) for name, unit in division.units.items()}
        value = sum(each.value_m2 for each in weighed.values())
        self._points = [_Point(division, linked, weighed, value)]
        self._answers: list[Answer] = []
        self._at = 0

    @property
    def problem(self) -> Problem:
        """Return the ground as it is now, links by hand among it: what the evaluator judges the division on."""
        return self._now.problem

    @property
    def division(self) -> Division:
        """Return the units as they are now."""
        return self._now.division

    @property
    def said(self) -> Said:
        """Return what was said beside who is in which unit: what a further session of the same draft has to know."""
        division = self.division
        out, inside = (
            tuple(map(str, self._rule.ids[sorted(each)])) for each in (division.out, division.inside)
        )
        return Said(division.links, out, inside)

    @property
    def value_m2(self) -> float:
        """Return the value of the whole draft as it is now."""
        return self._now.value_m2

    @property
    def broken(self) -> tuple[Breach, ...]:
        """Return every rule that a unit breaks now, by unit."""
        weighed = self._now.weighed
        return tuple(breach for name in sorted(weighed) for breach in weighed[name].breaches)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Return the answers to the edits that hold, in their order."""
        return tuple(self._answers[: self._at])

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Return the edits that hold, in their order."""
        return tuple(answer.edit for answer in self.answers)

    @property
    def members(self) -> pd.DataFrame:
        """Return the membership table as it is now: parcel_id, unit_id (None where in no unit)."""
        columns = {"parcel_id": self._rule.ids, "unit_id": self.division.unit_of}
        return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})

    def say(self, edit: Edit) -> Answer:
        """Do one edit and return its answer.

        Raises:
            ValueError: it names parcels or units that are not there, or cannot be; all faults together, and nothing has changed.
        """
        now = self._now
        faults = edit_faults(now.division, now.problem, self._place, self._cells, edit)
        if faults:
            raise ValueError("; ".join(faults))
        try:
            after = self._after(now, edit)
        except ValueError:
            self._stand_on(now.problem)
            raise
        touched = self._touched(now, after, edit)
        answer = self._answer(now, after, edit, touched)
        del self._points[self._at + 1 :], self._answers[self._at :]
        self._points.append(after)
        self._answers.append(answer)
        self._at += 1
        return answer

    def undo(self) -> Edit | None:
        """Take the last edit back and return it, None where there is none."""
        if self._at == 0:
            return None
        self._at -= 1
        self._stand_on(self._now.problem)
        return self._answers[self._at].edit

    def redo(self) -> Answer | None:
        """Do the edit that was taken back last again and return its answer, None where there is none."""
        if self._at == len(self._answers):
            return None
        self._at += 1
        self._stand_on(self._now.problem)
        return self._answers[self._at - 1]

    def draft(self, bound_m2: float) -> Draft:
        """Return the whole draft as it is now, judged by the evaluator, with outlines and reasons; this takes its time."""
        units = self.division.units
        return describe(self.problem, self._cells, list(units.values()), bound_m2, list(units))

    @property
    def _now(self) -> _Point:
        return self._points[self._at]

    def _stand_on(self, problem: Problem) -> None:
        """Weigh and draw on another ground from now on."""
        if problem is not self._scales.problem:
            self._scales = Scales(problem)
            self._redrawing = Redrawing(problem, self._scales, self._effort)

    def _after(self, now: _Point, edit: Edit) -> _Point:
        """Return what an edit makes of a division."""
        division = self._noted(now.division, edit)
        problem = now.problem
        if division.links != now.division.links:
            problem = with_links(self._rule, division.links)
            self._stand_on(problem)
        changed = self._changes(division, edit)
        units = division.with_units(changed) if changed else division
        weighed = dict(now.weighed)
        for name in self._to_weigh(units, changed, edit, linked=problem is not now.problem):
            weighed.pop(name, None)
            if name in units.units:
                weighed[name] = self._scales.weigh(name, units.units[name])
        gain = sum(
            (weighed[name].value_m2 if name in weighed else 0.0)
            - (now.weighed[name].value_m2 if name in now.weighed else 0.0)
            for name in sorted({*weighed, *now.weighed})
            if weighed.get(name) is not now.weighed.get(name)
        )
        return _Point(units, problem, weighed, now.value_m2 + gain)

    def _changes(self, division: Division, edit: Edit) -> dict[str, Ints]:
        if edit.kind == "mend":
            return self._redrawing.mended(division, edit.units)
        if edit.kind == "redraw":
            return self._redrawing.redrawn(division, edit, self._place)
        given = [self._place[code] for code in edit.parcels]
        if edit.kind == "force":
            return self._redrawing.forced(division, given, self._rule.cell)
        return said(division, self._place, self._rule.cell, edit)

    def _noted(self, division: Division, edit: Edit) -> Division:
        """Return a division with what an edit says beside moving parcels: what is locked, kept out or in, and linked."""
        given = {self._place[code] for code in (*edit.parcels, *edit.others)}
        out, inside = division.out, division.inside
        if edit.kind == "forbid" or (edit.kind == "move" and not edit.units):
            out, inside = out | given, inside - given
        elif edit.kind == "force":
            out, inside = out - given, inside | given
        elif edit.kind in {"move", "new", "swap"}:
            out = out - given
        locked = division.locked
        if edit.kind == "lock":
            locked = locked | set(edit.units)
        elif edit.kind == "unlock":
            locked = locked - set(edit.units)
        links = (
            _linked(division.links, self._rule, self._place, edit)
            if edit.kind in {"link", "unlink"}
            else division.links
        )
        return replace(division, out=out, inside=inside, locked=locked, links=links)

    def _to_weigh(
        self, division: Division, changed: Mapping[str, Ints], edit: Edit, *, linked: bool
    ) -> set[str]:
        """Return the units that an edit makes others; a link may also open or close a ring around what is beside it."""
        names = set(changed)
        if linked:
            ends = [self._place[code] for code in (*edit.parcels, *edit.others)]
            cell = self._rule.cell[ends[0]]
            names |= {
                str(name) for name in division.unit_of[self._rule.cell == cell] if name is not None
            } & set(division.units)
        return names

    def _touched(self, before: _Point, after: _Point, edit: Edit) -> tuple[str, ...]:
        """Return the units that an edit is about: those that changed, and those that it names."""
        names = {
            name
            for name in {*before.weighed, *after.weighed}
            if before.weighed.get(name) is not after.weighed.get(name)
            and before.weighed.get(name) != after.weighed.get(name)
        }
        codes = (*edit.parcels, *edit.others)
        names |= {str(held) for held in (after.division.unit_of[self._place[code]] for code in codes) if held}
        names |= set(edit.units)
        return tuple(sorted(names))

    def _answer(self, before: _Point, after: _Point, edit: Edit, touched: tuple[str, ...]) -> Answer:
        changes, terms = [], dict[str, float]()
        for name in touched:
            old, new = before.weighed.get(name), after.weighed.get(name)
            changes.append(
                UnitChange(
                    name,
                    old.n_parcels if old else 0,
                    new.n_parcels if new else 0,
                    old.value_m2 if old else None,
                    new.value_m2 if new else None,
                )
            )
            for sign, weighed in ((-1.0, old), (1.0, new)):
                for term, amount in (weighed.terms if weighed else {}).items():
                    terms[term] = terms.get(term, 0.0) + sign * amount
        was = _rules(before, touched)
        broken = tuple(
            breach for name in touched if name in after.weighed for breach in after.weighed[name].breaches
        )
        is_now = _rules(after, touched)
        repairs = self._repairs(before, after, edit, touched, (was, is_now))
        return Answer(
            edit,
            after.value_m2,
            after.value_m2 - before.value_m2,
            terms,
            tuple(changes),
            broken,
            tuple(sorted(was - is_now)),
            repairs,
            (*_distance(after.problem, self._place, edit), *self._notes(before, after)),
        )

    def _repairs(
        self,
        before: _Point,
        after: _Point,
        edit: Edit,
        touched: tuple[str, ...],
        rules: tuple[set[tuple[str, str]], set[tuple[str, str]]],
    ) -> tuple[Repair, ...]:
        """Return the best repairs, taking the edit back among them; `rules` are those that were and are broken."""
        codes = (*edit.parcels, *edit.others) if edit.kind in _PUT_WHERE else ()
        said_ = frozenset(self._place[code] for code in codes)
        around = Around(
            before.division, after.division, touched, said_, after.problem, self._scales, self._place
        )
        found = best_repairs(around, self._redraws(after, touched), after.value_m2, most=_REPAIRS)
        was, now = rules
        back = (tuple(sorted(part)) for part in (now - was, now & was, was - now))
        undone = Repair(None, before.value_m2, before.value_m2 - after.value_m2, *back)
        return tuple(sorted([*found, undone] if betters(undone) else found, key=rank)[:_REPAIRS])

    def _redraws(self, after: _Point, touched: Iterable[str]) -> list[tuple[Edit, dict[str, Ints]]]:
        """Return what drawing touched units again would change, where little is free for it."""
        drawn = []
        for name in touched:
            unit = after.division.units.get(name)
            if unit is None or name in after.division.locked or self._open_parcels(after, unit) > _MOST_OPEN:
                continue
            try:
                changes = self._redrawing.mended(after.division, [name])
            except ValueError:  # a parcel that must be in a unit would be in none
                continue
            if changes:
                drawn.append((Edit("mend", units=(name,)), changes))
        return drawn

    def _open_parcels(self, after: _Point, unit: Ints) -> int:
        problem, count = after.problem, len(unit)
        for component in np.unique(problem.component[unit]):
            if component >= 0:
                held = after.division.unit_of[problem.of_component(int(component))]
                count += sum(name is None for name in held)
        return count

    def _notes(self, before: _Point, after: _Point) -> tuple[str, ...]:
        """Say which frozen units have parcels that changed their unit: they stay as they are in the registry."""
        moved = np.flatnonzero(before.division.unit_of != after.division.unit_of)
        codes = (str(self._rule.ids[at]) for at in moved)
        numbers = sorted({self._frozen[code] for code in codes if code in self._frozen})
        return tuple(
            f"{number} is frozen: it stays as it is until a unit that is frozen takes its place" for number in numbers
        )  # fmt: skip


def _distance(problem: Problem, place: Mapping[str, int], edit: Edit) -> tuple[str, ...]:
    """Say how far two parcels that are linked by hand are apart: nothing limits it but what lies between."""
    if edit.kind != "link":
        return ()
    one, other = (problem.parcels.geometry.iloc[place[code]] for code in (edit.parcels[0], edit.others[0]))
    return (f"{edit.parcels[0]} and {edit.others[0]} are {shapely.distance(one, other):,.1f} m apart",)


def _linked(
    links: tuple[HandLink, ...], rule: Problem, place: Mapping[str, int], edit: Edit
) -> tuple[HandLink, ...]:
    """Return links by hand with one more; what only takes an earlier one back is none."""
    joined = edit.kind == "link"
    link = HandLink.of(
        (edit.parcels[0], edit.others[0]), joined=joined, reason=edit.reason, said_by=edit.said_by
    )
    rest = tuple(each for each in links if each.pair != link.pair)
    first, second = (place[code] for code in link.pair)
    ground = rule.ground
    by_rule = bool((ground.neighbour[ground.start[first] : ground.start[first + 1]] == second).any())
    return rest if by_rule == joined else (*rest, link)


def _rules(point: _Point, names: Iterable[str]) -> set[tuple[str, str]]:
    """Return the broken rules of some units: unit and rule."""
    return {
        (name, breach.rule)
        for name in names
        if name in point.weighed
        for breach in point.weighed[name].breaches
    }
