"""The shapes of personal geodatabases from their bytes: every kind, arcs and curves, and bytes that are none."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.geometry.shape_buffer import shapes_of


def lines(
    kind: int, *parts: list[tuple[float, float]], z: bool = False, m: bool = False, tail: bytes = b""
) -> bytes:
    """Return a buffer of lines or rings as the format lays it out."""
    points = [point for part in parts for point in part]
    starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
    more = b"".join(struct.pack(f"<{2 + len(points)}d", *[7.0] * (2 + len(points))) for _ in range(z + m))
    head = struct.pack("<I4d2i", kind, 0, 0, 0, 0, len(parts), len(points)) + struct.pack(
        f"<{len(parts)}i", *starts
    )
    return head + b"".join(struct.pack("<2d", *point) for point in points) + more + tail


def one(blob: bytes) -> tuple[object, str | None]:
    found = shapes_of([blob])
    return found.shapes[0], found.faults.get(0)


SQUARE = [(0, 0), (0, 9), (9, 9), (9, 0), (0, 0)]
HOLE = [(2, 2), (4, 2), (4, 4), (2, 4), (2, 2)]


@pytest.mark.parametrize(
    ("blob", "wkt"),
    [
        (struct.pack("<I2d", 1, 1, 2), "POINT (1 2)"),
        (struct.pack("<I4d", 11, 1, 2, 3, 4), "POINT (1 2)"),
        (struct.pack("<I3d", 0x80000034, 1, 2, 3), "POINT (1 2)"),
        (struct.pack("<I4di4d", 8, 0, 0, 0, 0, 2, 1, 2, 3, 4), "MULTIPOINT (1 2, 3 4)"),
        (lines(3, [(0, 0), (1, 1)]), "LINESTRING (0 0, 1 1)"),
        (lines(0xC0000032, [(0, 0), (1, 1)], [(5, 5), (6, 6)], z=True, m=True), "MULTILINESTRING ((0 0, 1 1), (5 5, 6 6))"),
        (lines(5, SQUARE), "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0))"),
        (lines(15, SQUARE[:4], z=True, m=True), "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0))"),
        # The hole first, and turning as its shell does.
        (lines(5, HOLE[::-1], SQUARE), "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0), (2 2, 4 2, 4 4, 2 4, 2 2))"),
        (lines(0x20000033, SQUARE), "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0))"),
    ],
)  # fmt: skip
def test_every_kind(blob, wkt):
    shape, fault = one(blob)
    assert fault is None
    assert shape.equals(shapely.from_wkt(wkt))


def arc(start: int, x: float, y: float, bits: int) -> bytes:
    return struct.pack("<2i2di", start, 1, x, y, bits)


def test_arcs_by_a_point_by_their_centre_and_curves():
    half = [(0, 0), (20, 0), (0, 0)]
    for tail, up in ((arc(0, 10, 10, 0x80), True), (arc(0, 10, 0, 0), True), (arc(0, 10, 0, 0x8), False)):
        shape, fault = one(lines(0x20000033, half, tail=struct.pack("<i", 1) + tail))
        assert fault is None
        assert shape.area == pytest.approx(math.pi * 50, abs=1e-5)
        assert (shape.bounds[3] > 9) == up
    # A circle: it ends where it begins.
    shape, _ = one(lines(0x20000033, [(20, 0), (20, 0)], tail=struct.pack("<i", 1) + arc(0, 10, 0, 0x8)))
    assert shape.area == pytest.approx(math.pi * 100, abs=1e-5)
    curve = struct.pack("<i2i4d", 1, 0, 4, 0, 10, 20, 10)
    shape, _ = one(lines(0x20000033, half, tail=curve))
    assert shape.area == pytest.approx(120, abs=0.02)
    ellipse = struct.pack("<i2i5di", 1, 0, 5, 0, 0, 0, 1, 1, 0)
    assert one(lines(0x20000033, half, tail=ellipse)) == (None, "an arc of an ellipse is not read")


@pytest.mark.parametrize(
    ("blob", "fault"),
    [
        (b"\x05", "it ends before its type"), (struct.pack("<I", 54), "type 54 is not read"),
        (lines(5, SQUARE)[:50], "it ends amid its coordinates"), (lines(5, SQUARE[:2]), "a part has 3 points"),
        (lines(5, [(0, 0), (math.nan, 1), (2, 2), (0, 0)]), "a coordinate is no number"),
        (lines(0x20000033, SQUARE, tail=struct.pack("<i", 9)), "it ends amid its head"),
        (lines(0x20000033, SQUARE, tail=struct.pack("<i", 1) + arc(4, 0, 0, 0)), "a segment begins at point 5 of 5"),
        (struct.pack("<I4d2i2i", 5, 0, 0, 0, 0, 2, 8, 0, 0) + bytes(128), "its parts do not lie one behind the other"),
        (struct.pack("<I4d2i", 5, 0, 0, 0, 0, 2**31 - 1, 2**31 - 1), "it ends amid its parts"),
    ],
)  # fmt: skip
def test_bytes_that_are_none(blob, fault):
    assert one(blob) == (None, fault)


@given(st.binary(max_size=120), st.integers(0, 200), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_shape_none_or_a_reason(blob, place, value):
    good = bytearray(lines(0x20000033, SQUARE, HOLE, tail=struct.pack("<i", 1) + arc(0, 1, 1, 0x80)))
    good[place % len(good)] = value
    for each in (blob, bytes(good), bytes(good[:place])):
        found = shapes_of([each])
        assert found.shapes[0] is None or not found.faults
