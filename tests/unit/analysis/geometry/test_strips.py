"""Strips of line features replace the ground of polygons, and each other's at crossings."""

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.geometry.strips import apart, ground


def test_a_strip_takes_the_place_of_the_ground_around_it():
    fields = np.array(
        [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100), shapely.box(300, 0, 400, 100)]
    )
    road = np.array([shapely.box(-10, 45, 150, 55)])
    left = ground(fields, road).geometries
    assert shapely.area(left).tolist() == [9_000, 9_500, 10_000]
    assert not shapely.intersects(shapely.buffer(left[0], -0.01), road[0])


def test_a_polygon_under_a_strip_is_empty_and_touching_takes_nothing():
    left = ground(
        np.array([shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1)]), np.array([shapely.box(-1, -1, 5, 2)])
    ).geometries
    assert shapely.is_empty(left).tolist() == [True, False]
    assert shapely.area(left[1]) == 1


def test_a_crossing_goes_to_the_wider_one_and_to_the_first_of_equal_ones():
    strips = np.array(
        [
            shapely.box(0, 4, 10, 6),
            shapely.box(3, 0, 7, 10),
            shapely.box(3, 20, 5, 30),
            shapely.box(0, 24, 10, 26),
        ]
    )
    left = apart(strips, np.array([2.0, 4.0, 2.0, 2.0])).geometries
    assert shapely.area(left).tolist() == [12, 40, 20, 16]
    assert shapely.area(shapely.union_all(strips)) == shapely.area(left).sum()


@pytest.mark.parametrize(
    "function", [lambda nothing: apart(nothing, np.array([])), lambda nothing: ground(nothing, nothing)]
)
def test_nothing(function):
    assert len(function(np.array([], dtype=object)).geometries) == 0


def test_polygons_and_strips_close_over_a_coverage():
    """Whatever the lines: what is left of the polygons and the strips together is the ground, once."""
    random = np.random.default_rng(5)
    cells = np.array(
        [shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x in range(6) for y in range(6)]
    )
    widths = random.choice([3.0, 6.0, 12.0], 40)
    ends = random.uniform(50, 550, (40, 3, 2))
    strips = shapely.buffer(shapely.linestrings(ends), widths / 2, cap_style="flat", join_style="mitre")
    strips = apart(shapely.make_valid(strips, method="structure", keep_collapsed=False), widths).geometries
    inside = shapely.intersection(strips, shapely.box(0, 0, 600, 600))
    assert shapely.area(ground(cells, strips).geometries).sum() + shapely.area(inside).sum() == pytest.approx(
        360_000, abs=1e-3
    )
