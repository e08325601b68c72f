"""Which records of a whole a part takes the place of: by place, by codes, by names that come again; what cannot be told is in doubt."""

import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, MultiPoint, Point, box

from lowland_gis.analysis.pieces import ground_of_both, pieces, towns_of

EAST, WEST = "120113100", "120113101"
TOWNS = np.array([box(0, 0, 100, 100), box(-100, 0, 0, 100)], dtype=object)
CODES = np.array([EAST, WEST], dtype=object)


def shapes(*items):
    return np.array([*items, None], dtype=object)[:-1]


def records(*rows):
    return pd.DataFrame(rows, columns=["key", "town", "said"], dtype=object)


@pytest.mark.parametrize(
    ("shape", "town"),
    [
        (box(10, 10, 20, 20), EAST),
        (box(-30, 10, 10, 20), WEST),
        (box(-10, 10, 30, 20), EAST),
        (box(-10, 10, 10, 20), EAST),
        (box(90, 10, 900, 20), EAST),
        (box(500, 0, 600, 10), None),
        (LineString([(-30, 5), (10, 5)]), WEST),
        (Point(-5, 5), WEST),
        (MultiPoint([(5, 5), (-5, 5)]), EAST),
    ],
)
def test_the_town_of_a_shape_is_the_one_that_holds_the_largest_share(shape, town):
    assert towns_of(shapes(shape), TOWNS, CODES).tolist() == [town]


def test_many_shapes_keep_their_order_and_without_towns_none_is_known():
    many = shapes(box(500, 0, 600, 10), box(-30, 10, 10, 20), box(10, 10, 20, 20))
    assert towns_of(many, TOWNS, CODES).tolist() == [None, WEST, EAST]
    assert towns_of(many, TOWNS[:0], CODES[:0]).tolist() == [None] * 3
    assert towns_of(shapes(), TOWNS, CODES).tolist() == []


def taken(whole, part=None, by=None):
    found = pieces(whole, records() if part is None else part, EAST, by)
    return found.taken.tolist(), found.doubt.tolist()


def test_by_place_where_the_place_is_known_and_by_the_code_where_it_is_not():
    whole = records(
        ("a", EAST, EAST), ("b", WEST, WEST), ("c", None, EAST), ("d", None, WEST), ("e", None, None)
    )
    assert taken(whole) == ([True, False, True, False, False], [False] * 5)


def test_where_place_and_code_disagree_it_cannot_be_told_unless_it_is_said():
    whole = records(("a", EAST, WEST), ("b", WEST, EAST), ("c", WEST, "999"))
    assert taken(whole)[1] == [True, True, False]
    assert taken(whole, by="place") == ([True, False, False], [False] * 3)
    assert taken(whole, by="code") == ([False, True, False], [False] * 3)


def test_a_name_that_comes_again_is_replaced_wherever_it_lies_and_leaves_no_doubt():
    whole = records(("a", EAST, WEST), ("b", WEST, WEST), ("c", WEST, WEST))
    part = records(("a", EAST, WEST), ("b", EAST, EAST))
    assert taken(whole, part) == ([True, True, False], [False] * 3)


def test_names_that_are_not_there_are_not_the_same():
    assert taken(records((None, WEST, WEST)), records((None, EAST, EAST)))[0] == [False]


def test_what_of_the_part_lies_elsewhere_is_a_stray():
    part = records(("a", EAST, EAST), ("b", WEST, EAST), ("c", None, EAST), ("d", None, None))
    assert pieces(records(), part, EAST, None).strays.tolist() == [False, True, False, True]
    assert pieces(records(), part, EAST, "code").strays.tolist() == [False, False, False, True]


def test_ground_of_both_is_summed_pair_by_pair_and_lines_have_none():
    part = shapes(box(0, 0, 10, 10), LineString([(0, 0), (50, 50)]))
    rest = shapes(box(8, 0, 18, 10), box(10, 0, 20, 10), box(0, 9, 10, 19))
    assert ground_of_both(part, rest) == pytest.approx(30.0)
    assert ground_of_both(part, shapes()) == 0.0
    assert ground_of_both(part[1:], rest) == 0.0
    assert shapely.get_dimensions(part).tolist() == [2, 1]
