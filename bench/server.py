"""A PostGIS of the benchmarks' own, with the district loaded into two indexed, analysed tables."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psycopg
import pyarrow.parquet as pq
from district import EPSG, District
from psycopg.conninfo import make_conninfo

from lowland_gis.db import copy_format
from lowland_gis.db.private import cluster as clusters
from lowland_gis.db.private.access import SUPERUSER

SETTINGS = {
    "shared_buffers": "2GB",
    "work_mem": "512MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "effective_cache_size": "8GB",
}
# Little-endian WKB of a polygon becomes EWKB by a flag in its type and the number of its plane behind it.
_EWKB_HEAD = b"\x01" + (3 | 0x20000000).to_bytes(4, "little") + EPSG.to_bytes(4, "little")
_WKB_HEAD_BYTES = 5


@contextmanager
def server(core: int | None) -> Iterator[str]:
    """Yield the connection string of a server that is gone afterwards; `core` pins it and all it starts to one core."""
    before = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="lowland-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = clusters.locate(folder, env=os.environ | {"LOWLAND_STATE": str(folder / "state")})
        try:
            if core is not None:
                os.sched_setaffinity(0, {core})
            clusters.up(cluster)
            tune(cluster)
            yield clusters.dsn(cluster)
        finally:
            os.sched_setaffinity(0, before)
            clusters.remove(cluster)


def superuser(dsn: str) -> str:
    """Return the connection string of the superuser of a server of the benchmarks: who empties, vacuums, and switches triggers off."""
    return make_conninfo(dsn, user=SUPERUSER)


def tune(cluster: clusters.Cluster) -> None:
    """Give the server what an administrator of such a machine would give it."""
    with psycopg.connect(clusters.superuser_dsn(cluster), autocommit=True) as connection:
        for key, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {key} = '{value}'")
    clusters.down(cluster)
    clusters.up(cluster)


def server_version(dsn: str) -> str:
    """Return the versions of the server, of PostGIS and of the GEOS it is built with."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), postgis_lib_version(), postgis_geos_version()"
        ).fetchone()
    return "PostgreSQL {}, PostGIS {}, its GEOS {}".format(*(str(part).split()[0] for part in row or ()))


def load(dsn: str, district: District) -> None:
    """Load parcels and zones, index and analyse them."""
    with psycopg.connect(dsn) as connection:
        for table, column, path in (
            ("parcels", "parcel_id", district.parcels),
            ("zones", "code", district.zones),
        ):
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({column} text, geom geometry(Polygon, {EPSG}))")
            copy(connection, table, path, column)
        connection.execute("ALTER TABLE parcels ADD PRIMARY KEY (parcel_id)")
        for table in ("parcels", "zones"):
            connection.execute(f"CREATE INDEX ON {table} USING gist (geom)")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE parcels")
        connection.execute("VACUUM ANALYZE zones")


def copy(connection: psycopg.Connection, table: str, path: Path, column: str) -> None:
    """Copy one GeoParquet file into a table, batch by batch."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as stream:
        stream.write(copy_format.HEADER)
        for batch in pq.ParquetFile(path).iter_batches(20_000):
            rows = batch.to_pydict()
            shapes = [_EWKB_HEAD + wkb[_WKB_HEAD_BYTES:] for wkb in rows["geometry"]]
            values = {"text": rows[column], "bytes": shapes}
            stream.write(
                copy_format.rows(
                    [copy_format.field(kind, series(v), srid=EPSG) for kind, v in values.items()]
                )
            )
        stream.write(copy_format.TRAILER)


def series(values: list[object]) -> object:
    """Return values as a column of a frame."""
    import pandas as pd  # noqa: PLC0415

    return pd.Series(np.asarray(values, dtype=object))
