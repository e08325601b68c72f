"""Partitions: every delivery of parcels and features is a table of its own below the common one.

It is loaded bare, indexed once and attached at the end, all in the transaction of the delivery: until then nobody sees it, and an
error leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection

PART_SCHEMA = "land_part"
# No statement is planned by what is usual in these, and to find out takes longer than for all others together.
_UNCOUNTED = {"attributes", "geom_received"}


def new_part(connection: Connection, table: schema.Table, version_id: int) -> schema.Table:
    """Return the table that the rows of a delivery are to be copied to; one that is not partitioned takes them itself."""
    if table.partitioned_by is None:
        return table
    part = replace(table, schema=PART_SCHEMA, name=f"{table.name}_{version_id}")
    # The check is that of the partition to be, so that attaching need not read the rows again.
    _execute(
        connection,
        "CREATE TABLE {part} (LIKE {whole} INCLUDING COMMENTS, CONSTRAINT one_delivery CHECK ({by} = {version}))",
        table,
        part,
        by=sql.Identifier(table.partitioned_by),
        version=sql.Literal(version_id),
    )
    for name in sorted(_UNCOUNTED & set(table.column_names)):
        _execute(
            connection,
            "ALTER TABLE {part} ALTER {column} SET STATISTICS 0",
            table,
            part,
            column=sql.Identifier(name),
        )
    for column in _identities(table):
        _execute(
            connection,
            "ALTER TABLE {part} ALTER {column} SET DEFAULT nextval(pg_get_serial_sequence({name}, {text}))",
            table,
            part,
            column=sql.Identifier(column),
            name=sql.Literal(table.full_name),
            text=sql.Literal(column),
        )
    return part


def copy_rest(
    connection: Connection, table: schema.Table, held: int, version_id: int, taken: Sequence[int]
) -> int:
    """Copy the rows of a delivery, but for some (by `row_no`), as another delivery, in their order; return how many."""
    part = new_part(connection, table, version_id)
    columns = [column.name for column in table.columns if not column.identity and column.name != "version_id"]
    order = next((column.name for column in table.columns if column.identity), "row_no")
    statement = sql.SQL(
        "INSERT INTO {part} (version_id, {columns}) SELECT %s, {columns} FROM {whole} held WHERE version_id = %s AND NOT EXISTS"
        " (SELECT FROM unnest(%s::bigint[]) AS taken (row_no) WHERE taken.row_no = held.row_no) ORDER BY {order}"
    ).format(
        part=sql.Identifier(part.schema, part.name),
        whole=sql.Identifier(table.schema, table.name),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        order=sql.Identifier(order),
    )
    copied = connection.execute(statement, [version_id, held, list(taken)]).rowcount
    attach_part(connection, table, version_id)
    return copied


def attach_part(connection: Connection, table: schema.Table, version_id: int) -> None:
    """Index the rows of a delivery and make them a part of the common table."""
    if table.partitioned_by is None:
        return
    part = replace(table, schema=PART_SCHEMA, name=f"{table.name}_{version_id}")
    _execute(
        connection,
        "ALTER TABLE {part} ADD PRIMARY KEY ({key})",
        table,
        part,
        key=sql.SQL(", ").join(map(sql.Identifier, table.key)),
    )
    for column in table.columns:
        if column.indexed or column.spatially_indexed:
            _execute(
                connection,
                "CREATE INDEX ON {part} USING {kind} ({column})",
                table,
                part,
                kind=sql.SQL("gist" if column.spatially_indexed else "btree"),
                column=sql.Identifier(column.name),
            )
    for name in _identities(table):
        _execute(
            connection,
            "ALTER TABLE {part} ALTER {column} DROP DEFAULT",
            table,
            part,
            column=sql.Identifier(name),
        )
    _execute(
        connection,
        "ALTER TABLE {whole} ATTACH PARTITION {part} FOR VALUES IN ({version})",
        table,
        part,
        version=sql.Literal(version_id),
    )
    _execute(connection, "ALTER TABLE {part} DROP CONSTRAINT one_delivery", table, part)


def _identities(table: schema.Table) -> list[str]:
    return [column.name for column in table.columns if column.identity]


def _execute(
    connection: Connection, statement: str, table: schema.Table, part: schema.Table, **names: sql.Composable
) -> None:
    composed = sql.SQL(statement).format(
        whole=sql.Identifier(table.schema, table.name), part=sql.Identifier(part.schema, part.name), **names
    )
    connection.execute(composed)
