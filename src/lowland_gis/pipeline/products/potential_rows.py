"""The potential of units as rows: the same for tables, files and briefs, so that one figure stands everywhere alike."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from lowland_gis.analysis.potential.bands import Band
from lowland_gis.analysis.potential.gain import Gain
from lowland_gis.analysis.potential.parameters import MEANINGS, Parameters
from lowland_gis.pipeline.products.potential import UnitPotential
from lowland_gis.quantities import M2_PER_HA, UNITS

Ends = tuple[float | None, float | None]
UNKNOWN_TEXT = "未知"
# A ratio has no unit.
NO_UNIT = "—"
# Of hectares, m² and 万元; finer would be what the arithmetic leaves.
_DIGITS = 4
LAND, MONEY, BENEFIT = "潜力", "资金", "公益性用地"
_TITLES = {
    "land": "可再开发用地", "idle": "闲置低效用地", "freed": "按规划密度可节约用地", "floor_now": "现状建筑面积（低效用地）",
    "vacant": "其中：空置建筑面积", "floor_plan": "规划建筑面积（低效用地）", "floor": "可增建筑面积",
}  # fmt: skip
_IN_HECTARES = ("land", "idle", "freed")
FIGURE_COLUMNS = ["group", "key", "figure", "low", "high", "unit", "unknown_ha", "hangs_on"]
USE_COLUMNS = ["rank", "key", "use", "score_low", "score_high", "reasons"]
PARCEL_COLUMNS = [
    "parcel_id",
    "kind",
    "area_ha",
    "land_low_ha",
    "land_high_ha",
    "floor_low_m2",
    "floor_high_m2",
    "hangs_on",
]
PARAMETER_COLUMNS = [
    "name",
    "title",
    "use",
    "kind",
    "zone",
    "low",
    "high",
    "unit",
    "document",
    "date",
    "example",
]
UNIT_COLUMNS = [
    "unit_id", "town_code", "area_ha", "low_ha", "land_low_ha", "land_high_ha", "floor_low_m2", "floor_high_m2", "unknown_ha",
    "public_short_low_ha", "public_short_high_ha", "reserve_low_wan", "reserve_high_wan", "owner_low_wan", "owner_high_wan", "next_use",
]  # fmt: skip
# Headings of files, which people open.
HEADINGS = {
    "group": "类别", "key": "代码", "figure": "指标", "low": "下限", "high": "上限", "unit": "单位", "unknown_ha": "依据不明用地（公顷）",
    "hangs_on": "缺少依据", "rank": "排序", "use": "用途", "score_low": "得分下限", "score_high": "得分上限", "reasons": "理由",
    "parcel_id": "宗地代码", "kind": "低效用地类型", "area_ha": "面积（公顷）", "land_low_ha": "可再开发用地下限（公顷）",
    "land_high_ha": "可再开发用地上限（公顷）", "floor_low_m2": "可增建筑面积下限（m²）", "floor_high_m2": "可增建筑面积上限（m²）",
    "name": "参数", "title": "名称", "zone": "规划分区", "document": "依据", "date": "日期", "example": "示例", "unit_id": "单元编号",
    "town_code": "镇街代码", "low_ha": "低效面积（公顷）", "public_short_low_ha": "公益性用地缺口下限（公顷）",
    "public_short_high_ha": "公益性用地缺口上限（公顷）", "reserve_low_wan": "收储再开发盈亏下限（万元）",
    "reserve_high_wan": "收储再开发盈亏上限（万元）", "owner_low_wan": "自主改造盈亏下限（万元）",
    "owner_high_wan": "自主改造盈亏上限（万元）", "next_use": "首选用途",
}  # fmt: skip


def figure_rows(unit: UnitPotential, parameters: Parameters) -> list[dict[str, Any]]:
    """Return the figures of a unit, one a row: `FIGURE_COLUMNS`; an end that is not known is None."""
    return [*_land_rows(unit), *_public_rows(unit), *_money_rows(unit, parameters)]


def use_rows(unit: UnitPotential) -> list[dict[str, Any]]:
    """Return the next uses of a unit, best first: `USE_COLUMNS`."""
    return [
        dict(
            zip(
                USE_COLUMNS,
                (
                    use.rank,
                    use.key,
                    use.title,
                    _end(use.score.low),
                    _end(use.score.high),
                    "；".join(use.reasons),
                ),
                strict=True,
            )
        )
        for use in unit.uses
    ]


def parcel_rows(unit: UnitPotential, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the parcels of a unit: `PARCEL_COLUMNS`."""
    rows = []
    for each in unit.gains:
        kind = each.parcel.kind
        title = None if kind is None else titles.get(kind, kind)
        land = ends(each.land.times(1 / M2_PER_HA))
        lacks = "、".join(dict.fromkeys(what for _, what in each.missing))
        values = (
            each.parcel.parcel_id, title, _end(each.parcel.area_m2 / M2_PER_HA), *land, *floor_ends(each), lacks,
        )  # fmt: skip
        rows.append(dict(zip(PARCEL_COLUMNS, values, strict=True)))
    return rows


def floor_ends(each: Gain) -> Ends:
    """Return both ends of the floor area that a parcel gains."""
    return _as_known(each.floor, nothing_known=bool(each.lacks("floor")), all_land=False)


def parameter_rows(parameters: Parameters) -> list[dict[str, Any]]:
    """Return every parameter with its document: `PARAMETER_COLUMNS`, in the unit that it is given in."""
    rows = []
    for each in parameters.parameter:
        low, high = (each.value, each.value) if each.value is not None else (each.low, each.high)
        if each.unit == "share":
            # People write a share in percent.
            low, high = (None if end is None else round(end * 100, _DIGITS) for end in (low, high))
        values = (
            each.name, MEANINGS[each.name].title, each.use, each.kind, each.zone, low, high, UNITS[each.unit].written or NO_UNIT,
            each.document, None if each.date is None else each.date.isoformat(), each.example,
        )  # fmt: skip
        rows.append(dict(zip(PARAMETER_COLUMNS, values, strict=True)))
    return rows


def unit_row(unit: UnitPotential) -> dict[str, Any]:
    """Return a unit as one row: `UNIT_COLUMNS`."""
    reserve, owner = unit.balances
    values = (
        unit.unit_id, unit.town_code, _end(unit.area_m2 / M2_PER_HA), _end(unit.low_m2 / M2_PER_HA), *_figure_ends(unit, "land"),
        *_figure_ends(unit, "floor"), _end(unit.figures["floor"].unknown_m2 / M2_PER_HA), *_public_ends(unit, unit.public.short),
        *ends(reserve.left), *ends(owner.left), unit.uses[0].title,
    )  # fmt: skip
    return dict(zip(UNIT_COLUMNS, values, strict=True))


def said(low: float | None, high: float | None, unit: str = "") -> str:
    """Return a band as people read it; an end that is None is not known.

    >>> said(1.0, 2.5, "公顷"), said(2.0, 2.0), said(3.0, None), said(None, 4.0), said(None, None)
    ('1.00～2.50 公顷', '2.00', '不低于 3.00，上限未知', '不超过 4.00，下限未知', '未知')
    """
    tail = f" {unit}" if unit else ""
    if low is None and high is None:
        return UNKNOWN_TEXT
    if high is None:
        return f"不低于 {low:,.2f}{tail}，上限未知"
    if low is None:
        return f"不超过 {high:,.2f}{tail}，下限未知"
    # Two ends that are read alike are one number.
    if f"{low:,.2f}" == f"{high:,.2f}":
        return f"{low:,.2f}{tail}"
    return f"{low:,.2f}～{high:,.2f}{tail}"


def _land_rows(unit: UnitPotential) -> Iterator[dict[str, Any]]:
    yield _row(LAND, "area", "单元面积", ends(Band.of(unit.area_m2 / M2_PER_HA)), "公顷")
    yield _row(LAND, "low", "低效用地面积", ends(Band.of(unit.low_m2 / M2_PER_HA)), "公顷")
    for name, title in _TITLES.items():
        figure = unit.figures[name]
        measure = "公顷" if name in _IN_HECTARES else "m²"
        yield _row(LAND, name, title, _figure_ends(unit, name), measure, (figure.unknown_m2, figure.lacks))


def _figure_ends(unit: UnitPotential, name: str) -> Ends:
    """Return both ends of a figure in the unit that it is told in."""
    figure = unit.figures[name]
    band = figure.band.times(1 / M2_PER_HA) if name in _IN_HECTARES else figure.band
    nowhere = bool(figure.lacks) and figure.unknown_m2 >= unit.low_m2 * (1 - 1e-9)
    return _as_known(band, nothing_known=nowhere, all_land=name in _IN_HECTARES)


def _as_known(band: Band, *, nothing_known: bool, all_land: bool) -> Ends:
    """Return both ends; where an input is known of no land, that a figure is not negative and at most all the land is no figure."""
    low, high = ends(band)
    if not nothing_known:
        return low, high
    return (None if low == 0 else low), (None if all_land else high)


def _public_ends(unit: UnitPotential, band: Band) -> Ends:
    return ends(band.times(1 / M2_PER_HA)) if unit.public.known else (None, None)


def _public_rows(unit: UnitPotential) -> Iterator[dict[str, Any]]:
    benefit = unit.public
    lacking = (0.0, ()) if benefit.known else (unit.area_m2, ("详细规划",))
    wanted = ends(benefit.wanted.times(1 / M2_PER_HA))
    planned, short = (_public_ends(unit, band) for band in (benefit.planned, benefit.short))
    yield _row(BENEFIT, "public_planned", "规划公益性用地", planned, "公顷", lacking)
    yield _row(BENEFIT, "public_wanted", "按最低占比应有公益性用地", wanted, "公顷")
    yield _row(BENEFIT, "public_short", "公益性用地缺口", short, "公顷", lacking)


def _money_rows(unit: UnitPotential, parameters: Parameters) -> Iterator[dict[str, Any]]:
    for balance in unit.balances:
        way = getattr(parameters.way, balance.way).title
        for number, line in enumerate(balance.lines, start=1):
            key, title = f"{balance.way}_{number}", f"{way}：{line.title}"
            yield _row(MONEY, key, title, ends(line.band), "万元", (0.0, line.lacks))
        yield _row(MONEY, f"{balance.way}_left", f"{way}：盈亏", ends(balance.left), "万元")


def _row(
    group: str,
    key: str,
    title: str,
    both: Ends,
    unit: str,
    lacking: tuple[float, tuple[str, ...]] = (0.0, ()),
) -> dict[str, Any]:
    unknown_m2, lacks = lacking
    values = (group, key, title, *both, unit, _end(unknown_m2 / M2_PER_HA), "、".join(lacks))
    return dict(zip(FIGURE_COLUMNS, values, strict=True))


def ends(band: Band) -> Ends:
    """Return both ends; where nothing is known of an amount, that it is not negative is no figure."""
    return (_end(band.low), _end(band.high)) if band.known else (None, None)


def _end(value: float) -> float | None:
    # No zero has a sign.
    return None if math.isinf(value) else round(value, _DIGITS) + 0.0
