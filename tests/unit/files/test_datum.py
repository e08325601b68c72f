"""Datum parameters do what an independent computation does, and are refused for what they are not.

Every number here is made up: real parameters are the bureaus' own.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer

from lowland_gis.errors import DefinitionError, InputRefusedError, UsageError
from lowland_gis.files.crs import reference
from lowland_gis.files.datum import path_with, read_datum, same_datum
from lowland_gis.files.transform import path_between

HEAD = """
source_crs = "{source}"
target_crs = "{target}"
document = "示例文件〔2020〕1号"
date = 2020-01-01
accuracy_m = 0.05
"""
FOUR = """
kind = "four"
axes = "{axes}"
dx = -12.345678
dy = 98.7654321
rotation = 1.2345
rotation_unit = "arc-second"
scale_ppm = 3.21
"""
SEVEN = """
kind = "seven"
convention = "{convention}"
dx = 15.8
dy = -154.4
dz = -82.3
rx = 0.5
ry = -1.1
rz = 2.2
scale_ppm = 4.5
"""
XIAN_PLANE, XIAN_DEGREES, BEIJING_54 = "EPSG:2363", "EPSG:4610", "EPSG:2415"
CGCS_PLANE, CGCS_DEGREES, CGCS_PREFIXED = "EPSG:4548", "EPSG:4490", "EPSG:4527"
EASTINGS = np.array([39_505_123.4567, 39_515_000.0, 39_530_987.654])
NORTHINGS = np.array([4_335_111.222, 4_345_000.0, 4_359_999.999])
LONGITUDES, LATITUDES = np.array([117.05, 117.2, 117.39]), np.array([39.16, 39.25, 39.35])


@pytest.fixture
def file(tmp_path: Path):
    def write(body: str, source: str = XIAN_PLANE, target: str = CGCS_PREFIXED) -> Path:
        path = tmp_path / "参数.toml"
        path.write_text(HEAD.format(source=source, target=target) + body, encoding="utf-8")
        return path

    return write


def way(path: Path, source: str, target: str):
    return path_with(read_datum(path), reference(source, "here"), reference(target, "there"))


def four_by_hand(u, v, du=-12.345678, dv=98.7654321):
    angle, scale = np.deg2rad(1.2345 / 3600), 1 + 3.21e-6
    return (
        du + scale * (u * np.cos(angle) - v * np.sin(angle)),
        dv + scale * (u * np.sin(angle) + v * np.cos(angle)),
    )


def seven_by_hand(longitude, latitude, convention):
    """Geographic → geocentric → shifted → geographic by iteration, on the two ellipsoids, without PROJ."""
    a, f = 6_378_140.0, 1 / 298.257
    e2 = f * (2 - f)
    lam, phi = np.deg2rad(longitude), np.deg2rad(latitude)
    n = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    place = np.array(
        [n * np.cos(phi) * np.cos(lam), n * np.cos(phi) * np.sin(lam), n * (1 - e2) * np.sin(phi)]
    )
    rx, ry, rz = np.deg2rad(np.array([0.5, -1.1, 2.2]) / 3600)
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    turn = turn if convention == "position_vector" else turn.T
    x, y, z = np.array([[15.8], [-154.4], [-82.3]]) + (1 + 4.5e-6) * turn @ place
    a, f = 6_378_137.0, 1 / 298.257222101
    e2, p = f * (2 - f), np.hypot(x, y)
    phi = np.arctan2(z, p * (1 - e2))
    for _ in range(20):
        n = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        phi = np.arctan2(z + e2 * n * np.sin(phi), p)
    return np.rad2deg(np.arctan2(y, x)), np.rad2deg(phi)


def test_four_parameters_with_x_north(file):
    moved = way(file(FOUR.format(axes="north_east")), XIAN_PLANE, CGCS_PREFIXED).transform(
        EASTINGS, NORTHINGS
    )
    north, east = four_by_hand(NORTHINGS, EASTINGS)
    assert np.abs(moved[0] - east).max() < 1e-6
    assert np.abs(moved[1] - north).max() < 1e-6


def test_four_parameters_with_x_east(file):
    moved = way(file(FOUR.format(axes="east_north")), XIAN_PLANE, CGCS_PREFIXED).transform(
        EASTINGS, NORTHINGS
    )
    east, north = four_by_hand(EASTINGS, NORTHINGS)
    assert np.abs(moved[0] - east).max() < 1e-6
    assert np.abs(moved[1] - north).max() < 1e-6


def test_radians_and_arc_seconds_say_the_same(file):
    first = way(file(FOUR.format(axes="north_east")), XIAN_PLANE, CGCS_PREFIXED).transform(
        EASTINGS, NORTHINGS
    )
    text = FOUR.format(axes="north_east").replace("arc-second", "radian")
    text = text.replace("rotation = 1.2345", f"rotation = {float(np.deg2rad(1.2345 / 3600))!r}")
    second = way(file(text), XIAN_PLANE, CGCS_PREFIXED).transform(EASTINGS, NORTHINGS)
    assert np.abs(np.subtract(first, second)).max() < 1e-6


def test_another_zone_and_degrees_of_the_same_datum_go_the_same_way(file):
    path = file(FOUR.format(axes="north_east"))
    east, north = way(path, XIAN_PLANE, CGCS_PREFIXED).transform(EASTINGS, NORTHINGS)
    plain_east, plain_north = way(path, "EPSG:2384", CGCS_PLANE).transform(EASTINGS - 39e6, NORTHINGS)
    assert np.abs(plain_east - (east - 39e6)).max() < 1e-6
    assert np.abs(plain_north - north).max() < 1e-6
    degrees = Transformer.from_crs(XIAN_PLANE, XIAN_DEGREES, always_xy=True).transform(EASTINGS, NORTHINGS)
    from_degrees = way(path, XIAN_DEGREES, CGCS_PREFIXED).transform(*degrees)
    assert np.abs(np.subtract(from_degrees, (east, north))).max() < 1e-6


@pytest.mark.parametrize("convention", ["position_vector", "coordinate_frame"])
def test_seven_parameters(file, convention):
    path = file(SEVEN.format(convention=convention), XIAN_DEGREES, CGCS_DEGREES)
    moved = way(path, XIAN_DEGREES, CGCS_DEGREES).transform(LONGITUDES, LATITUDES)
    by_hand = seven_by_hand(LONGITUDES, LATITUDES, convention)
    assert np.abs(np.subtract(moved, by_hand)).max() < 1e-6 / 111_000
    assert np.abs(moved[0] - LONGITUDES).max() * 86_000 > 10, "the control: parameters do move the points"


def test_the_two_conventions_differ_by_metres(file):
    results = [
        np.array(
            way(
                file(SEVEN.format(convention=word), XIAN_PLANE, CGCS_PLANE), XIAN_PLANE, CGCS_PLANE
            ).transform(EASTINGS, NORTHINGS)
        )
        for word in ("position_vector", "coordinate_frame")
    ]
    assert np.abs(results[0] - results[1]).max() > 10


def test_seven_parameters_between_planes(file):
    path = file(SEVEN.format(convention="position_vector"), XIAN_PLANE, CGCS_PLANE)
    moved = way(path, XIAN_PLANE, CGCS_PLANE).transform(EASTINGS, NORTHINGS)
    degrees = Transformer.from_crs(XIAN_PLANE, XIAN_DEGREES, always_xy=True).transform(EASTINGS, NORTHINGS)
    shifted = seven_by_hand(*degrees, "position_vector")
    expected = Transformer.from_crs(CGCS_DEGREES, CGCS_PLANE, always_xy=True).transform(*shifted)
    assert np.abs(np.subtract(moved, expected)).max() < 1e-6


def test_there_and_back_again(file):
    """Seven parameters with every sign turned go back, to the second order of small angles."""
    there = way(
        file(SEVEN.format(convention="position_vector"), XIAN_DEGREES, CGCS_DEGREES),
        XIAN_DEGREES,
        CGCS_DEGREES,
    )
    turned = "\n".join(
        line.replace("= -", "= ")
        if "= -" in line
        else line.replace("= ", "= -")
        if "= " in line and '"' not in line
        else line
        for line in SEVEN.format(convention="position_vector").splitlines()
    )
    back = way(file(turned, CGCS_DEGREES, XIAN_DEGREES), CGCS_DEGREES, XIAN_DEGREES)
    again = back.transform(*there.transform(LONGITUDES, LATITUDES))
    assert np.abs(np.subtract(again, (LONGITUDES, LATITUDES))).max() * 111_000 < 0.01


def ntv2(path: Path, shift_latitude: float, shift_longitude: float) -> Path:
    """Write an NTv2 grid over 116–118 E, 38–40 N, with one shift everywhere (arc-seconds, longitude positive west)."""

    def record(name: str, value: bytes) -> bytes:
        return name.ljust(8).encode() + value.ljust(8, b"\x00" if len(value) != 8 else b" ")

    def whole(name: str, number: int) -> bytes:
        return record(name, struct.pack("<i", number))

    def real(name: str, number: float) -> bytes:
        return record(name, struct.pack("<d", number))

    def text(name: str, word: str) -> bytes:
        return record(name, word.ljust(8).encode())

    step, columns, rows = 3600.0, 3, 3
    content = b"".join(
        [
            whole("NUM_OREC", 11), whole("NUM_SREC", 11), whole("NUM_FILE", 1), text("GS_TYPE", "SECONDS"),
            text("VERSION", "MADE-UP"), text("SYSTEM_F", "XIAN80"), text("SYSTEM_T", "CGCS2000"),
            real("MAJOR_F", 6378140.0), real("MINOR_F", 6356755.288), real("MAJOR_T", 6378137.0),
            real("MINOR_T", 6356752.314), text("SUB_NAME", "BEICHEN"), text("PARENT", "NONE"),
            text("CREATED", "20200101"), text("UPDATED", "20200101"),
            real("S_LAT", 38 * 3600.0), real("N_LAT", 40 * 3600.0), real("E_LONG", -118 * 3600.0),
            real("W_LONG", -116 * 3600.0), real("LAT_INC", step), real("LONG_INC", step),
            whole("GS_COUNT", columns * rows),
        ]
    )  # fmt: skip
    node = struct.pack("<4f", shift_latitude, shift_longitude, 0.0, 0.0)
    path.write_bytes(content + node * (columns * rows) + b"END     " + b"\x00" * 8)
    return path


def test_a_grid(file, tmp_path):
    grid = ntv2(tmp_path / "网格 1.gsb", 1.5, -2.5)
    path = file(f'kind = "grid"\nfile = "{grid.name}"\n', XIAN_DEGREES, CGCS_DEGREES)
    x, y = way(path, XIAN_DEGREES, CGCS_DEGREES).transform(LONGITUDES, LATITUDES)
    assert np.abs(x - (LONGITUDES + 2.5 / 3600)).max() < 1e-5 / 86_000
    # PROJ keeps the nodes of a grid in single precision.
    assert np.abs(y - (LATITUDES + 1.5 / 3600)).max() < 1e-5 / 111_000
    with pytest.raises(InputRefusedError, match="1 points cannot be transformed"):
        way(path, XIAN_DEGREES, CGCS_DEGREES).transform(np.array([117.0, 121.0]), np.array([39.0, 39.0]))


def test_a_grid_that_is_none_or_missing(file, tmp_path):
    with pytest.raises(DefinitionError, match="missing"):
        read_datum(file('kind = "grid"\nfile = "没有.gsb"\n', XIAN_DEGREES, CGCS_DEGREES))
    (tmp_path / "bad.gsb").write_bytes(b"no grid at all")
    with pytest.raises(InputRefusedError, match="cannot be used"):
        way(file('kind = "grid"\nfile = "bad.gsb"\n', XIAN_DEGREES, CGCS_DEGREES), XIAN_DEGREES, CGCS_DEGREES)


def test_a_coordinate_that_is_no_number_stays_so(file):
    x, _ = way(file(FOUR.format(axes="north_east")), XIAN_PLANE, CGCS_PREFIXED).transform(
        np.array([np.nan, EASTINGS[0]]), np.array([np.nan, NORTHINGS[0]])
    )
    assert np.isnan(x[0])
    assert np.isfinite(x[1])


def test_without_parameters_it_stays_refused():
    with pytest.raises(InputRefusedError, match="ballpark"):
        path_between(reference(XIAN_PLANE, "a"), reference(CGCS_PLANE, "b"), "二调.shp")


@pytest.mark.parametrize(
    ("source", "target", "key"),
    [
        (BEIJING_54, CGCS_PLANE, "source_crs"),
        (CGCS_PLANE, CGCS_PLANE, "source_crs"),
        (XIAN_PLANE, "EPSG:32650", "target_crs"),
    ],
)
def test_parameters_of_another_datum_are_refused(file, source, target, key):
    with pytest.raises(InputRefusedError, match=key):
        way(file(FOUR.format(axes="north_east")), source, target)


def test_four_parameters_need_planes(file):
    with pytest.raises(UsageError, match="no plane"):
        way(file(FOUR.format(axes="north_east"), XIAN_DEGREES), XIAN_DEGREES, CGCS_PREFIXED)


def test_common_points_catch_a_wrong_sign(file):
    north, east = four_by_hand(NORTHINGS[0], EASTINGS[0])
    source = [float(EASTINGS[0]), float(NORTHINGS[0])]
    point = f"[[common_points]]\nsource = {source}\ntarget = {[float(east), float(north)]}\n"
    good = FOUR.format(axes="north_east") + point
    assert way(file(good), XIAN_PLANE, CGCS_PREFIXED).accuracy_m == 0.05
    for wrong in (good.replace("rotation = 1", "rotation = -1"), good.replace("north_east", "east_north")):
        with pytest.raises(InputRefusedError, match="common point 1: missed by"):
            way(file(wrong), XIAN_PLANE, CGCS_PREFIXED)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('convention = "position_vector"', ""), "convention"),
        (("rx = 0.5", "rx = nan"), "rx"),
        (("rx = 0.5", 'rx = "0.5 rad"'), "rx"),
        (('kind = "seven"', 'kind = "eight"'), "kind"),
        (("dx = 15.8", "dx = 15.8\ndX = 1"), "dX"),
        (("dx = 15.8", "dx = "), "TOML"),
    ],
)
def test_a_file_that_leaves_something_open_is_refused(file, change, fault):
    with pytest.raises(DefinitionError, match=fault):
        read_datum(file(SEVEN.format(convention="position_vector").replace(*change)))


def test_same_datum():
    plane, degrees, old = (reference(code, "x") for code in (CGCS_PLANE, CGCS_DEGREES, XIAN_PLANE))
    assert same_datum(plane, degrees)
    assert not same_datum(plane, old)
