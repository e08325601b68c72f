"""Every form that is read, written as offices write it: each writer returns the source to name in lowland.toml."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from lowland_gis.sample.deliveries import FORMS
from lowland_gis.sample.write import _arrow, public, write_shapefile, write_workbook, write_zip
from variations.incoming import Delivered

_LANGUAGE_BYTE = 29


def as_delivered(folder: Path, item: Delivered) -> str:
    """Write rows in the form that the office uses."""
    if item.layer == "enterprise":
        return xlsx(folder, item)
    if item.layer == "farmland":
        # A part has a file of its own.
        inner = folder / f"永久基本农田{item.part or ''}"
        write_shapefile(inner / "永久基本农田.shp", item.rows, FORMS["farmland"], crs=_crs(item))
        write_zip(inner.with_suffix(".zip"), inner, "成果")
        return str(inner.with_suffix(".zip"))
    if item.layer in FORMS:
        path = _path(folder, item, ".shp")
        write_shapefile(path, item.rows, FORMS[item.layer], crs=_crs(item))
        return str(path)
    return gdb(folder, item) if ".gdb" in item.source else gpkg(folder, item)


def shp_gbk(folder: Path, item: Delivered) -> str:
    """Write a shapefile in GBK that says so in its .cpg."""
    return _shapefile(folder, item, "GBK")


def shp_gbk_silent(folder: Path, item: Delivered) -> str:
    """Write a shapefile in GBK that says so nowhere, as most offices do."""
    return _shapefile(folder, item, None)


def zip_of_shp(folder: Path, item: Delivered) -> str:
    """Pack a shapefile in GBK below a folder of a zip."""
    path = _path(folder, item, ".shp")
    inner = path.with_suffix("")
    _shapefile(inner, item, "GBK")
    write_zip(path.with_suffix(".zip"), inner, "成果 最终版")
    return str(path.with_suffix(".zip"))


def gpkg(folder: Path, item: Delivered) -> str:
    """Write a GeoPackage of one layer, its shapes as they are, with Z where they have one."""
    path = _path(folder, item, ".gpkg")
    _write(path, item, "GPKG", layer="图层")
    return f"{path}:图层"


def gdb(folder: Path, item: Delivered) -> str:
    """Write a file geodatabase of one layer, as newer programs do: whole numbers of 64 bits and days are kept."""
    path = _path(folder, item, ".gdb")
    layer = item.layer.upper()
    _write(path, item, "OpenFileGDB", layer=layer, TARGET_ARCGIS_VERSION="ARCGIS_PRO_3_2_OR_LATER")
    return f"{path}:{layer}"


def geojson(folder: Path, item: Delivered) -> str:
    """Write GeoJSON with every digit, its system in the `crs` member."""
    path = _path(folder, item, ".geojson")
    _write(path, item, "GeoJSON", COORDINATE_PRECISION="15")
    return str(path)


def fgb(folder: Path, item: Delivered) -> str:
    """Write a FlatGeobuf without the index, which would sort the rows and leave out those without a shape."""
    path = _path(folder, item, ".fgb")
    _write(path, item, "FlatGeobuf", SPATIAL_INDEX="NO")
    return str(path)


def parquet(folder: Path, item: Delivered) -> str:
    """Write GeoParquet."""
    path = _path(folder, item, ".parquet")
    item.rows.to_parquet(path, index=False)
    return str(path)


def xlsx(folder: Path, item: Delivered) -> str:
    """Write a workbook of one sheet, codes as text."""
    path = _path(folder, item, ".xlsx")
    write_workbook(path, item.rows)
    return str(path)


def xlsx_as_typed(folder: Path, item: Delivered) -> str:
    """Write a workbook whose cells hold the values as they are in the rows, numbers as numbers and texts as texts."""
    return _book(_path(folder, item, ".xlsx"), item.rows, title=None)


def xlsx_with_title(folder: Path, item: Delivered) -> str:
    """Write a workbook with a merged title row above the heading."""
    return _book(_path(folder, item, ".xlsx"), item.rows, title="企业税收产出情况统计表（2023年度）")


def csv_utf8(folder: Path, item: Delivered) -> str:
    """Write a CSV in UTF-8 with a mark in front."""
    return _csv(folder, item, "utf-8-sig")


def csv_gbk(folder: Path, item: Delivered) -> str:
    """Write a CSV in GBK, as spreadsheet programs of Chinese Windows do."""
    return _csv(folder, item, "gbk")


VECTOR_FORMS = {
    "shp_gbk": shp_gbk,
    "shp_gbk_silent": shp_gbk_silent,
    "zip": zip_of_shp,
    "gpkg": gpkg,
    "gdb": gdb,
    "geojson": geojson,
    "fgb": fgb,
    "parquet": parquet,
}


def _csv(folder: Path, item: Delivered, encoding: str) -> str:
    path = _path(folder, item, ".csv")
    item.rows.to_csv(path, index=False, encoding=encoding)
    return str(path)


def _book(path: Path, rows: pd.DataFrame, *, title: str | None) -> str:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "企业"
    if title is not None:
        sheet.append([title])
        sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(rows.columns))
    sheet.append(list(rows.columns))
    for row in rows.itertuples(index=False):
        sheet.append([None if pd.isna(value) else value for value in row])
    book.save(path)
    return str(path)


def _shapefile(folder: Path, item: Delivered, cpg: str | None) -> str:
    path = _path(folder, item, ".shp")
    _write(path, item, "ESRI Shapefile", ENCODING="GBK")
    path.with_suffix(".cpg").unlink()
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg, encoding="ascii")
    with path.with_suffix(".dbf").open("r+b") as dbf:
        dbf.seek(_LANGUAGE_BYTE)
        dbf.write(b"\0")
    return str(path)


def _write(path: Path, item: Delivered, driver: str, *, layer: str | None = None, **options: str) -> None:
    """Write rows through Arrow, days as days."""
    rows = item.rows
    columns = {name: _arrow(rows[name]) for name in public(rows)}
    shapes = pa.array(shapely.to_wkb(rows.geometry.to_numpy()), pa.binary())
    pyogrio.write_arrow(
        pa.table({**columns, "geometry": shapes}),
        path,
        layer=layer or path.stem,
        driver=driver,
        geometry_name="geometry",
        geometry_type=_one_type(rows, shapefile=driver == "ESRI Shapefile"),
        crs=_crs(item),
        layer_options=options,
    )


def _one_type(rows: gpd.GeoDataFrame, *, shapefile: bool) -> str:
    shapes = rows.geometry.to_numpy()
    kinds = sorted({shape.geom_type for shape in shapes if shape is not None}, key=len)
    kind = kinds[0] if shapefile or len(kinds) == 1 else "Unknown"
    return kind.replace("Multi", "" if shapefile else "Multi") + (
        " Z" if np.any(shapely.has_z(shapes)) else ""
    )


def _crs(item: Delivered) -> str:
    return f"EPSG:{item.rows.crs.to_epsg()}"


def _path(folder: Path, item: Delivered, suffix: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = item.title.replace(" ", "_")
    number = sum(1 for other in folder.iterdir() if other.stem.startswith(name) and other.suffix == suffix)
    return folder / f"{name}{number or ''}{suffix}"
