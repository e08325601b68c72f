"""The survey area formula against golden vectors computed apart from it."""

import numpy as np
import pyproj
import pytest
import shapely

from lowland_gis.analysis.geometry.geodesy import (
    CGCS2000,
    XIAN80,
    GaussPlane,
    ellipsoidal_areas,
    gauss_inverse,
)


def square(size, *, east=39_511_000.0, north=4_345_000.0):
    return shapely.box(east, north, east + size[0], north + size[1])


TRIANGLE = shapely.from_wkt("POLYGON((39511000 4345000,39516000 4346200,39512300 4350000,39511000 4345000))")

VECTORS = [
    (CGCS2000, square((20, 10)), 199.9994),
    (CGCS2000, square((100, 100)), 9999.9683),
    (CGCS2000, square((1000, 1000)), 999996.7431),
    (CGCS2000, TRIANGLE, 11719949.8561),
    (CGCS2000, square((1000, 1000), east=39_628_000.0), 999593.6594),
    (CGCS2000, square((1000, 1000), east=39_499_500.0), 1000000.0014),
    (XIAN80, square((20, 10)), 199.9996),
    (XIAN80, square((100, 100)), 9999.9706),
    (XIAN80, square((1000, 1000)), 999996.7393),
    (XIAN80, TRIANGLE, 11719949.8735),
]


@pytest.mark.parametrize(("ellipsoid", "geometry", "expected"), VECTORS)
def test_golden_areas(ellipsoid, geometry, expected):
    plane = GaussPlane(117.0, 39_500_000.0, ellipsoid)
    assert abs(ellipsoidal_areas(np.array([geometry]), plane)[0] - expected) <= 0.01


@pytest.mark.parametrize(
    ("easting", "northing", "latitude", "longitude"),
    [
        (39500000.0, 4345000.0, 39.23866465420, 117.0),
        (39511000.0, 4345000.0, 39.23859496879, 117.12741106411),
        (39380000.0, 4345000.0, 39.23037320245, 115.61025067199),
        (39628000.0, 4400000.0, 39.72444944169, 118.49292189927),
        (39495000.1234, 4338000.5678, 39.17560338138, 116.94213901020),
    ],
)
def test_golden_inverse(easting, northing, latitude, longitude):
    lat, lon = gauss_inverse(np.array([easting]), np.array([northing]), GaussPlane(117.0, 39_500_000.0))
    np.testing.assert_allclose(np.degrees([lat[0], lon[0]]), [latitude, longitude], atol=1e-11)


def test_agrees_with_geodesic_area_of_another_library():
    polygon = shapely.Polygon(
        [(510000, 4340000), (510180, 4340020), (510230, 4340170), (510080, 4340210), (509990, 4340090)]
    )
    to_degrees = pyproj.Transformer.from_crs(4548, 4490, always_xy=True)
    geographic = shapely.transform(polygon, to_degrees.transform, interleaved=False)
    geodesic, _ = pyproj.Geod(ellps="GRS80").geometry_area_perimeter(geographic)
    assert abs(ellipsoidal_areas(np.array([polygon]), GaussPlane(117.0, 500_000.0))[0] - abs(geodesic)) < 0.02


def test_holes_parts_and_nothing():
    plane = GaussPlane(117.0, 500_000.0)
    shell, hole = shapely.box(500000, 4e6, 500100, 4e6 + 100), shapely.box(500010, 4e6 + 10, 500030, 4e6 + 30)
    far = shapely.box(501000, 4e6, 501100, 4e6 + 100)
    geometries = np.array(
        [
            shell.difference(hole),
            shapely.union_all([shell, far]),
            shapely.Point(1, 1),
            shapely.Polygon(),
            None,
            shell,
            hole,
            far,
        ]
    )
    areas = ellipsoidal_areas(geometries, plane)
    assert areas[0] == pytest.approx(areas[5] - areas[6], abs=0.011)
    assert areas[1] == pytest.approx(areas[5] + areas[7], abs=0.011)
    assert areas[2] == areas[3] == 0
    assert np.isnan(areas[4])


def test_direction_of_a_ring_does_not_matter():
    plane = GaussPlane(117.0, 39_500_000.0)
    both = ellipsoidal_areas(np.array([TRIANGLE, TRIANGLE.reverse()]), plane)
    assert both[0] == both[1]
