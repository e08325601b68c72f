"""Overlap areas on bare arrays: chunks and progress change nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis import tabulate

PARCELS = np.array([shapely.box(10 * n, 0, 10 * n + 10, 10) for n in range(7)], dtype=object)
ZONES = np.array(
    [shapely.box(5, 0, 38, 5), shapely.box(20, 0, 100, 10), shapely.box(0, 0, 70, 1)], dtype=object
)
CODES = np.array(["b", "a", "b"], dtype=object)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_chunks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch, size: int):
    whole = tabulate.overlap_areas(PARCELS, ZONES, CODES)
    monkeypatch.setattr(tabulate, "CHUNK", size)
    told: list[int] = []
    pd.testing.assert_frame_equal(tabulate.overlap_areas(PARCELS, ZONES, CODES, progress=told.append), whole)
    assert sum(told) == len(PARCELS)
    threaded = tabulate.overlap_areas(PARCELS, ZONES, CODES, threads=3)
    pd.testing.assert_frame_equal(threaded, whole, check_exact=True)
    assert max(told) <= size


def test_every_parcel_and_code_has_one_row_in_order():
    rows = tabulate.overlap_areas(PARCELS, ZONES, CODES)
    assert rows.to_numpy().tolist() == [
        [0, "b", 35], [1, "b", 60], [2, "a", 100], [2, "b", 60], [3, "a", 100], [3, "b", 50],
        [4, "a", 100], [4, "b", 10], [5, "a", 100], [5, "b", 10], [6, "a", 100], [6, "b", 10],
    ]  # fmt: skip


def test_missing_shapes_meet_nothing():
    parcels = np.array([None, PARCELS[0], shapely.Polygon()], dtype=object)
    assert tabulate.overlap_areas(parcels, np.append(ZONES, None), np.append(CODES, "c"))[
        "parcel"
    ].tolist() == [1]
