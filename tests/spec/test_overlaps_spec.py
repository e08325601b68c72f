"""What `overlaps` means, drawn: how many m² of each parcel lie in each code."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from ascii_maps import EASTING_M, NORTHING_M, parcels, zones
from lowland_gis.engines.base import Question
from lowland_gis.engines.frames import FrameLayer

CORNER = np.array([EASTING_M, NORTHING_M])

FOUR = """
    aabb
    aabb
"""


def rows(overlaps, *maps: str) -> list[list[object]]:
    """Return parcel, code and area of the first map against the others."""
    found = overlaps(parcels(maps[0]), zones(*maps[1:]))
    assert found.columns.tolist() == ["parcel_id", "code", "area_m2", "share"]
    return [[*row[:2], round(row[2], 6)] for row in found.to_numpy().tolist()]


def test_inside_across_and_beside(overlaps):
    assert rows(
        overlaps,
        """
        aa.bb.cc
        aa.bb.cc
        """,
        """
        .x.xxx..
        ...xxx..
        """,
    ) == [["a", "x", 100], ["b", "x", 400]]


def test_a_share_is_of_the_parcel(overlaps):
    found = overlaps(parcels(FOUR), zones(".xx.\n...."))
    assert found["share"].tolist() == pytest.approx([0.25, 0.25])


def test_codes_are_summed_apart_and_sorted(overlaps):
    assert rows(overlaps, FOUR, "zyyx\nzzzx") == [
        ["a", "y", 100], ["a", "z", 300], ["b", "x", 200], ["b", "y", 100], ["b", "z", 100]
    ]  # fmt: skip


def test_several_zones_of_one_code_add_up(overlaps):
    assert rows(overlaps, FOUR, "x...\n....", "....\n.x..") == [["a", "x", 200]]


def test_a_place_counts_once_for_every_zone_that_covers_it(overlaps):
    """The excess shows that the zones overlap each other; a measure caps it, the table does not hide it."""
    found = overlaps(parcels(FOUR), zones("xxxx\nxxxx", "xx..\nxx..", "yy..\n...."))
    assert found["area_m2"].tolist() == pytest.approx([800, 200, 400])
    assert found["share"].tolist() == pytest.approx([2.0, 0.5, 1.0])


@pytest.mark.parametrize(
    "drawn",
    ["....xx\n....xx", "......\n......\n....xx"[::-1], "xx....\n......\n......"],
    ids=["shared edge", "shared corner", "apart"],
)
def test_what_only_touches_has_no_row(overlaps, drawn: str):
    parcel = "......\n..aa..\n..aa.." if drawn.count("\n") == 2 else "..aa..\n..aa.."
    assert rows(overlaps, parcel, drawn) == []


def test_holes_are_outside(overlaps):
    ring = """
        aaaa
        a..a
        aaaa
    """
    assert rows(overlaps, ring, "....\n.xx.\n....") == []
    assert rows(overlaps, "....\n.aa.\n....", ring.replace("a", "x")) == []
    assert rows(overlaps, ring, "xxxx\nxxxx\nxxxx") == [["a", "x", 1000]]


def test_a_zone_in_the_hole_of_another(overlaps):
    assert rows(overlaps, "aaaa\naaaa\naaaa", "xxxx\nxyyx\nxxxx") == [["a", "x", 1000], ["a", "y", 200]]


def test_holes_that_cross_each_other(overlaps):
    """A place is common when it is in both shapes, whatever it is a hole of."""
    assert rows(
        overlaps,
        """
        aaaaaa
        aa..aa
        aa..aa
        aaaaaa
        """,
        """
        xxxxxx
        xxx..x
        xxx..x
        xxxxxx
        """,
    ) == [["a", "x", 1800]]


def test_an_island_in_a_hole_is_inside_again(overlaps):
    island = """
        aaaaa
        a...a
        a.a.a
        a...a
        aaaaa
    """
    assert rows(overlaps, island, "xxxxx\nxxxxx\nxxxxx\nxxxxx\nxxxxx") == [["a", "x", 1700]]
    assert rows(overlaps, ".....\n.....\n.aa..\n.....\n.....", island.replace("a", "x")) == [["a", "x", 100]]


def test_parcels_of_several_parts(overlaps):
    assert rows(overlaps, "a..a\n....", "x...\nx..x") == [["a", "x", 100]]


def test_zones_of_several_parts(overlaps):
    assert rows(overlaps, "aaab\naaab", "x.x.\n...x") == [["a", "x", 200], ["b", "x", 100]]


def test_parts_that_meet_at_a_corner(overlaps):
    assert rows(overlaps, "aa.\n..a", "x.x\n.xx") == [["a", "x", 200]]


@pytest.mark.parametrize("shape", [FOUR, "aaa\na.a\naaa", "a.a\n...\na.a"], ids=["plain", "hole", "parts"])
def test_a_zone_identical_to_the_parcel_is_all_of_it(overlaps, shape: str):
    found = overlaps(parcels(shape), zones(shape))
    same = found[found["parcel_id"] == found["code"]]
    assert len(same) == len(found)
    assert same["share"].tolist() == pytest.approx([1.0] * len(same), abs=1e-12)


def test_a_zone_inside_and_a_zone_around(overlaps):
    assert rows(overlaps, "....\n.aa.\n....", "xxxx\nxxxx\nxxxx", "....\n..y.\n....") == [
        ["a", "x", 200],
        ["a", "y", 100],
    ]


def test_the_parts_of_a_full_coverage_are_the_parcel(overlaps):
    found = overlaps(parcels("aaaa\naaaa\na..a"), zones("xxyy\nxzzy\nxxyy"))
    assert found["area_m2"].sum() == pytest.approx(1000, abs=1e-6)
    assert found["share"].sum() == pytest.approx(1, abs=1e-9)


def test_boundaries_that_cross_at_a_slant(overlaps):
    """A diamond of 20 m half-width over a square of 20 m that starts in its middle: a triangle is common."""
    diamond = zones("x").assign(
        geometry=[shapely.Polygon(np.array([[0, -20], [20, 0], [0, 20], [-20, 0]]) + CORNER)]
    )
    square = parcels("aa\naa")
    assert overlaps(square, diamond)["area_m2"].tolist() == pytest.approx([200], abs=1e-6)


def test_a_vertex_on_an_edge_and_an_edge_on_an_edge(overlaps):
    """Neighbours whose vertices differ along the common boundary, as two offices draw it, touch and do not overlap."""
    dense = zones("x").assign(
        geometry=[
            shapely.Polygon(np.array([[20, 0], [20, 7], [20, 13], [20, 20], [30, 20], [30, 0]]) + CORNER)
        ]
    )
    assert overlaps(parcels("aa\naa"), dense).empty


@pytest.mark.parametrize("reverse", [False, True])
def test_the_direction_of_rings_says_nothing(overlaps, reverse: bool):
    frames = parcels("aaa\na.a\naaa"), zones("xxx\nxx.\nxxx")
    turned = [
        frame.assign(geometry=shapely.orient_polygons(frame.geometry.to_numpy(), exterior_cw=reverse))
        for frame in frames
    ]
    assert overlaps(*turned)["area_m2"].tolist() == pytest.approx([700], abs=1e-6)


def test_strips_are_zones_like_others(overlaps):
    """A ditch drawn as a line of 4 m width is a strip once it has its width."""
    line = shapely.LineString(np.array([[0, 10], [40, 10]]) + CORNER)
    strip = zones("x").assign(geometry=[shapely.buffer(line, 2.0, cap_style="flat")])
    assert overlaps(parcels("aaa.\naaa."), strip)["area_m2"].tolist() == pytest.approx([120], abs=1e-6)


@pytest.mark.parametrize("side", ["parcels", "zones"])
@pytest.mark.parametrize(
    "shape", [shapely.Point(*CORNER + 5), shapely.LineString([CORNER, CORNER + 10])], ids=["point", "line"]
)
def test_points_and_lines_have_no_area(overlaps, shape: shapely.Geometry, side: str):
    frames = {"parcels": parcels("ab"), "zones": zones("xy")}
    frames[side] = frames[side].assign(geometry=[frames[side].geometry[0], shape])
    assert overlaps(**frames)[["parcel_id", "code"]].to_numpy().tolist() == [["a", "x"]]


def corners(*points: tuple[float, float]) -> shapely.Polygon:
    with np.errstate(invalid="ignore"):  # one of them is not a number
        return shapely.Polygon(CORNER + np.array(points))


UNFIT = {
    "mixed": shapely.GeometryCollection([shapely.box(*CORNER, *CORNER + 5), shapely.Point(*CORNER)]),
    "bow tie": corners((0, 0), (10, 10), (10, 0), (0, 10)),
    "NaN": corners((0, 0), (10, 0), (np.nan, 10)),
    "infinite": corners((0, 0), (10, 0), (np.inf, 10)),
}


@pytest.mark.parametrize("side", ["parcels", "zones"])
@pytest.mark.parametrize("name", UNFIT)
def test_what_is_no_valid_polygon_is_refused(overlaps, name: str, side: str):
    """Repair comes first; a figure of a bow tie would be a wrong figure."""
    frames = {"parcels": parcels("ab"), "zones": zones("xy")}
    sound = frames[side].geometry[0]
    frames[side] = frames[side].assign(geometry=[sound, UNFIT[name]])
    with pytest.raises(ValueError, match="1 geometries are no valid polygons, first in the rows: 1"):
        overlaps(**frames)


def test_a_zone_without_a_code_has_an_empty_one(overlaps):
    drawn = zones("x...", ".y..").assign(code=[None, "y"])
    found = overlaps(parcels("aa.."), drawn)
    assert found[["code", "area_m2"]].to_numpy().tolist() == [
        ["", pytest.approx(100)],
        ["y", pytest.approx(100)],
    ]


def test_numbers_stay_numbers_and_sort_as_such(overlaps):
    found = overlaps(parcels("ab").assign(parcel_id=[10, 9]), zones("xy").assign(code=[30, 4]))
    assert found[["parcel_id", "code"]].to_numpy().tolist() == [[9, 4], [10, 30]]


def test_parcels_may_overlap_each_other(overlaps):
    """Overlapping parcels are a finding of the check, not of the table: each gets its own row."""
    twice = gpd.GeoDataFrame({"parcel_id": ["b", "a"]}, geometry=[parcels("aa").geometry[0]] * 2, crs=4548)
    assert overlaps(twice, zones("xx"))[["parcel_id", "area_m2"]].to_numpy().tolist() == [
        ["a", 200],
        ["b", 200],
    ]


@pytest.mark.parametrize(
    ("drawn", "zone"), [("", "xx"), ("aa", ""), ("", "")], ids=["no parcels", "no zones", "neither"]
)
def test_nothing_meets_nothing(overlaps, drawn: str, zone: str):
    assert rows(overlaps, drawn, *([zone] if zone else [])) == []


def test_missing_and_empty_zones_meet_nothing(overlaps):
    empty = gpd.GeoDataFrame({"code": ["e", "m"]}, geometry=[shapely.Polygon(), None], crs=4548)
    assert overlaps(parcels("aa"), empty).empty


def test_noise_between_boundaries_that_are_meant_to_be_one_has_no_row(overlaps):
    beside = zones("..xx").assign(geometry=lambda frame: frame.translate(xoff=-1e-9))
    assert overlaps(parcels("aa.."), beside).empty


def test_a_sliver_wide_enough_to_see_has_one(overlaps):
    beside = zones("..xx").assign(geometry=lambda frame: frame.translate(xoff=-0.001))
    assert overlaps(parcels("aa.."), beside)["area_m2"].tolist() == pytest.approx([0.01], rel=1e-6)


def covered(cover, *maps: str) -> list[list[object]]:
    """Return parcel, rest and excess of the first map under the others."""
    found = cover(parcels(maps[0]), zones(*maps[1:]))
    assert found.columns.tolist() == ["parcel_id", "rest_m2", "excess_m2"]
    return [[row[0], *(round(value, 6) for value in row[1:])] for row in found.to_numpy().tolist()]


def test_the_rest_is_what_no_zone_covers(cover):
    assert covered(cover, FOUR, "xx..\nx...") == [["a", 100, 0], ["b", 400, 0]]


def test_twice_counts_once_and_thrice_twice(cover):
    """Whether the zones are of one code or of several says nothing."""
    assert covered(cover, FOUR, "xxx.\nxx..", "x...\n....", "y...\n.y..") == [["a", 0, 300], ["b", 300, 0]]


def test_a_parcel_that_no_zone_meets_is_all_rest(cover):
    assert covered(cover, FOUR, "......\n....xx") == [["a", 400, 0], ["b", 400, 0]]
    assert covered(cover, FOUR) == [["a", 400, 0], ["b", 400, 0]]


def test_what_has_no_area_has_no_rest(cover):
    nothing = parcels("ab").assign(geometry=[shapely.Point(*CORNER), None])
    assert cover(nothing, zones("xx"))[["rest_m2", "excess_m2"]].to_numpy().tolist() == [[0, 0], [0, 0]]


def test_holes_of_zones_are_rest(cover):
    assert covered(cover, "aaa\naaa\naaa", "xxx\nx.x\nxxx") == [["a", 100, 0]]


@pytest.mark.parametrize("count", [1, 3])
def test_several_layers_are_answered_one_after_the_other(engine, count: int):
    """The parcels are read once; each layer has its own classes, and its answers bear its number."""
    shapes = np.asarray(parcels(FOUR).geometry, dtype=object)
    layers = [FrameLayer(np.asarray(zones(drawn).geometry, dtype=object), np.array([number]))
              for number, drawn in enumerate(["x...\n....", "...x\n...x", "xxxx\nxxxx"][:count])]  # fmt: skip
    found = {}
    for answer in engine.answers(Question(FrameLayer(shapes), layers, lambda: np.array([1, 0]))):
        assert sorted(answer.rows) == [0, 1]
        assert answer.area_m2.tolist() == pytest.approx([400, 400])
        found[answer.layer] = [
            (int(a), int(b), round(float(c), 6)) for a, b, c in zip(*answer.overlaps, strict=True)
        ]
    expected = {0: [(0, 0, 100)], 1: [(1, 1, 200)], 2: [(1, 2, 400), (0, 2, 400)]}
    assert found == {number: expected[number] for number in range(count)}


def test_answers_may_be_left_before_their_end(engine):
    answers = engine.answers(Question(FrameLayer(np.asarray(parcels(FOUR).geometry, dtype=object)),
                                      [FrameLayer(np.asarray(zones("xx").geometry, dtype=object), np.array([0]))] * 2))  # fmt: skip
    next(answers)
    answers.close()
