"""What each role may really do, found by connecting as each and trying: the page docs/role_matrix.md.

    with accounts(dsn) as people:
        tables, moves = table_matrix(people, owned(dsn)), move_matrix(people, owned(dsn))

Whatever is tried is rolled back; what moves need to be tried, entries that stand where each leads on from, stays in the database, behind the
back of its chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from lowland_gis.db.role_names import ROLES, TOWN

HERE, THERE = "120113101", "120113102"
# A clerk of the town of what is moved, and one of another town.
ELSEWHERE = "town elsewhere"
WHO = (*ROLES[:2], ELSEWHERE, *ROLES[2:])
HEADINGS = {
    "reader": "reader",
    "town": "town",
    ELSEWHERE: "town, of another",
    "analyst": "analyst",
    "approver": "approver",
    "admin": "admin",
}
READ, OWN, ADD, CHANGE, REMOVE = "read", "read own", "add", "change", "remove"
_DENIED = psycopg.errors.InsufficientPrivilege
_NO_ROLE = "LR011"

Matrix = dict[tuple[str, str], str]


@contextmanager
def accounts(dsn: str) -> Iterator[dict[str, str]]:
    """Yield the connection strings of an account of each role, named after it; `dsn` is of the tests' own cluster.

    Accounts are of a whole cluster, whose other databases would be copied with them: they go afterwards.
    """
    made = _made(dsn)
    try:
        yield made
    finally:
        with psycopg.connect(make_conninfo(dsn, user="postgres"), autocommit=True) as administrator:
            for each in made.values():
                person = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(each)["user"]))
                administrator.execute(sql.SQL("DROP OWNED BY {}").format(person))
                administrator.execute(sql.SQL("DROP ROLE {}").format(person))


def _made(dsn: str) -> dict[str, str]:
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    found = {}
    with psycopg.connect(make_conninfo(dsn, user="lowland_lowland_owner"), autocommit=True) as owner:
        for who in WHO:
            person = f"{name}_{who}".replace(" ", "_")
            town = {TOWN: HERE, ELSEWHERE: THERE}.get(who)
            owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(person)))
            owner.execute(
                "SELECT lowland.give_role(%s, %s, %s)", [person, TOWN if who == ELSEWHERE else who, town]
            )
            found[who] = make_conninfo(dsn, user=person)
    return found


def table_matrix(dsns: Mapping[str, str], owner: str) -> Matrix:
    """Return what each account may do with each table and view; `owner` sees every row. A table without rows looks as if all were seen."""
    with psycopg.connect(owner) as connection:
        relations = connection.execute(
            "SELECT relnamespace::regnamespace::text, relname, relkind::text FROM pg_class WHERE relnamespace IN ('land'::regnamespace,"
            " 'land_part'::regnamespace, 'result'::regnamespace, 'registry'::regnamespace, 'lowland'::regnamespace)"
            " AND relkind IN ('r', 'p', 'v') ORDER BY 1, 2"
        ).fetchall()
        counts = {(space, name): _count(connection, space, name) for space, name, _ in relations}
        columns = {(space, name): _column(connection, space, name) for space, name, _ in relations}
    tables: Matrix = {}
    for who, dsn in dsns.items():
        with psycopg.connect(dsn) as connection:
            for space, name, kind in relations:
                shown = f"{space}.{name}"
                tables[shown, who] = ", ".join(
                    _may(connection, space, name, kind, counts[space, name], columns[space, name])
                )
    return tables


def page(tables: Matrix, moves: Matrix) -> str:
    """Return the matrix as the page of docs/."""
    parts = (_HEAD, *_table("table or view", tables), _BETWEEN, *_table("move", moves), "")
    return "\n".join(parts)


_HEAD = """\
# What each role may do

Found by connecting as each role and trying (`scripts/make_role_matrix.py`); a test compares this page with what it finds. What the roles
are for: [roles.md](roles.md).

## Tables and views

*read own*: only the rows of the clerk's own towns. Where nothing is said, nobody but the owner may; and of `registry` nobody changes or
removes anything, its owner neither.
"""
_BETWEEN = """
## Moves

Which role may record which move of the shipped procedure (`states.toml`); the move is of an entry of the clerk's town.
"""


def _table(first: str, matrix: Matrix) -> list[str]:
    rows = list(dict.fromkeys(row for row, _ in matrix))
    lines = [f"| {first} | {' | '.join(HEADINGS[who] for who in WHO)} |", "|---" * (len(WHO) + 1) + "|"]
    return lines + [f"| {row} | {' | '.join(matrix[row, who] for who in WHO)} |" for row in rows]


def _may(
    connection: psycopg.Connection[Any], space: str, name: str, kind: str, rows: int, column: str
) -> list[str]:
    """Return what may be done with a table: each is tried with no row, so that nothing but the permission decides."""
    names = {"table": sql.Identifier(space, name), "column": sql.Identifier(column)}
    done = []
    try:
        with connection.transaction(force_rollback=True):
            seen = _count(connection, space, name)
        done.append(OWN if seen < rows else READ)
    except _DENIED:
        if _tried(connection, "SELECT {column} FROM {table} LIMIT 0", names):
            done.append(f"{READ} some columns")
    if kind == "v":
        return done
    done += [
        word
        for word, statement in (
            (ADD, "INSERT INTO {table} ({column}) SELECT NULL WHERE false"),
            (CHANGE, "UPDATE {table} SET {column} = DEFAULT WHERE false"),
            (REMOVE, "DELETE FROM {table} WHERE false"),
        )
        if _tried(connection, statement, names)
    ]
    if _tried(connection, "TRUNCATE {table}", names):
        done.append("TRUNCATE")
    return done


def _tried(connection: psycopg.Connection[Any], statement: str, names: Mapping[str, sql.Composable]) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL(statement).format(**names))
    except _DENIED:
        return False
    except psycopg.Error as error:
        # It was not for want of permission: an owner is told by a trigger, or a column has no default.
        return bool(error.sqlstate)
    return True


def _count(connection: psycopg.Connection[Any], space: str, name: str) -> int:
    query = sql.SQL("SELECT count(*) FROM (SELECT * FROM {} LIMIT 1000) AS seen").format(
        sql.Identifier(space, name)
    )
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _column(connection: psycopg.Connection[Any], space: str, name: str) -> str:
    """Return a column that may be written: no identity."""
    row = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass AND attnum > 0"
        " AND NOT attisdropped AND attidentity = '' ORDER BY atttypid = 'text'::regtype DESC, attnum LIMIT 1",
        [space, name],
    ).fetchone()
    return str(row[0]) if row else ""


def move_matrix(dsns: Mapping[str, str], owner: str) -> Matrix:
    """Return which move of the procedure in force each account may record: each is recorded, of an entry that stands where it leads on from."""
    entries = _standing(owner)
    found: Matrix = {}
    for who, dsn in dsns.items():
        with psycopg.connect(dsn) as connection:
            for (register, move, title), of_move in entries.items():
                found[f"{register} {move} {title}", who] = "yes" if _recorded(connection, of_move) else ""
    return found


def _recorded(connection: psycopg.Connection[Any], event: tuple[Any, ...]) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(
                "INSERT INTO registry.event (entry_id, version, move_id, move, from_state, to_state, on_date, document_sha256, reason)"
                " VALUES (%s, %s, %s, %s, %s, %s, '2024-06-01', %s, 'x')",
                event,
            )
    except psycopg.Error as error:
        if error.sqlstate not in (_NO_ROLE, _DENIED.sqlstate):
            raise
        return False
    return True


def _standing(owner: str) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """Make an entry for each move that stands where the move leads on from, behind the registry's back."""
    with psycopg.connect(make_conninfo(owner, user="postgres")) as connection:
        connection.execute("SET session_replication_role = replica")
        # Rows that were made up came with their own numbers.
        for table in ("paper", "entry", "event"):
            names = (f"registry.{table}", f"{table}_id")
            connection.execute("SELECT setval(pg_get_serial_sequence(%s, %s), 1000)", names)
        digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        connection.execute(
            "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes, content) SELECT %s, true, 'x', 0, ''"
            " WHERE NOT EXISTS (SELECT FROM registry.paper WHERE sha256 = %s)",
            [digest, digest],
        )
        moves = connection.execute(
            "SELECT DISTINCT ON (register, name) move_id, register, name, title, from_state, to_state, since FROM registry.move"
            " WHERE procedure_id = (SELECT max(procedure_id) FROM registry.procedure) ORDER BY register, name, from_state NULLS FIRST"
        ).fetchall()
        found = {}
        for move_id, register, name, title, before, after, since in sorted(moves):
            row = connection.execute(
                "INSERT INTO registry.entry (register, subject, matter, ordinal, town_code) VALUES (%s, %s, '', 1, %s) RETURNING entry_id",
                [register, f"matrix {name}", HERE],
            ).fetchone()
            assert row is not None
            if before is not None:
                connection.execute(
                    "INSERT INTO registry.event (entry_id, version, move, to_state, on_date) VALUES (%s, 1, %s, %s, '2024-01-01')",
                    [row[0], since or "x", before],
                )
            version = 1 if before is None else 2
            found[register, name, title] = (row[0], version, move_id, name, before, after, digest)
        return found
