"""Parts of the reading of coordinate texts, each by itself: lines, layouts of points, axes, the header, rings, units."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.coordinate_text import areas, axes, header, lines, parcel_lines, rings
from lowland_gis.analysis.coordinate_text.lines import FormatError

EAST, NORTH = 39_515_000.0, 4_345_300.0


def blocks(*points: str, parcel: str = "4,1.0,1,甲,面,,,,@") -> list[lines.Block]:
    return lines.sections("[地块坐标]\n" + parcel + "\n" + "\n".join(points)).blocks


def axes_of(*points: str) -> axes.Axes:
    return axes.decided(axes.points(blocks(*points)))


def test_sections_keys_and_braces():
    found = lines.sections(
        "[项目信息]\n项目名称 = 甲\n[属性描述]\n坐标系＝2000\n[其他]\nx=1\n[地块坐标]\n{4,1,@}\nJ1,1,2,3\n"
    )
    assert found.project == {"项目名称": ("甲", 2)}
    assert found.header == {"坐标系": ("2000", 4)}
    assert found.left_out == ["其他"]
    assert [(block.values, [point.values for point in block.points]) for block in found.blocks] == [
        (("4", "1"), [("J1", "1", "2", "3")])
    ]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("[属性描述]\n", True), ("【地块坐标】", True), ("a,b,@", True), ("J1,1,4345300.5,515000.1\n", True), ("1,4345300,515000", True),
        ("Hello, world @ home", False), ("1,2", False), ("[other]\n", False), ("", False),
    ],
)  # fmt: skip
def test_the_beginning_tells_a_text_from_a_note(text, right):
    assert lines.looks_right(text) is right


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (("J1,1,4345300.5,39515000.1", "J2,1,4345301.5,39515001.1"), (True, False, 39)),
        (("J1,1,39515000.1,4345300.5",), (False, False, 39)),
        (("J1,1,4345300.5,515000.1",), (True, False, 0)),
        (("J1,1,515000.1,4345300.5",), (False, False, 0)),
        (("J1,1,39.2,117.1",), (True, True, 0)),
        (("J1,1,117.1,39.2",), (False, True, 0)),
        (("J1,39515000.1,4345300.5,,1,",), (False, False, 39)),
        (("J1,4345300.5,20515000.1",), (True, False, 20)),
        (("J1,1,4345300.5,39515000.1,12.5",), (True, False, 39)),
    ],
)
def test_axes_by_size(points, expected):
    found = axes_of(*points)
    assert (found.north_first, found.degrees, found.zone) == expected


@pytest.mark.parametrize(
    "points",
    [("J1,1,500000,500000",), ("J1,1,4345300.5,30515000.1", "J2,1,1,2"), ("J1,1,9345300.5,39515000.1",)],
)
def test_what_can_be_read_in_two_ways_or_none_is_refused(points):
    with pytest.raises(FormatError):
        axes_of(*points)


@pytest.mark.parametrize(
    ("said", "zone", "name"),
    [
        ({"坐标系": "2000国家大地坐标系", "带号": "39"}, 39, "EPSG:4527"),
        ({"坐标系": "CGCS2000"}, 39, "EPSG:4527"),
        ({"坐标系": "国家2000", "带号": "39带", "几度分带": "3"}, 0, "EPSG:4548"),
        ({"坐标系": "1980西安坐标系", "带号": "20", "分带": "六度带"}, 20, "EPSG:2334"),
        ({"坐标系": "1954北京坐标系"}, 40, "EPSG:2416"),
        ({"坐标系": "天津90"}, 39, None),
        ({}, 39, None),
        ({"坐标系": "2000国家大地坐标系"}, 0, None),
    ],
)
def test_the_system_by_header_and_coordinates(said, zone, name):
    found = header.system(
        {key: (value, 1) for key, value in said.items()},
        axes.Axes(north_first=True, degrees=False, zone=zone),
    )
    assert found.name == name
    assert found.words


@pytest.mark.parametrize(
    ("said", "kept"),
    [("", None), (",,,,,,", None), ("0,0,0,0,0,0,0", None), ("无", None), ("1,0,0,0,0,0,0", "1,0,0,0,0,0,0")],
)
def test_parameters_of_a_shift(said, kept):
    found = header.system({"转换参数": (said, 3)}, axes.Axes(north_first=True, degrees=False, zone=39))
    assert found.parameters == kept


def parted(*rows: tuple[str, str, float, float]) -> rings.Parcel:
    found = axes.points(blocks(*(f"{label},{ring},{NORTH + y},{EAST + x}" for label, ring, x, y in rows)))
    xy = axes.east_north(found, axes.decided(found))
    return rings.parcel(1, list(range(len(rows))), found, xy, rings.MEET_M)


A = [("J1", "1", 0, 0), ("J2", "1", 10, 0), ("J3", "1", 10, 10)]
B = [("J4", "2", 20, 0), ("J5", "2", 30, 0), ("J6", "2", 30, 10)]


@pytest.mark.parametrize(
    ("rows", "sizes", "closed"),
    [
        ([*A, ("J1", "1", 0, 0)], [3], [True]),
        ([*A, ("J4", "1", 0, 0), *B, ("J1", "9", 20, 0)], [3, 3], [True, True]),
        ([*A, *B], [3, 3], [False, False]),
        ([*A, ("J1", "1", 20, 0), ("J2", "1", 30, 0), ("J3", "1", 30, 10)], [3, 3], [False, False]),
        ([*A, ("J1", "1", 0, 0), ("J1", "1", 0, 0)], [3], [True]),
    ],
)
def test_rings_are_parted_by_coordinates_then_by_numbers(rows, sizes, closed):
    found = parted(*rows)
    assert [len(ring.places) for ring in found.rings] == sizes
    assert [ring.closed for ring in found.rings] == closed


@pytest.mark.parametrize("rows", [[*A, ("J1", "1", 0.1, 0)], A[:2], [*A, ("J1", "1", 0, 0), *B[:2]]])
def test_rings_that_do_not_close_or_are_too_short(rows):
    with pytest.raises(FormatError):
        parted(*rows)


def test_lines_of_parcels_by_the_number_of_their_values():
    assert parcel_lines.meanings([(1, ("",) * 8, 4, 1)]) == parcel_lines.STANDARD
    assert parcel_lines.meanings([(1, ("",) * 13, 4, 1)])[8:] == ("TBLX", "DL", "GZQ", "GZH", "BZ")
    assert parcel_lines.meanings([(1, ("",) * 10, 4, 1)])[8:] == ("属性9", "属性10")
    assert parcel_lines.meanings([(1, (), 4, 1)]) == ()
    with pytest.raises(FormatError, match="3 values"):
        parcel_lines.meanings([(1, ("", "", ""), 4, 1)])


@pytest.mark.parametrize("text", ["1,2", "-1", "nan", "inf", "1_0", "１", "x"])
def test_areas_that_are_no_numbers(text):
    with pytest.raises(FormatError):
        parcel_lines.stated_area(text, 1)


def test_units_by_most_of_the_areas():
    fitting = [areas.Area(1.0, 4, 10_000.0)] * 2
    assert areas.unit_of([*fitting, areas.Area(7.0, 4, 100.0)]) == areas.HECTARES
    assert areas.unit_of([areas.Area(15.0, 1, 10_000.0)]) == areas.MU
    assert areas.unit_of([]) is None


def test_a_hole_is_told_by_where_it_lies():
    square = shapely.linearrings([(0, 0), (10, 0), (10, 10), (0, 10)])
    hole = shapely.linearrings([(1, 1), (2, 1), (2, 2), (1, 2)])
    island = shapely.linearrings([(1.2, 1.2), (1.5, 1.2), (1.5, 1.5)])
    found = rings.by_depth(np.array([island, hole, square], dtype=object))
    assert found.area == pytest.approx(99 + 0.045)
