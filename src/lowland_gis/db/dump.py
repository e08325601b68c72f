"""Rows of a database as text, table by table, and back: what there is comes from its catalogue, so that any revision can be read.

Rows go by COPY in its text form, which every version of PostgreSQL writes and reads alike, in the order of their key: the same rows
are the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.parts import PART_SCHEMA
from lowland_gis.db.revision import VERSION_SCHEMA, VERSION_TABLE

# Planned by nothing, as in a delivery that is loaded (`db.parts`).
_UNCOUNTED = ("attributes", "geom_received")
_BLOCK = 1 << 20
_NUMBER = re.compile(r"FOR VALUES IN \('?(\d+)'?\)")
_RUN = "run_id"


@dataclass(frozen=True)
class Stored:
    """One table as the catalogue has it: columns with their types, key, and the tables that must be filled before.

    `parts` are the numbers of its partitions where it has any (`part_by` is their column); `sequences` gives each numbered column's own.
    `guarded` says that triggers of ours stand on it, `closed` that its rows are hidden from its owner too.
    """

    schema: str
    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    refers: tuple[str, ...]
    part_by: str | None
    parts: tuple[int, ...]
    sequences: tuple[tuple[str, str], ...]
    guarded: bool
    closed: bool

    @property
    def full_name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns in order."""
        return tuple(name for name, _ in self.columns)

    def place(self, part: int | None) -> sql.Identifier:
        """Return the table, or one of its partitions."""
        if part is None:
            return sql.Identifier(self.schema, self.name)
        return sql.Identifier(PART_SCHEMA, f"{self.name}_{part}")


_TABLES = """
    SELECT space.nspname, c.relname,
        ARRAY(SELECT ARRAY[attname, format_type(atttypid, atttypmod)] FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
            AND NOT attisdropped AND attgenerated = '' ORDER BY attnum),
        ARRAY(SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, nth), pg_attribute a
            WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum ORDER BY nth),
        ARRAY(SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f'
            AND confrelid <> c.oid),
        CASE WHEN c.relkind = 'p' THEN (SELECT a.attname FROM pg_partitioned_table p, pg_attribute a
            WHERE p.partrelid = c.oid AND a.attrelid = c.oid AND a.attnum = p.partattrs[0]) END,
        ARRAY(SELECT pg_get_expr(part.relpartbound, part.oid) FROM pg_inherits, pg_class part
            WHERE inhparent = c.oid AND part.oid = inhrelid),
        ARRAY(SELECT ARRAY[attname, pg_get_serial_sequence(c.oid::regclass::text, attname)] FROM pg_attribute
            WHERE attrelid = c.oid AND attidentity <> '' ORDER BY attnum),
        EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal),
        c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace space ON space.oid = c.relnamespace
    WHERE space.nspname = ANY(%s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND NOT (space.nspname = %s AND c.relname = %s)
    ORDER BY space.nspname, c.relname
"""


def stored_tables(connection: Connection) -> tuple[Stored, ...]:
    """Return all tables of our schemas, each after those that it refers to."""
    rows = connection.execute(_TABLES, [[*schema.SCHEMAS, VERSION_SCHEMA], VERSION_SCHEMA, VERSION_TABLE])
    return tuple(_in_order({table.full_name: table for table in map(_stored, rows)}))


def _stored(row: Sequence[Any]) -> Stored:
    space, name, columns, key, refers, part_by, bounds, sequences, guarded, closed = row
    parts = sorted(int(found[1]) for found in map(_NUMBER.fullmatch, bounds) if found)
    return Stored(
        space, name, tuple(map(tuple, columns)), tuple(key), tuple(sorted(refers)), part_by, tuple(parts),
        tuple(map(tuple, sequences)), guarded, closed,
    )  # fmt: skip


def _in_order(tables: Mapping[str, Stored]) -> Iterator[Stored]:
    """Yield tables, those first that others refer to."""
    done: set[str] = set()

    def upto(table: Stored) -> Iterator[Stored]:
        if table.full_name in done:
            return
        done.add(table.full_name)
        for name in table.refers:
            if name in tables:
                yield from upto(tables[name])
        yield table

    for table in tables.values():
        yield from upto(table)


def read_lock(connection: Connection, tables: Iterable[Stored]) -> None:
    """Keep tables from being dropped or changed in form while they are read; whoever writes rows is not kept waiting."""
    places = [table.place(part) for table in tables for part in (None, *table.parts)]
    if places:
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.SQL(", ").join(places)))


def rows_out(
    connection: Connection,
    table: Stored,
    part: int | None,
    *,
    columns: Sequence[str],
    runs: Sequence[int] | None = None,
) -> Iterator[bytes]:
    """Yield the rows of a table, or of one partition, as the text of COPY in blocks; with `runs` only rows of these runs."""
    chosen: sql.Composable = sql.SQL("")
    if runs is not None and _RUN in table.column_names:
        chosen = sql.SQL("WHERE {} = ANY({}::bigint[])").format(sql.Identifier(_RUN), sql.Literal(list(runs)))
    place = table.place(part)
    order: list[sql.Composable] = [sql.Identifier(name) for name in table.key] or [
        sql.SQL("{}::text").format(sql.Identifier(table.name if part is None else f"{table.name}_{part}"))
    ]
    statement = sql.SQL("COPY (SELECT {} FROM {} {} ORDER BY {}) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), place, chosen, sql.SQL(", ").join(order)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        held: list[bytes] = []
        size = 0
        for row in copy:
            held.append(bytes(row))
            size += len(held[-1])
            if size >= _BLOCK:
                yield b"".join(held)
                held, size = [], 0
        yield b"".join(held)


def rows_in(
    connection: Connection, table: Stored, part: int | None, columns: Sequence[str], blocks: Iterable[bytes]
) -> None:
    """Write rows in the text of COPY into a table; a partition is made for them, indexed and attached."""
    if part is not None:
        _make_part(connection, table, part)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        table.place(part), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block)
    if part is not None:
        _attach_part(connection, table, part)


def _make_part(connection: Connection, table: Stored, part: int) -> None:
    """Make the table of a partition bare, as a delivery does (`db.parts`)."""
    statement = "CREATE TABLE {part} (LIKE {whole} INCLUDING COMMENTS, CONSTRAINT one_delivery CHECK ({by} = {number}))"
    _of_part(connection, statement, table, part)
    for name in _UNCOUNTED:
        if name in table.column_names:
            _of_part(
                connection,
                "ALTER TABLE {part} ALTER {column} SET STATISTICS 0",
                table,
                part,
                column=sql.Identifier(name),
            )


def _attach_part(connection: Connection, table: Stored, part: int) -> None:
    _of_part(connection, "ALTER TABLE {whole} ATTACH PARTITION {part} FOR VALUES IN ({number})", table, part)
    _of_part(connection, "ALTER TABLE {part} DROP CONSTRAINT one_delivery", table, part)


def _of_part(
    connection: Connection, statement: str, table: Stored, part: int, **more: sql.Composable
) -> None:
    by = sql.Identifier(table.part_by or "")
    connection.execute(
        sql.SQL(statement).format(
            whole=table.place(None), part=table.place(part), by=by, number=sql.Literal(part), **more
        )
    )


def open_to_rows(connection: Connection, tables: Iterable[Stored], *, opened: bool) -> None:
    """Let tables take rows that say themselves who recorded them and when, until it is closed again in the same transaction.

    Only the owner of the tables can, and nobody else sees a table in between: the change of a trigger locks it until the end of the
    transaction. Foreign keys are checked all the same.
    """
    for table in tables:
        if table.guarded:
            change = "DISABLE TRIGGER USER" if opened else "ENABLE TRIGGER USER"
            connection.execute(sql.SQL("ALTER TABLE {} " + change).format(table.place(None)))
        if table.closed:
            change = "NO FORCE ROW LEVEL SECURITY" if opened else "FORCE ROW LEVEL SECURITY"
            connection.execute(sql.SQL("ALTER TABLE {} " + change).format(table.place(None)))


def sequence_values(connection: Connection, tables: Iterable[Stored]) -> dict[str, int]:
    """Return the number that each numbered column gave last, by `schema.table.column`; columns that gave none are left out."""
    found = {}
    for table in tables:
        for column, name in table.sequences:
            row = connection.execute("SELECT pg_sequence_last_value(%s::regclass)", [name]).fetchone()
            if row is not None and row[0] is not None:
                found[f"{table.full_name}.{column}"] = int(row[0])
    return found


def set_sequences(connection: Connection, tables: Iterable[Stored], values: Mapping[str, int]) -> None:
    """Have numbered columns go on where they were: numbers are never given again."""
    for table in tables:
        for column, name in table.sequences:
            value = values.get(f"{table.full_name}.{column}")
            if value is not None:
                connection.execute("SELECT setval(%s::regclass, %s)", [name, value])
