"""Parcels that share ground: their land would count twice in a unit, so they are in none; frames only."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.derived import areas
from lowland_gis.analysis.units.facing import Floats, Ints

Shapes = npt.NDArray[np.object_]

# Two parcels that share so much of the smaller are an error of the delivery, not of digitising.
SHARE = 0.05
REASON = "overlaps another parcel"
# Pairs that are looked at at once, so that memory does not grow with the district.
_AT_ONCE = 20_000
# Places are numbers of seven digits before the point, so boxes of the same area may differ by a rounding.
_TOLERANCE = 1e-6


def no_pairs() -> pd.DataFrame:
    """Return the pairs of a delivery without overlaps."""
    none = np.empty(0, dtype=object)
    return pd.DataFrame({"one": none, "other": none, "area_m2": np.empty(0), "share": np.empty(0)})


def overlapping(parcels: gpd.GeoDataFrame, *, share: float = SHARE) -> pd.DataFrame:
    """Return pairs of parcels that share more than a part of the smaller: one, other (codes), area_m2, share (of the smaller).

    What two parcels share and cannot be measured (NaN) is in doubt, so the pair is among them.
    """
    shapes = parcels.geometry.to_numpy()
    size = shapely.area(shapes)
    pairs = _sharing(shapes, size, share)
    area = shapely.area(areas(shapely.intersection, shapes[pairs[0]], shapes[pairs[1]]).geometries)
    part = area / np.minimum(size[pairs[0]], size[pairs[1]])
    large = ~(part <= share)
    codes = parcels["parcel_id"].to_numpy(dtype=object)
    names = np.sort(codes[pairs[:, large]].astype(str), axis=0).astype(object)
    return pd.DataFrame(
        {"one": names[0], "other": names[1], "area_m2": area[large], "share": part[large]}
    ).sort_values(["one", "other"], ignore_index=True)


def _sharing(shapes: Shapes, size: Floats, share: float) -> Ints:
    """Return pairs (first < second, sorted) that overlap or of which one covers the other, but those that share less for certain.

    What two parcels share lies within what the boxes around them share, also where these are turned along the longest edge of one of
    them. That tells most neighbours apart for a tenth of what the predicates cost.
    """
    pairs = shapely.STRtree(shapes).query(shapes)
    pairs = pairs[:, pairs[0] < pairs[1]]
    pairs = pairs[:, np.lexsort(pairs[::-1])]
    boxes = _Boxes(shapes)
    for turn in (1, -1):
        parts = range(0, pairs.shape[1], _AT_ONCE)
        most = [boxes.shared(*pairs[::turn, begin : begin + _AT_ONCE]) for begin in parts]
        least = share * (1 - _TOLERANCE) * np.minimum(*size[pairs])
        pairs = pairs[:, ~(np.concatenate([*most, least[:0]]) < least)]
    one, other = shapes[pairs]
    met = shapely.overlaps(one, other) | shapely.covers(one, other) | shapely.covered_by(one, other)
    return np.asarray(pairs[:, met])


class _Boxes:
    """Boxes around areas, each turned along its longest edge."""

    def __init__(self, shapes: Shapes) -> None:
        self._points, owner = shapely.get_coordinates(shapes, return_index=True)
        self._start = np.searchsorted(owner, np.arange(len(shapes) + 1))
        edge = np.diff(self._points, axis=0, append=self._points[-1:])
        length = np.hypot(*edge.T)
        # From the last point of an area to the next one's first is no edge.
        length[self._start[1:][self._start[1:] > 0] - 1] = 0.0
        longest = np.lexsort((length, owner))[self._start[1:] - 1] if len(owner) else self._start[1:]
        unit = np.divide(edge, length[:, None], out=np.zeros_like(edge), where=length[:, None] > 0)
        self._along = unit[longest] if len(owner) else np.empty((len(shapes), 2))

    def shared(self, one: Ints, other: Ints) -> Floats:
        """Return what the boxes around pairs of areas share, in m², where both are turned as that of the first."""
        along = self._along[one]
        shared = np.ones(len(one))
        for axis in (along, along[:, ::-1] * (1.0, -1.0)):
            (low, high), (least, most) = self._extent(one, axis), self._extent(other, axis)
            shared *= np.maximum(np.minimum(high, most) - np.maximum(low, least), 0.0)
        return shared

    def _extent(self, areas: Ints, axis: Floats) -> tuple[Floats, Floats]:
        """Return how far areas, none of them empty, reach along an axis each."""
        count = self._start[areas + 1] - self._start[areas]
        begin = np.cumsum(count) - count
        place = np.arange(count.sum()) + np.repeat(self._start[areas] - begin, count)
        reach = np.einsum("ij,ij->i", self._points[place], np.repeat(axis, count, axis=0))
        return np.minimum.reduceat(reach, begin), np.maximum.reduceat(reach, begin)


def both_free(pairs: pd.DataFrame, parcel_id: pd.Series, reason: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Add `apart` to pairs: might both parcels be in a unit, but for their overlap? `reason` says why a parcel may not."""
    free = set(parcel_id[pd.isna(reason)])
    return pairs.assign(apart=(pairs["one"].isin(free) & pairs["other"].isin(free)).to_numpy(dtype=bool))


def said_of(
    pairs: pd.DataFrame, parcel_id: pd.Series, reason: npt.NDArray[np.object_]
) -> npt.NDArray[np.object_]:
    """Return the reasons with those of the parcels that are in no unit because of the ground that they share.

    Which of two parcels the ground belongs to is not known, so both stay out.
    """
    apart = pairs[pairs["apart"]]
    turned = apart.rename(columns={"one": "other", "other": "one"})
    ends = pd.concat([apart, turned]).sort_values(["one", "area_m2", "other"], ascending=[True, False, True])
    partners = {
        code: f"{REASON}: {_shared(rows['other'].iloc[0], rows)}"
        for code, rows in ends.groupby("one", sort=True)
    }
    said = parcel_id.map(partners).to_numpy(dtype=object)
    return np.where(pd.isna(said), reason, said)


def _shared(other: str, rows: pd.DataFrame) -> str:
    more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"{measured(rows['area_m2'].iloc[0], rows['share'].iloc[0])} with {other}{more}"


def measured(area_m2: float, share: float) -> str:
    """Return in words what two parcels share."""
    return f"{area_m2:,.0f} m² ({share:.1%} of the smaller one)" if np.isfinite(area_m2) else "ground"
