"""The balance by town on a few parcels: what is land, what a strip along a boundary, and what went over to another town."""

import numpy as np
import pytest

from lowland_gis.analysis.update.balance import Side, balance
from lowland_gis.analysis.update.lineage import Shared


def side(*rows):
    area, town, real = zip(*rows, strict=True)
    return Side(np.array(area), np.array(town, dtype=object), np.array(real))


def told(old, new, *pairs):
    shared = Shared(*(np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True)))
    rows = balance(old, new, shared).to_dict("records")
    assert [row["residual"] for row in rows] == [0] * len(rows)
    return {
        row.pop("town_code"): {name: value for name, value in row.items() if value and name != "residual"}
        for row in rows
    }


def test_what_is_no_land_is_drift_on_either_side():
    # 3 m² came and 1 m² went at the first parcel, as a strip; 2 m² went as land at the second.
    old = side((10_000, "x", False), (5_000, "y", True))
    new = side((10_200, "x", False), (4_800, "y", False))
    found = told(old, new, (0, 0, 9_900), (1, 1, 4_800))
    assert found["x"] == {"old": 100, "drift": 2, "new": 102}
    assert found["y"] == {"old": 50, "removed": 2, "new": 48}
    assert found[None] == {"old": 150, "removed": 2, "drift": 2, "new": 150}


def test_land_is_added_and_removed_at_once():
    found = told(side((10_000, "x", True)), side((10_500, "x", True)), (0, 0, 9_000))
    assert found["x"] == {"old": 100, "added": 15, "removed": 10, "new": 105}


def test_pieces_that_together_are_more_than_the_parcel_are_drift():
    # Areas of pieces that were rounded one by one: two hundredths too much of both, which is no land that came or went.
    found = told(side((10_000, "x", True)), side((10_000, "x", True)), (0, 0, 10_002))
    assert found["x"] == {"old": 100, "new": 100}
    found = told(
        side((10_000, "x", True)), side((4_000, "x", True), (6_001, "x", True)), (0, 0, 4_001), (0, 1, 6_001)
    )
    assert found["x"] == pytest.approx({"old": 100, "drift": 0.01, "new": 100.01})


def test_what_went_over_to_another_town_is_moved_and_within_the_whole_nothing_is():
    old = side((10_000, "x", False), (6_000, "y", False))
    new = side((12_000, "y", False), (4_000, "x", False))
    found = told(old, new, (0, 0, 6_000), (1, 0, 6_000), (0, 1, 4_000))
    assert found["x"] == {"old": 100, "moved_out": 60, "new": 40}
    assert found["y"] == {"old": 60, "moved_in": 60, "new": 120}
    assert found[None] == {"old": 160, "new": 160}
