"""Roles of a database: made where they are missing, given their privileges, given to people and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from lowland_gis import schema
from lowland_gis.db.connect import Connection, transaction
from lowland_gis.db.privileges import privileges, town_condition
from lowland_gis.db.role_names import ADMIN, ANALYST, APPROVER, READER, ROLES, TOWN, role_name
from lowland_gis.errors import NotAllowedError, UsageError

_SCHEMAS = ("lowland", *schema.SCHEMAS, "land_part")
# Functions that are called by name, and by whom; what triggers call nobody calls.
_CALLED = (
    ("lowland.my_roles()", ROLES),
    ("lowland.my_towns()", ROLES),
    ("lowland.accounts()", ROLES),
    ("lowland.give_role(text, text, text)", (ADMIN,)),
    ("lowland.take_role(text, text, text)", (ADMIN,)),
    ("registry.await_turn()", (TOWN, ANALYST, APPROVER, ADMIN)),
    ("land_part.make_part(text, bigint)", (ANALYST,)),
    ("land_part.attach_part(text, bigint)", (ANALYST,)),
)


@dataclass(frozen=True)
class Settled:
    """The roles of a database by their names, and which of them the server does not have."""

    names: dict[str, str]
    missing: tuple[str, ...]
    owner: str
    # Those of the missing that the server has, and this account may only not give to others.
    not_given: tuple[str, ...] = ()

    def making(self) -> str:
        """Return the SQL that makes the missing roles, for the administrator of the server."""
        owner = _quoted(self.owner)
        return "\n".join(
            f"GRANT {_quoted(self.names[role])} TO {owner} WITH ADMIN OPTION;"
            if role in self.not_given
            else f"CREATE ROLE {_quoted(self.names[role])} ADMIN {owner};"
            for role in self.missing
        )


def settle(connection: Connection, *, program: str | None = None) -> Settled:
    """Give a database its roles and each its privileges, on a connection of the owner; again it changes nothing.

    Roles are made where this account may make them; `program` is an account that gets all of them. Rows of tables that are of towns are
    watched, and views show no more than who looks may see.
    """
    settled = _made(connection)
    here = {role: name for role, name in settled.names.items() if role not in settled.missing}
    for role in (ANALYST, APPROVER):
        if role in here and READER in here:
            _run(connection, "GRANT {} TO {}", here[READER], here[role])
    for statement in _statements(here):
        connection.execute(statement)
    for table in schema.TABLES:
        condition = town_condition(table)
        if condition is not None:
            _watch(connection, table, condition)
    if program is not None:
        for name in here.values():
            _run(connection, "GRANT {} TO {}", name, program)
    return settled


def my_roles(connection: Connection) -> tuple[str, ...]:
    """Return the roles of the account that is connected."""
    row = connection.execute("SELECT lowland.my_roles()").fetchone()
    return () if row is None else tuple(row[0])


def my_towns(connection: Connection) -> tuple[str, ...] | None:
    """Return the towns whose land the account that is connected has to do with; None where it is not bound to towns."""
    if set(my_roles(connection)) != {TOWN}:
        return None
    return tuple(row[0] for row in connection.execute("SELECT lowland.my_towns() ORDER BY 1"))


def owner_of(connection: Connection) -> str:
    """Return the role that owns the database's schema; of a database without one, its owner."""
    row = connection.execute(
        "SELECT pg_get_userbyid(coalesce((SELECT nspowner FROM pg_namespace WHERE nspname = 'lowland'), datdba)) FROM pg_database"
        " WHERE datname = current_database()"
    ).fetchone()
    return "" if row is None else str(row[0])


def grant(dsn: str, person: str, role: str, town: str | None) -> bool:
    """Give a role to a person; an account of that name is made where there is none. Return whether one was made.

    Raises:
        NotAllowedError: this account may not give roles, or there is no such account and it may make none; with what is to be typed.
        UsageError: the role is none that is given out, or a town is missing.
    """
    _refuse_wrong(role, town)
    with transaction(dsn) as connection:
        _refuse_missing(connection, role)
        made = _make_account(connection, person)
        connection.execute("SELECT lowland.give_role(%s, %s, %s)", [person, role, town])
    return made


def revoke(dsn: str, person: str, role: str, town: str | None) -> None:
    """Take a role from a person; of a town clerk the one town, and the role with the last of them.

    Raises:
        NotAllowedError: this account may not give roles.
        UsageError: the role is none that is given out, or a town is missing.
    """
    _refuse_wrong(role, town)
    with transaction(dsn) as connection:
        connection.execute("SELECT lowland.take_role(%s, %s, %s)", [person, role, town])


def accounts(dsn: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return person, role and towns of every account; who is no admin sees his own."""
    with transaction(dsn) as connection:
        rows = connection.execute("SELECT person, role, towns FROM lowland.accounts()").fetchall()
    return [(person, role, tuple(towns or ())) for person, role, towns in rows]


def _refuse_wrong(role: str, town: str | None) -> None:
    if role not in ROLES:
        raise UsageError(f"There is no role {role!r}. Roles: {', '.join(ROLES)}")
    if (role == TOWN) != (town is not None):
        raise UsageError(
            "A town clerk has to do with one town, so it is named, and with no other role: lowland db grant PERSON town --town 120113101"
        )


def _refuse_missing(connection: Connection, role: str) -> None:
    """Refuse a role that the server does not have: an administrator has to make it first."""
    row = connection.execute(
        "SELECT name, pg_get_userbyid(nspowner) FROM lowland.role, pg_namespace WHERE role = %s AND nspname = 'registry'"
        " AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)",
        [role],
    ).fetchone()
    if row is not None:
        statement = f"CREATE ROLE {_quoted(row[0])} ADMIN {_quoted(row[1])};"
        raise NotAllowedError(
            f"{role}: the server has no role {row[0]} yet, so nothing was given. Ask the server's administrator to type in psql:"
            f" {statement} – then type: lowland db migrate – and this again",
            statements=statement,
        )


def _make_account(connection: Connection, person: str) -> bool:
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [person]).fetchone() is not None:
        return False
    row = connection.execute(
        "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    statement = f"CREATE ROLE {_quoted(person)} LOGIN;"
    if row is None or not row[0]:
        raise NotAllowedError(
            f"{person}: there is no account of that name on the server, and {connection.info.user} may make none (CREATEROLE), so nothing"
            f" was given. Ask the server's administrator to type in psql: {statement} – and type this again",
            statements=statement,
        )
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(person)))
    return True


def _made(connection: Connection) -> Settled:
    """Find the roles of the database, or make them."""
    info = connection.execute(
        "SELECT current_database(), rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    database, makes = ("", False) if info is None else info
    known = dict(connection.execute("SELECT role, name FROM lowland.role").fetchall())
    names: dict[str, str] = {}
    missing, not_given = [], []
    for place, role in enumerate(ROLES):
        name = known.get(role)
        if name is None or not _is_there(connection, name):
            name = role_name(database, role)
        if not _is_there(connection, name) and makes:
            _run(connection, "CREATE ROLE {} NOLOGIN", name)
        if not _is_there(connection, name):
            missing.append(role)
        elif not _gives(connection, name, makes=makes):
            missing.append(role)
            not_given.append(role)
        names[role] = name
        connection.execute(
            "INSERT INTO lowland.role (role, name, place) VALUES (%s, %s, %s) ON CONFLICT (role) DO UPDATE SET name = excluded.name",
            [role, name, place],
        )
    return Settled(names, tuple(missing), connection.info.user, tuple(not_given))


def _is_there(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None


def _gives(connection: Connection, name: str, *, makes: bool) -> bool:
    """Return whether this account may give a role to others; who may make roles gives himself the right."""
    asked = "SELECT pg_has_role(current_user, %s, 'MEMBER WITH ADMIN OPTION')"
    row = connection.execute(asked, [name]).fetchone()
    if row is not None and row[0]:
        return True
    if makes:
        _run(connection, "GRANT {} TO CURRENT_USER WITH ADMIN OPTION", name)
    return makes


def _statements(here: dict[str, str]) -> Iterator[sql.Composed]:
    """Yield what gives each role its privileges."""
    yield sql.SQL("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA registry, lowland, land_part FROM PUBLIC").format()
    for name in here.values():
        role = sql.Identifier(name)
        yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(
            sql.SQL(", ").join(map(sql.Identifier, _SCHEMAS)), role
        )
        yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(
            sql.SQL(", ").join(map(sql.Identifier, _SCHEMAS)), role
        )
        yield sql.SQL("GRANT SELECT ON lowland.alembic_version, lowland.role TO {}").format(role)
    for item in (*schema.TABLES, *schema.VIEWS):
        for role_, privilege, columns in privileges(item):
            if role_ in here:
                yield _granted(item, privilege, columns, here[role_])
    for view in schema.VIEWS:
        yield sql.SQL("ALTER VIEW {} SET (security_invoker = true)").format(
            sql.Identifier(view.schema, view.name)
        )
    for function, roles in _CALLED:
        for role_ in roles:
            if role_ in here:
                yield sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(
                    sql.SQL(function),
                    sql.Identifier(here[role_]),
                )
    if ANALYST in here:
        analyst = sql.Identifier(here[ANALYST])
        yield sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA land TO {}").format(analyst)


def _granted(
    item: schema.Table | schema.View, privilege: str, columns: tuple[str, ...], name: str
) -> sql.Composed:
    only = (
        sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
    )
    return sql.SQL("GRANT {}{} ON {} TO {}").format(
        sql.SQL(privilege),
        only,
        sql.Identifier(item.schema, item.name),
        sql.Identifier(name),
    )


def _watch(connection: Connection, table: schema.Table, condition: str) -> None:
    """Have the database look who may see each row of a table, and of every part of it."""
    rows = connection.execute(
        "SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass) UNION SELECT %s::regclass::text",
        [table.full_name, table.full_name],
    ).fetchall()
    for (name,) in rows:
        connection.execute("SELECT lowland.watch_rows(%s, %s)", [name, condition])


def _run(connection: Connection, statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()
