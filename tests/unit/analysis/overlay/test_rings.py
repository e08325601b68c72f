"""Polygons as rings: what is read from WKB, what is proved, what is left in doubt."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.overlay import rings as flat
from lowland_gis.analysis.overlay import wkb as words

SQUARE = shapely.box(0, 0, 10, 10)
HOLED = shapely.Polygon(SQUARE.exterior.coords, [shapely.box(2, 2, 4, 4).exterior.coords])
ELL = shapely.Polygon([(0, 0), (30, 0), (30, 5), (5, 5), (5, 30), (0, 30)])
TWO = shapely.MultiPolygon([SQUARE, shapely.box(20, 0, 25, 5)])
STATES = {
    "sure": words.SURE,
    "missing": words.MISSING,
    "empty": words.EMPTY,
    "doubt": words.DOUBT,
    "unread": words.UNREAD,
}


def parts(*rows: bytes) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return np.frombuffer(b"".join(rows), dtype=np.uint8), offsets


def state(row: bytes) -> str:
    _, states = words.decode(*parts(row))
    return next(name for name, value in STATES.items() if value == states[0])


def wkb(shape: shapely.Geometry, **how: object) -> bytes:
    return shapely.to_wkb(shape, **({"byte_order": 1} | how))


@pytest.mark.parametrize("shape", [SQUARE, HOLED, ELL, TWO], ids=["square", "holed", "ell", "two"])
def test_area_box_and_vertices_are_those_of_the_shape(shape):
    found, _ = words.decode(*parts(wkb(SQUARE), wkb(shape)))
    assert found.area[1] == shape.area
    assert found.box[1].tolist() == list(shape.bounds)
    first = found.ring_start[found.shape_ring[1]]
    assert found.xy[first:].tolist() == shapely.get_coordinates(shape).tolist()


def test_rings_count_by_their_sign_whatever_way_they_run():
    for shape in (HOLED, HOLED.reverse(), shapely.orient_polygons(HOLED)):
        found, _ = words.decode(*parts(wkb(shape)))
        assert found.area[0] == 96.0


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (wkb(SQUARE), "sure"),
        (wkb(ELL), "sure"),  # not a star from the middle of its box
        (wkb(HOLED), "sure"),
        (wkb(TWO), "doubt"),
        (b"", "missing"),
        (wkb(shapely.Polygon()), "empty"),
        (wkb(shapely.MultiPolygon()), "empty"),
        (wkb(shapely.Point(1, 2)), "unread"),
        (wkb(shapely.GeometryCollection([SQUARE])), "unread"),
        (wkb(SQUARE, byte_order=0), "unread"),
        (wkb(SQUARE)[:-1], "unread"),
        (wkb(SQUARE) + b"\0", "unread"),
        (b"\x01\x03", "unread"),
        (b"\x01\x03\x00\x00\x00\xff\xff\xff\xff", "unread"),
        (b"\x01\x03\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\x7f", "unread"),
    ],
)
def test_each_row_has_a_state(row, expected):
    assert state(row) == expected


CROOKED = {
    "bow tie": [(0, 0), (10, 10), (10, 0), (0, 10)],
    "spike": [(0, 0), (10, 0), (10, 10), (20, 10), (10, 10), (0, 10)],
    "touches itself": [(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)],
    "twice round": [(0, 0), (10, 0), (10, 10), (0, 10)] * 2,
    "flat": [(0, 0), (10, 0), (20, 0)],
    "not finite": [(0, 0), (np.nan, 0), (10, 10)],
    "infinite": [(0, 0), (np.inf, 0), (10, 10)],
}


@pytest.mark.parametrize("name", CROOKED)
def test_no_crooked_ring_is_sure(name):
    with np.errstate(invalid="ignore"):
        assert state(wkb(shapely.Polygon(CROOKED[name]))) != "sure"


def test_an_open_ring_is_not_sure():
    row = bytearray(wkb(SQUARE))
    row[-8:] = np.float64(3.0).tobytes()
    assert state(bytes(row)) == "doubt"


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_sure_is_valid_by_geos(seed):
    rng = np.random.default_rng(seed)
    wild = [shapely.Polygon(rng.integers(0, 6, (rng.integers(3, 30), 2)).astype(float)) for _ in range(300)]
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    round_ = [
        shapely.Polygon(np.c_[np.cos(angles), np.sin(angles)] * rng.uniform(1, 3, 40)[:, None])
        for _ in range(300)
    ]
    shapes = np.array([*wild, *round_], dtype=object)
    _, states = words.decode(*parts(*shapely.to_wkb(shapes, byte_order=1)))
    sure = states == words.SURE
    assert shapely.is_valid(shapes[sure]).all()
    assert sure[300:].all()  # stars are proved without GEOS
    assert not sure[:300].all()


CROOKED_HOLES = {
    "outside": [shapely.box(12, 2, 14, 4)],
    "across": [shapely.box(8, 2, 12, 4)],
    "around": [shapely.box(-1, -1, 11, 11)],
    "along": [shapely.box(0, 2, 4, 4)],
    "in a hole": [shapely.box(2, 2, 8, 8), shapely.box(4, 4, 6, 6)],
    "across another": [shapely.box(2, 2, 6, 6), shapely.box(5, 5, 8, 8)],
    "along another": [shapely.box(2, 2, 4, 4), shapely.box(4, 2, 6, 4)],
    "crooked": [shapely.Polygon([(2, 2), (4, 4), (4, 2), (2, 4)])],
}


@pytest.mark.parametrize("name", CROOKED_HOLES)
def test_no_crooked_hole_is_sure(name):
    holed = shapely.Polygon(SQUARE.exterior, [hole.exterior for hole in CROOKED_HOLES[name]])
    assert not holed.is_valid
    assert state(wkb(holed)) == "doubt"


@pytest.mark.parametrize("seed", range(5))
def test_holes_that_are_sure_are_valid_by_geos(seed):
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(400):
        angles = np.linspace(0, 2 * np.pi, rng.integers(3, 12), endpoint=False)
        shell = 10 + np.round(
            rng.uniform(3, 10, len(angles))[:, None] * np.c_[np.cos(angles), np.sin(angles)]
        )
        holes = [
            shapely.box(*corner, *(corner + rng.integers(1, 4, 2))).exterior
            for corner in rng.integers(0, 18, (rng.integers(1, 4), 2)).astype(float)
        ]
        shapes.append(shapely.Polygon(shell, holes))
    _, states = words.decode(*parts(*shapely.to_wkb(np.array(shapes), byte_order=1)))
    sure = states == words.SURE
    assert shapely.is_valid(np.array(shapes)[sure]).all()
    assert sure.any()
    assert not sure.all()


@pytest.mark.parametrize("flavor", ["iso", "extended"])
def test_heights_and_measures_are_left_out(flavor):
    solid = shapely.force_3d(TWO, 7.0)
    measured = shapely.from_wkt("POLYGON ZM ((0 0 1 5, 10 0 1 5, 10 10 1 5, 0 10 1 5, 0 0 1 5))")
    found, _ = words.decode(
        *parts(wkb(solid, flavor=flavor), wkb(measured, flavor=flavor, output_dimension=4))
    )
    assert found.area.tolist() == [125.0, 100.0]


def test_a_number_of_a_system_in_the_head_is_passed_over():
    row = wkb(shapely.set_srid(TWO, 4548), include_srid=True, flavor="extended")
    assert words.decode(*parts(row))[0].area.tolist() == [125.0]


def test_geometries_of_shapely_come_as_rings_or_are_refused():
    found = words.rings_of(
        np.array([SQUARE, None, shapely.Point(1, 1), HOLED, shapely.Polygon()], dtype=object)
    )
    assert np.nan_to_num(found.area).tolist() == [100.0, 0.0, 0.0, 96.0, 0.0]
    assert found.shape_rings.tolist() == [1, 0, 0, 2, 0]
    wrong = np.array(
        [SQUARE, shapely.Polygon(CROOKED["bow tie"]), shapely.GeometryCollection([SQUARE])], dtype=object
    )
    with pytest.raises(ValueError, match="2 geometries are no valid polygons, first in the rows: 1, 2"):
        words.rings_of(wrong)


def test_joined_taken_gathered_and_substituted_keep_the_polygons():
    one, two = (
        words.rings_of(np.array([SQUARE, HOLED], dtype=object)),
        words.rings_of(np.array([TWO, ELL], dtype=object)),
    )
    both = flat.joined([one, two])
    areas = [shape.area for shape in (SQUARE, HOLED, TWO, ELL)]
    assert both.area.tolist() == areas
    rows = np.array([3, 1])
    for chosen in (flat.taken(both, rows), flat.gathered(both, rows)):
        assert [ring_area(chosen, shape) for shape in range(2)] == [areas[3], areas[1]]
    assert len(flat.gathered(both, rows).xy) == len(ELL.exterior.coords) + 10
    changed = flat.substituted(both, np.array([0]), words.rings_of(np.array([ELL], dtype=object)))
    assert [ring_area(changed, shape) for shape in range(4)] == [areas[3], *areas[1:]]


def ring_area(rings: flat.Rings, shape: int) -> float:
    """The area by the vertices that the polygon points to."""
    first = rings.shape_ring[shape]
    total = 0.0
    for ring in range(first, first + rings.shape_rings[shape]):
        start = rings.ring_start[ring]
        x, y = rings.xy[start : start + rings.ring_size[ring]].T
        total += rings.ring_sign[ring] * 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    return total
