"""Measured values of parcels, each an array in the order of the parcels; NaN means that nothing is known.

Parcels are positions here: `parcel` columns count from 0 in the order of the parcels, `count` is how many there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from lowland_gis.loading import when_used
from lowland_gis.quantities import DAYS_PER_YEAR, MU_M2

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
Positions = npt.NDArray[np.intp]
Ints = npt.NDArray[np.int64]

_VACANT = ("2", "3")
_UNSAFE = ("C", "D")
SHOWN_CLASSES = 3
# A class below this share of the parcel is not named.
LEAST_CLASS = 0.0005

Statistic = Literal["density", "floor_area_ratio", "year", "vacant_share", "unsafe_share", "floor_area"]
ContractStatistic = Literal["overdue_years", "idle_years", "years_since_signing", "completed"]


@dataclass(frozen=True)
class LayerOverlaps:
    """The overlaps of parcels with one layer: position of the parcel, position in `codes`, area (m²) and share."""

    count: int
    codes: tuple[str, ...]
    parcel: Positions
    code: Positions
    area: Floats
    share: Floats

    @classmethod
    def of(cls, parcels: pd.Index[Any], overlaps: pd.DataFrame) -> LayerOverlaps:
        """Return the overlaps of a frame with parcel_id, code, area_m2 and share."""
        names = (overlaps[name].to_numpy(dtype=object) for name in ("parcel_id", "code"))
        areas = (overlaps[name].to_numpy(dtype=np.float64) for name in ("area_m2", "share"))
        return cls.of_columns(parcels, *names, *areas)

    @classmethod
    def of_columns(
        cls, parcels: pd.Index[Any], parcel_ids: Texts, codes: Texts, area: Floats, share: Floats
    ) -> LayerOverlaps:
        """Return the overlaps of columns, one entry an overlap."""
        code, names = pd.factorize(codes, sort=True)
        place = parcels.get_indexer(pd.Index(parcel_ids, dtype=parcels.dtype))
        return cls(
            len(parcels), tuple(map(str, names)), place.astype(np.intp), code.astype(np.intp), area, share
        )

    def sorted(self) -> LayerOverlaps:
        """Return the same by parcel and code."""
        order = np.lexsort((self.code, self.parcel))
        parcel, code, area, share = self.parcel, self.code, self.area, self.share
        return LayerOverlaps(self.count, self.codes, parcel[order], code[order], area[order], share[order])

    def having(self, codes: Collection[str]) -> npt.NDArray[np.bool_]:
        """Return which overlaps have one of the codes."""
        wanted = set(codes)
        return np.array([code in wanted for code in self.codes], dtype=bool)[self.code]


def overlap_share(layers: Collection[tuple[LayerOverlaps, Collection[str]]], count: int) -> Floats:
    """Return the share of each parcel in some codes of some layers, at most 1, and 0 where nothing overlaps.

    Where zones overlap each other the plain sum exceeds 1; the cap hides that here, the excess stays visible in the overlaps.
    """
    total = np.zeros(count)
    for overlaps, codes in layers:
        chosen = overlaps.having(codes)
        total += np.bincount(overlaps.parcel[chosen], overlaps.share[chosen], minlength=count)
    return np.minimum(total, 1.0)


def drift_band(
    share: Floats, area: Floats, perimeter: Floats, moved: MovedShares, tolerance_m: float
) -> tuple[Floats, Floats]:
    """Return the least and the greatest share when a layer is displaced by at most the tolerance in any direction.

    Moving the layer one way is moving the parcel the other way, and every moved parcel lies between the parcel drawn in and the
    parcel drawn out by the tolerance; what lies in the layer of these two bounds the share from both sides, and so does what lies
    outside. A shift also changes an overlap by no more than half the perimeter times the tolerance. The tightest of these counts.
    `area` (m²) and `perimeter` (m) are of the parcel on the plane; areas of `moved` that are NaN bound nothing.
    """
    swept = perimeter * tolerance_m / (2 * area)
    low = np.fmax.reduce(
        [moved.inner / area, 1 - moved.outside_outer / area, share - swept, np.zeros_like(share)]
    )
    high = np.fmin.reduce(
        [moved.outer / area, 1 - moved.outside_inner / area, share + swept, np.ones_like(share)]
    )
    # Where the share is unknown, so is its band.
    return np.minimum(low, share), np.maximum(high, share)


@dataclass(frozen=True)
class MovedShares:
    """Areas (m²) of the parcel drawn in (inner) and drawn out (outer): inside the classes, and outside of them."""

    inner: Floats
    outer: Floats
    outside_inner: Floats
    outside_outer: Floats


def composition(layers: Collection[LayerOverlaps], count: int, names: dict[str, str]) -> Texts:
    """Return the classes of each parcel as text, the largest first; None where nothing overlaps.

    >>> rows = pd.DataFrame({"parcel_id": ["P", "P"], "code": ["203", "104"], "area_m2": [9.0, 1.0], "share": [0.9, 0.1]})
    >>> composition([LayerOverlaps.of(pd.Index(["P"]), rows)], 1, {"203": "村庄"}).tolist()
    ['203村庄 90%、104 10%']
    """
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "parcel": item.parcel,
                    "code": np.array(item.codes, dtype=object)[item.code],
                    "share": item.share,
                }
            )
            for item in layers
        ]
    )
    rows = rows.groupby(["parcel", "code"], sort=True)["share"].sum().reset_index()
    rows = rows[rows["share"] >= LEAST_CLASS].sort_values(
        ["parcel", "share", "code"], ascending=[True, False, True], kind="stable"
    )
    place = rows.groupby("parcel").cumcount()
    rows, place = rows[place < SHOWN_CLASSES], place[place < SHOWN_CLASSES]
    labels = rows["code"].map({code: f"{code}{names.get(code, '')}" for code in rows["code"].unique()})
    percent = _percent(rows["share"].to_numpy())
    texts = labels.to_numpy(dtype=object) + " " + percent
    found = np.full(count, None, dtype=object)
    for number in range(SHOWN_CLASSES):
        here = (place == number).to_numpy()
        parcel = rows["parcel"].to_numpy()[here]
        found[parcel] = texts[here] if number == 0 else found[parcel] + "、" + texts[here]
    return found


def noted(details: Texts, shares: Floats, what: str) -> Texts:
    """Return details with a note of a share added where there is some.

    >>> noted(np.array([None, "203 90%"], dtype=object), np.array([0.0, 0.1]), "代码缺失").tolist()
    [None, '203 90%、代码缺失 10%']
    """
    found = details.copy()
    here = shares >= LEAST_CLASS
    notes = what + " " + _percent(shares[here])
    found[here] = _added(found[here], notes)
    return found


def noted_firms(allocation: Texts, uncoded: Ints) -> Texts:
    """Return allocations with a note of how many firms of a parcel have no credit code and how they were told apart.

    >>> noted_firms(np.array([None, "2家企业按用地面积分摊"], dtype=object), np.array([0, 1])).tolist()[1]
    '2家企业按用地面积分摊、1家企业无统一社会信用代码，按名称或行区分'
    """
    found = allocation.copy()
    here = uncoded > 0
    notes = np.array(
        [f"{number}家企业无统一社会信用代码，按名称或行区分" for number in uncoded[here].tolist()]
    )
    found[here] = _added(found[here], notes.astype(object))
    return found


def _added(details: Texts, notes: Texts) -> Texts:
    """Return details with notes behind them, or the notes alone where there is no detail (None)."""
    empty = np.array([detail is None for detail in details.tolist()], dtype=bool)
    return np.where(empty, notes, np.where(empty, "", details) + "、" + notes)


def _percent(shares: Floats) -> Texts:
    """Return percentages of one decimal, each number spelt once."""
    tenths = np.round(shares * 1000).astype(np.int64)
    spelt = {number: f"{number / 10:g}%" for number in np.unique(tenths).tolist()}
    return np.array([spelt[number] for number in tenths.tolist()], dtype=object)


def of_parts(values: list[Floats]) -> Floats:
    """Return what several rasters of a layer say of each parcel: the value of the one that has any; unknown where two say different things.

    A parcel on the seam of two rasters lies in both by a part only, and a median of parts is none of the whole.

    >>> of_parts([np.array([1.0, np.nan, 2.0, np.nan]), np.array([np.nan, 3.0, 4.0, np.nan])]).tolist()
    [1.0, 3.0, nan, nan]
    """
    stacked = np.array(values)
    least, most = np.fmin.reduce(stacked), np.fmax.reduce(stacked)
    joined: Floats = np.where(least == most, least, np.nan)
    return joined


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

    Columns: parcel, footprint_m2 (of the piece), floor_m2 (floor area of the building, in proportion to the piece;
    NaN unknown), year, use (利用状态), grade (房屋安全等级).
    """

    rows: pd.DataFrame


def building_statistic(area: Floats, pieces: BuildingPieces, statistic: Statistic) -> Floats:
    """Return a statistic over the buildings of each parcel; `area` holds planar areas in m².

    Density, floor area and floor-area ratio of a parcel without buildings are 0. A building year or a share of floor area is unknown
    without buildings, and as soon as a building with any floor area or footprint lacks the value it rests on.
    """
    rows, count = pieces.rows, len(area)
    parcel = rows["parcel"].to_numpy(dtype=np.intp)
    footprint, floor = (rows[name].to_numpy(dtype=np.float64) for name in ("footprint_m2", "floor_m2"))
    if statistic == "density":
        return np.asarray(_sums(parcel, footprint, count, empty=0.0) / area)
    if statistic == "floor_area_ratio":
        return np.asarray(_sums(parcel, floor, count, empty=0.0) / area)
    if statistic == "floor_area":
        return _sums(parcel, floor, count, empty=0.0)
    if statistic == "year":
        return _weighted(parcel, footprint, rows["year"].to_numpy(dtype=np.float64), count)
    column, wanted = ("use", _VACANT) if statistic == "vacant_share" else ("grade", _UNSAFE)
    return _weighted(parcel, floor, equals(rows[column], wanted), count)


def _weighted(parcel: Positions, weights: Floats, values: Floats, count: int) -> Floats:
    """Return the weighted mean by parcel; what weighs nothing is not asked, what is unknown makes the mean unknown."""
    heavy = weights != 0
    parcel, weights, values = parcel[heavy], weights[heavy], values[heavy]
    return np.asarray(_sums(parcel, weights * values, count) / _sums(parcel, weights, count))


def _sums(parcel: Positions, values: Floats, count: int, empty: float = np.nan) -> Floats:
    """Sum by parcel; one unknown makes the sum unknown, and `empty` stands where nothing is summed."""
    sums = np.bincount(parcel, values, minlength=count)
    return np.where(np.bincount(parcel, minlength=count) > 0, sums, empty)


def _greatest(parcel: Positions, values: Floats, count: int, empty: float) -> Floats:
    """Return the greatest by parcel; one unknown makes it unknown."""
    found = np.full(count, -np.inf)
    # The unknown is greater than everything, and unknown again at the end.
    np.maximum.at(found, parcel, np.where(np.isnan(values), np.inf, values))
    return np.where(np.isneginf(found), empty, np.where(np.isposinf(found), np.nan, found))


# --------------------------------------------------------------------------------------------------- enterprises


@dataclass(frozen=True)
class FirmValues:
    """A value of enterprises by parcel, and in words how several firms were put together (None for one firm)."""

    intensity: Floats
    allocation: Texts


def firm_keys(codes: Texts, names: Texts, rows: Sequence[int] | None = None) -> Texts:
    """Return what tells firms apart: the credit code, else the name, else the row itself.

    A code is optional (统一社会信用代码), so firms without one are never taken together for the lack of it. `rows` are the numbers of the
    rows among all, where only some of them are at hand.

    >>> firm_keys(np.array(["91A", None, None, None]), np.array(["甲厂", "甲厂", "乙厂", None])).tolist()
    ['code 91A', 'name 甲厂', 'name 乙厂', 'row 3']
    """
    by_row = np.array([f"row {row}" for row in (range(len(codes)) if rows is None else rows)], dtype=object)
    by_name = np.where(pd.notna(names), "name " + names.astype(str).astype(object), by_row)
    return np.where(pd.notna(codes), "code " + codes.astype(str).astype(object), by_name)


def reported_in(firms: pd.DataFrame, year: int | None) -> pd.DataFrame:
    """Return the rows on parcels of one year, or (None) of the newest year that any firm of the parcel reported."""
    rows = firms[firms["parcel"] >= 0]
    newest = rows.groupby("parcel")["year"].transform("max") if year is None else year
    return rows[rows["year"] == newest]


def firm_values(rows: pd.DataFrame, count: int) -> FirmValues:
    """Return the value of each parcel from the firms that reported for it (`reported_in`).

    `rows` has parcel, value (an intensity), floor_m2 and land_mu, one row a firm on a parcel. Several firms of a parcel weigh
    by the floor area that they use where all of them state it, else by their land in 亩; one firm that lacks the value, or one of
    several that lacks both areas, makes it unknown.
    """
    parcel = rows["parcel"].to_numpy(dtype=np.intp)
    floor, land = (rows[name].to_numpy(dtype=np.float64) for name in ("floor_m2", "land_mu"))
    number = np.bincount(parcel, minlength=count)
    by_floor = np.isfinite(_sums(parcel, np.where(floor > 0, floor, np.nan), count))
    weights = np.where(number[parcel] == 1, 1.0, np.where(by_floor[parcel], floor, land))
    values = _weighted(parcel, weights, rows["value"].to_numpy(dtype=np.float64), count)
    words = np.full(count, None, dtype=object)
    for many in np.unique(number[number > 1]).tolist():
        for floors, what in ((True, "建筑面积"), (False, "用地面积")):
            words[(number == many) & (by_floor == floors)] = f"{many}家企业按{what}分摊"
    return FirmValues(values, words)


def firm_parts(firms: pd.DataFrame, floor_m2: Floats, ground_m2: Floats) -> Floats:
    """Return which part of its firm's total each row of firms takes.

    `firms` has parcel, year and firm (`firm_keys`). A total is spread over the parcels that the firm stands on in the year, by the floor area of their
    buildings where all of them have some, else by their ground; `floor_m2` and `ground_m2` are by parcel.
    """
    parcel = firms["parcel"].to_numpy(dtype=np.intp)
    floor, ground = floor_m2[parcel], ground_m2[parcel]
    groups = firms.groupby(["firm", "year"]).ngroup().to_numpy()
    built = np.bincount(groups, ~(floor > 0)) == 0
    weights = np.where(built[groups], floor, ground)
    part: Floats = weights / np.bincount(groups, weights)[groups]
    return part


def intensities(firms: pd.DataFrame, part: Floats, ground_m2: Floats) -> Floats:
    """Return the value of each row of firms a 亩: as reported, else from the firm's total spread over its parcels.

    `firms` has parcel, value and total (万元), `part` is that of each row (`firm_parts`), `ground_m2` is by parcel.
    """
    ground = ground_m2[firms["parcel"].to_numpy(dtype=np.intp)]
    spread = firms["total"].to_numpy(dtype=np.float64) * part / (ground / MU_M2)
    reported = firms["value"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(reported), spread, reported)


# --------------------------------------------------------------------------------------------------- contracts


def contract_statistic(
    contracts: pd.DataFrame, count: int, as_of: dt.date, statistic: ContractStatistic
) -> Floats:
    """Return a statistic over the supply contracts of each parcel on a day.

    `contracts` has parcel and ISO dates or None: signed, agreed_start, actual_start, agreed_end, actual_end. Where `unsaid_start` or
    `unsaid_end` is true (without the columns: nowhere), the delivery does not tell when works began or ended, so an empty date is not open.
    overdue_years: since the agreed completion of the worst contract that is not completed; idle_years: since the agreed start of the
    worst one that has not begun; both 0 without a contract, and unknown where the agreed date of an open contract is.
    years_since_signing: of the newest contract; completed: 1 where every contract is, else 0; both unknown without a contract.
    """
    today = pd.Timestamp(as_of)
    parcel = contracts["parcel"].to_numpy(dtype=np.intp)
    dates = {
        name: pd.to_datetime(contracts[name], errors="coerce")
        for name in contracts.columns
        if name != "parcel" and not name.startswith("unsaid_")
    }
    no_start, no_end = (
        contracts[name].to_numpy(dtype=bool) if name in contracts else np.zeros(len(contracts), dtype=bool)
        for name in ("unsaid_start", "unsaid_end")
    )
    if statistic == "years_since_signing":
        return -_greatest(parcel, -_years(today, dates["signed"]), count, np.nan)
    done = (dates["actual_end"] <= today).to_numpy()
    if statistic == "completed":
        return 1 - _greatest(parcel, np.where(no_end, np.nan, 1.0 - done), count, np.nan)
    unsaid = no_end
    if statistic == "idle_years":
        done, unsaid = done | (dates["actual_start"] <= today).to_numpy(), no_start
    agreed = dates["agreed_end" if statistic == "overdue_years" else "agreed_start"]
    late = np.where(done, 0.0, np.clip(_years(today, agreed), 0.0, None))
    late = np.where(unsaid & (late > 0), np.nan, late)
    return _greatest(parcel, late, count, 0.0)


def _years(today: pd.Timestamp, dates: pd.Series[Any]) -> Floats:
    return np.asarray((today - dates).dt.days.to_numpy(dtype=np.float64) / DAYS_PER_YEAR)
