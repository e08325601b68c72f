"""Topology of a layer: what is found, where, how large, and that a clean coverage has no finding."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box
from shapely.affinity import translate

from lowland_gis.analysis.quality import topology


def layer(*shapes):
    return np.array(shapes, dtype=object)


def squares(columns, rows, size=10.0):
    return layer(
        *(
            box(x * size, y * size, (x + 1) * size, (y + 1) * size)
            for x in range(columns)
            for y in range(rows)
        )
    )


def pairs(found):
    return list(zip(found["row"], found["other"], found["value"].round(6), strict=True))


def test_a_clean_coverage_has_no_finding():
    shapes = squares(4, 3)
    clean = topology.coverage(shapes)
    assert len(clean.suspects) == 0
    boundary = box(0, 0, 40, 30)
    for found in (
        topology.overlaps(clean, min_area_m2=0.01),
        topology.duplicates(clean),
        topology.gaps(clean, min_area_m2=0.01),
        topology.uncovered(clean, boundary, min_area_m2=0.01),
        topology.outside(clean, boundary, min_area_m2=0.01),
        topology.small_parts(shapes, min_area_m2=10),
        topology.narrow_parts(shapes, min_width_m=1),
        topology.multiparts(shapes),
        topology.holed(shapes),
        topology.short_edges(topology.corners(shapes), min_length_m=0.2),
        topology.sharp_angles(topology.corners(shapes), min_angle_deg=10),
    ):
        assert found.empty
        assert list(found.columns) == ["row", "other", "value", "place"]


def test_overlaps_name_both_rows_the_area_and_the_place():
    shapes = layer(box(0, 0, 10, 10), box(9.5, 0, 20, 10), box(30, 0, 40, 10))
    found = topology.overlaps(topology.coverage(shapes), min_area_m2=0.01)
    assert pairs(found) == [(0, 1, 5.0)]
    assert found["place"].iloc[0].equals(box(9.5, 0, 10, 10))


def test_an_overlap_at_the_tolerance_is_none():
    shapes = layer(box(0, 0, 10, 10), box(9.999, 0, 20, 10))
    assert topology.overlaps(topology.coverage(shapes), min_area_m2=0.02).empty
    assert len(topology.overlaps(topology.coverage(shapes), min_area_m2=0.005)) == 1


def test_a_polygon_inside_another_is_an_overlap():
    shapes = layer(box(0, 0, 10, 10), box(2, 2, 4, 4))
    assert pairs(topology.overlaps(topology.coverage(shapes), min_area_m2=0.01)) == [(0, 1, 4.0)]


def test_a_duplicate_is_no_overlap_whatever_its_first_vertex():
    turned = Polygon([(10, 10), (10, 0), (0, 0), (0, 10)])
    whole = topology.coverage(layer(box(0, 0, 10, 10), turned, box(10, 0, 20, 10)))
    assert pairs(topology.duplicates(whole)) == [(0, 1, 100.0)]
    assert topology.overlaps(whole, min_area_m2=0.01).empty


def test_a_missing_vertex_is_no_overlap_and_no_gap():
    shapes = layer(box(0, 0, 10, 20), box(10, 0, 20, 10), box(10, 10, 20, 20))
    whole = topology.coverage(shapes)
    assert len(whole.suspects) > 0
    assert topology.overlaps(whole, min_area_m2=0.0).empty
    assert topology.gaps(whole, min_area_m2=0.0).empty


def test_gaps_lie_inside_and_name_two_neighbours():
    shapes = np.delete(squares(3, 3), 4)
    found = topology.gaps(topology.coverage(shapes), min_area_m2=0.01)
    assert found["value"].tolist() == [100.0]
    assert found["place"].iloc[0].equals(box(10, 10, 20, 20))
    row, other = int(found["row"].iloc[0]), int(found["other"].iloc[0])
    assert shapes[row].intersects(box(10, 10, 20, 20))
    assert row != other


def test_an_island_in_a_hole_leaves_a_ring():
    ring = Polygon(box(0, 0, 30, 30).exterior, [box(10, 10, 20, 20).exterior.reverse()])
    found = topology.gaps(topology.coverage(layer(ring, box(12, 12, 18, 18))), min_area_m2=0.01)
    assert found["value"].tolist() == [64.0]


def test_uncovered_and_outside_against_a_boundary():
    whole = topology.coverage(np.delete(squares(3, 3), 4))
    uncovered = topology.uncovered(whole, box(-1, 0, 30, 30), min_area_m2=0.01)
    assert uncovered["value"].tolist() == [30.0]
    outside = topology.outside(whole, box(1, 0, 30, 30), min_area_m2=0.01)
    assert outside["value"].tolist() == [30.0]
    assert topology.outside(whole, box(0, 0, 30, 30), min_area_m2=0.01).empty


def test_what_lies_outside_is_named_after_the_rows_that_lie_there_not_after_neighbours():
    """The last square reaches over the edge; the first two only touch what is outside."""
    whole = topology.coverage(layer(box(0, 0, 10, 10), box(0, 10, 10, 20), box(-5, 5, 0, 15)))
    outside = topology.outside(whole, box(0, 0, 10, 20), min_area_m2=0.01)
    assert outside[["row", "other", "value"]].to_numpy().tolist() == [[2, topology.NONE, 50.0]]


def test_slivers_by_area_and_by_width():
    shapes = layer(box(0, 0, 30, 0.3), box(0, 1, 100, 1.4), box(0, 5, 10, 15))
    assert topology.small_parts(shapes, min_area_m2=10)["row"].tolist() == [0]
    narrow = topology.narrow_parts(shapes, min_width_m=1)
    assert narrow["row"].tolist() == [0, 1]
    assert narrow["value"].iloc[1] == pytest.approx(2 * 40 / 200.8)


def test_a_small_part_of_a_large_row_is_found():
    shapes = layer(MultiPolygon([box(0, 0, 100, 100), box(200, 0, 202, 2)]))
    found = topology.small_parts(shapes, min_area_m2=10)
    assert pairs(found) == [(0, -1, 4.0)]
    assert pairs(topology.multiparts(shapes)) == [(0, -1, 2.0)]


def test_small_rows_have_a_limit_each_and_nan_asks_nothing():
    shapes = squares(3, 1)
    found = topology.small_rows(shapes, np.array([200.0, 100.0, np.nan]))
    assert pairs(found) == [(0, -1, 100.0)]


def test_holes():
    ring = Polygon(box(0, 0, 30, 30).exterior, [box(10, 10, 20, 20).exterior, box(1, 1, 2, 2).exterior])
    found = topology.holed(layer(box(50, 0, 60, 10), MultiPolygon([box(70, 0, 71, 1), ring])))
    assert sorted(pairs(found)) == [(1, -1, 1.0), (1, -1, 100.0)]


def test_short_edges_and_lines():
    shapes = layer(Polygon([(0, 0), (10, 0), (10, 0.1), (10, 10), (0, 10)]), box(20, 0, 30, 10))
    found = topology.short_edges(topology.corners(shapes), min_length_m=0.2)
    assert pairs(found) == [(0, -1, 0.1)]
    assert found["place"].iloc[0].equals(shapely.LineString([(10, 0), (10, 0.1)]))
    lines = layer(shapely.LineString([(0, 0), (1, 1)]), shapely.LineString([(0, 0), (3, 0)]))
    assert topology.short_lines(lines, min_length_m=2)["row"].tolist() == [0]


def test_sharp_corners_at_the_first_vertex_in_a_hole_and_in_a_notch():
    spike = Polygon([(0, 0), (100, 0), (100, 5)])
    notch = Polygon([(0, 0), (50, 0), (51, 40), (52, 0), (100, 0), (100, 60), (0, 60)])
    holed = Polygon(box(0, 0, 200, 200).exterior, [[(10, 10), (110, 10), (110, 15)]])
    found = topology.sharp_angles(
        topology.corners(layer(spike, notch, holed, box(0, 0, 1, 1))), min_angle_deg=10
    )
    assert found["row"].tolist() == [0, 1, 2]
    assert [(place.x, place.y) for place in found["place"]] == [(0, 0), (51, 40), (10, 10)]
    assert found["value"].iloc[0] == pytest.approx(np.degrees(np.arctan2(5, 100)))


def test_an_angle_at_the_limit_is_none():
    half = np.radians(15)
    wedge = Polygon([(0, 0), (np.cos(half), np.sin(half)), (np.cos(half), -np.sin(half))])
    assert topology.sharp_angles(topology.corners(layer(wedge)), min_angle_deg=29.9).empty
    assert len(topology.sharp_angles(topology.corners(layer(wedge)), min_angle_deg=30.1)) == 1


def test_uncovered_shares():
    shapes = layer(box(0, 0, 10, 10), box(100, 0, 110, 10))
    cover = layer(box(0, 0, 10, 4), box(0, 4, 10, 7))
    assert topology.uncovered_shares(shapes, cover).tolist() == pytest.approx([0.3, 1.0])
    assert topology.uncovered_shares(shapes, layer()).tolist() == [1.0, 1.0]


def test_an_empty_layer_has_no_finding():
    nothing = np.zeros(0, dtype=object)
    whole = topology.coverage(nothing)
    assert topology.overlaps(whole, min_area_m2=0).empty
    assert topology.gaps(whole, min_area_m2=0).empty
    assert topology.short_edges(topology.corners(nothing), min_length_m=1).empty
    assert topology.sharp_angles(topology.corners(nothing), min_angle_deg=10).empty
    assert topology.uncovered(whole, box(0, 0, 1, 1), min_area_m2=0)["value"].tolist() == [1.0]


@given(st.integers(0, 15), st.floats(0.5, 9.0), st.sampled_from(["east", "north"]))
def test_every_shift_is_found_with_its_area(row, metres, way):
    shapes = squares(4, 4)
    east, north = (metres, 0.0) if way == "east" else (0.0, metres)
    shapes[row] = translate(shapes[row], east, north)
    found = topology.overlaps(topology.coverage(shapes), min_area_m2=0.01)
    expected = sum(
        shapes[row].intersection(other).area for number, other in enumerate(shapes) if number != row
    )
    assert found["value"].sum() == pytest.approx(expected)
    assert ((found["row"] == row) | (found["other"] == row)).all()
