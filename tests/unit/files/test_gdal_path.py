"""GDAL opens and writes the file that is meant, whatever its name and those of its folders."""

import sqlite3
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.features import write_features
from lowland_gis.files.inspect import layer_names, raw_kinds
from lowland_gis.files.raster import raster_statistic
from lowland_gis.files.raster_cover import places_without_value
from lowland_gis.files.raster_header import raster_header
from lowland_gis.files.read import read
from lowland_gis.files.source import opened
from lowland_gis.files.units import MEMBERS, UNITS, read_edited, write_editable

# What pyogrio takes for the edge of an archive, or cuts off as a part of a web address.
NAMES = ["a!b", "b", "a;b", "a?", "a#b", "a:b", "50%25", "重要！", "tab\there", "zip:", "[x]"]
FOLDERS = ["重要!", "x;y", "plain", "q?", "a!b.zip!"]
FORMS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf", ".gdb": "OpenFileGDB"}  # fmt: skip


def frame(name, layer=None):
    shape = shapely.box(515_000, 4_345_000, 515_100, 4_345_100)
    return gpd.GeoDataFrame({"unit_id": [name]}, geometry=[shape], crs=4548)


def placed(folder: Path, name: str, suffix: str) -> Path:
    """Write a file under a plain name, then give it the one that is tried; its only value is that name."""
    plain = folder.parent / f"{len(list(folder.parent.iterdir()))}" / f"plain{suffix}"
    plain.parent.mkdir()
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame(name).to_file(plain, driver=FORMS[suffix], engine="pyogrio")
    for part in list(plain.parent.iterdir()):
        part.rename(folder / f"{name}{part.suffix}")
    return folder / f"{name}{suffix}"


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize("place", FOLDERS)
def test_each_file_gives_its_own_rows_under_its_own_digest(tmp_path, suffix, place):
    for name in NAMES:
        placed(tmp_path / place, name, suffix)
    digests = set()
    for name in NAMES:
        with opened(str(tmp_path / place / f"{name}{suffix}"), tmp_path) as found:
            assert read(found).attributes["unit_id"].tolist() == [name]
            assert list(raw_kinds(found).kinds.values()) == [1]
            (layer,) = layer_names(found)
            digests.add(found.sha256)
        if suffix == ".shp":
            assert layer == name
    assert len(digests) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_draft_is_the_one_that_is_named(tmp_path, name):
    placed(tmp_path / "x!", "b", ".gpkg")
    path = placed(tmp_path / "x!", name, ".gpkg")
    assert read_edited(path, None, srid=4548).polygons["unit_id"].tolist() == [name]


@pytest.mark.parametrize("place", FOLDERS)
@pytest.mark.parametrize("name", ["a!b", "a;b", "plain"])
def test_what_is_written_is_where_it_was_asked_for(tmp_path, place, name):
    folder = tmp_path / place
    folder.mkdir()
    write_features(frame("x"), folder / f"{name}.gpkg")
    write_editable(folder / f"{name}2.gpkg", {MEMBERS: frame("x").assign(parcel_id="p"), UNITS: frame("x")})
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.gpkg", f"{name}2.gpkg"]
    assert [path.name for path in tmp_path.iterdir()] == [place]
    assert read_edited(folder / f"{name}2.gpkg", "units", srid=4548).polygons["unit_id"].tolist() == ["x"]


def test_layers_with_colons_are_named(tmp_path):
    for layer in ("宗地", "a:b", "a:b:c"):
        frame(layer).to_file(tmp_path / "x.gpkg", layer=layer, engine="pyogrio")
    for layer in ("宗地", "a:b", "a:b:c"):
        with opened(f"x.gpkg:{layer}", tmp_path) as found:
            assert found.layer == layer
            assert read(found).attributes["unit_id"].tolist() == [layer]
    frame("other file").to_file(tmp_path / "x.gpkg:a.gpkg", layer="b", engine="pyogrio")
    with opened("x.gpkg:a.gpkg:b", tmp_path) as found:
        assert read(found).attributes["unit_id"].tolist() == ["other file"]


def styled(path: Path, *tables: str) -> None:
    """Add tables without geometry, as QGIS does when it saves a style."""
    for table in tables:
        rows = gpd.pd.DataFrame({"styleName": ["x"]})
        pyogrio.write_dataframe(rows, path, layer=table)


def test_a_style_or_a_table_beside_the_only_layer_is_no_second_layer(tmp_path):
    frame("land").to_file(tmp_path / "x.gpkg", layer="宗地", engine="pyogrio")
    styled(tmp_path / "x.gpkg", "layer_styles", "附表")
    with opened("x.gpkg", tmp_path) as found:
        assert read(found).attributes["unit_id"].tolist() == ["land"]
        assert layer_names(found) == ("宗地", "附表")
    with opened("x.gpkg:附表", tmp_path) as found:
        assert read(found).attributes["styleName"].tolist() == ["x"]
    frame("two").to_file(tmp_path / "x.gpkg", layer="图斑", engine="pyogrio")
    with opened("x.gpkg", tmp_path) as found, pytest.raises(InputRefusedError) as refused:
        read(found)
    assert "several layers. Name one of: 宗地, 图斑, 附表" in str(refused.value)


def test_the_only_table_beside_a_style(tmp_path):
    styled(tmp_path / "x.gpkg", "layer_styles", "企业")
    with opened("x.gpkg", tmp_path) as found:
        assert read(found).layer == "企业"
    styled(tmp_path / "y.gpkg", "layer_styles")
    frame("u").to_file(tmp_path / "y.gpkg", layer="units of mine", engine="pyogrio")
    assert read_edited(tmp_path / "y.gpkg", None, srid=4548).polygons["unit_id"].tolist() == ["u"]


@pytest.mark.parametrize("through", ["x.gpkg", "link.gpkg"])
def test_a_geopackage_with_changes_beside_it_is_refused_until_they_are_in_it(tmp_path, through):
    path = tmp_path / "x.gpkg"
    frame("before").to_file(path, layer="x", engine="pyogrio", SPATIAL_INDEX="NO")
    (tmp_path / "link.gpkg").symlink_to(path)
    editor = sqlite3.connect(path)
    editor.execute("PRAGMA journal_mode = WAL")
    editor.execute("PRAGMA wal_autocheckpoint = 0")
    editor.execute("UPDATE x SET unit_id = 'after'")
    editor.commit()
    with pytest.raises(InputRefusedError, match=r"x\.gpkg-wal and\s+not yet in the file.*close it in QGIS"), opened(through, tmp_path):  # fmt: skip
        pass
    editor.close()
    with opened(through, tmp_path) as found:
        assert read(found).attributes["unit_id"].tolist() == ["after"]


def test_a_geopackage_that_is_open_without_changes_is_read(tmp_path):
    path = tmp_path / "x.gpkg"
    frame("before").to_file(path, layer="x", engine="pyogrio", SPATIAL_INDEX="NO")
    editor = sqlite3.connect(path)
    editor.execute("PRAGMA journal_mode = WAL")
    editor.execute("SELECT * FROM x").fetchall()
    with opened("x.gpkg", tmp_path) as found:
        assert read(found).attributes["unit_id"].tolist() == ["before"]
    editor.close()


@pytest.mark.parametrize("place", FOLDERS)
@pytest.mark.parametrize("name", ["a!b", "a;b", "a:b"])
def test_a_raster_is_the_one_that_is_named(tmp_path, place, name):
    (tmp_path / place).mkdir()
    for each, cells in ((name, 3), ("b", 2)):
        profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "width": cells, "height": 2}
        with rasterio.open(tmp_path / "plain.tif", "w", crs="EPSG:4548", transform=rasterio.Affine(10, 0, 0, 0, -10, 20), **profile) as raster:  # fmt: skip
            raster.write(np.full((1, 2, cells), cells, np.uint8))
        (tmp_path / "plain.tif").rename(tmp_path / place / f"{each}.tif")
    path = tmp_path / place / f"{name}.tif"
    assert raster_header(path, "x").bounds.tolist() == [0, 0, 30, 20]
    zones = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 20, 20)], crs=4548)
    assert raster_statistic(str(path), zones, "mean").tolist() == [3]
    assert [each.area for each in places_without_value(str(path), np.array([shapely.box(20, 0, 40, 20)]))] == [200]  # fmt: skip
