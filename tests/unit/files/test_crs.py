"""Coordinate systems: what a file is in."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import CRS

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.crs import in_metres, reference, resolve
from lowland_gis.files.transform import path_between

PLANE = np.array([515_000.0, 4_345_000.0, 516_000.0, 4_346_000.0])
PREFIXED = np.add(PLANE, [39_000_000, 0, 39_000_000, 0])
DEGREES = np.array([117.1, 39.2, 117.2, 39.3])


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


@pytest.mark.parametrize("text", ["EPSG:4978", "EPSG:5737", "EPSG:4479"])
def test_what_has_no_places_on_a_map_is_refused(text: str):
    with pytest.raises(InputRefusedError, match="no system of places on a map"):
        reference(text, "a.shp")


def test_of_a_system_with_heights_the_horizontal_part_is_taken():
    assert reference("EPSG:4548+5737", "a.shp").name == "EPSG:4548"


def test_a_shift_that_a_file_brings_along_is_left_out():
    """Many programs write a TOWGS84 of their own into the .prj of an old datum."""
    old = CRS.from_epsg(4610).to_wkt("WKT1_GDAL")
    bound = old.replace('AUTHORITY["EPSG","7049"]],', 'AUTHORITY["EPSG","7049"]],TOWGS84[10,20,30,0,0,0,0],')
    assert CRS.from_wkt(bound).is_bound
    assert reference(bound, "a.shp").name == "EPSG:4610"


def test_a_plane_in_feet_has_a_twin_in_metres():
    feet = reference("EPSG:2263", "a.shp")
    assert feet.unit_m == pytest.approx(1200 / 3937, rel=1e-15)
    metres = in_metres(feet)
    assert (metres.unit_m, metres.is_plane) == (1.0, True)
    way = path_between(feet, metres, "a.shp")
    x, y = way.transform(1_000_000.0, 200_000.0)
    assert (x, y) == (
        pytest.approx(1_000_000 * 1200 / 3937, abs=1e-6),
        pytest.approx(200_000 * 1200 / 3937, abs=1e-6),
    )


def test_a_system_in_metres_or_degrees_is_its_own():
    for text in ("EPSG:4548", "EPSG:4490"):
        assert in_metres(reference(text, "a.shp")) == reference(text, "a.shp")


def test_a_meridian_plane_in_feet_is_not_taken_for_swapped():
    """EPSG:2261, New York Central (ftUS): false easting 820,208 ft; a place 500 km south of none of its zones."""
    inside = np.array([950_000.0, 1_100_000.0, 960_000.0, 1_110_000.0])
    assert resolve("EPSG:2261", None, inside, "a.shp").false_easting == pytest.approx(250_000, abs=0.01)
