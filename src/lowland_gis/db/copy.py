"""Frames into PostgreSQL by binary COPY."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db import copy_format
from lowland_gis.db.connect import Connection
from lowland_gis.db.privileges import row_secured

if TYPE_CHECKING:
    import pandas as pd

# So many rows are put together at a time; more would only cost memory.
COPY_ROWS = 50_000


def copy_in(
    connection: Connection,
    table: schema.Table,
    rows: pd.DataFrame,
    *,
    srid: int,
    constants: Mapping[str, Any] | None = None,
) -> int:
    """Write a frame into a table by COPY and return the number of rows.

    Columns of the frame that the table lacks are an error; identity columns, and those that it fills, are left to the database. `constants`
    fills whole columns, for example `{"run_id": 7}`. NaN, NaT and None become NULL. Geometry columns hold shapely
    geometries, or their little-endian WKB, in the plane of `srid` (polygons also where the column holds multipolygons), JSON columns dictionaries or JSON texts.
    """
    for start in range(0, len(rows), COPY_ROWS):
        send(connection, encoded(table, rows.iloc[start : start + COPY_ROWS], srid=srid, constants=constants))
    return len(rows)


_COPY = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT BINARY, FREEZE {freeze})")
_BEFORE = sql.SQL("CREATE TEMPORARY TABLE {temporary} AS SELECT {columns} FROM {table} WITH NO DATA")
_AFTER = sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {temporary}; DROP TABLE {temporary}")


@dataclass(frozen=True)
class Encoded:
    """Rows as the bytes of COPY, and the statement that takes them."""

    statement: sql.Composed
    content: memoryview
    # Before and after the rows, where PostgreSQL takes them only by INSERT.
    before: sql.Composed | None = None
    after: sql.Composed | None = None


def encoded(
    table: schema.Table,
    rows: pd.DataFrame,
    *,
    srid: int,
    constants: Mapping[str, Any] | None = None,
    made_here: bool = False,
) -> Encoded:
    """Return rows as they are to be sent; arguments as with `copy_in`. No database is needed.

    A table that was `made_here`, in this transaction, takes them as seen by all: else who reads them first has to note of each that
    it is there for good, which writes every page once more, and the server goes through the table once more for the same.
    """
    constants = constants or {}
    columns = [column for column in table.columns if not column.identity and column.filled is None]
    unknown = set(rows.columns) - {column.name for column in columns}
    if unknown:
        raise KeyError(f"{table.full_name} has no columns {sorted(unknown)}")
    names = {
        "table": sql.Identifier(table.schema, table.name),
        "columns": sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
        "temporary": sql.Identifier("pg_temp", f"copied_{table.name}"),
        "freeze": sql.SQL("true" if made_here else "false"),
    }
    content = copy_format.rows([_field(column, rows, constants, srid) for column in columns])
    # Of a part that is being made nobody but its maker sees a row, so it is looked at when it is there (`db.parts`).
    if made_here or not row_secured(table):
        return Encoded(_COPY.format(**names), content)
    return Encoded(
        _COPY.format(**names | {"table": names["temporary"]}),
        content,
        _BEFORE.format(**names),
        _AFTER.format(**names),
    )


def send(connection: Connection, rows: Encoded) -> None:
    """Write rows by COPY."""
    with connection.cursor() as cursor:
        if rows.before is not None:
            cursor.execute(rows.before)
        with cursor.copy(rows.statement) as copy:
            copy.write(copy_format.HEADER)
            copy.write(rows.content)
            copy.write(copy_format.TRAILER)
        if rows.after is not None:
            cursor.execute(rows.after)


def _field(
    column: schema.Column, rows: pd.DataFrame, constants: Mapping[str, Any], srid: int
) -> copy_format.Field | copy_format.Same:
    if column.name in constants:
        return copy_format.constant(column.kind, constants[column.name], len(rows))
    if column.name not in rows.columns:
        return copy_format.constant(column.kind, None, len(rows))
    return copy_format.field(column.kind, rows[column.name], srid=srid, geometry_type=column.geometry_type)
