"""The tree of boxes against looking at every box."""

from __future__ import annotations

import numpy as np
import pytest

from lowland_gis.analysis.overlay.boxtree import STACK, box_tree, boxes_met


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 256, 257, 5000])
def test_finds_what_looking_at_every_box_finds(count):
    rng = np.random.default_rng(count)
    low = rng.integers(0, 60, (count, 2)).astype(float)
    boxes = np.hstack([low, low + rng.integers(0, 9, (count, 2))])
    boxes[rng.random(count) < 0.05] = np.nan
    tree = box_tree(boxes)
    for _ in range(60):
        corner = rng.integers(-5, 60, 2)
        asked = np.array([*corner, *(corner + rng.integers(1, 20, 2))], dtype=float)
        found, stack = np.empty(1, dtype=np.int64), np.empty(STACK, dtype=np.int64)
        n = boxes_met(tree, asked, found, stack)
        if n > 1:
            found = np.empty(n, dtype=np.int64)
            assert boxes_met(tree, asked, found, stack) == n
        meets = (boxes[:, :2] < asked[2:]).all(axis=1) & (boxes[:, 2:] > asked[:2]).all(axis=1)
        assert found[:n].tolist() == np.flatnonzero(meets).tolist()
