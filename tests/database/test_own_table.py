"""Results as a table of the database: there when all is written, and nobody's table is replaced unless it was made here."""

from __future__ import annotations

import subprocess
import sys

import geopandas as gpd
import psycopg
import pyarrow as pa
import pytest
import shapely
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lowland_gis.db.own_table import table_writer
from lowland_gis.db.private import cluster as clusters
from lowland_gis.errors import DatabaseError, NotAllowedError, UsageError


@pytest.fixture
def owned(cluster, database) -> str:
    """The connection string of an account that may make schemas."""
    return make_conninfo(clusters.superuser_dsn(cluster), dbname=conninfo_to_dict(database)["dbname"])


ROWS = pa.table(
    {
        "parcel_id": pa.array(["甲", "乙\n", None]),
        "code": pa.array(["0601", "", 'a"b,c']).dictionary_encode(),
        "area_m2": pa.array([1.5, 0.1 + 0.2, None]),
        "n": pa.array([1, 2**60, -3]),
    }
)


def fetched(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def test_rows_come_back_as_they_were_batch_by_batch(owned):
    with table_writer(owned, 'PG:分析."found" 2') as write:
        write(ROWS.slice(0, 2))
        write(ROWS.slice(2))
        assert fetched(owned, "SELECT to_regnamespace('分析') IS NULL") == [(True,)]
    found = fetched(owned, 'SELECT * FROM 分析."""found"" 2" ORDER BY n')
    expected = zip(*ROWS.to_pydict().values(), strict=True)
    assert found == sorted(expected, key=lambda row: row[-1])


def test_nothing_is_there_where_the_work_fails_half_way(owned):
    with pytest.raises(ZeroDivisionError), table_writer(owned, "PG:analysis.found") as write:
        write(ROWS)
        _ = 1 / 0
    assert fetched(owned, "SELECT to_regclass('analysis.found')") == [(None,)]


def test_what_was_made_here_is_replaced_and_what_was_not_is_left(owned):
    for _ in range(2):
        with table_writer(owned, "PG:found") as write:
            write(ROWS)
    assert fetched(owned, "SELECT count(*) FROM public.found") == [(3,)]
    with psycopg.connect(owned) as connection:
        connection.execute("CREATE TABLE public.mine AS SELECT 7 AS n")
        connection.execute("CREATE VIEW public.seen AS SELECT 7 AS n")
    with pytest.raises(UsageError, match="PG:mine: exists.*--overwrite"), table_writer(owned, "PG:mine"):
        pass
    with (
        pytest.raises(UsageError, match="PG:seen: is no plain table"),
        table_writer(owned, "PG:seen", overwrite=True),
    ):
        pass
    assert fetched(owned, "SELECT n FROM public.mine") == [(7,)]
    with table_writer(owned, "PG:mine", overwrite=True) as write:
        write(ROWS)
    assert fetched(owned, "SELECT count(*) FROM public.mine") == [(3,)]


def test_a_table_of_the_project_is_never_replaced(database):
    with (
        pytest.raises(UsageError, match="land is a schema of the project's own tables"),
        table_writer(database, "PG:land.parcel", overwrite=True),
    ):
        pass


def test_a_server_that_is_not_there_is_said():
    with (
        pytest.raises(DatabaseError, match="cannot be reached"),
        table_writer("host=127.0.0.1 port=1", "PG:found"),
    ):
        pass


def test_the_command_writes_a_table(owned, tmp_path, monkeypatch):
    frame = gpd.GeoDataFrame(
        {"id": ["a"]}, geometry=[shapely.box(500_000, 4_300_000, 500_010, 4_300_010)], crs=4548
    )
    frame.to_file(tmp_path / "lots.gpkg")
    monkeypatch.setenv("LOWLAND_DSN", owned)
    line = [
        sys.executable,
        "-m",
        "lowland_gis",
        "tabulate",
        "lots.gpkg",
        "lots.gpkg",
        "--id",
        "id",
    ]
    done = subprocess.run(
        [*line, "-o", "PG:analysis.found"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "1 rows → PG:analysis.found" in done.stderr
    assert fetched(owned, "SELECT parcel_id, code, area_m2, share FROM analysis.found") == [
        ("a", "all", 100.0, 1.0)
    ]
    done = subprocess.run(
        [*line[:-4], "PG:land.parcel", "lots.gpkg", "--id", "id"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert (
        "PG:land.parcel: tables and object stores are read by the tasks of Spark. Add: --engine sedona"
        in done.stderr
    )


def test_an_account_that_may_make_no_schema_is_told(database):
    with (
        pytest.raises(NotAllowedError, match="permission denied"),
        table_writer(database, "PG:analysis.found"),
    ):
        pass
