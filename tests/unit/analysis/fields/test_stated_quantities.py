"""A unit that a line beside a table states counts for the columns that it can be meant for; an office is no unit."""

import openpyxl
import pytest

from lowland_gis.analysis.fields import headings
from lowland_gis.analysis.fields.attributes import standardise
from lowland_gis.analysis.fields.spreadsheet import Merged, table_of
from lowland_gis.analysis.fields.stated_quantities import stated_units
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.mapping import Mapping, apply
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

FIELDS = layer_definition("enterprise").field


@pytest.mark.parametrize(
    ("line", "units"),
    [
        ("单位：万元", ["万元"]),
        ("单 位 ： 万 元", ["万元"]),
        ("单位:hm²", ["hm2"]),
        ("（单位：亩、万元）", ["亩", "万元"]),
        ("2023年企业用地情况表（单位：亩、万元/亩）", ["亩", "万元/亩"]),
        ("2023年企业用地情况表单位：公顷", ["公顷"]),
        ("单位：亩/万元/人", ["亩", "万元"]),
        ("单位：万元(人民币)", ["万元"]),
        ("填报单位：北辰区税务局   单位：万元   填报日期：2023年", ["万元"]),
        ("面积单位：公顷，金额单位为千元", ["公顷", "千元"]),
        ("注：金额单位为万元", ["万元"]),
        ("单位：税务局", []),
        ("单位：", []),
        ("填报单位：区税务局", []),
        ("单位名称：甲公司", []),
        ("单位（盖章）", []),
        ("单位负责人：张三", []),
        ("单位：户、家", []),
    ],
)
def test_what_a_line_states(line, units):
    stated = stated_units([line])
    assert list(stated.lines) == units
    assert not stated.unclear


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("单位：担", "单位:担: 担 is no unit that is known, so it was applied to no column"),
        ("单位：亩、公顷", "单位:亩、公顷: 亩、公顷 measure the same, so it cannot be told which columns"),
    ],
)
def test_what_a_line_leaves_open_is_doubted_and_not_applied(line, words):
    stated = stated_units([line])
    assert not stated.lines
    assert stated.unclear[0].startswith(words)
    taken = headings.found(["占地面积", "SSZE"], FIELDS, stated)
    assert {name: (hit.factor, hit.line) for name, hit in taken.items()} == {"SSZE": (1.0, None)}
    told = list(headings.remarks(["SSZE"], FIELDS, taken, stated))
    assert [(rule, text.startswith(words)) for rule, text in told] == [("unit_doubtful", True)]


@pytest.mark.parametrize(
    ("heading", "line", "field", "factor"),
    [
        ("占地面积", "单位：公顷", "ZDMJM", 15.0),
        ("占地面积", "单位：亩", "ZDMJM", 1.0),
        ("ZDMJM", "单位：公顷", "ZDMJM", 15.0),
        ("税收总额", "单位：亩、元", "SSZE", 0.0001),
        ("亩均税收", "单位：元/平方米", "MJSS", 2000 / 3 / 10_000),
        # These name a unit themselves.
        ("占地面积（亩）", "单位：公顷", "ZDMJM", 1.0),
        ("税收总额（元）", "单位：亿元", "SSZE", 0.0001),
        ("停产月数", "单位：年", "TCYS", 1.0),
        # Of another dimension.
        ("SSZE", "单位：公顷", "SSZE", 1.0),
        ("企业名称", "单位：公顷", "QYMC", 1.0),
    ],
)
def test_a_stated_unit_counts_where_the_heading_names_none(heading, line, field, factor):
    hit = headings.found([heading], FIELDS, stated_units([line]))[heading]
    assert (hit.standard, hit.factor) == (field, pytest.approx(factor, rel=1e-12))


def test_what_is_stated_of_another_dimension_finds_no_field():
    assert headings.found(["税收总额", "亩均税收"], FIELDS, stated_units(["单位：亩、月"])) == {}


def test_every_column_that_a_line_was_applied_to_is_told():
    columns, stated = ["占地面积", "税收总额", "产值总额（万元）"], stated_units(["单位：公顷、万元"])
    taken = headings.found(columns, FIELDS, stated)
    assert list(headings.remarks(columns, FIELDS, taken, stated)) == [
        (
            "unit_stated",
            "占地面积: taken as ZDMJM 占地面积 亩, times 15 from 公顷 to 亩, as “单位:公顷、万元” says",
        ),
        ("unit_stated", "税收总额: taken as SSZE 税收总额 万元, in 万元, as “单位:公顷、万元” says"),
    ]


@pytest.mark.parametrize(
    ("column", "unit"), [("占地面积（亩）", "公顷"), ("税收总额（元）", "万元"), ("停产月数", "年")]
)
def test_a_line_that_all_headings_contradict_is_doubted(column, unit):
    columns, stated = [column], stated_units([f"单位：{unit}"])
    told = list(headings.remarks(columns, FIELDS, headings.found(columns, FIELDS, stated), stated))
    words = f"单位:{unit}: {unit} was applied to no column, because headings name another unit: {column}"
    assert [text for rule, text in told if rule == "unit_doubtful"] == [words]


def test_a_line_that_headings_agree_with_is_no_doubt():
    columns, stated = ["占地面积（亩）", "税收总额（元）"], stated_units(["单位：亩、元、万元/亩"])
    told = list(headings.remarks(columns, FIELDS, headings.found(columns, FIELDS, stated), stated))
    assert [rule for rule, _ in told] == ["unit_converted"]


# ------------------------------------------------------------------ where the line stands

HEADINGS = ["宗地代码", "年份", "占地面积", "税收总额"]
ROW = ["120113100001GB00001", 2023, 2, 30]


@pytest.mark.parametrize(
    ("above", "merged"),
    [
        ([["单位：公顷、元"]], []),
        ([["企业表"], [None, None, None, "单位：公顷、元"]], [Merged(0, 0, 0, 3)]),
        ([["企业表（单位：公顷、元）"]], [Merged(0, 0, 0, 3)]),
        ([["企业表", None, "单位：公顷、元"]], [Merged(0, 0, 0, 1), Merged(0, 0, 2, 3)]),
        ([["企业表", None, None, "单位：公顷、元"]], [Merged(0, 0, 0, 2)]),
        ([["企业表", None, None, "单位：公顷、元"]], []),
        ([["填报单位：税务局", None, "单位：公顷、元", "填报日期：2023年"]], []),
    ],
    ids=[
        "line",
        "below the title",
        "in the title",
        "merged at the right",
        "at the right",
        "plain",
        "entries",
    ],
)
def test_the_line_is_read_and_the_headings_are_found_below_it(above, merged):
    table = table_of([*above, HEADINGS, ROW], merged)
    assert list(table.columns) == HEADINGS
    assert list(stated_units(table.beside).lines) == ["公顷", "元"]


def test_a_table_of_three_columns_has_a_title_too():
    table = table_of([["企业税收"], HEADINGS[:3], ROW[:3]], [Merged(0, 0, 0, 2)])
    assert list(table.columns) == HEADINGS[:3]


def test_a_unit_in_a_note_below_the_table_counts():
    table = table_of([HEADINGS, ROW, ["注：占地面积单位为公顷", None, None, None]])
    assert list(stated_units(table.beside).lines) == ["公顷"]


def values(path):
    """Return the first row as ingest would store it, and what is said of the headings."""
    with opened(str(path), path.parent) as source, received(source) as arrived:
        (batch,) = arrived.batches
        done = standardise(batch.attributes, FIELDS, {}, stated=arrived.stated)
    return done.rows.to_pylist()[0], [rule for rule, _ in done.remarks]


def test_a_workbook_and_a_csv_are_converted_alike(tmp_path):
    book = openpyxl.Workbook()
    for row in (["企业表", None, None, "单位：公顷、元"], HEADINGS, ROW):
        book.active.append(row)
    book.active.merge_cells("A1:C1")
    book.save(tmp_path / "t.xlsx")
    lines = ["企业表,,,单位：公顷、元", ",".join(HEADINGS), ",".join(map(str, ROW))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="gbk")
    for name in ("t.xlsx", "t.csv"):
        row, rules = values(tmp_path / name)
        assert (row["ZDMJM"], row["SSZE"]) == (30.0, pytest.approx(0.003))
        assert rules == ["unit_stated", "unit_stated"]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ({"rename": {"占地面积": "ZDMJM"}}, 30.0),
        ({"rename": {"占地面积": "ZDMJM"}, "unit": {"ZDMJM": "m²"}}, 0.003),
        ({"rename": {"占地面积": "ZDMJM"}, "factor": {"ZDMJM": 2.0}}, 4.0),
        ({"rename": {"占地面积": "X"}, "constants": {"ZDMJM": 7.0}}, 7.0),
    ],
)
def test_what_a_mapping_says_goes_before_a_line(tmp_path, said, value):
    (tmp_path / "t.csv").write_text(
        f"单位：公顷,,,\n{','.join(HEADINGS)}\n{','.join(map(str, ROW))}\n", encoding="utf-8"
    )
    with opened("t.csv", tmp_path) as source, received(source) as arrived:
        (batch,) = arrived.batches
    mapped = apply(Mapping(supplier="甲", layer="enterprise", **said), batch.attributes)
    row = standardise(mapped, FIELDS, {}, stated=arrived.stated).rows.to_pylist()[0]
    assert row["ZDMJM"] == pytest.approx(value)
