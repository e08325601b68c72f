"""What changed between two versions: matched by identifier, else by geometry; the areas add up."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from lowland_gis.analysis import lineage as difference


def side(*features):
    """A version of (key, geometry, digest); the area is that of the geometry."""
    rows = pd.DataFrame(
        {
            "key": pd.Series([key for key, _, _ in features], dtype=object),
            "area_m2": [0.0 if shape is None else shape.area for _, shape, _ in features],
            "digest": pd.Series([digest for _, _, digest in features], dtype=object),
        }
    )
    shapes = np.empty(len(features), dtype=object)
    shapes[:] = [shape for _, shape, _ in features]
    return difference.Side(rows, shapes)


def square(place, size=10.0):
    return box(place, 0, place + size, size)


def test_added_removed_and_matched_by_identifier():
    old = side(("a", square(0), "x"), ("b", square(20), "x"))
    new = side(("c", square(40), "x"), ("a", square(0), "x"))
    matched = difference.match(old, new)
    assert (matched.old.tolist(), matched.new.tolist()) == ([0], [1])
    assert (matched.removed.tolist(), matched.added.tolist()) == ([1], [0])
    assert difference.geometry_changes(old, new, matched).empty
    assert difference.candidates(old, new, matched)[0].tolist() == []


def test_a_missing_or_repeated_identifier_is_matched_by_geometry():
    old = side((None, square(0), "x"), ("p", square(20), "x"), ("p", square(40), "x"))
    new = side(("p", square(40), "x"), ("p", square(20), "x"), (None, square(0), "x"))
    matched = difference.match(old, new)
    assert (matched.old.tolist(), matched.new.tolist()) == ([0, 1, 2], [2, 1, 0])


def test_a_new_identifier_on_the_same_geometry_is_the_same_feature():
    matched = difference.match(side(("a", square(0), "x")), side(("b", square(0), "y")))
    assert len(matched.old) == 1
    assert not len(matched.added)


def test_two_equal_geometries_match_two_and_not_four():
    twice = side((None, square(0), "x"), (None, square(0), "x"))
    once = side((None, square(0), "x"))
    matched = difference.match(twice, once)
    assert (len(matched.old), len(matched.removed), len(matched.added)) == (1, 1, 0)


def test_geometry_changes_with_the_symmetric_difference():
    old = side(("a", square(0), "x"), ("b", square(20), "x"))
    new = side(("a", box(1, 0, 11, 10), "x"), ("b", square(20), "x"))
    found = difference.geometry_changes(old, new, difference.match(old, new))
    assert found["old"].tolist() == [0]
    assert found["symmetric_m2"].tolist() == [20.0]
    assert found["change_m2"].tolist() == [0.0]


def test_another_first_vertex_is_no_change():
    turned = Polygon([(10, 10), (10, 0), (0, 0), (0, 10)])
    old, new = side(("a", square(0), "x")), side(("a", turned, "x"))
    assert difference.geometry_changes(old, new, difference.match(old, new)).empty


def test_lines_and_missing_geometries():
    old = side(("a", LineString([(0, 0), (5, 0)]), "x"), ("b", None, "x"))
    new = side(("a", LineString([(0, 0), (6, 0)]), "x"), ("b", None, "y"))
    matched = difference.match(old, new)
    assert difference.geometry_changes(old, new, matched)["old"].tolist() == [0]
    assert difference.candidates(old, new, matched)[0].tolist() == [1]


def test_field_changes_name_field_old_and_new():
    before = pd.DataFrame({"DLBM": ["0102", "0601", None], "TBMJ": [1.0, 2.0, 3.0], "BZ": ["x", None, None]})
    after = pd.DataFrame(
        {"DLBM": ["0102", "0701", "1006"], "TBMJ": [1.0, 2.5, 3.0], "NEW": [None, None, "n"]}
    )
    found = difference.field_changes(before.astype(object), after.astype(object))
    assert sorted(found.astype(object).where(found.notna(), None).itertuples(index=False, name=None)) == [
        (0, "BZ", "x", None),
        (1, "DLBM", "0601", "0701"),
        (1, "TBMJ", 2.0, 2.5),
        (2, "DLBM", None, "1006"),
        (2, "NEW", None, "n"),
    ]


VERSION = st.lists(
    st.tuples(st.sampled_from([None, *"abcdefgh"]), st.integers(0, 12), st.sampled_from([5.0, 10.0])),
    max_size=12,
)


@given(VERSION, VERSION)
def test_every_feature_is_accounted_for_and_the_areas_add_up(first, second):
    old, new = (
        side(*((key, square(20.0 * place, size), "x") for key, place, size in version))
        for version in (first, second)
    )
    matched = difference.match(old, new)
    assert sorted([*matched.old, *matched.removed]) == list(range(len(first)))
    assert sorted([*matched.new, *matched.added]) == list(range(len(second)))
    balance = difference.balance(old, new, matched)
    assert balance.new_m2 - balance.old_m2 == pytest.approx(
        balance.added_m2 - balance.removed_m2 + balance.changed_m2
    )
    assert balance.residual_m2 == pytest.approx(0, abs=1e-9)
    changes = difference.geometry_changes(old, new, matched)
    assert changes["change_m2"].sum() == pytest.approx(balance.changed_m2)
