"""A window sees few vertices of a large ring, and in it every area is the same."""

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.overlay import windows
from lowland_gis.analysis.overlay.tabulate import overlaps, zone_layer
from lowland_gis.analysis.overlay.wkb import decode, rings_of


def star(seed: int, vertices: int = 3000) -> shapely.Polygon:
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    reach = 2000 * (1 + 0.3 * np.sin(7 * turn) + 0.02 * rng.uniform(-1, 1, vertices))
    hole = shapely.Point(300, -200).buffer(500, quad_segs=200)
    outline = shapely.Polygon(np.stack([reach * np.cos(turn), reach * np.sin(turn)], axis=1))
    return shapely.affinity.translate(shapely.difference(outline, hole), 515_000, 4_345_000)


def area(parcel: shapely.Geometry, zone) -> float:
    found, _ = overlaps(
        rings_of(np.array([parcel])), zone_layer(zone, np.zeros(1, np.int64), np.array(["x"]))
    )
    return float(found.area_m2.sum())


@pytest.mark.parametrize("seed", range(4))
def test_every_parcel_in_a_window_has_the_area_that_it_has_in_the_whole(seed):
    zone = star(seed)
    assert zone.is_valid
    rng = np.random.default_rng(seed)
    low = rng.uniform(-2700, 2300, (40, 2)) + [515_000, 4_345_000]
    window = np.concatenate([low, low + rng.uniform(50, 500, low.shape)], axis=1)
    seen = dict(windows.seen_by_each(windows.oriented_rings(zone), window, np.arange(40)))
    met = 0
    for number, box in enumerate(window):
        parcel = shapely.Polygon(box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2)).buffer(-5).simplify(0)
        expected = shapely.intersection(parcel, zone).area
        if number not in seen:
            assert expected == 0
            continue
        met += expected > 0
        content = np.frombuffer(windows.as_wkb(seen[number]), dtype=np.uint8)
        rings, _ = decode(content, np.array([0, len(content)]))
        assert len(rings.xy) < 0.6 * shapely.get_num_coordinates(zone)
        few = rings._replace(ring_sign=np.ones(len(rings.ring_sign)))
        assert area(parcel, few) == pytest.approx(expected, abs=1e-6)
    assert met > 10


def test_a_ring_around_the_window_stays_around_it_and_one_beside_is_gone():
    ring = shapely.get_coordinates(shapely.box(0, 0, 100, 100).segmentize(1).exterior)
    around = windows.seen(ring, np.array([40.0, 40, 60, 60]))
    assert around is not None
    assert len(around) < 12
    assert shapely.Polygon(around).contains(shapely.box(40, 40, 60, 60))
    assert windows.seen(ring, np.array([140.0, 40, 160, 60])) is None
