"""Shifts by GCJ-02 are told from other faults by the district boundary."""

import numpy as np
import pyproj
import pytest
import shapely

from lowland_gis.analysis.geometry.geodesy import GaussPlane
from lowland_gis.analysis.geometry.offset import gcj02_offset, gcj02_shift

PLANE = GaussPlane(117.0, 500_000.0)
DISTRICT = shapely.box(505_000, 4_335_000, 525_000, 4_350_000)


def grid(step: int = 250) -> np.ndarray:
    """Places all over the district, some on its boundary."""
    x, y = np.meshgrid(np.arange(505_000, 525_001, step), np.arange(4_335_000, 4_350_001, step))
    return np.column_stack([x.ravel(), y.ravel()]).astype(float)


def on_the_internet(places: np.ndarray) -> np.ndarray:
    """Move places as GCJ-02 does: the shift at the shifted place is known, so look it up a few times."""
    moved = places
    for _ in range(4):
        moved = places + gcj02_shift(moved, PLANE)
    return moved


def test_the_shift_at_a_known_place():
    """About 129 m north and 548 m east at 117.17 E, 39.25 N."""
    place = pyproj.Transformer.from_crs(4490, 4548, always_xy=True).transform(117.17, 39.25)
    shift = gcj02_shift(np.array([place]), PLANE)[0]
    turn = np.radians(0.17) * np.sin(np.radians(39.25))
    north, east = shift[1] * np.cos(turn) - shift[0] * np.sin(turn), shift[0]
    assert abs(east - 549) < 3
    assert abs(north - 129) < 3


def test_a_right_layer_is_not_suspected():
    assert gcj02_offset(grid(), DISTRICT, PLANE) is None


def test_a_shifted_layer_is_told():
    found = gcj02_offset(on_the_internet(grid()), DISTRICT, PLANE)
    assert found is not None
    assert found.shifted == "layer"
    assert found.outside_share > 0.03
    assert found.outside_share_undone < 0.001
    assert 500 < found.east_m < 600
    assert found.place.x > 520_000


def test_a_shifted_boundary_is_told_apart():
    corners = on_the_internet(shapely.get_coordinates(shapely.segmentize(DISTRICT, 500)))
    found = gcj02_offset(grid(), shapely.Polygon(corners), PLANE)
    assert found is not None
    assert found.shifted == "boundary"


@pytest.mark.parametrize(
    "shift", [(110.0, 14.0), (-550.0, -129.0), (0.0, 550.0), (2_000.0, 0.0), (550.0, -400.0)]
)
def test_another_shift_is_not_taken_for_it(shift):
    assert gcj02_offset(grid() + np.array(shift), DISTRICT, PLANE) is None


def test_a_layer_inside_tells_nothing_and_strays_are_no_shift():
    inside = grid()
    inside = inside[shapely.contains_xy(DISTRICT.buffer(-900), inside[:, 0], inside[:, 1])]
    assert gcj02_offset(on_the_internet(inside), DISTRICT, PLANE) is None
    strays = np.vstack([np.repeat(grid(), 3, axis=0), on_the_internet(grid())[-4:]])
    assert gcj02_offset(strays, DISTRICT, PLANE) is None


def test_one_feature_that_reaches_out_is_no_shift():
    turn = np.linspace(0, 2 * np.pi, 10_000)
    place = np.column_stack([505_000 + 90 * np.cos(turn), 4_340_000 + 90 * np.sin(turn)])
    assert gcj02_offset(place, DISTRICT, PLANE) is None


def test_nothing_and_nan_are_no_shift():
    assert gcj02_offset(np.empty((0, 2)), DISTRICT, PLANE) is None
    assert gcj02_offset(np.full((9, 2), np.nan), DISTRICT, PLANE) is None
    assert gcj02_offset(grid(), shapely.Polygon(), PLANE) is None
