"""Write the layers of a package in the forms that its definition names, and look at what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from lowland_gis.definitions.package import (
    DATABASES,
    FILEGDB,
    GEOPACKAGE,
    SHAPEFILE,
    FieldDefinition,
    PackageDefinition,
)
from lowland_gis.files.exported.compared import TOLERANCE_M, compared
from lowland_gis.files.exported.geodatabase import write_gdb, write_gpkg
from lowland_gis.files.exported.geoparquet import write_parquet
from lowland_gis.files.exported.layer import Layer, Written
from lowland_gis.files.gdal_path import GDAL_ERRORS
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.files.write import write_shapefile, write_table
from lowland_gis.products.package.layers import PackageNames, PreparedLayer, dbf_columns, dbf_fields

# Whole numbers of so many digits fit into 32 bits, which every geodatabase has.
_SHORT_NUMBER = 9
_DATE_OF_GEOPACKAGE = "OGR_CURRENT_DATE"

Write = Callable[[Sequence[Layer], Path, date], list[Written]]
_WRITERS: dict[str, Write] = {FILEGDB: write_gdb, GEOPACKAGE: write_gpkg}


def write_forms(
    root: Path, layers: Sequence[PreparedLayer], definition: PackageDefinition, names: PackageNames
) -> dict[str, dict[str, Path]]:
    """Write all layers in each form, below `root`, and return form → layer → file.

    Raises:
        OSError: the disk is full, or a form that others write (FileGDB, GeoPackage, GeoParquet) did not come back as it was handed over.
    """
    dated = date(names.year, 1, 1)
    return {form: _written(form, root, layers, definition, names, dated) for form in definition.forms}


def _written(
    form: str,
    root: Path,
    layers: Sequence[PreparedLayer],
    definition: PackageDefinition,
    names: PackageNames,
    dated: date,
) -> dict[str, Path]:
    paths = {
        layer.definition.name: root / names.fill(definition.place(layer.definition, form)) for layer in layers
    }
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    if form == SHAPEFILE:
        for layer in layers:
            _write_shapefile(layer, paths[layer.definition.name], dated)
        return paths
    made = [as_layer(layer) for layer in layers]
    for path in dict.fromkeys(paths.values()):
        own = [layer for layer in made if paths[layer.name] == path]
        with _dated(dated), _as_os_errors():
            _WRITERS.get(form, write_parquet)(own, path, dated)
            for one in own:
                _confirm(one, path, form)
    return paths


def _write_shapefile(layer: PreparedLayer, path: Path, dated: date) -> None:
    fields, columns = dbf_fields(layer.definition), dbf_columns(layer)
    if layer.definition.geometry == "polygon":
        write_shapefile(path, fields, columns, layer.geometries, crs=layer.crs or "", dated=dated)
    else:
        write_table(path, fields, columns, dated=dated)


def as_layer(layer: PreparedLayer) -> Layer:
    """Return a prepared layer as writers of other forms take it: texts, numbers and days of one type a field, whatever the values."""
    fields = layer.definition.fields
    columns = {field.name: pa.array(layer.columns[field.name], _arrow_type(field)) for field in fields}
    polygon = layer.definition.geometry == "polygon"
    shapes = np.empty(layer.n_rows, dtype=object)
    shapes[:] = layer.geometries if polygon else None
    return Layer(
        layer.definition.name,
        pa.table(columns),
        shapely.force_2d(shapes) if polygon else None,
        layer.crs if polygon else None,
        title=layer.definition.title,
        titles={field.name: field.heading for field in fields},
        widths={field.name: field.length for field in fields if field.type == "C"},
    )


def _arrow_type(field: FieldDefinition) -> pa.DataType:
    if field.type == "N" and field.decimals:
        return pa.float64()
    whole = pa.int32() if field.length <= _SHORT_NUMBER else pa.int64()
    return {"C": pa.string(), "N": whole, "D": pa.date32()}[field.type]


@contextmanager
def _dated(day: date) -> Iterator[None]:
    """Let a GeoPackage say that it is of that day, so that the same input gives the same bytes."""
    before = pyogrio.get_gdal_config_option(_DATE_OF_GEOPACKAGE)
    pyogrio.set_gdal_config_options({_DATE_OF_GEOPACKAGE: f"{day.isoformat()}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_DATE_OF_GEOPACKAGE: before})


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """What the libraries say of a file that cannot be written is that the file cannot be written."""
    try:
        yield
    except (*GDAL_ERRORS, pa.ArrowException) as error:
        raise OSError(str(error)) from error


def _confirm(layer: Layer, path: Path, form: str) -> None:
    """Read a layer again and hold it against what was written: of a record that finds no room GDAL only writes a line to a log."""
    back = read_again(path, layer.name if form in DATABASES else None)
    names = {name: name for name in layer.attributes.column_names}
    if set(back.attributes.column_names) != set(names) and layer.n_rows:
        raise OSError(f"{layer.name}: its fields did not come back as they were written")
    if not layer.n_rows:
        return
    # Vertices need not be held against each other one by one: what is lost is lost as records, and `package check` looks closer.
    result = compared(replace(layer, geometries=None), replace(back, geometries=None), names)
    if not result.same or not _same_extent(layer, back):
        first = next((f"{each.field} {each.before} → {each.after}" for each in result.changes), "shapes")
        raise OSError(
            f"{layer.name}: {result.n_before:,} rows were written and {result.n_after:,} came back, or otherwise"
            f" ({first}); the disk may be full"
        )


def _same_extent(one: Layer, other: Layer) -> bool:
    """Tell whether every shape has the box and the number of vertices that it had; boxes to a millimetre."""
    if one.geometries is None or other.geometries is None:
        return one.geometries is other.geometries
    boxes = np.allclose(
        shapely.bounds(one.geometries),
        shapely.bounds(other.geometries),
        rtol=0,
        atol=TOLERANCE_M,
        equal_nan=True,
    )
    counts = shapely.get_num_coordinates(one.geometries), shapely.get_num_coordinates(other.geometries)
    return bool(boxes and np.array_equal(*counts))


def read_again(path: Path, layer: str | None) -> Layer:
    """Return what a file holds: columns as they are typed in it, and shapes."""
    name = str(path) if layer is None else f"{path}:{layer}"
    with opened(name, path.parent) as source, received(source) as arrived:
        batches = list(arrived.batches)
        tables = [batch.attributes for batch in batches]
        parts = [batch.wkb for batch in batches if batch.wkb is not None]
        shapes = None
        if arrived.has_geometry:
            shapes = shapely.from_wkb(np.concatenate(parts)) if parts else np.empty(0, dtype=object)
        table = pa.concat_tables(tables, promote_options="permissive") if tables else _empty(arrived.columns)
        return Layer(layer or path.stem, table, shapes, arrived.declared_crs)


def _empty(columns: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in columns})
