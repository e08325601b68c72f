"""Drawings (DXF) by ezdxf: versions and encodings, what hangs on outlines, what does not close, and files that are broken."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from drawings import EAST, LOT, NORTH, corners, drawn, lot, open_lot, road
from lowland_gis.errors import InputRefusedError
from lowland_gis.files import inspect
from lowland_gis.files.apart.run import Limits
from lowland_gis.files.drawing import reader
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

BOX = shapely.Polygon(corners(0, 0, 100, 80))


def layers(file: Path) -> list[str]:
    with opened(str(file), file.parent) as source:
        return list(inspect.layer_names(source))


def rows_of(file: Path, layer: str, encoding: str | None = None) -> tuple[list[dict], list, list, list]:
    """Return the rows, their shapes, the doubts about rows and those about the whole."""
    with opened(f"{file}:{layer}", file.parent) as source, received(source, encoding=encoding) as arrived:
        batches = list(arrived.batches)
        rows = [row for batch in batches for row in batch.attributes.to_pylist()]
        shapes = [shapely.from_wkb(wkb) for batch in batches for wkb in batch.wkb]
        doubts = [(doubt.row, doubt.rule, doubt.words) for batch in batches for doubt in batch.doubts]
        return rows, shapes, doubts, arrived.doubts


def refused(file: Path, layer: str = "宗地") -> str:
    with pytest.raises(InputRefusedError) as error:
        rows_of(file, layer)
    return str(error.value)


@pytest.mark.parametrize("version", ["R12", "R2004", "R2018"])
def test_every_version_gives_the_outline_what_hangs_on_it_and_the_texts_in_it(tmp_path, version):
    file = drawn(tmp_path / "宗地.dxf", lot, road, version=version)
    assert layers(file) == ["宗地", "注记", "道路"]
    rows, shapes, doubts, remarks = rows_of(file, "宗地")
    assert shapes == [BOX]
    assert [rows[0][f"SOUTH_{number}"] for number in (1, 2, 3, 4)] == list(LOT)
    assert rows[0]["TEXT_注记"] == "JA-01 / 低效用地 45°"
    assert (doubts, remarks) == ([], [])
    assert shapely.length(rows_of(file, "道路")[1]).tolist() == [300]


def test_a_drawing_of_release_14_is_read(tmp_path):
    file = drawn(tmp_path / "a.dxf", lot, version="R2000")
    file.write_bytes(file.read_bytes().replace(b"AC1015", b"AC1014"))
    assert rows_of(file, "宗地")[1] == [BOX]


def test_every_kind_of_part_is_drawn_where_it_is(tmp_path):
    def every(drawing):
        model = drawing.modelspace()
        place = {"layer": "a"}
        model.add_ellipse((EAST, NORTH), (100, 0), 0.5, dxfattribs=place)
        model.add_arc((EAST, NORTH), 100, 0, 90, dxfattribs=place)
        model.add_open_spline(
            [(EAST, NORTH), (EAST + 50, NORTH + 80), (EAST + 100, NORTH)], degree=2, dxfattribs=place
        )
        model.add_polyline3d([(EAST, NORTH, 1), (EAST + 3, NORTH + 4, 2)], dxfattribs=place)
        model.add_solid(
            [(EAST, NORTH), (EAST + 2, NORTH), (EAST, NORTH + 2), (EAST + 2, NORTH + 2)], dxfattribs=place
        )
        model.add_3dface(
            [(EAST, NORTH, 5), (EAST + 2, NORTH, 6), (EAST + 2, NORTH + 2, 7), (EAST, NORTH + 2, 5)],
            dxfattribs=place,
        )
        model.add_point((EAST, NORTH, 3.25), dxfattribs=place)
        model.add_mtext(r"{\fSimSun|b0;\U+5B97\U+5730}\P120", dxfattribs=place | {"insert": (EAST, NORTH)})
        model.add_ray((EAST, NORTH), (1, 0), dxfattribs=place)

    file = drawn(tmp_path / "a.dxf", every)
    assert layers(file) == ["a", "a:hatches", "a:lines", "a:points"]
    rows, shapes, _, remarks = rows_of(file, "a")
    assert [row["ENTITY"] for row in rows] == ["ELLIPSE", "ARC", "SPLINE", "POLYLINE"]
    assert shapes[0].area == pytest.approx(math.pi * 100 * 50, rel=1e-4)
    far = [
        math.hypot((x - EAST) / 100, (y - NORTH) / 50)
        for x, y in shapely.segmentize(shapes[0], 0.5).exterior.coords
    ]
    assert max(abs(each - 1) for each in far) * 50 < 0.001
    assert ("parts_not_read" in dict(remarks), "1 RAY" in dict(remarks)["parts_not_read"]) == (True, True)
    assert [shape.area for shape in rows_of(file, "a:hatches")[1]] == [4, 4]
    arc, spline, line = rows_of(file, "a:lines")[1]
    assert arc.length == pytest.approx(math.pi * 50, abs=0.01)
    # A parabola: its height over the base is half of that of its middle point.
    assert spline.bounds[3] == pytest.approx(NORTH + 40, abs=0.002)
    assert line.length == 5
    rows, _, _, _ = rows_of(file, "a:points")
    assert [(row["ENTITY"], row["ELEVATION"], row["TEXT"]) for row in rows] == [
        ("POINT", 3.25, None),
        ("MTEXT", None, "宗地\n120"),
    ]


def test_a_binary_drawing_is_read(tmp_path):
    for version in ("R2000", "R2010"):
        file = drawn(tmp_path / f"{version}.dxf", lot, version=version, form="bin")
        rows, shapes, _, _ = rows_of(file, "宗地")
        assert (shapes, rows[0]["SOUTH_3"]) == ([BOX], "北辰某某公司")


@pytest.mark.parametrize("form", ["asc", "bin"])
def test_the_bytes_decide_where_the_code_page_of_the_head_is_another(tmp_path, form):
    file = drawn(tmp_path / "a.dxf", lot, version="R2004", form=form)
    content = file.read_bytes()
    assert b"ANSI_936" in content
    file.write_bytes(content.replace(b"ANSI_936", b"ANSI_949" if form == "bin" else b"ANSI_1252"))
    assert layers(file) == ["宗地", "注记"]
    assert rows_of(file, "宗地")[0][0]["SOUTH_3"] == "北辰某某公司"


def test_a_drawing_of_2010_is_utf_8_whatever_it_says_and_gbk_where_its_bytes_are(tmp_path):
    file = drawn(tmp_path / "a.dxf", lot)
    content = file.read_bytes().replace(b"ANSI_1252", b"ANSI_936")
    file.write_bytes(content)
    assert layers(file) == ["宗地", "注记"]
    file.write_bytes(content.decode().encode("gbk"))
    assert layers(file) == ["宗地", "注记"]
    with opened(f"{file}:宗地", tmp_path) as source, received(source) as arrived:
        assert arrived.encoding.name == "gb18030"
        assert arrived.encoding.reason.endswith("version AC1024, $DWGCODEPAGE ANSI_936")


def test_a_layer_whose_name_is_escaped_is_the_same_layer(tmp_path):
    def escaped(drawing):
        drawing.modelspace().add_lwpolyline(
            corners(0, 200, 10, 10), close=True, dxfattribs={"layer": r"\U+5B97\U+5730"}
        )

    file = drawn(tmp_path / "a.dxf", lot, escaped)
    assert shapely.area(rows_of(file, "宗地")[1]).tolist() == [8000, 100]


def test_text_that_may_be_anything_is_asked_for(tmp_path):
    def rare(drawing):
        for layer in ("嘂嘄", "ZD", "zd"):
            drawing.modelspace().add_lwpolyline(
                corners(0, 0, 10, 10), close=True, dxfattribs={"layer": layer}
            )

    file = drawn(tmp_path / "a.dxf", rare, version="R2000")
    file.write_bytes(file.read_bytes().replace(b"ANSI_936", b"ANSI_1252"))
    with opened(str(file), tmp_path) as source:
        with pytest.raises(InputRefusedError, match="--encoding GBK"):
            inspect.layer_names(source)
        # Names that differ in capitals are one layer.
        assert inspect.layer_names(source, "GBK") == ("嘂嘄", "ZD")
    assert len(rows_of(file, "zd", "GBK")[1]) == 2


def test_what_does_not_close_is_a_row_without_a_shape_that_says_its_gap(tmp_path):
    file = drawn(tmp_path / "a.dxf", lot, open_lot)
    _, shapes, doubts, _ = rows_of(file, "宗地")
    assert shapes == [BOX, None]
    ((row, rule, words),) = doubts
    assert (row, rule) == (1, "line_open")
    assert words.endswith("its ends (515200.000 4345300.000) and (515200.000 4345300.350) lie 0.350 m apart")
    # Without any outline they are lines, and the gap is said all the same.
    alone = drawn(tmp_path / "b.dxf", open_lot, road)
    _, shapes, doubts, _ = rows_of(alone, "宗地")
    assert (shapes[0].geom_type, doubts[0][1]) == ("LineString", "line_open")
    assert rows_of(alone, "道路")[2] == []


def test_an_open_polyline_whose_ends_meet_is_an_outline(tmp_path):
    def meeting(drawing):
        ring = [*corners(0, 0, 100, 80), (EAST + 0.0004, NORTH)]
        drawing.modelspace().add_lwpolyline(ring, dxfattribs={"layer": "宗地"})

    _, shapes, doubts, _ = rows_of(drawn(tmp_path / "a.dxf", meeting), "宗地")
    assert (shapes, doubts) == ([BOX], [])


def test_arcs_are_chords_at_most_a_millimetre_away_and_enclose_what_they_did(tmp_path):
    def bent(drawing):
        model = drawing.modelspace()
        model.add_lwpolyline(
            [(EAST, NORTH, 1), (EAST + 200, NORTH, 1)], format="xyb", close=True, dxfattribs={"layer": "a"}
        )
        model.add_circle((EAST + 500, NORTH), 100, dxfattribs={"layer": "a"})
        # Drawn from below: its own x points west.
        mirrored = model.add_lwpolyline([(-EAST, NORTH, -0.5), (-EAST - 50, NORTH), (-EAST - 50, NORTH + 30)], format="xyb", close=True, dxfattribs={"layer": "a"})  # fmt: skip
        mirrored.dxf.extrusion = (0, 0, -1)

    _, shapes, _, _ = rows_of(drawn(tmp_path / "a.dxf", bent), "a")
    for shape, centre in zip(shapes[:2], ((EAST + 100, NORTH), (EAST + 500, NORTH)), strict=True):
        assert shape.area == pytest.approx(math.pi * 100**2, abs=1e-4)
        radii = [math.hypot(x - centre[0], y - centre[1]) for x, y in shape.exterior.coords]
        middles = [shapely.line_interpolate_point(shape.exterior, 0.5 / len(radii), normalized=True)]
        assert max(abs(radius - 100) for radius in radii) < 0.001
        assert abs(math.hypot(middles[0].x - centre[0], middles[0].y - centre[1]) - 100) < 0.001
    # To the left of the way is outside there, so half a segment of a circle is added: tan of a quarter of the angle is 0.5.
    quarter = math.atan(0.5)
    radius = 25 / math.sin(2 * quarter)
    segment = radius**2 / 2 * (4 * quarter - math.sin(4 * quarter))
    assert shapes[2].area == pytest.approx(50 * 30 / 2 + segment, abs=1e-4)
    assert shapes[2].bounds[0] == pytest.approx(EAST, abs=0.001)


def test_blocks_are_places_with_their_attributes_and_what_lies_in_them_is_a_layer_of_its_own(tmp_path):
    def with_block(drawing):
        block = drawing.blocks.new("界址点")
        block.add_circle((0, 0), 1, dxfattribs={"layer": "0"})
        block.add_attdef("DH", (0, 0))
        lots = drawing.blocks.new("成果")
        lots.add_lwpolyline([(0, 0), (10, 0), (10, 10), (0, 10)], close=True, dxfattribs={"layer": "宗地"})
        lots.add_blockref("界址点", (0, 0))
        model = drawing.modelspace()
        model.add_blockref("界址点", (EAST, NORTH), dxfattribs={"layer": "JZD"}).add_attrib(
            "DH", "J1", (EAST, NORTH)
        )
        model.add_blockref("成果", (EAST + 500, NORTH), dxfattribs={"layer": "JZD", "xscale": 2, "yscale": 2})

    file = drawn(tmp_path / "a.dxf", lot, with_block)
    assert layers(file) == ["宗地", "宗地:blocks", "注记", "JZD", "JZD:blocks"]
    rows, shapes, _, _ = rows_of(file, "JZD")
    assert [(row["BLOCK"], row["DH"]) for row in rows] == [("界址点", "J1"), ("成果", None)]
    assert shapes[0] == shapely.Point(EAST, NORTH)
    _, shapes, _, remarks = rows_of(file, "宗地")
    assert shapes == [BOX]
    assert remarks == [
        ("parts_beside", "other parts of the layer are no rows of it; they are 宗地:blocks (1)")
    ]
    (inner,) = rows_of(file, "宗地:blocks")[1]
    assert (inner.area, inner.bounds[:2]) == (400, (EAST + 500, NORTH))
    assert len(rows_of(file, "JZD:blocks")[1]) == 2


def test_a_block_that_is_put_often_is_a_symbol_of_which_the_places_are_read(tmp_path):
    def dotted(drawing):
        drawing.blocks.new("界址点").add_circle((0, 0), 1)
        for number in range(101):
            drawing.modelspace().add_blockref("界址点", (EAST + number, NORTH), dxfattribs={"layer": "JZD"})

    file = drawn(tmp_path / "a.dxf", lot, dotted)
    assert layers(file) == ["宗地", "注记", "JZD"]
    rows, _, _, remarks = rows_of(file, "JZD")
    assert (len(rows), [code for code, _ in remarks]) == (101, ["symbols"])
    assert "界址点 (101)" in remarks[0][1]
    assert rows_of(file, "宗地")[3] == []


def test_a_hatch_is_filled_with_its_holes_and_lies_beside_outlines(tmp_path):
    def hatched(drawing):
        hatch = drawing.modelspace().add_hatch(dxfattribs={"layer": "宗地"})
        # The hole comes first.
        hatch.paths.add_polyline_path(corners(20, 20, 10, 10), is_closed=True)
        hatch.paths.add_polyline_path(corners(0, 0, 100, 80), is_closed=True)
        edges = hatch.paths.add_edge_path()
        edges.add_arc((EAST + 70, NORTH + 40), 5, 0, 360)

    for draw, layer in (((hatched,), "宗地"), ((lot, hatched), "宗地:hatches")):
        (shape,) = rows_of(drawn(tmp_path / "a.dxf", *draw), layer)[1]
        assert shape.area == pytest.approx(8000 - 100 - math.pi * 25, abs=1e-4)
        assert len(shape.interiors) == 2


def test_what_is_not_read_is_counted_by_its_kind(tmp_path):
    def odd(drawing):
        model = drawing.modelspace()
        model.add_linear_dim(base=(EAST, NORTH), p1=(EAST, NORTH), p2=(EAST + 9, NORTH)).render()
        model.add_ray((EAST, NORTH), (1, 0))
        drawing.layouts.get("Layout1").add_text("图签")
        drawing.layers.add("宗地").off()
        drawing.add_xref_def("地形图.dwg", "地形图")

    remarks = dict(rows_of(drawn(tmp_path / "a.dxf", lot, odd), "宗地")[3])
    assert set(remarks) == {"layer_hidden", "parts_not_read", "reference_missing"}
    everything = [words for _, words in rows_of(tmp_path / "a.dxf", "宗地")[3]]
    assert any("1 DIMENSION, 1 RAY" in words for words in everything)
    assert any(words.startswith("1 parts lie on sheets") for words in everything)


@pytest.mark.parametrize(
    ("units", "factor", "rule"), [(6, 1, None), (0, 1, None), (4, 1, "unit_other"), (4, 1000, "unit_other")]
)
def test_the_unit_is_what_makes_the_place_lie_in_china(tmp_path, units, factor, rule):
    def scaled(drawing):
        ring = [(x * factor, y * factor) for x, y in corners(0, 0, 100, 80)]
        drawing.modelspace().add_lwpolyline(ring, close=True, dxfattribs={"layer": "宗地"})

    _, shapes, _, remarks = rows_of(drawn(tmp_path / "a.dxf", scaled, units=units), "宗地")
    assert shapely.hausdorff_distance(shapes[0], BOX) < 1e-6
    assert [code for code, _ in remarks] == ([rule] if rule else [])


def test_a_unit_that_cannot_be_told_is_refused(tmp_path):
    def scaled(factor):
        ring = [(x * factor, y * factor) for x, y in corners(0, 0, 100, 80)]
        return lambda drawing: drawing.modelspace().add_lwpolyline(
            ring, close=True, dxfattribs={"layer": "宗地"}
        )

    assert "its unit cannot be told: $INSUNITS is 0" in refused(
        drawn(tmp_path / "a.dxf", scaled(1000), units=0)
    )
    assert "its unit cannot be told: $INSUNITS is 4" in refused(
        drawn(tmp_path / "a.dxf", scaled(0.001), units=4)
    )


def test_broken_drawings_are_refused_with_a_way_on(tmp_path, monkeypatch):
    file = drawn(tmp_path / "a.dxf", lot)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert "was cut off: it does not end with EOF" in refused(file)
    file.write_bytes(content.replace(b"ENTITIES", b"ENT\r\nXX", 1))
    assert "cannot be read as a drawing" in refused(file)
    assert str(tmp_path) not in refused(file).split(": ", 1)[1]
    file.write_bytes(content)
    monkeypatch.setattr(reader, "MOST_BYTES", 1000)
    assert "drawings up to 0 MB are read" in refused(file)


def test_what_the_library_leaves_out_and_goes_on_is_said(tmp_path):
    def with_block(drawing):
        drawing.blocks.new("成果").add_lwpolyline(corners(0, 0, 10, 10), close=True)

    file = drawn(tmp_path / "a.dxf", lot, with_block)
    content = file.read_bytes()
    # That of the block before it, which is of a sheet.
    head, end, last = content.rsplit(b"ENDBLK", 2)
    file.write_bytes(head + b"POINT" + end + b"ENDBLK" + last)
    _, shapes, _, remarks = rows_of(file, "宗地")
    assert (shapes, [code for code, _ in remarks]) == ([BOX], ["drawing_faulty"])
    assert "ENDBLK" in remarks[0][1]


def test_a_dwg_says_how_it_is_converted(tmp_path):
    for name in ("a.dwg", "a.dxf"):
        (tmp_path / name).write_bytes(b"AC1032\x00\x00\x00")
        assert "Save it as DXF" in refused(tmp_path / name)
    (tmp_path / "b.dxf").write_bytes(b"<html>")
    assert "does not begin as a drawing" in refused(tmp_path / "b.dxf")


def test_blocks_in_a_circle_and_blocks_without_number_are_refused(tmp_path):
    def circle(drawing):
        for name, other in (("甲", "乙"), ("乙", "甲")):
            drawing.blocks.new(name).add_blockref(other, (0, 0))
        drawing.modelspace().add_blockref("甲", (EAST, NORTH))

    assert "holds itself" in refused(drawn(tmp_path / "a.dxf", lot, circle))

    def doubling(drawing):
        drawing.blocks.new("b0").add_point((0, 0))
        for depth in range(1, 21):
            block = drawing.blocks.new(f"b{depth}")
            block.add_blockref(f"b{depth - 1}", (0, 0))
            block.add_blockref(f"b{depth - 1}", (1, 0))
        drawing.modelspace().add_blockref("b20", (EAST, NORTH))

    assert "stand for 1,048,576 parts" in refused(drawn(tmp_path / "b.dxf", lot, doubling))


def test_a_drawing_that_takes_too_long_or_too_much_memory_is_ended(tmp_path, monkeypatch):
    file = drawn(tmp_path / "a.dxf", lot)
    monkeypatch.setattr(reader, "LIMITS", Limits(seconds=0.05))
    assert "was not read within" in refused(file)
    if sys.platform == "linux":
        monkeypatch.setattr(reader, "LIMITS", replace(Limits(), memory_bytes=400_000_000))
        monkeypatch.setattr(reader, "_CHILD", "drawing_child_of_much_memory")
        (tmp_path / "drawing_child_of_much_memory.py").write_text(
            "import sys\ntry:\n    bytes(10**10)\nexcept MemoryError:\n    sys.exit(12)\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        assert "takes more than 0.4 GB of memory" in refused(file)
