"""What is given to the API as a layer: a file by its name, a frame, a series of geometries, an Arrow table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.in_memory import InMemory
from lowland_gis.files.parquet_geometry import arrow_crs


class ArrowStream(Protocol):
    """Whatever hands its rows over as Arrow: a table of pyarrow or polars, a relation of DuckDB, `GeoDataFrame.to_arrow()`."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows as a capsule of the Arrow C stream interface."""


Layer: TypeAlias = "gpd.GeoDataFrame | gpd.GeoSeries | ArrowStream | str | Path"

_NAME, _FACTS = b"ARROW:extension:name", b"ARROW:extension:metadata"
_WKB = (b"geoarrow.wkb", b"ogc.wkb")
_NATIVE = b"geoarrow."
# What a column of plain bytes is called where it is the geometry.
_USUAL = ("geometry", "geom", "wkb_geometry", "wkb")


def layer(given: Layer, name: str) -> str | InMemory:
    """Return what is given as a layer, as the stages take it; `name` is what messages call it, a file is called by its own.

    Raises:
        UsageError: it is nothing that has rows.
        InputRefusedError: its columns cannot be told apart.
    """
    if isinstance(given, str | Path):
        return str(given)
    if isinstance(given, pd.DataFrame | gpd.GeoSeries):
        return of_frame(given, name)
    if hasattr(given, "__arrow_c_stream__"):
        return of_arrow(given, name)
    raise UsageError(
        f"{name}: {type(given).__name__} is no layer. Give a GeoDataFrame, a GeoSeries, an Arrow table, or the name of a vector file."
    )


def of_frame(frame: pd.DataFrame | gpd.GeoSeries, name: str) -> InMemory:
    """Return a frame or a series of geometries as a source; its active geometry is the geometry, its index names the rows.

    Raises:
        InputRefusedError: columns of one name cannot be told apart, or the index has several levels.
    """
    shapes = _geometries(frame)
    columns = {} if isinstance(frame, gpd.GeoSeries) else _attributes(frame, name)
    return InMemory(
        name,
        len(frame),
        tuple(columns),
        None if shapes is None or shapes.crs is None else str(shapes.crs.to_wkt()),
        lambda column: _values(columns[column], f"{name}: the field {column}"),
        None if shapes is None else partial(_as_wkb, shapes.to_numpy()),
        _row_names(frame.index, name),
    )


def of_arrow(found: Any, name: str) -> InMemory:
    """Return an Arrow table, or what turns into one (`__arrow_c_stream__`), as a source.

    Its geometry is the column that says that it is one (GeoArrow, WKB or native), else a column of bytes called geometry or geom.

    Raises:
        InputRefusedError: several columns are geometries, or columns of one name cannot be told apart.
    """
    table = found if isinstance(found, pa.Table) else pa.table(found)
    _refuse_doubled(table.column_names, name)
    kinds = {field.name: _kind(field) for field in table.schema}
    geometries = [column for column, kind in kinds.items() if kind is not None]
    geometry = next(iter(geometries), None)
    if len(geometries) > 1:
        geometry = next((usual for usual in _USUAL if usual in geometries), None)
        if geometry is None:
            raise InputRefusedError(
                f"{name}: it has several columns of geometries ({', '.join(geometries)}), and none is called geometry, so they cannot"
                " be told apart. Leave one in the table, or rename it."
            )
    elif geometry is None:
        geometry = next(
            (usual for usual in _USUAL if usual in kinds and _is_bytes(table.schema.field(usual).type)), None
        )
    columns = tuple(column for column in table.column_names if column not in (geometry, *geometries))
    crs = None if geometry is None else _declared(table.schema, geometry)
    shapes = None if geometry is None else _arrow_shapes(table, geometry, kinds[geometry])
    return InMemory(name, table.num_rows, columns, crs, table.column, shapes)


def _geometries(frame: pd.DataFrame | gpd.GeoSeries) -> gpd.GeoSeries | None:
    if isinstance(frame, gpd.GeoSeries):
        return frame
    try:
        return frame.geometry if isinstance(frame, gpd.GeoDataFrame) else None
    except AttributeError:  # no column of it is the active geometry
        return None


def _attributes(frame: pd.DataFrame, name: str) -> dict[str, pd.Series[Any]]:
    _refuse_doubled([str(column) for column in frame.columns], name)
    return {
        str(column): frame[column]
        for column in frame.columns
        if not isinstance(frame[column].dtype, gpd.array.GeometryDtype)
    }


def _refuse_doubled(names: Sequence[str], where: str) -> None:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputRefusedError(
            f"{where}: several columns are called {', '.join(doubled)}, so they cannot be told apart. Rename them."
        )


def _row_names(index: pd.Index, name: str) -> pa.ChunkedArray | None:
    """Return the labels of rows, None where they are numbered from 0."""
    if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return None
    if isinstance(index, pd.MultiIndex):
        raise InputRefusedError(
            f"{name}: its index has several levels, which are no name of a row. Name a field with --id, or type .reset_index()."
        )
    return _values(index.to_series(), f"{name}: the index")


def _values(column: pd.Series[Any], what: str) -> pa.ChunkedArray:
    try:
        values = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputRefusedError(
            f"{what} holds values of several kinds ({error}), by which nothing can be named or summed. Name a field of texts or numbers."
        ) from error
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _as_wkb(geometries: npt.NDArray[np.object_], start: int, rows: int) -> pa.Array:
    some = geometries[start : start + rows]
    return pa.array(shapely.to_wkb(some, byte_order=1, output_dimension=2), pa.large_binary())


def _kind(field: pa.Field) -> bytes | None:
    """Return the name of the GeoArrow type of a field, None where it is none."""
    said = (field.metadata or {}).get(_NAME)
    if said is None and isinstance(field.type, pa.BaseExtensionType):
        said = field.type.extension_name.encode()
    return said if said is not None and (said in _WKB or said.startswith(_NATIVE)) else None


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _declared(schema: pa.Schema, geometry: str) -> str | None:
    """Return the system that a geometry column declares: in GeoArrow's own words, or in the `geo` metadata of GeoParquet."""
    field = schema.field(geometry)
    facts = dict(field.metadata or {})
    if isinstance(field.type, pa.ExtensionType):
        facts[_FACTS] = field.type.__arrow_ext_serialize__()
    declared = arrow_crs(facts, schema.metadata or {})
    if declared is not None:
        return declared
    try:
        said = json.loads((schema.metadata or {}).get(b"geo") or b"{}")["columns"][geometry]["crs"]
    except (ValueError, KeyError, TypeError):
        return None
    return None if said is None else json.dumps(said) if isinstance(said, dict) else str(said)


def _arrow_shapes(table: pa.Table, geometry: str, kind: bytes | None) -> Callable[[int, int], pa.Array]:
    if kind is not None and kind not in _WKB:
        # Coordinates in lists of lists: shapely makes geometries of them.
        return partial(_as_wkb, gpd.GeoDataFrame.from_arrow(table.select([geometry])).geometry.to_numpy())
    values = table.column(geometry)
    if isinstance(values.type, pa.BaseExtensionType):
        values = pa.chunked_array([chunk.storage for chunk in values.chunks], values.type.storage_type)
    return partial(_slice, values)


def _slice(values: pa.ChunkedArray, start: int, rows: int) -> pa.Array:
    """Return some rows as one array of WKB: as they lie where they lie together, else copied."""
    some = values.slice(start, rows)
    array = some.chunk(0) if some.num_chunks == 1 else some.combine_chunks()
    plain = pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)
    return array if plain else array.cast(pa.large_binary())
