"""The stage `tabulate` of a project against one SQL statement over the same tables, side by side in turn.

    python bench/tables.py [--parcels 50000] [--rounds 3] [--threads 1]

The district is ingested as a project (parcels, both surveys, plan, red lines), the server pinned to the cores of the peers.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from district import District, district
from project import SETTINGS, SRID, reader
from server import server, superuser
from tabulate import FIRST_CORE, Bench, Run, keep, rounds_of

from lowland_gis.db.migrate import upgrade
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings

LAYERS = {"s3": "dltb3", "s2": "dltb2", "plan": "plan_zone", "red": "eco_redline"}
PEERS = ["lowland_tables", "postgis_tables"]
PROJECT = f"""{SETTINGS}
[tabulate]
cover = false  # the SQL statement does not answer it either
"""


def main() -> None:
    """Measure, keep and print."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    print(f"kept in {keep(f'tables-{given.parcels}', measured(given.parcels, given.rounds, given.threads))}")


def measured(parcels: int, rounds: int, threads: int) -> Run:
    """Load the project and run both in turn."""
    made = district(parcels)
    with (
        tempfile.TemporaryDirectory(prefix="lowland-bench-") as name,
        server(FIRST_CORE if threads == 1 else None) as dsn,
    ):
        folder = Path(name)
        load_project(folder, dsn, made)
        environment = {"BENCH_DSN": superuser(dsn), "LOWLAND_DSN": dsn, "BENCH_PROJECT": str(folder)}
        return rounds_of(Bench(made, folder, threads, environment), PEERS, rounds, PEERS[0])


def load_project(folder: Path, dsn: str, made: District) -> None:
    """Ingest the district, one file a layer, and analyse what was loaded."""
    (folder / "lowland.toml").write_text(PROJECT, encoding="utf-8")
    os.environ["LOWLAND_DSN"] = dsn
    upgrade(dsn, SRID)
    project = open_project(folder)
    for key, path in layer_files(folder, made).items():
        loaded = ingest(project, DeliverySettings(layer=key, source=path.name))
        print(f"ingested {key}: {loaded.n_loaded:,} rows")
    with psycopg.connect(superuser(dsn), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def layer_files(folder: Path, made: District) -> dict[str, Path]:
    """Write one file a layer, its code under the name that the layer's standard gives it."""
    parcels = pq.read_table(made.parcels)
    identifier = layer_definition("parcel").identifier or ""
    files = {"parcel": (parcels, identifier)}
    zones = pq.read_table(made.zones)
    prefix = pc.list_element(pc.split_pattern(zones.column("code"), ":"), 0)
    for name, key in LAYERS.items():
        rows = zones.filter(pc.equal(prefix, name))
        own = pc.list_element(pc.split_pattern(rows.column("code"), ":"), 1)
        files[key] = (rows.set_column(0, "code", own), layer_definition(key).code or "code")
    paths = {}
    for key, (rows, column) in files.items():
        paths[key] = folder / f"{key}.parquet"
        named: pa.Table = rows.rename_columns([column, "geometry"]).replace_schema_metadata(
            rows.schema.metadata
        )
        pq.write_table(named, paths[key])
    return paths


if __name__ == "__main__":
    main()
