"""Frames in and out of PostgreSQL by binary COPY and binary fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely
from psycopg import sql

from lowland_gis import schema
from lowland_gis.db import copy_format

# So many rows are put together at a time; more would only cost memory.
COPY_ROWS = 50_000

Connection = psycopg.Connection[Any]
Query = str | sql.SQL | sql.Composed

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
    geometries in the plane of `srid`, JSON columns dictionaries or JSON texts.
    """
    constants = constants or {}
    columns = [column for column in table.columns if not column.identity]
    unknown = set(rows.columns) - {column.name for column in columns}
    if unknown:
        raise KeyError(f"{table.full_name} has no columns {sorted(unknown)}")
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table.schema, table.name),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(copy_format.HEADER)
        for start in range(0, len(rows), COPY_ROWS):
            batch = rows.iloc[start : start + COPY_ROWS]
            fields = [_field(column, batch, constants, srid) for column in columns]
            copy.write(copy_format.rows(fields))
        copy.write(copy_format.TRAILER)
    return len(rows)


def _field(
    column: schema.Column, rows: pd.DataFrame, constants: Mapping[str, Any], srid: int
) -> copy_format.Field:
    if column.name in constants:
        return copy_format.constant(column.kind, constants[column.name], len(rows))
    if column.name not in rows.columns:
        return copy_format.constant(column.kind, None, len(rows))
    return copy_format.field(column.kind, rows[column.name], srid=srid)


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
