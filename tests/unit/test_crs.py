"""Coordinate systems: what a file is in, and only exact ways from it to the project's plane."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.crs import path_between, reference, resolve, transformed

PLANE = np.array([515_000.0, 4_345_000.0, 516_000.0, 4_346_000.0])
PREFIXED = np.add(PLANE, [39_000_000, 0, 39_000_000, 0])
DEGREES = np.array([117.1, 39.2, 117.2, 39.3])


def moved(shape: shapely.Geometry, source: str, target: str) -> shapely.Geometry:
    way = path_between(reference(source, "a"), reference(target, "a"), "a.shp")
    return transformed(np.array([shape], dtype=object), way)[0]


@pytest.mark.parametrize("version", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
@pytest.mark.parametrize("code", [4490, 4527, 4548, 2154, 2384])
def test_every_spelling_becomes_its_epsg_code(code: int, version: str):
    assert reference(CRS.from_epsg(code).to_wkt(version), "a.shp").name == f"EPSG:{code}"


def test_a_local_grid_keeps_its_own_wkt():
    local = CRS.from_epsg(4548).to_wkt().replace('"False easting",500000', '"False easting",123456')
    assert "123456" in reference(local, "a.shp").name


@pytest.mark.parametrize(("old", "new"), [('PARAMETER["false_easting",500000]', 'PARAMETER["false_easting",123456]'),
                                          ('PARAMETER["central_meridian",117]', 'PARAMETER["central_meridian",120]'),
                                          ('"China_2000"', '"Xian_1980"')])  # fmt: skip
def test_a_code_that_its_own_wkt_contradicts_is_not_believed(old: str, new: str):
    wkt = CRS.from_epsg(4548).to_wkt("WKT1_GDAL")
    assert old in wkt
    assert reference(wkt.replace(old, new), "a.shp").name != "EPSG:4548"


def test_a_twin_code_means_the_same_plane():
    """EPSG:4509 is the 6° zone with the same central meridian and false easting; its coordinates stay bit for bit."""
    assert path_between(reference("EPSG:4509", "a"), reference("EPSG:4548", "a"), "a") is None
    assert path_between(reference("EPSG:4508", "a"), reference("EPSG:4548", "a"), "a") is not None


def test_what_is_no_coordinate_system_is_refused():
    with pytest.raises(InputRefusedError, match="no known coordinate system"):
        reference("EPSG:999999", "a.shp")


@pytest.mark.parametrize(
    ("declared", "bounds"),
    [("EPSG:4548", PLANE), ("EPSG:4527", PREFIXED), ("EPSG:4490", DEGREES), ("EPSG:2154", PLANE + 2e6),
     ("EPSG:4548", np.full(4, np.nan)), ("EPSG:4490", np.array([]))],
)  # fmt: skip
def test_coordinates_that_fit_their_system(declared: str, bounds: np.ndarray):
    assert resolve(declared, None, bounds, "a.shp").name == declared


@pytest.mark.parametrize(
    ("declared", "bounds", "words"),
    [
        ("EPSG:4548", DEGREES, "declared as metres .* but the coordinates are degrees"),
        ("EPSG:4490", PLANE, "declared as degrees .* but the coordinates are metres"),
        ("EPSG:4548", PREFIXED, "come with a zone prefix"),
        ("EPSG:4527", PLANE, "come without a zone prefix"),
        ("EPSG:4526", PREFIXED, "are of zone 39 .* is zone 38"),
        ("EPSG:4548", PLANE[[1, 0, 3, 2]], "look swapped"),
        ("EPSG:4548", PREFIXED[[1, 0, 3, 2]], "look swapped"),
        ("EPSG:4527", PREFIXED[[1, 0, 3, 2]], "look swapped"),
        (None, PLANE, "no .prj .*--src-crs"),
        ("", PLANE, "no .prj"),
    ],
)
def test_coordinates_that_contradict_their_system_are_refused(
    declared: str | None, bounds: np.ndarray, words: str
):
    with pytest.raises(InputRefusedError, match=words) as refused:
        resolve(declared, None, bounds, "a.shp")
    assert "--src-crs" in str(refused.value) or "x first" in str(refused.value)


def test_what_the_user_gives_wins_over_the_declaration():
    assert resolve("EPSG:4526", "EPSG:4527", PREFIXED, "a.shp").name == "EPSG:4527"


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
