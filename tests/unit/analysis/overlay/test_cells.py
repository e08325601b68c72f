"""Cells: none is heavier than the limit, they tile the plane, and their windows hold their parcels."""

import numpy as np
import pytest

from lowland_gis.analysis.overlay.cells import cells, united

SIDE = 100.0


def squares(seed: int, count: int = 300):
    rng = np.random.default_rng(seed)
    places = np.unique(rng.integers(-20, 20, (count, 2)), axis=0)
    weight = rng.uniform(0, 10, len(places))
    low = (places + rng.uniform(0, 1, places.shape)) * SIDE
    box = np.concatenate([low, low + rng.uniform(0, 200, low.shape)], axis=1)
    box[rng.uniform(size=len(box)) < 0.1] = np.nan
    return places[:, 0], places[:, 1], weight, box


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_cell_is_heavier_than_the_limit_and_each_square_lies_in_its_own(seed):
    column, row, weight, box = squares(seed)
    plane = cells(column, row, weight, box, side=SIDE, limit=60.0)
    assert len(plane.core) > 10
    assert np.bincount(plane.cell, weight).max() <= 60.0
    middle = (np.stack([column, row], axis=1) + 0.5) * SIDE
    inside = (middle[:, None] > plane.core[None, :, :2]).all(axis=2) & (
        middle[:, None] < plane.core[None, :, 2:]
    ).all(axis=2)
    assert (inside.sum(axis=1) == 1).all()
    assert (inside.argmax(axis=1) == plane.cell).all()
    for number in range(len(plane.core)):
        np.testing.assert_array_equal(plane.window[number], united(box[plane.cell == number]))


def test_one_square_is_not_cut_however_heavy():
    box = np.array([[0.0, 0, 10, 10]] * 2)
    plane = cells(np.array([0, 0]), np.array([0, 0]), np.array([9.0, 9.0]), box, side=SIDE, limit=1.0)
    assert plane.cell.tolist() == [0, 0]


def test_nothing_is_one_cell():
    none = np.empty(0, dtype=np.int64)
    plane = cells(none, none, np.empty(0), np.empty((0, 4)), side=SIDE, limit=1.0)
    assert plane.core.tolist() == [[-np.inf, -np.inf, np.inf, np.inf]]
