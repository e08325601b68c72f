"""How the tests of the engine on Spark cut the plane, and what they hold to be the same."""

from __future__ import annotations

import pandas as pd
import pytest

from lowland_gis.engines.sedona.job import Grid

# So small that a few hundred polygons lie in many cells, and that a star of 6,000 vertices is large.
GRID = Grid(cell_bytes=20_000, square_m=200.0, large_bytes=16_000)


def same(ours: pd.DataFrame, theirs: pd.DataFrame, *figures: str) -> None:
    """Hold two tables to the same rows, in the same order, with figures to 1e-6."""
    names = [name for name in ours.columns if name not in figures]
    assert len(ours) > 0
    assert theirs[names].astype(str).to_numpy().tolist() == ours[names].astype(str).to_numpy().tolist()
    for name in figures:
        assert theirs[name].tolist() == pytest.approx(ours[name].tolist(), abs=1e-6, rel=1e-14)
