"""Parquet files whose geometry column is of the logical type GEOMETRY, as newer libraries write them without `geo` metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Whole
from lowland_gis.files.crs import reference
from lowland_gis.files.read import read
from lowland_gis.files.source import opened
from made_files import box

SHAPES = [box(0, 0), box(100, 0)]
PROJJSON = json.loads(CRS.from_epsg(4548).to_json())


class GeoArrow(pa.ExtensionType):
    """GeoArrow's type of WKB, which pyarrow writes as GEOMETRY."""

    def __init__(self, facts: str) -> None:
        self.facts = facts
        super().__init__(pa.binary(), "geoarrow.wkb")

    def __arrow_ext_serialize__(self) -> bytes:
        return self.facts.encode()


def write(
    path: Path, facts: dict[str, object], names: tuple[str, ...] = ("geometry",), **metadata: str
) -> Path:
    kind = GeoArrow(json.dumps(facts))
    column = pa.ExtensionArray.from_storage(kind, pa.array(shapely.to_wkb(SHAPES).tolist(), pa.binary()))
    rows = pa.table({"DLBM": ["0601", "0701"], **dict.fromkeys(names, column)})
    with pq.ParquetWriter(path, rows.schema, store_schema=False) as file:
        file.write_table(rows)
        file.add_key_value_metadata(metadata)
    return path


def taken(path: Path) -> Whole:
    with opened(str(path), path.parent) as source:
        return read(source)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"crs": PROJJSON}, "EPSG:4548"),
        ({"crs": "EPSG:4548", "crs_type": "authority_code"}, "EPSG:4548"),
        ({"crs": "4548", "crs_type": "srid"}, "EPSG:4548"),
        ({"crs": CRS.from_epsg(4548).to_wkt()}, "EPSG:4548"),
        ({"crs": "EPSG:4490", "edges": "spherical"}, "EPSG:4490"),
    ],
    ids=["PROJJSON", "authority", "srid", "WKT", "geography"],
)
def test_the_type_and_its_system_are_read(tmp_path: Path, facts: dict[str, object], code: str):
    path = write(tmp_path / "a.parquet", facts)
    assert pq.ParquetFile(path).schema.column(1).logical_type.type in ("GEOMETRY", "GEOGRAPHY")
    found = taken(path)
    assert reference(found.declared_crs, "a").name == code
    assert list(found.attributes) == ["DLBM"]
    assert shapely.from_wkb(found.wkb).tolist() == SHAPES


def test_without_a_system_it_is_longitude_and_latitude(tmp_path: Path):
    found = taken(write(tmp_path / "a.parquet", {}))
    assert CRS.from_wkt(found.declared_crs) == CRS.from_user_input("OGC:CRS84")


def test_a_system_may_stand_in_the_metadata_of_the_file(tmp_path: Path):
    path = write(tmp_path / "a.parquet", {"crs": "projjson:places"}, places=json.dumps(PROJJSON))
    assert reference(taken(path).declared_crs, "a").name == "EPSG:4548"


@pytest.mark.parametrize("said", ["srid:0", "0"])
def test_an_unknown_system_is_to_be_given(tmp_path: Path, said: str):
    assert taken(write(tmp_path / "a.parquet", {"crs": said})).declared_crs is None


def test_a_system_that_nobody_knows_is_refused(tmp_path: Path):
    with pytest.raises(InputRefusedError, match="coordinate system cannot be read"):
        taken(write(tmp_path / "a.parquet", {"crs": "projjson:nowhere"}))


def test_of_several_columns_the_one_called_geometry_is_taken(tmp_path: Path):
    found = taken(write(tmp_path / "a.parquet", {"crs": PROJJSON}, ("centre", "geometry")))
    assert list(found.attributes) == ["DLBM"]
    with pytest.raises(InputRefusedError, match=r"several columns of geometries \(a, b\)"):
        taken(write(tmp_path / "b.parquet", {"crs": PROJJSON}, ("a", "b")))


def test_what_geoarrow_wrote_before_the_type_was_there(tmp_path: Path):
    """Older libraries keep the description in Arrow's own schema, beside a plain column of bytes."""
    facts = {
        b"ARROW:extension:name": b"geoarrow.wkb",
        b"ARROW:extension:metadata": json.dumps({"crs": PROJJSON}).encode(),
    }
    field = pa.field("geom", pa.binary(), metadata=facts)
    rows = pa.table(
        [pa.array(["0601", "0701"]), pa.array(shapely.to_wkb(SHAPES).tolist())],
        schema=pa.schema([("DLBM", pa.string()), field]),
    )
    pq.write_table(rows, tmp_path / "a.parquet")
    assert pq.ParquetFile(tmp_path / "a.parquet").schema.column(1).logical_type.type == "NONE"
    found = taken(tmp_path / "a.parquet")
    assert reference(found.declared_crs, "a").name == "EPSG:4548"
    assert shapely.from_wkb(found.wkb).tolist() == SHAPES


def test_a_plain_table_stays_one(tmp_path: Path):
    pq.write_table(pa.table({"a": [1], "b": [b"x"]}), tmp_path / "a.parquet")
    assert taken(tmp_path / "a.parquet").wkb is None
