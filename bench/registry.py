"""Moving entries of the registry in one transaction, against COPY into the same tables.

    python bench/registry.py [--parcels 10000] [--rounds 5]

The move is that of a whole town's drafts onto notice, as `lowland registry notice --town` records it. The rows that it wrote are taken
away again and copied back into the same tables, with the same keys and indexes and the triggers off. Both are timed with their commit,
without the start of a process, in turn. Figures go to bench/results/registry.json, and the page of all figures is written anew.
"""

from __future__ import annotations

import datetime as dt
import statistics
from pathlib import Path

import psycopg
from project import private_project, reader, seconds
from server import server_version, superuser
from tabulate import keep

from lowland_gis import schema
from lowland_gis.db.parts import attach_part, new_part
from lowland_gis.pipeline.base.project import Project, open_project
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked

TOWN = "120113101"
# Rows of a move stand in these; the second refers to the first by its key.
TABLES = {"event": "event_id", "link": "link_no"}


def main() -> None:
    """Measure both in turn, print a line each and keep the figures."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=10_000, help="entries that are moved")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with private_project() as (folder, dsn):
        project = prepared(folder, dsn, given.parcels)
        # The first round warms caches up and is not counted.
        runs = [one_round(project, dsn, folder, number) for number in range(given.rounds + 1)][1:]
        version = server_version(dsn)
    moved, copied = (statistics.median(times) for times in zip(*runs, strict=True))
    print(f"move {moved:.2f} s, COPY {copied:.2f} s: {moved / copied:.1f} times")
    figures = {
        "entries": given.parcels,
        "rounds": given.rounds,
        "move_s": round(moved, 3),
        "copy_s": round(copied, 3),
        "times": round(moved / copied, 2),
        "server": version,
    }
    print(f"kept in {keep('registry', figures)}")


def prepared(folder: Path, dsn: str, parcels: int) -> Project:
    """Return a project with parcels of a town, all of them drafts of the register of low-efficiency land."""
    codes = [f"{TOWN}{number:06}GB00001" for number in range(parcels)]
    deliver(dsn, codes)
    text = (folder / "lowland.toml").read_text(encoding="utf-8")
    (folder / "lowland.toml").write_text(f"dsn = {dsn!r}\n{text}", encoding="utf-8")
    project = open_project(folder)
    record_move(project, Typed("survey", on=dt.date(2024, 2, 1)), Asked(tuple(codes)))
    record_move(project, Typed("draft", on=dt.date(2024, 2, 2)), Asked(tuple(codes)))
    return project


def deliver(dsn: str, codes: list[str]) -> None:
    """Put parcels into the land, as a delivery of the layer parcel."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO land.source (path, driver, sha256, size_bytes) VALUES ('x', 'x', 'x', 0)"
        )
        connection.execute(
            "INSERT INTO land.layer_version (layer, source_id, digest, loaded_at, loaded_by, n_read, n_loaded, n_rejected)"
            " SELECT 'parcel', source_id, 'x', now(), 'x', 1, 1, 0 FROM land.source"
        )
        part = new_part(connection, schema.PARCEL, 1)
        connection.execute(
            f"INSERT INTO {part.full_name} (version_id, parcel_id, row_no, town_code, attributes, area_m2, planar_m2, geom)"  # noqa: S608
            " SELECT 1, code, nth, %s, '{}', 100, 100, 'SRID=4548;MULTIPOLYGON(((0 0, 10 0, 10 10, 0 0)))'"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS row_of (code, nth)",
            [TOWN, codes],
        )
        attach_part(connection, schema.PARCEL, 1)


def one_round(project: Project, dsn: str, folder: Path, number: int) -> tuple[float, float]:
    """Return how long the move takes, and COPY of the rows that it wrote; both are taken back."""
    paper = folder / "公示.pdf"
    paper.write_bytes(b"%PDF-1.4")
    typed = Typed("notice", on=dt.date(2024, 3, 1), document=paper, document_no=f"{number}号")
    before = last(dsn)
    moved = seconds(lambda: record_move(project, typed, Asked(town=TOWN)))
    with psycopg.connect(superuser(dsn), autocommit=True) as connection:
        # No trigger sees what is done here.
        connection.execute("SET session_replication_role = replica")
        rows = {table: taken(connection, table, before[table]) for table in TABLES}
        copied = seconds(lambda: put_back(connection, rows))
        for table in TABLES:
            taken(connection, table, before[table])
    return moved, copied


def last(dsn: str) -> dict[str, int]:
    """Return the greatest key of each table."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT (SELECT max(event_id) FROM registry.event), (SELECT max(link_no) FROM registry.link)"
        ).fetchone()
    return dict(zip(TABLES, row or (), strict=True))


def taken(connection: psycopg.Connection, table: str, after: int) -> bytes:
    """Return the rows of a table after a key as text of COPY, and delete them."""
    key = TABLES[table]
    with connection.cursor().copy(
        f"COPY (SELECT * FROM registry.{table} WHERE {key} > {after} ORDER BY {key}) TO STDOUT"  # noqa: S608
    ) as copy:
        rows = b"".join(bytes(block) for block in copy)
    connection.execute(f"DELETE FROM registry.{table} WHERE {key} > %s", [after])  # noqa: S608
    connection.execute(f"VACUUM ANALYZE registry.{table}")
    return rows


def put_back(connection: psycopg.Connection, rows: dict[str, bytes]) -> None:
    """Copy rows into their tables in one transaction."""
    with connection.transaction():
        for table, text in rows.items():
            with connection.cursor().copy(f"COPY registry.{table} FROM STDIN") as copy:
                copy.write(text)


if __name__ == "__main__":
    main()
