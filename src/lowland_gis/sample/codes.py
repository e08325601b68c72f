"""Land-use classes and purposes of the sample district, with the codes that each standard gives them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

THIRD_SURVEY_NAMES = {
    "0102": "水浇地",
    "0103": "旱地",
    "0201": "果园",
    "0301": "乔木林地",
    "0307": "其他林地",
    "0404": "其他草地",
    "0508": "物流仓储用地",
    "05H1": "商业服务业设施用地",
    "0601": "工业用地",
    "0701": "城镇住宅用地",
    "0702": "农村宅基地",
    "08H1": "机关团体新闻出版用地",
    "08H2": "科教文卫用地",
    "0809": "公用设施用地",
    "0810": "公园与绿地",
    "09": "特殊用地",
    "1001": "铁路用地",
    "1003": "公路用地",
    "1004": "城镇村道路用地",
    "1005": "交通服务场站用地",
    "1006": "农村道路",
    "1101": "河流水面",
    "1103": "水库水面",
    "1104": "坑塘水面",
    "1107": "沟渠",
    "1201": "空闲地",
    "1202": "设施农用地",
}
USES = tuple(THIRD_SURVEY_NAMES)
USE = {code: number for number, code in enumerate(USES)}
USE_CODES = np.array(USES, dtype=object)
USE_NAMES = np.array([THIRD_SURVEY_NAMES[code] for code in USES], dtype=object)

SECOND_SURVEY_NAMES = {
    "011": "水田",
    "012": "水浇地",
    "013": "旱地",
    "021": "果园",
    "031": "有林地",
    "033": "其他林地",
    "101": "铁路用地",
    "102": "公路用地",
    "104": "农村道路",
    "111": "河流水面",
    "113": "水库水面",
    "114": "坑塘水面",
    "117": "沟渠",
    "122": "设施农用地",
    "201": "城市",
    "202": "建制镇",
    "203": "村庄",
    "204": "采矿用地",
    "205": "风景名胜及特殊用地",
}
OLD_SETTLEMENT = ("201", "202", "203", "204", "205")


class Purpose(IntEnum):
    """What a lot is used for; the order is that of `PURPOSES`."""

    HOME_NEW = 0
    HOME_OLD = 1
    SHOP = 2
    OFFICE = 3
    ADMIN = 4
    SCHOOL = 5
    CLINIC = 6
    UTILITY = 7
    STATION = 8
    WORKS = 9
    STORE = 10
    RURAL_HOME = 11
    GREENHOUSE = 12
    FIELD = 13


@dataclass(frozen=True)
class PurposeCodes:
    """The codes of one purpose: 三调 DLBM, GB/T 21010-2017 YT and the planned 用地用海 class."""

    survey: str
    register: str
    planned: str
    planned_name: str


PURPOSES = (
    PurposeCodes("0701", "0701", "070102", "二类城镇住宅用地"),
    PurposeCodes("0701", "0701", "070102", "二类城镇住宅用地"),
    PurposeCodes("05H1", "0501", "090101", "零售商业用地"),
    PurposeCodes("05H1", "0505", "0902", "商务金融用地"),
    PurposeCodes("08H1", "0801", "0801", "机关团体用地"),
    PurposeCodes("08H2", "0803", "080403", "中小学用地"),
    PurposeCodes("08H2", "0805", "080601", "医院用地"),
    PurposeCodes("0809", "0809", "1303", "供电用地"),
    PurposeCodes("1005", "1005", "120802", "公共交通场站用地"),
    PurposeCodes("0601", "0601", "100102", "二类工业用地"),
    PurposeCodes("0508", "0604", "110101", "一类物流仓储用地"),
    PurposeCodes("0702", "0702", "0703", "农村宅基地"),
    PurposeCodes("1202", "1202", "060201", "种植设施建设用地"),
    PurposeCodes("0102", "0102", "0102", "水浇地"),
)
PURPOSE_USE = np.array([USE[codes.survey] for codes in PURPOSES])
FACILITIES = (Purpose.ADMIN, Purpose.SCHOOL, Purpose.CLINIC, Purpose.UTILITY, Purpose.STATION)
FARMING = (Purpose.GREENHOUSE, Purpose.FIELD)


class Leaf(IntEnum):
    """What a block of the plan is filled with."""

    OLD = 0
    HOUSING = 1
    COMMERCE = 2
    FACILITY = 3
    INDUSTRY = 4
    PARK = 5
    VACANT = 6
    VILLAGE = 7
    WORKSHOP = 8
    MEMORIAL = 9
    FIELDS = 10
    PONDS = 11
    GREENHOUSES = 12
    WOODS = 13
    ORCHARD = 14
    RESERVOIR = 15


URBAN_LEAVES = (Leaf.OLD, Leaf.HOUSING, Leaf.COMMERCE, Leaf.FACILITY, Leaf.INDUSTRY, Leaf.PARK, Leaf.VACANT)


class Strip(IntEnum):
    """What a strip between two parts of the plan is."""

    RIVER = 0
    CANAL = 1
    RAILWAY = 2
    ARTERIAL = 3
    SECONDARY = 4
    COUNTY = 5
    STREET = 6
    LANE = 7
    DITCH = 8


class Zone(IntEnum):
    """The character of a cell of the plan."""

    URBAN = 0
    INDUSTRY = 1
    RURAL = 2
