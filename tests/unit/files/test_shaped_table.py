"""Shapes of a CSV: WKT in a column, points by coordinates whose order and plane are told by their size."""

from __future__ import annotations

import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

WKT = 'ZDDM,WKT\nA,"SRID=4548;POLYGON((0 0,1 0,1 1,0 0))"\nB,\nC,"POLYGON((1"\n'
METRES = "ZDDM,X,Y\nA,4345300.5,515000\nB,,\nC,4345301,x\n"
DEGREES = "ZDDM,经度,纬度,X\nA,117.1,39.2,1\nB,117.2,39.3,2\n"


def arrived(folder, text, asked=""):
    file = folder / "a.csv"
    file.write_text(text, encoding="utf-8")
    with opened(f"{file}{asked}", folder) as source, received(source) as found:
        (batch,) = found.batches
        return found, batch


def test_wkt_is_taken_with_its_system(tmp_path):
    found, batch = arrived(tmp_path, WKT)
    assert [None if shape is None else shape.area for shape in shapely.from_wkb(batch.wkb)] == [
        0.5,
        None,
        None,
    ]
    assert (found.columns, found.declared_crs) == (("ZDDM",), "EPSG:4548")
    assert "shapes by the WKT in WKT" in found.encoding.reason
    assert [(doubt.row, doubt.rule) for doubt in batch.doubts] == [(2, "shape_unreadable")]
    with pytest.raises(InputRefusedError, match=r"of several systems \(SRID 4326, 4548\)"):
        arrived(tmp_path, "a,w\n1,SRID=4326;POINT(1 2)\n2,SRID=4548;POINT(1 2)\n")
    with pytest.raises(InputRefusedError, match="v, w all hold shapes"):
        arrived(tmp_path, "v,w\nPOINT(1 2),POINT(3 4)\n")
    _, batch = arrived(tmp_path, "v,w\nPOINT(1 2),POINT(3 4)\n", ":w")
    assert shapely.from_wkb(batch.wkb)[0].x == 3


def test_coordinates_are_values_until_points_are_asked_for(tmp_path):
    """Tables of firms have coordinates too, and stay tables."""
    found, _ = arrived(tmp_path, METRES)
    assert (found.has_geometry, found.columns) == (False, ("ZDDM", "X", "Y"))
    found, batch = arrived(tmp_path, METRES, ":geometry")
    assert [None if shape is None else (shape.x, shape.y) for shape in shapely.from_wkb(batch.wkb)] == [
        (515000, 4345300.5),
        None,
        None,
    ]
    assert "north in X, east in Y, in metres without a zone" in found.encoding.reason
    assert [(doubt.row, doubt.rule) for doubt in batch.doubts] == [(2, "shape_unreadable")]


def test_columns_can_be_named_and_are_told_apart_by_their_size(tmp_path):
    for asked in (":geometry", ":纬度,经度", ":经度,纬度"):
        found, batch = arrived(tmp_path, DEGREES, asked)
        assert [(shape.x, shape.y) for shape in shapely.from_wkb(batch.wkb)] == [(117.1, 39.2), (117.2, 39.3)]
        assert "in degrees" in found.encoding.reason


@pytest.mark.parametrize(
    ("text", "asked", "words"),
    [
        (DEGREES, ":a,b", "it has no columns 'a,b'.*It has: ZDDM, 经度, 纬度, X"),
        ("X,Y,经度,纬度\n1,2,3,4\n", ":geometry", "its points can be by X,Y or 经度,纬度"),
        ("a,b\n1,2\n", ":geometry", "has no columns 'geometry'"),
        ("X,Y\n500000,500001\n", ":geometry", "record 1: .*can both be north and east"),
        (
            "X,Y\n4345300,515000\n515000,4345300\n",
            ":geometry",
            "record 2: .* as those of the other points are",
        ),
    ],
)
def test_what_is_unclear_is_refused(tmp_path, text, asked, words):
    with pytest.raises(InputRefusedError, match=words):
        arrived(tmp_path, text, asked)
