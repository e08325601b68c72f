"""Parcels in a database, and its registry by commands."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from lowland_gis import schema
from lowland_gis.db.parts import attach_part, new_part

TOWN = "120113101"
DAY = dt.date(2024, 3, 1)
# A project of a test, over a database of its own.
PROJECT = """
dsn = {dsn!r}
[project]
name = "试验"
district_code = "120113"
district_name = "北辰区"
crs = "EPSG:4548"
as_of = 2023-12-31
"""


def deliver_parcels(dsn: str, codes: list[str], town: str = TOWN) -> None:
    """Put parcels into the land, as a delivery of the layer parcel."""
    with psycopg.connect(dsn) as connection:
        source = connection.execute(
            "INSERT INTO land.source (path, driver, sha256, size_bytes) VALUES ('x', 'x', 'x', 0) RETURNING source_id"
        ).fetchone()[0]
        version = connection.execute(
            "INSERT INTO land.layer_version (layer, source_id, digest, loaded_at, loaded_by, n_read, n_loaded, n_rejected)"
            " VALUES ('parcel', %s, 'x', now(), 'x', 1, 1, 0) RETURNING version_id",
            [source],
        ).fetchone()[0]
        part = new_part(connection, schema.PARCEL, version)
        connection.execute(
            f"INSERT INTO {part.full_name} (version_id, parcel_id, row_no, town_code, attributes, area_m2, planar_m2, geom)"  # noqa: S608
            " SELECT %s, code, nth, %s, '{}', 100, 100, 'SRID=4548;MULTIPOLYGON(((0 0, 10 0, 10 10, 0 0)))'"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS row_of (code, nth)",
            [version, town, codes],
        )
        attach_part(connection, schema.PARCEL, version)


def owned(dsn: str) -> str:
    """The connection string of the owner of a database of the tests' cluster: who tests what an owner may, or makes an older schema."""
    return make_conninfo(dsn, user="lowland_lowland_owner")


def as_superuser(dsn: str) -> psycopg.Connection[Any]:
    """A connection whose statements no trigger sees."""
    connection = psycopg.connect(make_conninfo(dsn, user="postgres"), autocommit=True)
    connection.execute("SET session_replication_role = replica")
    return connection


def paper(folder: Path, name: str) -> Path:
    """A paper with content of its own."""
    file = folder / f"{name}.pdf"
    if not file.exists():
        file.write_bytes(f"%PDF-1.4 {name}".encode())
    return file
