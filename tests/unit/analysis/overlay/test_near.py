"""Parcels of which a drift of the layers changes nothing: held against outlines that GEOS draws out."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.overlay.boxtree import box_tree
from lowland_gis.analysis.overlay.near import INSIDE, NEAR, OUTSIDE, surroundings
from lowland_gis.analysis.overlay.wkb import rings_of

DISTANCE = 2.0


def marks(parcels, zones, distance=DISTANCE):
    zone_rings = rings_of(np.array(zones, dtype=object))
    parcel_rings = rings_of(np.array(parcels, dtype=object))
    return surroundings(parcel_rings, distance, zone_rings, box_tree(zone_rings.box)).tolist()


HOLED = shapely.box(0, 0, 100, 100).difference(shapely.box(40, 40, 60, 60))


@pytest.mark.parametrize(
    ("parcel", "zones", "mark"),
    [
        (shapely.box(10, 10, 20, 20), [HOLED], INSIDE),
        (shapely.box(45, 45, 55, 55), [HOLED], OUTSIDE),
        (shapely.box(42.5, 45, 55, 55), [HOLED], NEAR),
        (shapely.box(110, 10, 120, 20), [HOLED], OUTSIDE),
        (shapely.box(101, 10, 120, 20), [HOLED], NEAR),
        (shapely.box(10, 10, 20, 20), [HOLED, shapely.box(0, 0, 50, 30)], NEAR),
        (shapely.box(10, 10, 20, 20), [shapely.box(0, 0, 15, 30), shapely.box(15, 0, 30, 30)], NEAR),
        (shapely.box(10, 10, 20, 20), [], OUTSIDE),
        (shapely.Polygon(), [HOLED], OUTSIDE),
        # A needle reaches five times the distance beyond its point.
        (shapely.Polygon([(20, 20), (91, 22), (20, 24)]), [HOLED], NEAR),
        (shapely.Polygon([(20, 20), (88, 22), (20, 24)]), [HOLED], INSIDE),
    ],
)
def test_where_a_parcel_lies_with_its_surroundings(parcel, zones, mark):
    assert marks([parcel], zones) == [mark]


def test_a_zone_of_many_edges_is_passed_over_in_blocks():
    round_zone = shapely.Point(0, 0).buffer(100, quad_segs=64)
    places = np.array([(0, 0), (60, 60), (69, 69), (75, 75), (120, 0), (90, 40)], dtype=float)
    parcels = [shapely.box(x - 1, y - 1, x + 1, y + 1) for x, y in places]
    assert marks(parcels, [round_zone]) == [INSIDE, INSIDE, NEAR, OUTSIDE, OUTSIDE, NEAR]


corners = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=3, max_size=7)


@settings(max_examples=300, deadline=None)
@given(st.lists(corners, min_size=1, max_size=4), corners, st.sampled_from([0.5, 1.0, 2.0]))
def test_what_is_not_near_stays_where_it_is_when_it_is_drawn_out(zones, parcel, distance):
    shapes = [shapely.Polygon(points) for points in (*zones, parcel)]
    *areas, outline = [shape for shape in shapes if shape.is_valid and shape.area > 0] or [shapely.Polygon()]
    (mark,) = marks([outline], areas, distance)
    drawn = shapely.buffer(outline, distance, join_style="mitre")
    if mark == INSIDE:
        assert sum(zone.covers(drawn) for zone in areas) == 1
    if mark != NEAR:
        assert sum(zone.intersects(drawn) for zone in areas) == mark
