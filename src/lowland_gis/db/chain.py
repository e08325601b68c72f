"""The digest of a row of the registry, in SQL: the same expression in the triggers that make the chain and in what verifies it.

It stands on nothing but functions that PostgreSQL itself brings, and not on settings of a session: numbers are taken by their bits, moments
by their seconds, texts by their length and letters. Columns go by their names, and one that is empty is left out, so that a column that a
later migration adds changes no digest.
"""

from __future__ import annotations

from lowland_gis import schema
from lowland_gis.schema.model import Column, Table

_PIECES = {
    "text": "length({0}) || ':' || {0}",
    "json": "length({0}::text) || ':' || {0}::text",
    "texts": "length(to_jsonb({0})::text) || ':' || to_jsonb({0})::text",
    "integer": "{0}",
    "bigint": "{0}",
    "number": "encode(float8send({0}), 'hex')",
    "boolean": "{0}::integer",
    "date": "({0} - DATE '2000-01-01')",
    "timestamp": "extract(epoch FROM {0})",
    "bytes": "encode(sha256({0}), 'hex')",
    "geometry": "encode(sha256({0}::bytea), 'hex')",
}


def row_digest(table: Table, alias: str = "") -> str:
    """Return the SQL of the digest of a row (bytea).

    >>> row_digest(schema.LINEAGE).count("length(")
    1
    """
    pieces = [_piece(column, alias) for column in sorted(table.columns, key=lambda column: column.name)]
    return f"sha256(convert_to(concat_ws(' ', {', '.join(pieces)}), 'UTF8'))"


def head_of(before: str, table_name: str, row_no: str, digest: str) -> str:
    """Return the SQL of a head of the chain: of the head before (empty with the first), a table, a key and the digest of the row."""
    return f"sha256({before} || convert_to({table_name} || ' ' || {row_no} || ' ', 'UTF8') || {digest})"


def _piece(column: Column, alias: str) -> str:
    name = f"{alias}.{column.name}" if alias else column.name
    return f"'{column.name}=' || {_PIECES[column.kind].format(name)}"


def row_key(table: Table) -> str:
    """Return the column that numbers the rows of a chained table."""
    (key,) = table.key
    return key


def chained_tables() -> tuple[Table, ...]:
    """Return the tables whose rows are links of the chain."""
    return tuple(table for table in schema.TABLES if table.chained)
