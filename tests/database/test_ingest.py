"""Deliveries into a real database: whole or not at all, every doubt a row, counts that close."""

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import psycopg
import pyproj
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from lowland_gis.analysis.geometry.geodesy import ellipsoidal_areas
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.intake.rejects import export_rejects
from lowland_gis.settings import DeliverySettings
from made_files import DATUM, box, write_parcels


def rows(project, query, *parameters):
    with psycopg.connect(project.dsn) as connection:
        return connection.execute(query, parameters).fetchall()


def deliver(layer, source, **options):
    return DeliverySettings(layer=layer, source=str(source), **options)


def test_parcels_with_bow_tie_duplicate_and_nameless(project, tmp_path):
    bow_tie = shapely.Polygon([(515000, 4345300), (515100, 4345400), (515100, 4345300), (515000, 4345400)])
    path = write_parcels(
        tmp_path / "宗地.shp",
        {"120113100001GB00001": box(0, 0), "120113100001GB00002": bow_tie, "": box(400, 0)},
    )
    frame = gpd.read_file(path, encoding="GBK")
    frame = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
    frame.to_file(path, encoding="GBK")
    loaded = ingest(project, deliver("parcel", path))
    assert (loaded.n_read, loaded.n_loaded, loaded.n_rejected) == (4, 2, 2)
    found = rows(
        project,
        "SELECT parcel_id, town_code, area_m2, planar_m2, geom_received IS NULL FROM land.parcel ORDER BY 1",
    )
    assert [row[0] for row in found] == ["120113100001GB00001", "120113100001GB00002"]
    assert {row[1] for row in found} == {"120113100"}
    expected = ellipsoidal_areas(np.array([box(0, 0)]), project.plane)[0]
    assert found[0][2] == expected
    assert found[0][3] == 10_000
    assert found[1][3] == pytest.approx(5_000)
    assert [row[4] for row in found] == [True, False]
    issues = rows(
        project, "SELECT row_no, key, rule, action, place IS NULL FROM land.issue ORDER BY row_no, rule"
    )
    assert issues == [
        (1, "120113100001GB00002", "geometry_area_changed", "repaired", False),
        (2, None, "parcel_id_missing", "rejected", False),
        (2, None, "value_missing", "kept", False),
        (3, "120113100001GB00001", "parcel_id_duplicate", "rejected", False),
    ]


def test_gbk_without_a_hint_is_read_right_and_recorded(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    ingest(project, deliver("parcel", path))
    assert rows(project, "SELECT attributes->>'ZL' FROM land.parcel") == [("北辰区示例路",)]
    assert rows(project, "SELECT encoding, crs FROM land.source") == [("gb18030", "EPSG:4548")]


def test_the_same_bytes_again_load_nothing(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    first = ingest(project, deliver("parcel", path))
    second = ingest(project, deliver("parcel", path))
    assert (first.fresh, second.fresh) == (True, False)
    assert second.version_id == first.version_id
    assert rows(project, "SELECT count(*) FROM land.layer_version") == [(1,)]


def test_a_changed_file_becomes_a_new_version_and_the_old_one_stays(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    ingest(project, deliver("parcel", path))
    write_parcels(path, {"120113100001GB00001": box(0, 0, 200)})
    ingest(project, deliver("parcel", path))
    assert rows(project, "SELECT version_id, planar_m2 FROM land.parcel ORDER BY 1") == [
        (1, 10_000.0),
        (2, 20_000.0),
    ]


def test_a_dry_run_changes_nothing(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    loaded = ingest(project, deliver("parcel", path), dry_run=True)
    assert loaded.n_loaded == 1
    assert rows(project, "SELECT count(*) FROM land.source") == [(0,)]


def test_coordinates_in_the_plane_are_stored_bit_for_bit(project, tmp_path):
    shape = shapely.Polygon(
        [(515000.123456789, 4345000.987654321), (515100.1, 4345000.2), (515050.3, 4345100.7)]
    )
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": shape})
    ingest(project, deliver("parcel", path))
    stored = shapely.from_wkb(rows(project, "SELECT ST_AsBinary(geom) FROM land.parcel")[0][0])
    delivered = shapely.from_wkb(gpd.read_file(path).geometry.to_wkb()[0])
    assert shapely.get_coordinates(stored).tobytes() == shapely.get_coordinates(delivered).tobytes()


@pytest.mark.parametrize("epsg", [4490, 4527, 4509])
def test_other_systems_of_the_same_datum_are_brought_to_the_plane(project, tmp_path, epsg):
    shapes = gpd.GeoDataFrame({"PZWH": ["津〔2001〕1号"]}, geometry=[box(0, 0)], crs=4548).to_crs(epsg)
    path = tmp_path / "审批.gpkg"
    shapes.to_file(path)
    ingest(project, deliver("approval", path))
    stored = shapely.from_wkb(rows(project, "SELECT ST_AsBinary(geom) FROM land.feature")[0][0])
    assert shapely.hausdorff_distance(stored, box(0, 0)) < 1e-6


def test_an_old_datum_is_refused_and_nothing_is_loaded(project, tmp_path):
    path = tmp_path / "old.gpkg"
    gpd.GeoDataFrame({"PZWH": ["x"]}, geometry=[box(0, 0)], crs=2384).to_file(path)
    with pytest.raises(InputRefusedError, match="ballpark"):
        ingest(project, deliver("approval", path))
    assert rows(
        project, "SELECT (SELECT count(*) FROM land.source), (SELECT count(*) FROM land.feature)"
    ) == [(0, 0)]
    # Only the user may say that the declaration is wrong.
    assert ingest(project, deliver("approval", path, src_crs="EPSG:4548")).n_loaded == 1


def test_a_layer_of_another_kind_is_refused_by_its_fields(project, tmp_path):
    path = tmp_path / "x.gpkg"
    gpd.GeoDataFrame({"NAME": ["x"]}, geometry=[box(0, 0)], crs=4548).to_file(path)
    with pytest.raises(InputRefusedError, match=r"(?s)DLBM 地类编码.*NAME"):
        ingest(project, deliver("dltb3", path))


def test_an_unknown_layer_gets_the_nearest_names(project):
    with pytest.raises(UsageError, match="dltb3"):
        ingest(project, deliver("dltb", "x.shp"))


def test_unknown_codes_stay_and_are_listed(project, tmp_path):
    path = tmp_path / "三调.gpkg"
    gpd.GeoDataFrame(
        {"BSM": ["1", "2"], "DLBM": ["0601", "9999"]}, geometry=[box(0, 0), box(200, 0)], crs=4548
    ).to_file(path)
    ingest(project, deliver("dltb3", path))
    assert rows(project, "SELECT code FROM land.feature ORDER BY row_no") == [("0601",), ("9999",)]
    assert rows(project, "SELECT key, rule, action FROM land.issue") == [("2", "code_unknown", "kept")]


def test_enterprises_keep_codes_as_text(project, tmp_path):
    path = tmp_path / "企业.xlsx"
    pd.DataFrame(
        {
            "年份": [2023, "二〇二三"],
            "统一社会信用代码": ["91120113000000001X", "012345678901234567"],
            "宗地代码": ["120113100001GB00001", "120113100001GB00002"],
            "亩均税收（万元/亩）": [3.5, "无"],
        }
    ).to_excel(path, index=False)
    ingest(project, deliver("enterprise", path, part="2023"))
    found = rows(
        project, "SELECT credit_code, year, attributes->>'MJSS' FROM land.enterprise ORDER BY row_no"
    )
    assert found == [("91120113000000001X", 2023, "3.5"), ("012345678901234567", None, None)]
    rules = rows(project, "SELECT rule, action FROM land.issue ORDER BY issue_id")
    assert ("value_unreadable", "kept") in rules


def test_parts_live_side_by_side(project, tmp_path):
    for part in ("北", "南"):
        path = write_parcels(
            tmp_path / f"{part}.shp", {f"12011310000{len(part)}GB0000{ord(part) % 7}": box(0, 0)}
        )
        ingest(project, deliver("parcel", path, part=part))
    with project.transaction() as connection:
        assert len(current_versions(connection)["parcel"]) == 2


def test_a_raster_in_another_system_is_refused(project, tmp_path):
    path = tmp_path / "强度.tif"
    options = {"driver": "GTiff", "width": 4, "height": 4, "count": 1, "dtype": "float32"}
    with rasterio.open(
        path, "w", crs=pyproj.CRS(4490).to_wkt(), transform=from_origin(117, 39, 0.1, 0.1), **options
    ) as raster:
        raster.write(np.ones((1, 4, 4), dtype="float32"))
    with pytest.raises(InputRefusedError, match="gdalwarp"):
        ingest(project, deliver("raster", path))
    with rasterio.open(
        path, "w", crs="EPSG:4548", transform=from_origin(515000, 4346000, 10, 10), **options
    ) as raster:
        raster.write(np.ones((1, 4, 4), dtype="float32"))
    assert ingest(project, deliver("raster", path)).n_loaded == 1


def test_a_missing_file_is_refused_by_name(project):
    with pytest.raises(InputRefusedError, match="没有.shp: there is no such file"):
        ingest(project, deliver("parcel", "没有.shp"))


# ------------------------------------------------------------------ what the user says of a file, and what is kept


def test_a_mapping_names_the_fields_of_a_supplier_and_is_recorded(project, tmp_path):
    gpd.GeoDataFrame({"地类码": ["0601"], "编号": ["7"]}, geometry=[box(0, 0)], crs=4548).to_file(
        tmp_path / "顾问.gpkg"
    )
    (tmp_path / "顾问.toml").write_text(
        'supplier = "示例咨询"\nlayer = "dltb3"\n[rename]\n"地类码" = "DLBM"\n"编号" = "BSM"\n',
        encoding="utf-8",
    )
    with pytest.raises(InputRefusedError, match="--mapping"):
        ingest(project, deliver("dltb3", "顾问.gpkg"))
    ingest(project, deliver("dltb3", "顾问.gpkg", mapping="顾问.toml"))
    assert rows(project, "SELECT code, attributes->>'BSM' FROM land.feature") == [("0601", "7")]
    recorded = rows(
        project,
        "SELECT options->'mapping'->>'supplier', length(options->'mapping'->>'sha256') FROM land.layer_version",
    )
    assert recorded == [("示例咨询", 64)]
    with pytest.raises(UsageError, match="for the layer dltb3"):
        ingest(project, deliver("dltb2", "顾问.gpkg", mapping="顾问.toml"))


def test_an_old_datum_comes_in_with_the_parameters_of_the_bureau(project, tmp_path):
    gpd.GeoDataFrame({"PZWH": ["x"]}, geometry=[box(0, 0)], crs=2384).to_file(tmp_path / "old.gpkg")
    (tmp_path / "四参数.toml").write_text(DATUM, encoding="utf-8")
    ingest(project, deliver("approval", "old.gpkg", datum="四参数.toml"))
    stored = shapely.from_wkb(rows(project, "SELECT ST_AsBinary(geom) FROM land.feature")[0][0])
    assert shapely.hausdorff_distance(stored, shapely.affinity.translate(box(0, 0), 110, -3)) < 1e-6
    assert rows(project, "SELECT options->'datum'->>'document' FROM land.layer_version") == [("试验参数",)]


def test_what_is_set_aside_is_kept_whole(project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"": box(0, 0), "120113100001GB00001": box(200, 0)})
    ingest(project, deliver("parcel", path))
    kept = rows(project, "SELECT received->>'ZL', received_wkb FROM land.issue WHERE action = 'rejected'")
    assert kept[0][0] == "北辰区示例路"
    assert shapely.equals(shapely.from_wkb(kept[0][1]), box(0, 0))


@pytest.mark.parametrize("name", ["退回.gpkg", "退回.csv"])
def test_what_is_set_aside_can_be_sent_back(project, tmp_path, name):
    path = write_parcels(tmp_path / "宗地.shp", {"": box(0, 0), "120113100001GB00001": box(200, 0)})
    ingest(project, deliver("parcel", path))
    assert export_rejects(project, "parcel", tmp_path / name) == 1
    back = gpd.read_file(tmp_path / name)
    assert back["lowland_rule"].tolist() == ["parcel_id_missing"]
    assert back["ZL"].tolist() == ["北辰区示例路"]
    shape = back.geometry[0] if name.endswith("gpkg") else shapely.from_wkb(bytes.fromhex(back["wkb"][0]))
    assert shapely.equals(shape, box(0, 0))
    assert not list(tmp_path.glob(".lowland-*"))


FORMULA = '=HYPERLINK("http://example.org","x")'


def aside(project, tmp_path):
    """Deliver a parcel without a code whose texts a spreadsheet would take for formulas."""
    path = write_parcels(
        tmp_path / "宗地.shp", {"": box(0, 0)}, ZL=[FORMULA], BZ=["-1+1"], SXH=["+86"], ZDMJ=[10_000.0]
    )
    delivery = DeliverySettings(layer="parcel", source=str(path), allow_empty=True)
    ingest(project, delivery)


def test_a_sheet_of_what_is_set_aside_says_why_and_holds_no_formula(project, tmp_path):
    aside(project, tmp_path)
    assert export_rejects(project, "parcel", tmp_path / "退回.xlsx") == 1
    sheet = openpyxl.load_workbook(tmp_path / "退回.xlsx").active
    cells = dict(zip([cell.value for cell in sheet[3]], sheet[4], strict=True))
    assert (cells["原因代码"].value, cells["原因"].value) == ("parcel_id_missing", "the parcel has no ZDDM")
    assert cells["ZDMJ 宗地面积 m²"].value == 10_000
    for name, text in {"ZL 坐落": FORMULA, "BZ 备注": "-1+1", "SXH": "+86"}.items():
        assert (cells[name].value, cells[name].data_type, cells[name].quotePrefix) == (text, "s", True)
    assert not list(tmp_path.glob(".lowland-*"))


def test_a_csv_of_what_is_set_aside_holds_no_formula(project, tmp_path):
    aside(project, tmp_path)
    export_rejects(project, "parcel", tmp_path / "退回.csv")
    back = pd.read_csv(tmp_path / "退回.csv", dtype=str)
    assert back[["ZL", "BZ", "SXH"]].iloc[0].tolist() == [f"'{FORMULA}", "'-1+1", "'+86"]
    assert float(back["ZDMJ"][0]) == 10_000
    export_rejects(project, "parcel", tmp_path / "退回.parquet")
    assert pd.read_parquet(tmp_path / "退回.parquet")["ZL"].tolist() == [FORMULA]


def test_another_kind_of_file_is_refused_before_anything_is_read(project, tmp_path):
    with pytest.raises(UsageError, match="xlsx"):
        export_rejects(project, "parcel", tmp_path / "退回.docx")


def test_many_batches_are_one_delivery(project, tmp_path, monkeypatch):
    import lowland_gis.files.read as reading

    codes = [f"120113100001GB{number:05d}" for number in range(25)]
    path = write_parcels(
        tmp_path / "宗地.shp",
        {code: box(110 * number, 0) for number, code in enumerate(codes)} | {"": box(0, 500)},
    )
    received = reading.received
    monkeypatch.setattr(
        "lowland_gis.files.read.received",
        lambda source, **options: received(source, batch_rows=4, **options),
    )
    seen = []
    loaded = ingest(project, deliver("parcel", path), watch=lambda done, of: seen.append((done, of)))
    assert (loaded.n_read, loaded.n_loaded, loaded.n_rejected) == (26, 25, 1)
    assert seen[-1] == (26, 26)
    assert len(seen) == 7
    assert rows(project, "SELECT count(*), count(DISTINCT row_no), max(row_no) FROM land.parcel") == [
        (25, 25, 24)
    ]
    assert rows(project, "SELECT row_no FROM land.issue WHERE action = 'rejected'") == [(25,)]


def test_a_fault_in_a_late_batch_loads_nothing(project, tmp_path, monkeypatch):
    import lowland_gis.files.read as reading

    far = shapely.box(39_515_000, 4_345_000, 39_515_100, 4_345_100)
    shapes = {f"120113100001GB{number:05d}": box(110 * number, 0) for number in range(9)} | {"x": far}
    path = write_parcels(tmp_path / "宗地.shp", shapes)
    received = reading.received
    monkeypatch.setattr(
        "lowland_gis.files.read.received",
        lambda source, **options: received(source, batch_rows=3, **options),
    )
    with pytest.raises(InputRefusedError, match="zone"):
        ingest(project, deliver("parcel", path))
    assert rows(
        project, "SELECT (SELECT count(*) FROM land.parcel), (SELECT count(*) FROM land.layer_version)"
    ) == [(0, 0)]


def test_points_of_the_second_survey_come_in(project, tmp_path):
    point = shapely.Point(515000, 4345000)
    gpd.GeoDataFrame({"DLBM": ["114"], "MJ": [12.5]}, geometry=[point], crs=4548).to_file(
        tmp_path / "零星.gpkg"
    )
    loaded = ingest(project, deliver("lxdw2", "零星.gpkg"))
    assert (loaded.n_loaded, loaded.n_rejected) == (1, 0)
    assert rows(project, "SELECT area_m2, ST_AsText(geom) FROM land.feature") == [
        (0.0, "POINT(515000 4345000)")
    ]


def test_a_whole_delivery_replaces_parts_and_a_part_of_a_whole_is_refused(project, tmp_path):
    for part, x in (("north", 0), ("south", 500)):
        write_approvals(tmp_path / f"{part}.gpkg", x)
        ingest(project, deliver("approval", f"{part}.gpkg", part=part))
    assert current(project, "approval") == ["north", "south"]
    write_approvals(tmp_path / "whole.gpkg", 0)
    ingest(project, deliver("approval", "whole.gpkg"))
    assert current(project, "approval") == [None]
    with pytest.raises(UsageError, match="which pieces of it the part .east. stands for cannot be told"):
        ingest(project, deliver("approval", "south.gpkg", part="east"))


def test_one_file_is_not_two_parts(project, tmp_path):
    """Its land would count twice in every share, and the town that was meant would be missing without a word."""
    write_approvals(tmp_path / "north.gpkg", 0)
    ingest(project, deliver("approval", "north.gpkg", part="north"))
    with pytest.raises(InputRefusedError, match="in force already as part north of approval.*count twice"):
        ingest(project, deliver("approval", "north.gpkg", part="south"))
    assert current(project, "approval") == ["north"]
    write_approvals(tmp_path / "north.gpkg", 500)
    ingest(project, deliver("approval", "north.gpkg", part="south"))
    assert current(project, "approval") == ["north", "south"]


def write_approvals(path, x):
    gpd.GeoDataFrame({"PZWH": [path.stem]}, geometry=[box(x, 0)], crs=4548).to_file(path)


def current(project, layer):
    with project.transaction() as connection:
        return [version.part for version in current_versions(connection)[layer]]
