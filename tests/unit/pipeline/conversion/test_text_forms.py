"""Coordinate texts through every form of a receiving system and back: shapes to a millimetre, values that have a place equal."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinate_texts import CASES, LOTS, STANDARD
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.coordinate_text.templates import template, templates
from lowland_gis.files.exported.geoparquet import write_parquet
from lowland_gis.files.exported.layer import Layer
from lowland_gis.pipeline.conversion.convert import Asked, convert

SURVEY = Path(__file__).parents[4] / "sample_data" / "incoming" / "规资分局" / "三调成果.gdb"
LOT = shapely.box(515000.1234, 4345300.5678, 515030.5, 4345340.25)


def source(
    folder: Path, columns: dict[str, pa.Array], shapes: list | None, crs: str | None = "EPSG:4548"
) -> str:
    file = folder / "source.parquet"
    geometries = None if shapes is None else np.array(shapes, dtype=object)
    write_parquet([Layer("source", pa.table(columns), geometries, crs)], file, dt.date(2024, 1, 1))
    return str(file)


def to(
    folder: Path, columns: dict[str, list], shapes: list | None = None, crs: str | None = "EPSG:4548", **asked
):
    target = folder / "out.txt"
    made = {
        name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in columns.items()
    }
    (found,) = convert(source(folder, made, shapes, crs), target, Asked(**asked), folder=folder)
    return found, target.read_bytes().decode("gbk").split("\r\n")


@pytest.mark.parametrize("form", templates())
@pytest.mark.parametrize("dialect", CASES)
def test_every_dialect_goes_through_every_form(tmp_path, form, dialect):
    """What has no place in a form is named, and nothing else is lost."""
    case = CASES[dialect]
    (tmp_path / "a.txt").write_bytes(case.dialect.content(case.lots))
    said = None if case.crs else "EPSG:4490"
    (found,) = convert(
        f"{tmp_path}/a.txt", tmp_path / "b.txt", Asked(template=form, src_crs=said), folder=tmp_path
    )
    assert found.comparison.n_moved == 0
    assert found.comparison.changes == ()
    lost = {words.split(" ")[1] for words in found.lost if "is left out" in words}
    assert not lost & set(template(form).line)
    twice = [words for words in found.lost if "is left out" not in words]
    assert all(": line " in words for words in twice)


def test_a_form_is_written_as_its_template_says(tmp_path):
    (tmp_path / "a.txt").write_bytes(STANDARD.content(LOTS[:1]))
    rows = {}
    for form in templates():
        convert(f"{tmp_path}/a.txt", tmp_path / f"{form}.txt", Asked(template=form), folder=tmp_path)
        text = (tmp_path / f"{form}.txt").read_bytes().decode("gbk")
        at = text.index("[地块坐标]\r\n") + len("[地块坐标]\r\n")
        rows[form] = text[at:].split("\r\n")[:2]
    assert rows == {
        "standard": ["5,0.8000,1,甲地块,面,,工业用地,0601,@", "J1,1,4345380.500,39515000.125"],
        "thirteen": ["5,0.8000,1,甲地块,面,,工业用地,0601,,,,,,@", "J1,1,4345380.500,39515000.125"],
        "approval": ["4,0.8000,1,甲地块,面,,工业用地,0601,@", "J1,1,4345380.500,39515000.125"],
        "supply": ["4,0.8000,1,甲地块,面,,工业用地,0601,@", "J1,1,4345380.500,39515000.125"],
        "one_map": ["1,甲地块,面,,@", "J1,1,4345380.500,39515000.125"],
        "enforcement": ["5,甲地块,面,工业用地,@", "J1,1,4345380.500,39515000.125"],
        "link": ["5,0.8000,,甲地块,,,,0601,@ ", "J1,39515000.125,4345380.500,,1,"],
    }


def test_the_zone_comes_before_the_east_unless_another_plane_is_asked_for(tmp_path):
    found, rows = to(tmp_path, {"DKBH": ["1"]}, [LOT])
    assert (found.system, "带号=39" in rows) == ("EPSG:4527", True)
    assert "J1,1,4345340.250,39515000.123" in rows
    assert found.lost == ("field DKBH is called 地块编号",)
    (tmp_path / "out.txt").unlink()
    convert(f"{tmp_path}/source.parquet", tmp_path / "out.txt", Asked(crs="EPSG:4548"), folder=tmp_path)
    assert b"J1,1,4345340.250,515000.123\r\n" in (tmp_path / "out.txt").read_bytes()


def test_fields_of_layers_find_their_place_and_areas_are_those_of_the_shapes(tmp_path):
    found, rows = to(tmp_path, {"ZDDM": ["A,1@"], "项目名称": ["甲"], "DLBM": ["0601"], "X": [1]}, [LOT])
    assert "[项目信息]" in rows
    assert "项目名称=甲" in rows
    assert f"5,{LOT.area / 1e4:.4f},A，1＠,,面,,,0601,@" in rows
    assert found.lost == (
        "field X is left out: the form has no place for it", "field ZDDM is called 地块编号", "field DLBM is called 地类编码",
        "ZDDM: 1 values came back otherwise, first in row 1: 'A,1@' → 'A，1＠'",
    )  # fmt: skip


def test_degrees_and_old_datums(tmp_path):
    box = shapely.box(117.1234567, 39.2, 117.1244567, 39.201)
    found, rows = to(tmp_path, {"DKBH": ["1"]}, [box], "EPSG:4490")
    assert ("计量单位=度" in rows, found.comparison.n_moved) == (True, 0)
    (tmp_path / "out.txt").unlink()
    found, rows = to(tmp_path, {"DKBH": ["1"]}, [LOT], "EPSG:2345")
    assert ("坐标系=80国家大地坐标系" in rows, found.system) == (True, "EPSG:2334")


@pytest.mark.parametrize(
    ("columns", "shapes", "crs", "words"),
    [
        ({"a": ["1"]}, None, None, "has no shapes"),
        ({"a": ["1"]}, [None], "EPSG:4548", "1 rows have no shape, first row 1"),
        ({"DKBH": ["𠮷"]}, [LOT], "EPSG:4548", "characters that GBK does not have"),
        ({"a": ["1"]}, [LOT], "EPSG:32650", "Bring it there: --crs EPSG:4527"),
        ({"a": ["1", "2"]}, [LOT, LOT.exterior], "EPSG:4548", "LineString and Polygon in one layer"),
        (
            {"a": ["1"]},
            [shapely.box(515000, 4345300, 515000.0004, 4345300.0003)],
            "EPSG:4548",
            "row 1 has a ring of",
        ),
    ],
)
def test_what_the_form_cannot_hold_is_refused_and_nothing_is_left(tmp_path, columns, shapes, crs, words):
    with pytest.raises(InputRefusedError, match=words):
        to(tmp_path, columns, shapes, crs)
    assert [file.name for file in tmp_path.iterdir()] == ["source.parquet"]


def test_a_form_that_there_is_not(tmp_path):
    with pytest.raises(UsageError, match="--template x: there is no form.*standard, thirteen"):
        to(tmp_path, {"a": ["1"]}, [LOT], template="x")
    file = source(tmp_path, {"a": pa.array(["1"])}, [LOT])
    with pytest.raises(UsageError, match="out.gpkg is none. Leave it away"):
        convert(file, tmp_path / "out.gpkg", Asked(template="standard"), folder=tmp_path)


def test_the_survey_of_the_sample_goes_to_text_and_back(tmp_path):
    """The rows with a shape, as a GeoPackage holds them, come back to the millimetre."""
    convert(f"{SURVEY}:DLTB", tmp_path / "a.parquet", Asked(), folder=tmp_path)
    frame = gpd.read_parquet(tmp_path / "a.parquet")
    frame = frame[frame.geometry.notna() & frame.geometry.is_valid][["BSM", "DLBM", "geometry"]]
    frame.to_parquet(tmp_path / "b.parquet", index=False)
    (found,) = convert(f"{tmp_path}/b.parquet", tmp_path / "c.txt", Asked(), folder=tmp_path)
    assert found.lost == ("field BSM is called 地块编号", "field DLBM is called 地类编码")
    assert found.comparison.n_after == len(frame) > 100


@given(
    st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=3, max_size=9, unique=True),
    st.text(max_size=8),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_outline_and_name_comes_back_or_is_refused(tmp_path, corners, name):
    hull = shapely.MultiPoint([(515000 + x, 4345300 + y) for x, y in corners]).convex_hull
    for file in tmp_path.glob("out*"):
        file.unlink()
    try:
        found, _ = to(tmp_path, {"地块名称": [name]}, [hull])
    except (InputRefusedError, OSError):
        return
    assert found.comparison.n_moved == 0 or hull.area < 1
    assert found.comparison.n_after == 1
