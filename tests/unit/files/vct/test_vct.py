"""The exchange format of land surveys: files by a written grammar, each version and each oddity, and files that are broken."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import read, received
from lowland_gis.files.source import opened
from vct_files import DLTB, HEAD_V1, HEAD_V2, HEAD_V3, Grammar, Lot

EAST, NORTH = 39_515_000.125, 4_345_300.5
BOX = shapely.box(EAST, NORTH, EAST + 100, NORTH + 80)
HOLED = shapely.box(EAST + 200, NORTH, EAST + 300, NORTH + 100).difference(
    shapely.box(EAST + 220, NORTH + 20, EAST + 240, NORTH + 40)
)
ISLAND = shapely.MultiPolygon(
    [
        HOLED,
        shapely.box(EAST + 225, NORTH + 25, EAST + 235, NORTH + 35),
        shapely.box(EAST + 400, NORTH, EAST + 410, NORTH + 9),
    ]
)
LOTS = (
    Lot(BOX, ("11", "0701", "8000.00", "甲，乙", "20201231")),
    Lot(HOLED, ("12", "0602", "9600", "", "")),
    Lot(ISLAND, ("13", "1001", "9790.5", "丙", "19990101")),
)
GRAMMARS = {
    "3": Grammar(),
    "3 direct": Grammar(direct=True),
    "3 line feeds, capital letters": Grammar(end="\n", upper=True),
    "3 one line a row": Grammar(per_row=1),
    "3 a word as style": Grammar(style="样式 一"),
    "2": Grammar(version=2, head=HEAD_V2, style="DLJX"),
    "2 capital letters": Grammar(version=2, head=HEAD_V2, upper=True),
    "1": Grammar(version=1, head=HEAD_V1, style="0"),
}


def written(folder: Path, text: str, encoding: str = "gbk", name: str = "2001H2020120113.vct") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def whole(file: Path, layer: str = "DLTB", encoding: str | None = None):
    with opened(f"{file}:{layer}", file.parent) as source:
        return read(source, encoding=encoding)


def doubts_of(file: Path, layer: str = "DLTB") -> list[tuple[int, str]]:
    with opened(f"{file}:{layer}", file.parent) as source, received(source) as arrived:
        return [(doubt.row, doubt.rule) for batch in arrived.batches for doubt in batch.doubts]


def refusal(file: Path, layer: str = "DLTB") -> str:
    with pytest.raises(InputRefusedError) as refused:
        whole(file, layer)
    return str(refused.value)


@pytest.mark.parametrize("name", GRAMMARS)
def test_every_version_gives_the_same_lots(tmp_path, name):
    found = whole(written(tmp_path, GRAMMARS[name].text(LOTS)))
    shapes = shapely.from_wkb(found.wkb)
    assert [
        shapely.equals_exact(shapely.normalize(one), shapely.normalize(lot.shape))
        for one, lot in zip(shapes, LOTS, strict=True)
    ] == [True] * 3
    assert [shape.area for shape in shapes] == pytest.approx([lot.shape.area for lot in LOTS], abs=1e-6)
    assert found.attributes["DLBM"].tolist() == ["0701", "0602", "1001"]
    assert found.attributes["TBMJ"].tolist() == [8000, 9600, 9790.5]
    assert found.attributes["BZ"].fillna("").tolist() == ["甲，乙", "", "丙"]
    assert found.attributes["SJ"].tolist() == [dt.date(2020, 12, 31), None, dt.date(1999, 1, 1)]
    assert found.declared_crs == ("EPSG:4527" if name.startswith("3") else None)


def test_a_multipolygon_of_one_ring_in_another_is_told_by_where_rings_lie(tmp_path):
    """The rings in another order are the same lot: no number says which is a hole."""
    turned = shapely.MultiPolygon([ISLAND.geoms[1], ISLAND.geoms[2], ISLAND.geoms[0]])
    (shape,) = shapely.from_wkb(whole(written(tmp_path, Grammar().text([Lot(turned, LOTS[2].values)]))).wkb)
    assert shape.equals(ISLAND)
    assert shape.is_valid


def test_encodings_and_marks_at_the_beginning(tmp_path):
    for encoding, text in (
        ("gbk", Grammar().text(LOTS)),
        ("utf-8", Grammar().text(LOTS)),
        ("utf-8-sig", Grammar().text(LOTS)),
    ):
        assert whole(written(tmp_path, text, encoding)).attributes["BZ"].fillna("").tolist() == [
            "甲，乙",
            "",
            "丙",
        ]


def test_a_single_word_is_of_the_encoding_of_the_format(tmp_path):
    head = tuple(row for row in HEAD_V3 if row.isascii())
    text = (
        Grammar(head=head)
        .text([Lot(BOX, ("11", "0701", "8000.00", "x， y", ""))])
        .replace("地类图斑", "DLTB")
        .replace("地类界线", "DLJX")
    )
    assert whole(written(tmp_path, text)).attributes["BZ"].tolist() == ["x， y"]
    with pytest.raises(InputRefusedError):
        whole(written(tmp_path, text.replace("x， y", "x")).with_suffix(".vct"), encoding="utf-16")


def test_what_the_head_says_is_done(tmp_path):
    grammar = Grammar(head=tuple(row.replace("Offset:0,0", "Offset:1000,-200") for row in HEAD_V3))
    (shape, *_) = shapely.from_wkb(whole(written(tmp_path, grammar.text(LOTS))).wkb)
    assert shape.bounds == (EAST + 1000, NORTH - 200, EAST + 1100, NORTH - 120)
    grammar = Grammar(head=tuple(row.replace("XAxisDirection:E", "XAxisDirection:N") for row in HEAD_V3))
    (shape, *_) = shapely.from_wkb(whole(written(tmp_path, grammar.text(LOTS))).wkb)
    assert shape.bounds == (NORTH, EAST, NORTH + 80, EAST + 100)
    grammar = Grammar(head=tuple(row.replace("Offset:0,0", "Offset:a,b") for row in HEAD_V3))
    assert "Offset 'a,b' is no two numbers" in refusal(written(tmp_path, grammar.text(LOTS)))
    grammar = Grammar(head=tuple(row.replace(":", " : ") for row in HEAD_V3))
    assert whole(written(tmp_path, grammar.text(LOTS))).declared_crs == "EPSG:4527"


def test_layers_are_the_tables_and_one_is_to_be_named(tmp_path):
    file = written(tmp_path, Grammar().text(LOTS))
    with (
        opened(str(file), tmp_path) as source,
        pytest.raises(InputRefusedError, match="holds 2 layers.*DLTB, DLJX"),
    ):
        read(source)
    assert "there is no layer XZQ; there are: DLTB, DLJX" in refusal(file, "XZQ")
    lines = whole(file, "DLJX")
    assert {shape.geom_type for shape in shapely.from_wkb(lines.wkb)} == {"LineString"}
    assert len(lines.wkb) == 7


def test_attributes_go_to_their_object_by_the_id_and_not_by_their_order(tmp_path):
    rows = Grammar().text(LOTS).split("\r\n")
    at = rows.index("AttributeBegin") + 2
    rows[at : at + 3] = rows[at : at + 3][::-1]
    found = whole(written(tmp_path, "\r\n".join(rows)))
    assert found.attributes["DLBM"].tolist() == ["1001", "0602", "0701"]
    assert shapely.area(shapely.from_wkb(found.wkb)).tolist() == pytest.approx(
        [ISLAND.area, HOLED.area, BOX.area]
    )


def test_rows_without_an_object_and_objects_without_a_row_are_named(tmp_path):
    rows = Grammar().text(LOTS).split("\r\n")
    at = rows.index("AttributeBegin") + 2
    rows[at] = rows[at].replace("1,", "99,", 1)
    file = written(tmp_path, "\r\n".join(rows))
    found = whole(file)
    assert found.attributes["DLBM"].fillna("").tolist() == ["0701", "0602", "1001", ""]
    assert shapely.is_missing(shapely.from_wkb(found.wkb)).tolist() == [True, False, False, False]
    assert doubts_of(file) == [(0, "object_missing"), (3, "attributes_missing")]
    rows[at] = rows[at].replace("99,", "2,", 1)
    assert sorted(doubts_of(written(tmp_path, "\r\n".join(rows)))) == [
        (1, "id_twice"),
        (3, "attributes_missing"),
    ]


def test_a_ring_that_does_not_close_and_a_line_that_is_not_there_are_named_with_their_place(tmp_path):
    rows = Grammar().text(LOTS).split("\r\n")
    at = rows.index(f"{EAST!r},{NORTH + 80!r}")
    rows[at] = rows[at].replace(".5", ".6")
    open_ring = rows.copy()
    last = max(
        place for place, row in enumerate(rows[: rows.index("LineEnd")]) if row == f"{EAST + 100!r},{NORTH!r}"
    )
    open_ring[last] = f"{EAST + 100.5!r},{NORTH!r}"
    file = written(tmp_path, "\r\n".join(open_ring))
    with opened(f"{file}:DLTB", tmp_path) as source, received(source) as arrived:
        (batch,) = arrived.batches
    assert [doubt.rule for doubt in batch.doubts] == ["shape_unreadable"]
    assert "its ring is open by 0.500 at" in batch.doubts[0].words
    gone = [row.replace("-5000002", "-5999999") if row.startswith("-5000002") else row for row in rows]
    assert doubts_of(written(tmp_path, "\r\n".join(gone))) == [(1, "shape_unreadable")]


def test_curves_are_named_and_not_straightened_out(tmp_path):
    rows = Grammar().text(LOTS).split("\r\n")
    at = rows.index("LineBegin") + 6
    assert rows[at] == "11"
    rows[at] = "12"
    file = written(tmp_path, "\r\n".join(rows))
    assert doubts_of(file) == [(0, "shape_unreadable")]
    with opened(f"{file}:DLTB", tmp_path) as source, received(source) as arrived:
        (words,) = [doubt.words for batch in arrived.batches for doubt in batch.doubts]
    assert "a segment of it is of kind 12, a curve, which is not read" in words


def test_a_line_of_several_segments_is_one(tmp_path):
    rows = Grammar().text(LOTS[:1]).split("\r\n")
    at = rows.index("LineBegin")
    points = rows[at + 8 : at + 13]
    rows[at + 5 : at + 13] = ["2", "11", "3", *points[:3], "11", "3", *points[2:]]
    (shape,) = shapely.from_wkb(whole(written(tmp_path, "\r\n".join(rows))).wkb)
    assert shapely.normalize(shape) == shapely.normalize(BOX)


BROKEN = {
    "no head": ("HeadBegin", "HaedBegin", "does not begin with HeadBegin"),
    "no end": ("PolygonEnd\r\n", "", "the block Polygon that begins here has no end"),
    "second block": ("TopologyBegin\r\nTopologyEnd", "LineBegin\r\nLineEnd", "there is a second block Line"),
    "no structure": (
        "TableStructureBegin",
        "TableStructuraBegin",
        "the block TableStructura that begins here has no end",
    ),
    "count of fields": ("DLTB,5\r\n", "DLTB,9\r\n", "counts 9 fields"),
    "no table end": ("TableEnd\r\n", "", "has no TableEnd"),
    "wrong count of vertices": (
        "\r\n11\r\n5\r\n",
        "\r\n11\r\n6\r\n",
        "line 48: 6 vertices are counted, and 5 follow",
    ),
    "wrong count of lines": (
        "\r\n21\r\n1\r\n",
        "\r\n21\r\n7\r\n",
        "the polygon that begins here does not go on",
    ),
    "a word for an id": ("\r\n1,11,", "\r\nx,11,", "'x' stands in the table DLTB where the id"),
    "a row too short": (
        "\r\n1,11,0701",
        "\r\n1,110701",
        "as many as it has fields, so the id of the object is missing",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_with_its_place(tmp_path, name):
    before, after, words = BROKEN[name]
    text = Grammar().text(LOTS)
    assert before in text
    assert words in refusal(written(tmp_path, text.replace(before, after, 1)))


def test_values_that_are_no_numbers_are_left_out_with_their_row(tmp_path):
    text = (
        Grammar()
        .text(LOTS)
        .replace("8000.00", "八千", 1)
        .replace("20201231", "20201331", 1)
        .replace("Date:20201331", "Date:20201231")
    )
    file = written(tmp_path, text.replace("19990101", "1999-01-01"))
    found = whole(file)
    assert found.attributes["TBMJ"].isna().tolist() == [True, False, False]
    assert (0, "value_unreadable") in doubts_of(file)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(GRAMMARS)), st.floats(0, 1))
def test_a_file_that_is_cut_anywhere_is_refused_or_is_whole(tmp_path, name, share):
    content = GRAMMARS[name].text(LOTS).encode("gbk")
    kept = content[: int(len(content) * share)]
    file = tmp_path / "a.vct"
    file.write_bytes(kept)
    last = max(kept.rfind(b"AttributeEnd"), kept.rfind(b"ATTRIBUTEEND"))
    if last >= 0:
        assert len(whole(file).attributes) == 3
    else:
        assert refusal(file)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(GRAMMARS)), st.data())
def test_a_file_with_a_changed_line_is_read_or_refused_and_nothing_else(tmp_path, name, data):
    rows = GRAMMARS[name].text(LOTS).split(GRAMMARS[name].end)
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = data.draw(
        st.sampled_from(
            ["", "0", "-1", "99999999999999999999999", "x", "1,2,3,4,5,6,7,8,9", "1e400,nan", rows[at - 1]]
        )
    )
    file = written(tmp_path, GRAMMARS[name].end.join(rows), name="b.vct")
    for layer in ("DLTB", "DLJX"):
        with suppress(InputRefusedError):
            whole(file, layer)


def test_ids_beyond_31_bits_and_the_same_code_twice(tmp_path):
    file = written(tmp_path, replace(Grammar(), first_line=4_000_000_001).text(LOTS))
    assert not shapely.is_missing(shapely.from_wkb(whole(file).wkb)).any()
    assert str(DLTB) in file.read_text(encoding="gbk")
