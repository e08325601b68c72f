"""Names and codes of towns, villages and roads: the towns exist, everything about them is invented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lowland_gis.sample.codes import Zone
from lowland_gis.sample.dice import Flags, Ints, Texts
from lowland_gis.sample.layout import Layout

DISTRICT_CODE, DISTRICT_NAME = "120113", "北辰区"
TOWNS = (
    ("120113100", "天穆镇"),
    ("120113101", "北仓镇"),
    ("120113102", "双街镇"),
    ("120113106", "宜兴埠镇"),
    ("120113107", "小淀镇"),
    ("120113108", "大张庄镇"),
    ("120113104", "青光镇"),
    ("120113103", "双口镇"),
    ("120113111", "西堤头镇"),
)
CITY_TOWNS = 2
MOST_VILLAGES = 900
FIRST = "柳杨槐榆枣梨桃杏李荷菱苇芦松柏桐梓芳兰菊"
SECOND = "家官新前后东西南北上下大小长双三五青白清"
LAST = ("庄", "村", "营", "堡", "口", "台", "淀", "桥", "滩", "园")
ROAD_FIRST = "辰永顺高京龙延景普文果集朝云翠碧春秋瑞祥"
ROAD_SECOND = "兴盛达发泰和宁康平安丰华昌荣通远光明霞凯"


@dataclass(frozen=True)
class Places:
    """The administrative units; towns and villages are numbered, cells point to their village."""

    town_codes: Texts
    town_names: Texts
    town_city: Flags
    village_of_cell: Ints
    village_town: Ints
    village_codes: Texts
    village_names: Texts


def name_places(layout: Layout) -> Places:
    """Number and name the villages (行政村 or 社区) of every town; a large district joins cells to villages."""
    cell_town = np.array(layout.frame.cell_town)
    towns = len(layout.frame.towns)
    order = np.arange(len(cell_town)) - np.searchsorted(cell_town, cell_town)
    size = int(np.ceil(np.bincount(cell_town, minlength=towns).max() / MOST_VILLAGES))
    local = order // size
    first_cells = np.flatnonzero(order % size == 0)
    village_of_cell = np.searchsorted(first_cells, np.arange(len(cell_town)), side="right") - 1
    village_town = cell_town[first_cells]
    numbers = local[first_cells] + 1
    codes = [
        f"{TOWNS[town][0]}{number:03d}0000000" for town, number in zip(village_town, numbers, strict=True)
    ]
    rural = layout.zones[first_cells] == Zone.RURAL
    names = [village_name(number, is_rural=bool(flag)) for number, flag in enumerate(rural)]
    return Places(
        town_codes=np.array([code for code, _ in TOWNS[:towns]], dtype=object),
        town_names=np.array([name for _, name in TOWNS[:towns]], dtype=object),
        town_city=np.arange(towns) < CITY_TOWNS,
        village_of_cell=village_of_cell,
        village_town=village_town,
        village_codes=np.array(codes, dtype=object),
        village_names=np.array(names, dtype=object),
    )


def village_name(number: int, *, is_rural: bool) -> str:
    """Return an invented name; the numbers walk through all combinations before a name repeats."""
    stepped = number * 1_237
    name = FIRST[stepped % 20] + SECOND[stepped // 20 % 20]
    round_number = number // (20 * 20)
    return f"{name}{LAST[round_number % 10]}村" if is_rural else f"{name}{'里园苑新'[round_number % 4]}社区"


def road_name(number: int, *, across: bool) -> str:
    """Return an invented road name, 道 for roads along x and 路 for roads along y as is usual in the city."""
    stepped = number * 1_237
    text = ROAD_FIRST[stepped % 20] + ROAD_SECOND[stepped // 20 % 20]
    return f"{text}{'道' if across else '路'}"
