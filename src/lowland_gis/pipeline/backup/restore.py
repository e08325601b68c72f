"""Restore a backup into an empty database: all of it in one transaction, compared with what was backed up before it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from lowland_gis import schema
from lowland_gis.db import revision
from lowland_gis.db.connect import Connection
from lowland_gis.db.dump import (
    Stored,
    open_to_rows,
    rows_in,
    rows_out,
    sequence_values,
    set_sequences,
    stored_tables,
)
from lowland_gis.db.losses import Agreed, nobody_agreed
from lowland_gis.db.migrate import Building, building, settle_here
from lowland_gis.db.parts import PART_SCHEMA
from lowland_gis.errors import DatabaseError, InputRefusedError, UsageError, listed
from lowland_gis.files.sealed import Sum
from lowland_gis.pipeline.backup.access import missing, missing_policies
from lowland_gis.pipeline.backup.manifest import Manifest, Part, TablePart
from lowland_gis.pipeline.backup.project_files import laid_down
from lowland_gis.pipeline.backup.read import Backup, opened_backup
from lowland_gis.pipeline.base.telling import Watch, unwatched
from lowland_gis.pipeline.registry.verify import Verified, passes_through, verified

LOSS = "The newer schema cannot hold some of what is in the backup, so this would go for good:"


@dataclass(frozen=True)
class Restored:
    """What was restored: what the backup says of itself, what the chain says now, and what is not as it was.

    `missing` names roles and rules of rows that are not here, `other_files` files of the project that are here with another content.
    """

    manifest: Manifest
    proof: Verified
    missing: tuple[str, ...]
    other_files: tuple[str, ...]
    postgresql: str
    postgis: str


def restore_backup(
    path: Path,
    dsn: str,
    project_file: Path,
    *,
    srid: int | None = None,
    head: str | None = None,
    agreed: Agreed = nobody_agreed,
    watch: Watch = unwatched,
) -> Restored:
    """Restore a backup into a database without anything of lowland; all of it, or nothing.

    The schema is made at the revision of the backup, filled, compared with the backup row by row, and then brought to the newest one.
    `srid` is the plane that the project at hand says, where there is one; `head` one of the registry's chain that was kept elsewhere.

    Raises:
        InputRefusedError: the backup is not what was written, or not one of this program; or what was restored is not the same.
        DatabaseError: the database is not empty, or cannot be written.
        UsageError: the project at hand has another plane; or rows would go with the newer schema and nobody agreed.
    """
    with opened_backup(path, watch) as backup:
        manifest = backup.manifest
        if srid not in (None, manifest.srid):
            raise UsageError(
                f"{path}: its land lies in EPSG:{manifest.srid}, but the project says EPSG:{srid}, so nothing was restored."
                f' Set crs = "EPSG:{manifest.srid}" in {project_file.name}, or restore it in an empty folder.'
            )
        # Connected to before anything is written: a server that cannot be reached leaves no file behind.
        with building(dsn, manifest.srid) as built, laid_down(project_file, backup.files()) as other:
            connection = built.connection
            _refuse_filled(connection)
            revision.own_version_table(connection)
            built.upgrade(manifest.revision)
            tables = _fill(connection, backup, watch)
            _compare(connection, backup, tables)
            _upgrade(built, agreed)
            # The roles of this database, whatever those of the one that was backed up are called.
            connection.execute("DELETE FROM lowland.role")
            settle_here(connection, dsn)
            proof = _prove(connection, manifest, head, path)
            database = connection.info.dbname
            lacking = [*missing(connection, manifest, database)]
            if manifest.revision == revision.newest_revision():
                lacking += missing_policies(connection, manifest, database)
            row = connection.execute(
                "SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'postgis')"
            ).fetchone()
            here = (str(row[0]), str(row[1])) if row else ("", "")
        return Restored(manifest, proof, tuple(lacking), other, *here)


def _refuse_filled(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace space ON space.oid = c.relnamespace"
        " WHERE space.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1",
        [[*schema.SCHEMAS, PART_SCHEMA, revision.VERSION_SCHEMA]],
    ).fetchall()
    if rows:
        raise DatabaseError(
            f"The database {connection.info.dbname} is not empty: it holds {len(rows)} tables and views of lowland ({rows[0][0]} …), and a backup"
            " never takes the place of what is there. Nothing was restored. Restore it in a new folder (lowland db up there first), or name"
            " an empty database in LOWLAND_DSN; tables without a row go with: lowland db migrate --to base"
        )


def _fill(connection: Connection, backup: Backup, watch: Watch) -> list[tuple[TablePart, Stored]]:
    """Write the rows of every table, those first that others refer to; numbers go on where they were."""
    there = stored_tables(connection)
    given = {table.name: table for table in backup.manifest.tables}
    _refuse_others(backup, given, there)
    open_to_rows(connection, there, opened=True)
    for stored in reversed(there):
        # What a migration put there of itself comes back from the backup.
        connection.execute(sql.SQL("DELETE FROM {}").format(stored.place(None)))
    total, done = len(backup.manifest.parts), 0
    for stored in there:
        table = given[stored.full_name]
        for part in table.parts:
            _read_in(connection, backup, stored, table, part)
            done += 1
            watch(done, total)
    set_sequences(connection, there, backup.manifest.sequences)
    # From here on at once, so that tables can be changed again.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    open_to_rows(connection, there, opened=False)
    return [(given[stored.full_name], stored) for stored in there]


def _read_in(connection: Connection, backup: Backup, stored: Stored, table: TablePart, part: Part) -> None:
    try:
        rows_in(connection, stored, part.number, table.column_names, backup.blocks(part))
    except (psycopg.errors.DataError, psycopg.errors.IntegrityError) as error:
        where = error.diag.context or error.diag.message_detail or ""
        said = f"{error.diag.message_primary or error}; {where}".splitlines()[0][:300]
        raise InputRefusedError(
            f"{backup.sealed.path}: rows of its part {part.member} are none of {table.name} ({said}), so nothing was restored."
        ) from error


def _refuse_others(backup: Backup, given: Mapping[str, TablePart], there: Sequence[Stored]) -> None:
    """Refuse a backup whose tables are not just those that its revision has."""
    faults = []
    by_name = {stored.full_name: stored for stored in there}
    for name in sorted({*given, *by_name}):
        if name not in given or name not in by_name:
            faults.append(f"table {name}: only in {'the schema' if name not in given else 'the backup'}")
            continue
        stored, table = by_name[name], given[name]
        if set(stored.columns) != set(table.columns):
            other = ", ".join(column for column, _ in set(stored.columns) ^ set(table.columns))
            faults.append(f"table {name}: other columns ({other})")
        if any((part.number is None) != (stored.part_by is None) for part in table.parts):
            faults.append(f"table {name}: other partitions")
    if faults:
        raise InputRefusedError(
            f"{backup.sealed.path}: it is not of the schema that it says it has (revision {backup.manifest.revision}), so nothing was"
            f" restored:\n{listed(faults)}"
        )


def _compare(connection: Connection, backup: Backup, pairs: Sequence[tuple[TablePart, Stored]]) -> None:
    """Read what was restored again, and compare it with the backup: every row of every table by digest, and where numbers go on."""
    connection.execute("SET LOCAL bytea_output = 'hex'")
    faults = []
    for table, stored in pairs:
        for part in table.parts:
            summed = Sum()
            for block in rows_out(connection, stored, part.number, columns=table.column_names):
                summed.add(block)
            if (summed.size, summed.sha256) != (part.size, part.sha256):
                faults.append(f"{part.member}: the rows that were restored are other ones than it holds")
    whole = [stored for _, stored in pairs]
    if sequence_values(connection, whole) != backup.manifest.sequences:
        faults.append("numbers of rows would not go on where they were")
    if faults:
        raise InputRefusedError(
            f"{backup.sealed.path}: what was restored is not what was backed up, so nothing of it was kept:\n{listed(faults)}"
        )


def _upgrade(built: Building, agreed: Agreed) -> None:
    lost = built.lost()
    if lost and not agreed(lost):
        raise UsageError(
            f"{LOSS}\n{listed(lost, shown=len(lost))}\nNothing was restored. It stays in the backup; to go on without it, type it again with"
            " --yes"
        )
    built.upgrade("head")


def _prove(connection: Connection, manifest: Manifest, head: str | None, path: Path) -> Verified:
    """Verify the chain of what was restored: it passes through the head that the backup says, and through one that was kept elsewhere."""
    for wanted, where in ((manifest.registry_head, "that it says itself"), (head, "that was given")):
        if wanted is not None and not passes_through(connection, wanted):
            raise InputRefusedError(
                f"{path}: the chain of its registry does not pass through the head {where} ({wanted}), so nothing was restored:"
                " its rows were changed or removed since that head was printed."
            )
    found = verified(connection)
    if found.findings and manifest.n_findings == 0:
        said = [f"{each.table_name} {each.row_no or ''}: {each.what}" for each in found.findings]
        raise InputRefusedError(
            f"{path}: the registry in it is not as it was recorded, so nothing was restored:\n{listed(said)}"
        )
    return found
