"""Planning units (规划单元), the tier above the implementation units (实施单元): blocks of a town put together, or areas that were delivered.

An implementation unit lies in one block, and a block in one planning unit, so no unit crosses the border of a planning unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.units.ground import HECTARE_M2, RELATIVE_TOLERANCE

Names = npt.NDArray[np.object_]

FINDINGS = ("plan_id", "rule", "value", "limit", "message")
NO_LOW_LAND = "no_low_land"
OUTSIDE_PLANNING = "outside every planning unit (规划单元)"
# What two areas share beside a common boundary is no common ground, m²; a border shorter than this is a corner, m.
_COMMON_M2, _CORNER_M = 1.0, 1e-3
# Two offices draw one line twice, and what lies between is a block by name only, m²: it joins a neighbour of any size.
_SLIVER_M2 = 1000.0


@dataclass(frozen=True)
class PlanningLimits:
    """What every planning unit should keep, in ha; a limit that is met exactly counts as met."""

    min_ha: float = 30.0
    max_ha: float = 300.0


@dataclass(frozen=True)
class Planning:
    """Planning units: `areas` has plan_id, town_code and geometry, by plan_id; `of_cell` the plan_id of every cell, None where there is none.

    `findings`: planning units that break a limit or lie in several towns (the columns of `FINDINGS`).
    """

    areas: gpd.GeoDataFrame
    of_cell: Names
    findings: pd.DataFrame

    def of(self, cell: npt.NDArray[np.int64]) -> Names:
        """Return the planning unit of parcels by their cells (-1: outside), None where there is none."""
        names = np.full(len(self.of_cell) + 1, None, dtype=object)
        names[:-1] = self.of_cell
        return names[cell]


def put_together(cells: gpd.GeoDataFrame, limits: PlanningLimits) -> Planning:
    """Put the blocks of each town together to planning units: a tessellation of the towns.

    The smallest one below the least area joins that neighbour of its town with which it shares the longest border, as long as both
    together keep the greatest area; until nothing can join. `cells` as of `contiguity.barrier_cells`. What cannot keep a limit is a
    finding, and stays as it is: a block alone may be too large, what lies between large ones too small. The order of rows does not matter.
    """
    areas = shapely.area(cells.geometry.to_numpy())
    border = _borders(cells)
    into = list(range(len(cells)))
    stuck: set[int] = set()
    least, most = (
        limits.min_ha * HECTARE_M2 * (1 - RELATIVE_TOLERANCE),
        limits.max_ha * HECTARE_M2 * (1 + RELATIVE_TOLERANCE),
    )
    size = dict(enumerate(areas.tolist()))
    # Smallest first; what has grown since it was put here is here once more, with its area of now.
    small = [(area, number) for number, area in size.items() if area < least]
    heapify(small)
    while small:
        area, number = heappop(small)
        if size.get(number) != area or number in stuck:
            continue
        sliver = area < _SLIVER_M2
        beside = [
            (-length, other)
            for other, length in border[number].items()
            if sliver or area + size[other] <= most
        ]
        if not beside:
            stuck.add(number)
            continue
        _, other = min(beside)
        kept, gone = min(number, other), max(number, other)
        size[kept] += size.pop(gone)
        into[gone] = kept
        _join(border, kept, gone)
        stuck.discard(kept)
        if size[kept] < least:
            heappush(small, (size[kept], kept))
    # A block joins one of a smaller number, whose own part is known by then.
    for number, kept in enumerate(into):
        into[number] = into[kept]
    part = np.array(into, dtype=np.intp)
    return _named(cells, part, limits)


def of_areas(cells: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, limits: PlanningLimits) -> Planning:
    """Take areas that were delivered as planning units: `plan_id` and geometry.

    Their borders are barriers, so every cell lies in one of them or in none.

    Raises:
        ValueError: two areas have one name, one has none, or two of them overlap; all are named.
    """
    faults = _faults(areas)
    if faults:
        raise ValueError("; ".join(faults))
    areas = areas.sort_values("plan_id", ignore_index=True)
    points = shapely.point_on_surface(cells.geometry.to_numpy())
    cell, area = shapely.STRtree(areas.geometry.to_numpy()).query(points, predicate="intersects")
    found = np.full(len(cells), None, dtype=object)
    found[cell] = areas["plan_id"].to_numpy(dtype=object)[area]
    size = pd.Series(shapely.area(cells.geometry.to_numpy()))
    towns = cells["town_code"].astype(object).where(cells["town_code"].notna(), "")
    by_town = size.groupby([pd.Series(found), towns.reset_index(drop=True)]).sum()
    main = {plan: str(rows.droplevel(0).idxmax()) for plan, rows in by_town.groupby(level=0)}
    frame = areas.assign(town_code=areas["plan_id"].map(main))[["plan_id", "town_code", "geometry"]]
    several = [
        (str(plan), "one_town", float(len(rows)), 1.0, f"lies in several towns: {', '.join(map(str, rows.index.get_level_values(1)))}")
        for plan, rows in by_town[by_town > _COMMON_M2].groupby(level=0)
        if len(rows) > 1
    ]  # fmt: skip
    empty = [
        (str(plan), "no_block", 0.0, 1.0, "holds no ground of the district")
        for plan in frame["plan_id"]
        if plan not in main
    ]
    return Planning(frame, found, _findings([*_limits(frame, limits, delivered=True), *several, *empty]))


def _faults(areas: gpd.GeoDataFrame) -> list[str]:
    names, shapes = areas["plan_id"], areas.geometry.to_numpy()
    faults = ["planning units without a number"] if names.isna().any() else []
    faults += [
        f"the planning unit {name} is there twice"
        for name in sorted(set(names[names.notna() & names.duplicated()]))
    ]
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for first, second in sorted({(int(a), int(b)) for a, b in zip(one, other, strict=True) if a < b}):
        common = float(shapely.intersection(shapes[first], shapes[second]).area)
        if common > _COMMON_M2:
            faults.append(
                f"the planning units {names.iloc[first]} and {names.iloc[second]} overlap by {common:,.0f} m²"
            )
    return faults


def _borders(cells: gpd.GeoDataFrame) -> list[dict[int, float]]:
    """Return for every cell the neighbours of its town with the length of the common border, m."""
    shapes, town = cells.geometry.to_numpy(), cells["town_code"].to_numpy(dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    near = (one < other) & (town[one] == town[other])
    one, other = one[near], other[near]
    lines = shapely.boundary(shapes)
    length = shapely.length(shapely.intersection(lines[one], lines[other]))
    border: list[dict[int, float]] = [{} for _ in shapes]
    for first, second, shared in zip(one.tolist(), other.tolist(), length.tolist(), strict=True):
        if shared > _CORNER_M:
            border[first][second] = border[second][first] = shared
    return border


def _join(border: list[dict[int, float]], kept: int, gone: int) -> None:
    for other, length in border[gone].items():
        del border[other][gone]
        if other != kept:
            border[kept][other] = border[other][kept] = border[kept].get(other, 0.0) + length
    border[gone] = {}


def _named(cells: gpd.GeoDataFrame, part: npt.NDArray[np.int64], limits: PlanningLimits) -> Planning:
    """Number planning units by town in the order of their first cells."""
    town = cells["town_code"].astype(object).where(cells["town_code"].notna(), "").astype(str).to_numpy()
    names: dict[int, str] = {}
    counts: dict[str, int] = {}
    for number in sorted(set(part.tolist()), key=lambda number: (town[number], number)):
        counts[town[number]] = counts.get(town[number], 0) + 1
        names[number] = f"{town[number]}-GH{counts[town[number]]:02d}"
    of_cell = np.array([names[number] for number in part.tolist()] + [None], dtype=object)[:-1]
    shapes = cells.geometry.to_numpy()
    # Blocks share their borders corner by corner, so that what lies between them goes without any point being computed.
    rows = [
        (name, town[number], shapely.coverage_union_all(shapes[part == number]))
        for number, name in names.items()
    ]
    frame = gpd.GeoDataFrame(
        pd.DataFrame([row[:2] for row in rows], columns=["plan_id", "town_code"]),
        geometry=[row[2] for row in rows],
        crs=cells.crs,
    ).sort_values("plan_id", ignore_index=True)
    return Planning(frame, of_cell, _findings(_limits(frame, limits, delivered=False)))


def _limits(
    areas: gpd.GeoDataFrame, limits: PlanningLimits, *, delivered: bool
) -> list[tuple[str, str, float, float, str]]:
    """Return the limits that areas break; why blocks that were put together could not keep them."""
    small, large = (
        ("", "") if delivered else (", and no neighbour that it could join", ", and no barrier divides it")
    )
    found = []
    for name, size in zip(
        areas["plan_id"], shapely.area(areas.geometry.to_numpy()) / HECTARE_M2, strict=True
    ):
        if size < limits.min_ha * (1 - RELATIVE_TOLERANCE):
            text = f"has {size:,.1f} ha, less than the least {limits.min_ha:g}{small}"
            found.append((str(name), "min_ha", float(size), limits.min_ha, text))
        if size > limits.max_ha * (1 + RELATIVE_TOLERANCE):
            text = f"has {size:,.1f} ha, more than the greatest {limits.max_ha:g}{large}"
            found.append((str(name), "max_ha", float(size), limits.max_ha, text))
    return found


def _findings(rows: list[tuple[str, str, float, float, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(FINDINGS))


def planning_table(planning: Planning, parcels: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what every planning unit holds, and the findings, those about what it holds among them.

    `parcels` has plan_id, area_m2, low_m2 and unit_id (missing where in none). The table: plan_id, town_code, area_ha (its ground),
    n_parcels, parcels_ha, low_ha, low_share (of its parcels' land), n_units, units_ha, low_in_units_ha. A planning unit without
    low-efficiency land, and one with such land but no implementation unit, are findings.
    """
    ids = pd.Index(planning.areas["plan_id"], name="plan_id")
    inside = parcels[parcels["plan_id"].notna()]
    in_units = inside[inside["unit_id"].notna()]
    sums = inside.groupby("plan_id")[["area_m2", "low_m2"]].sum().reindex(ids, fill_value=0.0) / HECTARE_M2
    held = in_units.groupby("plan_id")[["area_m2", "low_m2"]].sum().reindex(ids, fill_value=0.0) / HECTARE_M2
    table = pd.DataFrame(
        {
            "plan_id": ids,
            "town_code": planning.areas["town_code"].to_numpy(dtype=object),
            "area_ha": shapely.area(planning.areas.geometry.to_numpy()) / HECTARE_M2,
            "n_parcels": inside.groupby("plan_id").size().reindex(ids, fill_value=0).to_numpy(),
            "parcels_ha": sums["area_m2"].to_numpy(),
            "low_ha": sums["low_m2"].to_numpy(),
            "low_share": np.where(
                sums["area_m2"] > 0, sums["low_m2"] / sums["area_m2"].where(sums["area_m2"] > 0), 0.0
            ),
            "n_units": in_units.groupby("plan_id")["unit_id"].nunique().reindex(ids, fill_value=0).to_numpy(),
            "units_ha": held["area_m2"].to_numpy(),
            "low_in_units_ha": held["low_m2"].to_numpy(),
        }
    )
    more = [
        (
            plan,
            NO_LOW_LAND,
            0.0,
            0.0,
            "has no low-efficiency land (无低效用地), so no implementation unit can lie in it",
        )
        for plan in table["plan_id"][table["low_ha"] <= 0]
    ]
    bare = table[(table["low_ha"] > 0) & (table["n_units"] == 0)]
    more += [
        (row.plan_id, "no_unit", 0.0, 1.0, f"has {row.low_ha:,.2f} ha of low-efficiency land, but no implementation unit keeps the limits there")
        for row in bare.itertuples()
    ]  # fmt: skip
    findings = [part for part in (planning.findings, _findings(more)) if len(part)]
    return table, pd.concat(findings, ignore_index=True) if findings else planning.findings
