"""Draw a part of a division again around what stays: what an edit asks of the search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from lowland_gis.analysis.units.edit import Division, Edit, said
from lowland_gis.analysis.units.facing import Ints
from lowland_gis.analysis.units.ground import Problem
from lowland_gis.analysis.units.search import Bench, Effort, Wishes, bench_of, solve_component
from lowland_gis.analysis.units.weighed import Scales


class Redrawing:
    """Draws components of one ground again; holds scratch space, so one thread uses it at a time."""

    def __init__(self, problem: Problem, scales: Scales, effort: Effort) -> None:
        """Take the ground and how long to search."""
        self._problem = problem
        self._scales = scales
        self._effort = effort
        self._bench: Bench = bench_of(problem)

    def mended(self, division: Division, names: Iterable[str]) -> dict[str, Ints]:
        """Return what changes when units are drawn again on what they hold and on what no unit holds; all others stay."""
        again = sorted(name for name in names if name in division.units)
        return self._drawn(division, self._components(division, again), again)

    def redrawn(self, division: Division, edit: Edit, place: Mapping[str, int]) -> dict[str, Ints]:
        """Return what changes when the components of units and parcels are drawn anew around what is locked."""
        component = self._problem.component
        opened = {int(component[place[code]]) for code in edit.parcels}
        opened |= set(self._components(division, edit.units))
        numbers = sorted(opened - {-1})
        again = sorted({name for number in numbers for name in self._open(division, number)})
        # A unit that was put together by hand may lie in other components too.
        return self._drawn(division, sorted({*numbers, *self._components(division, again)}), again)

    def forced(self, division: Division, places: list[int], cell: Ints) -> dict[str, Ints]:
        """Return what changes so that parcels are in a unit: each joins the best one beside it, or its component is drawn anew.

        Raises:
            ValueError: no unit that keeps the rules holds one of them.
        """
        changed: dict[str, Ints] = {}
        for at in places:
            now = division.with_units(changed)
            if now.unit_of[at] is None:
                changed |= self._joined(now, at, cell) or self._around(now, at)
        return changed

    def _joined(self, division: Division, at: int, cell: Ints) -> dict[str, Ints] | None:
        """Return the unit beside a parcel that gains most by it and keeps every rule, None where there is none."""
        ground = self._problem.ground
        beside = division.unit_of[ground.neighbour[ground.start[at] : ground.start[at + 1]]]
        names = sorted({str(name) for name in beside if name is not None} - division.locked)
        code = str(self._problem.ids[at])
        ways = [said(division, {code: at}, cell, Edit("move", (code,), (name,))) for name in names]
        before, _ = self._scales.many([division.units[name] for name in names])
        after, masks = self._scales.many([way[name] for way, name in zip(ways, names, strict=True)])
        kept = [number for number, mask in enumerate(masks) if mask == 0]
        if not kept:
            return None
        return ways[max(kept, key=lambda number: (after[number] - before[number], -number))]

    def _around(self, division: Division, at: int) -> dict[str, Ints]:
        """Return what changes when land around a parcel is drawn anew so that it is in a unit: as few units as will do are given up."""
        component, ground = int(self._problem.component[at]), self._problem.ground
        every = self._open(division, component)
        beside = set(division.unit_of[ground.neighbour[ground.start[at] : ground.start[at + 1]]])
        for again in ([], [name for name in every if name in beside]):
            try:
                return self._drawn(division, [component], again, at)
            except ValueError:  # not on so little land
                continue
        return self._drawn(division, [component], every, at)

    def _open(self, division: Division, component: int) -> list[str]:
        """Return the units of a component that are not locked."""
        inside = division.unit_of[self._problem.of_component(component)]
        return sorted({str(name) for name in inside if name is not None} - division.locked)

    def _components(self, division: Division, names: Iterable[str]) -> list[int]:
        found = {int(number) for name in names for number in self._problem.component[division.units[name]]}
        return sorted(found - {-1})

    def _drawn(
        self, division: Division, components: list[int], again: list[str], forced: int | None = None
    ) -> dict[str, Ints]:
        """Return what changes when some units are given up and their land, with what is left over in some components, is drawn anew."""
        problem = self._problem
        stays = np.array([name is not None and name not in again for name in division.unit_of], dtype=bool)
        stays[list(division.out)] = True
        inside = division.inside | (set() if forced is None else {forced})
        must = np.zeros(len(stays), dtype=bool)
        must[list(inside)] = True
        drawn: list[Ints] = []
        for component in components:
            wishes = Wishes(stays, must & ~stays)
            found = list(solve_component(problem, component, self._effort, wishes, self._bench).units)
            held = np.concatenate([*found, np.empty(0, dtype=np.int64)])
            missed = [
                at for at in inside if problem.component[at] == component and not stays[at] and at not in held
            ]
            if missed:
                codes = ", ".join(map(str, problem.ids[sorted(missed)]))
                raise ValueError(f"force: no unit that keeps the rules holds {codes}")
            drawn += found
        return _renamed(division, again, drawn)


def _renamed(division: Division, again: list[str], drawn: list[Ints]) -> dict[str, Ints]:
    """Give drawn units the names of those that they share most parcels with; others get new numbers; names that nothing has are gone."""
    old = {name: division.units[name] for name in again}
    changed = {name: unit[:0] for name, unit in old.items()}
    rest = []
    for unit in sorted(drawn, key=lambda unit: (-len(unit), int(unit[0]))):
        shared = {name: len(np.intersect1d(unit, members)) for name, members in old.items()}
        best = max(sorted(shared), key=lambda name: shared[name], default=None)
        if best is not None and shared[best]:
            changed[best] = unit
            del old[best]
        else:
            rest.append(unit)
    near = again[0] if again else None
    now = division.with_units(changed)
    for unit in rest:
        name = now.new_name(near)
        changed[name] = unit
        now = now.with_units({name: unit})
    return {
        name: unit
        for name, unit in changed.items()
        if not np.array_equal(unit, division.units.get(name, unit[:0]))
    }
