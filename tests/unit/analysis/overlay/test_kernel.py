"""The kernel where its short cuts are: long rings, parcels of many edges, what lies above, below and beside."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.overlay.frame import frame_room, laid_out
from lowland_gis.analysis.overlay.tabulate import overlap_areas
from lowland_gis.analysis.overlay.wkb import rings_of
from scattered import AT, blob, field


def areas(parcels: list[shapely.Geometry], zones: list[shapely.Geometry]) -> np.ndarray:
    """The area of every parcel in every zone."""
    found = overlap_areas(
        np.array(parcels, dtype=object), np.array(zones, dtype=object), np.arange(len(zones)).astype(object)
    )
    table = np.zeros((len(parcels), len(zones)))
    table[found["parcel"], found["code"].astype(int)] = found["area_m2"]
    return table


def expected(parcels: list[shapely.Geometry], zones: list[shapely.Geometry]) -> np.ndarray:
    return np.array([[shapely.intersection(parcel, zone).area for zone in zones] for parcel in parcels])


def close(parcels: list[shapely.Geometry], zones: list[shapely.Geometry]) -> None:
    limit = np.maximum(1e-6, 1e-10 * shapely.area(np.array(parcels, dtype=object)))
    assert (np.abs(areas(parcels, zones) - expected(parcels, zones)) <= limit[:, None]).all()


@pytest.mark.parametrize("vertices", [3, 17, 64, 65, 66, 80, 257, 1_000, 4_097, 70_000])
def test_long_rings_are_read_through_their_blocks(vertices):
    zones = [blob(vertices, 900, seed=vertices), blob(max(vertices // 3, 3), 500, seed=1, centre=(300, 200))]
    close(field(1_000, 60, seed=2), zones)


@pytest.mark.parametrize("vertices", [60, 64, 65, 200, 5_000, 60_000])
def test_parcels_of_many_edges_are_listed_by_strips(vertices):
    parcels = [blob(vertices, 900, seed=vertices), blob(vertices, 700, seed=5, centre=(-400, 100))]
    close(parcels, [*field(1_000, 40, seed=3), blob(vertices, 800, seed=4, centre=(50, -60))])


def test_a_comb_whose_long_edge_lies_under_all_its_teeth():
    x = np.arange(0, 400.0)
    comb = shapely.Polygon(np.vstack([AT, np.c_[AT[0] + x, AT[1] + 1 + 50 * (x % 2)], AT + [400, 0]]))
    close([comb], field(300, 50, seed=6))
    close(field(300, 50, seed=7), [comb])


@pytest.mark.parametrize("teeth", [200, 4_000])
def test_a_comb_on_its_side_is_not_listed_in_every_strip(teeth):
    """Each of its long edges runs through every strip; listing all of them there would cost the square of their number."""
    y = np.arange(0, float(teeth))
    comb = shapely.Polygon(np.vstack([AT, np.c_[AT[0] + 1 + 300 * (y % 2), AT[1] + y], AT + [0, teeth]]))
    count, size = laid_out(rings_of(np.array([comb])), 0, frame_room(len(y) + 3, 0, 0))
    assert (count, size.vertices) == (len(y) + 1, len(y) + 3)
    assert size.places < 8 * len(y)
    close([comb], field(300, 50, seed=6))


def test_a_zone_all_over_gives_the_parcel_to_the_bit():
    parcel = blob(48, 30, seed=8)
    table = areas(
        [parcel], [shapely.box(*(AT - 1e6), *(AT + 1e6)), shapely.box(*(AT - 1e6), *(AT + [1e6, 0.0]))]
    )
    assert table[0, 0] == pytest.approx(parcel.area, rel=1e-14)
    assert table[0, 1] == pytest.approx(
        shapely.intersection(parcel, shapely.box(*(AT - 1e6), *(AT + [1e6, 0]))).area, rel=1e-12
    )


def test_a_ring_round_the_parcel_that_comes_back_above_it():
    """What runs above the box is one edge; a bay that dips in between must not be swallowed."""
    parcel = shapely.box(*AT, *(AT + 10))
    bay = shapely.Polygon(
        AT + np.array([(-5, 20), (-5, -5), (15, -5), (15, 20), (7, 20), (6, 5), (4, 5), (3, 20)])
    )
    around = shapely.Polygon(
        AT + np.array([(-5, 30), (-5, 12), (30, 12), (30, -5), (-5, -5), (-5, -20), (40, -20), (40, 30)])
    )
    close([parcel], [bay, around, around.reverse()])


def test_many_zones_round_one_parcel():
    parcel = shapely.box(*(AT - 500), *(AT + 500))
    cells = [
        shapely.box(*(AT + [x, y]), *(AT + [x + 10, y + 10]))
        for x in range(-500, 500, 10)
        for y in range(-500, 500, 10)
    ]
    found = areas([parcel], cells)
    np.testing.assert_allclose(found, 100.0, rtol=1e-12)


@pytest.mark.parametrize("upright", [0.0, 1e-305, 1e-160, 1e-12])
def test_edges_that_are_all_but_upright(upright):
    """At the origin coordinates can be so near to each other that a slope would overflow."""
    leaning = shapely.Polygon([(0, 0), (10, 0), (10 + upright, 10), (upright, 10)])
    found = overlap_areas(
        np.array([leaning], dtype=object),
        np.array([shapely.box(0, 0, 5, 20)], dtype=object),
        np.array(["a"], dtype=object),
    )
    assert found["area_m2"].tolist() == pytest.approx([50.0], abs=1e-9)


@pytest.mark.parametrize(("west", "width", "far"), [(0.0, 1e-12, 1e7), (100.0, np.spacing(100.0), 1e4)])
def test_a_parcel_that_is_all_but_a_line_beside_a_zone_that_goes_far(west, width, far):
    """Of strips as narrow as it is more lie between it and the end of the zone than an integer holds."""
    parcel = shapely.box(west, 0, west + width, 10)
    zone = shapely.Polygon([(west - 10, -1), (far, 4), (far, 20), (west - 10, 20)])
    assert areas([parcel], [zone])[0, 0] <= 1e-6
