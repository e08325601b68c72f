"""`lowland convert` as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

import own_process

SAMPLE = Path(__file__).parents[2] / "sample_data" / "incoming"
PARCELS = SAMPLE / "不动产登记中心" / "宗地.shp"


def lowland(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return own_process.run(*arguments, cwd=folder, env=os.environ)


def test_a_delivery_becomes_a_geopackage_and_what_came_of_it_is_said(tmp_path):
    done = lowland(tmp_path, "convert", PARCELS, "宗地.gpkg")
    assert (done.returncode, done.stderr) == (0, "reads 宗地\nwrites 宗地.gpkg\nreads it again\n")
    for words in (
        "301 → 301",
        "same 相同",
        "1,303,871.40",
        "EPSG:4548",
        "gb18030 → UTF-8",
        "Nothing was lost 无损失",
    ):
        assert words in done.stdout
    said = subprocess.run(
        ["ogrinfo", "-so", "-al", "宗地.gpkg"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "Feature Count: 301" in said


def test_a_loss_is_named_and_ends_with_1(tmp_path):
    gpd.GeoDataFrame(
        {"土地利用现状名称": ["a", ""]}, geometry=shapely.points([515000, 515001], [4345300] * 2), crs=4548
    ).to_file(tmp_path / "a.gpkg")
    done = lowland(tmp_path, "convert", "a.gpkg", "b.shp", "--json")
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)
    assert found["lost"] == [
        "field 土地利用现状名称 is called 土地利用现",
        "土地利用现状名称: 1 values came back otherwise, first in row 2: '' → none",
    ]
    assert sorted(file.suffix for file in tmp_path.glob("b.*")) == [".cpg", ".dbf", ".prj", ".shp", ".shx"]


def test_several_layers_and_one_of_them(tmp_path):
    done = lowland(tmp_path, "convert", SAMPLE / "规资分局" / "三调成果.gdb", "三调.shp")
    assert (done.returncode, "Name one, FILE:LAYER" in done.stderr, list(tmp_path.iterdir())) == (3, True, [])
    done = lowland(tmp_path, "convert", f"{SAMPLE / '规资分局' / '三调成果.gdb'}:DLTB", "三调.shp")
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_of_people_are_left_as_they_are(tmp_path):
    (tmp_path / "b.dbf").write_bytes(b"mine")
    done = lowland(tmp_path, "convert", PARCELS, "b.shp")
    assert (done.returncode, "b.dbf: exists" in done.stderr) == (2, True)
    assert (tmp_path / "b.dbf").read_bytes() == b"mine"
    assert lowland(tmp_path, "convert", PARCELS, "b.shp", "--overwrite").returncode == 0
    done = lowland(tmp_path, "convert", "b.shp", "b.shp", "--overwrite")
    assert (done.returncode, "the same file as" in done.stderr) == (2, True)
    assert lowland(tmp_path, "convert", "b.shp", "c.parquet").returncode == 0


@pytest.mark.parametrize("target", ["a.xyz", "a", "folder/a.gpkg"])
def test_a_target_that_cannot_be(tmp_path, target):
    done = lowland(tmp_path, "convert", PARCELS, target)
    assert done.returncode in (2, 3)
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert list(tmp_path.iterdir()) == []
