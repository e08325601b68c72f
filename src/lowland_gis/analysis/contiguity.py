"""Which parcels face each other, in which cell of the barriers each lies; frames and arrays only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Floats = npt.NDArray[np.float64]

# Outlines that were digitised apart may overlap by this much and still touch.
_OVERLAP_M = 0.3
# Cosine of 25°: edges that face each other may be this far from parallel.
_ANTIPARALLEL = 0.9063
_TOLERANCE_M = 1e-9
_CHUNK = 50_000


def barrier_cells(towns: gpd.GeoDataFrame, barriers: npt.NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return the faces that barriers cut out of the towns: cell (number), town_code, geometry.

    `towns` has town_code; `barriers` holds lines, and polygons whose outline counts. Faces are numbered by town and by the
    place of their lower left corner, so the numbers do not depend on the order of the input.
    """
    lines = [barriers, shapely.boundary(towns.geometry.to_numpy())]
    noded = shapely.union_all(np.concatenate([shapely.boundary(_areal(barriers)), *map(_linear, lines)]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = shapely.STRtree(towns.geometry.to_numpy()).query(
        shapely.point_on_surface(faces), predicate="within"
    )
    cells = gpd.GeoDataFrame(
        {"town_code": towns["town_code"].to_numpy()[inside[1]]}, geometry=faces[inside[0]], crs=towns.crs
    )
    corners = shapely.bounds(cells.geometry.to_numpy())
    # A block around another may share its lower left corner; then the smaller comes first.
    sizes = shapely.area(cells.geometry.to_numpy())
    order = np.lexsort((sizes, corners[:, 1], corners[:, 0], cells["town_code"].to_numpy(dtype=str)))
    cells = cells.iloc[order].reset_index(drop=True)
    cells.insert(0, "cell", np.arange(len(cells)))
    return cells


def cell_of(parcels: npt.NDArray[np.object_], cells: gpd.GeoDataFrame) -> npt.NDArray[np.intp]:
    """Return the cell that holds the interior point of each parcel, -1 where none does."""
    found = shapely.STRtree(cells.geometry.to_numpy()).query(
        shapely.point_on_surface(parcels), predicate="intersects"
    )
    cell = np.full(len(parcels), len(cells), dtype=np.intp)
    # A point on the line between two cells goes to the lower number.
    np.minimum.at(cell, found[0], cells["cell"].to_numpy()[found[1]])
    return np.where(cell == len(cells), -1, cell)


def facing_lengths(parcels: npt.NDArray[np.object_], gap_m: float) -> pd.DataFrame:
    """Return pairs of parcels at most `gap_m` apart with the length over which they face each other.

    Columns `first` < `second` (positions) and `length_m`. Two edges face each other when they run nearly antiparallel (both
    outlines counter-clockwise) and each lies on the outer side of the other, at most `gap_m` away; their length is what of
    one lies square across from the other. A corner that meets a corner therefore faces nothing. Both directions are
    averaged, so that the order of rows does not matter. Overlaps up to 0.3 m count as touching. A missing parcel faces none.
    """
    edges = _edges(parcels)
    lines = shapely.linestrings(edges.ends) if len(edges.owner) else np.empty(0, dtype=object)
    tree = shapely.STRtree(lines)
    chunks = [range(start, min(start + _CHUNK, len(lines))) for start in range(0, max(1, len(lines)), _CHUNK)]
    lengths = _covered(pd.concat([_facing(edges, lines, chunk, tree, gap_m) for chunk in chunks]))
    lengths["first"] = lengths[["one", "other"]].min(axis=1)
    lengths["second"] = lengths[["one", "other"]].max(axis=1)
    return (lengths.groupby(["first", "second"])["length_m"].sum() / 2).reset_index()


def parted(
    first: npt.NDArray[np.object_],
    second: npt.NDArray[np.object_],
    others: npt.NDArray[np.object_],
    gap_m: float,
) -> npt.NDArray[np.bool_]:
    """Return which pairs of parcels are kept apart by other parcels that fill the lane between them.

    The lane is what closing a gap of `gap_m` adds to the pair; a pair is parted when without the others' land nothing of the
    lane joins the two.
    """
    lanes = shapely.intersection(shapely.buffer(first, gap_m), shapely.buffer(second, gap_m))
    near = shapely.STRtree(others).query(lanes, predicate="intersects")
    found = np.zeros(len(first), dtype=bool)
    for pair in np.unique(near[0]):
        both = shapely.union(first[pair], second[pair])
        closed = shapely.buffer(
            shapely.buffer(both, gap_m / 2, join_style="mitre"), -gap_m / 2, join_style="mitre"
        )
        between = shapely.difference(closed, shapely.union_all(others[near[1][near[0] == pair]]))
        parts = shapely.get_parts(shapely.union(between, both))
        joins = (shapely.area(shapely.intersection(parts, first[pair])) > 0) & (
            shapely.area(shapely.intersection(parts, second[pair])) > 0
        )
        found[pair] = not joins.any()
    return found


@dataclass(frozen=True)
class _Edges:
    """Edges of outlines, counter-clockwise round the parcel: `ends` (edge, start or end, x or y) and the parcel's position."""

    ends: Floats
    owner: npt.NDArray[np.intp]


def _edges(parcels: npt.NDArray[np.object_]) -> _Edges:
    parts, part_owner = shapely.get_parts(parcels, return_index=True)
    rings, ring_part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    inside = (ring[1:] == ring[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    ends = np.stack([points[:-1], points[1:]], axis=1)[inside]
    return _Edges(ends, part_owner[ring_part[ring[:-1][inside]]])


def _facing(
    edges: _Edges, lines: npt.NDArray[np.object_], chunk: range, tree: shapely.STRtree, gap_m: float
) -> pd.DataFrame:
    """Return edge, one, other (parcels), start and stop for every edge of the chunk and every edge that faces it."""
    here, there = tree.query(
        lines[chunk.start : chunk.stop], predicate="dwithin", distance=max(gap_m, _OVERLAP_M)
    )
    here = here + chunk.start
    apart = edges.owner[here] != edges.owner[there]
    here, there = here[apart], there[apart]
    starts, stops = _stretches(edges.ends[here], edges.ends[there], gap_m)
    facing = pd.DataFrame(
        {"edge": here, "one": edges.owner[here], "other": edges.owner[there], "start": starts, "stop": stops}
    )
    return facing[facing["stop"] > facing["start"]]


def _stretches(here: Floats, there: Floats, gap_m: float) -> tuple[Floats, Floats]:
    """Return where along each edge `here` (m from its start) the edge `there` faces it; empty where stop <= start.

    Lengths are measured along `here`, gaps square to it; the stretch is cut where the gap leaves [-0.3 m, gap_m].
    """
    along = here[:, 1] - here[:, 0]
    length = np.hypot(along[:, 0], along[:, 1])
    unit = along / length[:, None]
    # The inside is on the left of a counter-clockwise edge, so outward is to its right.
    outward = np.stack([unit[:, 1], -unit[:, 0]], axis=1)
    offset = there - here[:, :1]
    place = (offset * unit[:, None]).sum(axis=2)
    gap = (offset * outward[:, None]).sum(axis=2)
    run = np.hypot(*(there[:, 1] - there[:, 0]).T)
    antiparallel = (place[:, 1] - place[:, 0]) <= -_ANTIPARALLEL * run
    # `there` runs backwards along `here`: its end comes first.
    low, high = place[:, 1], place[:, 0]
    gap_low, gap_high = gap[:, 1], gap[:, 0]
    slope = np.divide(gap_high - gap_low, high - low, out=np.zeros(len(low)), where=high > low)
    enter, leave = _between(gap_low - slope * low, slope, -_OVERLAP_M, gap_m)
    starts = np.maximum.reduce([low, np.zeros(len(low)), enter])
    stops = np.minimum.reduce([high, length, leave])
    return starts, np.where(antiparallel, stops, -np.inf)


def _between(value: Floats, slope: Floats, least: float, most: float) -> tuple[Floats, Floats]:
    """Return the range of x in which least <= value + slope·x <= most, within 1e-9 m."""
    least, most = least - _TOLERANCE_M, most + _TOLERANCE_M
    flat = np.abs(slope) < _TOLERANCE_M
    safe = np.where(flat, 1.0, slope)
    ends = np.sort(np.stack([(least - value) / safe, (most - value) / safe]), axis=0)
    within = (value >= least) & (value <= most)
    return (
        np.where(flat, np.where(within, -np.inf, np.inf), ends[0]),
        np.where(flat, np.where(within, np.inf, -np.inf), ends[1]),
    )


def _covered(facing: pd.DataFrame) -> pd.DataFrame:
    """Return one, other and length_m: how much of the edges of one faces the other, each place once."""
    ordered = facing.sort_values(["one", "other", "edge", "start", "stop"], ignore_index=True)
    run = [ordered[name] for name in ("one", "other", "edge")]
    reached = ordered["stop"].groupby(run).cummax().groupby(run).shift(fill_value=-np.inf)
    new = (ordered["stop"] - np.maximum(ordered["start"], reached)).clip(lower=0.0)
    return ordered.assign(length_m=new).groupby(["one", "other"])["length_m"].sum().reset_index()


def _areal(shapes: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    surfaces: npt.NDArray[Any] = shapes[shapely.get_dimensions(shapes) == 2]  # noqa: PLR2004 - a surface
    return surfaces


def _linear(shapes: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    lines: npt.NDArray[Any] = shapes[shapely.get_dimensions(shapes) == 1]
    return lines
