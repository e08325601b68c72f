"""Every form of a package is read by software that is not ours as it was handed over; a disk that is full leaves no part of it."""

import json
import subprocess

import fiona
import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from full_disk import full_disk
from lowland_gis.definitions.package import FORMS
from lowland_gis.errors import InputRefusedError, UsageError
from packages import SPACE, definition, frames, make

LOW = definition().layer("DXYDTB")
CODES = {"industrial": "01", "town": "02", "village": "03", "legacy": "04"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A package in all forms."""
    return make(tmp_path_factory.mktemp("包") / "成果").target


def handed_over():
    """The rows of the layer of low-efficiency land as the frame has them, in the order of the key."""
    rows = frames()["low_efficiency"]
    columns = {
        field.name: ["120113"] * len(rows) if field.text else rows[field.column].tolist()
        for field in LOW.fields
    }
    columns["DXLXDM"] = [CODES[kind] for kind in rows["kind"]]
    plain = ([None if pd.isna(value) else value for value in values] for values in columns.values())
    return list(zip(*plain, strict=True)), rows.geometry


@pytest.mark.parametrize("place", ["DXYDTB.shp", "北辰区(120113).gdb", "北辰区(120113).gpkg"])
def test_fiona_reads_the_rows_that_were_handed_over(built, place):
    rows, shapes = handed_over()
    with fiona.open(built / SPACE / place, layer="DXYDTB") as layer:
        records = list(layer)
        assert layer.crs.to_epsg() == 4548
    names = [field.name for field in LOW.fields]
    assert [tuple(record.properties[name] for name in names) for record in records] == rows
    grid = 1e-4 if place.endswith(".gdb") else 0.0
    for record, shape in zip(records, shapes, strict=True):
        assert shapely.equals_exact(
            shapely.normalize(shapely.geometry.shape(record.geometry)), shapely.normalize(shape), grid
        ) or (shapely.hausdorff_distance(shapely.geometry.shape(record.geometry), shape) <= grid)


def test_a_geoparquet_is_read_with_types(built):
    rows, shapes = handed_over()
    read = gpd.read_parquet(built / SPACE / "DXYDTB.parquet")
    names = [field.name for field in LOW.fields]
    assert [
        tuple(None if pd.isna(value) else value for value in row)
        for row in read[names].itertuples(index=False)
    ] == rows
    assert read.geometry.geom_equals(shapes).all()
    assert read.crs.to_epsg() == 4548


def test_ogrinfo_sees_aliases_widths_and_encoding(built):
    """The program of the system, another version of GDAL than the library."""

    def ogrinfo(place):
        done = subprocess.run(
            ["ogrinfo", "-so", str(built / SPACE / place), "DXYDTB"],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    said = ogrinfo("北辰区(120113).gdb")
    assert 'ZDDM: String (19.0), alternative name="宗地代码"' in said
    assert 'TBMJ: Real (0.0), alternative name="图斑面积（m²）"' in said
    assert "Feature Count: 8" in said
    said = ogrinfo("DXYDTB.shp")
    assert "ZDDM: String (19.0)" in said
    assert "TBMJ: Real (15.2)" in said
    assert (built / SPACE / "DXYDTB.dbf").read_bytes()[29] == 0x4D
    assert (
        pyogrio.read_info(built / SPACE / "北辰区(120113).gdb", layer="WTQD")["layer_metadata"]["ALIAS_NAME"]
        == "问题清单"
    )


def test_the_manifest_says_where_each_layer_lies_in_each_form(built):
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["forms"] == list(FORMS)
    assert all((built / path).exists() for layer in manifest["layers"] for path in layer["forms"].values())
    assert [len(layer["forms"]) for layer in manifest["layers"]] == [4, 4, 4, 4]


def test_the_same_content_gives_the_same_bytes_but_of_a_geodatabase(tmp_path):
    """A geodatabase has random names inside; a GeoPackage says the day of the package."""
    forms = ("shapefile", "geopackage", "geoparquet")
    for name in ("a", "b"):
        make(tmp_path / name, None, *forms)
    paths = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert any(path.suffix == ".gpkg" for path in paths)
    assert [
        path for path in paths if (tmp_path / "a" / path).read_bytes() != (tmp_path / "b" / path).read_bytes()
    ] == []


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_leaves_no_part_of_a_package(tmp_path, form):
    for room in (10, 1_000, 5_000):
        with full_disk(room), pytest.raises(InputRefusedError, match="成果: cannot be written"):
            make(tmp_path / "成果", None, form)
        assert list(tmp_path.iterdir()) == []
    make(tmp_path / "成果", None, form)


@pytest.mark.parametrize("form", FORMS)
def test_a_value_that_does_not_fit_stops_every_form(tmp_path, form):
    """Of a geodatabase or a GeoPackage too: the receiving office asks for the lengths of the definition."""
    for column, value, reason in (
        ("rule", "规" * 31, "more bytes in GBK than the 60|62 bytes in GBK"),
        ("kind", "other", "not in its code list"),
        ("rule_title", "😀", "which GBK does not have"),
        ("parcel_id", None, "missing, though the field is required"),
    ):
        given = frames()
        given["low_efficiency"].loc[3, column] = value
        with pytest.raises(InputRefusedError, match=reason):
            make(tmp_path / "成果", given, form)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_is_left_as_it_is(tmp_path):
    (tmp_path / "成果").mkdir()
    (tmp_path / "成果" / "工作报告.doc").write_bytes(b"x")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="replacing it could lose other work"):
            make(tmp_path / "成果", None, "filegdb", replace=True, overwrite=overwrite)
        assert [path.name for path in (tmp_path / "成果").rglob("*")] == ["工作报告.doc"]
