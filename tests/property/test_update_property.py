"""Lineage and balance of random partitions whose truth is known, with overlaps by brute force."""

import numpy as np
import shapely
from hypothesis import assume, given, settings

from grown import DRIFT_M, grown, shared, state
from lowland_gis.analysis.update.balance import COLUMNS, Side, balance
from lowland_gis.analysis.update.limits import Limits
from lowland_gis.analysis.update.lineage import PER_M2, SAME, lineage

LIMITS = Limits(DRIFT_M, 0.02)


def valid(found):
    return all(shape.is_valid for shape in (*found.old.values(), *found.new.values()))


def named(old, new, changes):
    return {
        (row.kind, tuple(sorted(old.ids[row.old])), tuple(sorted(new.ids[row.new])))
        for row in changes
        if row.kind != SAME
    }


@given(grown())
@settings(max_examples=150, deadline=None)
def test_what_became_of_what_is_found_and_nothing_is_invented(found):
    assume(valid(found))
    old, new = state(found.old), state(found.new)
    done = lineage(old, new, shared(found.old, found.new), LIMITS)
    assert named(old, new, done.changes) == found.truth
    assert set(done.old_change) | set(done.new_change) == set(range(len(done.changes)))


@given(grown())
@settings(max_examples=60, deadline=None)
def test_the_order_of_parcels_changes_nothing(found):
    assume(valid(found))
    back = [dict(reversed(side.items())) for side in (found.old, found.new)]
    one = lineage(state(found.old), state(found.new), shared(found.old, found.new), LIMITS)
    other = lineage(state(back[0]), state(back[1]), shared(*back), LIMITS)
    assert named(state(found.old), state(found.new), one.changes) == named(
        state(back[0]), state(back[1]), other.changes
    )
    assert len(one.doubts) == len(other.doubts)


@given(grown())
@settings(max_examples=60, deadline=None)
def test_the_balance_closes_and_is_that_of_the_ground(found):
    assume(valid(found))
    old, new, pairs = state(found.old), state(found.new), shared(found.old, found.new)
    towns = [
        np.array([f"T{int(shape.centroid.x // 90)}" for shape in side.values()], dtype=object)
        for side in (found.old, found.new)
    ]
    every = [np.ones(len(side), dtype=bool) for side in (old, new)]
    table = balance(Side(old.area, towns[0], every[0]), Side(new.area, towns[1], every[1]), pairs)
    assert (table["residual"] == 0).all()
    whole = table.iloc[-1]
    before, after = shapely.union_all(list(found.old.values())), shapely.union_all(list(found.new.values()))
    assert abs(whole["added"] - after.difference(before).area) < 0.01 * (len(old) + len(new) + len(pairs))
    assert abs(whole["removed"] - before.difference(after).area) < 0.01 * (len(old) + len(new) + len(pairs))
    assert whole["old"] == old.area.sum() / PER_M2
    np.testing.assert_allclose(
        table[list(COLUMNS)].iloc[:-1].sum()[["old", "new"]], whole[["old", "new"]].astype(float)
    )
