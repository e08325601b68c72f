"""Every kind of value and shape through every form that is written, read again by the reader and by GDAL itself."""

from __future__ import annotations

import datetime as dt
import json
import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

import fiona
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drawings import drawn, lot, open_lot
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.exported.compared import compared
from lowland_gis.files.exported.dbf_columns import field_names
from lowland_gis.files.exported.geoparquet import write_parquet
from lowland_gis.files.exported.layer import Layer
from lowland_gis.pipeline.conversion.convert import FORMS, Asked, convert

EAST, NORTH = 515000.123456, 4345300.654321
# GDAL of PyPI reads neither; a VCT is read by no other program here.
NO_OTHER_READER = (".parquet", ".vct")
# A coordinate text has fields of its own and no others; see test_text_forms.
WITH_SHAPES = [suffix for suffix in FORMS if suffix not in (".dbf", ".txt")]
LOT = shapely.box(EAST, NORTH, EAST + 30.5, NORTH + 40.25)
HOLED = LOT.buffer(10, join_style="mitre").difference(LOT)
TWO = shapely.MultiPolygon([LOT, shapely.box(EAST + 100, NORTH, EAST + 130, NORTH + 20)])


def source(
    folder: Path, columns: dict[str, pa.Array], shapes: list | None = None, crs: str | None = "EPSG:4548"
) -> str:
    """A GeoParquet file, which holds every type of column and kind of shape."""
    file = folder / "source.parquet"
    geometries = None if shapes is None else np.array(shapes, dtype=object)
    write_parquet([Layer("source", pa.table(columns), geometries, crs)], file, dt.date(2024, 1, 1))
    return str(file)


def to(folder: Path, columns: dict[str, pa.Array], suffix: str, shapes: list | None = None, **asked: str):
    """Convert the only layer and return what came of it, and the file."""
    target = folder / f"out{suffix}"
    shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    (found,) = convert(source(folder, columns, shapes), target, Asked(**asked), folder=folder)
    return found, target


def rows_of(file: Path) -> list[dict]:
    """What fiona, which asks GDAL for each value by itself, reads."""
    with fiona.open(file) as layer:
        return [dict(row.properties) for row in layer]


PLAIN = {
    "ZDDM": pa.array(["120113101001GB00001", "120113101001GB00002", None]),
    "名称": pa.array(["天津甲厂", "乙厂（旧）", "丙"]),
    "面积": pa.array([1234.5678, 0.1, None]),
    "户数": pa.array([1, -20, None], pa.int32()),
    "日期": pa.array([dt.date(2023, 12, 31), None, dt.date(1999, 1, 1)]),
}


@pytest.mark.parametrize("suffix", WITH_SHAPES)
def test_plain_values_and_shapes_are_all_there(tmp_path, suffix):
    found, target = to(tmp_path, PLAIN, suffix, [LOT, HOLED, TWO])
    assert found.lost == ()
    assert found.comparison.same
    assert found.system == "EPSG:4548"
    assert found.comparison.area_after == pytest.approx(LOT.area + HOLED.area + TWO.area, abs=0.01)
    if suffix not in NO_OTHER_READER:
        rows = rows_of(target)
        assert [row["ZDDM"] for row in rows] == ["120113101001GB00001", "120113101001GB00002", None]
        assert [row["名称"] for row in rows] == ["天津甲厂", "乙厂（旧）", "丙"]
        assert [row["面积"] for row in rows] == [1234.5678, 0.1, None]
        assert [str(row["日期"])[:10] for row in rows] == ["2023-12-31", "None", "1999-01-01"]


@pytest.mark.parametrize("suffix", [".dbf", ".gpkg", ".gdb", ".parquet"])
def test_a_table_without_shapes(tmp_path, suffix):
    found, _ = to(tmp_path, PLAIN, suffix)
    assert (found.lost, found.comparison.n_after) == ((), 3)


def test_a_shapefile_says_its_encoding_and_has_chinese_names_in_it(tmp_path):
    _, target = to(tmp_path, PLAIN, ".shp", [LOT, LOT, LOT])
    head = target.with_suffix(".dbf").read_bytes()
    assert head[29] == 0x4D
    assert target.with_suffix(".cpg").read_text() == "GBK"
    assert "名称".encode("gbk") in head[:300]
    said = subprocess.run(
        ["ogrinfo", "-so", "-al", target], capture_output=True, text=True, check=True
    ).stdout
    assert "名称: String" in said
    assert "Feature Count: 3" in said


def test_names_that_are_too_long_are_cut_apart_and_named(tmp_path):
    columns = {
        "土地利用现状名称": pa.array(["a"]),
        "土地利用现状代码": pa.array(["b"]),
        "土地利用现": pa.array(["c"]),
    }
    found, target = to(tmp_path, columns, ".shp", [LOT])
    assert rows_of(target) == [{"土地利用_2": "a", "土地利用_3": "b", "土地利用现": "c"}]
    assert [lost for lost in found.lost if "is called" in lost] == [
        "field 土地利用现状名称 is called 土地利用_2", "field 土地利用现状代码 is called 土地利用_3",
    ]  # fmt: skip


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=30))
def test_names_are_always_apart_and_fit(names):
    made = field_names(names)
    assert len({name.casefold() for name in made}) == len(names)
    assert all(0 < len(name.encode("gbk")) <= 10 for name in made)


def test_a_text_that_is_too_long_or_has_no_place_in_gbk_is_refused_with_its_row(tmp_path):
    with pytest.raises(
        InputRefusedError, match="2 values cannot stand.*row 1.*255 bytes.*row 0.*GBK does not have"
    ):
        to(tmp_path, {"长": pa.array(["", "x" * 255]), "字": pa.array(["𠮷", ""])}, ".shp", [LOT, LOT])
    assert {file.name for file in tmp_path.iterdir()} == {"source.parquet"}


def test_an_empty_text_and_a_missing_one_are_one_in_a_dbf_and_that_is_named(tmp_path):
    found, _ = to(tmp_path, {"BZ": pa.array(["", None, "x"])}, ".shp", [LOT] * 3)
    assert found.lost == ("BZ: 1 values came back otherwise, first in row 1: '' → none",)
    kept, _ = to(tmp_path, {"BZ": pa.array(["", None, "x"])}, ".gpkg", [LOT] * 3)
    assert kept.lost == ()


def test_blanks_at_the_end_of_a_text_are_named(tmp_path):
    found, _ = to(tmp_path, {"BZ": pa.array(["甲 ", "乙"])}, ".shp", [LOT] * 2)
    assert found.lost == ("BZ: 1 values came back otherwise, first in row 1: '甲 ' → '甲'",)


WIDE = {
    "long": pa.array([2**40 + 1, None]),
    "longer": pa.array([2**60 + 1, 1]),
    "ja": pa.array([True, None]),
    "tiny": pa.array([1e-13, 12345678.9]),
    "nan": pa.array([float("nan"), 1.5]),
    "mal": pa.array(["2023-01-02T03:04:05", None]).cast(pa.timestamp("ms")),
    "gezaehlt": pa.array(["a", "b"]).dictionary_encode(),
    "nichts": pa.nulls(2),
}


def test_wide_numbers_moments_and_other_types(tmp_path):
    for suffix in (".gpkg", ".parquet"):
        assert to(tmp_path, WIDE, suffix, [LOT] * 2)[0].lost == ()
    found, target = to(tmp_path, WIDE, ".gdb", [LOT] * 2)
    assert found.lost == ()
    assert [row["long"] for row in rows_of(target)] == [2**40 + 1, None]
    assert [row["longer"] for row in rows_of(target)] == [str(2**60 + 1), "1"]
    assert [note.split(":")[0] for note in found.notes] == ["long", "longer"]
    found, target = to(tmp_path, WIDE, ".shp", [LOT] * 2)
    assert [lost.split(":")[0] for lost in found.lost] == ["tiny"]
    assert [row["long"] for row in rows_of(target)] == [2**40 + 1, None]


def test_what_no_form_holds_is_left_out_by_name(tmp_path):
    columns = {"a": pa.array(["x"]), "liste": pa.array([[1, 2]])}
    found, _ = to(tmp_path, columns, ".gpkg", [LOT])
    assert found.lost == (
        "field liste is left out: the form has no field for values of this kind (list<element: int64>)",
    )


@pytest.mark.parametrize("suffix", WITH_SHAPES)
def test_fields_that_are_called_as_the_form_calls_its_own(tmp_path, suffix):
    names = ("fid", "ogc_fid", "OBJECTID", "geom", "geometry", "SHAPE", "Shape_Area", "bbox")
    found, _ = to(tmp_path, {name: pa.array([7, 7], pa.int32()) for name in names}, suffix, [LOT, TWO])
    assert found.lost == ()
    assert found.comparison.same


@pytest.mark.parametrize("suffix", WITH_SHAPES)
def test_rows_without_a_shape_and_shapes_that_are_not_valid_are_carried(tmp_path, suffix):
    bow_tie = shapely.Polygon([(EAST, NORTH), (EAST + 9, NORTH + 9), (EAST + 9, NORTH), (EAST, NORTH + 9)])
    found, target = to(tmp_path, {"a": pa.array([1, 2, 3])}, suffix, [None, bow_tie, LOT])
    assert found.lost == ()
    if suffix not in NO_OTHER_READER:
        with fiona.open(target) as layer:
            assert [row.geometry is None for row in layer] == [True, False, False]


@pytest.mark.parametrize("suffix", WITH_SHAPES)
@pytest.mark.parametrize("shape", [shapely.Point(EAST, NORTH), shapely.MultiPoint([(EAST, NORTH), (EAST + 1, NORTH)]),
                                   shapely.LineString([(EAST, NORTH), (EAST + 5, NORTH)])])  # fmt: skip
def test_points_and_lines(tmp_path, suffix, shape):
    if suffix == ".vct" and shape.geom_type == "MultiPoint":
        with pytest.raises(InputRefusedError, match="of several parts, which a VCT cannot"):
            to(tmp_path, {"a": pa.array([1])}, suffix, [shape])
        return
    found, _ = to(tmp_path, {"a": pa.array([1])}, suffix, [shape])
    assert found.lost == ()


@pytest.mark.parametrize("suffix", [".shp", ".gdb"])
def test_several_kinds_of_shapes_are_refused_where_the_form_has_one(tmp_path, suffix):
    with pytest.raises(InputRefusedError, match="LineString and Polygon in one layer.*GeoPackage"):
        to(
            tmp_path,
            {"a": pa.array([1, 2])},
            suffix,
            [LOT, shapely.LineString([(EAST, NORTH), (EAST, NORTH + 1)])],
        )


def test_heights_are_kept_or_said_to_be_left_out(tmp_path):
    high = shapely.force_3d(LOT, 3.5)
    for suffix in (".gpkg", ".gdb"):
        _, target = to(tmp_path, {"a": pa.array([1])}, suffix, [high])
        with fiona.open(target) as layer:
            assert np.array(next(iter(layer)).geometry["coordinates"][0][0])[:, 2].tolist() == [3.5] * 5
    found, _ = to(tmp_path, {"a": pa.array([1])}, ".shp", [high])
    assert "heights (Z) are left out" in " ".join(found.notes)


def test_nothing_at_all(tmp_path):
    empty = {"a": pa.array([], pa.string())}
    for suffix in WITH_SHAPES:
        found, _ = to(tmp_path, empty, suffix, [])
        assert (found.comparison.n_before, found.comparison.n_after) == (0, 0)
    for suffix in (".gpkg", ".gdb", ".parquet"):
        assert to(tmp_path, {}, suffix, [])[0].comparison.n_after == 0


def test_into_another_plane_and_never_by_a_rough_shift(tmp_path):
    found, target = to(tmp_path, {"a": pa.array([1])}, ".gpkg", [LOT], crs="EPSG:4527")
    assert found.system == "EPSG:4527"
    with fiona.open(target) as layer:
        assert layer.bounds[0] == pytest.approx(39_000_000 + EAST, abs=0.001)
    with pytest.raises(InputRefusedError, match="only a ballpark shift"):
        to(tmp_path, {"a": pa.array([1])}, ".parquet", [LOT], crs="EPSG:2384")
    with pytest.raises(InputRefusedError, match="no known coordinate system"):
        to(tmp_path, {"a": pa.array([1])}, ".parquet", [LOT], crs="EPSG:99")


def test_a_file_without_a_system_is_not_given_one(tmp_path):
    place = source(tmp_path, {"a": pa.array([1])}, [LOT])
    convert(place, tmp_path / "a.shp", Asked(), folder=tmp_path)
    (tmp_path / "a.prj").unlink()
    with pytest.raises(InputRefusedError, match="--src-crs EPSG:4548"):
        convert(str(tmp_path / "a.shp"), tmp_path / "b.gpkg", Asked(), folder=tmp_path)
    (found,) = convert(
        str(tmp_path / "a.shp"), tmp_path / "b.gpkg", Asked(src_crs="EPSG:4548"), folder=tmp_path
    )
    assert found.system == "EPSG:4548"


def test_targets_that_are_not_written(tmp_path):
    place = source(tmp_path, {"a": pa.array([1])}, [LOT])
    with pytest.raises(UsageError, match=r"not written.*\.shp, \.dbf, \.gpkg"):
        convert(place, tmp_path / "a.docx", Asked(), folder=tmp_path)
    (tmp_path / "a.gdb").mkdir()
    with pytest.raises(UsageError, match="never replaced"):
        convert(place, tmp_path / "a.gdb", Asked(), folder=tmp_path)
    (tmp_path / "b.sbn").write_bytes(b"")
    with pytest.raises(UsageError, match="an index of other rows"):
        convert(place, tmp_path / "b.shp", Asked(), folder=tmp_path)
    with pytest.raises(InputRefusedError, match="has geometries, which a .dbf cannot hold"):
        convert(place, tmp_path / "c.dbf", Asked(), folder=tmp_path)
    with pytest.raises(InputRefusedError, match="is a table without geometries"):
        to(tmp_path, PLAIN, ".shp")
    assert not [file.name for file in tmp_path.iterdir() if file.name.startswith(".lowland")]


def test_the_same_file_gives_the_same_bytes(tmp_path):
    place = source(tmp_path, PLAIN, [LOT, HOLED, TWO])
    os.utime(place, (1_700_000_000, 1_700_000_000))
    for suffix in (".shp", ".parquet"):
        made = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir(exist_ok=True)
            convert(place, tmp_path / name / f"x{suffix}", Asked(), folder=tmp_path)
            made.append({file.suffix: file.read_bytes() for file in (tmp_path / name).glob("x.*")})
            shutil.rmtree(tmp_path / name)
        assert made[0] == made[1]


def test_a_strange_folder(tmp_path):
    folder = tmp_path / "一 个!folder;"
    folder.mkdir()
    for suffix in WITH_SHAPES:
        assert to(folder, PLAIN, suffix, [LOT, HOLED, TWO])[0].lost == ()


def test_a_loss_is_found_and_not_believed(tmp_path):
    """What the form does to rows is seen by reading them again: here it is another layer that is read."""
    before = Layer(
        "a", pa.table({"x": pa.array(["1", "2"]), "n": pa.array([1, 2])}), np.array([LOT, TWO]), "EPSG:4548"
    )
    after = Layer(
        "a",
        pa.table({"x": pa.array(["1", "3"]), "n": pa.array([1.0, 2.5])}),
        np.array([LOT, LOT]),
        "EPSG:4548",
    )
    found = compared(before, after, {"x": "x", "n": "n"})
    assert [(change.field, change.n_rows, change.row, change.before, change.after) for change in found.changes] == [
        ("x", 1, 2, "'2'", "'3'"), ("n", 1, 2, "2", "2.5"),
    ]  # fmt: skip
    assert (found.n_moved, found.first_moved) == (1, 2)
    shifted = Layer(
        "a", before.attributes, shapely.transform(before.geometries, lambda xy: xy + [0.002, 0]), "EPSG:4548"
    )
    assert compared(before, shifted, {"x": "x"}).n_moved == 2
    turned = Layer(
        "a", before.attributes, np.array([shapely.reverse(LOT), shapely.normalize(TWO)]), "EPSG:4548"
    )
    assert compared(before, turned, {"x": "x"}).n_moved == 0


TEXTS = st.none() | st.text(st.characters(codec="gbk", exclude_categories=("C",)), max_size=20)
NUMBERS = st.none() | st.floats(-1e6, 1e6).map(lambda number: round(number, 4))
COLUMNS = st.lists(
    st.tuples(TEXTS, NUMBERS, st.none() | st.integers(-(2**31), 2**31 - 1), st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COLUMNS, st.sampled_from([".shp", ".gpkg", ".gdb"]))
def test_any_rows_come_back_or_what_is_lost_is_named(tmp_path, rows, suffix):
    """The judge is fiona: where nothing is said to be lost, it reads every value as it went in."""
    for old in tmp_path.glob("out*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    texts, numbers, whole, days = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "T": pa.array(texts, pa.string()), "N": pa.array(numbers, pa.float64()), "I": pa.array(whole, pa.int64()),
        "D": pa.array(days, pa.date32()),
    }  # fmt: skip
    found, target = to(tmp_path, columns, suffix, [LOT] * len(rows))
    lost = {words.partition(":")[0] for words in found.lost}
    read = rows_of(target)
    assert len(read) == len(rows)
    for row, before in zip(read, rows, strict=True):
        for name, value in zip("TNID", before, strict=True):
            after = row[name]
            if name == "D" and after is not None:
                after = dt.date.fromisoformat(str(after)[:10])
            assert name in lost or after == value, (name, value, after)
    assert lost <= {"T"}


def test_every_delivery_of_the_sample_goes_there_and_back(tmp_path):
    incoming = Path(__file__).parents[4] / "sample_data" / "incoming"
    files = sorted(
        file for file in incoming.rglob("*") if file.suffix in (".shp", ".gpkg", ".gdb", ".xlsx", ".zip")
    )
    assert len(files) > 10
    seen = 0
    for file in files:
        there = tmp_path / f"{file.stem}.gpkg"
        found = convert(str(file), there, Asked(), folder=tmp_path)
        assert [(one.name, lost) for one in found for lost in one.lost] == []
        back = convert(str(there), tmp_path / f"{file.stem}.gdb", Asked(), folder=tmp_path)
        # A geodatabase has no sign but letters, digits and _ in names of fields.
        assert [lost for one in back for lost in one.lost if "/" not in lost] == []
        assert [one.comparison.n_after for one in back] == [one.comparison.n_before for one in found]
        for one in found:
            if one.system == "none":
                continue
            (again,) = convert(f"{there}:{one.name}", tmp_path / "a.shp", Asked(), folder=tmp_path)
            assert again.comparison.n_moved == 0
            assert not [lost for lost in again.lost if "→ none" not in lost and "is called" not in lost], (
                again.lost
            )
            seen += 1
    assert seen > 10


@pytest.mark.parametrize("name", ["CGCS2000 / 3-degree Gauss-Kruger CM 117E", "unnamed"])
def test_a_system_without_a_number_is_found_by_what_it_is(tmp_path, name):
    """GeoParquet may spell a system out and leave its number away, and so may its parts."""
    file = Path(source(tmp_path, {"a": pa.array(["1"])}, [LOT]))
    table = pq.read_table(file)
    geo = json.loads(table.schema.metadata[b"geo"])
    crs = json.loads(
        re.sub(r'"id": \{[^}]*\},? ?|, "id": \{[^}]*\}', "", json.dumps(geo["columns"]["geometry"]["crs"]))
    )
    geo["columns"]["geometry"]["crs"] = crs | {"name": name}
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), file)
    (found,) = convert(str(file), tmp_path / "out.gpkg", Asked(), folder=tmp_path)
    assert '"id"' not in json.dumps(crs)
    assert (found.system, found.lost) == ("EPSG:4548", ())


def test_a_personal_geodatabase_and_a_drawing_become_other_forms(tmp_path):
    made = Path(__file__).parents[3] / "data" / "二调.mdb.xz"
    (tmp_path / "二调.mdb").write_bytes(lzma.decompress(made.read_bytes()))
    found = convert("二调.mdb", tmp_path / "二调.gdb", Asked(), folder=tmp_path)
    assert [(one.name, one.comparison.n_before, one.comparison.n_moved) for one in found] == [
        ("地类图斑", 7, 0), ("XZQ", 1, 0), ("权属单位", 1, 0),
    ]  # fmt: skip
    assert [words.split(" holds")[0].split(":")[0] for words in found[0].lost[:2]] == ["row 2", "row 7"]
    assert found[0].system == "EPSG:4548"
    assert pyogrio.read_info(tmp_path / "二调.gdb", layer="地类图斑")["ogr_types"][7] == "OFTDateTime"
    file = drawn(tmp_path / "宗地.dxf", lot, open_lot)
    (one,) = convert(f"{file.name}:宗地", tmp_path / "宗地.shp", Asked(src_crs="EPSG:4548"), folder=tmp_path)
    assert (one.comparison.n_after, one.comparison.area_after) == (2, 8000)
    assert [words.split(" does not close")[0] for words in one.lost[:1]] == ["row 2: POLYLINE 33"]
