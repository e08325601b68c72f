"""Bytes that the evidence of a project takes with its index: one row a value, as up to a329624, and one row a parcel, as now.

    python bench/evidence.py PROJECT

PROJECT is the folder of a project that was measured and classified, such as that of `lowland demo`. The evidence of its newest runs is
written into tables of both forms, side by side in one transaction that is rolled back: so neither has grown by other runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from project import reader
from psycopg import sql

from lowland_gis.db.connect import Connection, transaction
from lowland_gis.pipeline.base.project import open_project

# At most this part of the bytes of before.
WANTED = 6.0
RUNS = "SELECT max(run_id) FROM result.run WHERE stage IN ('measure', 'classify') GROUP BY stage"
# The table of before had the columns of the view, and this key.
LONG = {"evidence": "run_id, parcel_id, measure"}
COMPACT = {
    "parcel_evidence": "run_id, parcel_id",
    "evidence_measure": "run_id, number",
    "evidence_apart": "run_id, parcel_id, measure",
}


def main() -> int:
    """Print the bytes of both forms; exit code 1 where the form of now takes more than a sixth."""
    parser = reader(__doc__)
    parser.add_argument("project", type=Path)
    project = open_project(parser.parse_args().project)
    with transaction(project.dsn, dry_run=True) as connection:
        before, now = (_bytes(connection, form) for form in (LONG, COMPACT))
        values, parcels = _counts(connection)
    print(f"{values:,} values of {parcels:,} parcels")
    for name, size in (("one row a value", before), ("one row a parcel", now)):
        print(
            f"{name:<17} {size:>13,} bytes  {size / parcels:>8,.0f} a parcel  {size / values:>6.1f} a value"
        )
    print(f"{before / now:.1f} times fewer, {WANTED:g} wanted")
    return 0 if before >= WANTED * now else 1


def _bytes(connection: Connection, form: dict[str, str]) -> int:
    """Return the bytes of tables with their keys, of the newest runs only."""
    whole = 0
    for name, key in form.items():
        names = {"table": sql.Identifier(f"bench_{name}"), "of": sql.Identifier("result", name)}
        for statement in (
            f"CREATE TABLE {{table}} AS SELECT * FROM {{of}} WHERE run_id IN ({RUNS}) ORDER BY {key}",  # noqa: S608
            f"ALTER TABLE {{table}} ADD PRIMARY KEY ({key})",
        ):
            connection.execute(sql.SQL(statement).format(**names))
        row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [f"bench_{name}"]).fetchone()
        whole += int(row[0]) if row else 0
    return whole


def _counts(connection: Connection) -> tuple[int, int]:
    row = connection.execute("SELECT count(*), count(DISTINCT parcel_id) FROM bench_evidence").fetchone()
    return (0, 1) if row is None else (int(row[0]), int(row[1]))


if __name__ == "__main__":
    sys.exit(main())
