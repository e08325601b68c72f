"""The four sides of a piece of land and its boundary points."""

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lowland_gis.analysis.geometry.neighbours import SIDES, boundary_points, sides

SQUARE = shapely.box(0, 0, 10, 10)


def others(*shapes):
    return np.array(shapes, dtype=object)


def test_each_side_has_its_own_neighbours_the_longest_first():
    around = others(
        shapely.box(10, 0, 20, 10), shapely.box(0, -20, 3, -1), shapely.box(3, -20, 10, -1), shapely.LineString([(-5, 0), (-5, 10)]),
        shapely.box(0, 60, 10, 70),
    )  # fmt: skip
    found = {name: (places, free) for name, places, free in sides(SQUARE, around)}
    assert found["东"] == ([0], 0.0)
    assert found["南"][0] in ([2, 1], [1, 2])
    assert found["西"] == ([3], 0.0)
    assert found["北"] == ([], 1.0)  # too far away


def test_without_neighbours_every_side_is_free():
    assert sides(SQUARE, others()) == [(name, [], 1.0) for name in SIDES]


@given(st.integers(0, 3), st.floats(1, 500), st.floats(-1e6, 1e6))
def test_a_quarter_turn_moves_neighbours_to_the_next_side(turns, size, away):
    east = shapely.box(size, 0, 2 * size, size)
    turned = [
        shapely.transform(shape, lambda xy: _turned(xy - [size / 2, size / 2], turns) + away)
        for shape in (shapely.box(0, 0, size, size), east)
    ]
    found = {name: places for name, places, _ in sides(turned[0], others(turned[1]))}
    # Turned to the left, what lay in the east lies in the north.
    where = ("东", "北", "西", "南")[turns]
    assert found[where] == [0]


def _turned(xy, turns):
    for _ in range(turns):
        xy = np.column_stack([-xy[:, 1], xy[:, 0]])
    return xy


def test_points_begin_in_the_north_west_and_go_clockwise_also_around_holes():
    holed = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(2, 2), (4, 2), (4, 4), (2, 4)]])
    shell, hole = boundary_points(shapely.MultiPolygon([holed]))
    assert shell == (1, [(0.0, 10.0), (10.0, 10.0), (10.0, 0.0), (0.0, 0.0)])
    assert hole == (2, [(2.0, 4.0), (4.0, 4.0), (4.0, 2.0), (2.0, 2.0)])
    assert len(boundary_points(shapely.MultiPolygon([SQUARE, shapely.box(20, 20, 30, 30)]))) == 2
