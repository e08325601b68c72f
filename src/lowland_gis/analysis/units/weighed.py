"""What units are worth term by term and every rule that they break, from their own parcels and those beside them alone.

An edit asks this of one or two units among thousands. The evaluator (`judge`), which shares nothing with it, says the same of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.analysis.compiled import borrowing, compiled
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.ground import HECTARE_M2, MIXINGS, RELATIVE_TOLERANCE, Ground, Problem
from lowland_gis.analysis.units.value import (
    FAR,
    Desk,
    desk_of,
    encloses,
    neck_of,
    next_stamp,
    reached,
    value_and_rule,
)

# Rules that a set of parcels can break, in the order of their bits.
RULES = (
    "min_ha",
    "max_ha",
    "min_low_share",
    "min_public_share",
    "min_compactness",
    "min_neck_m",
    "contiguous",
    "one_block",
    "max_enclosed_share",
    "not_allowed",
)
(_SMALL, _LARGE, _FEW_LOW, _FEW_PUBLIC, _RAGGED, _NARROW, _APART, _BLOCKS, _ENCLOSES, _BARRED) = (
    1 << bit for bit in range(10)
)


@dataclass(frozen=True)
class Breach:
    """A rule that a unit breaks: what it has, what the limit is, which parcels it is about, in words."""

    unit_id: str
    rule: str
    value: float
    limit: float
    parcels: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Weighed:
    """One unit: its size, the terms of its value (costs negative, m²), and the rules that it breaks; `neck_m` is None where it has none."""

    n_parcels: int
    area_m2: float
    low_share: float
    public_share: float
    outline_m: float
    compactness: float
    neck_m: float | None
    terms: Mapping[str, float]
    breaches: tuple[Breach, ...]

    @property
    def value_m2(self) -> float:
        """Return what the unit is worth."""
        return sum(self.terms.values())


class Scales:
    """Weighs units of one ground; holds scratch space, so one thread uses it at a time."""

    def __init__(self, problem: Problem) -> None:
        """Take the ground."""
        self.problem = problem
        self._ground = problem.ground
        self._desk = desk_of(problem.ground)
        self._kept = _keeping_gain(problem)
        used = [
            (name, getattr(problem.weights, name))
            for column, name, _ in MIXINGS
            if column in problem.parcels.columns
        ]
        self._mixings = [f"{name}_cost" for name, weight in used if weight > 0]
        columns = problem.parcels.columns
        self._unknown = problem.parcels["unknown"].to_numpy(dtype=object) if "unknown" in columns else None
        self._town = problem.parcels["town"].to_numpy(dtype=object) if "town" in columns else None

    def many(self, sets: Sequence[Ints]) -> tuple[Floats, Ints]:
        """Return the values of sets of parcels (m²; 0 where one is empty), and the rules that each breaks as bits of `RULES`."""
        starts = np.zeros(len(sets) + 1, dtype=np.int64)
        np.cumsum([len(each) for each in sets], out=starts[1:])
        flat = np.concatenate([*sets, np.empty(0, dtype=np.int64)])
        values, masks = np.zeros(len(sets)), np.zeros(len(sets), dtype=np.int64)
        weigh_sets(
            self._ground, self._desk, self.problem.cell, self.problem.component, starts, flat, values, masks
        )
        return values, masks

    def weigh(self, name: str, unit: Ints) -> Weighed:
        """Return all that can be said of a unit (sorted positions, one at least)."""
        g, weights = self._ground, self.problem.weights
        area, low, public = (float(each[unit].sum()) for each in (g.area, g.low, g.public))
        outline = float(g.outline[unit].sum()) - self._inner(unit)
        terms = {
            "gathered_m2": low,
            "other_land_cost": -weights.other_land * (area - low),
            "outline_cost": -weights.outline * outline,
            **dict.fromkeys((f"{name}_cost" for _, name, _ in MIXINGS), 0.0),
            "unit_cost": -weights.unit,
            "neck_cost": 0.0,
            "kept_value": 0.0,
        }
        neck = float(neck_of(g, self._desk, unit))
        terms["neck_cost"] = -weights.neck * max(0.0, self.problem.limits.neck_wide_m - neck)
        mixed = [
            _mixing(kind, base, need, unit) for kind, base, need in zip(g.codes, g.bases, g.need, strict=True)
        ]
        for term, price, land in zip(self._mixings, g.mixing, mixed, strict=False):
            terms[term] = -float(price) * land
        if self._kept is not None:
            terms["kept_value"] = float(self._kept[unit].sum()) - float(g.mixing[-1]) * mixed[-1]
        weighed = Weighed(
            len(unit),
            area,
            low / area,
            public / area,
            outline,
            float(4 * np.pi * area / outline**2) if outline > 0 else float("inf"),
            neck if neck < FAR else None,
            terms,
            (),
        )
        return Weighed(**{**vars(weighed), "breaches": self._breaches(name, unit, weighed)})

    def _inner(self, unit: Ints) -> float:
        """Return twice the facing lengths between members."""
        g = self._ground
        way, owner = _ways(g, unit)
        inside = np.isin(g.neighbour[way], unit)
        return float(g.facing[way][inside].sum()) if len(owner) else 0.0

    def _breaches(self, name: str, unit: Ints, weighed: Weighed) -> tuple[Breach, ...]:
        mask = int(self.many([unit])[1][0])
        limits = self.problem.limits
        measured = {
            "min_ha": (weighed.area_m2, limits.min_ha * HECTARE_M2, "is smaller than the least area"),
            "max_ha": (weighed.area_m2, limits.max_ha * HECTARE_M2, "is larger than the greatest area"),
            "min_low_share": (weighed.low_share, limits.min_low_share, "has too little low-efficiency land"),
            "min_public_share": (weighed.public_share, limits.min_public_share, "has too little public-benefit land"),
            "min_compactness": (weighed.compactness, limits.min_compactness, "is too ragged"),
            "min_neck_m": (weighed.neck_m or 0.0, limits.min_neck_m, "hangs together by too narrow a neck"),
        }  # fmt: skip
        found: list[Breach] = []
        for bit, rule in enumerate(RULES):
            if mask >> bit & 1 and rule in measured:
                value, limit, text = measured[rule]
                message = f"{text}: {value:,.4g} against {limit:,.4g}"
                found.append(Breach(name, rule, value, limit, (), message))
        if mask & _BLOCKS:
            found.append(self._blocks(name, unit))
        if mask & _APART:
            found.append(self._apart(name, unit))
        if mask & _ENCLOSES:
            found += self._holes(name, unit)
        return (*found, *self._doubts(name, unit, mask))

    def _blocks(self, name: str, unit: Ints) -> Breach:
        cells, times = np.unique(self.problem.cell[unit], return_counts=True)
        away = self._codes(unit[self.problem.cell[unit] != cells[np.argmax(times)]])
        words = f"lies in several blocks ({', '.join(map(str, cells))}): barriers divide it"
        return Breach(name, "one_block", float(len(cells)), 1.0, away, words)

    def _apart(self, name: str, unit: Ints) -> Breach:
        pieces = self.pieces(unit)
        loose = np.sort(np.concatenate(pieces[1:]))
        words = f"falls into {len(pieces)} pieces that do not touch"
        return Breach(name, "contiguous", float(len(pieces)), 1.0, self._codes(loose), words)

    def pieces(self, unit: Ints) -> list[Ints]:
        """Return the parts of a unit that hang together, the one with most parcels first; of equal ones that of the lowest code."""
        inside, found = set(map(int, unit)), []
        for origin in map(int, unit):
            if origin in inside:
                inside.discard(origin)
                found.append(self._spread(origin, inside))
        return sorted(found, key=lambda piece: (-len(piece), int(piece[0])))

    def _spread(self, origin: int, inside: set[int]) -> Ints:
        """Take all that hangs together with a parcel out of a set, and return it sorted."""
        g, piece = self._ground, [origin]
        for node in piece:
            for other in g.neighbour[g.start[node] : g.start[node + 1]].tolist():
                if other in inside:
                    inside.discard(other)
                    piece.append(other)
        return np.sort(np.array(piece, dtype=np.int64))

    def holes(self, unit: Ints) -> list[tuple[Ints, float]]:
        """Return the groups of parcels that a unit encloses, each with the share of its outline that lies on the unit."""
        g, inside = self._ground, set(map(int, unit))
        most = float(g.area[unit].sum()) * (1 + RELATIVE_TOLERANCE)
        share = self.problem.limits.max_enclosed_share * (1 + RELATIVE_TOLERANCE)
        found, seen = [], set[int]()
        beside = np.unique(g.neighbour[_ways(g, unit)[0]])
        for origin in map(int, beside[~np.isin(beside, unit)]):
            if origin in seen:
                continue
            group = self._group(origin, inside, most)
            seen |= group
            nodes = np.sort(np.array(list(group), dtype=np.int64))
            if float(g.area[nodes].sum()) > most:
                continue
            way = _ways(g, nodes)[0]
            touching = float(g.facing[way][np.isin(g.neighbour[way], unit)].sum())
            outline = float(g.outline[nodes].sum()) - self._inner(nodes)
            if outline > 0 and touching > share * outline:
                found.append((nodes, touching / outline))
        return found

    def _group(self, origin: int, inside: set[int], most: float) -> set[int]:
        """Return the parcels that hang together outside a unit, as far as they have no more land than `most`."""
        g, group, waiting, area = self._ground, {origin}, [origin], 0.0
        while waiting and area <= most:
            node = waiting.pop()
            area += float(g.area[node])
            for other in g.neighbour[g.start[node] : g.start[node + 1]].tolist():
                if other not in inside and other not in group:
                    group.add(other)
                    waiting.append(other)
        return group

    def _holes(self, name: str, unit: Ints) -> list[Breach]:
        limit = self.problem.limits.max_enclosed_share
        return [
            Breach(name, "max_enclosed_share", share, limit, self._codes(hole), "encloses parcels that are not in it")
            for hole, share in self.holes(unit)
        ]  # fmt: skip

    def _doubts(self, name: str, unit: Ints, mask: int) -> list[Breach]:
        """Return what is said of the parcels of a unit one by one: they may be in none, or it is not known, or they are of several towns."""
        found = []
        if mask & _BARRED:
            why = self.problem.reason[unit]
            for reason in sorted({str(text) for text in why if text is not None}):
                part = unit[why == reason]
                words = f"parcels that may be in no unit: {reason}"
                found.append(Breach(name, "not_allowed", float(len(part)), 0.0, self._codes(part), words))
        if self._unknown is not None:
            doubts = self._unknown[unit]
            for doubt in sorted({str(text) for text in doubts if not pd.isna(text)}):
                part = unit[doubts == doubt]
                words = f"it is not known {doubt}"
                found.append(
                    Breach(name, "protection_unknown", float(len(part)), 0.0, self._codes(part), words)
                )
        if self._town is not None:
            towns = sorted({str(town) for town in self._town[unit] if not pd.isna(town)})
            if len(towns) > 1:
                words = f"lies in {len(towns)} towns ({', '.join(towns)})"
                found.append(Breach(name, "across_towns", float(len(towns)), 1.0, (), words))
        return found

    def _codes(self, nodes: Ints) -> tuple[str, ...]:
        return tuple(map(str, self.problem.ids[nodes]))


def _ways(g: Ground, nodes: Ints) -> tuple[Ints, Ints]:
    """Return the places of all links of some parcels in the list of neighbours, and which parcel each is of."""
    begin, count = g.start[nodes], g.start[nodes + 1] - g.start[nodes]
    first = np.repeat(begin - (np.cumsum(count) - count), count)
    return np.arange(int(count.sum())) + first, np.repeat(nodes, count)


def _mixing(codes: Ints, base: Floats, need: Floats, unit: Ints) -> float:
    """Return the land of a unit that is not of its main code; a code is one where there is more than `need` of it."""
    sums = np.bincount(codes[unit], weights=base[unit], minlength=1)
    main = np.where(sums > need[: len(sums)], sums, 0.0)
    return float(sums.sum() - main.max(initial=0.0))


def _keeping_gain(problem: Problem) -> Floats | None:
    """Return what each parcel brings or costs because of earlier units, None where they have no price."""
    if problem.before is None:
        return None
    g, weights = problem.ground, problem.weights
    gain: npt.NDArray[np.float64] = g.gain - (
        g.low - weights.other_land * (g.area - g.low) - weights.outline * g.outline
    )
    return gain


@compiled
def weigh_sets(
    g: Ground,
    desk: Desk,
    cell: Ints,
    component: Ints,
    starts: Ints,
    flat: Ints,
    values: Floats,
    masks: Ints,
) -> None:
    """Write the value of every set of parcels, and the rules that it breaks as bits of `RULES`."""
    for at in range(len(starts) - 1):
        members = flat[starts[at] : starts[at + 1]]
        if len(members) > 0:
            values[at] = value_and_rule(g, desk, members)[0]
            masks[at] = _broken(g, desk, cell, component, members)


@borrowing
def _broken(g: Ground, desk: Desk, cell: Ints, component: Ints, members: Ints) -> int:
    """Return every rule that a set of parcels breaks, as bits."""
    stamp = next_stamp(desk)
    area, low, public, outline, mask = 0.0, 0.0, 0.0, 0.0, 0
    for node in members:
        desk.inside[node] = stamp
        area += g.area[node]
        low += g.low[node]
        public += g.public[node]
        outline += g.outline[node]
        if cell[node] != cell[members[0]]:
            mask |= _BLOCKS
        if component[node] < 0:
            mask |= _BARRED
    for node in members:
        for at in range(g.start[node], g.start[node + 1]):
            if desk.inside[g.neighbour[at]] == stamp:
                outline -= g.facing[at]
    if area < g.least:
        mask |= _SMALL
    if area > g.most:
        mask |= _LARGE
    if low < g.low_share * area:
        mask |= _FEW_LOW
    if public < g.public_share * area:
        mask |= _FEW_PUBLIC
    if 4.0 * np.pi * area < g.compactness * outline * outline:
        mask |= _RAGGED
    if reached(g, desk, members[0], -1, stamp) < len(members):
        mask |= _APART
    if encloses(g, desk, members, stamp, area) >= 0:
        mask |= _ENCLOSES
    if g.neck_least > 0.0 and neck_of(g, desk, members) < g.neck_least:
        mask |= _NARROW
    return mask
