"""Enterprises on the industrial lots: three yearly tables with tax, output and investment a mu (亩)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lowland_gis.sample.codes import Purpose
from lowland_gis.sample.dice import Floats, Ints, Texts, drawn, generator
from lowland_gis.sample.lots import INDUSTRIAL, LEGACY, Lots
from lowland_gis.sample.places import DISTRICT_CODE, Places

YEARS = (2021, 2022, 2023)
M2_PER_MU = 2000 / 3
CREDIT_SIGNS = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
CREDIT_WEIGHTS = np.array([3**place % 31 for place in range(17)])
ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
ORGANISATION_SIGNS = np.array([*range(10), 29, 0])
WORDS_A = "鸿瑞盛泰昌隆恒信德远博联"
WORDS_B = "达通源丰华宇科诚安辉扬凯"
TRADES = (
    "机械制造",
    "金属制品",
    "塑料制品",
    "自行车配件",
    "食品",
    "包装",
    "电气设备",
    "建材",
    "汽车零部件",
    "医药包材",
)


def credit_codes(numbers: Ints) -> Texts:
    """Return unified social credit codes (统一社会信用代码) with valid check digits (GB 32100, GB 11714)."""
    digits = numbers[:, None] // 10 ** np.arange(7, -1, -1) % 10
    organisation = ORGANISATION_SIGNS[11 - (digits * ORGANISATION_WEIGHTS).sum(axis=1) % 11]
    head = np.array([9, 1, *map(int, DISTRICT_CODE)])
    values = np.concatenate([np.tile(head, (len(numbers), 1)), digits, organisation[:, None]], axis=1)
    last = (31 - (values * CREDIT_WEIGHTS).sum(axis=1) % 31) % 31
    signs = CREDIT_SIGNS[np.column_stack([values, last])]
    return np.array(["".join(row) for row in signs], dtype=object)


def enterprise_tables(lots: Lots, places: Places, seed: int) -> dict[int, pd.DataFrame]:
    """Return one table a year, one row an industrial lot; a few rows of the earlier years are missing."""
    random = generator(seed, "firms")
    works = np.flatnonzero(lots.of(Purpose.WORKS))
    codes = credit_codes(10_000_000 + np.arange(len(works)) * 37 % 89_999_999)
    tax, output, stopped = _latest(lots, works, random)
    tables = {}
    for year in YEARS:
        earlier = YEARS[-1] - year
        drift = random.uniform(0.9, 1.12, len(works)) ** earlier
        columns = pd.DataFrame(
            {
                "年份": year,
                "企业名称": _names(len(works)),
                "统一社会信用代码": codes,
                "宗地代码": lots.codes[works],
                "占地面积（亩）": np.round(lots.area[works] / M2_PER_MU, 2),
                "亩均税收（万元/亩）": np.round(tax * drift, 2),
                "亩均产出（万元/亩）": np.round(output * drift, 1),
                "亩均投资（万元/亩）": np.round(output * random.uniform(0.4, 1.6, len(works)), 1),
                "停产月数": np.maximum(stopped - 12 * earlier, 0),
                "所在镇街": places.town_names[lots.town[works]],
            }
        )
        tables[year] = columns[random.random(len(works)) > 0.02 * earlier].reset_index(drop=True)
    return tables


def _latest(lots: Lots, works: Ints, random: np.random.Generator) -> tuple[Floats, Floats, Ints]:
    """Draw tax and output (万元/亩) and months without production, clear of the limits 5, 100 and 12."""
    count = len(works)
    kind, cause = lots.kind[works], lots.subkind[works]
    low = (kind == INDUSTRIAL) | ((kind == LEGACY) & drawn(random, count, 0.6))
    tax = np.where(low, random.uniform(0.2, 3.3, count), random.lognormal(2.9, 0.45, count) + 7)
    output = np.where(low, random.uniform(8, 66, count), random.lognormal(5.4, 0.4, count) + 140)
    usual = ~low & drawn(random, count, 0.12)
    tax[usual] = random.uniform(2.0, 3.4, usual.sum())
    lean = (kind == INDUSTRIAL) & (cause != "tax")
    tax[lean], output[lean] = random.uniform(7, 9, lean.sum()), random.uniform(145, 180, lean.sum())
    stopped = np.where(drawn(random, count, 0.06), random.integers(1, 8, count), 0)
    idle = (kind == INDUSTRIAL) & (cause == "stopped")
    stopped[idle] = random.integers(17, 40, idle.sum())
    return tax, output, stopped


def _names(count: int) -> list[str]:
    return [
        f"示例{WORDS_A[n % 12]}{WORDS_B[n // 12 % 12]}{TRADES[n // 144 % 10]}有限公司（虚构{n + 1:05d}）"
        for n in range(count)
    ]
