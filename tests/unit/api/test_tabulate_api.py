"""`lowland_gis.tabulate` gives what the command gives, whatever holds the layers, and refuses with the same sentences."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

import lowland_gis
from lowland_gis import DatabaseError, InputRefusedError, LowlandWarning, UsageError, tabulate
from lowland_gis.pipeline.overlaps.two_files import tabulate_files
from made_files import box
from scattered import field

NAMES = {"id": "ZDDM", "by": "DLBM"}
BOWTIE = shapely.Polygon([(10, 10), (30, 30), (30, 10), (10, 30), (10, 10)])


@pytest.fixture
def layers(monkeypatch) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Parcels whose names are in no order, and zones, one of them without a code; several batches of each."""
    monkeypatch.setattr("lowland_gis.pipeline.overlaps.vector_file.BATCH_ROWS", 17)
    parcels, zones = field(90, 90, 1), field(70, 70, 2)
    names = [f"P{number:03}" for number in np.random.default_rng(3).permutation(len(parcels))]
    codes = [None if n % 9 == 0 else f"0{n % 3}01" for n in range(len(zones))]
    return (
        gpd.GeoDataFrame({"ZDDM": names}, geometry=list(parcels), crs=4548),
        gpd.GeoDataFrame({"DLBM": codes}, geometry=list(zones), crs=4548),
    )


def by_command(parcels: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, folder) -> pd.DataFrame:
    parcels.to_parquet(folder / "parcels.parquet")
    zones.to_parquet(folder / "zones.parquet")
    files = str(folder / "parcels.parquet"), str(folder / "zones.parquet")
    found = pa.concat_tables(
        each.overlaps for each in tabulate_files(*files, id_field="ZDDM", by_field="DLBM")
    )
    return found.to_pandas().astype({"parcel_id": "str", "code": "str"})


def arrow(frame: gpd.GeoDataFrame, encoding: str) -> pa.Table:
    return pa.table(frame.to_arrow(geometry_encoding=encoding, index=False))


FORMS = {
    "frame": lambda frame: frame,
    "WKB": lambda frame: arrow(frame, "WKB"),
    "GeoArrow": lambda frame: arrow(frame, "geoarrow"),
    "stream": lambda frame: frame.to_arrow(index=False),
    "chunks": lambda frame: pa.concat_tables([arrow(frame[:30], "WKB"), arrow(frame[30:], "WKB")]),
    "views": lambda frame: _views(arrow(frame, "WKB")),
}


def _views(table: pa.Table) -> pa.Table:
    position = table.schema.get_field_index("geometry")
    column = table.column("geometry")
    field_ = table.schema.field("geometry").with_type(pa.binary_view())
    return table.set_column(position, field_, column.cast(pa.binary_view()))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_rows_of_the_command_to_the_last_bit(layers, tmp_path, form, threads):
    given = [FORMS[form](layer) for layer in layers]
    found = tabulate(*given, **NAMES, threads=threads)
    expected = by_command(*layers, tmp_path)
    assert len(expected) > 50
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert "" in set(found["code"])


def test_files_and_frames_mix(layers, tmp_path, monkeypatch):
    expected = by_command(*layers, tmp_path)
    found = tabulate(tmp_path / "parcels.parquet", layers[1], **NAMES)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_the_index_of_a_frame_names_its_rows(layers):
    parcels = layers[0].set_index("ZDDM").geometry
    found = tabulate(parcels, layers[1], by="DLBM")
    pd.testing.assert_frame_equal(found, tabulate(*layers, **NAMES), check_exact=True)


def test_a_part_of_a_frame_keeps_the_numbers_of_its_rows():
    parcels = gpd.GeoSeries([box(0, 0), box(200, 0), box(400, 0)], crs=4548)
    found = tabulate(parcels[1:], gpd.GeoSeries([box(0, 0, 1000)], crs=4548))
    assert found.to_numpy().tolist() == [[1, "all", 10_000, 1], [2, "all", 10_000, 1]]


def test_cover_and_width():
    parcels = gpd.GeoSeries([box(0, 0)], crs=4548)
    lines = gpd.GeoDataFrame(
        {"KD": [4.0]}, geometry=[shapely.LineString([(515_000, 4_345_050), (515_100, 4_345_050)])], crs=4548
    )
    found = tabulate(parcels, lines, width="KD", cover=True)
    assert found.overlaps["area_m2"].tolist() == pytest.approx([400])
    assert found.cover[["rest_m2", "excess_m2"]].to_numpy().tolist() == [[pytest.approx(9600), 0]]


def test_zones_are_brought_to_the_plane_of_the_parcels():
    parcels, zones = gpd.GeoSeries([box(0, 0)], crs=4548), gpd.GeoSeries([box(50, 0)], crs=4548)
    assert tabulate(parcels, zones.to_crs(4490))["area_m2"].tolist() == pytest.approx([5000], abs=1e-3)


def test_numbers_stay_numbers_and_a_category_is_what_it_stands_for():
    parcels = gpd.GeoDataFrame({"BH": [7, 3]}, geometry=[box(0, 0), box(100, 0)], crs=4548)
    zones = gpd.GeoDataFrame({"DM": pd.Categorical(["x", "y"])}, geometry=parcels.geometry, crs=4548)
    found = tabulate(parcels, zones, id="BH", by="DM")
    assert found[["parcel_id", "code"]].to_numpy().tolist() == [[3, "y"], [7, "x"]]


def test_nothing_against_nothing_has_the_columns():
    nothing = gpd.GeoDataFrame({"ZDDM": []}, geometry=[], crs=4548)
    found = tabulate(nothing, nothing, id="ZDDM", cover=True)
    assert found.overlaps.columns.tolist() == ["parcel_id", "code", "area_m2", "share"]
    assert found.cover.columns.tolist() == ["parcel_id", "area_m2", "rest_m2", "excess_m2"]
    assert found.overlaps.empty


def test_what_is_mended_is_told_at_the_line_of_the_caller():
    parcels = gpd.GeoSeries([box(0, 0), shapely.Polygon(), None], crs=4548)
    moved = shapely.transform(BOWTIE, lambda xy: xy + [515_000, 4_345_000])
    with pytest.warns(LowlandWarning) as told:
        found = tabulate(parcels, gpd.GeoSeries([moved], crs=4548))
    assert found["area_m2"].tolist() == pytest.approx([200])
    words = [str(each.message) for each in told]
    assert "parcels: 1 × no geometry was delivered" in words
    assert "parcels: 1 × the geometry is empty" in words
    assert any(text.startswith("zones: 1 × repair changed the area by more than") for text in words)
    assert {each.filename for each in told} == {__file__}


ONE = gpd.GeoDataFrame({"ZDDM": ["a"], "DLBM": ["x"]}, geometry=[box(0, 0)], crs=4548)
TWICE = gpd.GeoDataFrame({"ZDDM": ["a", "a"]}, geometry=[box(0, 0)] * 2, crs=4548)
DEGREES = ONE.to_crs(4490)
REFUSED = {
    "no system": (ONE.set_crs(None, allow_override=True), ONE, {}, "parcels: the coordinate system is unknown"),
    "no system of zones": (ONE, ONE.set_crs(None, allow_override=True), {}, "zones: the coordinate system is unknown"),
    "degrees": (DEGREES, ONE, {}, "parcels: the parcels are in degrees"),
    "old datum": (ONE, ONE.set_crs(2384, allow_override=True), {}, "only a ballpark shift is known"),
    "metres said to be degrees": (ONE, ONE.set_crs(4490, allow_override=True), {}, "declared as degrees"),
    "no such field": (ONE, ONE, {"by": "DLDM"}, "zones: there is no field 'DLDM'. Did you mean ZDDM. It has: ZDDM, DLBM"),
    "no such name": (ONE, ONE, {"id": "nix"}, "parcels: there is no field 'nix'"),
    "doubled": (TWICE, ONE, {"id": "ZDDM"}, "1 values of ZDDM stand for several parcels, for example 'a'"),
    "doubled index": (TWICE.set_index("ZDDM"), ONE, {}, "1 values of the index stand for several parcels"),
    "levels": (TWICE.set_index([[1, 2], [3, 4]]), ONE, {}, "its index has several levels"),
    "no geometry": (pd.DataFrame({"ZDDM": ["a"]}), ONE, {}, "parcels: it holds no geometries"),
    "no active geometry": (gpd.GeoDataFrame({"ZDDM": ["a"]}), ONE, {}, "parcels: it holds no geometries"),
    "plain table": (pa.table({"ZDDM": ["a"]}), ONE, {}, "parcels: it holds no geometries"),
    "one name twice": (
        pd.concat([ONE, ONE[["ZDDM"]]], axis=1), ONE, {}, "parcels: several columns are called ZDDM"
    ),
    "lists": (ONE, ONE.assign(DLBM=[["x"]]), {"by": "DLBM"}, "holds lists or tables, by which nothing can be named"),
    "mixed": (
        ONE, pd.concat([ONE, ONE.assign(DLBM=5)]), {"by": "DLBM"}, "zones: the field DLBM holds values of several kinds"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_in_the_words_of_the_command(name: str):
    parcels, zones, fields, words = REFUSED[name]
    with warnings.catch_warnings(), pytest.raises(InputRefusedError, match=words):
        warnings.simplefilter("ignore", LowlandWarning)
        tabulate(parcels, zones, **fields)


def test_a_system_may_be_given():
    bare = ONE.set_crs(None, allow_override=True)
    assert tabulate(bare, ONE, src_crs="EPSG:4548")["area_m2"].tolist() == [10_000]
    assert tabulate(bare, bare, src_crs="EPSG:4548")["area_m2"].tolist() == [10_000]
    assert tabulate(DEGREES.set_geometry(ONE.geometry), ONE, src_crs="parcels=EPSG:4548")[
        "share"
    ].tolist() == [1]
    with pytest.raises(UsageError, match="both declare one"):
        tabulate(ONE, ONE, src_crs="EPSG:4548")


def test_what_has_no_rows_is_no_layer():
    with pytest.raises(UsageError, match="parcels: ndarray is no layer"):
        tabulate(np.array([box(0, 0)]), ONE)


def test_an_arrow_column_of_plain_wkb_needs_a_system():
    plain = pa.table({"geometry": pa.array(ONE.geometry.to_wkb().tolist(), pa.binary())})
    with pytest.raises(InputRefusedError, match="parcels: the coordinate system is unknown"):
        tabulate(plain, ONE)
    assert lowland_gis.tabulate(plain, ONE, src_crs="EPSG:4548")["area_m2"].tolist() == [10_000]


def test_sql_gives_what_lowland_itself_gives(layers, database, monkeypatch):
    monkeypatch.setenv("LOWLAND_DSN", database)
    ours, theirs = (tabulate(*layers, **NAMES, cover=True, engine=name) for name in ("local", "postgis"))
    assert len(ours.overlaps) > 50
    for one, other in zip(ours, theirs, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-9, atol=1e-6)


def test_an_engine_that_there_is_not_is_refused_with_the_nearest(layers):
    with pytest.raises(UsageError, match=r"engine = 'postgres'.* Did you mean 'postgis'\?"):
        tabulate(*layers, engine="postgres")


def test_sql_without_a_database_says_how_to_name_one(layers, monkeypatch, tmp_path):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatabaseError, match="LOWLAND_DSN"):
        tabulate(*layers, engine="postgis")
