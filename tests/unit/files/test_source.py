"""What a source string names: nothing is opened that is not what its name says, nothing unpacked that is unsafe."""

from __future__ import annotations

import shutil
import stat
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.archive import member_name
from lowland_gis.files.plain_table import text_table, workbook
from lowland_gis.files.source import Source, opened
from workbooks import container

FRAME = gpd.GeoDataFrame(
    {"MC": ["北辰区"]}, geometry=[shapely.box(515_000, 4_345_000, 515_100, 4_345_100)], crs=4548
)
VRT = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'


def shapefile(folder: Path, name: str = "a") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    FRAME.to_file(folder / f"{name}.shp", engine="pyogrio", encoding="GBK")
    return folder / f"{name}.shp"


def zipped(target: Path, *folders: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in folders:
            for part in sorted(folder.rglob("*")):
                archive.write(part, part.relative_to(folder.parent))
    return target


def take(source: str, folder: Path) -> Source:
    with opened(source, folder) as found:
        return found


def refusal(source: str, folder: Path) -> str:
    with pytest.raises(InputRefusedError) as refused:
        take(source, folder)
    return str(refused.value)


def test_a_shapefile_with_all_its_parts(tmp_path: Path):
    found = take("a.shp", shapefile(tmp_path).parent)
    assert (found.name, found.layer, found.driver) == ("a.shp", None, "ESRI Shapefile")
    parts = [tmp_path / f"a{suffix}" for suffix in (".shp", ".dbf", ".shx", ".prj", ".cpg")]
    assert found.size_bytes == sum(part.stat().st_size for part in parts)


def test_parts_in_upper_case_belong_to_it(tmp_path: Path):
    path = shapefile(tmp_path)
    size = take("a.shp", tmp_path).size_bytes
    path.with_suffix(".dbf").rename(tmp_path / "a.DBF")
    assert take("a.shp", tmp_path).size_bytes == size


@pytest.mark.parametrize("both", [False, True])
def test_a_missing_table_is_named(tmp_path: Path, both: bool):
    path = shapefile(tmp_path)
    path.with_suffix(".dbf").unlink()
    if both:
        path.with_suffix(".shx").unlink()
    assert ".dbf of the shapefile is missing" in refusal("a.shp", tmp_path)


@pytest.mark.parametrize("suffix", [".shp", ".dbf", ".prj", ".cpg"])
def test_the_digest_covers_every_part(tmp_path: Path, suffix: str):
    path = shapefile(tmp_path)
    before = take("a.shp", tmp_path).sha256
    assert take("a.shp", tmp_path).sha256 == before
    with path.with_suffix(suffix).open("ab") as part:
        part.write(b" ")
    assert take("a.shp", tmp_path).sha256 != before


def test_a_layer_is_named_behind_a_colon(tmp_path: Path):
    FRAME.to_file(tmp_path / "a.gpkg", layer="宗地", engine="pyogrio")
    assert take("a.gpkg:宗地", tmp_path).layer == "宗地"
    assert take("a.gpkg", tmp_path).layer is None
    with pytest.raises(UsageError, match="layer name is missing"):
        take("a.gpkg:", tmp_path)


def test_a_colon_in_a_file_name_is_part_of_it(tmp_path: Path):
    shutil.copy(shapefile(tmp_path), tmp_path / "a:b.shp")
    for suffix in (".dbf", ".shx"):
        shutil.copy(tmp_path / f"a{suffix}", tmp_path / f"a:b{suffix}")
    assert take("a:b.shp", tmp_path).layer is None


@pytest.mark.parametrize(("name", "words"), [("none.shp", "there is no such file"), ("a.docx", "files of this kind"), ("a", "files of this kind")])  # fmt: skip
def test_what_is_not_there_or_of_no_known_kind(tmp_path: Path, name: str, words: str):
    (tmp_path / "a.docx").write_bytes(b"PK")
    (tmp_path / "a").write_bytes(b"")
    assert words in refusal(name, tmp_path)


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".fgb", ".parquet", ".xlsx", ".tif", ".zip", ".gdb", ".geojson", ".json", ".csv"])  # fmt: skip
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf \n"])
def test_a_hostile_vrt_under_any_other_name_is_not_opened(tmp_path: Path, suffix: str, start: bytes):
    """GDAL opens by content: under its own rules this file would make it read another one."""
    path = shapefile(tmp_path)
    (tmp_path / f"a{suffix}").write_bytes(start + VRT)
    assert path.exists()
    assert "is not opened" in refusal(f"a{suffix}", tmp_path)


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".geojson"])
def test_a_folder_under_the_name_of_a_file_is_not_opened(tmp_path: Path, suffix: str):
    shapefile(tmp_path / f"x{suffix}")
    assert "it is a folder" in refusal(f"x{suffix}", tmp_path)


@pytest.mark.parametrize("suffix", [".shp", ".gpkg", ".xlsx", ".tif"])
def test_an_empty_file_is_not_opened(tmp_path: Path, suffix: str):
    path = shapefile(tmp_path).with_suffix(suffix)
    path.write_bytes(b"")
    assert "is not what the name" in refusal(path.name, tmp_path)


def test_a_geodatabase_folder(tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        FRAME.to_file(tmp_path / "a.gdb", layer="DLTB", driver="OpenFileGDB", engine="pyogrio")
    found = take("a.gdb:DLTB", tmp_path)
    assert (found.driver, found.layer) == ("OpenFileGDB", "DLTB")


def test_a_zip_with_a_shapefile_in_a_folder(tmp_path: Path):
    archive = zipped(tmp_path / "a.zip", shapefile(tmp_path / "农田").parent)
    with opened("a.zip", tmp_path) as found:
        assert found.path.name == "a.shp"
        assert found.path.with_suffix(".dbf").read_bytes() == (tmp_path / "农田" / "a.dbf").read_bytes()
        unpacked = found.path
    assert not unpacked.exists()
    assert archive.exists()


def test_gbk_member_names_of_chinese_software(tmp_path: Path):
    """Without the UTF-8 flag the name is in the sender's code page; half of 誠 is a backslash there."""
    path = shapefile(tmp_path)
    with opened(hand_made(tmp_path, path), tmp_path) as found:
        assert found.path.name == "誠.shp"
        assert found.path.parent.name == "永久农田"


def hand_made(folder: Path, shp: Path) -> str:
    """Write a zip whose member names are GBK bytes without the UTF-8 flag."""
    target = folder / "winrar.zip"
    names = {}
    with zipfile.ZipFile(target, "w") as archive:
        for number, suffix in enumerate((".shp", ".dbf", ".shx")):
            raw = f"永久农田/誠{suffix}".encode("gbk")
            place = str(number) * len(raw)
            names[place.encode()] = raw
            archive.writestr(place, shp.with_suffix(suffix).read_bytes())
    content = target.read_bytes()
    for place, raw in names.items():
        assert content.count(place) == 2
        content = content.replace(place, raw)
    target.write_bytes(content)
    return target.name


def test_a_name_that_is_no_gbk_stays():
    info = zipfile.ZipInfo("plain/a.shp")
    assert member_name(info) == "plain/a.shp"
    flagged = zipfile.ZipInfo("农田/a.shp")
    flagged.flag_bits = 0x800
    assert member_name(flagged) == "农田/a.shp"


@pytest.mark.parametrize("name", ["../evil.shp", "a/../../evil.shp", "/etc/evil.shp", "C:/evil.shp", "..\\evil.shp", "a\\..\\..\\evil.shp"])  # fmt: skip
def test_a_member_outside_the_folder_is_refused_and_nothing_unpacked(tmp_path: Path, name: str):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    assert "would be written outside" in refusal("a.zip", tmp_path)
    assert not list(tmp_path.parent.glob("evil*"))


def test_a_link_is_refused(tmp_path: Path):
    link = zipfile.ZipInfo("a.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in refusal("a.zip", tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.shp", "w") as member,
    ):
        for _ in range(120):
            member.write(bytes(1 << 20))
    assert "looks like a bomb" in refusal("a.zip", tmp_path)


def test_a_size_that_lies_is_refused(tmp_path: Path):
    archive = zipped(tmp_path / "a.zip", shapefile(tmp_path / "x").parent)
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as parts:
        info = parts.getinfo("x/a.dbf")
    at = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02")) if info else 0
    while content[at + 46 : at + 46 + 7] != b"x/a.dbf":
        at = content.index(b"PK\x01\x02", at + 1)
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    archive.write_bytes(content)
    assert "a.zip" in refusal("a.zip", tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_zip_is_refused(tmp_path: Path, share: float):
    archive = zipped(tmp_path / "a.zip", shapefile(tmp_path / "x").parent)
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * share)])
    assert "cannot be unpacked" in refusal("a.zip", tmp_path)


def test_every_flipped_byte_of_a_stream_is_refused_or_harmless(tmp_path: Path):
    """Broken streams raise half a dozen errors in the standard library; all of them are a refusal here."""
    archive = zipped(tmp_path / "a.zip", shapefile(tmp_path / "x").parent)
    content = archive.read_bytes()
    refused = 0
    for position in range(30, len(content), 37):
        broken = bytearray(content)
        broken[position] ^= 0xFF
        archive.write_bytes(broken)
        try:
            take("a.zip", tmp_path)
        except InputRefusedError:
            refused += 1
    assert refused > 10


def test_several_data_sets_are_named_and_one_can_be_chosen(tmp_path: Path):
    folder = shapefile(tmp_path / "x", "a").parent
    shapefile(folder, "b")
    zipped(tmp_path / "a.zip", folder)
    message = refusal("a.zip", tmp_path)
    assert "holds 2 data sets (a, b)" in message
    assert "a.zip:LAYER" in message
    with opened("a.zip:b", tmp_path) as found:
        assert (found.path.name, found.layer) == ("b.shp", None)
    assert "holds no data set 'c', but a, b." in refusal("a.zip:c", tmp_path)


def test_the_wrong_name_of_the_only_shapefile_is_not_overlooked(tmp_path: Path):
    zipped(tmp_path / "a.zip", shapefile(tmp_path / "x").parent)
    assert "holds no data set 'typo', but a. Name one: a.zip:a" in refusal("a.zip:typo", tmp_path)


def test_a_layer_inside_a_packed_geopackage(tmp_path: Path):
    folder = tmp_path / "x"
    folder.mkdir()
    FRAME.to_file(folder / "a.gpkg", layer="宗地", engine="pyogrio")
    zipped(tmp_path / "a.zip", folder)
    assert take("a.zip:宗地", tmp_path).layer == "宗地"


def test_an_archive_without_data_is_refused(tmp_path: Path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "readme.txt").write_text("x")
    zipped(tmp_path / "a.zip", tmp_path / "x")
    assert "holds no data that are read, only: x/readme.txt" in refusal("a.zip", tmp_path)


def test_the_shadows_of_a_mac_archive_are_passed_over(tmp_path: Path):
    zipped(tmp_path / "a.zip", shapefile(tmp_path / "x").parent)
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("__MACOSX/x/._a.shp", b"\x00\x05\x16\x07")
    assert take("a.zip", tmp_path).path.name == "a.shp"


@pytest.mark.parametrize(
    "suffixes", [{".dbf": ".Dbf"}, {".dbf": ".Dbf", ".shx": ".Shx", ".prj": ".Prj"}, {".shp": ".Shp"}]
)
def test_parts_of_a_shapefile_in_mixed_case_are_found(tmp_path, suffixes):
    made_parts(tmp_path)
    for suffix, other in suffixes.items():
        (tmp_path / f"a{suffix}").rename(tmp_path / f"a{other}")
    with opened(f"a{suffixes.get('.shp', '.shp')}", tmp_path) as source:
        frame = pyogrio.read_dataframe(source.path)
    assert frame["ZDDM"].tolist() == ["P1"]
    assert frame.crs.to_epsg() == 4548
    assert source.doubts == ()


def made_parts(folder):
    frame = gpd.GeoDataFrame(
        {"ZDDM": ["P1"]}, geometry=[shapely.box(500_000, 4_340_000, 500_100, 4_340_100)], crs=4548
    )
    frame.to_file(folder / "a.shp")


def test_a_workbook_with_a_password_is_named(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(container("EncryptedPackage"))
    with pytest.raises(InputRefusedError, match="protected by a password"), opened("a.xlsx", tmp_path):
        pass


def test_a_zip_without_data_lists_what_it_holds(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("说明.docx", "x")
    with (
        pytest.raises(InputRefusedError, match="holds no data that are read, only: 说明.docx"),
        opened("a.zip", tmp_path),
    ):
        pass


def test_a_zip_whose_names_are_not_what_they_say_is_refused(tmp_path):
    """A name with the mark of UTF-8 and the bytes of GBK."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("地块地块.shp", "x")
    content = (tmp_path / "a.zip").read_bytes()
    right, wrong = "地块地块".encode(), "地块地块地块".encode("gbk")
    assert len(right) == len(wrong)
    (tmp_path / "a.zip").write_bytes(content.replace(right, wrong))
    with (
        pytest.raises(InputRefusedError, match="say that they are UTF-8 and are not"),
        opened("a.zip", tmp_path),
    ):
        pass


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_a_csv_with_a_mark_in_front_is_read_and_its_first_heading_is_clean(tmp_path, encoding):
    text = ("" if encoding != "gb18030" else "\ufeff") + "宗地代码,名称\nP1,北辰区\n"
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    with opened("a.csv", tmp_path) as source:
        table = text_table(source, None)
    assert table.rows.to_pylist() == [{"宗地代码": "P1", "名称": "北辰区"}]


def test_a_strict_workbook_is_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["ZDDM"])
    book.save(tmp_path / "n.xlsx")
    with zipfile.ZipFile(tmp_path / "n.xlsx") as plain, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as strict:
        for info in plain.infolist():
            content = plain.read(info)
            for old, new in ((b"schemas.openxmlformats.org/spreadsheetml/2006/main", b"purl.oclc.org/ooxml/spreadsheetml/main"),
                             (b"schemas.openxmlformats.org/officeDocument/2006", b"purl.oclc.org/ooxml/officeDocument")):  # fmt: skip
                content = content.replace(old, new)
            strict.writestr(info.filename, content)
    with opened("a.xlsx", tmp_path) as source, pytest.raises(InputRefusedError, match="Strict Open XML"):
        workbook(source)


def cut_csv(folder, encoding, heading="名称", *, quote=b""):
    """Write a CSV whose second record ends inside a character."""
    cut = quote + "北辰区".encode(encoding)[:-1] + quote
    name = heading.encode(encoding)[: -1 if heading != "名称" else None]
    lines = ["宗地代码,".encode(encoding) + name + ",备注".encode(encoding)]
    lines += [b"A1,%b,1" % "双街镇工业".encode(encoding), b"A2,%b,2" % cut, b"A3,3,%b" % cut]
    (folder / "a.csv").write_bytes(b"\r\n".join([*lines, b""]))


@pytest.mark.parametrize("forced", [None, "GBK", "gb18030"])
@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_csv_that_is_cut_inside_a_character_is_read_and_each_cell_named(tmp_path, forced, quote):
    cut_csv(tmp_path, "gbk", quote=quote)
    with opened("a.csv", tmp_path) as source:
        table = text_table(source, forced)
    assert table.rows["名称"].to_pylist() == ["双街镇工业", "北辰", "3"]
    assert table.rows["备注"].to_pylist() == ["1", "2", "北辰"]
    assert [(doubt.row, doubt.rule) for doubt in table.doubts] == [(1, "value_cut"), (2, "value_cut")]
    assert table.doubts[0].words.startswith("名称: '北辰' goes on with a character that was cut")
    assert "cut inside a character" in table.encoding.reason


def test_a_csv_in_utf_8_that_is_cut_is_read_so_too(tmp_path):
    cut_csv(tmp_path, "utf-8")
    with opened("a.csv", tmp_path) as source:
        table = text_table(source, None)
    assert table.encoding.name == "utf-8"
    assert table.rows["名称"].to_pylist() == ["双街镇工业", "北辰", "3"]


def test_a_heading_that_is_cut_is_told_and_none_is_lost(tmp_path):
    cut_csv(tmp_path, "gbk", "备注注")
    with opened("a.csv", tmp_path) as source:
        table = text_table(source, None)
    assert table.rows.column_names == ["宗地代码", "备注", "备注_2"]
    assert [rule for rule, _ in table.whole] == ["name_cut"]


def test_bytes_that_are_no_half_characters_are_refused_as_before(tmp_path):
    (tmp_path / "a.csv").write_bytes("宗地代码,名称\nA1,北辰区".encode("gbk") + b"\xff\xff\xff,\n")
    with (
        opened("a.csv", tmp_path) as source,
        pytest.raises(InputRefusedError, match="encoding cannot be told"),
    ):
        text_table(source, None)
