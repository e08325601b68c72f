"""Who has rights in a database, and by which rules rows are seen: what a backup says of it, and what is missing after it was restored."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.parts import PART_SCHEMA
from lowland_gis.pipeline.backup.manifest import Granted, Manifest, Policy

# Roles carry the name of their database, which is another one where a backup is restored.
DATABASE = "{database}"
# The owner of one database is another account than that of the other.
OWNER = "{owner}"
_SPACES = [*schema.SCHEMAS, PART_SCHEMA, "lowland"]

# Who is named in the rights of our tables, and who is a member of those, over any number of steps; never the owner or a superuser. What
# an account may do in other databases of the server is no part of it.
_GRANTED = """
    WITH RECURSIVE named AS (
        SELECT DISTINCT acl.grantee AS oid FROM pg_class c, aclexplode(c.relacl) AS acl
        WHERE c.relnamespace::regnamespace::text = ANY(%(spaces)s) AND acl.grantee <> 0 AND acl.grantee <> c.relowner
        UNION
        SELECT m.member FROM pg_auth_members m JOIN named ON named.oid = m.roleid
    )
    SELECT r.rolname, r.rolcanlogin,
        ARRAY(SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid
              AND g.oid IN (SELECT oid FROM named) ORDER BY 1)
    FROM pg_roles r WHERE r.oid IN (SELECT oid FROM named) AND NOT r.rolsuper
        AND r.oid <> ALL (SELECT nspowner FROM pg_namespace WHERE nspname = 'registry') ORDER BY 1
"""
_POLICIES = """
    SELECT schemaname || '.' || tablename, policyname, cmd, roles::text[], qual, with_check FROM pg_policies
    WHERE schemaname = ANY(%(spaces)s) ORDER BY 1, 2
"""


def granted_roles(connection: Connection, database: str) -> tuple[Granted, ...]:
    """Return the roles that have rights in the tables of a database, and their members, with `{database}` for its name."""
    rows = connection.execute(_GRANTED, {"spaces": _SPACES}).fetchall()
    ours = _ours(connection)
    return tuple(
        Granted(
            role=_without(ours.get(name, name), database),
            login=login,
            member_of=tuple(sorted(_without(ours.get(each, each), database) for each in above)),
        )
        for name, login, above in rows
    )


def _ours(connection: Connection) -> dict[str, str]:
    """Return the roles of a database by their names on the server, each as it would be called were the database called `{database}`."""
    row = connection.execute("SELECT to_regclass('lowland.role') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return {}
    rows = connection.execute("SELECT name, role FROM lowland.role").fetchall()
    return {name: f"lowland_{DATABASE}_{role}" for name, role in rows}


def policies(connection: Connection, database: str) -> tuple[Policy, ...]:
    """Return the rules by which rows are seen and written."""
    row = connection.execute(
        "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'registry'"
    ).fetchone()
    ours = _ours(connection) | ({} if row is None else {row[0]: OWNER})
    return tuple(
        Policy(
            table=table, name=name, command=command,
            roles=tuple(sorted(_without(ours.get(role, role), database) for role in roles)),
            seen=_without(seen, database), written=_without(written, database),
        )
        for table, name, command, roles, seen, written in connection.execute(_POLICIES, {"spaces": _SPACES})
    )  # fmt: skip


def _without(text: str, database: str) -> str:
    return text.replace(f"lowland_{database}_", f"lowland_{DATABASE}_") if text else text


def missing(connection: Connection, manifest: Manifest, database: str) -> Iterator[str]:
    """Yield what of the rights that a backup tells is not in this database, a line each.

    People are accounts of a server, not of a database, so they are named and not made. Rules are compared where the schema is the same.
    """
    here = {role.role: role for role in granted_roles(connection, database)}
    called = {ours: name for name, ours in _ours(connection).items()}
    for role in manifest.roles:
        name = called.get(role.role) or role.role.replace(DATABASE, database)
        found = here.get(role.role)
        if not _exists(connection, name):
            of = f", member of {', '.join(_with(role.member_of, database))}" if role.member_of else ""
            yield f"role {name}{of}: not on this server"
        elif lacking := sorted(set(role.member_of) - set(found.member_of if found else ())):
            yield f"role {name}: not a member of {', '.join(_with(lacking, database))} here"


def missing_policies(connection: Connection, manifest: Manifest, database: str) -> Iterator[str]:
    """Yield which rules of rows that a backup tells are not in this database, a line each."""
    here = set(policies(connection, database))
    for policy in manifest.policies:
        if policy not in here:
            yield f"rule {policy.name} of {policy.table}: not here as it was"


def _with(names: tuple[str, ...] | list[str], database: str) -> list[str]:
    return [name.replace(DATABASE, database) for name in names]


def _exists(connection: Connection, role: str) -> bool:
    return (
        connection.execute(sql.SQL("SELECT FROM pg_roles WHERE rolname = %s"), [role]).fetchone() is not None
    )
