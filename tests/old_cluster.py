"""A private cluster as older programs made it: it trusts whoever reaches its socket, and the program is its superuser."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import make_conninfo

from lowland_gis.db.private import cluster as clusters
from lowland_gis.db.private import process
from lowland_gis.db.private.binaries import find_binaries
from lowland_gis.db.private.paths import Cluster, give, prepare_folders
from lowland_gis.db.private.programs import run_as

MADE = """
    CREATE EXTENSION postgis;
    CREATE SCHEMA land;
    CREATE TYPE land.grade AS ENUM ('A', 'B');
    CREATE TABLE land.parcel (parcel_id text, n serial, number bigint GENERATED ALWAYS AS IDENTITY, version_id int) PARTITION BY LIST (version_id);
    CREATE TABLE land."parcel 1" PARTITION OF land.parcel FOR VALUES IN (1);
    INSERT INTO land.parcel (parcel_id, version_id) VALUES ('宗地', 1);
    CREATE VIEW land.shown AS SELECT parcel_id FROM land.parcel;
    CREATE FUNCTION land.seven() RETURNS int LANGUAGE sql AS 'SELECT 7';
    CREATE SEQUENCE public.loose
"""


def make_old(cluster: Cluster) -> None:
    """Make it, with something of each kind in its database, and leave it running."""
    prepare_folders(cluster)
    binaries = find_binaries(cluster.search, cluster.account)
    cluster.data_dir.mkdir(mode=0o700)
    give(cluster.data_dir, cluster.account)
    command = [
        binaries.program("initdb"),
        "-D",
        str(cluster.data_dir),
        "-A",
        "trust",
        "-U",
        "lowland",
        "-E",
        "UTF8",
    ]
    made = run_as(cluster.account, [*command, "--no-locale", "--no-sync"], timeout=300)
    assert made.returncode == 0, made.stderr
    with (cluster.data_dir / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(f"\ninclude = '../{cluster.settings.name}'\n")
    cluster.settings.write_text(
        process.server_settings(cluster.socket_dir, durable=False, shared_memory=0), encoding="utf-8"
    )
    cluster.settings.chmod(0o644)
    process.start_server(cluster, binaries)
    with psycopg.connect(
        make_conninfo(clusters.dsn(cluster), dbname="postgres"), autocommit=True
    ) as connection:
        connection.execute("CREATE DATABASE lowland")
    with psycopg.connect(clusters.dsn(cluster)) as connection:
        connection.execute(MADE)
