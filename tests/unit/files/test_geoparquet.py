"""GeoParquet as writers of several kinds make it, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Whole
from lowland_gis.files.crs import reference
from lowland_gis.files.geoparquet import GeoParquet, opened_geoparquet
from lowland_gis.files.read import read
from lowland_gis.files.source import opened

ROWS = 1000
FRAME = gpd.GeoDataFrame(
    {"ZDDM": [f"P{n:04}" for n in range(ROWS)], "MJ": np.arange(ROWS) / 4},
    geometry=shapely.box(515_000 + np.arange(ROWS), 4_345_000, 515_001 + np.arange(ROWS), 4_345_001),
    crs=4548,
)


def written(folder: Path, **options: object) -> Path:
    FRAME.to_parquet(folder / "a.parquet", **options)
    return folder / "a.parquet"


def rewritten(folder: Path, change, **options: object) -> Path:
    """Write the file with other `geo` metadata: `change` gets what is there and returns what shall be."""
    path = written(folder)
    table = pq.read_table(path)
    geo = change(json.loads(table.schema.metadata[b"geo"]))
    metadata = {} if geo is None else {b"geo": geo if isinstance(geo, bytes) else json.dumps(geo).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, **options)
    return path


def column_with(**said: object):
    def change(geo: dict) -> dict:
        geo["columns"]["geometry"] |= said
        return geo

    return change


def take(path: Path) -> Whole:
    with opened(path.name, path.parent) as source:
        return read(source)


def refusal(path: Path) -> str:
    with pytest.raises(InputRefusedError) as refused:
        take(path)
    message = str(refused.value)
    assert message.startswith("a.parquet: ")
    return message


def batches(
    path: Path, rows: int, fields: list[str] | None = None
) -> tuple[GeoParquet, list[pa.RecordBatch]]:
    with opened(path.name, path.parent) as source:
        file = opened_geoparquet(source)
        return file, list(file.batches(rows, fields=fields))


@pytest.mark.parametrize("group", [ROWS, 300, 7])
@pytest.mark.parametrize("rows", [1, 64, ROWS, 2 * ROWS])
def test_batches_of_any_size_hold_every_row_once(tmp_path: Path, group: int, rows: int):
    file, parts = batches(written(tmp_path, row_group_size=group), rows)
    assert (file.fields, file.geometry, file.n_rows) == (("ZDDM", "MJ"), "geometry", ROWS)
    assert max(part.num_rows for part in parts) <= rows
    whole = pa.Table.from_batches(parts)
    assert whole.column("ZDDM").to_pylist() == FRAME["ZDDM"].tolist()
    shapes = shapely.from_wkb(whole.column("geometry").to_pylist())
    assert shapely.equals_identical(shapes, FRAME.geometry.to_numpy()).all()


def test_only_the_fields_that_are_asked_for_are_read(tmp_path: Path):
    _, parts = batches(written(tmp_path), 10, ["MJ"])
    assert {tuple(part.schema.names) for part in parts} == {("MJ", "geometry")}
    _, parts = batches(written(tmp_path), 10, [])
    assert {tuple(part.schema.names) for part in parts} == {("geometry",)}


def test_bounding_boxes_and_further_geometries_are_no_attributes(tmp_path: Path):
    rows = FRAME.assign(centre=FRAME.geometry.centroid)
    rows.to_parquet(tmp_path / "a.parquet", write_covering_bbox=True)
    assert {"bbox", "centre"} < set(pq.read_schema(tmp_path / "a.parquet").names)
    whole = take(tmp_path / "a.parquet")
    assert whole.attributes.columns.tolist() == ["ZDDM", "MJ"]
    assert len(whole.wkb) == ROWS


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("compression", ["NONE", "SNAPPY", "ZSTD"])
def test_every_form_of_binary_and_compression(tmp_path: Path, kind: pa.DataType, compression: str):
    path = written(tmp_path)
    table = pq.read_table(path)
    table = table.set_column(2, pa.field("geometry", kind), table.column("geometry").cast(kind))
    pq.write_table(table, path, compression=compression)
    assert shapely.equals_identical(shapely.from_wkb(take(path).wkb), FRAME.geometry.to_numpy()).all()


def test_missing_geometries_stay_missing(tmp_path: Path):
    FRAME.iloc[:3].assign(geometry=[FRAME.geometry[0], None, shapely.Polygon()]).set_crs(4548).to_parquet(
        tmp_path / "a.parquet"
    )
    wkb = take(tmp_path / "a.parquet").wkb
    assert [item is None for item in wkb] == [False, True, False]
    assert shapely.from_wkb(wkb[2]).is_empty


def test_the_declared_system(tmp_path: Path):
    assert "4548" in str(take(written(tmp_path)).declared_crs)
    assert take(rewritten(tmp_path, column_with(crs=None))).declared_crs is None

    def without(geo: dict) -> dict:
        del geo["columns"]["geometry"]["crs"]
        return geo

    assert "CRS84" in str(take(rewritten(tmp_path, without)).declared_crs)


def test_without_geo_metadata_the_columns_own_description_is_read(tmp_path: Path):
    """geopandas describes the column in Arrow's schema as well."""
    whole = take(rewritten(tmp_path, lambda _: None))
    assert whole.wkb is not None
    assert reference(whole.declared_crs, "a").name == "EPSG:4548"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: b"{ not JSON", "name no primary geometry column"),
        (lambda _: b"\xff\xfe", "name no primary geometry column"),
        (lambda _: ["geometry"], "name no primary geometry column"),
        (lambda _: {}, "name no primary geometry column"),
        (lambda geo: geo | {"primary_column": None}, "name no primary geometry column"),
        (lambda geo: geo | {"columns": {}}, "name no primary geometry column"),
        (lambda geo: geo | {"columns": {"geometry": "WKB"}}, "name no primary geometry column"),
        (lambda geo: geo | {"primary_column": "geom", "columns": {"geom": {"encoding": "WKB"}}}, "'geom', which it does not have"),
        (lambda geo: geo | {"primary_column": "ZDDM", "columns": {"ZDDM": {"encoding": "WKB"}}}, "WKB in a column of type"),
        (column_with(encoding="polygon"), "its geometries are polygon"),
        (column_with(encoding=None), "not WKB"),
        (column_with(crs={"type": "nonsense"}), "its coordinate system cannot be read"),
        (column_with(crs="EPSG:999999"), "its coordinate system cannot be read"),
    ],
)  # fmt: skip
def test_metadata_that_make_no_sense_are_refused(tmp_path: Path, change, words: str):
    message = refusal(rewritten(tmp_path, change))
    assert words in message
    assert "Ask" in message


def test_coordinates_in_columns_of_their_own_are_refused(tmp_path: Path):
    message = refusal(written(tmp_path, geometry_encoding="geoarrow"))
    assert "its geometries are polygon" in message


def test_columns_of_one_name_are_refused(tmp_path: Path):
    table = pq.read_table(written(tmp_path))
    doubled = table.append_column("ZDDM", table.column("MJ"))
    pq.write_table(doubled, tmp_path / "a.parquet")
    assert "several columns are called ZDDM" in refusal(tmp_path / "a.parquet")


@pytest.mark.parametrize("left", [4, 12, 5_000, 0.5, 0.99])
def test_a_cut_file_is_refused(tmp_path: Path, left: float):
    path = written(tmp_path, row_group_size=100)
    content = path.read_bytes()
    path.write_bytes(content[: int(left if left >= 1 else left * len(content))])
    assert "cannot be read as GeoParquet" in refusal(path)


def test_a_flipped_byte_is_refused_or_harmless(tmp_path: Path):
    """With checksums in the pages nothing that was changed is taken for what was sent; never a traceback."""
    path = written(tmp_path, row_group_size=100, write_page_checksum=True, compression="NONE")
    before, content = take(path), path.read_bytes()
    refused = 0
    for position in range(4, len(content), 997):
        broken = bytearray(content)
        broken[position] ^= 0x10
        path.write_bytes(broken)
        try:
            after = take(path)
        except InputRefusedError:
            refused += 1
        else:
            assert after.wkb is not None
            assert after.wkb.tolist() == before.wkb.tolist()
    assert refused > 20
