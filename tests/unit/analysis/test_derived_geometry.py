"""Areas that are derived from valid areas: only valid polygons come out, and what fails costs its own row."""

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.geometry.derived import areas, joined
from lowland_gis.analysis.geometry.strips import ground, of_lines
from lowland_gis.analysis.measures.values import MovedShares, drift_band
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.analysis.units.outline import outlines

BOW_TIE = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


# A field of a second survey and a sliver of a lane at its corner: their difference has a line of no length beside its polygon.
FIELD = shapely.Polygon(
    [(513044.1932, 4345209.5917), (512584.24, 4345279.9182), (512639.9758, 4345247.3179), (512696.1799, 4345214.7191)]
)  # fmt: skip
LANE = shapely.Polygon(
    [(513045.65563313075, 4345212.211106295), (513043.58142915205, 4345208.495939533), (513045.4563232983, 4345211.854116687)]
)  # fmt: skip


def test_a_line_of_no_length_beside_a_difference_is_no_part_of_the_ground():
    assert shapely.difference(FIELD, LANE).geom_type == "GeometryCollection"
    left, failed = ground(np.array([FIELD]), np.array([LANE]))
    assert failed.tolist() == [False]
    assert shapely.is_valid(left).all()
    assert set(shapely.get_type_id(shapely.get_parts(left))) == {shapely.GeometryType.POLYGON}
    assert rings_of(left).area[0] == pytest.approx(
        FIELD.area - shapely.intersection(FIELD, LANE).area, abs=1e-6
    )


def test_what_fails_costs_its_own_row():
    """A crossed ring is no valid area, so its row fails in GEOS; the others are cut as if it were not there."""
    squares = np.array([shapely.box(0, 0, 1, 1), BOW_TIE, None, shapely.box(5, 5, 6, 6)])
    made = areas(shapely.difference, squares, np.full(4, shapely.box(0, 0, 0.5, 1)))
    assert made.failed.tolist() == [False, True, False, False]
    assert shapely.area(made.geometries).tolist() == pytest.approx([0.5, np.nan, np.nan, 1.0], nan_ok=True)
    left, failed = ground(squares[[0, 1, 3]], np.array([shapely.box(0, 0, 0.5, 1.5)]))
    assert failed.tolist() == [False, True, False]
    assert shapely.area(left).tolist() == pytest.approx([0.5, np.nan, 1.0], nan_ok=True)


def test_pieces_of_another_kind_leave_an_empty_area():
    touching = areas(
        shapely.intersection, np.array([shapely.box(0, 0, 1, 1)]), np.array([shapely.box(1, 0, 2, 1)])
    )
    assert shapely.is_empty(touching.geometries).tolist() == [True]
    assert not touching.failed.any()
    none = joined([np.empty(0, dtype=object), np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])])
    assert shapely.area(none.geometries).tolist() == [0.0, 2.0]


def test_strips_of_lines_that_are_missing_or_without_a_width_are_missing_and_did_not_fail():
    lines = np.array([shapely.LineString([(0, 0), (10, 0)]), None, shapely.LineString([(0, 5), (10, 5)])])
    made = of_lines(lines, np.array([2.0, 2.0, np.nan]))
    assert shapely.area(made.geometries).tolist() == pytest.approx([20, np.nan, np.nan], nan_ok=True)
    assert not made.failed.any()


def test_a_parcel_that_cannot_be_drawn_in_or_out_keeps_the_band_of_its_perimeter():
    """100 × 100 m, half of it in the layer, 1 m of drift: half the perimeter times 1 m is 2 % of its area."""
    unknown = MovedShares(*[np.array([np.nan])] * 4)
    low, high = drift_band(np.array([0.5]), np.array([10_000.0]), np.array([400.0]), unknown, 1.0)
    assert (low[0], high[0]) == pytest.approx((0.48, 0.52))


def skew(seed: int) -> np.ndarray:
    """Return seven parcels in a row that is turned at random; each shares a whole edge with the next."""
    random = np.random.default_rng(seed)
    turn = random.uniform(0, np.pi)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    x, low, high = np.cumsum(random.uniform(5, 40, 8)), -random.uniform(0, 10, 8), random.uniform(10, 60, 8)
    rings = [
        [(x[at], low[at]), (x[at + 1], low[at + 1]), (x[at + 1], high[at + 1]), (x[at], high[at])]
        for at in range(7)
    ]
    shapes = [shapely.Polygon(np.array(ring) @ matrix + (515_000.1234, 4_345_000.4567)) for ring in rings]
    return shapely.set_precision(np.array(shapes, dtype=object), 0.0001)


@pytest.mark.parametrize("seed", range(60))
def test_outlines_of_skew_parcels_are_valid_and_hold_their_parcels(seed):
    """Seeds 29 and 35 leave a line of no length in the union of a closed outline with its parcels."""
    shapes = skew(seed)
    units = [np.arange(7), np.array([0, 1, 2]), np.array([4, 5])]
    drawn, whole = outlines(shapes, units, np.full(3, None), 10.0)
    assert whole.all()
    assert shapely.is_valid(drawn).all()
    assert set(shapely.get_type_id(drawn)) == {shapely.GeometryType.MULTIPOLYGON}
    for outline, unit in zip(drawn, units, strict=True):
        assert shapely.area(shapely.difference(shapely.union_all(shapes[unit]), outline)) < 1e-3


def test_a_unit_without_a_valid_outline_shows_its_parcels_alone():
    """A block that is a bow tie makes the cut to the block fail; the unit itself is two good squares."""
    shapes = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    drawn, whole = outlines(shapes, [np.array([0, 1])], np.array([BOW_TIE], dtype=object), 0.2)
    assert shapely.area(drawn).tolist() == [2.0]
    assert shapely.is_valid(drawn).all()
    assert whole.tolist() == [False]
