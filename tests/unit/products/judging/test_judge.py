"""Packages that anybody made are judged by the definition: what was built has no finding, and each fault has its rule, place and value."""

import shutil
import struct
import zipfile
from collections import Counter
from pathlib import Path

import fiona
import geopandas as gpd
import pyogrio
import pytest
import shapely

from lowland_gis.definitions.judging import judging
from lowland_gis.products.judging.findings import Finding, marked
from lowland_gis.products.judging.judge import judge, package_folder
from packages import CRS, FIRST_TABLE, ROOT, SPACE, TABLES, by_ogr, copied, definition, frames, make, retyped
from workbooks import saved_as

LOW = f"{SPACE}/DXYDTB"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A package in all forms, and one of shapefiles and tables."""
    folder = tmp_path_factory.mktemp("成果 包")
    make(folder / "all")
    make(folder / "shapes", None, "shapefile")
    return folder


def judged(package, *forms):
    return judge(package, definition(*forms), judging(), tell=lambda text: None)


def rules(package, *forms):
    return Counter(finding.rule for finding in judged(package, *forms).findings)


def test_what_is_built_passes_in_every_form(built):
    found = judged(built / "all")
    assert found.findings == []
    assert (found.mark.mark, found.mark.grade) == (100.0, "优")
    assert len(found.n_rows) == 16
    assert {name: rows for (_, name), rows in found.n_rows.items()} == {
        "DXYDTB": 8,
        "LSYLTB": 8,
        "ZKFDY": 1,
        "WTQD": 3,
    }


def test_a_package_in_a_zip_and_one_that_is_the_folder_itself_are_judged(built, tmp_path):
    with zipfile.ZipFile(tmp_path / "成果.zip", "w") as archive:
        for path in (built / "shapes").rglob("*"):
            archive.write(path, path.relative_to(built / "shapes"))
    with package_folder(tmp_path / "成果.zip") as package:
        assert rules(package, "shapefile") == {}
    assert rules(built / "shapes" / ROOT, "shapefile") == {}


# --------------------------------------------------------------------------------------- what other software makes of a shapefile


def test_gis_software_that_writes_utf8_and_fields_of_its_own_is_found(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    sql = "SELECT ZDDM, XZQDM, XZDM, XZMC, DXLXDM, DXLX, RDGZ, RDYJ, TBMJ, MJMU, ZL, TDYT, QSXZ, 1 AS OBJECTID, 2.5 AS Shape_Leng, 3 AS BEIZHU FROM DXYDTB"
    by_ogr(package / f"{LOW}.shp", "-lco", "ENCODING=UTF-8", "-sql", sql)
    found = judged(package, "shapefile").findings
    by_rule = {finding.rule: finding for finding in found}
    assert by_rule["encoding"].value == "utf-8"
    assert (by_rule["cpg_other"].value, by_rule["cpg_other"].expected) == ("UTF-8", "GBK")
    assert by_rule["language_byte"].value == "0x00"
    assert {f.field for f in found if f.rule == "field_of_software"} == {"OBJECTID", "Shape_Leng"}
    assert [f.field for f in found if f.rule == "field_extra"] == ["BEIZHU"]
    assert by_rule["field_order"].expected.startswith("XZQDM, ZDDM")
    assert {finding.file for finding in found} == {f"{LOW}.shp"}


def test_lost_cpg_other_width_and_type_are_found(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    (package / f"{LOW}.cpg").unlink()
    table = package / f"{LOW}.dbf"
    content = bytearray(table.read_bytes())
    # As ArcGIS writes a double: type F, 19 places, and the record stays as long since QSXZ is the last field.
    assert content[32 + 32 * 8 :][:4] == b"TBMJ"
    content[32 + 32 * 8 + 11] = ord("F")
    content[32 + 32 * 8 + 17] = 3
    content[29] = 0
    table.write_bytes(bytes(content))
    found = {(f.rule, f.field): (f.value, f.expected) for f in judged(package, "shapefile").findings}
    assert found["cpg_missing", ""] == (None, ".cpg: GBK")
    assert found["language_byte", ""] == ("0x00", "0x4D")
    assert found["field_width", "TBMJ"] == ("F 15.3", "N 15.2")


def test_codes_that_became_numbers_and_names_that_were_changed_are_found(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    sql = 'SELECT XZQDM, ZDDM AS zddm, XZDM, XZMC, CAST(DXLXDM AS integer(2)) AS DXLXDM, DXLX, RDGZ, RDYJ, TBMJ, MJMU, ZL AS "坐落", TDYT FROM DXYDTB'
    by_ogr(package / f"{LOW}.shp", "-lco", "ENCODING=GBK", "-sql", sql)
    found = judged(package, "shapefile").findings
    assert {(f.field, f.value) for f in found if f.rule == "field_name"} == {("ZDDM", "zddm"), ("ZL", "坐落")}
    assert [(f.field, f.expected) for f in found if f.rule == "field_missing"] == [("QSXZ", "QSXZ C 2")]
    assert [f.value for f in found if f.rule == "field_type"] == ["N 2"]
    zeros = [f for f in found if f.rule == "zeros_lost" and f.file.endswith(".shp")]
    assert [(f.row, f.value, f.expected) for f in zeros][:2] == [(1, "1", "01"), (2, "2", "02")]
    assert len(zeros) == 8
    assert zeros[0].key == "00113101001GB00000"
    assert shapely.box(500_000, 4_340_000, 500_081, 4_340_051).contains(shapely.Point(zeros[0].x, zeros[0].y))


def change(path, edit, **options):
    """Read a shapefile, change its rows, and write it as GBK."""
    rows = edit(gpd.read_file(path, engine="pyogrio"))
    with fiona.open(path) as layer:
        schema = layer.schema
    for part in path.parent.glob(f"{path.stem}.*"):
        part.unlink()
    kept = {name: kind for name, kind in schema["properties"].items() if name in rows.columns}
    rows.to_file(path, engine="fiona", schema={**schema, "properties": kept}, encoding="GBK", **options)


def faulty(rows):
    rows.loc[1, "ZDDM"] = rows.loc[0, "ZDDM"]
    rows.loc[2, "TBMJ"] += 0.05
    rows.loc[3, "DXLXDM"] = "99"
    rows.loc[4, "XZQDM"] = "120114"
    rows.loc[5, "RDGZ"] = None
    rows.loc[6, "XZDM"] = "1.2E+08"
    x, y = 500_700, 4_340_000
    rows.loc[7, "geometry"] = shapely.Polygon([(x, y), (x + 50, y + 50), (x + 50, y), (x, y + 50)])
    rows.loc[5, "geometry"] = rows.loc[4, "geometry"]
    rows.loc[3, "geometry"] = None
    return rows


def test_every_row_at_fault_is_named_with_value_and_place(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    change(package / f"{LOW}.shp", faulty)
    found = [f for f in judged(package, "shapefile").findings if f.file == f"{LOW}.shp" and f.row is not None]
    at = {(f.rule, f.row): f for f in found}
    first = frames()["low_efficiency"]["parcel_id"][0]
    assert {row for rule, row in at if rule == "key_twice"} == {1, 2}
    assert at["key_twice", 1].value == at["key_twice", 2].value == first
    assert float(at["area", 3].value) - float(at["area", 3].expected) == pytest.approx(0.05)
    assert (at["code_unknown", 4].value, at["code_unknown", 4].expected) == ("99", "01, 02, 03, 04")
    assert (at["value_other", 5].value, at["value_other", 5].expected) == ("120114", "120113")
    assert at["value_missing", 6].field == "RDGZ"
    assert at["code_as_number", 7].value == "1.2E+08"
    assert (at["geometry_invalid", 8].x, at["geometry_invalid", 8].y) == (500_725.0, 4_340_025.0)
    assert at["geometry_twice", 6].expected == "row 5 has the same"
    assert at["geometry_missing", 4].x is None
    assert "area" not in {rule for rule, row in at if row == 1}


def test_another_plane_and_coordinates_that_contradict_it_are_found(built, tmp_path):
    for name, edit, rule, value in (
        ("other", lambda rows: rows.to_crs(4549), "crs_other", "EPSG:4549"),
        ("degrees", lambda rows: rows.to_crs(4490), "crs_other", "EPSG:4490"),
        (
            "said",
            lambda rows: rows.to_crs(4490).set_crs(4548, allow_override=True),
            "crs_contradicts",
            "degrees",
        ),
    ):
        package = copied(built / "shapes", tmp_path / name)
        change(package / f"{SPACE}/LSYLTB.shp", edit)
        found = [f for f in judged(package, "shapefile").findings if f.rule.startswith("crs")]
        assert [(f.rule, f.file) for f in found] == [(rule, f"{SPACE}/LSYLTB.shp")], name
        assert value in found[0].value
    (package / f"{SPACE}/LSYLTB.prj").unlink()
    assert rules(package, "shapefile")["crs_missing"] == 1


# ------------------------------------------------------------------------------------------------------------------------ folders


def test_missing_moved_renamed_and_foreign_files_are_found(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    space = package / SPACE
    for part in list(space.glob("LSYLTB.*")):
        part.rename(part.with_name(f"历史遗留.{part.suffix[1:]}"))
    for part in list(space.glob("ZKFDY.*")):
        part.rename(package / ROOT / part.name)
    (space / "WTQD.dbf").unlink()
    (space / "WTQD.cpg").unlink()
    (space / "说明.doc").write_bytes(b"x")
    (space / "Thumbs.db").write_bytes(b"x")
    (package / FIRST_TABLE).rename(package / TABLES / "低效用地.xlsx")
    found = {(f.rule, f.file) for f in judged(package, "shapefile").findings}
    assert found >= {
        ("layer_name", f"{SPACE}/历史遗留.shp"),
        ("place", f"{ROOT}/ZKFDY.shp"),
        ("layer_missing", "1空间数据库/WTQD.dbf"),
        ("unknown_file", f"{SPACE}/说明.doc"),
        ("table_missing", "3统计表格/表1 北辰区(120113)低效用地汇总表.xlsx"),
        ("unknown_file", f"{TABLES}/低效用地.xlsx"),
    }
    assert not any("Thumbs" in file for _, file in found)


def test_a_folder_of_another_name_is_found_and_its_layers_are_judged_all_the_same(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    (package / ROOT).rename(package / "北辰成果")
    found = judged(package, "shapefile")
    assert {f.rule for f in found.findings} >= {"root_name"}
    assert {name: rows for (_, name), rows in found.n_rows.items()}["DXYDTB"] == 8


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_judged(built, tmp_path):
    package = copied(built / "all", tmp_path / "p")
    (package / f"{LOW}.dbf").unlink()
    (package / f"{LOW}.parquet").write_bytes(b"PAR1 no parquet PAR1")
    (package / FIRST_TABLE).write_bytes(b"PK\x03\x04 no workbook")
    next((package / SPACE).glob("*.gpkg")).write_bytes(b"no database")
    found = [f for f in judged(package).findings if f.rule == "unreadable"]
    assert {Path(f.file).name for f in found} == {
        "DXYDTB.shp",
        "DXYDTB.parquet",
        Path(FIRST_TABLE).name,
        "北辰区(120113).gpkg",
    }
    assert all(f.value for f in found)


def test_a_manifest_is_held_against_the_files(built, tmp_path):
    shutil.copytree(built / "shapes", tmp_path / "p")
    (tmp_path / "p" / f"{LOW}.cpg").write_text("UTF-8", encoding="ascii")
    assert rules(tmp_path / "p", "shapefile") == {"manifest": 1, "cpg_other": 1}


def test_forms_that_do_not_hold_the_same_are_found(built, tmp_path):
    package = copied(built / "all", tmp_path / "p")
    path = package / f"{LOW}.parquet"
    rows = gpd.read_parquet(path)
    rows.loc[2, "RDGZ"] = "R2"
    rows.iloc[:7].to_parquet(path)
    found = [f for f in judged(package).findings if f.rule == "forms_differ"]
    assert [(f.file, f.value) for f in found] == [(f"{LOW}.parquet", "3 rows")]


def test_a_geodatabase_of_other_types_is_found(built, tmp_path):
    package = copied(built / "all", tmp_path / "p")
    (path,) = (package / SPACE).glob("*.gpkg")
    rows = pyogrio.read_dataframe(path, layer="DXYDTB")
    rows["DXLXDM"] = rows["DXLXDM"].astype(int)
    rows["ZL"] = "长" * 150
    rows["TBMJ"] += 0.001
    pyogrio.write_dataframe(rows, path, layer="DXYDTB")
    found = [f for f in judged(package).findings if f.file.endswith(".gpkg")]
    counts = Counter((f.rule, f.field) for f in found)
    assert counts["field_type", "DXLXDM"] == 1
    assert counts["zeros_lost", "DXLXDM"] == counts["value_long", "ZL"] == counts["decimals", "TBMJ"] == 8


# ------------------------------------------------------------------------------------------------------------------------- tables


def test_workbooks_that_libreoffice_saved_again_pass_and_what_it_loses_is_found(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    books = sorted((package / TABLES).glob("*.xlsx"))
    for saved in saved_as(".xlsx", tmp_path / "saved", *books):
        shutil.copy(saved, package / TABLES / saved.name)
    assert rules(package, "shapefile") == {}
    # As a table in the form of old Excel: the codes are still texts, and the name is another one.
    (old,) = saved_as(".xls", tmp_path / "old", books[0])
    books[0].unlink()
    shutil.copy(old, package / TABLES / old.name)
    assert rules(package, "shapefile") == {"place": 1}


def retype(book):
    """Do what Excel does to a table whose cells were typed again: codes are numbers, texts are formulas, a row is gone, one is new."""
    sheet = book["低效用地清单"]
    heads = {cell.value: cell.column for cell in sheet[3]}
    for row in range(4, sheet.max_row + 1):
        town = sheet.cell(row, heads["镇街代码"])
        town.value = int(town.value)
        sheet.cell(row, heads["土地用途代码"]).value = 601
        sheet.cell(row, heads["行政区代码"]).value = 120113
    assert sheet.cell(4, heads["坐落"]).value == "=1+1"
    sheet.cell(4, heads["坐落"]).data_type = "f"
    sheet.cell(5, heads["图斑面积（m²）"]).value += 1
    sheet.delete_rows(7)
    sheet.append(["120113", "120113999999GB99999"])
    sheet.cell(3, heads["权属性质代码"]).value = "权属"
    summary = book["低效用地汇总"]
    summary.cell(summary.max_row, 4).value = 9


def test_a_table_that_excel_has_retyped_is_held_against_the_layer_cell_by_cell(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    retyped(package / FIRST_TABLE, retype)
    found = judged(package, "shapefile").findings
    assert {f.file for f in found} == {FIRST_TABLE}
    counts = Counter((f.rule, f.layer, f.field) for f in found)
    listed = "低效用地清单"
    assert counts == {
        ("zeros_lost", listed, "镇街代码"): 4,
        ("code_as_number", listed, "镇街代码"): 3,
        ("zeros_lost", listed, "土地用途代码"): 7,
        ("code_as_number", listed, "行政区代码"): 7,
        ("formula", listed, "坐落"): 1,
        ("cell_other", listed, "图斑面积（m²）"): 1,
        ("row_missing", listed, ""): 1,
        ("row_extra", listed, "宗地代码"): 1,
        ("heading_missing", listed, "权属性质代码"): 1,
        ("cell_other", "低效用地汇总", "宗数（宗）"): 1,
    }
    one = next(f for f in found if f.rule == "cell_other" and f.layer == "低效用地汇总")
    assert (one.value, one.expected) == ("9", "8")
    lost = next(f for f in found if f.rule == "zeros_lost" and f.field == "镇街代码")
    assert (lost.row, lost.value, lost.expected) == (4, "20113101", "020113101")


def test_rows_that_no_key_tells_apart_are_counted(built, tmp_path):
    package = copied(built / "shapes", tmp_path / "p")
    book = package / TABLES / "表4 北辰区(120113)问题清单.xlsx"

    def twice(opened):
        sheet = opened["问题清单"]
        for cell in sheet[4]:
            sheet.cell(5, cell.column).value = cell.value

    retyped(book, twice)
    assert rules(package, "shapefile") == {"row_extra": 1, "row_missing": 1}


# --------------------------------------------------------------------------------------------------------------------------- marks


def test_a_mark_counts_faults_of_rows_by_their_share_and_of_files_as_a_whole():
    how = judging()
    assert how.example
    whole = [Finding("encoding", "a.shp", "A")]
    assert marked(whole, how, {}).mark == 100 - how.points["B"]
    few = [Finding("code_unknown", "a.shp", "A", row=1, field="X")]
    assert marked(few, how, {("a.shp", "A"): 100_000}).mark == 100 - how.points["B"] * how.least
    many = [Finding("code_unknown", "a.shp", "A", row=row, field="X") for row in range(4)]
    assert marked(many, how, {("a.shp", "A"): 100}).mark == pytest.approx(
        100 - how.points["B"] * 0.04 / how.full_at_share
    )
    worst = [Finding("layer_missing", f"{name}.shp", name) for name in "ABC"]
    result = marked(worst, how, {})
    assert (result.mark, result.grade) == (0.0, "不合格")
    assert len(result.taken) == 3


def test_every_rule_that_is_broken_anywhere_is_one_of_the_definition():
    """The words of rules in the modules are those of judging.toml, and none is there in vain."""
    folder = Path(judge.__code__.co_filename).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    for name in judging().rules:
        assert f'"{name}"' in text, name


def test_a_file_of_another_kind_is_no_workbook_of_ours(built, tmp_path):
    """A header that claims more records than there are is told, not trusted."""
    package = copied(built / "shapes", tmp_path / "p")
    table = package / f"{SPACE}/WTQD.dbf"
    content = bytearray(table.read_bytes())
    content[4:8] = struct.pack("<I", 1_000_000)
    table.write_bytes(bytes(content))
    assert rules(package, "shapefile")["unreadable"] == 1


def test_the_plane_of_a_definition_is_asked_for(built):
    wanted = definition("shapefile").model_copy(update={"crs_epsg": 4527})
    found = judge(built / "shapes", wanted, judging(), tell=lambda text: None).findings
    assert {(f.rule, f.value, f.expected) for f in found} == {("crs_other", CRS, "EPSG:4527")}


def test_a_zip_of_what_is_in_the_folder_and_one_with_a_folder_around_it(built, tmp_path):
    source = built / "shapes" / ROOT
    for name, around in ((f"{ROOT}.zip", ""), ("来件.zip", f"成果/{ROOT}/")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for path in source.rglob("*"):
                archive.write(path, around + path.relative_to(source).as_posix())
            archive.writestr("__MACOSX/._x.shp", b"x")
        with package_folder(tmp_path / name) as package:
            assert rules(package, "shapefile") == {}, name
