"""Outlines of units do not depend on how the rings of their parcels are written."""

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.units.ground import Limits
from lowland_gis.analysis.units.outline import outlines


def started_at(shape: shapely.Polygon, vertex: int, *, turned: bool) -> shapely.Polygon:
    ring = np.roll(shapely.get_coordinates(shape.exterior)[:-1], -vertex, axis=0)
    return shapely.Polygon(ring[::-1] if turned else ring)


def blunt(random: np.random.Generator, corner: tuple[float, float]) -> shapely.Polygon:
    """A parcel of 30 m with many short edges, as digitised curves have them."""
    angles = np.sort(random.uniform(0, 2 * np.pi, 60))
    radius = 15 + random.uniform(-0.06, 0.06, 60)
    return shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * radius[:, None] + corner)


@pytest.mark.parametrize("seed", range(5))
def test_an_outline_is_the_same_wherever_the_rings_begin(seed):
    random = np.random.default_rng(seed)
    shapes = np.array([blunt(random, (36.0 * at, 3.0 * at)) for at in range(5)], dtype=object)
    written = np.array(
        [started_at(shape, int(random.integers(60)), turned=bool(random.integers(2))) for shape in shapes],
        dtype=object,
    )
    units = [np.arange(5)]
    (one,), _ = outlines(shapes, units, np.array([None], dtype=object), 10.0)
    (other,), _ = outlines(written, units, np.array([None], dtype=object), 10.0)
    assert one.area > shapely.area(shapes).sum() + 10
    assert other.area == pytest.approx(one.area, abs=1e-6)
    assert shapely.symmetric_difference(one, other).area < 1e-6


@pytest.mark.parametrize("off", [0.0, 1e-4, -1e-4, 0.03], ids=["touching", "open", "across", "a crack"])
def test_ground_between_parcels_that_meet_in_a_corner_is_enclosed_whatever_the_rounding(off):
    """Two parcels side by side whose far corners meet: the triangle between them has no other way out."""
    left = shapely.Polygon([(0, 0), (-40, 0), (-40, 60), (0, 60), (-15 - off, 30)])
    right = shapely.Polygon([(0, 0), (40, 0), (40, 60), (0.0 + off, 60), (15, 30)])
    (drawn,), _ = outlines(
        np.array([left, right], dtype=object), [np.arange(2)], np.array([None], dtype=object), 2.0
    )
    assert drawn.area == pytest.approx(left.area + right.area + 15 * 60, abs=2)
    assert shapely.get_num_interior_rings(drawn.geoms[0]) == 0


def moved_a_little(shape: shapely.Polygon, random: np.random.Generator) -> shapely.Polygon:
    ring = shapely.get_coordinates(shape.exterior)[:-1]
    return shapely.Polygon(ring + random.uniform(-1e-4, 1e-4, ring.shape))


def beside_a_lane(width_m: float) -> np.ndarray:
    """Two rows along a lane that is a little too wide at first, and as wide as given from the bend on."""
    north = shapely.Polygon([(0, width_m + 1), (60, width_m), (160, width_m), (160, 60), (0, 60)])
    south = shapely.Polygon([(0, -40), (160, -40), (160, 0), (70, 0), (0, 0)])
    return np.array([north, south], dtype=object)


@pytest.mark.parametrize("seed", range(8))
def test_a_lane_that_is_just_as_wide_as_may_be_is_closed_whatever_the_rounding(seed):
    """The lane of 10 m is closed from the bend on, and before it as far as it is no wider than the accuracy of its sides."""
    random = np.random.default_rng(seed)
    shapes = beside_a_lane(10.0)
    noisy = np.array([moved_a_little(shape, random) for shape in shapes], dtype=object)
    reach = Limits(gap_m=10.0).reach_m
    (plain,), _ = outlines(shapes, [np.arange(2)], np.array([None], dtype=object), reach)
    (other,), _ = outlines(noisy, [np.arange(2)], np.array([None], dtype=object), reach)
    lanes = plain.area - shapely.area(shapes).sum()
    assert 100 * 10 - 60 < lanes < 160 * 10.2
    assert shapely.symmetric_difference(plain, other).area < 1


def beside_a_bulging_lane() -> np.ndarray:
    """Two rows along a lane that is too wide by 4 cm for five metres only, narrow on both sides of that, and open to the north."""
    widths = [(0, 8.5), (60, 9.4), (82, 10.09), (91, 9.83), (97, 10.0), (99, 10.6), (110, 14.0)]
    west = shapely.Polygon([(0, 0), (0, 110), (-40, 110), (-40, 0)])
    east = shapely.Polygon([*((width, y) for y, width in widths), (60, 110), (60, 0)])
    return np.array([west, east], dtype=object)


@pytest.mark.parametrize("seed", range(8))
def test_a_bulge_behind_a_narrow_mouth_belongs_to_the_lane_whatever_the_rounding(seed):
    """The lane is closed between its mouth and the bulge, so that the bulge lies enclosed and no rounding lays it open."""
    random = np.random.default_rng(seed)
    shapes = beside_a_bulging_lane()
    noisy = np.array([moved_a_little(shape, random) for shape in shapes], dtype=object)
    reach = Limits(gap_m=10.0).reach_m
    (plain,), _ = outlines(shapes, [np.arange(2)], np.array([None], dtype=object), reach)
    (other,), _ = outlines(noisy, [np.arange(2)], np.array([None], dtype=object), reach)
    assert plain.contains(shapely.Point(5, 82))
    assert other.contains(shapely.Point(5, 82))
    assert shapely.symmetric_difference(plain, other).area < 10.05**2


def test_inner_corners_of_a_unit_stay_sharp():
    """Drawing out and back round would fill them."""
    corner = shapely.box(0, 0, 80, 80) - shapely.box(40, 40, 80, 80)
    (drawn,), _ = outlines(
        np.array([corner], dtype=object), [np.arange(1)], np.array([None], dtype=object), 10.0
    )
    assert drawn.area == pytest.approx(corner.area, abs=1e-6)
