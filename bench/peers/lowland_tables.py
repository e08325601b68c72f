"""lowland: the stage `tabulate`, from the tables `land.parcel` and `land.feature` to `result.overlap`."""

from lowland_gis.cli.process import keep_memory

keep_memory()  # as the program does before it loads anything

import os  # noqa: E402
from pathlib import Path  # noqa: E402

import pandas as pd  # noqa: E402
import psycopg  # noqa: E402
from measured import Arguments, measured, server_cpu_seconds, timed  # noqa: E402

from lowland_gis.pipeline.base.project import open_project  # noqa: E402
from lowland_gis.pipeline.overlaps.tabulate import tabulate  # noqa: E402


def stage(arguments: Arguments) -> dict[str, object]:
    """Run the stage on a project that has never run it; reading the table back for comparison is not counted."""
    with psycopg.connect(os.environ["BENCH_DSN"], autocommit=True) as connection:
        connection.execute(
            "TRUNCATE result.run, result.computed_overlap, result.computed_cover, result.overlap_run, result.other_parcel CASCADE"
        )
        backend = connection.info.backend_pid
        before = server_cpu_seconds(backend)
        took = timed(lambda: tabulate(open_project(Path(os.environ["BENCH_PROJECT"]))))
        server = server_cpu_seconds(backend) - before
        rows = connection.execute(
            "SELECT parcel_id, layer || ':' || code, area_m2 FROM result.overlap"
        ).fetchall()
    pd.DataFrame(rows, columns=["parcel_id", "code", "area_m2"]).to_parquet(arguments.output, index=False)
    return took | {"cpu_seconds": took["cpu_seconds"] + server, "server_cpu_seconds": server}


measured(stage)
