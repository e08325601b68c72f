"""A table of results beside those of the project: written batch by batch, there when all is written, replaced only where lowland made it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.csv
from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection, transaction
from lowland_gis.errors import UsageError
from lowland_gis.files.beyond import table_name

# The comment by which a table is known as one of these.
MARK = "Made by lowland, which replaces it"
_KINDS = {pa.string(): "text", pa.int64(): "bigint", pa.float64(): "double precision"}

Write = Callable[[pa.Table], None]


@contextmanager
def table_writer(dsn: str, place: str, *, overwrite: bool = False) -> Iterator[Write]:
    """Yield what writes rows of the same columns one after the other; all of them are committed at the end, or nothing.

    Raises:
        UsageError: the table is one of the project's, or was not made here and `overwrite` is not set.
        DatabaseError: the server cannot be reached, or refuses a statement.
    """
    name = table_name(place)
    if name[0] in {table.schema for table in schema.TABLES}:
        raise UsageError(
            f"{place}: {name[0]} is a schema of the project's own tables. Name another: PG:analysis.{name[1]}"
        )
    with transaction(dsn) as connection:
        identifier = sql.Identifier(*name)
        _refuse_others(connection, place, identifier, overwrite=overwrite)
        # Who may not make schemas may still have been given one.
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name[0]]).fetchone() is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name[0])))
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(identifier))
        made: list[pa.Schema] = []

        def write(rows: pa.Table) -> None:
            plain = rows.cast(_plain(rows.schema))
            if not made:
                _make(connection, identifier, plain.schema)
                made.append(plain.schema)
            _copy(connection, identifier, plain)

        yield write


def _refuse_others(
    connection: Connection, place: str, identifier: sql.Identifier, *, overwrite: bool
) -> None:
    """Refuse to replace what was not made here; a view is never replaced."""
    row = connection.execute(
        "SELECT relkind, obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass(%s)",
        [identifier.as_string(connection)],
    ).fetchone()
    if row is None or (row[0] == "r" and (overwrite or row[1] == MARK)):
        return
    if row[0] != "r":
        raise UsageError(f"{place}: is no plain table, so it was left as it is. Name another.")
    raise UsageError(
        f"{place}: exists, and it was not made by lowland, so it was left as it is. Name another table, or have it replaced: --overwrite"
    )


def _plain(given: pa.Schema) -> pa.Schema:
    """Return the types with each value in its row: what stands once in a file is spelt out."""
    kinds = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in given]
    return pa.schema(
        [
            (field.name, kind if kind in _KINDS else pa.string())
            for field, kind in zip(given, kinds, strict=True)
        ]
    )


def _make(connection: Connection, identifier: sql.Identifier, columns: pa.Schema) -> None:
    parts = [
        sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_KINDS[field.type])) for field in columns
    ]
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(identifier, sql.SQL(", ").join(parts)))
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(identifier, sql.Literal(MARK)))


def _copy(connection: Connection, identifier: sql.Identifier, rows: pa.Table) -> None:
    content = io.BytesIO()
    pyarrow.csv.write_csv(rows, content, pyarrow.csv.WriteOptions(include_header=False))
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT CSV)").format(identifier)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(content.getbuffer())
