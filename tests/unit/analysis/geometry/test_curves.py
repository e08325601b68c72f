"""Arcs become chords within the stated deviation, whatever the byte order and dimension."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pyogrio
import pyogrio.raw
import pytest
import shapely
from pyproj import Geod

from lowland_gis.analysis.geometry.curves import has_curves, linearised

CENTRE = (500_200.0, 4_350_000.0)


def points(*pairs: tuple[float, float], order: str = "<", extra: tuple[float, ...] = ()) -> bytes:
    body = b"".join(struct.pack(f"{order}{2 + len(extra)}d", *pair, *extra) for pair in pairs)
    return struct.pack(f"{order}I", len(pairs)) + body


def head(kind: int, order: str = "<") -> bytes:
    return (b"\x01" if order == "<" else b"\x00") + struct.pack(f"{order}I", kind)


def circle(order: str = "<", thousands: int = 0, extra: tuple[float, ...] = ()) -> bytes:
    """A full circle of radius 100 m as CURVEPOLYGON(CIRCULARSTRING)."""
    x, y = CENTRE
    ring = [(x - 100, y), (x, y + 100), (x + 100, y), (x, y - 100), (x - 100, y)]
    arc = head(thousands * 1000 + 8, order) + points(*ring, order=order, extra=extra)
    return head(thousands * 1000 + 10, order) + struct.pack(f"{order}I", 1) + arc


def column(*items: bytes | None) -> np.ndarray:
    made = np.empty(len(items), dtype=object)
    made[:] = items
    return made


@pytest.mark.parametrize(
    "wkb",
    [circle(), circle(">"), circle(thousands=1, extra=(7.0,)), circle(">", 3, (7.0, 8.0))],
    ids=["little", "big", "Z", "big ZM"],
)
def test_a_circle_within_a_millimetre(wkb: bytes):
    done = linearised(column(wkb))
    polygon = shapely.from_wkb(done.wkb[0])
    assert done.n_curves == 1
    assert polygon.is_valid
    assert not polygon.has_z
    middles = shapely.line_interpolate_point(
        shapely.linestrings(np.stack([polygon.exterior.coords[:-1], polygon.exterior.coords[1:]], axis=1)),
        0.5,
        normalized=True,
    )
    gaps = np.abs(100 - shapely.distance(middles, shapely.Point(CENTRE)))
    assert 0 < gaps.max() <= 0.001 + 1e-9
    radii = shapely.distance(shapely.points(polygon.exterior.coords), shapely.Point(CENTRE))
    assert 0 < np.abs(radii - 100).max() <= 0.001
    assert polygon.area == pytest.approx(np.pi * 1e4, abs=1e-3)


def test_a_looser_deviation_gives_fewer_points():
    fine, coarse = (linearised(column(circle()), deviation=gap).wkb[0] for gap in (0.001, 0.1))
    counts = shapely.get_num_coordinates(shapely.from_wkb([fine, coarse]))
    assert counts[0] > 5 * counts[1]


def test_an_arc_drawn_backwards_gives_the_same_points():
    way = [(0.0, 0.0), (30.0, 10.0), (50.0, 40.0)]
    lines = [linearised(column(head(8) + points(*side))).wkb[0] for side in (way, way[::-1])]
    there, back = (np.array(shapely.from_wkb(line).coords) for line in lines)
    assert len(there) > 10
    assert (there == back[::-1]).all()


def test_straight_rows_stay_bit_for_bit():
    plain = shapely.to_wkb(shapely.box(0, 0, 1, 1))
    collection = shapely.to_wkb(shapely.GeometryCollection([shapely.Point(1, 2), shapely.box(0, 0, 1, 1)]))
    done = linearised(column(plain, None, collection, b""))
    assert done.n_curves == 0
    assert done.wkb[0] is plain
    assert done.wkb[1] is None
    assert done.wkb[2] is collection


def test_a_curve_type_without_arcs_becomes_plain_and_is_no_curve():
    ring = head(2) + points((0, 0), (1, 0), (1, 1), (0, 0))
    wkb = column(head(10) + struct.pack("<I", 1) + ring)
    done = linearised(wkb)
    assert (done.n_curves, has_curves(wkb).tolist()) == (0, [False])
    assert shapely.from_wkb(done.wkb[0]).wkt == "POLYGON ((0 0, 1 0, 1 1, 0 0))"


def test_a_collection_that_holds_an_arc_is_found():
    inside = head(7) + struct.pack("<I", 2) + shapely.to_wkb(shapely.Point(1, 2)) + circle()
    done = linearised(column(inside))
    assert done.n_curves == 1
    assert shapely.from_wkb(done.wkb[0]).area == pytest.approx(np.pi * 1e4, rel=2e-5)


def test_points_on_one_line_are_a_line():
    arc = head(8) + points((0, 0), (5, 0), (10, 0))
    assert shapely.from_wkb(linearised(column(arc)).wkb[0]).wkt == "LINESTRING (0 0, 5 0, 10 0)"


@pytest.mark.parametrize("cut", range(6, len(circle()), 7))
def test_a_cut_curve_is_unreadable_and_hurts_nobody(cut: int):
    done = linearised(column(circle()[:cut], circle()))
    assert shapely.from_wkb(done.wkb, on_invalid="ignore")[0] is None
    assert shapely.from_wkb(done.wkb[1:])[0].is_valid


def test_a_curve_nested_without_end_is_unreadable():
    deep = (head(11) + struct.pack("<I", 1)) * 100 + head(8) + points((0, 0), (1, 1), (2, 0))
    assert linearised(column(deep)).wkb[0] == b""


def test_what_gdal_streams_from_a_geopackage(tmp_path: Path):
    """GDAL hands arcs through Arrow as they are, and GEOS cannot read them."""
    path = tmp_path / "curves.gpkg"
    pyogrio.raw.write(
        path, column(circle(), shapely.to_wkb(shapely.box(0, 0, 1, 1))), [], [],
        geometry_type="Unknown", crs="EPSG:4548", driver="GPKG",
    )  # fmt: skip
    with pyogrio.raw.open_arrow(path, use_pyarrow=True) as (_, reader):
        received = reader.read_all().column("geom").to_numpy()
    assert has_curves(received).tolist() == [True, False]
    with pytest.raises(NotImplementedError):
        shapely.from_wkb(received)
    areas = shapely.area(shapely.from_wkb(linearised(received).wkb))
    assert areas == pytest.approx([np.pi * 1e4, 1], rel=2e-5)


def arc(
    centre: tuple[float, float], radius: float, first: float, sweep: float, middle: float = 0.5
) -> list[tuple[float, float]]:
    """Start, a point on the way and end of an arc; angles in radians."""
    angles = [first, first + middle * sweep, first + sweep]
    return [(centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)) for angle in angles]


def linear(way: list[tuple[float, float]]) -> np.ndarray:
    return np.array(shapely.from_wkb(linearised(column(head(8) + points(*way))).wkb[0]).coords)


@pytest.mark.parametrize("radius", [0.5, 15.0, 100.0, 1_000.0, 20_000.0])
@pytest.mark.parametrize("sweep", [0.05, -0.4, 1.5, -3.1, np.pi, 4.7, -6.2])
@pytest.mark.parametrize("middle", [0.2, 0.5, 0.9])
def test_the_area_beside_an_arc_is_kept(radius: float, sweep: float, middle: float):
    """A segment of a circle is r² (s - sin s) / 2; the survey counts areas to 0.01 m²."""
    place = linear(arc(CENTRE, radius, 1.0, sweep, middle))
    x, y = (place - place[0]).T
    area = np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2
    # Start, middle and end lie on the circle to a few nanometres only, so near this place.
    assert area == pytest.approx(radius**2 * (sweep - np.sin(sweep)) / 2, abs=0.002, rel=1e-9)
    middles = (place[1:] + place[:-1]) / 2
    for some in (place, middles):
        assert np.abs(np.hypot(*(some - CENTRE).T) - radius).max() <= 0.001


@pytest.mark.parametrize("sweep", [0.3, 2.0, 5.0])
def test_neighbours_have_the_same_points_though_one_computed_the_middle_anew(sweep: float):
    """The middle of an arc that was turned round differs in its last digits, and may lie elsewhere on the arc."""
    way = arc(CENTRE, 150.0, 0.3, sweep)
    there = linear(way)
    for middle in (0.5 + 1e-12, 0.5000001, 0.4):
        anew = [way[2], arc(CENTRE, 150.0, 0.3, sweep, middle)[1], way[0]]
        assert (linear(anew)[::-1] == there).all()


def test_a_lake_of_the_survey_has_its_area_on_the_ellipsoid():
    """A round lake of 300 m, against the geodesic area of a hundred thousand points on the circle."""
    from pyproj import Transformer

    from lowland_gis.analysis.geometry.geodesy import GaussPlane, ellipsoidal_areas

    x, y = CENTRE
    ring = [(x - 300, y), (x, y + 300), (x + 300, y), (x, y - 300), (x - 300, y)]
    lake = shapely.from_wkb(linearised(column(head(10) + struct.pack("<I", 1) + head(8) + points(*ring))).wkb)
    angles = np.linspace(0, 2 * np.pi, 100_001)
    back = Transformer.from_crs(4548, 4490, always_xy=True)
    places = back.transform(x + 300 * np.cos(angles), y + 300 * np.sin(angles))
    truth = abs(Geod(ellps="GRS80").polygon_area_perimeter(*places)[0])
    assert ellipsoidal_areas(lake, GaussPlane(117.0, 500_000.0))[0] == pytest.approx(truth, abs=0.02)
