"""Ways between coordinate systems: exact ones, the one null shift that is allowed, and none for old datums."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS, Geod

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.crs import reference
from lowland_gis.files.transform import null_shift, old_datum, path_between, transformed

PLANE = np.array([515_000.0, 4_345_000.0, 516_000.0, 4_346_000.0])
PREFIXED = np.add(PLANE, [39_000_000, 0, 39_000_000, 0])


def moved(shape: shapely.Geometry, source: str, target: str) -> shapely.Geometry:
    way = path_between(reference(source, "a"), reference(target, "a"), "a.shp")
    return transformed(np.array([shape], dtype=object), way)[0]


def test_a_twin_code_means_the_same_plane():
    """EPSG:4509 is the 6° zone with the same central meridian and false easting; its coordinates stay bit for bit."""
    assert path_between(reference("EPSG:4509", "a"), reference("EPSG:4548", "a"), "a") is None
    assert path_between(reference("EPSG:4508", "a"), reference("EPSG:4548", "a"), "a") is not None


@pytest.mark.parametrize("source", ["EPSG:4490", "EPSG:4527", "EPSG:4549"])
def test_systems_of_one_datum_are_exact_both_ways(source: str):
    square = shapely.box(*PLANE)
    back = moved(moved(square, "EPSG:4548", source), source, "EPSG:4548")
    assert shapely.hausdorff_distance(square, back) < 1e-6


def test_a_zone_prefix_is_only_a_million_times_the_zone():
    shifted = moved(shapely.box(*PREFIXED), "EPSG:4527", "EPSG:4548")
    np.testing.assert_allclose(shapely.bounds(shifted), PLANE, atol=1e-6)


def test_degrees_come_to_a_known_point():
    """On the central meridian x is the false easting; the meridian arc to 40° on GRS 80 is 4 429 529.03 m."""
    point = moved(shapely.Point(117, 40), "EPSG:4490", "EPSG:4548")
    assert point.x == pytest.approx(500_000, abs=1e-6)
    assert point.y == pytest.approx(4_429_529.0302, abs=1e-3)


def test_the_same_system_is_bit_for_bit():
    shapes = np.array([shapely.Point(515_000.1234567, 4_345_000.7654321), None], dtype=object)
    assert path_between(reference("EPSG:4548", "a"), reference("EPSG:4548", "a"), "a") is None
    assert transformed(shapes, None) is shapes


@pytest.mark.parametrize("source", ["EPSG:2384", "EPSG:2363", "EPSG:4610", "EPSG:2436", "EPSG:4214"])
def test_an_old_datum_is_refused(source: str):
    """Xian 1980 and Beijing 1954: PROJ knows no way but a ballpark shift."""
    with pytest.raises(InputRefusedError, match="ballpark shift"):
        path_between(reference(source, "a"), reference("EPSG:4548", "a"), "erdiao.shp")


def test_missing_and_empty_shapes_stay_what_they_are():
    way = path_between(reference("EPSG:4490", "a"), reference("EPSG:4548", "a"), "a")
    shapes = transformed(np.array([None, shapely.Polygon()], dtype=object), way)
    assert shapes[0] is None
    assert shapely.is_empty(shapes[1])


WGS84 = ["EPSG:4326", "OGC:CRS84", "EPSG:9000", "EPSG:7912", CRS.from_epsg(4326).to_wkt("WKT1_ESRI")]


@pytest.mark.parametrize("source", WGS84)
def test_degrees_of_satellites_are_taken_for_those_of_cgcs2000(source: str):
    """Bit for bit what the same longitude and latitude in CGCS2000 become."""
    place = shapely.Point(117.123456, 39.234567)
    assert moved(place, source, "EPSG:4548") == moved(place, "EPSG:4490", "EPSG:4548")
    words = null_shift(reference(source, "a"), reference("EPSG:4548", "a"))
    assert "without a shift" in words
    assert "GCJ-02" in words


@pytest.mark.parametrize("source", ["EPSG:32650", "EPSG:3857", "EPSG:32651"])
def test_planes_of_satellites_come_to_the_same_place_of_the_ellipsoid(source: str):
    """By the geodesic between the two places, in degrees each of its own datum: nothing is moved."""
    place = shapely.Point(117.123456, 39.234567)
    there = moved(moved(place, "EPSG:4326", source), source, "EPSG:4548")
    back = moved(there, "EPSG:4548", "EPSG:4490")
    assert Geod(ellps="GRS80").inv(place.x, place.y, back.x, back.y)[2] < 1e-4


def test_the_null_shift_goes_both_ways_and_stays_there():
    place = shapely.Point(515_000.25, 4_345_000.5)
    back = moved(moved(place, "EPSG:4548", "EPSG:32650"), "EPSG:32650", "EPSG:4548")
    assert place.distance(back) < 1e-6


@pytest.mark.parametrize(
    ("source", "target"),
    [("EPSG:4490", "EPSG:4548"), ("EPSG:4548", "EPSG:4548"), ("EPSG:4326", "EPSG:32650")],
)
def test_within_a_datum_nothing_is_said(source: str, target: str):
    assert null_shift(reference(source, "a"), reference(target, "a")) is None


@pytest.mark.parametrize(
    "source", ["EPSG:2384", "EPSG:4610", "EPSG:4214", "EPSG:2436", "EPSG:4269", "EPSG:4258"]
)
def test_no_other_datum_has_the_exception(source: str):
    """Neither old Chinese datums nor NAD83 or ETRS89, which lie on plates of their own."""
    system, target = reference(source, "a"), reference("EPSG:4548", "a")
    assert null_shift(system, target) is None
    assert old_datum(system, target)
    with pytest.raises(InputRefusedError, match="ballpark shift"):
        path_between(system, target, "a.shp")
    assert not old_datum(reference("EPSG:4326", "a"), target)
