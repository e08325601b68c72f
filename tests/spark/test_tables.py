"""Tables of PostGIS as layers: read by the tasks page by page, at one moment, and refused by name where they cannot be."""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lowland_gis.db.own_table import table_writer
from lowland_gis.db.private import cluster as clusters
from lowland_gis.engines import frames, named
from lowland_gis.engines.sedona import folders, tables
from lowland_gis.engines.sedona.session import Place
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.overlaps.spark_folders import tabulate_folders
from spark_layers import GRID, same

pytestmark = pytest.mark.sedona


@pytest.fixture
def land(cluster, database, parcels, zones) -> str:
    """A table with parcels, one with zones that is cut into parts."""
    database = make_conninfo(clusters.superuser_dsn(cluster), dbname=conninfo_to_dict(database)["dbname"])
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE public.lots (parcel_id text, shape geometry(Geometry, 4548))")
        connection.execute(
            "CREATE TABLE public.uses (code text, part int, geom geometry(Geometry, 4548)) PARTITION BY LIST (part)"
        )
        for part in range(2):
            connection.execute(
                f"CREATE TABLE public.uses_{part} PARTITION OF public.uses FOR VALUES IN ({part})"
            )
        for table, frame, name in (("lots", parcels, "parcel_id"), ("uses", zones, "code")):
            rows = zip(frame[name], range(len(frame)), frame.geometry, strict=True)
            values = [
                (code, *([number % 2] if table == "uses" else []), None if shape is None else shape.wkb)
                for code, number, shape in rows
            ]
            part = sql.SQL("%s, " if table == "uses" else "")
            statement = sql.SQL("INSERT INTO {} VALUES (%s, {}ST_GeomFromWKB(%s, 4548))").format(
                sql.Identifier(table), part
            )
            connection.cursor().executemany(statement, values)
    return database


def test_tables_give_what_frames_give_at_the_moment_when_they_were_asked(land, parcels, zones, monkeypatch):
    monkeypatch.setattr(tables, "_PORTION_BYTES", 20_000)
    with (
        tables.table("PG:lots", "parcel_id", land) as ours,
        tables.table("PG:public.uses", "code", land) as theirs,
    ):
        assert len({portion.table for portion in theirs.portions}) == 2
        assert len(ours.portions) > 2
        # What others do to the table meanwhile is not seen by any task.
        with psycopg.connect(land) as connection:
            connection.execute("DELETE FROM public.uses WHERE part = 1")
            connection.execute("UPDATE public.lots SET parcel_id = 'x' || parcel_id")
        asked = folders.Tabulation(ours, theirs, "parcel_id", "code", Place(), grid=GRID)
        found = pa.concat_tables([rows for rows, _ in asked.tables()]).to_pandas()
    same(frames.overlaps(named.without_database(), parcels, zones), found, "area_m2", "share")


def test_a_table_goes_to_a_table_and_nothing_does_where_it_is_refused(land, parcels, zones):
    def written(target: str) -> None:
        with table_writer(land, target) as write:
            for each in tabulate_folders(
                "PG:lots", "PG:uses", id_field="parcel_id", by_field="code", database=lambda: land
            ):
                write(each.overlaps)

    written("PG:analysis.found")
    with psycopg.connect(land) as connection:
        count = connection.execute("SELECT count(*) FROM analysis.found").fetchone()[0]
        assert count == len(frames.overlaps(named.without_database(), parcels, zones))
        connection.execute("UPDATE public.lots SET parcel_id = 'p0000' WHERE parcel_id = 'p0001'")
    with pytest.raises(
        InputRefusedError,
        match=r"PG:lots: a value of parcel_id stands for several parcels: p0000 \(2 times\)",
    ):
        written("PG:analysis.other")
    with psycopg.connect(land) as connection:
        assert connection.execute("SELECT to_regclass('analysis.other')").fetchone() == (None,)
