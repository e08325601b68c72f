"""Which parcels face each other and over which length; which cell of the barriers holds a parcel."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely

from lowland_gis.analysis.units.contiguity import (
    barrier_cells,
    cell_of,
    contacts,
    cut_shares,
    explain_contact,
    is_cut,
)
from lowland_gis.analysis.units.facing import facing_lengths

SQUARE = shapely.box(0, 0, 20, 20)


def facing(one: shapely.Geometry, other: shapely.Geometry, gap_m: float = 10.0) -> float:
    """Return the facing length of two parcels, and see that it does not depend on their order or direction."""
    found = [
        facing_lengths(np.array(pair, dtype=object), gap_m)["length_m"].sum()
        for pair in ((one, other), (other, one), (shapely.reverse(one), other))
    ]
    assert np.allclose(found, found[0], rtol=1e-12, atol=1e-9)
    return float(found[0])


@pytest.mark.parametrize(
    ("other", "length"),
    [
        (shapely.box(20, 0, 40, 20), 20),
        (shapely.box(28, 0, 48, 20), 20),
        (shapely.box(30, 0, 50, 20), 20),
        (shapely.box(30.01, 0, 50, 20), 0),
        (shapely.box(20, 5, 40, 12), 7),
        (shapely.box(25, 15, 45, 35), 5),
        (shapely.box(19.8, 0, 40, 20), 20),
        (shapely.box(19, 0, 40, 20), 0),
    ],
    ids=["shared edge", "lane", "lane of just the gap", "lane too wide", "part of an edge", "shifted lane",
         "small overlap", "large overlap"],
)  # fmt: skip
def test_facing_over_a_lane(other: shapely.Geometry, length: float):
    assert facing(SQUARE, other) == pytest.approx(length)


@pytest.mark.parametrize(
    "other",
    [shapely.box(20, 20, 40, 40), shapely.box(23, 23, 40, 40), shapely.box(20.5, 20, 40, 40)],
    ids=["corner on corner", "corner near corner", "corner beside corner"],
)
def test_corners_do_not_face(other: shapely.Geometry):
    assert facing(SQUARE, other) == 0


def test_the_point_of_a_rhombus_faces_nothing():
    rhombus = shapely.from_wkt("POLYGON((20 10, 30 0, 40 10, 30 20, 20 10))")
    assert facing(SQUARE, rhombus) == 0


def test_a_slightly_turned_edge_faces_until_the_gap_is_too_wide():
    """An edge that leaves the square at a slope of 1:5 is 10 m away after 50 m, of which 20 m lie across."""
    wedge = shapely.from_wkt("POLYGON((20 0, 60 0, 60 100, 40 100, 20 0))")
    assert facing(SQUARE, wedge) == pytest.approx((20 + np.hypot(20 / 1.04, 4 / 1.04)) / 2, abs=0.2)
    assert facing(shapely.box(0, 0, 20, 100), wedge) == pytest.approx(50, abs=1.1)


def test_a_stretch_that_is_faced_twice_counts_once():
    comb = shapely.union_all(
        [shapely.box(22, 0, 24, 20), shapely.box(24, 9, 26, 11), shapely.box(26, 0, 28, 20)]
    )
    one_way = facing_lengths(np.array([SQUARE, comb], dtype=object), 10.0)["length_m"].item()
    assert 20 <= one_way <= 30


def test_a_parcel_in_the_hole_of_another_faces_it_all_round():
    ring = shapely.difference(shapely.box(-30, -30, 50, 50), shapely.box(-2, -2, 22, 22))
    assert facing(SQUARE, ring) == pytest.approx(80)


def test_several_pairs_are_in_order_and_unique():
    row = np.array([shapely.box(x, 0, x + 10, 10) for x in (40, 0, 20, 10, 60)], dtype=object)
    pairs = facing_lengths(row, 5.0)
    assert pairs[["first", "second"]].to_numpy().tolist() == [[1, 3], [2, 3]]
    assert pairs["length_m"].tolist() == [10, 10]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_parcels_to_face(count: int):
    pairs = facing_lengths(np.array([SQUARE][:count], dtype=object), 10.0)
    assert pairs.empty
    assert list(pairs.columns) == ["first", "second", "length_m", "gap_m"]


def test_multipolygons_and_repeated_points():
    other = shapely.from_wkt(
        "MULTIPOLYGON(((25 0, 25 0, 45 0, 45 8, 25 8, 25 0)), ((25 12, 45 12, 45 20, 25 20, 25 12)))"
    )
    assert facing(SQUARE, other) == pytest.approx(16)


TOWNS = gpd.GeoDataFrame(
    {"town_code": ["120113101", "120113100"]},
    geometry=[shapely.box(100, 0, 200, 100), shapely.box(0, 0, 100, 100)],
    crs=4548,
)


def lines(*texts: str) -> np.ndarray:
    return np.array([shapely.from_wkt(text) for text in texts], dtype=object)


def test_without_barriers_each_town_is_a_cell():
    cells = barrier_cells(TOWNS, lines())
    assert cells["town_code"].tolist() == ["120113100", "120113101"]
    assert cells["cell"].tolist() == [0, 1]
    assert cells.area.tolist() == [10_000, 10_000]


def test_a_road_through_both_towns_makes_four_cells_and_a_dead_end_none():
    cells = barrier_cells(TOWNS, lines("LINESTRING(-10 50, 210 50)", "LINESTRING(50 100, 50 70)"))
    assert cells["town_code"].tolist() == ["120113100"] * 2 + ["120113101"] * 2
    assert cells.area.tolist() == [5000] * 4
    assert cells.crs == TOWNS.crs


@pytest.mark.parametrize("short", [0.0001, 0.3, 0.499])
@pytest.mark.parametrize("turned", [False, True])
def test_a_road_that_ends_a_little_short_of_another_line_divides_all_the_same(short, turned):
    road = shapely.LineString([(50, -5), (50 + short / 7, 50 - short)])
    across = shapely.LineString([(-5, 50), (205, 50.00003)])
    barriers = np.array([road.reverse() if turned else road, across], dtype=object)
    for order in (barriers, barriers[::-1]):
        assert sorted(barrier_cells(TOWNS, order).area) == pytest.approx(
            [2500, 2500, 5000, 5000, 5000], abs=30
        )


def test_two_roads_whose_ends_miss_each_other_a_little_are_one():
    cells = barrier_cells(TOWNS, lines("LINESTRING(-5 50, 49.8 50.1)", "LINESTRING(50 50, 105 50)"))
    assert sorted(cells.area) == pytest.approx([5000, 5000, 10_000], abs=30)


def test_a_barrier_that_ends_at_a_stub_is_drawn_on_to_the_line_that_goes_on_as_well():
    """A road from the south ends 0.29 m below another; between them is the tip of a line that hangs on nothing."""
    through, road = "LINESTRING(-10 50, 110 50)", "LINESTRING(50 -10, 50 49.71)"
    stub = "LINESTRING(40 40, 50 49.7101, 60 40)"
    west, east, north = 2_500.0, 2_500.0, 5_000.0
    areas = barrier_cells(TOWNS.iloc[1:], lines(through, road, stub)).area
    # Between the tip and the end of the road a grain of ground may be a face of its own.
    assert sorted(areas[areas > 1e-3]) == pytest.approx([west, east, north], abs=1)


def test_a_road_that_ends_further_away_is_a_dead_end():
    cells = barrier_cells(TOWNS, lines("LINESTRING(-5 50, 99.4 50)"))
    assert cells.area.tolist() == [10_000, 10_000]


def test_the_banks_of_a_river_are_barriers():
    cells = barrier_cells(TOWNS, lines("POLYGON((40 -5, 60 -5, 60 105, 40 105, 40 -5))"))
    assert sorted(cells.area) == [2000, 4000, 4000, 10_000]


def test_cells_are_numbered_alike_whatever_the_order():
    barriers = lines(
        "LINESTRING(-10 50, 210 50)", "LINESTRING(50 -1, 50 101)", "POLYGON((0 0, 20 0, 20 20, 0 20, 0 0))"
    )
    one, other = barrier_cells(TOWNS, barriers), barrier_cells(TOWNS.iloc[::-1], barriers[::-1])
    assert one["town_code"].tolist() == other["town_code"].tolist()
    assert all(shapely.equals(one.geometry.to_numpy(), other.geometry.to_numpy()))


def test_a_parcel_belongs_to_the_cell_of_its_interior_point():
    cells = barrier_cells(TOWNS, lines("LINESTRING(-10 50, 210 50)"))
    parcels = lines(
        "POLYGON((1 1, 9 1, 9 9, 1 9, 1 1))",
        "POLYGON((110 60, 120 60, 120 70, 110 70, 110 60))",
        "POLYGON((300 60, 320 60, 320 70, 300 70, 300 60))",
        "POLYGON((20 20, 30 20, 30 52, 20 52, 20 20))",
        "POLYGON((20 40, 30 40, 30 60, 20 60, 20 40))",
    )
    assert cell_of(parcels, cells).tolist() == [0, 3, -1, 0, 0]


def test_a_parcel_behind_another_is_hidden_by_it():
    strip = shapely.box(22, 0, 24, 20)
    behind = shapely.box(26, 0, 46, 20)
    pairs = facing_lengths(np.array([SQUARE, strip, behind], dtype=object), 10.0)
    assert pairs[["first", "second"]].to_numpy().tolist() == [[0, 1], [1, 2]]
    half = shapely.box(22, 0, 24, 12)
    seen = facing_lengths(np.array([SQUARE, half, behind], dtype=object), 10.0).set_index(["first", "second"])
    assert seen["length_m"][0, 2] == pytest.approx(8)
    assert seen["gap_m"][0, 2] == pytest.approx(6)


def test_facing_lengths_agree_with_the_plain_form_on_a_district():
    """The kernel against every pair of edges with shapely alone, where nothing hides anything."""
    random = np.random.default_rng(3)
    boxes = [
        shapely.affinity.rotate(shapely.box(x, y, x + 18, y + 18), float(random.uniform(-8, 8)))
        for x in range(0, 120, 24)
        for y in range(0, 120, 24)
    ]
    found = facing_lengths(np.array(boxes, dtype=object), 9.0).set_index(["first", "second"])["length_m"]
    for one in range(len(boxes)):
        for other in range(one + 1, len(boxes)):
            length = (plain(boxes[one], boxes[other], 9.0) + plain(boxes[other], boxes[one], 9.0)) / 2
            assert found.get((one, other), 0.0) == pytest.approx(length, abs=4e-3)


def plain(one: shapely.Polygon, other: shapely.Polygon, gap_m: float) -> float:
    """Sum, over the edges of one, what of them lies square across from an antiparallel edge of the other."""
    total = 0.0
    for start, end in edges(one):
        unit = (end - start) / np.hypot(*(end - start))
        out = np.array([unit[1], -unit[0]])
        for back, front in edges(other):
            if (front - back) @ unit > -0.9063 * np.hypot(*(front - back)):
                continue
            places = np.linspace(0, 1, 20_001)[:, None] * (end - start) + start
            cross = (front - back) @ out
            along = ((back - places) @ unit, (front - places) @ unit)
            inside = along[0] * along[1] <= 0
            part = along[0] / (along[0] - along[1])
            gap = (back - places) @ out + part * cross
            total += np.mean(inside & (gap >= -0.3) & (gap <= gap_m)) * np.hypot(*(end - start))
    return total


def edges(shape: shapely.Polygon) -> list[tuple[np.ndarray, np.ndarray]]:
    points = shapely.get_coordinates(shapely.orient_polygons(shape))
    return list(pairwise(points))


def test_towns_can_be_joined():
    assert len(barrier_cells(TOWNS, lines(), across_towns=True)) == 1


def test_links_need_one_block_and_the_least_length():
    shapes = np.array([SQUARE, shapely.box(20, 0, 40, 20), shapely.box(40, 16, 60, 36)], dtype=object)
    linked = contacts(shapes, np.array([0, 0, 0]), gap_m=10, min_length_m=5)
    assert linked["linked"].tolist() == [True, False]
    apart = contacts(shapes, np.array([0, 1, 1]), gap_m=10, min_length_m=4)
    assert apart["linked"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("other", "linked", "words"),
    [
        (shapely.box(24, 0, 44, 20), True, ["over 20.0 m", "4.0 m apart"]),
        (shapely.box(38, 0, 44, 20), False, ["18.0 m apart", "up to 10 m"]),
        (shapely.box(20, 17, 40, 37), False, ["3.0 m only", "at least 5 m"]),
        (shapely.box(20, 20, 40, 40), False, ["corners"]),
        (shapely.box(80, 0, 99, 20), False, ["different blocks", "主干路"]),
        (shapely.box(900, 0, 920, 20), False, ["outside every town"]),
    ],
    ids=["lane", "too far", "too short", "corner", "barrier", "outside"],
)
def test_why_two_parcels_touch_or_not(other: shapely.Geometry, linked: bool, words: list[str]):
    road = lines("LINESTRING(60 -10, 60 110)")
    barriers = gpd.GeoDataFrame({"layer": ["road"], "code": ["主干路"]}, geometry=road, crs=4548)
    found = explain_contact(
        np.array([SQUARE, other], dtype=object),
        barrier_cells(TOWNS, road),
        gap_m=10,
        min_length_m=5,
        barriers=barriers,
    )
    assert found.linked is linked
    assert all(word in found.why for word in words), found.why


def test_parcels_that_a_barrier_cuts_are_told():
    cells = barrier_cells(TOWNS, lines("LINESTRING(-10 50, 210 50)"))
    parcels = lines("POLYGON((1 1, 9 1, 9 9, 1 9, 1 1))", "POLYGON((20 20, 30 20, 30 60, 20 60, 20 20))")
    shares = cut_shares(parcels, cells, cell_of(parcels, cells))
    assert shares.tolist() == pytest.approx([0, 0.25])
    assert is_cut(shares).tolist() == [False, True]
