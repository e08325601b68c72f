"""Write layers as a GeoPackage or a FileGDB by GDAL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.exported.layer import NONE, Layer, Written, as_multi, family, is_plain, plain
from lowland_gis.files.gdal_path import gdal_target
from lowland_gis.files.gdal_words import GdalWords

_GEOMETRY = "lowland_geometry"
# The column of row numbers, unless a field of the layer has its name.
_ROW_NUMBERS = {
    "GPKG": ("fid", "ogc_fid", "lowland_fid"),
    "OpenFileGDB": ("OBJECTID", "OBJECTID_1", "LOWLAND_ID"),
}
_SHAPES = {"GPKG": ("geom", "geom_1", "lowland_geom"), "OpenFileGDB": ("SHAPE", "SHAPE_1", "LOWLAND_SHAPE")}
# What the driver calls the title of a layer.
_TITLES = {"GPKG": "IDENTIFIER", "OpenFileGDB": "LAYER_ALIAS"}
_EXACT = 1 << 53
_INT32 = -(1 << 31), (1 << 31) - 1
_WIDEST = 32


def write_gpkg(layers: Sequence[Layer], path: Path, dated: date) -> list[Written]:
    """Write the layers as a GeoPackage; errors are those of GDAL."""
    del dated
    return [_write(layer, path, "GPKG") for layer in layers]


def write_gdb(layers: Sequence[Layer], path: Path, dated: date) -> list[Written]:
    """Write the layers as a FileGDB that ArcGIS 10 and QGIS 3 read as well as newer ones.

    Raises:
        InputRefusedError: a layer holds several kinds of geometry. Others are GDAL's.
    """
    del dated
    return [_write(layer, path, "OpenFileGDB") for layer in layers]


def _write(layer: Layer, path: Path, driver: str) -> Written:
    written = Written("UTF-8")
    table = _carried(layer.attributes, driver, written)
    table = _described(table, layer)
    taken = {name.casefold() for name in table.column_names}
    options: dict[str, Any] = {"FID": _free(_ROW_NUMBERS[driver], taken)}
    if layer.geometries is not None:
        kind, shapes = _one_kind(layer, driver)
        heights = shapely.has_z(shapes).any()
        table = table.append_column(
            _GEOMETRY, pa.array(shapely.to_wkb(shapes, output_dimension=3 if heights else 2), pa.binary())
        )
        options |= {
            "GEOMETRY_NAME": _free(_SHAPES[driver], taken),
            "geometry_name": _GEOMETRY,
            "crs": layer.crs,
        }
        options["geometry_type"] = f"{kind} Z" if heights else kind
    if layer.title is not None:
        options["layer_options"] = {_TITLES[driver]: layer.title}
    words = GdalWords()
    with words.heard(), gdal_target(path) as target:
        pyogrio.write_arrow(table, target, layer=layer.name, driver=driver, append=path.exists(), **options)
    written.notes += [f"GDAL says: {each}" for each in words.said]
    return written


def _described(table: pa.Table, layer: Layer) -> pa.Table:
    """Return the table with the titles and widths of its fields, where GDAL looks for them."""
    fields = []
    for each in table.schema:
        said = {"alternative_name": layer.titles.get(each.name), "width": layer.widths.get(each.name)}
        known = {f"GDAL:OGR:{key}": str(value) for key, value in said.items() if value is not None}
        fields.append(each.with_metadata(known) if known else each)
    return table.cast(pa.schema(fields)) if fields else table


def _one_kind(layer: Layer, driver: str) -> tuple[str, Any]:
    """Return the kind of the column and the shapes as such; a GeoPackage holds several kinds as they are."""
    shapes = layer.geometries
    try:
        kind = family(layer, "FileGDB")
    except InputRefusedError:
        if driver == "OpenFileGDB":
            raise
        return "Unknown", shapes
    if kind == NONE:
        return "MultiPolygon", shapes
    multi = as_multi(shapes)  # type: ignore[arg-type] # a layer with geometries
    if kind == "Point" and not (shapely.get_num_geometries(multi) > 1).any():
        return "Point", shapely.get_geometry(multi, 0)
    return f"Multi{kind}", multi


def _free(names: Sequence[str], taken: set[str]) -> str:
    return next((name for name in names if name.casefold() not in taken), names[-1])


def _carried(table: pa.Table, driver: str, written: Written) -> pa.Table:
    """Return the columns as the form holds them."""
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        column = plain(table.column(name))
        if not is_plain(column.type):
            written.left_out[name] = f"the form has no field for values of this kind ({column.type})"
            continue
        columns[name] = _column(name, column, driver, written)
        written.names[name] = name
    return pa.table(columns) if columns else _no_columns(table)


def _no_columns(table: pa.Table) -> pa.Table:
    # GDAL reads rows without fields, but is handed none without a column.
    return pa.table({}) if table.num_rows == 0 else table.select([])


def _column(name: str, column: pa.ChunkedArray, driver: str, written: Written) -> pa.ChunkedArray:
    """Return a column as every form holds it, and as the driver's own does."""
    kind = column.type
    for is_kind, held_as in _HELD_AS:
        if is_kind(kind):
            return column.cast(held_as)
    if pa.types.is_uint64(kind):
        column = _signed(column)
    return column if driver == "GPKG" else _for_every_arcgis(name, column, written)


# Columns that no form has, and what holds their values.
_HELD_AS = (
    (pa.types.is_null, pa.string()),
    (pa.types.is_decimal, pa.float64()),
    (pa.types.is_date64, pa.date32()),
)


def _for_every_arcgis(name: str, column: pa.ChunkedArray, written: Written) -> pa.ChunkedArray:
    """Return a column of a type that geodatabases have had since ArcGIS 10."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.int16())
    if pa.types.is_date(kind):
        written.notes.append(
            f"{name}: days are moments at midnight, as a geodatabase for every ArcGIS has no days"
        )
        return column.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        written.notes.append(f"{name}: moments are those of UTC, since a geodatabase has no offsets")
        return column.cast(pa.timestamp("ms", "UTC")).cast(pa.timestamp("ms"))
    if pa.types.is_integer(kind) and kind.bit_width > _WIDEST:
        return _narrower(name, column, written)
    return column


def _signed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.string())


def _narrower(name: str, column: pa.ChunkedArray, written: Written) -> pa.ChunkedArray:
    """Return whole numbers as the form holds them for every ArcGIS: of 32 bits, else with a point, else as texts."""
    ends = pc.min_max(column)
    least, most = ends["min"].as_py() or 0, ends["max"].as_py() or 0
    if _INT32[0] <= least and most <= _INT32[1]:
        return column.cast(pa.int32())
    if least >= -_EXACT and most <= _EXACT:
        written.notes.append(
            f"{name}: whole numbers beyond 32 bits are of type Double, which holds them exactly"
        )
        return column.cast(pa.float64())
    written.notes.append(
        f"{name}: whole numbers beyond 2^53 are texts; only ArcGIS Pro 3.2 and later knows them as numbers"
    )
    return column.cast(pa.string())
