"""The server side of a database, private or given by LOWLAND_DSN: its versions, and whether PostGIS is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import errors as sql_errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lowland_gis.db.connect import refuse_other_encoding, session
from lowland_gis.errors import DatabaseError, UsageError

# From 15 on a view can be made to show no more than who looks at it may see (security_invoker).
MINIMUM_POSTGRESQL = 15
MINIMUM_POSTGIS = (3, 3)


@dataclass(frozen=True)
class Facts:
    """What a database says of itself; `postgis` is None where the extension is not created."""

    postgresql: str
    postgis: str | None
    size_bytes: int


def ensure_postgis(dsn: str) -> Facts:
    """Connect, create the extension where it is missing, and refuse versions that are too old."""
    with _connected(dsn) as connection:
        try:
            if _facts(connection).postgis is None:
                connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        except (
            sql_errors.InsufficientPrivilege,
            sql_errors.UndefinedFile,
            sql_errors.FeatureNotSupported,
        ) as error:
            raise DatabaseError(
                f"{without_password(dsn)}: this database has no PostGIS and it cannot be created "
                f"({error.diag.message_primary}), so no parcel can be stored. Ask the server's administrator to type "
                "in this database: CREATE EXTENSION postgis;"
            ) from error
        facts = _facts(connection)
        _refuse_old(facts, connection.info.server_version, dsn)
    return facts


def facts_of(dsn: str) -> Facts:
    """Ask a database for its versions and its size."""
    with _connected(dsn) as connection:
        return _facts(connection)


def refuse_old(dsn: str) -> Facts:
    """Return the versions of a database, and refuse those that are too old.

    Raises:
        DatabaseError: it cannot be reached, or is too old; with the reason.
    """
    with _connected(dsn) as connection:
        facts = _facts(connection)
        _refuse_old(facts, connection.info.server_version, dsn)
    return facts


def without_password(dsn: str) -> str:
    """Return a connection string that may be shown.

    >>> without_password("postgresql://ann:secret@db.example/land")
    'user=ann dbname=land host=db.example'
    """
    return make_conninfo("", **{name: value for name, value in fields_of(dsn).items() if name != "password"})


def fields_of(dsn: str) -> dict[str, str]:
    """Split a connection string; a faulty one is refused without repeating it, for it may hold a password."""
    try:
        return {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.ProgrammingError:
        raise UsageError(
            "LOWLAND_DSN: not a connection string of PostgreSQL, so the database cannot be found. "
            "Write it like postgresql://user@host:5432/lowland or host=… dbname=… user=…"
        ) from None


def psql_call(program: str, dsn: str, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the arguments and the environment that open psql; the password stays out of the process list.

    >>> psql_call("psql", "host=db user=ann password=x", {})
    (['psql', 'user=ann host=db'], {'PGPASSWORD': 'x'})
    """
    password = fields_of(dsn).get("password")
    secret = {} if password is None else {"PGPASSWORD": password}
    return [program, without_password(dsn)], dict(environment) | secret


@contextmanager
def _connected(dsn: str) -> Iterator[psycopg.Connection]:
    shown = without_password(dsn)
    try:
        connection = session(dsn, autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseError(
            f"{shown}: cannot connect ({str(error).strip()}), so nothing can be read or stored. "
            "Check LOWLAND_DSN and the server; for the private database type: lowland db up"
        ) from error
    refuse_other_encoding(connection)
    with connection:
        yield connection


def _facts(connection: psycopg.Connection) -> Facts:
    row = connection.execute(
        "SELECT current_setting('server_version'), pg_database_size(current_database()),"
        " (SELECT extversion FROM pg_extension WHERE extname = 'postgis')"
    ).fetchone()
    if row is None:
        raise DatabaseError(
            "pg_extension: the server gave no answer, so its versions are unknown. Type it again."
        )
    return Facts(postgresql=row[0], postgis=row[2], size_bytes=row[1])


def _refuse_old(facts: Facts, server_version: int, dsn: str) -> None:
    postgis = tuple(int(part) for part in (facts.postgis or "0.0").split(".")[:2])
    if server_version // 10_000 >= MINIMUM_POSTGRESQL and postgis >= MINIMUM_POSTGIS:
        return
    why = (
        "results would differ"
        if server_version // 10_000 >= MINIMUM_POSTGRESQL
        else "views could not be kept to what a role may see (security_invoker)"
    )
    raise DatabaseError(
        f"{without_password(dsn)}: PostgreSQL {facts.postgresql} with PostGIS {facts.postgis} is too old, and {why}. "
        f"Use PostgreSQL {MINIMUM_POSTGRESQL} with PostGIS 3.3 or newer; after an upgrade of the server "
        "type in psql: ALTER EXTENSION postgis UPDATE;"
    )
