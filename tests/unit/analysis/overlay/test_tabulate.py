"""Overlap areas on bare arrays: chunks and progress change nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.wkb import rings_of

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


@pytest.mark.parametrize("cover", [False, True])
def test_room_that_becomes_too_small_loses_nothing_of_what_was_found(cover):
    """Parcels that meet few zones and many, with few vertices and many, in one chunk: each has the figures that it has alone."""
    cells = [shapely.box(x, y, x + 10, y + 10) for x in range(0, 400, 10) for y in range(0, 400, 10)]
    zones = tabulate.zone_layer(rings_of(np.array(cells)), np.arange(len(cells)), np.arange(len(cells)))
    parcels = [
        shapely.Point(200, 200).buffer(radius, quarters)
        for radius, quarters in ((6, 2), (90, 200), (8, 4), (199, 900))
    ]
    found, covered = tabulate.overlaps(rings_of(np.array(parcels)), zones, cover=cover)
    for row, parcel in enumerate(parcels):
        alone, covered_alone = tabulate.overlaps(rings_of(np.array([parcel])), zones, cover=cover)
        mine = found.parcel == row
        assert found.klass[mine].tolist() == alone.klass.tolist()
        assert found.area_m2[mine].tolist() == alone.area_m2.tolist()
        assert found.area_m2[mine].sum() == pytest.approx(parcel.area, rel=1e-12)
        if cover:
            assert (
                [column[row] for column in covered] == [column[0] for column in covered_alone] == [0.0, 0.0]
            )


def test_missing_shapes_meet_nothing():
    parcels = np.array([None, PARCELS[0], shapely.Polygon()], dtype=object)
    assert tabulate.overlap_areas(parcels, np.append(ZONES, None), np.append(CODES, "c"))[
        "parcel"
    ].tolist() == [1]
