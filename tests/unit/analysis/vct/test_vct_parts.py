"""The parts of the exchange format of land surveys: what a head says, lines out of rows, lines out of polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lowland_gis.analysis.vct import edges as made_edges
from lowland_gis.analysis.vct import lexing, objects
from lowland_gis.analysis.vct.blocks import Head, head
from lowland_gis.analysis.vct.system import system
from vct_files import HEAD_V1, HEAD_V2, Grammar, Lot

BOX = shapely.box(39_515_000.125, 4_345_300.5, 39_515_100.125, 4_345_380.5)
LOTS = (
    Lot(BOX, ("11", "0701", "8000.00", "", "")),
    Lot(
        shapely.box(39_515_200, 4_345_300, 39_515_300, 4_345_400).difference(
            shapely.box(39_515_220, 4_345_320, 39_515_240, 4_345_340)
        ),
        ("12", "0602", "9600", "", ""),
    ),
)
GRAMMARS = {"3": Grammar(), "2": Grammar(version=2, head=HEAD_V2, style="DLJX")}
GRID = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30, unique=True)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("P", "CGCS2000,6378137,298.257", "117,1,500000,0,3,0"), "EPSG:4548"),
        (("P", "CGCS2000", "117.0,1.0,39500000.0,0.0,3,39"), "EPSG:4527"),
        (("P", "CGCS2000", "117,1,500000,0,6,0"), "EPSG:4509"),
        (("P", "CGCS2000", "117,1,20500000,0,6,20"), "EPSG:4498"),
        (("P", "西安80,6378140,298.257", "117,1,500000,0,3"), "EPSG:2384"),
        (("P", "Krassovsky_1940", "117,1,39500000,0,3"), "EPSG:2415"),
        (("D", "CGCS2000", ""), "EPSG:4490"),
        (("P", "CGCS2000", "118,1,500000,0,3"), None),
        (("P", "CGCS2000", "117,1,40500000,0,3"), None),
        (("P", "CGCS2000", ""), None),
        (("P", "地方坐标系", "117,1,500000,0,3"), None),
    ],
)
def test_the_system_is_said_or_asked_for(said, expected):
    kind, spheroid, parameters = said
    assert (
        system(Head(3, {"coordinatesystemtype": kind, "spheroid": spheroid, "parameters": parameters}))
        == expected
    )


@pytest.mark.parametrize(
    ("rows", "version"),
    [(("Datamark: LANDUSE-VCT", "Version: 3.0"), 3), (HEAD_V2, 2), (HEAD_V1, 1), (("Datamark:CNSDTF-VCT",), 1), (("DataMark:LANDUSE-DAT", "Version:2.0"), 2)],
)  # fmt: skip
def test_the_version_by_its_head(rows, version):
    assert head(rows).version == version


@pytest.mark.parametrize("grammar", [GRAMMARS["3"], GRAMMARS["2"]], ids=["3", "2"])
def test_lines_that_are_put_together_at_once_are_those_that_are_gone_through_one_by_one(grammar):
    text = grammar.text(LOTS).split("\r\n")
    content = "\n".join(text[text.index("LineBegin") + 1 : text.index("LineEnd")]).encode() + b"\n"
    rows = lexing.rows(
        [content[:300].rpartition(b"\n")[0] + b"\n", content[len(content[:300].rpartition(b"\n")[0]) + 1 :]],
        ord(","),
        1,
    )
    quick, slow = (
        objects._regular_lines(rows, grammar.version),
        objects._lines_one_by_one(rows, grammar.version),
    )
    assert quick is not None
    for name in ("ids", "classes", "starts", "coordinates"):
        assert getattr(quick, name).tolist() == getattr(slow, name).tolist()


@settings(max_examples=80, deadline=None)
@given(GRID, st.integers(1, 5))
def test_lines_of_polygons_hold_each_boundary_once(cells, groups):
    """Any areas of cells: what two of them share is one line, and the rings give the areas back."""
    areas = [
        shapely.unary_union(
            [
                shapely.box(x, y, x + 1, y + 1)
                for number, (x, y) in enumerate(cells)
                if number % groups == group
            ]
        )
        for group in range(groups)
    ]
    # All areas know all corners, as those of a survey do.
    areas = [shapely.segmentize(area, 1) for area in areas if not area.is_empty]
    found = made_edges.edges(np.array(areas, dtype=object))
    spans = [
        found.coordinates[start:stop] for start, stop in zip(found.starts[:-1], found.starts[1:], strict=True)
    ]
    pieces = [
        tuple(sorted(map(tuple, (one, two))))
        for span in spans
        for one, two in zip(span[:-1].tolist(), span[1:].tolist(), strict=True)
    ]
    assert len(pieces) == len(set(pieces))
    union = shapely.length(shapely.union_all([area.boundary for area in areas]))
    assert sum(shapely.linestrings(span).length for span in spans) == pytest.approx(union)
    for place, area in enumerate(areas):
        rings, ring = [], []
        for number in [*found.references[found.of_starts[place] : found.of_starts[place + 1]].tolist(), 0]:
            if number:
                ring.append(spans[abs(number) - 1][:: 1 if number > 0 else -1])
            else:
                rings.append(shapely.Polygon(np.concatenate(ring)))
                ring = []
        again = shapely.Polygon()
        for each in rings:
            again = again.symmetric_difference(each)
        assert again.equals(area)
        assert sum(each.length for each in rings) == pytest.approx(area.length)
