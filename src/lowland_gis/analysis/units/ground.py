"""The ground that units are drawn on: limits, weights, and parcels as arrays with their neighbours and components.

The value of a unit U, in m², is E - α(A - E) - βP - Σ mixing - κ: low-efficiency land gathered, less other land taken along,
less outline, less the mixing of plan zones, kinds, plan uses and owners, less a price for each unit and for a neck, where A and E are the
area and the low-efficiency area of its parcels and P = Σ outlines - 2 Σ facing lengths inside (lanes closed). Where units are
drawn from earlier ones, π (K - N) is added: K is the land that keeps its unit, N what was in none; π K less for all units
together is what is paid for land that changes its unit (see `heirs`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lowland_gis.analysis.units.contiguity import cell_of, contacts
from lowland_gis.analysis.units.facing import Floats, Ints
from lowland_gis.analysis.units.overlaps import both_free, no_pairs, said_of

HECTARE_M2 = 10_000.0
# A limit that is met exactly counts as met.
RELATIVE_TOLERANCE = 1e-9
# What may be mixed in a unit: column of the parcels, weight, and the land that counts.
MIXINGS = (
    ("zone", "mixed_zone", "area_m2"),
    ("kind", "mixed_kind", "low_m2"),
    ("plan_use", "mixed_use", "area_m2"),
    ("owner", "mixed_owner", "area_m2"),
)
# Boundary points are known to 5 cm (a limit of TD/T 1001-2012 for those of the first class, not verified): a lane that is as wide as the
# widest by its plan is not to be one or the other by the tenth of a millimetre.
POINT_ACCURACY_M = 0.05
OUTSIDE, TOO_LARGE = "outside every town and block", "larger than {:g} ha by itself"


@dataclass(frozen=True)
class Limits:
    """What every unit must keep: lanes and facing lengths in m, areas in ha, shares in [0, 1].

    `max_enclosed_share`: a group of parcels left out, no larger than the unit, may have at most this share of its outline
    on the unit; more is a hole. `min_compactness` is Polsby-Popper 4πA/P² with P as in the value. `min_neck_m`: the least length
    over which two parts of a unit that hang together by one parcel do so, each of at least `neck_share` of its area (see `necks`; 0:
    whatever it is); a neck is wide from `neck_wide_m`, so that there it costs nothing.
    """

    gap_m: float = 10.0
    min_length_m: float = 5.0
    min_ha: float = 2.0
    max_ha: float = 30.0
    min_low_share: float = 0.7
    min_public_share: float = 0.0
    min_compactness: float = 0.2
    max_enclosed_share: float = 0.9
    min_neck_m: float = 0.0
    neck_share: float = 0.1
    neck_wide_m: float = 30.0

    def __post_init__(self) -> None:
        """Refuse limits that no unit can meet."""
        faults = []
        if self.min_ha > self.max_ha:
            faults.append(f"the least area {self.min_ha:g} ha is above the greatest {self.max_ha:g} ha")
        if self.gap_m < 0 or self.min_length_m < 0 or self.min_ha <= 0:
            faults.append("lanes and facing lengths may not be negative, the least area must be above 0")
        if self.min_low_share + self.min_public_share > 1:
            faults.append(
                f"the least low-efficiency share {self.min_low_share:g} and the least public-benefit share"
                f" {self.min_public_share:g} add up to more than 1"
            )
        if not 0 <= self.min_compactness <= 1:
            faults.append(f"a compactness of {self.min_compactness:g} cannot be: a circle has 1")
        if self.min_neck_m < 0 or self.neck_wide_m < 0 or not 0 < self.neck_share <= 0.5:  # noqa: PLR2004 - a half of two
            faults.append(
                "lengths of necks may not be negative, and the part of a unit that a neck cuts off lies above 0 and up to 0.5"
            )
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def reach_m(self) -> float:
        """Return how far apart parcels may be across a lane: its greatest width, and the accuracy of its sides."""
        return self.gap_m + POINT_ACCURACY_M if self.gap_m > 0 else 0.0


@dataclass(frozen=True)
class Weights:
    """What the soft aims weigh, in m² of low-efficiency land: a m² of other land, a m of outline, a m² mixed, a unit, a m of neck.

    `neck` is the price of each m by which a neck is narrower than `neck_wide_m`.
    `changed_land` is the price of a m² that changes its unit, where units are drawn from earlier ones.
    """

    other_land: float = 0.5
    outline: float = 12.0
    mixed_zone: float = 0.2
    mixed_kind: float = 0.1
    mixed_use: float = 0.0
    mixed_owner: float = 0.0
    unit: float = 2000.0
    neck: float = 0.0
    changed_land: float = 0.0


class Ground(NamedTuple):
    """What the kernels read; every array is by parcel in the order of the codes, limits carry their tolerance.

    A code of a kind of mixing may be the main one of a unit where more than `need` (kind × code) of it is in there.
    """

    area: Floats
    low: Floats
    gain: Floats
    outline: Floats
    public: Floats
    codes: Ints
    bases: Floats
    mixing: Floats
    need: Floats
    start: Ints
    neighbour: Ints
    facing: Floats
    least: float
    most: float
    low_share: float
    public_share: float
    compactness: float
    enclosed: float
    outline_weight: float
    unit_price: float
    neck_least: float
    neck_share: float
    neck_wide: float
    neck_weight: float


@dataclass(frozen=True)
class Problem:
    """Parcels in the order of their codes (`ids`), their ground, and the components that can be solved apart.

    `reason` says why a parcel may be in no unit, else None; `component` is -1 there. Component c holds the positions
    `members[bounds[c]:bounds[c + 1]]`, and components are numbered by their first parcel. `overlaps` are the pairs of parcels
    that share ground, as `unit_overlaps.overlapping` has them, with `apart` where both are therefore in no unit. `before` numbers
    the earlier unit of every parcel (-1: none) where keeping it has a price; `old_names` are names that no new unit may take.
    """

    parcels: gpd.GeoDataFrame
    ids: npt.NDArray[np.object_]
    cell: Ints
    reason: npt.NDArray[np.object_]
    ground: Ground
    links: pd.DataFrame
    component: Ints
    bounds: Ints
    members: Ints
    limits: Limits
    weights: Weights
    overlaps: pd.DataFrame
    before: Ints | None = None
    old_names: frozenset[str] = frozenset()

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        """Return which parcels may be in a unit."""
        return self.component >= 0

    def of_component(self, component: int) -> Ints:
        """Return the positions of a component's parcels."""
        return self.members[self.bounds[component] : self.bounds[component + 1]]


def build_problem(
    parcels: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    limits: Limits | None = None,
    weights: Weights | None = None,
    *,
    links: pd.DataFrame | None = None,
    overlaps: pd.DataFrame | None = None,
    old_names: frozenset[str] = frozenset(),
) -> Problem:
    """Return the ground that units are drawn on.

    `parcels` has parcel_id, area_m2, low_m2 (low-efficiency area) and reason (why a parcel may be in no unit, or missing),
    and where known zone, kind, plan_use, owner (any codes; missing is a code of its own), public_m2, before (the earlier unit
    of a parcel, missing where it was in none), unknown (what is not known of its protection) and, where units may cross the borders of
    towns, town. `cells` comes from
    `contiguity.barrier_cells`. `links` (parcel_id pairs `one`, `other`, `length_m`) replaces the facing lengths. `overlaps`
    (see `unit_overlaps.overlapping`) are pairs whose ground would count twice: where both might be in a unit, neither may.

    Raises:
        ValueError: codes stand twice, or a parcel has no shape or area.
    """
    limits, weights = limits or Limits(), weights or Weights()
    parcels = parcels.sort_values("parcel_id", ignore_index=True)
    _refuse(parcels)
    shapes = parcels.geometry.to_numpy()
    cell = cell_of(shapes, cells).astype(np.int64)
    reason = _reasons(parcels, cell, limits)
    overlaps = both_free(no_pairs() if overlaps is None else overlaps, parcels["parcel_id"], reason)
    reason = said_of(overlaps, parcels["parcel_id"], reason)
    linked = _linked(parcels, cell, limits) if links is None else _given(parcels, links)
    ground = _ground(parcels, linked, limits, weights)
    component, bounds, members = _components(linked, np.asarray(pd.isna(reason)))
    ids = parcels["parcel_id"].to_numpy(dtype=object)
    return Problem(
        parcels, ids, cell, reason, ground, linked, component, bounds, members, limits, weights, overlaps,
        _before(parcels, weights), old_names,
    )  # fmt: skip


def relinked(problem: Problem, links: pd.DataFrame) -> Problem:
    """Return a problem whose parcels hang together by other links: first, second, length_m, gap_m, linked, sorted by the first two."""
    start, neighbour, facing = _neighbours(links, len(problem.cell))
    component, bounds, members = _components(links, np.asarray(pd.isna(problem.reason)))
    ground = problem.ground._replace(start=start, neighbour=neighbour, facing=facing)
    return replace(problem, ground=ground, links=links, component=component, bounds=bounds, members=members)


def _refuse(parcels: gpd.GeoDataFrame) -> None:
    double = parcels["parcel_id"][parcels["parcel_id"].duplicated()].unique()
    if len(double):
        raise ValueError(f"parcel codes stand twice: {_named(double)}")
    shapes = parcels.geometry.to_numpy()
    areas = parcels["area_m2"].to_numpy(dtype=np.float64)
    bad = shapely.is_missing(shapes) | shapely.is_empty(shapes) | ~(areas > 0)
    if bad.any():
        raise ValueError(
            f"parcels without a shape or an area: {_named(parcels['parcel_id'].to_numpy()[bad])}"
        )


def _named(codes: npt.NDArray[np.object_], shown: int = 5) -> str:
    more = f" and {len(codes) - shown} more" if len(codes) > shown else ""
    return ", ".join(map(str, codes[:shown])) + more


def _reasons(parcels: gpd.GeoDataFrame, cell: Ints, limits: Limits) -> npt.NDArray[np.object_]:
    given = parcels["reason"].to_numpy(dtype=object)
    reason = np.full(len(given), None, dtype=object)
    free = np.asarray(pd.isna(given))
    reason[~free] = given[~free]
    large = parcels["area_m2"].to_numpy(dtype=np.float64) > limits.max_ha * HECTARE_M2 * (
        1 + RELATIVE_TOLERANCE
    )
    reason[free & large] = TOO_LARGE.format(limits.max_ha)
    reason[free & (cell < 0)] = OUTSIDE
    return reason


def _linked(parcels: gpd.GeoDataFrame, cell: Ints, limits: Limits) -> pd.DataFrame:
    pairs = contacts(
        parcels.geometry.to_numpy(), cell, gap_m=limits.reach_m, min_length_m=limits.min_length_m
    )
    return pairs[pairs["linked"]].reset_index(drop=True)


def _given(parcels: gpd.GeoDataFrame, links: pd.DataFrame) -> pd.DataFrame:
    place = pd.Series(np.arange(len(parcels)), index=parcels["parcel_id"])
    ends = np.sort(np.stack([place[links["one"]].to_numpy(), place[links["other"]].to_numpy()]), axis=0)
    table = pd.DataFrame({"first": ends[0], "second": ends[1], "length_m": links["length_m"].to_numpy()})
    return table.assign(gap_m=0.0, linked=True).sort_values(["first", "second"], ignore_index=True)


def _ground(parcels: gpd.GeoDataFrame, linked: pd.DataFrame, limits: Limits, weights: Weights) -> Ground:
    # Copies: a column of a frame may be a view that is read-only or strided, and of each kind another machine code would be made.
    area, low = (np.array(parcels[name], dtype=np.float64) for name in ("area_m2", "low_m2"))
    outline = shapely.length(parcels.geometry.to_numpy())
    used = [(name, getattr(weights, weight), base) for name, weight, base in MIXINGS]
    used = [item for item in used if item[1] > 0 and item[0] in parcels.columns]
    codes = [_codes(parcels[name]) for name, _, _ in used]
    bases = [parcels[base].to_numpy(dtype=np.float64) for *_, base in used]
    prices = [weight for _, weight, _ in used]
    kept, need = _keeping(parcels, weights), np.full((len(used), _width(codes)), -1.0)
    if kept is not None:
        codes, bases, prices = [*codes, kept.codes], [*bases, kept.base], [*prices, 1.0]
        need = np.full((len(codes), _width(codes)), -1.0)
        need[-1, : len(kept.need)] = kept.need
    shape = len(codes), len(parcels)
    start, neighbour, facing = _neighbours(linked, len(parcels))
    public = np.array(parcels["public_m2"], dtype=np.float64) if "public_m2" in parcels.columns else 0 * area
    return Ground(
        area,
        low,
        low
        - weights.other_land * (area - low)
        - weights.outline * outline
        + (0 if kept is None else kept.gain),
        outline,
        public,
        np.array(codes, dtype=np.int64).reshape(shape),
        np.array(bases, dtype=np.float64).reshape(shape),
        np.array(prices, dtype=np.float64),
        need,
        start,
        neighbour,
        facing,
        limits.min_ha * HECTARE_M2 * (1 - RELATIVE_TOLERANCE),
        limits.max_ha * HECTARE_M2 * (1 + RELATIVE_TOLERANCE),
        limits.min_low_share * (1 - RELATIVE_TOLERANCE),
        limits.min_public_share * (1 - RELATIVE_TOLERANCE),
        limits.min_compactness * (1 - RELATIVE_TOLERANCE),
        limits.max_enclosed_share * (1 + RELATIVE_TOLERANCE),
        weights.outline,
        weights.unit,
        limits.min_neck_m * (1 - RELATIVE_TOLERANCE),
        limits.neck_share * (1 - RELATIVE_TOLERANCE),
        limits.neck_wide_m,
        weights.neck,
    )


def ground_without_before(problem: Problem) -> Ground:
    """Return the ground of a problem as if no unit had been drawn before."""
    weights = replace(problem.weights, changed_land=0.0)
    return _ground(problem.parcels, problem.links, problem.limits, weights)


class _Keeping(NamedTuple):
    """Keeping earlier units as one more kind of mixing: π K - π N = π (old land - N) - π (old land outside the unit's heir)."""

    codes: Ints
    base: Floats
    gain: Floats
    need: Floats


def _keeping(parcels: gpd.GeoDataFrame, weights: Weights) -> _Keeping | None:
    """Return what keeping earlier units brings, None where it has no price.

    A unit is the heir of an earlier one where it holds more than half of its land: so no two are.
    """
    if weights.changed_land <= 0 or "before" not in parcels.columns:
        return None
    priced = weights.changed_land * parcels["area_m2"].to_numpy(dtype=np.float64)
    old = parcels["before"].notna().to_numpy()
    codes = _codes(parcels["before"])
    base = np.where(old, priced, 0.0)
    whole = np.bincount(codes, weights=base).astype(np.float64)
    need = 0.5 * whole * (1 + RELATIVE_TOLERANCE)
    return _Keeping(codes, base, np.where(old, priced, -priced), need)


def _before(parcels: gpd.GeoDataFrame, weights: Weights) -> Ints | None:
    if _keeping(parcels, weights) is None:
        return None
    return np.where(parcels["before"].notna().to_numpy(), _codes(parcels["before"]), -1).astype(np.int64)


def _width(codes: list[Ints]) -> int:
    return max((int(kind.max(initial=-1)) + 1 for kind in codes), default=0) or 1


def _codes(values: pd.Series) -> Ints:
    """Number codes by their text, so that the numbers do not depend on the order of rows; missing is a code too."""
    texts = values.astype(object).where(values.notna(), "").astype(str)
    return np.unique(texts.to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)


def _neighbours(linked: pd.DataFrame, count: int) -> tuple[Ints, Ints, Floats]:
    """Return where the neighbours of each parcel begin, the neighbours, and the facing length with each."""
    first, second = linked["first"].to_numpy(), linked["second"].to_numpy()
    one, other = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.lexsort((other, one))
    length = np.tile(linked["length_m"].to_numpy(dtype=np.float64), 2)[order]
    start = np.searchsorted(one[order], np.arange(count + 1)).astype(np.int64)
    return start, other[order].astype(np.int64), length


def _components(linked: pd.DataFrame, free: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Return the component of each parcel (-1: it may be in no unit), and where the parcels of each begin in a list of all of them."""
    first, second = linked["first"].to_numpy(), linked["second"].to_numpy()
    both = free[first] & free[second]
    graph = coo_matrix((np.ones(both.sum()), (first[both], second[both])), shape=(len(free), len(free)))
    label = connected_components(graph, directed=False)[1]
    # Numbered by the first parcel of each, among the free ones.
    _, firsts, number = np.unique(label[free], return_index=True, return_inverse=True)
    component = np.full(len(free), -1, dtype=np.int64)
    component[free] = np.argsort(np.argsort(firsts))[number]
    members = np.argsort(component, kind="stable")[np.count_nonzero(component < 0) :].astype(np.int64)
    bounds = np.searchsorted(component[members], np.arange(component.max(initial=-1) + 2)).astype(np.int64)
    return component, bounds, members
