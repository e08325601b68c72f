"""A connection speaks UTF-8, UTC and ISO days, whatever the environment, the role or the database would have."""

import datetime as dt

import psycopg
import pytest
from psycopg import sql

from lowland_gis.db.connect import connect, transaction
from lowland_gis.db.migrate import engine
from lowland_gis.db.server import facts_of
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
