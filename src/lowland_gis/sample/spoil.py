"""Spoil a stated small share of the records, as real deliveries are, and say exactly what was spoilt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import Polygon

from lowland_gis.sample.codes import Purpose
from lowland_gis.sample.dice import Flags, Ints, generator
from lowland_gis.sample.lots import INDUSTRIAL, Lots

Record = tuple[str, str, str, str]
UNKNOWN_CODES = {"dltb2": "999", "building": "99"}
SWELL_M = 0.8
SLIVER_M = 0.4
LOOP_SHARE = 0.18
SMALLEST_SPOILT_M2 = 700.0
LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)


SHAPE = "geometry"


@dataclass(frozen=True)
class Planted:
    """The field that names a record of a layer, and the faults that are planted with the field that each one spoils."""

    key: str
    faults: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SpoiltShares:
    """Shares of records that are spoilt: of the parcels by fault, of seven other layers in total, and of every layer.

    A share above 0 spoils at least one record of each kind, so that small districts have them all; 0 spoils none. What
    `every_layer` spoils would sway verdicts that the truth knows nothing of (a red line that is swollen, a contract whose days
    are reversed), so a district that is to be classified goes without it.
    """

    no_enterprise: float = 0.0012
    bow_tie: float = 0.0007
    self_touching: float = 0.0006
    overlap: float = 0.0006
    duplicate: float = 0.0006
    missing_use: float = 0.0003
    other_layers: float = 0.005
    every_layer: float = 0.0


NOTES = {
    "no_enterprise": "三年企业表中均无该宗地，税收产出未知，应判为待核",
    "bow_tie": "界址线自相交（蝴蝶结），修复后面积变小，类别不变",
    "self_touching": "界址线自接触，修复后带洞，类别不变",
    "overlap": "外扩0.8米压盖四邻，类别不变",
    "duplicate": "同一宗地代码出现两次，应只判一次，类别不变",
    "missing_use": "用途（YT）缺失，类别不变",
    "sliver": "宽度约0.4米的碎片图斑",
    "unknown_code": "代码不在标准内",
    "missing_value": "必填值缺失",
    "null_geometry": "图形为空",
    "twice": "同一记录出现两次",
    "wrong_area": "面积字段与图形不符",
    "wrong_date": "终止日期早于起始日期",
    "short_code": "代码少一位",
    "foreign_code": "代码属于邻区",
    "wrong_check_digit": "统一社会信用代码校验位错误",
    "short_line": "长度约1米的碎线",
    "outside": "图形在行政区之外",
    "no_value": "栅格在区内缺值",
}


def spoil_parcels(
    parcels: gpd.GeoDataFrame, lots: Lots, seed: int, shares: SpoiltShares
) -> tuple[gpd.GeoDataFrame, dict[str, str]]:
    """Return the spoilt parcels and the fault of each spoilt ZDDM."""
    random = generator(seed, "spoil parcels")
    parcels = parcels.copy()
    shapes = parcels.geometry.to_numpy().copy()
    free = lots.area > SMALLEST_SPOILT_M2
    faults: dict[str, str] = {}
    for fault in ("bow_tie", "self_touching", "overlap", "duplicate", "missing_use", "no_enterprise"):
        candidates = free & _no_enterprise_candidates(lots) if fault == "no_enterprise" else free
        for row in _drawn(candidates, getattr(shares, fault) * len(lots), random):
            free[row] = False
            faults[parcels["ZDDM"].iloc[row]] = fault
            shapes[row] = _spoilt_shape(shapes[row], fault)
            if fault == "missing_use":
                parcels.loc[row, "YT"] = None
    parcels = parcels.set_geometry(gpd.GeoSeries(shapes, crs=parcels.crs))
    again = parcels[parcels["ZDDM"].map(faults.get) == "duplicate"].assign(BZ="重复登记（合成数据）")
    joined = pd.concat([parcels, again], ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=parcels.crs), faults


def _no_enterprise_candidates(lots: Lots) -> Flags:
    return np.asarray(
        lots.of(Purpose.WORKS) & (lots.kind == INDUSTRIAL) & (lots.subkind != "overdue"), dtype=bool
    )


def _drawn(candidates: Flags, count: float, random: np.random.Generator) -> list[int]:
    if count <= 0:
        return []
    places = np.flatnonzero(candidates)
    wanted = min(len(places), max(1, round(count)))
    return sorted(random.choice(places, wanted, replace=False).tolist())


def _spoilt_shape(shape: Any, fault: str) -> Any:
    if fault == "bow_tie":
        return bow_tie(shape)
    if fault == "self_touching":
        return self_touching(shape)
    if fault == "overlap":
        return swollen(shape)
    return shape


def swollen(shape: Any) -> Any:
    """Grow a polygon over its neighbours."""
    return shapely.set_precision(shapely.buffer(shape, SWELL_M, join_style="mitre"), 0.0001)


def sliver(shape: Any) -> Any:
    """Return a thin strip along the first edge of a polygon."""
    edge = shapely.LineString(shapely.get_coordinates(shape)[:2])
    return shapely.set_precision(shapely.buffer(edge, SLIVER_M / 2, cap_style="flat"), 0.0001)


def bow_tie(shape: Any) -> Any:
    """Exchange two neighbouring vertices so that the ring crosses itself; the first place where it does."""
    ring = shapely.get_coordinates(shapely.get_exterior_ring(shape))[:-1]
    for place in range(len(ring)):
        other = ring.copy()
        following = (place + 1) % len(ring)
        other[[place, following]] = other[[following, place]]
        crossed = Polygon(other)
        repaired = shapely.make_valid(crossed, method="structure", keep_collapsed=False)
        if not crossed.is_valid and 1.0 < abs(repaired.area - shape.area) < 0.3 * shape.area:
            return crossed
    half = len(ring) // 2
    return Polygon(np.concatenate([ring[:half], ring[half:][::-1]]))


def self_touching(shape: Any) -> Any:
    """Run the ring from one vertex round a small loop inside and back to the same vertex."""
    ring = shapely.get_coordinates(shapely.get_exterior_ring(shape))[:-1]
    middle = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    start = ring[0]
    first = start + LOOP_SHARE * (middle - start) + LOOP_SHARE * 0.3 * (ring[1] - start)
    second = start + LOOP_SHARE * (middle - start) + LOOP_SHARE * 0.3 * (ring[-1] - start)
    return Polygon(np.concatenate([[start], [first], [second], ring[:1], ring[1:]]))


def spoil_layer(
    layer: str, frame: gpd.GeoDataFrame, *, key: str, code: str, free: Flags, seed: int, share: float
) -> tuple[gpd.GeoDataFrame, list[Record]]:
    """Spoil a share of one layer: crossed rings, overlaps, slivers, unknown and missing codes, one empty shape."""
    random = generator(seed, f"spoil {layer}")
    frame = frame.copy()
    total = share * len(frame)
    if total == 0:
        return frame, []
    rows = random.permutation(_drawn(free, max(total, 5), random))
    shapes = frame.geometry.to_numpy().copy()
    parts = np.array_split(rows, 5)
    records: list[Record] = []
    for fault, part in zip(
        ("bow_tie", "overlap", "unknown_code", "missing_value", "sliver"), parts, strict=True
    ):
        for row in part.tolist():
            if fault in ("bow_tie", "overlap"):
                shapes[row] = _spoilt_shape(shapes[row], fault)
            elif fault in ("unknown_code", "missing_value"):
                frame.loc[row, code] = UNKNOWN_CODES.get(layer, "9999") if fault == "unknown_code" else None
            if fault != "sliver":
                records.append((layer, str(frame[key].iloc[row]), fault, NOTES[fault]))
    frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))
    joined = _with_slivers(frame, parts[4], key)
    records += [(layer, str(name), "sliver", NOTES["sliver"]) for name in joined[key].iloc[len(frame) :]]
    return joined, records


def _with_slivers(frame: gpd.GeoDataFrame, rows: Ints, key: str) -> gpd.GeoDataFrame:
    """Add a thin copy of the first edge of some features, under keys of their own."""
    if len(rows) == 0:
        return frame
    extra = frame.iloc[rows].copy()
    thin = [sliver(shape) for shape in extra.geometry]
    extra = extra.set_geometry(gpd.GeoSeries(thin, index=extra.index, crs=frame.crs))
    extra[key] = new_keys(frame[key], len(extra))
    joined = pd.concat([frame, extra], ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=frame.crs)


def new_keys(keys: pd.Series[Any], count: int) -> list[Any]:
    """Return keys that continue those of a layer: the last run of digits counts on, beyond any that is used.

    Names without digits get a number.

    >>> new_keys(pd.Series(["BC-000001", "BC-000007"]), 2)
    ['BC-000008', 'BC-000009']
    >>> new_keys(pd.Series([1, 2]), 1)
    [3]
    """
    if pd.api.types.is_numeric_dtype(keys.dtype):
        highest = int(keys.max())
        return list(range(highest + 1, highest + 1 + count))
    runs = [LAST_NUMBER.fullmatch(text) for text in keys]
    if not any(runs):
        return [f"{keys.iloc[0]}{number}" for number in range(1, 1 + count)]
    highest = max(int(run[2]) for run in runs if run)
    before, digits, after = next(run for run in reversed(runs) if run).groups()
    return [f"{before}{highest + step:0{len(digits)}d}{after}" for step in range(1, count + 1)]


def drop_shape(
    layer: str, frame: gpd.GeoDataFrame, *, key: str, row: int
) -> tuple[gpd.GeoDataFrame, list[Record]]:
    """Empty the shape of one feature."""
    shapes = frame.geometry.to_numpy().copy()
    shapes[row] = None
    record = (layer, str(frame[key].iloc[row]), "null_geometry", NOTES["null_geometry"])
    return frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs)), [record]
