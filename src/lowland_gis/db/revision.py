"""Which schema a database is at, asked without the machinery of migrations: every command asks it."""

from __future__ import annotations

import os
from pathlib import Path

from lowland_gis.db.connect import transaction
from lowland_gis.errors import DatabaseError


def current_revision(dsn: str) -> str | None:
    """Return the revision of the database, or None where nothing is installed."""
    with transaction(dsn) as connection:
        table = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
        if table is None or table[0] is None:
            return None
        row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
        return None if row is None else str(row[0])


def stored_srid(dsn: str) -> int | None:
    """Return the EPSG number of the plane that the database was made for, or None where nothing is installed."""
    with transaction(dsn) as connection:
        row = connection.execute(
            "SELECT srid FROM geometry_columns WHERE f_table_schema = 'land' AND f_table_name = 'parcel'"
            " AND f_geometry_column = 'geom'"
        ).fetchone()
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
    return max(path.name.partition("_")[0] for path in (scripts() / "versions").glob("[0-9]*.py"))


def scripts() -> Path:
    """Return the folder of migrations: inside an installed package, else at the top of the checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else Path(os.path.normpath(package / ".." / ".." / "migrations"))
