"""What became of the parcels of frozen units: gone, split, another outline, another verdict; what is the same is not named."""

import geopandas as gpd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity, box

from lowland_gis.analysis.units.member_changes import GONE, OTHER_GROUND, OTHER_VERDICT, member_changes

GROUND = box(0, 0, 100, 100)
TITLES = {"industrial": "低效工业用地", "none": "非低效用地"}


def was(**given_as):
    row = {
        "number": "U1",
        "parcel_id": "P",
        "area_m2": 10_000.0,
        "answer": "industrial",
        "low": True,
        "geometry": GROUND,
    }
    return gpd.GeoDataFrame([row | given_as], geometry="geometry")


def now(**given_as):
    row = {"parcel_id": "P", "area_m2": 10_000.0, "answer": "industrial", "low": True, "geometry": GROUND}
    return gpd.GeoDataFrame([row | given_as], geometry="geometry")


def nobody(columns=("gone", "parcel_id")):
    return gpd.GeoDataFrame({name: [] for name in columns}, geometry=[])


def told(before, after, beneath=None):
    found = member_changes(before, after, nobody() if beneath is None else beneath, TITLES)
    return [(row["number"], row["parcel_id"], row["how"], row["words"]) for row in found.to_dict("records")]


def test_what_is_as_it_was_is_not_named():
    assert told(was(), now()) == []


def test_the_same_outline_from_another_vertex_is_the_same():
    turned = box(0, 0, 100, 100, ccw=False)
    assert told(was(), now(geometry=turned)) == []


@given(st.floats(-0.0005, 0.0005), st.floats(-0.0005, 0.0005))
def test_what_formats_round_is_the_same(x, y):
    assert told(was(), now(geometry=affinity.translate(GROUND, x, y))) == []


def test_a_parcel_that_is_gone_is_named_with_its_area():
    (row,) = told(was(), now(parcel_id="Q"))
    assert row == ("U1", "P", GONE, "is no parcel any more (10,000.00 m²); no parcel lies on its ground")


def test_a_parcel_that_was_split_names_its_pieces_the_largest_first_and_no_neighbour():
    pieces = {"A": box(0, 0, 30, 100), "B": box(30, 0, 100, 100), "N": box(100, 0, 200, 100)}
    beneath = gpd.GeoDataFrame({"gone": "P", "parcel_id": list(pieces)}, geometry=list(pieces.values()))
    ((*_, words),) = told(was(), now(parcel_id="Q"), beneath)
    assert words == "is no parcel any more (10,000.00 m²); on its ground lie B (70.0%), A (30.0%)"


def test_a_neighbour_alone_does_not_lie_on_the_ground():
    beneath = gpd.GeoDataFrame({"gone": ["P"], "parcel_id": ["N"]}, geometry=[box(100, 0, 200, 100)])
    assert told(was(), now(parcel_id="Q"), beneath)[0][3].endswith("; no parcel lies on its ground")


def test_where_a_parcel_lay_that_an_older_program_did_not_keep_is_not_known():
    assert told(was(geometry=None, area_m2=float("nan")), now(parcel_id="Q"))[0][3] == (
        "is no parcel any more; where it lay is not known"
    )


def test_another_outline_is_told_by_area_and_by_the_ground_that_is_left():
    (row,) = told(was(), now(geometry=box(0, 0, 90, 100), area_m2=9_000.0))
    assert row == (
        "U1", "P", OTHER_GROUND, "has another outline: 10,000.00 → 9,000.00 m², 90.0% of its ground is as it was"
    )  # fmt: skip


def test_a_parcel_of_the_same_area_elsewhere_has_another_outline():
    (row,) = told(was(), now(geometry=box(50, 0, 150, 100)))
    assert row[2:] == (
        OTHER_GROUND, "has another outline: 10,000.00 → 10,000.00 m², 50.0% of its ground is as it was"
    )  # fmt: skip


@pytest.mark.parametrize("answer", ["none", "open"])
def test_a_verdict_that_is_not_low_efficiency_any_more_is_told_with_both_answers(answer):
    (row,) = told(was(), now(answer=answer, low=False))
    assert row[2:] == (
        OTHER_VERDICT, f"is not low-efficiency any more: industrial 低效工业用地 → {'none 非低效用地' if answer == 'none' else 'open'}"
    )  # fmt: skip


def test_another_kind_of_low_efficiency_a_parcel_that_never_was_and_what_is_not_known_are_not_told():
    assert told(was(), now(answer="town")) == []
    assert told(was(answer="none", low=False), now(answer="industrial")) == []
    assert told(was(answer=None, low=None), now(answer="none", low=False)) == []
    assert told(was(), now(answer=None, low=None)) == []


def test_outline_and_verdict_are_both_told_and_a_parcel_of_two_units_for_each():
    both = gpd.GeoDataFrame([*was().to_dict("records"), *was(number="U0").to_dict("records")])
    found = told(both, now(geometry=box(0, 0, 90, 100), area_m2=9_000.0, answer="none", low=False))
    assert [row[:3] for row in found] == [
        ("U0", "P", OTHER_GROUND), ("U0", "P", OTHER_VERDICT), ("U1", "P", OTHER_GROUND), ("U1", "P", OTHER_VERDICT),
    ]  # fmt: skip


def test_no_unit_at_all_is_no_change():
    empty = was().iloc[:0]
    assert member_changes(empty, now().iloc[:0], nobody()).empty
