"""Coordinate texts as published writers write them, each read by looking; and files that are broken or unclear."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinate_texts import BAD, BOX, CASES, HEADER, HOLED, ISLANDS, LOTS, STANDARD, TEXT, Lot, headed
from formats_page import PAGE, page
from lowland_gis.analysis.coordinate_text.lines import FormatError
from lowland_gis.analysis.coordinate_text.reading import read_text
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.consents import NONE, Consents
from lowland_gis.files.coordinate_text.reader import _areas_in_degrees
from lowland_gis.files.read import received
from lowland_gis.files.source import opened


def written(folder: Path, content: bytes | str, name: str = "勘界.txt") -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode("gbk"))
    return file


def arrived(file: Path, consents: Consents = NONE):
    """The opened source and its only batch."""
    with opened(str(file), file.parent) as source, received(source, consents=consents) as found:
        (batch,) = found.batches
        return found, batch


def shapes(batch) -> list:
    return list(shapely.from_wkb(batch.wkb))


def refusal(file: Path) -> str:
    with pytest.raises(InputRefusedError) as refused:
        arrived(file)
    return str(refused.value)


@pytest.mark.parametrize("name", CASES)
def test_every_dialect_gives_the_same_parcels(tmp_path, name):
    case = CASES[name]
    found, batch = arrived(written(tmp_path, case.dialect.content(case.lots)))
    off_m = 0 if case.dialect.degrees or case.dialect.zone else 39_000_000
    for shape, lot in zip(shapes(batch), case.lots, strict=True):
        expected = shapely.transform(lot.shape, lambda xy: xy - (off_m, 0))
        tolerance = 1e-9 if case.dialect.degrees else 1e-3
        assert shapely.normalize(shape).equals_exact(shapely.normalize(expected), tolerance)
        assert shape.is_valid
    assert found.declared_crs == case.crs
    for words in case.says:
        assert words in found.encoding.reason
    columns = batch.attributes.to_pydict()
    expected = {
        "地块面积": [None if lot.shape is None else lot.shape.area / 1e4 for lot in case.lots], "地块编号": [lot.number for lot in case.lots],
        "地块名称": [lot.name for lot in case.lots], "图形属性": ["面"] * len(case.lots),
        "地块用途": [lot.use for lot in case.lots], "地类编码": [lot.code for lot in case.lots],
    }  # fmt: skip
    for column, values in expected.items():
        if column in case.lacks:
            assert set(columns[column]) == {None}
        elif column == "地块面积":
            stated = [float(lot.area) for lot in case.lots] if case.lots[0].area else values
            assert columns[column] == pytest.approx(
                stated, abs=0.004 if "亩" in found.encoding.reason else 6e-5
            )
        else:
            assert columns[column] == values
    assert tuple(doubt.rule for doubt in batch.doubts) == case.doubts
    assert found.doubts == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_broken_or_unclear_is_refused_with_its_place(tmp_path, name):
    content, words = BAD[name]
    file = written(tmp_path, content)
    with pytest.raises(InputRefusedError, match=words) as refused:
        arrived(file)
    assert str(refused.value).startswith(str(file))
    assert "Ask" in str(refused.value)


def test_a_character_cut_in_half(tmp_path):
    content = STANDARD.content().replace("乙地块".encode("gbk"), "乙地块".encode("gbk")[:-1])
    message = refusal(written(tmp_path, content))
    assert "line 19: a character is cut in half (gb18030)" in message


@pytest.mark.parametrize("name", CASES)
def test_a_cut_anywhere_is_refused_or_leaves_whole_parcels_or_is_listed(name):
    """Whole parcels may be gone behind a cut: nothing in the format counts them."""
    case = CASES[name]
    text = case.dialect.text(case.lots)
    whole = read_text(text, _areas_in_degrees)
    unproved = not {"count", "area"} & set(case.dialect.line)
    for size in range(len(text)):
        try:
            found = read_text(text[:size], _areas_in_degrees)
        except FormatError:
            continue
        same = [one.equals_exact(other, 1e-9) for one, other in zip(found.shapes, whole.shapes, strict=False)]
        assert all(same) or (unproved and same[:-1] == [True] * (len(same) - 1))


def test_counts_and_areas_that_differ_are_listed_with_both(tmp_path):
    text = TEXT.replace("\r\n5,0.8000,", "\r\n3,0.9000,").replace("10,0.9600", "10,0.9604")
    _, batch = arrived(written(tmp_path, text))
    assert [(doubt.row, doubt.rule, doubt.words) for doubt in batch.doubts] == [
        (0, "point_count_differs", "line 13: 界址点数 is 3, but 4 points are there, without those that close rings; all were taken"),
        (0, "stated_area_differs", "line 13: 地块面积 is 0.9000 公顷, but the outline has 0.8000"),
    ]  # fmt: skip


def test_an_area_in_no_unit_is_taken_for_hectares_and_listed(tmp_path):
    found, batch = arrived(written(tmp_path, STANDARD.but(unit_m2=77.0).text()))
    assert [code for code, _ in found.doubts] == ["area_unit_unclear"]
    assert [doubt.rule for doubt in batch.doubts] == ["stated_area_differs"] * 3


def test_parameters_are_taken_for_applied_when_the_bureau_says_so(tmp_path):
    file = written(tmp_path, headed("转换参数", "12.5,-3,0,0,0,0,0"))
    found, batch = arrived(file, Consents(conversion="done"))
    assert "转换参数 taken for applied" in found.encoding.reason
    assert shapes(batch)[0].equals(BOX)


def test_a_folder_is_one_delivery(tmp_path):
    """The zone is brought to the spelling of the first file, and each parcel says its file."""
    folder = tmp_path / "勘界"
    written(folder, STANDARD.text(LOTS[:1]), "a.txt")
    written(folder, STANDARD.but(zone=False, east_first=True, encoding="utf-8").content(LOTS[1:]), "b.TXT")
    written(folder, "请查收", "说明.txt")
    found, batch = arrived(folder)
    assert batch.attributes["文件"].to_pylist() == ["a.txt", "b.TXT", "b.TXT"]
    assert [
        one.equals_exact(lot.shape, 1e-6, normalize=True)
        for one, lot in zip(shapes(batch), LOTS, strict=True)
    ] == [True] * 3
    assert found.declared_crs == "EPSG:4527"
    assert found.encoding.name == "gb18030 and utf-8"
    assert "1 files (a.txt …): " in found.encoding.reason
    with opened(str(folder), tmp_path) as source:
        assert source.doubts == (("file_left_out", "说明.txt is no coordinate text and was left out"),)
        digest = source.sha256
    (folder / "b.TXT").rename(folder / "c.txt")
    with opened(str(folder), tmp_path) as source:
        assert source.sha256 != digest
    written(folder, STANDARD.but(header=HEADER | {"坐标系": "西安80"}).text(), "d.txt")
    assert "a.txt is of EPSG:4527" in refusal(folder)
    assert "d.txt of EPSG:2363" in refusal(folder)


def test_a_folder_of_one_broken_text_is_refused_as_a_whole(tmp_path):
    folder = tmp_path / "勘界"
    written(folder, TEXT, "a.txt")
    written(folder, TEXT[:700], "b.txt")
    assert "勘界, b.txt: line " in refusal(folder)


def test_a_zip_of_texts_is_one_delivery_whatever_the_zip_is_called(tmp_path):
    digests = []
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("一/a.txt", STANDARD.content(LOTS[:1]))
            archive.writestr("b.txt", STANDARD.content(LOTS[1:]))
            archive.writestr("readme.txt", "nothing")
        with opened(str(tmp_path / name), tmp_path) as source, received(source) as found:
            (batch,) = found.batches
            assert batch.attributes["文件"].to_pylist() == ["b.txt", "b.txt", "一/a.txt"]
            digests.append(source.sha256)
    assert digests[0] == digests[1]


def test_a_folder_without_texts_is_refused(tmp_path):
    (tmp_path / "x").mkdir()
    assert "it is a folder without coordinate texts" in refusal(tmp_path / "x")


def test_lines_and_points_are_what_the_parcel_says(tmp_path):
    text = TEXT.replace("甲地块,面", "甲地块,线").replace("乙地块,面", "乙地块,点")
    _, batch = arrived(written(tmp_path, text))
    assert [shape.geom_type for shape in shapes(batch)] == ["LineString", "MultiPoint", "MultiPolygon"]
    assert shapes(batch)[0].is_closed


def test_a_ring_that_goes_along_itself_to_its_hole_is_taken(tmp_path):
    """Some writers cut a parcel open to its hole; such an outline bounds the same area."""
    outer, hole = HOLED.exterior.coords, HOLED.interiors[0].coords
    for ring, listed in (
        ([*outer[:-1], outer[0], *hole, outer[0]], ["closed_twice"]),
        ([*outer[:-1], outer[-2], *hole, *outer[-2:]], []),
    ):
        _, batch = arrived(written(tmp_path, STANDARD.text([Lot(shapely.Polygon(ring), area="0.96")])))
        assert shapely.make_valid(shapes(batch)[0], method="structure").area == pytest.approx(HOLED.area)
        assert [doubt.rule for doubt in batch.doubts] == listed


def test_braces_full_width_commas_and_an_end_of_file_mark(tmp_path):
    text = TEXT.replace(
        "5,0.8000,1,甲地块,面,,工业用地,0601,@", "{5,0.8000,1,甲地块,面,,工业用地,0601,@}"
    ).replace("J2,1,4345380.500,39515100.125", "J2，1，4345380.500，39515100.125")
    found, batch = arrived(written(tmp_path, text + "\x1a"))
    assert "full-width commas" in found.encoding.reason
    assert shapes(batch)[2].equals(ISLANDS)


def test_utf_16_as_the_editor_of_windows_calls_unicode(tmp_path):
    _, batch = arrived(written(tmp_path, TEXT.encode("utf-16")))
    assert batch.attributes["地块名称"].to_pylist() == ["甲地块", "乙地块", "丙地块"]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_change_of_a_text_ends_in_anything_but_a_reading_or_a_refusal(data):
    text = CASES[data.draw(st.sampled_from(sorted(CASES)))].dialect.text()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        to = data.draw(st.integers(at, min(len(text), at + 40)))
        what = data.draw(
            st.sampled_from(
                [
                    "",
                    ",",
                    "@",
                    "\r\n",
                    "=",
                    "[地块坐标]",
                    "-1",
                    "9" * 30,
                    "J1,1,2,3",
                    "，",
                    "e5",
                    "\0",
                    text[to : to + 60],
                ]
            )
        )
        text = text[:at] + what + text[to:]
    with suppress(FormatError):
        found = read_text(text, _areas_in_degrees)
        assert len(found.shapes) == len(found.rows) == len(found.columns["地块编号"])
        assert all(shape is not None and not shape.is_empty for shape in found.shapes)


def test_the_page_says_what_the_reader_says():
    assert PAGE.read_text(encoding="utf-8") == page(), "type: python tests/formats_page.py"
