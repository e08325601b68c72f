"""Tables of PostGIS that tasks read by blocks of pages: each has its own connection, and all see the table at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pyarrow as pa
import pyproj
from psycopg import sql

from lowland_gis.db.connect import Connection, session, snapshot
from lowland_gis.db.frames import read_batches
from lowland_gis.engines.sedona.geoparquet import ALL
from lowland_gis.engines.sedona.polygons import Polygons, Rows
from lowland_gis.engines.sedona.refusal import RowsRefusedError
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.beyond import table_name

# A portion is about so many bytes of a table, what is stored apart from its rows included.
_PORTION_BYTES = 32_000_000
_BATCH_ROWS = 5_000
_WHOLE = {"int2", "int4", "int8"}

_ABOUT = """
SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# The leaves of a table that is cut into parts, or itself; a view has no pages.
_LEAVES = """
SELECT n.nspname, c.relname, pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages, pg_table_size(c.oid) AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND (c.oid = %(table)s::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree(%(table)s::regclass) WHERE isleaf))
ORDER BY n.nspname, c.relname
"""
_ROWS = """
SELECT {field}, ST_AsBinary({geometry}) FROM {table} WHERE ctid >= {first}::tid AND ctid < {last}::tid
"""


@dataclass(frozen=True)
class Portion:
    """Pages of a table, from the first to before the last."""

    table: tuple[str, str]
    first: int
    last: int


@dataclass(frozen=True)
class Table:
    """A table of polygons on one plane: its geometry column and system, what tasks read, and the moment at which all of them see it."""

    name: str
    geometry: str
    crs: pyproj.CRS
    kind: pa.DataType
    portions: tuple[Portion, ...]
    dsn: str
    moment: str

    def polygons(self, spark: Any, field: str | None) -> Polygons:
        """Return its polygons as tasks read them, named by a field, or all `all`."""
        frame = spark.range(0, len(self.portions), 1, max(1, len(self.portions)))
        return Polygons(frame, partial(read, table=self, field=field), self.kind)


@contextmanager
def table(place: str, field: str | None, dsn: str) -> Iterator[Table]:
    """Yield a table, which tasks see as it is now for as long as the body runs.

    Raises:
        InputRefusedError: there is no such table or field, it is a view, has no geometry column or several, no system, or one in degrees.
        DatabaseError: the server cannot be reached.
    """
    schema, name = table_name(place)
    with snapshot(dsn) as connection:
        quoted = sql.Identifier(schema, name).as_string(connection)
        found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [quoted]).fetchone()
        if found != (True,):
            raise InputRefusedError(
                f"{place}: there is no such table in {connection.info.dbname}. See: lowland db psql"
            )
        columns = dict(connection.execute(_ABOUT, [quoted]).fetchall())
        if field is not None and field not in columns:
            raise InputRefusedError(f"{place}: there is no field {field!r}. It has: {', '.join(columns)}.")
        geometry, crs = _geometry(connection, place, schema, name)
        leaves = connection.execute(_LEAVES, {"table": quoted}).fetchall()
        if not leaves:
            raise InputRefusedError(
                f"{place}: it is a view, and tasks read tables by their pages. Make a table of it: CREATE TABLE … AS TABLE {quoted}"
            )
        portions = tuple(portion for leaf in leaves for portion in _portions(*leaf))
        (moment,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        kind = pa.int64() if field is not None and columns[field] in _WHOLE else pa.string()
        yield Table(place, geometry, crs, kind, portions, dsn, moment)


def _geometry(connection: Connection, place: str, schema: str, name: str) -> tuple[str, pyproj.CRS]:
    rows = connection.execute(
        "SELECT f_geometry_column, srid FROM geometry_columns WHERE f_table_schema = %s AND f_table_name = %s",
        [schema, name],
    ).fetchall()
    if len(rows) != 1:
        said = ", ".join(row[0] for row in rows) or "none"
        raise InputRefusedError(f"{place}: it must have one column of geometries, and has {said}.")
    column, srid = rows[0]
    if not srid:
        raise InputRefusedError(
            f"{place}: {column} declares no coordinate system (SRID 0); areas need a plane in metres."
        )
    crs = pyproj.CRS.from_epsg(srid)
    if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise InputRefusedError(
            f"{place} is in {crs.name}; areas need a plane in metres. Make a table with ST_Transform first."
        )
    return column, crs


def _portions(schema: str, name: str, pages: int, weight: int) -> Iterator[Portion]:
    """Yield the pages of a table in runs of about the same weight."""
    step = max(1, int(pages * _PORTION_BYTES // max(1, weight)))
    for first in range(0, pages, step):
        yield Portion((schema, name), first, min(pages, first + step))


def read(batch: pa.RecordBatch, shapes: bool, *, table: Table, field: str | None) -> Iterator[Rows]:
    """Yield the rows of the portions whose numbers (`id`) came, some at a time.

    Raises:
        RowsRefusedError: the server cannot be reached, or refuses.
    """
    for number in batch["id"].to_pylist():
        portion = table.portions[number]
        try:
            with session(table.dsn) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(table.moment)))
                for some in read_batches(
                    connection, _statement(portion, table, field, shapes=shapes), rows=_BATCH_ROWS
                ):
                    names = pa.array([ALL if field is None else row[0] for row in some], table.kind)
                    yield Rows(table.name, number, names, pa.array([row[1] for row in some], pa.binary()))
        except psycopg.Error as error:
            raise RowsRefusedError(
                f"{table.name}: the database refused a task or went away ({str(error).splitlines()[0]}), so nothing was computed."
            ) from error


def _statement(portion: Portion, table: Table, field: str | None, *, shapes: bool) -> sql.Composed:
    named: sql.Composable = sql.SQL("NULL")
    if field is not None:
        kind = sql.SQL("bigint" if pa.types.is_integer(table.kind) else "text")
        named = sql.SQL("{}::{}").format(sql.Identifier(field), kind)
    return sql.SQL(_ROWS if shapes else _ROWS.replace("ST_AsBinary({geometry})", "NULL")).format(
        field=named,
        geometry=sql.Identifier(table.geometry),
        table=sql.Identifier(*portion.table),
        first=sql.Literal(f"({portion.first},0)"),
        last=sql.Literal(f"({portion.last},0)"),
    )
