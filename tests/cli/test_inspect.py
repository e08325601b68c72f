"""`lowland inspect` says what a delivery is, in any state, and writes nothing."""

import json
import shutil
import subprocess
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely

from lowland_gis.analysis.fields.written_quantities import key
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.mapping import read_mapping
from made_files import box, write_parcels

SAMPLE = Path(__file__).parents[2] / "sample_data" / "incoming"
PARAMETERS = """
kind = "four"
axes = "north_east"
source_crs = "EPSG:2384"
target_crs = "EPSG:4548"
document = "示例"
date = 2020-01-01
accuracy_m = 0.05
dx = 1.0
dy = 100.0
rotation = 0.0
rotation_unit = "arc-second"
scale_ppm = 0.0
"""


@pytest.fixture
def look(lowland, tmp_path):
    """Inspect as JSON; returns the exit code and what was found of the first layer, and checks that nothing was written."""

    def run(*arguments, code=None):
        before = listing(tmp_path)
        done = lowland("inspect", *arguments, "--json")
        writes = "--mapping-out" in arguments
        assert writes or done.stderr == "" or done.returncode not in {0, 1}, done.stderr
        assert writes or listing(tmp_path) == before
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)[0] if done.returncode < 2 else done.stderr

    return run


def listing(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def frame(path, columns, shapes, crs=4548):
    made = gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        made.to_file(path, engine="pyogrio")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("规资分局/三调成果.gdb", ["czcdyd3", "dltb3"]),
        ("规资分局/二调DLTB.shp", ["dltb2"]),
        ("规资分局/二调XZDW.shp", ["xzdw2"]),
        ("规资分局/国土空间规划.gpkg", ["development_boundary", "plan_zone"]),
        ("规资分局/控规用地.shp", ["plan_parcel"]),
        ("规资分局/用地审批.gpkg", ["approval"]),
        ("规资分局/供地合同.shp", ["supply"]),
        ("规资分局/基础地理.gpkg", ["road", "river"]),
        ("农业农村委/永久基本农田.zip", ["farmland"]),
        ("民政局/行政区.gpkg", ["district", "town", "village"]),
        ("生态环境局/生态保护红线.gpkg", ["eco_redline"]),
        ("住建委/房屋普查.shp", ["building"]),
        ("不动产登记中心/宗地.shp", ["parcel"]),
        ("税务局/企业2021.xlsx", ["enterprise"]),
        ("遥感中心/建成强度.tif", ["raster"]),
    ],
)
def test_every_layer_of_the_sample_is_recognised(lowland, name, keys):
    found = json.loads(lowland("inspect", SAMPLE / name, "--json").stdout)
    assert [one["chosen"] for one in found] == keys
    for one in found:
        assert not one["refusals"]
        assert one["n_rows"] == one["n_loaded"] + one["n_rejected"] > 0


def test_the_screen_tells_it_in_words(lowland):
    done = lowland("inspect", SAMPLE / "规资分局/二调DLTB.shp")
    assert done.returncode == 0, done.stderr
    for words in ("水浇地", "gb18030", "EPSG:4548", "→ dltb2", "Self-intersection", "63 read = 63 loaded"):
        assert words in done.stdout


def test_a_row_that_is_set_aside_is_exit_1(look, tmp_path):
    write_parcels(tmp_path / "parcels.shp", {"A": box(0, 0), "B": box(200, 0)}, QLLX=[None, "x"])
    assert look("parcels.shp", code=0)["n_loaded"] == 2
    same = gpd.GeoDataFrame(
        {"ZDDM": ["A", "A", None], "ZL": ["x"] * 3}, geometry=[box(0, 0), box(0, 0), box(300, 0)], crs=4548
    )
    same.to_file(tmp_path / "same.gpkg")
    found = look("same.gpkg", code=1)
    assert (found["n_loaded"], found["n_rejected"], found["would"]) == (1, 2, "load with rejects")
    assert found["geometry"]["duplicates"] == 1
    assert found["issues"] == {"value_missing": 1, "parcel_id_duplicate": 1, "parcel_id_missing": 1}


def test_it_foretells_what_ingest_does(lowland, look, tmp_path, database):
    assert lowland("init", "p", "--code", "120113", "--name", "北辰区").returncode == 0
    path = SAMPLE / "规资分局/三调成果.gdb"
    found = look(f"{path}:DLTB")
    project = ("--project", "p/lowland.toml")
    done = lowland(*project, "ingest", "dltb3", f"{path}:DLTB", dsn=database)
    assert done.returncode in {0, 1}, done.stderr
    assert f"{found['n_rows']:,} read = {found['n_loaded']:,} loaded" in done.stdout


def test_encoding_declared_detected_and_undecidable(look, tmp_path):
    path = write_parcels(tmp_path / "p.shp", {"a": box(0, 0)})
    path.with_suffix(".cpg").write_text("UTF-8")
    found = look("p.shp", code=0)
    assert found["encoding"] == "gb18030"
    assert found["text"]["declared_cpg"] == "UTF-8"
    assert found["text"]["readings"]["gb18030"] == ["北辰区示例路"]
    assert any("declared text encoding is wrong" in text for text in found["warnings"])
    path.with_suffix(".cpg").unlink()
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(dbf.read_bytes().replace("北辰区".encode("gbk"), b"\xff\xfe\xfd\xff\xfe\xfd"))
    found = look("p.shp", code=1)
    assert found["encoding"] is None
    assert "cannot be told" in found["refusals"][0]
    assert found["geometry"]["kinds"] == {"Polygon": 1}, "the rest is still looked at"


@pytest.mark.parametrize(
    ("epsg", "shift", "reading", "refusal"),
    [
        (4548, (39e6, 0), "3° zone 39 with prefix", "with a zone prefix"),
        (4527, (0, 0), "without zone prefix", "without a zone prefix"),
        (4548, (4_345_000 - 515_000, 515_000 - 4_345_000), "x and y swapped", "look swapped"),
        (4490, (0, 0), "without zone prefix", "declared as degrees"),
        (None, (0, 0), "EPSG:4548", "--src-crs"),
        (2384, (0, 0), "Xian 1980", "ballpark"),
    ],
)
def test_a_wrong_system_is_refused_with_what_it_may_be(look, tmp_path, epsg, shift, reading, refusal):
    shape = shapely.transform(box(0, 0), lambda points: points + np.array(shift))
    frame(tmp_path / "p.gpkg", {"ZDDM": ["a"]}, [shape], crs=epsg)
    found = look("p.gpkg", code=1)
    assert reading in " ".join(found["readings"])
    assert refusal in " ".join(found["refusals"])
    assert found["n_loaded"] == 0


def test_degrees_and_prefixed_planes_are_fine_when_declared(look, tmp_path):
    for epsg in (4490, 4527):
        shapes = gpd.GeoSeries([box(0, 0)], crs=4548).to_crs(epsg)
        frame(tmp_path / f"{epsg}.gpkg", {"ZDDM": ["a"]}, list(shapes), crs=epsg)
        found = look(f"{epsg}.gpkg", code=0)
        assert (found["datum"], found["n_loaded"]) == ("same", 1)


def test_an_old_datum_needs_parameters_and_takes_them(look, tmp_path):
    frame(tmp_path / "old.gpkg", {"ZDDM": ["a"]}, [box(0, 0)], crs=2384)
    found = look("old.gpkg", code=1)
    assert found["datum"] == "needs parameters"
    (tmp_path / "参数.toml").write_text(PARAMETERS, encoding="utf-8")
    found = look("old.gpkg", "--datum", "参数.toml", code=0)
    assert found["datum"] == "four parameters of 示例, good to 0.05 m"
    assert found["n_loaded"] == 1


def test_geometry_facts(look, tmp_path):
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    tie = shapely.transform(bow_tie, lambda points: points + np.array([515_000, 4_345_000]))
    shapes = [shapely.force_3d(box(0, 0), 5), box(200, 0), box(200, 0), tie, None, shapely.Polygon()]
    frame(tmp_path / "g.gpkg", {"ZDDM": list("abcdef")}, shapes)
    facts = look("g.gpkg", code=1)["geometry"]
    expected = {"z": 1, "duplicates": 1, "invalid": 1, "null": 1, "empty": 1, "not_finite": 0, "curves": 0}
    assert expected.items() <= facts.items()
    assert list(facts["reasons"]) == ["Self-intersection"]


def test_arcs_and_measures_of_real_software(look, tmp_path):
    (tmp_path / "c.csv").write_text(
        'ZDDM,wkt\na,"CURVEPOLYGON (CIRCULARSTRING (515100 4350000,515200 4350100,515300 4350000,515200 4349900,'
        '515100 4350000))"\nb,"POLYGON ((515000 4350000,515010 4350000,515010 4350010,515000 4350000))"\n'
    )
    for suffix, driver in ((".gpkg", "GPKG"), (".gdb", "OpenFileGDB")):
        subprocess.run(
            ["ogr2ogr", "-f", driver, tmp_path / f"c{suffix}", tmp_path / "c.csv", "-oo", "GEOM_POSSIBLE_NAMES=wkt",
             "-a_srs", "EPSG:4548", "-nlt", "CURVEPOLYGON", "-dim", "XYZM"],
            check=True, capture_output=True,
        )  # fmt: skip
        found = look(f"c{suffix}", code=0)
        assert found["geometry"]["curves"] == 1, suffix
        assert found["n_loaded"] == 2
        assert any("lines within 0.001 m" in text for text in found["warnings"])


def test_a_cut_shapefile(look, tmp_path):
    path = write_parcels(tmp_path / "p.shp", {str(i): box(i * 100, 0) for i in range(50)})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    found = look("p.shp", code=1)
    assert not found["counts"]["complete"]
    assert found["counts"]["dbf"] == 50
    assert "cut off" in " ".join(found["refusals"])


@pytest.mark.parametrize("name", ["missing.shp", "text.gpkg", "no.dwg"])
def test_what_cannot_be_opened_is_exit_3(look, tmp_path, name):
    if name != "missing.shp":
        (tmp_path / name).write_text("nothing")
    assert look(name, code=3).startswith("Error: ")


def test_a_proposed_mapping_makes_a_renamed_file_fit(look, lowland, tmp_path):
    table = gpd.read_file(SAMPLE / "规资分局/三调成果.gdb", layer="DLTB").drop(
        columns=["SHAPE_Length", "SHAPE_Area"], errors="ignore"
    )
    codes = table["DLBM"].where(table["DLBM"].str.fullmatch(r"\d+", na=False))
    table = table.assign(DLBM=codes.astype(float)).rename(columns={"DLBM": "地类编码", "TBMJ": "图斑面积"})
    table.to_file(tmp_path / "renamed.gpkg", layer="DLTB")
    found = look("renamed.gpkg", "--mapping-out", "m.toml", code=1)
    assert found["chosen"] == "dltb3"
    assert "DLBM 地类编码" in found["refusals"][0]
    rules = {(fault["standard"], fault["rule"]) for fault in found["field_faults"]}
    assert {("DLBM", "field_kind"), ("DLBM", "leading_zero_lost")} <= rules
    text = (tmp_path / "m.toml").read_text(encoding="utf-8")
    assert '"地类编码" = "DLBM"' in text
    mapped = look("renamed.gpkg", "--mapping", "m.toml")
    assert not mapped["refusals"]
    assert mapped["issues"].get("code_unknown", 0) <= 1, "the leading zeros are back"
    again = lowland("inspect", "renamed.gpkg", "--mapping-out", "m.toml")
    assert again.returncode == 2
    assert "not overwritten" in again.stderr
    assert (tmp_path / "m.toml").read_text(encoding="utf-8") == text


def test_a_mapping_lists_all_that_came_and_all_that_is_wanted_where_no_field_fits(look, lowland, tmp_path):
    """Where a mapping is needed most; filled in by hand, the file is taken."""
    frame(tmp_path / "s.gpkg", {'代号\n"x': ["P1"], "n": [2.5]}, [box(0, 0)])
    look("s.gpkg", "--layer", "parcel", "--mapping-out", "m.toml", code=1)
    text = (tmp_path / "m.toml").read_text(encoding="utf-8")
    fields = layer_definition("parcel").field
    for field in fields:
        assert f"#   {field.name}  {field.title}" in text
    assert text.count("required 必填") == sum(field.required for field in fields)
    received = r'"代号\U0000000a\"x"'
    assert f'# {received} = ""  # text, P1' in text
    assert '# "n" = ""  # number, 2.5' in text
    assert read_mapping(tmp_path / "m.toml").rename == {}
    (tmp_path / "m.toml").write_text(
        text.replace(f'# {received} = ""', f'{received} = "ZDDM"'), encoding="utf-8"
    )
    assert not look("s.gpkg", "--mapping", "m.toml", code=0)["refusals"]


def test_a_mapping_for_a_layer_that_is_not_among_the_best_fits(look, tmp_path):
    frame(tmp_path / "s.gpkg", {"ZDDM": ["P1"], "TBMJ": [1.0]}, [box(0, 0)])
    look("s.gpkg", "--layer", "violation", "--mapping-out", "m.toml", code=1)
    assert read_mapping(tmp_path / "m.toml").layer == "violation"


def test_a_mapping_without_a_layer_says_how_to_name_one(look, tmp_path):
    frame(tmp_path / "s.gpkg", {"x": ["P1"]}, [box(0, 0)])
    assert "--layer" in look("s.gpkg", "--mapping-out", "m.toml", code=2)
    assert not (tmp_path / "m.toml").exists()


def test_a_table_where_a_layer_needs_shapes(look, tmp_path):
    shutil.copy(SAMPLE / "税务局/企业2021.xlsx", tmp_path / "e.xlsx")
    found = look("e.xlsx", "--layer", "parcel", code=1)
    assert "holds no geometries" in found["refusals"][0]


def test_strange_fields_are_refused_with_what_to_type(look, tmp_path):
    frame(tmp_path / "s.gpkg", {"a": ["x"], "'; DROP TABLE land.parcel; --": ["y"]}, [box(0, 0)])
    found = look("s.gpkg", code=1)
    assert found["chosen"] is None
    assert "--layer" in found["refusals"][0]


def test_names_are_text_and_no_markup_of_the_screen(lowland, tmp_path):
    frame(tmp_path / "plain.gpkg", {"ZDDM": ["[/q]"], "不动产单元号[b]": [1.0]}, [box(0, 0)])
    (tmp_path / "plain.gpkg").rename(tmp_path / "[bold]甲[-x].gpkg")
    done = lowland("inspect", "[bold]甲[-x].gpkg", "--layer", "parcel")
    assert done.returncode == 0, done.stderr
    assert "[bold]甲[-x].gpkg" in done.stdout
    assert "不动产单元号[b]" in done.stdout


def test_a_shapefile_without_its_index_is_read_and_named(look, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    path.with_suffix(".shx").unlink()
    found = look(str(path), code=0)
    assert (found["n_rows"], found["would"]) == (1, "load")
    assert ["its .shx is missing" in warning for warning in found["warnings"]] == [True]


def test_a_proposed_mapping_carries_the_unit_and_never_crosses_units(lowland, tmp_path):
    """What a heading says of its unit goes into the mapping; 元 is never proposed for a field in 亩."""
    book = openpyxl.Workbook()
    book.active.append(["年份", "宗地代码", "占地面积情况（公顷）", "税收总额情况（亩）", "产值总额（元）"])
    book.active.append([2023, "A1", 2, 3, 50_000])
    book.save(tmp_path / "t.xlsx")
    arguments = ["inspect", "t.xlsx", "--layer", "enterprise", "--mapping-out", "m.toml"]
    assert lowland(*arguments).returncode == 0
    mapping = read_mapping(tmp_path / "m.toml")
    assert (mapping.rename, mapping.unit) == ({"占地面积情况（公顷）": "ZDMJM"}, {"ZDMJM": "公顷"})
    assert "times 15, to 亩" in (tmp_path / "m.toml").read_text(encoding="utf-8")
    found = json.loads(lowland(*arguments[:-2], "--mapping", "m.toml", "--json").stdout)[0]
    assert any("times 15 from 公顷 to 亩" in words for words in found["warnings"])
    assert any("times 0.0001 from 元 to 万元" in words for words in found["warnings"])
    assert any("税收总额情况(亩)" in key(words) and "was not taken" in words for words in found["warnings"])


def test_a_unit_in_a_line_over_the_table_is_shown_and_stands_in_the_mapping(lowland, tmp_path):
    lines = "企业表,,单位：公顷、元,\n年份,宗地代码,占地面积情况,税收总额\n2023,A1,2,30000\n"
    (tmp_path / "t.csv").write_text(lines, encoding="gbk")
    arguments = ["inspect", "t.csv", "--layer", "enterprise"]
    done = lowland(*arguments, "--mapping-out", "m.toml")
    assert done.returncode == 0
    assert "times 0.0001 from 元, by the line “单位:公顷、元”" in done.stdout
    assert "税收总额: taken as SSZE 税收总额 万元, times 0.0001 from 元 to 万元" in done.stdout
    mapping = read_mapping(tmp_path / "m.toml")
    assert mapping.rename == {"占地面积情况": "ZDMJM", "税收总额": "SSZE"}
    assert mapping.unit == {"ZDMJM": "公顷", "SSZE": "元"}
    mapped = lowland(*arguments, "--mapping", "m.toml").stdout
    assert "times 15 from 公顷 to 亩" in mapped
    assert "times 0.0001 from 元 to 万元" in mapped


def test_what_gdal_says_does_not_reach_the_terminal_raw(lowland, tmp_path):
    path = write_parcels(tmp_path / "p.shp", {"A": box(0, 0)}, ZDMJ=[1.0])
    content = bytearray(path.with_suffix(".dbf").read_bytes())
    content[-25:-1] = content[-25:-1].replace(b"1.000", b"1,000")
    path.with_suffix(".dbf").write_bytes(content)
    done = lowland("inspect", path, "--json")
    assert "value_unreadable" in done.stdout
    assert "Warning" not in done.stderr
    assert "parsed" not in done.stderr + done.stdout
