"""Which parcels face each other, in which cell of the barriers each lies; frames and arrays only."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely


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
    order = np.lexsort((corners[:, 1], corners[:, 0], cells["town_code"].to_numpy(dtype=str)))
    cells = cells.iloc[order].reset_index(drop=True)
    cells.insert(0, "cell", np.arange(len(cells)))
    return cells


def cell_of(parcels: npt.NDArray[np.object_], cells: gpd.GeoDataFrame) -> npt.NDArray[np.intp]:
    """Return the cell that holds the interior point of each parcel, -1 where none does."""
    found = shapely.STRtree(cells.geometry.to_numpy()).query(
        shapely.point_on_surface(parcels), predicate="within"
    )
    cell = np.full(len(parcels), -1, dtype=np.intp)
    # A point on the line between two cells goes to the lower number.
    cell[found[0][::-1]] = cells["cell"].to_numpy()[found[1][::-1]]
    return cell


def facing_lengths(parcels: npt.NDArray[np.object_], gap_m: float) -> pd.DataFrame:
    """Return pairs of parcels at most `gap_m` apart with the length over which they face each other.

    Columns `first` < `second` (positions) and `length_m`: the part of one outline within the gap of the other parcel, both
    directions averaged, so that the order of rows does not matter.
    """
    first, second = shapely.STRtree(parcels).query(parcels, predicate="dwithin", distance=gap_m)
    once = first < second
    order = np.lexsort((second[once], first[once]))
    first, second = first[once][order], second[once][order]
    outlines = shapely.boundary(parcels)
    reach = shapely.buffer(parcels, gap_m, quad_segs=4)
    length = (
        shapely.length(shapely.intersection(outlines[first], reach[second]))
        + shapely.length(shapely.intersection(outlines[second], reach[first]))
    ) / 2
    return pd.DataFrame({"first": first, "second": second, "length_m": length})


def _areal(shapes: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    return shapes[shapely.get_dimensions(shapes) == 2]  # noqa: PLR2004 - a surface


def _linear(shapes: npt.NDArray[np.object_]) -> npt.NDArray[Any]:
    return shapes[shapely.get_dimensions(shapes) == 1]
