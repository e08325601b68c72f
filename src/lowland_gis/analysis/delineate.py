"""Draw redevelopment units: contiguous groups of low-efficiency parcels inside one cell of the barriers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.contiguity import cell_of, facing_lengths, parted

HECTARE_M2 = 10_000.0
# A limit that is met exactly counts as met.
_RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Limits:
    """Limits of a unit: gap of lanes in m, least facing length in m, least and greatest area in ha."""

    gap_m: float = 10.0
    min_length_m: float = 5.0
    min_ha: float = 1.0
    max_ha: float = 30.0

    def __post_init__(self) -> None:
        """Refuse limits that no unit can meet."""
        if self.min_ha > self.max_ha:
            raise ValueError(f"the least area {self.min_ha} ha is above the greatest {self.max_ha} ha")


@dataclass(frozen=True)
class Units:
    """Units as drawn, and what became of every parcel.

    `units`: unit_id, town_code, n_parcels, area_m2, low_share, compactness, geometry. `members`: parcel_id, unit_id (missing
    where left out) and reason.
    """

    units: gpd.GeoDataFrame
    members: pd.DataFrame


def draw_units(parcels: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, limits: Limits) -> Units:
    """Group eligible low-efficiency parcels into units.

    `parcels` has parcel_id, area_m2 (ellipsoidal) and reason: why a parcel may not be in any unit, or missing. `cells` comes
    from `contiguity.barrier_cells`. A unit is connected by facing lengths, never through a parcel that may not be in it, lies in one cell (hence in one town), and keeps the
    limits; within a group too large for one unit, neighbours are gathered in the order of distance in steps from the parcel
    with the smallest code. Ties go by parcel code, so the order of rows does not matter.
    """
    parcels = parcels.sort_values("parcel_id", ignore_index=True)
    shapes = parcels.geometry.to_numpy()
    cell = cell_of(shapes, cells)
    reason = parcels["reason"].to_numpy(dtype=object).copy()
    reason[(cell < 0) & pd.isna(reason)] = "outside every town and block"
    eligible = pd.isna(reason)
    group = np.full(len(parcels), -1, dtype=np.intp)
    areas = parcels["area_m2"].to_numpy(dtype=np.float64)
    too_large = eligible & (areas > limits.max_ha * HECTARE_M2 * (1 + _RELATIVE_TOLERANCE))
    reason[too_large] = f"larger than {limits.max_ha:g} ha by itself"
    eligible &= ~too_large
    neighbours = _neighbours(shapes, cell, eligible, limits)
    least = limits.min_ha * HECTARE_M2 * (1 - _RELATIVE_TOLERANCE)
    for members in _grown(neighbours, eligible, areas, limits):
        area = areas[members].sum()
        if area < least:
            reason[members] = f"its group has {area / HECTARE_M2:.2f} ha, less than {limits.min_ha:g} ha"
        else:
            group[members] = group.max() + 1
    return _described(parcels, cells, cell, group, reason, limits)


def _neighbours(
    shapes: npt.NDArray[np.object_],
    cell: npt.NDArray[np.intp],
    eligible: npt.NDArray[np.bool_],
    limits: Limits,
) -> list[list[int]]:
    positions = np.flatnonzero(eligible)
    pairs = facing_lengths(shapes[positions], limits.gap_m)
    first, second = positions[pairs["first"]], positions[pairs["second"]]
    linked = (pairs["length_m"].to_numpy() >= limits.min_length_m) & (cell[first] == cell[second])
    linked[linked] = ~parted(shapes[first[linked]], shapes[second[linked]], shapes[~eligible], limits.gap_m)
    neighbours: list[list[int]] = [[] for _ in shapes]
    for one, other in zip(first[linked], second[linked], strict=True):
        neighbours[one].append(int(other))
        neighbours[other].append(int(one))
    return [sorted(found) for found in neighbours]


def _grown(
    neighbours: list[list[int]],
    eligible: npt.NDArray[np.bool_],
    areas: npt.NDArray[np.float64],
    limits: Limits,
) -> list[list[int]]:
    """Grow groups from the smallest code by breadth, never beyond the greatest area."""
    most = limits.max_ha * HECTARE_M2 * (1 + _RELATIVE_TOLERANCE)
    free = eligible.copy()
    groups = []
    for seed in np.flatnonzero(eligible):
        if not free[seed]:
            continue
        members, area, queue = [], 0.0, deque([int(seed)])
        free[seed] = False
        while queue:
            parcel = queue.popleft()
            if area + areas[parcel] > most:
                free[parcel] = True
                continue
            members.append(parcel)
            area += areas[parcel]
            found = [other for other in neighbours[parcel] if free[other]]
            free[found] = False
            queue.extend(found)
        groups.append(members)
    return groups


def _described(
    parcels: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    cell: npt.NDArray[np.intp],
    group: npt.NDArray[np.intp],
    reason: npt.NDArray[np.object_],
    limits: Limits,
) -> Units:
    towns = cells["town_code"].to_numpy(dtype=object)
    shapes, areas = parcels.geometry.to_numpy(), parcels["area_m2"].to_numpy(dtype=np.float64)
    numbers: dict[str, int] = {}
    names: list[str] = []
    rows = []
    tree = shapely.STRtree(shapes)
    for number in range(group.max() + 1 if len(group) else 0):
        members = np.flatnonzero(group == number)
        town = str(towns[cell[members[0]]])
        numbers[town] = numbers.get(town, 0) + 1
        names.append(f"{town}-{numbers[town]:03d}")
        outline = _outline(shapes, members, tree, cells.geometry.iloc[cell[members[0]]], limits.gap_m)
        rows.append((names[-1], town, len(members), float(areas[members].sum()), outline))
    units = gpd.GeoDataFrame(
        {
            "unit_id": [row[0] for row in rows],
            "town_code": [row[1] for row in rows],
            "n_parcels": [row[2] for row in rows],
            "area_m2": [row[3] for row in rows],
            "low_share": 1.0,
            "compactness": [_compactness(row[4]) for row in rows],
        },
        geometry=[row[4] for row in rows],
        crs=parcels.crs,
    )
    belongs = pd.DataFrame(
        {
            "parcel_id": parcels["parcel_id"],
            "unit_id": [names[number] if number >= 0 else None for number in group],
            "reason": [None if number >= 0 else why for number, why in zip(group, reason, strict=True)],
        }
    )
    return Units(units, belongs)


def _outline(
    shapes: npt.NDArray[np.object_],
    members: npt.NDArray[np.intp],
    tree: shapely.STRtree,
    cell: shapely.Geometry,
    gap_m: float,
) -> shapely.MultiPolygon:
    """Close the lanes between members by buffering out and in, inside the cell and never over another parcel."""
    own = shapely.union_all(shapes[members])
    wide = shapely.buffer(own, gap_m / 2, join_style="mitre")
    closed = shapely.buffer(wide, -gap_m / 2, join_style="mitre")
    others = np.setdiff1d(tree.query(closed, predicate="intersects"), members)
    lanes = shapely.difference(closed, shapely.union_all(shapes[others]))
    parts = shapely.get_parts(shapely.intersection(shapely.union(lanes, own), cell))
    return shapely.multipolygons(parts[shapely.get_dimensions(parts) == 2])  # noqa: PLR2004 - a surface


def _compactness(shape: shapely.Geometry) -> float:
    """Return Polsby-Popper 4πA/P²."""
    perimeter = shapely.length(shape)
    return float(4 * np.pi * shapely.area(shape) / perimeter**2) if perimeter > 0 else 0.0
