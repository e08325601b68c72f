"""Draw redevelopment units: search them, prove how good they are, and say of each unit and parcel why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.units.bound import bounded
from lowland_gis.analysis.units.facing import Ints
from lowland_gis.analysis.units.ground import Limits, Problem, Weights, build_problem
from lowland_gis.analysis.units.heirs import heirs
from lowland_gis.analysis.units.judge import Judgement, judge, set_aside, undrawn
from lowland_gis.analysis.units.outline import outlines
from lowland_gis.analysis.units.reasons import why_out, why_so
from lowland_gis.analysis.units.resting import (
    Before,
    Searched,
    component_digests,
    locked_digest,
    outline_digests,
)
from lowland_gis.analysis.units.search import Effort, is_hopeless, no_wishes, solve
from lowland_gis.analysis.units.value import KEPT, desk_of, value_and_rule


@dataclass(frozen=True)
class Draft:
    """A division into units, judged.

    `units`: unit_id, town_code and the columns of `unit_judge.Judgement.units`, limit, alternative, lanes_m2 (what the outline
    holds beside the parcels, m² on the plane), geometry.
    `members`: parcel_id, unit_id (missing where left out) and reason, every parcel once. `findings`: parcels that are set aside,
    outlines that could not be drawn, broken rules, what is not known of the protection of parcels, and units that lie in several towns
    where they may; none else where the search drew it. `bound_m2`: no draft under these limits can be worth more. `searched` is what was found in components, by the digest of
    what it rests on, and `drawn_from` the digest of each unit's outline (None: not drawn as it should be).
    """

    units: gpd.GeoDataFrame
    members: pd.DataFrame
    findings: pd.DataFrame
    value_m2: float
    bound_m2: float
    coverage: float
    searched: Mapping[str, Searched] = field(default_factory=dict)
    drawn_from: tuple[str | None, ...] = ()

    @property
    def gap(self) -> float:
        """Return how far the value may be below the optimum, as a share of the bound."""
        return max(0.0, 1 - self.value_m2 / self.bound_m2) if self.bound_m2 > 0 else 0.0

    def with_findings(self, more: pd.DataFrame) -> Draft:
        """Return the draft with findings about how it was drawn before its own."""
        both = [part for part in (more, self.findings) if len(part)]
        return replace(self, findings=pd.concat(both, ignore_index=True)) if both else self


def draw_units(
    parcels: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    limits: Limits | None = None,
    weights: Weights | None = None,
    effort: Effort | None = None,
) -> Draft:
    """Draw units over parcels.

    For the columns of `parcels` and `cells` see `unit_ground.build_problem`. The same parcels give the same units whatever
    their order and the number of threads.
    """
    return search_units(build_problem(parcels, cells, limits, weights), cells, effort or Effort())


def search_units(
    problem: Problem,
    cells: gpd.GeoDataFrame,
    effort: Effort,
    before: Before | None = None,
    locked: Sequence[Ints] = (),
) -> Draft:
    """Draw units on ground that was built before; what was found `before` of pieces that rest on the same is taken over.

    Units (positions) that are `locked` stay as they are where they keep every rule; the bound is one for drafts that hold them.
    """
    before = before or Before()
    stay = _locked(problem, locked)
    wishes = no_wishes(problem)
    for units_ in stay.values():
        for unit, _ in units_:
            wishes.taken[unit] = True
    digests = component_digests(problem, effort)
    for number, units_ in stay.items():
        members = problem.of_component(number)
        digests[number] = locked_digest(
            digests[number], [np.searchsorted(members, unit) for unit, _ in units_]
        )
    found = {digest: before.searched[digest] for digest in digests if digest in before.searched}
    fresh = [number for number, digest in enumerate(digests) if digest not in found]
    for bound, part in bounded(problem, solve(problem, effort, wishes=wishes, numbers=fresh), effort):
        members, kept_units = problem.of_component(part.component), stay.get(part.component, [])
        every = [*part.units, *(unit for unit, _ in kept_units)]
        places = tuple(tuple(np.searchsorted(members, unit).tolist()) for unit in every)
        found[digests[part.component]] = Searched(places, bound + sum(worth for _, worth in kept_units))
    units = [
        problem.of_component(number)[list(unit)]
        for number, digest in enumerate(digests)
        for unit in found[digest].units
    ]
    bound = float(sum(found[digest].bound_m2 for digest in digests))
    drawn = describe(problem, cells, units, bound, before=before)
    kept = {
        digest: found[digest] for number, digest in enumerate(digests) if not is_hopeless(problem, number)
    }
    return replace(drawn, searched=kept)


def _locked(problem: Problem, locked: Sequence[Ints]) -> dict[int, list[tuple[Ints, float]]]:
    """Return units that are to stay by their component, with their values; those that break a rule now cannot."""
    desk = desk_of(problem.ground)
    stay: dict[int, list[tuple[Ints, float]]] = {}
    for given in locked:
        unit = np.sort(given).astype(np.int64)
        component = np.unique(problem.component[unit])
        if len(component) == 1 and component[0] >= 0:
            value, rule = value_and_rule(problem.ground, desk, unit)
            if rule == KEPT:
                stay.setdefault(int(component[0]), []).append((unit, float(value)))
    return stay


def describe(
    problem: Problem,
    cells: gpd.GeoDataFrame,
    units: list[Ints],
    bound_m2: float,
    names: list[str] | None = None,
    *,
    before: Before | None = None,
) -> Draft:
    """Judge units (positions) and say of each unit and parcel why; units are named by town and place unless named.

    Outlines of units that were drawn `before` of the same are taken over.
    """
    units = [np.sort(unit) for unit in units]
    names = names or _names(problem, cells, units, heirs(problem, units))
    order = np.argsort(np.array(names, dtype=str), kind="stable")
    units, names = [units[at] for at in order], [names[at] for at in order]
    unit_id = np.full(len(problem.cell), None, dtype=object)
    for name, unit in zip(names, units, strict=True):
        unit_id[unit] = name
    members = pd.DataFrame(
        {"parcel_id": problem.ids, "unit_id": unit_id, "reason": why_out(problem, units, names)}
    )
    judged = judge(problem, members)
    drawn, plain, drawn_from = _drawn(problem, cells, units, judged, before or Before())
    findings = [item for item in (set_aside(problem.overlaps), plain, judged.findings) if len(item)]
    low = problem.parcels["low_m2"].to_numpy(dtype=np.float64)
    gathered = low[pd.notna(unit_id)].sum()
    return Draft(
        drawn,
        members,
        pd.concat(findings, ignore_index=True) if findings else judged.findings,
        judged.value_m2,
        max(bound_m2, 0.0),
        float(gathered / low.sum()) if low.sum() > 0 else 0.0,
        drawn_from=drawn_from,
    )


def redescribe(problem: Problem, cells: gpd.GeoDataFrame, members: pd.DataFrame, bound_m2: float) -> Draft:
    """Judge a membership table (parcel_id, unit_id; known parcels, each in one unit) as a draft."""
    inside = members.dropna(subset="unit_id").sort_values("unit_id", kind="stable")
    place = pd.Series(np.arange(len(problem.cell)), index=problem.ids)
    at = place[inside["parcel_id"]].to_numpy(dtype=np.int64)
    groups = inside.reset_index(drop=True).groupby("unit_id", sort=True).indices
    return describe(
        problem, cells, [at[rows] for rows in groups.values()], bound_m2, [str(name) for name in groups]
    )


def _names(problem: Problem, cells: gpd.GeoDataFrame, units: list[Ints], kept: list[str | None]) -> list[str]:
    """Number units by town in the order of their first parcels; the heirs of earlier units are named as these were."""
    towns = _towns(problem, cells, units)
    numbers: dict[str, int] = {}
    names = [name or "" for name in kept]
    taken = {*problem.old_names, *names}
    for at in sorted(range(len(units)), key=lambda at: (towns[at], int(units[at][0]))):
        while not names[at] or (kept[at] is None and names[at] in taken):
            numbers[towns[at]] = numbers.get(towns[at], 0) + 1
            names[at] = f"{towns[at]}-{numbers[towns[at]]:03d}"
    return names


def _towns(problem: Problem, cells: gpd.GeoDataFrame, units: list[Ints]) -> list[str]:
    """Return the town of each unit: that of its block, or, where a block may lie in several, the one that most of its land is in."""
    if "town" in problem.parcels.columns:
        town, area = problem.parcels["town"], problem.ground.area
        sums = [pd.Series(area[unit]).groupby(town.iloc[unit].to_numpy(dtype=object)).sum() for unit in units]
        return [str(each.idxmax()) if len(each) else "" for each in sums]
    codes = cells["town_code"].to_numpy(dtype=object)
    # A hand-drawn unit may begin outside every block; then it has no town.
    return [str(codes[problem.cell[unit[0]]]) if problem.cell[unit[0]] >= 0 else "" for unit in units]


def _drawn(
    problem: Problem, cells: gpd.GeoDataFrame, units: list[Ints], judged: Judgement, before: Before
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, tuple[str | None, ...]]:
    """Return the units with their outlines, findings about outlines that could not be drawn as they should, and what outlines rest on."""
    faces: npt.NDArray[np.object_] = cells.geometry.to_numpy()
    own = np.array([_block(faces, problem.cell[unit]) for unit in units] + [None], dtype=object)[:-1]
    parcels = problem.parcels.geometry.to_numpy()
    digests = outline_digests(parcels, units, own, problem.limits.reach_m)
    shapes = np.array([*map(before.outlines.get, digests), None], dtype=object)[:-1]
    fresh, whole = np.flatnonzero(shapely.is_missing(shapes)), np.ones(len(units), dtype=bool)
    shapes[fresh], whole[fresh] = outlines(
        parcels, [units[at] for at in fresh], own[fresh], problem.limits.reach_m
    )
    ground = shapely.area(parcels)
    table = judged.units.assign(lanes_m2=shapely.area(shapes) - [ground[unit].sum() for unit in units])
    table.insert(1, "town_code", _towns(problem, cells, units))
    table = pd.concat([table, why_so(problem, units)], axis=1)
    table["n_parcels"] = table["n_parcels"].astype("int64")
    plain = table["unit_id"][~whole]
    drawn_from = tuple(digest if ok else None for digest, ok in zip(digests, whole.tolist(), strict=True))
    return gpd.GeoDataFrame(table, geometry=shapes, crs=problem.parcels.crs), undrawn(plain), drawn_from


def _block(faces: npt.NDArray[np.object_], cells: Ints) -> shapely.Geometry:
    """Return the block of a unit; a hand-drawn one may lie in several, or outside all."""
    inside = np.unique(cells[cells >= 0])
    if len(inside) == 1 and (cells >= 0).all():
        return faces[inside[0]]
    return shapely.union_all(faces[inside]) if (cells >= 0).all() else None


def outline_compactness(units: gpd.GeoDataFrame) -> npt.NDArray[np.float64]:
    """Return Polsby-Popper 4πA/P² of outlines as drawn, lanes included."""
    shapes = units.geometry.to_numpy()
    return np.asarray(4 * np.pi * shapely.area(shapes) / np.maximum(shapely.length(shapes), 1e-9) ** 2)
