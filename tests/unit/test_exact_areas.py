"""The judge judged: exact areas of shapes whose answers are known on paper."""

from __future__ import annotations

from fractions import Fraction

import pytest
import shapely

from exact_areas import exact_area, exact_overlap

SQUARE = shapely.box(0, 0, 10, 10)
RING = shapely.Polygon(SQUARE.exterior, [shapely.box(2, 2, 8, 8).exterior])


@pytest.mark.parametrize(
    ("one", "other", "area"),
    [
        (SQUARE, SQUARE, 100),
        (SQUARE, shapely.box(5, 5, 20, 20), 25),
        (SQUARE, shapely.box(10, 0, 20, 10), 0),
        (SQUARE, shapely.box(10, 10, 20, 20), 0),
        (SQUARE, shapely.box(30, 0, 40, 10), 0),
        (SQUARE, shapely.box(2, 3, 4, 5), 4),
        (RING, SQUARE, 64),
        (RING, shapely.box(3, 3, 7, 7), 0),
        (RING, RING, 64),
        (RING, shapely.box(0, 0, 5, 10), 32),
        (SQUARE, shapely.MultiPolygon([shapely.box(-5, 0, 1, 10), shapely.box(9, 0, 30, 1)]), 11),
        (SQUARE, shapely.Polygon([(0, 0), (10, 10), (20, 0)]), 50),
        # Two right triangles of 10 m whose hypotenuses cross in the middle.
        (shapely.Polygon([(0, 0), (10, 0), (0, 10)]), shapely.Polygon([(0, 0), (10, 0), (10, 10)]), 25),
        # One of height 1 and one of height 2 lean against each other over 3 m: they cross at a third.
        (shapely.Polygon([(0, 0), (3, 0), (0, 1)]), shapely.Polygon([(0, 0), (3, 0), (3, 2)]), 1),
        (SQUARE, shapely.LineString([(0, 0), (10, 10)]), 0),
        (SQUARE, shapely.Polygon(), 0),
    ],
)
def test_areas_known_on_paper(one, other, area):
    for first in (one, one.reverse()):
        assert exact_overlap(first, other) == exact_overlap(other, first) == area


def test_nothing_is_rounded():
    third = shapely.Polygon([(0, 0), (3, 0), (0, 1)])
    assert exact_overlap(third, shapely.box(0, 0, 1, 10)) == Fraction(5, 6)
    far, step = 4e7, 2.0**-27  # the distance to the next double at 4e7
    hair = shapely.box(far, 0, far + step, 1000)
    assert exact_overlap(hair, shapely.box(far, 0, far + 5, 500)) == Fraction(500, 2**27)
    assert exact_overlap(hair, shapely.box(far + step, 0, far + 5, 500)) == 0


def test_parts_sum_to_the_whole_exactly():
    cut = shapely.Polygon([(-1, -1), (11, -1), (11, 3.3), (-1, 7.7)])
    rest = shapely.Polygon([(-1, 7.7), (11, 3.3), (11, 11), (-1, 11)])
    assert exact_overlap(RING, cut) + exact_overlap(RING, rest) == exact_area(RING) == 64
