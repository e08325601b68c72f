"""What became of the parcels of units that people froze: gone, on other ground, or with another verdict; frames in, frames out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lowland_gis.analysis.geometry.derived import areas

if TYPE_CHECKING:
    import geopandas as gpd

GONE, OTHER_GROUND, OTHER_VERDICT = "gone", "other ground", "other verdict"
# An outline that lies a millimetre beside the one before, on average, is the same one written again: formats round that far.
_MOVED_M = 0.001
# Who lies on so little of the ground of a parcel that is gone only touches it.
_TOUCHES = 0.01

Geometries = npt.NDArray[np.object_]


def member_changes(
    was: gpd.GeoDataFrame,
    now: gpd.GeoDataFrame,
    beneath: gpd.GeoDataFrame,
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return what became of the parcels of units: number, parcel_id, how, words; a parcel may be named twice.

    `was` are the parcels as they were when the units were frozen: number (of the unit), parcel_id, area_m2 (ellipsoidal), answer, low
    (was it low-efficiency?), geometry. `now` are the parcels in force: parcel_id, area_m2, answer, low, geometry. `beneath` are the
    parcels in force that lie near those that are gone: gone (code), parcel_id, geometry. What is missing on either side is not compared.
    `titles` name answers.
    """
    names = titles or {}
    joined = was.merge(now, on="parcel_id", how="left", suffixes=("", "_now"), indicator=True)
    there = (joined["_merge"] == "both").to_numpy(dtype=bool)
    kept = joined[there]
    found = [
        _gone(joined[~there], beneath),
        kept.assign(how=OTHER_GROUND, words=_ground_words(kept)),
        kept.assign(how=OTHER_VERDICT, words=_verdict_words(kept, names)),
    ]
    rows = pd.concat([part[["number", "parcel_id", "how", "words"]] for part in found], ignore_index=True)
    told: pd.DataFrame = rows[rows["words"].notna()]
    return told.sort_values(["number", "parcel_id", "how"], ignore_index=True, kind="stable")


def _gone(gone: pd.DataFrame, beneath: gpd.GeoDataFrame) -> pd.DataFrame:
    """Say who lies on the ground of parcels that are gone, the largest share first: a parcel that was split names its pieces."""
    lying = beneath.groupby("gone") if len(beneath) else None
    words = []
    for row in gone.to_dict("records"):
        code, shape = row["parcel_id"], row["geometry"]
        others = None if lying is None or code not in lying.groups else lying.get_group(code)
        ground = "" if pd.isna(row["area_m2"]) else f" ({row['area_m2']:,.2f} m²)"
        words.append(f"is no parcel any more{ground}; {_who(shape, others)}")
    return gone.assign(how=GONE, words=pd.Series(words, index=gone.index, dtype=object))


def _who(shape: shapely.Geometry | None, others: gpd.GeoDataFrame | None) -> str:
    if shape is None:
        return "where it lay is not known"
    if others is None:
        return "no parcel lies on its ground"
    shares = _shared(np.full(len(others), shape, dtype=object), others.geometry.to_numpy()) / shape.area
    held = pd.Series(shares, index=others["parcel_id"]).sort_values(ascending=False, kind="stable")
    held = held[held >= _TOUCHES]
    if held.empty:
        return "no parcel lies on its ground"
    return "on its ground lie " + ", ".join(f"{code} ({share:.1%})" for code, share in held.items())


def _ground_words(kept: pd.DataFrame) -> pd.Series[Any]:
    """Return for each parcel with another outline its areas and how much of its ground it still holds; None for the others."""
    words = pd.Series(None, index=kept.index, dtype=object)
    before, after = (kept[name].to_numpy(dtype=object) for name in ("geometry", "geometry_now"))
    known = ~(shapely.is_missing(before) | shapely.is_missing(after))
    # Most parcels come again as they were: only those with other bytes are laid over each other.
    known[known] = shapely.to_wkb(before[known]) != shapely.to_wkb(after[known])
    shared = _shared(before[known], after[known])
    apart = shapely.area(before[known]) + shapely.area(after[known]) - 2 * shared
    moved = apart > _MOVED_M * shapely.length(before[known])
    shares = shared / shapely.area(before[known])
    rows = kept[known][moved]
    words[rows.index] = [
        f"has another outline: {old:,.2f} → {new:,.2f} m², {share:.1%} of its ground is as it was"
        for old, new, share in zip(rows["area_m2"], rows["area_m2_now"], shares[moved], strict=True)
    ]
    return words


def _verdict_words(kept: pd.DataFrame, titles: Mapping[str, str]) -> pd.Series[Any]:
    """Return for each parcel that was low-efficiency and is not any more both answers; None for the others."""
    # None, where it is not known, is neither.
    lost = kept["low"].isin([True]) & kept["low_now"].isin([False])
    words = pd.Series(None, index=kept.index, dtype=object)
    words[lost] = [
        f"is not low-efficiency any more: {_named(before, titles)} → {_named(after, titles)}"
        for before, after in zip(kept["answer"][lost], kept["answer_now"][lost], strict=True)
    ]
    return words


def _named(answer: object, titles: Mapping[str, str]) -> str:
    if not isinstance(answer, str):
        return "no verdict"
    return f"{answer} {titles[answer]}" if answer in titles else answer


def _shared(one: Geometries, other: Geometries) -> npt.NDArray[np.float64]:
    """Return the area that each pair of outlines shares, m² on the plane; 0 where it cannot be measured, so that it counts as moved."""
    shared = shapely.area(areas(shapely.intersection, one, other).geometries)
    return np.asarray(np.nan_to_num(shared), dtype=np.float64)
