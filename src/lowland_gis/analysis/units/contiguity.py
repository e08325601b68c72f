"""In which block (cell) of the barriers each parcel lies, which parcels touch, and why two do not; frames and arrays only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.units.facing import Floats, facing_lengths

Ints = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]

# A parcel of which more than this lies outside its cell is reported as cut.
_CUT_SHARE = 0.01
# A barrier that ends this near to another line, in m, was drawn to meet it: without the last piece its blocks would be one.
_REACH_M = 0.5
_BEYOND_M = 1e-3


@dataclass(frozen=True)
class Contact:
    """How two parcels lie to each other, and whether they are neighbours; lengths in m."""

    linked: bool
    length_m: float
    gap_m: float
    distance_m: float
    why: str


def barrier_cells(
    towns: gpd.GeoDataFrame, barriers: Shapes, *, across_towns: bool = False
) -> gpd.GeoDataFrame:
    """Return the faces that barriers cut out of the towns: cell (number), town_code, geometry.

    `towns` has town_code; `barriers` holds lines, and polygons whose outline counts. A line that ends within 0.5 m of another
    is drawn on to it: two offices, or one that rounds, do not meet to the millimetre. With `across_towns` the lines between
    towns cut nothing and a cell takes the town of its interior point. Faces are numbered by town and by the place of their
    lower left corner, so the numbers do not depend on the order of the input. The faces are those of `momepy.enclosures`.
    """
    limits = shapely.boundary(towns.geometry.to_numpy())
    if across_towns:
        limits = np.array([shapely.boundary(shapely.union_all(towns.geometry.to_numpy()))], dtype=object)
    noded = _closed(
        shapely.union_all(np.concatenate([shapely.boundary(_areal(barriers)), _linear(barriers), limits]))
    )
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    face, town = shapely.STRtree(towns.geometry.to_numpy()).query(
        shapely.point_on_surface(faces), predicate="intersects"
    )
    # Only where towns are joined can a point lie on the line between two; then the first code counts.
    order = np.lexsort((towns["town_code"].to_numpy(dtype=str)[town], face))
    inside = face[order], town[order]
    first = np.diff(inside[0], prepend=-1) > 0
    inside = inside[0][first], inside[1][first]
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


def _closed(noded: shapely.Geometry) -> shapely.Geometry:
    """Return noded lines with a short piece from each loose end to the nearest place of every other line within reach.

    The nearest line alone may be a stub that hangs on nothing else, and the line that goes on lies a little farther.
    """
    edges = shapely.get_parts(shapely.line_merge(noded))
    ends = np.concatenate([shapely.get_point(edges, 0), shapely.get_point(edges, -1)])
    owner = np.tile(np.arange(len(edges)), 2)
    _, place, times = np.unique(
        shapely.get_coordinates(ends), axis=0, return_inverse=True, return_counts=True
    )
    loose = times[place] == 1
    ends, owner = ends[loose], owner[loose]
    end, edge = shapely.STRtree(edges).query(ends, predicate="dwithin", distance=_REACH_M)
    other = owner[end] != edge
    end, edge = end[other], edge[other]
    # Where lines meet, several have one nearest place; in an order of their own, whatever that of the input.
    pieces = shapely.get_coordinates(shapely.shortest_line(ends[end], edges[edge])).reshape(-1, 4)
    pieces = np.unique(pieces, axis=0).reshape(-1, 2, 2)
    lengths = np.hypot(*(pieces[:, 1] - pieces[:, 0]).T)
    order = np.flatnonzero(lengths > 0)
    if not len(order):
        return noded
    pieces, lengths = pieces[order], lengths[order]
    # The foot of a piece lies beside the other line by a rounding; a little further it crosses it for certain.
    beyond = pieces[:, 1] + (pieces[:, 1] - pieces[:, 0]) / lengths[:, None] * _BEYOND_M
    drawn_on = shapely.linestrings(np.concatenate([pieces, beyond[:, None]], axis=1))
    return shapely.union_all(np.concatenate([edges, drawn_on]))


def cell_of(parcels: npt.NDArray[np.object_], cells: gpd.GeoDataFrame) -> npt.NDArray[np.intp]:
    """Return the cell that holds the interior point of each parcel, -1 where none does."""
    found = shapely.STRtree(cells.geometry.to_numpy()).query(
        shapely.point_on_surface(parcels), predicate="intersects"
    )
    cell = np.full(len(parcels), len(cells), dtype=np.intp)
    # A point on the line between two cells goes to the lower number.
    np.minimum.at(cell, found[0], cells["cell"].to_numpy()[found[1]])
    return np.where(cell == len(cells), -1, cell)


def cut_shares(parcels: Shapes, cells: gpd.GeoDataFrame, cell: Ints) -> Floats:
    """Return which part of each parcel lies outside its cell; parcels above 1 % are cut by a barrier. NaN without a cell."""
    shares = np.full(len(parcels), np.nan)
    placed = np.flatnonzero(cell >= 0)
    faces = cells.geometry.to_numpy()
    shapely.prepare(faces)
    whole = shapely.covers(faces[cell[placed]], parcels[placed])
    shares[placed] = 0.0
    cut = placed[~whole]
    outside = shapely.difference(parcels[cut], faces[cell[cut]])
    shares[cut] = shapely.area(outside) / np.maximum(shapely.area(parcels[cut]), 1e-9)
    return shares


def is_cut(shares: Floats) -> npt.NDArray[np.bool_]:
    """Return which shares of `cut_shares` are more than a digitising error."""
    return np.nan_to_num(shares) > _CUT_SHARE


def contacts(parcels: Shapes, cell: Ints, *, gap_m: float, min_length_m: float) -> pd.DataFrame:
    """Return every pair of parcels that face each other: first, second, length_m, gap_m, linked.

    Linked are pairs of one cell that face each other over at least `min_length_m`.
    """
    pairs = facing_lengths(parcels, gap_m)
    one, other = cell[pairs["first"].to_numpy()], cell[pairs["second"].to_numpy()]
    long = pairs["length_m"].to_numpy() >= _enough(min_length_m)
    return pairs.assign(linked=(one == other) & (one >= 0) & long)


def _enough(min_length_m: float) -> float:
    """Return the length from which it counts: one that meets the limit exactly does, whatever the rounding."""
    return min_length_m * (1 - 1e-9) - 1e-6


def explain_contact(
    pair: Shapes,
    cells: gpd.GeoDataFrame,
    *,
    gap_m: float,
    min_length_m: float,
    barriers: gpd.GeoDataFrame | None = None,
    others: Shapes | None = None,
) -> Contact:
    """Return how two parcels lie to each other and, where they are no neighbours, why.

    `barriers` (layer, code, geometry) lets the answer name what divides them; `others` are the parcels around them.
    """
    around = pair if others is None else np.concatenate([pair, others])
    found = facing_lengths(around, gap_m)
    found = found[(found["first"] == 0) & (found["second"] == 1)]
    length, gap = (float(found[name].sum()) for name in ("length_m", "gap_m"))
    distance = float(shapely.distance(pair[0], pair[1]))
    cell = cell_of(pair, cells)
    linked = bool(cell[0] == cell[1] >= 0) and length > 0 and length >= _enough(min_length_m)
    if cell[0] != cell[1] or cell[0] < 0:
        why = _divided(pair, cell, barriers)
    elif distance > gap_m:
        why = f"{distance:.1f} m apart; only lanes up to {gap_m:g} m are closed"
    elif length <= 0:
        why = f"{distance:.1f} m apart, but only corners meet or another parcel lies between"
    elif not linked:
        why = f"they face each other over {length:.1f} m only; at least {min_length_m:g} m are needed"
    else:
        why = f"they face each other over {length:.1f} m, {gap:.1f} m apart on average (lanes up to {gap_m:g} m are closed)"
    return Contact(linked, length, gap, distance, why)


def _divided(pair: Shapes, cell: Ints, barriers: gpd.GeoDataFrame | None) -> str:
    if (cell < 0).any():
        return "one of them lies outside every town"
    text = f"they lie in different blocks ({cell[0]} and {cell[1]})"
    if barriers is None or barriers.empty:
        return text
    between = shapely.shortest_line(shapely.point_on_surface(pair[0]), shapely.point_on_surface(pair[1]))
    crossing = barriers[shapely.intersects(barriers.geometry.to_numpy(), between)]
    named = sorted(
        {str(code or layer) for layer, code in zip(crossing["layer"], crossing["code"], strict=True)}
    )
    return f"{text}, divided by {'、'.join(named) if named else 'the boundary of a town'}"


def _areal(shapes: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    surfaces: npt.NDArray[Any] = shapes[shapely.get_dimensions(shapes) == 2]  # noqa: PLR2004 - a surface
    return surfaces


def _linear(shapes: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    lines: npt.NDArray[Any] = shapes[shapely.get_dimensions(shapes) == 1]
    return lines
