"""A connection speaks UTF-8, UTC and ISO days, whatever the environment, the role or the database would have."""

import datetime as dt

import psycopg
import pytest
from psycopg import sql

from lowland_gis.db.connect import Spare, connect, snapshot, transaction
from lowland_gis.db.migrate import engine
from lowland_gis.db.server import facts_of
from lowland_gis.errors import DatabaseError
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels
from registered import owned

SHOWN = ("client_encoding", "TimeZone", "DateStyle", "IntervalStyle", "extra_float_digits")
WANTED = ["UTF8", "UTC", "ISO, YMD", "postgres", "1"]


def shown(connection):
    return [connection.execute(f"SHOW {name}").fetchone()[0] for name in SHOWN]


@pytest.fixture
def strange(database, monkeypatch):
    """A database, a role's default and an environment that all want something else."""
    monkeypatch.setenv("PGCLIENTENCODING", "GBK")
    monkeypatch.setenv("PGTZ", "Asia/Shanghai")
    monkeypatch.setenv("PGDATESTYLE", "German, DMY")
    monkeypatch.setenv("PGOPTIONS", "-c extra_float_digits=-5")
    with psycopg.connect(owned(database), autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        for setting, value in (("timezone", "Asia/Tokyo"), ("intervalstyle", "sql_standard")):
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(setting), value)
            )
    return database


def test_it_is_set_on_connect_and_outlives_a_rollback(strange):
    connection = connect(strange)
    assert shown(connection) == WANTED
    connection.rollback()
    assert shown(connection) == WANTED
    connection.close()
    with engine(strange).connect() as other:
        assert other.exec_driver_sql("SHOW client_encoding").scalar() == "UTF8"
    assert facts_of(strange).postgresql


def test_what_is_stored_is_what_was_delivered(strange, project, tmp_path):
    path = write_parcels(tmp_path / "宗地.shp", {"120113100001GB00001": box(0, 0)})
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    with transaction(project.dsn) as connection:
        road, when = connection.execute(
            "SELECT attributes->>'ZL', '2020-01-02 03:04+08'::timestamptz FROM land.parcel"
        ).fetchone()
        exact = connection.execute(
            "SELECT (0.1::float8 + 0.2::float8)::text, '2020-03-02'::date::text"
        ).fetchone()
        assert exact == ("0.30000000000000004", "2020-03-02")
    assert road == "北辰区示例路"
    assert when == dt.datetime(2020, 1, 1, 19, 4, tzinfo=dt.UTC)


def backend(connection):
    return connection.execute("SELECT pg_backend_pid()").fetchone()[0]


def test_a_spare_connection_is_taken_again_as_if_it_were_new(database):
    spare = Spare()
    with snapshot(database, spare=spare) as connection:
        first = backend(connection)
    with transaction(database, spare=spare) as connection, transaction(database, spare=spare) as other:
        assert backend(connection) == first != backend(other)
        assert connection.execute("SHOW transaction_isolation").fetchone() == ("read committed",)
        assert shown(connection) == WANTED
        connection.execute("CREATE TEMPORARY TABLE written AS SELECT 1")
    with snapshot(database, spare=spare) as connection:
        assert connection.execute("SHOW transaction_read_only").fetchone() == ("on",)
    spare.close()
    with transaction(database, spare=spare) as connection:
        assert backend(connection) != first
    spare.close()


def test_one_that_failed_or_whose_server_has_gone_is_not_taken_again(database):
    spare = Spare()
    with pytest.raises(DatabaseError), transaction(database, spare=spare) as connection:
        first = backend(connection)
        connection.execute("SELECT 1 / 0")
    with transaction(database, spare=spare) as connection:
        second = backend(connection)
    with psycopg.connect(database, autocommit=True) as same_role:
        same_role.execute("SELECT pg_terminate_backend(%s, 5000)", [second])
    with transaction(database, spare=spare) as connection:
        assert len({first, second, backend(connection)}) == 3
    spare.close()
