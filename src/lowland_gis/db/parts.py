"""Partitions: every delivery of parcels and features is a table of its own below the common one.

It is loaded bare, indexed once and attached at the end, all in the transaction of the delivery: until then nobody sees it, and an
error leaves nothing behind. The functions that do it are the owner's (`db.role_guards`): who loads a delivery need not own the land.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection

PART_SCHEMA = "land_part"


def new_part(connection: Connection, table: schema.Table, version_id: int) -> schema.Table:
    """Return the table that the rows of a delivery are to be copied to; one that is not partitioned takes them itself."""
    if table.partitioned_by is None:
        return table
    part = replace(table, schema=PART_SCHEMA, name=f"{table.name}_{version_id}")
    connection.execute("SELECT land_part.make_part(%s, %s)", [table.name, version_id])
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
    if table.partitioned_by is not None:
        connection.execute("SELECT land_part.attach_part(%s, %s)", [table.name, version_id])
