"""Bring a database to the newest schema, one transaction a step, one upgrade at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from geoalchemy2 import alembic_helpers
from psycopg.conninfo import make_conninfo

from lowland_gis import schema
from lowland_gis.db import revision, roles
from lowland_gis.db.connect import Connection, connect, kept_or_nothing, session, transaction
from lowland_gis.db.losses import Agreed, lost_going_down, lost_going_up, nobody_agreed
from lowland_gis.db.role_names import PROGRAM
from lowland_gis.db.server import ensure_postgis, fields_of
from lowland_gis.db.tables import metadata
from lowland_gis.errors import DatabaseError, NotAllowedError, UsageError, listed

# Any constant will do, as long as every lowland uses the same one.
_ADVISORY_LOCK = 7_264_019_113
_VERSION = {"version_table": revision.VERSION_TABLE, "version_table_schema": revision.VERSION_SCHEMA}
_VIEWS = {view.full_name for view in schema.VIEWS}
LOSS = "The newer schema cannot hold some of what older programs computed, so this would go for good:"


def engine(dsn: str) -> sa.Engine:
    """Return a SQLAlchemy engine on the same server, for migrations."""
    return sa.create_engine("postgresql+psycopg://", creator=lambda: connect(dsn), poolclass=sa.pool.NullPool)


def bring(dsn: str, srid: int, target: str, agreed: Agreed = nobody_agreed) -> roles.Settled | None:
    """Bring the database to `target`, up or down, and return its roles; for what is refused see `upgrade` and `downgrade`."""
    # An older schema may have no roles yet, so that the program cannot even read which one it is.
    current = revision.current_revision(as_owner(dsn))
    if current is not None and (
        target == "base" or (target in revision.known_revisions() and target < current)
    ):
        downgrade(dsn, srid, target)
        return None
    return upgrade(dsn, srid, target, agreed)


def upgrade(
    dsn: str, srid: int, target: str = "head", agreed: Agreed = nobody_agreed
) -> roles.Settled | None:
    """Bring the database to `target`; two upgrades at once queue. Nothing is made in a database that is refused.

    Returns the roles that a database at the newest schema was given (`db.roles`), and which of them are missing.

    A step that takes rows away is only done where `agreed` says yes to what they are.

    Raises:
        DatabaseError: the database cannot have PostGIS, is newer than this program, or holds another SRID.
        NotAllowedError: this account is not the owner of the database.
        UsageError: there is no such revision, or rows would go and nobody agreed.
    """
    asked, dsn = dsn, as_owner(dsn)
    with _locked(dsn) as connection:
        current = revision.current_revision(dsn)
        revision.refuse_newer(current)
        revision.refuse_other_srid(revision.stored_srid(dsn), srid)
        _refuse_loss(_lost(connection, lost_going_up, current, target), agreed)
        ensure_postgis(dsn)
        with transaction(dsn) as first:
            revision.own_version_table(first)
        _run(connection, srid, lambda config: command.upgrade(config, target))
        newest = revision.current_revision(dsn) == revision.newest_revision()
        return settle_roles(dsn, asked) if newest else None


def settle_roles(dsn: str, asked: str) -> roles.Settled:
    """Give a database at the newest schema its roles and their privileges, as its owner; `asked` is what the project connects with."""
    with transaction(dsn) as connection:
        return settle_here(connection, asked)


def settle_here(connection: Connection, asked: str) -> roles.Settled:
    """Do the same in the transaction of a connection of the owner."""
    program = fields_of(asked).get("user")
    own = program != PROGRAM or program == connection.info.user
    return roles.settle(connection, program=None if own else program)


def as_owner(dsn: str, what: str = "change its schema", typed: str = "lowland db migrate") -> str:
    """Return a connection string of the owner of a database, where this account is or may be it: only the owner changes a schema.

    The account of a private database may connect as its owner too; elsewhere it has to be the owner itself.

    Raises:
        NotAllowedError: it may not.
    """
    with transaction(dsn) as connection:
        owner = roles.owner_of(connection)
        row = connection.execute("SELECT pg_has_role(%s, 'MEMBER')", [owner]).fetchone()
        user = connection.info.user
    if row is not None and row[0]:
        return dsn
    other = make_conninfo(dsn, user=owner)
    try:
        session(other).close()
    except psycopg.Error as error:
        raise NotAllowedError(
            f"The database belongs to {owner}, and {user} may not {what}, so nothing was done. Who connects as {owner}"
            f" (LOWLAND_DSN) types: {typed}"
        ) from error
    return other


def downgrade(dsn: str, srid: int, target: str = "base") -> None:
    """Take the database back to `target`, where no row is lost by it.

    Raises:
        UsageError: there is no such revision, or rows would be lost.
        NotAllowedError: this account is not the owner of the database.
    """
    dsn = as_owner(dsn)
    with _locked(dsn) as connection:
        lost = _lost(connection, lost_going_down, revision.current_revision(dsn), target)
        if lost:
            raise UsageError(
                f"The database stays as it is, because the older schema has no place for:\n{listed(lost, shown=len(lost))}\n"
                "Use another database for the older program, or restore a copy of that time."
            )
        with transaction(dsn) as first:
            revision.own_version_table(first)
        _run(connection, srid, lambda config: command.downgrade(config, target))


def _lost(
    connection: sa.Connection,
    asked: Callable[[sa.Connection, ScriptDirectory, str | None, str], list[str]],
    current: str | None,
    target: str,
) -> list[str]:
    with _no_such_revision():
        return asked(connection, ScriptDirectory.from_config(_config()), current, target)


def _refuse_loss(lost: list[str], agreed: Agreed) -> None:
    if lost and not agreed(lost):
        raise UsageError(
            f"{LOSS}\n{listed(lost, shown=len(lost))}\nNothing was done. Keep a copy of the database first if they are still needed"
            " (lowland db backup FILE), then type: lowland db migrate --yes – and lowland run, which makes results anew"
        )


@dataclass(frozen=True)
class Building:
    """A database in which everything is made in one transaction: nobody sees any of it before the end, and of an error nothing stays."""

    connection: Connection
    _lent: sa.Connection
    _srid: int

    def upgrade(self, target: str) -> None:
        """Bring it to a revision, step by step."""
        here = MigrationContext.configure(self._lent, opts=_VERSION).get_current_revision()
        scripts = ScriptDirectory.from_config(_config())
        with _no_such_revision():
            steps = [step.revision for step in scripts.iterate_revisions(target, here or "base")]
        for step in reversed(steps):
            # What is checked at the end of a transaction would keep a later step from changing the table.
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            _run(self._lent, self._srid, partial(command.upgrade, revision=step), in_one=True)

    def lost(self, target: str = "head") -> list[str]:
        """Return what the way up to a revision takes away, one line each."""
        here = MigrationContext.configure(self._lent, opts=_VERSION).get_current_revision()
        scripts = ScriptDirectory.from_config(_config())
        return lost_going_up(self._lent, scripts, here, target, keep=True)


@contextmanager
def building(dsn: str, srid: int) -> Iterator[Building]:
    """Yield a database to be built in one transaction, while no migration is at work on it.

    Raises:
        DatabaseError: as `connect.transaction`.
        NotAllowedError: this account is not the owner of the database.
    """
    dsn = as_owner(dsn)
    ensure_postgis(dsn)
    lent = engine(dsn).connect()
    try:
        connection = lent.connection.driver_connection
        if connection is None:
            raise DatabaseError("The database cannot be reached. Type: lowland db up")
        with kept_or_nothing(connection, dsn):
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
            lent.begin()
            try:
                yield Building(connection, lent, srid)
            except sa.exc.DBAPIError as error:
                raise (error.orig or error) from error
    finally:
        lent.invalidate()
        lent.close()


def differences(dsn: str, srid: int) -> list[object]:
    """Return what autogenerate would change; empty when tables and migrations agree."""
    # Only who compares needs it; whoever migrates does not wait for it.
    from lowland_gis.db import entities  # noqa: PLC0415

    entities.register()
    with engine(as_owner(dsn)).connect() as connection:
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
    if kind in ("table", "view") and reflected and compare_to is None and name not in _VIEWS:
        # A table or view that QGIS or an analyst made inside one of our schemas is not ours to drop.
        return False
    include: Callable[..., bool] = alembic_helpers.include_object
    return include(obj, name, kind, reflected, compare_to)


def _run(
    connection: sa.Connection, srid: int, step: Callable[[Config], None], *, in_one: bool = False
) -> None:
    config = _config()
    config.attributes.update(connection=connection, srid=srid, in_one=in_one)
    with _no_such_revision():
        step(config)


@contextmanager
def _no_such_revision() -> Iterator[None]:
    try:
        yield
    except (CommandError, RevisionError) as error:
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
