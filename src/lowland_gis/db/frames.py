"""Frames in and out of PostgreSQL by binary COPY and binary fetch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely
from psycopg import sql

from lowland_gis import schema

Connection = psycopg.Connection[Any]
Query = str | sql.SQL | sql.Composed

_COPY_TYPES = {
    "text": "text",
    "integer": "int4",
    "bigint": "int8",
    "number": "float8",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamptz",
    "json": "jsonb",
    # The binary input of a geometry column takes the same bytes as a bytea: EWKB.
    "geometry": "bytea",
}


# By type number in pg_type: bool, int8, int2, int4, float4, float8.
_NUMPY_TYPES = {16: "bool", 20: "int64", 21: "int64", 23: "int64", 700: "float64", 701: "float64"}


def copy_in(
    connection: Connection,
    table: schema.Table,
    rows: pd.DataFrame,
    *,
    srid: int,
    constants: Mapping[str, Any] | None = None,
) -> int:
    """Write a frame into a table by COPY and return the number of rows.

    Columns of the frame that the table lacks are an error; identity columns are left to the database. `constants`
    fills whole columns, for example `{"run_id": 7}`. NaN, NaT and None become NULL. Geometry columns hold shapely
    geometries in the plane of `srid`.
    """
    constants = constants or {}
    columns = [column for column in table.columns if not column.identity]
    unknown = set(rows.columns) - {column.name for column in columns}
    if unknown:
        raise KeyError(f"{table.full_name} has no columns {sorted(unknown)}")
    values = [_values(column, rows, constants, srid) for column in columns]
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table.schema, table.name),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([_COPY_TYPES[column.kind] for column in columns])
        for row in zip(*values, strict=True):
            copy.write_row(row)
    return len(rows)


def _values(
    column: schema.Column, rows: pd.DataFrame, constants: Mapping[str, Any], srid: int
) -> Iterable[Any]:
    if column.name in constants:
        return [constants[column.name]] * len(rows)
    if column.name not in rows.columns:
        return [None] * len(rows)
    series = rows[column.name]
    if column.kind == "geometry":
        geometries = np.asarray(series, dtype=object)
        return list(shapely.to_wkb(shapely.set_srid(geometries, srid), include_srid=True))
    if column.kind == "json":
        return list(series)
    return _CONVERT[column.kind](series)


def _nullable(convert: Callable[[Any], Any]) -> Callable[[pd.Series[Any]], list[Any]]:
    def values(series: pd.Series[Any]) -> list[Any]:
        missing = series.isna().to_numpy()
        return [None if absent else convert(value) for value, absent in zip(series, missing, strict=True)]

    return values


def _date(value: Any) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


_CONVERT: dict[str, Callable[[pd.Series[Any]], list[Any]]] = {
    "text": _nullable(str),
    "integer": _nullable(int),
    "bigint": _nullable(int),
    "number": _nullable(float),
    "boolean": _nullable(bool),
    "date": _nullable(_date),
    "timestamp": _nullable(lambda value: value),
}


def read_frame(connection: Connection, query: Query, parameters: Sequence[Any] = ()) -> pd.DataFrame:
    """Return the rows of a query as a frame, columns in the order of the query."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_composed(query), parameters)
        description = cursor.description or ()
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(description)
    return pd.DataFrame(
        {
            column.name: _series(column.type_code, values)
            for column, values in zip(description, columns, strict=True)
        }
    )


def _series(type_code: int, values: Sequence[Any]) -> pd.Series[Any]:
    """Return numbers as numbers and everything else as the objects they are, so that NULL stays None."""
    dtype = _NUMPY_TYPES.get(type_code)
    if dtype is None or (dtype != "float64" and None in values):
        return pd.Series(values, dtype=object)
    return pd.Series(np.array(values, dtype=dtype))


def read_geoframe(
    connection: Connection, query: Query, parameters: Sequence[Any] = (), *, srid: int
) -> gpd.GeoDataFrame:
    """Return the rows of a query whose column `geom` is selected with ST_AsBinary, as a GeoDataFrame."""
    rows = read_frame(connection, query, parameters)
    geometries = shapely.from_wkb(rows["geom"].to_numpy(dtype=object))
    return gpd.GeoDataFrame(rows.drop(columns="geom"), geometry=geometries, crs=srid)


def _composed(query: Query) -> sql.SQL | sql.Composed:
    return sql.SQL(query) if isinstance(query, str) else query
