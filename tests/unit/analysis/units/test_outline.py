"""Outlines of units do not depend on how the rings of their parcels are written."""

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.units.ground import Limits
from lowland_gis.analysis.units.outline import _drawn_back, _without_hangers, outlines


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


# Two lots side by side and a third beyond a corner; what closes the corner between the first two meets what closes the way to the
# third in one corner of the second, so a rounding makes two pieces of it or one.
LOTS = (
    ((38.1038, 10.4512), (30.0728, 31.9012), (44.9879, 34.1432), (53.2139, 12.8458), (50.3457, 12.2626)),
    ((53.2139, 12.8458), (44.9879, 34.1432), (42.9377, 39.1543), (57.8608, 41.403), (68.2691, 15.0228)),
    ((60.483, 42.7849), (55.9025, 54.504), (52.1697, 65.2113), (66.3936, 66.0438), (69.3659, 58.4304), (70.5104, 55.2708),
     (74.5771, 43.9782)),
)  # fmt: skip


@pytest.mark.parametrize("noise_m", [1e-9, 1e-7, 1e-4])
@pytest.mark.parametrize("off", [(0, 0), (514_800, 4_345_300)], ids=["origin", "grid"])
def test_pieces_that_meet_in_a_corner_are_looked_at_one_by_one_whatever_the_rounding(noise_m, off):
    areas = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        moved = {corner: corner + random.uniform(-noise_m, noise_m, 2) for ring in LOTS for corner in ring}
        lots = [shapely.Polygon(np.array([moved[corner] for corner in ring]) + off) for ring in LOTS]
        (drawn,), _ = outlines(
            np.array(lots, dtype=object), [np.arange(3)], np.array([None], dtype=object), 10.0
        )
        areas.append(drawn.area)
    # The lots, and the way of 16.27 m² between the second and the third; the inner corner stays as it is.
    assert areas == pytest.approx([1084.90 + 16.27] * 60, abs=0.05)


@pytest.mark.parametrize("overlap_m", [1e-7, 1e-4])
def test_what_hangs_on_a_unit_by_a_corner_is_not_its_own(overlap_m):
    own = shapely.box(0, 0, 30, 10)
    court = shapely.box(30 - overlap_m, 10 - overlap_m, 40, 20)
    lane = shapely.box(0, 10, 4, 30)
    whole = np.array([shapely.union_all([own, court, lane])], dtype=object)
    kept = _without_hangers(whole, np.array([own], dtype=object))[0]
    assert shapely.symmetric_difference(kept, shapely.union(own, lane)).area < 1e-3


def test_an_area_of_which_geos_loses_parts_is_drawn_back_whole():
    """findings/geos_mitred_parts.sh: nine tenths are lost by exactly 5 m, nothing by half a µm more or less."""
    ring = [
        (514331.5936095991, 4344334.723481632), (514349.53808777675, 4344280.87831423), (514347.02400448767, 4344281.148331095),
        (514352.146048183, 4344257.680571257), (514296.47207129974, 4344284.122610222), (514343.81197744224, 4344281.493308321),
        (514335.5978095733, 4344282.375524066), (514266.8797985488, 4344336.213694538),
    ]  # fmt: skip
    wide = np.array([shapely.Polygon(ring)], dtype=object)
    own = shapely.buffer(wide, -5.001)
    assert _drawn_back(wide, own, 5.0)[0].area == pytest.approx(shapely.area(own)[0], abs=1)
