"""How zones cover a parcel, against the union that GEOS builds."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.overlay.tabulate import Cover, overlaps, zone_layer
from lowland_gis.analysis.overlay.wkb import rings_of
from scattered import AT, blob, field


def covered(parcels: list[shapely.Geometry], zones: list[shapely.Geometry], **how: int) -> Cover:
    codes = np.zeros(len(zones), dtype=np.int64)
    layer = zone_layer(rings_of(np.array(zones, dtype=object)), codes, np.array(["a"], dtype=object))
    return overlaps(rings_of(np.array(parcels, dtype=object)), layer, cover=True, **how)[1]


def expected(parcels: list[shapely.Geometry], zones: list[shapely.Geometry]) -> tuple[np.ndarray, np.ndarray]:
    union = shapely.union_all(zones)
    once = np.array([shapely.intersection(parcel, union).area for parcel in parcels])
    every = np.array([shapely.area(shapely.intersection(parcel, zones)).sum() for parcel in parcels])
    return shapely.area(parcels) - once, every - once


@pytest.mark.parametrize("seed", range(6))
def test_rest_and_excess_are_those_of_the_union(seed):
    parcels, zones = field(200, 40, seed), [*field(200, 120, seed + 50), blob(300, 120, seed)]
    found = covered(parcels, zones)
    for ours, theirs in zip(found, expected(parcels, zones), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert found.excess_m2.max() > 0


def cells(step: float = 10.0) -> list[shapely.Polygon]:
    return [
        shapely.box(*(AT + [x, y]), *(AT + [x + step, y + step]))
        for x in np.arange(0, 50, step)
        for y in np.arange(0, 50, step)
    ]


def test_a_coverage_leaves_no_rest_and_no_excess():
    found = covered([shapely.box(*(AT + 3), *(AT + 47)), blob(40, 20, seed=1, centre=(25, 25))], cells())
    assert [column.tolist() for column in found] == [[0, 0], [0, 0]]


def test_a_hole_in_the_coverage_is_the_rest_and_a_double_zone_the_excess():
    parcel = shapely.box(*(AT + 3), *(AT + 47))
    some = cells()
    assert covered([parcel], some[:12] + some[13:]).rest_m2.tolist() == pytest.approx([100])
    assert covered([parcel], [*some, some[12]]).excess_m2.tolist() == pytest.approx([100])
    both = covered([parcel], [*some[:12], *some[13:], some[7], some[7]])
    assert [both.rest_m2.tolist(), both.excess_m2.tolist()] == [pytest.approx([100]), pytest.approx([200])]


def test_no_zone_leaves_all_and_nothing_has_nothing():
    far = shapely.box(*(AT + 900), *(AT + 910))
    found = covered([cells()[0], shapely.Polygon()], [far])
    assert [column.tolist() for column in found] == [[100, 0], [0, 0]]


def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr("lowland_gis.analysis.overlay.tabulate.CHUNK", 7)
    parcels, zones = field(200, 40, 1), field(200, 60, 2)
    one, two = covered(parcels, zones), covered(parcels, zones, threads=2)
    assert one.rest_m2.tolist() == two.rest_m2.tolist()
    assert one.excess_m2.tolist() == two.excess_m2.tolist()
