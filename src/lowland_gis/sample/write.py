"""Write the deliveries: shapefiles with exact fields, GeoPackage, FileGDB, workbooks, a raster and plain tables."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import rasterio
import rasterio.features
import shapely
import xlsxwriter
from scipy import ndimage

from lowland_gis.files.gdal_path import gdal_target
from lowland_gis.sample.dbf import write_dbf
from lowland_gis.sample.deliveries import ShapefileForm
from lowland_gis.sample.dice import Shapes

FIXED_ZIP_DATE = (2024, 1, 1, 0, 0, 0)
FIXED_DATE = dt.datetime(2024, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
NODATA = -9999.0
MOST_CELLS = 16_000_000
ROWS_AT_ONCE = 50_000


def public(columns: pd.DataFrame) -> list[str]:
    """Return the names of the columns that are delivered, without geometry and private ones."""
    return [name for name in columns.columns if name != "geometry" and not name.startswith("_")]


def write_shapefile(path: Path, frame: gpd.GeoDataFrame, form: ShapefileForm, *, crs: str) -> None:
    """Write a shapefile; the geometry through GDAL, the attributes with exact fields."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "LineString" if _is_lines(frame) else "Polygon"
    table = pa.table({"geometry": pa.array(shapely.to_wkb(frame.geometry.to_numpy()), pa.binary())})
    with gdal_target(path) as through:
        pyogrio.write_arrow(
            table, through, driver="ESRI Shapefile", geometry_name="geometry", geometry_type=kind, crs=crs
        )
    path.with_suffix(".cpg").unlink(missing_ok=True)
    write_dbf(path.with_suffix(".dbf"), frame, form.fields, encoding=form.encoding, ldid=form.ldid)
    if form.cpg:
        path.with_suffix(".cpg").write_text(form.cpg, encoding="ascii")


def write_layer(path: Path, layer: str, frame: gpd.GeoDataFrame, *, crs: str, driver: str) -> None:
    """Write one layer of a GeoPackage or FileGDB, with real date fields; further layers are added."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gdal_target(path) as through:
        pyogrio.write_arrow(
            _batches(frame),
            through,
            layer=layer,
            driver=driver,
            geometry_name="geometry",
            geometry_type="LineString" if _is_lines(frame) else "MultiPolygon",
            crs=crs,
            layer_options={} if driver == "OpenFileGDB" else {"GEOMETRY_NAME": "geom"},
        )


def _is_lines(frame: gpd.GeoDataFrame) -> bool:
    kinds = shapely.get_type_id(frame.geometry.to_numpy())
    return bool((kinds == shapely.GeometryType.LINESTRING).any())


def _batches(frame: gpd.GeoDataFrame) -> pa.RecordBatchReader:
    """Return the rows in batches that are made one after the other, so that a large layer is not copied at once."""
    starts = range(0, len(frame), ROWS_AT_ONCE)
    batches = (_batch(frame.iloc[start : start + ROWS_AT_ONCE]) for start in starts)
    return pa.RecordBatchReader.from_batches(_batch(frame.iloc[:0]).schema, batches)


def _batch(rows: gpd.GeoDataFrame) -> pa.RecordBatch:
    columns = {name: _arrow(rows[name]) for name in public(rows)}
    shapes = pa.array(shapely.to_wkb(_multi(rows.geometry.to_numpy())), pa.binary())
    return pa.record_batch({**columns, "geometry": shapes})


def _multi(shapes: Shapes) -> Shapes:
    """Return multi-polygons, as FileGDB and GeoPackage keep one type a layer; missing shapes stay missing."""
    single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    result = shapes.copy()
    rows = np.flatnonzero(single)
    result[rows] = shapely.multipolygons(shapes[rows], indices=np.arange(len(rows)))
    return result


def _arrow(values: pd.Series) -> pa.Array:
    """Return a column with a type that does not depend on the rows of a batch."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pa.array(values.to_numpy().astype("datetime64[D]"), pa.date32())
    if pd.api.types.is_object_dtype(values.dtype) or pd.api.types.is_string_dtype(values.dtype):
        return pa.array(values.to_numpy(dtype=object), pa.string(), from_pandas=True)
    return pa.array(values, from_pandas=True)


def write_zip(path: Path, folder: Path, inner: str) -> None:
    """Pack the files of a folder below an inner folder of a zip, with a fixed date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            member = zipfile.ZipInfo(f"{inner}/{file.name}", FIXED_ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as target, file.open("rb") as source:
                shutil.copyfileobj(source, target)


def write_workbook(path: Path, rows: pd.DataFrame) -> None:
    """Write one sheet with a heading row; codes are text, a missing value is an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        book.set_properties({"created": FIXED_DATE, "title": "合成数据，企业均为虚构"})
        sheet = book.add_worksheet("企业")
        sheet.write_row(0, 0, rows.columns)
        for number, row in enumerate(rows.itertuples(index=False), 1):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif pd.notna(value):
                    sheet.write_number(number, column, float(value))


def write_table(path: Path, rows: pd.DataFrame) -> None:
    """Write a CSV that spreadsheet programs open as UTF-8."""
    rows.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def write_intensity(path: Path, buildings: gpd.GeoDataFrame, district: Shapes) -> None:
    """Write built intensity (0 to 1): building footprint a cell, smoothed; outside the district no data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    west, south, east, north = shapely.total_bounds(district)
    size = 10.0
    while (east - west) * (north - south) / size**2 > MOST_CELLS:
        size *= 2
    west, north = np.floor(west / size) * size, np.ceil(north / size) * size
    columns, rows = int(np.ceil((east - west) / size)), int(np.ceil((north - south) / size))
    transform = rasterio.Affine(size, 0.0, west, 0.0, -size, north)
    values = _density(buildings, (rows, columns), west, north, size)
    outside = rasterio.features.geometry_mask(district, (rows, columns), transform)
    values[outside] = NODATA
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": rows, "width": columns}
    options = {
        "crs": "EPSG:4548",
        "transform": transform,
        "nodata": NODATA,
        "compress": "deflate",
        "predictor": 2,
    }
    with rasterio.open(path, "w", **profile, **options) as target:
        target.write(values, 1)


def _density(
    buildings: gpd.GeoDataFrame, shape: tuple[int, int], west: float, north: float, size: float
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    shapes = buildings.geometry.to_numpy()
    points = shapely.get_coordinates(shapely.centroid(shapes))
    area = shapely.area(shapes)
    column = np.clip(((points[:, 0] - west) / size).astype(int), 0, shape[1] - 1)
    row = np.clip(((north - points[:, 1]) / size).astype(int), 0, shape[0] - 1)
    total = np.bincount(row * shape[1] + column, area, minlength=shape[0] * shape[1]).reshape(shape)
    smooth = ndimage.gaussian_filter((total / size**2).astype(np.float32), sigma=max(1.5, 25.0 / size))
    return np.asarray(np.round(np.clip(smooth, 0, 1), 3), dtype=np.float32)
