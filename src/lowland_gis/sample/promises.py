"""Contracts with promises of the firms (承诺): met, breached, due and unknown ones, planted beside the tables of the tax office, with the truth."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lowland_gis.sample.firms import YEARS, credit_codes
from lowland_gis.sample.write import write_table, write_workbook

FOLDER, TABLE, AMENDED, TRUTH = "promises", "承诺.xlsx", "承诺变更.xlsx", "truth.csv"
# How all of them stand is told for this day.
DAY = dt.date(2024, 6, 30)
# So many firms of each table are looked at; contracts are made for the first that reported every year.
_LOOKED_AT, _FIRMS = 200, 12
_LESS, _MORE = 0.9, 1.1
_SIGNED, _CHANGED = "2020-05-01", "2023-04-01"


def write_promises(folder: Path) -> None:
    """Write the tables of contracts, and the truth, of a district whose deliveries lie below `folder`.

    Nothing else is written, and nothing of the deliveries is changed. The truth says of each contract, item and year how it stands on
    `DAY` once the table, and after it that of the amendments, was recorded. All of it is made up.
    """
    figures = _figures(folder)
    planted = list(_planted(figures))
    target = folder / FOLDER
    write_workbook(target / TABLE, pd.DataFrame([row for rows, _ in planted for row in rows]))
    for firm in figures[_FIRMS - 1 :]:
        less = _row(
            "CN-2020-012", firm, 承诺年税收=_LESS * firm["tax"].min(), 考核起始年份=2022, 签订日期=_CHANGED
        )
        write_workbook(target / AMENDED, pd.DataFrame([less]))
    columns = ["contract", "item", "year", "status", "cause"]
    write_table(
        target / TRUTH, pd.DataFrame([each for _, truth in planted for each in truth], columns=columns)
    )


def _figures(folder: Path) -> list[dict[str, Any]]:
    """Return the first firms that reported every year on one parcel: credit code, parcel, name; tax and investment of the years in 万元."""
    tables = [
        pd.read_excel(
            folder / "incoming" / "税务局" / f"企业{year}.xlsx",
            engine="openpyxl",
            dtype={"统一社会信用代码": str, "宗地代码": str},
            nrows=_LOOKED_AT,
        )
        for year in YEARS
    ]
    every = pd.concat(tables).dropna(subset=["统一社会信用代码", "宗地代码", "占地面积（亩）", "亩均税收（万元/亩）", "亩均投资（万元/亩）"])  # fmt: skip
    found = []
    for code, rows in every.groupby("统一社会信用代码", sort=False):
        if sorted(rows["年份"]) == list(YEARS) and len(set(rows["宗地代码"])) == 1:
            ordered = rows.sort_values("年份")
            land = ordered["占地面积（亩）"].to_numpy(dtype=float)
            found.append(
                {
                    "code": code, "parcel": ordered["宗地代码"].iloc[0], "name": ordered["企业名称"].iloc[0],
                    "tax": (land * ordered["亩均税收（万元/亩）"].to_numpy(dtype=float))[1:],
                    "investment": land * ordered["亩均投资（万元/亩）"].to_numpy(dtype=float),
                }
            )  # fmt: skip
    return found[:_FIRMS]


def _row(contract: str, firm: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Return a row of the table; sums are rounded to the hundredth of 万元, the paper is told by its digest."""
    digest = hashlib.sha256(f"示例合同 {contract}（虚构）{given.get('签订日期', '')}".encode()).hexdigest()
    sums = {"承诺投资": "承诺投资（万元）", "承诺年税收": "承诺年税收（万元）"}
    row = {
        "合同编号": contract, "签订日期": _SIGNED, "统一社会信用代码": firm["code"], "企业名称": firm["name"], "宗地代码": firm["parcel"],
        "承诺投资（万元）": None, "投资到位期限": None, "承诺年税收（万元）": None, "考核起始年份": None, "合同文件": f"{contract}.pdf",
        "合同校验值": digest,
    }  # fmt: skip
    return row | {
        sums.get(name, name): round(value, 2) if name in sums else value for name, value in given.items()
    }


def _planted(figures: list[dict[str, Any]]) -> Iterator[tuple[list[dict[str, Any]], list[tuple[Any, ...]]]]:
    """Yield the rows of each contract, and what of it is true on `DAY`."""
    nobody = str(credit_codes(np.array([99_990_001]))[0])
    for number, firm in enumerate(figures, start=1):
        name = f"CN-2020-{number:03}"
        years = [(name, "税收", year) for year in ("2022", "2023")]
        least, most = _LESS * firm["tax"].min(), _MORE * firm["tax"].max()
        first, second, _ = firm["investment"]
        match number:
            case 1 | 2 | 3:
                yield (
                    [_row(name, firm, 承诺年税收=least, 考核起始年份=2022)],
                    [(*year, "met", "每年税收高于承诺") for year in years],
                )
            case 4 | 5 | 6:
                yield (
                    [_row(name, firm, 承诺年税收=most, 考核起始年份=2022)],
                    [(*year, "breached", "每年税收低于承诺") for year in years],
                )
            case 7:
                row = _row(name, firm, 承诺投资=_LESS * second, 投资到位期限="2022-12-31")
                yield [row], [(name, "投资", "", "met", "期限当年的投资高于承诺")]
            case 8:
                row = _row(name, firm, 承诺投资=_MORE * max(first, second), 投资到位期限="2022-12-31")
                yield [row], [(name, "投资", "", "breached", "至期限的投资低于承诺")]
            case 9:
                # More than was invested in any year, by a day within a year whose table nobody has yet.
                row = _row(name, firm, 承诺投资=_MORE * firm["investment"].max(), 投资到位期限="2024-03-31")
                yield [row], [(name, "投资", "", "due", "到期当年的企业表尚未报送")]
            case 10:
                row = _row(name, firm | {"code": nobody}, 承诺年税收=1.0, 考核起始年份=2022)
                yield [row], [(*year, "unknown", "企业表中无该企业") for year in years]
            case 11:
                # Two firms on two parcels, of which one is in no table.
                other = firm | {"code": nobody, "parcel": figures[0]["parcel"]}
                rows = [_row(name, firm, 承诺年税收=most, 考核起始年份=2022), _row(name, other)]
                yield rows, [(*year, "unknown", "两家企业之一无数据") for year in years]
            case _:
                row = _row(name, firm, 承诺年税收=most, 考核起始年份=2022)
                yield [row], [(*year, "met", "变更后的合同已兑现，变更前未兑现") for year in years]
