"""Which records of a whole delivery the part of a town takes the place of: by where they lie, by their codes, by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.derived import areas

By = Literal["place", "code"]
Flags = npt.NDArray[np.bool_]
Geometries = npt.NDArray[np.object_]
Texts = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """Whose place is taken: `taken` records of the whole go, in `doubt` are those of which it cannot be told, `strays` lie elsewhere.

    `taken` and `doubt` are by the records of the whole, `strays` by those of the part.
    """

    taken: Flags
    doubt: Flags
    strays: Flags


def towns_of(shapes: Geometries, places: Geometries, codes: Texts) -> Texts:
    """Return the code of the town that holds the largest share of each shape, None where none does; of two alike the first one.

    Polygons are shared by area, lines by length, points are in the first town that they touch. `places` are valid polygons.
    """
    found = np.full(len(shapes), None, dtype=object)
    if not len(places):
        return found
    shape, place = shapely.STRtree(places).query(shapes, predicate="intersects")
    share = np.ones(len(shape))
    several = np.bincount(shape, minlength=len(shapes))[shape] > 1
    share[several] = _shared(shapes[shape[several]], places[place[several]])
    order = np.lexsort((place, -share, shape))
    first = order[np.unique(shape[order], return_index=True)[1]]
    found[shape[first]] = codes[place[first]]
    return found


def _shared(shapes: Geometries, places: Geometries) -> Floats:
    """Return how much of each shape lies in the place beside it: m², m, or 1 for a point."""
    size = np.ones(len(shapes))
    dimension = shapely.get_dimensions(shapes)
    polygon, line = dimension == 2, dimension == 1  # noqa: PLR2004 - dimensions
    size[polygon] = np.nan_to_num(
        shapely.area(areas(shapely.intersection, shapes[polygon], places[polygon]).geometries)
    )
    size[line] = shapely.length(shapely.intersection(shapes[line], places[line]))
    return size


def pieces(whole: pd.DataFrame, part: pd.DataFrame, here: str, by: By | None) -> Pieces:
    """Return which records of a whole delivery the part of the town `here` takes the place of.

    Both frames have one row a record: `key` (its name where that stays with the land, else its shape; None: neither), `town` (code of the town where it
    lies, None where that is not known), `said` (code of the town that its own codes say, None where they say none).

    A record lies in the part by place, and by its codes where no town holds it; with `by` code by its codes alone. A record that comes
    again in the part, by its name or shape, goes too, wherever it lies: what lies in two towns may be delivered with either. Where place and codes say two different towns of which one is `here`, and the name does
    not come again, it cannot be told whether the record is gone or belongs elsewhere, unless `by` says which counts.
    """
    town, said = (whole[name].to_numpy(dtype=object) for name in ("town", "said"))
    placed, spoken = pd.notna(town), pd.notna(said)
    again = whole["key"].isin(part["key"].dropna()).to_numpy(dtype=bool) & whole["key"].notna().to_numpy()
    in_part = _in(whole, here, by)
    torn = placed & spoken & (town != said) & ((town == here) | (said == here))
    doubt = torn & ~again if by is None else np.zeros(len(whole), dtype=bool)
    return Pieces(in_part | again, np.asarray(doubt, dtype=bool), ~_in(part, here, by))


def _in(rows: pd.DataFrame, here: str, by: By | None) -> Flags:
    town, said = (rows[name].to_numpy(dtype=object) for name in ("town", "said"))
    if by == "code":
        return np.asarray(said == here, dtype=bool)
    return np.asarray((town == here) | (pd.isna(town) & (said == here)), dtype=bool)


def ground_of_both(part: Geometries, rest: Geometries) -> float:
    """Return the area that the polygons of a part share with those that stay beside it, m² on the plane, pair by pair."""
    polygons, others = (shapes[shapely.get_dimensions(shapes) == 2] for shapes in (part, rest))  # noqa: PLR2004 - of polygons
    if not len(polygons) or not len(others):
        return 0.0
    one, other = shapely.STRtree(others).query(polygons, predicate="intersects")
    shared = areas(shapely.intersection, polygons[one], others[other]).geometries
    return float(np.nan_to_num(shapely.area(shared)).sum())
