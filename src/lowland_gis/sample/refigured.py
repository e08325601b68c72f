"""Firms and contracts of the second year: figures that fall and rise, firms that close and come, contracts that are finished or late."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lowland_gis.sample.codes import Purpose
from lowland_gis.sample.dice import Flags, Floats, Ints, generator
from lowland_gis.sample.firms import M2_PER_MU, credit_codes
from lowland_gis.sample.grown import Growth
from lowland_gis.sample.lots import INDUSTRIAL, NONE

SECOND_YEAR = 2024
CODE, CREDIT, NAME = "宗地代码", "统一社会信用代码", "企业名称"
TAX, OUTPUT, STOPPED, GROUND = "亩均税收（万元/亩）", "亩均产出（万元/亩）", "停产月数", "占地面积（亩）"
TAX_MIN, OUTPUT_MIN = 5.0, 100.0
# What the next edition asks for: the first of these by which some firm of good output but little tax is low-efficient by now.
STEPS = (300, 350, 400, 500, 700, 900)
CLEAR = 0.03
NEW_CREDIT = 70_000_000
COMPLETED_BY = np.datetime64("2022-12-31", "D")
CLEAR_DAYS = 45


def firm_table(growth: Growth) -> tuple[pd.DataFrame, int]:
    """Return the firms of the second year, and the output (万元/亩) that the second edition asks for.

    Figures wander a little where that moves no kind; those of a firm with little tax and good output stay exactly what they were, so that
    the edition alone makes low-efficient land of it.
    """
    rows = growth.first.firms.copy()
    random = generator(growth.seed, "year firms")
    lot = _lots_of(growth, rows)
    calm = (rows[TAX] < TAX_MIN).to_numpy() & (rows[OUTPUT] >= OUTPUT_MIN).to_numpy()
    for column, digits in ((TAX, 2), (OUTPUT, 1), ("亩均投资（万元/亩）", 1)):
        wander = np.where(calm, 1.0, random.uniform(0.97, 1.04, len(rows)))
        rows[column] = np.round(rows[column] * wander, digits)
    rows["年份"] = SECOND_YEAR
    idle = rows[STOPPED].to_numpy() >= 12  # noqa: PLR2004 - months
    rows[STOPPED] = np.where(idle, rows[STOPPED] + 12, 0)
    table = _Table(growth, rows, lot, random)
    table.change()
    limit = _by_rule(table)
    table.new_owners()
    return table.rows.reset_index(drop=True), limit


def _lots_of(growth: Growth, rows: pd.DataFrame) -> Ints:
    index = pd.Series(np.arange(len(growth.first.codes)), index=growth.first.codes)
    return index.reindex(rows[CODE]).to_numpy(dtype=np.int64)


class _Table:
    """The table of the year as it changes, and the firms that are free to."""

    def __init__(self, growth: Growth, rows: pd.DataFrame, lot: Ints, random: np.random.Generator) -> None:
        self.growth, self.rows, self.lot, self.random = growth, rows, lot, random
        self._fresh = 0
        kinds = growth.first.district.lots.kind
        self.calm = (rows[TAX] < TAX_MIN).to_numpy() & (rows[OUTPUT] >= OUTPUT_MIN).to_numpy()
        self.kind = kinds[lot]
        self.cause = growth.first.district.lots.subkind[lot]

    def change(self) -> None:
        """Let some figures fall and rise, a firm close, and another one come."""
        poor = (self.kind == INDUSTRIAL) & (self.cause == "tax")
        good = (self.kind == NONE) & ~self.calm
        for number in self._chosen(good, "fall"):
            self._become(number, INDUSTRIAL, "firm_figures", (1.0, 3.0), (20.0, 60.0), "税收、产出大幅下降")
        for number in self._chosen(poor, "rise"):
            self._become(number, NONE, "firm_figures", (9.0, 12.0), (1200.0, 1500.0), "技改后税收、产出提高")
        for number in self._chosen(good, "close"):
            self._become(number, INDUSTRIAL, "firm_closed", (0.0, 0.0), (0.0, 0.0), "企业关停")
            self.rows.loc[number, STOPPED] = 12
        for number in self._chosen(poor, "come"):
            self._replace(number)
            self._become(number, NONE, "firm_new", (15.0, 20.0), (1200.0, 1500.0), "新企业入驻")

    def _chosen(self, candidates: Flags, topic: str) -> list[int]:
        free = candidates & self.growth.free[self.lot]
        order = generator(self.growth.seed, f"year firms {topic}").permutation(np.flatnonzero(free))
        return [int(number) for number in order[: max(1, self.growth.count() // 2)]]

    def _become(
        self,
        number: int,
        kind: str,
        cause: str,
        tax: tuple[float, float],
        output: tuple[float, float],
        note: str,
    ) -> None:
        self.rows.loc[number, TAX] = round(self.random.uniform(*tax), 2)
        self.rows.loc[number, OUTPUT] = round(self.random.uniform(*output), 1)
        row = int(self.lot[number])
        self.growth.free[row] = False
        self.growth.become(row, kind, cause, note)

    def _replace(self, number: int) -> None:
        before, after = str(self.rows[CREDIT].iloc[number]), self._credit()
        self.rows.loc[number, CREDIT] = after
        self.rows.loc[number, NAME] = f"示例新兴企业有限公司（虚构N{self._fresh:04d}）"
        code = str(self.rows[CODE].iloc[number])
        add = self.growth.changes.add
        add("enterprise", "removed", "firm_closed", before=[before], note=f"迁出宗地{code}")
        add("enterprise", "added", "firm_new", after=[after], note=f"迁入宗地{code}")

    def _credit(self) -> str:
        self._fresh += 1
        return str(credit_codes(np.array([NEW_CREDIT + self._fresh]))[0])

    def new_owners(self) -> None:
        """Give the firms of split parcels to the larger piece, the other piece and new works a firm of its own."""
        growth = self.growth
        pieces = {record["ZDDM"]: record for record in growth.added}
        for number, row in enumerate(self.lot.tolist()):
            children = growth.children.get(row)
            if not children:
                continue
            before = str(self.rows[CODE].iloc[number])
            self._move(number, pieces[children[0]])
            credit = str(self.rows[CREDIT].iloc[number])
            growth.changes.add(
                "enterprise", "attribute_changed", "subdivided", before=[credit], after=[credit],
                fields=[f"{CODE}:{before}>{children[0]}"], note="随宗地分割",
            )  # fmt: skip
            for child in children[1:]:
                self._settle(pieces[child], 2.0, 40.0, "subdivided", number)
        for record in pieces.values():
            if str(record["ZL"]).endswith("新建工业用地"):
                self._settle(record, 20.0, 1300.0, "new_construction", 0)

    def _move(self, number: int, record: dict[str, Any]) -> None:
        self.rows.loc[number, CODE] = record["ZDDM"]
        self.rows.loc[number, GROUND] = round(record["ZDMJ"] / M2_PER_MU, 2)

    def _settle(self, record: dict[str, Any], tax: float, output: float, cause: str, like: int) -> None:
        credit = self._credit()
        values = {
            **dict(self.rows.iloc[like]), NAME: f"示例新兴企业有限公司（虚构N{self._fresh:04d}）", CREDIT: credit,
            CODE: record["ZDDM"], GROUND: round(record["ZDMJ"] / M2_PER_MU, 2), TAX: tax, OUTPUT: output, STOPPED: 0,
            "所在镇街": self._town(str(record["ZDDM"])),
        }  # fmt: skip
        self.rows = pd.concat([self.rows, pd.DataFrame([values])], ignore_index=True)
        self.growth.changes.add(
            "enterprise", "added", "firm_new", after=[credit], note=f"宗地{record['ZDDM']}（{cause}）"
        )

    def _town(self, code: str) -> str:
        places = self.growth.first.district.places
        names = dict(zip(places.town_codes, places.town_names, strict=True))
        return str(names[code[:9]])


def _by_rule(table: _Table) -> int:
    """Return the output that the second edition asks for; list what it makes low-efficient land of, and it alone.

    Firms whose output is near the limit are lifted clear of it, which is no change of kind under either edition.
    """
    rows, growth = table.rows, table.growth
    kinds = np.array([growth.kinds.get(str(code), "") for code in rows[CODE]], dtype=object)
    little = (rows[TAX] < TAX_MIN).to_numpy() & (kinds == NONE)
    output = rows[OUTPUT].to_numpy(dtype=float)
    limit = STEPS[-1]
    for step in STEPS:
        if _below(little, output, step).any():
            limit = step
            break
    near = little & (np.abs(output - limit) <= CLEAR * limit)
    rows.loc[near, OUTPUT] = np.round(limit * (1 + 2 * CLEAR), 1)
    for number in np.flatnonzero(_below(little, output, limit)).tolist():
        row = int(table.lot[number])
        growth.free[row] = False
        growth.become(row, INDUSTRIAL, "rule_changed", f"新版指标值亩均产出{limit}万元/亩，数据未变")
    return limit


def _below(little: Flags, output: Floats, limit: float) -> Flags:
    return np.asarray(little & (output < (1 - CLEAR) * limit), dtype=bool)


def contract_frame(growth: Growth) -> gpd.GeoDataFrame:
    """Return the contracts of the second year: some are finished by now, and some that are not are overdue by the day that has come."""
    first = growth.first
    rows = first.supplies.copy()
    lots = first.district.lots
    random = generator(growth.seed, "year contracts")
    finish = rows["YDDGSJ"].to_numpy().astype("datetime64[D]")
    for number in np.flatnonzero(rows["SJDGSJ"].isna().to_numpy() & (first.contracted >= 0)).tolist():
        lot = int(first.contracted[number])
        if not first.usable[lot] or lots.subkind[lot] == "overdue":
            continue
        near = abs(int((finish[number] - COMPLETED_BY).astype(int))) <= CLEAR_DAYS
        if near or random.random() < 0.5:  # noqa: PLR2004 - one in two
            _complete(growth, rows, number, lot)
        elif (
            finish[number] < COMPLETED_BY
            and lots.purpose[lot] == Purpose.WORKS
            and growth.kinds[str(lots.codes[lot])] == NONE
        ):
            growth.become(lot, INDUSTRIAL, "time_passed", "合同约定竣工期已超两年")
    return rows


def _complete(growth: Growth, rows: gpd.GeoDataFrame, number: int, lot: int) -> None:
    name, day = str(rows["DZJGH"].iloc[number]), np.datetime64("2024-06-30", "D")
    rows.loc[number, "SJDGSJ"] = pd.Timestamp(day)
    growth.changes.add(
        "supply", "attribute_changed", "contract_completed", before=[name], after=[name],
        fields=[f"SJDGSJ:>{day}"], note=f"宗地{growth.first.codes[lot]}已竣工",
    )  # fmt: skip
