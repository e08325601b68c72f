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
    pairs = set(codes)
    wanted = [pair in pairs for pair in zip(overlaps["layer"], overlaps["code"], strict=True)]
    sums = overlaps[np.array(wanted, dtype=bool)].groupby("parcel_id")["share"].sum()
    shares: Floats = np.minimum(sums.reindex(parcels, fill_value=0.0).to_numpy(dtype=np.float64), 1.0)
    return shares


def present(values: pd.Series[Any]) -> Floats:
    """Return 1 where a value is there, else 0."""
    there: Floats = values.notna().to_numpy().astype(np.float64)
    return there


def equals(values: pd.Series[Any], wanted: Collection[str]) -> Floats:
    """Return 1 where a value is one of the wanted, 0 where it is another, NaN where it is missing."""
    found = values.isin(list(wanted)).to_numpy().astype(np.float64)
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
        density: Floats = _sums(rows["parcel_id"], rows["footprint_m2"], index, fill=0.0) / area
        return density
    if statistic == "floor_area_ratio":
        ratio: Floats = _sums(rows["parcel_id"], rows["floor_m2"], index, fill=0.0) / area
        return ratio
    if statistic == "year":
        return _weighted(rows, rows["footprint_m2"], rows["year"], index)
    column, wanted = ("use", _VACANT) if statistic == "vacant_share" else ("grade", _UNSAFE)
    given = rows[column].isin(wanted).astype(np.float64).where(rows[column].notna())
    return _weighted(rows, rows["floor_m2"], given, index)


def _weighted(
    rows: pd.DataFrame, weights: pd.Series[Any], values: pd.Series[Any], index: pd.Index[Any]
) -> Floats:
    """Return the weighted mean by parcel; what weighs nothing is not asked, what is unknown makes the mean unknown."""
    heavy = weights.astype(np.float64) != 0
    parcels, weights = rows["parcel_id"][heavy], weights[heavy].astype(np.float64)
    whole = _sums(parcels, weights, index)
    return (_sums(parcels, weights * values[heavy].astype(np.float64), index) / whole).astype(np.float64)


def _sums(
    parcels: pd.Series[Any], values: pd.Series[Any], index: pd.Index[Any], fill: float = np.nan
) -> Floats:
    """Sum by parcel so that one unknown makes the sum unknown."""
    sums = values.astype(np.float64).groupby(parcels).sum().mask(_any_missing(values, parcels))
    return sums.reindex(index, fill_value=fill).to_numpy().astype(np.float64)


def latest_of_enterprises(parcels: pd.Index[Any], enterprises: pd.DataFrame) -> Floats:
    """Return the value of each parcel in the newest year that any of its firms reported.

    `enterprises` has parcel_id, year, value and land_mu. Several firms of a parcel weigh by their land in 亩; one firm that
    lacks the value, or one of several that lacks its land, makes it unknown.
    """
    newest = enterprises.groupby("parcel_id")["year"].transform("max")
    rows = enterprises[enterprises["year"] == newest]
    alone = ~rows["parcel_id"].duplicated(keep=False)
    weights = rows["land_mu"].astype(np.float64).mask(alone, 1.0)
    return _weighted(rows, weights, rows["value"], parcels)


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
    parcel = contracts["parcel_id"]
    worst = years.groupby(parcel).max().mask(_any_missing(years, parcel))
    return worst.reindex(parcels, fill_value=0.0).to_numpy().astype(np.float64)


def _any_missing(values: pd.Series[Any], parcels: pd.Series[Any]) -> pd.Series[bool]:
    return values.isna().groupby(parcels).any()
