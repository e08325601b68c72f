"""Coordinate texts as published writers write them, each read by looking; and files that are broken or unclear."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinate_texts import BOX, CASES, EAST, HEADER, HOLED, ISLANDS, LOTS, NORTH, STANDARD, Lot
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


TEXT = STANDARD.text()
ROWS = TEXT.split("\r\n")
FIRST = ROWS.index("[地块坐标]") + 2


def changed(place: int, row: str) -> str:
    """The standard text with one line in place of another."""
    return "\r\n".join([*ROWS[:place], row, *ROWS[place + 1 :]])


def headed(key: str, value: str) -> str:
    """The standard text with another value in its header."""
    return TEXT.replace(f"{key}={HEADER[key]}", f"{key}={value}")


BAD = {
    "empty": ("", "it is empty"),
    "a note": ("Dear colleagues,\r\nplease find attached", "it is no coordinate text"),
    "header only": (TEXT.split("[地块坐标]")[0], "it has no \\[地块坐标\\]"),
    "no parcels": (TEXT.split("[地块坐标]")[0] + "[地块坐标]\r\n", "nothing stands behind \\[地块坐标\\]"),
    "two headers": (TEXT + TEXT, "line 51: there is a second \\[属性描述\\]"),
    "a key twice": (TEXT.replace("带号=39", "带号=39\r\n带号=40"), "line 10: 带号 is '40' here and '39' in line 9"),
    "another zone in the header": (headed("带号", "38"), "line 9: 带号 is 38, but the coordinates are of zone 39"),
    "a zone that there is not": (STANDARD.but(zone=False, header=HEADER | {"带号": "50"}).text(), "there is no zone 50"),
    "zone and width": (headed("几度分带", "6"), "line 6: there is no zone 39 of 6 degrees"),
    "a zone in words": (headed("带号", "三十九"), "line 9: 带号 is '三十九'"),
    "another unit": (headed("计量单位", "度"), "line 8: 计量单位 is '度', but the coordinates are metres"),
    "parameters": (headed("转换参数", "12.5,-3,0,0,0,0,0"), "转换参数 12.5,-3,0,0,0,0,0.*--conversion done"),
    "parameters that are no numbers": (headed("转换参数", "见附件"), "转换参数 is '见附件'"),
    "wrong count": (TEXT.replace("\r\n5,0.8", "\r\n9,0.8"), "line 13: the parcel is to have 9 points, and 4 are there"),
    "a count in words": (TEXT.replace("\r\n5,0.8", "\r\n五,0.8"), "line 13: '五' stands where the number of points"),
    "an area with thousands": (TEXT.replace(",0.8000,", ",1 234.5,"), "line 13: '1 234.5' stands where the area"),
    "a line that does not close": (changed(FIRST + 4, "J1,1,4345300.500,39515101.125"), "line 18: the ring does not close: J1 is to be the point of line 14 and lies 1 from it"),
    "thousands parted by commas": (changed(FIRST + 1, "J2,1,4,345,380.5,39,515,100.125"), "line 15: .* has 8 values where points are .*thousands are parted"),
    "thousands parted by blanks": (changed(FIRST + 1, "J2,1,4 345 380.5,39 515 100.125"), "line 15: '4 345 380.5' stands where a coordinate"),
    "full-width digits": (changed(FIRST + 1, "J2,1,４345380.5,39515100.125"), "line 15: '４345380.5' stands where a coordinate"),
    "not a number": (changed(FIRST + 1, "J2,1,nan,39515100.125"), "line 15: 'nan' stands"),
    "a point in another zone": (changed(FIRST + 1, "J2,1,4345380.5,40515100.125"), "line 15: the point is of zone 40"),
    "a digit lost": (changed(FIRST + 1, "J2,1,434538.5,3951510.125"), "line 15: 434538.5, 3951510.125 are no north and east"),
    "axes changed within": (changed(FIRST + 1, "J2,1,39515100.125,4345380.5"), "line 15: .* are no north and east as those of the other"),
    "a crossing ring": (
        STANDARD.text([Lot(shapely.Polygon([(EAST, NORTH), (EAST + 100, NORTH + 80), (EAST + 100, NORTH), (EAST, NORTH + 81)]), area="0.1")]),
        "the outline crosses itself near here, at 395150",
    ),
    "rings that cross": (
        STANDARD.text([Lot(shapely.MultiPolygon([BOX, shapely.transform(BOX, lambda xy: xy + 30)]), area="1.6")]), "the outline crosses itself near here"
    ),
    "a word behind the mark": (TEXT.replace(",0601,@", ",0601,@x"), "line 13: 'x' stands behind the @"),
    "parcels of unlike lines": (TEXT.replace("10,0.9600,2,乙地块,面,,住宅用地,0701,@", "10,乙地块,面,住宅用地,@"), "line 19: the parcel has 4 values"),
    "seven values": (TEXT.replace(",面,,", ",,"), "line 13: the parcel has 7 values before the @"),
    "a parcel without points": (TEXT + "5,1.0,9,丁,面,,,,@\r\n", "line 51: the parcel has no points"),
    "a ring of two points": ("\r\n".join([*ROWS[:FIRST], "J1,1,4345300.500,39515000.125", "J2,1,4345380.500,39515000.125"]).replace("5,0.8", ",0.8"), "a ring of 2 points"),
    "a point before the parcels": (TEXT.replace("[地块坐标]\r\n", "[地块坐标]\r\nJ1,1,4345300.500,39515000.125\r\n"), "line 13: a point stands before"),
    "NUL": (changed(FIRST + 1, "J2,1,\0\0\0"), "line 15: holds NUL"),
    "words among points": (changed(FIRST + 1, "备注=略"), "line 15: '备注=略' is no key with its value, no parcel and no point"),
    "both six digits": (
        STANDARD.but(zone=False).text([Lot(shapely.box(39_500_000, 400_000, 39_500_100, 400_100))]), "500000 can both be north and east|can both be north and east"
    ),
}  # fmt: skip


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
