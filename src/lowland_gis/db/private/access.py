"""Who may connect to a private cluster as whom: its roles, and the map from the account of the machine to them.

The server asks the system who is at the other end of the socket (`peer`) and lets that account be each role that the map names. Clusters of
older programs let anybody in who reached the socket, as a superuser; `settle` changes them.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from lowland_gis.db.connect import Connection, session
from lowland_gis.db.private.paths import Cluster, give
from lowland_gis.db.role_names import OWNER, PROGRAM, role_name
from lowland_gis.errors import DatabaseError
from lowland_gis.files.whole import write_text

# The first role of a cluster, a superuser: only `db up` connects as it, to make roles, the database and its extension.
SUPERUSER = "postgres"
# A superuser for as long as the one of an older program is given its new name: nobody can rename himself.
_RENAMING = "lowland_renaming"
_MAP = "lowland"
_HBA = f"""\
# Written again by lowland db up.
local all all peer map={_MAP}
"""
_KNOWN_SECONDS = 10.0
_BOOTSTRAP = 10


def write_access(data_dir: Path, cluster: Cluster, roles: Iterable[str] = ()) -> bool:
    """Write who may connect as whom into a data folder; False where it is said there already. The server has to be told to read it."""
    always = (SUPERUSER, PROGRAM, role_name(cluster.database, OWNER))
    texts = {"pg_hba.conf": _HBA, "pg_ident.conf": _map_text(sorted({*always, *roles}))}
    fresh = {
        name: text
        for name, text in texts.items()
        if not (data_dir / name).is_file() or (data_dir / name).read_text(encoding="utf-8") != text
    }
    for name, text in fresh.items():
        write_text(data_dir / name, text, mode=0o600)
        give(data_dir / name, cluster.account)
    return bool(fresh)


def settle(cluster: Cluster, server: str) -> None:
    """Make the roles and the database where they are missing, take the rights of a superuser from what an older program made, and write the map.

    `server` is the connection string of the server, without database and role.
    """
    with _superuser(server) as connection:
        owner = role_name(cluster.database, OWNER)
        _make_role(connection, owner, "LOGIN CREATEROLE CREATEDB")
        _make_role(connection, PROGRAM, "LOGIN")
        # Every database is copied from it, so that whoever may make one has PostGIS in it.
        _make_extension(cluster, server, "template1")
        _make_database(connection, cluster.database, owner)
        _make_extension(cluster, server, cluster.database)
        with _inside(server, cluster.database) as inside:
            _hand_over(inside, owner)
            # Where QGIS keeps its styles, and analysts what they make for themselves.
            inside.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(PROGRAM)))
        _refresh(connection, cluster, server)


def refresh_map(cluster: Cluster, server: str) -> None:
    """Let the account of this machine connect as every role of the cluster that may connect, also as those made since `db up`."""
    with _superuser(server) as connection:
        _refresh(connection, cluster, server)


def _refresh(connection: Connection, cluster: Cluster, server: str) -> None:
    rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin ORDER BY rolname").fetchall()
    roles = [str(row[0]) for row in rows]
    if write_access(cluster.data_dir, cluster, roles):
        connection.execute("SELECT pg_reload_conf()")
        _await_known(server, roles)


def _await_known(server: str, roles: Iterable[str]) -> None:
    """Wait until the server has read the map: it does so a moment after it was told to."""
    until = time.monotonic() + _KNOWN_SECONDS
    for role in roles:
        while True:
            try:
                session(make_conninfo(server, dbname="postgres", user=role)).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                break


@contextmanager
def _superuser(server: str) -> Iterator[Connection]:
    """Yield a connection as the superuser; that of an older program, whose role was the superuser, gets its name first."""
    target = make_conninfo(server, dbname="postgres", user=SUPERUSER)
    try:
        connection = session(target, autocommit=True)
    except psycopg.OperationalError:
        _rename_superuser(server)
        connection = session(target, autocommit=True)
    with connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(_RENAMING)))
        yield connection


def _rename_superuser(server: str) -> None:
    with session(make_conninfo(server, dbname="postgres", user=PROGRAM), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [_RENAMING]).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(sql.Identifier(_RENAMING)))
    with session(make_conninfo(server, dbname="postgres", user=_RENAMING), autocommit=True) as connection:
        row = connection.execute("SELECT rolname FROM pg_roles WHERE oid = %s", [_BOOTSTRAP]).fetchone()
        if row is None or row[0] != PROGRAM:
            raise DatabaseError(
                f"The private database has a first role {row and row[0]!r} of which lowland knows nothing, so it was left as it is."
                f" Rename it in psql: ALTER ROLE … RENAME TO {SUPERUSER}; then type: lowland db up"
            )
        connection.execute(
            sql.SQL("ALTER ROLE {} RENAME TO {}").format(*map(sql.Identifier, (PROGRAM, SUPERUSER)))
        )


def _make_role(connection: Connection, name: str, attributes: str) -> None:
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name), sql.SQL(attributes)))


def _make_database(connection: Connection, database: str, owner: str) -> None:
    row = connection.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [database]
    ).fetchone()
    names = [sql.Identifier(database), sql.Identifier(owner)]
    if row is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    elif row[0] != owner:
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*names))


def _make_extension(cluster: Cluster, server: str, database: str) -> None:
    """Create PostGIS in a database: its owner may not, since the extension brings code of C."""
    with _inside(server, database) as connection:
        if connection.execute("SELECT FROM pg_extension WHERE extname = 'postgis'").fetchone() is not None:
            return
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        except psycopg.Error as error:
            raise DatabaseError(
                f"{cluster.data_dir}: PostGIS cannot be created ({error.diag.message_primary}), so no parcel can be stored."
                " Install it for this version of PostgreSQL, then type: lowland db up"
            ) from error


def _inside(server: str, database: str) -> Connection:
    return session(make_conninfo(server, dbname=database, user=SUPERUSER), autocommit=True)


# What the superuser owns though no extension brought it: an older program made everything as superuser. Sequences go with their tables.
_OWNED = """
WITH own AS (
    SELECT 'pg_namespace'::regclass AS class, oid, format('SCHEMA %I', nspname) AS what, 0 AS turn FROM pg_namespace
    WHERE nspowner = 10 AND oid >= 16384
    UNION ALL
    SELECT 'pg_class'::regclass, oid, format('%s %s', CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN
        'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, oid::regclass), 1 FROM pg_class
    WHERE relowner = 10 AND oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, format('ROUTINE %s', oid::regprocedure), 1 FROM pg_proc WHERE proowner = 10 AND oid >= 16384
    UNION ALL
    SELECT 'pg_type'::regclass, pg_type.oid, format('TYPE %s', pg_type.oid::regtype), 1 FROM pg_type
    LEFT JOIN pg_class ON pg_class.oid = typrelid
    WHERE typowner = 10 AND pg_type.oid >= 16384 AND (typtype IN ('e', 'd', 'r') OR relkind = 'c')
)
SELECT what FROM own WHERE NOT EXISTS (
    SELECT FROM pg_depend WHERE pg_depend.classid = own.class AND pg_depend.objid = own.oid AND pg_depend.objsubid = 0
        AND deptype IN ('e', 'a', 'i') AND (deptype = 'e' OR own.what LIKE 'SEQUENCE %')
) ORDER BY turn, what
"""


def _hand_over(connection: Connection, owner: str) -> None:
    """Make the owner the owner of all that an older program made."""
    with connection.transaction():
        for (what,) in connection.execute(_OWNED).fetchall():
            # Written by format() and regclass above, so it is quoted already.
            connection.execute(sql.SQL("ALTER {} OWNER TO {}").format(sql.SQL(what), sql.Identifier(owner)))


def _map_text(roles: Iterable[str]) -> str:
    account = pwd.getpwuid(os.geteuid()).pw_name  # type: ignore[attr-defined, unused-ignore]
    lines = [f"{_MAP} {_quoted(account)} {_quoted(role)}" for role in roles if "\n" not in role]
    return (
        "# Written again by lowland db up and db grant: the account of this machine may connect as each role.\n"
        + "\n".join(lines)
        + "\n"
    )


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
