"""A field table of 40 fields becomes a definition; a package of it is built, empty and of our columns, and passes its own check."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import fiona
import geopandas as gpd
import openpyxl
import pyogrio
import pytest

from field_table import FIRMS, PARCELS, UNITS, field_table
from lowland_gis import read_delivery
from lowland_gis.cli import main
from lowland_gis.definitions.judging import judging
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.definitions.own import SHIPPED, using
from lowland_gis.definitions.package import package_definition
from lowland_gis.definitions.take_up import take_up
from lowland_gis.products.judging.judge import judge
from lowland_gis.products.package.build import build
from made_files import box
from packages import NAMES, frames
from workbooks import saved_as

PROJECT = 'name = "采用"\ndistrict_code = "120113"\ndistrict_name = "北辰区"\nas_of = 2024-12-31\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A project, a field table, and what adopting it said."""
    folder = tmp_path_factory.mktemp("采用")
    (folder / "lowland.toml").write_text(f"[project]\n{PROJECT}", encoding="utf-8")
    field_table(folder / "字段表.xlsx")
    code, out, err = said(
        folder,
        "adopt",
        folder / "字段表.xlsx",
        "--name",
        "天津",
        "--like",
        "example_city",
        "--empty",
        folder / "空",
    )
    return folder, code, out, err


def said(folder, *arguments):
    """Run a command of packages in this process."""
    out, err = io.StringIO(), io.StringIO()
    # A command takes up the definitions of its project for the process.
    with using(SHIPPED), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
        main(["--project", str(folder / "lowland.toml"), "-q", "package", *map(str, arguments)])
    return left.value.code, out.getvalue(), err.getvalue()


def definition(folder):
    return package_definition("天津.toml", folder / "definitions/packages")


def test_forty_fields_become_a_definition(place):
    folder, code, _, err = place
    assert code == 1, err
    found = definition(folder)
    assert [(layer.name, layer.title, layer.geometry, len(layer.fields)) for layer in found.layers] == [
        ("DXYDTB", "低效用地图斑", "polygon", len(PARCELS)), ("ZKFDY", "再开发单元", "polygon", len(UNITS)),
        ("QYB", "企业", "none", len(FIRMS)),
    ]  # fmt: skip
    assert sum(len(layer.fields) for layer in found.layers) == 40
    low, units, firms = found.layers
    assert [(f.name, f.type, f.length, f.decimals) for f in low.fields[10:13]] == [
        ("TBMJ", "N", 15, 2),
        ("MJMU", "N", 15, 4),
        ("ZL", "C", 200, 0),
    ]
    assert (low.frame, low.key, low.field("ZDDM").column, low.field("TBMJ").unit, low.field("MJMU").unit) == (
        "low_efficiency", "parcel_id", "parcel_id", "平方米", "亩",
    )  # fmt: skip
    assert [(c.value, c.code) for c in low.field("DXLXDM").codes] == [
        ("industrial", "01"),
        ("town", "02"),
        ("village", "03"),
        ("legacy", "04"),
    ]
    assert [c.code for c in low.field("QSXZ").codes] == ["10", "30"]
    assert (low.field("SFNRGHSSDY").dbf_name, low.field("ZKFSSDYBHDM").dbf_name) == (
        "SFNRGHSSDY",
        "ZKFSSDYBHD",
    )
    assert (units.field("DYMJ").unit, units.field("DYMJ").column, units.field("DYBH").required) == (
        "m²",
        "area_m2",
        True,
    )
    assert (firms.frame, firms.key, firms.field("TYSHXYDM").required) == (None, "TYSHXYDM", True)
    assert found.crs_epsg == 4548


@pytest.mark.parametrize(
    "words",
    [
        "空间图层 row 行 22: BZ: a DBF holds texts of 254 bytes, not of 500",
        "空间图层 row 行 21: ZKFSSDYBHDM has more than 10 letters; in a DBF it is called ZKFSSDYBHD",
        "空间图层 row 行 3: DXYDTB.BSM must be filled, and nothing of ours fills it",
        "企业表(QYB) row 行 11: TBR: the type '对象型' is none of text, number and day",
        "企业表(QYB) row 行 11: TBR: '看情况' does not say whether the field must be filled",
        "企业表(QYB) row 行 1: QYB: no table says which field tells rows apart; key = 'TYSHXYDM' is taken",
    ],
)
def test_doubtful_rows_are_named_on_the_terminal_and_above_the_definition(place, words):
    folder, _, out, _ = place
    assert words in out
    assert words in (folder / "definitions/packages/天津.toml").read_text(encoding="utf-8")


def test_the_empty_files_have_every_field_in_every_form_and_pass(place):
    folder, *_ = place
    space = next((folder / "空").glob("*天津2024/1空间数据库"))
    names = [code for _, code, *_ in PARCELS]
    with fiona.open(space / "DXYDTB.shp") as layer:
        assert (len(layer), layer.crs.to_epsg(), layer.schema["geometry"]) == (0, 4548, "Polygon")
        assert list(layer.schema["properties"])[:12] == names[:12]
        assert layer.schema["properties"]["ZKFSSDYBHD"] == "str:30"
        assert layer.schema["properties"]["TBMJ"] == "float:15.2"
        assert layer.schema["properties"]["DCRQ"] == "date"
    for path in (*space.glob("*.gdb"), *space.glob("*.gpkg")):
        info = pyogrio.read_info(path, layer="DXYDTB")
        assert (info["fields"].tolist(), info["geometry_type"], info["features"]) == (
            names,
            "MultiPolygon",
            0,
        )
    assert (
        said(folder, "check", folder / "空", "--definition", folder / "definitions/packages/天津.toml")[0]
        == 0
    )


def test_a_package_of_mapped_columns_is_built_and_passes(place, tmp_path):
    """What nothing of ours fills is given a text by hand, as the doubts say."""
    folder, *_ = place
    text = (folder / "definitions/packages/天津.toml").read_text(encoding="utf-8")
    for name in ("BSM", "YSDM"):
        start = text.index(f'name = "{name}"')
        text = text[:start] + text[start:].replace("empty = true", 'text = "0000000001"', 1)
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    own = package_definition("own.toml", tmp_path)
    build(frames(), own, NAMES, tmp_path / "成果", provenance={})
    found = judge(tmp_path / "成果", own, judging(), tell=lambda words: None)
    assert found.findings == []
    assert {name for _, name in found.n_rows} == {"DXYDTB", "ZKFDY", "QYB"}
    assert sum(rows for (_, name), rows in found.n_rows.items() if name == "DXYDTB") == 8 * 4


def test_a_workbook_without_a_field_table_is_refused_and_writes_nothing(place, tmp_path):
    folder, *_ = place
    book = openpyxl.Workbook()
    book.active.append(["宗地代码", "面积"])
    book.save(tmp_path / "别的.xlsx")
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04")
    for name, words in (("别的.xlsx", "no sheet has a table of fields"), ("坏.xlsx", "坏.xlsx")):
        code, _, err = said(folder, "adopt", tmp_path / name, "--empty", tmp_path / "空")
        assert (code, words in err) == (3, True), err
    assert not (tmp_path / "空").exists()
    assert sorted(path.name for path in Path(folder / "definitions/packages").iterdir()) == ["天津.toml"]
    code, _, err = said(folder, "adopt", folder / "字段表.xlsx", "--name", "../x")
    assert (code, "cannot be the name of a definition" in err) == (2, True)


def test_a_definition_that_somebody_changed_is_not_written_over(place):
    folder, *_ = place
    path = folder / "definitions/packages/改.toml"
    assert said(folder, "adopt", folder / "字段表.xlsx", "--name", "改")[0] == 1
    path.write_text(path.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    code, _, err = said(folder, "adopt", folder / "字段表.xlsx", "--name", "改")
    assert (code, "--overwrite" in err) == (2, True)
    assert path.read_text(encoding="utf-8").endswith("# by hand\n")
    path.unlink()


def test_a_table_in_the_form_of_old_excel_says_the_same(place, tmp_path):
    folder, *_ = place
    (old,) = saved_as(".xls", tmp_path, folder / "字段表.xlsx")
    code, out, err = said(folder, "adopt", old, "--name", "旧")
    assert code == 1, err
    path = folder / "definitions/packages/旧.toml"
    assert out.count("Look at") == path.read_text(encoding="utf-8").count("\n#   ")
    assert [len(layer.fields) for layer in package_definition(path.name, path.parent).layers] == [20, 10, 10]
    path.unlink()


def test_its_layers_become_layers_of_the_database(tmp_path):
    """What is filled in by hand and comes back is read as what it is."""
    (tmp_path / "lowland.toml").write_text(f"[project]\n{PROJECT}", encoding="utf-8")
    field_table(tmp_path / "字段表.xlsx")
    for _ in range(2):
        code, out, err = said(
            tmp_path, "adopt", tmp_path / "字段表.xlsx", "--name", "天津", "--like", "example_city", "--layers",
            "--empty", tmp_path / "空", "--form", "geopackage", "--overwrite",
        )  # fmt: skip
        assert code == 1, err
    assert "Layer 图层" in out
    own = take_up(tmp_path)
    with using(own):
        assert {"dxydtb", "zkfdy"} <= set(layer_keys())
        assert "qyb" not in layer_keys(), "a table without outlines is none"
        layer = layer_definition("dxydtb")
        assert [field.name for field in layer.field] == [
            field.name for field in definition(tmp_path).layers[0].fields
        ]
        (made,) = (tmp_path / "空").rglob("*.gpkg")
        empty = pyogrio.read_dataframe(made, layer="DXYDTB")
        row = {name: None for name in empty.columns if name != "geometry"} | {
            layer.identifier: "120113000000000001"
        }
        filled = gpd.GeoDataFrame([row], geometry=[box(0, 0)], crs=4548)
        delivery = read_delivery(filled, "dxydtb")
    assert len(delivery.records) == 1
    assert delivery.records["area_m2"].iloc[0] == pytest.approx(10_000, rel=1e-4)
