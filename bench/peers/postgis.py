"""PostGIS: one SQL statement from loaded, indexed, analysed tables to a new table; loading is not counted.

The server's work is counted by the clock and by the processor time of its process, which `BENCH_DSN` leads to.
"""

import os
import time

import pandas as pd
import psycopg
from measured import Arguments, measured, process

from lowland_gis.engines.postgis import Relation, statement


def tabulate(arguments: Arguments) -> dict[str, object]:
    """Make the table in the database, then write it to the file for comparison, uncounted."""
    with psycopg.connect(os.environ["BENCH_DSN"]) as connection:
        connection.execute("SET max_parallel_workers_per_gather = %d" % (arguments.threads - 1))  # noqa: UP031
        connection.execute("DROP TABLE IF EXISTS overlap")
        question = statement(Relation(("parcels",), "parcel_id"), Relation(("zones",), "code")).as_string(
            connection
        )
        before, start = process(connection.info.backend_pid), time.perf_counter()
        connection.execute("CREATE TABLE overlap AS " + question)
        connection.commit()
        seconds = time.perf_counter() - start
        after = process(connection.info.backend_pid)
        rows = connection.execute("SELECT parcel_id, code, area_m2 FROM overlap").fetchall()
    pd.DataFrame(rows, columns=["parcel_id", "code", "area_m2"]).to_parquet(arguments.output, index=False)
    return {
        "seconds": seconds,
        "cpu_seconds": after.cpu_seconds - before.cpu_seconds,
        "peak_mb": after.peak_mb,
    }


measured(tabulate)
