"""Frames go into PostGIS by COPY and come back the same."""

import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from psycopg import sql

from lowland_gis import schema
from lowland_gis.db import connect
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_arrays, read_frame, read_geoframe, read_texts_and_numbers
from lowland_gis.db.parts import attach_part, new_part
from lowland_gis.errors import DatabaseError
from registered import owned

SRID = 4548
HOSTILE = 'a\'; DROP TABLE land.feature; -- \\ \t "汉字" \U0001f33e'


def _version(connection):
    connection.execute(
        "INSERT INTO land.source (path, driver, sha256, size_bytes) VALUES ('x', 'GPKG', 'x', 1)"
    )
    return connection.execute(
        "INSERT INTO land.layer_version (layer, source_id, digest, loaded_at, loaded_by, n_read, n_loaded, n_rejected)"
        " SELECT 'dltb3', source_id, 'x', now(), 'me', 0, 0, 0 FROM land.source RETURNING version_id"
    ).fetchone()[0]


def test_values_and_geometries_come_back_bit_for_bit(database):
    shapes = [
        shapely.Polygon([(515000.1234567, 4345000.7654321), (515100, 4345000), (515050, 4345100)]),
        shapely.box(515000, 4345000, 515001, 4345001),
    ]
    rows = pd.DataFrame(
        {
            "row_no": [0, 1],
            "layer": ["dltb3", "dltb3"],
            "code": ["0601", None],
            "attributes": [{"DLBM": "0601", "备注": HOSTILE, "n": 1.5, "list": [1, None]}, {}],
            "area_m2": [12.34, float("nan")],
            "geom": shapes,
            "geom_received": [None, shapes[0]],
        }
    )
    rows.loc[1, "area_m2"] = 0.0
    with connect.transaction(database) as connection:
        version = _version(connection)
        part = new_part(connection, schema.FEATURE, version)
        assert copy_in(connection, part, rows, srid=SRID, constants={"version_id": version}) == 2
        attach_part(connection, schema.FEATURE, version)
        uncounted = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attstattarget = 0 ORDER BY attname",
            [part.full_name],
        ).fetchall()
    assert [name for (name,) in uncounted] == ["attributes", "geom_received"]
    with connect.transaction(database) as connection:
        back = read_geoframe(
            connection,
            "SELECT row_no, code, attributes, area_m2, ST_AsBinary(geom) AS geom, ST_SRID(geom) AS srid"
            " FROM land.feature ORDER BY row_no",
            srid=SRID,
        )
    assert isinstance(back, gpd.GeoDataFrame)
    assert back["attributes"].tolist() == rows["attributes"].tolist()
    assert back["code"].tolist() == ["0601", None]
    assert back["area_m2"].tolist() == [12.34, 0.0]
    assert set(back["srid"]) == {SRID}
    assert [shapely.to_wkb(shape) for shape in back.geometry] == [shapely.to_wkb(shape) for shape in shapes]


def test_missing_dates_numbers_and_texts_become_null(database):
    rows = pd.DataFrame(
        {
            "layer": ["a", "b"],
            "source_id": [1, 1],
            "as_of": [pd.Timestamp("2019-12-31"), pd.NaT],
            "digest": ["x", "y"],
            "loaded_at": [dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 2,
            "loaded_by": ["me", "me"],
            "n_read": [1, 2],
            "n_loaded": [1, 2],
            "n_rejected": [0, 0],
        }
    )
    with connect.transaction(database) as connection:
        connection.execute(
            "INSERT INTO land.source (path, driver, sha256, size_bytes) VALUES ('x', 'GPKG', 'x', 1)"
        )
        copy_in(connection, schema.LAYER_VERSION, rows, srid=SRID)
        back = read_frame(connection, "SELECT as_of, part FROM land.layer_version ORDER BY version_id")
    assert back["as_of"].tolist() == [dt.date(2019, 12, 31), None]
    assert back["part"].tolist() == [None, None]


def test_an_unknown_column_is_an_error_and_nothing_is_written(database):
    with connect.transaction(database) as connection, pytest.raises(KeyError, match="colour"):
        copy_in(connection, schema.RASTER, pd.DataFrame({"colour": [1]}), srid=SRID)


def test_an_empty_result_keeps_its_columns(database):
    with connect.transaction(database) as connection:
        rows = read_frame(connection, sql.SQL("SELECT layer, code FROM result.overlap"))
    assert list(rows.columns) == ["layer", "code"]
    assert rows.empty


def test_an_error_rolls_back_and_is_said_in_words(database):
    with (
        pytest.raises(DatabaseError, match="no_such_table.*Nothing was changed"),
        connect.transaction(database) as connection,
    ):
        connection.execute("CREATE TABLE public.half (id int)")
        connection.execute("SELECT * FROM no_such_table")
    with connect.transaction(database) as connection:
        assert read_frame(connection, "SELECT to_regclass('public.half') AS found")["found"].tolist() == [
            None
        ]


def test_a_dry_run_leaves_nothing(database):
    with connect.transaction(database, dry_run=True) as connection:
        connection.execute("CREATE TABLE public.dry (id int)")
    with connect.transaction(database) as connection:
        assert read_frame(connection, "SELECT to_regclass('public.dry') AS found")["found"].tolist() == [None]


def test_a_server_that_is_not_there_is_said_in_words(tmp_path):
    with (
        pytest.raises(DatabaseError, match="lowland db up"),
        connect.transaction(f"host={tmp_path} dbname=x"),
    ):
        pass


def test_arrays_come_back_as_they_were(database):
    table = schema.Table(
        "result", "arrays", "x", ("a",), (schema.Column("a", "integers", "x"), schema.Column("b", "numbers", "x"), schema.Column("c", "texts", "x"))
    )  # fmt: skip
    rows = pd.DataFrame(
        {
            "a": [[1, None, -(2**31)], None, [], [7]],
            "b": [[-0.0, 1e300], [], None, [None, 0.1]],
            "c": [["", HOSTILE, None], None, ["a"], []],
        },
        dtype=object,
    )
    with connect.transaction(owned(database)) as connection:
        connection.execute("CREATE TABLE result.arrays (n serial, a int[], b float8[], c text[])")
        copy_in(connection, table, rows, srid=SRID)
        back = connection.execute("SELECT a, b, c FROM result.arrays ORDER BY n").fetchall()
    assert repr(back) == repr(list(rows.itertuples(index=False, name=None)))


def test_rows_of_another_length_than_asked_for_are_refused(database):
    with connect.transaction(database) as connection:
        good = "SELECT ARRAY[1.5, 'NaN']::float8[]"
        assert repr([block.tolist() for block in read_arrays(connection, good, [], 2)]) == "[[[1.5, nan]]]"
    for bad in ("ARRAY[1.5]", "ARRAY[1.5, NULL]", "ARRAY[1.5, NULL, NULL]", "NULL"):
        with (
            connect.transaction(database) as connection,
            pytest.raises(DatabaseError, match="run --from measure"),
        ):
            list(read_arrays(connection, f"SELECT {bad}::float8[]", [], 2))


@pytest.mark.parametrize("texts", [["汉字", "", "b"], ["", ""], [""], [], ["a\x1fb", "c"]])
def test_texts_and_numbers_are_those_of_a_frame(database, texts):
    """Also where a text has the sign in it that stands between texts."""
    values = [-0.0, 1e-300, float("nan"), 2.5][: len(texts)]
    rows = "SELECT name, value FROM unnest(%s::text[], %s::float8[]) AS r (name, value)"
    with connect.transaction(database) as connection:
        found = read_texts_and_numbers(connection, rows, [texts, values], texts=["name"], numbers=["value"])
    assert found["name"].tolist() == texts
    assert repr(found["value"].tolist()) == repr(values)
