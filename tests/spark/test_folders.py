"""`lowland tabulate --engine sedona` on folders of GeoParquet: read by the tasks, one table at the end or none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from lowland_gis.engines import frames, named
from lowland_gis.engines.sedona import folders
from lowland_gis.engines.sedona.session import Place
from lowland_gis.errors import InputRefusedError
from spark_layers import GRID, same

pytestmark = pytest.mark.sedona


@pytest.fixture
def land(tmp_path, parcels, zones) -> Path:
    for name, frame in (("parcels", parcels), ("zones", zones)):
        (tmp_path / name / "town=1").mkdir(parents=True)
        frame.iloc[:150].to_parquet(tmp_path / name / "town=1" / "a.parquet")
        frame.iloc[150:].to_parquet(tmp_path / name / "b.parquet")
    return tmp_path


def tabulated(land: Path, *, cover: bool = False):
    asked = folders.Tabulation(
        folders.folder(land / "parcels", "parcel_id"), folders.folder(land / "zones", "code"), "parcel_id", "code", Place(),
        cover=cover, grid=GRID,
    )  # fmt: skip
    tables = list(asked.tables())
    overlaps = pa.concat_tables([rows for rows, _ in tables]).to_pandas()
    covers = [covered for _, covered in tables if covered is not None]
    return overlaps, pa.concat_tables(covers).to_pandas() if covers else None


def test_folders_give_what_frames_give(land, parcels, zones):
    overlaps, covers = tabulated(land, cover=True)
    same(frames.overlaps(named.without_database(), parcels, zones), overlaps, "area_m2", "share")
    ours = frames.cover(named.without_database(), parcels, zones)
    there = ours["parcel_id"].isin(covers["parcel_id"])
    # A row without a polygon has no cover.
    assert (~there).sum() == 2
    same(ours[there], covers.drop(columns="area_m2"), "rest_m2", "excess_m2")


def test_a_zone_without_a_code_has_an_empty_one(land, zones):
    some = zones.assign(code=[None, *zones["code"][1:]])
    shutil.rmtree(land / "zones")
    (land / "zones").mkdir()
    some.to_parquet(land / "zones" / "a.parquet")
    overlaps, _ = tabulated(land)
    assert set(overlaps["code"]) == {"", *zones["code"]}


def lowland(*arguments: str):
    line = [sys.executable, "-m", "lowland_gis", "tabulate", *arguments, "--engine", "sedona"]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=600)


def test_the_command_writes_one_file_and_says_the_peak(land, monkeypatch, parcels, zones):
    monkeypatch.chdir(land)
    done = lowland("parcels", "zones", "--id", "parcel_id", "--by", "code", "-o", "found.parquet")
    assert done.returncode == 0, done.stderr
    assert "a worker had at most" in done.stderr
    same(
        frames.overlaps(named.without_database(), parcels, zones),
        pd.read_parquet("found.parquet"),
        "area_m2",
        "share",
    )


def _cut(land: Path) -> None:
    """Cut the pages of a file, and leave its foot."""
    path = land / "zones" / "b.parquet"
    content = bytearray(path.read_bytes())
    content[100 : len(content) // 2] = bytes(len(content) // 2 - 100)
    path.write_bytes(content)


def _cut_foot(land: Path) -> None:
    path = land / "zones" / "b.parquet"
    path.write_bytes(path.read_bytes()[:-2000])


def _moved(land: Path) -> None:
    path = land / "zones" / "b.parquet"
    gpd.read_parquet(path).to_crs(4549).to_parquet(path)


def _all_moved(land: Path) -> None:
    for path in (land / "zones").rglob("*.parquet"):
        gpd.read_parquet(path).to_crs(4549).to_parquet(path)


def _degrees(land: Path) -> None:
    for path in (land / "parcels").rglob("*.parquet"):
        gpd.read_parquet(path).to_crs(4490).to_parquet(path)


def _undeclared(land: Path) -> None:
    path = land / "parcels" / "b.parquet"
    gpd.read_parquet(path).set_crs(None, allow_override=True).to_parquet(path)


def _repeated(land: Path) -> None:
    path = land / "parcels" / "b.parquet"
    frame = gpd.read_parquet(path)
    frame.assign(parcel_id=["p0003", *frame["parcel_id"][1:]]).to_parquet(path)


def _unnamed(land: Path) -> None:
    path = land / "parcels" / "b.parquet"
    frame = gpd.read_parquet(path)
    frame.assign(parcel_id=[None, *frame["parcel_id"][1:]]).to_parquet(path)


def _bow_tie(land: Path) -> None:
    path = land / "parcels" / "b.parquet"
    frame = gpd.read_parquet(path)
    x, y = 501_000, 4_301_000
    frame.loc[frame.index[3], "geometry"] = shapely.Polygon(
        [(x, y), (x + 10, y + 10), (x + 10, y), (x, y + 10)]
    )
    frame.to_parquet(path)


def _plain(land: Path) -> None:
    pq.write_table(pa.table({"code": ["x"]}), land / "zones" / "c.parquet")


def _empty(land: Path) -> None:
    shutil.rmtree(land / "zones")
    (land / "zones").mkdir()


BAD = {
    "a cut page": (_cut, r"b\.parquet: cannot be read, it is cut"),
    "a cut foot": (_cut_foot, r"b\.parquet: cannot be read, it is cut"),
    "files on two planes": (_moved, r"CM 117E.*CM 120E|CM 120E.*CM 117E"),
    "folders on two planes": (_all_moved, r"parcels is in .*zones in "),
    "degrees": (_degrees, r"areas need a plane in metres"),
    "no system": (_undeclared, r"b\.parquet: it declares no coordinate system"),
    "a name twice": (_repeated, r"stands for several parcels: p0003 \(2 times\)"),
    "no name": (_unnamed, r"1 parcels have no parcel_id"),
    "a bow tie": (
        _bow_tie,
        r"partition \d+ \(x .*\): 1 parcels are no valid polygons, first: p0153 near 501000.00, 4301000.00",
    ),
    "Parquet without geometries": (_plain, r"c\.parquet: it is Parquet without geometries"),
    "an empty folder": (_empty, r"there is no \.parquet file in it"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_folders_are_refused_by_name_and_nothing_is_written(land, name, monkeypatch):
    make, said = BAD[name]
    make(land)
    with pytest.raises(InputRefusedError, match=said):
        tabulated(land)
    assert not list(Path(folders.tempfile.gettempdir()).glob("lowland-spark-*/overlaps"))


@pytest.mark.parametrize("more", [["--width", "code"], ["--src-crs", "EPSG:4548"], []])
def test_what_folders_cannot_be_asked_is_refused(land, more, monkeypatch):
    monkeypatch.chdir(land)
    named_by = ["--id", "parcel_id"] if more else []
    done = lowland("parcels", "zones", *named_by, *more, "-o", "found.csv")
    assert done.returncode == 2, done.stderr
    assert (more or ["--id FIELD"])[0] in done.stderr
    assert not (land / "found.csv").exists()


def test_an_older_file_stays_where_a_run_is_refused(land, monkeypatch):
    monkeypatch.chdir(land)
    (land / "found.csv").write_text("mine\n")
    _bow_tie(land)
    done = lowland("parcels", "zones", "--id", "parcel_id", "--by", "code", "-o", "found.csv", "--overwrite")
    assert done.returncode != 0
    assert (land / "found.csv").read_text() == "mine\n"
