"""Rows for every table of a database, whatever its revision: made from its catalogue, so that no revision needs a list of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from registered import owned

SCHEMAS = ["land", "result", "registry"]
# Kinds of relations as the catalogue writes them.
TABLES, VIEWS = "rp", "v"
STAGES = ("tabulate", "measure", "classify", "delineate", "determine", "check")
# Two rounds of every stage, so that there is more than one run to be named.
RUNS = {number: STAGES[(number - 1) % len(STAGES)] for number in range(1, 2 * len(STAGES) + 1)}
# What refers comes after what it refers to; all other tables follow in the order of their names.
FIRST = ["land.source", "land.layer_version", "result.run"]
RUNS_OF = {
    "result.evidence": "measure", "result.evidence_measure": "measure", "result.parcel_evidence": "measure",
    "result.evidence_apart": "measure", "result.verdict": "classify", "result.unit": "delineate", "result.member": "delineate",
    "result.draft": "delineate",
}  # fmt: skip
VALUES: dict[str, Any] = {
    "text": "x", "bigint": 1, "integer": 1, "double precision": 0.5, "boolean": True, "date": "2023-12-31", "jsonb": Jsonb({"a": 1}),
    "timestamp with time zone": "2023-12-31 00:00:00+00", "bytea": b"x",
    "integer[]": [1], "double precision[]": [0.5], "text[]": ["x"],
}  # fmt: skip
SHAPES = {
    "POINT": "POINT(515000 4345300)", "MULTIPOLYGON": "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))", "GEOMETRY": "POLYGON((0 0, 1 0, 1 1, 0 0))",
}  # fmt: skip


def fill(dsn: str) -> None:
    """Write a row into every table of our schemas that has none of that number."""
    with psycopg.connect(make_conninfo(dsn, user="postgres")) as connection:
        # What is made up here is no decision of anybody: the registry would refuse it.
        connection.execute("SET session_replication_role = replica")
        tables = [f"{space}.{name}" for space, name in _tables(connection)]
        for table in [*FIRST, *(name for name in tables if name not in FIRST)]:
            for own in _own(table):
                # What a database has of itself, such as its procedure, is a row too.
                with suppress(psycopg.errors.UniqueViolation), connection.transaction():
                    _insert(connection, table, own)


def rows(dsn: str, columns: dict[str, list[str]] | None = None) -> dict[str, list[Any]]:
    """Return the rows of every table and view as JSON texts; with `columns` only those columns of those tables."""
    found = {}
    with psycopg.connect(owned(dsn)) as connection:
        for space, name in _tables(connection, TABLES + VIEWS):
            table = f"{space}.{name}"
            wanted = columns_of(connection, table) if columns is None else columns.get(table)
            if wanted is not None:
                query = sql.SQL("SELECT jsonb_build_array({})::text FROM {} ORDER BY 1").format(
                    sql.SQL(", ").join(map(sql.Identifier, wanted)), sql.Identifier(space, name)
                )
                found[table] = [row[0] for row in connection.execute(query)]
    return found


def columns_by_table(dsn: str, kinds: str = TABLES) -> dict[str, list[str]]:
    """Return the columns of every table, or of other kinds."""
    with psycopg.connect(dsn) as connection:
        return {
            f"{space}.{name}": columns_of(connection, f"{space}.{name}")
            for space, name in _tables(connection, kinds)
        }


def columns_of(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Return the columns of a table in order."""
    return [name for name, *_ in _columns(connection, table)]


def _tables(connection: psycopg.Connection[Any], kinds: str = TABLES) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        # Of what a database keeps of itself only the towns of clerks are what somebody typed.
        " WHERE (n.nspname = ANY(%s) OR (n.nspname, c.relname) = ('lowland', 'clerk')) AND c.relkind::text = ANY(%s) ORDER BY 1, 2",
        [SCHEMAS, list(kinds)],
    ).fetchall()


def _columns(connection: psycopg.Connection[Any], table: str) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT a.attname, format_type(a.atttypid, NULL), upper(postgis_typmod_type(a.atttypmod)) FROM pg_attribute a"
        " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        [table],
    ).fetchall()


def _own(table: str) -> list[dict[str, Any]]:
    """Return what the rows of a table say that the kind of a column does not tell."""
    if table == "result.run":
        return [{"run_id": number, "stage": stage} for number, stage in RUNS.items()]
    # What stands apart is another value than the one beside the others; an event leads from one state to another.
    apart = {"result.evidence_apart": {"measure": "y"}, "registry.event": {"from_state": "y"}}.get(table, {})
    runs = [number for number, stage in RUNS.items() if stage == RUNS_OF.get(table)]
    return [{"run_id": number, **apart} for number in runs] or [apart]


def _insert(connection: psycopg.Connection[Any], table: str, own: dict[str, Any]) -> None:
    space, _, name = table.partition(".")
    if connection.execute(
        "SELECT relkind::text FROM pg_class WHERE oid = %s::regclass", [table]
    ).fetchone() == ("p",):
        connection.execute(f"CREATE TABLE land_part.{name}_1 PARTITION OF {table} FOR VALUES IN (1)")
        connection.execute(f"ALTER TABLE land_part.{name}_1 OWNER TO lowland_lowland_owner")
    row = {
        column: own.get(column, SHAPES[shape] if kind == "geometry" else VALUES[kind])
        for column, kind, shape in _columns(connection, table)
    }
    row = {
        column: f"SRID=4548;{value}" if value in SHAPES.values() else value for column, value in row.items()
    }
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            sql.Identifier(space, name),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        ),
        list(row.values()),
    )
