"""Parcels that share ground: their land would count twice in a unit, so they are in none; frames only."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.derived import areas

# Two parcels that share so much of the smaller are an error of the delivery, not of digitising.
SHARE = 0.05
REASON = "overlaps another parcel"


def no_pairs() -> pd.DataFrame:
    """Return the pairs of a delivery without overlaps."""
    none = np.empty(0, dtype=object)
    return pd.DataFrame({"one": none, "other": none, "area_m2": np.empty(0), "share": np.empty(0)})


def overlapping(parcels: gpd.GeoDataFrame, *, share: float = SHARE) -> pd.DataFrame:
    """Return pairs of parcels that share more than a part of the smaller: one, other (codes), area_m2, share (of the smaller).

    What two parcels share and cannot be measured (NaN) is in doubt, so the pair is among them.
    """
    shapes = parcels.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    one, other = np.concatenate(
        [tree.query(shapes, predicate=predicate) for predicate in ("overlaps", "covers")], axis=1
    )
    pairs = np.unique(np.sort(np.stack([one, other])[:, one != other], axis=0), axis=1)
    size = shapely.area(shapes)
    area = shapely.area(areas(shapely.intersection, shapes[pairs[0]], shapes[pairs[1]]).geometries)
    part = area / np.minimum(size[pairs[0]], size[pairs[1]])
    large = ~(part <= share)
    codes = parcels["parcel_id"].to_numpy(dtype=object)
    names = np.sort(codes[pairs[:, large]].astype(str), axis=0).astype(object)
    return pd.DataFrame(
        {"one": names[0], "other": names[1], "area_m2": area[large], "share": part[large]}
    ).sort_values(["one", "other"], ignore_index=True)


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
