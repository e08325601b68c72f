"""Files as real software writes them, whole and broken, through `opened` and `read`."""

from __future__ import annotations

import sqlite3
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lowland_gis.analysis.geometry import repair
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.batches import Whole, bounds
from lowland_gis.files.read import read
from lowland_gis.files.read import received as stream
from lowland_gis.files.source import opened
from made_files import write_shapefile

TOWNS = ("北辰区天穆镇", "北辰区双街镇", "北辰区小淀镇")
FRAME = gpd.GeoDataFrame(
    {"宗地代码": ["P1", "P2", "P3"], "ZL": list(TOWNS), "MJ": [1.5, None, 3.25], "NF": [2021, 2022, 2023]},
    geometry=[shapely.box(515_000 + 200 * n, 4_345_000, 515_100 + 200 * n, 4_345_100) for n in range(3)],
    crs=4548,
)


def shapefile(folder: Path, encoding: str = "GBK", *, cpg: str | None = None, ldid: int = 0) -> Path:
    # In UTF-8 the Chinese field name would be cut inside a character.
    rows = FRAME if encoding == "GBK" else FRAME.rename(columns={"宗地代码": "ZDDM"})
    return write_shapefile(folder / "a.shp", rows, encoding, cpg=cpg, ldid=ldid)


def take(path: Path | str, folder: Path, *, encoding: str | None = None) -> Whole:
    with opened(str(path), folder) as source:
        return read(source, encoding=encoding)


def refusal(path: Path | str, folder: Path) -> str:
    with pytest.raises(InputRefusedError) as refused:
        take(path, folder)
    assert "Ask" in str(refused.value) or "Name one" in str(refused.value) or "name one" in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("encoding", "cpg", "ldid", "read_as"),
    [
        ("GBK", None, 0, "gb18030"),
        ("GBK", None, 0x4D, "gb18030"),
        ("GBK", "GBK", 0x4D, "gb18030"),
        ("GBK", "UTF-8", 0, "gb18030"),
        ("GBK", "UTF-8", 0x4D, "gb18030"),
        ("GBK", "ISO-8859-1", 0x57, "gb18030"),
        ("UTF-8", None, 0, "utf-8"),
        ("UTF-8", "UTF-8", 0, "utf-8"),
        ("UTF-8", "GBK", 0x4D, "utf-8"),
    ],
)
def test_a_shapefile_in_every_dress(tmp_path: Path, encoding: str, cpg: str | None, ldid: int, read_as: str):
    received = take(shapefile(tmp_path, encoding, cpg=cpg, ldid=ldid), tmp_path)
    assert received.encoding is not None
    assert received.encoding.name == read_as
    assert received.attributes["ZL"].tolist() == list(TOWNS)
    if encoding == "GBK":
        assert "宗地代码" in received.attributes.columns
    assert received.attributes["NF"].tolist() == [2021, 2022, 2023]
    np.testing.assert_array_equal(received.attributes["MJ"], [1.5, np.nan, 3.25])
    assert received.declared_crs == "EPSG:4548"


def test_coordinates_come_bit_for_bit(tmp_path: Path):
    received = take(shapefile(tmp_path), tmp_path)
    shapes = shapely.from_wkb(received.wkb)
    np.testing.assert_array_equal(bounds(shapes), FRAME.total_bounds)
    assert shapely.equals(shapes, FRAME.geometry.to_numpy()).all()


def test_a_given_encoding_that_does_not_fit_is_refused(tmp_path: Path):
    with pytest.raises(InputRefusedError, match="not all text is utf-8"):
        take(shapefile(tmp_path), tmp_path, encoding="utf-8")


def test_without_a_prj_no_system_is_declared(tmp_path: Path):
    path = shapefile(tmp_path)
    path.with_suffix(".prj").unlink()
    assert take(path, tmp_path).declared_crs is None


@pytest.mark.parametrize(("suffix", "bytes_left", "words"), [(".shp", 300, "is cut off"), (".shx", 108, ".shx file"), (".dbf", 400, "it was cut off")])  # fmt: skip
def test_a_cut_part_is_refused(tmp_path: Path, suffix: str, bytes_left: int, words: str):
    path = shapefile(tmp_path)
    part = path.with_suffix(suffix)
    assert part.stat().st_size > bytes_left
    part.write_bytes(part.read_bytes()[:bytes_left])
    assert words in refusal(path, tmp_path)


def test_a_dbf_of_another_file_is_refused(tmp_path: Path):
    path = shapefile(tmp_path)
    (tmp_path / "other").mkdir()
    FRAME.iloc[:2].to_file(tmp_path / "other" / "b.shp", engine="pyogrio", encoding="GBK")
    path.with_suffix(".dbf").write_bytes((tmp_path / "other" / "b.dbf").read_bytes())
    assert ".dbf counts 2 records, .shx 3" in refusal(path, tmp_path)


def test_records_that_are_marked_as_deleted_are_not_missing(tmp_path: Path):
    path = shapefile(tmp_path)
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    start, width = struct.unpack("<HH", dbf[8:12])
    dbf[start + width] = ord("*")
    path.with_suffix(".dbf").write_bytes(dbf)
    assert take(path, tmp_path).attributes["宗地代码"].tolist() == ["P1", "P3"]


def with_ring(folder: Path, points: list[tuple[float, float]]) -> Path:
    """Write three polygons to a GeoPackage and put another ring into the second, as no library would."""
    path = folder / "a.gpkg"
    FRAME.to_file(path, layer="a", engine="pyogrio")
    ring = struct.pack("<BII", 1, 3, 1) + struct.pack("<I", len(points))
    body = ring + b"".join(struct.pack("<2d", *point) for point in points)
    blob = b"GP\x00\x01" + struct.pack("<i", 4548) + body
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER IF EXISTS rtree_a_geom_update1")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE a SET geom = ? WHERE fid = 2", (blob,))
    database.close()
    return path


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        ([(0.0, 0.0), (1.0, 1.0)], "geometry_unreadable"),
        ([(0.0, 0.0), (1.0, float("nan")), (1.0, 1.0), (0.0, 0.0)], "geometry_not_finite"),
        ([(0.0, 0.0), (1.0, 0.0), (0.0, 0.0), (0.0, 0.0)], "geometry_collapsed"),
    ],
)
def test_one_bad_ring_beside_good_rows(tmp_path: Path, points: list[tuple[float, float]], fault: str):
    received = take(with_ring(tmp_path, points), tmp_path)
    assert received.wkb is not None
    found = repair.repair(*repair.decode(received.wkb), "polygon")
    assert found.fault.tolist() == ["", fault, ""]
    assert found.usable.tolist() == [True, False, True]


def test_an_index_longer_than_the_records_is_refused(tmp_path: Path):
    path = shapefile(tmp_path)
    with path.with_suffix(".shx").open("ab") as index:
        index.write(bytes(8))
    assert ".dbf counts 3 records, .shx 4" in refusal(path, tmp_path)


def test_layers_are_named_when_the_choice_is_open_or_wrong(tmp_path: Path):
    for layer in ("XZ", "CUN"):
        FRAME.to_file(tmp_path / "a.gpkg", layer=layer, engine="pyogrio")
    assert "it holds several layers. Name one of: XZ, CUN" in refusal("a.gpkg", tmp_path)
    assert "there is no layer 'xz' in it" in refusal("a.gpkg:xz", tmp_path)
    assert take("a.gpkg:CUN", tmp_path).layer == "CUN"


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".parquet", ".geojson"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_cut_file_of_any_kind_is_refused(tmp_path: Path, suffix: str, share: float):
    path = tmp_path / f"a{suffix}"
    many = pd.concat([FRAME] * 400, ignore_index=True)
    if suffix == ".parquet":
        many.to_parquet(path)
    else:
        many.to_file(path, engine="pyogrio")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert f"a{suffix}" in refusal(path.name, tmp_path)


def test_geoparquet(tmp_path: Path):
    FRAME.to_parquet(tmp_path / "a.parquet")
    received = take("a.parquet", tmp_path)
    assert received.attributes["ZL"].tolist() == list(TOWNS)
    assert shapely.equals(shapely.from_wkb(received.wkb), FRAME.geometry.to_numpy()).all()


def test_parquet_without_geometry_is_a_table(tmp_path: Path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    received = take("a.parquet", tmp_path)
    assert received.wkb is None
    assert received.attributes["a"].tolist() == [1]


def test_broken_parquet_is_refused(tmp_path: Path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing of the kind PAR1")
    assert "cannot be read as GeoParquet" in refusal("a.parquet", tmp_path)


def test_batches_follow_each_other_and_are_the_whole(tmp_path: Path):
    path = shapefile(tmp_path)
    with opened(str(path), tmp_path) as source, stream(source, batch_rows=2) as parts:
        batches = list(parts.batches)
        assert parts.n_rows == len(TOWNS)
    assert [batch.first_row for batch in batches] == [0, 2]
    names = [name for batch in batches for name in batch.attributes.column("ZL").to_pylist()]
    assert names == list(TOWNS)
    assert sum(len(batch.wkb) for batch in batches) == len(TOWNS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_decided_by_its_bytes_and_stays_text(tmp_path: Path, encoding: str):
    (tmp_path / "a.csv").write_text("宗地代码,年份\n0123,2023\n北辰区天穆镇,\n", encoding=encoding)
    rows = take("a.csv", tmp_path).attributes
    assert rows.to_dict("list") == {"宗地代码": ["0123", "北辰区天穆镇"], "年份": ["2023", ""]}


def test_a_csv_line_of_another_length_is_refused(tmp_path: Path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    assert "line 3" in refusal("a.csv", tmp_path)


def test_heights_are_left_out(tmp_path: Path):
    solid = gpd.GeoDataFrame(geometry=[shapely.force_3d(shapely.box(0, 0, 9, 9), 5.0)], crs=4548)
    solid.to_file(tmp_path / "a.gpkg", engine="pyogrio")
    received = take("a.gpkg", tmp_path)
    assert received.wkb is not None
    shapes, _ = repair.decode(received.wkb)
    assert not shapely.has_z(shapes).any()
    assert len(received.attributes) == 1


def test_fields_of_one_name_are_kept_apart(tmp_path: Path):
    path = shapefile(tmp_path)
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    first, second = dbf[64:75], dbf[96:107]
    assert second.startswith(b"MJ")
    assert first.startswith(b"ZL")
    dbf[96:107] = first
    path.with_suffix(".dbf").write_bytes(dbf)
    columns = list(take(path, tmp_path).attributes.columns)
    assert len(columns) == len(set(columns)) == 4


def workbook(folder: Path, sheets: dict[str, pd.DataFrame]) -> None:
    with pd.ExcelWriter(folder / "a.xlsx", engine="xlsxwriter") as writer:
        for name, rows in sheets.items():
            rows.to_excel(writer, sheet_name=name, index=False)


ROWS = pd.DataFrame({" 宗地代码 ": ["0012"], "年份": [2023], "亩均税收（万元/亩）": [1.5]})


def test_a_workbook_keeps_codes_as_text(tmp_path: Path):
    workbook(tmp_path, {"企业": ROWS, "空": pd.DataFrame()})
    received = take("a.xlsx", tmp_path)
    assert received.wkb is None
    assert received.layer == "企业"
    assert received.attributes.to_dict("list") == {
        "宗地代码": ["0012"],
        "年份": [2023],
        "亩均税收（万元/亩）": [1.5],
    }


def test_sheets_are_named_when_the_choice_is_open(tmp_path: Path):
    workbook(tmp_path, {"甲": ROWS, "乙": ROWS})
    assert "甲, 乙" in refusal("a.xlsx", tmp_path)
    assert take("a.xlsx:乙", tmp_path).layer == "乙"


@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_cut_workbook_is_refused(tmp_path: Path, share: float):
    workbook(tmp_path, {"甲": ROWS})
    path = tmp_path / "a.xlsx"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "cannot be read as a workbook" in refusal("a.xlsx", tmp_path)


def test_a_zip_under_the_name_of_a_workbook_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("a.txt", "x")
    assert "cannot be read as a workbook" in refusal("a.xlsx", tmp_path)


def test_nothing_has_no_bounds():
    assert np.isnan(bounds(np.array([], dtype=object))).all()


def test_an_empty_layer_is_read(tmp_path: Path):
    FRAME.iloc[:0].to_file(tmp_path / "a.gpkg", engine="pyogrio")
    received = take("a.gpkg", tmp_path)
    assert len(received.attributes) == 0
    assert np.isnan(bounds(shapely.from_wkb(received.wkb))).all()


HIGH_BYTES = [
    bytes([lead, trail]) for lead in range(0x81, 0xFF) for trail in (0x40, 0x5C, 0x7E, 0x80, 0xA1, 0xFE)
]


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_texts_are_decoded_as_python_decodes_them(tmp_path: Path, encoding: str):
    """Every byte goes through GDAL unchanged, also those that western code pages leave empty."""
    words = []
    for pair in HIGH_BYTES:
        try:
            words.append(pair.decode(encoding))
        except UnicodeDecodeError:
            continue
    frame = gpd.GeoDataFrame(
        {"ZL": ["x" * 8] * len(words)}, geometry=[FRAME.geometry[0]] * len(words), crs=4548
    )
    path = tmp_path / "a.shp"
    frame.to_file(path, engine="pyogrio", encoding="ISO-8859-1")
    dbf = path.with_suffix(".dbf")
    content = bytearray(dbf.read_bytes())
    start, width = int.from_bytes(content[8:10], "little"), int.from_bytes(content[10:12], "little")
    for row, word in enumerate(words):
        place = start + row * width + 1
        content[place : place + 8] = word.encode(encoding).ljust(8)
    dbf.write_bytes(content)
    got = take(path, tmp_path, encoding=encoding)
    assert got.attributes["ZL"].tolist() == words
    assert len(words) > 300
