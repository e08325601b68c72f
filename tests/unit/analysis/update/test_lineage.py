"""Lineage of single cases, drawn: what is a doubt, and what a limit tells apart."""

import numpy as np
import pytest
import shapely

from grown import shared, state
from lowland_gis.analysis.update import lineage as became
from lowland_gis.analysis.update.limits import Limits
from lowland_gis.analysis.update.lineage import is_land, lineage

LIMITS = Limits(0.5, 0.02)


def found(old, new, limits=LIMITS):
    one, other = state(old), state(new)
    done = lineage(one, other, shared(old, new), limits)
    changes = [
        (change.kind, sorted(one.ids[change.old]), sorted(other.ids[change.new])) for change in done.changes
    ]
    return changes, {(doubt.rule, doubt.old, doubt.new) for doubt in done.doubts}, done


def test_a_boundary_within_the_bound_is_drift_and_beyond_it_another_outline():
    old = {"A": shapely.box(0, 0, 100, 100)}
    assert found(old, {"A": shapely.box(0.4, 0, 100.4, 100)})[0] == [("boundary_drifted", ["A"], ["A"])]
    changes, doubts, _ = found(old, {"A": shapely.box(0, 0, 108, 100)})
    assert changes == [("reshaped", ["A"], ["A"])]
    assert doubts == set()


def test_near_the_bound_there_is_a_doubt():
    old = {"A": shapely.box(0, 0, 100, 100)}
    changes, doubts, _ = found(old, {"A": shapely.box(0, 0, 103, 100)})
    assert changes == [("reshaped", ["A"], ["A"])]
    assert doubts == {(became.NEAR_LIMIT, 0, 0)}


def test_a_number_on_other_land_is_told():
    old = {"A": shapely.box(0, 0, 100, 100), "B": shapely.box(200, 0, 300, 100)}
    new = {"A": shapely.box(400, 0, 500, 100), "B": shapely.box(200, 0, 300, 100)}
    changes, doubts, _ = found(old, new)
    assert changes == [("added", [], ["A"]), ("removed", ["A"], []), ("same", ["B"], ["B"])]
    assert doubts == {(became.ELSEWHERE, 0, 0)}


def test_another_number_on_part_of_the_land_is_neither_and_told():
    old, new = {"A": shapely.box(0, 0, 100, 100)}, {"B": shapely.box(70, 0, 170, 100)}
    changes, doubts, _ = found(old, new)
    assert changes == [("regrouped", ["A"], ["B"])]
    assert (became.UNCLEAR, 0, 0) in doubts


def test_another_number_on_most_of_the_land_is_renumbered_and_told():
    old, new = {"A": shapely.box(0, 0, 100, 100)}, {"B": shapely.box(10, 0, 110, 100)}
    changes, doubts, _ = found(old, new)
    assert changes == [("renumbered", ["A"], ["B"])]
    assert (became.UNCLEAR, 0, 0) in doubts


def test_many_pairs_at_once_are_what_each_is_alone():
    # What becomes of each place, 1,000 m apart: by how much its boundary lies off, and whether the number is the same.
    places = [(0.0, True), (0.4, True), (8.0, True), (0.4, False), (10.0, False), (70.0, False), (3.0, True)]
    old, new, alone, told = {}, {}, [], set()
    for at, (off, kept) in enumerate(places):
        one = {f"{at}A": shapely.box(1000 * at, 0, 1000 * at + 100, 100)}
        other = {f"{at}{'A' if kept else 'B'}": shapely.box(1000 * at + off, 0, 1000 * at + 100 + off, 100)}
        old |= one
        new |= other
        changes, doubts, _ = found(one, other)
        alone += changes
        told |= {(rule, at, at) for rule, _, _ in doubts}
    changes, doubts, done = found(old, new)
    assert sorted(changes) == sorted(alone)
    assert doubts == told
    assert {kind for kind, _, _ in changes} == {
        became.SAME, became.DRIFTED, became.RESHAPED, became.RENUMBERED, became.REGROUPED,
    }  # fmt: skip
    assert [change.moved_m for change in done.changes if change.kind == became.DRIFTED] == [
        pytest.approx(0.2)
    ]


def test_a_parcel_no_wider_than_a_boundary_is_a_sliver():
    old = {"A": shapely.box(0, 0, 100, 100)}
    new = {"A": shapely.box(0.3, 0, 100, 100), "S": shapely.box(0, 0, 0.3, 100)}
    changes, doubts, _ = found(old, new)
    assert changes == [("added", [], ["S"]), ("boundary_drifted", ["A"], ["A"])]
    assert (became.SLIVER, -1, 1) in doubts


def test_neighbours_that_exchange_land_stay_themselves():
    old = {"A": shapely.box(0, 0, 100, 100), "B": shapely.box(100, 0, 200, 100)}
    new = {"A": shapely.box(0, 0, 130, 100), "B": shapely.box(130, 0, 200, 100)}
    changes, _, done = found(old, new)
    assert changes == [("reshaped", ["A"], ["A"]), ("reshaped", ["B"], ["B"])]
    lost, gained = is_land(done, state(old), state(new), shared(old, new), LIMITS)
    # What one lost the other has: no land came or went.
    assert not lost.any()
    assert not gained.any()


@pytest.mark.parametrize("keeps", [True, False])
def test_a_part_that_is_carved_out_is_a_split(keeps):
    old = {"A": shapely.box(0, 0, 100, 100)}
    rest = "A" if keeps else "C"
    new = {rest: shapely.box(0, 0, 95, 100), "B": shapely.box(95, 0, 100, 100)}
    assert found(old, new)[0] == [("split", ["A"], sorted([rest, "B"]))]


def test_nothing_is_no_change():
    changes, doubts, done = found({}, {})
    assert (changes, doubts) == ([], set())
    assert len(done.old_change) == 0
    assert np.array_equal(done.new_change, np.empty(0))
