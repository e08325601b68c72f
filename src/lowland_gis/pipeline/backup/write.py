"""Write a backup: one state of the database as it is seen by one transaction, however long it takes and whoever works beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lowland_gis import schema
from lowland_gis.db import revision
from lowland_gis.db.connect import Connection, snapshot
from lowland_gis.db.dump import Stored, read_lock, rows_out, sequence_values, stored_tables
from lowland_gis.db.migrate import as_owner
from lowland_gis.db.role_names import ROLE_TABLES
from lowland_gis.errors import DatabaseError
from lowland_gis.files.sealed import SealedWriter, sealed_file
from lowland_gis.files.whole import refused, whole
from lowland_gis.pipeline.backup.access import granted_roles, policies
from lowland_gis.pipeline.backup.manifest import (
    ALL,
    FORM,
    MANIFEST,
    RESTED,
    Manifest,
    Part,
    TablePart,
    part_of,
)
from lowland_gis.pipeline.backup.project_files import Found
from lowland_gis.pipeline.backup.rested import rested_runs
from lowland_gis.pipeline.base.chain import chain_head
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.project import who
from lowland_gis.pipeline.base.telling import Watch, unwatched
from lowland_gis.pipeline.registry.verify import verified
from lowland_gis.schema.model import RESULT

_OURS = {table.full_name: table.column_names for table in schema.TABLES} | ROLE_TABLES
_FIRST_CHAINED = "0014"


@dataclass(frozen=True)
class Written:
    """What was written: what it says of itself, and the size of the file in bytes."""

    manifest: Manifest
    size: int


def write_backup(
    dsn: str, found: Found, target: Path, *, results: bool = True, watch: Watch = unwatched
) -> Written:
    """Write all that a database and the files of its project hold into one file, which appears when it is whole.

    Without `results` those runs are left out that no row of the registry rests on.

    Raises:
        DatabaseError: there is nothing of lowland in the database, it was changed by a newer program, or rows are hidden from its owner.
        NotAllowedError: this account is not the owner of the database.
        InputRefusedError: the file cannot be written.
    """
    # Rows that somebody may not see would be missing without a word, so only the owner of all of them writes a backup.
    with snapshot(as_owner(dsn, "back it up", "lowland db backup FILE")) as connection:
        number = _revision(connection)
        _refuse_hidden(connection)
        connection.execute("SET LOCAL bytea_output = 'hex'")
        tables, left_out = _ours(stored_tables(connection), number)
        read_lock(connection, tables)
        kept = None if results else rested_runs(connection, tables)
        proof = verified(connection) if number == revision.newest_revision() else None
        with (
            whole(target, mode=0o600) as partial,
            refused(target),
            sealed_file(partial) as archive,
        ):
            written = list(_Source(connection, archive, number, kept).tables(tables, watch))
            files = [
                part_of(f"project/{name}", archive.write(f"project/{name}", iter([content])), path=name)
                for name, content in found.files.items()
            ]
            manifest = Manifest(
                form=FORM,
                program=program_version(),
                revision=number,
                made_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                made_by=who(),
                **_server(connection),
                registry_head=_head(connection, number),
                n_findings=None if proof is None else len(proof.findings),
                results=ALL if results else RESTED,
                tables=tuple(written),
                sequences=sequence_values(connection, tables),
                roles=granted_roles(connection, connection.info.dbname),
                policies=policies(connection, connection.info.dbname),
                files=tuple(files),
                left_out=(*left_out, *_elsewhere(connection), *_rasters(connection), *found.left_out),
            )
            archive.write(MANIFEST, iter([manifest.text()]))
        return Written(manifest, target.stat().st_size)


def _revision(connection: Connection) -> str:
    place = revision.version_schema(connection)
    number = None if place is None else revision.revision_in(connection, place)
    if number is None:
        raise DatabaseError(
            "There is nothing of lowland in the database, so nothing was written. Look at: lowland db status"
        )
    revision.refuse_newer(number)
    return number


def _ours(tables: Sequence[Stored], number: str) -> tuple[list[Stored], list[str]]:
    """Return the tables that are the program's own, and which others stand beside them; of an older schema all are taken."""
    if number != revision.newest_revision():
        return list(tables), []
    ours = [table for table in tables if table.full_name in _OURS]
    others = [f"table {table.full_name}: not of lowland" for table in tables if table.full_name not in _OURS]
    for table in ours:
        unknown = sorted(set(table.column_names) - set(_OURS[table.full_name]))
        others += [f"column {table.full_name}.{name}: not of lowland" for name in unknown]
    return ours, others


def _columns(table: Stored, number: str) -> tuple[tuple[str, str], ...]:
    if number != revision.newest_revision():
        return table.columns
    known = set(_OURS[table.full_name])
    return tuple((name, kind) for name, kind in table.columns if name in known)


def _elsewhere(connection: Connection) -> list[str]:
    """Name the tables in other schemas, as QGIS or an analyst made them; what an extension brings is none."""
    rows = connection.execute(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace space ON space.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND space.nspname NOT LIKE 'pg\\_%%'"
        " AND space.nspname <> 'information_schema' AND space.nspname <> ALL(%s) AND c.relname <> 'alembic_version'"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
        " ORDER BY 1",
        [[*schema.SCHEMAS, "land_part", "lowland"]],
    )
    return [f"table {row[0]}: not of lowland" for row in rows]


def _rasters(connection: Connection) -> list[str]:
    """Name the rasters that were delivered: of them the database keeps where they lie, and nothing else."""
    rows = connection.execute("SELECT DISTINCT path FROM land.raster ORDER BY 1")
    return [f"raster {row[0]}: its file stays where it lies" for row in rows]


@dataclass(frozen=True)
class _Source:
    """Where rows are read from, and where they are written; `kept` are the runs whose results are taken, None is all of them."""

    connection: Connection
    archive: SealedWriter
    revision: str
    kept: Sequence[int] | None

    def tables(self, tables: Sequence[Stored], watch: Watch) -> Iterator[TablePart]:
        """Write the rows of tables, and yield what is to be said of each."""
        done, total = 0, sum(max(1, len(table.parts)) for table in tables)
        for table in tables:
            columns = _columns(table, self.revision)
            parts = []
            for number in table.parts if table.part_by else (None,):
                parts.append(self._rows(table, number, tuple(name for name, _ in columns)))
                done += 1
                watch(done, total)
            yield TablePart(name=table.full_name, columns=columns, parts=tuple(parts))

    def _rows(self, table: Stored, number: int | None, columns: Sequence[str]) -> Part:
        count = 0
        runs = self.kept if table.schema == RESULT else None

        def counted() -> Iterator[bytes]:
            nonlocal count
            for block in rows_out(self.connection, table, number, columns=columns, runs=runs):
                # Line feeds within values are written as two letters.
                count += block.count(b"\n")
                yield block

        place = table.full_name if number is None else f"{table.full_name}/{number}"
        member = f"rows/{place}.tsv"
        summed = self.archive.write(member, counted())
        return part_of(member, summed, rows=count, number=number)


def _server(connection: Connection) -> dict[str, object]:
    row = connection.execute(
        "SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'postgis'), current_database(),"
        " (SELECT srid FROM geometry_columns WHERE f_table_schema = 'land' AND f_table_name = 'parcel' AND f_geometry_column = 'geom')"
    ).fetchone()
    if row is None or row[3] is None:
        raise DatabaseError(
            "There is no table of parcels in the database, so nothing was written. Look at: lowland db status"
        )
    return {"postgresql": row[0], "postgis": row[1], "database": row[2], "srid": int(row[3])}


def _head(connection: Connection, number: str) -> str | None:
    return chain_head(connection) if number >= _FIRST_CHAINED else None


def _refuse_hidden(connection: Connection) -> None:
    """Refuse a database whose owner may not see every row: its rules of rows are none that were made by this program."""
    rows = connection.execute(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND row_security_active(c.oid)"
        " AND c.relnamespace::regnamespace::text = ANY(%s) AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polpermissive"
        " AND polroles @> ARRAY[c.relowner] AND pg_get_expr(polqual, polrelid) = 'true') ORDER BY 1",
        [list(schema.SCHEMAS)],
    ).fetchall()
    if rows:
        raise DatabaseError(
            f"The database hides rows of {', '.join(row[0] for row in rows)} from its owner, so a backup would lack them and none was written."
            " Type: lowland db migrate – which writes the rules of rows anew"
        )
