"""Repair: each fault has its code, each usable row a valid geometry of the layer's kind."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import shapely

from lowland_gis.analysis.geometry import repair
from lowland_gis.analysis.geometry.repair import Repaired

SQUARE = "POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))"
BOW_TIE = "POLYGON((0 0, 10 10, 10 0, 0 10, 0 0))"


def mended(*texts: str | None, kind: str = "polygon") -> Repaired:
    shapes = np.array([None if text is None else shapely.from_wkt(text) for text in texts], dtype=object)
    return repair.repair(*repair.decode(shapely.to_wkb(shapes)), kind)


@pytest.mark.parametrize(
    ("text", "kind", "fault", "area"),
    [
        (SQUARE, "polygon", "", 100),
        (BOW_TIE, "polygon", "geometry_area_changed", 50),
        ("POLYGON((0 0, 10 0, 10 10, 10 20, 10 10, 0 10, 0 0))", "polygon", "geometry_invalid", 100),
        ("MULTIPOLYGON(((0 0, 10 0, 10 10, 0 10, 0 0)), ((5 0, 15 0, 15 10, 5 10, 5 0)))", "polygon",
         "geometry_area_changed", 150),
        ("POLYGON((0 0, 10 0, 0 0, 0 0))", "polygon", "geometry_collapsed", 0),
        ("POLYGON EMPTY", "polygon", "geometry_empty", 0),
        ("LINESTRING(0 0, 1 1)", "polygon", "geometry_wrong_kind", 0),
        (SQUARE, "line", "geometry_wrong_kind", 100),
        ("LINESTRING(0 0, 1 1, 0 1, 1 0)", "line", "", 0),
        ("POINT(0 0)", "line", "geometry_wrong_kind", 0),
        (f"GEOMETRYCOLLECTION({SQUARE}, LINESTRING(0 0, 99 99))", "polygon", "geometry_mixed", 100),
        (f"GEOMETRYCOLLECTION(GEOMETRYCOLLECTION({SQUARE}), POINT(50 50))", "polygon", "geometry_mixed", 100),
        (f"GEOMETRYCOLLECTION({BOW_TIE}, LINESTRING(0 0, 99 99))", "polygon", "geometry_area_changed", 50),
        ("GEOMETRYCOLLECTION(LINESTRING(0 0, 9 9), POINT(50 50))", "line", "geometry_mixed", 0),
        (f"GEOMETRYCOLLECTION({SQUARE}, LINESTRING(0 0, 99 99))", "line", "geometry_wrong_kind", 100),
        (None, "polygon", "geometry_missing", 0),
    ],
)  # fmt: skip
def test_each_fault(text: str | None, kind: str, fault: str, area: float):
    found = mended(text, kind=kind)
    assert found.fault[0] == fault
    assert fault == "" or fault in repair.FAULTS
    if found.usable[0]:
        assert shapely.is_valid(found.geometries[0])
        assert shapely.area(found.geometries[0]) == area
        assert (
            found.geometries[0].geom_type.removeprefix("Multi")
            == {"polygon": "Polygon", "line": "LineString"}[kind]
        )
        assert (found.received[0] is None) == (fault == "")


def test_what_was_received_is_kept_bit_for_bit():
    found = mended(SQUARE, BOW_TIE)
    assert found.received[0] is None
    assert found.received[1].wkt == shapely.from_wkt(BOW_TIE).wkt


def test_a_repair_of_little_area_is_only_invalid():
    with_ear = "POLYGON((0 0, 100 0, 100 100, 50 100, 50.5 100.5, 50 100.5, 50.5 100, 0 100, 0 0))"
    assert mended(with_ear).fault[0] == "geometry_invalid"


def two_point_ring() -> bytes:
    return struct.pack("<BII", 1, 3, 1) + struct.pack("<I4d", 2, 0, 0, 1, 1)


@pytest.mark.parametrize("bad", [two_point_ring(), b"", b"\x01\x03", b"\x09nonsense"])
def test_one_bad_ring_costs_only_its_own_row(bad: bytes):
    good = shapely.to_wkb(shapely.box(0, 0, 1, 1))
    geometries, fault = repair.decode(np.array([good, bad, None, good], dtype=object))
    assert fault.tolist() == ["", "geometry_unreadable", "geometry_missing", ""]
    assert repair.repair(geometries, fault, "polygon").usable.tolist() == [True, False, False, True]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_coordinate_that_is_no_number(value: float):
    ring = struct.pack("<BII", 1, 3, 1) + struct.pack("<I8d", 4, 0, 0, 1, value, 1, 1, 0, 0)
    geometries, fault = repair.decode(np.array([ring], dtype=object))
    found = repair.repair(geometries, fault, "polygon")
    assert found.fault.tolist() == ["geometry_not_finite"]


def test_nothing_received():
    found = repair.repair(*repair.decode(np.array([], dtype=object)), "polygon")
    assert len(found.geometries) == len(found.usable) == 0


def test_the_faults_of_the_caller_are_not_changed():
    geometries, fault = repair.decode(shapely.to_wkb(np.array([shapely.from_wkt(BOW_TIE)])))
    repair.repair(geometries, fault, "polygon")
    assert fault.tolist() == [""]
    assert geometries[0].wkt == shapely.from_wkt(BOW_TIE).wkt


def test_polygons_become_multipolygons():
    together = repair.multipolygons(
        np.array([shapely.box(0, 0, 1, 1), shapely.from_wkt("MULTIPOLYGON EMPTY"), None])
    )
    assert [getattr(shape, "geom_type", None) for shape in together] == ["MultiPolygon", "MultiPolygon", None]
    assert together[0].area == 1
