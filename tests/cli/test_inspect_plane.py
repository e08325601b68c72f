"""`inspect` says before anything else that a file is in another system, and the line that it gives works as it stands."""

import shlex
import subprocess
from pathlib import Path

import geopandas as gpd
import pytest

from made_files import box, write_parcels

PROJECT = """
[project]
name = "试验"
district_code = "120113"
district_name = "北辰区"
crs = "EPSG:4548"
as_of = 2023-12-31
"""
CODE = "120113100001GB00001"


@pytest.fixture
def inspected(lowland, tmp_path):
    (tmp_path / "lowland.toml").write_text(PROJECT, encoding="utf-8")

    def run(path, *more):
        done = lowland("inspect", str(path), "--layer", "parcel", *more)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    return run


def parcels(path, crs):
    frame = gpd.GeoDataFrame(
        {"ZDDM": [CODE], "YT": ["0701"], "QSXZ": ["10"], "ZDMJ": [10_000.0]}, geometry=[box(0, 0)], crs=4548
    )
    frame.to_crs(crs).to_file(path, layer="宗 地")
    return path


@pytest.mark.parametrize(
    ("crs", "said"),
    [
        (4326, ["WGS 84 (EPSG:4326)", "and not CGCS2000 (its datum is World Geodetic System 1984 ensemble)"]),
        (32650, ["WGS 84 / UTM zone 50N (EPSG:32650)", "taking its datum for that of the plane"]),
        (4490, ["China Geodetic Coordinate System 2000 (EPSG:4490)", "Ingest brings it there; by hand"]),
        (4547, ["CM 114E (EPSG:4547)", "Ingest brings it there; by hand"]),
    ],
)
def test_another_system_is_said_first_with_a_line_that_works(inspected, tmp_path, crs, said):
    path = parcels(tmp_path / "来 件.gpkg", crs)
    out = inspected(path)
    first = out.splitlines()[0]
    assert first.startswith("Plane 坐标系: It is in ")
    assert all(words in first for words in (*said, "not in the plane EPSG:4548"))
    line = first.partition("by hand: ")[2]
    assert shlex.split(line)[:3] == ["ogr2ogr", "-t_srs", "EPSG:4548"]
    subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True)
    made = tmp_path / "NEW.gpkg"
    assert not inspected(made).startswith("Plane")
    assert gpd.read_file(made).area[0] == pytest.approx(10_000, abs=0.5)


def test_what_is_in_the_plane_is_not_spoken_of(inspected, tmp_path):
    out = inspected(write_parcels(tmp_path / "宗地.shp", {CODE: box(0, 0)}))
    assert out.lstrip().startswith("Source 来件 宗地.shp")


def test_an_old_datum_is_never_sent_to_a_program(inspected, tmp_path):
    frame = gpd.GeoDataFrame({"ZDDM": [CODE]}, geometry=[box(0, 0)], crs=2384)
    frame.to_file(tmp_path / "老.gpkg")
    first = inspected(tmp_path / "老.gpkg").splitlines()[0]
    assert "and not CGCS2000 (its datum is Xian 1980)" in first
    assert "Only the bureau's own parameters lead there: lowland ingest LAYER FILE --datum FILE" in first
    assert "ogr2ogr" not in first


def test_a_system_that_was_named_for_a_file_stands_in_the_line(inspected, tmp_path):
    path = tmp_path / "宗地.shp"
    gpd.GeoDataFrame({"ZDDM": [CODE]}, geometry=[box(0, 0)], crs=4548).to_crs(4547).to_file(path)
    path.with_suffix(".prj").unlink()
    first = inspected(path, "--src-crs", "EPSG:4547").splitlines()[0]
    assert "ogr2ogr -s_srs EPSG:4547 -t_srs EPSG:4548 NEW.gpkg " in first


def test_a_raster_gets_the_line_of_rasters(lowland, inspected, tmp_path):
    source = Path(__file__).parents[2] / "sample_data" / "incoming" / "遥感中心" / "建成强度.tif"
    made = tmp_path / "强度.tif"
    subprocess.run(["gdalwarp", "-q", "-t_srs", "EPSG:4547", source, made], check=True)
    done = lowland("inspect", str(made))
    first = done.stdout.splitlines()[0]
    assert first.startswith("Plane 坐标系: It is in CGCS2000 / 3-degree Gauss-Kruger CM 114E")
    line = first[first.index("gdalwarp") :]
    subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True)
    assert not lowland("inspect", str(tmp_path / "NEW.tif")).stdout.startswith("Plane")


def test_without_a_project_the_plane_that_is_taken_is_told(lowland, tmp_path):
    path = parcels(tmp_path / "a.gpkg", 4326)
    done = lowland("inspect", str(path), "--layer", "parcel")
    assert "There is no project here, so the plane is taken to be EPSG:4548" in done.stderr


def test_a_layer_that_was_named_is_not_asked_for(lowland, tmp_path):
    """Two layers of like fields: without --layer it is asked for, with it no more."""
    frame = gpd.GeoDataFrame({"XZQDM": ["1"], "XZQMC": ["甲"]}, geometry=[box(0, 0)], crs=4548)
    path = tmp_path / "界.gpkg"
    frame.to_file(path)
    asked = lowland("inspect", str(path))
    named = lowland("inspect", str(path), "--layer", "town")
    assert "Say which it is with --layer" in asked.stdout
    assert "--layer" not in named.stdout
