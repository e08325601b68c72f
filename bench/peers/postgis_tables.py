"""PostGIS: one SQL statement over the same `land.parcel` and `land.feature`, to a new table."""

import os

import pandas as pd
import psycopg
from measured import Arguments, measured, process, server_cpu_seconds, timed

from lowland_gis.engines.postgis import Relation, statement

VIEWS = """
CREATE OR REPLACE VIEW bench_zones AS SELECT layer || ':' || coalesce(code, layer) AS code, geom FROM land.feature;
"""


def tabulate(arguments: Arguments) -> dict[str, object]:
    """Make the table in the database, then write it to the file for comparison, uncounted."""
    with psycopg.connect(os.environ["BENCH_DSN"], autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = %d" % (arguments.threads - 1))  # noqa: UP031
        connection.execute(VIEWS)
        connection.execute("DROP TABLE IF EXISTS overlap")
        question = statement(Relation(("land", "parcel"), "parcel_id"), Relation(("bench_zones",), "code"))
        backend = connection.info.backend_pid
        before = server_cpu_seconds(backend)
        took = timed(lambda: connection.execute("CREATE TABLE overlap AS " + question.as_string(connection)))
        server = server_cpu_seconds(backend) - before
        peak = process(backend).peak_mb
        rows = connection.execute("SELECT parcel_id, code, area_m2 FROM overlap").fetchall()
    pd.DataFrame(rows, columns=["parcel_id", "code", "area_m2"]).to_parquet(arguments.output, index=False)
    return took | {"cpu_seconds": server, "peak_mb": peak}


measured(tabulate)
