"""Bring a database to the newest schema, one transaction a step, one upgrade at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from geoalchemy2 import alembic_helpers

from lowland_gis import schema
from lowland_gis.db import revision
from lowland_gis.db.connect import connect, transaction
from lowland_gis.db.server import ensure_postgis
from lowland_gis.db.tables import metadata
from lowland_gis.errors import DatabaseError, UsageError

# Any constant will do, as long as every lowland uses the same one.
_ADVISORY_LOCK = 7_264_019_113


def engine(dsn: str) -> sa.Engine:
    """Return a SQLAlchemy engine on the same server, for migrations."""
    return sa.create_engine("postgresql+psycopg://", creator=lambda: connect(dsn), poolclass=sa.pool.NullPool)


def upgrade(dsn: str, srid: int, target: str = "head") -> None:
    """Bring the database to `target`; two upgrades at once queue. Nothing is made in a database that is refused.

    Raises:
        DatabaseError: the database cannot have PostGIS, is newer than this program, or holds another SRID.
    """
    with _locked(dsn) as connection:
        revision.refuse_newer(revision.current_revision(dsn))
        revision.refuse_other_srid(revision.stored_srid(dsn), srid)
        ensure_postgis(dsn)
        with transaction(dsn) as first:
            revision.own_version_table(first)
        _run(connection, srid, lambda config: command.upgrade(config, target))


def downgrade(dsn: str, srid: int, target: str = "base") -> None:
    """Take the database back to `target`."""
    with _locked(dsn) as connection:
        with transaction(dsn) as first:
            revision.own_version_table(first)
        _run(connection, srid, lambda config: command.downgrade(config, target))


def differences(dsn: str, srid: int) -> list[object]:
    """Return what autogenerate would change; empty when tables and migrations agree."""
    with engine(dsn).connect() as connection:
        context = MigrationContext.configure(connection, opts=comparison_options(srid))
        return list(compare_metadata(context, metadata(srid)))


def comparison_options(srid: int) -> dict[str, object]:
    """Return the options under which alembic compares only what is lowland's own."""
    return {
        "target_metadata": metadata(srid),
        "include_schemas": True,
        "include_name": _is_ours,
        "include_object": _is_object_ours,
        "compare_type": True,
        "render_item": alembic_helpers.render_item,
        "process_revision_directives": alembic_helpers.writer,
    }


def _is_ours(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    if kind == "schema":
        return name in schema.SCHEMAS
    return parents.get("schema_name") in schema.SCHEMAS


def _is_object_ours(obj: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    if kind == "table" and reflected and getattr(obj, "schema", None) not in schema.SCHEMAS:
        return False
    if kind == "table" and reflected and compare_to is None:
        # A table that QGIS or an analyst made inside one of our schemas is not ours to drop.
        return False
    include: Callable[..., bool] = alembic_helpers.include_object
    return include(obj, name, kind, reflected, compare_to)


def _run(connection: sa.Connection, srid: int, step: Callable[[Config], None]) -> None:
    config = _config()
    config.attributes.update(connection=connection, srid=srid)
    try:
        step(config)
    except CommandError as error:
        raise UsageError(
            f"The database cannot be brought there: {error}. Revisions: {', '.join(sorted(revision.known_revisions()))}"
        ) from error


@contextmanager
def _locked(dsn: str) -> Iterator[sa.Connection]:
    database = engine(dsn)
    try:
        with database.connect() as lock, database.connect() as connection:
            lock.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield connection
    except sa.exc.DBAPIError as error:
        said = str(error.orig).splitlines()[0]
        if error.connection_invalidated:
            raise DatabaseError(
                f"The database went away ({said}): the steps before are kept, and it is unknown whether the step that was being committed"
                " was kept. Type: lowland db up, and lowland db migrate – it goes on where the database stands"
            ) from error
        raise DatabaseError(
            f"The database could not be migrated: {said}. The step that failed was rolled back. Look at: lowland db status"
        ) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(revision.scripts()).replace("%", "%%"))
    # Without this alembic splits paths that hold spaces.
    config.set_main_option("path_separator", "os")
    return config
