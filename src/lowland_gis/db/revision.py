"""Which schema a database is at, asked without the machinery of migrations: every command asks it."""

from __future__ import annotations

import os
from pathlib import Path

from psycopg import sql

from lowland_gis.db.connect import Connection, transaction
from lowland_gis.errors import DatabaseError

VERSION_TABLE = "alembic_version"
VERSION_SCHEMA = "lowland"
# Where the first versions of this program kept it, as every program does that asks alembic for nothing else.
_FORMER_SCHEMA = "public"
_LAST_FORMER = "0007"


def current_revision(dsn: str) -> str | None:
    """Return the revision of the database, or None where nothing of lowland is installed, whatever else there is."""
    with transaction(dsn) as connection:
        place = version_schema(connection)
        if place is None:
            return None
        return revision_in(connection, place)


def revision_in(connection: Connection, place: str) -> str | None:
    """Return the revision that the version table in a schema says."""
    table = sql.Identifier(place, VERSION_TABLE)
    row = connection.execute(sql.SQL("SELECT version_num FROM {}").format(table)).fetchone()
    return None if row is None else str(row[0])


def version_schema(connection: Connection) -> str | None:
    """Return the schema of our version table: our own, or `public` in a database that a former lowland made.

    A table of that name in `public` is ours where it names a revision of those days and the tables of one are there; else it is
    another program's.
    """
    if _exists(connection, f"{VERSION_SCHEMA}.{VERSION_TABLE}"):
        return VERSION_SCHEMA
    if not (
        _exists(connection, f"{_FORMER_SCHEMA}.{VERSION_TABLE}") and _exists(connection, "land.layer_version")
    ):
        return None
    table = sql.Identifier(_FORMER_SCHEMA, VERSION_TABLE)
    found = [row[0] for row in connection.execute(sql.SQL("SELECT version_num FROM {}").format(table))]
    ours = {number for number in known_revisions() if number <= _LAST_FORMER}
    return _FORMER_SCHEMA if len(found) == 1 and found[0] in ours else None


def own_version_table(connection: Connection) -> None:
    """Make the schema of our version table, and move there one that a former lowland left in `public`."""
    former = version_schema(connection) == _FORMER_SCHEMA
    own = sql.Identifier(VERSION_SCHEMA)
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(own))
    if former:
        table = sql.Identifier(_FORMER_SCHEMA, VERSION_TABLE)
        connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(table, own))


def _exists(connection: Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
    return bool(row and row[0])


# geometry_columns says the same after it has looked at every table, and the server loads PostGIS for it. The number stands in bits 8 to 27 of the
# modifier of the type, bit 28 is its sign (TYPMOD_GET_SRID of PostGIS's liblwgeom.h).
_PLANE = (
    "SELECT ((atttypmod & 268435200) - (atttypmod & 268435456)) >> 8 FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid"
    " WHERE attrelid = to_regclass('land.parcel') AND attname = 'geom' AND typname = 'geometry'"
)


def stored_srid(dsn: str) -> int | None:
    """Return the EPSG number of the plane that the database was made for, or None where nothing is installed."""
    with transaction(dsn) as connection:
        row = connection.execute(_PLANE).fetchone()
        return None if row is None else int(row[0])


def refuse_other_srid(found: int | None, wanted: int) -> None:
    """Refuse a project whose plane is not the one of its database.

    Raises:
        DatabaseError: coordinates of the one would be taken for coordinates of the other.
    """
    if found not in (None, wanted):
        raise DatabaseError(
            f"The database holds EPSG:{found}, but the project says EPSG:{wanted}; one database has one plane."
            f' Set crs = "EPSG:{found}" in lowland.toml, or use another database.'
        )


def newest_revision() -> str:
    """Return the newest revision that this program knows: the greatest number among the names of the migrations."""
    return max(known_revisions())


def known_revisions() -> set[str]:
    """Return every revision that this program knows."""
    return {path.name.partition("_")[0] for path in (scripts() / "versions").glob("[0-9]*.py")}


def refuse_newer(found: str | None) -> None:
    """Refuse a database that a newer program has changed.

    Raises:
        DatabaseError: this program does not know its revision.
    """
    if found is not None and found not in known_revisions():
        raise DatabaseError(
            f"The database was made by a newer lowland than this one (revision {found}, this one knows {newest_revision()}), so it"
            " was left alone. Install the newer version and try again."
        )


def scripts() -> Path:
    """Return the folder of migrations: inside an installed package, else at the top of the checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else Path(os.path.normpath(package / ".." / ".." / "migrations"))
