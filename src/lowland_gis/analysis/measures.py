"""Measured values of parcels, each an array in the order of the parcels; NaN means that nothing is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

DAYS_PER_YEAR = 365.25
_VACANT = ("2", "3")
_UNSAFE = ("C", "D")

Statistic = Literal["density", "floor_area_ratio", "year", "vacant_share", "unsafe_share"]


def overlap_share(
    parcels: pd.Index[Any], overlaps: pd.DataFrame, codes: Collection[tuple[str, str]]
) -> Floats:
    """Return the share of each parcel in some (layer, code) pairs, at most 1, and 0 where nothing overlaps.

    `overlaps` has layer, parcel_id, code and share. Where zones overlap each other the plain sum exceeds 1; the cap hides
    that here, the excess stays visible in the overlaps.
    """
    wanted = pd.MultiIndex.from_frame(overlaps[["layer", "code"]]).isin(list(codes))
    sums = overlaps[wanted].groupby("parcel_id")["share"].sum()
    return np.minimum(sums.reindex(parcels, fill_value=0.0).to_numpy(dtype=np.float64), 1.0)


def present(values: pd.Series[Any]) -> Floats:
    """Return 1 where a value is there, else 0."""
    return values.notna().to_numpy(dtype=np.float64)


def equals(values: pd.Series[Any], wanted: Collection[str]) -> Floats:
    """Return 1 where a value is one of the wanted, 0 where it is another, NaN where it is missing."""
    found = values.isin(list(wanted)).to_numpy(dtype=np.float64)
    return np.where(values.isna().to_numpy(), np.nan, found)


@dataclass(frozen=True)
class BuildingPieces:
    """Pieces of buildings on parcels, one row a pair.

    Columns: parcel_id, footprint_m2 (of the piece), floor_m2 (floor area of the building, in proportion to the piece;
    NaN unknown), year, use (利用状态), grade (房屋安全等级).
    """

    rows: pd.DataFrame


def building_statistic(parcels: pd.Series[Any], pieces: BuildingPieces, statistic: Statistic) -> Floats:
    """Return a statistic over the buildings of each parcel; `parcels` holds planar areas in m² by parcel_id.

    Density and floor-area ratio of a parcel without buildings are 0. A building year or a share of floor area is unknown
    without buildings, and as soon as a building with any floor area or footprint lacks the value it rests on.
    """
    rows = pieces.rows
    index = parcels.index
    area = parcels.to_numpy(dtype=np.float64)
    if statistic == "density":
        return _sums(rows, rows["footprint_m2"], index, fill=0.0) / area
    if statistic == "floor_area_ratio":
        return _sums(rows, rows["floor_m2"], index, fill=0.0) / area
    if statistic == "year":
        weighted = rows["footprint_m2"] * rows["year"]
        return _sums(rows, weighted, index) / _sums(rows, rows["footprint_m2"], index)
    column, wanted = ("use", _VACANT) if statistic == "vacant_share" else ("grade", _UNSAFE)
    part = rows["floor_m2"].where(rows[column].isin(wanted), 0.0).where(rows[column].notna())
    with np.errstate(invalid="ignore", divide="ignore"):
        share = _sums(rows, part, index) / _sums(rows, rows["floor_m2"], index)
    return np.where(np.isfinite(share), share, np.nan)


def _sums(rows: pd.DataFrame, values: pd.Series[Any], index: pd.Index[Any], fill: float = np.nan) -> Floats:
    """Sum by parcel so that one unknown makes the sum unknown."""
    sums = values.astype(np.float64).groupby(rows["parcel_id"]).agg(lambda group: group.sum(skipna=False))
    return sums.reindex(index, fill_value=fill).to_numpy(dtype=np.float64)


def latest_of_enterprises(parcels: pd.Index[Any], enterprises: pd.DataFrame) -> Floats:
    """Return the value of each parcel in the newest year that any of its firms reported.

    `enterprises` has parcel_id, year, value and land_mu. Several firms of a parcel weigh by their land in 亩; one firm that
    lacks the value makes it unknown.
    """
    newest = enterprises.groupby("parcel_id")["year"].transform("max")
    rows = enterprises[enterprises["year"] == newest]
    weights = rows["land_mu"].fillna(1.0).astype(np.float64)
    total = (rows["value"].astype(np.float64) * weights).groupby(rows["parcel_id"])
    sums = total.agg(lambda group: group.sum(skipna=False))
    means = sums / weights.groupby(rows["parcel_id"]).sum()
    return means.reindex(parcels).to_numpy(dtype=np.float64)


def overdue_years(parcels: pd.Index[Any], contracts: pd.DataFrame, as_of: dt.date) -> Floats:
    """Return the years since the agreed completion of the parcel's worst open contract.

    `contracts` has parcel_id, agreed and actual (ISO dates or None). Completed by `as_of`, or not yet due, counts 0, and so
    does a parcel without contract. A contract without agreed date is unknown unless it is completed.
    """
    agreed = pd.to_datetime(contracts["agreed"], errors="coerce")
    actual = pd.to_datetime(contracts["actual"], errors="coerce")
    today = pd.Timestamp(as_of)
    late = np.maximum((today - agreed).dt.days.to_numpy(dtype=np.float64) / DAYS_PER_YEAR, 0.0)
    years = pd.Series(np.where((actual <= today).to_numpy(), 0.0, late), index=contracts.index)
    worst = years.groupby(contracts["parcel_id"]).agg(lambda group: group.max(skipna=False))
    return worst.reindex(parcels, fill_value=0.0).to_numpy(dtype=np.float64)
