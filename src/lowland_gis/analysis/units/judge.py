"""Judge any division of parcels into units: every term of its value and every rule that it breaks; written apart from the search.

Nothing here is shared with the search but the parcels, their links and the limits: sums are taken again from the tables, so that
what the search says can be checked, and so that what a planner drew by hand is judged by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.units.doubtful import doubtful
from lowland_gis.analysis.units.ground import HECTARE_M2, MIXINGS, RELATIVE_TOLERANCE, Limits, Problem
from lowland_gis.analysis.units.necks import necks
from lowland_gis.analysis.units.overlaps import SHARE, measured

# A parcel belongs to a drawn polygon when at least half of it lies inside; between these shares the line cuts it.
_INSIDE, _CUT_LOW, _CUT_HIGH = 0.5, 0.05, 0.95
_SHOWN = 5

LEDGER = (
    "gathered_m2",
    "other_land_cost",
    "outline_cost",
    "mixed_zone_cost",
    "mixed_kind_cost",
    "mixed_use_cost",
    "mixed_owner_cost",
    "unit_cost",
    "neck_cost",
    "kept_value",
)
PROTECTION_UNKNOWN = "protection_unknown"
# Where units may cross the borders of towns, this is said of those that do; it breaks no rule.
ACROSS_TOWNS = "across_towns"
FINDINGS = ("unit_id", "rule", "value", "limit", "parcels", "message")


@dataclass(frozen=True)
class Judgement:
    """What a division is worth and which rules it breaks.

    `units`: unit_id, cell, n_parcels, area_m2, low_m2, low_share, public_share, outline_m, compactness, neck_m (missing where there
    is none), the terms of `LEDGER`
    (costs negative) and value_m2. `findings`: unit_id (missing where it is about a parcel), rule, value, limit, parcels, message.
    """

    units: pd.DataFrame
    findings: pd.DataFrame

    @property
    def value_m2(self) -> float:
        """Return the value of all units together."""
        return float(self.units["value_m2"].sum())


def judge(problem: Problem, members: pd.DataFrame) -> Judgement:
    """Judge a membership table: parcel_id and unit_id, missing where a parcel is in no unit.

    Unknown parcels and parcels in two units are findings; they count in no unit or in the first by name.
    """
    given = members[members["unit_id"].notna()][["parcel_id", "unit_id"]].sort_values(
        ["parcel_id", "unit_id"]
    )
    there = pd.Index(problem.ids).get_indexer(pd.Index(given["parcel_id"], dtype=object)) >= 0
    findings = [*_unknown(given[~there]), *_double(given)]
    known = given[there].drop_duplicates("parcel_id")
    rows = _rows(problem, known)
    units = _ledger(problem, rows)
    findings += [*_not_allowed(rows), *_not_known(rows), *_across(rows)]
    findings += _limits(units, problem.limits)
    part_of = doubtful(problem, rows)
    if len(part_of):
        site = _site(problem)
        for unit, part in part_of.groupby("unit_id", sort=True):
            findings += _shape(problem, site, str(unit), part)
    table = pd.DataFrame(findings, columns=list(FINDINGS))
    return Judgement(units, table)


def set_aside(overlaps: pd.DataFrame) -> pd.DataFrame:
    """Return the findings about pairs of parcels that are in no unit because they share ground (see `unit_overlaps`)."""
    findings = [
        _finding(
            None, "parcels_overlap", row["share"], SHARE, (row["one"], row["other"]),
            f"the parcels share {measured(row['area_m2'], row['share'])}; which of them has it is not known, so both are in no unit",
        )
        for row in overlaps[overlaps["apart"]].to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(findings, columns=list(FINDINGS))


def undrawn(units: pd.Series) -> pd.DataFrame:
    """Return the findings about units whose outline shows the parcels alone."""
    findings = [
        _finding(unit, "outline", 0.0, 1.0, [], "no valid outline with its lanes could be drawn, so it shows the parcels alone")
        for unit in units
    ]  # fmt: skip
    return pd.DataFrame(findings, columns=list(FINDINGS))


def members_of_polygons(
    parcels: gpd.GeoDataFrame, drawn: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return which parcels lie in which hand-drawn polygon (parcel_id, unit_id), and findings about the drawing.

    `drawn` has unit_id and geometry. A parcel belongs to the polygon that holds at least half of it; a parcel that a line cuts,
    polygons that overlap and polygons that hold no parcel are findings.
    """
    outlines = drawn.dissolve("unit_id").geometry
    shapes, areas = parcels.geometry.to_numpy(), shapely.area(parcels.geometry.to_numpy())
    unit, parcel = shapely.STRtree(shapes).query(outlines.to_numpy(), predicate="intersects")
    shares = shapely.area(shapely.intersection(outlines.to_numpy()[unit], shapes[parcel])) / areas[parcel]
    codes = parcels["parcel_id"].to_numpy(dtype=object)[parcel]
    names = outlines.index.to_numpy(dtype=object)[unit]
    pairs = pd.DataFrame({"parcel_id": codes, "unit_id": names, "share": shares})
    inside = pairs[pairs["share"] >= _INSIDE].sort_values(["parcel_id", "unit_id"], ignore_index=True)
    cut = pairs[(pairs["share"] > _CUT_LOW) & (pairs["share"] < _CUT_HIGH)]
    findings = [
        _finding(name, "cuts_parcels", len(part), 0.0, part["parcel_id"], "the line runs through parcels; they count where at least half of them lies")
        for name, part in cut.groupby("unit_id", sort=True)
    ]  # fmt: skip
    findings += _overlaps(outlines)
    empty = sorted(set(map(str, outlines.index)) - set(map(str, inside["unit_id"])))
    findings += [_finding(name, "no_parcel", 0.0, 1.0, [], "the polygon holds no parcel") for name in empty]
    return inside[["parcel_id", "unit_id"]], pd.DataFrame(findings, columns=list(FINDINGS))


def _overlaps(outlines: gpd.GeoSeries) -> list[tuple[object, ...]]:
    shapes = outlines.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    findings: list[tuple[object, ...]] = []
    for first, second in zip(one, other, strict=True):
        if first < second:
            area = float(shapely.area(shapely.intersection(shapes[first], shapes[second])))
            if area > 1.0:
                names = f"{outlines.index[first]} and {outlines.index[second]}"
                findings.append(
                    _finding(str(outlines.index[first]), "units_overlap", area, 0.0, [], f"the units {names} overlap by {area:,.0f} m²")
                )  # fmt: skip
    return findings


def _finding(
    unit: object, rule: str, value: float, limit: float, parcels: object, message: str
) -> tuple[object, ...]:
    named = [str(code) for code in parcels] if parcels is not None else []  # type: ignore[attr-defined]
    shown = ", ".join(named[:_SHOWN]) + (f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else "")
    return unit, rule, float(value), float(limit), shown, message


def _unknown(unknown: pd.DataFrame) -> list[tuple[object, ...]]:
    return [
        _finding(unit, "unknown_parcel", len(part), 0.0, part["parcel_id"], "there are no such parcels")
        for unit, part in unknown.groupby("unit_id", sort=True)
    ]


def _double(given: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return the findings about parcels in two units; the same row twice says the same once."""
    given = given.drop_duplicates()
    twice = given[given.duplicated("parcel_id", keep=False)]
    together = twice.groupby("parcel_id", sort=True)["unit_id"].agg(
        lambda units: " and ".join(map(str, units))
    )
    return [
        _finding(None, "two_units", len(part), 0.0, part.index, f"parcels stand in two units: {units}")
        for units, part in together.groupby(together, sort=True)
    ]


def _rows(problem: Problem, known: pd.DataFrame) -> pd.DataFrame:
    """Return every member with what is summed of it."""
    parcels = pd.DataFrame(problem.parcels.drop(columns="geometry"))
    parcels = parcels.assign(
        parcel_id=parcels["parcel_id"].astype(object),
        position=np.arange(len(parcels)),
        cell=problem.cell,
        why=problem.reason,
        outline=shapely.length(problem.parcels.geometry.to_numpy()),
        public_m2=parcels["public_m2"] if "public_m2" in parcels.columns else 0.0,
    )
    return known.astype({"parcel_id": object}).merge(parcels, on="parcel_id", how="inner")


def _ledger(problem: Problem, rows: pd.DataFrame) -> pd.DataFrame:
    weights = problem.weights
    groups = rows.groupby("unit_id", sort=True)
    units = groups.agg(
        cell=("cell", "min"),
        n_parcels=("parcel_id", "size"),
        area_m2=("area_m2", "sum"),
        low_m2=("low_m2", "sum"),
        public_m2=("public_m2", "sum"),
        outline=("outline", "sum"),
    )
    unit_of = pd.Series(rows["unit_id"].to_numpy(), index=rows["position"].to_numpy())
    links = problem.links
    first, second = links["first"].map(unit_of), links["second"].map(unit_of)
    inner = links["length_m"][first.notna() & (first == second)].groupby(first).sum()
    outline = units["outline"] - 2 * inner.reindex(units.index, fill_value=0.0)
    table = pd.DataFrame(
        {
            "cell": units["cell"],
            "n_parcels": units["n_parcels"],
            "area_m2": units["area_m2"].astype(float),
            "low_m2": units["low_m2"].astype(float),
            "low_share": units["low_m2"] / units["area_m2"],
            "public_share": units["public_m2"] / units["area_m2"],
            "outline_m": outline,
            "compactness": 4 * np.pi * units["area_m2"] / outline**2,
            "gathered_m2": units["low_m2"].astype(float),
            "other_land_cost": -weights.other_land * (units["area_m2"] - units["low_m2"]),
            "outline_cost": -weights.outline * outline,
        }
    )
    for column, name, base in MIXINGS:
        table[f"{name}_cost"] = -getattr(weights, name) * _minority(rows, column, base).reindex(table.index)
    table["unit_cost"] = -weights.unit
    table["neck_m"] = necks(problem, rows).reindex(table.index)
    narrower = problem.limits.neck_wide_m - table["neck_m"]
    table["neck_cost"] = -weights.neck * narrower.clip(lower=0.0).fillna(0.0)
    table["kept_value"] = _kept(problem, rows).reindex(table.index, fill_value=0.0)
    table["value_m2"] = table[list(LEDGER)].sum(axis=1)
    return table.reset_index()


def _minority(rows: pd.DataFrame, column: str, base: str) -> pd.Series:
    """Return, per unit, the land that is not of the commonest code."""
    if column not in rows.columns:
        return pd.Series(0.0, index=rows["unit_id"].unique())
    codes = rows[column].astype(object).where(rows[column].notna(), "").astype(str)
    sums = rows[base].astype(float).groupby([rows["unit_id"], codes]).sum()
    by_unit = sums.groupby(level=0)
    return by_unit.sum() - by_unit.max()


def _kept(problem: Problem, rows: pd.DataFrame) -> pd.Series:
    """Return, per unit, what the land that keeps its earlier unit brings, less what land that was in none costs.

    It keeps it in the unit that holds more than half of the earlier one's land; where a unit holds so much of several, the
    largest share counts.
    """
    price = problem.weights.changed_land
    if price <= 0 or "before" not in rows.columns:
        return pd.Series(dtype=float)
    whole = problem.parcels.groupby("before")["area_m2"].sum()
    shared = rows.dropna(subset="before").groupby(["unit_id", "before"])["area_m2"].sum()
    half = whole.reindex(shared.index.get_level_values("before")).to_numpy(dtype=float) / 2
    lives = shared[shared.to_numpy(dtype=float) > half * (1 + RELATIVE_TOLERANCE)]
    kept = lives.groupby(level="unit_id").max()
    fresh = rows[rows["before"].isna()].groupby("unit_id")["area_m2"].sum()
    brings: pd.Series[float] = kept.sub(fresh, fill_value=0.0).astype(float)
    return price * brings


def _not_allowed(rows: pd.DataFrame) -> list[tuple[object, ...]]:
    out = rows[rows["why"].notna()]
    return [
        _finding(
            unit, "not_allowed", len(part), 0.0, part["parcel_id"], f"parcels that may be in no unit: {why}"
        )
        for (unit, why), part in out.groupby(["unit_id", "why"], sort=True)
    ]


def _not_known(rows: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return a finding for each unit and each doubt about the protection of its parcels: what is unknown is not free."""
    if "unknown" not in rows.columns:
        return []
    doubts = rows[rows["unknown"].notna()]
    return [
        _finding(unit, PROTECTION_UNKNOWN, len(part), 0.0, part["parcel_id"], f"it is not known {doubt}")
        for (unit, doubt), part in doubts.groupby(["unit_id", "unknown"], sort=True)
    ]


def _across(rows: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return a finding for each unit that lies in several towns; parcels have a `town` only where a unit may."""
    if "town" not in rows.columns:
        return []
    towns = (
        rows.dropna(subset="town")
        .groupby("unit_id", sort=True)["town"]
        .agg(lambda each: sorted(set(map(str, each))))
    )
    return [
        _finding(unit, ACROSS_TOWNS, len(each), 1.0, [], f"lies in {len(each)} towns ({', '.join(each)})")
        for unit, each in towns.items()
        if len(each) > 1
    ]


def _limits(units: pd.DataFrame, limits: Limits) -> list[tuple[object, ...]]:
    tolerance = RELATIVE_TOLERANCE
    rules = (
        ("min_ha", "area_m2", limits.min_ha * HECTARE_M2, 1, "is smaller than the least area"),
        ("max_ha", "area_m2", limits.max_ha * HECTARE_M2, -1, "is larger than the greatest area"),
        ("min_low_share", "low_share", limits.min_low_share, 1, "has too little low-efficiency land"),
        (
            "min_public_share",
            "public_share",
            limits.min_public_share,
            1,
            "has too little public-benefit land",
        ),
        ("min_compactness", "compactness", limits.min_compactness, 1, "is too ragged"),
        ("min_neck_m", "neck_m", limits.min_neck_m, 1, "hangs together by too narrow a neck"),
    )
    findings = []
    for rule, column, limit, sign, text in rules:
        broken = units[sign * units[column] < sign * limit * (1 - sign * tolerance)]
        findings += [
            _finding(
                row["unit_id"],
                rule,
                row[column],
                limit,
                [],
                f"{text}: {row[column]:,.4g} against {limit:,.4g}",
            )
            for row in broken.to_dict("records")
        ]
    return findings


@dataclass(frozen=True)
class _Site:
    """What the shape of every unit is judged by: facing lengths of linked parcels, areas, outlines, parcels by block."""

    graph: csr_matrix
    areas: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.float64]
    order: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]

    def of_block(self, block: int) -> npt.NDArray[np.int64]:
        """Return the parcels of a block (-1: outside all)."""
        return self.order[self.bounds[block + 1] : self.bounds[block + 2]]


def _site(problem: Problem) -> _Site:
    links, count = problem.links, len(problem.cell)
    ends = np.concatenate([links["first"].to_numpy(), links["second"].to_numpy()])
    others = np.concatenate([links["second"].to_numpy(), links["first"].to_numpy()])
    lengths = np.tile(links["length_m"].to_numpy(dtype=float), 2)
    order = np.argsort(problem.cell, kind="stable")
    return _Site(
        coo_matrix((lengths, (ends, others)), shape=(count, count)).tocsr(),
        problem.parcels["area_m2"].to_numpy(dtype=float),
        shapely.length(problem.parcels.geometry.to_numpy()),
        order,
        np.searchsorted(problem.cell[order], np.arange(-1, problem.cell.max(initial=-1) + 2)),
    )


def _shape(problem: Problem, site: _Site, unit: str, part: pd.DataFrame) -> list[tuple[object, ...]]:
    nodes = np.sort(part["position"].to_numpy())
    findings: list[tuple[object, ...]] = []
    blocks = sorted(set(part["cell"]))
    if len(blocks) > 1:
        cells = ", ".join(map(str, blocks))
        common = part["cell"].mode().min()
        away = part["parcel_id"][part["cell"] != common]
        findings.append(
            _finding(
                unit,
                "one_block",
                len(blocks),
                1.0,
                away,
                f"lies in several blocks ({cells}): barriers divide it",
            )
        )
    count, label = connected_components(site.graph[nodes][:, nodes], directed=False)
    if count > 1:
        largest = np.argmax(np.bincount(label))
        loose = problem.ids[nodes[label != largest]]
        findings.append(
            _finding(unit, "contiguous", count, 1.0, loose, f"falls into {count} pieces that do not touch")
        )
    findings += _holes(problem, site, unit, nodes)
    return findings


def _holes(
    problem: Problem, site: _Site, unit: str, nodes: npt.NDArray[np.int64]
) -> list[tuple[object, ...]]:
    """Find groups of parcels left out that the unit encloses."""
    limits, areas, graph = problem.limits, site.areas, site.graph
    blocks = np.unique(problem.cell[nodes])
    around = np.sort(np.concatenate([site.of_block(block) for block in blocks]))
    around = around[~np.isin(around, nodes)]
    if not len(around):
        return []
    within = graph[around][:, around]
    touching = np.asarray(graph[around][:, nodes].sum(axis=1)).ravel()
    count, label = connected_components(within, directed=False)
    outline = site.lengths[around] - np.asarray(within.sum(axis=1)).ravel()
    group_area = np.bincount(label, areas[around], count)
    group_outline = np.bincount(label, outline, count)
    group_touch = np.bincount(label, touching, count)
    small = group_area <= areas[nodes].sum() * (1 + RELATIVE_TOLERANCE)
    closed = small & (group_touch > limits.max_enclosed_share * (1 + RELATIVE_TOLERANCE) * group_outline)
    return [
        _finding(unit, "max_enclosed_share", group_touch[hole] / group_outline[hole], limits.max_enclosed_share,
                 problem.ids[around[label == hole]], "encloses parcels that are not in it")
        for hole in np.flatnonzero(closed & (group_outline > 0))
    ]  # fmt: skip
