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


SQUARE = shapely.box(0, 0, 100, 100)


def test_a_parcel_no_wider_than_a_boundary_stays_itself_where_it_kept_its_number():
    thin = {"T": shapely.box(0, 0, 0.4, 100)}
    assert found(thin, thin)[:2] == ([("same", ["T"], ["T"])], set())


def test_a_small_parcel_that_is_carved_out_of_a_large_one_is_measured_by_its_own_boundary():
    # 81 m²: more than a strip along its own boundary, less than one along that of the large one, or a share of it.
    small = shapely.box(0, 0, 9, 9)
    changes, doubts, _ = found({"A": SQUARE}, {"A": SQUARE.difference(small), "B": small})
    assert changes == [("split", ["A"], ["A", "B"])]
    assert doubts == set()


@pytest.mark.parametrize(
    ("width", "changes"),
    [
        (0.7, [("split", ["A"], ["A", "B"])]),
        (0.4, [("added", [], ["B"]), ("boundary_drifted", ["A"], ["A"])]),
    ],
)
def test_a_strip_is_told_by_half_of_its_boundary_and_is_a_doubt_on_either_side(width, changes):
    new = {"A": shapely.box(width, 0, 100, 100), "B": shapely.box(0, 0, width, 100)}
    told, doubts, _ = found({"A": SQUARE}, new)
    assert told == changes
    assert (became.NEAR_LIMIT, 0, 1) in doubts


def test_a_sliver_that_is_gone_is_told_too():
    new = {"A": SQUARE}
    old = {"A": shapely.box(0.3, 0, 100, 100), "S": shapely.box(0, 0, 0.3, 100)}
    changes, doubts, _ = found(old, new)
    assert changes == [("removed", ["S"], []), ("boundary_drifted", ["A"], ["A"])]
    assert (became.SLIVER, 1, -1) in doubts


def test_what_comes_or_goes_on_its_own_ground_is_no_sliver():
    changes, doubts, _ = found({"A": SQUARE}, {"B": shapely.box(500, 0, 500.3, 100)})
    assert changes == [("added", [], ["B"]), ("removed", ["A"], [])]
    assert doubts == set()


def test_a_number_that_touches_its_old_land_by_a_strip_is_another_parcel():
    changes, doubts, _ = found({"A": SQUARE}, {"A": shapely.box(99.8, 0, 200, 100)})
    assert changes == [("added", [], ["A"]), ("removed", ["A"], [])]
    assert doubts == {(became.ELSEWHERE, 0, 0)}


@pytest.mark.parametrize(
    "new",
    [
        {"A": shapely.box(0, 0, 90, 100), "C": shapely.box(90, 0, 110, 100), "B": shapely.box(110, 0, 200, 100)},
        # One of both lost most of its land, by whichever of its areas that is told.
        {"A": shapely.box(0, 0, 180, 100), "B": shapely.box(180, 0, 200, 100)},
    ],
)  # fmt: skip
def test_neighbours_of_which_one_lost_most_or_a_third_one_took_some_are_regrouped(new):
    changes, _, _ = found({"A": SQUARE, "B": shapely.box(100, 0, 200, 100)}, new)
    assert changes == [("regrouped", ["A", "B"], sorted(new))]


def test_another_number_on_much_more_land_is_no_other_number_of_it():
    changes, doubts, _ = found({"A": SQUARE}, {"B": shapely.box(0, 0, 250, 100)})
    assert changes == [("regrouped", ["A"], ["B"])]
    assert doubts == {(became.UNCLEAR, 0, 0)}


def test_how_far_a_boundary_lies_off_is_told_along_the_longer_one():
    # Six cuts of half a metre: 297 m² on a boundary of 400 m before, and of 1,588 m after.
    cuts = shapely.union_all([shapely.box(10 * at, 0, 10 * at + 0.5, 99) for at in range(1, 7)])
    for sides in (
        ({"A": SQUARE}, {"A": SQUARE.difference(cuts)}),
        ({"A": SQUARE.difference(cuts)}, {"A": SQUARE}),
    ):
        changes, _, done = found(*sides)
        assert changes == [("boundary_drifted", ["A"], ["A"])]
        assert done.changes[0].moved_m == pytest.approx(297 / 1588)


@pytest.mark.parametrize(
    ("hundredths", "perimeter", "kind"),
    [
        (3, 40.0, "same"),
        (4, 40.0, "boundary_drifted"),
        (30, 4000.0, "same"),
        (50, 4000.0, "boundary_drifted"),
    ],
)
def test_what_rounding_leaves_is_no_drift(hundredths, perimeter, kind):
    ids = np.array(["A"], dtype=object)
    one, other = (
        became.State(ids, np.array([area]), np.array([perimeter])) for area in (10_000, 10_000 + hundredths)
    )
    both = became.Shared(np.array([0]), np.array([0]), np.array([10_000]))
    done = lineage(one, other, both, LIMITS)
    assert [change.kind for change in done.changes] == [kind]
    assert done.doubts == ()


def test_changes_are_told_by_code_and_doubts_by_the_old_parcel():
    old = {"B": SQUARE, "A": shapely.box(500, 0, 600, 100)}
    assert found(old, {})[0] == [("removed", ["A"], []), ("removed", ["B"], [])]
    # Two that exchange land near the limit, and one that has more near the limit.
    old = {"A": SQUARE, "B": shapely.box(100, 0, 200, 100), "C": shapely.box(300, 0, 400, 100)}
    new = {
        "A": shapely.box(0, 0, 103, 100),
        "B": shapely.box(103, 0, 200, 100),
        "C": shapely.box(300, 0, 403, 100),
    }
    changes, _, done = found(old, new)
    assert [kind for kind, _, _ in changes] == ["reshaped"] * 3
    assert [(doubt.rule, doubt.old) for doubt in done.doubts[-3:]] == [
        (became.NEAR_LIMIT, place) for place in (0, 1, 2)
    ]


@pytest.mark.parametrize(
    ("old", "new", "kind", "land"),
    [
        (SQUARE, shapely.box(0, 0, 120, 100), "reshaped", (False, True)),
        (shapely.box(0, 0, 120, 100), SQUARE, "reshaped", (True, False)),
        # A strip on one side, land on the other.
        (SQUARE, shapely.box(0.3, 0, 120, 100), "reshaped", (False, True)),
        # All of a drift may lie on one side of a boundary, and is no land.
        (SQUARE, shapely.box(0, 0, 101.5, 100), "boundary_drifted", (False, False)),
        (SQUARE, None, "removed", (True, False)),
        (None, shapely.box(0, 0, 0.3, 100), "added", (False, True)),
    ],
)  # fmt: skip
def test_what_is_land_and_what_a_strip(old, new, kind, land):
    sides = tuple({} if shape is None else {"A": shape} for shape in (old, new))
    changes, _, done = found(*sides)
    assert [each[0] for each in changes] == [kind]
    flags = is_land(done, *map(state, sides), shared(*sides), LIMITS)
    assert tuple(bool(side.any()) for side in flags) == land


def test_a_hole_belongs_to_the_parcel_that_lies_in_it():
    hole = shapely.box(40, 40, 60, 60)
    ring = {"A": SQUARE.difference(hole), "B": hole}
    assert found(ring, ring)[0] == [("same", ["A"], ["A"]), ("same", ["B"], ["B"])]
    assert found(ring, {"A": SQUARE})[0] == [("merged", ["A", "B"], ["A"])]
    assert found({"A": SQUARE}, ring)[0] == [("split", ["A"], ["A", "B"])]
    # Filled up without a parcel in it, its land came.
    changes, _, done = found({"A": ring["A"]}, {"A": SQUARE})
    assert changes == [("reshaped", ["A"], ["A"])]
    assert is_land(
        done, state({"A": ring["A"]}), state({"A": SQUARE}), shared({"A": ring["A"]}, {"A": SQUARE}), LIMITS
    )[1].any()
