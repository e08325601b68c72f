"""Headings in any width, with any unit: known where they are sure, converted where only the unit differs, else named and left alone."""

import pytest

from lowland_gis.analysis.fields import headings
from lowland_gis.definitions.layer import layer_definition

FIELDS = layer_definition("enterprise").field


@pytest.mark.parametrize(
    ("heading", "standard", "factor"),
    [
        ("占地面积（亩）", "ZDMJM", 1.0),
        ("占地面积(亩)", "ZDMJM", 1.0),
        ("占地面积\n(亩)", "ZDMJM", 1.0),
        (" 占地 面积（亩）　", "ZDMJM", 1.0),
        ("占地面积（公顷）", "ZDMJM", 15.0),
        ("占地面积(hm²)", "ZDMJM", 15.0),
        ("占地面积/㎡", "ZDMJM", 0.0015),
        ("占地面积（单位：平方米）", "ZDMJM", 0.0015),
        ("税收总额（元）", "SSZE", 0.0001),
        ("税收总额（千元）", "SSZE", 0.1),
        ("税收总额 亿元", "SSZE", 10_000.0),
        ("亩均税收(元/平方米)", "MJSS", 2000 / 3 / 10_000),
        ("SSZE（元）", "SSZE", 0.0001),
        ("ｓｓｚｅ", "SSZE", 1.0),
        ("宗地代码", "ZDDM", 1.0),
        ("宗 地\u200b代 码", "ZDDM", 1.0),
    ],
)
def test_a_heading_is_known(heading, standard, factor):
    found = headings.found([heading], FIELDS)
    assert found[heading].standard == standard
    assert found[heading].factor == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    ("heading", "why"),
    [
        ("税收总额", "it names no unit (万元 is wanted)"),
        ("税收总额（亩）", "亩 is no unit of it (万元 is wanted)"),
        ("亩均税收（万元）", "万元 is no unit of it (万元/亩 is wanted)"),
        ("企业名称（元）", "元 is no unit of it"),
        ("统一社会信用编码", "the heading is another one"),
    ],
)
def test_a_heading_that_only_resembles_a_field_is_not_taken_but_named(heading, why):
    assert headings.found([heading], FIELDS) == {}
    ((rule, words),) = headings.remarks([heading], FIELDS, {})
    assert rule == "column_unused"
    assert why in words


def test_a_conversion_is_told():
    columns = ["占地面积（公顷）", "税收总额（万元）", "电话"]
    assert list(headings.remarks(columns, FIELDS, headings.found(columns, FIELDS))) == [
        ("unit_converted", "占地面积（公顷）: taken as ZDMJM 占地面积 亩, times 15 from 公顷 to 亩")
    ]


def test_the_wanted_unit_goes_before_another_one():
    columns = ["税收总额（元）", "税收总额（万元）"]
    found = headings.found(columns, FIELDS)
    assert {name: hit.standard for name, hit in found.items()} == {"税收总额（万元）": "SSZE"}
